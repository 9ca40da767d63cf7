"""A telephone over SIP-over-WebSocket for the wire tests: baresip's SIP stack libre (1.1), which
has the transport although baresip's command line does not offer it. No audio.

Its arguments are the node's WebSocket address, the extension, its password, its own IP address,
and optionally a number that it calls once it is registered. It answers whatever rings. It prints
a line for each thing that happens: `registered`, `incoming`, `up`, `ended`.
"""

import ctypes
import sys

RE = ctypes.CDLL("libre.so.0")
WS = 3
ADDRESS = 128

SDP = ("v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
       "m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n")

POINTER = ctypes.c_void_p
ON_EXIT = ctypes.CFUNCTYPE(None, POINTER)
ON_AUTH = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(POINTER), ctypes.POINTER(POINTER), ctypes.c_char_p, POINTER)
ON_RESPONSE = ctypes.CFUNCTYPE(None, ctypes.c_int, POINTER, POINTER)
ON_MESSAGE = ctypes.CFUNCTYPE(None, POINTER, POINTER)
ON_OFFER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(POINTER), POINTER, POINTER)
ON_ANSWER = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER)
ON_CLOSE = ctypes.CFUNCTYPE(None, ctypes.c_int, POINTER, POINTER)


def say(*words):
    print(*words, flush=True)


def check(name, result):
    if result:
        sys.exit("%s: error %d" % (name, result))


def address(ip, port):
    sa = ctypes.create_string_buffer(ADDRESS)
    check("sa_set_str", RE.sa_set_str(sa, ip.encode(), ctypes.c_uint16(port)))
    return sa


class Phone:
    def __init__(self, server, user, password, ip, number):
        self.uri = b"sip:%s@%s" % (user.encode(), server.encode())
        self.server = b"sip:%s;transport=ws" % server.encode()
        self.user, self.password, self.ip = user.encode(), password.encode(), ip
        self.number = number
        self.sip, self.sock = POINTER(), POINTER()
        self.registration, self.calls = POINTER(), []
        self.is_registered = False
        self.kept = {
            "exit": ON_EXIT(lambda arg: None), "auth": ON_AUTH(self.auth),
            "response": ON_RESPONSE(self.response), "incoming": ON_MESSAGE(self.incoming),
            "offer": ON_OFFER(self.offer), "answer": ON_ANSWER(lambda msg, arg: 0),
            "progress": ON_MESSAGE(lambda msg, arg: None),
            "up": ON_MESSAGE(lambda msg, arg: say("up")),
            "ended": ON_CLOSE(lambda err, msg, arg: say("ended")),
        }

    def start(self):
        dns = POINTER()
        server = address("127.0.0.1", 53)
        check("dnsc_alloc", RE.dnsc_alloc(ctypes.byref(dns), None, server, 1))
        check("sip_alloc", RE.sip_alloc(
            ctypes.byref(self.sip), dns, 32, 32, 32, b"libre", self.kept["exit"], None))
        check("sip_transp_add_websock", RE.sip_transp_add_websock(
            self.sip, WS, address(self.ip, 0), False, None))
        check("sipsess_listen", RE.sipsess_listen(
            ctypes.byref(self.sock), self.sip, 32, self.kept["incoming"], None))
        check("sipreg_register", RE.sipreg_register(
            ctypes.byref(self.registration), self.sip, self.server, self.uri, None, self.uri,
            300, self.user, None, 0, 0, self.kept["auth"], None, False,
            self.kept["response"], None, None, None))

    def auth(self, username, password, realm, arg):
        check("str_dup", RE.str_dup(username, self.user))
        return RE.str_dup(password, self.password)

    def response(self, error, message, arg):
        if error or self.is_registered:
            return say("failed", error) if error else None
        self.is_registered = True
        say("registered")
        if self.number:
            self.call(self.number)

    def sdp(self):
        body = POINTER(RE.mbuf_alloc(1024))
        check("mbuf_write_str", RE.mbuf_write_str(body, (SDP % (self.ip, self.ip)).encode()))
        # struct mbuf: buf, size, pos, end. It is read from pos on.
        ctypes.cast(body, ctypes.POINTER(ctypes.c_size_t))[2] = 0
        return body

    def offer(self, body, message, arg):
        body[0] = self.sdp()
        return 0

    def incoming(self, message, arg):
        say("incoming")
        call = POINTER()
        check("sipsess_accept", RE.sipsess_accept(
            ctypes.byref(call), self.sock, POINTER(message), 200, b"OK", self.user,
            b"application/sdp", self.sdp(), self.kept["auth"], None, False, self.kept["offer"],
            self.kept["answer"], self.kept["up"], None, None, self.kept["ended"], None, None))
        self.calls.append(call)

    def call(self, number):
        call = POINTER()
        server = self.server.split(b":", 1)[1]
        check("sipsess_connect", RE.sipsess_connect(
            ctypes.byref(call), self.sock, b"sip:%s@%s" % (number.encode(), server), None,
            self.uri, self.user, None, 0, b"application/sdp", self.sdp(), self.kept["auth"],
            None, False, self.kept["offer"], self.kept["answer"], self.kept["progress"],
            self.kept["up"], None, None, self.kept["ended"], None, None))
        self.calls.append(call)


def main(server, user, password, ip, number=""):
    RE.mbuf_alloc.restype = POINTER
    RE.sys_libre_version_get.restype = ctypes.c_char_p
    version = RE.sys_libre_version_get().decode()
    if not version.startswith("1.1."):
        sys.exit("the calls here are those of libre 1.1, and this is " + version)
    check("libre_init", RE.libre_init())
    phone = Phone(server, user, password, ip, number)
    phone.start()
    check("re_main", RE.re_main(None))


main(*sys.argv[1:])
