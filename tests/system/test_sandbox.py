"""What each process may not do any more once it has started: by a program that enters the same roles and then tries (tests/unit/sandboxed.c),
and in the daemons themselves."""
import os
import re
import shutil
import socket
import subprocess
import types

import dns.rcode
import pytest

import processes
import servers
from updates import add, send

ROLES = ("server", "store", "acme", "git", "git-worker", "git-local")
KILLED = -31  # SIGSYS

# What is tried, and what comes of it: in all roles, or in each of those above.  "!": the log has a line.
DENIED = {
    "open SECRET": ["EACCES!", "EACCES!", "EACCES", "EACCES", "EACCES", "done"],
    "make OUTSIDE": ["EACCES!", "EACCES!", "EACCES", "EACCES", "EACCES", "done"],
    "make-in": ["EACCES!", "done", "EBADF", "done", "done", "done"],
    "exec /bin/true": ["killed!"] * 5 + [""],
    "process": ["killed!", "killed!", "killed!", "done", "killed!", "done"],
    "ptrace": ["killed!"] * 5 + ["EPERM"],
    "memory": ["killed!"] * 5 + ["EPERM"],
    "writable-code": ["EPERM!"] * 5 + ["done"],
    "data-as-code": ["EPERM!"] * 5 + ["done"],
    "connect OTHER": ["EACCES"] * 5 + ["done"],
    "listen FREE": ["EACCES"] * 5 + ["done"],
    "local-socket": ["EAFNOSUPPORT"] * 2 + ["done"] * 4,
    "raw-socket": ["EAFNOSUPPORT!"] * 5 + ["EPERM"],
    "signal": ["EPERM!"] * 3 + ["EPERM"] * 2 + ["done"],
    "limit": ["EPERM!"] * 3 + ["EPERM", "EPERM!", "EPERM"],
    "unknown": ["ENOSYS!"] * 5 + ["ENOSYS"],
    "namespace": ["ENOSYS!"] * 5 + ["done"],
    "keyctl": ["ENOSYS!"] * 5 + ["EPERM"],
    "older-call": ["killed"] * 5 + ["done"],
    # and what must still go
    "thread": ["done"] * 6,
    "connect ALLOWED": ["done"] * 6,
    "bind": ["done"] * 6,
    "udp FREE": ["done"] * 6,
}


def landlock_version():
    """0: this kernel has none."""
    done = subprocess.run(["/usr/bin/python3", "-c", "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))"],
                          capture_output=True, text=True, check=True)
    return max(0, int(done.stdout))


@pytest.fixture(scope="session")
def sandboxed(bindir):
    """The program, without sanitizers: these need to do much of what is forbidden."""
    where = os.environ.get("ORIGIN_PLAIN_BINDIR") or bindir
    path = os.path.join(where, os.pardir, os.pardir, "tests", "unit", "sandboxed")
    if not os.environ.get("ORIGIN_PLAIN_BINDIR") and b"__asan_init" in open(path, "rb").read():
        pytest.skip("needs a build without sanitizers: ORIGIN_PLAIN_BINDIR")
    if landlock_version() < 4:
        pytest.skip("this kernel cannot limit files and ports")
    return path


@pytest.fixture
def listener():
    """listener() → a port at which somebody listens."""
    taken = []

    def listen():
        taken.append(socket.create_server((servers.ADDRESS, 0)))
        return taken[-1].getsockname()[1]
    yield listen
    for s in taken:
        s.close()


def outcome(done):
    said = done.stdout.strip() if done.returncode == 0 else "killed" if done.returncode == KILLED else "status %d" % done.returncode
    lines = re.findall(r"^\S+ error event=forbidden-call call=(\S+) number=\d+ role=(\S+) answer=(\S+)$", done.stderr, re.M)
    assert len(lines) <= 1 and all(answer in (said, "end") for _, _, answer in lines), done.stderr
    return said + "!" * len(lines)


@pytest.mark.parametrize("tried", DENIED)
def test_denied(sandboxed, tmp_path, listener, tried):
    allowed, other = listener(), listener()
    tmp_path.chmod(0o755)
    (tmp_path / "secret").write_text("x")
    (tmp_path / "state").mkdir()
    words = {"SECRET": tmp_path / "secret", "OUTSIDE": tmp_path / "made", "OTHER": other, "ALLOWED": allowed, "FREE": servers.free_port()}
    came = []
    for role in ROLES:
        options = [] if role in ("server", "acme") else ["write=%s" % (tmp_path / "state")]
        deed = [str(words.get(word, word)) for word in tried.split()]
        came.append(outcome(subprocess.run([sandboxed, role, *options, "port=%d" % allowed, "--", *deed], capture_output=True, text=True,
                                           check=False)))
        shutil.rmtree(tmp_path / "state")
        (tmp_path / "state").mkdir()
    assert came == DENIED[tried], list(zip(ROLES, came, DENIED[tried]))


