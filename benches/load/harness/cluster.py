"""A cluster of three nodes, and what becomes of calls when one of them dies."""

import json
import os
import random
import subprocess
import threading
import time
from collections import Counter

from .cases import Row, percentile
from .node import CONFIGURATION, Node, binary, raise_file_limit
from .sipp import free_port, register
from .talker import Trunk, gap


class Member(Node):
    """One of three, on an address of its own for the links."""

    def __init__(self, dir, number, *arguments):
        self.dir = dir / str(number)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.number = number
        self.arguments = arguments
        self.start(*arguments)

    def settings(self):
        wanted = [f"node.name=node-{self.number}", f"cluster.bind=127.0.0.{self.number}:0",
                  "log.filter=info,openraft=error", "sip.max_calls_per_second=0"]
        return [word for setting in wanted for word in ("--set", setting)]

    def command(self, *arguments):
        config = self.dir / "tandem.toml"
        config.write_text(CONFIGURATION.format(dir=self.dir))
        return [binary(), *arguments, "--config", str(config), *self.settings()]

    def start(self, *arguments):
        (self.dir / "data/listening.json").unlink(missing_ok=True)
        self.log = open(self.dir / "node.log", "a")
        self.process = subprocess.Popen(
            self.command("run", *arguments), stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, preexec_fn=raise_file_limit)
        self.pid = self.process.pid

    def ready(self, token):
        self.token = token
        for _ in range(600):
            time.sleep(0.05)
            try:
                listening = json.loads((self.dir / "data/listening.json").read_text())
                self.http, self.sip = listening["http"], listening["sip"]["udp"]
                self.cluster = listening["cluster"]
                if self.api("GET", "/readyz", raw=True)[0] == 200:
                    return self
            except (OSError, ValueError, KeyError):
                continue
        raise RuntimeError("not ready:\n" + (self.dir / "node.log").read_text()[-4000:])

    def kill(self):
        self.process.kill()
        self.process.wait()


def three(dir):
    """Three members that all have shards."""
    one = Member.__new__(Member)
    one.dir, one.number = dir / "1", 1
    one.dir.mkdir(parents=True)
    subprocess.run(one.command("cluster", "init"), check=True, stdout=subprocess.DEVNULL)
    one.start("--demo")
    for _ in range(600):
        time.sleep(0.05)
        try:
            token = json.loads((one.dir / "data/demo.json").read_text())["token"]
            break
        except (OSError, ValueError):
            continue
    members = [one.ready(token)]
    for number in (2, 3):
        members.append(joined(dir, one, number))
    placed(members)
    return members


def joined(dir, one, number):
    """One more member, let in by the first."""
    letter = subprocess.run(one.command("cluster", "token"), check=True, text=True,
                            stdout=subprocess.PIPE).stdout.strip()
    return Member(dir, number, "--join", one.cluster, "--token", letter).ready(one.token)


def placed(members, within=60):
    """Waits until each of them has shards."""
    end = time.time() + within
    while time.time() < end:
        if all(member.metric("tandem_placement_shards") > 0 for member in members):
            return
        time.sleep(0.2)
    raise RuntimeError("not all members have shards")


def until(what, within, fits):
    end = time.time() + within
    while time.time() < end:
        if fits():
            return True
        time.sleep(0.1)
    print(f"{what}: not within {within} s", flush=True)
    return False


def provision(node, near, far):
    node.trunk("near", near.ip, near.port)
    node.trunk("far", far.ip, far.port)
    node.api("POST", "/api/v1/outbound-routes",
             {"name": "out", "rules": [{"pattern": "9."}], "trunks": ["far"]})
    node.api("POST", "/api/v1/inbound-routes",
             {"name": "queue", "did": ["5000"],
              "destination": {"type": "queue", "number": "6400"}})
    node.api("POST", "/api/v1/inbound-routes",
             {"name": "through", "did": ["5001"],
              "destination": {"type": "external_num", "number": "9123456"}})


