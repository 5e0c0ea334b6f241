#!/usr/bin/env python3
"""Plays written conversations: play.py HOST PORT FILE... [--var NAME=VALUE]

A file is played to the server at HOST PORT, each on a connection of its own:

  C: text     send the text and CRLF
  C< text     send exactly these bytes (\\r \\n \\t \\0 \\xNN and \\\\ are understood)
  S: text     the next line must be this; a final "*" matches any ending
  S+ text     lines are skipped up to and with the first one that matches
  EOF         the other side must close now, without a byte more
  STARTTLS    TLS begins here on both sides, nothing is verified; fails if plain text waits
  NOTLS       the same, but the handshake must fail
  CLOSE       close our end
  NEW         open the next connection (after EOF or CLOSE)
  # text      which sentence of which RFC this is

"2 C: text" speaks on a second connection, opened when it is first named. ${NAME} in a line
is replaced by the value of --var NAME=VALUE. --tls shakes hands before the first line.

With --serve the file is the server: HOST PORT is listened on (port 0: a free one), the
number of the port is printed, "S:" and "S<" are sent and "C:" and "C+" are expected. NEW
waits for the next connection. STARTTLS then needs --cert FILE and --key FILE.
"""
import argparse
import re
import socket
import ssl
import sys

ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
STEP = re.compile(r"(?:(\d) )?(?:([CS])([:<+])(?: (.*))?|(EOF|STARTTLS|NOTLS|CLOSE|NEW))$", re.S)


class Mismatch(Exception):
    pass


def unescape(text):
    out = b""
    for part in re.findall(r"\\x[0-9a-fA-F]{2}|\\.|[^\\]+", text, re.S):
        if part.startswith("\\x"):
            out += bytes([int(part[2:], 16)])
        elif part.startswith("\\"):
            out += ESCAPES[part[1]]
        else:
            out += part.encode()
    return out


def matches(want, got):
    return got.startswith(want[:-1]) if want.endswith("*") else got == want


class Peer:
    """One connection: lines in, bytes out."""

    def __init__(self, sock, options):
        self.sock, self.options, self.buffer = sock, options, b""
        sock.settimeout(options.timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if options.tls:
            self.start_tls()

    def more(self):
        try:
            got = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLEOFError):
            got = b""  # closed with our bytes unread, which the kernel reports as a reset
        except TimeoutError as error:
            raise Mismatch(f"nothing came in {self.options.timeout} s") from error
        self.buffer += got
        return len(got) > 0

    def line(self):
        while b"\n" not in self.buffer:
            if not self.more():
                raise Mismatch(f"the connection was closed after {self.buffer!r}")
        line, self.buffer = self.buffer.split(b"\n", 1)
        if not line.endswith(b"\r"):
            raise Mismatch(f"the line does not end with CRLF: {line!r}")
        return line[:-1].decode("utf-8", "backslashreplace")

    def send(self, data):
        try:
            self.sock.sendall(data)
        except ConnectionError as error:
            raise Mismatch(f"the connection was closed: {error}") from error

    def expect(self, want, skip):
        got = self.line()
        while skip and not matches(want, got):
            got = self.line()
        if not matches(want, got):
            raise Mismatch(f"got {got!r}")

    def expect_end(self):
        while not self.buffer and self.more():
            pass
        if self.buffer:
            raise Mismatch(f"expected the end, got {self.buffer!r}")

    def start_tls(self):
        if self.buffer:
            raise Mismatch(f"plain text before TLS: {self.buffer!r}")
        serve = self.options.serve
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if serve else ssl.PROTOCOL_TLS_CLIENT)
        if serve:
            context.load_cert_chain(self.options.cert, self.options.key)
        else:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            self.sock = context.wrap_socket(self.sock, server_side=serve)
        except (ssl.SSLError, OSError) as error:
            raise Mismatch(f"TLS: {error}") from error

    def fail_tls(self):
        try:
            self.start_tls()
        except Mismatch:
            return
        raise Mismatch("the handshake should have failed")


class Player:
    def __init__(self, options, listener):
        self.options, self.listener, self.peers = options, listener, {}
        self.ours = "S" if options.serve else "C"

    def connect(self):
        if self.listener is not None:
            return Peer(self.listener.accept()[0], self.options)
        return Peer(socket.create_connection((self.options.host, self.options.port),
                                             self.options.timeout), self.options)

    def close(self, number):
        peer = self.peers.pop(number, None)
        if peer is not None:
            peer.sock.close()

    def step(self, line):
        match = STEP.match(line)
        if match is None:
            raise Mismatch("not a step")
        number, side, kind, text, word = match.groups()
        number = number or "1"
        if word in ("NEW", "CLOSE"):
            self.close(number)
        if word == "CLOSE":
            return
        if number not in self.peers:
            self.peers[number] = self.connect()
        self.act(self.peers[number], side, kind, text or "", word)

    def act(self, peer, side, kind, text, word):
        if word == "EOF":
            peer.expect_end()
        elif word == "STARTTLS":
            peer.start_tls()
        elif word == "NOTLS":
            peer.fail_tls()
        elif side == self.ours and kind == ":":
            peer.send(text.encode() + b"\r\n")
        elif side == self.ours and kind == "<":
            peer.send(unescape(text))
        elif side is not None and side != self.ours and kind in ":+":
            peer.expect(text, kind == "+")
        elif side is not None:
            raise Mismatch("not a step on this side")

    def play(self, path):
        with open(path, encoding="utf-8") as script:
            for number, line in enumerate(script, 1):
                line = self.substitute(line.rstrip("\n"))
                if not line or line.startswith("#"):
                    continue
                try:
                    self.step(line)
                except (Mismatch, OSError) as error:
                    return f"{path}:{number}: {line!r}: {error}"
                finally:
                    if self.options.verbose:
                        print(f"# {line}", flush=True)
        return None

    def substitute(self, line):
        variables = self.options.variables
        return re.sub(r"\$\{(\w+)\}", lambda m: variables.get(m[1], m[0]), line)


def listen(options):
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.create_server((options.host, options.port), family=family)
    listener.settimeout(options.timeout)
    print(listener.getsockname()[1], flush=True)
    return listener


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--var", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--tls", action="store_true", help="TLS from the first byte")
    parser.add_argument("--serve", action="store_true", help="the file is the server")
    parser.add_argument("--cert", help="PEM file, with --serve")
    parser.add_argument("--key", help="PEM file, with --serve")
    parser.add_argument("--timeout", type=float, default=10, help="seconds to wait for a line")
    parser.add_argument("--verbose", action="store_true", help="print each step")
    options = parser.parse_intermixed_args()
    options.variables = dict(pair.split("=", 1) for pair in options.var)
    return options


def main():
    options = parse_arguments()
    listener = listen(options) if options.serve else None
    failed = 0
    for path in options.files:
        player = Player(options, listener)
        problem = player.play(path)
        for number in list(player.peers):
            player.close(number)
        print(f"not ok {problem}" if problem else f"ok {path}", flush=True)
        failed += problem is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
