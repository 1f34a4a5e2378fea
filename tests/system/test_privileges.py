"""As whom each process runs, and that none may do more than it has to."""
import os
import pwd
import re
import shutil
import subprocess

import dns.rcode
import pytest

import processes
import servers
from repository import write_hook
from updates import add, send

EMPTY = "0" * 16
OWNER = 54321  # nobody's number

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="who is not root has nothing to give up")


@pytest.fixture
def open_place(tmp_path):
    """A directory that everybody may go through, and its owner write."""
    at = tmp_path
    while at != at.parent and at.stat().st_uid == 0 and str(at).count("/") > 1:
        os.chmod(at, 0o755)
        at = at.parent
    return tmp_path


def unprivileged():
    """The user that root becomes: origin, if there is one."""
    for name in ("origin", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    return pytest.skip("no unprivileged user here")


def check_powerless(served, kept=EMPTY):
    """Sets of capabilities of every process; the git side may have kept some."""
    pids = processes.all_of(served)
    assert len(pids) >= 3
    for pid in pids:
        status, wanted = processes.status(pid), EMPTY if pid == served.pid else kept
        assert {k: status[k] for k in ("CapInh", "CapAmb")} == {"CapInh": EMPTY, "CapAmb": EMPTY}, processes.name(pid)
        assert {k: status[k] for k in ("CapPrm", "CapEff", "CapBnd")} == dict.fromkeys(("CapPrm", "CapEff", "CapBnd"), wanted)
        assert status["NoNewPrivs"] == "1"


def uids(served):
    """Real, effective, saved and file system uid of the main process, and of each other one."""
    return [set(processes.status(pid)["Uid"].split()) for pid in processes.all_of(served)]


def groups(pid):
    return processes.status(pid)["Groups"].split()


def test_nobody_is_named(primary, filled, key):
    """The repository is root's: who reads it stays root, without capabilities; who answers does not."""
    served = primary(filled, zones=["example"])
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    check_powerless(served)
    main, *others = uids(served)
    assert main == {str(unprivileged().pw_uid)} and others and all(u == {"0"} for u in others)
    assert "0" not in groups(served.pid)
    served.await_log("info event=privileges user=%s capabilities=none git_user=root git_capabilities=none" % unprivileged().pw_name)
    served.stop()


def test_a_user_is_named(primary, filled, key, open_place):
    subprocess.run(["chown", "-R", "nobody", filled.bare], check=True)
    served = primary(filled, "--user=nobody", zones=["example"])
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    check_powerless(served)
    assert all(u == {str(pwd.getpwnam("nobody").pw_uid)} for u in uids(served))
    served.stop()


def test_root_is_named(primary, filled, key):
    served = primary(filled, "--user=root", zones=["example"])
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    check_powerless(served)
    assert all(u == {"0"} for u in uids(served))
    served.stop()


def test_the_owner_of_the_repository(primary, filled, key, open_place):
    """What is written belongs to him, so that his own pushes go on."""
    subprocess.run(["chown", "-R", "%d:%d" % (OWNER, OWNER), filled.bare], check=True)
    served = primary(filled, zones=["example"])
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    check_powerless(served)
    assert all(u == {str(OWNER)} for u in uids(served)[1:])
    assert all(not groups(pid) for pid in processes.all_of(served)[1:])
    for where, _, files in os.walk(filled.bare):
        assert {os.stat(os.path.join(where, f)).st_uid for f in files} <= {OWNER}, where
    served.await_log("git_user=%d git_capabilities=none" % OWNER)
    served.stop()


def test_an_owner_who_cannot_get_there(primary, filled, key, open_place):
    """Then root's way with files is what is left."""
    closed = open_place / "closed"
    closed.mkdir(mode=0o700)
    shutil.move(filled.bare, closed / "zones.git")
    filled.bare = str(closed / "zones.git")
    subprocess.run(["chown", "-R", "%d:%d" % (OWNER, OWNER), filled.bare], check=True)
    served = primary("file://" + filled.bare, zones=["example"])
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    check_powerless(served, kept="%016x" % (1 << 1 | 1 << 3))  # CAP_DAC_OVERRIDE, CAP_FOWNER
    served.await_log("git_user=root git_capabilities=dac_override,fowner")
    served.stop()


def test_a_remote_elsewhere(primary, filled, daemon, open_place):
    """There is nothing that belongs to anybody: nobody is root."""
    temp = open_place / "temp"
    temp.mkdir()
    os.chmod(temp, 0o1777)
    served = primary(daemon.url("zones.git"), zones=["example"], env={"TMPDIR": str(temp)})
    check_powerless(served)
    assert all(u == {str(unprivileged().pw_uid)} for u in uids(served))
    served.stop()
    assert os.listdir(temp) == []


@pytest.mark.parametrize("owner", [0, OWNER], ids=["root's", "somebody's"])
def test_a_cache_directory(primary, filled, daemon, open_place, owner):
    cache = open_place / "cache"
    cache.mkdir(mode=0o700)
    os.chown(cache, owner, owner)
    for _ in range(2):
        served = primary(daemon.url("zones.git"), "--cache-dir=%s" % cache, zones=["example"])
        check_powerless(served)
        assert all(u == {str(owner)} for u in uids(served)[1:])
        assert os.stat(cache / "clone.git").st_uid == owner
        served.stop()


def test_a_port_that_wants_privilege(program, bindir, filled):
    done = program(shutil.which("setpriv"), "--bounding-set=-net_bind_service", os.path.join(bindir, "oprimary"), "--remote=" + filled.url,
                   "--listen=%s@53" % servers.ADDRESS, status=1)
    assert re.search("event=start-failed stage=listeners text=.*@53.*Permission denied.* hint=.*root or CAP_NET_BIND_SERVICE", done.stderr), done.stderr


def test_hooks_have_no_capabilities(primary, filled, key, tmp_path):
    write_hook(filled, "pre-receive", "grep Cap /proc/self/status >%s\n" % (tmp_path / "has"))
    served = primary(filled, zones=["example"])
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    assert set(re.findall(r":\s*(\w+)", (tmp_path / "has").read_text())) == {EMPTY}
    served.stop()


def test_all_go_though_they_are_different_users(primary, filled):
    """Nobody can signal a process of another user's: a main process that is killed takes the others with it all the same."""
    served = primary(filled, zones=["example"])
    os.kill(served.pid, 9)
    served.popen.wait(servers.STOP_LIMIT_S)
    served.await_no_children()
