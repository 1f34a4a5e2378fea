"""docs/migrate-from-bind.md, executed: a BIND with twelve zones and three secondaries becomes ours, there and back.

Every command of the document is run, in order, and prints what stands there.  In the place of systemctl the programs are started and ended
here, with the options of the document's file; its git server is a directory of this machine.
"""
import os
import re
import subprocess

import dns.exception
import pytest

import servers
import walks
from repository import git

PRIMARY, NS2, NS3, COPY, COPY_PORT = "192.0.2.1", "192.0.2.2", "192.0.2.53", "198.51.100.9", 5353
HEAD = ("; %s, by hand\n$TTL 1h\n@       IN SOA  ns1.hoster.example. hostmaster.hoster.example. (\n                2026112501 ; serial\n"
        "                4h 1h 4w 1h )\n        IN NS   ns1.hoster.example.\n        IN NS   ns2.hoster.example.\n        IN NS   ns3.hoster.example.\n")
CUSTOMER = HEAD + "        IN MX   10 mail.hoster.example.\nwww     IN A    192.0.2.80 ; the web server of all\n"
ZONES = {  # zone: (file, text)
    **{zone: ("zones/db." + zone, CUSTOMER % zone) for zone in (
        "cafe.example", "club.example", "garage.example", "shop.example", "example.com", "example.net", "example.org")},
    "school.example": ("zones/db.school.example", CUSTOMER % "school.example" + "www.old-school.example. IN A 192.0.2.80\n"),
    "hoster.example": ("zones/db.hoster.example", HEAD % "hoster.example" + "ns1 IN A 192.0.2.1\nns2 IN A 192.0.2.2\nns3 IN A 192.0.2.53\n"
                       "mail IN A 192.0.2.25\nwww IN CNAME mail\ndyn IN NS ns1\n IN NS ns2\n IN NS ns3\n"),
    "dyn.hoster.example": ("dynamic/db.dyn.hoster.example", HEAD % "dyn.hoster.example"),
    "2.0.192.in-addr.arpa": ("zones/db.192.0.2", HEAD % "2.0.192.in-addr.arpa" + "$GENERATE 100-110 $ IN PTR dial$.hoster.example.\n"),
    "0/26.100.51.198.in-addr.arpa": ("zones/db.198.51.100.0-26", HEAD % "a part" + "1 IN PTR gate.cafe.example.\n"),
}
# What differs from run to run: secrets, commits, times.
PATTERNS = ((r"\b[0-9a-f]{12}\b", "[0-9a-f]{12}"), (r"[0-9]{4}\\-[0-9]{2}\\-[0-9]{2}\\ [0-9:]{8}Z", "[-0-9]{10} [0-9:]{8}Z"))
FOR_TEST = ('controls { inet 127.0.0.1 port 953 allow { 127.0.0.1; } keys { "rndc-key"; }; };\ninclude "%(etc)s/rndc.key";\n')
NOTIFY_FROM = "        notify-source %s;\n" % PRIMARY  # all addresses are this machine's, so the system would choose another
RUNS_AS = (' pid-file "%(run)s/%(name)s.pid"; session-keyfile "%(run)s/%(name)s.session"; listen-on-v6 { none; };'
           ' dnssec-validation no; querylog no;\n')


def serial(address, zone, port=53):
    return servers.serial_served(port, zone, address)


