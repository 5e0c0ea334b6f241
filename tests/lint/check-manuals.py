#!/usr/bin/python3
"""The man pages name all that there is: hauspost(1) every command with its options, and the
schema of every JSON answer; hauspost.conf(5) every setting; hauspostd(8) every option.

And they name nothing else: a command, schema or setting that is gone is an error, too.
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PAGES = TOP / "data" / "man"
COMMAND = re.compile(r'\{\s*"([a-z]\w*)",\s*(?:"([a-z-]+)"|NULL),\s*"([^"]*)",\s*"[^"]*",\s*\d')
CLASSIC = {"sendmail", "mailq"}
COMMON = {"--json", "--plain", "-q"}
PAGE = re.compile(r"^\.Ss Everyday.*?^\.Ss Times", re.M | re.S)
OPTION = re.compile(r'\{ "([a-z-]+)", (?:0|\'.\'), ')
SETTING = re.compile(r'\[HP_CONFIG_\w+\]\s*=\s*\{\s*"([a-z]+)",\s*"([a-z][a-z0-9-]+)"')
SCHEMA = re.compile(r"hauspost\.[a-z]+/\d+")


def source(pattern):
    """The text of the sources that match, with strings in one piece."""
    text = "\n".join(path.read_text(encoding="utf-8")
                     for path in sorted((TOP / "src").glob(pattern)))
    return re.sub(r'"\s*\n\s*"', "", text)


def items(page):
    """What the page's .It lines say, without macros and escapes: [[word, ...], ...]."""
    lines = (PAGES / page).read_text(encoding="utf-8").replace("\\-", "-").splitlines()
    return [re.sub(r"\b(Oo|Oc|Op|Fl|Ar|Ic|Cm|No|Ns|Li|Po|Pc|Pq)\b", " ", line[4:]).split()
            for line in lines if line.startswith(".It ")]


def compare(page, what, there, named):
    """One finding for each name that only one side has."""
    return [f"data/man/{page}: {what} {name} is missing" for name in sorted(there - named)] + \
           [f"data/man/{page}: there is no {what} {name}" for name in sorted(named - there)]


def check_commands():
    """Commands, and for each the options that its help names, in its own .It lines.

    The classic programs have a section of their own.
    """
    found, there = [], set()
    lines = [line for line in items("hauspost.1") if line]
    for noun, verb, usage in COMMAND.findall(source("cli/hp-cmd-*.c")):
        if noun in CLASSIC:
            continue
        command = [noun, verb] if verb else [noun]
        there.add(" ".join(command))
        said = {word.lstrip("-") for line in lines if line[:len(command)] == command
                for word in line}
        found += [f"data/man/hauspost.1: {' '.join(command)}: {option} is missing"
                  for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", usage)
                  if option not in COMMON and option.lstrip("-") not in said]
    verbs = {name.split()[0] for name in there if " " in name}
    part = PAGE.search((PAGES / "hauspost.1").read_text(encoding="utf-8")).group(0)
    named = {" ".join(words.split()[:2 if words.split()[0] in verbs else 1])
             for words in re.findall(r"^\.It Ic ([a-z ]+)", part, re.M)}
    return found + compare("hauspost.1", "command", there, named)


def check_schemas():
    there = set(SCHEMA.findall(source("cli/*.c")))
    named = set(SCHEMA.findall((PAGES / "hauspost.1").read_text(encoding="utf-8")))
    return compare("hauspost.1", "schema", there, named)


def check_later():
    """What no source names is marked so in the table, and what is marked so in the page."""
    table = source("control/hp-config.c")
    others = "".join(path.read_text(encoding="utf-8") for path in (TOP / "src").glob("*/*.c")
                     if path.name != "hp-config.c")
    found, later = [], set()
    for row in re.split(r"(?=\[HP_CONFIG_\w+\]\s*=\s*\{\s*\")", table)[1:]:
        name = re.match(r"\[(\w+)", row)[1]
        section, key = re.findall(r'"([a-z0-9-]+)"', row)[:2]
        if not re.search(rf"\b{name}\b", others) and ".later = TRUE" not in row:
            found.append(f"src/control/hp-config.c: nothing acts on {section}.{key}")
        if ".later = TRUE" in row:
            later.add(f"{section}.{key}")
    return found + compare("hauspost.conf.5", "setting with a dagger", later, settings(r"\(dg"))


def check_settings():
    there = {f"{section}.{key}" for section, key in SETTING.findall(source("control/hp-config.c"))}
    return compare("hauspost.conf.5", "setting", there, settings(""))


def settings(mark):
    """The settings of the man page whose line has the mark."""
    named, section = set(), ""
    for line in (PAGES / "hauspost.conf.5").read_text(encoding="utf-8").splitlines():
        title = re.match(r"\.Ss \[([a-z]+)", line)
        key = re.match(r"\.It Cm ([a-z][a-z0-9-]+) Ns = ", line.replace("\\-", "-"))
        if title:
            section = title.group(1)
        elif key and mark in line:
            named.add(f"{section}.{key.group(1)}")
    return named


def check_daemon():
    there = set(OPTION.findall(source("daemon/main.c")))
    named = {word[2:] for line in items("hauspostd.8") for word in line if word.startswith("--")}
    named |= {line[0][1:] for line in items("hauspostd.8") if line and re.match(r"-[a-z]", line[0])}
    return compare("hauspostd.8", "option", there, named)


def main():
    found = check_commands() + check_schemas() + check_settings() + check_later() + \
        check_daemon()
    print("\n".join(found) if found else "the man pages name everything")
    return 1 if found else 0


sys.exit(main())
