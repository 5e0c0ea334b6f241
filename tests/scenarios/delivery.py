"""Carrying it out: which server, in which words, and what arrives there."""
import email
import email.policy
import re
import time

import bad_mx
from harness import count, scenario
from mx import ScriptedMx, Session


def delivered(post, address, seconds=30):
    return post.wait_state(address, "delivered", seconds)


def real(internet, post, name, domain):
    """Sends to a real server; the message as it lies there."""
    server = internet.server(name)
    address = f"eva.{domain.split('.')[0]}@{domain}"
    body = "Hello.\r\n.\r\n..two dots\r\n.hidden\r\nGr\xfc\xdfe\r\n"
    post.send(address, f"to {domain}", data=(
        f"From: Anna <anna@home.example>\r\nTo: {address}\r\nSubject: to {domain}\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{body}").encode())
    delivered(post, address)
    found = post.wait_for(lambda: server.messages(address), why=f"mail in {name}'s maildir")
    assert len(found) == 1, found
    text = found[0].get_content().replace("\r\n", "\n")
    assert text == body.replace("\r\n", "\n"), text
    return found[0]


@scenario(root=True)
def real_postfix_with_tls(internet, post):
    """Postfix takes a message over STARTTLS, byte for byte."""
    message = real(internet, post, "postfix", "postfix.example")
    assert "TLSv1.3" in message["Received"], message["Received"]


@scenario(root=True)
def real_postfix_without_tls(internet, post):
    """Postfix without STARTTLS takes a message in the clear."""
    message = real(internet, post, "postfix", "plain.postfix.example")
    assert "TLS" not in message["Received"], message["Received"]


@scenario(root=True)
def real_exim_with_tls(internet, post):
    """Exim takes a message over STARTTLS."""
    message = real(internet, post, "exim", "exim.example")
    assert re.search(r"esmtps", message["Received"]), message["Received"]


@scenario(root=True)
def real_exim_without_tls(internet, post):
    """Exim without STARTTLS takes a message in the clear."""
    message = real(internet, post, "exim", "plain.exim.example")
    assert not re.search(r"esmtps", message["Received"]), message["Received"]


@scenario(root=True)
def real_opensmtpd_without_tls(internet, post):
    """OpenSMTPD without STARTTLS takes a message in the clear, no PIPELINING there."""
    real(internet, post, "opensmtpd", "plain.opensmtpd.example")


@scenario(root=True)
def real_opensmtpd_with_broken_tls(internet, post):
    """Debian 12's OpenSMTPD fails every handshake: in the clear only after five minutes."""
    server = internet.server("opensmtpd")
    post.send("eva@opensmtpd.example")
    found = post.wait_for(
        lambda: (r := post.recipient("eva@opensmtpd.example")).get("attempts", 0) >= 1 and
        r.get("state") == "waiting" and r, why="a first attempt that fails")
    assert not server.messages("eva@opensmtpd.example")
    post.move_clock(400)
    post.run("queue", "retry", found["id"], check=False)    # it may be on its way already
    delivered(post, "eva@opensmtpd.example")
    assert len(server.messages("eva@opensmtpd.example")) == 1


@scenario(root=True)
def real_refusals(internet, post):
    """An address that Postfix refuses is refused; a full mailbox is tried again later."""
    internet.server("postfix")
    post.send(["nobody@postfix.example", "full@postfix.example", "eva.ok@postfix.example"])
    found = post.wait_state("nobody@postfix.example", "refused")
    assert found["code"] == "550 5.1.1" and "No such user here" in found["reply"], found
    delivered(post, "eva.ok@postfix.example")
    found = post.wait_state("full@postfix.example", "waiting")
    assert found["code"] == "452 4.2.2", found


@scenario(root=True)
def real_greylisting(internet, post):
    """Postgrey defers the first attempt; the second one, later, is accepted."""
    server = internet.server("postfix")
    post.send("eva@grey.example")
    found = post.wait_for(
        lambda: (r := post.recipient("eva@grey.example")).get("attempts", 0) >= 1 and
        r.get("state") == "waiting" and r, why="greylisted")
    assert found["code"] == "450 4.2.0" and "reylisted" in found["reply"], found
    time.sleep(server.GREY_SECONDS + 0.5)       # postgrey's clock is the real one
    post.move_clock(340)
    delivered(post, "eva@grey.example")
    assert len(server.messages("eva@grey.example")) == 1


