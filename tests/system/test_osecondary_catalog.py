"""osecondary follows catalog zones (RFC 9432): those of oprimary, BIND and Knot, and broken ones, which change nothing."""
import json

import dns.rcode
import dns.rdatatype
import pytest

import primaries
import secondaries
import servers
from tsig_key import Key

CATALOG = "catalog.invalid"
ZONE = "$TTL 60\n@ IN SOA ns1 host %d 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n"
FRAME = "$TTL 0\n@ IN SOA invalid. invalid. %d 3600 600 2147483646 0\n@ IN NS invalid.\n"
VERSION = "version IN TXT \"2\"\n"
ROOT = Key("any._transfer.")


def catalog_of(serial, members, more=VERSION):
    """`members`: {label: zone}."""
    return FRAME % serial + more + "".join("%s.zones IN PTR %s.\n" % item for item in sorted(members.items()))


def await_state(follower, served, gone=()):
    """`served`: {zone: serial}; `gone`: zones that are refused."""
    for zone, serial in served.items():
        follower.await_serial(zone, serial)
    for zone in gone:
        follower.await_true("%s is refused" % zone, lambda z=zone: follower.ask(z, "SOA").rcode() == dns.rcode.REFUSED)


@pytest.fixture
def pair(need, started, secondary, tmp_path):
    """pair(make, {zone: text}) → (the primary, our secondary, which follows CATALOG)."""
    def start(make, zones, *options, key=ROOT):
        need(make.binary)
        port = servers.free_port()
        primary = started(make(str(tmp_path), zones, key, (servers.ADDRESS, port)))
        return primary, secondary([key], "--catalog=" + CATALOG, *options, primaries=[primary.place], port=port)
    return start


@pytest.mark.parametrize("name", ["bind", "nsd"])
def test_a_catalog_written_by_hand(pair, name):
    """Members come, change, go, come back with their data, and begin anew under another label."""
    key = Key("any._transfer.%s." % CATALOG)  # for the catalog alone; the peer's own rules let it transfer all
    zones = {CATALOG: catalog_of(1, {"a": "a.test", "b": "b.test"}), "a.test": ZONE % 1, "b.test": ZONE % 1, "c.test": ZONE % 1}
    primary, follower = pair(primaries.MAKES[name], zones, key=key)
    await_state(follower, {"a.test": 1, "b.test": 1}, gone=["c.test"])
    follower.await_log(r"info event=catalog-applied zone=catalog\.invalid\. serial=1 members=2 added=2 removed=0")
    primary.change("a.test", ZONE % 2)  # its NOTIFY counts with the catalog's key
    await_state(follower, {"a.test": 2})
    primary.change(CATALOG, catalog_of(2, {"b": "b.test", "c": "c.test"}))
    await_state(follower, {"b.test": 1, "c.test": 1}, gone=["a.test"])
    follower.await_log(r"warning event=members-removed zone=catalog\.invalid\. serial=2 members=2 added=1 removed=1 .*kept until they expire")
    primary.change(CATALOG, catalog_of(3, {"a": "a.test", "b": "b.test", "c": "c.test"}))
    await_state(follower, {"a.test": 2, "b.test": 1, "c.test": 1})
    assert follower.log().count("event=zone-transferred zone=a.test. serial=2 ") == 1  # its data were kept
    primary.change(CATALOG, catalog_of(4, {"a": "a.test", "new": "b.test", "c": "c.test"}))
    follower.await_log(r"event=catalog-applied .*serial=4 members=3 added=0 removed=0 reset=1")
    await_state(follower, {"a.test": 2, "b.test": 1, "c.test": 1})
    assert follower.log().count("event=zone-transferred zone=b.test. serial=1 ") == 2
    primary.change(CATALOG, catalog_of(5, {}))  # a mistake, perhaps
    await_state(follower, {}, gone=["a.test", "b.test", "c.test"])
    follower.await_log(r"event=members-removed .*serial=5 members=0 added=0 removed=3")
    follower.stop()
    primary.end()


