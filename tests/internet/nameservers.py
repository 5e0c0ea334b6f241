"""Names: knot as the authority of everything, unbound as the resolver of the ISP, and an
answerer that lies as broken networks do.
"""
import itertools
import pathlib
import socket
import struct
import threading
import time

from debs import PrivateRoot

AUTHORITY = "192.0.2.53"
ZONES = (".", "example.", "in-addr.arpa.", "ip6.arpa.")
# The zones that unbound answers by itself unless it is told not to (RFC 6303).
TEST_REVERSE = ("2.0.192.in-addr.arpa.", "100.51.198.in-addr.arpa.",
                "113.0.203.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa.")
RCODE = {"servfail": 2, "refused": 5, "lie": 3, "lie-soa": 3}


class Knot:
    """The authority for ".", "example." and the reverse zones."""

    def __init__(self, namespace, folder):
        self.root = PrivateRoot("knot", namespace, folder)
        self.root.user("knot", 985)
        self.serial = itertools.count(1)
        self.records = {zone: [] for zone in ZONES}
        self.lock = threading.Lock()
        zones = self.root.folder / "zones"
        zones.mkdir(exist_ok=True)
        self._write(*ZONES)
        self.root.write("etc/knot/knot.conf", f"""server:
  listen: [ {AUTHORITY}@53, 2001:db8:2::53@53 ]
  rundir: /run/knot
  tcp-workers: 1
  udp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: notice
database:
  storage: /var/lib/knot
template:
  - id: default
    storage: {zones}
    zonefile-sync: -1
    journal-content: none
zone:
""" + "".join(f"  - domain: {zone}\n    file: {self._file(zone)}\n" for zone in ZONES))
        for sub in ("run/knot", "lib/knot"):
            (self.root.folder / sub).mkdir(exist_ok=True)
        self.process = self.root.start("knotd", "-c", "/etc/knot/knot.conf")
        _until_answers(namespace, AUTHORITY, self.root)

    @staticmethod
    def _file(zone):
        return (zone.strip(".") or "root") + ".zone"

    def _write(self, *zones):
        for zone in zones:
            lines = ["$TTL 60",
                     f"{zone} SOA ns.example. hostmaster.example. {next(self.serial)} "
                     "3600 600 86400 30",
                     f"{zone} NS ns.example.", *self.records[zone]]
            if zone == ".":
                lines += [f"{other} NS ns.example." for other in ZONES if other != "."]
            if zone in (".", "example."):
                lines += [f"ns.example. A {AUTHORITY}", "ns.example. AAAA 2001:db8:2::53"]
            (self.root.folder / "zones" / self._file(zone)).write_text(
                "\n".join(lines) + "\n", encoding="ascii")

    @staticmethod
    def zone_of(name):
        for zone in ("example.", "in-addr.arpa.", "ip6.arpa."):
            if name == zone or name.endswith("." + zone):
                return zone
        return "."

    def change(self, remove, add):
        """Takes out all records of the names REMOVE and puts in ADD (lines of a zone)."""
        with self.lock:
            touched = set()
            for name in remove:
                zone = self.zone_of(name)
                self.records[zone] = [r for r in self.records[zone]
                                      if r.split()[0] != name]
                touched.add(zone)
            for line in add:
                zone = self.zone_of(line.split()[0])
                self.records[zone].append(line)
                touched.add(zone)
            self._write(*touched)
            self.root.run("knotc", "-s", str(self.root.folder / "run/knot/knot.sock"), "-b",
                          "zone-reload", *touched)


