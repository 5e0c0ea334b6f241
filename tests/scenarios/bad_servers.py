"""C11, C29, C30: servers that misbehave, and what their certificates are worth."""
import email
import time

import bad_mx
from harness import LONG, scenario


def memory(post):
    """The private memory of the daemon in MiB."""
    pid = post.process.pid
    text = open(f"/proc/{pid}/smaps_rollup", encoding="ascii").read()
    return sum(int(line.split()[1]) for line in text.splitlines()
               if line.startswith("Private_")) / 1024


def deferred(post, address, seconds=60):
    """Waits for an attempt that failed for now."""
    return post.wait_for(
        lambda: (r := post.recipient(address)).get("attempts", 0) >= 1 and
        r.get("state") in ("waiting", "uncertain") and r, seconds, f"{address} deferred")


def misbehaviour(internet, post, kind, seconds=60):
    """One bad server and, beside it, a good one that must not suffer."""
    name = kind.replace("_", "-")
    bad = internet.mx("bad-" + name, bad_mx.ALL[kind])
    good = internet.mx("good-" + name)
    post.send(f"eva@bad-{name}.example")
    post.send(f"eva@good-{name}.example")
    good.wait(1, 30)
    found = deferred(post, f"eva@bad-{name}.example", seconds)
    assert not any(m.acknowledged for m in bad.ledger)
    return found


def many(internet, post, kinds):
    for kind in kinds:
        misbehaviour(internet, post, kind)


@scenario(root=True, tree="plain", seconds=240)
def replies_without_end(internet, post):
    """C29: endless lines and replies are cut off; memory stays bounded, others go on."""
    before = memory(post)
    for kind in ("ten-megabyte-line", "endless-reply", "endless-ehlo"):
        misbehaviour(internet, post, kind)
    assert memory(post) - before < 8, memory(post) - before


@scenario(root=True, seconds=240)
def replies_without_sense(internet, post):
    """C29: codes 999 and 000, no code, mixed codes, NUL: deferred, never delivered."""
    many(internet, post, ("code-999", "code-000", "not-a-code", "mixed-codes", "nul"))


@scenario(root=True, seconds=240)
def connections_that_end(internet, post):
    """C29: closed after 354, 421 in the middle of the message: deferred."""
    many(internet, post, ("close-after-354", "421-in-data", "busy"))


@scenario(root=True, seconds=500)
def one_byte_a_second(internet, post):
    """C29: a reply that trickles does not extend its deadline, and stops nobody else."""
    bad = internet.mx("trickle", bad_mx.OneByteASecond)
    good = internet.mx("beside-trickle")
    post.send("eva@trickle.example")
    post.wait_for(lambda: bad.sessions)
    for number in range(3):
        post.send(f"eva{number}@beside-trickle.example")
    good.wait(3, 20)
    if LONG:
        deferred(post, "eva@trickle.example", 600)


@scenario(root=True)
def no_reply_to_the_dot(internet, post):
    """C29: a connection lost after the dot is uncertain: not sent again before 30 minutes,
    then with the same Message-ID.
    """
    mx = internet.mx("lostdot", bad_mx.DropAtDot)
    post.send("eva@lostdot.example")
    found = post.wait_state("eva@lostdot.example", "uncertain")
    assert len(mx.ledger) == 1
    post.move_clock(20 * 60)
    time.sleep(1.5)
    assert len(mx.ledger) == 1, "sent again too soon"
    mx.session = bad_mx.Session
    post.move_clock(15 * 60)
    post.wait_state("eva@lostdot.example", "delivered")
    assert len(mx.ledger) == 2, found

    def ident(message):
        return [line for line in message.content().split(b"\r\n")
                if line.lower().startswith(b"message-id:")]
    assert ident(mx.ledger[0]) == ident(mx.ledger[1]) != []


