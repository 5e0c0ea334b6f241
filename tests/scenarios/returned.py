"""Bounces, delay notices and success reports: read by POP3, parsed by Python's email."""
import calendar
import time

import bad_mx
from harness import scenario

GERMAN = {"settings": {"account": {"language": "de"}}, "language": "C.UTF-8"}


def report(post, seconds=30):
    """The one report in INBOX, taken apart: (message, text, status per-message, [status
    per-recipient], original)."""
    found = post.wait_for(post.inbox, seconds, "a report in INBOX")
    assert len(found) == 1, [m["Subject"] for m in found]
    message = found[0]
    assert message.get_content_type() == "multipart/report", message
    assert message.get_param("report-type") == "delivery-status"
    text, status, original = message.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert status.get_content_type() == "message/delivery-status"
    blocks = status.get_payload()
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["Date"] and message["Message-ID"]
    return message, text.get_content(), blocks[0], blocks[1:], original


def refused_report(internet, post, **options):
    internet.mx("refuses", bad_mx.RefuseRecipient)
    post.send("eva@refuses.example", "The invoice", "secret body\r\n", **options)
    return report(post)


@scenario(root=True)
def bounce_in_english(internet, post):
    """A refused message comes back as RFC 3464 report: sentence, side, advice, reply, mail."""
    message, text, about, recipients, original = refused_report(internet, post)
    assert "eva@refuses.example" in text and "No such user here" in text, text
    assert len(text.split()) > 20, text
    assert about["Reporting-MTA"].startswith("dns;"), about.items()
    fields = recipients[0]
    assert fields["Final-Recipient"].replace(" ", "") == "rfc822;eva@refuses.example"
    assert fields["Action"] == "failed" and fields["Status"] == "5.1.1", fields.items()
    assert fields["Remote-MTA"].replace(" ", "") == "dns;mx.refuses.example"
    assert "550 5.1.1" in fields["Diagnostic-Code"], fields["Diagnostic-Code"]
    assert original.get_content_type() == "message/rfc822"
    assert original.get_payload()[0]["Subject"] == "The invoice"
    assert "secret body" in original.get_payload()[0].get_payload()
    assert message["Return-Path"] in (None, "<>"), message["Return-Path"]


@scenario(root=True, **GERMAN)
def bounce_in_german(internet, post):
    """The same in German: subject and explanation, with their umlauts intact."""
    message, text, _, recipients, _ = refused_report(internet, post)
    assert recipients[0]["Action"] == "failed" and recipients[0]["Status"] == "5.1.1"
    words = text.lower()
    assert any(word in words for word in ("nicht", "empf\u00e4nger", "adresse")), text
    assert "the server" not in words and "\ufffd" not in text, text
    assert message["Subject"].isprintable(), message["Subject"]


@scenario(root=True)
def ret_hdrs_returns_only_the_header(internet, post):
    """RET=HDRS: the report holds the header of the message, not its text."""
    _, _, _, _, original = refused_report(internet, post, options=["RET=HDRS", "ENVID=E1"])
    assert original.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers")
    assert "secret body" not in original.as_string() and "The invoice" in original.as_string()


@scenario(root=True)
def envid_and_orcpt_come_back(internet, post):
    """ENVID and ORCPT stand in the report as they were given (RFC 3464 §2)."""
    _, _, about, recipients, _ = refused_report(
        internet, post, options=["ENVID=QQ+2B1"],
        rcpt_options=["ORCPT=rfc822;old+2Beva@refuses.example"])
    assert about["Original-Envelope-Id"] == "QQ+1", about.items()
    assert recipients[0]["Original-Recipient"].replace(" ", "") == \
        "rfc822;old+eva@refuses.example", recipients[0].items()


@scenario(root=True)
def one_report_for_many(internet, post):
    """Recipients refused in one go share a report; delivered ones are not in it."""
    internet.mx("half")
    post.send(["nobody@half.example", "eva@half.example"])
    _, _, _, recipients, _ = report(post)
    assert [r["Final-Recipient"].split(";")[1].strip() for r in recipients] == \
        ["nobody@half.example"]


@scenario(root=True)
def a_refusal_shows_while_another_waits(internet, post):
    """Who is refused is counted, listed and reported at once, not when all are done."""
    internet.mx("refuses", bad_mx.RefuseRecipient)
    internet.mx("grey", bad_mx.Greylist)
    post.send(["eva@refuses.example", "bob@grey.example"])
    post.wait_state("eva@refuses.example", "refused")
    post.wait_for(lambda: post.cli("status")["today"]["refused"], 30, "the refusal")
    assert len(post.inbox()) == 1
    checked = post.run("status", "--check", check=False)
    assert checked.returncode == 7 and "1 recipient was refused" in checked.stdout, checked
    listed = post.run("history", "list", "--result", "refused").stdout
    assert "refused" in listed and "eva@refuses.example (2)" in listed, listed
    stats = post.cli("history", "stats")
    assert stats["recipients"] == stats["refused"] == 1, stats
    identity = post.cli("queue", "list")["messages"][0]["id"]
    post.run("queue", "cancel", "-y", identity)
    stats = post.cli("history", "stats")
    assert (stats["recipients"], stats["refused"], stats["cancelled"]) == (2, 1, 1), stats


@scenario(root=True)
def never_means_never(internet, post):
    """NOTIFY=NEVER and null senders get no report (C26)."""
    internet.mx("refuses", bad_mx.RefuseRecipient)
    post.send("eva1@refuses.example", rcpt_options=["NOTIFY=NEVER"])
    post.send("eva2@refuses.example", sender="",
              data=b"From: anna@home.example\r\nSubject: x\r\n\r\nx\r\n")
    for name in ("eva1", "eva2"):
        post.wait_state(f"{name}@refuses.example", "refused")
    post.send("eva3@refuses.example")
    message, _, _, recipients, _ = report(post)
    assert "eva3" in recipients[0]["Final-Recipient"], message


