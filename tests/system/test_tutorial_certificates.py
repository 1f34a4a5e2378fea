"""The tutorial's "Let's encrypt!", as it stands there: its network, its addresses and names, its commands, its twelve steps.

A bridge "service" with the address 10.0.42.1 for the machine itself, and behind it one host for each program: the primary 10.0.42.2, the
secondary 10.0.42.3, oacme 10.0.42.4 (the text calls it the let's encrypt unikernel).  Addresses, which the text has lost, are filled in.
Pebble is the authority: it looks for the proofs at the secondary, and has the host of oacme for its own, as it is no part of that network.
"""
import contextlib
import re
import subprocess

import pytest

import hosts
import private_keys
import remotes
import servers
from certificate_world import SEED, Pebble
from repository import git
from test_tutorial import KEY_LINE, SECRET
from tsig_key import Key

PRIMARY, SECONDARY, OACME = "10.0.42.2", "10.0.42.3", "10.0.42.4"
PERSONAL = "personal._update.mirage:SHA256:" + SECRET
TRANSFER_KEY, TRANSFER_SECRET = "10.0.42.2.10.0.42.3._transfer.mirage", "cDK6sKyvlt8UBerZlmxuD84ih2KookJGDagJlLVNo20="
MIRAGE = """$ORIGIN mirage.
$TTL 3600
@	SOA	ns1	hostmaster	2	86400	7200	1048576	3600
@	NS	ns1
@	NS	ns2
ns1     A	10.0.42.2
ns2	A	10.0.42.3
"""
LISTENING = "0A"  # in /proc/net/tcp


@contextlib.contextmanager
def service(*addresses):
    """The bridge, and the hosts at it."""
    hosts.ip("link", "add", "service", "type", "bridge")
    try:
        hosts.ip("address", "add", "10.0.42.1/24", "dev", "service")
        hosts.ip("link", "set", "service", "up")
        with contextlib.ExitStack() as stack:
            yield [plugged("tap%d" % i, address, stack) for i, address in enumerate(addresses)]
    finally:
        hosts.ip("link", "delete", "service")


def unplug(tap):
    """Now: with the namespace at its other end it would go at some time after that, and the next test needs the name."""
    with contextlib.suppress(subprocess.CalledProcessError):
        hosts.ip("link", "delete", tap)


def plugged(tap, address, stack):
    host = hosts.Host(address)
    stack.callback(host.end)
    hosts.ip("link", "add", "name", tap, "type", "veth", "peer", "name", "cable", "netns", str(host.holder.pid))
    stack.callback(unplug, tap)
    hosts.ip("link", "set", tap, "master", "service", "up")
    host.set_up()
    return host


@pytest.fixture
def machines(port_53, need):
    need("ip", "unshare", "dig", "openssl", "pebble")
    with service(PRIMARY, SECONDARY, OACME) as found:
        yield found


def dig(*args):
    return subprocess.run(["dig", "+time=5", "+tries=1", *args], capture_output=True, text=True, check=False).stdout


def serial(server):
    found = re.search(r"\sSOA\s+\S+ \S+ (\d+) ", dig("mirage", "SOA", "@" + server))
    return int(found[1]) if found else None


def answers(server, *question):
    return [line.split(None, 4)[4].replace(" ", "") for line in dig(*question, "+noall", "+answer", "+nosplit", "@" + server).splitlines()]


def listeners(host):
    """Ports at which somebody in that host waits for connections or datagrams from anywhere."""
    with host.inside():
        done = subprocess.run(["cat", "/proc/self/net/tcp", "/proc/self/net/udp"], capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines() if ":" in line.split()[0]]
    return [w[1] for w in lines if w[3] == LISTENING and not w[1].startswith("0100007F")]  # Pebble is on the loopback


class Secondary(servers.Ours):
    """$ solo5-hvt --net:service=tap1 -- secondary.hvt --ipv4=10.0.42.3/24 --keys=10.0.42.2.10.0.42.3._transfer.mirage:SHA256:..."""
    program = "osecondary"


class Letsencrypt(servers.Process):
    """$ solo5-hvt --net:service=tap2 -- letsencrypt.hvt --keys=..."""

    def __init__(self, bindir, work, keys, directory, ca, *options):
        super().__init__([bindir + "/oacme", "--keys=" + keys, "--account-key-seed=" + SEED, "--directory=" + directory, "--ca-file=" + ca,
                          "--user=root", *options], work, "oacme", env=servers.sanitizer_env())


class Deployment:
    """Step 1: "Primary, secondary, and let's encrypt unikernels are running"."""

    def __init__(self, machines, repo, started, bindir, work, own_keys, *options, for_all="", resolver=SECONDARY):
        self.repo, (first, second, self.third) = repo, machines
        ca, certificate = remotes.make_ca(work)
        keys = KEY_LINE + "%s. DNSKEY 0 3 163 %s\n" % (TRANSFER_KEY, TRANSFER_SECRET)
        repo.commit({"mirage": MIRAGE, "mirage._keys": keys, "_keys": for_all}, "updates")
        with first.inside():  # on the loopback, too, for commands that name no server
            self.primary = started(servers.Primary(bindir, work, repo.url, "--listen=127.0.0.1@53", "--user=root", zones=["mirage"],
                                                   port=53, address=PRIMARY))
        with second.inside():
            self.secondary = started(Secondary(bindir, work, "--keys=%s:SHA256:%s" % (TRANSFER_KEY, TRANSFER_SECRET), "--user=root",
                                               port=53, address=SECONDARY))
        with self.third.inside():
            self.pebble = started(Pebble(work, 53, certificate, resolver=resolver, env={"PEBBLE_AUTHZREUSE": "0"}))
            self.oacme = started(Letsencrypt(bindir, work, own_keys, self.pebble.directory, ca, *options))
        self.oacme.await_log("event=ready")

    def log(self, *options):
        git(self.repo.path, "pull", "-q", "origin", "main")
        return git(self.repo.path, "log", *options)

    def end(self):
        assert self.oacme.end() == 0 and not servers.SANITIZER_REPORT.search(self.oacme.log()), self.oacme.log_tail()
        self.secondary.stop()
        self.primary.stop()


