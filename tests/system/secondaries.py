"""Secondaries of other makes, on port 53 of an address each or where a test wants them, fed by a primary on 127.0.0.1: nothing of a zone is
theirs but its name.

All of them take NOTIFY with their own key or, for the zones of `plain` and those without a key, unsigned from the primary's address; write
what they have to disk at once; keep it over a restart; and let the tests transfer it from them.
"""
import contextlib
import os
import re
import socket
import sqlite3

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone

import compare
import servers

PORT = 53
PRIMARY = servers.ADDRESS
TRANSFER_LIMIT_S = 30


class Secondary(servers.Process):
    """`zones`: {zone: key to transfer it with; None: unsigned}; `plain`: those with a key that NOTIFY comes unsigned for; `catalog`: the one
    of them that lists more zones (RFC 9432), which are transferred with its key."""
    name = binary = address = algorithm = None
    takes_catalogs = False

    def __init__(self, work, zones, plain=(), catalog=None, port=PORT, address=None):
        self.work, self.zones, self.catalog = os.path.join(work, self.name), zones, catalog
        self.plain = {*plain, *(z for z, k in zones.items() if k is None)}
        self.port, self.address = port, address or self.address
        assert catalog is None or self.takes_catalogs
        os.makedirs(self.work, exist_ok=True)
        self.keys = sorted(set(zones.values()) - {None}, key=lambda k: k.name)
        super().__init__(self.configure(), self.work, self.name)
        try:
            self.await_true("it answers", lambda: servers.is_listening(self.port, self.address))
        except BaseException:
            self.kill()
            raise

    def configure(self):
        """Writes the configuration, with what an earlier run has left still there; returns the command, which stays in the foreground."""
        raise NotImplementedError

    def path(self, name):
        return os.path.join(self.work, name)

    def write(self, name, lines):
        return servers.write(self.path(name), "\n".join(lines) + "\n")

    def serial(self, zone):
        return servers.serial_served(self.port, zone, self.address)

    def await_serial(self, zone, serial, limit_s=TRANSFER_LIMIT_S):
        self.await_true("%s has serial %s, not %s" % (zone, serial, self.serial(zone)), lambda: self.serial(zone) == serial, limit_s)

    def leave(self):
        """Ends, with what it has on disk."""
        for zone in self.zones:
            serial = self.serial(zone)
            self.await_true("%s is on disk" % zone, lambda z=zone, s=serial: self.is_kept(z, s))
        self.end()

    def is_kept(self, zone, serial):
        """Is a version on disk?  Most see to it when they end."""
        return True

    def records(self, zone):
        def attempt():
            with contextlib.suppress(ConnectionResetError):  # NSD's children that make room for a new version cut what they are at
                return transfer(self.address, zone, self.port)
            return None
        return self.await_true("%s gives %s" % (self.name, zone), attempt)


class Bind(Secondary):
    name, binary, address, algorithm = "bind", "named", "127.0.0.2", "SHA256"
    takes_catalogs = True

    def configure(self):
        conf = ['options {', ' directory "%s";' % self.work, ' pid-file "%s";' % self.path("pid"),
                ' session-keyfile "%s";' % self.path("session.key"), ' listen-on port %d { %s; };' % (self.port, self.address),
                ' listen-on-v6 { none; };', ' recursion no;', ' notify no;', ' transfer-source %s;' % self.address,
                ' allow-transfer { any; };', ' request-ixfr yes;', ' check-names secondary ignore;', ' masterfile-format text;',
                ' zero-no-soa-ttl no;', ' min-retry-time 1;', ' max-records-per-type 0;', ' dnssec-validation no;',
                ' serial-query-rate 1000;', ' transfers-in 20;', ' transfers-per-ns 20;', *self.catalog_options(), '};', 'controls { };']
        conf += ['key "%s" { algorithm hmac-%s; secret "%s"; };' % (k.name, k.algorithm.lower(), k.secret) for k in self.keys]
        for zone, key in self.zones.items():
            signed = ' key "%s"' % key.name if key is not None else ""
            conf.append('zone "%s" { type secondary; file "%s.zone"; primaries { %s port %d%s; }; %s };' % (
                zone, zone, PRIMARY, PORT, signed, "" if zone in self.plain else 'allow-notify { key "%s"; };' % key.name))
        return ["named", "-g", "-n", "1", "-c", self.write("named.conf", conf)]

    def catalog_options(self):
        if self.catalog is None:
            return []
        return [' catalog-zones { zone "%s" default-primaries { %s port %d key "%s"; } in-memory yes min-update-interval 0; };' % (
            self.catalog, PRIMARY, PORT, self.zones[self.catalog].name)]


