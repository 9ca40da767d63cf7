"""Asks a telephone by OPTIONS from an address and port of this machine, also where a process has
them already, and says whether an answer came there within two seconds."""

import socket
import struct
import sys
import time

LIMIT = 2.0


def main(source, source_port, target, target_port):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    raw.bind((source, 0))
    call = "knock-%d" % time.monotonic_ns()
    message = (
        "OPTIONS sip:phone@%s:%d SIP/2.0\r\n"
        "Via: SIP/2.0/UDP %s:%d;rport;branch=z9hG4bK%s\r\n"
        "Max-Forwards: 70\r\n"
        "From: <sip:knock@%s>;tag=knock\r\n"
        "To: <sip:phone@%s>\r\n"
        "Call-ID: %s\r\n"
        "CSeq: 1 OPTIONS\r\n"
        "Content-Length: 0\r\n\r\n"
        % (target, target_port, source, source_port, call, source, target, call)
    ).encode()
    # Without a checksum, as RFC 768 allows.
    header = struct.pack("!HHHH", source_port, target_port, 8 + len(message), 0)
    raw.sendto(header + message, (target, 0))
    deadline = time.monotonic() + LIMIT
    while (left := deadline - time.monotonic()) > 0:
        raw.settimeout(left)
        try:
            packet = raw.recv(65536)
        except socket.timeout:
            break
        start = (packet[0] & 15) * 4
        port = struct.unpack("!H", packet[start + 2:start + 4])[0]
        text = packet[start + 8:]
        if port == source_port and text.startswith(b"SIP/2.0 200") and call.encode() in text:
            return "answered"
    return "silent"


print(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
