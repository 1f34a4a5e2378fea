"""Fixtures of the system tests: the real programs, real peers, real repositories, and nothing left behind.

    ORIGIN_BINDIR=build/src/bin python3 -m pytest -p no:cacheprovider tests/system

The tests have a network of their own, a loopback alone (loopback.py): nobody else is disturbed, and root has port 53 of every
127.0.0.x.  Where there is none to be had they do not begin; ORIGIN_TEST_NET=host leaves them in the machine's.

ORIGIN_BINDIR: the programs under test (default: build/src/bin).  ORIGIN_PLAIN_BINDIR: the same without sanitizers, for tests of
what happens without memory.  ORIGIN_CHECK=1 (set by tools/check): a missing peer is a
failure.  CI=true: nothing may be skipped.  ORIGIN_TEST_DATA: the directory that has root-zone/.
"""
import os
import shutil
import subprocess

import dns.message
import dns.opcode
import dns.query
import dns.rrset
import pytest

import loopback
import remotes
import secondaries
import servers
from gitside import GitSide
from repository import Gate, Remote, Repo
from scripted import Script
from tsig_key import Key
from updates import ZONE

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def enter_network():
    try:
        return loopback.enter()
    except loopback.Refused as why:
        pytest.exit(str(why))


HAS_OWN_NETWORK = enter_network() and os.geteuid() == 0


@pytest.fixture(scope="session")
def port_53():
    """Tests that want port 53 of many addresses."""
    if not HAS_OWN_NETWORK:
        pytest.skip("only in a network of our own, as root")


@pytest.fixture(scope="session")
def own_addresses(port_53):
    """BIND listens only where an interface says that the address is its own."""
    for make in secondaries.MAKES.values():
        subprocess.run(["ip", "address", "add", make.address + "/8", "dev", "lo"], check=True)


def pytest_addoption(parser):
    parser.addoption("--zones", type=int, default=None, help="how many zones: differential tests (of each kind), a fleet of secondaries")
    parser.addoption("--hosts", type=int, default=None, help="certificates: how many hosts of a zone want one")
    parser.addoption("--rounds", type=int, default=None, help="torture test: how many rounds")
    parser.addoption("--steps", type=int, default=None, help="secondaries: how many random changes")
    parser.addoption("--minutes", type=int, default=None, help="upkeep of git beside updates: how long")
    parser.addoption("--restarts", type=int, default=None, help="taking over: how many restarts under load")
    parser.addoption("--seed", type=int, default=None, help="random tests: the first seed")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skip is a failure: what is not run there is run nowhere."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = "skipped in CI: %s" % (report.longrepr,)


@pytest.fixture(scope="session")
def bindir():
    """Where the programs under test are."""
    where = os.path.abspath(os.environ.get("ORIGIN_BINDIR") or os.path.join(ROOT, "build", "src", "bin"))
    assert os.path.exists(os.path.join(where, "oprimary")), "no programs in %s: build them, or set ORIGIN_BINDIR" % where
    return where


@pytest.fixture(scope="session")
def need():
    """need("nsd", …): those programs are there, or the test is skipped; under `make check` their lack is a failure."""
    def look(*names):
        missing = [n for n in names if shutil.which(n) is None]
        if missing:
            text = "not installed: %s (tools/install-deps check)" % ", ".join(missing)
            if os.environ.get("ORIGIN_CHECK") == "1" or os.environ.get("CI") == "true":
                pytest.fail(text)
            pytest.skip(text)
    return look


@pytest.fixture(scope="session")
def root_zone_data():
    """The directory with the twelve root zones."""
    where = os.path.join(os.environ.get("ORIGIN_TEST_DATA") or os.path.join(ROOT, os.pardir, "shared", "data"), "root-zone")
    if not os.path.isdir(where):
        text = "the root zones are not there (set ORIGIN_TEST_DATA to the directory that has root-zone/)"
        if os.environ.get("CI") == "true":
            pytest.fail(text)
        pytest.skip(text)
    return where


@pytest.fixture
def repo(tmp_path):
    return Repo(str(tmp_path))


@pytest.fixture
def remote(repo):
    return Remote(repo)


@pytest.fixture
def gate(tmp_path):
    """For hooks to wait at."""
    barrier = Gate(str(tmp_path))
    yield barrier
    barrier.open()


@pytest.fixture
def started():
    """started(process) → the process, which is killed at the end whatever happens."""
    running = []

    def keep(process):
        running.append(process)
        return process
    yield keep
    for process in reversed(running):
        process.kill()


@pytest.fixture
def primary(bindir, tmp_path, started):
    """primary(repo or url, option…, zones=[…]) → a running oprimary."""
    def start(remote, *options, **more):
        url = remote.url if isinstance(remote, Repo) else remote
        return started(servers.Primary(bindir, str(tmp_path), url, *options, **more))
    return start


