"""Taking mail: who may send what, how it is completed, and each refusal in words."""
import base64
import email
import email.policy
import hashlib
import hmac
import secrets
import smtplib
import subprocess

from conversation import Conversation, smtp_session
from harness import scenario
from instance import ADDRESS, any_certificate


def refused(action, code):
    """The reply (code, text) with which ACTION() is refused."""
    try:
        action()
    except smtplib.SMTPRecipientsRefused as error:
        found = next(iter(error.recipients.values()))
    except smtplib.SMTPResponseException as error:
        found = (error.smtp_code, error.smtp_error)
    else:
        raise AssertionError("not refused")
    assert found[0] == code, found
    text = found[1].decode("ascii")     # protocol replies are ASCII
    assert len(text.split()) >= 4, f"no sentence: {text}"
    return text


def local(post, seconds=20):
    """The messages in INBOX once there is one."""
    return post.wait_for(post.inbox, seconds, "mail in INBOX")


@scenario
def three_ways_to_log_in(post):
    """PLAIN, LOGIN and SCRAM-SHA-256 are offered and work, plain and by TLS."""
    for tls in (None, "starttls", "implicit"):
        for method in ("auth_plain", "auth_login"):
            smtp = post.smtp(login=False, tls=tls)
            smtp.ehlo("test")
            assert set(smtp.esmtp_features["auth"].split()) >= {"PLAIN", "LOGIN",
                                                                "SCRAM-SHA-256"}
            smtp.user, smtp.password = ADDRESS, post.password()
            smtp.auth(method[5:].upper(), getattr(smtp, method))
            smtp.quit()
        smtp = post.smtp(login=False, tls=tls)
        smtp.ehlo("test")
        code, text = scram(smtp, ADDRESS, post.password())
        assert code == 235, (code, text)
        assert smtp.docmd("MAIL FROM:<anna@home.example>")[0] == 250
        smtp.quit()


def scram(smtp, user, password):
    """The client's side of SCRAM-SHA-256 (RFC 7677), written from the RFC; the answer to
    the proof. The server's own proof is checked on the way."""
    def decode(text):
        return dict(part.split("=", 1) for part in
                    base64.b64decode(text).decode().split(","))

    def say(text):
        return base64.b64encode(text.encode()).decode()

    bare = f"n={user},r={secrets.token_hex(12)}"
    code, first = smtp.docmd("AUTH", "SCRAM-SHA-256 " + say("n,," + bare))
    assert code == 334, first
    given = decode(first)
    assert given["r"].startswith(bare.split("r=")[1]), given
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                 base64.b64decode(given["s"]), int(given["i"]))
    final = f"c=biws,r={given['r']}"
    signed = f"{bare},{base64.b64decode(first).decode()},{final}".encode()
    key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
    code, answer = smtp.docmd(say(f"{final},p={proof}"))
    if code != 334:
        return code, answer
    server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
    assert base64.b64decode(decode(answer)["v"]) == server, "the server does not know it"
    return smtp.docmd("")


@scenario
def scram_with_a_wrong_password(post):
    """SCRAM with a wrong password is answered 535, in words."""
    smtp = post.smtp(login=False)
    smtp.ehlo("test")
    post.password()
    code, text = scram(smtp, ADDRESS, "not-the-password")
    assert code == 535 and b"password" in text, (code, text)


@scenario
def passwords_can_be_rotated(post):
    """A rotated password is another one under the same name: the old one is over."""
    old = post.password("laptop")
    new = post.run("password", "rotate", "laptop").stdout.strip()
    assert new and new != old
    refused(lambda: post.smtp(login=False).login(ADDRESS, old), 535)
    post.smtp(login=False).login(ADDRESS, new)
    names = [entry["name"] for entry in post.cli("password", "list")["passwords"]]
    assert names.count("laptop") == 1, names


