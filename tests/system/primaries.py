"""Primaries of other makes, for our secondary: zones out of files, signed transfers, NOTIFY to one address and port."""
import os
import signal
import sqlite3
import subprocess

import dns.rdatatype
import dns.zone

import servers


class Primary(servers.Process):
    """`zones`: {zone: text}; `key`: that transfers and NOTIFY are signed with; `tell`: (address, port) of the secondary."""
    name = binary = None

    def __init__(self, work, zones, key, tell):
        self.work, self.zones, self.key, self.tell = os.path.join(work, self.name), list(zones), key, tell
        self.port = servers.free_port()
        os.makedirs(self.work, exist_ok=True)
        for zone, text in zones.items():
            self.write_zone(zone, text)
        super().__init__(self.configure(), self.work, self.name)
        try:
            for zone in zones:
                self.await_true("%s is served" % zone, lambda z=zone: servers.serial_served(self.port, z) is not None)
        except BaseException:
            self.kill()
            raise

    @property
    def place(self):
        return "%s@%d" % (servers.ADDRESS, self.port)

    def path(self, name):
        return os.path.join(self.work, name)

    def write(self, name, lines):
        return servers.write(self.path(name), "\n".join(lines) + "\n")

    def write_zone(self, zone, text):
        servers.write(self.path(zone + ".zone.new"), text)
        os.rename(self.path(zone + ".zone.new"), self.path(zone + ".zone"))

    def change(self, zone, text):
        self.write_zone(zone, text)
        self.reload()

    def reload(self):
        self.popen.send_signal(signal.SIGHUP)

    def configure(self):
        raise NotImplementedError


class Bind(Primary):
    name, binary = "bind", "named"
    more = ""  # options

    def configure(self):
        conf = ['options {', self.more, ' directory "%s";' % self.work, ' pid-file "%s";' % self.path("pid"),
                ' session-keyfile "%s";' % self.path("session.key"), ' listen-on port %d { %s; };' % (self.port, servers.ADDRESS),
                ' listen-on-v6 { none; };', ' recursion no;', ' notify explicit;', ' notify-delay 0;', ' ixfr-from-differences yes;',
                ' dnssec-validation no;', ' max-ixfr-ratio unlimited;', ' startup-notify-rate 1000; notify-rate 1000;',
                ' also-notify { %s port %d key "%s"; };' % (*self.tell, self.key.name), ' allow-transfer { key "%s"; };' % self.key.name,
                '};', 'controls { };', 'key "%s" { algorithm hmac-%s; secret "%s"; };' % (self.key.name, self.key.algorithm.lower(), self.key.secret)]
        conf += ['zone "%s" { type primary; file "%s"; };' % (z, self.path(z + ".zone")) for z in self.zones]
        return ["named", "-g", "-n", "1", "-c", self.write("named.conf", conf)]


class Knot(Primary):
    name, binary = "knot", "knotd"

    def configure(self):
        os.makedirs(self.path("db"), exist_ok=True)
        conf = ['server:', '  listen: %s' % self.place, '  rundir: "%s"' % self.work, '  udp-workers: 1', '  tcp-workers: 2',
                '  background-workers: 2', 'database:', '  storage: "%s"' % self.path("db"), '  journal-db-max-size: 64M',
                '  kasp-db-max-size: 16M', '  timer-db-max-size: 16M', 'log:', '  - target: stderr', '    any: info', 'key:',
                '  - id: %s' % self.key.name, '    algorithm: hmac-%s' % self.key.algorithm.lower(), '    secret: %s' % self.key.secret,
                'remote:', '  - id: to', '    address: %s@%d' % self.tell, '    key: %s' % self.key.name,
                'acl:', '  - id: transfer', '    action: transfer', '    key: %s' % self.key.name,
                'template:', '  - id: default', '    storage: "%s"' % self.work, '    file: "%s.zone"', '    zonefile-sync: -1',
                '    zonefile-load: difference', '    journal-content: changes',
                '    semantic-checks: off', '    notify: to', '    acl: transfer', 'zone:']
        conf += ['  - domain: %s' % z for z in self.zones]
        return ["knotd", "-c", self.write("knot.conf", conf)]


