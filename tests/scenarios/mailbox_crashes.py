"""Nothing that IMAP has answered with OK is ever lost: kill -9, power cuts, failing disks."""
import hashlib
import random
import re
import shutil
import subprocess
import threading
import time

from conversation import ImapTalk
from crashes import CuttableDisk, check_databases
from harness import Skip, count, scenario
from mailboxes import fill, good, mail, uids

FLAGS = (rb"\Answered", rb"\Flagged", rb"\Seen", rb"$Label1")


class Broken(Exception):
    """The session has ended, or a change was refused."""


class MailLedger:
    """A client that changes mailboxes without pause and writes down what was answered OK.

    Each message has a key, its subject; what is known of it is (box, flags), a box being
    a number, because the second one is renamed again and again.
    """

    def __init__(self, post, largest=3000):
        self.post, self.largest = post, largest
        self.names = ["INBOX", "Moved0"]
        self.bytes, self.known, self.uid = {}, {}, {}
        self.fresh = None                   # (key, bytes, what it is then) of a REPLACE
        self.ever = {}                      # (box, uid): key
        self.pending = None                 # (key, what it would be then) or ("name", name)
        self.refusal = None
        self.number, self.renamed, self.done = 0, 0, 0
        self.answered = []                  # [(when, which command)]
        self.marks = {}                     # box: (uidvalidity, uidnext, highestmodseq)
        self.ended = threading.Event()
        self.thread = None
        ImapTalk(post).ok("CREATE " + self.names[1])

    def start(self):
        self.ended.clear()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def join(self):
        self.ended.set()
        self.thread.join()

    def _run(self):
        """Ends with the first connection that breaks."""
        try:
            with ImapTalk(self.post) as talk:
                talk.selected = None
                while not self.ended.is_set():
                    random.choices((self._append, self._store, self._move, self._expunge,
                                    self._rename, self._replace),
                                   (40, 30, 15, 10, 5, 20))[0](talk)
        except (OSError, Broken, AssertionError):
            pass

    def _ask(self, talk, command, pending):
        self.pending = pending
        untagged, tagged = talk.command(command)
        if not tagged.startswith(b"OK"):
            self.refusal = tagged
            raise Broken(tagged)
        if self.ended.is_set():             # an answer after the power went is none
            raise Broken("too late")
        self.pending = None
        self.done += 1
        self.answered.append((time.monotonic(), command[:60]))
        return b"\n".join([*untagged, tagged])

    def _append(self, talk):
        self.number += 1
        key = f"n{self.number:05}"
        lines = random.randint(1, self.largest) // 66 + 1
        self.bytes[key] = mail(key, "\r\n".join(
            hashlib.sha256(f"{key}{i}".encode()).hexdigest() for i in range(lines)) + "\r\n")
        data = self.bytes[key]
        flags = frozenset(random.sample(FLAGS, random.randint(0, 2)))
        said = self._ask(talk, b"APPEND INBOX (%s) {%d+}\r\n%s" % (
            b" ".join(flags), len(data), data), (key, (0, flags)))
        self._note(key, 0, flags, int(re.search(rb"APPENDUID \d+ (\d+)", said)[1]))

    def _replace(self, talk):
        """By other bytes of the same subject, in the other mailbox."""
        key, box, flags = self._pick(talk)
        data = self.bytes[key] + b"Once more, %d.\r\n" % self.done
        self.fresh = key, data, (1 - box, flags)
        said = self._ask(talk, b"UID REPLACE %d %s (%s) {%d+}\r\n%s" % (
            self.uid[key], self.names[1 - box].encode(), b" ".join(flags), len(data), data),
            (key, (1 - box, flags)))
        self.bytes[key] = data
        self._note(key, 1 - box, flags, int(re.search(rb"APPENDUID \d+ (\d+)", said)[1]))

    def _note(self, key, box, flags, uid):
        self.known[key] = (box, flags)
        self.uid[key] = uid
        other = self.ever.setdefault((box, uid), key)
        assert other == key, f"uid {uid} was {other} and is {key}"

    def _pick(self, talk):
        """A message, its mailbox selected."""
        if not self.known:
            self._append(talk)
        key = random.choice(list(self.known))
        box = self.known[key][0]
        if talk.selected != box:
            talk.ok("SELECT " + self.names[box])
            talk.selected = box
        return key, *self.known[key]

    def _store(self, talk):
        key, box, _ = self._pick(talk)
        flags = frozenset(random.sample(FLAGS, random.randint(0, 3)))
        self._ask(talk, b"UID STORE %d FLAGS (%s)" % (self.uid[key], b" ".join(flags)),
                  (key, (box, flags)))
        self.known[key] = (box, flags)

    def _move(self, talk):
        key, box, flags = self._pick(talk)
        said = self._ask(talk, f"UID MOVE {self.uid[key]} {self.names[1 - box]}",
                         (key, (1 - box, flags)))
        self._note(key, 1 - box, flags, int(re.search(rb"COPYUID \d+ \d+ (\d+)", said)[1]))

    def _expunge(self, talk):
        key, box, flags = self._pick(talk)
        self._ask(talk, rf"UID STORE {self.uid[key]} +FLAGS.SILENT (\Deleted)",
                  (key, (box, flags | {rb"\Deleted"})))
        self.known[key] = (box, flags | {rb"\Deleted"})
        self._ask(talk, f"UID EXPUNGE {self.uid[key]}", (key, None))
        del self.known[key]

    def _rename(self, talk):
        self.renamed += 1
        name = f"Moved{self.renamed}"
        self._ask(talk, f"RENAME {self.names[1]} {name}", ("name", name))
        self.names[1] = name
        talk.selected = None

    def compare(self):
        """What is there now is what was answered, or what was asked last."""
        with ImapTalk(self.post) as talk:
            if self.pending is not None and self.pending[0] == "name":
                if talk.command(f"STATUS {self.names[1]} (UIDNEXT)")[1].startswith(b"NO"):
                    self.names[1] = self.pending[1]
                self.pending = None
            found = {}
            for box in (0, 1):
                self._look(talk, box, found)
        for key in {*self.known, *found} - {self.pending and self.pending[0]}:
            assert key in found, f"{key} is lost: {self.known[key]}"
            assert found[key][:2] == self.known.get(key), \
                f"{key} is {found[key]}, not {self.known.get(key)}"
        if self.pending is not None:
            key, after = self.pending
            there = found[key][:2] if key in found else None
            assert there in (self.known.get(key), after), \
                f"{key} is {there}, neither {self.known.get(key)} nor {after}"
        self.pending = None
        self.known = {}
        for key, (box, flags, uid) in found.items():
            self._note(key, box, flags, uid)

    def _look(self, talk, box, found):
        untagged = b"\n".join(talk.ok(f"SELECT {self.names[box]} (CONDSTORE)"))
        marks = tuple(int(re.search(name + rb" (\d+)", untagged)[1]) for name in (
            b"UIDVALIDITY", b"UIDNEXT", b"HIGHESTMODSEQ"))
        before = self.marks.get(box, marks)
        if box == 0:
            assert marks[0] == before[0], f"UIDVALIDITY went from {before[0]} to {marks[0]}"
        if marks[0] == before[0]:
            assert marks[1:] >= before[1:] and marks[2] >= before[2], (before, marks)
        self.marks[box] = marks
        for line in talk.ok("UID FETCH 1:* (FLAGS BODY.PEEK[])"):
            if b" FETCH " not in line or b"BODY[]" not in line:
                continue
            uid = int(re.search(rb"UID (\d+)", line)[1])
            flags = frozenset(re.search(rb"FLAGS \(([^)]*)\)", line)[1].split()) - {rb"\Recent"}
            data = re.search(rb"\{(\d+)\}\r\n", line)
            data = line[data.end():data.end() + int(data[1])]
            key = data.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
            assert key not in found, f"{key} is there twice"
            if data != self.bytes[key]:
                assert self.pending and (key, data, (box, flags)) == self.fresh, \
                    f"{key} is not what was appended"
                self.bytes[key] = data
            elif self.pending and self.fresh and self.pending[0] == key == self.fresh[0]:
                assert self.fresh[1] == data or (box, flags) == self.known[key], \
                    f"{key} was moved, not replaced"
            assert uid < marks[1], (uid, marks)
            found[key] = (box, flags, uid)


