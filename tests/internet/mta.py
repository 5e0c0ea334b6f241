"""Real mail servers as receiving MX: Postfix, OpenSMTPD, Exim.

Each one takes mail for its domains on one address with STARTTLS and on another without,
and puts it into one Maildir. Addresses nobody@ do not exist; full@ is over its quota.
"""
import email
import email.policy
import os
import pathlib
import shutil
import socket
import time

from debs import PrivateRoot

MAIL = 8        # Debian's user and group "mail"


class Server:
    """What the three share. Subclasses set name and start()."""

    name = ""

    def __init__(self, namespace, folder, authority, tls, plain):
        """TLS, PLAIN: (IPv4, IPv6) of the two listening addresses."""
        self.namespace, self.tls, self.plain = namespace, tls, plain
        self.root = PrivateRoot(self.name, namespace, folder)
        self.host = f"mx.{self.name}.example"
        self.domains = [f"{self.name}.example", f"plain.{self.name}.example"]
        self.mail = pathlib.Path(folder) / "mail"
        self.mail.mkdir(mode=0o755)
        os.chown(self.mail, MAIL, MAIL)
        # RSA, as most servers have it.
        certificate, key = authority.issue(self.name, self.host, rsa=True)
        self.certificate = self.root.write("etc/mx.pem", certificate.read_text())
        self.key = self.root.write("etc/mx.key", key.read_text(), mode=0o600)
        self.start()
        for address in (*tls, *plain):
            self._until_greeted(address)

    def start(self):
        raise NotImplementedError

    def log(self):
        return self.root.log()

    def _until_greeted(self, address):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                with self.namespace.connect(address, 25, 5) as sock:
                    if sock.recv(3) == b"220":
                        return
            except (OSError, socket.timeout):
                pass
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not greet on {address}:\n{self.log()[-3000:]}")

    def raw_messages(self, to=None):
        """The delivered messages as bytes; only those for the address TO."""
        found = []
        for folder in ("new", "cur"):
            for path in sorted((self.mail / "box" / folder).glob("*")):
                found.append(path.read_bytes())
        if to is None:
            return found
        return [data for data in found if to.lower().encode() in self._addressed(data)]

    @staticmethod
    def _addressed(data):
        head = data.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].lower()
        wanted = (b"delivered-to:", b"x-original-to:", b"envelope-to:")
        return b"\n".join(line for line in head.split(b"\n") if line.startswith(wanted))

    def messages(self, to=None):
        return [email.message_from_bytes(data, policy=email.policy.default)
                for data in self.raw_messages(to)]


class Postfix(Server):
    """Postfix; mail for grey.example goes through postgrey on a third address."""

    name = "postfix"
    grey = ("192.0.2.12", "2001:db8:2::12")
    GREY_SECONDS = 2

    def start(self):
        root = self.root
        for user, number in (("postfix", 990), ("postdrop", 991), ("postgrey", 992)):
            root.user(user, number)
        root.program("postdrop", 991, 0o2755)
        root.program("postqueue", 991, 0o2755)
        spool, lib = root.folder / "spool/postfix", root.folder / "lib"
        for name in ("active bounce corrupt defer deferred flush hold incoming private saved "
                     "trace pid maildrop public").split():
            (spool / name).mkdir(parents=True)
            os.chown(spool / name, 0 if name == "pid" else 990,
                     991 if name in ("maildrop", "public") else 0)
            (spool / name).chmod({"pid": 0o755, "maildrop": 0o730,
                                  "public": 0o710}.get(name, 0o700))
        for name, owner in (("postfix", 990), ("postgrey", 992)):
            (lib / name).mkdir()
            os.chown(lib / name, owner, owner)
        self._configure()
        root.start("postgrey", "--inet=127.0.0.1:10023", f"--delay={self.GREY_SECONDS}",
                   "--user=postgrey", "--group=postgrey", "--dbdir=/var/lib/postgrey",
                   f"--whitelist-clients={root.write('etc/none', '')}",
                   f"--whitelist-recipients={root.write('etc/none', '')}", log="postgrey.log")
        root.run("postfix", "start")

    def _configure(self):
        dist = (self.root.package / "usr/share/postfix/master.cf.dist").read_text()
        lines = [line for line in dist.splitlines() if not line.startswith("smtp      inet")]
        # chroot off, as the queue has no /etc in it
        lines = [" ".join([*line.split()[:4], "n", *line.split()[5:]])
                 if line[:1].isalpha() else line for line in lines]
        for addresses, options in ((self.tls, ""),
                                   (self.plain, " -o smtpd_tls_security_level=none"),
                                   (self.grey, " -o smtpd_recipient_restrictions=$grey")):
            for address in addresses:
                where = f"[{address}]" if ":" in address else address
                lines.append(f"{where}:25 inet n - n - - smtpd{options}")
        self.root.write("etc/postfix/master.cf", "\n".join(lines) + "\n")
        self.root.write("etc/postfix/refused",
                        "/^nobody@/ 550 5.1.1 No such user here\n"
                        "/^full@/ 452 4.2.2 The mailbox is full\n")
        shutil.copy(self.root.package / "usr/share/postfix/main.cf.debian",
                    self.root.folder / "etc/postfix/main.cf.proto")
        self.domains.append("grey.example")
        check = "check_recipient_access regexp:/etc/postfix/refused"
        self.root.write("etc/postfix/main.cf", f"""compatibility_level = 3.6
myhostname = {self.host}
mydestination =
inet_interfaces = all
mynetworks = 127.0.0.0/8
smtputf8_enable = yes
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination, {check}
grey = reject_unauth_destination, {check}, check_policy_service inet:127.0.0.1:10023
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = {', '.join(self.domains)}
virtual_mailbox_base = {self.mail}
virtual_mailbox_maps = static:box/
virtual_mailbox_limit = 0
virtual_minimum_uid = 1
virtual_uid_maps = static:{MAIL}
virtual_gid_maps = static:{MAIL}
default_transport = error:nothing leaves this host
smtpd_tls_security_level = may
smtpd_tls_chain_files = /etc/mx.key, /etc/mx.pem
smtpd_tls_received_header = yes
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
message_size_limit = 52428800
maillog_file = /var/spool/postfix/maillog
maillog_file_prefixes = /var/spool/postfix
""")

    def log(self):
        return self.root.log("spool/postfix/maillog") + self.root.log("postgrey.log")


