"""Tests and benches of servers run in a network that has a loopback and nothing else (loopback.py)."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile

import pytest

import loopback
import servers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RUN = os.path.join(ROOT, "tools", "loopback")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
REFUSED = "no network of our own for tests and benches of servers"
SKIPPED = 77

# A place where no more namespaces are to be had: without another interface, and with one.
ENDED = "ip link set lo up && echo 0 >/proc/sys/user/max_net_namespaces && "
WIDER = "ip link add wide0 type veth peer name wide1 && ip link set wide0 up && "


def run(*argv, cwd=ROOT, **more):
    env = {k: v for k, v in os.environ.items() if k != loopback.HOST}
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120, cwd=cwd, env=env, **more)


@pytest.fixture
def exhausted():
    """exhausted(is_wider, argv…) → the finished process, from where no more namespaces are to be had."""
    def start(is_wider, *argv):
        script = ENDED + (WIDER if is_wider else "") + 'exec "$@"'
        return run("unshare", "--user", "--map-root-user", "--net", "sh", "-c", script, "sh", *argv)
    if start(False, "true").returncode != 0:
        pytest.skip("no user namespaces here")
    return start


@pytest.mark.skipif(os.environ.get(loopback.HOST) == "host", reason="the machine's network is wanted")
def test_these_very_tests():
    assert loopback.is_alone()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, pytest.raises(OSError, match="unreachable"):
        s.connect(("192.0.2.1", 53))


def test_a_servers_port_is_no_clients():
    """Or a client that asks before the server is there might be given it, and hear itself: of UDP one in 30,000 was."""
    ports = [servers.free_port() for _ in range(1000)]
    assert not set(ports) & set(servers.clients_ports()) and len(set(ports)) == 1000


@pytest.fixture
def for_all():
    """tools/loopback where everybody may read it, wherever these tests are."""
    with tempfile.TemporaryDirectory(dir="/tmp") as where:
        os.chmod(where, 0o755)
        for path in (RUN, loopback.__file__):
            there = os.path.join(where, os.path.relpath(path, ROOT))
            os.makedirs(os.path.dirname(there))
            shutil.copy(path, there)
        yield os.path.join(where, os.path.relpath(RUN, ROOT))


@pytest.mark.parametrize("who", [[], NOBODY], ids=["as-we-are", "nobody"])
def test_a_command(who, for_all):
    """It is who it was, has a loopback of both families that works, and no other way."""
    if who and os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    text = ("import os, socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()); "
            "six = socket.create_server(('::1', 0), family=socket.AF_INET6); print(os.geteuid(), len(open('/proc/net/route').readlines()))")
    with socket.create_server(("127.0.0.1", 0)) as outside:
        done = run(*who, for_all, sys.executable, "-c", text, cwd="/")
        if who and done.returncode == SKIPPED:
            pytest.skip(done.stderr)
        assert (done.returncode, done.stdout.split()) == (0, ["65534" if who else str(os.geteuid()), "1"]), done
        text = "import socket; socket.create_connection(('127.0.0.1', %d))" % outside.getsockname()[1]
        assert "ConnectionRefusedError" in run(*who, for_all, sys.executable, "-c", text, cwd="/").stderr


def test_its_status():
    assert run(RUN, "sh", "-c", "exit 3").returncode == 3
    assert run(RUN).returncode == 2
    assert run(RUN, "/nowhere").returncode == 2


def test_one_that_is_there_already(exhausted):
    """A container without a network, say."""
    assert exhausted(False, RUN, "true").returncode == 0


def test_none_is_to_be_had(exhausted):
    """Said by each that needs one, with what to do; steps that need none go on."""
    done = exhausted(True, RUN, "true")
    assert done.returncode == SKIPPED and REFUSED in done.stderr and loopback.HOST + "=host" in done.stderr, done
    done = exhausted(True, "tools/check", "manual pages", "demo")
    assert done.returncode == 1 and REFUSED in done.stdout and done.stdout.endswith(" passed, 1 failed\n"), done
    done = exhausted(True, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "tests/system/test_onotify.py")
    assert done.returncode != 0 and REFUSED in done.stdout + done.stderr, done
    done = exhausted(True, "bench/run", "--only=udp")
    assert done.returncode == 1 and REFUSED in done.stderr, done