@scenario
def passwords_are_kept_as_verifiers(post):
    """A password is shown once: no file holds it, and no command shows it again."""
    shown = post.password()
    post.smtp().quit()
    assert shown not in post.run("password", "list").stdout
    post.stop()
    for path in post.folder.rglob("*"):
        if path.is_file():
            assert shown.encode() not in path.read_bytes(), path


@scenario
def as_thunderbird_talks(post):
    """Thunderbird's words: an address as its name, PLAIN and then LOGIN with one wrong
    password, SIZE and DSN with the Message-ID as ENVID, two messages over one connection.
    """
    with smtp_session(post, login=False) as talk:
        talk.expect("EHLO [127.0.0.1]", 250)
        wrong = base64.b64encode(f"\0{ADDRESS}\0wrong".encode()).decode()
        talk.expect("AUTH PLAIN " + wrong, 535)
        talk.expect("AUTH LOGIN", 334)
        talk.expect(base64.b64encode(ADDRESS.encode()), 334)
        talk.expect(base64.b64encode(b"wrong"), 535)
        right = base64.b64encode(f"\0{ADDRESS}\0{post.password()}".encode()).decode()
        talk.expect("AUTH PLAIN " + right, 235)
        for number in range(2):
            ident = f"<2c1fd7c9-{number}@home.example>"
            talk.expect(f"MAIL FROM:<{ADDRESS}> BODY=8BITMIME SIZE=512 RET=FULL "
                        f"ENVID={ident}", 250)
            talk.expect("RCPT TO:<x@far.example> NOTIFY=SUCCESS,FAILURE,DELAY", 250)
            talk.expect("RCPT TO:<anna@localhost>", 250)
            talk.expect("DATA", 354)
            talk.expect(f"Message-ID: {ident}\r\nFrom: {ADDRESS}\r\nSubject: t\r\n\r\n"
                        "x\r\n.", 250)
        talk.expect("QUIT", 221)
    post.wait_for(lambda: len(post.inbox()) == 2, why="both messages")


@scenario
def login_challenges(post):
    """LOGIN asks exactly Username: and Password:, which Thunderbird insists on."""
    with smtp_session(post, login=False) as talk:
        for line, wanted in (("AUTH LOGIN", b"Username:"),
                             (base64.b64encode(ADDRESS.encode()), b"Password:")):
            answer = talk.expect(line, 334)
            assert base64.b64decode(answer[4:]) == wanted, answer
        talk.expect(base64.b64encode(post.password().encode()), 235)


@scenario
def ehlo_offers(post):
    """What EHLO offers: the promised extensions, and no CHUNKING."""
    smtp = post.smtp(login=False)
    smtp.ehlo("test")
    offered = set(smtp.esmtp_features)
    assert offered >= {"pipelining", "size", "8bitmime", "smtputf8", "enhancedstatuscodes",
                       "dsn", "starttls", "auth"}, offered
    assert "chunking" not in offered
    code, text = smtp.docmd("VRFY anna")
    assert code == 252, text
    assert smtp.docmd("HELP")[0] == 214
    smtp.quit()


@scenario(settings={"listen": {"plaintext": "no"}})
def no_plaintext_login_if_forbidden(post):
    """plaintext=no: AUTH only under TLS."""
    with smtp_session(post, login=False) as talk:
        assert b"AUTH" not in talk.expect("EHLO test", 250)
        answer = talk.ask("AUTH PLAIN AGEAYg==")
        assert answer[:3] in (b"530", b"538", b"504", b"503", b"502"), answer
    post.smtp(tls="starttls").quit()


@scenario
def passwords_can_be_revoked(post):
    """A revoked password does not work, others go on; revoking closes its live session."""
    first, second = post.password("first"), post.password("second")
    assert first != second
    talk = post.smtp(login=False)
    talk.login(ADDRESS, first)
    post.run("password", "revoke", "-y", "first")
    refused(lambda: post.smtp(login=False).login(ADDRESS, first), 535)
    post.smtp(login=False).login(ADDRESS, second)
    try:
        talk.docmd("NOOP")
        code = talk.docmd("NOOP")[0]
        assert code == 421, code
    except smtplib.SMTPServerDisconnected:
        pass
    names = [entry["name"] for entry in post.cli("password", "list")["passwords"]]
    assert "second" in names and "first" not in names, names


