"""onotify --wait and octl pull --wait: they end when the commit is served, or say what became of it."""
import json
import os
import re
import signal
from concurrent import futures

import pytest

from repository import ENV, git, write_hook
from tsig_key import Key

ZONE = "$TTL 60\n@ SOA ns host %d 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"
BAD = ZONE + "bad A 192.0.2.300\n"
ALL, NARROW = Key("me._notify."), Key("me._notify.example.org.")


@pytest.fixture
def served(repo, primary):
    repo.commit({"example.org": ZONE % 1, "a.example.org": ZONE % 1, "other": ZONE % 1, "_keys": ALL.line + NARROW.line})
    return primary(repo, zones=["example.org", "a.example.org", "other"])


@pytest.fixture
def onotify(program, repo):
    """In the working clone, as one who pushes."""
    def run(server, *args, key=ALL, cwd=None, **more):
        return program("onotify", "127.0.0.1", "example.org", "--wait=20", "--port=%d" % server.port, *args, cwd=cwd or repo.path,
                       env={**ENV, "ORIGIN_KEY": key.argument}, **more)
    return run


@pytest.fixture
def octl(program):
    def run(server, *args, key=ALL, **more):
        return program("octl", "127.0.0.1", *args, "--port=%d" % server.port, env={"ORIGIN_KEY": key.argument}, **more)
    return run


def state(octl, server, **more):
    return json.loads(octl(server, "status", "--json", **more).stdout)["status"]


@pytest.mark.parametrize("key", [ALL, NARROW])
def test_it_ends_when_the_commit_is_served(repo, served, onotify, key):
    commit = repo.commit({"example.org": ZONE % 2})
    done = onotify(served, key=key, status=0)
    assert done.stderr == "" and done.stdout.splitlines()[1] == "example.org: commit %s is served" % commit[:12]
    assert served.serial("example.org") == 2


def test_it_is_served_already(repo, served, onotify):
    assert "is served" in onotify(served, status=0).stdout
    assert onotify(served, "-q", status=0).stdout == ""


def test_a_broken_zone_is_told_with_its_line(repo, served, onotify):
    repo.commit({"example.org": BAD % 2, "other": ZONE % 2})
    done = onotify(served, status=1)
    assert 'error: example.org: last-good: example.org:5:7: A address: expected' in done.stderr and "everything else in commit" in done.stderr
    assert served.serial("other") == 2
    repo.commit({"other": ZONE % 3})  # what is not this commit's fault is said, and no more
    done = onotify(served, status=0)
    assert re.search(r"warning: example.org: last-good: .*\(since commit [0-9a-f]{12}\)", done.stderr)


def test_a_key_hears_of_its_own_zones(repo, served, onotify):
    repo.commit({"example.org": ZONE % 2, "other": BAD % 2})
    assert onotify(served, key=NARROW, status=0).stderr == ""
    assert "other: last-good" in onotify(served, status=1).stderr


def test_what_is_held_is_told(repo, served, onotify):
    repo.commit({"example.org": None, "a.example.org": None})
    done = onotify(served, status=1)
    assert "a.example.org: held: a.example.org: 2 of 3 zones would be removed" in done.stderr


def test_a_fetch_that_fails(repo, served, onotify):
    repo.commit({"example.org": ZONE % 2}, push=False)
    os.rename(repo.bare, repo.bare + ".away")
    done = onotify(served, status=1)
    assert "the server could not fetch: " in done.stderr and repo.bare in done.stderr
    narrow = onotify(served, key=NARROW, status=1).stderr
    assert "the server could not fetch: " in narrow and repo.bare not in narrow


def test_a_pull_that_began_before_the_push(repo, primary, relay, onotify, octl):
    """The server tries again by itself after a failure: what it then sees of the branch may be older than the push."""
    repo.commit({"example.org": ZONE % 1, "_keys": ALL.line})
    server = primary(relay.url("zones.git"), zones=["example.org"])
    relay.limit = 3
    server.hangup()
    server.await_log("event=pull-failed .*retry_s=1")
    relay.hold()  # first: the pull after it may come at any time
    relay.limit = None
    relay.await_answer()
    commit, pulls = repo.commit({"example.org": ZONE % 2}), state(octl, server)["pulls"]
    with futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(onotify, server)
        server.await_true("the server was asked", lambda: state(octl, server)["pulls"] > pulls)
        relay.let_go()
        done = waiting.result()
    assert (done.returncode, done.stderr) == (0, "") and "commit %s is served" % commit[:12] in done.stdout
    server.stop()


def test_a_commit_that_was_not_pushed(repo, served, onotify):
    commit = repo.commit({"example.org": ZONE % 2}, push=False)
    done = onotify(served, status=1)
    assert "commit %s is not served: the server has pulled" % commit[:12] in done.stderr and "was it pushed" in done.stderr


def test_a_commit_within_a_later_one(repo, served, onotify):
    first = repo.commit({"example.org": ZONE % 2}, push=False)
    second = repo.commit({"example.org": ZONE % 3})
    assert "commit %s is served, in commit %s" % (first[:12], second[:12]) in onotify(served, "--commit=" + first, status=0).stdout