@scenario(root=True)
def better_preference_first(internet, post):
    """The MX of lowest preference is asked first, the others only if it cannot be had."""
    best, other = internet.mx("best"), internet.mx("second")
    internet.names([], ["prefer.example. MX 20 mx.second.example.",
                        "prefer.example. MX 10 mx.best.example."])
    post.send("eva@prefer.example")
    delivered(post, "eva@prefer.example")
    assert len(best.ledger) == 1 and not other.sessions
    best.close()
    post.send("eva2@prefer.example")
    delivered(post, "eva2@prefer.example")
    assert len(other.ledger) == 1


@scenario(root=True)
def equal_preference_is_shared(internet, make):
    """Among MX of equal preference different messages reach different hosts."""
    hosts = [internet.mx(f"equal{i}") for i in range(3)]
    internet.names([], [f"equal.example. MX 10 mx.equal{i}.example." for i in range(3)])
    post = make()
    post.setup()
    post.start()
    for number in range(count(12, 60)):
        post.send(f"eva{number}@equal.example")
        delivered(post, f"eva{number}@equal.example")
        for host in hosts:      # a reused connection would go to the same one
            for session in host.sessions:
                session.sock.close()
        if sum(bool(host.ledger) for host in hosts) > 1:
            return
    raise AssertionError("all went to one host")


@scenario(root=True)
def null_mx(internet, post):
    """A domain with MX "." takes no mail: 556 5.1.10 at once, no connection (RFC 7505)."""
    internet.names([], ["nullmx.example. MX 0 .", "nullmx.example. A 203.0.113.2"])
    post.send("eva@nullmx.example")
    found = post.wait_state("eva@nullmx.example", "refused")
    assert found["code"] == "556 5.1.10", found


@scenario(root=True)
def implicit_mx(internet, post):
    """Without MX records the address of the domain itself is the server (RFC 5321 §5.1)."""
    mx = internet.mx("host-of-implicit")
    internet.names([], [f"implicit.example. A {mx.addresses[0]}"])
    post.send("eva@implicit.example")
    delivered(post, "eva@implicit.example")
    assert mx.ledger[0].recipients == ["eva@implicit.example"]


@scenario(root=True)
def cname_domain(internet, post):
    """A domain that is an alias is followed to where its MX is."""
    mx = internet.mx("real-name")
    internet.names([], ["alias.example. CNAME real-name.example."])
    post.send("eva@alias.example")
    delivered(post, "eva@alias.example")
    assert len(mx.ledger) == 1


@scenario(root=True)
def no_such_domain(internet, post):
    """A domain that does not exist refuses the recipient, in words."""
    mx = internet.mx("exists")
    post.send("eva@exists.example")         # a positive answer, so that NXDOMAIN is believed
    delivered(post, "eva@exists.example")
    post.send("eva@no-such-domain.example")
    found = post.wait_state("eva@no-such-domain.example", "refused")
    assert found["code"].endswith("5.1.2"), found
    assert "behind the @" in found["explanation"], found
    assert len(mx.ledger) == 1


@scenario(root=True)
def own_address_is_a_loop(internet, post):
    """An MX that is this host would be a loop: 5.4.6, nothing is connected."""
    internet.names([], ["selfmx.example. MX 10 laptop.home.example.",
                        "laptop.home.example. A 192.168.77.2",
                        "selfmx6.example. MX 10 laptop6.home.example.",
                        "laptop6.home.example. AAAA 2001:db8:77::2"])
    for domain in ("selfmx", "selfmx6"):
        post.send(f"eva@{domain}.example")
        found = post.wait_state(f"eva@{domain}.example", "refused")
        assert found["code"].endswith("5.4.6"), found
        assert "this machine itself" in found["explanation"], found