def test_knot_makes_the_catalog(pair):
    class Knot(primaries.Knot):
        def configure(self):
            command = super().configure()
            path = self.path("knot.conf")
            with open(path) as f:
                head, _, _ = f.read().partition("zone:\n")
            zone = "zone:\n  - domain: %s\n    catalog-role: generate\n" % CATALOG
            zone += "".join("  - domain: %s\n    catalog-role: member\n    catalog-zone: %s\n    catalog-group: some\n" % (z, CATALOG)
                            for z in self.zones)
            servers.write(path, head + zone)
            return command

        def become(self, zones):
            self.zones = list(zones)
            for zone, text in zones.items():
                self.write_zone(zone, text)
            self.configure()
            self.reload()
    primary, follower = pair(Knot, {"a.test": ZONE % 1, "b.test": ZONE % 1}, key=Key("any._transfer.%s." % CATALOG))
    await_state(follower, {"a.test": 1, "b.test": 1})
    primary.become({"b.test": ZONE % 2, "c.test": ZONE % 1})
    await_state(follower, {"b.test": 2, "c.test": 1}, gone=["a.test"])
    follower.stop()
    primary.end()


def test_our_own_catalog(repo, primary, secondary):
    key = Key("any._transfer.")
    zones = ["z%d.test" % i for i in range(30)]
    repo.commit({**{z: ZONE % 1 for z in zones}, "_keys": key.line})
    served = primary(repo, "--catalog=" + CATALOG, zones=zones[:1])
    follower = secondary([key], "--catalog=" + CATALOG, primaries=["%s@%d" % (servers.ADDRESS, served.port)])
    await_state(follower, {z: 1 for z in zones})
    repo.commit({"new.test": ZONE % 7, zones[0]: None, zones[1]: ZONE % 2})
    served.hangup()
    await_state(follower, {"new.test": 7, zones[1]: 2}, gone=[zones[0]])
    follower.stop()
    served.stop()


BROKEN = {
    "no version": (catalog_of(2, {"b": "b.test"}, ""), "has no TXT record"),
    "version 1": (catalog_of(2, {"b": "b.test"}, "version IN TXT \"1\"\n"), "is not .*\"2.*\""),
    "version 3": (catalog_of(2, {"b": "b.test"}, "version IN TXT \"3\"\n"), "is not .*\"2.*\""),
    "two versions": (catalog_of(2, {"b": "b.test"}, VERSION + "version IN TXT \"1\"\n"), "several TXT records"),
    "two pointers": (catalog_of(2, {"b": "b.test"}, VERSION + "b.zones IN PTR c.test.\n"), "b.zones.catalog.invalid. has several PTR records"),
    "listed twice": (catalog_of(2, {"b": "b.test", "c": "B.test"}), "c.zones.catalog.invalid. lists B.test., which another label lists, too"),
    "two coos": (catalog_of(2, {"b": "b.test"}, VERSION + "coo.b.zones IN PTR x.\ncoo.b.zones IN PTR y.\n"), "coo.b.zones.* has several PTR"),
}


def test_broken_catalogs_change_nothing(pair):
    """And those with records that have no meaning are not broken."""
    zones = {CATALOG: catalog_of(1, {"a": "a.test"}), "a.test": ZONE % 1, "b.test": ZONE % 1, "c.test": ZONE % 1}
    primary, follower = pair(primaries.Bind, zones)
    await_state(follower, {"a.test": 1}, gone=["b.test"])
    for i, (text, why) in enumerate(BROKEN.values()):
        primary.change(CATALOG, text.replace(" 2 3600", " %d 3600" % (2 + i)))
        follower.await_log(r"error event=catalog-broken zone=catalog\.invalid\. serial=%d .*%s" % (2 + i, why))
        await_state(follower, {"a.test": 1}, gone=["b.test"])
    more = VERSION + "a.zones IN TXT \"x\"\nb.zones IN A 192.0.2.1\ngroup.c.zones IN TXT \"x\"\nx.ext IN CNAME a\n"
    primary.change(CATALOG, catalog_of(20, {"c": "c.test"}, more))
    await_state(follower, {"c.test": 1}, gone=["a.test", "b.test"])
    follower.stop()
    primary.end()


