"""A raw conversation: exactly the bytes one wants, and the lines that come back."""
import base64
import re
import socket

from instance import ADDRESS, any_certificate


class Conversation:
    """Over a connected socket. Lines come without their CRLF, as bytes."""

    def __init__(self, sock, timeout=30.0):
        self.sock, self.buffer = sock, b""
        self.sock.settimeout(timeout)

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def line(self):
        """The next line; b"" at the end of the connection."""
        while b"\r\n" not in self.buffer:
            try:
                more = self.sock.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                more = b""
            if more == b"":
                rest, self.buffer = self.buffer, b""
                return rest
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def reply(self):
        """A whole SMTP reply: its lines joined by newlines."""
        lines = [self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(self.line())
        return b"\n".join(lines)

    def ask(self, text):
        """Sends a line, returns the reply."""
        return self.send(text.encode() + b"\r\n" if isinstance(text, str)
                         else text + b"\r\n").reply()

    def expect(self, text, code):
        """Sends a line; the reply must begin with CODE."""
        answer = self.ask(text)
        assert answer.startswith(str(code).encode()), f"{text}: {answer}"
        return answer

    def rest(self):
        """Everything until the other side closes."""
        data = self.buffer
        self.buffer = b""
        while True:
            try:
                more = self.sock.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                return data
            if more == b"":
                return data
            data += more

    def start_tls(self):
        assert self.buffer == b"", "bytes before the handshake"
        self.sock = any_certificate().wrap_socket(self.sock)

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class ImapTalk(Conversation):
    """A raw IMAP session."""

    def __init__(self, post, login=True):
        super().__init__(post.connect("imap"))
        self.number = 0
        assert self.line().startswith(b"* OK"), "no greeting"
        if login:
            self.ok(f'LOGIN {ADDRESS} "{post.password()}"')

    def reply(self):
        """A whole response: its line, literals in place."""
        text = self.line()
        while found := re.search(rb"\{(\d+)\}$", text):
            while len(self.buffer) < int(found[1]):
                self.buffer += self.sock.recv(65536)
            text += b"\r\n" + self.buffer[:int(found[1])]
            self.buffer = self.buffer[int(found[1]):]
            text += self.line()
        return text

    def begin(self, command):
        """Sends a command and does not wait."""
        self.number += 1
        command = command if isinstance(command, bytes) else command.encode()
        self.send(b"t%d %s\r\n" % (self.number, command))

    def end(self):
        """The untagged responses, and the tagged one without its tag."""
        untagged, tag = [], b"t%d " % self.number
        while True:
            text = self.reply()
            if text.startswith(tag):
                return untagged, text[len(tag):]
            if text == b"":
                return untagged, b""
            untagged.append(text)

    def command(self, command):
        self.begin(command)
        return self.end()

    def ok(self, command):
        """The untagged responses to a command that must be OK."""
        untagged, tagged = self.command(command)
        assert tagged.startswith(b"OK"), (command, tagged)
        return untagged

    def refused(self, command, how=b"NO"):
        tagged = self.command(command)[1]
        assert tagged.startswith(how), (command, tagged)
        return tagged

    def append(self, mailbox, data, flags=""):
        """Without waiting for "+"; the tagged response."""
        return self.command(b"APPEND %s (%s) {%d+}\r\n%s" % (
            mailbox.encode(), flags.encode(), len(data), data))[1]

    def idle(self):
        """From now on wait() tells what is new; done() ends it."""
        self.begin("IDLE")
        assert self.line().startswith(b"+"), "IDLE is refused"

    def wait(self, what):
        """Reads responses until one contains WHAT."""
        while what not in (text := self.reply()):
            assert text != b"", f"{what}: the session has ended"
        return text

    def done(self):
        self.send("DONE\r\n")
        return self.end()


def smtp_session(post, login=True):
    """A raw SMTP session after EHLO and, if asked, AUTH."""
    talk = Conversation(post.connect("smtp"))
    assert talk.reply().startswith(b"220"), "no greeting"
    talk.expect("EHLO test", 250)
    if login:
        blob = base64.b64encode(f"\0{ADDRESS}\0{post.password()}".encode()).decode()
        talk.expect("AUTH PLAIN " + blob, 235)
    return talk
