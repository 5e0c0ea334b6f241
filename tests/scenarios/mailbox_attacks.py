"""Hostile mail and hostile commands by IMAP, and a store that is damaged."""
import contextlib
import os
import pathlib
import re
import sqlite3
import threading
import time

from conversation import Conversation, ImapTalk
from harness import Skip, count, scenario
from mailboxes import fill, good, mail, uids


def memory(post, what="VmRSS"):
    """Mebibytes of the daemon."""
    text = pathlib.Path(f"/proc/{post.process.pid}/status").read_text(encoding="ascii")
    return int(text.split(what + ":")[1].split()[0]) / 1024


def nested(depth):
    parts = [f"Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n"
             for i in range(depth)]
    return "".join(parts) + "\r\ninnermost\r\n" + "".join(
        f"--b{i}--\r\n" for i in reversed(range(depth)))


def hostile():
    """{what: message}"""
    head = "From: eva@far.example\r\nMIME-Version: 1.0\r\n"
    mixed = head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    messages = {
        "20,000 levels": head + nested(count(2000, 20000)),
        "300,000 parts": mixed + "--b\r\n\r\n\r\n" * count(30000, 300000) + "--b--\r\n",
        "messages in messages": head + "Content-Type: message/rfc822\r\n\r\n" * 5000,
        "a header of megabytes": f"Subject: {'x' * (count(2, 20) << 20)}\r\n\r\nbody\r\n",
        "folded for ever": "Subject: a\r\n" + " b\r\n" * count(100000, 500000) + "\r\nbody\r\n",
        "500,000 fields": "".join(f"X-{i}: y\r\n" for i in range(count(50000, 500000))) + "\r\n",
        "300,000 addresses": "To: " + ",\r\n ".join(
            f"a{i}@x.example" for i in range(count(30000, 300000))) + "\r\n\r\nbody\r\n",
        "groups in groups": "To: " + "g: " * 40000 + ";" * 40000 + "\r\n\r\nbody\r\n",
        "comments in comments": "From: " + "(" * 1000000 + "\r\n\r\nbody\r\n",
        "a comment that ends in a backslash": "From: a@b.example (x\\\r\n\r\nbody\r\n",
        "100,000 parameters": head + "Content-Type: text/plain" + "".join(
            f";\r\n x*{i}=y" for i in range(count(10000, 100000))) + "\r\n\r\nbody\r\n",
        "one parameter in many pieces": head + "Content-Type: text/plain" + "".join(
            f"; name*{i}*=%41" for i in range(10000)) + "\r\n\r\nbody\r\n",
        "encoded words without end": "Subject: " + "=?utf-8?q?=C3=BC?= " * 50000 + "\r\n\r\n",
        "a boundary of 100,000 letters": head + "Content-Type: multipart/mixed; boundary=" +
        "b" * 100000 + "\r\n\r\n--" + "b" * 100000 + "\r\n\r\nx\r\n",
        "a million boundaries that are none": mixed + "--b-\r\n" * 200000,
        "references without end": "References: " + "<a@b> " * 100000 + "\r\n\r\nbody\r\n",
    }
    return {name: text.encode() for name, text in messages.items()}


@scenario(tree="plain", seconds=240)
def hostile_mail(post):
    """C17: hostile MIME is kept byte for byte; its structure is there at once, in little
    memory, other sessions unaffected.
    """
    talk, other = ImapTalk(post), ImapTalk(post)
    talk.ok("SELECT INBOX")
    slowest = 0.0
    ended = threading.Event()

    def watch():
        nonlocal slowest
        while not ended.is_set():
            start = time.monotonic()
            other.ok("NOOP")
            slowest = max(slowest, time.monotonic() - start)
            time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        for number, (name, data) in enumerate(hostile().items(), 1):
            said = talk.append("INBOX", data)
            assert said.startswith(b"OK"), (name, said)
            start = time.monotonic()
            for items in ("ENVELOPE BODYSTRUCTURE PREVIEW", "ENVELOPE BODY"):
                untagged = talk.ok(f"FETCH {number} ({items})")
                assert any(b"BODY" in line for line in untagged), name
            assert time.monotonic() - start < 3, (name, time.monotonic() - start)
            line = next(line for line in talk.ok(f"FETCH {number} (BODY.PEEK[])")
                        if b"BODY[]" in line)
            assert data in line and b"{%d}" % len(data) in line, name
        start = time.monotonic()
        talk.ok("SEARCH TEXT nothing-like-it")
        talk.ok("SORT (SUBJECT FROM DATE) UTF-8 ALL")
        talk.ok("THREAD REFERENCES UTF-8 ALL")
        assert time.monotonic() - start < 60
    finally:
        ended.set()
        thread.join()
    assert slowest < 3, slowest
    assert memory(post, "VmHWM") < 300, memory(post, "VmHWM")
    post.pop3().quit()


