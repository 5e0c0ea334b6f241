"""What a scenario is made of, and the worker that runs the scenarios of one file.

A scenario is a function in one of the files here, marked @scenario. Its docstring's first
sentence is the rule that it shows. Its parameters say what it needs:

    post       a Hauspost, set up and running (in the laptop of the internet, if that is
               asked for too, else in a namespace of its own or on free ports)
    internet   the test internet, shared by the scenarios of a file; its faults are undone
               after each
    make       a function that makes a Hauspost (not set up): make(settings=..., ...)
    folder     a temporary folder

raise Skip("reason") where something that it needs is not there.
"""
import argparse
import importlib.util
import inspect
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "internet"))
sys.path.insert(0, str(HERE.parent / "thunderbird"))

from instance import Hauspost  # noqa: E402

LONG = bool(os.environ.get("HAUSPOST_TEST_LONG"))


class Skip(Exception):
    """Why a scenario cannot be played here."""


def scenario(function=None, *, tree="sanitized", root=False, seconds=120, settings=None,
             language="C.UTF-8"):
    """Marks a scenario. TREE: which build (sanitized, plain, release); ROOT: needs root; SECONDS: its time limit."""
    def mark(marked):
        marked.scenario = {"tree": tree, "root": root, "seconds": seconds,
                           "settings": settings, "language": language}
        return marked
    return mark(function) if function else mark


def count(few, many):
    """FEW in an ordinary run, MANY in a long one."""
    return many if LONG else few


class Stage:
    """What the scenarios of one file share, and what each one gets."""

    def __init__(self, options):
        self.builds = options.builds
        self.keep = options.keep
        self.internet = None
        self.namespace = None
        self.made, self.folders = [], []

    def get(self, name, about):
        if name == "internet":
            return self.get_internet()
        if name == "make":
            return lambda **options: self.make(about, **options)
        if name == "folder":
            self.folders.append(pathlib.Path(tempfile.mkdtemp(prefix="hauspost-scenario-")))
            return self.folders[-1]
        post = self.make(about)
        post.setup()
        return post.start()

    def get_internet(self):
        import internet
        if self.internet is None:
            try:
                self.internet = internet.Internet()
            except internet.Unavailable as reason:
                raise Skip(str(reason)) from reason
        return self.internet

    def make(self, about, tree=None, **options):
        """A Hauspost of the scenario's tree in the namespace that the file uses."""
        if self.internet is not None:
            options.setdefault("namespace", self.internet.laptop)
        elif os.geteuid() == 0:
            import namespaces
            if self.namespace is None:
                self.namespace = namespaces.Namespace(f"hp{os.getpid():x}-alone")
            options.setdefault("namespace", self.namespace)
        options.setdefault("settings", about["settings"])
        options.setdefault("language", about["language"])
        post = Hauspost(self.builds / (tree or about["tree"]), **options)
        self.made.append(post)
        return post

    def tidy(self, failed):
        """Ends what one scenario made; the first complaint, if any."""
        complaint = None
        for post in self.made:
            try:
                post.close(keep=self.keep and failed)
            except AssertionError as error:
                complaint = complaint or error
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
        self.made, self.folders = [], []
        if self.internet is not None:
            self.internet.line.port25 = "open"
            self.internet.line.captive = False
            self.internet.dns("ok")
            self.internet.restore()
        return complaint

    def close(self):
        for shared in (self.internet, self.namespace):
            if shared is not None:
                shared.close()


class OutOfTime(BaseException):
    """The time limit of a scenario."""


def on_alarm(_signal, _frame):
    raise OutOfTime


def play(function, stage):
    """Plays one scenario; ("ok" | "skip" | "fail", text)."""
    about = function.scenario
    result, text = "ok", ""
    if about["root"] and os.geteuid() != 0:
        return "skip", "needs root"
    signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(about["seconds"] * (20 if LONG else 1))
    try:
        # "internet" first: a post is made inside it
        names = sorted(inspect.signature(function).parameters, key=lambda n: n != "internet")
        function(**{name: stage.get(name, about) for name in names})
    except Skip as reason:
        result, text = "skip", str(reason)
    except OutOfTime:
        result, text = "fail", f"did not end within {about['seconds']} s\n" + \
            "".join(post.log()[-3000:] for post in stage.made)
    except Exception:
        result, text = "fail", traceback.format_exc() + \
            "".join(post.log()[-3000:] for post in stage.made)
    finally:
        signal.alarm(0)
    complaint = stage.tidy(result == "fail")
    if complaint is not None and result != "fail":
        return "fail", str(complaint)
    return result, text


def scenarios_of(path):
    """The scenarios in a file, in its order."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [f for f in vars(module).values() if hasattr(f, "scenario")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--builds", type=pathlib.Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("filters", nargs="*")
    options = parser.parse_args()
    # the scenarios import this module by its name, not as __main__
    sys.modules["harness"] = sys.modules["__main__"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    stage = Stage(options)
    failed = False
    try:
        for function in scenarios_of(options.file):
            name = f"{options.file.stem}/{function.__name__.replace('_', '-')}"
            if options.filters and not any(word in name for word in options.filters):
                continue
            start = time.monotonic()
            result, text = play(function, stage)
            failed |= result == "fail"
            took = f"{time.monotonic() - start:.1f} s"
            if result == "fail":
                rule = inspect.getdoc(function).split("\n\n")[0].replace("\n", " ")
                print("\n".join("# " + line for line in [rule, *text.splitlines()]))
                print(f"not ok {name} ({took})", flush=True)
            elif result == "skip":
                print(f"ok {name} # SKIP {text}", flush=True)
            else:
                print(f"ok {name} ({took})", flush=True)
    finally:
        stage.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