class Hoster(walks.Walk):
    """Who moves; systemctl included."""
    errors = subprocess.STDOUT

    def __init__(self, where, repo, bindir, started):
        self.where, self.repo, self.bindir, self.started, self.running = where, repo, bindir, started, {}
        self.etc = os.path.join(where, "etc")
        for name in ("etc/zones", "dynamic", "run", "home", "bin"):
            os.makedirs(os.path.join(where, name))
        config = servers.write(os.path.join(where, "gitconfig"), '[url "%s"]\n insteadOf = git@git.example.org:zones.git\n' % repo.bare)
        servers.write(os.path.join(where, "bin", "rndc"), '#!/bin/sh\nexec %s -k %s/rndc.key "$@"\n' % (path_of("rndc"), self.etc))
        os.chmod(os.path.join(where, "bin", "rndc"), 0o755)
        super().__init__(os.path.join(where, "home"), os.path.join(where, "bin") + ":" + bindir, {
            "/etc/bind": self.etc, "/var/lib/bind": os.path.join(where, "dynamic"), "/var/cache/bind": os.path.join(where, "run"),
            "/etc/origin": os.path.join(where, "origin")}, PATTERNS, {"GIT_CONFIG_GLOBAL": config})
        self.fill()

    def fill(self):
        for file, text in ZONES.values():
            servers.write(os.path.join(self.where, "etc" if file.startswith("zones") else "", file), text)
        for name, key in ("hoster.key", "hoster-key"), ("ddns.key", "ddns-key"), ("rndc.key", "rndc-key"):
            made = subprocess.run([path_of("tsig-keygen"), key], capture_output=True, text=True, timeout=60, check=True).stdout
            os.chmod(servers.write(os.path.join(self.etc, name), made), 0o640)

    def secret(self, name):
        with open(os.path.join(self.etc, name)) as f:
            return re.search('secret "(.*)"', f.read())[1]

    def complete(self):
        """named.conf with what the machine of the test needs besides."""
        path = os.path.join(self.etc, "named.conf")
        with open(path) as f:
            text = f.read()
        place = {"run": os.path.join(self.where, "run"), "etc": self.etc, "name": "primary"}
        servers.write(path, text.replace("        recursion no;\n", "        recursion no;\n" + RUNS_AS % place + NOTIFY_FROM) + FOR_TEST % place)

    def type(self, command, below=""):
        started = re.fullmatch(r"systemctl (start|restart|enable|enable --now|disable --now) (named|oprimary)", command)
        if started:
            self.systemctl(*started.groups())
        elif command.startswith("octl 192.0.2.1 secondaries"):  # they answer in their own time
            servers.await_true(lambda: "%s\n%s" % (command, self.run(command).stdout), lambda: self.is_printed(command, below))
        else:
            super().type(command.replace("dig @", "dig -b %s @" % NS3) if "5399" in command else command, below)

    def is_printed(self, command, below):
        try:
            self.compare(command, self.run(command).stdout, below)
            return True
        except AssertionError:
            return False

    def systemctl(self, what, program):
        if what in ("restart", "disable --now"):
            self.running.pop(program).end()
        if what in ("start", "restart", "enable --now"):
            self.running[program] = self.started(self.start_named() if program == "named" else self.start_oprimary())

    def start_named(self):
        bind = servers.Process(["named", "-g", "-n", "1", "-c", os.path.join(self.etc, "named.conf")], self.where, "named")
        for zone in ZONES:
            bind.await_true("%s is served" % zone, lambda z=zone: serial(PRIMARY, z))
        return bind

    def start_oprimary(self):
        with open(os.path.join(self.where, "origin", "oprimary.env")) as f:
            options = f.read().strip().split("=", 1)[1].split()
        listen = next(o for o in options if o.startswith("--listen="))
        others = [o for o in options if not o.startswith(("--remote=", "--authenticator=", "--listen="))]
        argv = [os.path.join(self.bindir, "oprimary"), "--remote=" + self.repo.url, listen, *others, "--cache-dir=" + os.path.join(self.where, "cache")]
        ours = servers.Process(argv, self.where, "oprimary", env=servers.sanitizer_env())
        ours.await_log("event=ready")
        return ours


def path_of(program):
    found = [os.path.join(where, program) for where in ("/usr/sbin", "/usr/bin") if os.path.exists(os.path.join(where, program))]
    return found[0] if found else program


# ---- the secondaries, as BIND's customers have them ----

