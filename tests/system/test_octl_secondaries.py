"""octl secondaries: four of different makes follow, one of them is stopped, and who is behind is said at once."""
import json
import os
import signal

import dns.query
import pytest

import secondaries
import servers
from tsig_key import Key

ZONE = ("$TTL 60\n@ SOA ns1 host %d 3600 600 86400 300\n NS ns1\n" + "".join(" NS ns%d\n" % n for n in range(2, 6)) +
        "".join("ns%d A 127.0.0.%d\n" % (n, n) for n in range(1, 6)))
MAKES = list(secondaries.MAKES.values())
ALL, NARROW = Key("me._status."), Key("me._notify.b.test.")
UPDATE, TRANSFER = Key("me._update.test."), Key("me._transfer.a.test.")


@pytest.fixture
def octl(program):
    def run(*args, key=ALL, **more):
        return program("octl", "127.0.0.1", "secondaries", *args, env={"ORIGIN_KEY": key.argument}, **more)
    return run


def rows(octl, zone, **more):
    listed = json.loads(octl(zone, "--json", **more).stdout)["secondaries"]
    return {r["secondary"]: r for r in listed if r["zone"] == zone}


@pytest.fixture
def farm(own_addresses, need, repo, primary, started, tmp_path):
    need(*[m.binary for m in MAKES])
    keys = {m: Key("127.0.0.1.%s._transfer.test" % m.address, algorithm=m.algorithm) for m in MAKES}
    lines = "".join(k.line for k in keys.values()) + "".join(k.line for k in (ALL, NARROW, UPDATE, TRANSFER))
    repo.commit({"a.test": ZONE % 1, "b.test": ZONE % 1, "_keys": lines})
    server = primary(repo, port=secondaries.PORT, zones=["a.test", "b.test"])
    peers = {m: started(m(str(tmp_path), {"a.test": keys[m], "b.test": keys[m]})) for m in MAKES}
    for peer in peers.values():
        for zone in ("a.test", "b.test"):
            peer.await_serial(zone, 1)
    return server, peers


def test_who_is_behind(farm, repo, octl):
    server, peers = farm
    addresses = {m.address for m in MAKES}
    servers.await_true("all are current", lambda: {a: r["state"] for a, r in rows(octl, "a.test").items()} == dict.fromkeys(addresses, "current"))
    assert octl("a.test", status=0).stdout.count("current") == 4
    stopped = peers[secondaries.Knot]
    os.killpg(stopped.pid, signal.SIGSTOP)
    repo.commit({"a.test": ZONE % 2})
    server.hangup()
    server.await_serial("a.test", 2)
    row = rows(octl, "a.test", status=1)[stopped.address]  # the first question after it happened
    assert (row["state"], row["serial"], row["has"], row["behind"]) == ("behind", 2, 1, 1) and row["since"] >= row["transferred"]
    others = addresses - {stopped.address}
    servers.await_true("the others are current", lambda: {rows(octl, "a.test")[a]["state"] for a in others} == {"current"})
    servers.await_true("why is said", lambda: rows(octl, "a.test")[stopped.address]["error"] == "no answer to NOTIFY")
    assert {r["state"] for r in rows(octl, "b.test").values()} == {"current"}
    os.killpg(stopped.pid, signal.SIGCONT)
    servers.await_true("it has caught up", lambda: rows(octl, "a.test")[stopped.address]["state"] == "current", 90)
    assert rows(octl, "a.test")[stopped.address]["error"] is None
    repo.commit({"a.test": ZONE % 1})  # the serial goes back: they keep what they have
    server.hangup()
    server.await_serial("a.test", 1)
    for row in rows(octl, "a.test", status=1).values():
        assert (row["state"], row["serial"], row["has"], row["behind"]) == ("ahead", 1, 2, None) and row["since"] >= row["transferred"]
    repo.commit({"a.test": ZONE % 3})
    server.hangup()
    servers.await_true("all are current", lambda: {r["state"] for r in rows(octl, "a.test").values()} == {"current"}, 90)
    server.stop()


def test_the_key_bounds_what_is_shown(farm, octl):
    listed = json.loads(octl("--json", key=NARROW).stdout)["secondaries"]
    assert {r["zone"] for r in listed} == {"b.test"} and len(listed) == 4
    assert "REFUSED" in octl("a.test", key=NARROW, status=1).stderr


@pytest.mark.parametrize("key", [UPDATE, TRANSFER])
def test_who_looks_at_a_zone_is_no_secondary(farm, octl, program, key):
    server, _ = farm
    program("octl", "127.0.0.1", "dump", "a.test", env={"ORIGIN_KEY": key.argument}, status=0)
    server.await_log(r"event=transfer-sent .*key=%s\b" % key.name.rstrip("."))
    assert set(rows(octl, "a.test")) == {m.address for m in MAKES}


def test_unsigned_transfers_count_for_nobody(repo, primary, program):
    repo.commit({"a.test": ZONE % 1, "_keys": ALL.line})
    server = primary(repo, "--axfr", "--notify=none", zones=["a.test"])
    list(dns.query.xfr("127.0.0.1", "a.test", port=server.port, relativize=False))
    done = program("octl", "127.0.0.1", "secondaries", "--json", "--port=%d" % server.port, env={"ORIGIN_KEY": ALL.argument}, status=0)
    assert json.loads(done.stdout)["secondaries"] == []
