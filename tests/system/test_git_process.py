"""The processes that speak to the remote: signals that reach them, their ends, and a start at which they bring nothing."""
import contextlib
import os
import re
import signal
import socket
import struct
import time

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

import processes
import servers
from repository import write_hook
from updates import ZONE, add, push_serial, send

BROKEN = "@ SOA this is none\n"
SIGNALS = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGPIPE,
           signal.SIGTSTP, signal.SIGRTMIN + 3]


def keeper_of(served):
    (keeper,) = servers.children(served.pid)
    return keeper


# ---- signals ----

@pytest.mark.parametrize("sig", SIGNALS, ids=lambda sig: signal.Signals(sig).name if sig < signal.SIGRTMIN else "RTMIN+3")
def test_signals_are_for_the_main_process(primary, filled, key, notify, sig):
    """Keeper, git process and worker go on as if nothing had been."""
    served = primary(filled, zones=["example"])
    keeper = keeper_of(served)
    git_process, = servers.children(keeper)
    for serial in (8, 9):
        for pid in servers.descendants(served.pid):
            os.kill(pid, sig)
        push_serial(filled, serial)
        assert notify(served.port, "example", key).rcode() == dns.rcode.NOERROR
        served.await_serial("example", serial)
    assert keeper_of(served) == keeper and servers.children(keeper) == [git_process]
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    assert "git-process-died" not in served.log()
    served.stop()


@pytest.mark.parametrize("sig, does", [(signal.SIGUSR1, "event=stats"), (signal.SIGHUP, "event=pull why=SIGHUP")], ids=["USR1", "HUP"])
def test_signals_to_all_of_them(primary, filled, key, notify, sig, does):
    """`systemctl kill -s USR1`."""
    served = primary(filled, zones=["example"])
    for serial in (8, 9):
        os.killpg(served.pid, sig)
        served.await_log(does)
        push_serial(filled, serial)
        assert notify(served.port, "example", key).rcode() == dns.rcode.NOERROR
        served.await_serial("example", serial)
    served.stop()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_all_are_told_to_end(primary, filled, sig):
    """Ctrl-C, or a service manager with KillMode=control-group."""
    served = primary(filled, zones=["example"])
    os.killpg(served.pid, sig)
    assert served.popen.wait(servers.STOP_LIMIT_S) == 0
    served.await_no_children()


def test_hooks_take_signals_as_usual(primary, filled, key, tmp_path):
    """What is ignored is ignored by us, not by programs of others that we start."""
    write_hook(filled, "pre-receive", "grep SigIgn /proc/self/status >%s\n" % (tmp_path / "ignored"))
    served = primary(filled, zones=["example"])
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    ignored = int((tmp_path / "ignored").read_text().split()[1], 16)
    for sig in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGPIPE):
        assert not ignored & 1 << (sig - 1), sig
    served.stop()


# ---- ends ----

def test_nobody_can_pull_just_now(primary, filled, key, notify):
    """From the end of a git process to the next one a NOTIFY is not acknowledged; and the next one begins with a pull."""
    served = primary(filled, zones=["example"])
    keeper = keeper_of(served)
    os.kill(keeper, signal.SIGSTOP)
    for pid in servers.descendants(keeper):
        os.kill(pid, signal.SIGKILL)
    push_serial(filled, 8)
    answer = served.await_true("SERVFAIL", lambda: (a := notify(served.port, "example", key)).rcode() == dns.rcode.SERVFAIL and a)
    assert answer.had_tsig and not answer.flags & dns.flags.AA
    served.await_log("event=notify-denied .*no git process")
    assert notify(served.port, "example").rcode() == dns.rcode.NOERROR  # unsigned: nothing would come of it anyhow
    os.kill(keeper, signal.SIGCONT)
    served.await_serial("example", 8)
    assert notify(served.port, "example", key).rcode() == dns.rcode.NOERROR
    served.stop()


