"""Servers from their Debian packages, unpacked privately.

Mail servers conflict with each other as packages, and a name server that is installed
starts itself, so none is installed: each is unpacked once into a cache, and runs in a mount
namespace that shows its files over /usr and /etc. The system stays as it is.
"""
import fcntl
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
LIST = HERE.parent.parent / "packaging" / "install-dependencies"
CACHE = pathlib.Path(os.environ.get("HAUSPOST_TEST_CACHE", "/var/cache/hauspost-tests"))
ENTER = """d=$1; shift
mount -t overlay overlay -o "lowerdir=$d/usr:$PACKAGE/usr:/usr" /usr &&
mount -t overlay overlay -o "lowerdir=$d/etc:$PACKAGE/etc:/etc" /etc &&
mount --bind "$d/spool" /var/spool && mount --bind "$d/lib" /var/lib &&
mount --bind "$d/run" /run || exit 71
exec "$@" """


class Unavailable(Exception):
    """Something that a test needs is not there; the test is skipped with this reason."""


def unpacked(server):
    """The folder with the files of the packages of SERVER, unpacked once."""
    root = CACHE / server
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / (server + ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / ".complete").exists():
            shutil.rmtree(root, ignore_errors=True)
            _unpack(server, root)
            (root / ".complete").touch()
    return root


def _unpack(server, root):
    names = subprocess.run([LIST, "--list", "server-" + server], capture_output=True,
                           text=True, check=True).stdout.split()
    folder = CACHE / "deb" / server
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    got = subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download",
                          *names, *_missing(names)],
                         cwd=folder, capture_output=True, text=True, check=False)
    if got.returncode != 0:
        raise Unavailable(f"cannot download the packages of {server} "
                          f"(try apt-get update): {got.stderr.strip()[-300:]}")
    for sub in ("usr", "etc"):
        (root / sub).mkdir(parents=True)
    for deb in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", deb, root], check=True)
    # /lib, /bin and /sbin of a package belong below /usr, as on the system.
    for sub in ("lib", "bin", "sbin"):
        if (root / sub).is_dir() and not (root / sub).is_symlink():
            shutil.copytree(root / sub, root / "usr" / sub, symlinks=True,
                            dirs_exist_ok=True)


def _missing(names):
    """The packages that the system would need beside NAMES."""
    plan = subprocess.run(["apt-get", "-s", "--no-install-recommends", "install", *names],
                          capture_output=True, text=True, check=False).stdout
    words = [line.split() for line in plan.splitlines() if line.startswith("Inst ")]
    return [w[1] for w in words if not w[2].startswith("[") and w[1] not in names]


class PrivateRoot:
    """A run of one server: its own /etc, /var/spool, /var/lib and /run, in a namespace."""

    def __init__(self, server, namespace, folder, nameserver="192.0.2.53"):
        self.package = unpacked(server)
        self.namespace = namespace
        self.folder = pathlib.Path(folder)
        for sub in ("usr/sbin", "etc", "spool", "lib", "run"):
            (self.folder / sub).mkdir(parents=True, exist_ok=True)
        for sub in ("", "spool", "lib", "run", "usr", "usr/sbin", "etc"):
            (self.folder / sub).chmod(0o755)
        for name in ("passwd", "group", "shadow"):
            shutil.copy(f"/etc/{name}", self.folder / "etc" / name)
        self.write("etc/resolv.conf", f"nameserver {nameserver}\n")
        self.write("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def user(self, name, uid):
        """Adds a user and a group of one name and number for inside."""
        for table, line in (("passwd", f"{name}:x:{uid}:{uid}::/nonexistent:/bin/false"),
                            ("group", f"{name}:x:{uid}:")):
            path = self.folder / "etc" / table
            keep = [old for old in path.read_text(encoding="utf-8").splitlines()
                    if not old.startswith(name + ":")]
            path.write_text("\n".join(keep + [line]) + "\n", encoding="utf-8")

    def program(self, name, gid=None, mode=0o755):
        """A copy of a packaged program with the group and mode its package would set."""
        copy = self.folder / "usr" / "sbin" / name
        shutil.copy(self.package / "usr" / "sbin" / name, copy)
        if gid is not None:
            os.chown(copy, 0, gid)
        copy.chmod(mode)

    def command(self, *words):
        return ["env", f"PACKAGE={self.package}", "nsenter",
                f"--net=/run/netns/{self.namespace.name}", "unshare", "-m", "--propagation",
                "private", "sh", "-c", ENTER, "sh", str(self.folder), *map(str, words)]

    def run(self, *words):
        done = subprocess.run(self.command(*words), capture_output=True, text=True,
                              check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError(f"{words[0]}: {done.stdout}{done.stderr}"[-2000:])
        return done.stdout

    def start(self, *words, log="log"):
        with open(self.folder / log, "ab") as out:
            process = subprocess.Popen(self.command(*words), stdout=out, stderr=out,
                                       stdin=subprocess.DEVNULL)
        self.namespace.started.append(process)
        return process

    def log(self, name="log"):
        path = self.folder / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