@scenario
def foreign_sender(post):
    """A sender that is not an identity: 550 5.7.1, with the way to change that."""
    text = refused(lambda: post.smtp().sendmail("eva@other.example", ["x@far.example"], (
        "From: eva@other.example\r\nSubject: x\r\n\r\nx\r\n")), 550)
    assert text.startswith("5.7.1"), text


@scenario
def foreign_from_header(post):
    """Every From address must be an identity; otherwise 550 5.7.1."""
    text = refused(lambda: post.smtp().sendmail(ADDRESS, ["x@far.example"], (
        "From: anna@home.example, boss@bank.example\r\nSubject: x\r\n\r\nx\r\n")), 550)
    assert text.startswith("5.7.1"), text


@scenario
def resent_from_is_checked_instead(post):
    """A resent message keeps its From; Resent-From must be an identity."""
    data = ("Resent-From: anna@home.example\r\nFrom: eva@other.example\r\n"
            "Subject: x\r\n\r\nx\r\n")
    post.smtp().sendmail(ADDRESS, ["x@far.example"], data)
    refused(lambda: post.smtp().sendmail(ADDRESS, ["x@far.example"], data.replace(
        "anna@home", "else@home")), 550)


@scenario
def null_sender(post):
    """MAIL FROM:<> is allowed with a From that is an identity."""
    post.smtp().sendmail("", ["x@far.example"],
                         "From: anna@home.example\r\nSubject: x\r\n\r\nx\r\n")
    refused(lambda: post.smtp().sendmail("", ["x@far.example"],
                                         "From: e@other.example\r\nSubject: x\r\n\r\nx\r\n"),
            550)


@scenario
def foreign_sender_to_oneself(post):
    """Mail only to local addresses may have any sender (cron, smartd)."""
    post.smtp().sendmail("root@somewhere.example", ["anna"],
                         "From: root@somewhere.example\r\nSubject: disk\r\n\r\nfull\r\n")
    assert local(post)[0]["Subject"] == "disk"


@scenario
def missing_headers_are_added(post):
    """Date and Message-ID are added, Bcc goes, one Received line comes (RFC 6409 §8)."""
    post.smtp().sendmail(ADDRESS, ["anna@localhost"], (
        "From: anna@home.example\r\nBcc: secret@far.example\r\nSubject: x\r\n\r\nx\r\n"))
    message = local(post)[0]
    assert message["Date"] and message["Message-ID"] and message["Bcc"] is None
    assert len(message.get_all("Received")) == 1
    assert "127.0.0.1" not in message["Received"], message["Received"]


@scenario
def present_headers_are_kept(post):
    """A Date and a Message-ID that are there stay as they are."""
    post.smtp().sendmail(ADDRESS, ["anna"], (
        "From: anna@home.example\r\nDate: Mon, 01 Jan 2024 10:00:00 +0100\r\n"
        "Message-ID: <own@id.example>\r\nSubject: x\r\n\r\nx\r\n"))
    message = local(post)[0]
    assert message["Message-ID"] == "<own@id.example>"
    assert str(message["Date"]) == "Mon, 01 Jan 2024 10:00:00 +0100"


@scenario
def unqualified_addresses(post):
    """Without a domain: as sender the account, as recipient the user's own INBOX."""
    with smtp_session(post) as talk:
        talk.expect("MAIL FROM:<anna>", 250)
        for name in ("anna", "root", "anna@localhost", "postmaster",
                     "root@laptop.home.example"):
            talk.expect(f"RCPT TO:<{name}>", 250)
        talk.expect("DATA", 354)
        talk.expect("From: anna\r\nSubject: to all of me\r\n\r\nx\r\n.", 250)
    assert local(post)[0]["Subject"] == "to all of me"