@scenario(tree="plain")
def headers_without_end(post):
    """C17: messages that are all header are fetched one after the other, not all in memory."""
    talk = ImapTalk(post)
    size = count(4, 20) << 20
    assert talk.append("INBOX", b"X-Pad: aaaaaaaaaaaaaaaaaaaaa\r\n" * (size // 30)).startswith(b"OK")
    talk.ok("SELECT INBOX")
    for _ in range(5):
        talk.ok("COPY 1:* INBOX")
    before = memory(post, "VmHWM")
    said = talk.ok("FETCH 1:* (UID BODY.PEEK[HEADER])")
    assert sum(len(line) for line in said) > 32 * (size - 30)
    grown = memory(post, "VmHWM") - before
    assert grown < 8 * size >> 20, grown


@scenario
def guessed_passwords(post):
    """C15: wrong passwords get slower and are cut off; a right one elsewhere is not slowed."""
    took, said = [], b"NO"
    with ImapTalk(post, login=False) as talk:
        while said.startswith(b"NO"):
            start = time.monotonic()
            said = talk.command("LOGIN anna@home.example wrong")[1]
            took.append(time.monotonic() - start)
            assert not said.startswith(b"OK") and len(took) < 20
            start = time.monotonic()
            ImapTalk(post).ok("LOGOUT")
            assert time.monotonic() - start < 3, "others are slowed"
    assert 3 <= len(took) <= 7, took
    assert took[:3] == sorted(took[:3]), took


@scenario
def wrong_order(post):
    """C16: commands in the wrong state are refused and change nothing."""
    before = ("SELECT INBOX", "LIST \"\" *", "STATUS INBOX (MESSAGES)", "CREATE x", "IDLE",
              "ENABLE QRESYNC", "NAMESPACE", "FETCH 1 FLAGS", "EXPUNGE", "CLOSE", "UID FETCH 1 UID")
    unselected = ("FETCH 1 FLAGS", "STORE 1 FLAGS ()", "EXPUNGE", "CLOSE", "UNSELECT",
                  "SEARCH ALL", "COPY 1 INBOX", "UID MOVE 1 INBOX", "SORT (DATE) UTF-8 ALL")
    for login, commands in ((False, before), (True, unselected), (True, ("STARTTLS", (
            "LOGIN a b"), "AUTHENTICATE PLAIN"))):
        for command in commands:
            with ImapTalk(post, login) as talk:
                assert not talk.refused(command, b"BAD").startswith(b"OK")
                talk.ok("NOOP")
    with ImapTalk(post) as talk:            # a SELECT that fails leaves none selected
        talk.ok("SELECT INBOX")
        talk.refused("SELECT nowhere")
        talk.refused("FETCH 1 FLAGS", b"BAD")
    names = [box["name"] for box in post.cli("mailbox", "list")["mailboxes"]]
    assert "x" not in names


@scenario
def terminated_during_idle(post):
    """C40: SIGTERM while clients are in IDLE and in APPEND: BYE or a closed connection, exit 0
    within 10 s, nothing half is kept.
    """
    idle, half = ImapTalk(post), ImapTalk(post)
    idle.ok("SELECT INBOX")
    idle.idle()
    half.send(b"a APPEND INBOX {100000+}\r\nSubject: half\r\n\r\n")
    start = time.monotonic()
    post.stop(10)
    assert time.monotonic() - start < 10
    said = idle.rest()
    assert said == b"" or b"* BYE" in said, said
    post.start()
    assert good(post.imap().select()) == [b"0"]


@scenario
def literals(post):
    """C18: literals of impossible sizes are refused before they are read; no memory is taken."""
    before = memory(post)
    for login in (False, True):
        for size in ("4294967296", "18446744073709551616", "99999999999999999999999", "-1",
                     "1 ", "", "0x10", "99999999"):
            for plus in ("", "+"):
                for start in ("LOGIN anna ", "APPEND INBOX ", "SELECT ", "SEARCH SUBJECT "):
                    with ImapTalk(post, login) as talk:
                        talk.begin(f"{start}{{{size}{plus}}}")
                        talk.sock.settimeout(20)
                        said = talk.reply()
                        assert re.match(rb"t\d+ (BAD|NO)|\* BYE", said), (start, size, plus, said)
    assert memory(post) - before < 64, (before, memory(post))
    with ImapTalk(post) as talk:
        talk.begin("APPEND INBOX {0}")
        assert re.match(rb"t\d+ (BAD|NO)", talk.reply())
        talk.ok("NOOP")


@scenario(tree="plain", seconds=180)
def floods_before_login(post):
    """C19: 10 MB without a line end, brackets, literals and AUTH data before login: cut off,
    in little memory.
    """
    before = memory(post)
    floods = (b"A" * (10 << 20), b"a LOGIN " + b"(" * 100000 + b"\r\n", b"a LIST " * 100000,
              b"a LOGIN " + b"{3+}\r\nabc " * 10000 + b"\r\n",
              b"a AUTHENTICATE PLAIN " + b"A" * (1 << 20) + b"\r\n",
              b"a AUTHENTICATE PLAIN\r\n" + b"A" * (1 << 20) + b"\r\n",
              b"x\r\n" * 100000, b"a NOOP\r\n" * 10)
    for flood in floods:
        talk = Conversation(post.connect("imap"), 10)
        assert talk.line().startswith(b"* OK")
        try:
            talk.send(flood)
            talk.send(b"\r\nz LOGOUT\r\n")
        except OSError:
            pass
        answer = talk.rest()
        assert len(answer) < 65536, (flood[:20], len(answer))
        assert b"a OK" not in answer or flood.startswith(b"a NOOP"), answer[:200]
        talk.close()
    assert memory(post) - before < 16, (before, memory(post))
    ImapTalk(post).ok("SELECT INBOX")


@scenario
def names_of_mailboxes(post):
    """C22: no name of a mailbox reaches the file system; impossible ones are refused."""
    before = set(post.folder.rglob("*"))
    with ImapTalk(post) as talk:
        assert talk.append("INBOX", mail("m")).startswith(b"OK")
        for name in (b'"../x"', b'"/etc/x"', b'"a/../b"', b'"~"', b'"~root/x"', b'"."', b'".."',
                     b'"a/./b"', b'"x/../../../../etc/passwd"', b'"con"', b'"a\\\\b"'):
            said = talk.command(b"CREATE " + name)[1]
            assert said[:2] in (b"OK", b"NO"), (name, said)
            if said.startswith(b"OK"):
                assert talk.append(name.decode(), mail("inside")).startswith(b"OK")
                talk.ok(b"RENAME " + name + b' "renamed"')
                talk.ok(b"DELETE renamed")
    impossible = (b'""', b'"a//b"', b'"a\x01b"', b'"a\x7fb"', b'"&"', b'"&AA"', b'"&Jjo!"',
                  b'"&U,BTFw-&ZeVnLIqe-"', b'"\xff\xfe"', b'"' + b"x" * 10240 + b'"',
                  b'"' + b"/".join([b"l"] * 200) + b'"', b"{3}\r\na\0b", b"{3+}\r\na\rb",
                  b"{3+}\r\na\nb")
    for name in impossible:
        with ImapTalk(post) as talk:
            said = talk.command(b"CREATE " + name)[1]
            assert said == b"" or said.startswith((b"BAD", b"NO")), (name[:50], said)
    for path in set(post.folder.rglob("*")) - before:
        where = path.relative_to(post.folder).parts[0]
        assert where in ("data", "state", "cache", "run", "log"), path
    assert not pathlib.Path("/etc/x").exists() and not (post.data / "x").exists()


@scenario
def strange_bytes(post):
    """C33: NUL, 8-bit, lone CR, no header, no body, an mbox line: kept byte for byte or
    refused with a reason; nothing that reads them stumbles.
    """
    strange = {
        "NUL": b"Subject: a\0b\r\n\r\nc\0d\r\n", "8-bit": b"Subject: \xff\xfe\r\n\r\n\x80\x81\r\n",
        "lone CR": b"Subject: a\rb\r\n\r\nc\rd\r\r\n", "lone LF": b"Subject: a\n\nb\nc",
        "no header": b"\r\nonly a body\r\n", "no field": b"just text\r\nmore\r\n",
        "only header": b"Subject: alone\r\n", "one byte": b"x", "a line end": b"\r\n",
        "mbox": b"From eva@x.example Tue Nov 24 10:00:00 2026\r\nSubject: s\r\n\r\nb\r\n",
        "no end": b"Subject: x\r\n\r\nno line end", "colon": b": \r\n:\r\n\r\n",
        "space first": b" folded\r\nSubject: x\r\n\r\n", "all": bytes(range(256)) * 10,
        "surrogates": b"Subject: =?utf-8?q?=ED=A0=80?=\r\n\r\n\xed\xa0\x80\r\n",
        "U+202E": "Subject: a\u202eb\r\nFrom: \u202e@x\r\n\r\n".encode()}
    kept = []
    with ImapTalk(post) as talk:
        for name, data in strange.items():
            said = talk.append("INBOX", data)
            assert said.startswith((b"OK", b"NO")), (name, said)
            if said.startswith(b"OK"):
                kept.append(data)
            else:
                assert len(said.split()) > 4, (name, said)
        said = talk.append("INBOX", b"")
        assert said.startswith(b"NO"), said
        talk.ok("SELECT INBOX")
        for number, data in enumerate(kept, 1):
            untagged = talk.ok(f"FETCH {number} (RFC822.SIZE BODY.PEEK[])")
            assert any(b"{%d}\r\n%s" % (len(data), data) in line for line in untagged), data
            talk.ok(f"FETCH {number} (ENVELOPE BODYSTRUCTURE PREVIEW BODY.PEEK[HEADER] "
                    "BODY.PEEK[1] BODY.PEEK[1.MIME] BODY.PEEK[TEXT]<1.3>)")
        talk.ok("SEARCH OR TEXT b SUBJECT a")
        talk.ok("SORT (FROM TO CC SUBJECT DATE ARRIVAL SIZE) UTF-8 ALL")
        talk.ok("THREAD REFERENCES UTF-8 ALL")
        talk.ok("THREAD ORDEREDSUBJECT UTF-8 ALL")
    pop3 = post.pop3()
    assert pop3.stat()[0] == len(kept)
    for number in range(1, len(kept) + 1):
        pop3.top(number, 1)
        pop3.retr(number)
    pop3.quit()


@scenario(tree="plain", seconds=240)
def many_large_messages_at_once(post):
    """C38: many large APPENDs at once go through memory in small pieces; what was answered OK
    is whole.
    """
    size = count(10, 40) << 20              # max-message-size is 50 MB
    data = b"Subject: large\r\n\r\n" + os.urandom(1 << 16).hex().encode() * (size >> 17)
    talks = [ImapTalk(post) for _ in range(count(10, 50))]
    said = []

    def append(talk):
        try:
            said.append(talk.append("INBOX", data))
        except OSError as error:
            said.append(repr(error).encode())

    threads = [threading.Thread(target=append, args=[talk]) for talk in talks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == len(threads), said
    assert all(answer.startswith((b"OK", b"NO")) for answer in said), said
    assert any(answer.startswith(b"OK") for answer in said), said
    assert memory(post, "VmHWM") < 300, memory(post, "VmHWM")
    imap = post.imap()
    whole = sum(answer.startswith(b"OK") for answer in said)
    assert good(imap.select()) == [b"%d" % whole]
    assert good(imap.fetch("1", "(BODY.PEEK[])"))[0][1] == data


# --- C39: a damaged store ---------------------------------------------------------------


def stopped_with(post, number):
    """NUMBER messages in INBOX, the daemon stopped."""
    fill(post.imap(), number)
    post.stop()
    return post.data / "mail.db"


def readable(post, box="INBOX"):
    """How many messages of a mailbox can be read in full."""
    imap = post.imap()
    if imap.select(box, readonly=True)[0] != "OK":
        return 0
    found = [imap.uid("FETCH", uid, "(BODY.PEEK[])") for uid in uids(imap)]
    return sum(answer[0] == "OK" and isinstance(answer[1][0], tuple) and
               b"Subject: m" in answer[1][0][1] for answer in found)


def pages_of(path):
    """{table or index: numbers of its pages}"""
    with contextlib.closing(sqlite3.connect(path)) as db:
        found = {}
        for name, page in db.execute("SELECT name, pageno FROM dbstat"):
            found.setdefault(name, []).append(page)
    return found


def damage(post, path, data):
    """DATA instead of the database."""
    path.write_bytes(bytes(data))
    for name in ("mail.db-wal", "mail.db-shm"):
        (post.data / name).unlink(missing_ok=True)


@scenario
def damaged_database(make):
    """C39: with bad pages in mail.db what is intact can be read, and the answer to a change
    says what is wrong; where nothing can be found any more, the start is refused with the
    way out, and --repair brings the mail back. Nothing is deleted.
    """
    post = make()
    post.setup()
    post.start()
    path = stopped_with(post, 40)
    whole = path.read_bytes()
    try:
        owners = pages_of(path)
    except sqlite3.OperationalError as error:
        raise Skip(str(error)) from error
    for table in ("content", "entry_content", "summary", "entry_collected", "message_id",
                  "subscription", "annotation", "sqlite_autoindex_mailbox_1"):
        broken = bytearray(whole)
        for page in owners[table]:
            broken[(page - 1) * 4096:page * 4096] = b"\xa5" * 4096
        damage(post, path, broken)
        post.start()
        with ImapTalk(post) as talk:
            said = talk.append("INBOX", mail("new"))
            assert said.startswith(b"OK") or b"damaged" in said, (table, said)
        assert readable(post) == 40, (table, readable(post))
        post.stop()
        assert path.stat().st_size >= len(broken), table

    broken = bytearray(whole)
    for page in owners["entry"]:
        broken[(page - 1) * 4096:page * 4096] = b"\xa5" * 4096
    for data in (broken, whole[:len(whole) // 8192 * 4096]):
        damage(post, path, data)
        if data is broken:
            status = post.launch().wait(40)
            post.process = None
            assert status not in (0, -6, -11) and "hauspostd --repair" in post.log(), \
                (status, post.log()[-1000:])
        else:
            post.start()
            assert good(post.imap().select(readonly=True)) == [b"40"], post.log()[-1000:]
            post.stop()
        post.launch(None, "--repair").wait(60)
        post.process = None
        post.start()
        found = readable(post) + readable(post, "Recovered")
        if data is broken:
            assert found == 40, (found, post.log()[-1000:])
        else:                               # what was cut off is lost, and is shown as lost
            imap = post.imap()
            assert good(imap.select(readonly=True)) == [b"40"], post.log()[-1000:]
            assert good(imap.fetch("40", "(BODY.PEEK[])"))[0][1]
        post.stop()
        assert any(other.read_bytes()[:len(data)] == bytes(data) or
                   other.stat().st_size >= len(data) for other in post.data.glob("mail.db?*")), \
            "the damaged file is not kept"


@scenario
def newer_store(make):
    """C39: a database of a newer program is refused, with the reason, and not touched."""
    post = make()
    post.setup()
    post.start()
    path = stopped_with(post, 2)
    with sqlite3.connect(path) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute("PRAGMA user_version = 999")
    db.close()
    before = path.read_bytes()
    process = post.launch()
    status = process.wait(30)
    post.process = None
    assert status not in (0, -6, -11), status
    assert "newer" in post.log(), post.log()[-1000:]
    assert path.read_bytes() == before
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {version}")
    db.close()
    post.start()
    assert readable(post) == 2


@scenario
def lost_message_file(post):
    """C39: a message whose file is gone shows as a placeholder that says so; the others are
    whole.
    """
    imap = post.imap()
    good(imap.append("INBOX", None, None, mail("large", ("z" * 78 + "\r\n") * 5000)))
    fill(imap, 2)
    files = [path for path in (post.data / "messages").rglob("*") if path.is_file()]
    assert files, "a large message has no file"
    post.stop()
    for path in files:
        path.unlink()
    post.start()
    imap = post.imap()
    good(imap.select())
    answer = imap.fetch("1", "(BODY.PEEK[])")
    if answer[0] == "OK" and isinstance(answer[1][0], tuple):
        assert b"z" * 78 not in answer[1][0][1] and len(answer[1][0][1]) > 50, answer
    else:
        assert answer[0] == "NO", answer
    assert good(imap.fetch("2", "(BODY.PEEK[])"))[0][1].endswith(b"text 0\r\n")
    assert len(uids(imap)) == 3, "something was deleted"
