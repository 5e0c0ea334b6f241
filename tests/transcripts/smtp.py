#!/usr/bin/env python3
"""Plays tests/transcripts/smtp to the real session: smtp.py SERVER [FILE...]

SERVER is the program smtp-transcript-server. A file's line "# server: notls full" names the
faults that it is started with. Prints TAP."""
import base64
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
USER = "anna@example.org"


def server_words(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# server:"):
            return tuple(line.removeprefix("# server:").split())
    return ()


def variables(password):
    def encode(text):
        return base64.b64encode(text.encode()).decode()
    return {"USER": USER, "PASSWORD": password,
            "AUTH_PLAIN": encode(f"\0{USER}\0{password}"),
            "WRONG_PLAIN": encode(f"\0{USER}\0wrong"),
            "USER_64": encode(USER), "PASSWORD_64": encode(password),
            "WRONG_64": encode("wrong")}


def play(server, words, paths):
    """The lines of play.py for these files, on one server."""
    with tempfile.TemporaryDirectory(prefix="hauspost-") as folder:
        with subprocess.Popen([server, folder, *words], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as process:
            port, password = process.stdout.readline().split()
            options = [f"--var={name}={value}" for name, value in variables(password).items()]
            played = subprocess.run([sys.executable, HERE / "play.py", "127.0.0.1", port,
                                     *options, *paths], stdout=subprocess.PIPE, text=True,
                                    check=False)
            process.stdin.close()
            if process.wait(60) != 0:
                return [f"not ok the server ended with {process.returncode}"]
            return played.stdout.splitlines()


def main():
    server = sys.argv[1]
    paths = [pathlib.Path(name) for name in sys.argv[2:]] or sorted((HERE / "smtp").glob("*.txt"))
    groups = {}
    for path in paths:
        groups.setdefault(server_words(path), []).append(path)
    lines = [line for words, group in sorted(groups.items())
             for line in play(server, words, group)]
    for line in lines:
        print(line.replace(str(HERE) + "/", "").replace("#", "\\#"))
    print(f"1..{len(lines)}")
    return 0 if len(lines) >= len(paths) and all(line.startswith("ok") for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
