"""What is measured of a whole node. Each case starts a node of its own and gives rows."""

import os
import re
import subprocess
import time
from dataclasses import dataclass

from harness import probe
from harness.node import (
    ROOT, Node, busy_secs, cpu_secs, pss_kib, raise_file_limit, spent, threads)
from harness.sipp import Sipp, free_port, register

CALLERS, FAR, AGENTS, PHONES = "127.0.0.2", "127.0.0.4", "127.0.0.3", "127.0.0.5"
PROBE = "127.0.0.6"
DID = "5550100"


@dataclass
class Row:
    """One line of the table. `goal` is a bound that `value` shall not pass."""
    what: str
    goal: float | None
    value: float
    unit: str
    note: str = ""
    at_least: bool = False


class Others:
    """Processor time that neither the node nor its peers took: the machine's noise."""

    def __init__(self, *pids):
        self.pids = pids
        self.start = time.time()
        self.busy = busy_secs()
        self.own = self._own()

    def _own(self):
        total = 0.0
        for pid in self.pids:
            try:
                total += cpu_secs(pid)
            except OSError:
                pass
        return total

    def share(self):
        """In percent of one core. What has ended by now counts as others, so ask before."""
        took = max(time.time() - self.start, 0.001)
        return 100 * max(busy_secs() - self.busy - (self._own() - self.own), 0) / took


def percentile(values, share):
    """Of a list that need not be sorted."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def bridged(node, dir):
    """A trunk that calls a DID which leads out over another trunk: both legs are SIPp's."""
    near, far = free_port(CALLERS), free_port(FAR)
    node.trunk("near", CALLERS, near)
    node.trunk("far", FAR, far)
    node.api("POST", "/api/v1/outbound-routes",
             {"name": "out", "rules": [{"pattern": "0."}], "trunks": ["far"]})
    node.api("POST", "/api/v1/inbound-routes",
             {"name": "in", "did": [DID],
              "destination": {"type": "external_num", "number": "0301234"}})
    phone = Sipp("phone", FAR, node.sip, dir, port=far)
    return near, phone


def drive(node, dir, phone, near, rate, count, talk_ms=0, scenario="caller"):
    """Offers calls; gives SIPp's figures with the node's CPU time beside them."""
    before = phone.figures()
    sent_again = node.metric("tandem_sip_retransmissions_total")
    cpu, start, parts = cpu_secs(node.pid), time.time(), threads(node.pid)
    caller = Sipp(scenario, CALLERS, node.sip, dir / f"at-{rate}-{count}", "-s", DID, "-r", rate,
                  "-m", count, "-l", 15_000, "-d", talk_ms, port=near)
    others = Others(node.pid, caller.process.pid, phone.process.pid)
    # The last statistics come when SIPp ends, so its noise is read just before.
    while caller.process.poll() is None and time.time() - start < count / rate + talk_ms / 1000 - 1:
        time.sleep(0.1)
    noise = others.share()
    figures = caller.finish(count / rate + talk_ms / 1000 + 40)
    figures["secs"] = time.time() - start
    figures["cpu_ms"] = 1000 * (cpu_secs(node.pid) - cpu) / max(figures["ok"], 1)
    figures["parts"] = spent(parts, threads(node.pid), figures["ok"])
    figures["again"] += phone.figures()["again"] - before["again"]
    figures["node_again"] = node.metric("tandem_sip_retransmissions_total") - sent_again
    figures["noise"] = noise
    figures["caller"] = caller
    return figures


def calls(dir, rates=(200, 500), secs=10):
    """CPU time of a call through the whole node, journal on."""
    rows = []
    with Node(dir) as node:
        near, phone = bridged(node, dir)
        drive(node, dir, phone, near, 50, 100)
        for rate in rates:
            got = drive(node, dir, phone, near, rate, rate * secs)
            note = (f"{got['ok']} of {rate * secs} calls, {got['failed']} failed, retransmissions "
                    f"{got['again']} by SIPp and {got['node_again']:.0f} by the node, setup "
                    f"{got['setup_ms']:.1f} ms, {got['ok'] / got['secs']:.0f}/s, "
                    f"others' CPU {got['noise']:.0f} %; per call {got['parts']}")
            rows.append(Row(f"call through the node at {rate}/s, CPU", 0.6, got["cpu_ms"], "ms",
                            note))
        phone.stop()
    return rows


