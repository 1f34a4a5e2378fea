"""Who is told by what `_secondaries` files say: secondaries of others at ports of their own, with keys of any name or none."""
import json
import os
import re
import signal

import pytest

import secondaries
import servers
from tsig_key import Key

ZONE = "$TTL 60\n@ SOA ns1 host %d 3600 600 86400 300\n NS ns1\nns1 A 127.0.0.1\n"
FAR = "$TTL 60\n@ SOA ns1 host %d 3600 600 86400 300\n NS ns1\n NS ns.elsewhere.net.\nns1 A 127.0.0.1\n"
ZONES = ("a.test", "b.test")
LOOK = Key("me._status.")
HOSTER = Key("hoster-key.")


@pytest.fixture
def serve(own_addresses, repo, primary):
    """serve(files, zone=ZONE) → a primary on port 53 with both zones, serial 1, and these files."""
    def start(files, zone=ZONE):
        keys = LOOK.line + files.pop("_keys", "")
        repo.commit({**{name: zone % 1 for name in ZONES}, **files, "_keys": keys})
        return primary(repo, port=secondaries.PORT, zones=ZONES)
    return start


@pytest.fixture
def secondary(need, started, tmp_path):
    """secondary(secondaries.Nsd, key=…, port=…) → one that has both zones."""
    def start(make, key=None, **more):
        need(make.binary)
        return started(make(str(tmp_path), dict.fromkeys(ZONES, key), **more))
    return start


@pytest.fixture
def rows(program):
    """What octl says of a zone's secondaries: {who: row}."""
    def ask(zone):
        done = program("octl", "127.0.0.1", "secondaries", zone, "--json", env={"ORIGIN_KEY": LOOK.argument})
        return {r["secondary"]: r for r in json.loads(done.stdout)["secondaries"]}
    return ask


def listed(make, port, *more):
    """Told at the port; its transfers are as `more` says."""
    return "_notify SRV 0 0 %d there\nthere A %s\n%s" % (port, make.address, "".join(more))


def unsigned(address):
    return "_transfer APL 1:%s/32\n" % address


def follow(repo, served, peer, place, key="", zone=ZONE):
    """Each commit reaches it at once: it refreshes by itself once an hour."""
    for name in ZONES:
        peer.await_serial(name, 1)
    for serial in 2, 3:
        mark = len(served.log())
        repo.commit({"a.test": zone % serial})
        served.hangup()
        served.await_log(r"event=notify-acknowledged to=%s transport=\S+ zone=a\.test\. serial=%d%s attempts=1\b" % (
            re.escape(place), serial, " key=" + re.escape(key) if key else ""), after=mark)
        peer.await_serial("a.test", serial)
    assert peer.serial("b.test") == 1


def await_current(rows, *places):
    """Or told: what was transferred before anybody there had acknowledged a NOTIFY is nobody's."""
    servers.await_true("all are current", lambda: {p: r["state"] in ("current", "told") for p, r in rows("a.test").items()} == dict.fromkeys(places, True))


@pytest.mark.parametrize("make", [secondaries.Nsd, secondaries.Knot], ids=["nsd", "knot"])
def test_a_port_without_a_key(serve, secondary, repo, rows, make):
    served = serve({"_secondaries": listed(make, 5304, unsigned(make.address))})
    peer = secondary(make, port=5304)
    place = "%s@5304" % make.address
    follow(repo, served, peer, place)
    await_current(rows, place)
    served.stop()


def test_a_key_of_any_name(serve, secondary, repo, rows):
    make = secondaries.Bind
    served = serve({"_keys": HOSTER.line, "_secondaries": listed(make, 5302, "_transfer PTR hoster-key.\n", "there PTR hoster-key.\n")})
    peer = secondary(make, HOSTER, port=5302)
    follow(repo, served, peer, "%s@5302" % make.address, "hoster-key.")
    peer.await_log(r"received notify for zone 'a\.test': TSIG 'hoster-key'")
    await_current(rows, "%s@5302" % make.address)
    served.stop()


def test_the_port_of_the_secondary_in_a_keys_name(serve, secondary, repo, rows):
    make = secondaries.Knot
    key = Key("127.0.0.1.%s._transfer.test." % make.address)
    served = serve({"_keys": key.line, "_secondaries": listed(make, 5303)})
    peer = secondary(make, key, port=5303)
    follow(repo, served, peer, "%s@5303" % make.address, key.name)
    await_current(rows, "%s@5303" % make.address)
    assert "to=%s@53 " % make.address not in served.log()
    served.stop()


def test_a_name_server_of_others(serve, secondary, repo, rows):
    make = secondaries.Nsd
    served = serve({"_secondaries": "ns.elsewhere.net. A %s\n" % make.address + unsigned(make.address)}, FAR)
    peer = secondary(make)
    follow(repo, served, peer, "%s@53" % make.address, zone=FAR)
    await_current(rows, make.address)
    assert "event=notify-unknown-host" not in served.log()
    served.stop()


def test_one_that_a_commit_brings(serve, secondary, repo, rows):
    """Of zones that did not change; and who was told before is told nothing again."""
    old, new = secondaries.Knot, secondaries.Nsd
    served = serve({"_secondaries": listed(old, 53, unsigned(old.address))})
    first, peer = secondary(old), secondary(new, port=5304)
    for name in ZONES:
        first.await_serial(name, 1)
        served.await_log(r"event=notify-acknowledged to=%s@53 .*zone=%s\." % (old.address, name))
        assert peer.serial(name) is None
    mark = len(served.log())
    more = "_notify SRV 0 0 5304 new\nnew A %s\n" % new.address + unsigned(new.address)
    repo.commit({"_secondaries": listed(old, 53, unsigned(old.address)) + more})
    served.hangup()
    for name in ZONES:
        served.await_log(r"event=notify-acknowledged to=%s@5304 .*zone=%s\. serial=1\b" % (new.address, name), after=mark)
        peer.await_serial(name, 1)
    await_current(rows, old.address, "%s@5304" % new.address)
    assert "to=%s@53 " % old.address not in served.log()[mark:]
    served.stop()


def test_two_at_one_address(serve, secondary, repo, rows):
    """Which of them is told and which is not is seen, though transfers do not say whose they are."""
    address = secondaries.Nsd.address
    places = ["%s@%d" % (address, port) for port in (5304, 5305)]
    files = "_notify SRV 0 0 5304 there\n_notify SRV 0 0 5305 there\nthere A %s\n%s" % (address, unsigned(address))
    served = serve({"_secondaries": files})
    peers = [secondary(secondaries.Nsd, port=5304), secondary(secondaries.Knot, port=5305, address=address)]
    for peer in peers:
        peer.await_serial("a.test", 1)
    await_current(rows, *places)
    os.killpg(peers[1].pid, signal.SIGSTOP)
    repo.commit({"a.test": ZONE % 2})
    served.hangup()
    peers[0].await_serial("a.test", 2)
    servers.await_true("the one that is silent is seen", lambda: rows("a.test")[places[1]]["error"] == "no answer to NOTIFY")
    row = rows("a.test")[places[0]]
    assert (row["state"] in ("current", "told"), row["told"], row["error"]) == (True, 2, None)
    os.killpg(peers[1].pid, signal.SIGCONT)
    servers.await_true("both are fine", lambda: {r["error"] for r in rows("a.test").values()} == {None}, 90)
    await_current(rows, *places)
    served.stop()