class Ns2(servers.Process):
    """BIND, with the key under BIND's own name."""

    def __init__(self, where, secret):
        os.makedirs(where)
        conf = ['options { directory "%s"; listen-on { %s; }; transfer-source %s; recursion no; notify no;' % (where, NS2, NS2),
                RUNS_AS % {"run": where, "name": "ns2"}, "};", "controls { };", 'key "hoster-key" { algorithm hmac-sha256; secret "%s"; };' % secret]
        conf += ['zone "%s" { type secondary; file "%d"; primaries { %s key "hoster-key"; }; min-retry-time 1; };' % (zone, n, PRIMARY)
                 for n, zone in enumerate(ZONES)]
        super().__init__(["named", "-g", "-n", "1", "-c", servers.write(os.path.join(where, "named.conf"), "\n".join(conf))], where, "ns2")


class Ns3(servers.Process):
    """NSD, without TSIG."""

    def __init__(self, where):
        os.makedirs(where)
        conf = ['server:', ' server-count: 1', ' ip-address: %s' % NS3, ' username: ""', ' zonesdir: "%s"' % where,
                ' zonelistfile: "%s/zone.list"' % where, ' database: ""', ' verbosity: 2', ' xfrdfile: "%s/xfrd.state"' % where,
                ' xfrdir: "%s"' % where, ' pidfile: "%s/pid"' % where, ' xfrd-reload-timeout: 0', 'remote-control:', ' control-enable: no']
        for n, zone in enumerate(ZONES):
            conf += ['zone:', ' name: "%s"' % zone, ' zonefile: "%s/%d"' % (where, n), ' request-xfr: %s NOKEY' % PRIMARY,
                     ' allow-notify: %s NOKEY' % PRIMARY, ' outgoing-interface: %s' % NS3]
        super().__init__(["nsd", "-d", "-c", servers.write(os.path.join(where, "nsd.conf"), "\n".join(conf) + "\n")], where, "ns3")


class Copy(servers.Process):
    """Knot, on another port; it takes signed NOTIFY alone."""

    def __init__(self, where, secret):
        os.makedirs(where)
        conf = ['server:', '  listen: %s@%d' % (COPY, COPY_PORT), '  rundir: "%s"' % where, '  udp-workers: 1', '  tcp-workers: 1',
                '  background-workers: 2', 'database:', '  storage: "%s"' % where, '  journal-db-max-size: 16M', '  kasp-db-max-size: 16M',
                '  timer-db-max-size: 16M', 'log:', '  - target: stderr', '    any: info', 'key:', '  - id: hoster-key',
                '    algorithm: hmac-sha256', '    secret: %s' % secret, 'remote:', '  - id: hoster', '    address: %s' % PRIMARY,
                '    via: %s' % COPY, '    key: hoster-key', 'acl:', '  - id: told', '    address: %s' % PRIMARY, '    key: hoster-key',
                '    action: notify', 'template:', '  - id: default', '    storage: "%s"' % where, '    zonefile-sync: -1',
                '    journal-content: all', '    journal-max-usage: 1M', 'zone:']
        for zone in ZONES:
            conf += ['  - domain: "%s"' % zone, '    master: hoster', '    acl: told']
        super().__init__(["knotd", "-c", servers.write(os.path.join(where, "knot.conf"), "\n".join(conf) + "\n")], where, "copy")


FOLLOWERS = ((NS2, 53), (NS3, 53), (COPY, COPY_PORT))


def serials_of_all(zone):
    return {serial(address, zone, port) for address, port in FOLLOWERS}


def all_follow(zones=ZONES, limit_s=60):
    """Every secondary has what the primary has."""
    for zone in zones:
        servers.await_true(lambda z=zone: "%s: %s at the primary, %s at the secondaries" % (z, serial(PRIMARY, z), serials_of_all(z)),
                           lambda z=zone: serials_of_all(z) == {serial(PRIMARY, z)} != {None}, limit_s)


# ---- the document ----