@scenario(tree="plain", seconds=180)
def kill_while_mailboxes_change(post):
    """C6: kill -9 in APPEND, STORE, MOVE, EXPUNGE, RENAME, REPLACE: what was OK holds, uids
    and modification sequences never go back.
    """
    ledger = MailLedger(post)
    for _ in range(count(10, 200)):
        ledger.start()
        time.sleep(random.uniform(0.05, 0.6))
        post.kill9()
        ledger.join()
        assert ledger.refusal in (None, b""), ledger.refusal
        post.start()
        ledger.compare()
    assert ledger.done > 50, ledger.done


@scenario(root=True, tree="plain", seconds=240)
def power_cut_while_mailboxes_change(make, folder):
    """C2: the power fails in APPEND, STORE, MOVE, EXPUNGE, RENAME, REPLACE: what was OK
    holds, what is expunged stays gone, the databases are whole.
    """
    disk = CuttableDisk(folder, 128)
    post = make(environment={"XDG_STATE_HOME": str(disk.mount / "state"),
                             "XDG_DATA_HOME": str(disk.mount / "data")})
    try:
        post.setup()
        post.start()
        post.password()
        ledger = MailLedger(post, 100000)
        for _ in range(count(5, 50)):
            ledger.start()
            time.sleep(random.uniform(0.1, 0.8))
            ledger.ended.set()
            disk.cut()
            post.kill9()
            ledger.join()
            disk.off()
            disk.on()
            check_databases(disk.mount)
            post.start()
            ledger.compare()
        assert ledger.done > 10, ledger.done
        post.stop()
    finally:
        if post.process is not None:
            post.kill9()
        disk.off()


