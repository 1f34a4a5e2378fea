"""Answers that generated zones seldom ask for: several DNAMEs, services in alias mode, sizes at the edge; NSD, Knot and BIND beside us."""
import socket
import struct

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype as rt
import pytest

import compare
import delv
import servers
import zonegen
from updates import ZONE, addresses, update_of

ALIASES = """$ORIGIN example.
$TTL 3600
@ SOA ns1 hostmaster 7 7200 3600 1209600 300
@ NS ns1
ns1 A 192.0.2.1
x A 192.0.2.2
l DNAME @
to CNAME x.l.l
p DNAME q
q DNAME l.l
svc HTTPS 0 pool
svc2 HTTPS 0 svc
pool HTTPS 1 . alpn=h2
pool A 192.0.2.20
ring1 SVCB 0 ring2
ring2 SVCB 0 ring1
ring2 A 192.0.2.21
"""


@pytest.fixture
def all_four(primary, repo, peer, tmp_path):
    """all_four({zone: text}) → ours, then {name: port} of the peers."""
    def start(zones, names=tuple(servers.PEERS)):
        files = {}
        for zone, text in zones.items():
            path = tmp_path / ("%s.zone" % zone)
            path.write_text(text)
            files[zone] = str(path)
        repo.commit(zones)
        ours = primary(repo, zones=list(zones))
        return ours, {name: peer(name, files).port for name in names}
    return start


def records(answer):
    """How often each record stands in each section."""
    m = dns.message.from_wire(answer, one_rr_per_rrset=True)
    return [[r.to_text() for r in section] for section in (m.answer, m.authority, m.additional)]


def octets(port, name, rdtype, **more):
    """The answer over TCP as it came."""
    query = dns.message.make_query(name, rdtype, **more).to_wire()
    with socket.create_connection((servers.ADDRESS, port), timeout=10) as s:
        s.sendall(struct.pack("!H", len(query)) + query)
        stream = s.makefile("rb")
        return stream.read(struct.unpack("!H", stream.read(2))[0])


@pytest.mark.parametrize("name,rdtype", [
    ("x.l.l.l.example", "A"), ("to.example", "A"), ("x.p.example", "A"), ("x.p.l.example", "A"), ("nx.l.l.example", "A"),
    ("l.l.l.example", "DNAME"), ("l.l.example", "TXT"), ("ns1.l.l.l.example", "AAAA")])
def test_each_record_once(all_four, name, rdtype):
    """RFC 6672 3.2, RFC 2181 5: through one DNAME again and again, the answer has it once, and ends where the peers' ends."""
    ours, peers = all_four({"example": ALIASES})
    mine = octets(ours.port, name, rdtype)
    for section in records(mine):
        assert len(section) == len(set(section)), section
    for peer, port in peers.items():
        theirs = compare.Answer(octets(port, name, rdtype))
        assert compare.Answer(mine).answer == theirs.answer, peer
        assert compare.Answer(mine).rcode == theirs.rcode, peer
        print(peer, len(theirs.wire), "ours", len(mine))
    ours.stop()


@pytest.mark.parametrize("name,rdtype,wanted", [
    ("svc.example", "HTTPS", ["pool.example. 3600 IN HTTPS 1 . alpn=\"h2\"", "pool.example. 3600 IN A 192.0.2.20"]),
    ("svc2.example", "HTTPS", ["svc.example. 3600 IN HTTPS 0 pool.example.", "pool.example. 3600 IN HTTPS 1 . alpn=\"h2\"",
                               "pool.example. 3600 IN A 192.0.2.20"]),
    ("pool.example", "HTTPS", ["pool.example. 3600 IN A 192.0.2.20"]),
    ("ring1.example", "SVCB", ["ring2.example. 3600 IN SVCB 0 ring1.example.", "ring2.example. 3600 IN A 192.0.2.21"])])
def test_services(all_four, name, rdtype, wanted):
    """RFC 9460 4.1: the target's RRset of the type, then addresses.  What a peer adds, we do, too."""
    ours, peers = all_four({"example": ALIASES})
    added = records(octets(ours.port, name, rdtype))[2]
    assert added == wanted
    for peer, port in peers.items():
        assert set(records(octets(port, name, rdtype))[2]) <= set(added), peer
    ours.stop()