# ---- the daemons ----

def threads(pid):
    return [int(t) for t in os.listdir("/proc/%d/task" % pid)]


def state(pid):
    """Of a thread."""
    of = processes.status(pid)
    return {k: of[k] for k in ("Seccomp", "NoNewPrivs", "CapEff", "CapPrm")}


LIMITED = {"Seccomp": "2", "NoNewPrivs": "1", "CapEff": "0" * 16, "CapPrm": "0" * 16}


def check_limited(pids):
    for pid in pids:
        found = {processes.name(t): state(t) for t in threads(pid)}
        assert all(s == LIMITED for s in found.values()), (processes.name(pid), found)
        with open("/proc/%d/limits" % pid) as f:
            assert re.search(r"^Max core file size +0 +0 ", f.read(), re.M)


def roles_in(log):
    return re.findall(r"info event=sandbox role=(\S+) system_calls=limited files=(\w+) ports=(\w+)$", log, re.M)


needs_landlock = pytest.mark.skipif(landlock_version() < 4, reason="this kernel cannot limit files and ports")


@needs_landlock
def test_a_primary_of_a_local_remote(primary, filled, key):
    served = primary(filled, zones=["example"])
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    check_limited(processes.all_of(served))
    assert roles_in(served.log()) == [("git-local", "all", "all"), ("server", "limited", "all")]
    served.stop()


@needs_landlock
def test_a_primary_that_notifies_nobody(primary, filled):
    served = primary(filled, "--notify=none", zones=["example"])
    assert roles_in(served.log())[1] == ("server", "limited", "limited")
    served.stop()


@needs_landlock
def test_a_primary_of_a_remote_elsewhere(primary, filled, daemon, key):
    """Its git process is started again in the same sandbox."""
    served = primary(daemon.url("zones.git"), zones=["example"])
    assert roles_in(served.log()) == [("git", "limited", "limited"), ("server", "limited", "all")]
    for killed in (None, "oprimary-git", "oprimary-git"):
        if killed:
            before = processes.named(served, killed)
            os.kill(before, 9)
            served.await_true("another one", lambda b=before: b not in processes.all_of(served) and len(processes.all_of(served)) >= 3)
        served.await_true("an update", lambda: send(served, add(key, "x%s" % killed, "192.0.2.9")).rcode() == dns.rcode.NOERROR)
        check_limited(processes.all_of(served))
    served.stop()


@needs_landlock
@pytest.mark.parametrize("keeps", [False, True])
def test_a_secondary(primary, secondary, filled, key, tmp_path, keeps):
    served = primary(filled, zones=["example"])
    options = ["--state-dir=%s" % (tmp_path / "state")] if keeps else []
    second = secondary([key], *options, primaries=["%s@%d" % (served.address, served.port)])
    second.await_serial("example", 7)
    check_limited([second.pid])
    assert roles_in(second.log()) == [("store" if keeps else "server", "limited", "limited")]
    second.stop()
    served.stop()


def test_without(primary, filled):
    served = primary(filled, "--no-sandbox", zones=["example"])
    assert all(state(pid) == {**LIMITED, "Seccomp": "0"} for pid in processes.all_of(served))
    assert "warning event=no-sandbox " in served.log() and "event=sandbox" not in served.log()
    served.stop()


# ---- memory that is never swapped ----

def test_keys_are_not_swapped(plain_primary, filled):
    """Those that the server has, and what the keeper knows for the remote.  (Sanitizers make mlock() do nothing.)"""
    served = plain_primary(filled, zones=["example"])
    for pid in (served.pid, processes.named(served, "oprimary-keeper")):
        assert processes.kib(pid, "VmLck") > 0, processes.name(pid)
    served.stop()


def test_where_no_memory_may_be_locked(plain_primary, filled, key):
    served = plain_primary(filled, zones=["example"], wrapper=["prlimit", "--memlock=0:0"])
    served.await_log("warning event=secrets-not-locked of=keys text=.* hint=.*LimitMEMLOCK=")
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    served.stop()


@pytest.mark.parametrize("is_far", [True, False])
def test_where_the_keeper_may_lock_nothing(plain_primary, filled, is_far):
    """A remote on this machine has no secrets."""
    remote = types.SimpleNamespace(url="https://somebody:secret@127.0.0.1:1/zones.git") if is_far else filled
    no_right = ["setpriv", "--bounding-set=-ipc_lock"] if os.geteuid() == 0 else []
    served = plain_primary(remote, wrapper=[*no_right, "prlimit", "--memlock=0:0"])
    served.await_log("event=pull-failed" if is_far else "event=ready")
    assert ("warning event=secrets-not-locked of=remote text=" in served.log()) == is_far
    served.stop()
