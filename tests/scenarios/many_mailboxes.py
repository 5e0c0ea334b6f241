"""Programs that watch and search mailboxes they have not selected."""
import random
import re

from conversation import ImapTalk
from harness import count, scenario


def mail(subject, body="Hello.\r\n"):
    return (f"Subject: {subject}\r\nMessage-ID: <{abs(hash(subject))}@home.example>\r\n\r\n"
            f"{body}").encode()


def found(untagged):
    """What ESEARCH responses say: mailbox to numbers."""
    answers = {}
    for line in untagged:
        match = re.fullmatch(rb'\* ESEARCH \(TAG "t\d+" MAILBOX "(.+)" UIDVALIDITY \d+\) '
                             rb"UID (.+)", line)
        if match:
            answers[match[1].decode()] = match[2].decode()
    return answers


@scenario
def one_search_in_many_mailboxes(post):
    """ESEARCH finds what another session has put into mailboxes, and selects none of them."""
    worker, searcher = ImapTalk(post), ImapTalk(post)
    for name in ("Work", "Work/2026", "Work/2026/May", "&APw-brig"):
        worker.ok(f"CREATE {name}")
        assert worker.append(name, mail(f"in {name}", "the needle\r\n")).startswith(b"OK")
    worker.append("INBOX", mail("nothing"))
    assert found(searcher.ok('ESEARCH IN (personal) BODY "NEEDLE"')) == {
        "Work": "ALL 1", "Work/2026": "ALL 1", "Work/2026/May": "ALL 1", "&APw-brig": "ALL 1"}
    searcher.ok("EXAMINE INBOX")
    assert found(searcher.ok("ESEARCH IN (subtree-one Work) RETURN (COUNT) ALL")) == {
        "Work": "COUNT 1", "Work/2026": "COUNT 1"}
    assert found(searcher.ok("ESEARCH IN (mailboxes &APw-brig selected) ALL")) == {
        "&APw-brig": "ALL 1", "INBOX": "ALL 1"}
    worker.ok("SELECT Work")
    worker.ok(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    assert found(searcher.ok("ESEARCH IN (subtree Work) DELETED")) == {"Work": "ALL 1"}
    worker.ok("EXPUNGE")
    assert found(searcher.ok("ESEARCH IN (mailboxes Work) ALL")) == {}
    assert b"* 1 FETCH (UID 1)" in searcher.ok("FETCH 1 UID")


ALL = "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange"


@scenario
def told_of_everything(post):
    """NOTIFY: a client that sends nothing hears of other mailboxes, whoever changes them."""
    watcher, worker = ImapTalk(post), ImapTalk(post)
    watcher.ok(f"NOTIFY SET (personal ({ALL}))")
    post.send("anna", "by mail")
    assert b'"INBOX"' in watcher.wait(b"* STATUS")
    worker.ok("CREATE Work")
    assert watcher.wait(b"* LIST").endswith(b'"/" "Work"')
    assert worker.append("Work", mail("new")).startswith(b"OK")
    assert b"MESSAGES 1 UIDNEXT 2" in watcher.wait(b'* STATUS "Work"')
    worker.ok("SUBSCRIBE Work")
    assert b"\\Subscribed" in watcher.wait(b"* LIST")
    worker.ok("RENAME Work Play")
    assert b'"Play" ("OLDNAME" ("Work"))' in watcher.wait(b"* LIST")
    worker.ok("SELECT Play")
    worker.ok(r"STORE 1 +FLAGS.SILENT (\Seen \Deleted)")
    assert b"UNSEEN 0" in watcher.wait(b'* STATUS "Play"')
    worker.ok("CLOSE")
    assert b"MESSAGES 0" in watcher.wait(b'* STATUS "Play"')
    post.run("mailbox", "delete", "Play", "-y")
    assert b"\\NonExistent" in watcher.wait(b'"Play"')
    assert watcher.ok("NOOP") == []
    watcher.ok("NOTIFY NONE")
    worker.ok("CREATE More")
    assert watcher.ok("NOOP") == []


@scenario
def new_mail_comes_by_itself(post):
    """NOTIFY: new messages in the selected mailbox come with what was asked for, without
    IDLE and in the middle of other commands.
    """
    watcher, worker = ImapTalk(post), ImapTalk(post)
    watcher.ok("SELECT INBOX")
    watcher.ok("NOTIFY SET (selected (MessageNew (BODY.PEEK[HEADER.FIELDS (SUBJECT)]) "
               "MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge))")
    for i in range(20):
        worker.append("INBOX", mail(f"number {i}"))
        watcher.wait(b"* %d EXISTS" % (i + 1))
        response = watcher.wait(b"FETCH")
        assert response.startswith(b"* %d FETCH (UID %d BODY" % (i + 1, i + 1)), response
        assert b"Subject: number %d\r\n" % i in response, response
    worker.ok("SELECT INBOX")
    worker.ok(r"STORE 1:10 +FLAGS.SILENT (\Deleted)")
    worker.ok("EXPUNGE")
    for _ in range(10):
        watcher.wait(b" EXPUNGE")
    assert watcher.ok("UID SEARCH ALL") == [
        b"* SEARCH " + b" ".join(b"%d" % uid for uid in range(11, 21))]


@scenario
def numbers_hold_until_asked(post):
    """NOTIFY with SELECTED-DELAYED: sequence numbers hold until a command lets them change."""
    watcher, worker = ImapTalk(post), ImapTalk(post)
    for i in range(4):
        worker.append("INBOX", mail(f"number {i}"))
    watcher.ok("SELECT INBOX")
    watcher.ok("NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange))")
    worker.ok("SELECT INBOX")
    worker.ok(r"STORE 1 +FLAGS.SILENT (\Deleted)")
    worker.ok("EXPUNGE")
    worker.append("INBOX", mail("number 4"))
    watcher.wait(b"* 5 EXISTS")
    assert watcher.ok("FETCH 2 (UID)") == [b"* 2 FETCH (UID 2)"]
    assert watcher.ok("NOOP") == [b"* 1 EXPUNGE"]
    assert watcher.ok("FETCH 2 (UID)") == [b"* 2 FETCH (UID 3)"]


class Model:
    """What a client believes that is told everything and never asks."""

    def __init__(self):
        self.messages, self.names, self.counts = [], {}, {}

    def hear(self, line):
        if match := re.fullmatch(rb"\* (\d+) EXISTS", line):
            self.messages += [None] * (int(match[1]) - len(self.messages))
        elif match := re.fullmatch(rb"\* (\d+) EXPUNGE", line):
            del self.messages[int(match[1]) - 1]
        elif match := re.fullmatch(rb"\* (\d+) FETCH \(UID (\d+) FLAGS \((.*)\)\)", line):
            self.messages[int(match[1]) - 1] = (int(match[2]), set(match[3].split()))
        elif match := re.fullmatch(rb'\* STATUS "(.+)" \(MESSAGES (\d+) UIDNEXT (\d+).*\)', line):
            self.counts[match[1]] = (int(match[2]), int(match[3]))
        elif match := re.fullmatch(rb'\* LIST \((.*)\) "/" "(.+?)"(?: \("OLDNAME" \("(.+)"\)\))?',
                                   line):
            if match[3]:
                self.names.pop(match[3], None)
                self.counts[match[2]] = self.counts.pop(match[3], (0, 1))
            if rb"\NonExistent" in match[1]:
                self.names.pop(match[2], None)
                self.counts.pop(match[2], None)
            else:
                self.names[match[2]] = rb"\Subscribed" in match[1]


def disturb(talk, dice, i):
    """One thing that a client does, good or not."""
    box = f"Box{dice.randrange(3)}"
    assert talk.command(dice.choice([
        lambda: f"CREATE {box}", lambda: f"RENAME {box} Box{dice.randrange(3)}",
        lambda: f"DELETE {box}", lambda: f"SUBSCRIBE {box}", lambda: f"UNSUBSCRIBE {box}",
        lambda: rf"STORE {dice.randrange(1, 4)} +FLAGS.SILENT (\Deleted)",
        lambda: rf"STORE {dice.randrange(1, 4)} FLAGS (\Seen key{i % 3})",
        lambda: "EXPUNGE", lambda: f"COPY 1:2 {box}", lambda: f"MOVE 1 {box}",
        lambda: "COPY 1 INBOX"])())[1], "the session has ended"
    if dice.random() < 0.4:
        assert talk.append(dice.choice(["INBOX", box]), mail(f"number {i}"))


@scenario
def what_is_told_is_all(post):
    """NOTIFY: whatever two others do at once, a client that only listens knows how all stands."""
    dice = random.Random(5465)
    watcher, model = ImapTalk(post), Model()
    model.messages = [None] * 5
    workers = [ImapTalk(post), ImapTalk(post)]
    for i in range(5):
        workers[0].append("INBOX", mail(f"first {i}"))
    for talk in [watcher, *workers]:
        talk.ok("SELECT INBOX")
    for line in watcher.ok("UID FETCH 1:* (FLAGS)"):
        model.hear(line)
    watcher.ok("NOTIFY SET (selected (MessageNew (FLAGS) MessageExpunge FlagChange)) "
               "(personal (MessageNew MessageExpunge MailboxName SubscriptionChange))")
    for i in range(count(150, 2000)):
        disturb(dice.choice(workers), dice, i)
    for line in watcher.ok("NOOP"):
        model.hear(line)
    seen = Model()
    seen.messages = [None] * len(model.messages)
    for line in watcher.ok("UID FETCH 1:* (FLAGS)"):
        seen.hear(line)
    assert model.messages == seen.messages, (model.messages, seen.messages)
    for line in watcher.ok('LIST "" Box* RETURN (SUBSCRIBED STATUS (MESSAGES UIDNEXT))'):
        seen.hear(line)
    for name, counts in seen.counts.items():
        assert model.counts.get(name, (0, 1)) == counts, (name, model.counts, counts)
    assert model.names == seen.names, (model.names, seen.names)
