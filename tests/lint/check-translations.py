#!/usr/bin/python3
"""Every text that a person can see is translated into every language of po/LINGUAS.

Fails when po/POTFILES.in misses a file with texts or names one that has none, and when a
text is untranslated, fuzzy, or lost in a translation.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
KEYWORDS = ["_", "N_", "C_:1c,2", "NC_:1c,2", "ngettext:1,2", "g_dngettext:2,3",
            "g_dpgettext2:2c,3"]
MARKED = re.compile(r"(?<!\w)(_|N_|C_|NC_|ngettext)\s*\(\s*\"")


def texts_files():
    """The sources with marked texts, as POTFILES.in should name them."""
    return sorted(str(path.relative_to(TOP)) for path in (TOP / "src").rglob("*.[ch]")
                  if MARKED.search(path.read_text(encoding="utf-8")))


def named_files():
    lines = (TOP / "po" / "POTFILES.in").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def check_names():
    wanted, named = set(texts_files()), named_files()
    found = [f"po/POTFILES.in: {name} is missing" for name in sorted(wanted - set(named))]
    for name in named:
        if not (TOP / name).exists():
            found.append(f"po/POTFILES.in: {name} does not exist")
        elif name.startswith("src/") and name not in wanted:
            found.append(f"po/POTFILES.in: {name} has no texts")
    return found


def template(folder):
    """Collects the texts of all sources; None if there are none."""
    if not texts_files():
        return None
    pot = folder / "hauspost.pot"
    subprocess.run(["xgettext", "--from-code=UTF-8", "--language=C", "-o", pot,
                    *(f"--keyword={word}" for word in KEYWORDS), *texts_files()],
                   cwd=TOP, check=True, capture_output=True)
    return pot


def check_language(pot, language, folder):
    po = TOP / "po" / (language + ".po")
    merged = folder / (language + ".po")
    subprocess.run(["msgmerge", "-q", "--no-fuzzy-matching", "-o", merged, po, pot], check=True)
    found = []
    for kind in ("untranslated", "fuzzy"):
        source = merged if kind == "untranslated" else po
        left = subprocess.run(["msgattrib", "--no-obsolete", "--no-wrap",
                               f"--{'only-fuzzy' if kind == 'fuzzy' else kind}", source],
                              check=True, capture_output=True, text=True).stdout
        texts = [text for text in re.findall(r'^msgid "(.*)"$', left, re.M) if text]
        texts += re.findall(r'^msgid ""\n"(.*)"$', left, re.M)[1:]
        found += [f"po/{language}.po: {kind}: {text[:70]}" for text in texts]
    checked = subprocess.run(["msgfmt", "--check", "-o", "/dev/null", merged],
                             capture_output=True, text=True, check=False)
    return found + [line for line in checked.stderr.splitlines() if checked.returncode]


def main():
    found = check_names()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pot = template(folder)
        for language in (TOP / "po" / "LINGUAS").read_text(encoding="utf-8").split():
            if pot is not None:
                found += check_language(pot, language, folder)
    print("\n".join(found) if found else "all texts are translated")
    return 1 if found else 0


sys.exit(main())
