"""Network namespaces: made, entered, emptied and removed by name.

A socket stays in the namespace in which it was created, so a thread that enters the
namespace for a moment can make one for the rest of the process to use.
"""
import ctypes
import os
import signal
import socket
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def ip(*words):
    """Runs ip(8)."""
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def ip_batch(lines):
    """Runs many lines of ip(8) in one process; the first that fails ends them."""
    done = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n",
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("ip: " + done.stderr.strip())


class Namespace:
    """One network namespace with lo up; name is what `ip netns` shows."""

    def __init__(self, name):
        self.name = name
        self.started = []
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
        self.sysctl("net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
                    "net.ipv4.ip_unprivileged_port_start=0")

    def sysctl(self, *settings):
        self.run("sysctl", "-q", "-w", *settings)

    def command(self, *words):
        """The words that run a command inside; /etc/netns/NAME applies."""
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def run(self, *words, **options):
        options.setdefault("check", True)
        options.setdefault("capture_output", True)
        options.setdefault("text", True)
        return subprocess.run(self.command(*words), **options)

    def popen(self, *words, **options):
        process = subprocess.Popen(self.command(*words), **options)
        self.started.append(process)
        return process

    def call(self, function, *arguments):
        """What function returns when it is called by a thread inside."""
        result = {}

        def inside():
            try:
                with open(f"/run/netns/{self.name}", encoding="ascii") as handle:
                    if LIBC.setns(handle.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns " + self.name)
                result["value"] = function(*arguments)
            except BaseException as error:  # handed to the caller's thread
                result["error"] = error

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if "error" in result:
            raise result["error"]
        return result["value"]

    def listen(self, address, port, backlog=64):
        """A listening TCP socket inside."""
        def make():
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((address, port))
            sock.listen(backlog)
            return sock
        return self.call(make)

    def udp(self, address, port):
        """A bound UDP socket inside."""
        def make():
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((address, port))
            return sock
        return self.call(make)

    def connect(self, address, port, timeout=10.0):
        """A connected TCP socket inside."""
        return self.call(socket.create_connection, (address, port), timeout)

    def pids(self):
        out = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True,
                             text=True, check=False).stdout
        return [int(word) for word in out.split()]

    def close(self):
        """Ends every process inside (all were started for it) and removes it."""
        for sig, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
            for pid in self.pids():
                try:
                    os.kill(pid, sig)
                except ProcessLookupError:
                    pass
            end = time.monotonic() + patience
            while time.monotonic() < end and self._alive():
                time.sleep(0.02)
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, check=False)

    def _alive(self):
        for process in self.started:
            process.poll()
        return self.pids()
