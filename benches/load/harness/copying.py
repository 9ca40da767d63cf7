"""Files on the links for bulk, beside questions from member to member."""

import http.client
import os
import struct
import threading
import time

from .cases import Row, percentile
from .cluster import three

PIECE_SECS = 500


def wav(secs):
    """So many seconds of noise, which nothing makes smaller."""
    body = os.urandom(16_000 * secs)
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, 1, 1,
                       8_000, 16_000, 2, 16, b"data", len(body)) + body


def upload(node, count):
    """Prompts, one after the other."""
    connection = http.client.HTTPConnection(node.http, timeout=60)
    headers = {"Authorization": f"Bearer {node.token}", "Content-Type": "audio/wav"}
    for index in range(count):
        connection.request("PUT", f"/api/v1/prompts/bulk-{index}", wav(PIECE_SECS), headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"upload: {answer.status} {said[:300]}")


def asked(node, goes_on):
    """How long each look at a queue takes at a member that does not run it, in ms."""
    connection = http.client.HTTPConnection(node.http, timeout=20)
    times = []
    while goes_on(times):
        began = time.monotonic()
        connection.request("GET", "/api/v1/queues/6400/status",
                           headers={"Authorization": f"Bearer {node.token}"})
        answer = connection.getresponse()
        answer.read()
        times.append(1000 * (time.monotonic() - began))
        if answer.status != 200:
            raise RuntimeError(f"status: {answer.status}")
        time.sleep(0.02)
    return times


def held(member):
    """Bytes of uploaded prompts at a member."""
    folder = member.dir / "data/prompts/custom"
    return sum(file.stat().st_size for file in folder.glob("*.wav")) if folder.exists() else 0


def moves(members):
    """Changes of the table and elections that the members have written down."""
    texts = [(member.dir / "node.log").read_text() for member in members]
    return sum(text.count("tandem::placement: placement") + text.count("call of a member")
               for text in texts)


def copying(dir, mib=2048):
    """2 GiB of prompts go from one member to the two others while a queue is asked for."""
    members = three(dir)
    count = (mib << 20) // len(wav(PIECE_SECS)) + 1
    wanted = count * len(wav(PIECE_SECS))
    try:
        runs = [member for member in members
                if 'a queue runs here queue="6400"' in (member.dir / "node.log").read_text()]
        asker = next(member for member in members if member is not runs[-1])
        quiet = asked(asker, lambda times: len(times) < 250)
        before, began = moves(members), time.monotonic()
        uploader = threading.Thread(target=upload, args=(members[0], count))
        uploader.start()
        busy = asked(asker, lambda _: uploader.is_alive()
                     or any(held(member) < wanted for member in members))
        took, moved = time.monotonic() - began, moves(members) - before
        shards = [int(member.metric("tandem_placement_shards")) for member in members]
        lost = sum(member.metric("tandem_cluster_links_lost_total") for member in members)
        note = (f"{count} files, {wanted >> 20} MiB to each of two members in {took:.0f} s, "
                f"shards {shards}, links lost {lost:.0f}; p50 {percentile(busy, .5):.1f}, longest "
                f"{max(busy):.0f} ms of {len(busy)}; at rest p50 {percentile(quiet, .5):.1f}, "
                f"p99 {percentile(quiet, .99):.1f} ms")
        return [Row("a look at another member's queue beside the copy, p99", 10,
                    percentile(busy, .99), "ms", note),
                Row("members called dead meanwhile", 0, moved, "", note)]
    finally:
        for member in members:
            member.stop()
