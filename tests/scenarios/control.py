"""The command line and the settings: what scripts rely on."""
import json
import subprocess
import time

from harness import scenario
from instance import ADDRESS, SERVICES


@scenario
def status_as_json(post):
    """`status --json` has its schema, state, network, listeners, queue."""
    status = post.status()
    assert status["schema"] == "hauspost.status/1", status
    assert status["state"] == "running" and status["version"]
    assert status["network"]["state"] in ("ok", "offline")
    assert {"smtp", "pop3"} <= {entry["protocol"] for entry in status["listeners"]}
    assert post.run("status").returncode == 0


@scenario
def status_follows(post):
    """`status -f` shows a pause and its end as they come, and ends with the daemon (4)."""
    with open(post.folder / "followed", "wb") as out:
        follower = subprocess.Popen(post.command("hauspost", "status", "-f"),
                                    env=post.environment, stdout=out,
                                    stderr=subprocess.DEVNULL)

    def shown():
        return (post.folder / "followed").read_text(encoding="utf-8").split("\u25cf")[1:]

    post.wait_for(lambda: len(shown()) == 1, 10, "the first picture")
    post.run("pause")
    post.wait_for(lambda: "paused" in shown()[-1], 10, "the pause")
    post.run("resume")
    post.wait_for(lambda: "running for" in shown()[-1], 10, "the end of the pause")
    post.run("pause", "--for", "2s")
    post.wait_for(lambda: "paused" in shown()[-1], 10, "the second pause")
    post.wait_for(lambda: "running for" in shown()[-1], 10, "its end by itself")
    post.stop()
    assert follower.wait(10) == 4


@scenario(settings={"account": {"language": "de"}})
def german_throughout(post):
    """language=de: results, refusals and what the system refuses are in German."""
    post.run("pause")
    post.send("x@far.example", "auf Deutsch")
    ident = post.queue()[0]["id"]
    for status, german, words in (
            (0, "Postausgang", ["status"]), (0, "geschrieben", ["queue", "show", ident]),
            (3, "es gibt keine Nachricht", ["queue", "show", "ZZZZZZ"]),
            (1, "Anlegen ging nicht", ["queue", "export", ident, "/nonexistent/file"]),
            (2, "es gibt keinen Zustand", ["queue", "list", "--state", "no"]),
            (2, "etwas fehlt", ["queue", "show"]),
            (8, "kein Terminal", ["queue", "cancel", ident])):
        done = post.run(*words, check=False)
        assert done.returncode == status and german in done.stdout + done.stderr, done
        assert not status or done.stderr.splitlines()[-1].startswith("\u2192 "), done


@scenario
def language_changes_at_the_start(post):
    """A running daemon goes on in one language; after a start it speaks the new one."""
    post.send("x@far.example", "which language")
    english = "no connection to the internet"
    post.wait_for(lambda: english in post.recipient("x@far.example").get("explanation", ""), 20)
    assert "next start" in post.run("config", "set", "account.language", "de").stderr
    assert english in post.recipient("x@far.example")["explanation"]
    post.stop()
    post.start()
    assert "Verbindung" in post.recipient("x@far.example")["explanation"]


@scenario
def not_running(make):
    """Without a daemon: exit status 4 and a line that begins with an arrow."""
    post = make()
    post.setup()
    done = post.run("queue", "list", check=False)
    assert done.returncode == 4, done
    assert "\u2192" in done.stderr, done.stderr
    for words, status in ((("sendmail", "x@far.example"), 69), (("sendmail", "-Z"), 64),
                          (("mailq",), 69)):
        done = post.run(*words, check=False, input="Subject: x\n\nx\n")
        assert done.returncode == status, done
        assert done.stderr.splitlines()[-1].startswith("\u2192 "), done


@scenario
def exit_statuses(post):
    """2 for wrong usage with the nearest word, 3 for what does not exist."""
    done = post.run("queu", "list", check=False)
    assert done.returncode == 2 and "queue" in done.stderr, done
    assert post.run("queue", "list", "--colour", check=False).returncode == 2
    done = post.run("queue", "show", "ZZZZZZ", check=False)
    assert done.returncode == 3 and done.stderr, done
    assert post.run("config", "get", "no.such", check=False).returncode == 3
    for words in (("queue", "list", "--state", "wating"),
                  ("history", "list", "--result", "lost")):
        done = post.run(*words, check=False)
        assert done.returncode == 2 and "delivered" in done.stderr, done


