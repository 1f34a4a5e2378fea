"""NOTIFY out (RFC 1996), judged by secondaries of others: BIND, Knot and NSD."""
import os
import re
import socket
import subprocess

import dns.message
import dns.query
import pytest

import servers

ZONE = "$TTL 300\n@ SOA ns host 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n"
ALGORITHMS = ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]
BADKEY, BADSIG = 17, 16
REFUSED, NOTAUTH = 5, 9


class BindSecondary(servers.Bind):
    """Takes NOTIFY with any of the keys."""
    keys = ()

    @classmethod
    def command(cls, work, port, zones):
        conf = ['options {', ' directory "%s";' % work, ' pid-file "%s/pid";' % work, ' session-keyfile "%s/session.key";' % work,
                ' listen-on port %d { %s; };' % (port, servers.ADDRESS), ' listen-on-v6 { none; };', ' recursion no;', ' notify no;',
                '};', 'controls { };']
        conf += ['key "%s" { algorithm hmac-%s; secret "%s"; };' % (k.name, k.algorithm.lower(), k.secret) for k in cls.keys]
        allowed = " ".join('key "%s";' % k.name for k in cls.keys)
        for zone, path in zones.items():  # a primary where nobody is: what counts is what is said of the NOTIFY
            conf.append('zone "%s" { type secondary; file "%s"; masterfile-format text; primaries { 127.0.0.9 port 9; };'
                        ' allow-notify { %s }; };' % (zone, path, allowed))
        return ["named", "-g", "-n", "1", "-c", servers.write(os.path.join(work, "named.conf"), "\n".join(conf) + "\n")]


class KnotSecondary(servers.Knot):
    keys = ()

    @classmethod
    def command(cls, work, port, zones):
        os.makedirs(work + "/db")
        conf = ['server:', '  listen: %s@%d' % (servers.ADDRESS, port), '  rundir: "%s"' % work, '  udp-workers: 1',
                '  tcp-workers: 1', '  background-workers: 1', 'database:', '  storage: "%s/db"' % work,
                '  journal-db-max-size: 16M', '  kasp-db-max-size: 16M', '  timer-db-max-size: 16M', 'log:',
                '  - target: stderr', '    any: debug', 'key:']
        for k in cls.keys:
            conf += ['  - id: %s' % k.name, '    algorithm: hmac-%s' % k.algorithm.lower(), '    secret: %s' % k.secret]
        conf += ['remote:', '  - id: nobody', '    address: 127.0.0.9@9', 'acl:', '  - id: ours', '    action: notify',
                 '    key: [%s]' % ", ".join(k.name for k in cls.keys), 'template:', '  - id: default', '    zonefile-sync: -1',
                 '    journal-content: none', '    zonefile-load: whole', 'zone:']
        for zone, path in zones.items():
            conf += ['  - domain: "%s"' % zone, '    file: "%s"' % path, '    master: nobody', '    acl: ours']
        return ["knotd", "-c", servers.write(os.path.join(work, "knot.conf"), "\n".join(conf) + "\n")]


class NsdSecondary(servers.Nsd):
    keys = ()
    tcp_count = 100

    @classmethod
    def command(cls, work, port, zones):
        conf = ['server:', ' server-count: 1', ' ip-address: %s@%d' % (servers.ADDRESS, port), ' username: ""',
                ' zonesdir: "%s"' % work, ' zonelistfile: "%s/zone.list"' % work, ' database: ""', ' verbosity: 2',
                ' xfrdfile: "%s/xfrd.state"' % work, ' xfrdir: "%s"' % work, ' pidfile: "%s/pid"' % work, ' rrl-ratelimit: 0',
                ' tcp-count: %d' % cls.tcp_count, 'remote-control:', ' control-enable: no']
        for k in cls.keys:
            conf += ['key:', ' name: "%s"' % k.name, ' algorithm: hmac-%s' % k.algorithm.lower(), ' secret: "%s"' % k.secret]
        for zone, path in zones.items():
            conf += ['zone:', ' name: "%s"' % zone, ' zonefile: "%s"' % path]
            conf += [' allow-notify: %s %s' % (servers.ADDRESS, k.name) for k in cls.keys]
            conf += [' request-xfr: 127.0.0.9@9 NOKEY']
        return ["nsd", "-d", "-c", servers.write(os.path.join(work, "nsd.conf"), "\n".join(conf) + "\n")]


SECONDARIES = {"bind": BindSecondary, "knot": KnotSecondary, "nsd": NsdSecondary}


@pytest.fixture
def keys(make_key):
    return {a: make_key("127.0.0.1.127.0.0.2._transfer.k%s.example" % a.lower(), algorithm=a) for a in ALGORITHMS}


@pytest.fixture
def secondary(tmp_path, started, need, keys):
    """secondary("bind", zone…) → one that has the zones (serial 1) and takes NOTIFY with the keys."""
    def start(name, *zones, **more):
        kind = type(SECONDARIES[name].__name__, (SECONDARIES[name],), {"keys": tuple(keys.values()), **more})
        need(kind.binary)
        return started(kind(str(tmp_path), {zone: servers.write(str(tmp_path / zone), ZONE) for zone in zones}))
    return start


