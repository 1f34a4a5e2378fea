"""UPDATE messages of dnspython's, what is answered to them, and the zone that they are tried on."""
import socket

import dns.message
import dns.query
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update

import servers

ZONE = """; The example zone, as somebody keeps it by hand.
$TTL 1h
@       SOA  ns1 hostmaster (
             7       ; serial
             1d 2h 4w 1h )
        NS   ns1
        NS   ns2            ; the other one

; name servers
ns1     A    192.0.2.1
ns2     A    192.0.2.2

; the web
www     A    192.0.2.80     ; front
        A    192.0.2.81
        AAAA 2001:db8::80
mail    MX   10 mx
mx      A    192.0.2.25
"""


def zone_of(serial):
    return ZONE.replace("7       ; serial", "%d       ; serial" % serial)


def push_serial(repo, serial):
    repo.commit({"example": zone_of(serial)})


def update_of(key, zone="example"):
    """An UPDATE of dnspython's, to be signed with the key."""
    ring = dns.tsigkeyring.from_text({key.name: key.secret}) if key else None
    return dns.update.Update(zone, keyring=ring, keyname=key.name if key else None,
                             keyalgorithm=getattr(dns.tsig, "HMAC_" + key.algorithm) if key else None)


def send(served, update, *, tcp=True):
    return (dns.query.tcp if tcp else dns.query.udp)(update, servers.ADDRESS, port=served.port, timeout=30)


def addresses(served, name):
    answer = served.ask(name, "A")
    return sorted(r.address for s in answer.answer if s.rdtype == dns.rdatatype.A for r in s)


def add(key, name, address, ttl=60, zone="example"):
    update = update_of(key, zone)
    update.add(name, ttl, "A", address)
    return update


def extended_error(answer):
    """(code, text) of RFC 8914, or None."""
    for option in answer.options:
        if option.otype == 15:
            return option.code, option.text or ""
    return None


def with_edns(update):
    update.use_edns(0, payload=1232)
    return update


def ring(key):
    return dns.tsigkeyring.from_text({key.name: key.secret})


def mac(wire, key):
    return dns.message.from_wire(wire, keyring=ring(key)).mac


def send_octets(served, wire):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(30)
        s.sendto(wire, (servers.ADDRESS, served.port))
        return s.recv(4096)