def test_an_rrset_that_fits_into_no_message(all_four):
    """There is no transport to send the client to: SERVFAIL, as of Knot; neither half an answer nor TC over TCP, as of NSD.  (BIND does
    not load such a zone.)  The rest of it is served."""
    text = " ".join(['"%s"' % ("x" * 200)] * 5)
    big = "".join('big TXT %d %s\n' % (i, text) for i in range(80))
    ours, peers = all_four({"example": ALIASES + big}, names=["knot"])
    mine = compare.Answer(octets(ours.port, "big.example", "TXT"))
    theirs = compare.Answer(octets(peers["knot"], "big.example", "TXT"))
    assert (mine.rcode, mine.tc, mine.answer) == (dns.rcode.SERVFAIL, False, {})
    assert theirs.rcode == dns.rcode.SERVFAIL
    assert addresses(ours, "x.example") == ["192.0.2.2"]
    ours.stop()


@pytest.mark.parametrize("size", [4000, 4200, 20000, 60000])
def test_an_update_in_a_large_datagram(primary, repo, make_key, size):
    """It goes without asking what we take; silence would have it come again and again."""
    key = make_key("me._update.example")
    repo.commit({"example": ZONE, "_keys": key.line})
    ours = primary(repo, zones=["example"])
    update = update_of(key)
    for i in range(size // 240):
        update.add("t%d" % (i % 50), 60, "TXT", '"%d %s"' % (i, "x" * 200))
    wire = update.to_wire(max_size=65535)
    assert abs(len(wire) - size) < size / 10
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(30)
        s.sendto(wire, (servers.ADDRESS, ours.port))
        answer = dns.message.from_wire(s.recv(4096), keyring=update.keyring, request_mac=update.mac)
    assert answer.rcode() == dns.rcode.NOERROR
    assert ours.ask("t0.example", "TXT", tcp=True).answer[0].rdtype == rt.TXT
    ours.stop()


MANY_ITERATIONS = """$ORIGIN many.
$TTL 60
@ SOA ns1 hostmaster 7 7200 3600 1209600 300
@ NS ns1
ns1 A 192.0.2.1
*.w A 192.0.2.2
sub NS ns.example.net.
"""


@pytest.mark.parametrize("iterations,denial", [(50, "negative response, fully validated"), (151, "negative response, unsigned answer"),
                                               (2500, "negative response, unsigned answer")])
def test_many_iterations(primary, repo, tmp_path, need, iterations, denial):
    """RFC 9276 3.2: a validator takes a zone with many iterations for insecure once it has seen a signed NSEC3 that has them; without one
    the answer would be bogus.  So each denial has one, and what is there stays valid."""
    need("ldns-signzone", "delv")
    plain = tmp_path / "plain"
    plain.write_text(MANY_ITERATIONS)
    key = zonegen.run(["ldns-keygen", "-k", "-a", "ECDSAP256SHA256", "many."], str(tmp_path)).strip()
    zonegen.run(["ldns-signzone", "-n", "-s", "aabb", "-t", str(iterations), "-f", "signed", str(plain), key], str(tmp_path))
    repo.commit({"many": (tmp_path / "signed").read_text()})
    ours = primary(repo, zones=["many"])
    assert ("many-iterations" in ours.log()) == (iterations > 150)
    keys = dns.query.tcp(dns.message.make_query("many.", "DNSKEY"), servers.ADDRESS, port=ours.port).answer[0]
    anchor_file = delv.anchors(str(tmp_path), "many.", [k.to_text().split() for k in keys])

    def judged(name, rdtype):
        said = delv.delv(ours.port, anchor_file, "many.", name, rdtype)
        return [line[2:] for line in said.splitlines() if line.startswith("; ")][0]
    assert judged("ns1.many.", "A") == "fully validated"
    assert judged("x.y.z.many.", "A") == denial
    assert judged("ns1.many.", "AAAA") == denial
    assert judged("w.many.", "AAAA") == denial
    assert judged("x.w.many.", "A") == denial.replace("negative response, ", "")
    ours.stop()