def registrations(dir, rates=(400, 1000), users=1000):
    """CPU time of a registration with digest: 401, then 200."""
    rows = []
    with Node(dir) as node:
        passwords = node.extensions(range(20_000, 20_000 + users))
        listed = dir / "users.csv"
        lines = [f"{user};[authentication username={user} password={secret}]"
                 for user, secret in passwords.items()]
        listed.write_text("SEQUENTIAL\n" + "\n".join(lines) + "\n")
        port = free_port(PHONES)
        for rate in rates:
            count = min(rate * 6, 6 * users)
            cpu, start = cpu_secs(node.pid), time.time()
            phones = Sipp("register", PHONES, node.sip, dir / f"at-{rate}", "-inf", listed,
                          "-r", rate, "-m", count, "-l", 15_000, port=port)
            others = Others(node.pid, phones.process.pid)
            while phones.process.poll() is None and time.time() - start < count / rate - 1:
                time.sleep(0.1)
            noise = others.share()
            got = phones.finish(count / rate + 30)
            cost = 1000 * (cpu_secs(node.pid) - cpu) / max(got["ok"], 1)
            note = (f"{got['ok']} of {count}, {got['failed']} failed, {got['again']} "
                    f"retransmissions, {got['setup_ms']:.1f} ms each, others' CPU {noise:.0f} %")
            rows.append(Row(f"registration with digest at {rate}/s, CPU", 0.15, cost, "ms", note))
    return rows


