"""Telephones behind a trunk, with audio: they call, answer, follow re-INVITEs and note when packets come."""

import re
import select
import socket
import struct
import threading
import time

SDP = "v=0\r\no=- 1 {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n" \
      "m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"


class Leg:
    """One dialog with its audio."""

    def __init__(self, ip):
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.setblocking(False)
        self.rtp.bind((ip, 0))
        self.port = self.rtp.getsockname()[1]
        self.far = None
        self.came = []
        self.sources = set()
        self.version = 1
        self.number = 0
        self.is_up = False
        self.moves = 0
        self.acked = 0.0
        self.bye_at = None
        self.dialog = None
        self.ended = 0.0
        self.is_closed = False

    def close_when_over(self):
        """A run of hours has more calls than a process may have sockets."""
        if self.ended and time.monotonic() - self.ended > 2:
            self.is_closed = True
            self.rtp.close()


def head(text, name):
    found = re.search(rf"^{name}\s*:\s*(.*?)\r?$", text, re.I | re.M)
    return found.group(1).strip() if found else ""


def every(text, name):
    return re.findall(rf"^{name}\s*:\s*(.*?)\r?$", text, re.I | re.M)


class Trunk:
    """One address with many calls, in a thread of its own."""

    def __init__(self, ip="127.0.0.1", talk=None, port=0):
        self.ip = ip
        # Who is called hangs up after so many seconds.
        self.talk = talk
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind((ip, port))
        self.port = self.sip.getsockname()[1]
        self.legs = {}
        self.ending = False
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=work, daemon=True)
                        for work in (self._signal, self._speak)]
        for thread in self.threads:
            thread.start()

    def call(self, node, number, user):
        """Calls a number through a node, `ip:port`."""
        leg = Leg(self.ip)
        name = f"{user}-{time.time_ns()}@{self.ip}"
        host, port = node.rsplit(":", 1)
        leg.node = (host, int(port))
        leg.text = (f"INVITE sip:{number}@{node} SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP {self.ip}:{self.port};branch=z9hG4bK{user}{time.time_ns()}\r\n"
                    f"Max-Forwards: 70\r\nFrom: <sip:{user}@{self.ip}>;tag={user}\r\n"
                    f"To: <sip:{number}@{node}>\r\nCall-ID: {name}\r\nCSeq: 1 INVITE\r\n"
                    f"Contact: <sip:{user}@{self.ip}:{self.port}>\r\n"
                    "Content-Type: application/sdp\r\n")
        body = SDP.format(ip=self.ip, port=leg.port, version=leg.version)
        with self.lock:
            self.legs[name] = leg
        self._send(f"{leg.text}Content-Length: {len(body)}\r\n\r\n{body}", leg.node)
        return leg

    def _send(self, text, to):
        try:
            self.sip.sendto(text.encode(), to)
        except OSError:
            pass

    def _signal(self):
        while not self.ending:
            ready, _, _ = select.select([self.sip], [], [], 0.2)
            if not ready:
                continue
            try:
                data, source = self.sip.recvfrom(65536)
            except OSError:
                continue  # What was sent to a node that died comes back as an error.
            text = data.decode(errors="replace")
            with self.lock:
                self._answered(text, source) if text.startswith("SIP/2.0") \
                    else self._asked(text, source)

    def _answered(self, text, source):
        leg = self.legs.get(head(text, "Call-ID"))
        status = int(text.split()[1])
        if leg is None or "INVITE" not in head(text, "CSeq") or status < 200:
            return
        if status < 300:
            leg.is_up = True
            self._far(leg, text)
        target = re.search(r"<(sip:[^>]+)>", head(text, "Contact"))
        uri = target.group(1) if target and status < 300 else leg.text.split()[1]
        via = re.search(r"^Via: (.*?)\r$", leg.text, re.M).group(1)
        if status < 300:
            via += "ack"
        ack = f"ACK {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\n" \
              f"From: {head(text, 'From')}\r\nTo: {head(text, 'To')}\r\n" \
              f"Call-ID: {head(text, 'Call-ID')}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
        self._send(ack, source)

    def _asked(self, text, source):
        method, name = text.split()[0], head(text, "Call-ID")
        leg = self.legs.get(name)
        if method == "ACK":
            if leg and not leg.acked:
                leg.acked = time.monotonic()
                leg.bye_at = leg.acked + self.talk if self.talk else None
            return
        if method == "INVITE" and leg is None:
            leg = self.legs[name] = Leg(self.ip)
            leg.caller = re.search(r"sip:([^@>]*)", head(text, "From")).group(1)
        if leg is None or leg.ended:
            return self._say(text, source, "481 Call/Transaction Does Not Exist", "")
        if method == "INVITE":
            leg.moves += leg.is_up
            leg.is_up = True
            leg.version += 1
            self._far(leg, text)
            to = head(text, "To")
            target = re.search(r"<(sip:[^>]+)>", head(text, "Contact"))
            leg.dialog = (target.group(1), to if "tag=" in to else f"{to};tag=answering",
                          head(text, "From"), name, source)
            body = SDP.format(ip=self.ip, port=leg.port, version=leg.version)
            return self._say(text, source, "200 OK", body)
        if method == "BYE":
            leg.is_up, leg.bye_at = False, None
            leg.ended = leg.ended or time.monotonic()
        self._say(text, source, "200 OK", "")

    def _say(self, asked, source, status, body):
        to = head(asked, "To")
        to += "" if "tag=" in to else ";tag=answering"
        lines = [f"SIP/2.0 {status}"] + [f"Via: {via}" for via in every(asked, "Via")]
        lines += [f"Record-Route: {route}" for route in every(asked, "Record-Route")]
        lines += [f"From: {head(asked, 'From')}", f"To: {to}", f"Call-ID: {head(asked, 'Call-ID')}",
                  f"CSeq: {head(asked, 'CSeq')}", f"Contact: <sip:phone@{self.ip}:{self.port}>"]
        lines += ["Content-Type: application/sdp"] if body else []
        self._send("\r\n".join(lines) + f"\r\nContent-Length: {len(body)}\r\n\r\n{body}", source)

    def _far(self, leg, text):
        ip = re.search(r"^c=IN IP4 (\S+)", text, re.M)
        port = re.search(r"^m=audio (\d+)", text, re.M)
        if ip and port:
            leg.far = (ip.group(1), int(port.group(1)))

    def _bye(self, leg):
        uri, own, far, name, source = leg.dialog
        leg.is_up, leg.bye_at, leg.ended = False, None, time.monotonic()
        self._send(f"BYE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.ip}:{self.port};"
                   f"branch=z9hG4bKbye{leg.port}\r\nMax-Forwards: 70\r\nFrom: {own}\r\n"
                   f"To: {far}\r\nCall-ID: {name}\r\nCSeq: 1 BYE\r\n"
                   "Content-Length: 0\r\n\r\n", source)

    def _speak(self):
        """A packet of each leg every 20 ms; in between it is noted what came."""
        due = time.monotonic()
        while not self.ending:
            with self.lock:
                legs = [leg for leg in self.legs.values() if not leg.is_closed]
            for leg in legs:
                leg.close_when_over()
            legs = [leg for leg in legs if not leg.is_closed]
            for leg in legs:
                if leg.bye_at and leg.bye_at < time.monotonic():
                    self._bye(leg)
                if leg.far and leg.is_up:
                    leg.number += 1
                    packet = struct.pack("!BBHII", 0x80, 0, leg.number & 0xFFFF,
                                         leg.number * 160, leg.port) + b"\x55" * 160
                    try:
                        leg.rtp.sendto(packet, leg.far)
                    except OSError:
                        pass
            due += 0.02
            while (left := due - time.monotonic()) > 0:
                self._hear(legs, left)
                time.sleep(min(0.005, max(due - time.monotonic(), 0)))
            if time.monotonic() - due > 1:
                due = time.monotonic()

    @staticmethod
    def _hear(legs, _):
        now = time.monotonic()
        for leg in legs:
            for _ in range(20):
                try:
                    _, source = leg.rtp.recvfrom(2048)
                except OSError:
                    break
                leg.came.append(now)
                leg.sources.add(source)

    def stop(self):
        self.ending = True
        for thread in self.threads:
            thread.join()


def gap(leg, since, until):
    """The longest time without a packet in a stretch of time."""
    times = [since] + [at for at in leg.came if since < at < until] + [until]
    return max(later - earlier for earlier, later in zip(times, times[1:]))
