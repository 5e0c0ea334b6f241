"""The line: offline, captive, broken names, a closed port 25, and back again."""
import subprocess
import time

import bad_mx
from harness import count, scenario


def network(post):
    return post.status()["network"]["state"]


def unhurt(post, address):
    """No attempt was counted against the message."""
    found = post.recipient(address)
    assert found["attempts"] == 0 and found["state"] not in ("refused", "expired"), found
    return found


@scenario(root=True)
def a_real_outage(internet, post):
    """Line cut: mail is taken and waits without an attempt; line back: out at once."""
    mx = internet.mx("outage")
    post.send("eva0@outage.example")
    post.wait_state("eva0@outage.example", "delivered")
    for how in ("link", "route", "cable"):
        time.sleep(3)  # what a link that came up still has to tell must not help
        internet.cut(how)
        post.wait_for(lambda: network(post) == "offline", 20, f"offline after {how}")
        address = f"eva-{how}@outage.example"
        post.send(address)
        time.sleep(1.0)
        found = unhurt(post, address)
        assert found["state"] == "offline", found
        assert "no connection to the internet" in found["explanation"], found
        internet.restore()
        post.wait_state(address, "delivered", 40)
    assert len(mx.ledger) == 4


@scenario(root=True)
def status_follows_the_line(internet, post):
    """`status -f` shows that the line is down, and that it is back, without being asked."""
    followed = post.folder / "followed"
    with open(followed, "wb") as out:
        follower = subprocess.Popen(post.command("hauspost", "status", "-f"),
                                    env=post.environment, stdout=out)
    try:
        for words, act in (("online", lambda: None), ("offline", internet.cut),
                           ("online", internet.restore)):
            act()
            post.wait_for(lambda: f"\u00b7 {words}" in
                          followed.read_text(encoding="utf-8").split("\u25cf")[-1], 30, words)
    finally:
        follower.terminate()
        follower.wait(10)


@scenario(root=True, seconds=180)
def a_silent_outage(internet, post):
    """Packets vanish while the routes stay: the network is blamed, not the messages."""
    mx = [internet.mx(f"silent{i}") for i in range(3)]
    internet.cut("silent")
    for i in range(3):
        post.send(f"eva@silent{i}.example")
    post.wait_for(lambda: network(post) != "ok", 120, "a bad line noticed")
    for i in range(3):
        unhurt(post, f"eva@silent{i}.example")
    internet.restore()
    post.move_clock(120)
    post.run("queue", "retry", "--all")
    for i in range(3):
        post.wait_state(f"eva@silent{i}.example", "delivered", 60)
    assert all(host.ledger for host in mx)


@scenario(root=True, seconds=180)
def three_days_offline(internet, post):
    """Three days without a line cost no attempt and bounce nothing; then all goes out."""
    mx = internet.mx("holiday")
    internet.cut("link")
    post.wait_for(lambda: network(post) == "offline", 20)
    for number in range(count(5, 50)):
        post.send(f"eva{number}@holiday.example")
    for _ in range(6):
        post.move_clock(12 * 3600)
        time.sleep(0.5)
        unhurt(post, "eva0@holiday.example")
    internet.restore()
    mx.wait(count(5, 50), 60)
    assert not post.inbox()


@scenario(root=True, seconds=180)
def six_days_offline(internet, post):
    """Even after six days offline a message is not given up before it had its chances."""
    mx = internet.mx("longaway")
    internet.cut("link")
    post.wait_for(lambda: network(post) == "offline", 20)
    post.send("eva@longaway.example")
    post.stop()
    post.move_clock(6 * 86400)
    internet.restore()
    post.start()
    mx.wait(1, 30)
    post.wait_state("eva@longaway.example", "delivered")


@scenario(root=True, seconds=180)
def captive_portal(internet, post):
    """C36: a captive portal gets neither mail nor password; nothing bounces; one notice."""
    mx = internet.mx("hotel")
    internet.captive()
    post.send("eva@hotel.example")
    post.wait_for(lambda: network(post) in ("captive", "no_25"), 60, "portal noticed")
    assert "log in" in unhurt(post, "eva@hotel.example")["explanation"]
    post.move_clock(20 * 60)
    post.wait_for(post.inbox, 30, "the notice")
    post.move_clock(20 * 60)
    time.sleep(1)
    assert len(post.inbox()) == 1, [m["Subject"] for m in post.inbox()]
    said = b"".join(line for s in internet.portal.sessions for line in s.commands)
    assert b"MAIL" not in said and b"AUTH" not in said, said
    internet.captive(False)
    post.run("queue", "retry", "--all")
    post.wait_state("eva@hotel.example", "delivered", 60)
    assert len(mx.ledger) == 1