def test_ownership(pair, program):
    """A zone moves from one catalog to another by the coo property, and only so (RFC 9432 4.4.1, 5.2)."""
    other = "other.invalid"
    zones = {CATALOG: catalog_of(1, {"a": "a.test", "b": "b.test"}), other: catalog_of(1, {"a": "a.test", "x": "x.test"}),
             "a.test": ZONE % 1, "b.test": ZONE % 1, "x.test": ZONE % 1}
    primary, follower = pair(primaries.Bind, zones, "--catalog=" + other)
    await_state(follower, {"a.test": 1, "b.test": 1, "x.test": 1})
    follower.await_log(r"warning event=member-refused zone=a\.test\. catalog=\S+ .*another catalog has it")
    owner = CATALOG if "event=member-refused zone=a.test. catalog=other" in follower.log() else other
    heir, label = (other, "x") if owner == CATALOG else (CATALOG, "b")
    keeps = {"a": "a.test", "b": "b.test"} if owner == CATALOG else {"a": "a.test", "x": "x.test"}
    primary.change(owner, catalog_of(2, keeps, VERSION + "coo.a.zones IN PTR %s.\n" % heir))
    follower.await_log(r"event=zone-transferred zone=%s\. serial=2" % owner)
    assert "moved=1" not in follower.log()
    primary.change(heir, catalog_of(2, {"a": "a.test", label: label + ".test", "more": "b.test"}))
    follower.await_log(r"event=catalog-applied zone=%s\. serial=2 .* reset=0 moved=1" % heir)
    del keeps["a"]
    primary.change(owner, catalog_of(3, keeps))  # it has nothing to say of it any more
    follower.await_log(r"event=zone-transferred zone=%s\. serial=3" % owner)
    await_state(follower, {"a.test": 1, "b.test": 1, "x.test": 1})
    assert "event=members-removed" not in follower.log()
    assert follower.log().count("event=zone-transferred zone=a.test.") == 1  # under the same label: with its data
    shown = program("octl", servers.ADDRESS, "zones", "--json", "--port=%d" % follower.port, env={"ORIGIN_KEY": ROOT.argument})
    assert {z["zone"]: z["catalog"] for z in json.loads(shown.stdout)["zones"] if z["state"] == "served"} == {
        CATALOG: None, other: None, "a.test": heir, "b.test": CATALOG, "x.test": other}
    follower.stop()
    primary.end()


def test_who_may_see_it(pair):
    zones = {CATALOG: catalog_of(1, {"a": "a.test"}), "a.test": ZONE % 1}
    primary, follower = pair(primaries.Bind, zones, key=Key("any._transfer.%s." % CATALOG))
    await_state(follower, {"a.test": 1})
    key = Key("any._transfer.%s." % CATALOG)
    assert follower.ask(CATALOG, "SOA").rcode() == dns.rcode.REFUSED
    assert follower.ask("a.zones." + CATALOG, "PTR").rcode() == dns.rcode.REFUSED
    for zone in CATALOG, "a.test":  # whoever has the key may have the members, too
        assert secondaries.transfer(servers.ADDRESS, zone, follower.port, key)
    follower.stop()
    primary.end()


def test_a_chain_by_the_catalog_alone(pair, secondary):
    key = Key("any._transfer.%s." % CATALOG)
    zones = {CATALOG: catalog_of(1, {"a": "a.test"}), "a.test": ZONE % 1, "b.test": ZONE % 1}
    primary, first = pair(primaries.Bind, zones, key=key)
    await_state(first, {"a.test": 1})
    second = secondary([key], "--catalog=" + CATALOG, primaries=["%s@%d" % (servers.ADDRESS, first.port)])
    await_state(second, {"a.test": 1})
    primary.change(CATALOG, catalog_of(2, {"a": "a.test", "b": "b.test"}))
    primary.change("a.test", ZONE % 2)
    await_state(second, {"a.test": 2, "b.test": 1})
    for server in second, first:
        server.stop()
    primary.end()


def test_what_is_not_taken(pair):
    zones = {CATALOG: catalog_of(1, {"a": "a.test", "self": CATALOG}), "a.test": ZONE % 1}
    primary, follower = pair(primaries.Bind, zones)
    await_state(follower, {"a.test": 1})
    follower.await_log(r"event=member-refused zone=catalog\.invalid\. .*the name of a catalog")
    primary.change(CATALOG, catalog_of(2, {"a": "a.test", "self": CATALOG, "b": "b.test"}))  # BIND does not have it yet
    follower.await_log(r"event=refresh-failed zone=b\.test\. ")
    assert follower.ask("b.test").rcode() == dns.rcode.SERVFAIL
    assert follower.log().count("event=member-refused") == 1
    follower.stop()
    primary.end()


def test_no_key_for_the_catalog(bindir, tmp_path, started):
    for options, why, status in ((["--catalog=a.test"], "no key may transfer the catalog a.test", 1),
                                 (["--catalog=."], "should be a zone's name", 2), (["--catalog=b.test", "--catalog=B.test."], "is there twice", 2)):
        argv = ["%s/osecondary" % bindir, "--listen=127.0.0.1@%d" % servers.free_port(), "--primary=127.0.0.1@1", *options]
        process = started(servers.Process(argv, str(tmp_path), "osecondary",
                                          env={**servers.sanitizer_env(), "ORIGIN_KEYS": Key("any._transfer.b.test.").argument}))
        process.await_log(why)
        assert process.popen.wait(10) == status