@scenario(root=True)
def success_report(internet, post):
    """NOTIFY=SUCCESS at a peer without DSN: a "relayed" report; with DSN the peer writes it."""
    internet.mx("plainmx", bad_mx.SevenBit)
    internet.mx("dsnmx")
    post.send("eva@dsnmx.example", rcpt_options=["NOTIFY=SUCCESS"])
    post.wait_state("eva@dsnmx.example", "delivered")
    post.send("eva@plainmx.example", rcpt_options=["NOTIFY=SUCCESS"])
    _, _, _, recipients, _ = report(post)
    assert recipients[0]["Action"] == "relayed", recipients[0].items()
    assert recipients[0]["Status"].startswith("2."), recipients[0].items()


@scenario
def success_report_for_the_own_inbox(post):
    """NOTIFY=SUCCESS to an address of one's own: "delivered", once it lies there."""
    post.send("anna@localhost", "mine", rcpt_options=["NOTIFY=SUCCESS"])
    found = post.wait_for(lambda: len(post.inbox()) == 2 and post.inbox(), 30, "a report")
    about_it = next(m for m in found if m.get_content_type() == "multipart/report")
    fields = list(about_it.iter_parts())[1].get_payload()[1]
    assert fields["Action"] == "delivered", fields.items()
    assert fields["Final-Recipient"].replace(" ", "") == "rfc822;anna@localhost"


def to_next_attempt(post, address):
    """Moves the clock to when the next attempt is due, and waits for its result."""
    found = post.wait_for(lambda: (r := post.recipient(address)).get("attempts", 0) and
                          r.get("state") == "waiting" and r, 20, "a result")
    due = calendar.timegm(time.strptime(found["next_attempt"], "%Y-%m-%dT%H:%M:%SZ"))
    post.move_clock(max(1, due - time.time() - post.clock[0] + 2))
    post.wait_for(lambda: (r := post.recipient(address))["attempts"] > found["attempts"] and
                  r["state"] != "sending", 20, "the next attempt")


def waited(internet, post):
    """A greylisted message that has waited for more than four hours."""
    mx = internet.mx("forever", bad_mx.RefuseRecipient)
    mx.session = type("Later", (bad_mx.Session,), {
        "on_rcpt": lambda self, rest: self.reply("450 4.2.1 Mailbox busy, come back")})
    post.send("eva@forever.example", "Slow")
    while post.clock[0] < 4 * 3600 + 60:
        to_next_attempt(post, "eva@forever.example")
    return mx


@scenario(root=True)
def delay_notice_in_english(internet, post):
    """After four hours of trying one notice says so: action delayed, still being tried."""
    waited(internet, post)
    message, text, _, recipients, _ = report(post)
    assert recipients[0]["Action"] == "delayed", recipients[0].items()
    assert recipients[0]["Status"].startswith("4."), recipients[0].items()
    assert "Mailbox busy" in text and "eva@forever.example" in text, text
    assert post.state_of("eva@forever.example") == "waiting"
    assert message["Subject"], message


@scenario(root=True, **GERMAN)
def delay_notice_in_german(internet, post):
    """The delay notice speaks German, too."""
    waited(internet, post)
    _, text, _, recipients, _ = report(post)
    assert recipients[0]["Action"] == "delayed"
    assert any(word in text.lower() for word in ("noch nicht", "versuch", "nachricht")), text


@scenario(root=True, seconds=240)
def given_up_after_five_days(internet, post):
    """Given up at five days, 24 h online and five attempts on two days: returned, expired."""
    mx = waited(internet, post)
    while post.state_of("eva@forever.example") != "expired" and len(mx.sessions) < 60:
        to_next_attempt(post, "eva@forever.example")
    assert post.state_of("eva@forever.example") == "expired"
    assert post.clock[0] >= 5 * 86400, post.clock
    assert len(mx.sessions) >= 5
    failed = [m for m in post.inbox()
              if list(m.iter_parts())[1].get_payload()[1]["Action"] == "failed"]
    assert len(failed) == 1
    fields = list(failed[0].iter_parts())[1].get_payload()[1]
    assert fields["Status"].startswith("4.4.7") or fields["Status"].startswith("5.4.7")


@scenario(root=True)
def too_many_hops(internet, post):
    """C26: more than 50 Received lines are a loop: 5.4.6, nothing leaves."""
    mx = internet.mx("hops")
    head = "".join(f"Received: from a{i} by b{i}; Mon, 1 Jan 2024 00:00:00 +0000\r\n"
                   for i in range(60))
    try:
        post.send("eva@hops.example", data=(
            head + "From: anna@home.example\r\nSubject: x\r\n\r\nx\r\n").encode())
        found = post.wait_state("eva@hops.example", "refused")
        assert found["code"].endswith("5.4.6"), found
    except Exception as error:
        if "5.4.6" not in str(error):
            raise
    assert not mx.ledger


@scenario(root=True)
def explain_says_what_it_means(internet, post):
    """`explain` of a code and of a message give a sentence and the next step."""
    internet.mx("refuses", bad_mx.RefuseRecipient)
    post.send("eva@refuses.example")
    found = post.wait_state("eva@refuses.example", "refused")
    by_code = post.cli("explain", "550 5.1.1")
    by_id = post.cli("explain", found["id"])
    assert len(by_code["meaning"].split()) > 4 and by_code["side"], by_code
    assert by_id["meaning"] and "No such user" in by_id["reply"], by_id
