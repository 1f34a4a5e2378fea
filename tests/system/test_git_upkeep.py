"""A local remote while its owner rewrites it, has git tidy it, or puts another in its place: nothing of that is an update's fault."""
import glob
import os
import shutil
import signal
import subprocess
import threading
import time

import dns.rcode
import pytest

import servers
from repository import Repo, git, write_hook
from test_git_push import ZONE as SOA
from test_git_push import fsck, head_of, is_tidying, leftovers, packs_of, push_many
from updates import ZONE, add, addresses, send

HOURS = 3600
INCLUDING = "$TTL 1h\n@ SOA ns host 1 1h 1h 1h 1h\n@ NS ns\n$INCLUDE parts/hosts\n"


def collect(repo):
    """Whatever nothing leads to is gone."""
    git(repo.bare, "reflog", "expire", "--expire=now", "--all")
    git(repo.bare, "gc", "-q", "--prune=now")


def rewrite(repo):
    git(repo.path, "pull", "-q", "--rebase", "origin", repo.branch)
    git(repo.path, "checkout", "-q", "--orphan", "other-%d" % time.monotonic_ns())
    repo.commit({"README": "a new beginning\n"}, force=True)


def set_back(repo):
    git(repo.path, "pull", "-q", "--rebase", "origin", repo.branch)
    git(repo.path, "reset", "-q", "--hard", "HEAD~1")
    repo.commit({"README": "another\n"}, force=True)


def make_anew(repo):
    rewrite(repo)
    git(repo.bare, "update-ref", "-d", "refs/heads/" + repo.branch)
    git(repo.path, "push", "-q", "origin", "HEAD:" + repo.branch)


def put_another_there(repo):
    """As from a backup: the same files, and no object in common but them."""
    files = {name: git(repo.bare, "show", "%s:%s" % (repo.branch, name)) + "\n"
             for name in git(repo.bare, "ls-tree", "-r", "--name-only", repo.branch).split()}
    os.makedirs(repo.bare + ".elsewhere")
    other = Repo(repo.bare + ".elsewhere", repo.branch)
    other.commit({**files, "README": "from the backup\n"})
    os.rename(repo.bare, repo.bare + ".old")
    os.rename(other.bare, repo.bare)
    shutil.rmtree(repo.bare + ".old")


def has_worker(served):
    return len(servers.descendants(served.pid)) > 2


