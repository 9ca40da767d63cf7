"""How long an actor is without an owner when its member dies."""

import http.client
import os
import random
import re
import threading
import time

from .cases import Row, percentile
from .cluster import placed, three

QUEUES = 24


class Asker:
    """Asks one member for a queue again and again, and notes when it got an answer."""

    def __init__(self, member, queue):
        self.member, self.queue, self.done, self.answered = member, queue, False, []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        connection = http.client.HTTPConnection(self.member.http, timeout=20)
        headers = {"Authorization": f"Bearer {self.member.token}"}
        while not self.done:
            connection.request("GET", f"/api/v1/queues/{self.queue}/status", headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                self.answered.append(time.monotonic())
            time.sleep(0.01)

    def gap_after(self, moment):
        """The longest time without an answer since a moment, in seconds."""
        self.done = True
        self.thread.join()
        times = [moment] + [at for at in self.answered if at > moment]
        return max((later - earlier for earlier, later in zip(times, times[1:])),
                   default=float("nan"))


def owners(members):
    """The member that runs each queue: the one that wrote the highest epoch."""
    found = {}
    for member in members:
        text = (member.dir / "node.log").read_text()
        for queue, epoch in re.findall(r'a queue runs here queue="(66\d\d)" epoch=(\d+)', text):
            found[queue] = max(found.get(queue, (0, None)), (int(epoch), member.number))
    return {queue: number for queue, (_, number) in found.items()}


def takeover(dir, rounds=None):
    """A member that runs a queue is killed; how long until another one answers for it."""
    rounds = rounds or int(os.environ.get("TANDEM_ROUNDS", "20"))
    members = three(dir)
    try:
        for number in range(6410, 6410 + QUEUES):
            members[0].api("POST", "/api/v1/queues", {"number": str(number), "name": f"Q{number}"})
        time.sleep(2)
        gaps = []
        for turn in range(rounds):
            queue, number = random.choice(list(owners(members).items()))
            victim = members[number - 1]
            asking = Asker(random.choice([member for member in members if member is not victim]),
                           queue)
            time.sleep(1)
            killed = time.monotonic()
            victim.kill()
            time.sleep(4)
            gaps.append(asking.gap_after(killed))
            print(f"round {turn}: member {victim.number} killed, queue {queue} without an owner "
                  f"for {gaps[-1]:.2f} s", flush=True)
            victim.start()
            victim.ready(victim.token)
            placed(members)
            time.sleep(2)
        note = f"{rounds} deaths of 3 members, {QUEUES} queues"
        return [Row("an actor without an owner, p50", 0.6, percentile(gaps, 0.5), "s", note),
                Row("an actor without an owner, longest", 1.3, max(gaps), "s", note)]
    finally:
        for member in members:
            member.stop()
