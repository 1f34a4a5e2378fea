"""osecondary --forward-updates: updates go to the primary as they are, and its answers come back."""
import dns.message
import dns.query
import dns.rcode
import dns.tsig
import pytest

import servers
import update_peers
import updates
from repository import git
from tsig_key import Key

ZONE = "$TTL 60\n@ SOA ns1 host 1 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n"
TRANSFER = Key("t._transfer.a.test.")
UPDATE = Key("u._update.a.test.", b"another secret of thirty-two oct")
STRANGER = Key("s._update.a.test.", b"a secret that nobody else has...")
FORWARD = "--forward-updates"


def place(server):
    return "%s@%d" % (getattr(server, "address", servers.ADDRESS), server.port)


@pytest.fixture
def follow(secondary):
    """follow(primary, …) → our secondary of these, which passes updates on and has the zone."""
    def start(*primaries, keys=(TRANSFER,), **more):
        return secondary(list(keys), FORWARD, "--refresh-max=1", "--refresh-min=1", primaries=[place(p) for p in primaries], **more)
    return start


@pytest.fixture
def pair(repo, primary, follow):
    repo.commit({"a.test": ZONE, "a.test._keys": TRANSFER.line + UPDATE.line})
    served = primary(repo, zones=["a.test"])
    follower = follow(served)
    follower.await_serial("a.test", 1)
    return served, follower


def send(server, update, *, tcp=True):
    return (dns.query.tcp if tcp else dns.query.udp)(update, server.address, port=server.port, timeout=40)


def add(key, address="192.0.2.7"):
    return updates.add(key, "www", address, zone="a.test")


@pytest.mark.parametrize("tcp", [False, True])
def test_an_update_arrives(pair, tcp):
    served, follower = pair
    assert send(follower, add(UPDATE), tcp=tcp).rcode() == dns.rcode.NOERROR  # dnspython has verified it
    follower.await_serial("a.test", 2)
    assert [r.address for r in follower.ask("www.a.test").answer[0]] == ["192.0.2.7"]
    follower.await_log(r"event=update-forwarded from=127\.0\.0\.1@\d+ zone=a\.test\. key=u\._update\.a\.test\. to=%s rcode=NOERROR" % place(served))
    assert follower.stat("answered", "forward-stats") == 1
    for server in follower, served:
        server.stop()


def test_updates_come_from_where_transfers_do(repo, primary, follow):
    """From the address that we listen on: the primary, or a firewall before it, may know us by that; so the commit says where it came from."""
    repo.commit({"a.test": ZONE, "a.test._keys": TRANSFER.line + UPDATE.line})
    served = primary(repo, zones=["a.test"])
    follower = follow(served, address="127.0.0.7")
    follower.await_serial("a.test", 1)
    served.await_log(r"event=transfer-sent to=127\.0\.0\.7@")
    assert send(follower, add(UPDATE)).rcode() == dns.rcode.NOERROR
    assert " from 127.0.0.7\n" in git(repo.bare, "log", "-1", "--format=%B", "main")
    for server in follower, served:
        server.stop()


def test_answers_come_back_as_they_are(pair):
    served, follower = pair
    update = updates.update_of(UPDATE, "a.test")
    update.present("nobody")
    assert send(follower, update).rcode() == dns.rcode.NXDOMAIN
    update = updates.with_edns(add(TRANSFER))  # a key that may not; the words are the primary's
    direct, passed = send(served, update), send(follower, update)
    assert passed.rcode() == direct.rcode() == dns.rcode.REFUSED
    assert updates.extended_error(passed) == updates.extended_error(direct) != None  # noqa: E711
    with pytest.raises(dns.tsig.PeerBadKey):
        send(follower, add(STRANGER))
    with pytest.raises(dns.tsig.PeerBadSignature):
        send(follower, add(Key(UPDATE.name, b"it has another secret than that.")))
    for server in follower, served:
        server.stop()


def test_a_wrong_clock(pair, monkeypatch):
    """BADTIME, signed, with the primary's time: the secondary does not know the key."""
    served, follower = pair
    monkeypatch.setattr(dns.message.time, "time", lambda: 1_000_000_000)  # when it is signed
    with pytest.raises(dns.tsig.PeerBadTime):
        send(follower, add(UPDATE))
    monkeypatch.undo()
    for server in follower, served:
        server.stop()


def test_what_is_not_passed_on(pair, secondary):
    served, follower = pair
    unsigned = updates.update_of(None, "a.test")
    unsigned.add("www", 60, "A", "192.0.2.7")
    assert send(follower, unsigned).rcode() == dns.rcode.REFUSED
    with pytest.raises(dns.tsig.PeerBadKey):  # another zone: it is answered here
        send(follower, updates.add(UPDATE, "www", "192.0.2.7", zone="b.test"))
    assert "update-forwarded" not in follower.log()
    silent = secondary([TRANSFER], primaries=[place(served)])
    silent.await_serial("a.test", 1)
    with pytest.raises(dns.tsig.PeerBadKey):
        send(silent, add(UPDATE))
    for server in silent, follower, served:
        server.stop()


