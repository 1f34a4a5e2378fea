"""No process and no thread is one whose end, stop or hang nobody sees."""
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time

import dns.exception
import dns.query
import dns.rcode
import pytest

import processes
import servers
from updates import add, push_serial

STOPPED_MAX_S = 60  # what is stopped is seen to in 10 s; sanitizers and a busy machine included


def answer_to(served, message):
    """Within the time that a client has."""
    return dns.query.tcp(message, servers.ADDRESS, port=served.port, timeout=STOPPED_MAX_S)


# ---- ended, and stopped ----

@pytest.mark.parametrize("name", ["oprimary-git", "oprimary-fetch"])
def test_killed(primary, filled, key, notify, name):
    """Again and again: the next one is there in a moment, and what was asked for is done."""
    served = primary(filled, zones=["example"])
    for serial in (8, 9):
        served.hangup()
        with contextlib.suppress(ValueError):  # a worker may just have ended
            os.kill(processes.named(served, name), signal.SIGKILL)
        push_serial(filled, serial)
        served.await_true("it is acknowledged", lambda: notify(served.port, "example", key).rcode() == dns.rcode.NOERROR)
        served.await_serial("example", serial)
    assert answer_to(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    served.stop()


def test_a_stopped_supervisor(primary, filled, key):
    """An update is answered, and what was pushed meanwhile is served."""
    served = primary(filled, zones=["example"])
    victim = processes.named(served, "oprimary-git")
    processes.stop(victim)
    push_serial(filled, 8)
    served.hangup()
    assert answer_to(served, add(key, "x", "192.0.2.9")).rcode() in (dns.rcode.NOERROR, dns.rcode.SERVFAIL)
    served.await_serial("example", 9, STOPPED_MAX_S) if served.ask("x.example").answer else served.await_serial("example", 8, STOPPED_MAX_S)
    served.await_log("event=git-process-died text=\"it showed no life for 10 s, and was killed")
    assert processes.is_gone(victim)
    served.stop()


def test_a_stopped_worker(primary, filled, key):
    """It is replaced long before --fetch-timeout."""
    served = primary(filled, zones=["example"])
    served.hangup()
    victim = served.await_true("a worker", lambda: [p for p in processes.all_of(served) if processes.name(p) == "oprimary-fetch"])[0]
    processes.stop(victim)
    begin = time.monotonic()
    assert answer_to(served, add(key, "x", "192.0.2.9")).rcode() in (dns.rcode.NOERROR, dns.rcode.SERVFAIL)
    assert time.monotonic() - begin < 40
    assert answer_to(served, add(key, "y", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    assert processes.is_gone(victim)
    served.stop()


def test_a_stopped_keeper(primary, filled, key, notify):
    """It is told to go on; nobody else could start a git process."""
    served = primary(filled, zones=["example"])
    keeper = processes.named(served, "oprimary-keeper")
    processes.stop(keeper)
    served.await_true("it goes on", lambda: not processes.is_stopped(keeper), STOPPED_MAX_S)
    served.await_log("error event=git-side-unwell text=\"the keeper shows no life, and was told to go on")
    os.kill(processes.named(served, "oprimary-git"), signal.SIGKILL)
    push_serial(filled, 8)
    served.await_true("it is acknowledged", lambda: notify(served.port, "example", key).rcode() == dns.rcode.NOERROR)
    served.await_serial("example", 8)
    served.stop()


def test_all_are_stopped_for_a_while(primary, filled, key):
    """A frozen machine, or a cgroup: nobody is blamed for what all of them suffered."""
    served = primary(filled, zones=["example"])
    git_process = processes.named(served, "oprimary-git")
    pids = processes.all_of(served)
    for pid in pids:
        processes.stop(pid)
    time.sleep(12)  # the time itself is what is tested
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    assert answer_to(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    assert processes.named(served, "oprimary-git") == git_process
    assert "git-process-died" not in served.log() and "unwell" not in served.log()
    served.stop()


# ---- no more processes ----

@pytest.fixture
def refusing(tmp_path):
    """A file that makes every fork() fail, and the environment for it."""
    library, mark = str(tmp_path / "refusing.so"), str(tmp_path / "refusing")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "refusing.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", library, source, "-ldl"], check=True)
    asan = servers.sanitizer_env()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    return mark, {"LD_PRELOAD": library, "REFUSING": mark, "ASAN_OPTIONS": asan}


def test_no_fork_for_the_git_process(primary, filled, key, notify, refusing):
    mark, env = refusing
    served = primary(filled, zones=["example"], env=env)
    servers.write(mark, "")
    os.kill(processes.named(served, "oprimary-git"), signal.SIGKILL)
    push_serial(filled, 8)
    served.await_true("SERVFAIL", lambda: notify(served.port, "example", key).rcode() == dns.rcode.SERVFAIL)
    answer = answer_to(served, add(key, "x", "192.0.2.9"))
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert served.serial("example") == 7
    os.unlink(mark)
    served.await_serial("example", 8)
    served.await_log("event=git-process-died text=\"it cannot be started: fork: ")
    assert answer_to(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    served.stop()


def test_no_fork_for_a_worker(primary, filled, key, refusing):
    mark, env = refusing
    served = primary(filled, zones=["example"], env=env)
    servers.write(mark, "")
    with contextlib.suppress(ValueError):
        os.kill(processes.named(served, "oprimary-fetch"), signal.SIGKILL)
    push_serial(filled, 8)
    served.hangup()
    served.await_log("event=pull-failed text=.*out of processes")
    assert answer_to(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.SERVFAIL
    os.unlink(mark)
    served.await_serial("example", 8)
    served.stop()


# ---- the service manager's watchdog ----

class Manager:
    """A service manager that wants to hear of its service three times a second."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.env = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"}

    def hears(self, limit_s):
        """Does a WATCHDOG=1 come within that time, from now on?"""
        end = time.monotonic() + limit_s
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(4096)
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                if b"WATCHDOG=1" in self.socket.recv(4096):
                    return True
        return False


@pytest.fixture
def manager(tmp_path):
    m = Manager(str(tmp_path / "notify"))
    yield m
    m.socket.close()


class Held:
    """Threads that do nothing any more, until release()."""
    SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000

    def __init__(self, tids):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        self.tids = tids
        for tid in tids:
            assert self.libc.ptrace(self.SEIZE, tid, None, None) == 0, os.strerror(ctypes.get_errno())
            assert self.libc.ptrace(self.INTERRUPT, tid, None, None) == 0
            os.waitpid(tid, self.WALL)

    def await_end(self):
        """The end of a process is not seen before its threads' is, by who holds them."""
        for tid in self.tids:
            servers.await_true("the thread has ended", lambda t=tid: os.waitpid(t, self.WALL | os.WNOHANG)[0] == t, servers.STOP_LIMIT_S)

    def release(self):
        for tid in self.tids:
            self.libc.ptrace(self.DETACH, tid, None, None)


def threads(pid, name):
    found = []
    for tid in map(int, os.listdir("/proc/%d/task" % pid)):
        with open("/proc/%d/task/%d/comm" % (pid, tid)) as f:
            if f.read().strip() == name:
                found.append(tid)
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to hold a thread of another user's")
def test_threads_that_hang(primary, filled, manager, program, key):
    """One of each kind, all at a time; the manager hears nothing until all go on, and octl says which one hangs."""
    served = primary(filled, "--workers=2", zones=["example"], env=manager.env)
    assert manager.hears(servers.START_LIMIT_S)
    workers = Held([threads(served.pid, name)[0] for name in ("oprimary-udp", "oprimary-tcp")])
    notifier = Held(threads(served.pid, "oprimary-notify"))
    for kind in ("udp", "tcp", "notifier"):
        served.await_log("error event=thread-stuck thread=%s number=.* silent_s=1[0-4]" % kind)
    assert not manager.hears(3)
    with contextlib.suppress(dns.exception.Timeout):
        served.ask("example", "SOA", timeout=1)  # the other worker answers, or this one was to
    workers.release()
    for kind in ("udp", "tcp"):
        served.await_log("warning event=thread-goes-on thread=%s" % kind)
    done = program("octl", servers.ADDRESS, "status", "--port=%d" % served.port, env={"ORIGIN_KEY": key.argument}, status=0)
    assert "the notifier thread hangs: see thread-stuck in the log" in done.stdout
    notifier.release()
    served.await_log("warning event=thread-goes-on thread=notifier")
    assert manager.hears(servers.START_LIMIT_S)
    served.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to hold a thread of another user's")
def test_an_end_while_a_thread_hangs(primary, filled):
    """SIGTERM ends it all the same."""
    served = primary(filled, "--workers=1", zones=["example"])
    held = Held(threads(served.pid, "oprimary-udp"))
    served.await_log("event=thread-stuck thread=udp")
    served.popen.terminate()
    held.await_end()
    assert served.popen.wait(servers.STOP_LIMIT_S) == 0
    served.await_no_children()


def test_a_stopped_main_process(primary, filled, manager):
    """The manager is the one who can see to that, and it does not hear that all is well."""
    served = primary(filled, zones=["example"], env=manager.env)
    assert manager.hears(servers.START_LIMIT_S)
    processes.stop(served.pid)
    assert not manager.hears(3)
    os.kill(served.pid, signal.SIGCONT)
    assert manager.hears(servers.START_LIMIT_S)
    served.stop()


def test_another_processs_watchdog(primary, filled, manager):
    """WATCHDOG_PID names somebody else: nothing is said."""
    served = primary(filled, zones=["example"], env={**manager.env, "WATCHDOG_PID": "1"})
    assert not manager.hears(2)
    served.stop()
