"""The same updates to BIND, Knot and us: the same answers, and the same records left."""
import dns.rcode
import pytest

import update_peers
from updates import send, update_of

ZONE = """$TTL 300
@ SOA ns1 hostmaster 10 3600 600 86400 300
@ NS ns1
@ NS ns2.example.net.
ns1 A 192.0.2.1
www A 192.0.2.2
alias CNAME www
sub NS ns.sub
ns.sub A 192.0.2.3
old DNAME example.net.
single TXT "one"
"""
SOA = "@ SOA ns1 hostmaster 10 3600 600 86400 300"
# name: messages, each "add NAME TTL TYPE RDATA" or "del NAME [TYPE [RDATA]]" a line
CASES = {
    # RFC 2136 3.4.2.3, 3.4.2.4: the SOA is not deleted by these, and the rest is done
    "soa-that-is-not-there": ["del @ SOA ns1 hostmaster 7 3600 600 86400 300"],
    "soa-that-is-there": ["del " + SOA],
    "soa-rrset": ["del @ SOA"],
    "soa-rrset-and-more": ["del @ SOA\nadd new 60 TXT x"],
    "soa-and-more": ["del " + SOA + "\nadd new 60 TXT x"],
    "soa-added-and-deleted": ["add @ 300 SOA ns1 hostmaster 20 3600 600 86400 300\ndel @ SOA ns1 hostmaster 20 3600 600 86400 300"],
    "soa-deleted-and-added": ["del @ SOA\nadd @ 300 SOA ns1 other 20 3600 600 86400 300"],
    "soa-below-the-apex": ["add x 300 SOA ns1 hostmaster 20 3600 600 86400 300\nadd y 60 TXT x"],
    "soa-below-a-cut-deleted": ["del sub SOA\nadd y 60 TXT x"],
    "name-apex": ["add @ 60 TXT x", "del @\nadd y 60 TXT x"],
    "ns-rrset": ["del @ NS\nadd y 60 TXT x"],
    "ns-one-by-one": ["del @ NS ns1", "del @ NS ns2.example.net.\nadd y 60 TXT x"],
    "ns-both": ["del @ NS ns1\ndel @ NS ns2.example.net."],
    "ns-replaced": ["del @ NS\nadd @ 300 NS ns3.example.net.\ndel @ NS ns1\ndel @ NS ns2.example.net."],
    # delegations, in any order
    "cut-before-glue": ["add new 60 NS ns.new", "add ns.new 60 A 192.0.2.9"],
    "glue-before-cut": ["add ns.new 60 A 192.0.2.9", "add new 60 NS ns.new"],
    "glue-deleted-first": ["del ns.sub A", "del sub NS"],
    "cut-deleted-first": ["del sub NS", "del ns.sub A"],
    "ns-to-nothing-below": ["add new 60 NS nothing"],
    "ns-to-nothing-at-the-apex": ["add @ 300 NS nothing"],
    "address-of-the-apex-ns-deleted": ["del ns1 A"],
    "all-ns-without-address": ["del @ NS ns2.example.net.", "del ns1 A"],
    "ns-to-an-alias-below": ["add new 60 NS alias"],
    "ns-to-an-alias-at-the-apex": ["add @ 300 NS alias"],
    "ns-target-becomes-an-alias": ["del ns1\nadd ns1 60 CNAME www"],
    "ns-root": ["add new 60 NS ."],
    "ns-at-a-wildcard": ["add *.w 60 NS ns1"],
    "ds-without-cut": ["add new 60 DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000"],
    "ds-at-the-apex": ["add @ 60 DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000"],
    "data-at-a-cut": ["add sub 60 TXT x"],
    "data-below-a-cut": ["add x.sub 60 TXT x"],
    "cut-above-data": ["add a.b 60 A 192.0.2.7", "add b 60 NS ns1"],
    # CNAME and DNAME
    "cname-beside-data": ["add www 60 CNAME ns1\nadd y 60 TXT x"],
    "data-beside-cname": ["add alias 60 A 192.0.2.7\nadd y 60 TXT x"],
    "cname-replaced": ["add alias 60 CNAME ns1"],
    "cname-loop": ["add a 60 CNAME b", "add b 60 CNAME a"],
    "cname-at-the-apex": ["add @ 60 CNAME www\nadd y 60 TXT x"],
    "cname-to-nothing": ["add a 60 CNAME nothing"],
    "data-below-dname": ["add x.old 60 A 192.0.2.7"],
    "dname-above-data": ["add a.b 60 A 192.0.2.7", "add b 60 DNAME example.net."],
    "dname-at-a-cut": ["add sub 60 DNAME example.net."],
    "cut-at-a-dname": ["add old 60 NS ns1"],
    "dname-beside-cname": ["add alias 60 DNAME example.net."],
    "dname-replaced": ["add old 300 DNAME example.org."],
    # targets
    "mx-to-an-alias": ["add @ 60 MX 10 alias"],
    "mx-to-nothing": ["add @ 60 MX 10 nothing"],
    "mx-to-an-address": ["add @ 60 MX 10 192.0.2.1."],
    "srv-to-nothing": ["add _x._tcp 60 SRV 0 0 1 nothing"],
    "odd-name": ["add a,b 60 A 192.0.2.7"],
    "underscored-host": ["add a_b 60 A 192.0.2.7"],
    "ttls-of-a-set": ["add www 900 A 192.0.2.9"],
    "rare-types": ["add a 60 TYPE65400 \\# 3 010203\nadd b 60 SVCB 0 .\nadd c 60 CAA 0 issue \"x\""],
    "wildcards": ["add * 60 A 192.0.2.7\nadd a.*.b 60 TXT x"],
    # what is the signer's; what clients send
    "rrsig-added": ["add www 60 RRSIG A 13 2 60 20300101000000 20200101000000 1 @ AAAA\nadd y 60 TXT x"],
    "nsec-added": ["add www 60 NSEC x A\nadd y 60 TXT x"],
    "rrsig-deleted": ["del www RRSIG\nadd y 60 TXT x"],
    "ttl-too-large": ["add a 2147483648 A 192.0.2.7"],
    "soa-older": ["add @ 300 SOA ns1 hostmaster 9 1 1 1 1\nadd y 60 TXT x"],
    "soa-equal": ["add @ 300 SOA ns1 hostmaster 10 1 1 1 1\nadd y 60 TXT x"],
    "soa-newer": ["add @ 300 SOA ns1 hostmaster 100 3600 600 86400 300"],
    "soa-mname-nowhere": ["add @ 300 SOA nothing nobody 100 3600 600 86400 300"],
    "type-of-old": ["add a 60 SPF x\nadd b 60 HINFO a b\nadd c 60 WKS 192.0.2.1 6 25"],
    "spf-twice": ["add @ 60 TXT \"v=spf1 -all\"\nadd @ 60 TXT \"v=spf1 ~all\""],
    "ptr": ["add 1 60 PTR www\nadd 1 60 PTR ns1"],
    "glue-of-a-sibling": ["add one 60 NS ns.two", "add two 60 NS ns.one", "add ns.two 60 A 192.0.2.9"],
    "glue-v6-only": ["add new 60 NS ns.new\nadd ns.new 60 AAAA ::1"],
    "acme": ["add _acme-challenge.www 60 TXT \"token\"", "del _acme-challenge.www TXT \"token\""],
    "dhcid": ["add h 60 A 192.0.2.7\nadd h 60 DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="],
}


