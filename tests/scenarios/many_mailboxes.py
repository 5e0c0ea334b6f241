"""Programs that watch and search mailboxes they have not selected."""
import re

from conversation import ImapTalk
from harness import scenario


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