def test_an_end_for_good(primary, filled, key):
    """The keeper alone has the secrets: without it the daemon ends, with a status of its own, so that it is started anew as a whole."""
    served = primary(filled, zones=["example"])
    os.kill(keeper_of(served), signal.SIGKILL)
    assert served.popen.wait(servers.STOP_LIMIT_S) == 3, served.log_tail()
    assert re.search("error event=git-process-lost .*keeper", served.log()) and "event=stopping" in served.log()
    assert not servers.SANITIZER_REPORT.search(served.log()), served.log_tail()
    served.await_no_children()


def test_updates_that_wait_at_an_end_for_good(primary, filled, key):
    """They are answered before it ends."""
    served = primary(filled, zones=["example"])
    keeper = keeper_of(served)
    os.kill(keeper, signal.SIGSTOP)
    for pid in servers.descendants(keeper):
        with contextlib.suppress(ProcessLookupError):  # a worker may just have ended
            os.kill(pid, signal.SIGKILL)
    with socket.create_connection((servers.ADDRESS, served.port), 30) as tcp:
        dns.query.send_tcp(tcp, add(key, "x", "192.0.2.9"))
        dns.query.send_tcp(tcp, dns.message.make_query("example", "SOA"))
        (length,) = struct.unpack("!H", tcp.recv(2, socket.MSG_WAITALL))
        tcp.recv(length, socket.MSG_WAITALL)  # the update before it has arrived
        os.kill(keeper, signal.SIGKILL)
        (length,) = struct.unpack("!H", tcp.recv(2, socket.MSG_WAITALL))
        answer = tcp.recv(length, socket.MSG_WAITALL)
    assert answer[3] & 15 == dns.rcode.SERVFAIL
    assert served.popen.wait(servers.STOP_LIMIT_S) == 3, served.log_tail()


# ---- starts ----

def status_of(manager):
    """The next message to the service manager, but for those that bring sockets."""
    manager.settimeout(servers.START_LIMIT_S)
    while True:
        text = manager.recv(4096).decode()
        if not text.startswith("FDSTORE=1"):
            return text


@pytest.fixture
def manager(tmp_path):
    """A service manager's socket, and the environment that names it."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        yield s, {"NOTIFY_SOCKET": path}


def test_started_without_zones(primary, filled, key, manager):
    """The service manager need not wait for the remote, but nobody says that there is something to be had."""
    told, env = manager
    os.rename(filled.bare, filled.bare + ".away")
    served = primary(filled, env=env)
    text = status_of(told)
    assert "READY=1" in text and "STATUS=0 zones" in text and "cannot open" in text
    served.await_log("event=started-without-zones")
    assert "event=ready" not in served.log()
    os.rename(filled.bare + ".away", filled.bare)
    served.await_log("event=ready status=\"1 zone ")
    assert served.log().count("event=ready") == served.log().count("event=started-without-zones") == 1
    text = status_of(told)
    while "STATUS=1 zone" not in text:
        assert "READY=1" not in text
        text = status_of(told)
    served.stop()


def test_only_broken_zones(primary, repo):
    repo.commit({"example": BROKEN})
    served = primary(repo)
    served.await_log("event=started-without-zones")
    assert "event=ready" not in served.log()
    repo.commit({"example": ZONE})
    served.hangup()
    served.await_log("event=ready")
    served.stop()


@pytest.mark.parametrize("files", [None, {"example": BROKEN}, {"README": "nothing else\n"}], ids=["no repository", "broken", "no zone"])
def test_exit_on_failure(program, bindir, repo, manager, files):
    if files is not None:
        repo.commit(files)
    told, env = manager
    done = program("oprimary", "--listen=%s@%d" % (servers.ADDRESS, servers.free_port()), "--exit-on-failure",
                   "--remote=" + (repo.url if files is not None else "file:///nowhere/zones.git"), status=1, env=env)
    assert "event=start-failed stage=zones" in done.stderr, done.stderr
    assert "event=ready" not in done.stderr and "READY=1" not in status_of(told)


def test_one_good_zone_is_enough(primary, repo, tmp_path):
    """So is one out of the cache; and later nothing of it counts any more."""
    repo.commit({"example": ZONE, "other": BROKEN})
    os.mkdir(tmp_path / "cache")
    options = ["--exit-on-failure", "--cache-dir=%s" % (tmp_path / "cache")]
    served = primary(repo, *options, zones=["example"])
    served.await_log("event=zone-rejected")
    served.stop()
    os.rename(repo.bare, repo.bare + ".away")
    served = primary(repo, *options, zones=["example"])
    served.await_log("event=ready")
    served.hangup()
    served.await_log("(?s)event=ready.*event=pull-failed")
    assert served.serial("example") == 7
    served.stop()


# ---- signals in the first moments ----

EARLY = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGALRM, signal.SIGRTMIN + 1]


def holds_signals(pid):
    """From its first instruction on; before that it is the system's loader."""
    with contextlib.suppress(OSError):
        return int(processes.status(pid)["SigBlk"], 16) & 1 << (signal.SIGHUP - 1)
    return False


