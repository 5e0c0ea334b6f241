"""The test internet: laptop – ISP – far hosts, all in network namespaces.

    laptop 192.168.77.2  ──  ISP (router with NAT, resolver)  ──┬── far: name server, MX hosts
           2001:db8:77::2                                       ├── postfix
                                                                ├── opensmtpd
                                                                └── exim

    with Internet() as internet:
        mx = internet.mx("honest")              # takes mail for anybody@honest.example
        internet.laptop.popen("hauspostd")
        internet.cut(); internet.restore()

Everything carries a name of its own, so several can run side by side; close() ends the
processes inside and removes it all. Needs root: otherwise Unavailable says so.
"""
import atexit
import ipaddress
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import bad_mx  # noqa: E402  (the folder is only now on the path)
import line as lines  # noqa: E402
import mta  # noqa: E402
from certificates import Authority  # noqa: E402
from debs import Unavailable  # noqa: E402
from nameservers import BrokenResolver, Knot, Unbound, write_resolv_conf  # noqa: E402
from mx import ScriptedMx, Session  # noqa: E402
from namespaces import Namespace, ip  # noqa: E402

REAL = {"postfix": (mta.Postfix, 10), "opensmtpd": (mta.OpenSmtpd, 20), "exim": (mta.Exim, 30)}
RESOLVERS = ("192.168.77.1", "2001:db8:77::1")


def unavailable():
    """Why there can be no test internet here; None if there can be."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for tool in ("ip", "nft", "conntrack", "certtool", "apt-get", "unshare", "nsenter"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    probe = subprocess.run(["unshare", "-mn", "true"], capture_output=True, text=True,
                           check=False)
    return None if probe.returncode == 0 else "no namespaces here: " + probe.stderr.strip()


class Internet:
    """See above. Real servers start when they are first asked for."""

    def __init__(self):
        reason = unavailable()
        if reason is not None:
            raise Unavailable(reason)
        self.tag = "hp" + secrets.token_hex(3)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hauspost-internet-"))
        self.folder.chmod(0o755)
        self.namespaces, self.scripted, self.servers = [], {}, {}
        self.next_address = 10
        self.closed = False
        atexit.register(self.close)
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    # --- construction ------------------------------------------------------------------
    def _build(self):
        self.authority = Authority(self.folder / "certificates")
        self.isp = self._namespace("isp")
        self.laptop = self._namespace("laptop")
        self.far = self._namespace("far")
        self.isp.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        ip("link", "add", "lan", "netns", self.isp.name, "type", "veth",
           "peer", "name", "eth0", "netns", self.laptop.name)
        self.isp.run("sh", "-e", "-c", """ip link add wan type bridge forward_delay 0
ip link set wan up
ip link set lan up
ip addr add 192.168.77.1/24 dev lan
ip -6 addr add 2001:db8:77::1/64 dev lan nodad
ip -6 addr add fe80::1/64 dev lan nodad
ip addr add 192.0.2.1/24 dev wan
ip addr add 203.0.113.1/24 dev wan
ip addr add 198.51.100.1/24 dev wan
ip -6 addr add 2001:db8:2::1/64 dev wan nodad
ip -6 addr add 2001:db8:3::1/64 dev wan nodad
ip -6 addr add 2001:db8:2::ffff/64 dev wan nodad
""")
        self.isp.run("ip", "addr", "add", lines.OUTSIDE + "/32", "dev", "wan")
        self.isp.run("ip", "addr", "add", lines.PORTAL + "/32", "dev", "wan")
        self._plug(self.far, "192.0.2.53/24", "203.0.113.2/24", "2001:db8:2::53/64",
                   "2001:db8:3::2/64")
        lines.configure_laptop(self.laptop)
        self.line = lines.Line(self.isp, self.laptop)
        write_resolv_conf(self.laptop, *RESOLVERS)
        self.knot = Knot(self.far, self.folder / "knot")
        self.resolver = Unbound(self.isp, self.folder / "unbound", RESOLVERS)
        self.liar = BrokenResolver(self.isp, ("0.0.0.0", "::"), lines.BROKEN_DNS_PORT,
                                   lines.PORTAL)
        self.portal = ScriptedMx(self.isp, ("0.0.0.0", "::"), "portal.example",
                                 bad_mx.HttpServer, port=lines.PORTAL_PORT)
        self.interceptor = ScriptedMx(self.isp, ("0.0.0.0", "::"), "filter.isp.example",
                                      bad_mx.Refuse5xx, port=lines.INTERCEPT_PORT)
        self.names([], [*self._name("resolver.isp.example", *RESOLVERS),
                        *self._name("line77.isp.example", lines.OUTSIDE,
                                    "2001:db8:77::2")])

    def _namespace(self, name):
        namespace = Namespace(f"{self.tag}-{name}")
        self.namespaces.append(namespace)
        return namespace

    def _plug(self, host, *addresses):
        """Connects HOST with the far side of the ISP."""
        port = "p" + host.name.rsplit("-", 1)[1]
        ip("link", "add", port, "netns", self.isp.name, "type", "veth",
           "peer", "name", "eth0", "netns", host.name)
        self.isp.run("sh", "-e", "-c", f"ip link set {port} master wan\nip link set {port} up")
        for address in addresses:
            host.run("ip", "addr", "add", address, "dev", "eth0",
                     *(["nodad"] if ":" in address else []))
        host.run("sh", "-e", "-c", """ip link set eth0 up