@scenario
def setup_again(make):
    """`setup` twice changes nothing: same certificate, same settings."""
    post = make()
    post.setup()
    post.start()
    before = post.run("cert", "show").stdout
    settings = post.config_file.read_text()
    post.stop()
    post.run("setup", "--non-interactive", "--address", ADDRESS, "--name", "Anna Muster")
    assert post.config_file.read_text() == settings
    post.start()
    assert post.run("cert", "show").stdout == before


@scenario
def wrong_settings(make):
    """A wrong setting: file:line: message with the nearest name; the daemon refuses (7)."""
    post = make()
    post.setup()
    with open(post.config_file, "a", encoding="utf-8") as conf:
        conf.write("\n[delivry]\nport=25\n")
    process = post.launch({}, "--check")
    status = process.wait(20)
    post.process = None
    assert status == 7, status
    assert "hauspost.conf:" in post.log() and "delivery" in post.log(), post.log()
    process = post.launch()
    assert process.wait(20) == 7
    post.process = None


@scenario
def no_setting_that_stops_the_server(post):
    """What the mail server would not start with is not written, and the next change holds."""
    before = post.config_file.read_text()
    for words in (("identity", "add", "foo@@bar"), ("config", "set", "identity.x.relay", "x"),
                  ("config", "unset", "account.address"), ("config", "set", "dns.servers", "a:b:1"),
                  ("config", "set", "mail.local-addresses", "@@"),
                  ("config", "set", "listen.pop3", str(post.ports["smtp"])),
                  ("setup", "--non-interactive", "--address", "anna@@x")):
        done = post.run(*words, check=False)
        assert done.returncode == 2, done
        assert done.stderr.splitlines()[-1].startswith("\u2192 "), done
    assert post.config_file.read_text() == before
    post.run("config", "set", "account.name", "Anna M.")
    post.stop()
    post.start()
    assert post.cli("account", "show")["name"] == "Anna M."


@scenario
def reload_is_all_or_nothing(post):
    """SIGHUP with a wrong file keeps the old settings; with a right one takes the new."""
    good = post.config_file.read_text()
    post.config_file.write_text(good + "\n[mail]\nmax-message-size=2M\n[nonsense]\nx=1\n")
    post.reload()
    post.wait_for(lambda: "nonsense" in post.log(), 10)
    assert size_offered(post) != 2 << 20
    post.config_file.write_text(good + "\n[mail]\nmax-message-size=2M\n")
    post.reload()
    post.wait_for(lambda: size_offered(post) == 2 << 20, 10)


def size_offered(post):
    smtp = post.smtp(login=False)
    smtp.ehlo("x")
    size = int(smtp.esmtp_features["size"])
    smtp.quit()
    return size


@scenario
def config_commands(post):
    """config get, set, unset, list, describe and path; comments in the file stay."""
    text = post.config_file.read_text()
    post.config_file.write_text("# my comment\n" + text)
    post.run("config", "set", "delivery.give-up", "3d")
    assert post.run("config", "get", "delivery.give-up").stdout.strip() == "3d"
    assert "# my comment" in post.config_file.read_text()
    post.run("config", "unset", "delivery.give-up")
    assert post.run("config", "get", "delivery.give-up").stdout.strip() == "5d"
    assert post.run("config", "set", "delivery.give-up", "soon",
                    check=False).returncode != 0
    assert str(post.config_file) in post.run("config", "path").stdout
    done = post.run("config", "set", "listen.allow-users", "root")
    assert "next start" in done.stderr, done
    assert not post.run("config", "set", "listen.plaintext", "no").stderr
    for words in (("list",), ("describe", "delivery.give-up"), ("validate",)):
        assert post.run("config", *words).returncode == 0