@scenario(root=True, seconds=240)
def port_25_closed(internet, post):
    """C36: port 25 dropped or refused for every server: no attempt, no bounce, one notice."""
    mx = [internet.mx(f"closed25-{i}") for i in range(3)]
    internet.port25("refuse")
    for i in range(3):
        post.send(f"eva@closed25-{i}.example")
    post.wait_for(lambda: network(post) == "no_25", 60, "no-25 noticed")
    for row in post.status()["attention"]:
        post.run(*row["command"].split()[1:])   # what it tells a person to type works
    for i in range(3):
        assert "port 25" in unhurt(post, f"eva@closed25-{i}.example")["explanation"]
    assert not post.inbox()
    post.move_clock(20 * 60)
    notice = post.wait_for(post.inbox, 30, "the notice")[0]
    assert "25" in notice.get_body().get_content(), notice
    internet.port25("open")
    post.move_clock(3700)                       # the probe of the next hour
    for i in range(3):
        post.wait_state(f"eva@closed25-{i}.example", "delivered", 60)
    assert all(len(host.ledger) == 1 for host in mx)


@scenario(root=True)
def one_dead_server(internet, post):
    """A server that is down alone is its own fault: the attempt counts, the line is good."""
    dead = internet.addresses()[0]
    mx = internet.mx("beside-dead")
    internet.names([], ["dead.example. MX 10 mx.dead.example.", f"mx.dead.example. A {dead}"])
    post.send("eva@dead.example")
    found = post.wait_for(lambda: (r := post.recipient("eva@dead.example")).get("attempts")
                          and r, why="an attempt that counts")
    assert found["state"] == "waiting" and network(post) == "ok", found
    assert found["explanation"].startswith("None of the recipient's mail servers"), found
    post.send("eva@beside-dead.example")
    mx.wait(1, 20)
    assert post.recipient("eva@dead.example")["attempts"] == 1


def mistyped(internet, *domains):
    """Domains whose mail server is a computer that knows nothing of mail."""
    for domain in domains:
        internet.names([], [f"{domain}. MX 10 mx.{domain}.",
                            f"mx.{domain}. A {internet.addresses()[0]}"])


@scenario(root=True, seconds=180)
def two_mistyped_domains(internet, post):
    """Mail to two dead servers keeps no good mail waiting, and no network is blamed."""
    mistyped(internet, "gmial.example", "hotmial.example")
    mx = [internet.mx(f"fine{i}") for i in range(2)]
    dead = ("eva@gmial.example", "eva@hotmial.example")
    post.send(list(dead))
    post.wait_for(lambda: network(post) == "no_25", 60, "what looks like a closed port 25")
    post.move_clock(20 * 60)                    # the probes of the first minutes fail
    time.sleep(1)
    assert not post.inbox(), [m["Subject"] for m in post.inbox()]
    post.send("eva@fine0.example")
    mx[0].wait(1, 20)
    post.wait_for(lambda: network(post) == "ok", 20, "a greeting counts")
    # Where somebody has greeted, two more dead ones are believed to be just that.
    for _ in range(2):
        before = [post.recipient(a)["attempts"] for a in dead]
        post.run("queue", "retry", "--all")
        post.wait_for(lambda b=before: all(post.recipient(a)["attempts"] > n
                                           for a, n in zip(dead, b)), 30, "attempts")
        assert network(post) == "ok"
        post.move_clock(20 * 60)
    post.send("eva@fine1.example")
    mx[1].wait(1, 20)
    assert not post.inbox(), [m["Subject"] for m in post.inbox()]


@scenario(root=True, seconds=240)
def port_25_closed_for_days(internet, post):
    """No-25 for five days: the mail is returned whole, with the reason."""
    internet.mx("five25")
    internet.mx("five25b")
    internet.port25("refuse")
    post.send("eva@five25.example", "kept whole", "every word\r\n")
    post.send("eva@five25b.example")
    post.wait_for(lambda: network(post) == "no_25", 60)
    for _ in range(11):
        post.move_clock(12 * 3600)
        time.sleep(0.7)
    found = post.wait_for(lambda: [m for m in post.inbox()
                                   if "kept whole" in m.as_string()], 60, "returned")
    assert "every word" in found[0].as_string()


@scenario(root=True)
def port_25_intercepted(internet, post):
    """A filter of the ISP answers with 554 in the name of every server: nothing bounces."""
    internet.mx("filtered1")
    internet.mx("filtered2")
    internet.port25("intercept")
    for name in ("filtered1", "filtered2"):
        post.send(f"eva@{name}.example")
    post.wait_for(lambda: len(internet.interceptor.sessions) >= 1, 30)
    time.sleep(1.5)
    for name in ("filtered1", "filtered2"):
        assert post.state_of(f"eva@{name}.example") != "refused"
    internet.port25("open")
    post.move_clock(3700)
    post.run("queue", "retry", "--all")
    for name in ("filtered1", "filtered2"):
        post.wait_state(f"eva@{name}.example", "delivered", 60)


