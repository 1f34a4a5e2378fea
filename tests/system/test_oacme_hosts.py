"""Many hosts of one zone want certificates at once: how long that takes, over how many connections, with how much memory.

    python3 -m pytest -s -p no:cacheprovider tests/system/test_oacme_hosts.py --hosts 1000

The requests are in the zone when oacme starts.  Seconds and memory are printed, not asserted: the machine may be busy.  Pebble refuses no
nonce here, as a rate of 20 % would be the largest part of what is measured.
"""
import os
import re
import time

import dns.rdatatype
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import secondaries
import servers
from certificate_world import CERTIFICATE, World

HOSTS = 50  # in CI
UPDATE_PART = 100
LIMIT_S = 1800
TO_THE_AUTHORITY, TO_THE_PRIMARY = 8, 2  # HTTPS_CONNECTIONS_MAX; one for updates, and one of the follower


@pytest.fixture
def world(port_53, need, started, bindir, repo, primary, secondary, tmp_path, make_key):
    need("pebble", "openssl")
    return World(started, bindir, repo, primary, secondary, tmp_path, make_key)


class Connections:
    """TCP connections that one process has to a port of ours, as they are seen now and then."""

    def __init__(self, pid, port):
        self.pid, self.suffix, self.most, self.seen = pid, ":%04X" % port, 0, set()

    def inodes(self):
        for entry in os.scandir("/proc/%d/fd" % self.pid):
            try:
                yield from re.findall(r"socket:\[(\d+)\]", os.readlink(entry.path))
            except OSError:
                pass  # it was closed meanwhile

    def look(self):
        own = set(self.inodes())
        with open("/proc/net/tcp") as f:
            found = {w[1] for w in map(str.split, f) if w[2].endswith(self.suffix) and w[9] in own}
        self.most = max(self.most, len(found))
        self.seen |= found


def peak_memory(pid):
    """In MiB."""
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024


def processor_seconds(pid):
    """Of a process, of those that it has started, and of children that one of them has waited for."""
    ticks = 0
    for each in (pid, *servers.descendants(pid)):
        with open("/proc/%d/stat" % each) as f:
            ticks += sum(map(int, f.read().rsplit(")", 1)[1].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def ask(wishes):
    """As ocertify does it, but with many requests in one UPDATE.  A push would make the primary expect more of these, and pause for them."""
    for part in (wishes[i:i + UPDATE_PART] for i in range(0, len(wishes), UPDATE_PART)):
        part[0].update(lambda u, part=part: [u.add(w.owner + ".", 300, "TLSA", "3 255 0 " + w.csr().hex()) for w in part])


def public_octets(thing):
    return thing.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def assert_all_have_theirs(world, wishes):
    """Each has the certificate of its key, and no TXT record stays."""
    found = {}
    for owner, _, rdata in secondaries.transfer(servers.ADDRESS, "example", port=53, key=world.transfer):
        assert rdata.rdtype != dns.rdatatype.TXT, (owner, rdata)
        if rdata.rdtype == dns.rdatatype.TLSA and (rdata.usage, rdata.selector, rdata.mtype) == CERTIFICATE:
            found[owner.to_text(omit_final_dot=True)] = x509.load_der_x509_certificate(rdata.cert)
    assert {owner: public_octets(c) for owner, c in found.items()} == {w.owner: public_octets(w.private) for w in wishes}


def watch(acme, n, *connections):
    """Until `n` certificates are in DNS; returns how many were there after how many seconds."""
    begin, curve = time.monotonic(), []

    def look():
        for c in connections:
            c.look()
        done = acme.log().count("event=certificate-written")
        if not curve or done > curve[-1][1]:
            curve.append((time.monotonic() - begin, done))
        return done >= n
    acme.await_true("all certificates are in DNS", look, LIMIT_S)
    return curve


def test_many_hosts(world, remote, pytestconfig):
    n = pytestconfig.getoption("--hosts") or HOSTS
    wishes = [world.wish("n%05d.example" % i) for i in range(1, n + 1)]
    ask(wishes)
    world.authority(env={"PEBBLE_WFE_NONCEREJECT": "0"})
    before, spent = remote.commits(), {p: processor_seconds(p.pid) for p in (world.primary, world.pebble)}
    acme = world.oacme()
    to_ca, to_primary = Connections(acme.pid, world.pebble.port), Connections(acme.pid, 53)
    curve = watch(acme, n, to_ca, to_primary)
    print("\n%d hosts: %.1f s; half of them after %.1f s" % (n, curve[-1][0], next(s for s, done in curve if done >= n / 2)))
    print("connections to the authority: %d at once, %d seen; to the primary: %d, %d" %
          (to_ca.most, len(to_ca.seen), to_primary.most, len(to_primary.seen)))
    print("oacme: %.1f MiB at most, %.1f s of a processor" % (peak_memory(acme.pid), processor_seconds(acme.pid)))
    print("primary: %.1f s of a processor, authority: %.1f s; %d commits" %
          (*(processor_seconds(p.pid) - spent[p] for p in (world.primary, world.pebble)), remote.commits() - before))
    assert to_ca.most <= TO_THE_AUTHORITY and to_primary.most <= TO_THE_PRIMARY
    assert acme.log().count("event=certificate-ordered") == n and "event=order-failed" not in acme.log()
    assert remote.commits() - before <= 3 * n
    assert_all_have_theirs(world, wishes)
    acme.stop()