@pytest.fixture
def secondary(bindir, tmp_path, started):
    """secondary([key…], option…, primaries=["ADDRESS@PORT"]) → a running osecondary."""
    def start(keys, *options, **more):
        return started(servers.Secondary(bindir, str(tmp_path), keys, *options, **more))
    return start


@pytest.fixture
def plain_primary(bindir, tmp_path, started):
    """As primary(), of a build without sanitizers (ORIGIN_PLAIN_BINDIR): with one, want of memory is the end of a program."""
    where = os.environ.get("ORIGIN_PLAIN_BINDIR") or bindir
    with open(os.path.join(where, "oprimary"), "rb") as program:
        if b"__asan_init" in program.read():
            pytest.skip("needs a build without sanitizers: ORIGIN_PLAIN_BINDIR")

    def start(repo, *options, **more):
        return started(servers.Primary(where, str(tmp_path), repo.url, *options, **more))
    return start


@pytest.fixture
def side(bindir, started, tmp_path):
    """side(url, option…) → a git side; its temporary directories are below the test's."""
    def start(remote, *options, tmpdir=None, env=None, **more):
        where = tmpdir or str(tmp_path / "tmp")
        os.makedirs(where, exist_ok=True)
        return started(GitSide(bindir, remote, *options, env={"TMPDIR": where, "HOME": where, **(env or {})}, **more))
    return start


@pytest.fixture
def public_key():
    """The one of remotes.SEED, as authorized_keys takes it (and as another implementation computes it)."""
    return "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"


@pytest.fixture
def daemon(repo, tmp_path, started, need):
    need("git")
    return started(remotes.Daemon(str(tmp_path)))


@pytest.fixture
def relay(daemon, started):
    """In front of git's daemon."""
    return started(remotes.Breaking(daemon.port))


@pytest.fixture
def sshd(repo, tmp_path, started, need, public_key):
    need("sshd", "ssh-keygen")
    return started(remotes.Sshd(str(tmp_path), authorize=[public_key]))


@pytest.fixture
def tls(tmp_path, need):
    need("openssl")
    return remotes.make_ca(str(tmp_path))


@pytest.fixture
def peer(tmp_path, started, need):
    """peer("nsd", {zone: path}) → a running peer."""
    def start(name, zones, **more):
        need(servers.PEERS[name].binary)
        return started(servers.PEERS[name](str(tmp_path), zones, **more))
    return start


@pytest.fixture
def script(started):
    """script(answer) → a server that says what the function gives (scripted.py)."""
    return lambda *args, **more: started(Script(*args, **more))


@pytest.fixture
def notify_key():
    """May have every zone pulled; put `notify_key.line` into the repository's `_keys`."""
    return Key("test._notify.")


@pytest.fixture
def make_key():
    return Key


@pytest.fixture
def key():
    """May change every zone.  Files whose keys may do less, or something else, have a fixture of this name of their own; so with `filled`."""
    return Key("me._update")


@pytest.fixture
def filled(repo, key):
    """The repository with the example zone, which the key may change."""
    repo.commit({"example": ZONE, "_keys": key.line})
    return repo


def notify(port, zone, key=None, *, tcp=False, serial=None, timeout=10):
    """Sends a NOTIFY, signed if there is a key; returns the (verified) answer."""
    message = dns.message.make_query(zone, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    if serial is not None:
        soa = "ns. host. %d 1 1 1 1" % serial
        message.answer.append(dns.rrset.from_text(zone, 0, "IN", "SOA", soa))
    if key is not None:
        key.sign(message)
    send = dns.query.tcp if tcp else dns.query.udp
    return send(message, servers.ADDRESS, timeout=timeout, port=port)


@pytest.fixture(name="notify")
def notify_fixture():
    return notify


@pytest.fixture
def program(bindir):
    """program("ozone", argument…) → the finished process, its output as text.  A sanitizer's report is a failure."""
    def run(name, *args, status=None, stdin=None, env=None, timeout=120, **more):
        done = subprocess.run([os.path.join(bindir, name), *args], input=stdin, capture_output=True, text=True,
                              errors="surrogateescape", timeout=timeout, check=False,
                              env={**os.environ, **servers.sanitizer_env(), **(env or {})}, **more)
        assert not servers.SANITIZER_REPORT.search(done.stderr), done.stderr
        assert done.returncode >= 0, "%s died of signal %d\n%s" % (name, -done.returncode, done.stderr)
        if status is not None:
            assert done.returncode == status, "%s: status %d\n%s%s" % (name, done.returncode, done.stdout, done.stderr)
        return done
    return run