@pytest.fixture
def deployed(machines, repo, started, bindir, tmp_path):
    return lambda keys, *options, **more: Deployment(machines, repo, started, bindir, str(tmp_path), keys, *options, **more)


def assert_the_records_are_everywhere(host):
    for server in PRIMARY, SECONDARY:
        def kinds(server=server):
            return sorted(a[:3] for a in answers(server, "_letsencrypt._tcp." + host, "TLSA"))
        servers.await_true("%s has request, certificate and chain" % server, lambda k=kinds: k() == ["000", "300", "325"])
        assert answers(server, "_acme-challenge." + host, "TXT") == []


def test_the_twelve_steps(deployed, program, tmp_path):
    """The key is the tutorial's: it may update, and so it may transfer.  It does not say where the primary is."""
    there = deployed(PERSONAL, "--dns-server=" + PRIMARY)
    before = there.log("-1", "--format=%H").strip()

    # 2, 3: "A service demands a TLS certificate, and has a hmac-secret for the primary DNS"; 11: it polls
    # $ ocertify foo.mirage
    done = program("ocertify", PRIMARY, "foo.mirage", "--dns-key=" + PERSONAL, cwd=tmp_path, status=0)
    assert "foo.mirage: foo.mirage.pem is a new certificate" in done.stdout

    # 3 to 10, as git has them; "sends notifies to secondary and let's encrypt unikernels which (incrementally) transfer the zone"
    assert_the_records_are_everywhere("foo.mirage")
    subjects = there.log("--reverse", "--format=%s", before + "..").splitlines()
    bodies = there.log("--reverse", "--format=%b", before + "..")
    assert subjects[0].startswith("mirage: add _letsencrypt._tcp.foo TLSA 3 255 0 3")
    assert len(subjects) == 3 and "+ _acme-challenge.foo 60 TXT" in bodies and "+ _letsencrypt._tcp.foo 3600 TLSA 3 0 0 3" in bodies
    assert bodies.index("+ _acme-challenge.foo") < bodies.index("- _acme-challenge.foo") and "personal._update.mirage" in bodies
    for follower in there.oacme, there.secondary:
        follower.await_log(r"event=zone-transferred zone=mirage\. serial=5 .*form=changes")

    # "neither the signing request nor the certificate contain private key material"
    private_keys.assert_none(there.repo.bare, private_keys.read(tmp_path / "foo.mirage.key"), texts=[SEED])

    # "this certificate is used and steps 3-10 are not executed"
    (tmp_path / "foo.mirage.pem").unlink()
    program("ocertify", PRIMARY, "foo.mirage", "--dns-key=" + PERSONAL, cwd=tmp_path, status=0)
    assert there.log("--format=%s", before + "..").count("\n") == 2

    # "The let's encrypt unikernel does not serve anything"
    assert listeners(there.third) == []
    there.end()


def test_the_command_alone(deployed, machines, program, tmp_path):
    """On the primary's machine, with the key in the environment: nothing but the host's name."""
    there = deployed(PERSONAL, "--dns-server=" + PRIMARY)
    with machines[0].inside():
        program("ocertify", "foo.mirage", cwd=tmp_path, status=0, env={"ORIGIN_KEY": PERSONAL})
        program("ocertify", "foo.mirage", cwd=tmp_path, status=3)
    there.end()


def test_the_fine_print(deployed, program, repo, tmp_path):
    """"If you use a _keys file, you can configure hmac secrets for all zones, i.e. something to use in your let's encrypt unikernel", and
    "just create a new zonefile and notify the primary": the key's name says where the primary is."""
    follow, change = Key("%s.%s._transfer." % (PRIMARY, OACME)), Key("letsencrypt._update.")
    there = deployed("%s,%s" % (follow.argument, change.argument), "--name-server=" + PRIMARY, resolver=PRIMARY,
                     for_all=follow.line + change.line)
    repo.commit({"second": MIRAGE.replace("mirage", "second")}, "a new zone")
    program("onotify", PRIMARY, "mirage", "--key=" + PERSONAL, status=0)
    there.oacme.await_log(r"event=zone-transferred zone=second\.")
    program("ocertify", PRIMARY, "foo.second", "--dns-key=" + change.argument, cwd=tmp_path, status=0)
    private_keys.assert_none(there.repo.bare, private_keys.read(tmp_path / "foo.second.key"))
    there.end()


def test_nobody_says_where_the_primary_is(program):
    done = program("oacme", "--keys=" + PERSONAL, "--account-key-seed=x", status=2)
    assert "key personal._update.mirage. names no primary" in done.stderr and "or with --dns-server=ADDRESS" in done.stderr
