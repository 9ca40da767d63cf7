"""An edge proxy for the wire tests (RFC 3327, RFC 5626 5): stateless, over UDP.

It stands between phones and a node. A REGISTER gets a Path whose user part says where the phone
is, any other request of a phone a Record-Route. A request of the node goes where the Route says
that names us, and nowhere without one. Its arguments are its own address and the node's, `ip:port`
both, port 0 for any. It prints its port, and then a line for each request that it sends on:
direction, method, and the Route that it came with.
"""

import hashlib
import socket
import sys


def address(text):
    ip, port = text.rsplit(":", 1)
    return ip, int(port)


def key(line):
    return line.split(":", 1)[0].strip().lower()


def first(lines, name):
    """The place of a header's first line; none: 0, where the start line is."""
    return next((at for at, line in enumerate(lines) if at and key(line) == name), 0)


def value(lines, name):
    at = first(lines, name)
    return lines[at].split(":", 1)[1].strip() if at else ""


class Edge:
    def __init__(self, own, node):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(own)
        self.own = "%s:%d" % self.socket.getsockname()
        self.node = node

    def run(self):
        print(self.own.rsplit(":", 1)[1], flush=True)
        while True:
            data, source = self.socket.recvfrom(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            if len(lines) < 2:
                continue
            response = lines[0].startswith("SIP/2.0 ")
            target = self.back(lines) if response else self.on(lines, source)
            if target:
                message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
                self.socket.sendto(message, target)

    def back(self, lines):
        """A response goes to where the Via under ours says (RFC 3261 16.7, RFC 3581)."""
        del lines[first(lines, "via")]
        params = dict(part.partition("=")[::2] for part in value(lines, "via").split(";")[1:])
        if not params.get("rport"):
            return None
        return params["received"], int(params["rport"])

    def on(self, lines, source):
        method = lines[0].split(" ", 1)[0]
        route = value(lines, "route")
        ours = self.own in route
        if ours:
            del lines[first(lines, "route")]
        if source == self.node:
            if not ours:
                return None
            user = route.split("sip:", 1)[1].split("@", 1)[0]
            target = address(user.replace("-", ":"))
            direction = "down"
        else:
            user = "%s-%d" % source
            target, direction = self.node, "up"
        self.stamp(lines, source)
        header = "Path" if method == "REGISTER" else "Record-Route"
        lines.insert(1, "%s: <sip:%s@%s;lr;ob>" % (header, user, self.own))
        print(direction, method, route, flush=True)
        return target

    def stamp(self, lines, source):
        """Says in the top Via where the request came from, and puts ours above it. Its branch
        follows from that below: a stateless proxy sends a repetition on as one (16.11)."""
        at = first(lines, "via")
        branch = hashlib.sha256(lines[at].encode()).hexdigest()[:24]
        parts = [part for part in lines[at].split(";") if part.split("=")[0] != "rport"]
        lines[at] = ";".join(parts + ["received=%s" % source[0], "rport=%d" % source[1]])
        lines.insert(at, "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bK%s" % (self.own, branch))


Edge(address(sys.argv[1]), address(sys.argv[2])).run()
