"""Calls beside programs that ask without a pause."""

import http.client
import subprocess
import sys
import threading
import time

from harness.cases import CALLERS, DID, Row, invites, percentile, queue, waits_to_ring
from harness.node import Node
from harness.sipp import Sipp

PATH = "/api/v1/extensions?limit=200"


def ask(host, token, asked):
    """One program: the next request as soon as the answer is read."""
    connection = http.client.HTTPConnection(host, timeout=20)
    while True:
        connection.request("GET", PATH, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            asked.append(answer.status)


def programs(host, token, many, secs):
    """Runs `many` of them; prints how many answers they had in a second."""
    asked = []
    for _ in range(many):
        threading.Thread(target=ask, args=(host, token, asked), daemon=True).start()
    time.sleep(secs)
    print(len(asked) / secs, flush=True)


def rings(node, near, phones, dir, rate, count):
    """Milliseconds from each caller's INVITE to the agent's phone."""
    before = {call for _, _, _, call in invites(phones, False)}
    caller = Sipp("caller", CALLERS, node.sip, dir, "-s", DID, "-r", rate, "-m", count, "-d", 1000,
                  port=near, messages=True)
    failed = caller.finish(count / rate + 40)["failed"]
    return waits_to_ring(caller, phones, before), failed


def crowd(dir, agents=200, rate=20, count=400, many=8):
    """The time to the agent's phone, by itself and beside programs that list the extensions."""
    generous = ("http.requests_per_second=1000000", "http.request_burst=1000000")
    rows = []
    with Node(dir, *generous) as node:
        near, phones = queue(node, agents, "phone", "least_recent", dir)
        for asking in (0, many):
            words = [sys.executable, "-B", "-m", "harness.crowd", node.http, node.token, str(asking),
                     str(count / rate)]
            crowd_of = subprocess.Popen(words, cwd=sys.path[0], stdout=subprocess.PIPE,
                                        text=True)
            waits, failed = rings(node, near, phones, dir / f"beside-{asking}", rate, count)
            answers = float(crowd_of.communicate(timeout=60)[0])
            note = (f"{len(waits)} of {count} calls, {failed} failed; p50 "
                    f"{percentile(waits, .5):.2f}, max {max(waits, default=float('nan')):.1f} ms; "
                    f"{answers:.0f} answers/s of {agents} extensions each")
            rows.append(Row(f"caller enters → phone rings beside {asking} programs, p99", None,
                            percentile(waits, .99), "ms", note))
        phones.stop()
    return rows


if __name__ == "__main__":
    programs(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
