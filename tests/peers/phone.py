"""A telephone for the wire tests: pjsua2 steered by JSON lines.

Commands on standard input, one JSON object a line; events on standard output, likewise.
It plays a tone of its own into each call and records what it hears into WAV files, so that
a test proves audio by frequency.
"""

import json
import os
import select
import sys
import time

import pjsua2 as pj


def say(event, **fields):
    fields["event"] = event
    fields["t"] = time.monotonic()
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def headers(values):
    vector = pj.SipHeaderVector()
    for name, value in values.items():
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        vector.append(header)
    return vector


class Call(pj.Call):
    def __init__(self, phone, number, call_id=pj.PJSUA_INVALID_ID):
        super().__init__(phone.account, call_id)
        self.phone = phone
        self.number = number
        self.recorder = None
        self.listening = False

    def onCallState(self, prm):
        info = self.getInfo()
        say("state", call=self.number, state=info.stateText, status=info.lastStatusCode,
            reason=info.lastReason, remote=info.remoteUri)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.phone.ended(self)

    def onCallMediaState(self, prm):
        info = self.getInfo()
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO:
                status = {0: "none", 1: "active", 2: "local_hold", 3: "remote_hold", 4: "error"}
                say("media", call=self.number, status=status.get(media.status, "?"))
                if media.status in (pj.PJSUA_CALL_MEDIA_ACTIVE,
                                    pj.PJSUA_CALL_MEDIA_REMOTE_HOLD):
                    self.join(self.getAudioMedia(index))

    def join(self, media):
        self.phone.tone.startTransmit(media)
        if self.recorder is not None:
            media.startTransmit(self.recorder)
        self.listening = media

    def record(self, path):
        if self.recorder is not None and self.listening:
            try:
                self.listening.stopTransmit(self.recorder)
            except pj.Error:
                pass
        self.recorder = pj.AudioMediaRecorder()
        self.recorder.createRecorder(path)
        if self.listening:
            self.listening.startTransmit(self.recorder)

    def onDtmfDigit(self, prm):
        say("dtmf", call=self.number, digit=prm.digit)

    def onCallTransferStatus(self, prm):
        say("transfer", call=self.number, status=prm.statusCode, final=prm.finalNotify)

    def onCallReplaced(self, prm):
        say("replaced", call=self.number)

    def onCallTsxState(self, prm):
        # The dialog as the far end's answer to our INVITE names it.
        state = prm.e.body.tsxState
        if prm.e.type != pj.PJSIP_EVENT_TSX_STATE or state.type != pj.PJSIP_EVENT_RX_MSG:
            return
        head = state.src.rdata.wholeMsg.partition("\r\n\r\n")[0].split("\r\n")
        named = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        if head[0].startswith("SIP/2.0 200") and "INVITE" in named.get("CSeq", ""):
            tag = lambda name: named[name].rpartition("tag=")[2]
            say("dialog", call=self.number, id=named["Call-ID"], local=tag("From"),
                remote=tag("To"))


class Account(pj.Account):
    def __init__(self, phone):
        super().__init__()
        self.phone = phone

    def onRegState(self, prm):
        say("registered" if 200 <= prm.code < 300 and prm.expiration > 0 else "not_registered",
            code=prm.code, reason=prm.reason)

    def onMwiInfo(self, prm):
        body = prm.rdata.wholeMsg.partition("\r\n\r\n")[2]
        say("mwi", body=body)

    def onIncomingCall(self, prm):
        call = self.phone.add(prm.callId)
        info = call.getInfo()
        say("incoming", call=call.number, remote=info.remoteUri)
        refuse = self.phone.options.get("refuse")
        if refuse:
            refusal = pj.CallOpParam()
            refusal.statusCode = refuse
            refusal.txOption.headers = headers(self.phone.options.get("refuse_with", {}))
            call.answer(refusal)
            return
        if self.phone.options.get("ring", True):
            ringing = pj.CallOpParam()
            ringing.statusCode = 180
            call.answer(ringing)
        if self.phone.options.get("auto_answer"):
            answer = pj.CallOpParam()
            answer.statusCode = 200
            call.answer(answer)


