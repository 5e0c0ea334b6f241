"""What is lost is said, what is left stays readable, and nothing is deleted."""
import subprocess

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
