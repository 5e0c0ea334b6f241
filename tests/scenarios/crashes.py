"""Nothing acknowledged is ever lost: kill -9, power cuts, full disks, failing disks."""
import contextlib
import ctypes
import fcntl
import hashlib
import os
import pathlib
import random
import shutil
import smtplib
import socket
import sqlite3
import struct
import subprocess
import threading
import time

import bad_mx
from conversation import smtp_session
from harness import Skip, count, scenario
from instance import ADDRESS

FS_IOC_SHUTDOWN = 0x8004587D            # _IOR('X', 125, __u32)
CLONE_NEWNS = 0x20000
NO_LOG_FLUSH = struct.pack("I", 2)


class Ledger:
    """A client that submits without pause and writes down what was acknowledged."""

    def __init__(self, post, to, size=(100, 4000)):
        self.post, self.to, self.size = post, to, size
        self.acknowledged, self.offered = {}, {}
        self.number = 0
        self.ended = threading.Event()
        self.thread = None

    def start(self):
        self.ended.clear()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def join(self):
        self.ended.set()
        self.thread.join()

    def _run(self):
        """Ends with the first connection that breaks."""
        try:
            smtp = self.post.smtp()
            while not self.ended.is_set():
                self.number += 1
                key = f"n{self.number:05}"
                size = random.randint(*self.size)
                body = "\r\n".join(hashlib.sha256(f"{key}{i}".encode()).hexdigest()
                                   for i in range(size // 66 + 1)) + "\r\n"
                self.offered[key] = body
                smtp.sendmail(ADDRESS, [self.to], (
                    f"From: {ADDRESS}\r\nSubject: {key}\r\n\r\n{body}").encode())
                # ext4 may still say yes to an fsync that a cut overtook; a computer
                # without power would not have answered
                if not self.ended.is_set():
                    self.acknowledged[key] = body
        except (OSError, smtplib.SMTPException):
            pass

    def compare(self, messages):
        """MESSAGES: bytes of all that is there. Every acknowledged one once or, if the
        reply was lost, offered ones at most once; all whole."""
        found = {}
        for data in messages:
            head, body = data.split(b"\r\n\r\n", 1)
            key = head.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
            found.setdefault(key, []).append(body.decode())
        for key, body in self.acknowledged.items():
            assert key in found, f"{key} was acknowledged and is lost"
            assert len(found[key]) == 1, f"{key} is there {len(found[key])} times"
        for key, bodies in found.items():
            assert bodies == [self.offered[key]], f"{key} is not what was sent"


def queue_messages(post):
    """The bytes of all messages in the queue, by `queue export`."""
    return [post.run("queue", "export", message["id"], text=False).stdout
            for message in post.queue()]


@scenario(tree="plain", seconds=180)
def kill_during_submission(post):
    """C1: kill -9 at random while mail is taken: every 250 is there once, nothing is half."""
    post.run("pause")
    ledger = Ledger(post, "x@far.example")
    for _ in range(count(8, 200)):
        ledger.start()
        time.sleep(random.uniform(0.05, 0.6))
        post.kill9()
        ledger.join()
        post.start()
    assert ledger.acknowledged
    ledger.compare(queue_messages(post))


@scenario(root=True, tree="plain", seconds=240)
def kill_during_delivery(internet, post):
    """C3: kill -9 while mail goes out: each arrives; twice only what was in flight."""
    mx = internet.mx("killing", bad_mx.SlowAcknowledgement)
    total = count(60, 300)
    post.run("pause")
    with post.smtp() as smtp:
        for number in range(total):
            smtp.sendmail(ADDRESS, [f"eva{number}@killing.example"], (
                f"From: {ADDRESS}\r\nSubject: n{number}\r\n\r\nbody {number}\r\n").encode())
    post.run("resume")
    in_flight = 0
    for _ in range(count(6, 50)):
        mx.delay = random.uniform(0, 0.2)
        time.sleep(random.uniform(0.1, 0.8))
        post.kill9()
        in_flight += 2                          # connections to one destination
        post.start()
    mx.delay = 0
    end = time.monotonic() + 120
    while len({m.recipients[0] for m in mx.ledger}) < total and time.monotonic() < end:
        post.move_clock(2000)                   # past the 30 minutes of the uncertain ones
        time.sleep(0.5)
    seen = {}
    for message in mx.ledger:
        seen.setdefault(message.recipients[0], []).append(message.content())
    assert len(seen) == total, f"{total - len(seen)} of {total} never arrived"
    twice = [contents for contents in seen.values() if len(contents) > 1]
    assert len(twice) <= in_flight, (len(twice), in_flight)
    for contents in twice:
        assert len(set(contents)) == 1, contents    # the Message-ID is in it


@scenario(tree="plain", seconds=180)
def kill_during_hand_over(post):
    """kill -9 between queue and INBOX: local mail arrives once, never twice, never not."""
    ledger = Ledger(post, "anna", (50, 500))
    for _ in range(count(8, 100)):
        ledger.start()
        time.sleep(random.uniform(0.05, 0.5))
        post.kill9()
        ledger.join()
        post.start()
    post.wait_for(lambda: not post.queue(), 30, "all handed over")
    ledger.compare(post.inbox_bytes())


def own_mounts():
    """From here on this process has mounts of its own: a mount namespace that anything else
    makes would take a copy of ours along, and with it keep a disk alive that was unmounted.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise Skip("no mount namespaces: " + os.strerror(ctypes.get_errno()))
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


class CuttableDisk:
    """ext4 on a loop file whose power can be cut."""

    def __init__(self, folder, megabytes=64):
        own_mounts()
        self.image, self.mount = folder / "disk.img", folder / "disk"
        self.mount.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True, capture_output=True)
        self.on()

    def on(self):
        done = subprocess.run(["mount", "-o", "loop", self.image, self.mount],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Skip("no loop device here: " + done.stderr.strip())

    def cut(self):
        """From now on nothing reaches the disk; what was not synced is gone."""
        fd = os.open(self.mount, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, FS_IOC_SHUTDOWN, NO_LOG_FLUSH)
        finally:
            os.close(fd)

    def off(self):
        """Unmounts, and waits until the loop device is gone too: mounted again before that,
        the disk would still be the one without power.
        """
        for _ in range(100):
            subprocess.run(["umount", self.mount], capture_output=True, check=False)
            used = subprocess.run(["losetup", "-j", self.image], capture_output=True, text=True,
                                  check=False).stdout
            if not os.path.ismount(self.mount) and not used:
                return
            time.sleep(0.1)
        raise AssertionError(f"cannot unmount: {used}")


@scenario(root=True, tree="plain", seconds=240)
def power_cut_during_submission(make, folder):
    """C2: the power fails while mail is taken: every 250 is there, the database is whole."""
    if not pathlib.Path("/dev/loop-control").exists():
        raise Skip("no loop devices")
    disk = CuttableDisk(folder)
    post = make(environment={"XDG_STATE_HOME": str(disk.mount / "state"),
                             "XDG_DATA_HOME": str(disk.mount / "data")})
    try:
        post.setup()
        post.start()
        post.password()
        post.run("pause")
        ledger = Ledger(post, "x@far.example", (100, 200000))
        for _ in range(count(5, 50)):
            ledger.start()
            time.sleep(random.uniform(0.1, 0.8))
            ledger.ended.set()
            disk.cut()
            post.kill9()
            ledger.join()
            disk.off()
            disk.on()
            check_databases(disk.mount)
            post.start()
        ledger.compare(queue_messages(post))
        post.stop()
    finally:
        if post.process is not None:
            post.kill9()
        disk.off()


def check_databases(folder):
    """SQLite says of every database in FOLDER that it is whole."""
    for path in folder.glob("*/hauspost/*.db"):
        with contextlib.closing(sqlite3.connect(path)) as db:
            said = db.execute("PRAGMA integrity_check").fetchone()[0]
        assert said == "ok", f"{path.name}: {said}"


@scenario(root=True, tree="plain", seconds=180)
def power_cut_during_collection(make, folder):
    """C2: the power fails while mail is deleted by POP3: what QUIT answered stays deleted."""
    disk = CuttableDisk(folder)
    post = make(environment={"XDG_STATE_HOME": str(disk.mount / "state"),
                             "XDG_DATA_HOME": str(disk.mount / "data")})
    try:
        post.setup()
        post.start()
        for number in range(30):
            post.send("anna", f"m{number}")
        post.wait_for(lambda: len(post.inbox_bytes()) == 30)
        gone, kept = set(), None
        for _ in range(count(4, 30)):
            pop3 = post.pop3()
            number = pop3.stat()[0]
            if number == 0:
                break
            uid = pop3.uidl(1).split()[2]
            kept = {line.split()[1] for line in pop3.uidl()[1]} - {uid}
            pop3.dele(1)
            pop3.quit()
            gone.add(uid)
            disk.cut()
            post.kill9()
            disk.off()
            disk.on()
            post.start()
            pop3 = post.pop3()
            there = {line.split()[1] for line in pop3.uidl()[1]}
            pop3.quit()
            assert not there & gone, "deleted mail is back"
            assert there == kept, "mail is missing"
        post.stop()
    finally:
        if post.process is not None:
            post.kill9()
        disk.off()


@scenario(root=True, tree="plain", seconds=120)
def disk_full(make, folder):
    """C4: a full disk: 452 4.3.1 at DATA, nothing partial, POP3 deletes, and it recovers."""
    disk = folder / "small"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40M", "tmpfs", disk], check=True)
    post = make(environment={"XDG_STATE_HOME": str(disk / "state"),
                             "XDG_DATA_HOME": str(disk / "data")})
    try:
        post.setup()
        post.start()
        post.send("anna", "before")
        post.wait_for(lambda: len(post.inbox_bytes()) == 1)
        (disk / "filler").write_bytes(b"x" * (20 << 20))
        refused = 0
        for _ in range(3):
            try:
                post.send("x@far.example", body=("z" * 70 + "\r\n") * (10 << 20 >> 6))
            except smtplib.SMTPResponseException as error:
                assert error.smtp_code == 452 and b"4.3.1" in error.smtp_error, error
                refused += 1
        assert refused, "took more than there is room for"
        pop3 = post.pop3()
        pop3.dele(1)
        pop3.quit()
        assert not post.inbox_bytes()
        (disk / "filler").unlink()
        post.send("x@far.example", "after")
        assert post.state_of("x@far.example")
        assert all(m["size"] < 1 << 20 for m in post.queue() if m["subject"] == "after")
        post.stop()
    finally:
        if post.process is not None:
            post.kill9()
        subprocess.run(["umount", "-l", disk], check=False)


@scenario(tree="plain")
def a_limit_on_file_sizes(make):
    """C4: a limit on file sizes (or a quota) is answered like a full disk: 452 4.3.1."""
    post = make(wrapper=["prlimit", "--fsize=2000000"])
    try:
        post.setup()
        post.start()
        try:
            post.send("x@far.example", body=("x" * 70 + "\r\n") * 45000)
        except smtplib.SMTPResponseException as error:
            assert error.smtp_code == 452 and b"4.3.1" in error.smtp_error, error
        else:
            raise AssertionError("took more than there is room for")
        post.send("x@far.example", "small")  # taken all the same
    finally:
        if post.process is not None:
            post.kill9()


@scenario(tree="plain", seconds=120)
def fsync_fails(make):
    """C5: after an EIO from fsync nothing is acknowledged, then or later; a restart repairs."""
    if shutil.which("fiu-run") is None:
        raise Skip("fiu-run is not installed")
    fifo = f"/tmp/fiu-hp{os.getpid()}"
    post = make()
    post.setup()
    post.wrapper = ["fiu-run", "-x", "-f", fifo]
    post.start()
    post.wrapper = []
    post.run("pause")
    post.send("x@far.example", "before")
    pid = post.process.pid
    for point in ("fsync", "fdatasync"):
        done = subprocess.run(["fiu-ctrl", "-f", fifo, "-c",
                               f"enable name=posix/io/sync/{point},failinfo=5", str(pid)],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    for _ in range(3):
        try:
            post.send("x@far.example", "during")
        except smtplib.SMTPResponseException as error:
            assert error.smtp_code // 100 == 4, error
        except smtplib.SMTPServerDisconnected:
            pass
        else:
            raise AssertionError("acknowledged although fsync failed")
    for point in ("fsync", "fdatasync"):
        subprocess.run(["fiu-ctrl", "-f", fifo, "-c", f"disable name=posix/io/sync/{point}",
                        str(pid)], check=True, capture_output=True)
    try:
        post.send("x@far.example", "still")
    except smtplib.SMTPException:
        pass
    else:
        raise AssertionError("took mail again without a restart")
    post.kill9()
    post.start()
    post.send("x@far.example", "after")
    subjects = [m["subject"] for m in post.queue()]
    assert "before" in subjects and "after" in subjects, subjects


@scenario
def client_vanishes(post):
    """C7: a client that goes before the final dot leaves nothing behind."""
    for how in ("close", "reset"):
        talk = smtp_session(post)
        talk.expect("MAIL FROM:<anna@home.example>", 250)
        talk.expect("RCPT TO:<anna>", 250)
        talk.expect("DATA", 354)
        talk.send(b"From: anna@home.example\r\nSubject: half\r\n\r\n" + b"x\r\n" * 100000)
        if how == "reset":
            talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        talk.sock.close()
    post.send("anna", "whole")
    post.wait_for(lambda: [m["Subject"] for m in post.inbox()] == ["whole"])
    assert not post.queue()
    assert not list((post.state / "spool").rglob("*")) or \
        all(p.is_dir() for p in (post.state / "spool").rglob("*"))


@scenario(seconds=60)
def terminated_during_data(post):
    """C40: SIGTERM during DATA: 421 or a closed connection, exit 0 within 10 s."""
    talk = smtp_session(post)
    talk.expect("MAIL FROM:<anna@home.example>", 250)
    talk.expect("RCPT TO:<anna>", 250)
    talk.expect("DATA", 354)
    talk.send(b"From: anna@home.example\r\n\r\nhalf a mess")
    start = time.monotonic()
    post.stop(10)
    assert time.monotonic() - start < 10
    said = talk.rest()
    assert said == b"" or said.startswith(b"421"), said
    post.start()
    assert not post.inbox() and not post.queue()


@scenario
def second_instance(post):
    """C40: a second daemon on the same folders refuses, the first goes on."""
    first = post.process
    second = post.launch()
    status = second.wait(20)
    post.process = first
    assert status not in (0, -6, -11), status
    assert "another" in post.log() or "already" in post.log(), post.log()[-500:]
    post.smtp().quit()


@scenario
def stale_leftovers(post):
    """C40: sockets and locks left by kill -9 are no obstacle."""
    post.kill9()
    post.start()
    post.smtp().quit()
    assert post.status()["state"] == "running"