@scenario(tree="plain", seconds=120)
def pop3_beside_imap(post):
    """UIDLs of POP3 stay what they are beside IMAP sessions that expunge and move, also over
    kill -9; a POP3 session that runs keeps its numbers.
    """
    imap = post.imap()
    fill(imap, 8)

    def uidls(pop3=None):
        session = pop3 or post.pop3()
        found = {int(line.split()[0]): line.split()[1] for line in session.uidl()[1]}
        if pop3 is None:
            session.quit()
        return found

    before = uidls()
    good(imap.select())
    running = post.pop3()
    good(imap.store("2,5", "+FLAGS", r"(\Deleted)"))
    good(imap.expunge())
    good(imap.uid("MOVE", "8", "Archive"))
    assert uidls(running) == before, "a session's numbers have changed"
    assert b"Subject: m2" in b"\n".join(running.retr(3)[1])
    running.dele(1)
    running.dele(2)                         # has gone meanwhile
    running.quit()
    left = [before[number] for number in (3, 4, 6, 7)]
    assert list(uidls().values()) == left
    post.kill9()
    post.start()
    assert list(uidls().values()) == left
    imap = post.imap()
    good(imap.select())
    assert uids(imap) == [b"3", b"4", b"6", b"7"]
    good(imap.append("INBOX", None, None, mail("new")))
    assert list(uidls().values())[:4] == left and list(uidls().values())[4] not in \
        before.values()


@scenario(tree="plain", seconds=120)
def fsync_fails_under_imap(make):
    """C5: after an EIO from fsync no change is answered with OK, then or later; what was there
    can be read; a restart repairs.
    """
    if shutil.which("fiu-run") is None:
        raise Skip("fiu-run is not installed")
    post = make()
    post.setup()
    fifo = str(post.folder / "fiu")
    post.wrapper = ["fiu-run", "-x", "-f", fifo]
    post.start()
    post.wrapper = []
    talk = ImapTalk(post)
    assert talk.append("INBOX", mail("before")).startswith(b"OK")
    talk.ok("SELECT INBOX")
    pid = str(post.process.pid)
    for point in ("fsync", "fdatasync"):
        subprocess.run(["fiu-ctrl", "-f", fifo, "-c",
                        f"enable name=posix/io/sync/{point},failinfo=5", pid],
                       check=True, capture_output=True)
    changes = (lambda: talk.append("INBOX", mail("during")),
               lambda: talk.command(r"STORE 1 +FLAGS (\Flagged)")[1],
               lambda: talk.command("COPY 1 Archive")[1],
               lambda: talk.command("MOVE 1 Archive")[1],
               lambda: talk.command("CREATE New")[1])
    for change in changes:
        said = change()
        assert said.startswith(b"NO"), said
    for point in ("fsync", "fdatasync"):
        subprocess.run(["fiu-ctrl", "-f", fifo, "-c",
                        f"disable name=posix/io/sync/{point}", pid],
                       check=True, capture_output=True)
    for change in changes:
        said = change()
        assert said.startswith(b"NO"), ("without a restart", said)
    assert any(b"Subject: before" in line for line in talk.ok("FETCH 1 (BODY.PEEK[])"))
    post.kill9()
    post.start()
    talk = ImapTalk(post)
    assert talk.append("INBOX", mail("after")).startswith(b"OK")
    talk.ok("SELECT INBOX")
    text = b"\n".join(talk.ok("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
    assert b"before" in text and b"after" in text, text