class Knot(Secondary):
    name, binary, address, algorithm = "knot", "knotd", "127.0.0.3", "SHA384"
    takes_catalogs = True

    def configure(self):
        os.makedirs(self.path("db"), exist_ok=True)
        conf = ['server:', '  listen: %s@%d' % (self.address, self.port), '  rundir: "%s"' % self.work, '  udp-workers: 1',
                '  tcp-workers: 1', '  background-workers: 2', 'database:', '  storage: "%s"' % self.path("db"),
                '  journal-db-max-size: 64M', '  kasp-db-max-size: 16M', '  timer-db-max-size: 16M', '  catalog-db-max-size: 64M', 'log:',
                '  - target: stderr', '    any: info', 'key:']
        for k in self.keys:
            conf += ['  - id: %s' % k.name, '    algorithm: hmac-%s' % k.algorithm.lower(), '    secret: %s' % k.secret]
        conf += ['remote:', '  - id: by-nobody', '    address: %s@%d' % (PRIMARY, PORT), '    via: %s' % self.address]
        for k in self.keys:
            conf += ['  - id: by-%s' % k.name, '    address: %s@%d' % (PRIMARY, PORT), '    via: %s' % self.address, '    key: %s' % k.name]
        conf += ['acl:', '  - id: look', '    address: %s' % PRIMARY, '    action: transfer',
                 '  - id: unsigned', '    address: %s' % PRIMARY, '    action: notify']
        for k in self.keys:
            conf += ['  - id: with-%s' % k.name, '    action: notify', '    key: %s' % k.name]
        conf += ['template:', *self.template("default")]
        conf += self.template("member") + self.origin(self.catalog) if self.catalog else []
        conf += ['zone:']
        for zone in self.zones:
            conf += ['  - domain: %s' % zone, *self.origin(zone)]
            conf += ['    catalog-role: interpret', '    catalog-template: member'] if zone == self.catalog else []
        return ["knotd", "-c", self.write("knot.conf", conf)]

    def template(self, name):
        return ['  - id: %s' % name, '    storage: "%s"' % self.work, '    zonefile-sync: 0', '    semantic-checks: off']

    def origin(self, zone):
        """Where the zone comes from, and who may tell of its changes."""
        key = self.zones[zone]
        acl = "unsigned" if zone in self.plain else "with-" + key.name
        return ['    master: by-%s' % (key.name if key is not None else "nobody"), '    acl: [look, %s]' % acl]


class Nsd(Secondary):
    name, binary, address, algorithm = "nsd", "nsd", "127.0.0.4", "SHA512"

    def configure(self):
        conf = ['server:', ' server-count: 1', ' ip-address: %s@%d' % (self.address, self.port), ' username: ""', ' zonesdir: "%s"' % self.work,
                ' zonelistfile: "%s"' % self.path("zone.list"), ' database: ""', ' verbosity: 2',
                ' xfrdfile: "%s"' % self.path("xfrd.state"),
                ' xfrdir: "%s"' % self.work, ' pidfile: "%s"' % self.path("pid"), ' rrl-ratelimit: 0', ' zonefiles-write: 1',
                ' xfrd-reload-timeout: 0', 'remote-control:', ' control-enable: no']
        for k in self.keys:
            conf += ['key:', ' name: "%s"' % k.name, ' algorithm: hmac-%s' % k.algorithm.lower(), ' secret: "%s"' % k.secret]
        for zone, k in self.zones.items():
            conf += ['zone:', ' name: "%s"' % zone, ' zonefile: "%s"' % self.path(zone + ".zone"),
                     ' request-xfr: %s@%d %s' % (PRIMARY, PORT, k.name if k is not None else "NOKEY"), ' outgoing-interface: %s' % self.address,
                     ' allow-notify: %s %s' % (PRIMARY, "NOKEY" if zone in self.plain else k.name), ' provide-xfr: %s NOKEY' % PRIMARY]
        return ["nsd", "-d", "-c", self.write("nsd.conf", conf)]

    def is_kept(self, zone, serial):
        with contextlib.suppress(FileNotFoundError), open(self.path(zone + ".zone")) as f:
            return re.search(r"\sSOA\s+\S+\s+\S+\s+\(?\s*%d\s" % serial, f.read())


