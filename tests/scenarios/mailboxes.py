"""IMAP as a program sees it that is written with Python's imaplib."""
import email.utils
import imaplib
import re
import time

import bad_mx
from conversation import ImapTalk
from harness import scenario
from instance import ADDRESS


def mail(subject, body="Hello.\r\n", extra=""):
    return (f"From: {ADDRESS}\r\nTo: anna@home.example\r\nSubject: {subject}\r\n{extra}"
            f"Message-ID: <{abs(hash(subject))}@home.example>\r\n\r\n{body}").encode()


def good(answer):
    """The data of an answer that must be OK."""
    assert answer[0] == "OK", answer
    return answer[1]


def fill(imap, number=3, mailbox="INBOX"):
    for i in range(number):
        good(imap.append(mailbox, None, None, mail(f"m{i}", f"text {i}\r\n")))


def uids(imap):
    return good(imap.uid("SEARCH", "ALL"))[0].split()


@scenario
def every_way_in(post):
    """Login in the clear, by STARTTLS and by TLS, with LOGIN and with AUTHENTICATE PLAIN."""
    for tls in (None, "starttls", "implicit"):
        imap = post.imap(tls=tls)
        good(imap.select())
        imap.logout()
    imap = post.imap(login=False)
    blob = f"\0{ADDRESS}\0{post.password()}".encode()
    good(imap.authenticate("PLAIN", lambda _challenge: blob))
    imap.logout()
    imap = post.imap(login=False)
    try:
        imap.login(ADDRESS, "wrong")
        raise AssertionError("let in")
    except imaplib.IMAP4.error as error:
        assert "AUTHENTICATIONFAILED" in str(error), error
    imap.login(ADDRESS, post.password())
    imap.logout()


