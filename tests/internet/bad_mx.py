"""Behaviours of MX hosts that one meets, or that an attacker would set up.

By name in ALL: `Internet.mx("slow", bad_mx.ALL["one-byte-a-second"])`.
"""
import time

from mx import Session


class Greylist(Session):
    """451 for everybody's first attempt, accepted from the second on."""

    def on_rcpt(self, rest):
        recipient, _ = self._path(rest)
        seen = self.mx.__dict__.setdefault("greylisted", set())
        if recipient not in seen:
            seen.add(recipient)
            self.reply("451 4.7.1 Greylisted, please try again later")
            return
        super().on_rcpt(rest)


class NoExtensions(Session):
    """Only SMTP of 1982: EHLO is unknown."""

    def on_ehlo(self, rest):
        self.on_unknown(rest)


class SevenBit(Session):
    """Neither 8BITMIME nor SMTPUTF8 nor anything else but EHLO."""
    extensions = []


class NoUtf8(Session):
    extensions = ["PIPELINING", "8BITMIME"]


class Small(Session):
    extensions = ["PIPELINING", "SIZE 1000"]


class Refuse5xx(Session):
    """554 as greeting: this road is closed."""
    banner = "554 5.7.1 No SMTP service for your address here"

    def on_unknown(self, _rest):
        self.reply("503 5.5.1 bad sequence")

    on_ehlo = on_helo = on_mail = on_rcpt = on_data = on_unknown


class Busy(Session):
    banner = "421 4.3.2 Too busy"

    def on_connect(self):
        super().on_connect()
        self.close()


class HttpServer(Session):
    """What a captive portal answers on every port."""
    banner = "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n"

    def on_connect(self):
        super().on_connect()
        self.close()


class RefuseRecipient(Session):
    def on_rcpt(self, _rest):
        self.reply("550 5.1.1 No such user here")


class RefuseMessage(Session):
    def on_dot(self, message):
        self.reply("554 5.7.1 Message refused as spam")


class DropAfterPipelinedRefusal(Session):
    """Refuses RCPT and hangs up without reading the rest."""

    def on_rcpt(self, _rest):
        self.reply("550 5.7.1 Your host is not welcome here")
        time.sleep(0.05)
        self.close()


class TenMegabyteLine(Session):
    def on_mail(self, _rest):
        self.send(b"250 " + b"x" * (10 << 20) + b"\r\n")


class EndlessReply(Session):
    def on_mail(self, _rest):
        while True:
            self.send(b"250-and so on and on and on\r\n" * 100)


class EndlessEhlo(Session):
    def on_ehlo(self, _rest):
        while True:
            self.send(b"250-X-WORD and so on\r\n" * 100)


class Code999(Session):
    def on_mail(self, _rest):
        self.reply("999 what is this")


class Code000(Session):
    def on_mail(self, _rest):
        self.reply("000 nothing")


class NotACode(Session):
    def on_mail(self, _rest):
        self.reply("ok, fine")


class Nul(Session):
    def on_mail(self, _rest):
        self.send(b"250 2.1.0 a\0b\r\n")


class MixedCodes(Session):
    """A reply whose lines do not agree about the code."""

    def on_mail(self, _rest):
        self.send(b"250-fine\r\n550 not fine\r\n")


class OneByteASecond(Session):
    def on_mail(self, _rest):
        for byte in b"250 2.1.0 this reply takes its time, and then some more of it\r\n":
            self.send(bytes([byte]))
            time.sleep(1)


class CloseAfter354(Session):
    def on_data(self, _rest):
        self.reply("354 go ahead")
        self.close()


class Close421InData(Session):
    """421 in the middle of the message, then the connection ends."""

    def on_data(self, _rest):
        self.reply("354 go ahead")
        self.fill()
        self.reply("421 4.3.2 shutting down")
        self.close()


class NoReplyToDot(Session):
    """Takes the message and says nothing: was it accepted?"""

    def on_dot(self, message):
        self.hang()


class DropAtDot(Session):
    """Takes the message and hangs up instead of answering."""

    def on_dot(self, message):
        self.close()


class SlowAcknowledgement(Session):
    """Takes its time (mx.delay seconds) between the dot and the 250."""

    def on_dot(self, message):
        time.sleep(getattr(self.mx, "delay", 0.2))
        super().on_dot(message)


class StartTlsInjection(Session):
    """Sends more than the 220 before the handshake (CVE-2011-0411 turned round)."""

    def on_starttls(self, _rest):
        self.send(b"220 2.0.0 go ahead\r\n250-injected.example\r\n250 AUTH PLAIN\r\n")
        self.handshake()


class StartTlsRefused(Session):
    """Offers STARTTLS and then does not do it."""

    def on_starttls(self, _rest):
        self.reply("454 4.7.0 TLS not available")


class BrokenHandshake(Session):
    """Answers the handshake with rubbish."""

    def on_starttls(self, _rest):
        self.reply("220 2.0.0 go ahead")
        self.fill()
        self.send(b"this is not TLS at all\r\n" * 4)
        self.close()


class HostileText(Session):
    """A refusal with markup, a header and control characters in its text (C25)."""

    def on_rcpt(self, _rest):
        self.send(b"550-5.1.1 <b>bad</b> & <a href=x>\rSubject: injected\r\n"
                  b"550-5.1.1 \x1b[31mred\x07 \xe2\x80\xae \xff\xfe\r\n"
                  b"550 5.1.1 --=_boundary\r\n")


ALL = {
    "greylist": Greylist, "no-extensions": NoExtensions, "seven-bit": SevenBit,
    "no-utf8": NoUtf8, "small": Small, "refuse-5xx": Refuse5xx, "busy": Busy,
    "http": HttpServer, "refuse-recipient": RefuseRecipient,
    "refuse-message": RefuseMessage, "drop-after-refusal": DropAfterPipelinedRefusal,
    "ten-megabyte-line": TenMegabyteLine, "endless-reply": EndlessReply,
    "endless-ehlo": EndlessEhlo, "code-999": Code999, "code-000": Code000,
    "not-a-code": NotACode, "nul": Nul, "mixed-codes": MixedCodes,
    "one-byte-a-second": OneByteASecond, "close-after-354": CloseAfter354,
    "421-in-data": Close421InData, "no-reply-to-dot": NoReplyToDot,
    "drop-at-dot": DropAtDot, "slow": SlowAcknowledgement,
    "starttls-injection": StartTlsInjection, "starttls-refused": StartTlsRefused,
    "broken-handshake": BrokenHandshake, "hostile-text": HostileText,
}
