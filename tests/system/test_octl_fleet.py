"""octl on a primary with many zones, each of which four secondaries of different makes follow.

    python3 -m pytest -s -p no:cacheprovider tests/system/test_octl_fleet.py --zones 10000

BIND, Knot and PowerDNS read in the catalog zone which zones there are.  NSD (before 4.9) reads none, and has a list of the zones.

One secondary after the other is stopped, and a commit changes one zone.  The first question after the new serial is served must name the
stopped secondary.  How long the answer takes is printed, not asserted: the machine may be busy.
"""
import contextlib
import json
import os
import signal
import time

import dns.message
import dns.query
import dns.rcode
import pytest

import secondaries
import servers
from tsig_key import Key

ZONES = 1000  # in CI
CATALOG = "catalog.invalid"
ZONE = "$TTL 60\n@ SOA ns host %d 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.80\n"
MAKES = list(secondaries.MAKES.values())
ALL, NARROW = Key("me._status."), Key("me._status.z00007.test.")
FOLLOW_LIMIT_S = 600
CATCH_UP_LIMIT_S = 120


@pytest.fixture
def octl(program):
    """octl(argument, …) → (the finished process, seconds that it took)."""
    def run(*args, key=ALL, **more):
        begin = time.monotonic()
        done = program("octl", servers.ADDRESS, *args, env={"ORIGIN_KEY": key.argument}, **more)
        return done, time.monotonic() - begin
    return run


def rows(octl, *args, **more):
    return json.loads(octl("secondaries", *args, "--json", **more)[0].stdout)["secondaries"]


def measured(what, seconds):
    print("%s: %.3f s" % (what, seconds))


class Fleet:
    def __init__(self, zones, repo, server, peers):
        self.zones, self.repo, self.server, self.peers = zones, repo, server, peers
        self.serial = dict.fromkeys(zones, 1)

    def commit(self, zone):
        """The zone's next version, served; returns when it was."""
        self.serial[zone] += 1
        self.repo.commit({zone: ZONE % self.serial[zone]})
        self.server.hangup()
        self.server.await_serial(zone, self.serial[zone])
        return time.monotonic()

    def await_current(self, octl):
        """Each secondary has each zone."""
        begin = time.monotonic()
        for peer in self.peers:
            peer.await_serial(self.zones[-1], self.serial[self.zones[-1]], FOLLOW_LIMIT_S)

        def are_current():
            return sum(row["state"] == "current" for row in rows(octl)) == len(self.zones) * len(self.peers)
        self.server.await_true("all secondaries are current", are_current, FOLLOW_LIMIT_S)
        measured("%d zones at each of %d secondaries" % (len(self.zones), len(self.peers)), time.monotonic() - begin)


@contextlib.contextmanager
def stopped(peer):
    os.killpg(peer.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(peer.pid, signal.SIGCONT)


@pytest.fixture
def fleet(own_addresses, need, repo, primary, started, tmp_path, pytestconfig):
    need(*[m.binary for m in MAKES])
    zones = ["z%05d.test" % i for i in range(1, (pytestconfig.getoption("--zones") or ZONES) + 1)]
    keys = {m: Key("%s.%s._transfer" % (secondaries.PRIMARY, m.address), algorithm=m.algorithm) for m in MAKES}
    repo.commit({**{zone: ZONE % 1 for zone in zones}, "_keys": "".join(k.line for k in (*keys.values(), ALL, NARROW))})
    server = primary(repo, "--catalog=" + CATALOG, port=secondaries.PORT, zones=[zones[0]])
    catalog = {m: {"catalog": CATALOG} if m.takes_catalogs else {} for m in MAKES}
    peers = [started(m(str(tmp_path), dict.fromkeys([CATALOG] if catalog[m] else zones, keys[m]), **catalog[m])) for m in MAKES]
    return Fleet(zones, repo, server, peers)


def test_who_is_behind(fleet, octl):
    fleet.await_current(octl)
    for peer, zone in zip(fleet.peers, fleet.zones[3:]):
        is_told_at_once(fleet, octl, peer, zone)
    of_one_domain(octl, fleet.zones)
    fleet.server.stop()


def is_told_at_once(fleet, octl, peer, zone):
    with stopped(peer):
        served = fleet.commit(zone)
        row, = [r for r in rows(octl, zone, status=1) if r["secondary"] == peer.address]  # the first question after it was served
        measured("%s is stopped: served to told" % peer.name, time.monotonic() - served)
        assert (row["state"], row["serial"], row["has"], row["behind"]) == ("behind", fleet.serial[zone], 1, 1)
        fleet.server.await_true("the others have it", lambda: behind(octl, zone) == {peer.address})
        of_all_zones(fleet, octl, peer, zone)
    fleet.server.await_true("%s has caught up" % peer.name, lambda: not behind(octl, zone), CATCH_UP_LIMIT_S)


def behind(octl, zone):
    return {row["secondary"] for row in rows(octl, zone) if row["state"] != "current"}


def of_all_zones(fleet, octl, peer, zone):
    """The one row among all of them."""
    done, seconds = octl("secondaries", status=1)
    lines = done.stdout.splitlines()[1:]
    measured("octl secondaries, %d lines" % len(lines), seconds)
    assert len(lines) == len(fleet.zones) * len(fleet.peers)
    assert [line.split()[:3] for line in lines if "  current  " not in line] == [[zone, peer.address, "behind"]]


def of_one_domain(octl, zones):
    """A key of one domain sees that domain only."""
    own = NARROW.name.split(".", 2)[2].rstrip(".")
    assert {r["zone"] for r in rows(octl, key=NARROW, status=0)} == {own}
    assert [z["zone"] for z in json.loads(octl("zones", "--json", key=NARROW, status=0)[0].stdout)["zones"]] == [own]
    assert json.loads(octl("status", "--json", key=NARROW, status=0)[0].stdout)["status"]["zones"] == 1
    for asked in ("secondaries", "zones", "zone", "status", "keys", "updates"):
        for domain in (zones[7], "test", "."):
            done, _ = octl(asked, domain, key=NARROW, status=1)
            assert done.stdout == "" and "answers REFUSED" in done.stderr, (asked, domain)
    query = dns.message.make_query("secondaries._status." + own, "TXT", "CH")
    assert dns.query.udp(query, servers.ADDRESS, port=secondaries.PORT, timeout=10).rcode() == dns.rcode.REFUSED  # without any key
