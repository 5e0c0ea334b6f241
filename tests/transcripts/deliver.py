#!/usr/bin/env python3
"""Plays written conversations in which the file is the server: deliver.py PROGRAM [FILE]...

As play.py --serve; without FILE all of deliver/. PROGRAM is deliver-transcript-client, started anew for each file.
Besides the steps of play.py a file holds

  ARGS: words     what the program is asked to deliver (shell quoting)
  RESULT: text    the next line that it prints; a final "*" matches any ending
"""
import argparse
import pathlib
import shlex
import socket
import subprocess
import sys

import play


def options_for(port):
    return argparse.Namespace(host="127.0.0.1", port=port, serve=True, tls=False, timeout=10,
                              cert=None, key=None, verbose=False, variables={})


def read_script(path):
    """Arguments, numbered steps and results of a file."""
    arguments, steps, results = [], [], []
    with open(path, encoding="utf-8") as script:
        for number, line in enumerate(script, 1):
            line = line.rstrip("\n")
            if line.startswith("ARGS: "):
                arguments += shlex.split(line[6:])
            elif line.startswith("RESULT: "):
                results.append(line[8:])
            elif line and not line.startswith("#"):
                steps.append((number, line))
    return arguments, steps, results


def play_steps(path, steps, listener):
    player = play.Player(options_for(listener.getsockname()[1]), listener)
    try:
        for number, line in steps:
            try:
                player.step(line)
            except (play.Mismatch, OSError) as error:
                return f"{path}:{number}: {line!r}: {error}"
    finally:
        for number in list(player.peers):
            player.close(number)
    return None


def compare(path, want, got):
    if len(want) != len(got):
        return f"{path}: {len(want)} results are wanted, got {got}"
    for wanted, line in zip(want, got):
        if not play.matches(wanted, line):
            return f"{path}: wanted {wanted!r}, got {line!r}"
    return None


def deliver(program, path):
    arguments, steps, results = read_script(path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        command = [program, str(listener.getsockname()[1])] + arguments
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            problem = play_steps(path, steps, listener)
            listener.close()
            try:
                out, err = child.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                child.kill()
                return f"{path}: it does not end"
    if child.returncode != 0:
        return f"{path}: exit {child.returncode}: {err.decode(errors='replace')[-2000:]}"
    return problem or compare(path, results, out.decode().splitlines())


def main():
    program, failed = sys.argv[1], 0
    folder = pathlib.Path(__file__).parent / "deliver"
    paths = sys.argv[2:] or sorted(str(path) for path in folder.glob("*.txt"))
    print(f"1..{len(paths)}")
    for path in paths:
        problem = deliver(program, path)
        print(f"not ok {problem}" if problem else f"ok {path}", flush=True)
        failed += problem is not None
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
