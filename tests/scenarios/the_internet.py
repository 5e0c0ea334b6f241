"""The test internet itself: what scenarios rely on must be true."""
import socket
import time

from harness import scenario


def answers(internet, address, port=25):
    """What a host says first; "" for nothing, None for no connection."""
    try:
        with internet.laptop.connect(address, port, 1.5) as sock:
            sock.settimeout(1.5)
            return sock.recv(200).decode()
    except socket.timeout:
        return ""
    except OSError:
        return None


def greeting(internet, address, seconds=20):
    """What a host says first, which may take a while after the line was cut or changed."""
    end = time.monotonic() + seconds
    while not (said := answers(internet, address)) and time.monotonic() < end:
        time.sleep(0.1)
    return said or ""


def dig(internet, *words):
    return internet.laptop.run("/usr/bin/python3", "-c",
                               "import socket,sys; print(socket.getaddrinfo(sys.argv[1], 25)"
                               "[0][4][0])", *words, check=False).stdout.strip()


@scenario(root=True)
def a_line_can_be_cut(internet):
    """A far host is reached, not while the line is cut in any of four ways, and again."""
    mx = internet.mx("there")
    for how in ("link", "cable", "route", "silent"):
        assert greeting(internet, mx.addresses[0]).startswith("220 mx.there.example"), how
        internet.cut(how)
        assert not answers(internet, mx.addresses[0]), how
        assert not answers(internet, mx.addresses[1]), how
        internet.restore()
    assert greeting(internet, mx.addresses[1]).startswith("220 mx.there.example")


@scenario(root=True)
def port_25_can_be_closed(internet):
    """Port 25 is dropped, refused, forbidden or answered by somebody else."""
    mx = internet.mx("there25")
    for how, said in (("drop", ""), ("refuse", None), ("unreachable", None),
                      ("intercept", "554 ")):
        internet.port25(how)
        for address in mx.addresses:
            answer = answers(internet, address)
            assert answer == said or (said and answer.startswith(said)), (how, answer)
    internet.port25("open")
    assert greeting(internet, mx.addresses[0]).startswith("220")


@scenario(root=True)
def names_can_be_broken(internet):
    """Names resolve through the ISP, and not while it is told to break them."""
    mx = internet.mx("named")
    assert dig(internet, "mx.named.example") in mx.addresses
    for how in ("servfail", "lie"):
        internet.dns(how)
        assert dig(internet, "mx.named.example") == "", how
    internet.captive()
    assert dig(internet, "mx.named.example") == "198.51.100.80"
    assert answers(internet, mx.addresses[0], 80).startswith("HTTP/1.1 302")
    internet.captive(False)
    assert dig(internet, "mx.named.example") in mx.addresses