def failover(dir, calls=100, rate=20, leader=False):
    """Calls on a member that is killed: half talk, half hear a queue's music."""
    members = three(dir)
    near, far = Trunk("127.0.0.11"), Trunk("127.0.0.12")
    try:
        provision(members[0], near, far)
        time.sleep(1)
        victim = members[0] if leader else members[2]
        callers = []
        for index in range(calls):
            number = "5000" if index % 2 else "5001"
            callers.append((number, near.call(victim.sip, number, f"0912{index:06}")))
            time.sleep(1 / rate)
        up = lambda: all(leg.is_up for _, leg in callers)  # noqa: E731
        until("calls up", 20, up)
        time.sleep(3)
        before = sum(leg.is_up for _, leg in callers)
        killed = time.monotonic()
        victim.kill()
        time.sleep(12)
        now = time.monotonic()
        others = list(far.legs.values())
        legs = [leg for _, leg in callers] + others
        lively = [leg for leg in legs if leg.is_up and leg.came and leg.came[-1] > now - 0.5]
        gaps = {name: [gap(leg, killed - 0.1, now) for leg in group] for name, group in (
            ("talking", [leg for number, leg in callers if number == "5001"] + others),
            ("waiting", [leg for number, leg in callers if number == "5000"]))}
        moved = sum(leg.moves > 0 for leg in legs)
        print(f"{before} of {calls} calls up before, {len(legs)} legs; {moved} re-invited, "
              f"{len(lively)} with audio in the end", flush=True)
        rest = [member for member in members if member is not victim]
        held = sum(int(member.metric("tandem_calls_active")) for member in rest)
        print(f"calls at the survivors: {held}", flush=True)
        which = "leader" if leader else "follower"
        rows = [Row(f"failover of calls, {which} killed: legs with audio again", len(legs),
                    len(lively), "", f"{calls} calls, {held} at the survivors", at_least=True)]
        for name, values in gaps.items():
            for share, goal in ((0.5, 1.5), (1.0, 3.0)):
                rows.append(Row(f"gap, {name}, p{int(share * 100)}", goal,
                                percentile(values, share), "s", f"{len(values)} legs"))
        return rows
    finally:
        near.stop()
        far.stop()
        for member in members:
            member.stop()


class Writer:
    """Writes to whoever lives, and keeps what was acknowledged."""

    def __init__(self, members):
        self.members, self.done, self.acked, self.times = members, False, [], []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        number = 70_000
        while not self.done:
            member = self.members[number % 3]
            number += 1
            body = {"number": str(number), "password": "not so secret"}
            try:
                if member.api("POST", "/api/v1/extensions", body, raw=True)[0] < 300:
                    self.acked.append(str(number))
                    self.times.append(time.monotonic())
            except OSError:
                pass
            time.sleep(0.02)

    def lost(self, member):
        found, cursor = set(), ""
        while True:
            page = member.api("GET", f"/api/v1/extensions?limit=500{cursor}")
            found.update(item["number"] for item in page["items"])
            if not page.get("next_cursor"):
                return [number for number in self.acked if number not in found]
            cursor = f"&cursor={page['next_cursor']}"


def silence(times, around):
    """The longest time between two events of which one came after a moment, within 6 s."""
    near = [at for at in sorted(times) if around - 1 < at < around + 6]
    return max((b - a for a, b in zip(near, near[1:]) if b > around), default=6.0)


def logged(member, queue):
    """The queue's call log, by caller."""
    found, cursor = {}, ""
    while True:
        page = member.api("GET", f"/api/v1/queue-log?queue={queue}&limit=500{cursor}")
        for item in page["items"]:
            found.setdefault(item["caller"], []).append(item)
        if not page.get("next_cursor"):
            return found
        cursor = f"&cursor={page['next_cursor']}"


def since(deaths, floor, user):
    """How long after the nearest death each answer to a caller came, in seconds."""
    times = sorted(leg.acked for leg in list(floor.legs.values())
                   if leg.acked and leg.caller == user)
    nearest = [min((at - death for death in deaths), key=abs) for at in times]
    return ", ".join(f"{gap:.3f}" for gap in nearest)


def wrongly_logged(member, queue, users):
    """Callers who were served and do not stand in the queue's call log once, as answered; what is
    known of them is printed."""
    log = logged(member, queue)
    outcomes = {user: [item["outcome"] for item in log.get(user, [])] for user in users}
    wrong = [user for user in users if outcomes[user] != ["answered"]]
    for user in wrong:
        records = member.api("GET", f"/api/v1/call-records?number={user}")["items"]
        print(f"{user}: {json.dumps(log.get(user, []))}\n{json.dumps(records)}", flush=True)
        for record in records:
            trace = member.api("GET", f"/api/v1/calls/{record['id']}/trace", raw=True)
            print(f"  {trace}", flush=True)
    return wrong


