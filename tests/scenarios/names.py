"""C28: hostile and broken answers of name servers."""
import struct
import time

from harness import scenario
from internet import RESOLVERS
from nameservers import write_resolv_conf


def answer(query, rcode=0, records=b"", number=0, flags=0x8180):
    end = 12
    while query[end] != 0:
        end += 1 + query[end]
    return query[:2] + struct.pack(">5H", flags | rcode, 1, number, 0, 0) + \
        query[12:end + 5] + records


def kind_of(query):
    end = 12
    while query[end] != 0:
        end += 1 + query[end]
    return struct.unpack(">H", query[end + 1:end + 3])[0]


def record(kind, data, name=b"\xc0\x0c"):
    return name + struct.pack(">HHLH", kind, 1, 60, len(data)) + data


def never_bounces(internet, post, name, function, code=None):
    """With FUNCTION as the resolver, mail to NAME neither bounces nor goes out."""
    internet.dns(function)
    address = f"eva@{name}.example"
    post.send(address)
    post.wait_for(lambda: post.recipient(address).get("state") not in (None, "sending"), 60)
    time.sleep(1.0)
    found = post.recipient(address)
    assert found["state"] not in ("refused", "expired", "delivered") or (
        code and found["code"].endswith(code)), (name, found)
    assert post.status()["state"] == "running"
    internet.dns("ok")


@scenario(root=True, seconds=240)
def broken_answers(internet, post):
    """Empty datagrams, wrong ids, truncation, rubbish and compression loops only defer."""
    never_bounces(internet, post, "zero", lambda q: b"")
    never_bounces(internet, post, "wrongid", lambda q: b"\0\0" + answer(q)[2:])
    never_bounces(internet, post, "truncated", lambda q: answer(q, flags=0x8380))
    never_bounces(internet, post, "rubbish", lambda q: q[:2] + b"\xff" * 500)
    never_bounces(internet, post, "loop",
                  lambda q: answer(q, records=record(15, b"\0\x0a\xc0\x0c" * 1, b"\xc0\x0c"),
                                   number=1)[:12] + b"\xc0\x0c" + b"\0\x0f\0\x01")
    never_bounces(internet, post, "short",
                  lambda q: answer(q, records=record(15, b"\0"), number=1))


@scenario(root=True, seconds=120)
def a_thousand_mx(internet, post):
    """A thousand MX records: at most five addresses are tried, and others are not kept."""
    mx = internet.mx("amid-many")
    records = b"".join(record(15, struct.pack(">H", i + 1) + bytes([4]) + b"h%03d" % i +
                              b"\xc0\x0c") for i in range(999))

    def reply(query):
        if kind_of(query) == 15:
            return answer(query, records=records, number=999)[:65000]
        return answer(query)

    never_bounces(internet, post, "thousand", reply, code="5.4.4")
    post.send("eva@amid-many.example")
    post.wait_state("eva@amid-many.example", "delivered", 60)
    assert len(mx.ledger) == 1


@scenario(root=True)
def alias_loop(internet, post):
    """Aliases that point at each other end in an error, not in a loop."""
    internet.mx("loopfriend")
    internet.names([], ["ring1.example. CNAME ring2.example.",
                        "ring2.example. CNAME ring1.example."])
    post.send("eva@ring1.example")
    post.wait_for(lambda: post.recipient("eva@ring1.example").get("state") not in
                  (None, "sending"), 60)
    post.send("eva@loopfriend.example")
    post.wait_state("eva@loopfriend.example", "delivered")


@scenario(root=True)
def dns_servers_from_settings(internet, make):
    """[dns] servers is used instead of /etc/resolv.conf, with a port."""
    mx = internet.mx("setdns")
    post = make(settings={"dns": {"servers": "192.168.77.1:53"}})
    post.setup()
    post.start()
    post.send("eva@setdns.example")
    post.wait_state("eva@setdns.example", "delivered")
    assert len(mx.ledger) == 1


@scenario(root=True)
def resolv_conf_that_changes(internet, post):
    """/etc/resolv.conf is read again when it changes, as after a change of network."""
    mx = internet.mx("newconf")
    write_resolv_conf(internet.laptop, "192.168.77.99")
    try:
        post.stop()
        post.start()
        post.send("eva@newconf.example")
        time.sleep(1)
        assert post.state_of("eva@newconf.example") != "delivered"
    finally:
        write_resolv_conf(internet.laptop, *RESOLVERS)
    post.run("queue", "retry", "--all")
    post.wait_state("eva@newconf.example", "delivered", 60)
    assert len(mx.ledger) == 1