def memory(dir, held=1000, burst=10_000, rate=300):
    """What a held call takes, and what a burst of calls leaves behind."""
    with Node(dir) as node:
        near, phone = bridged(node, dir)
        drive(node, dir, phone, near, 50, 200)
        node.quiet()
        idle = pss_kib(node.pid)
        caller = Sipp("caller", CALLERS, node.sip, dir / "held", "-s", DID, "-r", 100, "-m", held,
                      "-l", held + 10, "-d", 1000 * (held // 100 + 8), port=near)
        time.sleep(held / 100 + 3)
        up = node.metric("tandem_calls_active")
        full = pss_kib(node.pid)
        got = caller.finish(90)
        node.quiet()
        after = pss_kib(node.pid)
        # The traces of the newest 2,000 calls are kept, which is no leak: fill that first.
        drive(node, dir, phone, near, 200, 2500)
        node.quiet()
        filled = pss_kib(node.pid)
        passed = drive(node, dir, phone, near, rate, burst)
        node.quiet()
        at_end = pss_kib(node.pid)
        # Transactions linger for 32 s (RFC 3261 timer H and J); what is left then stays.
        time.sleep(40)
        rested = pss_kib(node.pid)
        phone.stop()
    note = (f"{up:.0f} calls up, {got['failed']} failed; {idle} KiB before, {full} KiB with them, "
            f"{after} KiB when they had ended")
    left = (f"{passed['ok']} of {burst} calls at {rate}/s, {passed['failed']} failed; {filled} KiB "
            f"before (2,500 calls had passed), {at_end} KiB at the end, {rested} KiB after 40 s")
    return [Row("memory of a held call", 100, (full - idle) / max(up, 1), "KiB", note),
            Row(f"memory kept after a burst of {burst} calls", None, rested - filled, "KiB", left)]


def queue(node, agents, scenario, strategy, dir):
    """A queue with registered agents behind one SIPp; the DID leads there."""
    port = free_port(AGENTS)
    passwords = node.extensions(range(2000, 2000 + agents))
    node.api("POST", "/api/v1/queues", {
        "number": "6410", "name": "Load", "ring_strategy": strategy,
        "members": [{"extension": number, "membership": "static"} for number in passwords]})
    near = free_port(CALLERS)
    node.trunk("near", CALLERS, near)
    node.api("POST", "/api/v1/inbound-routes", {
        "name": "in", "did": [DID], "destination": {"type": "queue", "number": "6410"}})
    register(node.sip, AGENTS, port, passwords)
    return near, Sipp(scenario, AGENTS, node.sip, dir, port=port, messages=True)


def invites(sipp, sent):
    """(time, caller's number, called user, Call-ID) of each INVITE, the first copy of it."""
    seen = set()
    for at, was_sent, text in sipp.messages():
        line = re.search(r"^INVITE sip:([^@ >;]+)", text, re.M)
        call = re.search(r"^Call-ID: *(\S+)", text, re.M | re.I)
        caller = re.search(r"^From:.*?sip:([^@;>]+)@", text, re.M | re.I)
        if line and call and caller and was_sent == sent and call.group(1) not in seen:
            seen.add(call.group(1))
            yield at, caller.group(1), line.group(1), call.group(1)


def waits_to_ring(caller, phones, before=()):
    """Milliseconds from each caller's INVITE to the first at a phone; `before` are Call-IDs of
    INVITEs at phones that are of no account."""
    entered = {caller_id: at for at, caller_id, _, _ in invites(caller, True)}
    rang = {}
    for at, caller_id, _, call in invites(phones, False):
        if call not in before:
            rang.setdefault(caller_id, at)
    return [1000 * (rang[who] - at) for who, at in entered.items() if who in rang]


def ringing(dir, agents=200, rate=20, count=400):
    """From a caller's INVITE to the INVITE at the agent's phone, with agents free."""
    with Node(dir) as node:
        near, phones = queue(node, agents, "phone", "least_recent", dir)
        cpu, parts = cpu_secs(node.pid), threads(node.pid)
        caller = Sipp("caller", CALLERS, node.sip, dir, "-s", DID, "-r", rate, "-m", count,
                      "-d", 1000, port=near, messages=True)
        others = Others(node.pid, caller.process.pid, phones.process.pid)
        time.sleep(count / rate - 1)
        noise = others.share()
        got = caller.finish(40)
        cost = 1000 * (cpu_secs(node.pid) - cpu) / max(got["ok"], 1)
        parts = spent(parts, threads(node.pid), got["ok"])
        phones.stop()
    waits = waits_to_ring(caller, phones)
    note = (f"{len(waits)} of {count} calls, {got['failed']} failed, {got['again']} "
            f"retransmissions; p95 {percentile(waits, .95):.1f}, p99 {percentile(waits, .99):.1f}, "
            f"max {max(waits, default=float('nan')):.1f} ms; {cost:.2f} ms CPU per queue call "
            f"({parts}); others' CPU {noise:.0f} %")
    return [Row(f"caller enters → phone rings, {agents} agents, p50", 2.0,
                percentile(waits, .5), "ms", note)]


def next_ring(dir, agents=10, rate=20, count=200):
    """From the end of an agent's call to the next INVITE at that phone, with callers waiting."""
    with Node(dir) as node:
        near, phones = queue(node, agents, "agent", "least_recent", dir)
        caller = Sipp("caller_waits", CALLERS, node.sip, dir, "-s", DID, "-r", rate, "-m", count,
                      "-l", 5000, port=near)
        others = Others(node.pid, caller.process.pid, phones.process.pid)
        time.sleep(count / rate)
        noise = others.share()
        got = caller.finish(120)
        phones.stop()
    agent_of, ended, gaps, rings = {}, {}, [], []
    for at, was_sent, text in phones.messages():
        call = re.search(r"^Call-ID: *(\S+)", text, re.M | re.I)
        line = re.search(r"^(INVITE|BYE) sip:([^@ >;]+)", text, re.M)
        if not call or not line:
            continue
        call, method = call.group(1), line.group(1)
        if method == "INVITE" and not was_sent and call not in agent_of:
            agent = agent_of[call] = line.group(2)
            rings.append(at)
            if agent in ended:
                gaps.append(1000 * (at - ended.pop(agent)))
        elif method == "BYE" and call in agent_of:
            ended.setdefault(agent_of[call], at)
    # Only while more callers wait than agents are there: the last ones find free agents.
    note = (f"{got['ok']} of {count} calls, {got['failed']} failed, {got['again']} "
            f"retransmissions; {len(gaps)} gaps; p50 {percentile(gaps, .5):.1f}, "
            f"p95 {percentile(gaps, .95):.1f}, max {max(gaps, default=float('nan')):.1f} ms; "
            f"rings over {max(rings, default=0) - min(rings, default=0):.1f} s; "
            f"others' CPU {noise:.0f} %")
    return [Row("agent's call ends → next ring, callers waiting, p99", 5.0,
                percentile(gaps, .99), "ms", note)]


def overload(dir, limit=100, times=10, secs=10):
    """Ten times what the node admits: 503 with Retry-After, and the admitted share goes on."""
    with Node(dir, f"sip.max_calls_per_second={limit}") as node:
        near, phone = bridged(node, dir)
        drive(node, dir, phone, near, 20, 40)
        # SIPp writes its statistics every second.
        time.sleep(1.5)
        rate, answered = limit * times, phone.figures()["ok"]
        got = drive(node, dir, phone, near, rate, rate * secs, scenario="caller_insists")
        time.sleep(2)
        good = phone.figures()["ok"] - answered
        refused = got["caller"].count("503")
        phone.stop()
    note = (f"offered {rate}/s for {secs} s: {good} calls answered and ended, {refused} refused "
            f"with 503 and Retry-After, {got['failed']} failed otherwise, retransmissions "
            f"{got['again']}, setup {got['setup_ms']:.1f} ms, others' CPU {got['noise']:.0f} %")
    # The seconds of the limit are those of the clock, of which the span touches one more.
    return [Row(f"goodput at {times} times the admitted {limit}/s", 0.9 * limit,
                good / (secs + 1), "/s", note, at_least=True)]


def tone(dir, secs=20):
    """A file of 440 Hz for SIPp's audio stream: µ-law, 8 kHz, raw."""
    made = ["sox", "-n", "-r", "8000", "-c", "1", "-e", "mu-law", "-t", "ul",
            str(dir / "tone.ulaw"), "synth", str(secs), "sine", "440", "vol", "0.5"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)


def audio(dir, users=1000, held=500, probes=10, secs=10):
    """All registered, all calls up with audio both ways, and probes that count what is lost."""
    with Node(dir) as node:
        port = free_port(PHONES)
        register(node.sip, PHONES, port, node.extensions(range(20_000, 20_000 + users)))
        near, far, own = free_port(CALLERS), free_port(FAR), free_port(PROBE)
        node.trunk("near", CALLERS, near)
        node.trunk("probe", PROBE, own)
        node.trunk("far", FAR, far)
        node.api("POST", "/api/v1/outbound-routes",
                 {"name": "out", "rules": [{"pattern": "0."}], "trunks": ["far"]})
        node.api("POST", "/api/v1/inbound-routes", {
            "name": "in", "did": [DID],
            "destination": {"type": "external_num", "number": "0301234"}})
        phone = Sipp("phone", FAR, node.sip, dir, "-rtp_echo", port=far)
        workdir = dir / f"caller_sounds-{near}"
        workdir.mkdir()
        tone(workdir)
        caller = Sipp("caller_sounds", CALLERS, node.sip, dir, "-s", DID, "-r", 50, "-m", held,
                      "-l", held + 10, "-d", 1000 * (held // 50 + secs + 8), port=near)
        time.sleep(held / 50 + 2)
        callers = [probe.Probe(node.sip, PROBE, own if at == 0 else 0, DID)
                   for at in range(probes)]
        for one in callers:
            one.call()
        up, before = node.metric("tandem_calls_active"), node.metric("tandem_rtp_packets_total")
        cpu, others = cpu_secs(node.pid), Others(node.pid, caller.process.pid, phone.process.pid)
        start = time.time()
        sent, received, trips = probe.stream(callers, secs)
        took, noise = time.time() - start, others.share()
        packets = node.metric("tandem_rtp_packets_total") - before
        share = 100 * (cpu_secs(node.pid) - cpu) / took
        for one in callers:
            one.hang_up()
        bound = node.metric("tandem_sip_registrations_active")
        got = caller.finish(90)
        phone.stop()
    note = (f"{bound:.0f} registrations, {up:.0f} calls up, {got['failed']} failed, "
            f"{packets / took:.0f} RTP packets/s in, node {share:.0f} % of a core; {probes} probes "
            f"sent {sent} packets and had {received} back, round trip p50 {percentile(trips, .5):.2f}, p99 "
            f"{percentile(trips, .99):.2f} ms; others' CPU {noise:.0f} %")
    lost = 100 * (sent - received) / sent
    return [Row("calls up with audio", held, up - probes, "", note, at_least=True),
            Row("audio lost on the way there and back", 1.0, lost, "%", "of the probes")]


def panels(dir, clients=1000, rate=50, secs=120):
    """Clients of the event stream, while agents of the demo queue pause and resume."""
    tool = os.environ.get("TANDEM_PANEL_LOAD") or str(ROOT / "target/release/tandem-panel-load")
    generous = ("http.requests_per_second=10000", "http.request_burst=100000")
    with Node(dir, *generous) as node:
        for extension in (1001, 1002, 1003):
            node.api("POST", f"/api/v1/agents/{extension}/login", {})
        words = [tool, node.http, node.token, clients, rate, secs, node.pid]
        done = subprocess.run([str(word) for word in words], check=True, capture_output=True,
                              text=True, preexec_fn=raise_file_limit)
    line = " ".join(done.stdout.split())
    p99, share = (float(re.search(pattern, line)[1]) for pattern in (r"p99 (\d+) ms", r"(\d+) %"))
    events = f"{clients} panels, {rate} events/s"
    return [Row(f"{events}: written → read, p99", None, p99, "ms", line),
            Row(f"{events}: CPU", None, share, "% of a core")]


CASES = {
    "calls": calls, "registrations": registrations, "memory": memory, "ringing": ringing,
    "next-ring": next_ring, "audio": audio, "overload": overload,
    "panels": panels,
}
