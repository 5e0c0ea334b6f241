"""A certificate authority for the tests: good, expired and wrongly named certificates."""
import pathlib
import ssl
import subprocess


class Authority:
    """Makes certificates below a folder; ca is the file that a client would trust."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        self.ca = self.folder / "ca.pem"
        self._key("ca")
        self._certtool("ca", "--generate-self-signed",
                       "cn = The Test Internet\nca\ncert_signing_key\nexpiration_days = 3650\n")

    def _key(self, name, rsa=False):
        path = self.folder / (name + ".key")
        kind = ["--key-type=rsa", "--bits=2048"] if rsa else [
            "--key-type=ecdsa", "--curve=secp256r1"]
        subprocess.run(["certtool", "--generate-privkey", *kind, "--outfile", path],
                       check=True, capture_output=True)
        path.chmod(0o600)

    def _certtool(self, name, action, template):
        form = self.folder / (name + ".cfg")
        form.write_text(template, encoding="utf-8")
        subprocess.run(["certtool", action, "--load-privkey", self.folder / (name + ".key"),
                        "--template", form, "--outfile", self.folder / (name + ".pem"),
                        *([] if action == "--generate-self-signed" else
                          ["--load-ca-certificate", self.ca,
                           "--load-ca-privkey", self.folder / "ca.key"])],
                       check=True, capture_output=True)

    def issue(self, name, *hosts, expired=False, rsa=False):
        """The files (certificate, key) of a new leaf called NAME for these host names."""
        self._key(name, rsa)
        dates = ("activation_date = \"2020-01-01\"\nexpiration_date = \"2020-02-01\"\n"
                 if expired else "expiration_days = 365\n")
        self._certtool(name, "--generate-certificate",
                       f"cn = {hosts[0]}\n" + "".join(f"dns_name = {h}\n" for h in hosts) +
                       "signing_key\ntls_www_server\nencryption_key\n" + dates)
        return self.folder / (name + ".pem"), self.folder / (name + ".key")

    def context(self, name, *hosts, expired=False):
        """A server's ssl.SSLContext with a new leaf."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, *hosts, expired=expired))
        return context
