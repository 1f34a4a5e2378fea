"""Updates that somebody has recorded are not carried out again."""
import socket
import time

import dns.rcode
import pytest

import servers
from repository import git, write_hook
from updates import ZONE, add, addresses, send, send_octets, update_of, with_edns


@pytest.fixture
def key(make_key):
    return make_key("k._update.example")


@pytest.fixture
def other(make_key):
    return make_key("other._update.example", secret=b"the secret of the other, 32 oct.")


@pytest.fixture
def served(primary, repo, key, other):
    repo.commit({"example": ZONE, "_keys": key.line + other.line})
    return primary(repo, zones=["example"])


def rcode(wire):
    return dns.rcode.to_text(dns.rcode.Rcode(wire[3] & 15))


def delete(key, name):
    update = update_of(key)
    update.delete(name)
    return update


def signed_at(update, when):
    """Its octets, by a client whose clock says that."""
    real, time.time = time.time, lambda: when
    try:
        return update.to_wire()
    finally:
        time.time = real


def await_noerror(served, make):
    """A client that tries again when it hears SERVFAIL, signing anew; how many seconds that takes."""
    begin = time.monotonic()
    served.await_true("an update is taken", lambda: send(served, make()).rcode() == dns.rcode.NOERROR)
    return time.monotonic() - begin


def test_after_a_restart(served, primary, repo, key, other, remote):
    """What is in the history is not carried out again, also of a client whose clock is ahead; others go on at once."""
    ahead_s = int(time.time()) + 200
    ahead = signed_at(with_edns(add(other, "ahead", "192.0.2.8")), ahead_s)
    wire = with_edns(add(key, "x", "192.0.2.9")).to_wire()
    assert rcode(send_octets(served, wire)) == "NOERROR" and rcode(send_octets(served, ahead)) == "NOERROR"
    assert send(served, delete(key, "x")).rcode() == dns.rcode.NOERROR
    assert send(served, delete(key, "ahead")).rcode() == dns.rcode.NOERROR
    assert "\nOrigin-Signed: k._update.example 1" in remote.log("-1", "--format=%B")
    served.stop()
    served = primary(repo, zones=["example"])
    before = remote.commits()
    for old in (wire, ahead):
        answer = send_octets(served, old)
        assert rcode(answer) == "SERVFAIL" and b"sign it again" in answer
    assert addresses(served, "x.example") == [] and addresses(served, "ahead.example") == []
    assert remote.commits() == before
    assert await_noerror(served, lambda: add(key, "y", "192.0.2.9")) < 5  # its last one may be of this second
    # whose clock is behind that of another client of the same key has to wait until it has caught up; another key does not
    assert rcode(send_octets(served, signed_at(add(other, "z", "192.0.2.9"), ahead_s))) == "SERVFAIL"
    assert rcode(send_octets(served, signed_at(add(other, "z", "192.0.2.9"), ahead_s + 1))) == "NOERROR"
    served.stop()


def test_a_key_that_comes_back(served, repo, key, other):
    """Its past is remembered while it is away."""
    wire = add(key, "x", "192.0.2.9").to_wire()
    assert rcode(send_octets(served, wire)) == "NOERROR"
    assert send(served, delete(other, "x")).rcode() == dns.rcode.NOERROR
    for line, n in ((other.line, 1), (key.line + other.line, 2)):
        git(repo.path, "pull", "-q", "--rebase", "origin", repo.branch)
        commit = repo.commit({"_keys": line})
        served.hangup()
        served.await_log(r"event=keys-loaded file=_keys commit=%s records=%d" % (commit, n))
        answer = send_octets(served, wire)
    assert rcode(answer) == "NOERROR"  # the answer of the first time
    assert addresses(served, "x.example") == []
    served.stop()


def test_under_another_name(served, repo, key, other, make_key):
    """A key's name is signed: with the same secret it is another key, and in other letters it is the same."""
    twin = make_key("twin._update.example", secret=b"the secret of the other, 32 oct.")
    repo.commit({"_keys": key.line + other.line + twin.line})
    served.hangup()
    served.await_log("event=keys-loaded file=_keys .*records=3")
    wire = add(other, "x", "192.0.2.9").to_wire()
    assert rcode(send_octets(served, wire)) == "NOERROR"
    assert send(served, delete(key, "x")).rcode() == dns.rcode.NOERROR
    assert rcode(send_octets(served, wire.replace(b"\5other\7_update", b"\5OTHER\7_update"))) == "NOERROR"
    assert rcode(send_octets(served, wire.replace(b"\5other\7_update", b"\4twin\7_update"))) == "NOTAUTH"
    assert addresses(served, "x.example") == []


def test_no_place_is_taken_by_what_comes_again(primary, repo, key, gate):
    """Somebody sends a recorded update again and again, while a push takes its time: others of its key have their places."""
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(repo, "--updates-per-key=4", zones=["example"])
    write_hook(repo, "pre-receive", gate.line)
    first, recorded, other_one = (add(key, name, "192.0.2.9").to_wire() for name in "abc")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(30)
        s.connect((servers.ADDRESS, served.port))
        s.send(first)
        served.await_true("the push waits", gate.waiting)
        for wire in [recorded] * 20 + [other_one]:
            s.send(wire)
        served.await_true("all have come", lambda: served.stat("repeated", "update-stats") >= 19 and served.stat("waiting", "update-stats") == 3)
        gate.open()
        answers = dict((wire[:2], rcode(wire)) for wire in (s.recv(4096) for _ in range(3)))
    assert answers == {wire[:2]: "NOERROR" for wire in (first, recorded, other_one)}
    served.stop()
