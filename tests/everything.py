"""What tests/run runs, once the packages are there: trees, suites and the count."""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = TOP / "build-tests"
SANITIZE = ["-Db_lundef=false", "-Dwerror=true", "--buildtype=debugoptimized"]
TREES = {
    "plain": ("gcc", ["-Dwerror=true", "-Dtest-clock=true"]),
    "release": ("gcc", ["--buildtype=release"]),
    "sanitized": ("clang", ["-Db_sanitize=address,undefined", "-Dtest-clock=true", *SANITIZE]),
    "threads": ("clang", ["-Db_sanitize=thread", "-Dtest-clock=true", *SANITIZE]),
    "fuzz": ("clang", ["-Db_sanitize=address,undefined", "-Dfuzzing=true", *SANITIZE]),
}
# Not the layers above: ThreadSanitizer does not see the locks inside libglib's GDBus.
THREADED = ("base", "net", "mail", "content", "auth", "store", "queue", "smtp", "pop3", "imap")
PARTS = ("lint", "unit", "threads", "fuzz", "scenarios")
ENVIRONMENT = {
    **os.environ, "LC_ALL": "C.UTF-8",
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


class Count:
    """Results so far."""

    def __init__(self):
        self.passed, self.skipped, self.failures = 0, 0, []

    def add(self, name, result):
        if result == "ok":
            self.passed += 1
        elif result == "skip":
            self.skipped += 1
        else:
            self.failures.append(name)

    def line(self):
        text = f"{self.passed} passed, {len(self.failures)} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def say(text):
    print(text, flush=True)


def build(name, count):
    """Configures and compiles a tree; TRUE if it is there."""
    compiler, options = TREES[name]
    folder = BUILD / name
    environment = {**ENVIRONMENT, "CC": compiler}
    commands = [] if (folder / "build.ninja").exists() else [
        ["meson", "setup", folder, *options]]
    for command in [*commands, ["ninja", "-C", folder]]:
        done = subprocess.run(command, cwd=TOP, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            say(done.stdout[-6000:])
            say(f"not ok build/{name}")
            count.add("build/" + name, "fail")
            return False
    say(f"ok build/{name}")
    count.add("build/" + name, "ok")
    return True


def meson_test(name, count, *arguments):
    """Runs tests of a tree and counts their cases."""
    folder = BUILD / name
    report = folder / "meson-logs" / "testlog.junit.xml"
    report.unlink(missing_ok=True)
    done = subprocess.run(["meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs",
                           *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    failed = len(count.failures)
    for suite, case, result in junit_cases(report):
        count.add(f"{name}/{suite}/{case}", result)
    if done.returncode != 0:
        say(done.stdout[-12000:])
        if len(count.failures) == failed:
            count.add(f"{name}/meson-test", "fail")
    say(f"{'ok' if done.returncode == 0 else 'not ok'} {name}/meson-test "
        f"({count.line()} so far)")


def junit_cases(report):
    if not report.exists():
        return
    for suite in xml.etree.ElementTree.parse(report).getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            kinds = {child.tag for child in case}
            result = "fail" if kinds & {"failure", "error"} else \
                "skip" if "skipped" in kinds else "ok"
            yield suite.get("name", "?").split("/")[-1].split(":")[-1], case.get("name"), result


def tap_suite(command, count):
    """Runs a program that prints "ok NAME" and "not ok NAME" lines, and counts these."""
    failed = len(count.failures)
    with subprocess.Popen(command, env=ENVIRONMENT, cwd=TOP, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          errors="replace") as process:
        for line in process.stdout:
            say(line.rstrip("\n"))
            found = re.match(r"(not )?ok (\S+)( # SKIP)?", line)
            if found:
                count.add(found[2], "fail" if found[1] else "skip" if found[3] else "ok")
    if process.returncode != 0 and len(count.failures) == failed:
        count.add(str(command[0]), "fail")


def main():
    parser = argparse.ArgumentParser(prog="tests/run")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--only", action="append", choices=PARTS)
    options = parser.parse_args()
    parts = options.only or (["lint", "unit"] if options.quick else PARTS)
    count, start = Count(), time.monotonic()
    if options.long:
        ENVIRONMENT["HAUSPOST_TEST_LONG"] = "1"

    wanted = set()
    if "unit" in parts:
        wanted |= {"sanitized"} if options.quick else {"sanitized", "plain"}
    if "scenarios" in parts:
        wanted |= {"sanitized", "plain", "release"}
    if "lint" in parts and not options.quick:
        wanted.add("sanitized")
    wanted |= {"threads", "fuzz"} & set(parts)
    there = {name for name in TREES if name in wanted and build(name, count)}

    if "lint" in parts:
        tap_suite(["tests/lint/run", *(["--quick"] if options.quick else [])], count)
    if "unit" in parts:
        for name in ("sanitized", "plain"):
            if name in there:
                meson_test(name, count)
    if "threads" in there:
        meson_test("threads", count, *(word for layer in THREADED
                                       for word in ("--suite", layer)))
    if "fuzz" in there:
        meson_test("fuzz", count, "--suite", "fuzz")
    if "scenarios" in parts and there >= {"sanitized", "plain", "release"}:
        tap_suite(["tests/scenarios/run", "--builds", str(BUILD), *(["--long"] if options.long else []),
                   *(["--keep"] if options.keep else [])], count)

    for name in count.failures:
        say("failed: " + name)
    say(f"took {time.monotonic() - start:.0f} s")
    say(count.line())
    return 1 if count.failures or count.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
