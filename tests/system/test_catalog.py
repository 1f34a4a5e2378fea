"""The catalog zone (RFC 9432): BIND and Knot are told of nothing but the catalog, and serve what the repository has."""
import os
import subprocess

import dns.exception
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.update
import dns.xfr
import dns.zone
import pytest

import servers

CATALOG = "catalog.invalid.org"
ZONE = "$TTL 300\n@ SOA ns host %d 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n"
PRIMARY = "127.0.0.1"


class BindConsumer(servers.Process):
    name, address = "bind", "127.0.0.2"

    def __init__(self, where, key):
        by = '%s key "%s"' % (PRIMARY, key.name)
        conf = ['options { directory "%s"; pid-file "%s/named.pid"; session-keyfile "%s/session.key"; dnssec-validation no;' % (
                    where, where, where),
                ' listen-on { %s; }; listen-on-v6 { none; }; recursion no;' % self.address,
                ' catalog-zones { zone "%s" default-primaries { %s; } min-update-interval 0; }; };' % (CATALOG, by), 'controls { };',
                'key "%s" { algorithm hmac-sha256; secret "%s"; };' % (key.name, key.secret),
                'zone "%s" { type secondary; file "catalog"; primaries { %s; }; };' % (CATALOG, by)]
        super().__init__(["named", "-g", "-n", "1", "-c", servers.write(os.path.join(where, "named.conf"), "\n".join(conf))], where, "bind")


class KnotConsumer(servers.Process):
    name, address = "knot", "127.0.0.3"

    def __init__(self, where, key):
        conf = """server:
  listen: %s@53
  rundir: "%s"
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "%s/db"
  journal-db-max-size: 16M
  kasp-db-max-size: 16M
  timer-db-max-size: 16M
  catalog-db-max-size: 16M
log:
  - target: stderr
    any: info
key:
  - id: "%s"
    algorithm: hmac-sha256
    secret: %s
remote:
  - id: primary
    address: %s
    key: "%s"
acl:
  - id: notify
    key: "%s"
    action: notify
template:
  - id: member
    storage: "%s"
    master: primary
    acl: notify
zone:
  - domain: %s
    storage: "%s"
    master: primary
    acl: notify
    catalog-role: interpret
    catalog-template: member
""" % (self.address, where, where, key.name, key.secret, PRIMARY, key.name, key.name, where, CATALOG, where)
        os.makedirs(where + "/db")
        super().__init__(["knotd", "-c", servers.write(os.path.join(where, "knot.conf"), conf)], where, "knot")


def serial(address, zone):
    """What it answers with authority; None: it does not."""
    try:
        answer = servers.ask(53, zone, "SOA", address=address, timeout=2)
    except (dns.exception.DNSException, OSError):
        return None
    found = [r.serial for s in answer.answer if s.rdtype == dns.rdatatype.SOA for r in s]
    return found[0] if found else None


@pytest.mark.parametrize("consumer", [BindConsumer, KnotConsumer], ids=lambda c: c.name)
def test_a_consumer(port_53, consumer, repo, primary, started, make_key, need, tmp_path, program):
    need({"bind": "named", "knot": "knotd"}[consumer.name], "ip")
    if consumer is BindConsumer:  # it wants it to be an interface's; then whoever asks it does so from that address, too
        subprocess.run(["ip", "address", "replace", consumer.address + "/32", "dev", "lo"], check=True)
    key = make_key("%s.%s._transfer" % (PRIMARY, consumer.address))
    writer = make_key("me._update")
    repo.commit({"_keys": key.line + writer.line, "example.org": ZONE % 1, "example.net": ZONE % 1})
    served = primary(repo, "--catalog=" + CATALOG, "--zones-by-update", zones=["example.org"], port=53)
    where = tmp_path / consumer.name
    where.mkdir()
    peer = started(consumer(str(where), key))

    def await_serials(**wanted):
        for zone, value in wanted.items():
            zone = zone.replace("_", ".")
            peer.await_true("%s has serial %s" % (zone, value), lambda z=zone, v=value: serial(consumer.address, z) == v, 30)
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
        program("oupdate", PRIMARY, "--zone=example.org", *option, env={"ORIGIN_KEY": writer.argument}, status=0)
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
