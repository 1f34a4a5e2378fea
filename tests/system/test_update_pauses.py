"""Updates without pause, and a person who pulls, rebases and pushes beside them."""
import contextlib
import os
import signal
import subprocess
import threading
import time

import dns.rcode
import pytest

import processes
from repository import ENV, git
from updates import ZONE, add, send

BURST_S = 2  # as auth/quiet.h has it
TRIES_MAX = 3
ROUNDS = 4
TRY_S = 1  # that a person takes between pull and push


@contextlib.contextmanager
def updates_without_pause(served, key):
    """Each as soon as the one before is answered; yields a list of how long they took."""
    took, codes, end = [], set(), threading.Event()

    def run():
        while not end.is_set():
            begin = time.monotonic()
            codes.add(send(served, add(key, "n%d" % (len(took) % 50), "10.0.%d.%d" % divmod(len(took), 250))).rcode())
            took.append(time.monotonic() - begin)
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield took
    finally:
        end.set()
        thread.join()
        assert codes == {dns.rcode.NOERROR}


def other_zone(serial):
    """What he edits."""
    return "$TTL 60\n@ SOA ns host %d 1h 1h 1h 1h\n@ NS ns\nns A 192.0.2.1\n" % serial


def tries_of_person(repo, serial):
    """How many times does it take until a change is in?"""
    repo.commit({"other": other_zone(serial)}, push=False)
    command = "git pull -q --rebase origin %s && sleep %d && git push -q origin HEAD:%s" % (repo.branch, TRY_S, repo.branch)
    for tries in range(1, 20):
        done = subprocess.run(["sh", "-c", command], cwd=repo.path, env=dict(ENV), capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            return tries
        assert "rejected" in done.stderr or "reference" in done.stderr or "lock" in done.stderr, done.stderr
    return tries


@pytest.fixture
def key(make_key):
    return make_key("k._update.example")


@pytest.fixture
def served(primary, repo, key):
    repo.commit({"example": ZONE, "other": other_zone(0), "_keys": key.line})
    served = primary(repo, zones=["example", "other"])
    assert send(served, add(key, "first", "192.0.2.1")).rcode() == dns.rcode.NOERROR
    return served


def test_nobody_else_pushes(served, key):
    """The zone's first commit was somebody's, and nothing waits for him."""
    with updates_without_pause(served, key) as took:
        served.await_true("longer than a burst", lambda: sum(took) > BURST_S + 2)
    assert "event=updates-pause" not in served.log()


def test_a_person_is_through_with_three_tries(served, key, repo):
    """Once it is known that people push here."""
    assert tries_of_person(repo, 1) == 1
    commit = git(repo.path, "rev-parse", "HEAD")
    served.hangup()
    served.await_log("event=commit-served commit=%s" % commit)
    with updates_without_pause(served, key) as took:
        served.await_log("event=updates-pause", limit_s=30)
        tries = [tries_of_person(repo, 2 + i) for i in range(ROUNDS)]
    print(tries, "%d updates" % len(took))
    assert max(tries) <= TRIES_MAX, tries
    served.hangup()
    served.await_serial("other", 1 + ROUNDS)
    served.stop()


def test_a_push_before_the_git_process_is_started_anew(served, key, repo):
    """The new one does not know which commits came, but whose the last one is."""
    assert tries_of_person(repo, 1) == 1
    commit = git(repo.path, "rev-parse", "HEAD")
    os.kill(processes.named(served, "oprimary-git"), signal.SIGKILL)
    served.await_log("event=commit-served commit=%s" % commit)
    with updates_without_pause(served, key):
        served.await_log("event=updates-pause .*people push", limit_s=30)
    served.stop()