@pytest.fixture
def notify_send(bindir):
    """notify_send(port, zone=serial…, key=…) → the lines that it reports, as dictionaries with "outcome"."""
    path = os.path.join(bindir, os.pardir, os.pardir, "tests", "unit", "notify_send")

    def run(port, *news, key=None, source=None, timeout=60):
        options = ["--key=" + key.argument] if key is not None else []
        options += ["--source=" + source] if source is not None else []
        with subprocess.Popen([path, servers.ADDRESS, str(port), *options, *news], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env={**os.environ, **servers.sanitizer_env()}) as process:
            lines = []
            try:
                for line in process.stdout:
                    outcome, _, rest = line.strip().partition(" ")
                    lines.append({"outcome": outcome, **dict(w.split("=", 1) for w in rest.split(" "))})
                    if outcome in ("unverified", "unanswered"):
                        process.stdin.close()  # it would go on for a day
                process.wait(timeout)
            finally:
                process.kill()
            assert process.returncode == 0 and not servers.SANITIZER_REPORT.search(process.stderr.read())
            return lines
    return run


@pytest.mark.parametrize("name", sorted(SECONDARIES))
def test_signed(secondary, notify_send, keys, name):
    """Every algorithm, over TCP; the hint of the new serial included."""
    peer = secondary(name, "example", "xn--else.test")
    for serial, key in enumerate(keys.values(), 2):
        got = notify_send(peer.port, "example=%d" % serial, "xn--else.test=%d" % serial, key=key)
        assert sorted((g["zone"], g["outcome"], g["transport"], g["attempts"]) for g in got) == [
            ("example.", "acknowledged", "tcp", "1"), ("xn--else.test.", "acknowledged", "tcp", "1")], (got, peer.log_tail())
        if name == "bind":
            peer.await_log(r"received notify for zone 'example': TSIG '%s'" % re.escape(key.name))
            peer.await_log(r"zone example/IN: notify from 127.0.0.1#\d+: serial %d" % serial)
        elif name == "knot":
            peer.await_log(r"\[example\.\] ACL, allowed, action notify, remote \S+( TCP)?, key '?%s\." % re.escape(key.name))
            peer.await_log(r"\[example\.\] notify, incoming, remote 127.0.0.1@\d+.*, serial %d" % serial)


def test_many_over_one_connection(secondary, notify_send, keys):
    zones = ["z%d.example" % i for i in range(300)]
    peer = secondary("bind", *zones)
    got = notify_send(peer.port, *[z + "=7" for z in zones], key=keys["SHA256"])
    assert sorted(g["zone"] for g in got if g["outcome"] == "acknowledged" and g["transport"] == "tcp") == sorted(
        z + "." for z in zones), got


def test_removed_zones_are_told_without_a_serial(secondary, notify_send, keys):
    peer = secondary("bind", "example")
    got = notify_send(peer.port, "example=gone", key=keys["SHA256"])
    assert [g["outcome"] for g in got] == ["acknowledged"]
    peer.await_log(r"zone example/IN: notify from 127.0.0.1#\d+: no serial")


def test_from_a_source_address(secondary, notify_send, keys):
    peer = secondary("bind", "example")
    got = notify_send(peer.port, "example=2", key=keys["SHA512"], source="127.0.0.3")
    assert [g["outcome"] for g in got] == ["acknowledged"]
    peer.await_log(r"zone example/IN: notify from 127.0.0.3#\d+: serial 2")


@pytest.mark.parametrize("name", ["bind", "knot"])
def test_unsigned_is_refused(secondary, notify_send, name):
    peer = secondary(name, "example")
    got = notify_send(peer.port, "example=2")
    assert [(g["outcome"], int(g["rcode"])) for g in got] in ([("refused", REFUSED)], [("refused", NOTAUTH)]), (got, peer.log_tail())


@pytest.mark.parametrize("name", ["bind", "knot", "nsd"])
def test_a_wrong_secret_is_said(secondary, notify_send, keys, make_key, name):
    peer = secondary(name, "example")
    right = keys["SHA256"]
    got = notify_send(peer.port, "example=2", key=make_key(right.name, secret=b"another secret of 32 octets....."))
    assert (got[0]["outcome"], int(got[0]["tsig_error"])) == ("unverified", BADSIG), (got, peer.log_tail())
    got = notify_send(peer.port, "example=2", key=make_key("unknown._transfer"))
    # Knot says BADKEY up to 3.2; 3.4 answers without a signature.
    assert got[0]["outcome"] == "unverified" and int(got[0]["tsig_error"]) in ([BADKEY, 0] if name == "knot" else [BADKEY]), (got, peer.log_tail())


def test_a_zone_that_the_secondary_does_not_have(secondary, notify_send, keys):
    peer = secondary("bind", "example")
    got = notify_send(peer.port, "other=2", key=keys["SHA256"])
    assert [(g["outcome"], int(g["rcode"])) for g in got] == [("refused", NOTAUTH)], got


def test_udp_when_tcp_is_not_served(secondary, notify_send, keys):
    """NSD takes one connection, and somebody else has it."""
    peer = secondary("nsd", "example", tcp_count=1)
    with socket.create_connection((servers.ADDRESS, peer.port)) as other:
        dns.query.tcp(dns.message.make_query("example", "SOA"), servers.ADDRESS, timeout=20, sock=other)
        got = notify_send(peer.port, "example=2", key=keys["SHA256"])
    assert [(g["outcome"], g["transport"], g["attempts"]) for g in got] == [("acknowledged", "udp", "1")], (got, peer.log_tail())
