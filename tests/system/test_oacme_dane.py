"""oacme --dane with the real programs and Pebble: at no moment a certificate is in DNS whose key clients cannot know."""
import hashlib
import threading

import pytest
from cryptography.hazmat.primitives import serialization

from certificate_world import ZONE, World, assert_clean, await_certificate

TTL = 3
OWNERS = ["_443._tcp.www.example", "_25._tcp.www.example"]
THEIRS = ["2 1 1 " + "ab" * 32, "3 1 1 " + "cd" * 32]


@pytest.fixture
def world(port_53, need, started, bindir, repo, primary, secondary, tmp_path, make_key):
    need("pebble")
    made = World(started, bindir, repo, primary, secondary, tmp_path, make_key)
    repo.commit({"example": ZONE % (2, "".join("_443._tcp.www %d TLSA %s\n" % (TTL, r) for r in THEIRS))})
    made.primary.hangup()
    made.primary.await_serial("example", 2)
    made.authority(env={"PEBBLE_AUTHZREUSE": "0"})
    return made


def pin_of(public):
    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "3 1 1 " + hashlib.sha256(spki).hexdigest()


def pins(wish, owner):
    return sorted(r.to_text() for r in wish.records(owner, "TLSA"))


def in_order(wish):
    """The records of this key, and those of others."""
    mine = pin_of(wish.private.public_key())
    return [pins(wish, owner) for owner in OWNERS] == [sorted([*THEIRS, mine]), [mine]]


class Watch(threading.Thread):
    """A client that looks again and again: with a certificate, the record is there."""

    def __init__(self, wish):
        super().__init__()
        self.wish, self.is_over, self.seen, self.wrong = wish, threading.Event(), set(), []

    def run(self):
        while not self.is_over.is_set():
            for certificate in self.wish.certificates():
                pin = pin_of(certificate.public_key())
                self.seen.add(pin)
                self.wrong += [(pin, owner) for owner in OWNERS if pin not in pins(self.wish, owner)]
            self.is_over.wait(0.05)

    def end(self):
        assert self.is_alive() or self.is_over.is_set(), "it has failed"
        self.is_over.set()
        self.join()
        assert self.wrong == []


@pytest.fixture
def watch(world):
    made = Watch(world.wish("www.example"))
    made.start()
    yield made
    made.end()


def test_another_key(world, remote, watch):
    """New records before the certificate, old ones out after it; records of others stay; so many commits."""
    acme, old, new = world.oacme("--dane=443,25", "--dane-keep=0"), world.wish("www.example"), world.wish("www.example")
    acme.await_log("event=ready")
    before = remote.commits()
    old.ask(ttl=TTL)
    await_certificate(acme, old)
    assert_clean(acme, old)
    assert in_order(old)
    assert remote.commits() - before <= 4
    acme.await_true("a client has seen the old one", lambda: watch.seen == {pin_of(old.private.public_key())})
    before = remote.commits()
    new.ask(ttl=TTL)
    await_certificate(acme, new)
    acme.await_true("the records of the old key are gone", lambda: in_order(new), 60)
    assert_clean(acme, new)
    assert remote.commits() - before <= 5
    assert acme.log().count("event=tlsa-added") == 2 and acme.log().count("event=tlsa-removed") == 1
    acme.await_true("a client has seen both", lambda: watch.seen == {pin_of(w.private.public_key()) for w in (old, new)})
    watch.end()
    acme.stop()


@pytest.mark.parametrize("step", ["tlsa-added", "certificate-ordered", "certificate-written"])
def test_killed(world, watch, step):
    """The next run goes on, and finds what has to go."""
    acme, old, new = world.oacme("--dane=443,25", "--dane-keep=0"), world.wish("www.example"), world.wish("www.example")
    old.ask(ttl=TTL)
    await_certificate(acme, old)
    acme.await_true("it is in order", lambda: in_order(old), 20)
    seen = acme.log().count("event=%s " % step)
    new.ask(ttl=TTL)
    acme.await_true(step, lambda: acme.log().count("event=%s " % step) > seen, 60)
    acme.kill()
    acme = world.oacme("--dane=443,25", "--dane-keep=0")
    await_certificate(acme, new)
    acme.await_true("the records of the old key are gone", lambda: in_order(new), 60)
    acme.stop()


def test_renewal(world, remote, watch):
    """The same key: nothing changes."""
    acme, wish = world.oacme("--dane=443,25"), world.wish("www.example")
    wish.ask(ttl=TTL)
    first = await_certificate(acme, wish)
    assert_clean(acme, wish)
    before = remote.commits()
    wish.update(lambda u: u.delete("_letsencrypt._tcp.www", "TLSA", "3 0 0 " + first.public_bytes(serialization.Encoding.DER).hex()))
    acme.await_true("another one", lambda: (c := wish.certificate()) and c.serial_number != first.serial_number, 60)
    assert_clean(acme, wish)
    assert remote.commits() - before <= 3
    assert in_order(wish)
    assert acme.log().count("event=tlsa-added") == 1
    acme.stop()


def test_no_right(world, make_key):
    """The certificate comes without the records, and it is said why."""
    keys = [make_key("x.127.0.0.1._transfer"), make_key("p._txt._update._acme-challenge.www.example"),
            make_key("n._tlsa._txt._update._letsencrypt._tcp.www.example")]
    world.repo.commit({"example": ZONE % (3, ""), "_keys": "".join(k.line for k in keys)})
    world.primary.hangup()
    world.primary.await_serial("example", 3)
    acme, wish = world.oacme("--dane=443", keys=keys), world.wish("www.example")
    wish.ask()
    await_certificate(acme, wish)
    assert_clean(acme, wish)
    assert "_443._tcp.www.example has TLSA records that no key may change" in acme.await_log("event=tlsa-left-out .*")[0]
    assert pins(wish, OWNERS[0]) == []
    acme.stop()


def test_check(world, program):
    """--check says that records come first."""
    wish = world.wish("www.example")
    wish.ask()
    done = program("oacme", "--check", "--dane=443", "--dns-server=127.0.0.1@53", "--directory=" + world.pebble.directory,
                   "--ca-file=" + world.ca, "--account-key-seed=x", "--user=root", env={"ORIGIN_KEYS": world.key.argument}, status=0)
    assert "TLSA records, then order now" in done.stdout
    assert pins(wish, OWNERS[0]) == sorted(THEIRS)


@pytest.mark.parametrize("ports", ["", "0", "443,", "https", "1,2,3,4,5,6,7,8,9"])
def test_wrong_ports(program, ports):
    done = program("oacme", "--dane=" + ports, status=2)
    assert "--dane" in done.stderr
