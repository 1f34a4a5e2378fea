"""Signed zones come whole: what osecondary serves, after each of many changes of primaries of other makes, is what ldns-verify-zone takes."""
import os
import random
import subprocess

import pytest

import primaries
import secondaries
import servers
from test_osecondary_peers import change, text_of
from tsig_key import Key

ZONE = "a.test"
KEY = Key("any._transfer.a.test.")
KEYGEN = ["-a", "ECDSAP256SHA256"]
# NSD 4.6.1 lists new signatures twice in the differences of a signed zone, and adds DNSKEY records that are there.  Then the zone comes whole.
ADDS_TWICE = {"nsd"}


class Signer:
    """Signs master files with one key, with NSEC or NSEC3."""

    def __init__(self, where, how):
        self.where, self.how = str(where), how
        tool = ["ldns-keygen", *KEYGEN, "-k", ZONE] if how == "ldns" else ["dnssec-keygen", *KEYGEN, "-f", "KSK", ZONE]
        self.key = self.run(tool).strip()

    def run(self, command):
        return subprocess.run(command, cwd=self.where, capture_output=True, text=True, check=True, timeout=60).stdout

    def sign(self, text):
        plain = servers.write(os.path.join(self.where, ZONE), text)
        if self.how == "ldns":
            self.run(["ldns-signzone", "-n", "-s", "aabb", "-t", "1", "-o", ZONE, plain, self.key])
        else:
            with open(os.path.join(self.where, self.key + ".key")) as f:
                servers.write(plain, text + f.read())
            self.run(["dnssec-signzone", "-P", "-z", "-S", "-O", "full", "-K", self.where, "-o", ZONE, plain])
        with open(plain + ".signed") as f:
            return f.read()


class SigningKnot(primaries.Knot):
    """Signs what it loads, and counts serials itself."""

    def configure(self):
        command = super().configure()
        with open(command[-1]) as f:
            text = f.read()
        text = text.replace("zonefile-load: difference", "zonefile-load: difference-no-serial").replace("journal-content: changes", "journal-content: all")
        text = text.replace("    semantic-checks: off", "    semantic-checks: off\n    dnssec-signing: on\n    dnssec-policy: p")
        policy = "policy:\n  - id: p\n    algorithm: ecdsap256sha256\n    nsec3: on\n    single-type-signing: on\ntemplate:"
        servers.write(command[-1], text.replace("template:", policy, 1))
        return command


class SigningPowerdns(primaries.Powerdns):
    """Signs when it is asked."""

    def configure(self):
        command = super().configure()
        with open(self.path("pdns.conf"), "a") as f:
            f.write("gsqlite3-dnssec=yes\ndefault-soa-edit=\n")
        self.util("secure-zone", *self.zones)
        return command

    def util(self, *words):
        subprocess.run(["pdnsutil", "--config-dir=" + self.work, *words], check=True, capture_output=True, timeout=60)

    def reload(self):
        super().reload()
        for zone in self.zones:
            self.util("rectify-zone", zone)


@pytest.fixture
def verified(program, tmp_path):
    """verified(server): the zone is well signed, and equal to the primary's."""
    def look(primary, follower):
        dumped = program("octl", servers.ADDRESS, "dump", ZONE, "--port=%d" % follower.port, status=0, env={"ORIGIN_KEY": KEY.argument}).stdout
        done = subprocess.run(["ldns-verify-zone", servers.write(str(tmp_path / "dumped"), dumped)], capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "verified and complete" in done.stdout, done.stdout + done.stderr
        assert records(primary) == records(follower)
    return look


def records(server):
    return secondaries.canonical(secondaries.transfer(servers.ADDRESS, ZONE, server.port, KEY))


def start(make, text, need, started, secondary, where):
    need(make.binary, "ldns-verify-zone")
    port = servers.free_port()
    primary = started(make(str(where), {ZONE: text}, KEY, (servers.ADDRESS, port)))
    follower = secondary([KEY], primaries=[primary.place], port=port)
    return primary, follower


def is_level(primary, follower):
    serial = servers.serial_served(primary.port, ZONE)
    return serial is not None and follower.serial(ZONE) == serial


@pytest.mark.parametrize("how", ["ldns", "bind"])
@pytest.mark.parametrize("name", ["bind", "knot", "nsd"])
def test_signed_files(name, how, need, started, secondary, verified, tmp_path, request):
    need("ldns-signzone", "dnssec-signzone")
    steps = request.config.getoption("--steps") or 8
    rng, hosts, signer = random.Random(request.config.getoption("--seed") or 1), {}, Signer(tmp_path, how)
    primary, follower = start(primaries.MAKES[name], signer.sign(text_of(1, hosts)), need, started, secondary, tmp_path)
    follower.await_serial(ZONE, 1)
    verified(primary, follower)
    for serial in range(2, 2 + steps):
        change(rng, hosts)
        primary.change(ZONE, signer.sign(text_of(serial, hosts)))
        follower.await_serial(ZONE, serial)
        verified(primary, follower)
    assert name in ADDS_TWICE or "changes-do-not-fit" not in follower.log()
    follower.stop()
    primary.end()


@pytest.mark.parametrize("make", [SigningKnot, SigningPowerdns], ids=lambda m: m.name)
def test_primaries_that_sign(make, need, started, secondary, verified, tmp_path, request):
    """The first counts its own serials; the second has no IXFR to give."""
    steps = request.config.getoption("--steps") or 8
    rng, hosts = random.Random(request.config.getoption("--seed") or 1), {}
    primary, follower = start(make, text_of(1, hosts), need, started, secondary, tmp_path)
    for serial in range(2, 2 + steps):
        before = follower.serial(ZONE)
        change(rng, hosts)
        hosts["step"] = "TXT \"%d\"" % serial
        primary.change(ZONE, text_of(serial, hosts))
        follower.await_true("it has step %d, and the primary's version" % serial,
                            lambda b=before: follower.serial(ZONE) not in (None, b) and is_level(primary, follower))
        verified(primary, follower)
    follower.stop()
    primary.end()