def deaths(dir, rounds=None, rate=20, agents=40):
    """A random member is killed again and again while callers come, agents answer and the API is
    written to."""
    rounds = rounds or int(os.environ.get("TANDEM_ROUNDS", "10"))
    members = three(dir)
    near, far, floor = Trunk("127.0.0.11"), Trunk("127.0.0.12"), None
    writer = None
    try:
        floor = staffed(members, near, far, agents)
        time.sleep(2)
        writer = Writer(members)
        gaps, writes, callers, kills = [], [], [], []
        for turn in range(rounds):
            victim = random.choice(members)
            killed, until_at, back = None, time.monotonic() + 9, False
            while time.monotonic() < until_at:
                alive = [member for member in members if member.process.poll() is None]
                user = f"0913{len(callers):06}"
                callers.append((user, near.call(random.choice(alive).sip, "5002", user)))
                time.sleep(1 / rate)
                passed = 9 - (until_at - time.monotonic())
                if killed is None and passed > 2:
                    killed = time.monotonic()
                    kills.append(killed)
                    victim.kill()
                if not back and passed > 5:
                    back = True
                    victim.start()
            victim.ready(victim.token)
            placed(members)
            gaps.append(silence([leg.acked for leg in list(floor.legs.values())], killed))
            writes.append(silence(writer.times, killed))
            print(f"round {turn}: member {victim.number} killed; longest time without an answer "
                  f"{gaps[-1]:.2f} s, without a write {writes[-1]:.2f} s; {len(callers)} callers",
                  flush=True)
        time.sleep(15)
        writer.done = True
        writer.thread.join()
        time.sleep(2)
        served = Counter(leg.caller for leg in list(floor.legs.values()) if leg.acked)
        # Who was not up when the member died was only setting up: the caller dials again.
        taken = [(user, leg) for user, leg in callers if leg.far]
        lost = [user for user, leg in taken if not served[user]]
        twice = [user for user, _ in taken if served[user] > 1]
        for user in twice:
            print(f"{user} was answered {since(kills, floor, user)} s after a death", flush=True)
        missing = [writer.lost(member) for member in members]
        status = members[0].api("GET", "/api/v1/queues/6410/status")
        print(f"{len(callers)} called, {len(taken)} were taken in, {len(lost)} of them not served, "
              f"{len(twice)} served twice; queue: {len(status['waiting'])} wait, "
              f"{len(status['active'])} talk, total {status['total']}, answered "
              f"{status['answered']}, missed {status['missed']}, abandoned "
              f"{status['abandoned']}", flush=True)
        wrong = wrongly_logged(members[0], "6410", [user for user, _ in taken if served[user]])
        note = f"{rounds} rounds, {len(taken)} callers, {len(writer.acked)} writes"
        return [
            Row("acknowledged writes lost", 0, max(map(len, missing)), "", note),
            Row("callers served and not logged as answered once", 0, len(wrong), "", note),
            Row("callers taken in and not served", 0, len(lost), "", note),
            Row("callers served twice", 0, len(twice), "", note),
            Row("time without an answer, p50", 0.6, percentile(gaps, 0.5), "s", note),
            Row("time without an answer, longest", 1.3, max(gaps), "s", note),
            Row("time without a write, p50", 0.6, percentile(writes, 0.5), "s", note),
            Row("time without a write, longest", 1.3, max(writes), "s", note),
        ]
    finally:
        if writer:
            writer.done = True
        for trunk in filter(None, (near, far, floor)):
            trunk.stop()
        for member in members:
            member.stop()


def chatter(dir, count=20, calls=100):
    """What the members of a big cluster say to each other for each call into a queue."""
    members = three(dir)
    near, far, floor = Trunk("127.0.0.11"), Trunk("127.0.0.12"), None
    kinds = ("consensus", "forward", "control", "actors")

    def said():
        sums = {kind: sum(member.metric(f'tandem_cluster_questions_total{{lane="{kind}"}}')
                          for member in members) for kind in kinds}
        sums["words"] = sum(member.metric("tandem_gateway_words_total") for member in members)
        sums["records"] = members[0].metric("tandem_journal_index")
        return sums

    try:
        for number in range(4, count + 1):
            members.append(joined(dir, members[0], number))
            if number % 5 == 0:
                placed(members)
        floor = staffed(members, near, far, 10)
        time.sleep(10)
        at, began = said(), time.monotonic()
        time.sleep(10)
        rest = {kind: (value - at[kind]) / (time.monotonic() - began)
                for kind, value in said().items()}
        before, began = said(), time.monotonic()
        legs = []
        for index in range(calls):
            user = f"0915{index:06}"
            legs.append(near.call(members[index % count].sip, "5002", user))
            time.sleep(0.2)
        time.sleep(5)
        after, passed = said(), time.monotonic() - began
        served = sum(bool(leg.far) for leg in legs)
        rows = []
        for kind in before:
            more = after[kind] - before[kind] - rest[kind] * passed
            rows.append(Row(f"{count} members: {kind} a call", None, more / calls, "",
                            f"{served} of {calls} calls taken in; at rest {rest[kind]:.0f} a second"))
        return rows
    finally:
        for trunk in filter(None, (near, far, floor)):
            trunk.stop()
        for member in members:
            member.stop()