class OpenSmtpd(Server):
    """OpenSMTPD. Debian 12's 6.8.0p2 offers STARTTLS, but no handshake succeeds: it cannot
    use its key through OpenSSL 3 (OpenSMTPD issue 1171). A real MX with broken TLS.
    """

    name = "opensmtpd"

    def start(self):
        root = self.root
        root.user("opensmtpd", 990)
        root.user("opensmtpq", 991)
        root.program("smtpctl", 991, 0o2755)
        (root.folder / "lib/opensmtpd/empty").mkdir(parents=True)
        (root.folder / "spool").chmod(0o711)
        listen = "".join(f"listen on {a} port 25 tls pki inbound hostname {self.host}\n"
                         for a in self.tls)
        listen += "".join(f"listen on {a} port 25 hostname {self.host}\n" for a in self.plain)
        domains = ", ".join(f'"{d}"' for d in self.domains)
        nobody = ", ".join(f'"nobody@{d}"' for d in self.domains)
        root.write("etc/smtpd.conf", f"""pki inbound cert "/etc/mx.pem"
pki inbound key "/etc/mx.key"
smtp max-message-size 50M
table domains {{ {domains} }}
table nobody {{ {nobody} }}
table boxes {{ "@" = "mail" }}
{listen}action "box" maildir "{self.mail}/box" virtual <boxes>
match from any for rcpt-to <nobody> reject
match from any for domain <domains> action "box"
""")
        root.start("smtpd", "-d")


class Exim(Server):
    """Exim."""

    name = "exim"

    def start(self):
        root = self.root
        root.user("Debian-exim", 990)
        for sub in ("spool/exim4", "spool/log"):
            (root.folder / sub).mkdir()
            os.chown(root.folder / sub, 990, 990)
        root.program("exim4", 0, 0o4755)
        for name in ("etc/mx.pem", "etc/mx.key"):
            os.chown(root.folder / name, 0, 990)
            (root.folder / name).chmod(0o640)
        addresses = " ; ".join((*self.tls, *self.plain))
        with_tls = " : ".join("${if eq{$received_ip_address}{%s}{*}}" % a
                              for a in self.tls)
        conf = root.write("etc/exim4/exim4.conf", f"""primary_hostname = {self.host}
spool_directory = /var/spool/exim4
log_file_path = /var/spool/log/%slog
pid_file_path = /var/spool/exim4/daemon.pid
local_interfaces = <; {addresses}
daemon_smtp_ports = 25
domainlist ours = {' : '.join(self.domains)}
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
accept_8bitmime = true
host_lookup =
rfc1413_query_timeout = 0s
never_users =
tls_certificate = /etc/mx.pem
tls_privatekey = /etc/mx.key
tls_advertise_hosts = {with_tls}
message_size_limit = 50M
smtp_accept_max = 100
begin acl
rcpt:
  deny local_parts = nobody
       message = 5.1.1 No such user here
  defer local_parts = full
       message = 4.2.2 The mailbox is full
  accept domains = +ours
  deny message = relaying denied
begin routers
maildir:
  driver = accept
  domains = +ours
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {self.mail}/box
  maildir_format
  create_directory
  user = mail
  group = mail
  delivery_date_add
  envelope_to_add
  return_path_add
begin retry
* * F,2h,1m; F,4d,15m
""", mode=0o640)
        os.chown(conf, 0, 990)
        root.start("/usr/sbin/exim4", "-bdf", "-q1m")

    def log(self):
        return super().log() + self.root.log("spool/log/mainlog") + \
            self.root.log("spool/log/paniclog")
