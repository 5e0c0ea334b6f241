"""What is lost is said, what is left stays readable, and nothing is deleted."""
import imaplib
import random
import re
import subprocess
import threading
import time

from harness import scenario
from mailboxes import fill, good, mail, uids


def file_of_a_message(post):
    return next(path for path in (post.data / "messages").glob("??/*") if path.is_file())


@scenario
def a_lost_file_shows_as_a_message_that_says_so(post):
    """A message whose file is gone is shown with its Subject and a text that says so; check names it."""
    imap = post.imap()
    fill(imap, 2)
    good(imap.append("INBOX", None, None, mail("large", "x" * 70 + "\r\n" * 2 + "y\r\n" * 60000)))
    assert post.run("check").returncode == 0
    file_of_a_message(post).unlink()
    good(imap.select())
    data = good(imap.fetch("3", "(BODY[])"))
    assert b"cannot be shown" in data[0][1] and b"Subject: large" in data[0][1], data
    text = good(imap.fetch("3", "(BODY[TEXT])"))
    assert b"deleted nothing" in text[0][1], text
    assert b"text 0" in good(imap.fetch("1", "(BODY[])"))[0][1]
    found = post.run("check", check=False)
    assert found.returncode == 7 and "INBOX, message 3" in found.stdout, found
    assert len(uids(imap)) == 3


@scenario
def a_damaged_database_opens_for_reading(post):
    """With half a mail.db intact mail is read, writing is refused; --repair makes it writable again."""
    imap = post.imap()
    for i in range(40):
        good(imap.append("INBOX", None, None, mail(f"m{i}", f"{i}\r\n" * 5000)))
    good(imap.select())
    before = good(imap.status("INBOX", "(UIDVALIDITY UIDNEXT)"))[0]
    imap.logout()
    post.stop()
    path = post.data / "mail.db"
    with open(path, "r+b") as database:
        database.truncate(path.stat().st_size // 2 // 4096 * 4096)
    post.start()
    imap = post.imap()
    good(imap.select(readonly=True))
    assert b"Subject: m0" in good(imap.fetch("1", "(BODY[])"))[0][1]
    assert imap.append("INBOX", None, None, mail("new"))[0] == "NO"
    refused = post.run("repair", check=False)
    assert refused.returncode != 0 and "--repair" in refused.stderr, refused
    imap.logout()
    post.stop()
    done = subprocess.run(post.command("hauspostd", "--repair"), env=post.environment,
                          check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 7), done
    assert list(post.data.glob("mail.db.damaged-*"))
    post.start()
    imap = post.imap()
    good(imap.select())
    after = good(imap.status("INBOX", "(UIDVALIDITY UIDNEXT)"))[0]
    assert before.split(b"UIDVALIDITY ")[1].split()[0].rstrip(b")") == \
        after.split(b"UIDVALIDITY ")[1].split()[0].rstrip(b")"), (before, after)
    assert b"Subject: m0" in good(imap.fetch("1", "(BODY[])"))[0][1]
    good(imap.append("INBOX", None, None, mail("new")))


@scenario
def mailboxes_by_the_command_line(post):
    """`mailbox create`, `rename` and `delete` are seen by IMAP; wrong ones are refused."""
    post.run("mailbox", "create", "Büro/2026")
    imap = post.imap()
    assert good(imap.select('"B&APw-ro/2026"')) == [b"0"]
    post.run("mailbox", "rename", "Büro", "Arbeit")
    assert good(imap.status("Arbeit/2026", "(MESSAGES)"))
    refused = post.run("mailbox", "delete", "-y", "INBOX", check=False)
    assert refused.returncode != 0 and "INBOX" in refused.stderr, refused
    post.run("mailbox", "delete", "-y", "Arbeit/2026")
    assert "Arbeit/2026" not in [box["name"] for box in post.cli("mailbox", "list")["mailboxes"]]
    other = post.imap()
    assert other.select("Arbeit/2026")[0] == "NO"


@scenario(settings={"mail": {"trash-retention": "10d"}})
def trash_is_emptied(post):
    """Mail goes from Trash after the retention, counted from when it came there."""
    imap = post.imap()
    fill(imap, 2)
    good(imap.select())
    good(imap.uid("MOVE", "1", "Trash"))
    post.move_clock(9 * 86400)
    post.run("mailbox", "cleanup", "-y")
    assert b"(MESSAGES 1)" in good(imap.status("Trash", "(MESSAGES)"))[0]
    post.move_clock(2 * 86400)
    post.run("mailbox", "cleanup", "-y")
    assert b"(MESSAGES 0)" in good(imap.status("Trash", "(MESSAGES)"))[0]
    assert good(imap.select()) == [b"1"]


def numbers(imap):
    said = good(imap.status("INBOX", "(UIDVALIDITY UIDNEXT HIGHESTMODSEQ)"))[0]
    return [int(re.search(word + rb" (\d+)", said)[1])
            for word in (b"UIDVALIDITY", b"UIDNEXT", b"HIGHESTMODSEQ")]


def work(imap, book, chance):
    """Appends, flags and expunges until the connection breaks; BOOK holds what was answered."""
    try:
        while True:
            said = good(imap.append("INBOX", None, None, mail(str(chance.random()))))[0]
            uid = int(re.search(rb"APPENDUID \d+ (\d+)", said)[1])
            book[uid] = "there"
            good(imap.uid("STORE", str(uid), "+FLAGS", r"(\Flagged)"))
            book[uid] = "flagged"
            if chance.random() < 0.3:
                book[uid] = "unknown"
                good(imap.uid("STORE", str(uid), "+FLAGS", r"(\Deleted)"))
                good(imap.uid("EXPUNGE", str(uid)))
                book[uid] = "gone"
    except (OSError, imaplib.IMAP4.abort, imaplib.IMAP4.error, AssertionError):
        pass


@scenario(tree="plain")
def killed_around_imap(post):
    """C6: kill -9 around APPEND, STORE and EXPUNGE: what was answered holds, and no number goes back."""
    chance = random.Random(7)
    book, before = {}, [0, 0, 0]
    for _ in range(8):
        imap = post.imap()
        good(imap.select())
        thread = threading.Thread(target=work, args=(imap, book, chance))
        thread.start()
        time.sleep(chance.uniform(0.05, 0.4))
        post.kill9()
        thread.join()
        post.start()
        imap = post.imap()
        after = numbers(imap)
        assert before[0] in (0, after[0]) and after[1:] >= before[1:], (before, after)
        assert after[2] >= before[2], (before, after)
        assert after[1] > max(book, default=0), (after, max(book, default=0))
        before = after
        good(imap.select())
        there = {int(uid) for uid in uids(imap)}
        flagged = {int(uid) for uid in good(imap.uid("SEARCH", "FLAGGED"))[0].split()}
        for uid, state in book.items():
            assert state == "unknown" or (uid in there) == (state != "gone"), (uid, state)
            assert state != "flagged" or uid in flagged, uid
        imap.logout()
    assert "gone" in book.values() and "flagged" in book.values(), book
    assert post.run("check", "--full").returncode == 0
