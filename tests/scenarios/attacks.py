"""What others on the computer, web pages and hostile programs try, and must not get."""
import base64
import os
import pathlib
import smtplib
import socket
import ssl
import stat
import subprocess
import time

from conversation import Conversation, smtp_session
from harness import count, scenario
from instance import ADDRESS, any_certificate

ENDS_OF_DATA = {
    "LF.LF": b"\n.\n", "LF.CRLF": b"\n.\r\n", "CRLF.LF": b"\r\n.\n", "CR.CR": b"\r.\r",
    "CRLF.CR": b"\r\n.\r", "LF.CR": b"\n.\r", "CR.CRLF": b"\r.\r\n", "NUL": b"\r\n\0.\r\n",
    "CRLF.CRCRLF": b"\r\n.\r\r\n"}     # and CR.CRLF.CRLF is a true end behind a bare CR
HTTP = ["POST / HTTP/1.1\r\nHost: localhost\r\n\r\nMAIL FROM:<anna@home.example>\r\n",
        "GET / HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n",
        "CONNECT far.example:25 HTTP/1.1\r\n\r\n", "Host: localhost\r\n"]


@scenario
def smuggling_in(post):
    """C8: no false end of data makes a second message; the session stays in step."""
    for name, variant in ENDS_OF_DATA.items():
        for split in (False, True):
            with smtp_session(post) as talk:
                talk.expect("MAIL FROM:<anna@home.example>", 250)
                talk.expect("RCPT TO:<anna>", 250)
                talk.expect("DATA", 354)
                parts = [b"From: anna@home.example\r\nSubject: outer\r\n\r\nx", variant,
                         b"MAIL FROM:<anna@home.example>\r\nRCPT TO:<anna>\r\nDATA\r\n"
                         b"From: anna@home.example\r\nSubject: smuggled\r\n\r\ny\r\n.\r\n"]
                for part in parts if split else [b"".join(parts)]:
                    talk.send(part)
                    time.sleep(0.02 if split else 0)
                assert talk.reply().startswith(b"550"), name
                assert talk.ask("NOOP").startswith(b"250"), name
    assert not post.inbox() and not post.queue(), (post.inbox_bytes(), post.queue())


@scenario(root=True)
def smuggling_out(internet, post):
    """C9: what goes out has only CRLF line ends and one end of data, long lines too."""
    mx = internet.mx("smuggle")
    body = "\r\n".join([".", "..", "...", "x" * 998, "." * 200, "y" * 5000,
                        "." + "z" * 70000, "", "."]) + "\r\n"
    post.send("eva@smuggle.example", body=body)
    done = subprocess.run(
        post.command("hauspost", "sendmail", "-i", "-f", ADDRESS, "eva@smuggle.example"),
        input=b"Subject: bare\n\na\n.\nb\r\n.\r\nc\r.\rd\n", env=post.environment,
        capture_output=True, check=False)
    mx.wait(1 if done.returncode else 2)
    time.sleep(0.5)
    assert len(mx.ledger) == (1 if done.returncode else 2)
    for message in mx.ledger:
        rest = message.data.replace(b"\r\n", b"")
        assert b"\r" not in rest and b"\n" not in rest, message.data[:2000]
        for line in message.data.split(b"\r\n"):
            assert not line.startswith(b".") or line.startswith(b".."), line[:80]
    assert mx.ledger[0].content().endswith(b"\r\n\r\n" + body.encode())


@scenario
def starttls_injection(post):
    """C10: commands pipelined behind STARTTLS or STLS are not carried out after it."""
    for service, hello, verb, code in (("smtp", "EHLO x\r\n", "STARTTLS", b"220"),
                                       ("imap", "", "a STARTTLS", b"a OK"),
                                       ("pop3", "", "STLS", b"+OK")):
        talk = Conversation(post.connect(service), 10)
        talk.line()
        if hello:
            talk.send(hello).reply()
        talk.send(f"{verb}\r\nNOOP injected\r\nQUIT\r\n")
        answer = talk.line()
        if not answer.startswith(code):
            assert answer[:1] in (b"4", b"5", b"-", b"") or answer.startswith(b"* BYE"), answer
            continue
        try:
            talk.sock = any_certificate().wrap_socket(talk.sock)
            talk.sock.settimeout(2)
            data = talk.sock.recv(1000)
        except (OSError, ssl.SSLError):
            data = b""
        assert data == b"", f"{service} answered injected commands: {data}"