@scenario(root=True)
def private_addresses_are_not_connected(internet, post):
    """C27: MX hosts on loopback, link-local, RFC 1918, ULA or no address: 5.4.6, no connect."""
    addresses = ["A 127.0.0.1", "AAAA ::1", "A 0.0.0.0", "AAAA ::", "A 169.254.1.1",
                 "A 10.1.2.3", "A 172.16.9.9", "A 192.168.77.1", "AAAA fe80::1",
                 "AAAA fd00::1", "AAAA ::ffff:127.0.0.1", "A 127.8.8.8"]
    trap = internet.laptop.listen("127.0.0.1", 25)
    internet.names([], [line for i, where in enumerate(addresses) for line in
                        (f"priv{i}.example. MX 10 mx.priv{i}.example.",
                         f"mx.priv{i}.example. {where}")])
    for i, where in enumerate(addresses):
        post.send(f"eva@priv{i}.example")
    for i, where in enumerate(addresses):
        found = post.wait_state(f"eva@priv{i}.example", "refused")
        assert found["code"].endswith("5.4.6"), (where, found)
        assert "not on the internet" in found["explanation"], found
    trap.settimeout(0.2)
    try:
        peer = trap.accept()[1]
    except OSError:
        trap.close()
        return
    raise AssertionError(f"connected to loopback from {peer}")


@scenario(root=True, settings={"delivery": {"allow-private": "yes"}})
def private_addresses_if_allowed(internet, post):
    """allow-private=yes: a server in the home network is an MX like any other."""
    mx = ScriptedMx(internet.isp, ["192.168.77.1"], "mx.nas.example")
    internet.names([], ["nas.example. MX 10 mx.nas.example.",
                        "mx.nas.example. A 192.168.77.1"])
    post.send("eva@nas.example")
    delivered(post, "eva@nas.example")
    mx.close()


@scenario(root=True, seconds=200)
def at_most_five_addresses(internet, post):
    """Of many addresses at most five are tried, of both families."""
    hosts = [internet.mx(f"many{i}", bad_mx.Busy) for i in range(6)]
    internet.names([], [f"many.example. MX {i} mx.many{i}.example." for i in range(6)])
    post.send("eva@many.example")
    post.wait_for(lambda: post.recipient("eva@many.example").get("attempts", 0) >= 1)
    tried = [s.peer[0] for host in hosts for s in host.sessions]
    assert 2 <= len(tried) <= 5, tried
    assert len({":" in address for address in tried}) == 2, tried


@scenario(root=True)
def the_other_family(internet, post):
    """A host whose IPv6 does not answer is reached by IPv4, and the other way round."""
    mx = internet.mx("v4only", ipv6=False)
    internet.names([], ["mx.v4only.example. AAAA 2001:db8:3::dead"])
    post.send("eva@v4only.example")
    delivered(post, "eva@v4only.example", 60)
    assert len(mx.ledger) == 1


@scenario(root=True)
def refused_family_is_remembered(internet, post):
    """The family that a server refuses is not used there for the next message."""
    class OnlyV4(Session):
        """Has no trust in IPv6."""

        def on_mail(self, rest):
            if ":" in self.peer[0]:
                self.reply("550 5.7.1 IPv6 sending guidelines: no PTR record")
                return
            super().on_mail(rest)

    mx = internet.mx("picky", OnlyV4)
    post.send("eva1@picky.example")
    post.wait_for(lambda: post.recipient("eva1@picky.example").get("state") == "delivered"
                  or post.recipient("eva1@picky.example").get("attempts", 0) >= 1)
    if post.state_of("eva1@picky.example") != "delivered":
        post.move_clock(400)
        delivered(post, "eva1@picky.example")
    before = len(mx.sessions)
    post.send("eva2@picky.example")
    delivered(post, "eva2@picky.example")
    assert all(":" not in s.peer[0] for s in mx.sessions[before:])


@scenario(root=True)
def international_domain(internet, post):
    """An internationalised domain is looked up in its A-label form; the address is kept."""
    mx = internet.mx("xn--mnchen-3ya")
    post.send("eva@m\u00fcnchen.example", data=(
        "From: anna@home.example\r\nTo: eva@m\u00fcnchen.example\r\n"
        "Subject: umlaut\r\n\r\nHello\r\n").encode(), options=["SMTPUTF8"])
    mx.wait()
    assert mx.ledger[0].recipients[0] in ("eva@m\u00fcnchen.example",
                                          "eva@xn--mnchen-3ya.example"), mx.ledger[0]


@scenario(root=True)
def smtputf8_address(internet, post):
    """An address outside of ASCII goes out with SMTPUTF8 and arrives as it was."""
    mx = internet.mx("utf8")
    address = "j\u00f6rg@utf8.example"
    post.send(address, data=f"From: anna@home.example\r\nTo: {address}\r\nSubject: \u00e4\r\n"
              "\r\nHello\r\n".encode(), options=["SMTPUTF8"])
    message = mx.wait()[0]
    assert message.recipients == [address] and "SMTPUTF8" in message.mail_parameters, message