@scenario
def every_read_command_speaks_json(post):
    """Each read command prints one JSON object with a schema."""
    post.run("pause")
    post.send("x@far.example", "for json")
    ident = post.queue()[0]["id"]
    for words in (["status"], ["queue", "list"], ["queue", "show", ident], ["queue", "log",
                  ident], ["queue", "summary"], ["history", "list"], ["history", "stats"],
                  ["explain", "550"], ["identity", "list"], ["password", "list"],
                  ["history", "show", ident], ["account", "show"], ["cert", "show"],
                  ["identity", "check", ADDRESS], ["mailbox", "list"], ["mailbox", "size"],
                  ["mailbox", "cleanup", "-n"], ["config", "list"], ["config", "path"],
                  ["config", "get", "listen.smtp"], ["config", "describe", "listen"],
                  ["config", "validate"], ["version"]):
        value = json.loads(post.run(*words, "--json").stdout)
        assert value["schema"].startswith("hauspost."), (words, value)


@scenario
def queue_list_schema(post):
    """`queue list --json` has the members that scripts rely on."""
    post.run("pause")
    post.send("x@far.example", "schema")
    value = post.cli("queue", "list")
    assert value["schema"] == "hauspost.queue/1"
    message = value["messages"][0]
    assert set(message) >= {"id", "from", "subject", "size", "submitted", "client",
                            "recipients"}, message
    assert message["client"] == "test" and message["from"] == ADDRESS
    recipient = message["recipients"][0]
    assert set(recipient) >= {"address", "state", "attempts"}, recipient


@scenario
def identities(post):
    """A second identity may send once it is added, and not after it is removed."""
    post.run("identity", "add", "anna@work.example")
    post.send("x@far.example", sender="anna@work.example")
    names = json.dumps(post.cli("identity", "list"))
    assert "anna@work.example" in names
    post.run("identity", "remove", "anna@work.example")
    try:
        post.send("x@far.example", sender="anna@work.example")
    except Exception as error:
        assert "5.7.1" in str(error), error
    else:
        raise AssertionError("still allowed")


@scenario
def help_and_version(post):
    """help and version answer, also without a daemon."""
    post.stop()
    assert "queue" in post.run("help").stdout
    assert post.run("--version").stdout.split()[-1][0].isdigit()
    assert post.run("queue", "--help").returncode == 0


@scenario
def log_asks_the_journal(post):
    """`log` asks journalctl for this user's unit; its times are those of the other commands."""
    assert post.run("log", check=False).returncode == 1  # no user manager here
    manager = post.folder / "run" / "systemd"
    manager.mkdir()
    (manager / "private").touch()
    program = post.folder / "bin" / "journalctl"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    post.environment["PATH"] = f"{program.parent}:{post.environment['PATH']}"
    asked = post.run("log", "-f", "--since", "1h", "--id", "7q2kxm").stdout.split()
    assert asked[:3] == ["--user", "--unit=hauspost", "--follow"], asked
    since = int(asked[3].removeprefix("--since=@"))
    assert abs(time.time() - 3600 - since) < 60 and asked[4] == "HP_SUBJECT=7Q2KXM", asked
    assert post.run("log", "--json").stdout.split()[2:] == ["--output=json"]
    assert post.run("log", "--since", "yore", check=False).returncode == 2


@scenario
def session_bus(make):
    """On a session bus the interface answers, too; but no password goes over it."""
    post = make()
    address = f"unix:path={post.folder}/bus"
    bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address",
                            f"--address={address}"], stdout=subprocess.PIPE)
    try:
        bus.stdout.readline()
        post.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        post.setup()
        post.start()

        def call(method, *words):
            return subprocess.run(
                ["dbus-send", f"--bus={address}", "--print-reply",
                 "--dest=org.hauspost.Hauspost1", "/org/hauspost/Hauspost1",
                 f"org.hauspost.Hauspost1.{method}", *words],
                capture_output=True, text=True, check=False)

        post.wait_for(lambda: "listeners" in call("Status").stdout, 10, "an answer")
        assert "AccessDenied" in call("NewPassword", "string:web").stderr
        other = make()
        other.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        other.setup()
        other.configure({"listen": {name: "0" for name in SERVICES}})
        other.start()
        other.wait_for(lambda: "the session bus has another" in other.log(), 10, "the log line")
        assert other.run("status").returncode == 0
    finally:
        bus.terminate()
        bus.wait(10)


@scenario
def without_runtime_folder(post):
    """Without XDG_RUNTIME_DIR (cron, ssh) the command line still finds the daemon."""
    environment = dict(post.environment)
    del post.environment["XDG_RUNTIME_DIR"]
    assert post.status()["state"] == "running"
    post.environment.update(environment)
