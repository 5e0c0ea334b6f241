"""A client for Marionette, the remote control protocol of Thunderbird.

A message is "LENGTH:JSON". A command is [0, id, name, parameters], its answer
[1, id, error, result].
"""
import base64
import json
import socket
import time


class MarionetteError(Exception):
    """The remote side answered a command with an error."""

    def __init__(self, kind, text):
        super().__init__(f"{kind}: {text}")
        self.kind = kind


class Marionette:
    """One connection to a Marionette server on the loopback interface."""

    def __init__(self, port, timeout=60, connect=socket.create_connection):
        """Connects, waiting up to timeout seconds for the server to appear."""
        self._socket = self._connect(port, time.monotonic() + timeout, connect)
        self._file = self._socket.makefile("rb")
        self._last_id = 0
        self._receive()
        self.command("WebDriver:NewSession", {"unhandledPromptBehavior": "ignore"})
        self.command("Marionette:SetContext", {"value": "chrome"})

    @staticmethod
    def _connect(port, deadline, connect):
        while True:
            try:
                return connect(("127.0.0.1", port))
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _receive(self):
        length = b""
        while (char := self._file.read(1)) != b":":
            if not char:
                raise MarionetteError("closed", "the connection was closed")
            length += char
        return json.loads(self._file.read(int(length)))

    def command(self, name, parameters=None, timeout=90):
        """Runs one command and returns its result."""
        self._last_id += 1
        self._socket.settimeout(timeout)
        message = json.dumps([0, self._last_id, name, parameters or {}]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        while True:
            kind, number, error, result = self._receive()
            if kind == 1 and number == self._last_id:
                break
        if error:
            raise MarionetteError(error["error"], f"{name}: {error['message']}\n{error.get('stacktrace', '')}")
        return result

    def script(self, source, *args, timeout=60):
        """Runs the body of an async JavaScript function in the chrome context.

        The function gets args as its arguments; what it returns must fit JSON.
        """
        self.command("WebDriver:SetTimeouts", {"script": timeout * 1000})
        return self.command("WebDriver:ExecuteScript", {
            "script": f"return (async function () {{ {source} }}).apply(null, arguments);",
            "args": list(args),
            "sandbox": "system",
            "newSandbox": False,
        }, timeout + 30)["value"]

    def screenshot(self, path):
        """Writes a PNG picture of the current window."""
        value = self.command("WebDriver:TakeScreenshot", {"full": False, "hash": False})["value"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(value))

    def close(self):
        self._file.close()
        self._socket.close()
