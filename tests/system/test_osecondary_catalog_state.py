"""osecondary --catalog with --state-dir: what a catalog lists is known again after a start, and what it lists no more stays away."""
import os

import dns.rcode
import pytest

import primaries
import servers
from test_osecondary_catalog import CATALOG, VERSION, ZONE, await_state, catalog_of
from tsig_key import Key

CATALOG_KEY = Key("any._transfer.%s." % CATALOG)  # for the catalog alone; BIND's own rules let it transfer all
ROOT = Key("any._transfer.")
NOWHERE = ["127.0.0.1@1"]  # a primary that is down
NOW = ("--refresh-min=1", "--refresh-max=1", "--retry-max=1")
MEMBERS = {"m%d" % i: "z%d.test" % i for i in range(12)}


@pytest.fixture
def state(tmp_path):
    return str(tmp_path / "state")


@pytest.fixture
def fleet(need, started, secondary, tmp_path, state):
    """fleet(members, key) → (the primary; follower(options…, is_up), which follows CATALOG and keeps what it has; the port)."""
    def start(members, key):
        need("named")
        port = servers.free_port()
        zones = {CATALOG: catalog_of(1, members), **{z: ZONE % 1 for z in members.values()}}
        primary = started(primaries.Bind(str(tmp_path), zones, key, (servers.ADDRESS, port)))

        def follower(*options, is_up=True, catalogs=("--catalog=" + CATALOG,)):
            return secondary([key], "--state-dir=" + state, *catalogs, *options, primaries=[primary.place] if is_up else NOWHERE, port=port)
        return primary, follower
    return start


def keep(follower, zones):
    """It ends when it has written so many zones."""
    follower.await_true("all are written", lambda: follower.stat("whole", "state-stats") == zones)
    follower.stop()


def is_kept(state, zone):
    return os.path.exists(os.path.join(state, zone + ".zone-state"))


def transfers(follower, zone):
    return follower.log().count("event=zone-transferred zone=%s. " % zone)


def test_members_are_known_again(fleet, state):
    """No key is for them, so the catalog has to be read first, whatever the order of the files."""
    primary, follower = fleet(MEMBERS, CATALOG_KEY)
    first = follower()
    await_state(first, {z: 1 for z in MEMBERS.values()})
    keep(first, 13)
    assert is_kept(state, "z0.test") and is_kept(state, "z2.test")
    again = follower(is_up=False)
    again.await_log(r"event=state-restored zones=13 expired=0 damaged=0")
    again.await_log(r"event=catalog-applied zone=catalog\.invalid\. serial=1 members=12 added=0 removed=0 reset=0")
    assert [again.serial(z) for z in MEMBERS.values()] == [1] * 12
    assert again.ask("other.test").rcode() == dns.rcode.REFUSED  # it is known which zones there are
    assert again.ask(CATALOG, "SOA").rcode() == dns.rcode.REFUSED  # and who may see the catalog
    assert "event=catalog-member" not in again.log() and "event=state-not-followed" not in again.log()
    again.await_log(r"event=primary-unreachable")
    assert [again.serial(z) for z in MEMBERS.values()] == [1] * 12
    again.stop()

    members = {**MEMBERS, "other": "z1.test"}
    del members["m0"], members["m1"]
    primary.change(CATALOG, catalog_of(2, members))
    again = follower(*NOW, "--expire-max=5")
    await_state(again, {z: 1 for z in members.values()}, gone=["z0.test"])
    again.await_log(r"event=catalog-applied .*serial=2 members=11 added=0 removed=1 reset=1")
    again.await_true("one begins anew", lambda: transfers(again, "z1.test") == 1)
    assert [z for z in MEMBERS.values() if transfers(again, z)] == ["z1.test"]
    again.await_true("the file of the zone that is gone goes", lambda: not is_kept(state, "z0.test"))
    assert again.serial("z2.test") == 1 and is_kept(state, "z2.test")
    again.stop()
    primary.end()


def test_what_was_listed_no_more_stays_away(fleet, state):
    """Also if a key is around it, and the primary still has it."""
    primary, follower = fleet({"a": "a.test", "b": "b.test"}, ROOT)
    first = follower("--log-level=debug")
    await_state(first, {"a.test": 1, "b.test": 1})
    first.await_true("all are written", lambda: first.stat("whole", "state-stats") == 3)
    primary.change(CATALOG, catalog_of(2, {"b": "b.test"}))
    first.await_log(r"debug event=zone-set-aside zone=a\.test\. catalog=catalog\.invalid\.")
    first.await_true("it is noted", lambda: first.stat("notes", "state-stats") == 1)
    first.await_true("nothing waits", lambda: first.stat("waiting", "state-stats") == 0)
    first.stop()
    again = follower("--log-level=debug")
    again.await_log(r"event=state-restored zones=2 expired=0 damaged=0")
    again.await_log(r"warning event=state-not-followed zones=1 .*no key and no catalog")
    again.await_log(r"event=zone-current zone=b\.test\. ")
    assert again.ask("a.test").rcode() != dns.rcode.NOERROR
    primary.change(CATALOG, catalog_of(3, {"a": "a.test", "b": "b.test"}))
    await_state(again, {"a.test": 1, "b.test": 1})
    again.await_true("its file is written anew", lambda: again.stat("whole", "state-stats") == 1)
    again.stop()
    primary.end()


def test_a_catalog_that_is_not_followed_any_more(fleet, state):
    primary, follower = fleet({"a": "a.test"}, CATALOG_KEY)
    first = follower()
    await_state(first, {"a.test": 1})
    keep(first, 2)
    without = follower(is_up=False, catalogs=())
    without.await_log(r"event=state-not-followed zones=1")
    assert without.ask("a.test").rcode() == dns.rcode.REFUSED
    without.stop()
    again = follower(is_up=False)  # it has come back
    again.await_log(r"event=state-restored zones=2 ")
    assert again.serial("a.test") == 1
    again.stop()
    primary.end()


def test_a_broken_version_is_not_what_counts_after_a_start(fleet, state):
    primary, follower = fleet({"a": "a.test"}, CATALOG_KEY)
    first = follower()
    await_state(first, {"a.test": 1})
    first.await_true("all are written", lambda: first.stat("whole", "state-stats") == 2)
    primary.change(CATALOG, catalog_of(2, {"a": "a.test"}, VERSION + "version IN TXT \"1\"\n"))
    first.await_log(r"event=catalog-broken")
    first.await_log(r"event=zone-transferred zone=catalog\.invalid\. serial=2 ")
    first.stop()
    again = follower(is_up=False)
    again.await_log(r"event=state-restored zones=2 ")
    again.await_log(r"event=catalog-applied .*serial=1 members=1 ")
    assert again.serial("a.test") == 1
    again.stop()
    again = follower()  # it is broken all the same
    again.await_log(r"event=catalog-broken .*serial=2 ")
    assert again.serial("a.test") == 1
    primary.change(CATALOG, catalog_of(3, {"a": "a.test"}))
    again.await_log(r"event=zone-transferred zone=catalog\.invalid\. serial=3 ")
    again.await_true("the good one is written", lambda: again.stat("changes", "state-stats") == 2)
    again.stop()
    again = follower(is_up=False)
    again.await_log(r"event=catalog-applied .*serial=3 members=1 ")
    again.stop()
    primary.end()
