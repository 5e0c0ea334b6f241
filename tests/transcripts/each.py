#!/usr/bin/env python3
"""each.py SERVER FOLDER: plays each file of a folder to a fresh server of its own.

SERVER prints "PORT PASSWORD" and ends when its standard input does. A file's line
"# server: outbox" names what it is started with. The output is TAP.
"""
import base64
import pathlib
import subprocess
import sys

PLAY = pathlib.Path(__file__).parent / "play.py"
USER = "anna@example.org"


def server_words(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# server:"):
            return line.removeprefix("# server:").split()
    return []


def play(server, path):
    with subprocess.Popen([server, *server_words(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        port, password = process.stdout.readline().split()
        plain = base64.b64encode(f"\0{USER}\0{password}".encode()).decode()
        values = {"USER": USER, "PASSWORD": password, "AUTH_PLAIN": plain,
                  "AUTH_USER": base64.b64encode(USER.encode()).decode(),
                  "AUTH_PASSWORD": base64.b64encode(password.encode()).decode()}
        played = subprocess.run(
            [sys.executable, PLAY, "127.0.0.1", port, path]
            + [word for name, value in values.items() for word in ("--var", f"{name}={value}")],
            stdout=subprocess.PIPE, text=True, check=False)
        process.stdin.close()
        if process.wait() != 0:
            return f"the server ended with {process.returncode}"
    return None if played.returncode == 0 else played.stdout


def main():
    server, folder = sys.argv[1:]
    paths = sorted(pathlib.Path(folder).glob("*.txt"))
    print(f"1..{len(paths)}")
    failed = 0
    for number, path in enumerate(paths, 1):
        problem = play(server, path)
        failed += problem is not None
        print(f"{'not ok' if problem else 'ok'} {number} {path.stem}")
        if problem:
            print("# " + problem.strip().replace("\n", "\n# "))
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
