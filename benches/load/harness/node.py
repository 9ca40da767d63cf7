"""A release node as a process, in a folder of its own, on ports that the system chose."""

import http.client
import json
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

CONFIGURATION = """
[node]
data_dir = "{dir}/data"
drain_secs = 2
[sip]
trust_loopback = true
digest = ["md5"]
listen = [{{ transport = "udp", bind = "127.0.0.1:0" }}]
[media]
bind = "127.0.0.1"
first_port = 0
last_port = 65535
workers = 1
[http]
bind = "127.0.0.1:0"
[log]
filter = "warn"
"""


def binary():
    """`TANDEM_BIN`, else the release build."""
    return os.environ.get("TANDEM_BIN") or str(ROOT / "target/release/tandem")


def raise_file_limit():
    """A held call needs four sockets."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def cpu_secs(pid):
    """User and system time of all threads; the kernel counts in ticks of 10 ms."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def threads(pid):
    """(user, system) seconds by thread name without its number; what has ended is not there."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name, fields = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        except (OSError, IndexError):
            continue  # It has just ended.
        name = name.rstrip("-0123456789")
        ticks = [int(word) / os.sysconf("SC_CLK_TCK") for word in fields.split()[11:13]]
        user, system = found.get(name, (0.0, 0.0))
        found[name] = (user + ticks[0], system + ticks[1])
    return found


def spent(before, after, share):
    """Where CPU time went, the most first, in ms per one of `share`."""
    parts = []
    for name, (user, system) in after.items():
        was = before.get(name, (0.0, 0.0))
        cost = [1000 * (now - then) / max(share, 1) for now, then in zip((user, system), was)]
        parts.append((sum(cost), f"{name} {cost[0]:.2f} user + {cost[1]:.2f} system"))
    shown = [text for total, text in sorted(parts, reverse=True) if total >= 0.01]
    return ", ".join(shown[:4])


def busy_secs():
    """What all processors did but idle."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:]]
    return sum(ticks[at] for at in (0, 1, 2, 5, 6)) / os.sysconf("SC_CLK_TCK")


def pss_kib(pid):
    """Memory of the process, shared pages by their share."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


class Node:
    """A running node; ends with its `with` block."""

    def __init__(self, dir, *settings):
        self.dir = Path(dir)
        self.dir.mkdir(parents=True, exist_ok=True)
        config = self.dir / "tandem.toml"
        config.write_text(CONFIGURATION.format(dir=self.dir))
        more = [word for setting in settings for word in ("--set", setting)]
        self.log = open(self.dir / "node.log", "w")
        self.process = subprocess.Popen(
            [binary(), "run", "--demo", "--config", str(config), *more],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            preexec_fn=raise_file_limit)
        self.pid = self.process.pid
        self._wait()

    def _wait(self):
        for _ in range(600):
            time.sleep(0.05)
            if self.process.poll() is not None:
                break
            try:
                listening = json.loads((self.dir / "data/listening.json").read_text())
                demo = json.loads((self.dir / "data/demo.json").read_text())
                self.http = listening["http"]
                self.sip = listening["sip"]["udp"]
                self.token = demo["token"]
                if self.api("GET", "/readyz", raw=True)[0] == 200:
                    return
            except (OSError, ValueError, KeyError):
                continue
        self.stop()
        raise RuntimeError("the node is not ready:\n" + (self.dir / "node.log").read_text()[-4000:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def api(self, method, path, body=None, raw=False):
        """One request; what is no success is an error, unless `raw`. Waits where it comes too
        fast for the edge's limit."""
        connection = http.client.HTTPConnection(self.http, timeout=20)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, headers)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        if answer.status == 429:
            time.sleep(float(answer.headers.get("Retry-After") or 1))
            return self.api(method, path, body, raw)
        if raw:
            return answer.status, said
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:400]}")
        return json.loads(said) if said else None

    def metric(self, name):
        """The sum of a metric over its labels, or one series of it."""
        text = self.api("GET", "/metrics", raw=True)[1].decode()
        lines = [line.split() for line in text.splitlines() if line.startswith(name)]
        return sum(float(words[-1]) for words in lines
                   if name in (words[0], words[0].split("{")[0]))

    def extensions(self, numbers):
        """Makes extensions; gives their passwords."""
        passwords = {}
        for number in map(str, numbers):
            passwords[number] = f"load-{number}-of-the-bench"
            self.api("POST", "/api/v1/extensions",
                     {"number": number, "password": passwords[number]})
        return passwords

    def trunk(self, name, host, port):
        """A trunk that is known by its address."""
        self.api("POST", "/api/v1/trunks",
                 {"name": name, "host": host, "port": port, "options_interval_secs": 0})

    def quiet(self, within=40):
        """Waits until no call is up."""
        end = time.time() + within
        while time.time() < end:
            if self.metric("tandem_calls_active") == 0:
                return True
            time.sleep(0.2)
        return False

    def stop(self):
        """Ends it by its process id."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
