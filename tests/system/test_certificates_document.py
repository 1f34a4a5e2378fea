"""docs/certificates.md, executed: its commands in order, and what they print is what stands there.

Pebble is the authority in place of Let's Encrypt's; for lasting proofs, and for what goes wrong, it is the tests' own (small_ca)."""
import os
import re
import subprocess

import pytest

import private_keys
import remotes
import servers
import small_ca
import walks
from certificate_world import Pebble
from repository import git

PRIMARY, SECONDARY = "192.0.2.1", "198.51.100.2"
ZONE = ("$TTL 3600\n@ SOA ns1 host 1 3600 600 86400 60\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 A 198.51.100.2\n"
        "www A 192.0.2.80\nmail A 192.0.2.25\n")
FOLLOW = "192.0.2.1.198.51.100.2._transfer.example.org"

# What differs from run to run: DER, proofs, marks, times; and who asks from where.
PATTERNS = ((r"\b30[0-9A-F]{14,}(\\ [0-9A-F]+)*", "30[0-9A-F]{14,}( [0-9A-F]+)*"), (r'"[\w\\-]{43,}"', '"[A-Za-z0-9_-]{43}"'),
            (r'"(?!failed)[\w\\-]{8,9}"', '"[A-Za-z0-9_-]{8}"'), (r"20\d\d\\-\d\d\\-\d\dT[0-9:]{8}Z", "[0-9T:Z-]{20}"),
            (r"20\d\d\\-\d\d\\-\d\d\\ [0-9:]{5}", "[0-9: -]{16}"), (r"request\\ [0-9A-F]{8}", "request [0-9A-F]{8}"),
            (r"\b17960\d{5}\b", "[0-9]{10}"), (r"203\\\.0\\\.113\\\.\d", "[0-9.]+"))


def blocks(title):
    return [b for b in walks.blocks("docs/certificates.md", title) if b]


@pytest.fixture
def addresses(port_53, need):
    need("ip", "dig", "pebble", "openssl")
    for address in PRIMARY, SECONDARY:
        subprocess.run(["ip", "address", "replace", address + "/32", "dev", "lo"], check=True)
    yield
    for address in PRIMARY, SECONDARY:
        subprocess.run(["ip", "address", "del", address + "/32", "dev", "lo"], check=True)


class Reader:
    """Whoever reads the document: with a clone of the repository, a home that has the keys, and a service's directory."""

    def __init__(self, repo, where, bindir, make_key, primary, secondary, started):
        self.repo, self.started = repo, started
        self.key = make_key(FOLLOW)
        repo.commit({"example.org": ZONE, "example.org._keys": self.key.line})
        self.primary = primary(repo, "--user=root", "--listen=%s@53" % PRIMARY, zones=["example.org"], port=53)
        self.secondary = secondary([self.key], "--user=root", port=53, address=SECONDARY)
        self.home = os.path.join(where, "home")
        os.mkdir(self.home)
        ca, certificate = remotes.make_ca(where)
        self.pebble = started(Pebble(where, 53, certificate, resolver=PRIMARY, env={"PEBBLE_AUTHZREUSE": "0"}))
        self.places = {"--production": "--directory=%s --ca-file=%s" % (self.pebble.directory, ca), "=seed ": "=seed --user=root "}
        self.walk = walks.Walk(self.home, bindir, self.places, PATTERNS)

    def at_home(self):
        self.walk.here = self.home

    def in_clone(self):
        self.walk.here = self.repo.path

    def publish(self):
        """What the block before has added."""
        head = self.repo.commit(message="Keys")
        self.primary.hangup()
        self.primary.await_log("event=commit-served commit=" + head)

    def stays(self, command, name="oacme"):
        """A command that goes on: here until it is ended."""
        argv = ["bash", "-c", "exec " + self.walk.here_is(command)]
        process = self.started(servers.Process(argv, self.home, name, env=self.walk.env, cwd=self.home))
        process.await_log("event=ready")
        return process

    def pull(self):
        git(self.repo.path, "pull", "-q", "origin", "main")


@pytest.fixture
def reader(addresses, repo, tmp_path, bindir, make_key, primary, secondary, started):
    return Reader(repo, str(tmp_path), bindir, make_key, primary, secondary, started)


def first_keys(reader):
    """Returns the command that stays."""
    keys, programs = blocks("One key for everything")
    reader.in_clone()
    reader.walk.type_all(keys)
    reader.publish()
    reader.at_home()
    reader.walk.type(*programs[0])
    return programs[1][0]


def a_service_asks(reader):
    keys, asks = blocks("A service asks")
    reader.in_clone()
    reader.walk.type_all(keys)
    reader.publish()
    reader.at_home()
    reader.walk.type_all(asks)


def test_the_document(reader):
    acme = reader.stays(first_keys(reader))
    a_service_asks(reader)
    history, = blocks("What it makes of the repository")
    acme.await_log("event=certificate-written")
    reader.pull()
    reader.in_clone()
    reader.walk.type_all(history)
    with open(os.path.join(reader.home, "seed")) as f:
        seed = f.read().strip()
    private_keys.assert_none(reader.repo.bare, private_keys.read(os.path.join(reader.home, "www.example.org.key")), texts=[seed])
    assert acme.end() == 0


@pytest.mark.parametrize("which", ["least.keys", "host.keys"])
def test_the_least_that_suffices(reader, which):
    first_keys(reader)
    *keys, (program,) = blocks("The least that suffices")
    reader.in_clone()
    for block in keys:
        reader.walk.type_all(block)
    reader.publish()
    acme = reader.stays(program[0].replace("host.keys", which))
    a_service_asks(reader)
    reader.secondary.await_true("no proof stays", lambda: not proofs(), 30)
    assert acme.end() == 0


def proofs():
    names = "_acme-challenge.www.example.org", "_status._letsencrypt._tcp.www.example.org"
    return [n for n in names if servers.ask(53, n, "TXT", address=SECONDARY).answer]


@pytest.fixture
def authority(tmp_path):
    """At https://ca.example, as the document has it."""
    where = tmp_path / "small-ca"
    where.mkdir()
    with small_ca.running(where, servers=[(PRIMARY, 53), (SECONDARY, 53)]) as ca:
        ca.issuers = ["ca.example"]
        ca.persist_version = 1
        yield ca
        assert ca.complaints == []


@pytest.fixture
def elsewhere(reader, authority):
    """The reader uses that authority."""
    reader.places["https://ca.example/directory"] = authority.directory + " --ca-file=" + authority.root_file
    reader.places["https://ca.example"] = authority.url
    return reader


def test_a_record_instead_of_proofs(elsewhere):
    first_keys(elsewhere)
    (command,), = blocks("A record instead of proofs")
    elsewhere.walk.type(*command)


def test_what_dns_says_of_failures(elsewhere, authority):
    authority.fail("newOrder", 403, "rejectedIdentifier", "policy says no", times=100)
    acme = elsewhere.stays(first_keys(elsewhere).replace("--production", "--directory=https://ca.example/directory"))
    elsewhere.walk.type("ocertify 192.0.2.1 mail.example.org --dns-key-file=oacme.key --timeout=0 --type=ec || true")
    acme.await_log("event=order-failed")
    (command,), = blocks("When something is wrong")
    servers.await_true("it is in DNS", lambda: elsewhere.walk.run(command[0]).stdout)
    elsewhere.walk.type(*command)
    assert acme.end() == 0
