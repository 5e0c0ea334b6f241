"""Mail programs that people use, by IMAP: each does its everyday work with the daemon."""
import fcntl
import mailbox
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time

from harness import Skip, scenario
from instance import ADDRESS, NAME
from mailboxes import fill, good, mail


def play(post, *words, check=True):
    """Runs a program beside the daemon, at home in its folder; what it said."""
    if shutil.which(words[0]) is None:
        raise Skip(f"{words[0]} is not installed")
    inside = post.namespace.command(*words) if post.namespace else list(map(str, words))
    environment = {**post.environment, "TERM": "xterm"}
    done = subprocess.run(inside, env=environment, check=False, timeout=90, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, cwd=post.folder,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout
    if check and done.returncode != 0:
        raise AssertionError(f"{words[0]} ended with {done.returncode}:\n{said[-3000:]}")
    return said


class Terminal:
    """A program in a terminal of 120 columns: keys go in, and one waits for what it shows."""

    def __init__(self, post, *words):
        if shutil.which(words[0]) is None:
            raise Skip(f"{words[0]} is not installed")
        self.master, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        command = post.namespace.command(*words) if post.namespace else list(map(str, words))
        self.process = subprocess.Popen(
            command, stdin=inside, stdout=inside, stderr=inside, cwd=post.folder,
            env={**post.environment, "TERM": "xterm"}, start_new_session=True)
        os.close(inside)

    def read(self, until, what):
        """Reads until UNTIL says yes of all that was shown; WHAT it is that one waits for."""
        shown, end = b"", time.monotonic() + 30
        while not until(re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", shown)):
            ready = select.select([self.master], [], [], max(0, end - time.monotonic()))[0]
            assert ready, f"{what} within 30 s: {shown[-4000:]}"
            try:
                shown += os.read(self.master, 65536)
            except OSError:             # EIO: nobody holds the other end any more
                return shown
        return shown

    def press(self, keys, then):
        """Presses keys and waits until THEN is shown."""
        os.write(self.master, keys.encode())
        self.read(lambda shown: then.encode() in shown, f"{then} is not shown after {keys!r}")

    def finish(self):
        """Waits until it has ended by itself, without a complaint."""
        try:
            shown = self.read(lambda shown: False, "it has not ended")
            result = self.process.wait(10)
            assert result == 0, f"it ended with {result}: {shown[-4000:]}"
        finally:
            self.close()

    def close(self):
        """Ends it if it has not ended."""
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.master)


def settings(post, name, text):
    """A file of settings that only its owner can read."""
    path = post.folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def subjects(imap, box="INBOX"):
    """{subject: flags} of a mailbox. One FETCH for all, as another session may expunge meanwhile."""
    good(imap.select(box))
    found = {}
    for part in good(imap.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")):
        if isinstance(part, tuple):
            head, data = part
            found[data.decode().split(": ", 1)[1].strip()] = \
                head.decode().split("FLAGS (")[1].split(")")[0].split()
    imap.unselect()
    return found


def maildir(path):
    """{subject: flags} of a Maildir."""
    return {message["Subject"]: message.get_flags()
            for message in mailbox.Maildir(path, create=False)}


# --- mbsync ---------------------------------------------------------------------------


def mbsync(post):
    near = post.folder / "near"
    near.mkdir(exist_ok=True)
    path = settings(post, "mbsyncrc", f"""
IMAPAccount post
Host 127.0.0.1
Port {post.ports["imap"]}
User {ADDRESS}
Pass {post.password()}
SSLType None
AuthMechs LOGIN PLAIN

IMAPStore far
Account post

MaildirStore near
Path {near}/
Inbox {near}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns * !Outbox
Create Both
Remove Both
Expunge Both
CopyArrivalDate yes
SyncState *
""")
    play(post, "mbsync", "-c", path, "-a")
    return near


@scenario(seconds=180)
def mbsync_both_ways(post):
    """mbsync carries new mail, flags, deletions and mailboxes both ways, conflicts too."""
    imap = post.imap()
    fill(imap, 6)
    good(imap.create("Entw&APw-rfe"))
    good(imap.append("Entw&APw-rfe", None, None, mail("draft")))
    near = mbsync(post)
    assert set(maildir(near / "INBOX")) == {f"m{i}" for i in range(6)}
    drafts = next(path for path in near.iterdir() if path.name.startswith("Entw"))
    assert set(maildir(drafts)) == {"draft"}

    box = mailbox.Maildir(near / "INBOX")
    for key, message in list(box.items()):
        subject = message["Subject"]
        if subject == "m0":                 # read here, answered there
            message.add_flag("S")
            box[key] = message
        elif subject == "m1":               # flagged here, erased there
            message.add_flag("F")
            box[key] = message
        elif subject == "m2":               # erased here, flagged there
            message.add_flag("T")
            box[key] = message
        elif subject == "m3":               # erased in both
            message.add_flag("T")
            box[key] = message
    box.add(mail("new here"))
    good(imap.select())
    good(imap.store("1", "+FLAGS", r"(\Answered)"))
    good(imap.store("2,4", "+FLAGS", r"(\Deleted)"))
    good(imap.store("3", "+FLAGS", r"(\Flagged)"))
    good(imap.expunge())
    good(imap.append("INBOX", None, None, mail("new there")))
    good(imap.delete("Entw&APw-rfe"))
    good(imap.create("Neu"))
    mbsync(post)
    mbsync(post)

    here, there = maildir(near / "INBOX"), subjects(imap)
    assert set(here) == set(there) == {"m0", "m4", "m5", "new here", "new there"}, (here, there)
    assert set(here["m0"]) == {"R", "S"}, here
    assert {r"\Answered", r"\Seen"} <= set(there["m0"]), there
    assert not (near / "Entwürfe").exists() and (near / "Neu").exists()
    good(imap.select())
    assert good(imap.status("INBOX", "(UIDNEXT)"))[0].endswith(b"(UIDNEXT 9)")


@scenario(seconds=180)
def mbsync_after_a_restart(post):
    """Nothing comes twice when the daemon was killed between two runs of mbsync."""
    imap = post.imap()
    fill(imap, 4)
    near = mbsync(post)
    post.kill9()
    post.start()
    imap = post.imap()
    good(imap.append("INBOX", None, None, mail("later")))
    mbsync(post)
    assert sorted(m["Subject"] for m in mailbox.Maildir(near / "INBOX")) == \
        ["later", "m0", "m1", "m2", "m3"]
    assert len(subjects(imap)) == 5 and good(imap.select()) == [b"5"]


# --- mutt and neomutt -----------------------------------------------------------------


def muttrc(post, name):
    header_cache = post.folder / (name + "-cache")
    header_cache.mkdir(exist_ok=True)
    return settings(post, name + "rc", f"""
set imap_user="{ADDRESS}" imap_pass="{post.password()}"
set ssl_starttls=no ssl_force_tls=no
set folder="imap://127.0.0.1:{post.ports["imap"]}/"
set spoolfile=+INBOX record=+Sent postponed=+Drafts
set smtp_url="smtp://{ADDRESS.replace("@", "%40")}:{post.password()}@127.0.0.1:{post.ports["smtp"]}/"
set smtp_authenticators="plain" from="{ADDRESS}" realname="{NAME}" use_from=yes
set use_domain=no
set header_cache="{header_cache}"
set imap_condstore=yes imap_qresync=yes imap_idle=yes
set delete=yes quit=yes move=no confirmappend=no confirmcreate=no copy=yes wait_key=no
set charset=utf-8 sleep_time=0 recall=no abort_unmodified=no editor="touch -d 2030-01-01"
""")


def a_terminal_mail_reader(post, name):
    imap = post.imap()
    fill(imap, 5)
    good(imap.append("INBOX", None, None, mail("umlaut", "M=FCller\r\n", (
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"))))
    good(imap.create("B&APw-ro"))
    path = muttrc(post, name)

    def press(keys):
        Terminal(post, name, "-F", path, "-e", f"push '{keys}'").finish()

    press("<limit>~s m1<enter><flag-message><limit>~s m2<enter><delete-message>"
          "<limit>~s m3<enter><save-message>=Büro<enter><limit>all<enter>"
          "<search>~s m4<enter><display-message><exit><sync-mailbox><exit>")
    there = subjects(imap)
    assert set(there) == {"m0", "m1", "m4", "umlaut"}, there
    assert r"\Flagged" in there["m1"] and r"\Seen" in there["m4"], there
    assert set(subjects(imap, "B&APw-ro")) == {"m3"}
    # "=b" asks the server; then what was found is tagged and flagged
    press("<tag-pattern>=b müller<enter><tag-prefix><flag-message><sync-mailbox><exit>")
    there = subjects(imap)
    assert r"\Flagged" in there["umlaut"] and r"\Flagged" not in there["m0"], there
    # "y": yes, the text was changed behind its back. By the time of the file, which without
    # the editor's help it asks about only now and then.
    press("<mail>anna<enter>hello<enter><send-message>y<exit>")
    post.wait_for(lambda: "hello" in subjects(imap), 20, "the mail in INBOX")
    assert set(subjects(imap, "Sent")) == {"hello"}
    # once more, now from its cache by QRESYNC
    good(imap.select())
    good(imap.store("1", "+FLAGS", r"(\Deleted)"))
    good(imap.expunge())
    press("<limit>~s hello<enter><delete-message><sync-mailbox><exit>")
    assert set(subjects(imap)) == {"m1", "m4", "umlaut"}, subjects(imap)


@scenario(seconds=180)
def mutt(post):
    """mutt reads, flags, saves, deletes, searches, sends, and keeps a copy in Sent."""
    a_terminal_mail_reader(post, "mutt")


@scenario(seconds=180)
def neomutt(post):
    """neomutt does the same, with its cache and QRESYNC."""
    a_terminal_mail_reader(post, "neomutt")


# --- alpine ---------------------------------------------------------------------------


@scenario
def alpine(post):
    """alpine reads, flags, saves to another folder, deletes and expunges."""
    imap = post.imap()
    fill(imap, 3)
    (post.folder / "mail").mkdir(exist_ok=True)
    where = f"{{127.0.0.1:{post.ports['imap']}/user={ADDRESS}/notls}}"
    path = settings(post, "alpinerc", f"""personal-name={NAME}
user-domain=home.example
inbox-path={where}INBOX
folder-collections=post {where}[]
feature-list=disable-password-file-saving,quit-without-confirm,expunge-without-confirm
last-time-prune-questioned=999.9
last-version-used=6.26
""")
    screen = Terminal(post, "alpine", "-p", path, "-i")
    try:
        screen.press("", "ENTER PASSWORD")
        screen.press(post.password() + "\r", "m2")
        screen.press("d", "marked for deletion")
        screen.press("*", "Flag New")
        screen.press("\r", "Important")
        screen.press("\r", "text 1")
        screen.press("i", "MESSAGE INDEX")
        screen.press("n", "m2")
        screen.press("s", "SAVE")
        screen.press("\x15Archive\r", "DEL")
        screen.press("x", "")
        post.wait_for(lambda: len(subjects(imap)) == 1, 20, "what is deleted to go")
        os.write(screen.master, b"q")
    finally:
        screen.close()
    there = subjects(imap)
    assert set(there) == {"m1"} and {r"\Flagged", r"\Seen"} <= set(there["m1"]), there
    assert set(subjects(imap, "Archive")) == {"m2"}


# --- curl -----------------------------------------------------------------------------


@scenario
def curl(post):
    """curl lists, reads, appends, searches, flags and moves, in the clear and by TLS."""
    imap = post.imap()
    fill(imap, 2)
    user = ["--silent", "--show-error", "--insecure", "--user", f"{ADDRESS}:{post.password()}"]

    def ask(path, *words, service="imap"):
        scheme = "imaps" if service == "imap-tls" else "imap"
        return play(post, "curl", *user, *words,
                    f"{scheme}://127.0.0.1:{post.ports[service]}/{path}")

    for service, words in (("imap", []), ("imap", ["--ssl-reqd"]), ("imap-tls", [])):
        assert "INBOX" in ask("", *words, service=service)
        assert "text 0" in ask("INBOX;UID=1", *words, service=service)
    assert "Subject: m1" in ask("INBOX;UID=2;SECTION=HEADER")
    assert "text 1" in ask("INBOX;MAILINDEX=2;SECTION=TEXT")
    data = mail("by curl", "x\r\n" * 1000)
    path = post.folder / "letter"
    path.write_bytes(data)
    ask("INBOX", "--upload-file", str(path))
    assert "* SEARCH 3" in ask("INBOX?SUBJECT%20curl")
    assert "* SEARCH 3" in ask("INBOX", "--request", "SEARCH SUBJECT curl")
    good(imap.select())
    assert good(imap.fetch("3", "(BODY.PEEK[])"))[0][1] == data
    ask("INBOX", "--request", r"STORE 3 +FLAGS \Flagged")
    ask("INBOX", "--request", "MOVE 3 Archive")
    assert r"\Flagged" in subjects(imap, "Archive")["by curl"]


# --- collectors -----------------------------------------------------------------------


@scenario
def getmail(post):
    """getmail collects several mailboxes by IMAP, deletes, and fetches nothing twice."""
    imap = post.imap()
    fill(imap, 3)
    good(imap.create("B&APw-ro"))
    fill(imap, 2, "B&APw-ro")
    target = post.folder / "collected"
    for delete in ("false", "false", "true"):
        path = settings(post, "getmailrc", f"""[retriever]
type = SimpleIMAPRetriever
server = 127.0.0.1
port = {post.ports["imap"]}
username = {ADDRESS}
password = {post.password()}
mailboxes = ("INBOX", "Büro")
[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", "cat >> {target}")
allow_root_commands = true
[options]
read_all = false
delete = {delete}
verbose = 2
""")
        state = post.folder / "getmail"
        state.mkdir(exist_ok=True)
        play(post, "getmail", f"--getmaildir={state}", f"--rcfile={path}")
        assert target.read_bytes().count(b"\nSubject: m") == 5
    assert not subjects(imap) and not subjects(imap, "B&APw-ro")


@scenario
def fetchmail(post):
    """fetchmail collects new mail by IMAP and leaves or deletes it, as told."""
    imap = post.imap()
    fill(imap, 3)
    target = post.folder / "collected"
    for keep, total in (("keep", 3), ("keep", 3), ("nokeep fetchall", 6)):
        path = settings(post, "fetchmailrc", f"""poll 127.0.0.1 protocol imap port {post.ports["imap"]}
 no dns auth password user "{ADDRESS}" password "{post.password()}" sslproto ""
 {keep} mda "cat >> {target}"
""")
        said = play(post, "fetchmail", "--fetchmailrc", path, "--nosyslog", "--nodetach",
                    "--pidfile", post.folder / "fetchmail.pid", check=False)
        found = target.read_bytes().count(b"\nSubject: m")
        assert found == total, (found, total, said)
    assert not subjects(imap)


# --- offlineimap ----------------------------------------------------------------------


@scenario(seconds=180)
def offlineimap(post):
    """offlineimap carries mail, flags and deletions both ways, umlauts in names too."""
    imap = post.imap()
    fill(imap, 4)
    good(imap.create("B&APw-ro"))
    fill(imap, 1, "B&APw-ro")
    near = post.folder / "near"
    path = settings(post, "offlineimaprc", f"""[general]
accounts = all
metadata = {post.folder}/offlineimap
[Account all]
localrepository = near
remoterepository = far
utf8foldernames = yes
[Repository near]
type = Maildir
localfolders = {near}
[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {post.ports["imap"]}
remoteuser = {ADDRESS}
remotepass = {post.password()}
ssl = no
starttls = no
folderfilter = lambda name: name != 'Outbox'
""")

    def sync():
        play(post, "offlineimap", "-c", path, "-o", "-u", "basic")

    sync()
    assert set(maildir(near / "INBOX")) == {"m0", "m1", "m2", "m3"}
    assert set(maildir(near / "Büro")) == {"m0"}
    box = mailbox.Maildir(near / "INBOX")
    for key, message in list(box.items()):
        if message["Subject"] == "m0":
            message.add_flag("F")
            message.set_subdir("cur")
            box[key] = message
        elif message["Subject"] == "m1":
            box.remove(key)
    box.add(mail("new here"))
    good(imap.select())
    good(imap.store("3", "+FLAGS", r"(\Deleted)"))
    good(imap.store("4", "+FLAGS", r"(\Answered)"))
    good(imap.expunge())
    good(imap.append("INBOX", None, None, mail("new there")))
    sync()
    here, there = maildir(near / "INBOX"), subjects(imap)
    assert set(here) == set(there) == {"m0", "m3", "new here", "new there"}, (here, there)
    assert r"\Flagged" in there["m0"] and "R" in here["m3"], (here, there)