class Phone:
    def __init__(self, options):
        self.options = options
        self.calls = {}
        self.count = 0
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.logConfig.level = options.get("log", 0)
        config.logConfig.consoleLevel = options.get("log", 0)
        if options.get("log_file"):
            config.logConfig.level = 5
            config.logConfig.filename = options["log_file"]
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        self.endpoint.libInit(config)
        self.endpoint.audDevManager().setNullDev()
        kind = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP,
                "tls": pj.PJSIP_TRANSPORT_TLS}[options.get("transport", "udp")]
        transport = pj.TransportConfig()
        self.bound = options.get("bound", "127.0.0.1")
        transport.boundAddress = self.bound
        transport.port = 0
        if options.get("certificate"):
            transport.tlsConfig.certFile = options["certificate"]
            transport.tlsConfig.privKeyFile = options["private_key"]
        transport_id = self.endpoint.transportCreate(kind, transport)
        self.address = self.endpoint.transportGetInfo(transport_id).localName
        self.endpoint.libStart()
        if options.get("codecs"):
            self.set_codecs(options["codecs"])
        self.tone = pj.ToneGenerator()
        self.tone.createToneGenerator(16000)
        self.set_tone(options.get("tone", 1000))
        self.account = Account(self)
        self.account.create(self.account_config())

    def set_codecs(self, wanted):
        for codec in self.endpoint.codecEnum2():
            self.endpoint.codecSetPriority(codec.codecId, 0)
        for rank, name in enumerate(wanted):
            self.endpoint.codecSetPriority(name, 250 - rank)

    def set_tone(self, hertz):
        self.tone.stop()
        if hertz:
            desc = pj.ToneDesc()
            desc.freq1 = hertz
            desc.freq2 = 0
            desc.on_msec = 1000
            desc.off_msec = 0
            tones = pj.ToneDescVector()
            tones.append(desc)
            self.tone.play(tones, True)

    def account_config(self):
        options = self.options
        server = options["server"]
        scheme = ";transport=" + options["transport"] if options.get("transport") else ""
        config = pj.AccountConfig()
        config.idUri = "sip:%s@%s" % (options["user"], server)
        if options.get("register", True):
            config.regConfig.registrarUri = "sip:%s%s" % (server, scheme)
            config.regConfig.timeoutSec = 300
            config.regConfig.retryIntervalSec = 0
        config.sipConfig.authCreds.append(pj.AuthCredInfo(
            "digest", "*", options["user"], 0, options.get("password", "")))
        config.sipConfig.proxies.append("sip:%s%s;lr" % (server, scheme))
        config.mediaConfig.transportConfig.boundAddress = self.bound
        config.mediaConfig.transportConfig.port = 0
        config.mediaConfig.transportConfig.portRange = 0
        if options.get("srtp"):
            config.mediaConfig.srtpUse = pj.PJMEDIA_SRTP_MANDATORY
            config.mediaConfig.srtpSecureSignaling = 0
        # Whether it tells others by which address it is seen, and how often it holds its NAT open.
        if not options.get("rewrite", True):
            config.natConfig.contactRewriteUse = 0
            config.natConfig.viaRewriteUse = 0
        config.natConfig.udpKaIntervalSec = options.get("keep_alive", 15)
        config.mwiConfig.enabled = options.get("mwi", False)
        config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_OPTIONAL
        return config

    def add(self, call_id=pj.PJSUA_INVALID_ID):
        self.count += 1
        call = Call(self, self.count, call_id)
        self.calls[self.count] = call
        record = self.options.get("record")
        if record:
            call.record("%s-%d.wav" % (record, self.count))
        return call

    def ended(self, call):
        call.recorder = None
        call.listening = False

    def command(self, line):
        name = line["do"]
        call = self.calls.get(line.get("call", self.count))
        param = pj.CallOpParam(True)
        if name == "call":
            call = self.add()
            say("dialled", call=call.number)
            param.txOption.headers = headers(line.get("headers", {}))
            call.makeCall("sip:%s@%s" % (line["to"], self.options["server"]), param)
        elif name == "answer":
            param.statusCode = line.get("status", 200)
            call.answer(param)
        elif name == "hangup":
            if line.get("status"):
                param.statusCode = line["status"]
            call.hangup(param)
        elif name == "hold":
            call.setHold(param)
        elif name == "resume":
            param.opt.flag = pj.PJSUA_CALL_UNHOLD
            call.reinvite(param)
        elif name == "update":
            call.update(param)
        elif name == "reinvite":
            self.set_codecs(line["codecs"])
            call.reinvite(param)
        elif name == "transfer":
            call.xfer("sip:%s@%s" % (line["to"], self.options["server"]), param)
        elif name == "attended":
            call.xferReplaces(self.calls[line["with"]], param)
        elif name == "dtmf" and line.get("by") == "info":
            info = pj.CallSendDtmfParam()
            info.method = pj.PJSUA_DTMF_METHOD_SIP_INFO
            info.digits = line["digits"]
            call.sendDtmf(info)
        elif name == "dtmf" and line.get("by") == "tones":
            self.set_tone(0)
            digits = pj.ToneDigitVector()
            for each in line["digits"]:
                digit = pj.ToneDigit()
                digit.digit, digit.on_msec, digit.off_msec = each, 150, 100
                digits.append(digit)
            self.tone.playDigits(digits)
        elif name == "dtmf":
            call.dialDtmf(line["digits"])
        elif name == "record":
            call.record(line["path"])
        elif name == "tone":
            self.set_tone(line["hertz"])
        elif name == "stats":
            stats = call.getStreamStat(0)
            info = call.getStreamInfo(0)
            say("stats", call=call.number, codec=info.codecName,
                received=stats.rtcp.rxStat.pkt, lost=stats.rtcp.rxStat.loss,
                sent=stats.rtcp.txStat.pkt)
        elif name == "unregister":
            self.account.setRegistration(False)
        elif name == "register":
            self.account.setRegistration(True)
        elif name == "quit":
            return False
        return True

    def run(self):
        pending = b""
        while True:
            self.endpoint.libHandleEvents(5)
            ready, _, _ = select.select([0], [], [], 0)
            if not ready:
                continue
            got = os.read(0, 65536)
            if not got:
                return
            pending += got
            while b"\n" in pending:
                line, pending = pending.split(b"\n", 1)
                try:
                    if not self.command(json.loads(line)):
                        return
                except pj.Error as error:
                    say("error", what=error.info())

    def close(self):
        self.endpoint.hangupAllCalls()
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            self.endpoint.libHandleEvents(10)
        self.calls.clear()


def go_first():
    """A telephone has a machine of its own; this one shares it with nodes, builds and browsers.
    When its clock is late its jitter buffer drops or repeats 10 ms, which no node has done."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    except PermissionError:
        pass


def main():
    go_first()
    phone = Phone(json.loads(sys.argv[1]))
    say("ready", address=phone.address)
    try:
        phone.run()
        phone.close()
    finally:
        # pjsua2's own tear-down of Python objects is not safe; the process ends here.
        sys.stdout.flush()
        os._exit(0)


main()
