"""oacme and the name servers of a zone: all of them are asked before the authority is told, whatever they do."""
import os
import re
import signal
import time

import dns.rcode
import pytest

import name_servers
import secondaries
import servers
import small_ca
from certificate_world import ZONE, World, assert_clean, await_certificate, names_of
from name_servers import NameServer

LIMIT_S = 240
LAGGING = "127.0.0.9"


@pytest.fixture
def world(port_53, need, started, bindir, repo, primary, secondary, tmp_path, make_key):
    need("openssl")
    return World(started, bindir, repo, primary, secondary, tmp_path, make_key)


@pytest.fixture
def ca(tmp_path):
    where = tmp_path / "ca"
    where.mkdir()
    with small_ca.running(where, servers=[("127.0.0.1", 53)]) as running:
        yield running
        assert running.complaints == []


def begin(world, ca, keys=None):
    acme = world.oacme("--ca-file=" + ca.root_file, keys=keys, directory=ca.directory)
    acme.await_log("event=ready")
    return acme


def serve(world, serial, zones, *keys):
    """The zones {name: text} besides the keys that the world has."""
    world.repo.commit({**zones, "_keys": "".join(k.line for k in keys)})
    world.primary.hangup()
    for zone in zones:
        world.primary.await_serial(zone, serial)


def seen(acme, host):
    return re.search(r"event=proofs-seen host=%s\s" % re.escape(host), acme.log())


def request(wish):
    """Its signing request, for the file of a zone: no UPDATE, no commit."""
    return "%s. 300 TLSA 3 255 0 %s\n" % (wish.owner, wish.csr().hex())


def test_sets_too_large_for_udp(world, ca, make_key, need, started):
    """A name with many TXT records, and several names whose proofs are at such a one: our primary, our secondary and NSD give them over
    TCP."""
    need("nsd")
    make = secondaries.Nsd
    to = make_key("127.0.0.1.%s._transfer.example" % make.address, algorithm=make.algorithm)
    names = ["n%d.many.example" % n for n in range(6)]
    wishes = [world.wish("www.example"), world.wish("many.example", names)]
    serve(world, 2, {"example": ZONE % (2, "@ NS ns3\nns3 A %s\n" % make.address) + "".join(request(w) for w in wishes) +
                     "".join('%s TXT "%s %d"\n' % (at, "x" * 80, n) for n in range(50) for at in ("_acme-challenge.www", "all")) +
                     "".join("_acme-challenge.%s. CNAME all.example.\n" % n for n in names)}, to)
    other = started(make(world.work, {"example": to}))
    other.await_serial("example", 2)
    ca.servers = [("127.0.0.1", 53), ("127.0.0.2", 53), (make.address, 53)]
    acme = begin(world, ca)
    for wish in wishes:
        assert names_of(await_certificate(acme, wish)) == sorted(wish.names)
        acme.await_true("remarks are gone", lambda w=wish: w.status() == [], 30)
    assert len(wishes[0].proofs()) == len(wishes[0].records("all.example", "TXT")) == 50
    assert "name-server-silent" not in acme.log()
    acme.stop()


TROUBLES = {  # name server: what it does, and what is said about it
    "dead": (None, None, "does not answer"),
    "silent": (name_servers.keeps_silent, None, "does not answer"),
    "refusing": (name_servers.says(dns.rcode.REFUSED), None, "answers REFUSED"),
    "failing": (name_servers.says(dns.rcode.SERVFAIL), None, "answers SERVFAIL"),
    "babbling": (name_servers.babbles, None, "does not answer"),
    "cutting": (name_servers.cuts, None, "does not answer over TCP, and has too many records there for UDP"),
    "babbling-over-tcp": (name_servers.cuts, name_servers.babbles, "does not answer over TCP, and has too many records there for UDP"),
    "failing-over-tcp": (name_servers.cuts, name_servers.says(dns.rcode.SERVFAIL), "answers SERVFAIL"),
}


def zone_with(servers_of, wish):
    return ("$TTL 60\n@ SOA ns1 host 1 3600 600 86400 60\n" + request(wish) +
            "".join("@ NS ns%d\nns%d A %s\n" % (n, n, a) for n, a in enumerate(servers_of, 1)))


def test_one_of_two_is_in_trouble(world, ca, make_key, started):
    """It is passed over after half a minute, and that is said.  The only one of a zone is not."""
    keys, zones, wishes = [world.key], {}, {}
    refusing = "127.0.0.100"
    started(NameServer(refusing, name_servers.says(dns.rcode.REFUSED)))
    for number, zone in enumerate([*TROUBLES, "alone"], 101):
        address, apex = "127.0.0.%d" % number, zone + ".test"
        udp, tcp, _ = TROUBLES.get(zone, (None, None, None))
        if udp is not None:
            started(NameServer(address, udp, tcp))
        keys.append(make_key("me._update." + apex))
        wishes[zone] = world.wish("www." + apex, ["www." + apex, "a.www." + apex], key=keys[-1], zone=apex)
        zones[apex] = zone_with([refusing] if zone == "alone" else ["127.0.0.1", address], wishes[zone])
    serve(world, 1, zones, *keys[1:])
    acme = begin(world, ca, keys)
    alone = wishes.pop("alone")
    for zone, wish in wishes.items():
        await_certificate(acme, wish, LIMIT_S)
        assert_clean(acme, wish)
        said = re.findall(r'event=name-server-silent host=%s .*?"(.*?)"' % re.escape(wish.host), acme.log())
        assert said == ["name server ns2.%s.test %s" % (zone, TROUBLES[zone][2])], acme.log_tail()
    assert alone.proofs() != [] and not seen(acme, alone.host)
    assert all(a.status == "pending" for a in ca.authorizations.values() if a.name in alone.names)
    acme.stop()


def test_one_lags(world, ca, make_key, secondary):
    """A secondary has the zone as it was before: the authority is not told until it has the proof."""
    first, second = make_key("ours._transfer.example"), make_key("127.0.0.8.%s._transfer.example" % LAGGING)
    serve(world, 2, {"example": ZONE % (2, "@ NS ns3\nns3 A %s\n" % LAGGING)}, first, second)
    middle = secondary([first, second], "--user=root", primaries=["127.0.0.1@53"], port=53, address="127.0.0.8")
    middle.await_serial("example", 2)
    last = secondary([second], "--user=root", primaries=["127.0.0.8@53"], port=53, address=LAGGING)
    last.await_serial("example", 2)
    ca.servers = [("127.0.0.1", 53), ("127.0.0.2", 53), (LAGGING, 53)]
    acme, wish = begin(world, ca), world.wish("www.example")
    os.kill(middle.pid, signal.SIGSTOP)
    try:
        wish.ask()
        acme.await_log("event=proofs-written host=www.example")
        time.sleep(5)  # in which nothing is to happen
        assert servers.ask(53, "_acme-challenge.www.example", "TXT", address="127.0.0.2").answer
        assert not servers.ask(53, "_acme-challenge.www.example", "TXT", address=LAGGING).answer
        assert not seen(acme, "www.example") and ca.count("challenge") == 0
    finally:
        os.kill(middle.pid, signal.SIGCONT)
    await_certificate(acme, wish)
    assert_clean(acme, wish)
    assert "name-server-silent" not in acme.log()
    for server in acme, last, middle:
        server.stop()
