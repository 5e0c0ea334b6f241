#!/usr/bin/python3
"""The house rules that no formatter knows.

usage: check-source.py [FILE..]     (default: the .c and .h files below src and tests)

Prints file:line: message for each finding; exit status 1 if there is one. A line, or the
first line of a file, is excused by a comment: nocheck: reason.
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
LONGEST_FILE = 800
UNBOUNDED = "strcpy strcat sprintf vsprintf gets".split()
PARSING = "strtok strtok_r strtol strtoul strtoll strtoull atoi atol sscanf".split()
BANNED = {**dict.fromkeys(UNBOUNDED, "writes without a limit"),
          **dict.fromkeys(PARSING, "parse with an HpCursor"),
          **dict.fromkeys(["system", "popen"], "no shell")}
BANNED_ABOVE_BASE = {
    "g_error": "aborts; return a GError",
    **dict.fromkeys("GMutex GCond GRWLock GAsyncQueue".split(), "use hp-lock or HpHandoff")}
OWNERSHIP = re.compile(r"\((owned|unowned|nullable)|@\w+:.*\b(owned|unowned)")
MUTABLE = re.compile(r"^\s*static\s+(?!const\b|inline\b)[\w\s*]+?[\s*]\w+(\[[^\]]*\])*"
                     r"\s*(=|;)")
DECLARED = re.compile(r"^(?!typedef|static|#|G_|struct|enum|extern|\s)[\w\s*]*?"
                      r"\b(hp_\w+)\(")
EXPLAINED = re.compile(r"_(new|free|ref|unref|clear|quark)$")     # by their names
POINTER_FIELD = re.compile(r"^\s+[\w\s]+\*+\s*(const\s+)?\w+(\[\w*\])?;")


def bare(text):
    """TEXT with comments and the insides of strings blanked, lines kept."""
    def blank(found):
        kept = re.sub(r"[^\n]", " ", found[0])
        return '"' + kept[2:] + '"' if found[0].startswith('"') else kept
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank,
                  text, flags=re.S)


class Source:
    """One file and its findings."""

    def __init__(self, path):
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.lines = self.text.split("\n")
        self.code = bare(self.text)
        self.code_lines = self.code.split("\n")
        self.findings = []

    def find(self, number, message):
        if "nocheck:" not in self.lines[number - 1]:
            self.findings.append(f"{self.path}:{number}: {message}")

    def check(self):
        if "nocheck:" in self.lines[0]:
            return
        if len(self.lines) > LONGEST_FILE:
            self.find(LONGEST_FILE, f"file is longer than {LONGEST_FILE} lines")
        self.check_words()
        self.check_errors()
        if "src" in self.path.parts:
            self.check_fields()
            if self.path.suffix == ".h":
                self.check_header()
            else:
                self.check_tested()

    def check_words(self):
        banned = dict(BANNED)
        if "base" not in self.path.parts:
            banned.update(BANNED_ABOVE_BASE)
        for number, line in enumerate(self.code_lines, 1):
            if re.search(r"\bgoto\b", line):
                self.find(number, "goto: split the function")
            if "src" in self.path.parts and MUTABLE.match(line) and not re.search(
                    r"\bconst\s+\w+(\[[^\]]*\])*\s*(=|;)", line):
                self.find(number, "mutable static: give it an owner")
            for word, why in banned.items():
                ending = r"\b" if word[0] == "G" else r"\s*\("
                if re.search(rf"(?<![\w.>]){word}{ending}", line):
                    self.find(number, f"{word}: {why}")

    def check_errors(self):
        for call in re.finditer(r"\bg_set_error(_literal)?\s*\(", self.code):
            end = self.code.index(";", call.end())
            after = self.code[end + 1:self.code.find("\n}", end)]
            number = self.code.count("\n", 0, call.start()) + 1
            if re.search(r'\."\s*[,)]', self.text[call.start():end]):
                self.find(number, "error message ends in a full stop")
            if after.strip() and not re.search(r"\breturn\b", after) and re.match(
                    r"\s*error,", self.code[call.end():]):
                self.find(number, "g_set_error without a return behind it")

    def check_fields(self):
        for struct in re.finditer(r"^(typedef )?struct[^;{()]*\{(.*?)^}", self.code,
                                  re.S | re.M):
            first = self.code.count("\n", 0, struct.start(2)) + 1
            about = self.comment_above(self.code.count("\n", 0, struct.start()) + 1)
            for number, line in enumerate(struct[2].split("\n"), first):
                if POINTER_FIELD.match(line) and not OWNERSHIP.search(
                        self.lines[number - 1] + self.comment_above(number) + about):
                    self.find(number, "pointer field: owned, unowned or nullable?")

    def comment_above(self, number):
        """The comment that ends on the line before NUMBER, and one that goes on after it."""
        last = first = number - 2
        if last < 0 or not self.lines[last].rstrip().endswith("*/"):
            return ""
        while first > 0 and "/*" not in self.lines[first]:
            first -= 1
        return "\n".join(self.lines[first:last + 1])

    def check_header(self):
        if not self.text.startswith("/* ") or "Threads:" not in self.text[:2000]:
            self.find(1, "header without a sentence and a Threads: line at its start")
        for number, line in enumerate(self.code_lines, 1):
            declared = DECLARED.match(line)
            inline = self.code_lines[number - 2].startswith("static")
            plain = ");" in line and "," not in line        # says all by its name
            if declared and not inline and not plain and not EXPLAINED.search(declared[1]):
                # one comment may stand above several declarations
                paragraph = "\n".join(self.lines[:number]).rsplit("\n\n", 1)[-1]
                if "*/" not in paragraph:
                    self.find(number, f"{declared[1]}: public function without a doc block")

    def check_tested(self):
        header = self.path.with_suffix(".h")
        tests = TOP / "tests" / "unit"
        own = tests / ("test-" + self.path.stem.removeprefix("hp-") + ".c")
        if header.exists() and not own.exists() and not any(
                f'"{header.name}"' in test.read_text(encoding="utf-8")
                for test in tests.glob("test-*.c")):
            self.find(1, f"module without a test ({own.relative_to(TOP)})")


def main(names):
    paths = [pathlib.Path(name).resolve() for name in names] or sorted(
        path for folder in ("src", "tests") for path in (TOP / folder).rglob("*.[ch]"))
    findings = []
    for path in paths:
        source = Source(path)
        source.check()
        findings += source.findings
    print("\n".join(findings or [f"{len(paths)} files follow the house rules"]))
    return 1 if findings else 0


sys.exit(main(sys.argv[1:]))