@scenario(root=True)
def smtputf8_lacking(internet, post):
    """Where the peer lacks SMTPUTF8 the mail comes back with a clear reason (5.6.7)."""
    mx = internet.mx("noutf8", bad_mx.NoUtf8)
    address = "j\u00f6rg@noutf8.example"
    post.send(address, data=f"From: anna@home.example\r\nTo: {address}\r\nSubject: x\r\n\r\nHi"
              "\r\n".encode(), options=["SMTPUTF8"])
    found = post.wait_state(address, "refused")
    assert found["code"].endswith("5.6.7"), found
    assert not mx.ledger


@scenario(root=True)
def eight_bit_is_converted(internet, post):
    """A peer without 8BITMIME gets the same text in seven bits."""
    mx = internet.mx("sevenbit", bad_mx.SevenBit)
    post.send("eva@sevenbit.example", data=(
        "From: anna@home.example\r\nTo: eva@sevenbit.example\r\nSubject: eight\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\nGr\u00fc\u00dfe =20 .\r\n").encode(),
        options=["BODY=8BITMIME"])
    data = mx.wait()[0].content()
    assert max(data) < 128, data
    text = email.message_from_bytes(data, policy=email.policy.default).get_content()
    assert text.replace("\r\n", "\n") == "Gr\u00fc\u00dfe =20 .\n", text


