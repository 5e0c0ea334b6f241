"""POP3 and the INBOX: what a client collects, and what it leaves behind."""
import base64
import poplib
import time

from conversation import Conversation
from harness import count, scenario
from instance import ADDRESS


def filled(post, number=3):
    for i in range(number):
        post.send("anna", f"m{i}", f"text {i}\r\n")
    post.wait_for(lambda: len(post.inbox_bytes()) == number)


@scenario
def a_session_in_full(post):
    """STAT, LIST, UIDL, TOP, RETR, NOOP, RSET and QUIT do what RFC 1939 says."""
    filled(post)
    pop3 = post.pop3()
    number, size = pop3.stat()
    assert number == 3
    sizes = [int(line.split()[1]) for line in pop3.list()[1]]
    assert sum(sizes) == size
    for i in range(3):
        lines = pop3.retr(i + 1)[1]
        assert sum(len(line) + 2 for line in lines) == sizes[i]
    top = b"\n".join(pop3.top(1, 0)[1])
    assert b"Subject: m0" in top and b"text 0" not in top, top
    pop3.dele(1)
    pop3.rset()
    assert pop3.stat() == (number, size)
    pop3.noop()
    pop3.quit()


@scenario
def capabilities(post):
    """CAPA offers what is promised; IMPLEMENTATION only after login."""
    pop3 = post.pop3(login=False)
    before = pop3.capa()
    assert {"TOP", "UIDL", "STLS", "SASL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE",
            "USER"} <= set(before), before
    assert "IMPLEMENTATION" not in before
    pop3.user(ADDRESS)
    pop3.pass_(post.password())
    after = pop3.capa()
    assert "IMPLEMENTATION" in after and "EXPIRE" in after and "UTF8" in after, after
    assert "STLS" not in after
    pop3.quit()


@scenario
def every_way_in(post):
    """USER/PASS and SASL PLAIN, in the clear, by STLS and by TLS."""
    for tls in (None, "starttls", "implicit"):
        post.pop3(tls=tls).quit()
    with Conversation(post.connect("pop3")) as talk:
        assert talk.line().startswith(b"+OK")
        talk.send("AUTH PLAIN\r\n")
        assert talk.line() == b"+ "
        blob = base64.b64encode(f"\0{ADDRESS}\0{post.password()}".encode())
        talk.send(blob + b"\r\n")
        assert talk.line().startswith(b"+OK")


@scenario
def wrong_password(post):
    """A wrong password: -ERR [AUTH]; the right one afterwards works."""
    pop3 = post.pop3(login=False)
    pop3.user(ADDRESS)
    try:
        pop3.pass_("wrong")
        raise AssertionError("let in")
    except poplib.error_proto as error:
        assert b"[AUTH]" in error.args[0], error
    post.pop3().quit()


@scenario
def dele_takes_effect_at_quit(post):
    """A connection that breaks deletes nothing; QUIT deletes what was marked."""
    filled(post)
    pop3 = post.pop3()
    pop3.dele(1)
    pop3.close()                        # without QUIT
    post.wait_for(lambda: len(post.inbox_bytes()) == 3)
    pop3 = post.pop3()
    pop3.dele(2)
    pop3.quit()
    assert [m["Subject"] for m in post.inbox()] == ["m0", "m2"]


@scenario
def uidl_is_for_ever(post):
    """UIDL stays the same over restarts, and is never given twice."""
    filled(post)
    pop3 = post.pop3()
    before = [line.split()[1] for line in pop3.uidl()[1]]
    pop3.dele(3)
    pop3.quit()
    post.stop()
    post.start()
    post.send("anna", "new")
    post.wait_for(lambda: len(post.inbox_bytes()) == 3)
    pop3 = post.pop3()
    after = [line.split()[1] for line in pop3.uidl()[1]]
    pop3.quit()
    assert after[:2] == before[:2] and after[2] not in before, (before, after)
    assert len(set(after)) == 3


@scenario
def one_client_at_a_time(post):
    """A second session gets [IN-USE] while the first one lasts."""
    first = post.pop3()
    try:
        post.pop3()
        raise AssertionError("two sessions")
    except poplib.error_proto as error:
        assert b"[IN-USE]" in error.args[0], error
    first.quit()
    post.wait_for(lambda: post.pop3().quit(), 10)


@scenario(settings={"mail": {"pop3-retention": "30d"}})
def retention(post):
    """Collected mail goes after the retention time, not before; uncollected stays."""
    for i in range(2):
        post.send("anna", f"m{i}")
    post.wait_for(lambda: len(subjects(post)) == 2)
    pop3 = post.pop3()
    pop3.retr(1)
    pop3.quit()
    assert pop3_expire(post) == ["30"]
    post.move_clock(29 * 86400)
    post.run("mailbox", "cleanup", "-y")
    assert len(subjects(post)) == 2
    post.run("mailbox", "cleanup", "--dry-run")
    assert len(subjects(post)) == 2
    post.move_clock(2 * 86400)          # then it goes without being asked
    post.wait_for(lambda: subjects(post) == ["m1"])


def subjects(post):
    """Subjects by TOP, which does not collect; of what is not deleted while it looks."""
    pop3 = post.pop3()
    found = []
    for i in range(pop3.stat()[0]):
        try:
            head = b"\n".join(pop3.top(i + 1, 0)[1])
        except poplib.error_proto as reason:
            assert b"deleted this message meanwhile" in reason.args[0], reason
            continue
        found.append(head.split(b"Subject: ")[1].split(b"\n")[0].decode())
    pop3.quit()
    return found


def pop3_expire(post):
    pop3 = post.pop3()
    found = pop3.capa()["EXPIRE"]
    pop3.quit()
    return found


@scenario(tree="plain", seconds=300)
def a_large_inbox(post):
    """A large INBOX opens in a moment, and UIDL and LIST stream."""
    total = count(500, 100000)
    with post.smtp() as smtp:
        for i in range(total):
            smtp.sendmail(ADDRESS, ["anna"], f"From: {ADDRESS}\r\nSubject: {i}\r\n\r\nx\r\n")
    post.wait_for(lambda: not post.queue(), 120)
    pop3 = post.pop3()
    start = time.monotonic()
    assert pop3.stat()[0] == total
    assert len(pop3.uidl()[1]) == total and len(pop3.list()[1]) == total
    assert time.monotonic() - start < 10
    pop3.quit()


@scenario
def mailbox_commands(post):
    """`mailbox list` and `mailbox size` tell what is there."""
    filled(post)
    boxes = post.cli("mailbox", "list")["mailboxes"]
    inbox = next(box for box in boxes if box["name"].upper() == "INBOX")
    assert inbox["messages"] == 3, inbox
    assert "INBOX" in post.run("mailbox", "size").stdout.upper()


@scenario
def lines_of_dots(post):
    """Lines that begin with dots come out as they went in."""
    body = ".\r\n..\r\n...x\r\n"
    post.send("anna", "dots", body)
    post.wait_for(post.inbox_bytes)
    assert post.inbox_bytes()[0].endswith(b"\r\n\r\n" + body.encode())