def test_no_primary_answers(pair, primary, repo):
    """SERVFAIL at once when it cannot be reached; again when it is back."""
    served, follower = pair
    served.stop()
    answer = send(follower, updates.with_edns(add(TRANSFER)))  # the secondary has this key, and signs
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert updates.extended_error(answer)[0] == 23
    follower.await_log(r"event=update-not-forwarded .*zone=a\.test\. .*to=%s why=" % place(served))
    back = primary(repo, zones=["a.test"], port=served.port)
    assert send(follower, add(UPDATE)).rcode() == dns.rcode.NOERROR
    for server in follower, back:
        server.stop()


def test_the_next_primary_is_asked(pair, follow):
    served, _ = pair
    nobody = servers.free_port()
    follower = follow(type("Nobody", (), {"port": nobody}), served)
    follower.await_serial("a.test", 1)
    assert send(follower, add(UPDATE)).rcode() == dns.rcode.NOERROR
    follower.stop()


def test_through_a_chain(pair, follow):
    served, first = pair
    second = follow(first, keys=[TRANSFER])
    second.await_serial("a.test", 1)
    assert send(second, add(UPDATE), tcp=False).rcode() == dns.rcode.NOERROR
    second.await_serial("a.test", 2)
    for server in first, second:
        server.await_log(r"event=update-forwarded .*rcode=NOERROR")
    second.stop()


def test_secondaries_in_a_circle(pair, follow):
    """Each has the other and, behind it, the primary; while that is away the answer comes at once, and an update comes to it in the end."""
    served, _ = pair
    ports = servers.free_port(), servers.free_port()
    fake = [type("Place", (), {"port": p}) for p in ports]
    one, two = follow(fake[1], served, port=ports[0]), follow(fake[0], served, port=ports[1])
    for server in one, two:
        server.await_serial("a.test", 1)
    for i, server in enumerate((one, two)):
        assert send(server, add(UPDATE, "192.0.2.%d" % (i + 1))).rcode() == dns.rcode.NOERROR
    served.stop()
    for server in one, two:
        answer = send(server, add(TRANSFER))
        assert answer.rcode() == dns.rcode.SERVFAIL
    for server in one, two:
        assert server.stat("circles", "forward-stats") >= 1
        server.stop()


@pytest.mark.parametrize("kind", [update_peers.Bind, update_peers.Knot], ids=lambda k: k.name)
def test_other_primaries(kind, need, started, follow, program, tmp_path):
    """Each make answers as it would answer the client: dnspython, oupdate and nsupdate verify."""
    need("named" if kind is update_peers.Bind else "knotd", "nsupdate")
    key = Key("u._update.a.test.")
    peer = started(update_peers.start(kind, tmp_path, {"a.test": ZONE}, key))
    follower = follow(peer, keys=[key])
    follower.await_serial("a.test", 1)
    assert send(follower, add(key)).rcode() == dns.rcode.NOERROR
    follower.await_serial("a.test", 2)
    done = program("oupdate", "%s" % servers.ADDRESS, key.argument, "host.a.test", "192.0.2.9", "--port=%d" % follower.port, status=0)
    assert done
    with pytest.raises(dns.tsig.PeerBadKey):
        send(follower, add(STRANGER))
    script = "server %s %d\nzone a.test\nkey hmac-sha256:%s %s\nupdate add x.a.test 60 A 192.0.2.1\nsend\n" % (
        servers.ADDRESS, follower.port, key.name, key.secret)
    for option in [], ["-v"]:
        run = servers.subprocess.run(["nsupdate", *option], input=script, capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 0, run.stderr
    follower.await_true("the record is served", lambda: follower.ask("x.a.test").answer)
    follower.stop()
    peer.end()


def test_many_at_a_time(pair):
    """Over UDP, each sent three times: each is carried out once."""
    served, follower = pair
    with servers.socket.socket(servers.socket.AF_INET, servers.socket.SOCK_DGRAM) as s:
        s.settimeout(40)
        wires = {}
        for i in range(50):
            update = updates.add(UPDATE, "h%d" % i, "192.0.2.1", zone="a.test")
            wires[update.id] = update.to_wire()
        for wire in list(wires.values()) * 3:
            s.sendto(wire, (follower.address, follower.port))
        while wires:
            answer = s.recv(4096)
            if wires.pop(int.from_bytes(answer[:2], "big"), None):
                assert answer[3] & 15 == dns.rcode.NOERROR
    assert follower.stat("failed", "forward-stats") == 0
    for server in follower, served:
        server.stop()
