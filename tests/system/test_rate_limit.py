"""Response rate limiting: the same floods at us, BIND and Knot; who has no limit; what a real client does; counters and the log."""
import re
import select
import socket
import subprocess
import time

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

import servers
from tsig_key import Key

ZONE = """$TTL 60
@ SOA ns1 host 1 3600 600 86400 60
@ NS ns1
ns1 A 127.0.0.1
www A 192.0.2.1
*.w A 192.0.2.2
sub NS ns1.sub
ns1.sub A 192.0.2.3
"""
KEY = Key("t._transfer.a.test.")
RATE, SLIP = 20, 2
ASKED_A_SECOND, WARM_UP_S, SECONDS = 200, 1, 2
KINDS = {"data": "www.a.test", "denial": "n%d.a.test", "expansion": "n%d.w.a.test", "referral": "n%d.sub.a.test",
         "error": "n%d.elsewhere.test"}
TOLERANCE = 0.08  # of what was asked; an answer of two that are held back is chosen by chance
COOKIE = 10


class Asker:
    """Asks one server questions of one kind, from a network of its own."""

    def __init__(self, port, kind):
        self.kind, self.number = kind, 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.1.%d.1" % list(KINDS).index(kind), 0))
        self.sock.connect((servers.ADDRESS, port))
        self.sock.setblocking(False)
        self.begin()

    def begin(self):
        self.asked, self.whole, self.cut = 0, 0, 0

    def ask(self):
        name = KINDS[self.kind]
        self.number += 1
        self.asked += 1
        self.sock.send(dns.message.make_query(name % self.number if "%d" in name else name, "A").to_wire())

    def take(self):
        if self.sock.recv(4096)[2] & 2:
            self.cut += 1
        else:
            self.whole += 1

    def shares(self):
        return self.whole / self.asked, self.cut / self.asked


def play(askers, seconds):
    """All of them ask, at a steady rate."""
    begin, n = time.monotonic(), 0
    while time.monotonic() < begin + seconds:
        due = begin + n / ASKED_A_SECOND
        if time.monotonic() >= due:
            for asker in askers:
                asker.ask()
            n += 1
        take_all(askers, due - time.monotonic())
    take_all(askers, 0.3)


def take_all(askers, seconds):
    """Takes what comes within the time, at least what has come."""
    by_sock, end = {a.sock: a for a in askers}, time.monotonic() + seconds
    while True:
        ready = select.select(list(by_sock), [], [], max(0, end - time.monotonic()))[0]
        for sock in ready:
            by_sock[sock].take()
        if not ready:
            return


@pytest.fixture
def served(repo, primary):
    def start(*options, **more):
        repo.commit({"a.test": ZONE, "a.test._keys": KEY.line})
        return primary(repo, *options, zones=["a.test"], **more)
    return start


def test_the_same_share_as_with_bind_and_knot(served, peer, tmp_path):
    """With a window as BIND has it a flood gets nothing after its first second; with one of a second it gets its rate, as with Knot.  BIND cuts
    no error; Knot counts referrals by the name that was asked for, so random names have no limit there."""
    zones = {"a.test": servers.write(str(tmp_path / "a.test.zone"), ZONE)}
    options = ["--rate-limit=%d" % RATE, "--rate-limit-slip=%d" % SLIP]
    makers = {
        "as bind": served(*options), "as knot": served(*options, "--rate-limit-window=1"),
        "bind": peer("bind", zones, options=["rate-limit { responses-per-second %d; slip %d; };" % (RATE, SLIP)]),
        "knot": peer("knot", zones, modules={"mod-rrl": ["rate-limit: %d" % RATE, "slip: %d" % SLIP]}),
    }
    askers = {(make, kind): Asker(server.port, kind) for make, server in makers.items() for kind in KINDS}
    play(askers.values(), WARM_UP_S)
    for asker in askers.values():
        asker.begin()
    play(askers.values(), SECONDS)
    for kind in KINDS:
        for peer_name in "bind", "knot":
            ours, theirs = (askers[make, kind].shares() for make in ("as " + peer_name, peer_name))
            if (peer_name, kind) != ("knot", "referral"):
                assert abs(ours[0] - theirs[0]) < TOLERANCE, "%s, %s: whole answers, ours %s, theirs %s" % (peer_name, kind, ours, theirs)
            if (peer_name, kind) not in (("knot", "referral"), ("bind", "error")):
                assert abs(ours[1] - theirs[1]) < TOLERANCE, "%s, %s: cut answers, ours %s, theirs %s" % (peer_name, kind, ours, theirs)
    for make in "as bind", "as knot":
        p = makers[make]
        counted = {kind: p.stat("limited_" + kind) for kind in KINDS}
        assert all(counted.values()), counted
        assert abs(p.stat("slipped") - sum(counted.values()) / SLIP) < TOLERANCE * sum(counted.values())
        assert re.search(r"event=rate-limit rate=%d slip=%d window_s=(1|15) ipv4_prefix=24 ipv6_prefix=56 exempt=0 octets=8388608" % (RATE, SLIP),
                         p.log())
        p.stop()