class PowerDns(Secondary):
    name, binary, address, algorithm = "powerdns", "pdns_server", "127.0.0.5", "SHA1"
    takes_catalogs = True
    SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"
    METADATA = "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (%s, '%s', '%s');\n"

    def configure(self):
        conf = ['launch=gsqlite3', 'gsqlite3-database=%s' % self.path("pdns.sqlite3"), 'gsqlite3-dnssec=yes',
                'gsqlite3-pragma-synchronous=0', 'secondary=yes', 'secondary-do-renotify=no',
                'local-address=%s' % self.address, 'local-port=%d' % self.port,
                'query-local-address=%s' % self.address, 'socket-dir=%s' % self.work, 'allow-axfr-ips=%s' % PRIMARY, 'cache-ttl=0',
                'query-cache-ttl=0', 'negquery-cache-ttl=0', 'zone-cache-refresh-interval=0', 'xfr-cycle-interval=1', 'loglevel=6',
                'receiver-threads=1', 'distributor-threads=1', 'retrieval-threads=1', 'guardian=no', 'daemon=no', 'security-poll-suffix=',
                'zone-metadata-cache-ttl=0', 'domain-metadata-cache-ttl=0', 'disable-syslog=yes', 'write-pid=no']
        self.write("pdns.conf", conf)
        if not os.path.exists(self.path("pdns.sqlite3")):
            self.fill()
        return ["pdns_server", "--config-dir=" + self.work]

    def fill(self):
        with open(self.SCHEMA) as schema:
            sql = "PRAGMA journal_mode=WAL;\n" + schema.read()
        for k in self.keys:
            sql += "INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('%s', 'hmac-%s', '%s');\n" % (
                k.name, k.algorithm.lower(), k.secret)
        for i, (zone, k) in enumerate(self.zones.items(), 1):
            kind = "CONSUMER" if zone == self.catalog else "SLAVE"
            sql += "INSERT INTO domains (id, name, type, master) VALUES (%d, '%s', '%s', '%s:%d');\n" % (i, zone, kind, PRIMARY, PORT)
            sql += self.METADATA % (str(i), "AXFR-MASTER-TSIG", k.name) if k is not None else ""
            sql += self.METADATA % (str(i), "IXFR", "1") if kind == "SLAVE" else ""
        sql += self.key_for_members() if self.catalog else ""
        with contextlib.closing(sqlite3.connect(self.path("pdns.sqlite3"))) as database:
            database.executescript(sql)

    def key_for_members(self):
        """By itself it transfers zones of a catalog without a key."""
        statement = self.METADATA % ("NEW.id", "AXFR-MASTER-TSIG", self.zones[self.catalog].name)
        return "CREATE TRIGGER member AFTER INSERT ON domains BEGIN %s END;\n" % statement.strip()


MAKES = {make.name: make for make in (Bind, Knot, Nsd, PowerDns)}


# ---- records ----

def transfer(address, zone, port=PORT, key=None, timeout_s=30):
    """All records of a zone by AXFR, each as often as it came, with the SOA at the end left out: [(owner, TTL, RDATA)]."""
    query = dns.message.make_query(zone, "AXFR")
    if key is not None:
        key.sign(query)
    got, context = [], None
    with socket.create_connection((address, port), timeout_s) as tcp, tcp.makefile("rb") as stream:
        dns.query.send_tcp(tcp, query)
        while not is_whole(got):
            length = stream.read(2)
            assert len(length) == 2, "%s ended a transfer of %s after %d records" % (address, zone, len(got))
            message = dns.message.from_wire(stream.read(int.from_bytes(length, "big")), keyring=query.keyring, request_mac=query.mac,
                                            xfr=True, multi=True, tsig_ctx=context, one_rr_per_rrset=True)
            assert message.rcode() == dns.rcode.NOERROR, "%s gives no %s: %s" % (address, zone, message)
            context = message.tsig_ctx
            got += [(rrset.name, rrset.ttl, rdata) for rrset in message.answer for rdata in rrset]
    assert key is None or message.had_tsig
    return got[:-1]


def is_whole(records):
    return len(records) > 1 and records[-1][2].rdtype == dns.rdatatype.SOA


def canonical(records):
    """What of them counts, one text a record, in order."""
    return sorted("%s %d %s %s" % (owner.canonicalize(), ttl, dns.rdatatype.to_text(rdata.rdtype), compare.plain(rdata).hex())
                  for owner, ttl, rdata in records)


def read(text, zone):
    """The records of a dump: absolute, one a line, each owner given."""
    found = dns.zone.from_text(text, origin=zone, relativize=False, check_origin=False)
    return list(found.iterate_rdatas())