@scenario(root=True)
def too_large_for_the_peer(internet, post):
    """A message above the peer's SIZE is refused with the sizes, and not even offered."""
    mx = internet.mx("small", bad_mx.Small)
    post.send("eva@small.example", body="x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 100)
    found = post.wait_state("eva@small.example", "refused")
    assert "5.3.4" in found["code"], found
    assert not any(line.startswith("DATA") for line in mx.commands())


@scenario(root=True)
def dsn_parameters_are_passed_on(internet, post):
    """RET, ENVID, NOTIFY and ORCPT reach a peer that knows DSN (RFC 3461)."""
    mx = internet.mx("dsn")
    post.send("eva@dsn.example", options=["RET=HDRS", "ENVID=QQ314159"],
              rcpt_options=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;eva@dsn.example"])
    message = mx.wait()[0]
    assert "RET=HDRS" in message.mail_parameters, message
    assert "ENVID=QQ314159" in message.mail_parameters, message
    assert "NOTIFY=SUCCESS,FAILURE" in message.rcpt_parameters[0], message
    assert "ORCPT=rfc822;eva@dsn.example" in message.rcpt_parameters[0], message


@scenario(root=True)
def dots_are_stuffed(internet, post):
    """Lines of dots arrive as they were written, and end nothing."""
    mx = internet.mx("dots")
    body = ".\r\n..\r\n.x\r\nx.\r\n\r\n.\r\n"
    post.send("eva@dots.example", body=body)
    message = mx.wait()[0]
    assert message.content().endswith(b"\r\n\r\n" + body.encode()), message.data
    assert message.data.endswith(b"\r\n\r\n..\r\n...\r\n..x\r\nx.\r\n\r\n..\r\n")


@scenario(root=True)
def one_connection_for_many(internet, post):
    """All mail that waits for a destination goes over few connections (at most two)."""
    mx = internet.mx("reuse")
    post.run("pause")
    for number in range(10):
        post.send(f"eva{number}@reuse.example")
    post.run("resume")
    mx.wait(10)
    assert len(mx.sessions) <= 2, len(mx.sessions)


@scenario(root=True)
def one_transaction_for_one_destination(internet, post):
    """Recipients of one message at one destination share one transaction."""
    mx = internet.mx("together")
    post.send([f"eva{number}@together.example" for number in range(20)])
    messages = mx.wait(1)
    for number in range(20):
        delivered(post, f"eva{number}@together.example")
    assert len(messages) == 1 and len(messages[0].recipients) == 20


@scenario(root=True)
def two_at_a_time_for_a_destination(internet, post):
    """A destination never sees more than two connections at once."""
    class Watching(Session):
        """Counts who is there with it."""

        def on_mail(self, rest):
            now = sum(s.closed is None for s in self.mx.sessions)
            self.mx.most = max(getattr(self.mx, "most", 0), now)
            time.sleep(0.05)
            super().on_mail(rest)

    mx = internet.mx("crowd", Watching)
    post.run("pause")
    for number in range(15):
        post.send(f"eva{number}@crowd.example")
    post.run("resume")
    mx.wait(15)
    assert mx.most <= 2, mx.most


@scenario(root=True)
def the_real_error_is_kept(internet, post):
    """A peer that refuses and drops the connection is quoted; the drop does not hide it."""
    internet.mx("dropper", bad_mx.DropAfterPipelinedRefusal)
    post.send("eva@dropper.example")
    found = post.wait_state("eva@dropper.example", "refused")
    assert found["code"] == "550 5.7.1" and "not welcome" in found["reply"], found


@scenario(root=True)
def helo_if_ehlo_is_unknown(internet, post):
    """A server that knows no EHLO gets HELO."""
    mx = internet.mx("ancient", bad_mx.NoExtensions)
    post.send("eva@ancient.example")
    mx.wait()
    assert any(line.startswith("HELO laptop.home.example") for line in mx.commands())


@scenario(root=True)
def refusals_are_per_recipient(internet, post):
    """One refused recipient does not keep the others from getting the message."""
    mx = internet.mx("mixed")
    post.send(["eva@mixed.example", "nobody@mixed.example", "max@mixed.example"])
    delivered(post, "eva@mixed.example")
    delivered(post, "max@mixed.example")
    assert post.wait_state("nobody@mixed.example", "refused")["code"] == "550 5.1.1"
    assert mx.ledger[0].recipients == ["eva@mixed.example", "max@mixed.example"]


@scenario(root=True)
def a_closed_road_bounces_nothing(internet, post):
    """5xx at the greeting closes this road: the mail waits, nothing is returned."""
    internet.mx("closed", bad_mx.Refuse5xx)
    post.send("eva@closed.example")
    post.wait_for(lambda: internet.scripted["closed"].sessions)
    post.wait_for(lambda: post.state_of("eva@closed.example") not in (None, "sending"))
    assert post.state_of("eva@closed.example") != "refused", post.recipient(
        "eva@closed.example")
    assert not post.inbox()


@scenario(root=True)
def grey_attempts_follow_the_schedule(internet, post):
    """After a 451 the next attempt is due after five minutes, not before."""
    mx = internet.mx("grey451", bad_mx.Greylist)
    post.send("eva@grey451.example")
    post.wait_for(lambda: post.recipient("eva@grey451.example").get("attempts") == 1)
    post.move_clock(200)
    time.sleep(1)
    assert len(mx.ledger) == 0
    post.move_clock(140)
    delivered(post, "eva@grey451.example")


@scenario(root=True)
def queue_show_tells_the_story(internet, post):
    """`queue show` tells with times and hosts what was tried and said."""
    internet.mx("story", bad_mx.Greylist)
    post.send("eva@story.example", "the story")
    found = post.wait_for(
        lambda: (r := post.recipient("eva@story.example")).get("attempts") == 1 and r)
    story = post.show(found["id"])
    kinds = [entry["kind"] for entry in story["story"]]
    assert kinds[0] == "accepted" and "said" in kinds, kinds
    said = next(entry for entry in story["story"] if entry["kind"] == "said")
    assert said["host"] == "mx.story.example" and "Greylisted" in said["text"], said
    text = post.run("queue", "show", found["id"][:4]).stdout
    assert "Greylisted" in text and "mx.story.example" in text, text


@scenario(root=True)
def received_reveals_nothing(internet, post):
    """The Received line tells neither the LAN address nor the name of the client."""
    mx = internet.mx("private")
    talk = post.smtp(login=False)
    talk.ehlo("annas-secret-laptop.lan")
    talk.login("anna@home.example", post.password())
    talk.sendmail("anna@home.example", "eva@private.example",
                  b"From: anna@home.example\r\nSubject: x\r\n\r\nHi\r\n")
    talk.quit()
    data = mx.wait()[0].content()
    head = data.split(b"\r\n\r\n")[0]
    assert head.count(b"Received:") == 1, head
    for secret in (b"192.168.", b"127.0.0.1", b"secret", b"lan"):
        assert secret not in head.lower(), (secret, head)