@pytest.mark.parametrize("is_idle", [False, True], ids=["at work", "idle"])
@pytest.mark.parametrize("options", [[], ["--cache-dir"]], ids=["in place", "cloned"])
@pytest.mark.parametrize("change", [rewrite, set_back, make_anew, put_another_there])
def test_an_update_after_it_was_rewritten(primary, repo, key, tmp_path, change, options, is_idle):
    """Nobody has notified: the update finds it out, pulls, and is worked out on what is there now."""
    repo.commit({"first": ZONE})
    repo.commit({"example": ZONE, "including": INCLUDING, "parts/hosts": "ns A 192.0.2.1\nwww A 192.0.2.2\n", "_keys": key.line})
    if options:
        os.mkdir(tmp_path / "cache")
        options = ["--cache-dir=%s" % (tmp_path / "cache")]
    served = primary(repo, *options, zones=["example", "including"])
    assert send(served, add(key, "a", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    change(repo)
    if change is not put_another_there:
        collect(repo)
    if is_idle:
        served.await_true("no worker", lambda: not has_worker(served))
    for zone in ("including", "example"):
        answer = send(served, add(key, "b", "192.0.2.9", zone=zone))
        assert answer.rcode() == dns.rcode.NOERROR, "%s\n%s" % (answer, served.log_tail())
        assert addresses(served, "b." + zone) == ["192.0.2.9"]
    assert "192.0.2.9" in git(repo.bare, "show", repo.branch + ":including")
    fsck(repo.bare)
    served.stop()


@pytest.mark.parametrize("gone", ["main:a", "main^{tree}"], ids=["a file", "the directory"])
def test_a_base_that_is_half_collected(repo, side, gone):
    """Its commit is there, or known from before, and what it leads to is not: that is no file that does not exist."""
    head = repo.commit({"a": SOA % 1, "b": SOA % 1})
    oid = git(repo.bare, "rev-parse", gone)
    g = side(repo.url)
    g.pull()
    git(repo.path, "checkout", "-q", "--orphan", "other")
    repo.commit({"a": SOA % 2, "b": SOA % 2}, force=True)
    os.unlink(os.path.join(repo.bare, "objects", oid[:2], oid[2:]))
    g.await_idle()  # another worker, which has read nothing yet
    assert g.get("a").status == "the other side has changed meanwhile"
    assert g.push(head, {"c": SOA % 1}, "PUSH_FAILED").status == "the other side has changed meanwhile"
    f = g.pull()
    assert f.kinds == {"a": "PUT", "b": "PUT"}
    assert g.push(f.fields["id"], {"c": SOA % 1}).fields["id"] == head_of(repo)


def test_it_is_away_for_good(primary, repo, key):
    """A branch that is gone, and a repository that is: said at once, and served on."""
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(repo, zones=["example"])
    git(repo.bare, "update-ref", "-d", "refs/heads/" + repo.branch)
    answer = send(served, add(key, "a", "192.0.2.9"))
    assert answer.rcode() == dns.rcode.SERVFAIL
    os.rename(repo.bare, repo.bare + ".away")
    assert send(served, add(key, "a", "192.0.2.9")).rcode() == dns.rcode.SERVFAIL
    assert served.serial("example") is not None
    os.rename(repo.bare + ".away", repo.bare)
    repo.commit({"README": "back\n"})
    assert send(served, add(key, "a", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    served.stop()


# ---- what git takes for leftovers ----

def staged(repo):
    """Files of a push that have not got their names yet."""
    return [path for path in glob.glob(os.path.join(repo.bare, "**", "*"), recursive=True)
            if os.path.isfile(path) and ("origin-pack." in path or "/tmp_" in path)]


def test_gc_in_the_middle_of_a_push(repo, side):
    """`git prune` with --expire=now removes what is called tmp_... below the objects; a clone sees nothing that goes away."""
    head = repo.commit({"a": SOA % 1})
    g = side(repo.url, "--timeout=60")
    g.pull()
    head = g.push(head, {"a": SOA % 2}).fields["id"]
    (worker,) = g.workers()
    g.send_push(head, {"large": os.urandom(60 << 20)})
    files = servers.await_true("files of the push", lambda: staged(repo))
    os.kill(worker, signal.SIGSTOP)
    try:
        files = staged(repo)
        assert files and not any("objects" in os.path.relpath(path, repo.bare) for path in files)
        git(repo.bare, "gc", "-q", "--prune=now")
        git(repo.bare, "repack", "-a", "-d", "-f", "-q")
        assert staged(repo) == files
        git(repo.path, "clone", "-q", "--bare", repo.bare, repo.bare + ".clone")
    finally:
        os.kill(worker, signal.SIGCONT)
    assert g.next("PUSHED").fields["id"] == head_of(repo) and g.workers() == [worker]
    assert leftovers(repo.bare) == []
    fsck(repo.bare)


def test_killed_in_the_middle_of_a_push(repo, side):
    """What it had written so far goes with the next one."""
    head = repo.commit({"a": SOA % 1})
    g = side(repo.url, "--timeout=60")
    g.pull()
    g.send_push(head, {"large": os.urandom(60 << 20)})
    servers.await_true("files of the push", lambda: staged(repo))
    for worker in g.workers():
        os.kill(worker, signal.SIGKILL)
    f = g.next("PUSHED", "PUSH_FAILED")
    head = f.fields["id"] if f.type == "PUSHED" else g.pull("COMMIT", "UPTODATE").fields["id"]
    g.push(head, {"a": SOA % 3})
    assert leftovers(repo.bare) == []


def test_a_quarantine_that_is_swept(repo, side):
    """Hooks are for git's own receiving: what it has received is in objects/tmp_objdir-..., until `git prune --expire=now` comes."""
    head = repo.commit({"a": SOA % 1})
    count = os.path.join(repo.bare, "count")
    write_hook(repo, "pre-receive", "test -e %s || { touch %s; git -C %s prune --expire=now; }\n" % (count, count, repo.bare))
    g = side(repo.url)
    g.pull()
    head = g.push(head, {"a": SOA % 2}).fields["id"]
    assert head_of(repo) == head and os.path.exists(count)
    write_hook(repo, "pre-receive", "git -C %s prune --expire=now\n" % repo.bare)
    f = g.push(head, {"a": SOA % 3}, "PUSH_FAILED")  # but not for ever
    assert f.status == "input or output failed" and head_of(repo) == head, f
    fsck(repo.bare)


def test_a_worker_that_is_killed_at_once(repo, side):
    """For a push that the remote cannot have, there is another."""
    head = repo.commit({"a": SOA % 1})
    g = side(repo.url, "--linger=1")
    g.pull()
    g.await_idle()
    g.send_push(head, {"large": os.urandom(60 << 20)})
    (worker,) = servers.await_true("a worker", g.workers)
    os.kill(worker, signal.SIGKILL)
    assert g.next("PUSHED").fields["id"] == head_of(repo)
    fsck(repo.bare)


def test_pack_refs_takes_directories_away(repo, side):
    """A branch with a "/" in its name: `git pack-refs` removes the directory, time and again."""
    head = repo.commit({"a": SOA % 1})
    git(repo.bare, "branch", "deep/er/zones")
    g = side(repo.url + "#deep/er/zones")
    g.pull()
    stop = threading.Event()

    def pack():
        while not stop.is_set():
            subprocess.run(["git", "-C", repo.bare, "pack-refs", "--all"], capture_output=True, check=False)
    thread = threading.Thread(target=pack)
    thread.start()
    try:
        for n in range(40):
            head = g.push(head, {"a": SOA % (n + 2)}).fields["id"]
    finally:
        stop.set()
        thread.join()
    assert git(repo.bare, "rev-parse", "deep/er/zones") == head
    await_few_packs(repo)
    fsck(repo.bare)


# ---- a git gc that is, or was ----

def write_gc_pid(repo, text, age_s=0):
    path = os.path.join(repo.bare, "gc.pid")
    with open(path, "w") as f:
        f.write(text)
    when = time.time() - age_s
    os.utime(path, (when, when))
    return path


def a_dead_pid():
    with subprocess.Popen(["true"]) as done:
        done.wait()
        return done.pid


def of_git():
    """What a git of today writes."""
    return "%d %s" % (os.getpid(), os.uname().nodename)


@pytest.mark.parametrize("what, age_s, is_let_alone", [
    ("here", 0, True), ("elsewhere", 0, True), ("here", 11 * HOURS, True), ("here", 13 * HOURS, False),
    ("elsewhere", 13 * HOURS, False), ("dead", 0, False), ("empty", 0, False)])
def test_gc_pid(repo, side, what, age_s, is_let_alone):
    """git's own rule: who is dead, or has taken half a day, holds nobody up; and what is passed over is said."""
    head = repo.commit({"a": SOA % 1})
    g = side(repo.url, "--linger=1")
    g.pull()
    text = {"here": of_git(), "elsewhere": "1 elsewhere.example", "dead": "%d %s" % (a_dead_pid(), os.uname().nodename), "empty": ""}[what]
    path = write_gc_pid(repo, text, age_s)
    push_many(g, head, 100)
    g.await_idle()
    assert (len(packs_of(repo.bare)) == 100) == is_let_alone
    assert os.path.exists(path)
    g.pull("UPTODATE")  # so that the notes are read
    assert ["gc.pid" in note.text for note in g.notes] == ([] if is_let_alone else [True])
    asked = subprocess.run(["git", "-C", repo.bare, "gc"], capture_output=True, text=True, check=False)
    assert ("gc is already running" in asked.stderr) == is_let_alone, "git itself thinks otherwise: %s" % asked.stderr
    fsck(repo.bare)


def test_tidying_that_fails_is_said(repo, side):
    """It is tried again now and then; the pushes themselves go on."""
    head = repo.commit({"a": SOA % 1})
    os.mkdir(os.path.join(repo.bare, "origin-tidy"))  # where its lock is to be
    g = side(repo.url)
    g.pull()
    push_many(g, head, 100)
    servers.await_true("it was tried", lambda: g.pull("UPTODATE") and g.notes)  # a pull reads the notes
    assert len(packs_of(repo.bare)) == 100 and len(g.notes) == 1
    assert "cannot be tidied" in g.notes[0].text and "origin-tidy" in g.notes[0].text


def test_the_log_has_it(primary, repo, key):
    repo.commit({"example": ZONE, "_keys": key.line})
    write_gc_pid(repo, "%d %s" % (a_dead_pid(), os.uname().nodename))
    served = primary(repo, zones=["example"])
    for n in range(70):
        assert send(served, add(key, "h%d" % n, "192.0.2.9")).rcode() == dns.rcode.NOERROR
    served.await_log("event=tidy-trouble .*gc.pid")
    served.stop()


# ---- git repack ----

def await_few_packs(repo):
    servers.await_true("it is done", lambda: not is_tidying(repo.bare) and len(packs_of(repo.bare)) < 40)  # src/git/upkeep.h


def test_without_git(repo, side):
    """Pushes need none; that packs become more and more is said."""
    head = repo.commit({"a": SOA % 1})
    g = side(repo.url, env={"PATH": "/nonexistent"})
    g.pull()
    push_many(g, head, 100)
    servers.await_true("it was tried", lambda: g.pull("UPTODATE") and g.notes)  # a pull reads the notes
    assert len(packs_of(repo.bare)) == 100
    assert len(g.notes) == 1 and "install git" in g.notes[0].text


def fake_git(tmp_path, text):
    """A directory for PATH, with a git that does that."""
    os.mkdir(tmp_path / "bin")
    with open(tmp_path / "bin" / "git", "w") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(tmp_path / "bin" / "git", 0o755)
    return {"PATH": "%s:%s" % (tmp_path / "bin", os.environ["PATH"])}

def test_a_repack_that_takes_its_time(repo, side, tmp_path):
    """Packs of pushes that came meanwhile are not in it: they count for the next one."""
    begun, go = tmp_path / "begun", tmp_path / "go"
    wait = "%s \"$@\"; status=$?; : >%s; while ! [ -e %s ]; do sleep 0.02; done; exit $status\n" % (shutil.which("git"), begun, go)
    head = repo.commit({"a": SOA % 1})
    g = side(repo.url, env=fake_git(tmp_path, wait))
    g.pull()
    head = push_many(g, head, 40)
    servers.await_true("a repack is under way", begun.exists)
    head = push_many(g, head, 60)
    assert len(packs_of(repo.bare)) > 50
    go.touch()
    await_few_packs(repo)
    fsck(repo.bare)


def test_pushes_wait_for_no_repack(repo, side, tmp_path):
    """One that hangs holds nobody up, is the only one, and goes with the worker."""
    head = repo.commit({"a": SOA % 1})
    g = side(repo.url, env=fake_git(tmp_path, "echo $$ >> %s/pids\nexec sleep 1000\n" % tmp_path))
    g.pull()
    head = push_many(g, head, 40)
    servers.await_true("it is at work", lambda: is_tidying(repo.bare))
    push_many(g, head, 150)
    assert len(packs_of(repo.bare)) == 190 and is_tidying(repo.bare)
    pid, = (tmp_path / "pids").read_text().split()
    assert os.path.exists("/proc/%s" % pid)
    assert g.close() == 0
    servers.await_true("it is gone", lambda: not os.path.exists("/proc/%s" % pid))


def test_a_repack_ends_while_a_commit_is_dealt_with(repo, side, tmp_path):
    """The repository is opened anew for the next file, and directories that were read before are read again."""
    head = repo.commit({"a": SOA % 1, "parts/deep/x": "x\n", "parts/deep/y": "y\n"})
    go = tmp_path / "go"
    g = side(repo.url, env=fake_git(tmp_path, "while ! [ -e %s ]; do sleep 0.02; done\nexec %s \"$@\"\n" % (go, shutil.which("git"))))
    g.pull()
    push_many(g, head, 40)
    servers.await_true("it is at work", lambda: is_tidying(repo.bare))
    g.say("WHOLE")
    g.next("COMMIT")
    assert g.get("parts/deep/x").text == "x" and is_tidying(repo.bare)
    go.touch()
    await_few_packs(repo)
    for name in ("y", "x", "y"):
        assert g.get("parts/deep/" + name).text == name
    g.say("DONE")
    g.pull("UPTODATE")
    assert g.notes == []


def test_a_repack_that_takes_too_long(repo, side, tmp_path):
    head = repo.commit({"a": SOA % 1})
    g = side(repo.url, "--time-max=1", env=fake_git(tmp_path, "echo $$ >> %s/pids\nexec sleep 1000\n" % tmp_path))
    g.pull()
    head = push_many(g, head, 40)
    pids = tmp_path / "pids"
    servers.await_true("it is at work", lambda: pids.exists() and pids.read_text().endswith("\n"))
    pid, = pids.read_text().split()
    servers.await_true("it is gone", lambda: not os.path.exists("/proc/%s" % pid))
    push_many(g, head, 1)
    assert len(g.notes) == 1 and "--fetch-time-max" in g.notes[0].text


def lay(packs, name, age_s):
    servers.write(os.path.join(packs, name), "x")
    os.utime(os.path.join(packs, name), (time.time() - age_s,) * 2)


@pytest.mark.parametrize("who", ["living", "dead"])
def test_packs_without_their_name(repo, side, who):
    """They may be anybody's, also when they have the number of a repack of ours that was killed: another process may have it now, here or on
    another machine.  They are removed once nobody can be at work on them any more."""
    head = repo.commit({"a": SOA % 1})
    packs = os.path.join(repo.bare, "objects", "pack")
    pid = os.getpid() if who == "living" else a_dead_pid()
    for name in ("tmp_pack_%s", "tmp_idx_%s", ".tmp-%d-pack-%%s.pack" % pid, ".tmp-%d-pack-%%s.rev" % pid):
        lay(packs, name % "old", 13 * HOURS)
        lay(packs, name % "new", 11 * HOURS)
    lay(packs, ".tmp-notes", 13 * HOURS)
    servers.write(os.path.join(repo.bare, "origin-tidy"), "%d\n" % pid)  # as older versions of ours left it
    g = side(repo.url)
    g.pull()
    push_many(g, head, 40)
    await_few_packs(repo)
    assert {name for name in os.listdir(packs) if "tmp" in name} == {
        "tmp_pack_new", "tmp_idx_new", ".tmp-%d-pack-new.pack" % pid, ".tmp-%d-pack-new.rev" % pid, ".tmp-notes"}
    assert g.notes == []


def test_settings_of_the_owner(repo, side):
    """What would make `git repack` refuse, or take long, is overruled; and so is a work tree's index of packs."""
    head = repo.commit({"a": SOA % 1})
    for name, value in (("repack.writeBitmaps", "true"), ("pack.threads", "0"), ("core.multiPackIndex", "true")):
        git(repo.bare, "config", name, value)
    g = side(repo.url)
    g.pull()
    head = push_many(g, head, 10)
    git(repo.bare, "multi-pack-index", "write")
    push_many(g, head, 40)
    await_few_packs(repo)
    assert g.notes == []
    fsck(repo.bare)


def test_a_repository_that_borrows(repo, side):
    """Its packs become few; those of the other stay where they are."""
    head = repo.commit({"a": SOA % 1})
    lender = repo.bare + ".lender"
    os.rename(repo.bare, lender)
    git(lender, "clone", "-q", "--bare", "--shared", lender, repo.bare)
    git(lender, "repack", "-a", "-d", "-q")
    theirs = packs_of(lender)
    g = side(repo.url)
    g.pull()
    push_many(g, head, 40)
    await_few_packs(repo)
    assert g.notes == [] and packs_of(lender) == theirs
    fsck(repo.bare)


def test_a_repository_of_another_user(repo, side):
    """Where git does nothing for us it says why."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    head = repo.commit({"a": SOA % 1})
    for folder, _, names in os.walk(repo.bare):
        for path in [folder, *(os.path.join(folder, n) for n in names)]:
            os.chown(path, 65534, 65534)
    g = side(repo.url, env={"HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null"})
    g.pull()
    push_many(g, head, 40)
    servers.await_true("it was tried", lambda: g.pull("UPTODATE") and g.notes)  # a pull reads the notes
    assert len(g.notes) == 1 and "safe.directory" in g.notes[0].text, g.notes
