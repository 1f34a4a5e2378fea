"""oacme and ocertify with a second, unrelated authority: the ACME server of caddy.

It differs from Pebble in much: it finds the proofs by the machine's resolver, its certificates are good for 12 hours or what it is told,
the same authority signs the certificate of its own HTTPS, and what it knows outlives it.  What is proved with Pebble (test_oacme.py) is
proved with it, too, but for what it has not got: external account binding, alternate chains, nonces refused on purpose, authorizations
that are used again, renewal information, profiles.  All of these are in the tests' own CA (test_oacme_ca.py, test_oacme_faults.py).
"""
import datetime
import json
import os
import subprocess

import pytest

import clock
import servers
from certificate_world import ZONE, World, assert_clean, await_certificate, await_known, greet, names_of, verify

NEW, UNCHANGED = 0, 3  # of ocertify
HALF_OF_LIFE_S = 6 * 3600
RESOLVED_BY_US = "mount --bind \"$0\" /etc/resolv.conf && exec caddy run --config \"$1\""


def configuration(port, storage):
    site = {"listen": ["%s:%d" % (servers.ADDRESS, port)], "protocols": ["h1", "h2"], "automatic_https": {"disable_redirects": True},
            "routes": [{"match": [{"host": [servers.ADDRESS]}], "handle": [{"handler": "acme_server"}]}]}
    return {"admin": {"disabled": True}, "storage": {"module": "file_system", "root": storage},
            "apps": {"pki": {"certificate_authorities": {"local": {"install_trust": False}}}, "http": {"servers": {"acme": site}},
                     "tls": {"automation": {"policies": [{"subjects": [servers.ADDRESS], "issuers": [{"module": "internal"}]}]}}}}


class Caddy(servers.Process):
    """Its resolver is our primary, as /etc/resolv.conf says so in a mount namespace of its own."""

    def __init__(self, work):
        self.port, storage = servers.free_port(), os.path.join(work, "caddy")
        self.root_file = os.path.join(storage, "pki", "authorities", "local", "root.crt")
        own = os.path.join(storage, "certificates", "local", servers.ADDRESS, servers.ADDRESS + ".crt")
        resolver = servers.write(os.path.join(work, "resolv.conf"), "nameserver %s\n" % servers.ADDRESS)
        path = servers.write(os.path.join(work, "caddy.json"), json.dumps(configuration(self.port, storage)))
        super().__init__(["unshare", "--mount", "sh", "-c", RESOLVED_BY_US, resolver, path], work, "caddy",
                         env={"HOME": storage, "XDG_DATA_HOME": storage, "XDG_CONFIG_HOME": storage})
        self.directory = "https://%s:%d/acme/local/directory" % (servers.ADDRESS, self.port)
        try:
            self.await_log("serving initial configuration")
            self.await_true("it has a certificate of its own", lambda: os.path.exists(own))
        except BaseException:
            self.kill()
            raise

    def root(self):
        with open(self.root_file) as f:
            return f.read()


@pytest.fixture
def world(port_53, need, started, bindir, repo, primary, secondary, tmp_path, make_key):
    need("caddy", "openssl", "unshare", "mount")
    return World(started, bindir, repo, primary, secondary, tmp_path, make_key)


@pytest.fixture
def caddy(world, started):
    return started(Caddy(world.work))


@pytest.fixture
def oacme(world, caddy):
    def start(*options, **more):
        acme = world.oacme("--ca-file=" + caddy.root_file, *options, directory=caddy.directory, **more)
        acme.await_log("event=ready")
        return acme
    return start


@pytest.fixture
def where(tmp_path):
    path = tmp_path / "service"
    path.mkdir()
    return path


@pytest.fixture
def ocertify(world, program, where):
    return lambda *args, **more: program("ocertify", servers.ADDRESS, "www.example", *args, env={"ORIGIN_KEY": world.key.argument},
                                         cwd=where, **more)