class Callers:
    """Callers into a queue at members that take calls, in a thread of its own."""

    def __init__(self, near, members, rate):
        self.near, self.members, self.rate = near, members, rate
        self.callers, self.done = [], False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.done:
            user = f"0914{len(self.callers):06}"
            self.callers.append((user, self.near.call(random.choice(self.members).sip, "5002",
                                                      user)))
            time.sleep(1 / self.rate)

    def stop(self):
        self.done = True
        self.thread.join()


def staffed(members, near, far, agents):
    """A queue with agents at a trunk of their own; gives that."""
    provision(members[0], near, far)
    numbers = range(8000, 8000 + agents)
    passwords = members[0].extensions(numbers)
    members[0].api("POST", "/api/v1/queues", {
        "number": "6410", "name": "Load", "ring_strategy": "least_recent",
        "members": [{"extension": str(number), "membership": "static"} for number in numbers],
        "agent": {"wrap_up_secs": 0}})
    members[0].api("POST", "/api/v1/inbound-routes", {
        "name": "load", "did": ["5002"], "destination": {"type": "queue", "number": "6410"}})
    port = free_port("127.0.0.13")
    register(members[0].sip, "127.0.0.13", port, passwords)
    return Trunk("127.0.0.13", talk=1.0, port=port)


def uneven(members):
    """How far the fullest and the emptiest member are from an even share, in percent."""
    shards = [member.metric("tandem_placement_shards") for member in members]
    even = sum(shards) / len(shards)
    print(f"shards: {[int(count) for count in shards]}", flush=True)
    return max(abs(count - even) for count in shards) / even * 100


def growth(dir, rate=20, agents=40):
    """A fourth and a fifth member join and one is drained while callers come."""
    members = three(dir)
    near, far, floor, load = Trunk("127.0.0.11"), Trunk("127.0.0.12"), None, None
    try:
        floor = staffed(members, near, far, agents)
        time.sleep(2)
        load = Callers(near, list(members), rate)
        time.sleep(5)
        shares = []
        for number in (4, 5):
            began = time.monotonic()
            members.append(joined(dir, members[0], number))
            placed(members)
            print(f"member {number} has shards after {time.monotonic() - began:.1f} s", flush=True)
            load.members = list(members)
            shares.append(uneven(members))
            time.sleep(5)
        drained, rest = members[1], [member for member in members if member.number != 2]
        load.members = rest
        subprocess.run(members[0].command("cluster", "drain", "node-2"), check=True,
                       stdout=subprocess.DEVNULL)
        began = time.monotonic()
        until("shards given away", 20,
              lambda: drained.metric("tandem_placement_shards") == 0)
        until("its calls over", 60, lambda: drained.metric("tandem_calls_active") == 0)
        print(f"drained after {time.monotonic() - began:.1f} s", flush=True)
        shares.append(uneven(rest))
        drained.stop()
        time.sleep(5)
        load.stop()
        time.sleep(10)
        served = Counter(leg.caller for leg in list(floor.legs.values()) if leg.acked)
        failed = [user for user, _ in load.callers if not served[user]]
        twice = [user for user, _ in load.callers if served[user] > 1]
        note = f"{len(load.callers)} callers, {rate} a second"
        return [
            Row("joins and a drain: callers not served", 0, len(failed), "", note),
            Row("callers served twice", 0, len(twice), "", note),
            Row("shards, most uneven of 4, 5 and 4 members", 20, max(shares), "%", note)]
    finally:
        if load:
            load.done = True
        for trunk in filter(None, (near, far, floor)):
            trunk.stop()
        for member in members:
            if member.process.poll() is None:
                member.stop()