@scenario
def web_pages(post):
    """C12: HTTP is cut off at its first line, nothing is queued, nothing is echoed."""
    for service in ("smtp", "pop3", "imap"):
        for request in HTTP:
            talk = Conversation(post.connect(service), 10)
            talk.line()
            talk.send(request + "EHLO marker\r\nQUIT\r\n")
            answer = talk.rest()
            assert b"marker" not in answer and b"HTTP" not in answer, (service, answer)
            assert answer.count(b"\r\n") <= 1, (service, request, answer)
    for service in ("smtp-tls", "pop3-tls", "imap-tls"):
        context = any_certificate()
        context.set_alpn_protocols(["http/1.1", "h2"])
        try:
            sock = context.wrap_socket(post.connect(service))
            sock.settimeout(10)
            assert not sock.recv(100), service
        except (OSError, ssl.SSLError):
            pass
    assert not post.queue()


@scenario(root=True)
def another_user(post):
    """C13: another uid is closed before the banner, also if it hangs up at once."""
    script = ("import socket,sys\n"
              "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)\n"
              "data = b''\n"
              "try:\n"
              "    if sys.argv[2] == 'fast':\n"
              "        s.sendall(b'EHLO x\\r\\nQUIT\\r\\n'); s.shutdown(1)\n"
              "    data = s.recv(100)\n"
              "except OSError: pass            # may be closed already, at any point\n"
              "print(len(data))\n")
    for port in post.ports.values():
        for how in ("slow", "fast"):
            words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                     "/usr/bin/python3", "-c", script, str(port), how]
            done = subprocess.run(post.namespace.command(*words), text=True, check=False,
                                  capture_output=True, cwd="/")
            assert done.stdout.strip() == "0", (port, how, done)
    post.smtp().quit()
    with post.smtp(tls="implicit") as smtp:
        smtp.noop()


@scenario(root=True)
def listening_set(post):
    """C14: only 127.0.0.1 and ::1 are listened on, on the ports of the settings."""
    text = post.namespace.run("ss", "-ltnH").stdout
    where = {line.split()[3] for line in text.splitlines()}
    allowed = {f"{host}:{port}" for host in ("127.0.0.1", "[::1]")
               for port in post.ports.values()}
    assert where <= allowed, where - allowed
    for service in post.ports:
        for host in ("127.0.0.1", "[::1]"):
            assert f"{host}:{post.ports[service]}" in where, (host, service)
    assert not post.namespace.run("ss", "-lunH").stdout.strip()


@scenario(root=True)
def taken_port(make):
    """C14: a taken port is a loud error that names the port and the culprit; no other."""
    post = make()
    post.setup()
    for host in ("127.0.0.1", "::1"):
        squatter = post.namespace.listen(host, post.ports["smtp"])
        process = post.launch()
        status = process.wait(30)
        post.process = None
        squatter.close()
        assert status not in (0, -6, -11), status
        said = post.log()
        assert str(post.ports["smtp"]) in said and "python" in said, said[-800:]
        post.log_path.unlink()
    post.start()


@scenario(seconds=120)
def wrong_passwords(post):
    """C15: wrong passwords get slower and are cut off; a right one elsewhere is not slowed."""
    talk = Conversation(post.connect("smtp"), 60)
    talk.reply()
    talk.ask("EHLO x")
    blob = base64.b64encode(f"\0{ADDRESS}\0wrong".encode()).decode()
    tries = 0
    took = []
    while tries < 20:
        start = time.monotonic()
        answer = talk.ask("AUTH PLAIN " + blob)
        took.append(time.monotonic() - start)
        if not answer.startswith(b"535"):
            break
        tries += 1
        start = time.monotonic()
        post.smtp().quit()
        assert time.monotonic() - start < 3, "others are slowed"
    assert 1 <= tries <= 5, tries
    assert took[-2] >= took[0], took


@scenario
def wrong_order(post):
    """C16: commands in the wrong state are refused and change nothing."""
    verbs = ["MAIL FROM:<anna@home.example>", "RCPT TO:<anna>", "DATA", "RSET", "NOOP",
             "VRFY x", "HELP", "EHLO x", "AUTH PLAIN AGEAYg=="]
    for first in verbs:
        for second in verbs:
            with smtp_session(post, login=False) as talk:
                answers = [talk.ask(first)]
                if not answers[0].startswith((b"354", b"421")):
                    answers.append(talk.ask(second))
                assert not any(a.startswith(b"354") for a in answers), (first, second)
                for verb, answer in zip((first, second), answers):
                    if verb.startswith(("MAIL", "RCPT", "DATA")):
                        assert answer[:1] == b"5", (first, second, answer)
    with smtp_session(post) as talk:
        talk.expect("MAIL FROM:<anna@home.example>", 250)
        talk.expect("RCPT TO:<anna>", 250)
        talk.expect("RSET", 250)
        talk.expect("DATA", 503)
        talk.expect("RCPT TO:<anna>", 503)
        talk.expect("AUTH PLAIN AGEAYg==", 503)