def test_the_twelve_steps(world, caddy, oacme, ocertify, where, remote):
    """One command, and openssl takes its files; again, and nothing is asked for, though these certificates end today."""
    acme, wish = oacme(), world.wish("www.example")
    before = remote.commits()
    ocertify(status=NEW)
    done = subprocess.run(["openssl", "verify", "-verify_hostname", "www.example", "-CAfile", caddy.root_file, "-untrusted",
                           "www.example.pem", "www.example.pem"], cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    greet(world.started, where, caddy.root())
    assert_clean(acme, wish)
    assert remote.commits() - before <= 4
    kept = (where / "www.example.pem").read_bytes()
    ocertify(status=UNCHANGED)
    assert (where / "www.example.pem").read_bytes() == kept
    assert acme.log().count("event=certificate-written") == 1
    acme.stop()


def test_more_names_and_a_forced_one(world, oacme, ocertify, where):
    """The account is found again by its key, after a restart."""
    acme = oacme()
    ocertify(status=NEW)
    acme.stop()
    acme = oacme("--email=host@www.example")
    ocertify("--additional=mail.www.example", status=NEW)
    first = (where / "www.example.pem").read_bytes()
    ocertify("--additional=mail.www.example", "--force", status=NEW)
    assert (where / "www.example.pem").read_bytes() != first
    acme.stop()


@pytest.mark.parametrize("account", ["p256", "p384", "rsa", "ed25519"])
def test_wildcard_and_apex(world, caddy, oacme, account):
    """Both proofs are at one name; the account has a key of each kind."""
    acme, wish = oacme("--account-key-type=" + account), world.wish("example", ["example", "*.example"])
    wish.ask()
    assert names_of(await_certificate(acme, wish)) == ["*.example", "example"]
    assert_clean(acme, wish)
    verify(world.work, wish, caddy.root())
    acme.stop()



def test_ten_names_and_a_delegated_challenge(world, caddy, oacme, make_key):
    """A CNAME leads from the challenge's name into another zone, for which there is another key."""
    proofs = make_key("p._txt._update.proofs")
    follow = make_key("x.127.0.0.1._transfer.proofs")
    world.repo.commit({"example": ZONE % (2, "_acme-challenge.www CNAME www.proofs.\n"), "proofs": ZONE % (1, ""),
                       "_keys": proofs.line + follow.line})
    world.primary.hangup()
    world.primary.await_serial("proofs", 1)
    world.primary.await_serial("example", 2)
    acme = oacme("--name-server=127.0.0.1@53", keys=[world.key, proofs, follow])
    ten = world.wish("ten.example", ["ten.example"] + ["n%d.ten.example" % n for n in range(9)])
    delegated = world.wish("www.example")
    for wish in ten, delegated:
        wish.ask()
    for wish in ten, delegated:
        assert names_of(await_certificate(acme, wish)) == sorted(wish.names)
        assert_clean(acme, wish)
        verify(world.work, wish, caddy.root())
    acme.await_true("the proof is gone", lambda: delegated.records("www.proofs", "TXT") == [])
    acme.stop()


def test_another_key_and_a_removed_certificate(world, caddy, oacme):
    """A request with another key in place of one that has its certificate; then the same request, and no certificate beside it."""
    acme, old, new = oacme(), world.wish("www.example"), world.wish("www.example")
    old.ask()
    serials = [await_certificate(acme, old).serial_number]
    for _ in "another key", "removed":
        await_known(acme, new)
        new.ask()
        serials.append(await_certificate(acme, new).serial_number)
        assert_clean(acme, new)
        assert [c.serial_number for c in new.certificates()] == serials[-1:]
    assert len(set(serials)) == 3
    verify(world.work, new, caddy.root())
    acme.stop()


def test_renewal(world, caddy, oacme, need, tmp_path):
    """When half of its life is left, which is six hours later by the clock of all that is ours.  To that clock the next one, which the
    authority makes by its own clock, is as old; so in the end it is set back."""
    need("gcc")
    acme, wish = oacme(), world.wish("www.example")
    wish.ask()
    first = await_certificate(acme, wish)
    assert_clean(acme, wish)
    acme.stop()
    later = clock.off(tmp_path, HALF_OF_LIFE_S)
    assert int(later["CLOCK_AT"]) < first.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp()
    world.restart_servers(env=later)
    acme = oacme(env=later)
    acme.await_true("it is renewed", lambda: (c := wish.certificate()) and c.serial_number != first.serial_number, 60)
    acme.stop()
    world.restart_servers()
    acme = oacme()
    assert_clean(acme, wish)
    verify(world.work, wish, caddy.root())
    acme.stop()
    assert "event=certificate-ordered" not in acme.log()
