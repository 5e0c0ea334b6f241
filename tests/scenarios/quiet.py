"""It is not felt: memory, wake-ups and start of the program that people run."""
import pathlib
import time

from conversation import ImapTalk
from harness import count, scenario


@scenario(tree="release", seconds=200)
def idle_does_not_wake_up(post):
    """An idle daemon does not wake up at all, in none of its threads: not in those of clients
    that wait for news, either.
    """
    post.smtp().quit()
    post.pop3().quit()
    waiting = [ImapTalk(post), ImapTalk(post)]
    waiting[0].ok("SELECT INBOX")
    waiting[0].idle()
    waiting[1].ok("NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName))")
    time.sleep(45)      # 10 s after the last change a database is tidied once, 30 s after it
                        # the contents; that is work, and it ends

    def switches():
        found = {}
        for task in pathlib.Path(f"/proc/{post.process.pid}/task").iterdir():
            text = (task / "status").read_text()
            found[task.name] = ((task / "comm").read_text().strip(), int(
                text.split("\nvoluntary_ctxt_switches:")[1].split()[0]))
        return found
    before = switches()
    time.sleep(count(15, 120))
    after = switches()
    woken = {after[task]: number - before.get(task, ("", 0))[1]
             for task, (_, number) in after.items() if number != before.get(task, ("", 0))[1]}
    assert not woken, woken
    for talk in waiting:
        talk.close()


@scenario(tree="release")
def idle_memory(post):
    """An idle daemon uses less than 10 MiB of private memory."""
    post.smtp().quit()
    text = pathlib.Path(f"/proc/{post.process.pid}/smaps_rollup").read_text()
    private = sum(int(line.split()[1]) for line in text.splitlines()
                  if line.startswith("Private_")) / 1024
    assert private < 10, f"{private:.1f} MiB"


@scenario(tree="release")
def starts_fast(make):
    """From start to READY=1 in a moment (the goal is 0.1 s; here a busy machine is allowed
    0.5 s).
    """
    post = make()
    post.setup()
    post.start()
    post.stop()
    best = 99.0
    for _ in range(3):
        start = time.monotonic()
        post.start()
        best = min(best, time.monotonic() - start)
        post.stop()
    assert best < 0.5, f"{best:.2f} s"