@scenario(tree="plain")
def one_endless_line(post):
    """C19: 10 MB without a line end before login: cut off, memory bounded."""
    def rss():
        text = pathlib.Path(f"/proc/{post.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024
    before = rss()
    for start in (b"", b"AUTH PLAIN ", b"EHLO "):
        talk = Conversation(post.connect("smtp"), 10)
        talk.reply()
        try:
            talk.send(start + b"A" * (10 << 20))
            talk.send(b"\r\n")
        except OSError:
            pass
        answer = talk.rest()
        assert b"250" not in answer[:3], answer[:100]
    assert rss() - before < 16, (before, rss())


@scenario(seconds=180)
def slow_clients(post):
    """C20: idle and trickling clients do not lock the user out, and are closed in time."""
    idle = []
    for _ in range(count(60, 200)):
        try:
            idle.append(post.connect("smtp", timeout=5))
        except OSError:
            break
    start = time.monotonic()
    post.smtp().quit()
    assert time.monotonic() - start < 4, "the user had to wait"
    post.move_clock(90)
    end = time.monotonic() + 60
    for sock in idle:
        sock.settimeout(max(0.1, end - time.monotonic()))
        while True:
            try:
                if not sock.recv(1000):
                    break
            except ConnectionError:
                break
        sock.close()


@scenario(root=True, tree="plain", seconds=120)
def few_descriptors(post):
    """C21: at its limit of descriptors the daemon neither spins nor floods its log."""
    pid = post.process.pid
    used = len(os.listdir(f"/proc/{pid}/fd"))
    subprocess.run(["prlimit", f"--nofile={used + 8}:", "--pid", str(pid)], check=True)
    socks = []
    for _ in range(100):
        try:
            socks.append(post.connect("smtp", timeout=1))
        except OSError:
            break
    lines = post.log().count("\n")
    ticks = cpu_ticks(pid)
    time.sleep(4)
    assert cpu_ticks(pid) - ticks < 40, "spins"         # 10 % of 4 s
    assert post.log().count("\n") - lines < 20, "floods its log"
    for sock in socks:
        sock.close()
    subprocess.run(["prlimit", "--nofile=1024:", "--pid", str(pid)], check=True)
    post.wait_for(lambda: works(post), 30)


def works(post):
    try:
        post.smtp().quit()
        return True
    except (OSError, smtplib.SMTPException):
        return False


def cpu_ticks(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@scenario
def private_files(make):
    """C23: files are 0600 and folders 0700, whatever the umask."""
    post = make()
    old = os.umask(0)
    try:
        post.setup()
        post.start()
        post.send("anna", "x")
        post.send("x@far.example", body="y" * 70 + "\r\n" + ("z" * 70 + "\r\n") * 5000)
        post.wait_for(post.inbox)
    finally:
        os.umask(old)
    for top in (post.state, post.data, post.config_file.parent, post.folder / "run/hauspost"):
        for path in [top, *top.rglob("*")]:
            if path.name == "hauspost.conf":    # the harness wrote it
                continue
            try:
                info = path.lstat()
            except FileNotFoundError:           # a temporary file, renamed meanwhile
                continue
            wanted = 0o700 if stat.S_ISDIR(info.st_mode) else 0o600
            assert stat.S_IMODE(info.st_mode) == wanted, (path, oct(info.st_mode))


@scenario
def planted_folders(make, folder):
    """C23: a state folder that is a symlink or open to others is refused, with the reason."""
    post = make()
    post.setup()
    for fault in ("link", "open"):
        aside = post.state.with_name("aside")
        if fault == "link":
            post.state.rename(aside)
            post.state.symlink_to(aside)
        else:
            post.state.chmod(0o777)
        process = post.launch()
        status = process.wait(30)
        post.process = None
        assert status not in (0, -6, -11), (fault, status)
        said = post.log()
        assert str(post.state) in said or "hauspost" in said, said
        assert "symbolic link" in said or "others" in said, said
        post.log_path.unlink()
        if fault == "link":
            post.state.unlink()
            aside.rename(post.state)
        else:
            post.state.chmod(0o700)
    post.start()


@scenario(root=True, tree="plain")
def secrets(internet, post):
    """C24: neither passwords nor mail texts are in log, command line or environment; no
    core dump.
    """
    internet.mx("canary")
    secret = post.password()
    with smtp_session(post) as talk:
        talk.expect("MAIL FROM:<anna@home.example>", 250)
        talk.expect("RCPT TO:<eva@canary.example>", 250)
        talk.expect("DATA", 354)
        talk.expect("From: anna@home.example\r\nSubject: CanarySubject\r\n\r\nCanaryBody\r\n.",
                    250)
    post.wait_state("eva@canary.example", "delivered")
    pop3 = post.pop3()
    pop3.quit()
    blob = base64.b64encode(f"\0{ADDRESS}\0{secret}".encode()).decode()
    process = pathlib.Path(f"/proc/{post.process.pid}")
    places = {"log": post.log(), "command line": (process / "cmdline").read_text(),
              "environment": (process / "environ").read_text()}
    for place, text in places.items():
        for canary in (secret, blob, "CanarySubject", "CanaryBody"):
            assert canary not in text, f"{canary} is in the {place}"
    limits = (process / "limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core"))
    assert core.split()[4] == "0" or "0" in core.split()[4:6], core


@scenario
def hostile_parameters(post):
    """C25: CR, LF, NUL and markup in addresses and parameters: refused or encoded."""
    with smtp_session(post) as talk:
        for line in (b"MAIL FROM:<anna@home.example> ENVID=a\0b",
                     b"MAIL FROM:<anna@home.example> ENVID=a<b+0D+0A",
                     b"MAIL FROM:<anna@home\0.example>"):
            answer = talk.ask(line)
            assert answer[:1] == b"5" or answer.startswith(b"250"), (line, answer)
            talk.ask("RSET")
        talk.expect("MAIL FROM:<anna@home.example>", 250)
        for line in (b"RCPT TO:<x\0@far.example>", b"RCPT TO:<x@far.example> ORCPT=rfc822;a\0",
                     b"RCPT TO:<x@far.example> ORCPT=nonsense", b"RCPT TO:<x@far\x01.example>"):
            assert talk.ask(line)[:1] == b"5", line


@scenario
def torn_tls(post):
    """C31: close_notify in the middle of DATA, then plaintext: closed, nothing stored."""
    raw = post.connect("smtp-tls")
    blob = base64.b64encode(f"\0{ADDRESS}\0{post.password()}".encode()).decode()
    sock = any_certificate().wrap_socket(raw)
    talk = Conversation(sock, 10)
    talk.reply()
    for line in ("EHLO x", "AUTH PLAIN " + blob, "MAIL FROM:<anna@home.example>",
                 "RCPT TO:<anna>"):
        talk.expect(line, 2)
    talk.expect("DATA", 354)
    talk.send("From: anna@home.example\r\nSubject: torn\r\n\r\nhalf\r\n")
    plain = None
    try:
        sock.settimeout(3)
        plain = sock.unwrap()
    except (OSError, ssl.SSLError):
        pass
    try:
        (plain or sock).sendall(b"more in the clear\r\n.\r\n")
        (plain or sock).settimeout(5)
        assert b"250" not in (plain or sock).recv(100)
    except (OSError, ssl.SSLError):
        pass
    post.send("anna", "whole")
    post.wait_for(lambda: [m["Subject"] for m in post.inbox()] == ["whole"])


@scenario
def control_socket_rubbish(post):
    """C40: rubbish on the control socket drops that client only."""
    control = post.folder / "run" / "hauspost" / "control"
    assert stat.S_IMODE(control.stat().st_mode) & 0o077 == 0
    for data in (b"\0" * 100, b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n" + b"\xff" * 5000,
                 b"GET / HTTP/1.0\r\n\r\n", b"l\1\0\1" + b"\xff" * 200):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(control))
            sock.settimeout(1)
            try:
                sock.sendall(data)
                sock.recv(1000)
            except OSError:
                pass
    assert post.status()["state"] == "running"


@scenario(seconds=180)
def many_clients_at_once(post):
    """64 sessions at once are served; the 65th is told why not."""
    post.password()
    held, refused = [], b""
    for _ in range(70):
        talk = Conversation(post.connect("smtp"), 20)
        greeting = talk.reply()
        if not greeting.startswith(b"220"):
            refused = greeting
            break
        talk.ask("EHLO x")
        blob = base64.b64encode(f"\0{ADDRESS}\0{post.password()}".encode()).decode()
        answer = talk.ask("AUTH PLAIN " + blob)
        if not answer.startswith(b"235"):
            refused = answer
            break
        held.append(talk)
    assert 60 <= len(held) <= 64, len(held)
    assert refused.startswith(b"421"), refused
    for talk in held:
        talk.close()
    post.wait_for(lambda: works(post), 20)