ip route add default via 192.0.2.1
ip -6 route add default via 2001:db8:2::1
""")

    # --- names --------------------------------------------------------------------------
    @staticmethod
    def _name(host, *addresses):
        """Zone lines for a host name, with the reverse names."""
        found = []
        for address in addresses:
            parsed = ipaddress.ip_address(address)
            found.append(f"{host}. {'A' if parsed.version == 4 else 'AAAA'} {address}")
            found.append(f"{parsed.reverse_pointer}. PTR {host}.")
        return found

    def names(self, remove, add):
        """Changes the DNS: REMOVE is names, ADD lines such as "a.example. MX 5 b.example."."""
        self.knot.change(remove, add)
        self.resolver.forget()

    # --- hosts --------------------------------------------------------------------------
    def addresses(self, ipv6=True):
        """A new public address of the far host, and its IPv6 twin."""
        number, self.next_address = self.next_address, self.next_address + 1
        found = [f"203.0.113.{number}"]
        self.far.run("ip", "addr", "add", found[0] + "/32", "dev", "eth0")
        if ipv6:
            found.append(f"2001:db8:3::{number:x}")
            self.far.run("ip", "-6", "addr", "add", found[1] + "/128", "dev", "eth0", "nodad")
        return found

    def mx(self, name, session=Session, tls=None, ipv6=True, port=25):
        """A scripted MX for the domain NAME.example.

        tls: "good", "expired" or "wrong-name" makes it offer STARTTLS.
        """
        host = f"mx.{name}.example"
        context = None
        if tls is not None:
            context = self.authority.context(
                name, "other.example" if tls == "wrong-name" else host,
                expired=tls == "expired")
        addresses = self.addresses(ipv6)
        server = ScriptedMx(self.far, addresses, host, session, context, port)
        server.domain = name + ".example"
        self.scripted[name] = server
        self.names([], [f"{server.domain}. MX 10 {host}.", *self._name(host, *addresses)])
        return server

    def server(self, name):
        """A real server: "postfix", "opensmtpd" or "exim"; for NAME.example with TLS and
        plain.NAME.example without, Postfix also for grey.example."""
        if name in self.servers:
            return self.servers[name]
        kind, number = REAL[name]
        namespace = self._namespace(name)
        tls, plain = [(f"192.0.2.{n}", f"2001:db8:2::{n}") for n in (number, number + 1)]
        grey = getattr(kind, "grey", ())
        self._plug(namespace, *(f"{a}/{64 if ':' in a else 24}" for a in
                                (*tls, *plain, *grey)))
        server = kind(namespace, self.folder / name, self.authority, tls, plain)
        add = [f"{name}.example. MX 10 mx.{name}.example.",
               f"plain.{name}.example. MX 10 mx.plain.{name}.example.",
               *self._name(f"mx.{name}.example", *tls),
               *self._name(f"mx.plain.{name}.example", *plain)]
        if grey:
            add += ["grey.example. MX 10 mx.grey.example.",
                    *self._name("mx.grey.example", *grey)]
        self.names([], add)
        self.servers[name] = server
        return server

    # --- faults -------------------------------------------------------------------------
    def cut(self, how="link"):
        """Cuts the line: link, cable, route or silent (see line.py)."""
        self.line.cut(how)

    def restore(self):
        self.line.restore()

    def port25(self, how):
        """open, drop, refuse, unreachable or intercept (then self.interceptor answers)."""
        self.line.port25 = how
        self.line.apply()

    def dns(self, how):
        """ok, drop, servfail, refused, lie, lie-soa, portal, or a function (see nameservers.py)."""
        self.liar.mode = how
        self.line.dns = how if isinstance(how, str) else "function"
        self.line.apply()
        if how == "ok":
            self.resolver.forget()

    def captive(self, on=True):
        """A captive portal: every name is the portal's, every TCP port answers HTTP."""
        self.line.captive = on
        self.dns("portal" if on else "ok")

    # --- end ----------------------------------------------------------------------------
    def close(self):
        if self.closed:
            return
        self.closed = True
        atexit.unregister(self.close)
        for scripted in [*self.scripted.values(), *(
                getattr(self, name) for name in ("portal", "interceptor")
                if hasattr(self, name))]:
            scripted.close()
        for namespace in self.namespaces:
            namespace.close()
            shutil.rmtree(pathlib.Path("/etc/netns") / namespace.name, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