def await_held(popen):
    while not holds_signals(popen.pid):
        assert popen.poll() is None


@pytest.mark.parametrize("by_nohup", [False, True], ids=["", "nohup"])
def test_signals_in_the_first_moments(bindir, filled, started, tmp_path, by_nohup):
    """At many offsets into a start none ends it or keeps it from serving; afterwards SIGHUP does what it is to do, under nohup, too."""
    for step in range(12):
        port = servers.free_port()
        served = started(servers.Process([*(["nohup"] if by_nohup else []), os.path.join(bindir, "oprimary"), "--remote=" + filled.url,
                                          "--listen=%s@%d" % (servers.ADDRESS, port)], str(tmp_path), "early", env=servers.sanitizer_env()))
        await_held(served.popen)
        end = time.monotonic() + step * 0.008
        while time.monotonic() < end:
            pass
        for sig in EARLY:
            served.popen.send_signal(sig)
        served.await_true("it serves", lambda p=port: servers.serial_served(p, "example") == 7)
        served.popen.send_signal(signal.SIGHUP)
        served.await_log("event=pull why=SIGHUP.*\n(?s:.*)event=pulled")
        assert served.end() == 0, served.log_tail()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_an_end_in_the_first_moments(bindir, filled, started, tmp_path, sig):
    """It ends at once, of its own will, and nobody is left."""
    for step in range(12):
        served = started(servers.Process([os.path.join(bindir, "oprimary"), "--remote=" + filled.url,
                                          "--listen=%s@%d" % (servers.ADDRESS, servers.free_port())], str(tmp_path), "early",
                                         env=servers.sanitizer_env()))
        await_held(served.popen)
        end = time.monotonic() + step * 0.008
        while time.monotonic() < end:
            pass
        served.popen.send_signal(sig)
        assert served.popen.wait(servers.STOP_LIMIT_S) == 0, served.log_tail()
        servers.await_true("nobody is left", lambda s=served: not servers.group_members(s.pid), servers.STOP_LIMIT_S)


def test_an_end_while_somebody_is_to_type(bindir, started, tmp_path):
    """A secret that is awaited on a terminal keeps nobody from Ctrl-C."""
    read_end, write_end = os.pipe()
    served = started(servers.Process([os.path.join(bindir, "oprimary"), "--remote=ssh://git@127.0.0.1:1/zones.git", "--ssh-key-file=-"],
                                     str(tmp_path), "early", env=servers.sanitizer_env(), stdin=read_end))
    await_held(served.popen)
    served.await_true("the keeper waits", lambda: [p for p in servers.children(served.pid) if processes.name(p) == "oprimary-keeper"])
    served.popen.send_signal(signal.SIGINT)
    assert served.popen.wait(servers.STOP_LIMIT_S) == 0, served.log_tail()
    os.close(read_end)
    os.close(write_end)
    servers.await_true("nobody is left", lambda: not servers.group_members(served.pid), servers.STOP_LIMIT_S)
