"""oacme with the real programs and Pebble for the authority: certificates come into DNS, and nothing else stays there."""
import datetime
import json
import re
import time
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import servers
import small_ca
from certificate_world import ZONE, World, assert_clean, await_certificate, await_known, greet, names_of, verify
from tsig_key import Key


@pytest.fixture
def world(port_53, need, started, bindir, repo, primary, secondary, tmp_path, make_key):
    need("pebble", "openssl")
    return World(started, bindir, repo, primary, secondary, tmp_path, make_key)


def test_a_certificate(world):
    """One host, one name: the twelve steps."""
    world.authority()
    acme, wish = world.oacme(), world.wish("www.example")
    acme.await_log("event=ready")
    wish.ask()
    certificate = await_certificate(acme, wish)
    assert names_of(certificate) == ["www.example"]
    assert_clean(acme, wish)
    verify(world.work, wish, world.root())
    acme.stop()


def test_many_names(world):
    """Wildcard plus apex, whose proofs are at one name; ten names in one request."""
    world.authority()
    acme = world.oacme()
    apex = world.wish("example", ["example", "*.example"])
    ten = world.wish("ten.example", ["ten.example"] + ["n%d.ten.example" % n for n in range(9)])
    apex.ask()
    ten.ask()
    for wish in (apex, ten):
        assert names_of(await_certificate(acme, wish)) == sorted(wish.names)
        assert_clean(acme, wish)
        verify(world.work, wish, world.root())
    acme.stop()


def test_commits(world, remote):
    """What it makes of the repository: the request, the proofs, and the certificate instead of the proofs."""
    world.authority(env={"PEBBLE_AUTHZREUSE": "0"})
    acme, wish = world.oacme(), world.wish("www.example")
    acme.await_log("event=ready")
    before = remote.commits()
    wish.ask()
    await_certificate(acme, wish)
    assert_clean(acme, wish)
    assert remote.commits() - before <= 4
    assert "PRIVATE" not in remote.log("-p")
    acme.stop()


def test_another_key(world):
    """A request with another key in place of one that has its certificate."""
    world.authority()
    acme, old, new = world.oacme(), world.wish("www.example"), world.wish("www.example")
    old.ask()
    first = await_certificate(acme, old)
    new.ask()
    second = await_certificate(acme, new)
    assert second.serial_number != first.serial_number
    assert_clean(acme, new)
    acme.await_true("the old certificate is gone", lambda: len(new.certificates()) == 1, 10)
    acme.stop()


def test_a_removed_certificate(world):
    """The request stays, and the certificate was removed by hand: it comes again."""
    world.authority()
    acme, wish = world.oacme(), world.wish("www.example")
    wish.ask()
    first = await_certificate(acme, wish)
    await_known(acme, wish)  # else it may wait for minutes for the first one to be seen
    wish.ask()
    assert wish.certificate() is None or wish.certificate().serial_number != first.serial_number
    assert await_certificate(acme, wish).serial_number != first.serial_number
    assert_clean(acme, wish)
    acme.stop()


def test_a_delegated_challenge(world, make_key):
    """CNAMEs lead from the challenge's name into another zone, and the keys are as narrow as can be."""
    follow = make_key("x.127.0.0.1._transfer")
    proofs = make_key("p._txt._update.proofs")
    narrow = make_key("n._tlsa._txt._update._letsencrypt._tcp.www.example")
    world.repo.commit({"example": ZONE % (2, "_acme-challenge.www CNAME www.there.proofs.\nthere DNAME nowhere.\n"),
                       "proofs": ZONE % (1, ""), "_keys": follow.line + proofs.line + narrow.line})
    world.primary.hangup()
    world.primary.await_serial("proofs", 1)
    world.primary.await_serial("example", 2)
    world.authority()
    acme = world.oacme("--name-server=127.0.0.1@53", keys=[follow, proofs, narrow])
    wish = world.wish("www.example")
    wish.ask()
    await_certificate(acme, wish)
    assert_clean(acme, wish)
    acme.await_true("the proof is gone", lambda: wish.records("www.there.proofs", "TXT") == [], 20)
    assert "no key" not in acme.log()
    acme.stop()


