"""Kamailio as a mere proxy, with the same callers and phones in the same run: a yardstick."""

import shutil
import subprocess
import time

from harness.cases import CALLERS, FAR, Others, Row
from harness.node import cpu_secs
from harness.sipp import Sipp, free_port

CONFIGURATION = """
debug=0
log_stderror=yes
children=2
auto_aliases=no
listen=udp:127.0.0.1:{port}
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (has_totag()) {{
        if (loose_route()) {{ t_relay(); exit; }}
        if (is_method("ACK")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
        sl_send_reply("404", "Not here"); exit;
    }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    t_check_trans();
    record_route();
    $du = "sip:{far}";
    t_relay();
}}
"""


def tree(root):
    """A process and its children, which Kamailio does its work in."""
    found = [root]
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(root)], text=True,
                            stdout=subprocess.PIPE).stdout
    for pid in listed.split():
        found += tree(int(pid))
    return found


def kamailio(dir, rates=(200, 500), secs=10):
    """CPU time of a call through it. It keeps no media, no queue and no journal."""
    if not shutil.which("kamailio"):
        return []
    dir.mkdir(parents=True, exist_ok=True)
    port, near, far = free_port("127.0.0.1"), free_port(CALLERS), free_port(FAR)
    config = dir / "kamailio.cfg"
    config.write_text(CONFIGURATION.format(port=port, far=f"{FAR}:{far}"))
    with open(dir / "log", "w") as log:
        process = subprocess.Popen(
            ["kamailio", "-f", str(config), "-DD", "-E", "-w", str(dir), "-Y", str(dir),
             "-m", "64", "-M", "8"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    rows = []
    remote = f"127.0.0.1:{port}"
    phone = Sipp("phone", FAR, remote, dir, port=far)
    try:
        time.sleep(1.5)
        pids = tree(process.pid)
        for rate in rates:
            count = rate * secs
            cpu = sum(map(cpu_secs, pids))
            caller = Sipp("caller", CALLERS, remote, dir / f"at-{rate}", "-s", "user", "-r", rate,
                          "-m", count, "-l", 15_000, "-d", 0, port=near)
            others = Others(*pids, caller.process.pid, phone.process.pid)
            time.sleep(secs - 1)
            noise = others.share()
            got = caller.finish(30)
            cost = 1000 * (sum(map(cpu_secs, pids)) - cpu) / max(got["ok"], 1)
            note = (f"{got['ok']} of {count} calls, {got['failed']} failed, {got['again']} "
                    f"retransmissions, setup {got['setup_ms']:.1f} ms, others' CPU {noise:.0f} %")
            rows.append(Row(f"Kamailio, a mere proxy, call at {rate}/s, CPU", None, cost, "ms",
                            note))
    finally:
        phone.stop()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return rows