class Nsd(Primary):
    name, binary = "nsd", "nsd"

    def configure(self):
        conf = ['server:', ' server-count: 1', ' ip-address: %s' % self.place, ' username: ""', ' zonesdir: "%s"' % self.work,
                ' zonelistfile: "%s"' % self.path("zone.list"), ' database: ""', ' xfrdfile: "%s"' % self.path("xfrd.state"),
                ' xfrdir: "%s"' % self.work, ' pidfile: "%s"' % self.path("pid"), ' rrl-ratelimit: 0', ' xfrd-reload-timeout: 0',
                'remote-control:', ' control-enable: no',
                'key:', ' name: "%s"' % self.key.name, ' algorithm: hmac-%s' % self.key.algorithm.lower(), ' secret: "%s"' % self.key.secret]
        for z in self.zones:
            conf += ['zone:', ' name: "%s"' % z, ' zonefile: "%s"' % self.path(z + ".zone"), ' store-ixfr: yes', ' create-ixfr: yes',
                     ' provide-xfr: 0.0.0.0/0 %s' % self.key.name, ' notify: %s@%d %s' % (*self.tell, self.key.name)]
        return ["nsd", "-d", "-c", self.write("nsd.conf", conf)]


class Powerdns(Primary):
    """Out of its SQLite backend, which tests change as the model system's users would: it has no IXFR to give."""
    name, binary = "powerdns", "pdns_server"

    def configure(self):
        path = self.path("zones.db")
        schema = next(p for p in ("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql", "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql")
                      if os.path.exists(p))
        with open(schema) as f, sqlite3.connect(path) as db:
            db.executescript(f.read())
            algorithm = "hmac-" + self.key.algorithm.lower()
            db.execute("INSERT INTO tsigkeys (name, algorithm, secret) VALUES (?, ?, ?)", (self.key.name.rstrip("."), algorithm, self.key.secret))
            for zone in self.zones:
                db.execute("INSERT INTO domains (name, type) VALUES (?, 'MASTER')", (zone,))
                for kind in "TSIG-ALLOW-AXFR", "AXFR-MASTER-TSIG":
                    db.execute("INSERT INTO domainmetadata (domain_id, kind, content) SELECT id, ?, ? FROM domains WHERE name = ?",
                               (kind, self.key.name.rstrip("."), zone))
                db.execute("INSERT INTO domainmetadata (domain_id, kind, content) SELECT id, 'ALSO-NOTIFY', ? FROM domains WHERE name = ?",
                           ("%s:%d" % self.tell, zone))
        for zone in self.zones:
            self.load(zone)
        conf = ["launch=gsqlite3", "gsqlite3-database=" + path, "local-address=" + servers.ADDRESS, "local-port=%d" % self.port,
                "primary=yes" if self.is_new() else "master=yes", "daemon=no", "guardian=no", "disable-syslog=yes", "socket-dir=" + self.work,
                "cache-ttl=0", "query-cache-ttl=0", "negquery-cache-ttl=0", "zone-cache-refresh-interval=0", "only-notify=",
                ("xfr-cycle-interval" if self.is_new() else "slave-cycle-interval") + "=1"]
        self.write("pdns.conf", conf)
        return ["pdns_server", "--config-dir=" + self.work]

    @staticmethod
    def is_new():
        """Since 4.5 it has the words of RFC 8499."""
        printed = subprocess.run(["pdns_server", "--version"], capture_output=True, text=True, check=False)
        return not any(" %s." % old in printed.stdout + printed.stderr for old in ("4.3", "4.4"))

    def load(self, zone):
        with open(self.path(zone + ".zone")) as f, sqlite3.connect(self.path("zones.db"), timeout=30) as db:
            number = db.execute("SELECT id FROM domains WHERE name = ?", (zone,)).fetchone()[0]
            db.execute("DELETE FROM records WHERE domain_id = ?", (number,))
            for owner, ttl, rdata in dns.zone.from_text(f.read(), origin=zone, relativize=False).iterate_rdatas():
                text, prio = rdata.to_text(), 0
                if rdata.rdtype == dns.rdatatype.MX:  # its preference has a column of its own
                    prio, _, text = text.partition(" ")
                db.execute("INSERT INTO records (domain_id, name, type, content, ttl, prio, auth) VALUES (?, ?, ?, ?, ?, ?, 1)",
                           (number, owner.to_text().rstrip(".").lower(), dns.rdatatype.to_text(rdata.rdtype), text, ttl, prio))

    def reload(self):
        for zone in self.zones:
            self.load(zone)


MAKES = {make.name: make for make in (Bind, Knot, Nsd, Powerdns)}
