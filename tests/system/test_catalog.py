"""The catalog zone (RFC 9432): BIND, Knot and PowerDNS are told of nothing but the catalog, and serve what the repository has."""
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.update
import dns.xfr
import dns.zone
import pytest

import secondaries
import servers

CATALOG = "catalog.invalid.org"
ZONE = "$TTL 300\n@ SOA ns host %d 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n"
CONSUMERS = [make for make in secondaries.MAKES.values() if make.takes_catalogs]


@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda c: c.name)
def test_a_consumer(own_addresses, consumer, repo, primary, started, make_key, need, tmp_path, program):
    need(consumer.binary)
    key = make_key("%s.%s._transfer" % (secondaries.PRIMARY, consumer.address), algorithm=consumer.algorithm)
    writer = make_key("me._update")
    repo.commit({"_keys": key.line + writer.line, "example.org": ZONE % 1, "example.net": ZONE % 1})
    served = primary(repo, "--catalog=" + CATALOG, "--zones-by-update", zones=["example.org"], port=secondaries.PORT)
    peer = started(consumer(str(tmp_path), {CATALOG: key}, catalog=CATALOG))

    def await_serials(**wanted):
        for zone, value in wanted.items():
            peer.await_serial(zone.replace("_", "."), value)
    await_serials(example_org=1, example_net=1)
    repo.commit({"example.org": ZONE % 2, "new.example.org": ZONE % 1})  # a zone that comes by a push,
    served.hangup()
    await_serials(example_org=2, new_example_org=1, example_net=1)
    repo.commit({"example.net": None})  # and one that goes
    served.hangup()
    await_serials(example_net=None)
    old = "ns.new.example.org host.new.example.org 1 3600 600 86400 300"
    soa = "lab.example.org 60 SOA ns.example.org host.example.org 5 3600 600 86400 60"
    for option in (["--add=" + soa, "--add=lab.example.org 60 NS ns.example.org"], ["--delete=new.example.org SOA " + old]):  # the same by updates
        program("oupdate", secondaries.PRIMARY, "--zone=example.org", *option, env={"ORIGIN_KEY": writer.argument}, status=0)
    await_serials(lab_example_org=5, new_example_org=None, example_org=2)
    served.stop()


def test_who_may_see_it(repo, primary, make_key):
    """Secondaries; nobody else, by no way in."""
    key, other = make_key("a._transfer"), make_key("b._update.example.org")
    alias = "here CNAME version.%s.\n" % CATALOG
    repo.commit({"_keys": key.line + other.line, "example.org": ZONE % 1 + alias})
    served = primary(repo, "--catalog=" + CATALOG, zones=["example.org"])

    def transfer(key):
        zone = dns.zone.Zone(CATALOG, relativize=False)
        ring = {dns.name.from_text(key.name): key.secret_octets} if key else None
        query, _ = dns.xfr.make_query(zone, keyring=ring, keyname=key and dns.name.from_text(key.name))
        dns.query.inbound_xfr(servers.ADDRESS, zone, query, port=served.port, timeout=10)
        return zone
    assert served.ask("version." + CATALOG, "TXT").rcode() == dns.rcode.REFUSED
    assert served.ask(CATALOG, "SOA").rcode() == dns.rcode.REFUSED
    answer = served.ask("here.example.org", "TXT")
    assert answer.rcode() == dns.rcode.NOERROR and [s.rdtype for s in answer.answer] == [dns.rdatatype.CNAME]
    for wrong in (None, other):
        with pytest.raises(dns.xfr.TransferError):
            transfer(wrong)
    zone = transfer(key)
    targets = [r.target.to_text() for _, s in zone.iterate_rdatasets(dns.rdatatype.PTR) for r in s]
    assert targets == ["example.org."]

    update = dns.update.Update(CATALOG, keyring={dns.name.from_text(other.name): other.secret_octets}, keyname=dns.name.from_text(other.name))
    update.add("x", 60, "TXT", "mine")
    assert dns.query.tcp(update, servers.ADDRESS, port=served.port, timeout=10).rcode() in (dns.rcode.REFUSED, dns.rcode.NOTAUTH)


def test_a_file_of_its_name(repo, primary):
    repo.commit({CATALOG: ZONE % 1, "example.org": ZONE % 1})
    served = primary(repo, "--catalog=" + CATALOG, zones=["example.org"])
    served.await_log("event=zone-rejected file=%s .*--catalog" % CATALOG)