class Unbound:
    """The resolver of the ISP. It recurses from the (test) root."""

    def __init__(self, namespace, folder, addresses):
        self.root = PrivateRoot("unbound", namespace, folder)
        self.root.user("unbound", 984)
        self.root.write("etc/unbound/hints", f". NS ns.example.\nns.example. A {AUTHORITY}\n")
        nodefault = "".join(f'  local-zone: "{z}" nodefault\n' for z in TEST_REVERSE)
        interfaces = "".join(f"  interface: {a}\n" for a in addresses)
        self.root.write("etc/unbound/unbound.conf", f"""server:
{interfaces}  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  root-hints: /etc/unbound/hints
  module-config: "iterator"
  chroot: ""
  username: ""
  directory: "/etc/unbound"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  cache-max-negative-ttl: 2
  infra-host-ttl: 1
  num-threads: 1
{nodefault}remote-control:
  control-enable: yes
  control-interface: /run/unbound.ctl
  control-use-cert: no
""")
        self.process = self.root.start("unbound", "-d", "-c", "/etc/unbound/unbound.conf")
        _until_answers(namespace, addresses[0], self.root)

    def forget(self):
        """Empties the cache."""
        control = self.root.folder / "run/unbound.ctl"
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(control))
            sock.sendall(b"UBCT1 flush_zone .\n")
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):
                pass


def _until_answers(namespace, address, root):
    """Waits until the SOA of example. is answered."""
    end = time.monotonic() + 20
    sock = namespace.call(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(0.2)
    while time.monotonic() < end:
        try:
            sock.sendto(question("example.", 6), (address, 53))
            reply = sock.recv(4096)
            if reply[3] & 15 == 0 and reply[7] > 0:
                sock.close()
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"no DNS answer from {address}:\n{root.log()[-2000:]}")


def question(name, kind, ident=0x1234):
    """A DNS query for NAME (with the final dot) that asks for recursion."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".") if part)
    return struct.pack(">6H", ident, 0x0100, 1, 0, 0, 0) + labels + b"\0" + \
        struct.pack(">2H", kind, 1)


class BrokenResolver:
    """Answers every question as mode says: servfail, refused, lie (NXDOMAIN alone),
    lie-soa (NXDOMAIN with a zone that does not exist), portal (one address for all), or
    any function from query bytes to reply bytes (None: no answer).
    """

    def __init__(self, namespace, addresses, port, portal):
        self.mode = "servfail"
        self.portal = portal
        self.questions = []
        for address in addresses:
            udp = namespace.udp(address, port)
            tcp = namespace.listen(address, port)
            threading.Thread(target=self._datagrams, args=(udp,), daemon=True).start()
            threading.Thread(target=self._streams, args=(tcp,), daemon=True).start()

    def _datagrams(self, sock):
        while True:
            query, peer = sock.recvfrom(65535)
            reply = self.answer(query)
            if reply is not None:
                sock.sendto(reply, peer)

    def _streams(self, listener):
        while True:
            sock, _ = listener.accept()
            with sock:
                sock.settimeout(2)
                try:
                    (size,) = struct.unpack(">H", sock.recv(2))
                    reply = self.answer(sock.recv(size))
                    if reply is not None:
                        sock.sendall(struct.pack(">H", len(reply)) + reply)
                except (OSError, struct.error):
                    pass

    def answer(self, query):
        end = 12
        while query[end] != 0:
            end += 1 + query[end]
        (kind,) = struct.unpack(">H", query[end + 1:end + 3])
        self.questions.append((query[12:end], kind))
        if callable(self.mode):
            return self.mode(query)
        asked = query[12:end + 5]
        if self.mode == "portal":
            record = b"" if kind != 1 else struct.pack(
                ">HHHLH", 0xc00c, 1, 1, 0, 4) + socket.inet_aton(self.portal)
            return query[:2] + struct.pack(">5H", 0x8180, 1, int(kind == 1), 0, 0) + \
                asked + record
        soa = b""
        if self.mode == "lie-soa":
            data = b"\x04nope\x07invalid\0" * 2 + struct.pack(">5L", 1, 60, 60, 60, 60)
            soa = b"\x04nope\x07invalid\0" + struct.pack(">HHLH", 6, 1, 60, len(data)) + data
        return query[:2] + struct.pack(">5H", 0x8180 | RCODE[self.mode], 1, 0,
                                       int(soa != b""), 0) + asked + soa


def write_resolv_conf(namespace, *servers):
    """What `ip netns exec NAME` shows as /etc/resolv.conf."""
    folder = pathlib.Path("/etc/netns") / namespace.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "resolv.conf").write_text("".join(f"nameserver {s}\n" for s in servers),
                                        encoding="ascii")