def answers(port, n=20, source=None, tcp=False, key=None, cookie=None):
    """How many of n questions for one name get a whole answer.  One that is dropped is not waited for."""
    got = 0
    for _ in range(n):
        more = {"use_edns": 0, "options": [dns.edns.GenericOption(COOKIE, cookie)]} if cookie else {}
        query = dns.message.make_query("www.a.test", "A", **more)
        if key:
            key.sign(query)
        send = dns.query.tcp if tcp else dns.query.udp
        answer = send(query, servers.ADDRESS, port=port, source=source, timeout=10)
        got += len(answer.answer) == 1
    return got


def assert_limited(port, rate, **how):
    """However long the questions take: what passes is a second's worth at once, and the rate after that."""
    begin = time.monotonic()
    got = answers(port, **how)
    assert rate <= got <= rate + 1 + rate * (time.monotonic() - begin)


def test_who_has_no_limit(served, secondary):
    """TCP, known keys, good cookies, and networks that are exempt; with all answers that are held back cut, so that none is waited for."""
    options = ["--rate-limit=5", "--rate-limit-slip=1", "--rate-limit-exempt=127.9.0.0/16", "--rate-limit-exempt=::1"]
    p = served(*options)
    s = secondary([KEY], *options, primaries=["%s@%d" % (servers.ADDRESS, p.port)])
    s.await_serial("a.test", 1)
    for server in p, s:
        cookie = dns.query.tcp(dns.message.make_query("www.a.test", "A", use_edns=0, options=[dns.edns.GenericOption(COOKIE, b"12345678")]),
                               servers.ADDRESS, port=server.port, timeout=10).options[0].to_wire()
        assert_limited(server.port, 5)
        assert answers(server.port, tcp=True) == answers(server.port, key=KEY) == answers(server.port, cookie=cookie) == 20
        assert answers(server.port, source="127.9.8.7") == 20
        assert_limited(server.port, 5, source="127.8.0.1")
        assert server.stat("limited_data") >= 20
        server.stop()


def test_what_a_real_client_does(served, need):
    """dig comes over TCP after an answer that is cut; if it knows cookies, it comes back with its cookie over UDP."""
    need("dig")
    p = served("--rate-limit=1", "--rate-limit-slip=1")
    at = ("dig", "@" + servers.ADDRESS, "-p", str(p.port), "www.a.test", "A")
    assert answers(p.port) < 20
    plain = subprocess.run([*at, "+nocookie"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "Truncated, retrying in TCP mode" in plain and "192.0.2.1" in plain and "(TCP)" in plain, plain
    with_cookie = subprocess.run([*at, "+cookie", "+badcookie"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "BADCOOKIE, retrying" in with_cookie and "192.0.2.1" in with_cookie and "(UDP)" in with_cookie, with_cookie
    p.stop()


def test_nobody_has_a_limit_by_default(served):
    p = served()
    assert answers(p.port, n=300) == 300
    assert "event=rate-limit" not in p.log() and p.stat("limited_data") == 0
    p.stop()


@pytest.mark.parametrize("options, says", [
    (["--rate-limit=x"], "should be a number from 0 to 1000000"),
    (["--rate-limit-slip=3"], "--rate-limit-slip: has no effect without --rate-limit=N"),
    (["--rate-limit=5", "--rate-limit-slip=101"], "should be a number from 0 to 100"),
    (["--rate-limit=5", "--rate-limit-window=0"], "should be a number from 1 to 3600"),
    (["--rate-limit=5", "--rate-limit-ipv4-prefix=33"], "--rate-limit-ipv4-prefix=33: should be a number from 1 to 32"),
    (["--rate-limit=5", "--rate-limit-ipv6-prefix=0"], "should be a number from 1 to 128"),
    (["--rate-limit=5", "--rate-limit-exempt=192.0.2.0/33"], "such as 192.0.2.0/24"),
    (["--rate-limit=5", "--rate-limit-exempt=example.org"], "such as 192.0.2.0/24"),
    (["--rate-limit=5", *(65 * ["--rate-limit-exempt=::1"])], "at most 64 prefixes"),
])
def test_wrong_usage(program, options, says):
    done = program("oprimary", "--remote=file:///x", *options, status=2)
    assert says in done.stderr