@scenario(root=True, seconds=180)
def names_do_not_resolve(internet, post):
    """C28: SERVFAIL, silence and refusal of the resolver never bounce and count nothing."""
    mx = internet.mx("nodns")
    for how in ("servfail", "refused", "drop"):
        internet.dns(how)
        address = f"eva-{how}@nodns.example"
        post.send(address)
        time.sleep(2.0)
        assert post.state_of(address) not in ("refused", "delivered"), how
        internet.dns("ok")
        post.move_clock(420)
        post.run("queue", "retry", "--all")
        post.wait_state(address, "delivered", 60)
    assert len(mx.ledger) == 3 and not post.inbox()


@scenario(root=True)
def nxdomain_that_is_not_believed(internet, post):
    """NXDOMAIN without SOA, or from a resolver that never gave a good answer, is no bounce."""
    mx = internet.mx("liar")
    for how in ("lie", "lie-soa"):
        internet.dns(how)
        address = f"eva-{how}@liar.example"
        post.send(address)
        time.sleep(2.0)
        found = post.recipient(address)
        assert found["state"] not in ("refused", "delivered"), (how, found)
        # the words "does not exist" are ours and not a server's about a mailbox
        assert found["explanation"].startswith("The name servers"), (how, found)
        internet.dns("ok")
        post.move_clock(420)
        post.run("queue", "retry", "--all")
        post.wait_state(address, "delivered", 60)
    assert len(mx.ledger) == 2


@scenario(root=True)
def resume_from_suspend(internet, post):
    """C35: after suspend (CLOCK_BOOTTIME ahead of CLOCK_MONOTONIC) all is due at once."""
    mx = internet.mx("lid", bad_mx.Greylist)
    post.send("eva@lid.example")
    post.wait_for(lambda: post.recipient("eva@lid.example").get("attempts") == 1)
    post.move_clock(wall=120, boot=120, monotonic=0)
    post.wait_state("eva@lid.example", "delivered", 60)
    assert len(mx.ledger) == 1


@scenario(root=True)
def clocks_that_jump(internet, post):
    """C34: the wall clock a year back or on, 1970, 2039: no bounce, no expiry, still sent."""
    mx = internet.mx("jump", bad_mx.Greylist)
    year = 365 * 86400
    now = int(time.time())
    for number, jump in enumerate((year, -year, -now + 1000, 2177452800 - now)):
        address = f"eva{number}@jump.example"
        post.send(address)
        post.wait_for(lambda a=address: post.recipient(a).get("attempts") == 1)
        post.move_clock(wall=jump, boot=0, monotonic=0)
        time.sleep(1.0)
        assert post.state_of(address) in ("waiting", "delivered", "sending"), jump
        post.run("queue", "retry", "--all")
        post.wait_state(address, "delivered", 30)
        post.move_clock(wall=-jump, boot=0, monotonic=0)
    assert len(mx.ledger) == 4 and not post.inbox()


@scenario(root=True)
def retry_and_resume_do_not_dawdle(internet, post):
    """`resume` and `queue retry` make mail due at once, without a spread."""
    hosts = [internet.mx(f"now{i}") for i in range(5)]
    post.run("pause")
    for i in range(5):
        post.send(f"eva@now{i}.example")
    post.run("resume")
    for host in hosts:
        host.wait(1, 10)


@scenario(root=True)
def pause_for_a_while(internet, post):
    """`pause --for` ends by itself; a pause survives a restart."""
    mx = internet.mx("paused")
    post.run("pause", "--for", "1h")
    post.send("eva@paused.example")
    post.stop()
    post.start()
    assert post.status()["state"] == "paused"
    time.sleep(0.5)
    assert not mx.ledger
    post.move_clock(3700)
    mx.wait(1, 20)


@scenario(root=True)
def held_and_cancelled(internet, post):
    """hold keeps a message back, release lets it go, cancel ends it without a bounce."""
    mx = internet.mx("handled")
    post.run("pause")
    post.send("eva1@handled.example")
    post.send("eva2@handled.example")
    first, second = (post.recipient(f"eva{i}@handled.example")["id"] for i in (1, 2))
    post.run("queue", "hold", first)
    post.run("queue", "cancel", "-y", second)
    post.run("resume")
    time.sleep(0.7)
    assert not mx.ledger and post.state_of("eva1@handled.example") == "held"
    post.run("queue", "release", first)
    mx.wait(1)
    assert mx.ledger[0].recipients == ["eva1@handled.example"] and not post.inbox()
