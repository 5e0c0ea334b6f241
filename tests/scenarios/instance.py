"""A private Hauspost: its own folders, its own ports or network namespace, its programs.

    post = Hauspost(build, namespace=internet.laptop)
    post.setup()
    post.start()
    with post.smtp() as smtp:
        smtp.send_message(message)
    post.wait_for(lambda: post.recipient("a@b.example")["state"] == "delivered")
"""
import email
import email.policy
import imaplib
import json
import os
import pathlib
import poplib
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
ADDRESS, NAME = "anna@home.example", "Anna Muster"
SERVICES = {"smtp": 10587, "smtp-tls": 10465, "imap": 10143, "imap-tls": 10993,
            "pop3": 10110, "pop3-tls": 10995}
BAD_WORDS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "ThreadSanitizer",
             "GLib-CRITICAL", "GLib-GObject-CRITICAL", "GLib-GIO-CRITICAL", "assertion failed")


def any_certificate():
    """A TLS client that trusts whoever answers, as on loopback one may in a test."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Hauspost:
    """See above. Settings is {section: {key: value}}."""

    def __init__(self, build, namespace=None, folder=None, settings=None, language="C.UTF-8",
                 environment=None, wrapper=()):
        self.build, self.namespace = pathlib.Path(build), namespace
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="hauspost-scenario-"))
        self.wrapper = list(wrapper)
        self.ports = dict(SERVICES)
        self.process = None
        self.log_path = self.folder / "log"
        self.clock = [0, 0, 0]
        self.passwords = {}
        self.settings = settings or {}
        self.environment = {
            **{k: v for k, v in os.environ.items()
               if k not in ("DBUS_SESSION_BUS_ADDRESS", "NOTIFY_SOCKET", "LANGUAGE",
                            "XDG_RUNTIME_DIR", "DISPLAY")},
            "HOME": str(self.folder), "LC_ALL": language,
            "HAUSPOST_DATADIR": str(TOP / "data"),
            "HAUSPOST_LOCALEDIR": str(self.build / "po"),
            "HAUSPOST_TEST_CLOCK": str(self.folder / "clock"),
            "PATH": f"{self.build / 'src'}:{os.environ['PATH']}",
            **{f"XDG_{name.upper()}_HOME": str(self.folder / name)
               for name in ("config", "data", "state", "cache")},
            "XDG_RUNTIME_DIR": str(self.folder / "run"), **(environment or {})}
        (self.folder / "run").mkdir(mode=0o700, exist_ok=True)
        (self.folder / "run").chmod(0o700)

    # --- folders ------------------------------------------------------------------------
    @property
    def config_file(self):
        return self.folder / "config" / "hauspost" / "hauspost.conf"

    @property
    def state(self):
        return self.folder / "state" / "hauspost"

    @property
    def data(self):
        return self.folder / "data" / "hauspost"

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace") \
            if self.log_path.exists() else ""

    # --- programs -----------------------------------------------------------------------
    def command(self, program, *words):
        inside = [*self.wrapper, str(self.build / "src" / program), *map(str, words)]
        return self.namespace.command(*inside) if self.namespace else inside

    def run(self, *words, check=True, text=True, **options):
        """Runs the command line; a CompletedProcess."""
        options.setdefault("timeout", 60)
        if "input" not in options:
            options.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run(self.command("hauspost", *words), env=self.environment,
                              capture_output=True, text=text, check=False, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"hauspost {' '.join(map(str, words))}: exit status "
                                 f"{done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def cli(self, *words):
        """What a command prints as JSON."""
        return json.loads(self.run(*words, "--json").stdout)

    def setup(self, address=ADDRESS, name=NAME):
        self.run("setup", "--non-interactive", "--address", address, "--name", name)
        self.configure({"delivery": {"hostname": "laptop.home.example"}})
        if self.namespace is None:
            self.ports = {service: free_port() for service in SERVICES}
            self.configure({"listen": self.ports})
        self.configure(self.settings)

    def configure(self, settings):
        """Writes keys into hauspost.conf (a running daemon needs reload())."""
        lines = self.config_file.read_text(encoding="utf-8").splitlines()
        for section, keys in settings.items():
            for key, value in keys.items():
                lines = with_setting(lines, section, key, value)
        self.config_file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def reload(self):
        os.kill(self.process.pid, signal.SIGHUP)

    # --- the daemon ----------------------------------------------------------------------
    def start(self, seconds=40):
        """Starts hauspostd and waits for READY=1."""
        path = self.folder / "notify"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(path))
            ready.settimeout(0.2)
            self.launch({"NOTIFY_SOCKET": str(path)})
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                try:
                    if b"READY=1" in ready.recv(4096):
                        return self
                except socket.timeout:
                    pass
                if self.process.poll() is not None:
                    raise AssertionError("hauspostd ended with "
                                         f"{self.process.returncode}:\n{self.log()[-4000:]}")
        raise AssertionError(f"hauspostd is not ready:\n{self.log()[-4000:]}")

    def launch(self, environment=None, *words):
        """Starts hauspostd without waiting."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command("hauspostd", "--verbose", *words), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={**self.environment, **(environment or {})})
        return self.process

    def stop(self, seconds=20):
        """SIGTERM; the exit status must be 0 (and 10 s are promised, more with ASan)."""
        self.process.terminate()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(10)
            raise AssertionError("hauspostd does not end:\n" + self.log()[-4000:]) from error
        finally:
            self.process = None
        assert status == 0, f"hauspostd ended with {status}:\n{self.log()[-4000:]}"

    def kill9(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def close(self, keep=False):
        """Ends it and looks for what a sanitizer or GLib had to say."""
        try:
            if self.process is not None and self.process.poll() is None:
                self.stop()
            text = self.log()
            said = [line for line in text.splitlines() if any(w in line for w in BAD_WORDS)]
            assert not said, "\n".join(said[:5]) + "\n" + text[-6000:]
        finally:
            if self.process is not None and self.process.poll() is None:
                self.kill9()
            if not keep:
                shutil.rmtree(self.folder, ignore_errors=True)

    # --- clients -------------------------------------------------------------------------
    def password(self, client="test"):
        if client not in self.passwords:
            self.passwords[client] = self.run("password", "new", client).stdout.strip()
        return self.passwords[client]

    def connect(self, service="smtp", host="127.0.0.1", timeout=30.0):
        """A bare connection to a service by its name in [listen]."""
        where = (host, self.ports[service])
        if self.namespace is not None:
            return self.namespace.connect(*where, timeout)
        return socket.create_connection(where, timeout)

    def smtp(self, login=True, tls=None, user=ADDRESS, host="127.0.0.1"):
        """smtplib, logged in; tls: None, "starttls" or "implicit"."""
        post, service = self, "smtp-tls" if tls == "implicit" else "smtp"

        class Client(smtplib.SMTP):
            """smtplib through the instance's namespace."""

            def _get_socket(self, _host, _port, timeout):
                sock = post.connect(service, host, timeout)
                return any_certificate().wrap_socket(sock) if tls == "implicit" else sock

        client = Client("laptop", self.ports[service], "laptop", timeout=60)
        if tls == "starttls":
            client.starttls(context=any_certificate())
        if login:
            client.login(user, self.password())
        return client

    def pop3(self, login=True, tls=None, user=ADDRESS):
        post, service = self, "pop3-tls" if tls == "implicit" else "pop3"

        class Client(poplib.POP3):
            """poplib through the instance's namespace."""

            def _create_socket(self, timeout):
                sock = post.connect(service, timeout=timeout)
                return any_certificate().wrap_socket(sock) if tls == "implicit" else sock

        client = Client("127.0.0.1", self.ports[service], timeout=60)
        if tls == "starttls":
            client.stls(any_certificate())
        if login:
            client.user(user)
            client.pass_(self.password())
        return client

    def imap(self, login=True, tls=None, user=ADDRESS):
        post, service = self, "imap-tls" if tls == "implicit" else "imap"

        class Client(imaplib.IMAP4):
            """imaplib through the instance's namespace."""

            def _create_socket(self, timeout):
                sock = post.connect(service, timeout=timeout)
                return any_certificate().wrap_socket(sock) if tls == "implicit" else sock

        client = Client("127.0.0.1", self.ports[service], timeout=60)
        if tls == "starttls":
            client.starttls(any_certificate())
        if login:
            client.login(user, self.password())
        return client

    def send(self, to, subject="a message", body="Hello.\r\n", sender=ADDRESS, data=None,
             options=(), rcpt_options=()):
        """Submits one message; TO is an address or a list of them."""
        recipients = [to] if isinstance(to, str) else to
        if data is None:
            data = (f"From: {NAME} <{sender or ADDRESS}>\r\nTo: {', '.join(recipients)}\r\n"
                    f"Subject: {subject}\r\n\r\n{body}").encode()
        with self.smtp() as smtp:
            smtp.sendmail(sender, recipients, data, options, rcpt_options)

    def inbox_bytes(self):
        """The messages in INBOX as POP3 gives them; nothing is deleted."""
        pop3 = self.pop3()
        count = pop3.stat()[0]
        found = [b"\r\n".join(pop3.retr(i + 1)[1]) + b"\r\n" for i in range(count)]
        pop3.quit()
        return found

    def inbox(self):
        return [email.message_from_bytes(data, policy=email.policy.default)
                for data in self.inbox_bytes()]

    # --- what it says ----------------------------------------------------------------------
    def queue(self):
        return self.cli("queue", "list")["messages"]

    def history(self):
        return self.cli("history", "list")["messages"]

    def show(self, ident):
        return self.cli("queue", "show", ident)

    def status(self):
        return self.cli("status")

    def recipient(self, address):
        """The recipient's entry in the queue or, later, in the history; {} if nowhere."""
        for message in [*self.queue(), *self.history()]:
            for found in message["recipients"]:
                if found["address"] == address:
                    return {**found, "id": message["id"]}
        return {}

    def state_of(self, address):
        return self.recipient(address).get("state")

    def wait_for(self, condition, seconds=30, why="condition"):
        """Polls until CONDITION() is true; what it returned."""
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"{why} not met within {seconds} s; the log ends:\n"
                                     f"{self.log()[-3000:]}")
            time.sleep(0.05)

    def wait_state(self, address, state, seconds=30):
        states = (state,) if isinstance(state, str) else state
        end = time.monotonic() + seconds
        while (found := self.recipient(address)).get("state") not in states:
            if time.monotonic() > end:
                raise AssertionError(f"{address} is {found}, not {state}, after {seconds} s; "
                                     f"the log ends:\n{self.log()[-3000:]}")
            time.sleep(0.05)
        return found

    # --- time ------------------------------------------------------------------------------
    def move_clock(self, wall=0.0, boot=None, monotonic=None):
        """Moves the clocks on by seconds; awake time that passes moves all three."""
        boot = wall if boot is None else boot
        steps = (wall, boot, boot if monotonic is None else monotonic)
        self.clock = [int(old + step) for old, step in zip(self.clock, steps)]
        new = self.folder / "clock.new"
        new.write_text("{} {} {}\n".format(*self.clock), encoding="ascii")
        new.rename(self.folder / "clock")


def with_setting(lines, section, key, value):
    """LINES of a key file with [SECTION] KEY=VALUE in them once."""
    head = f"[{section}]"
    at = next((i for i, line in enumerate(lines) if line.strip() == head), None)
    if at is None:
        return [*lines, "", head, f"{key}={value}"]
    end = next((i for i in range(at + 1, len(lines)) if lines[i].startswith("[")), len(lines))
    block = [line for line in lines[at + 1:end]
             if line.split("=")[0].strip() != key]
    return [*lines[:at + 1], f"{key}={value}", *block, *lines[end:]]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
