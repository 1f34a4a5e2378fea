"""oacme and ocertify with a second, unrelated authority: the ACME server of caddy.

It differs from Pebble in much: it finds the proofs by the machine's resolver, its certificates are good for 12 hours, and the same
authority signs the certificate of its own HTTPS.  It knows neither renewal information nor profiles.
"""
import json
import os
import subprocess

import pytest

import servers
from certificate_world import World, assert_clean, await_certificate, names_of, verify

NEW, UNCHANGED = 0, 3  # of ocertify
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
    def start(*options):
        acme = world.oacme("--ca-file=" + caddy.root_file, *options, directory=caddy.directory)
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

