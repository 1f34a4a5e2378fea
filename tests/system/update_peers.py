"""BIND and Knot as primaries that take updates, to be held against ours."""
import os

import dns.name
import dns.query
import dns.rdatatype
import dns.tsigkeyring
import dns.xfr
import dns.zone

import servers


class Bind(servers.Process):
    """With the checks that it makes of its own accord."""
    name = "bind"

    def __init__(self, work, zones, key):
        self.port = servers.free_port()
        conf = ['options { directory "%s"; pid-file "%s/pid"; session-keyfile "%s/session.key"; dnssec-validation no;' % (work, work, work),
                ' listen-on port %d { %s; }; listen-on-v6 { none; }; recursion no; notify no; querylog no; };' % (self.port, servers.ADDRESS),
                'controls { };', 'key "%s" { algorithm hmac-sha256; secret "%s"; };' % (key.name, key.secret)]
        for zone, text in zones.items():
            servers.write(os.path.join(work, zone), text)
            conf.append('zone "%s" { type primary; file "%s"; allow-update { key "%s"; }; allow-transfer { any; }; };' % (zone, zone, key.name))
        super().__init__(["named", "-g", "-n", "1", "-c", servers.write(os.path.join(work, "named.conf"), "\n".join(conf))], work, "bind")


class Knot(servers.Process):
    name = "knot"

    def __init__(self, work, zones, key):
        self.port = servers.free_port()
        os.makedirs(work + "/db")
        conf = ['server:', '  listen: %s@%d' % (servers.ADDRESS, self.port), '  rundir: "%s"' % work, '  udp-workers: 1', '  tcp-workers: 1',
                '  background-workers: 1', 'database:', '  storage: "%s/db"' % work, '  journal-db-max-size: 64M', '  kasp-db-max-size: 16M',
                '  timer-db-max-size: 16M', 'log:', '  - target: stderr', '    any: info', 'key:', '  - id: "%s"' % key.name,
                '    algorithm: hmac-sha256', '    secret: %s' % key.secret, 'acl:', '  - id: writer', '    key: "%s"' % key.name,
                '    action: [update, transfer]', '  - id: reader', '    action: transfer', 'template:', '  - id: default',
                '    storage: "%s"' % work, '    zonefile-sync: -1', '    acl: [writer, reader]', '    journal-max-usage: 1M', 'zone:']
        for zone, text in zones.items():
            servers.write(os.path.join(work, zone), text)
            conf += ['  - domain: "%s"' % zone, '    file: "%s"' % zone]
        super().__init__(["knotd", "-c", servers.write(os.path.join(work, "knot.conf"), "\n".join(conf) + "\n")], work, "knot")


def start(kind, work, zones, key):
    """A peer that serves all zones, {name: text}."""
    where = os.path.join(str(work), kind.name)
    os.makedirs(where)
    peer = kind(where, zones, key)
    for zone in zones:
        peer.await_true("%s is served" % zone, lambda z=zone: servers.serial_served(peer.port, z) is not None)
    return peer


def records(port, zone, key=None):
    """All records of a zone as texts, relative to it; the SOA, which each server counts in its own way, without serial."""
    found = dns.zone.Zone(zone)
    ring = dns.tsigkeyring.from_text({key.name: key.secret}) if key else None
    query, _ = dns.xfr.make_query(found, keyring=ring, keyname=key.name if key else None)
    dns.query.inbound_xfr(servers.ADDRESS, found, query, port=port, timeout=10)
    out = set()
    for name, ttl, rdata in found.iterate_rdatas():
        text = rdata.to_text(origin=dns.name.from_text(zone), relativize=True)
        if rdata.rdtype == dns.rdatatype.SOA:
            text = " ".join(w for i, w in enumerate(text.split()) if i != 2)
        out.add("%s %d %s %s" % (name, ttl, dns.rdatatype.to_text(rdata.rdtype), text))
    return out