def test_external_account(world):
    """The CA wants to know whose account it is."""
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    world.authority(externalAccountBindingRequired=True, externalAccountMACKeys={"kid-1": key})
    path = servers.write(world.work + "/eab", key + "\n")
    acme, wish = world.oacme("--eab-kid=kid-1", "--eab-key-file=" + path), world.wish("www.example")
    wish.ask()
    await_certificate(acme, wish)
    assert key not in acme.log()
    acme.stop()


def test_foreign_names(world):
    """A request names a host that is not below its own name: refused, and said so; others are not held up."""
    world.authority()
    acme = world.oacme()
    foreign, garbage, good = world.wish("a.example", ["a.example", "www.example"]), world.wish("b.example"), world.wish("c.example")
    foreign.ask()
    garbage.ask(b"this is no request")
    good.ask()
    await_certificate(acme, good)
    for wish in (foreign, garbage):
        said = acme.await_true("it is said", wish.status, 20)
        assert len(said) == 1 and said[0].startswith("failed 2")
        assert wish.certificates() == []
    assert "www.example, which is not at or below a.example" in foreign.status()[0]
    assert len(acme.log().split("event=request-refused")) == 3
    acme.stop()


def test_the_authority_is_down(world):
    """Nothing answers there; the certificate comes when it is back."""
    port = servers.free_port()
    acme, wish = world.oacme(directory="https://127.0.0.1:%d/dir" % port), world.wish("www.example")
    wish.ask()
    acme.await_log("event=order-failed host=www.example")
    assert acme.await_true("it is said", wish.status, 20)[0].startswith("failed ")
    assert wish.proofs() == []
    acme.stop()


def test_check(world, program):
    """--check says what would be done, and does nothing."""
    world.authority()
    wish = world.wish("www.example")
    wish.ask()
    done = program("oacme", "--check", "--dns-server=127.0.0.1@53", "--directory=" + world.pebble.directory, "--ca-file=" + world.ca,
                   "--account-key-seed=x", "--user=root", env={"ORIGIN_KEYS": world.key.argument}, status=0)
    assert "1 name in 1 zone\nwww.example" in done.stdout and "order now" in done.stdout
    assert wish.certificates() == [] and wish.proofs() == []


def test_authorities_that_cannot_be_read(program):
    done = program("oacme", "--dns-server=127.0.0.1", "--ca-file=/nonexistent", "--account-key-seed=x", "--user=root",
                   env={"ORIGIN_KEYS": Key("me._update.example.").argument}, status=1)
    assert "event=start-failed" in done.stderr and "cannot read --ca-file=/nonexistent: No such file or directory" in done.stderr


def test_check_of_what_is_there(world, program):
    """… and when a certificate is there, in how many hours it is renewed."""
    world.authority()
    acme, wish = world.oacme(), world.wish("www.example")
    wish.ask()
    await_certificate(acme, wish)
    assert_clean(acme, wish)
    acme.stop()
    done = program("oacme", "--check", "--dns-server=127.0.0.1@53", "--directory=" + world.pebble.directory, "--ca-file=" + world.ca,
                   "--account-key-seed=x", "--user=root", env={"ORIGIN_KEYS": world.key.argument}, status=0, timeout=30)
    assert re.search(r"^www\.example +\d+ days left +\w.* in \d+ h$", done.stdout, re.M), done.stdout


@pytest.mark.parametrize("step", ["certificate-ordered", "proofs-written", "proofs-seen", "certificate-issued"])
def test_killed(world, step):
    """Whenever it is killed: the next run removes what was left, and the certificate comes."""
    world.authority()
    acme, wish = world.oacme(), world.wish("www.example")
    acme.await_log("event=ready")
    wish.ask()
    acme.await_log("event=%s " % step)
    acme.kill()
    acme = world.oacme()
    acme.await_log("event=ready")  # the certificate may have come before
    await_certificate(acme, wish)
    assert_clean(acme, wish)
    acme.stop()