@pytest.fixture
def hoster(port_53, repo, tmp_path, bindir, need, started):
    need("ip", "dig", "named", "named-checkconf", "rndc", "tsig-keygen", "nsupdate", "nsd", "knotd")
    for address in (PRIMARY, NS2, NS3, COPY):
        subprocess.run(["ip", "address", "replace", address + "/32", "dev", "lo"], check=True)
    yield Hoster(str(tmp_path / "hoster"), repo, bindir, started)
    for address in (PRIMARY, NS2, NS3, COPY):
        subprocess.run(["ip", "address", "del", address + "/32", "dev", "lo"], check=True)


def play(hoster, section):
    for block in walks.blocks("docs/migrate-from-bind.md", section):
        hoster.type_all(block)


def update(key_file, address):
    """A client of the dynamic zone, as it was before."""
    script = "server %s\nzone dyn.hoster.example\nupdate delete home8.dyn.hoster.example A\nupdate add home8.dyn.hoster.example 60 A %s\nsend\n"
    subprocess.run(["nsupdate", "-k", key_file], input=script % (PRIMARY, address), text=True, timeout=60, check=True)


def raise_serials(where, names, to):
    for name in names:
        path = os.path.join(where, name)
        with open(path) as f:
            text = f.read()
        text, n = re.subn(r"\b\d{10}(\s*; serial)", r"%d\1" % to, text)
        assert n == 1, path
        servers.write(path, text)


def record(address, port, name):
    try:
        return [str(r) for rrset in servers.ask(port, name, address=address).answer for r in rrset]
    except (dns.exception.DNSException, OSError):
        return None


def test_the_document(hoster, started, tmp_path):
    play(hoster, "1. What there is")
    hoster.complete()
    hoster.systemctl("enable --now", "named")
    update(os.path.join(hoster.etc, "ddns.key"), "203.0.113.1")
    secret = hoster.secret("hoster.key")
    for follower in (Ns2(str(tmp_path / "ns2"), secret), Ns3(str(tmp_path / "ns3")), Copy(str(tmp_path / "copy"), secret)):
        started(follower)
    all_follow()

    for section in ("2. The zones", "3. Keys", "4. Secondaries", "5. Side by side"):
        play(hoster, section)
    all_follow()
    update(os.path.join(hoster.etc, "ddns-new.key"), "203.0.113.2")
    play(hoster, "6. The switch")
    all_follow()
    play(hoster, "7. From now on")
    all_follow()
    for address, port in FOLLOWERS:
        assert record(address, port, "terrace.cafe.example") == ["192.0.2.81"]
        assert record(address, port, "home7.dyn.hoster.example") == ["203.0.113.8"]

    everything_changes(hoster)
    ours = hoster.running["oprimary"]
    play(hoster, "8. Back")
    assert not servers.SANITIZER_REPORT.search(ours.log()), ours.log_tail()
    all_follow()
    raise_serials(os.path.join(hoster.etc, "zones"), ["db.cafe.example"], 2026120201)
    hoster.type("rndc reload cafe.example")
    update(os.path.join(hoster.etc, "ddns.key"), "203.0.113.3")
    servers.await_true("BIND serves it", lambda: serial(PRIMARY, "cafe.example") == 2026120201)
    all_follow(["cafe.example", "dyn.hoster.example"])


def everything_changes(hoster):
    """A commit that changes all of the zones."""
    git(hoster.here, "pull", "-q", "--rebase", hoster.repo.bare, "main")
    names = [name for name in os.listdir(hoster.here) if not name.startswith((".", "_"))]
    assert len(names) == len(ZONES) == 12
    raise_serials(hoster.here, names, 2026120101)
    hoster.type("git commit -qam 'All of them' && git push -q && onotify %s hoster.example --key-file=/etc/origin/admin.key --wait" % PRIMARY)
    all_follow()
    assert {serial(PRIMARY, zone) for zone in ZONES} == {2026120101}
