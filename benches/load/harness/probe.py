"""A caller of our own that counts what comes back of the audio it sends to a far end's echo."""

import random
import re
import socket
import time

PERIOD = 0.02
RTP_BYTES = 172


class Probe:
    """One call of a trunk; the far end echoes RTP."""

    def __init__(self, sip, ip, port, called):
        host, _, number = sip.rpartition(":")
        self.node = (host, int(number))
        self.ip, self.called = ip, called
        self.id = f"{random.getrandbits(64):x}"
        self.signalling = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.signalling.bind((ip, port))
        self.signalling.settimeout(4)
        self.port = self.signalling.getsockname()[1]
        self.audio = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.audio.bind((ip, 0))
        self.audio.setblocking(False)
        self.far = None
        self.target = self.to = None

    def _request(self, method, cseq, target, to, body=""):
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = (f"{method} {target} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {self.ip}:{self.port};branch=z9hG4bK{self.id}{cseq}{method}\r\n"
                f"From: <sip:probe@{self.ip}:{self.port}>;tag={self.id}\r\nTo: {to}\r\n"
                f"Call-ID: {self.id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n"
                f"Contact: <sip:probe@{self.ip}:{self.port}>\r\n{kind}"
                f"Content-Length: {len(body)}\r\n\r\n{body}")
        self.signalling.sendto(text.encode(), self.node)

    def _final(self, method):
        while True:
            answer = self.signalling.recv(8192).decode()
            status = re.match(r"SIP/2.0 (\d+)", answer)
            about = re.search(r"^CSeq: *\d+ +(\w+)", answer, re.M | re.I)
            if status and about and about.group(1) == method and int(status.group(1)) >= 200:
                return int(status.group(1)), answer

    def call(self):
        """Calls and acknowledges; an error where it is not answered."""
        uri = f"sip:{self.called}@{self.node[0]}:{self.node[1]}"
        port = self.audio.getsockname()[1]
        body = (f"v=0\r\no=probe 1 1 IN IP4 {self.ip}\r\ns=-\r\nc=IN IP4 {self.ip}\r\nt=0 0\r\n"
                f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
                "a=rtpmap:101 telephone-event/8000\r\n")
        self._request("INVITE", 1, uri, f"<{uri}>", body)
        status, answer = self._final("INVITE")
        if status != 200:
            raise RuntimeError(f"the probe was refused: {answer}")
        self.to = re.search(r"^To: *(.+?)\r$", answer, re.M | re.I).group(1)
        contact = re.search(r"^Contact: *.*?<([^>]+)>", answer, re.M | re.I)
        self.target = contact.group(1)
        media = int(re.search(r"^m=audio (\d+)", answer, re.M).group(1))
        self.far = (re.search(r"^c=IN IP4 (\S+)", answer, re.M).group(1).strip(), media)
        self._request("ACK", 1, self.target, self.to)

    def hang_up(self):
        """Ends the call."""
        self._request("BYE", 2, self.target, self.to)
        self._final("BYE")
        self.signalling.close()
        self.audio.close()


def stream(probes, secs):
    """All probes send 50 packets a second. Gives (sent, received, round trips in ms)."""
    sent = received = 0
    trips, start = [], time.monotonic()
    count = int(secs / PERIOD)
    for frame in range(count + 25):
        due = start + frame * PERIOD
        for at, probe in enumerate(probes):
            if frame < count:
                stamp = time.monotonic_ns().to_bytes(8, "big")
                head = b"\x80\x00" + frame.to_bytes(2, "big") + (frame * 160).to_bytes(4, "big")
                packet = head + at.to_bytes(4, "big") + stamp + b"\xd5" * (RTP_BYTES - 20)
                probe.audio.sendto(packet, probe.far)
                sent += 1
        while (left := due + PERIOD - time.monotonic()) > 0:
            for probe in probes:
                received += _take(probe, trips)
            time.sleep(min(left, 0.0005))
    return sent, received, trips


def _take(probe, trips):
    """Reads what has come; counts only what was sent here."""
    count = 0
    while True:
        try:
            packet = probe.audio.recv(2048)
        except OSError:
            return count
        if len(packet) == RTP_BYTES and packet[20:] == b"\xd5" * (RTP_BYTES - 20):
            trips.append((time.monotonic_ns() - int.from_bytes(packet[12:20], "big")) / 1e6)
            count += 1