def test_renewal(world):
    """A certificate of a minute is renewed when half of that is left, and the service that had it has a valid one all the time."""
    world.authority(certificateValidityPeriod=60)
    acme, wish = world.oacme(), world.wish("www.example")
    wish.ask()
    first = await_certificate(acme, wish)
    acme.await_true("it is renewed", lambda: (c := wish.certificate()) and c.serial_number != first.serial_number, 60)
    assert time.time() < first.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp()
    assert_clean(acme, wish)
    acme.stop()


def revoke(world, wish):
    """By the key of the certificate (RFC 8555 7.6)."""
    at, key, encode = world.directory(), wish.private.public_key().public_numbers(), small_ca.encode
    header = {"alg": "ES256", "url": at["revokeCert"], "nonce": world.fetch(at["newNonce"])[0]["Replay-Nonce"],
              "jwk": {"kty": "EC", "crv": "P-256", "x": encode(key.x.to_bytes(32, "big")), "y": encode(key.y.to_bytes(32, "big"))}}
    what = {"certificate": encode(wish.certificate().public_bytes(serialization.Encoding.DER))}
    protected, payload = (encode(json.dumps(part).encode()) for part in (header, what))
    r, s = decode_dss_signature(wish.private.sign((protected + "." + payload).encode(), ec.ECDSA(hashes.SHA256())))
    body = {"protected": protected, "payload": payload, "signature": encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}
    world.fetch(urllib.request.Request(at["revokeCert"], json.dumps(body).encode(), {"Content-Type": "application/jose+json"}))


def test_revoked(world):
    """By renewal information (RFC 9773) the authority says that it is to be renewed now, and the order names it.  Pebble has that from
    2.6 on; without it, oacme knows nothing of it, and small_ca shows the same (test_oacme_ca.py)."""
    world.authority(env={"PEBBLE_WFE_NONCEREJECT": "0"})
    acme, wish, other = world.oacme(), world.wish("www.example"), world.wish("mail.example")
    wish.ask()
    first = await_certificate(acme, wish)
    assert_clean(acme, wish)
    acme.stop()
    revoke(world, wish)
    acme = world.oacme()
    if "renewalInfo" in world.directory():
        acme.await_true("it is renewed", lambda: (c := wish.certificate()) and c.serial_number != first.serial_number, 60)
        assert_clean(acme, wish)
        assert re.search("ARI: order .* is a replacement of", world.pebble.log())
    else:
        other.ask()
        await_certificate(acme, other)
        assert wish.certificate().serial_number == first.serial_number
    acme.stop()


# ---- the service's side is ours, too ----

NEW, UNCHANGED = 0, 3  # of ocertify


@pytest.fixture
def where(tmp_path):
    path = tmp_path / "service"
    path.mkdir()
    return path


@pytest.fixture
def ocertify(world, program, where):
    return lambda *args, **more: program("ocertify", servers.ADDRESS, "www.example", *args, env={"ORIGIN_KEY": world.key.argument},
                                         cwd=where, **more)


def test_one_command(world, ocertify, where):
    """The twelve steps with our programs alone: one command, and TLS clients trust the service.  Again, and nothing is asked for."""
    world.authority()
    acme = world.oacme()
    acme.await_log("event=ready")
    done = ocertify(status=NEW)
    assert "PRIVATE" not in done.stdout + done.stderr
    greet(world.started, where, world.root())
    assert_clean(acme, world.wish("www.example"))
    kept = (where / "www.example.pem").read_bytes()
    ocertify(status=UNCHANGED)
    assert (where / "www.example.pem").read_bytes() == kept
    assert acme.log().count("event=certificate-written") == 1
    acme.stop()


def test_another_request_by_command(world, ocertify, where):
    """More names, with the same key: ocertify waits for the new certificate, not for the one that is there."""
    world.authority()
    acme = world.oacme()
    ocertify(status=NEW)
    ocertify("--additional=mail.www.example", status=NEW)
    with open(where / "www.example.pem", "rb") as f:
        leaf = x509.load_pem_x509_certificate(f.read())
    assert names_of(leaf) == ["mail.www.example", "www.example"]
    greet(world.started, where, world.root())
    acme.stop()