@scenario(root=True)
def local_senders_are_completed(internet, post):
    """Without a domain, at localhost or at the host name: to others the account writes."""
    mx = internet.mx("completed")
    for number, sender in enumerate(("anna", "root@localhost", "anna@laptop.home.example")):
        post.send(f"eva{number}@completed.example", sender=sender, data=(
            f"From: {sender}\r\nTo: eva\r\nSubject: x\r\n\r\nx\r\n").encode())
        message = mx.wait(number + 1)[number]
        assert message.sender == ADDRESS, message.sender
        assert b"\r\nFrom: anna@home.example\r\n" in message.content(), message.content()


@scenario(root=True)
def the_own_address_goes_out(internet, post):
    """Mail to one's own address at the provider goes there, not into the INBOX here."""
    mx = internet.mx("home")
    post.send(ADDRESS, "to my other self")
    assert mx.wait()[0].recipients == [ADDRESS]
    assert not post.inbox()


@scenario
def bare_line_ends(post):
    """Bare CR or LF anywhere: one 550 after the true end, and never a second message."""
    for bad in (b"one\ntwo\r\n", b"one\rtwo\r\n", b"x\r\n\n.\r\n", b"x\n.\n"):
        with smtp_session(post) as talk:
            talk.expect("MAIL FROM:<anna@home.example>", 250)
            talk.expect("RCPT TO:<anna>", 250)
            talk.expect("DATA", 354)
            talk.send(b"From: anna@home.example\r\nSubject: x\r\n\r\n" + bad + b"\r\n.\r\n")
            assert talk.reply().startswith(b"550"), bad
            talk.expect("NOOP", 250)
    assert not post.inbox()


@scenario(settings={"mail": {"max-message-size": "1M"}})
def too_large(post):
    """552 5.3.4 at MAIL SIZE=, and at the end of DATA for those who do not say it."""
    with smtp_session(post) as talk:
        answer = talk.expect("MAIL FROM:<anna@home.example> SIZE=2000000", 552)
        assert answer.startswith(b"552 5.3.4"), answer
        talk.expect("MAIL FROM:<anna@home.example>", 250)
        talk.expect("RCPT TO:<anna>", 250)
        talk.expect("DATA", 354)
        talk.send(b"From: anna@home.example\r\n\r\n" + b"x" * 78 + b"\r\n")
        for _ in range(20):
            talk.send((b"y" * 998 + b"\r\n") * 100)
        answer = talk.expect("\r\n.", 552)
        assert answer.startswith(b"552 5.3.4"), answer
        talk.expect("NOOP", 250)


@scenario
def too_many_recipients(post):
    """The 101st recipient is answered 452 4.5.3; the hundred go out."""
    post.run("pause")                   # so that they can be counted
    with smtp_session(post) as talk:
        talk.expect("MAIL FROM:<anna@home.example>", 250)
        for number in range(100):
            talk.expect(f"RCPT TO:<r{number}@far.example>", 250)
        answer = talk.expect("RCPT TO:<one-more@far.example>", 452)
        assert answer.startswith(b"452 4.5.3"), answer
        talk.expect("DATA", 354)
        talk.expect("From: anna@home.example\r\nSubject: x\r\n\r\nx\r\n.", 250)
    assert len(post.queue()[0]["recipients"]) == 100


@scenario
def accepted_while_paused(post):
    """Paused means that nothing goes out; mail is still taken."""
    post.run("pause")
    post.send("x@far.example")
    assert post.status()["state"] == "paused"
    assert post.queue()[0]["recipients"][0]["state"] in ("waiting", "held", "offline")


@scenario
def bad_commands_in_words(post):
    """Wrong order and wrong syntax are answered 503 and 501, and the session goes on."""
    with smtp_session(post) as talk:
        talk.expect("DATA", 503)
        talk.expect("RCPT TO:<a@b.example>", 503)
        talk.expect("MAIL FROM:anna@home.example", 501)
        talk.expect("MAIL FROM:<anna@home.example> FOO=BAR", 555)
        talk.expect("MAIL FROM:<anna@home.example>", 250)
        talk.expect("MAIL FROM:<anna@home.example>", 503)
        talk.expect("RCPT TO:<a b@c.example>", 501)
        talk.expect("RCPT TO:<a@b.example> NOTIFY=NEVER,SUCCESS", 501)
        talk.expect("RSET", 250)
        talk.expect("EXPLODE", 500)
        talk.expect("NOOP", 250)
        talk.expect("QUIT", 221)