@pytest.mark.parametrize("key", [ALL, NARROW])
def test_a_server_that_is_started_anew(repo, daemon, primary, onotify, key):
    """It counts its pulls from the beginning."""
    repo.commit({"example.org": ZONE % 1, "_keys": ALL.line + NARROW.line})
    url = daemon.url("zones.git")
    server = primary(url, zones=["example.org"])
    for serial in range(2, 5):
        repo.commit({"example.org": ZONE % serial})
        server.hangup()
        server.await_serial("example.org", serial)
    first = repo.commit({"example.org": ZONE % 5}, push=False)
    second = repo.commit({"example.org": ZONE % 6})
    os.kill(daemon.child.process.pid, signal.SIGSTOP)
    with futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(onotify, server, "--commit=" + first, key=key)
        server.await_log("event=notify-accepted")
        server.stop()
        os.kill(daemon.child.process.pid, signal.SIGCONT)
        primary(url, port=server.port, zones=["example.org"])
        assert "commit %s is served, in commit %s" % (first[:12], second[:12]) in waiting.result().stdout


def test_outside_of_a_repository(repo, served, onotify, tmp_path):
    commit = repo.commit({"example.org": ZONE % 2})
    where = str(tmp_path)
    assert "commit %s is served" % commit[:12] in onotify(served, "--commit=" + commit, cwd=where, status=0).stdout
    assert "commit %s is served" % commit[:12] in onotify(served, cwd=where, status=0).stdout
    assert "not known here whether that contains commit %s" % ("1" * 12) in onotify(served, "--commit=" + "1" * 40, cwd=where, status=1).stderr
    assert "is not a commit that is known here" in onotify(served, "--commit=main", cwd=where, status=1).stderr


def test_wrong_usage(program):
    assert "give --wait, too" in program("onotify", "example.org", "--commit=main", status=2).stderr
    assert "that takes a key" in program("onotify", "example.org", "--wait", status=2, env={"ORIGIN_KEY": ""}).stderr


def test_pull(repo, served, octl):
    commit = repo.commit({"example.org": ZONE % 2})
    assert "commit %s is served" % commit[:12] in octl(served, "pull", "--wait", status=0).stdout
    assert "has acknowledged" in octl(served, "pull", "other", status=0).stdout


def test_the_state_of_the_server(repo, served, octl):
    first = state(octl, served)
    want = {"health": "well", "remote": repo.url, "branch": "refs/heads/" + repo.branch, "commit": repo.head(), "head": repo.head(),
            "pull_error": None, "waiting": 0, "pushed": None, "zones": 3}
    assert {k: first[k] for k in want} == want
    assert 0 < first["started"] <= first["since"] <= first["pulled"]
    narrow = state(octl, served, key=NARROW)
    assert narrow["commit"] == repo.head() and not any(narrow[k] for k in ("remote", "branch", "health", "started", "waiting"))
    os.rename(repo.bare, repo.bare + ".away")
    octl(served, "pull", "--wait", status=1)
    failed = state(octl, served)
    assert repo.bare in failed["pull_error"] and failed["pull"] > first["pull"] and failed["commit"] == failed["head"] == first["head"]
    os.rename(repo.bare + ".away", repo.bare)
    octl(served, "pull", "--wait", status=0)
    assert state(octl, served)["pull_error"] is None
    served.stop()


def test_how_long_failures_took(repo, primary, relay, octl, program, key):
    repo.commit({"example.org": ZONE % 1, "_keys": key.line + ALL.line})
    server = primary(relay.url("zones.git"), zones=["example.org"])
    for address in ("192.0.2.7", "192.0.2.8"):
        program("oupdate", "127.0.0.1", "www.example.org", address, "--zone=example.org", "--port=%d" % server.port,
                env={"ORIGIN_KEY": key.argument})
        write_hook(repo, "pre-receive", "sleep 0.3; exit 1\n")
    updates = json.loads(octl(server, "updates", "--json", key=key, status=0).stdout)["updates"]
    assert updates["push_error"] and updates["push_ms"] >= 300, updates
    relay.limit, relay.delay_s = 3, 0.3
    octl(server, "pull", "--wait", status=1)
    failed = state(octl, server)
    assert failed["pull_error"] and failed["pull_ms"] >= 300, failed
    relay.limit, relay.delay_s = None, 0
    server.stop()


def test_updates(repo, primary, octl, program, key):
    repo.commit({"example.org": ZONE % 1, "_keys": key.line + NARROW.line})
    server = primary(repo, zones=["example.org"])
    program("oupdate", "127.0.0.1", "www.example.org", "192.0.2.7", "--zone=example.org", "--port=%d" % server.port, status=0,
            env={"ORIGIN_KEY": key.argument})
    head = git(repo.bare, "rev-parse", repo.branch)
    updates = json.loads(octl(server, "updates", "--json", key=key, status=0).stdout)["updates"]
    assert (updates["commits"], updates["updates"], updates["failed"], updates["waiting"], updates["pushes"]) == (1, 1, 0, 0, 1)
    assert state(octl, server, key=key)["head"] == state(octl, server, key=key)["commit"] == head
    narrow = octl(server, "updates", key=NARROW, status=1)
    assert narrow.stdout == "" and "the key is good for example.org. and what is below it, and . is not" in narrow.stderr