@scenario
def a_message_from_append_to_expunge(post):
    """APPEND, SELECT, FETCH, STORE, COPY, MOVE, SEARCH and EXPUNGE do what RFC 9051 says."""
    imap = post.imap()
    data = mail("bytes", "line\r\n" * 100)
    when = imaplib.Time2Internaldate(1_764_000_000)
    said = good(imap.append("INBOX", r"(\Flagged $Label1)", when, data))[0]
    assert re.match(rb"\[APPENDUID \d+ 1\]", said), said
    assert good(imap.select("INBOX")) == [b"1"]
    found = good(imap.fetch("1", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"))
    head, body = found[0]
    assert body == data, body
    assert b"UID 1 " in head and b"\\Flagged" in head and b"$Label1" in head, head
    assert b"RFC822.SIZE %d" % len(data) in head, head
    assert imaplib.Internaldate2tuple(head) == time.localtime(1_764_000_000), head
    assert b"\\Seen" in good(imap.store("1", "+FLAGS", r"(\Seen)"))[0]
    good(imap.copy("1", "Archive"))
    good(imap.uid("MOVE", "1", "Trash"))
    assert good(imap.search(None, "ALL")) == [b""]
    for box in ("Archive", "Trash"):
        assert good(imap.select(box)) == [b"1"], box
        head, body = good(imap.fetch("1", "(FLAGS BODY[])"))[0]
        assert body == data and b"\\Flagged" in head and b"\\Seen" in head, head
    good(imap.store("1", "+FLAGS", r"(\Deleted)"))
    assert good(imap.expunge()) == [b"1"]
    assert good(imap.status("Trash", "(MESSAGES UIDNEXT)"))[0].endswith(
        b"(MESSAGES 0 UIDNEXT 2)")
    imap.logout()


@scenario
def idle_pushes(post):
    """What one session or the queue does reaches another that is in IDLE at once."""
    watcher, worker = ImapTalk(post), post.imap()
    watcher.ok("SELECT INBOX")
    watcher.idle()
    good(worker.append("INBOX", None, None, mail("pushed")))
    watcher.wait(b"* 1 EXISTS")
    post.send("anna", "by mail")
    watcher.wait(b"* 2 EXISTS")
    good(worker.select())
    good(worker.store("1", "+FLAGS", r"(\Flagged)"))
    assert b"\\Flagged" in watcher.wait(b"* 1 FETCH")
    good(worker.store("1", "+FLAGS.SILENT", r"(\Deleted)"))
    good(worker.expunge())
    watcher.wait(b"* 1 EXPUNGE")
    assert watcher.done()[1].startswith(b"OK")


@scenario
def numbers_hold_during_fetch(post):
    """What vanishes meanwhile is told neither in FETCH nor in STORE, but at the next NOOP."""
    first, second = ImapTalk(post), post.imap()
    fill(second)
    first.ok("SELECT INBOX")
    good(second.select())
    good(second.store("1", "+FLAGS", r"(\Deleted)"))
    good(second.expunge())
    for command in ("FETCH 2:3 (FLAGS)", r"STORE 3 +FLAGS (\Answered)", "SEARCH SUBJECT m2"):
        untagged = first.ok(command)
        assert not any(b"EXPUNGE" in line for line in untagged), (command, untagged)
        if command.startswith("SEARCH"):
            assert b"* SEARCH 3" in untagged, untagged
    assert b"* 1 EXPUNGE" in first.ok("NOOP")


@scenario
def condstore(post):
    """MODSEQ, CHANGEDSINCE and UNCHANGEDSINCE keep two clients in step (RFC 7162)."""
    talk, other = ImapTalk(post), post.imap()
    fill(other)
    untagged = talk.ok("SELECT INBOX (CONDSTORE)")
    modseq = int(re.search(rb"HIGHESTMODSEQ (\d+)", b"\n".join(untagged))[1])
    good(other.select())
    good(other.store("2", "+FLAGS", r"(\Flagged)"))
    changed = [line for line in talk.ok(f"FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq})")
               if b"FETCH" in line]
    assert changed and all(line.startswith(b"* 2 FETCH") for line in changed), changed
    refused = talk.command(rf"STORE 1:3 (UNCHANGEDSINCE {modseq}) +FLAGS (\Seen)")[1]
    assert b"[MODIFIED 2]" in refused, refused
    assert b"\\Seen" not in good(other.fetch("2", "(FLAGS)"))[0]


@scenario
def qresync(post):
    """A client that comes back is told in SELECT what changed and what vanished."""
    talk, other = ImapTalk(post), post.imap()
    fill(other, 5)
    talk.ok("ENABLE QRESYNC")
    untagged = b"\n".join(talk.ok("SELECT INBOX"))
    modseq = int(re.search(rb"HIGHESTMODSEQ (\d+)", untagged)[1])
    validity = int(re.search(rb"UIDVALIDITY (\d+)", untagged)[1])
    talk.ok("LOGOUT")
    good(other.select())
    good(other.store("2,4", "+FLAGS", r"(\Deleted)"))
    good(other.expunge())
    good(other.uid("STORE", "5", "+FLAGS", "($Label2)"))
    post.stop()
    post.start()
    talk = ImapTalk(post)
    talk.ok("ENABLE QRESYNC")
    untagged = talk.ok(f"SELECT INBOX (QRESYNC ({validity} {modseq} 1:5))")
    assert b"* VANISHED (EARLIER) 2,4" in untagged, untagged
    changed = [line for line in untagged if b" FETCH " in line]
    assert len(changed) == 1 and b"UID 5" in changed[0] and b"$Label2" in changed[0], changed


@scenario
def names_with_umlauts(post):
    """Mailboxes with umlauts and levels are made, listed, renamed, filled and deleted."""
    imap = post.imap()
    good(imap.create('"Entw&APw-rfe/Sch&APY-ne Gr&APwA3w-e"'))
    good(imap.subscribe('"Entw&APw-rfe"'))
    names = post.cli("mailbox", "list")["mailboxes"]
    assert "Entwürfe/Schöne Grüße" in [box["name"] for box in names], names
    fill(imap, 2, '"Entw&APw-rfe/Sch&APY-ne Gr&APwA3w-e"')
    good(imap.rename('"Entw&APw-rfe"', '"&AMQ-rger"'))
    listed = b"\n".join(good(imap.list('""', '"&AMQ-rger*"')))
    assert b'&AMQ-rger/Sch&APY-ne Gr&APwA3w-e' in listed, listed
    assert good(imap.select('"&AMQ-rger/Sch&APY-ne Gr&APwA3w-e"')) == [b"2"]
    imap.close()
    good(imap.delete('"&AMQ-rger/Sch&APY-ne Gr&APwA3w-e"'))
    assert imap.select('"&AMQ-rger/Sch&APY-ne Gr&APwA3w-e"')[0] == "NO"
    imap.logout()
    talk = ImapTalk(post)
    talk.ok("ENABLE IMAP4rev2")
    talk.ok('CREATE "Büro/Übung"')
    listed = b"\n".join(talk.ok('LIST "" "Bü*"'))
    assert '"Büro/Übung"'.encode() in listed, listed


@scenario
def umlauts_are_found(post):
    """SEARCH finds words with umlauts in any case and encoding, in header and body."""
    imap = post.imap()
    good(imap.append("INBOX", None, None, mail(
        "=?utf-8?B?R3LDvMOfZSBhdXMgTcO8bmNoZW4=?=", "nothing\r\n")))
    good(imap.append("INBOX", None, None, mail(
        "=?iso-8859-1?Q?Gr=FC=DFe?=", "M=FCller w=\r\n=E4hlt\r\n",
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n")))
    good(imap.append("INBOX", None, None, mail("plain", "Mueller\r\n")))
    good(imap.select())
    for key, word, expected in (("SUBJECT", "GRÜßE", b"1 2"), ("SUBJECT", "münch", b"1"),
                                ("BODY", "MÜLLER WÄH", b"2"), ("TEXT", "grüße", b"1 2"),
                                ("BODY", "ueller", b"3"), ("BODY", "Ärger", b"")):
        imap.literal = word.encode()
        found = good(imap.search("UTF-8", key))[0]
        assert found == expected, (key, word, found)
    imap.logout()


@scenario
def sorted_and_threaded(post):
    """SORT and THREAD put in order what came out of order."""
    imap = post.imap()
    for subject, day, extra in (
            ("b", 3, "In-Reply-To: <root@x>\r\n"), ("a", 1, ""), ("Re: a", 2, "")):
        date = email.utils.format_datetime(email.utils.parsedate_to_datetime(
            f"{day} Nov 2026 10:00:00 +0000"))
        good(imap.append("INBOX", None, None, mail(subject, extra=f"Date: {date}\r\n{extra}")))
    good(imap.select())
    assert good(imap.sort("(DATE)", "UTF-8", "ALL")) == [b"2 3 1"]
    assert good(imap.sort("(REVERSE SUBJECT DATE)", "UTF-8", "ALL")) == [b"1 2 3"]
    assert good(imap.thread("REFERENCES", "UTF-8", "ALL")) == [b"(2 3)(1)"]
    imap.logout()


@scenario
def a_restart_is_not_noticed(post):
    """UIDVALIDITY, uids, flags, keywords and subscriptions are there after a restart."""
    imap = post.imap()
    good(imap.create("Sp&AOQ-ter"))
    good(imap.subscribe("Sp&AOQ-ter"))
    fill(imap, 3, "Sp&AOQ-ter")
    good(imap.select("Sp&AOQ-ter"))
    good(imap.store("2", "FLAGS", r"(\Seen \Answered $Work Other)"))

    def everything(imap):
        good(imap.select("Sp&AOQ-ter"))
        return (imap.response("UIDVALIDITY"), good(imap.fetch("1:*", "(UID FLAGS MODSEQ)")),
                good(imap.lsub()), good(imap.status("Sp&AOQ-ter", "(UIDNEXT HIGHESTMODSEQ)")))
    before = everything(post.imap())
    post.stop()
    post.start()
    assert everything(post.imap()) == before


# --- Outbox ---------------------------------------------------------------------------


def queued(post, to="eva@far.example", subject="queued"):
    """A message that waits, as OUTBOX shows it; (imap with Outbox selected, its uid)."""
    post.run("pause")
    post.send(to, subject)
    imap = post.imap()
    post.wait_for(lambda: b"MESSAGES 1" in good(imap.status("Outbox", "(MESSAGES)"))[0], 20,
                  "the message in Outbox")
    good(imap.select("Outbox"))
    return imap, uids(imap)[0]


@scenario
def outbox_shows_the_queue(post):
    """A message that waits is in Outbox with its state, and its uid outlives a restart."""
    imap, uid = queued(post)
    head, data = good(imap.uid("FETCH", uid, "(FLAGS BODY.PEEK[])"))[0]
    assert b"X-Hauspost-State: " in data and b"Subject: queued" in data, data
    assert re.search(rb"\$(waiting|offline)", head), head
    imap.logout()
    post.stop()
    post.start()
    imap = post.imap()
    good(imap.select("Outbox"))
    assert uids(imap) == [uid]
    assert good(imap.uid("FETCH", uid, "(BODY.PEEK[])"))[0][1] == data


@scenario
def expunging_from_outbox_cancels(post):
    """A message deleted in Outbox is not sent, and history says so."""
    imap, uid = queued(post)
    good(imap.uid("STORE", uid, "+FLAGS", r"(\Deleted)"))
    assert post.queue()
    good(imap.expunge())
    assert not post.queue()
    assert post.state_of("eva@far.example") == "cancelled", post.history()
    assert uids(imap) == []


@scenario
def moving_out_of_outbox_cancels(post):
    """Thunderbird's Delete, a move to Trash, cancels; a copy is in Trash."""
    imap, uid = queued(post)
    good(imap.uid("MOVE", uid, "Trash"))
    assert post.state_of("eva@far.example") == "cancelled", post.history()
    assert uids(imap) == []
    assert good(imap.select("Trash")) == [b"1"]
    assert b"Subject: queued" in good(imap.fetch("1", "(BODY[])"))[0][1]


@scenario(root=True)
def too_late_to_cancel(internet, post):
    """What is just being handed over stays in Outbox, and the answer says why."""
    mx = internet.mx("slow", bad_mx.SlowAcknowledgement)
    mx.delay = 8
    post.send("eva@slow.example")
    imap = post.imap()
    post.wait_for(lambda: b"MESSAGES 1" in good(imap.status("Outbox", "(MESSAGES)"))[0], 20,
                  "the message in Outbox")
    good(imap.select("Outbox"))
    post.wait_for(lambda: any(session.closed is None for session in mx.sessions))
    answer = imap.uid("MOVE", "1:*", "Trash")
    assert answer[0] == "NO" and b"cannot be stopped" in answer[1][0], answer
    assert good(imap.select("Trash")) == [b"0"]
    good(imap.select("Outbox"))
    good(imap.store("1:*", "+FLAGS", r"(\Deleted)"))
    assert imap.expunge()[0] == "NO"
    post.wait_state("eva@slow.example", "delivered")
    assert len(mx.ledger) == 1


@scenario
def copying_out_of_outbox_changes_nothing(post):
    """A copy of what waits is just a copy."""
    imap, uid = queued(post)
    good(imap.uid("COPY", uid, "Archive"))
    assert uids(imap) == [uid] and len(post.queue()) == 1


@scenario
def nothing_is_put_into_outbox(post):
    """APPEND, COPY and MOVE into Outbox are refused, and the answer says how to send."""
    imap = post.imap()
    fill(imap, 1)
    good(imap.select())
    for answer in (imap.append("Outbox", None, None, mail("not sent")),
                   imap.copy("1", "Outbox"), imap.uid("MOVE", "1", "Outbox")):
        assert answer[0] == "NO" and b"SMTP" in answer[1][0], answer
    assert uids(imap) == [b"1"] and not post.queue()
    for command in ("DELETE Outbox", "RENAME Outbox Elsewhere"):
        ImapTalk(post).refused(command)


@scenario(root=True)
def retry_in_outbox(internet, post):
    """$retry tries now what would have waited for its time."""
    mx = internet.mx("again", bad_mx.Greylist)
    post.send("eva@again.example")
    post.wait_for(lambda: post.recipient("eva@again.example").get("attempts") == 1)
    imap = post.imap()

    def shown():
        good(imap.select("Outbox"))
        imap.noop()
        return "451" in repr(good(imap.fetch("1:*", "(BODY.PEEK[HEADER])")))
    post.wait_for(shown, 20, "what the server said in Outbox")
    assert not mx.ledger
    good(imap.store("1", "+FLAGS", "($retry)"))
    post.wait_state("eva@again.example", "delivered")
    assert len(mx.ledger) == 1
    post.wait_for(lambda: b"MESSAGES 0" in good(imap.status("Outbox", "(MESSAGES)"))[0], 20)
    imap.logout()