@scenario
def sendmail_on_the_socket(post):
    """`sendmail -t -i -f` by the private socket: no password, recipients from the header."""
    done = subprocess.run(
        post.command("hauspost", "sendmail", "-t", "-i", "-f", ADDRESS), check=False,
        input=b"To: anna, x@far.example\nSubject: from a program\n\n.\nline\n",
        env=post.environment, capture_output=True)
    assert done.returncode == 0, done
    message = local(post)[0]
    assert message["Subject"] == "from a program" and message["Message-ID"]
    assert message.get_content().replace("\r\n", "\n").startswith(".\nline"), message
    assert post.state_of("x@far.example")


@scenario(language="de_DE.UTF-8", settings={"account": {"language": "de"}})
def german_replies_are_ascii(post):
    """German replies are German, and ASCII with ae, oe, ue, ss."""
    said = []
    with smtp_session(post) as talk:
        for line in ("HELP", "VRFY x", "DATA", "EXPLODE", "MAIL FROM:<eva@other.example>",
                     "RCPT TO:<x@y.example>", "RSET", "MAIL FROM:nix",
                     "MAIL FROM:<anna@home.example> SIZE=999999999999"):
            said.append(talk.ask(line))
    text = b"\n".join(said)
    assert max(text) < 128, text
    english = (b" the ", b"unknown command", b"not ")
    assert not all(word in text for word in english), text
    german = (b" ist ", b" nicht ", b"Befehl", b"kein", b"Absender", b"Nachricht")
    assert any(word in text for word in german), text


@scenario
def both_addresses(post):
    """SMTP answers on 127.0.0.1 and on ::1, with one certificate that names both."""
    fingerprints = set()
    for host in ("127.0.0.1", "::1"):
        sock = any_certificate().wrap_socket(post.connect("smtp-tls", host))
        fingerprints.add(sock.getpeercert(binary_form=True))
        with Conversation(sock) as talk:
            assert talk.reply().startswith(b"220")
    assert len(fingerprints) == 1


@scenario
def eight_bit_arrives_as_sent(post):
    """8-bit bodies and long lines come out of POP3 as they went in."""
    body = b"Gr\xc3\xbc\xc3\x9fe\r\n" + b"z" * 900 + b"\r\n\r\n..\r\nend \t\r\n"
    post.smtp().sendmail(ADDRESS, ["anna"], b"From: anna@home.example\r\nSubject: x\r\n\r\n" +
                         body, ["BODY=8BITMIME"])
    post.wait_for(post.inbox)
    data = post.inbox_bytes()[0]
    assert data.split(b"\r\n\r\n", 1)[1] == body, data


@scenario
def pipelined_commands(post):
    """A whole transaction in one write is answered in order (RFC 2920)."""
    with smtp_session(post) as talk:
        talk.send("MAIL FROM:<anna@home.example>\r\nRCPT TO:<anna>\r\nRCPT TO:<a@>\r\n"
                  "DATA\r\n")
        codes = [talk.reply()[:3] for _ in range(4)]
        assert codes == [b"250", b"250", b"501", b"354"], codes
        talk.send("From: anna@home.example\r\nSubject: p\r\n\r\nx\r\n.\r\nNOOP\r\nQUIT\r\n")
        codes = [talk.reply()[:3] for _ in range(3)]
        assert codes == [b"250", b"250", b"221"], codes
        assert talk.rest() == b""
    message = email.message_from_bytes(post.wait_for(post.inbox_bytes)[0],
                                       policy=email.policy.default)
    assert message["Subject"] == "p"
