"""The servers as primaries that are changed and transferred from: how each takes updates signed with one key, and lets
everybody on this machine transfer.  Files that a server writes are copies of its own."""
import os
import shutil
import signal
import sqlite3
import subprocess

import contenders
import inputs
from contenders import peers

KEY = "bench._update.test"  # our own reads a key's rights from its name; the others do not care
SECRET = "b25lIHNlY3JldCBmb3IgZXZlcnkgc2VydmVyISEhISE="
PDNS_SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"
LOCAL = "127.0.0.0/8"


class Primary(contenders.Server):
    """`does`: the sections it can take part in."""
    does = {"axfr", "ixfr", "updates"}

    def start(self, work, zones, under=(), limit_s=contenders.READY_LIMIT_S):
        """As a contender starts, but on copies of the zones."""
        own = work + "-zones"
        shutil.rmtree(own, ignore_errors=True)
        os.makedirs(own)
        return super().start(work, {zone: shutil.copy(path, own) for zone, path in zones.items()}, under, limit_s)

    def change(self, running, bench, zone, serial):
        """One record more, by a dynamic update; the serial becomes the next one."""
        bench.update(running, zone, "add", 1, 0, "changed%d-" % serial)


class Origin(Primary, contenders.Origin):
    def command(self, work, port, zones):
        keys = peers.write(os.path.join(work, "keys"), "%s. DNSKEY 0 3 163 %s\n" % (KEY, SECRET))
        remote = contenders.make_repository(work, {**zones, "_keys": keys})
        return [self.binary, "--axfr", "--remote=file://" + remote, "--listen=%s@%d" % (peers.ADDRESS, port)]


class Nsd(Primary, contenders.Nsd):
    """Takes no updates; its zone file changes and it is told to look.  The differences that it finds (4.6.1) have far more
    records than were changed: with a limit to their size it would answer with the whole zone."""
    does = {"axfr", "ixfr"}

    def command(self, work, port, zones):
        argv = super().command(work, port, zones)
        with open(argv[-1]) as f:
            conf = f.read()
        more = "".join(' %s\n' % line for line in ("provide-xfr: %s NOKEY" % LOCAL, "store-ixfr: yes", "create-ixfr: yes", "ixfr-size: 0"))
        peers.write(argv[-1], "".join(line + (more if line.lstrip().startswith("zonefile:") else "")
                                      for line in conf.splitlines(keepends=True)))
        return argv

    def change(self, running, bench, zone, serial):
        inputs.add_record(os.path.join(running.work + "-zones", zone), serial)
        os.kill(running.popen.pid, signal.SIGHUP)


class Knot(Primary, contenders.Knot):
    """The journal as it comes: it syncs.  The zone file is left alone."""
    def command(self, work, port, zones):
        os.makedirs(work + "/db")
        conf = ['server:', '  listen: %s@%d' % (peers.ADDRESS, port), '  rundir: "%s"' % work, '  udp-workers: 1',
                '  tcp-workers: 1', '  background-workers: 1', 'database:', '  storage: "%s/db"' % work,
                'key:', '  - id: "%s"' % KEY, '    algorithm: hmac-sha256', '    secret: "%s"' % SECRET,
                'acl:', '  - id: local', '    address: ' + LOCAL, '    action: transfer',
                '  - id: keyed', '    key: "%s"' % KEY, '    action: update', 'log:', '  - target: stderr', '    any: error', 'zone:']
        for zone, path in zones.items():
            conf += ['  - domain: "%s"' % zone, '    file: "%s"' % path, '    zonefile-sync: -1', '    acl: [local, keyed]']
        return ["knotd", "-c", peers.write(os.path.join(work, "knot.conf"), "\n".join(conf) + "\n")]


class Bind(Primary, contenders.Bind):
    def command(self, work, port, zones):
        conf = ['key "%s" { algorithm hmac-sha256; secret "%s"; };' % (KEY, SECRET), 'controls { };', 'options {',
                ' directory "%s";' % work, ' pid-file "%s/pid";' % work, ' session-keyfile "%s/session.key";' % work,
                ' listen-on port %d { %s; };' % (port, peers.ADDRESS), ' listen-on-v6 { none; };', ' recursion no;',
                ' minimal-responses yes;', ' notify no;', ' querylog no;', ' zone-statistics none;',
                ' allow-transfer { %s; };' % LOCAL, '};']
        for zone, path in zones.items():
            conf.append('zone "%s" { type primary; file "%s"; check-integrity no; allow-update { key "%s"; }; };' % (zone, path, KEY))
        return ["named", "-f", "-n", "1", "-c", peers.write(os.path.join(work, "named.conf"), "\n".join(conf) + "\n")]


class Yadifa(Primary, contenders.Yadifa):
    keys = ["<key>", "name " + KEY, "algorithm hmac-sha256", "secret " + SECRET, "</key>",
            "<acl>", "keyed key " + KEY, "</acl>"]
    transfer, update = "any", "keyed"


class Pdns(Primary):
    """PowerDNS over SQLite, which syncs every change.  Its incremental transfers are whole ones: not measured as such."""
    name, binary, version_args = "pdns", "pdns_server", ("--version",)
    does = {"updates"}

    def is_there(self):
        return super().is_there() and os.path.exists(PDNS_SCHEMA)

    def configure(self, work, port, *more):
        conf = ["local-address=" + peers.ADDRESS, "local-port=%d" % port, "socket-dir=" + work, "daemon=no", "guardian=no",
                "receiver-threads=1", "distributor-threads=1", "max-tcp-connections=200", "disable-axfr=no",
                "allow-axfr-ips=" + LOCAL, "security-poll-suffix=", "loglevel=3", *more]
        peers.write(os.path.join(work, "pdns.conf"), "\n".join(conf) + "\n")
        return ["pdns_server", "--config-dir=" + work]

    def command(self, work, port, zones):
        base = os.path.join(work, "pdns.sqlite3")
        argv = self.configure(work, port, "launch=gsqlite3", "gsqlite3-database=" + base, "dnsupdate=yes",
                              "allow-dnsupdate-from=" + LOCAL)
        with open(PDNS_SCHEMA) as f, sqlite3.connect(base) as db:
            db.executescript(f.read())
        steps = [["import-tsig-key", KEY, "hmac-sha256", SECRET]]
        for zone, path in zones.items():
            steps += [["load-zone", zone, path], ["set-kind", zone, "primary"], ["set-meta", zone, "TSIG-ALLOW-DNSUPDATE", KEY]]
        for step in steps:
            subprocess.run(["pdnsutil", "--config-dir=" + work, *step], check=True, capture_output=True)
        return argv


class PdnsFiles(Pdns):
    """PowerDNS over zone files, which it only reads."""
    does = {"axfr"}

    def command(self, work, port, zones):
        peers.write(os.path.join(work, "named.conf"), 'options { directory "%s"; };\n' % work + "".join(
            'zone "%s" { type master; file "%s"; };\n' % (zone, path) for zone, path in zones.items()))
        return self.configure(work, port, "launch=bind", "bind-config=%s/named.conf" % work)


ALL = [Origin, Nsd, Knot, Bind, Yadifa, Pdns, PdnsFiles]
