"""Debian's Thunderbird, driven without a screen, as the mail program of every day."""
import shutil

import bad_mx
from harness import Skip, scenario
from instance import ADDRESS, NAME
from mailboxes import good, uids
from thunderbird import Profile, Server, Thunderbird

LETTERS = 200


def letter(number):
    body = "Viele Grüße aus Köln\r\n" if number == 7 else f"text {number:03}\r\n"
    subject = "=?utf-8?q?=C3=9Cbung_macht_den_Meister?=" if number == 8 else f"letter {number:03}"
    return (f"From: Eva Freund <eva@friends.example>\r\nTo: {ADDRESS}\r\n"
            f"Subject: {subject}\r\nMessage-ID: <{number}@friends.example>\r\n"
            f"Date: Tue, 24 Nov 2026 10:{number // 60:02}:{number % 60:02} +0000\r\n"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: 8bit\r\n\r\n{body}").encode()


def fill(post, number=LETTERS):
    imap = post.imap()
    for i in range(number):
        good(imap.append("INBOX", None, None, letter(i)))
    return imap


def flags(imap, box, subject):
    """The flags of the message with that subject in a mailbox, or None."""
    good(imap.select(box))
    try:
        found = good(imap.uid("SEARCH", "SUBJECT", f'"{subject}"'))[0].split()
        return found and good(imap.uid("FETCH", found[0], "(FLAGS)"))[0].decode()
    finally:
        imap.unselect()


class Day:
    """A Thunderbird with an account here, and what the scenario does with it."""

    def __init__(self, post, kind="imap"):
        if shutil.which("thunderbird") is None:
            raise Skip("thunderbird is not installed")
        self.post, self.stored = post, False
        self.profile = Profile(post.folder / ("thunderbird-" + kind))
        server = {name: Server("127.0.0.1", post.ports[name], ADDRESS, post.password())
                  for name in (kind, "smtp")}
        add = getattr(self.profile, "add_" + kind)
        more = {"leave_on_server": True} if kind == "pop3" else {}
        self.account = add(NAME, ADDRESS, server[kind], server["smtp"], **more)

    def start(self):
        """Thunderbird beside the daemon."""
        options = {"environment": self.post.environment}
        if self.post.namespace is not None:
            options |= {"program": self.post.namespace.command("thunderbird"),
                        "connect": lambda where: self.post.namespace.connect(*where)}
        thunderbird = Thunderbird(self.profile, **options)
        if not self.stored:
            thunderbird.store_passwords()
            self.stored = True
        return thunderbird


def reads_and_marks(bird, imap, inbox):
    message = bird.find(inbox, "letter 003")
    assert "text 003" in bird.show_message(inbox, message["key"])["text"]
    key = [message["key"]]
    bird.mark_flagged(inbox, key, True)
    bird.add_tag(inbox, key, "$label1")
    bird.wait(lambda: {r"\Seen", r"\Flagged", "$label1"} <= set(
        flags(imap, "INBOX", "letter 003").split("FLAGS (")[1].split(")")[0].split()),
        "the marks on the server")


def finds_umlauts(bird, inbox):
    seven, eight = (bird.find(inbox, name)["key"] for name in
                    ("letter 007", "Übung macht den Meister"))
    assert bird.search(inbox, "Subject", "ÜBUNG") == [eight]
    assert bird.search(inbox, "Body", "grüße aus k") == [seven]
    assert "Grüße aus Köln" in bird.show_message(inbox, seven)["text"]


def answers(bird, account, imap, mx, inbox):
    bird.reply(inbox, bird.find(inbox, "letter 003")["key"], "ReplyToSender", "An answer\n")
    problem = bird.send()
    assert problem is None, problem
    assert b"An answer" in mx.wait(1)[0].data
    bird.wait_for(bird.folder(account, "SentMail"), "letter 003")     # it takes "Re:" off
    assert r"\Answered" in flags(imap, "INBOX", "letter 003")
    assert r"\Seen" in flags(imap, "Sent", "Re: letter 003")


def tidies_up(bird, account, imap, post, inbox):
    """Folders with umlauts are made, renamed and deleted; mail is moved and deleted."""
    def names():
        return [box["name"] for box in post.cli("mailbox", "list")["mailboxes"]]

    folder = bird.create_folder(inbox.rpartition("/")[0], "Büro & Übung")
    bird.copy(inbox, [bird.find(inbox, "letter 004")["key"]], folder, True)
    bird.wait_for(folder, "letter 004")
    bird.wait_until_gone(inbox, "letter 004")
    assert flags(imap, "INBOX", "letter 004") == [] and "Büro & Übung" in names()
    folder = bird.rename_folder(folder, "Ärger")
    assert "Ärger" in names() and "Büro & Übung" not in names(), names()
    moved = bird.wait_for(folder, "letter 004")
    bird.delete(folder, [moved["key"]], False)
    trash = bird.folder(account, "Trash")
    bird.wait_for(trash, "letter 004")
    bird.delete_folder(folder)
    bird.wait(lambda: "Trash/Ärger" in names() and any(
        there["uri"].startswith(trash + "/") for there in bird.folders()), "it in Trash")
    bird.empty_trash(account)
    bird.wait_until_gone(trash, "letter 004")
    bird.wait(lambda: b"MESSAGES 0" in good(imap.status("Trash", "(MESSAGES)"))[0],
              "an empty Trash on the server")
    bird.wait(lambda: not any("Ärger" in name for name in names()), "the folder to go")


def hears_of_new_mail(bird, post, imap, inbox, subject):
    """Without being asked: by IDLE."""
    bird.show_folder(inbox)
    post.send("anna", subject)
    bird.wait(lambda: bird.find(inbox, subject), f"{subject} by IDLE")
    assert flags(imap, "INBOX", subject) != []


def is_told_of_a_bounce(bird, account, post, inbox):
    before = {message["key"] for message in bird.messages(inbox)}
    bird.compose({"to": "nobody@refuses.example", "subject": "The invoice", "body": "x\n"})
    problem = bird.send()
    assert problem is None, problem
    post.wait_state("nobody@refuses.example", "refused")
    bird.get_messages(account)
    found = bird.wait(lambda: [message for message in bird.messages(inbox)
                               if message["key"] not in before], "the report")
    shown = bird.show_message(inbox, found[0]["key"])
    assert "nobody@refuses.example" in shown["text"], shown
    assert "No such user here" in shown["text"] and len(shown["text"].split()) > 20, shown


def cancels(bird, account, post):
    """Mail that waits is seen in Outbox, and deleting it there gives it up."""
    post.run("pause")
    bird.compose({"to": "eva@friends.example", "subject": "too early", "body": "x\n"})
    problem = bird.send()
    assert problem is None, problem
    outbox = next(folder["uri"] for folder in bird.folders()
                  if folder["account"] == account and folder["uri"].endswith("/Outbox"))
    waits = bird.wait_for(outbox, "too early")
    bird.delete(outbox, [waits["key"]], False)
    post.wait_state("eva@friends.example", "cancelled")
    bird.wait_for(bird.folder(account, "Trash"), "too early")
    post.run("resume")


@scenario(root=True, seconds=300)
def a_day(internet, post):
    """Thunderbird fetches, reads, marks, answers, sorts, deletes, searches and hears of new
    mail; it does not notice a restart of the daemon; a bounce appears with its explanation.
    """
    mx = internet.mx("friends")
    internet.mx("refuses", bad_mx.RefuseRecipient)
    day = Day(post)
    imap = fill(post)
    with day.start() as bird:
        bird.get_messages(day.account)
        inbox = bird.folder(day.account, "Inbox")
        bird.show_folder(inbox)
        bird.wait(lambda: len(bird.messages(inbox)) == LETTERS, "all letters")
        reads_and_marks(bird, imap, inbox)
        finds_umlauts(bird, inbox)
        answers(bird, day.account, imap, mx, inbox)
        hears_of_new_mail(bird, post, imap, inbox, "news")
        post.stop()
        post.start()
        imap = post.imap()
        bird.get_messages(day.account)
        hears_of_new_mail(bird, post, imap, inbox, "news after a restart")
        tidies_up(bird, day.account, imap, post, inbox)
        is_told_of_a_bounce(bird, day.account, post, inbox)
        bird.set_offline(True)
        bird.compose({"to": "eva@friends.example", "subject": "from the train", "body": "x\n"})
        assert bird.send(later=True) is None
        bird.set_offline(False)
        assert bird.send_unsent() == 0
        mx.wait(2)
        cancels(bird, day.account, post)
        assert not bird.take_dialogs()
    # what it keeps and what the server keeps are still one after another start
    with day.start() as bird:
        bird.get_messages(day.account)
        inbox = bird.folder(day.account, "Inbox")
        good(imap.select())
        bird.wait(lambda: len(bird.messages(inbox)) == len(uids(imap)), "the same number")
        assert bird.find(inbox, "letter 003")["replied"]


@scenario(seconds=180)
def thunderbird_by_pop3(post):
    """A second profile collects the same INBOX by POP3, leaves it there, fetches none twice."""
    day = Day(post, "pop3")
    imap = fill(post, 20)
    with day.start() as bird:
        bird.get_messages(day.account)
        inbox = bird.folder(day.account, "Inbox")
        bird.wait(lambda: len(bird.messages(inbox)) == 20, "all letters")
        good(imap.select())
        good(imap.store("1:5", "+FLAGS", r"(\Deleted)"))
        good(imap.expunge())
        post.send("anna", "one more")
        post.wait_for(lambda: len(uids(imap)) == 16)
        bird.get_messages(day.account)
        bird.wait(lambda: bird.find(inbox, "one more"), "the new one")
        assert len(bird.messages(inbox)) == 21
