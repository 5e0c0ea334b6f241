"""A scriptable MX: honest unless told otherwise, and it keeps a ledger of all that it got.

A behaviour is a subclass of Session that overrides the step at which it misbehaves; the
ready ones are in bad_mx.py.
"""
import dataclasses
import socket
import ssl
import threading
import time


class Gone(Exception):
    """The other side, or this one, ended the connection."""


@dataclasses.dataclass
class Message:
    """One transaction that got as far as the final dot."""
    sender: str
    recipients: list
    data: bytes                 # as sent, dots still stuffed, without the final dot line
    mail_parameters: str
    rcpt_parameters: list
    tls: bool
    acknowledged: bool = False

    def content(self):
        """The message with dots unstuffed."""
        lines = self.data.split(b"\r\n")
        return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


class Session:
    """One connection. Steps may be overridden; each answers by reply() or send()."""

    extensions = ["PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "DSN",
                  "ENHANCEDSTATUSCODES"]
    banner = "220 {host} ESMTP ready"

    def __init__(self, mx, sock, peer):
        self.mx, self.sock, self.peer = mx, sock, peer
        self.buffer = b""
        self.commands = []          # lines as received
        self.messages = []
        self.tls = False
        self.opened = time.monotonic()
        self.closed = None
        self.end_error = None
        self._reset()

    def _reset(self):
        self.sender, self.recipients = None, []
        self.mail_parameters, self.rcpt_parameters = "", []

    # --- bytes ---------------------------------------------------------------------
    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone(str(error)) from error

    def reply(self, text):
        """Sends lines of text; the last but one to the first get a hyphen by the caller."""
        self.send(text.encode() + b"\r\n")

    def fill(self):
        try:
            more = self.sock.recv(65536)
        except (OSError, ValueError) as error:
            raise Gone(str(error)) from error
        if more == b"":
            raise Gone("closed by the peer")
        self.buffer += more

    def line(self):
        while b"\n" not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b"\n", 1)
        self.commands.append(line + b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def drain(self):
        """Reads until the peer closes."""
        while True:
            self.fill()

    def hang(self, seconds=3600):
        """Says nothing more, until the peer closes or the MX is shut down."""
        self.sock.settimeout(seconds)
        self.drain()

    def close(self):
        raise Gone("closed by the MX")

    # --- the conversation ------------------------------------------------------------
    def run(self):
        try:
            self.on_connect()
            while True:
                line = self.line()
                verb, _, rest = line.partition(" ")
                getattr(self, "on_" + verb.lower(), self.on_unknown)(rest.strip())
        except Gone as gone:
            self.end_error = str(gone)
        finally:
            self.closed = time.monotonic()
            try:
                self.sock.close()
            except OSError:
                pass

    def on_connect(self):
        self.reply(self.banner.format(host=self.mx.host))

    def on_unknown(self, _rest):
        self.reply("500 5.5.1 unknown command")

    def on_ehlo(self, _rest):
        words = list(self.extensions)
        if self.mx.tls is not None and not self.tls:
            words.append("STARTTLS")
        lines = [self.mx.host, *words]
        self.reply("\r\n".join(f"250{' ' if i == len(lines) - 1 else '-'}{w}"
                               for i, w in enumerate(lines)))

    def on_helo(self, _rest):
        self.reply("250 " + self.mx.host)

    def on_starttls(self, _rest):
        if self.mx.tls is None or self.tls:
            self.reply("503 5.5.1 no TLS here")
            return
        self.reply("220 2.0.0 go ahead")
        self.handshake()

    def handshake(self):
        self.buffer = b""
        try:
            self.sock = self.mx.tls.wrap_socket(self.sock, server_side=True)
        except (OSError, ssl.SSLError) as error:
            raise Gone("TLS: " + str(error)) from error
        self.tls = True
        self._reset()

    def on_mail(self, rest):
        self.sender, self.mail_parameters = self._path(rest)
        self.reply("250 2.1.0 ok")

    def on_rcpt(self, rest):
        recipient, parameters = self._path(rest)
        if recipient.startswith("nobody@"):
            self.reply("550 5.1.1 No such user here")
            return
        self.recipients.append(recipient)
        self.rcpt_parameters.append(parameters)
        self.reply("250 2.1.5 ok")

    @staticmethod
    def _path(rest):
        path = rest.partition(":")[2].strip()
        address, _, parameters = path.partition(">")
        return address.lstrip("<"), parameters.strip()

    def on_data(self, _rest):
        if not self.recipients:
            self.reply("554 5.5.1 no valid recipients")
            return
        self.reply("354 go ahead")
        message = Message(self.sender, self.recipients, self.body(), self.mail_parameters,
                          self.rcpt_parameters, self.tls)
        self.messages.append(message)
        self.mx.received(self, message)
        self.on_dot(message)
        self._reset()

    def body(self):
        """Only CRLF.CRLF ends it."""
        if self.buffer[:3] == b".\r\n":
            self.buffer = self.buffer[3:]
            return b""
        start = 0
        while (end := self.buffer.find(b"\r\n.\r\n", start)) < 0:
            start = max(0, len(self.buffer) - 4)
            self.fill()
        data, self.buffer = self.buffer[:end + 2], self.buffer[end + 5:]
        return data

    def on_dot(self, message):
        message.acknowledged = True
        self.reply("250 2.0.0 queued")

    def on_rset(self, _rest):
        self._reset()
        self.reply("250 2.0.0 ok")

    def on_noop(self, _rest):
        self.reply("250 2.0.0 ok")

    def on_quit(self, _rest):
        self.reply("221 2.0.0 bye")
        self.close()


class ScriptedMx:
    """Listens on some addresses of a namespace; every connection becomes a Session."""

    def __init__(self, namespace, addresses, host, session=Session, tls=None, port=25):
        self.namespace, self.addresses, self.host = namespace, addresses, host
        self.session, self.tls = session, tls
        self.sessions = []
        self.ledger = []            # messages in the order of arrival
        self.lock = threading.Lock()
        self.arrival = threading.Condition(self.lock)
        self.domain = None
        self.listeners = [namespace.listen(a, port) for a in addresses]
        for listener in self.listeners:
            threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def _serve(self, listener):
        while True:
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            sock.settimeout(120)
            session = self.session(self, sock, peer)
            with self.lock:
                self.sessions.append(session)
            threading.Thread(target=session.run, daemon=True).start()

    def received(self, _session, message):
        with self.arrival:
            self.ledger.append(message)
            self.arrival.notify_all()

    def wait(self, count=1, seconds=30):
        """Waits until COUNT messages were received; the ledger."""
        with self.arrival:
            if not self.arrival.wait_for(lambda: len(self.ledger) >= count, seconds):
                raise AssertionError(f"{self.host}: {len(self.ledger)} of {count} messages "
                                     f"after {seconds} s")
            return list(self.ledger)

    def commands(self):
        """Every line of every session, as text."""
        with self.lock:
            sessions = list(self.sessions)
        return [line.decode("utf-8", "replace").rstrip() for s in sessions
                for line in s.commands]

    def close(self):
        for listener in self.listeners:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        with self.lock:
            sessions = list(self.sessions)
        for session in sessions:
            try:
                session.sock.shutdown(socket.SHUT_RDWR)
            except (OSError, ValueError):
                pass