@scenario(root=True, seconds=900)
def silence_after_the_dot(internet, post):
    """C29: no reply to the dot holds up nobody else, nor the end; it is uncertain then."""
    mx = internet.mx("silent", bad_mx.NoReplyToDot)
    good = internet.mx("beside-silent")
    post.send("eva@silent.example")
    mx.wait(1)
    for number in range(3):
        post.send(f"eva{number}@beside-silent.example")
    good.wait(3, 20)
    if LONG:
        post.wait_state("eva@silent.example", "uncertain", 660)
    post.stop()
    post.start()
    post.wait_state("eva@silent.example", "uncertain")
    post.run("queue", "retry", "--all")
    time.sleep(1.0)
    assert len(mx.sessions) == 1, "sent again too soon"


@scenario(root=True)
def starttls_injection(internet, post):
    """C11: bytes behind the 220 to STARTTLS: deferred, and nothing of them is believed."""
    mx = internet.mx("inject", bad_mx.StartTlsInjection, tls="good")
    post.send("eva@inject.example")
    deferred(post, "eva@inject.example")
    assert not mx.ledger
    assert not any(line.startswith(("AUTH", "MAIL")) for line in mx.commands())


@scenario(root=True)
def tls_is_used_where_offered(internet, post):
    """C30: opportunistic: a valid, an expired and a wrongly named certificate all encrypt."""
    for tls in ("good", "expired", "wrong-name"):
        mx = internet.mx("tls-" + tls, tls=tls)
        post.send(f"eva@tls-{tls}.example")
        assert mx.wait()[0].tls, tls
        sessions = [s for s in mx.sessions if s.messages]
        verbs = [line.split()[0].decode().upper() for line in sessions[0].commands]
        assert verbs[:3] == ["EHLO", "STARTTLS", "EHLO"], verbs


@scenario(root=True)
def plaintext_after_a_failed_handshake(internet, post):
    """A handshake that fails: in the clear only once the message has waited five minutes."""
    for name, kind in (("refused", "starttls-refused"), ("rubbish", "broken-handshake")):
        mx = internet.mx("tls-" + name, bad_mx.ALL[kind], tls="good")
        address = f"eva@tls-{name}.example"
        post.send(address)
        found = deferred(post, address)
        assert not mx.ledger, name
        post.move_clock(360)
        post.run("queue", "retry", found["id"], check=False)
        post.wait_state(address, "delivered")
        assert not mx.ledger[0].tls


@scenario(root=True)
def never_weaker_than_before(internet, post):
    """A domain once seen with TLS does not get mail in the clear, however long it waits."""
    mx = internet.mx("strip", tls="good")
    post.send("eva1@strip.example")
    post.wait_state("eva1@strip.example", "delivered")
    assert mx.ledger[0].tls
    mx.tls = None                               # somebody strips STARTTLS
    post.send("eva2@strip.example")
    found = deferred(post, "eva2@strip.example")
    for _ in range(4):
        post.move_clock(3600)
        post.run("queue", "retry", found["id"], check=False)
        time.sleep(0.5)
    assert len(mx.ledger) == 1, "sent in the clear"
    assert post.state_of("eva2@strip.example") in ("waiting", "held"), found


@scenario(root=True)
def hostile_words(internet, post):
    """C25: markup, headers and control characters in a refusal stay harmless in the report."""
    internet.mx("hostile", bad_mx.HostileText)
    post.send("eva@hostile.example")
    found = post.wait_state("eva@hostile.example", "refused")
    assert not any(ord(c) < 32 or 0x7f <= ord(c) < 0xa0 or c == "\u202e"
                   for c in found["reply"]), found
    bounce = post.wait_for(post.inbox_bytes)[0]
    message = email.message_from_bytes(bounce)
    assert message.get_content_type() == "multipart/report", bounce[:500]
    assert message["Subject"] != "injected" and len(message.get_all("Subject")) == 1
    status = message.get_payload()[1]
    assert status.get_content_type() == "message/delivery-status"
    fields = status.get_payload()[1]
    assert fields["Status"].startswith("5.1.1") and fields["Subject"] is None, fields
    assert max(bounce) < 128 or b"8bit" in bounce