def message(key, zone, text):
    update = update_of(key, zone)
    for line in text.split("\n"):
        word, *rest = line.split(" ")
        if word == "add":
            update.add(rest[0], int(rest[1]), rest[2], " ".join(rest[3:]))
        else:
            update.delete(*rest[:2], *([" ".join(rest[2:])] if rest[2:] else []))
    return update


def outcome(server, key, zone, messages):
    codes = [dns.rcode.to_text(send(server, message(key, zone, text)).rcode()) for text in messages]
    return codes, update_peers.records(server.port, zone, key)


# Where BIND and Knot differ, and what both do that we do not: whom we follow (None: nobody), and why.
DIFFERENCES = {
    "ns-to-nothing-at-the-apex": ("knot", "RFC 2136 does not refuse it, and another NS leads somewhere"),
    "address-of-the-apex-ns-deleted": ("knot", "likewise"),
    "ns-to-an-alias-at-the-apex": ("knot", "likewise"),
    "ns-target-becomes-an-alias": ("knot", "likewise"),
    "all-ns-without-address": ("bind", "nobody would find the zone, and BIND would not read it again"),
    "rrsig-added": ("bind", "RFC 3007 4.3: signatures are the signer's"),
    "nsec-added": ("bind", "likewise"),
    "rrsig-deleted": ("bind", "likewise"),
    "ns-at-a-wildcard": ("knot", "RFC 4592 4.2 leaves it undefined; BIND passes it over"),
    "ds-without-cut": ("knot", "RFC 2136 does not pass it over; BIND does"),
    "ds-at-the-apex": ("knot", "likewise"),
    "data-below-dname": ("knot", "RFC 6672 2.4: nothing may be there"),
    "dname-above-data": ("knot", "likewise"),
    "dname-at-a-cut": ("knot", "RFC 6672 2.3: not at the owner of a NS RRset"),
    "cut-at-a-dname": (None, "likewise; Knot takes it in this order, and then refuses the zone when it reads it"),
    "mx-to-an-alias": ("knot", "RFC 2136 does not refuse it"),
    "mx-to-nothing": ("knot", "likewise"),
    "odd-name": ("knot", "RFC 2181 11: any octets make a name"),
    "underscored-host": ("knot", "likewise"),
}
# Knot leaves the zone as it is, as we do: 3.2 answers REFUSED, 3.4 NOERROR.
PASSED_OVER = {("knot", "data-below-dname"), ("knot", "dname-above-data"), ("knot", "dname-at-a-cut")}
CRASHES = {"soa-below-the-apex", "dname-replaced"}  # of Knot 3.2.6, an assertion


def test_peers(primary, repo, started, make_key, need, tmp_path):
    need("named", "knotd")
    key = make_key("me._update.example")
    zones = {name: "%s.example" % name for name in CASES}
    texts = {zone: ZONE for zone in zones.values()}
    repo.commit({**texts, "_keys": key.line})
    served = primary(repo, zones=list(texts))
    bind, knot = (started(update_peers.start(kind, tmp_path, texts, key)) for kind in (update_peers.Bind, update_peers.Knot))
    wrong = []
    for name, messages in CASES.items():
        ours = outcome(served, key, zones[name], messages)
        theirs = {peer.name: outcome(peer, key, zones[name], messages) for peer in (bind, knot) if peer is bind or name not in CRASHES}
        follows, _ = DIFFERENCES.get(name, ("", ""))
        is_same = {peer: ours == what or ((peer, name) in PASSED_OVER and ours[1] == what[1]) for peer, what in theirs.items()}
        if is_same != {peer: follows in ("", peer) for peer in theirs}:
            wrong.append((name, ours[0], [(peer, codes, sorted(left ^ ours[1])) for peer, (codes, left) in theirs.items()]))
    assert not wrong, "\n".join(map(str, wrong))
    served.stop()
