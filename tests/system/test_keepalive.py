"""edns-tcp-keepalive (RFC 7828): what servers say of idle connections, and what osecondary makes of it."""
import socket
import struct
import time

import dns.edns
import dns.message
import dns.query
import pytest

import primaries
import servers
from tsig_key import Key

ZONE = "$TTL 60\n@ SOA ns1 host %d 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n"
KEY = Key("t._transfer.a.test.")
OPTION = 11
LONGEST = 0xFFFF


def question(name="a.test", rdtype="SOA", octets=b"", key=None):
    q = dns.message.make_query(name, rdtype, use_edns=0, options=[dns.edns.GenericOption(OPTION, octets)])
    return key.sign(q) if key else q


def told(answer):
    """What the answer says, in tenths of a second; None: nothing."""
    said = [o.to_wire() for o in answer.options if o.otype == OPTION]
    assert len(said) <= 1
    return struct.unpack("!H", said[0])[0] if said else None


def ask(port, *args, **more):
    return told(dns.query.tcp(question(*args, **more), servers.ADDRESS, port=port, timeout=20))


@pytest.fixture
def served(repo, primary):
    def start(*options):
        repo.commit({"a.test": ZONE % 1, "a.test._keys": KEY.line})
        return primary(repo, *options, zones=["a.test"])
    return start


def test_what_is_said(served, secondary):
    """The idle time; for a secondary, whose connection is kept, the longest; nothing over UDP, and nothing to who sends octets."""
    p = served("--tcp-idle=7")
    s = secondary([KEY], "--tcp-idle=9", primaries=["%s@%d" % (servers.ADDRESS, p.port)])
    s.await_serial("a.test", 1)
    for server, tenths in (p, 70), (s, 90):
        assert ask(server.port) == ask(server.port, "nobody.test") == tenths
        assert ask(server.port, rdtype="AXFR", key=KEY) == tenths
        assert ask(server.port, key=KEY) == LONGEST
        assert ask(server.port, octets=b"\0\1") is None
        assert told(dns.query.tcp(dns.message.make_query("a.test", "SOA", use_edns=0), servers.ADDRESS, port=server.port, timeout=20)) is None
        assert told(dns.query.udp(question(), servers.ADDRESS, port=server.port, timeout=20)) is None
    s.stop()
    p.stop()


@pytest.mark.parametrize("most, tenths", [(2, 20), (1, 0)])
def test_less_when_places_are_few(served, most, tenths):
    """A fourth of the time when three fourths of the places are taken; none when all are."""
    p = served("--tcp-idle=8", "--tcp-max=%d" % most, "--workers=1")
    with socket.create_connection((servers.ADDRESS, p.port)) as one:
        def said():
            dns.query.send_tcp(one, question())
            return told(dns.query.receive_tcp(one, time.time() + 20)[0])
        p.await_true("it says so", lambda: said() == tenths)
    p.stop()


def test_tools_understand(served, need):
    need("dig", "kdig")
    p = served()
    for tool, said in (["dig", "+keepalive"], "; TCP KEEPALIVE: 30.0 secs"), (["kdig", "+ednsopt=11"], "012C"):
        run = servers.subprocess.run([*tool, "@" + servers.ADDRESS, "-p", str(p.port), "+tcp", "a.test", "SOA"],
                                     capture_output=True, text=True, timeout=60, check=True)
        assert said in run.stdout, run.stdout
    p.stop()


class Connections:
    """Those to a port, as the system has them."""
    def __init__(self, port):
        self.port = "%04X" % port

    def open(self):
        with open("/proc/net/tcp") as f:
            rows = [line.split() for line in f.readlines()[1:]]
        return [r[1] for r in rows if r[2].endswith(":" + self.port) and r[3] == "01"]  # our end; established


def test_bind_says_how_long(need, started, secondary, tmp_path, monkeypatch):
    """Its time is short here: the secondary closes first, and comes again for the next change."""
    need("named")
    configure = primaries.Bind.configure

    def short(self):
        command = configure(self)
        path = command[-1]
        with open(path) as f:
            text = f.read()
        servers.write(path, text.replace("options {", "options { tcp-keepalive-timeout 600; tcp-advertised-timeout 20;", 1))
        return command
    monkeypatch.setattr(primaries.Bind, "configure", short)
    key = Key("127.0.0.1.127.0.0.9._transfer.a.test.")  # we have an address, so that no link is kept
    port = servers.free_port()
    bind = started(primaries.Bind(str(tmp_path), {"a.test": ZONE % 1}, key, (servers.ADDRESS, port)))
    assert ask(bind.port) == 20
    follower = secondary([key], primaries=[bind.place], port=port)
    follower.await_serial("a.test", 1)
    links = Connections(bind.port)
    follower.await_true("the link is closed", lambda: not links.open(), limit_s=20)
    bind.change("a.test", ZONE % 2)
    follower.await_serial("a.test", 2)
    assert "primary-unreachable" not in follower.log() and "refresh-failed" not in follower.log()
    follower.stop()
    bind.end()


def test_a_kept_link_stays(served, secondary):
    """Over it the primary tells a secondary without an address of changes: also after its idle time."""
    p = served("--tcp-idle=1")
    s = secondary([KEY], primaries=["%s@%d" % (servers.ADDRESS, p.port)])
    s.await_serial("a.test", 1)
    links = Connections(p.port)
    first = links.open()
    assert len(first) == 1
    idle = socket.create_connection((servers.ADDRESS, p.port))
    dns.query.send_tcp(idle, question())
    assert told(dns.query.receive_tcp(idle, time.time() + 5)[0]) == 10
    idle.settimeout(20)
    assert idle.recv(1) == b""  # so much time has gone by
    assert links.open() == first
    s.stop()
    p.stop()
