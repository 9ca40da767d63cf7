"""SIPp with the scenarios beside this folder, and phones that register by hand."""

import csv
import glob
import hashlib
import re
import socket
import subprocess
import time
from pathlib import Path

SCENARIOS = Path(__file__).resolve().parents[1]


def free_port(ip):
    """A UDP port of an address that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((ip, 0))
        return probe.getsockname()[1]


def millis(text):
    """`HH:MM:SS:µs` of SIPp's statistics."""
    hours, minutes, seconds, micros = text.split(":")
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(micros) / 1000


class Sipp:
    """A running scenario."""

    def __init__(self, scenario, ip, remote, dir, *more, port=None, messages=False):
        self.port = port or free_port(ip)
        self.dir = Path(dir) / f"{scenario}-{self.port}"
        self.dir.mkdir(parents=True, exist_ok=True)
        words = ["sipp", remote, "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", ip, "-mi", ip,
                 "-p", str(self.port), "-mp", str(free_port(ip) & ~1), "-nostdin",
                 "-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_counts",
                 "-trace_err", "-error_file", "errors", *map(str, more)]
        if messages:
            words += ["-trace_msg", "-message_file", "messages"]
        self.out = open(self.dir / "out", "w")
        self.process = subprocess.Popen(words, cwd=self.dir, stdin=subprocess.DEVNULL,
                                        stdout=self.out, stderr=subprocess.DEVNULL)
        for _ in range(150):
            if self._is_open(ip) or self.process.poll() is not None:
                break
            time.sleep(0.02)

    def _is_open(self, ip):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((ip, self.port))
                return False
            except OSError:
                return True

    def finish(self, within):
        """Waits for its end, at most so many seconds."""
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.stop()
        self.out.close()
        return self.figures()

    def stop(self):
        """Ends it by its process id."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def figures(self):
        """The last line of its statistics."""
        try:
            with open(self.dir / "stat.csv") as file:
                rows = list(csv.DictReader(file, delimiter=";"))
        except OSError:
            rows = []
        last = rows[-1] if rows else {}
        return {
            "ok": int(last.get("SuccessfulCall(C)") or 0),
            "failed": int(last.get("FailedCall(C)") or 0),
            "again": int(last.get("Retransmissions(C)") or 0),
            "setup_ms": millis(last.get("ResponseTime1(C)") or "00:00:00:000000"),
        }

    def count(self, word):
        """How often the messages whose counter name holds a word were received."""
        total = 0
        for path in glob.glob(str(self.dir / "*_counts.csv")):
            with open(path) as file:
                rows = list(csv.DictReader(file, delimiter=";"))
            last = rows[-1] if rows else {}
            total += sum(int(value) for name, value in last.items()
                         if name and word in name and name.endswith("_Recv") and value)
        return total

    def messages(self):
        """Of each traced message: time in seconds, whether it was sent, text."""
        text = (self.dir / "messages").read_text(errors="replace")
        for block in re.split(r"-{40,} *", text)[1:]:
            head, _, rest = block.strip().partition("\n")
            stamp = re.search(r"(\d+):(\d+):([\d.]+)", head)
            if stamp:
                hours, minutes, seconds = stamp.groups()
                at = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
                yield at, "sent" in rest.split("\n", 1)[0], rest


def digest(user, password, challenge, uri):
    """The value of Authorization for a REGISTER (RFC 2617, MD5, qop auth)."""
    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    def field(name):
        found = re.search(rf'{name}="([^"]*)"', challenge)
        return found.group(1) if found else ""

    realm, nonce = field("realm"), field("nonce")
    proof = md5(f"{md5(f'{user}:{realm}:{password}')}:{nonce}:00000001:c0ffee:auth:"
                f"{md5(f'REGISTER:{uri}')}")
    return (f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
            f'response="{proof}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c0ffee"')


def register(sip, ip, port, passwords):
    """Registers phones that all live at one address, from that address, so that calls reach
    whoever listens there next."""
    host, _, number = sip.rpartition(":")
    uri = f"sip:{sip}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((ip, port))
        phone.settimeout(3)
        for user, password in passwords.items():
            authorization = ""
            for cseq in (1, 2):
                request = (
                    f"REGISTER {uri} SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP {ip}:{port};rport;branch=z9hG4bK{user}{cseq}{port}\r\n"
                    f"From: <sip:{user}@{sip}>;tag=r{user}\r\nTo: <sip:{user}@{sip}>\r\n"
                    f"Call-ID: register-{user}-{port}\r\nCSeq: {cseq} REGISTER\r\n"
                    f"Contact: <sip:{user}@{ip}:{port}>\r\nMax-Forwards: 70\r\nExpires: 3600\r\n"
                    f"{authorization}Content-Length: 0\r\n\r\n")
                phone.sendto(request.encode(), (host, int(number)))
                answer = phone.recv(4096).decode()
                status = int(answer.split(" ", 2)[1])
                if status == 200:
                    break
                challenge = re.search(r"^WWW-Authenticate: *(.*MD5.*)$", answer, re.M | re.I)
                if status != 401 or not challenge or cseq == 2:
                    raise RuntimeError(f"{user} is not registered: {answer}")
                proof = digest(user, password, challenge.group(1), uri)
                authorization = f"Authorization: {proof}\r\n"
