"""ocertify against our primary.  The tests are oacme and the CA: they find the signing request in DNS, issue a certificate for it, and put it
there by an UPDATE.  Requests and chains are judged by openssl."""
import contextlib
import ctypes
import datetime
import hashlib
import os
import pty
import re
import signal
import stat
import subprocess

import dns.message
import dns.rdata
import dns.rdatatype
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

import servers
from tsig_key import Key
from updates import ZONE, send, update_of

HOST = "www.example"
PLACE = "_letsencrypt._tcp." + HOST
NEW, UNCHANGED, WAITING, REFUSED = 0, 3, 4, 5
DAY = datetime.timedelta(days=1)


# ---- the CA ----

def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


class Authority:
    """A root, an intermediate CA below it, and one that has nothing to do with it."""

    def __init__(self, make_key=lambda: ec.generate_private_key(ec.SECP256R1())):
        self.keys = {name: make_key() for name in ("Root", "Middle", "Other")}
        self.root = self.ca("Root", "Root")
        self.middle = self.ca("Middle", "Root")
        self.other = self.ca("Other", "Other")

    def ca(self, subject, issuer, signer=None):
        return self.sign(self.begin(subject, issuer, self.keys[subject].public_key(), DAY * 1000)
                         .add_extension(x509.BasicConstraints(True, None), True), signer or issuer)

    @staticmethod
    def begin(subject, issuer, public_key, lifetime, age=DAY):
        now = datetime.datetime.utcnow()
        return (x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named(issuer)).public_key(public_key)
                .serial_number(x509.random_serial_number()).not_valid_before(now - age).not_valid_after(now + lifetime))

    def sign(self, builder, issuer):
        return builder.sign(self.keys[issuer], hashes.SHA256())

    def issue(self, request, lifetime=DAY * 90, names=None, key=None, age=DAY):
        alt = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value if names is None else \
            x509.SubjectAlternativeName([x509.DNSName(n) for n in names])
        return self.sign(self.begin("", "Middle", key or request.public_key(), lifetime, age).add_extension(alt, False)
                         .add_extension(x509.BasicConstraints(False, None), True), "Middle")


@pytest.fixture(scope="module")
def authority():
    return Authority()


def der(thing):
    return thing.public_bytes(serialization.Encoding.DER)


def tlsa(head, octets):
    return dns.rdata.from_text("IN", "TLSA", "%s %s" % (head, octets.hex()))


# ---- oacme ----

class Oacme:
    """What DNS has at a host, and how it changes."""

    def __init__(self, served, key, authority, host=HOST):
        self.served, self.key, self.authority = served, key, authority
        self.host, self.place = host, "_letsencrypt._tcp." + host

    def records(self, place=None, rrtype="TLSA"):
        answer = self.served.ask(place or self.place, rrtype, tcp=True)
        return [r for s in answer.answer if s.rdtype == dns.rdatatype.from_text(rrtype) for r in s]

    def requests(self):
        return [x509.load_der_x509_csr(r.cert) for r in self.records() if (r.usage, r.selector, r.mtype) == (3, 255, 0)]

    def request(self):
        """The one that is there, once it is."""
        servers.await_true("the request is in DNS", self.requests)
        found, = self.requests()
        assert found.is_signature_valid
        return found

    def change(self, add=(), remove=()):
        update = update_of(self.key)
        for rdata in remove:
            update.delete(self.place + ".", rdata)
        for rdata in add:
            update.add(self.place + ".", 3600, rdata)
        assert send(self.served, update).rcode() == 0

    def put(self, leaf, *chain):
        """Replaces all but the request."""
        old = [r for r in self.records() if r.selector != 255]
        self.change([tlsa("3 0 0", der(leaf)), *(tlsa("0 0 0", der(c)) for c in chain)], old)

    def answer(self, **how):
        a = self.authority
        leaf = a.issue(self.request(), **how)
        self.put(leaf, a.other, a.root, a.middle)
        return leaf

    def say(self, *words):
        update = update_of(self.key)
        update.delete("_status.%s." % self.place, "TXT")
        update.add("_status.%s." % self.place, 60, "TXT", " ".join('"%s"' % w for w in words))
        assert send(self.served, update).rcode() == 0


@pytest.fixture
def least():
    """May change TLSA records at this name, and nothing else."""
    return Key("me._tlsa._update." + PLACE)


@pytest.fixture
def elsewhere():
    return Key("me._update.ftp.example")


@pytest.fixture
def filled(repo, key, least, elsewhere):
    repo.commit({"example": ZONE, "_keys": key.line + least.line + elsewhere.line})
    return repo


@pytest.fixture
def served(filled, primary):
    return primary(filled, zones=["example."])


@pytest.fixture
def oacme(served, key, authority):
    return Oacme(served, key, authority)


@pytest.fixture
def where(tmp_path):
    path = tmp_path / "certificates"
    path.mkdir()
    return path


@pytest.fixture
def ocertify(program, served, key, where):
    def run(*args, host=HOST, dns_key=key, env=None, **more):
        env = {**({"ORIGIN_KEY": dns_key.argument} if dns_key else {}), **(env or {})}
        done = program("ocertify", servers.ADDRESS, *([host] if host else []), "--port=%d" % served.port, *args, env=env, cwd=where, **more)
        assert "PRIVATE" not in done.stdout + done.stderr and key.secret not in done.stdout + done.stderr
        return done
    return run


@pytest.fixture
def ask(ocertify):
    """Puts the request into DNS and does not wait."""
    return lambda *args, **more: ocertify("--timeout=0", *args, **{"status": WAITING, **more})


class Waiting:
    """An ocertify that waits, as long as it takes."""

    def __init__(self, bindir, where, served, key, *args, stderr=subprocess.PIPE, env=None):
        self.popen = subprocess.Popen([os.path.join(bindir, "ocertify"), servers.ADDRESS, HOST, "--port=%d" % served.port, *args], cwd=where,
                                      env={**os.environ, **servers.sanitizer_env(), "ORIGIN_KEY": key.argument, **(env or {})},
                                      text=True, stdout=subprocess.PIPE, stderr=stderr)
        self.out = self.err = None

    def ended(self, status):
        self.out, self.err = self.popen.communicate(timeout=60)
        assert self.popen.returncode == status, self.out + (self.err or "")

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.communicate()


@pytest.fixture
def waiting(bindir, where, served, key, started):
    return lambda *args: started(Waiting(bindir, where, served, key, *args))


# ---- openssl ----

def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def verify(where, authority, host=HOST):
    root = where / "root"
    root.write_bytes(authority.root.public_bytes(serialization.Encoding.PEM))
    pem = where / (host + ".pem")
    assert ": OK" in openssl("verify", "-CAfile", root, "-untrusted", pem, "-verify_hostname", host, pem)
    ours, certified = openssl("pkey", "-in", where / (host + ".key"), "-pubout"), openssl("x509", "-in", pem, "-noout", "-pubkey")
    assert ours == certified
    return [c.subject.rfc4514_string() for c in certificates(pem)]


def certificates(path):
    """Those of a PEM file, in their order."""
    blocks = re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", path.read_bytes(), re.S)
    return [x509.load_pem_x509_certificate(block) for block in blocks]


# ---- the walk ----

def test_from_nothing_to_a_certificate(waiting, ocertify, oacme, authority, where, filled):
    """Records of an RRset have no order, and one of them is of no use: the chain is found all the same."""
    run = waiting()
    leaf = oacme.answer()
    run.ended(NEW)
    assert "www.example: www.example.pem is a new certificate, valid until 20" in run.out
    assert "the signing request is in DNS; waiting for the certificate" in run.err
    assert verify(where, authority) == ["", "CN=Middle", "CN=Root"]
    assert "verify OK" in openssl("req", "-verify", "-noout", "-in", where / (HOST + ".req"))
    assert stat.S_IMODE((where / (HOST + ".key")).stat().st_mode) == 0o600
    assert sorted(p.name for p in where.iterdir()) == ["root", HOST + ".key", HOST + ".pem", HOST + ".req"]
    before = {p: p.stat().st_mtime_ns for p in where.iterdir()}
    assert "is as it was" in ocertify(status=UNCHANGED).stdout
    assert {p: p.stat().st_mtime_ns for p in where.iterdir()} == before
    assert len(oacme.requests()) == 1 and tlsa("3 0 0", der(leaf)) in oacme.records()
    assert b"PRIVATE" not in subprocess.run(["git", "-C", filled.path, "log", "-p", "--all"], capture_output=True, check=True).stdout


def test_a_request_that_is_there_is_not_made_again(ask, served, oacme, where):
    """Each run of a timer would be a commit.  A request that is signed anew says the same, but its octets are others (ECDSA)."""
    serial = servers.serial_served(served.port, "example.")
    ask("--type=ec")
    first = oacme.request()
    assert servers.serial_served(served.port, "example.") == serial + 1
    (where / (HOST + ".req")).unlink()
    ask()
    assert der(oacme.request()) == der(first) != der(x509.load_pem_x509_csr((where / (HOST + ".req")).read_bytes()))
    assert servers.serial_served(served.port, "example.") == serial + 1


@pytest.mark.parametrize("args,public", [
    ([], "RSA Public-Key: (2048 bit)|Public-Key: (2048 bit)"), (["--bits=4096"], "Public-Key: (4096 bit)"), (["--type=ec"], "prime256v1"),
    (["--type=ec", "--bits=384"], "secp384r1"), (["--type=ed25519"], "ED25519 Public-Key")])
def test_types_of_keys(ask, oacme, where, args, public):
    done = ask(*args)
    text = openssl("req", "-verify", "-noout", "-text", "-in", where / (HOST + ".req"))
    assert "verify OK" in text and any(p in text for p in public.split("|")) and "DNS:www.example" in text
    assert ("Let's Encrypt" in done.stderr) == ("ed25519" in args[0] if args else False)
    assert der(oacme.request()) == der(x509.load_pem_x509_csr((where / (HOST + ".req")).read_bytes()))


def test_all_names_are_asked_for(ask, ocertify, oacme):
    """The wildcard is at its parent's place; other names have no place there."""
    ask("--additional=*.www.example", "-a", "A.www.example.")
    alt = oacme.request().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alt.get_values_for_type(x509.DNSName) == ["www.example", "*.www.example", "a.www.example"]
    done = ocertify("--additional=ftp.example", status=2)
    assert "ftp.example is not at or below www.example" in done.stderr


def test_a_wildcard_alone(ask, where, served, key, authority):
    ask(host="*.www.example")
    alt = Oacme(served, key, authority).request().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alt.get_values_for_type(x509.DNSName) == ["*.www.example"]
    assert (where / "www.example.key").exists()


def test_a_large_set_comes_over_tcp(ocertify, ask, served, key, where):
    """RSA of 4,096 bits throughout: over 4,000 octets, of which UDP takes 1,232."""
    large = Authority(lambda: rsa.generate_private_key(65537, 4096))
    oacme = Oacme(served, key, large)
    ask("--bits=4096")
    oacme.answer()
    ocertify(status=NEW)
    assert sum(len(r.cert) for r in oacme.records()) > 5000
    verify(where, large)


# ---- keys ----

def public_of(where):
    return openssl("pkey", "-in", where / (HOST + ".key"), "-pubout")


@pytest.mark.parametrize("how", ["argument", "file", "environment"])
def test_a_seed_is_a_key(ask, where, how):
    args, env = {"argument": (["--seed=correct horse"], {}), "file": (["--seed-file=seed"], {}), "environment": ([], {"ORIGIN_SEED": "correct horse"})}[how]
    (where / "seed").write_text("correct horse\n")
    (where / "seed").chmod(0o600)
    ask("--type=ec", *args, env=env)
    first = public_of(where)
    (where / (HOST + ".key")).unlink()
    ask("--type=ec", "--seed=correct horse")
    assert public_of(where) == first
    (where / (HOST + ".key")).unlink()
    ask("--type=ec", "--seed=correct horse battery")
    assert public_of(where) != first


def test_data_is_a_key(ask, ocertify, where):
    """RFC 8032 7.1, test 1."""
    ask("--type=ed25519", "--data=nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    assert "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" in \
        re.sub(r"[\s:]", "", openssl("pkey", "-in", where / (HOST + ".key"), "-pubout", "-noout", "-text_pub"))
    done = ocertify("--type=ec", "--data=nWGxnQ==", status=1)
    assert "--data is no such private key" in done.stderr and "nWGxnQ" not in done.stderr


def test_a_key_that_is_there_is_used_and_stays(ask, ocertify, oacme, where):
    subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", where / (HOST + ".key")], check=True, timeout=60)
    before = (where / (HOST + ".key")).read_bytes()
    ask()
    assert isinstance(oacme.request().public_key(), ec.EllipticCurvePublicKey)
    done = ocertify("--type=rsa", status=1)
    assert "has another private key (P-384) than the one that --type and --bits say" in done.stderr and "--force" in done.stderr
    assert (where / (HOST + ".key")).read_bytes() == before


@pytest.mark.parametrize("text,words", [("", "there is no private key in it"), ("nonsense", "there is no private key in it")])
def test_a_file_that_is_no_key_stays(ocertify, where, text, words):
    (where / (HOST + ".key")).write_text(text)
    assert words in ocertify(status=1).stderr
    assert (where / (HOST + ".key")).read_text() == text


def test_a_passphrase_is_not_asked_for(ocertify, where):
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-aes128", "-pass", "pass:x", "-out", where / (HOST + ".key")], check=True, timeout=60)
    assert "has a passphrase" in ocertify(status=1, stdin="").stderr


def test_another_key_takes_its_place_with_its_certificate(ask, ocertify, oacme, where, authority):
    """Until then the service may be started with the old pair."""
    ask("--type=ec")
    oacme.answer()
    ocertify(status=NEW)
    old = public_of(where)
    ask("--type=ed25519", "--force")
    assert public_of(where) == old and (where / (HOST + ".key.next")).exists()
    assert len(oacme.records()) == 1  # the certificate is gone from DNS
    ask()  # a run of the timer goes on with the new key
    oacme.answer()
    ocertify(status=NEW)
    assert public_of(where) != old and not (where / (HOST + ".key.next")).exists()
    assert verify(where, authority)[1:] == ["CN=Middle", "CN=Root"]
    assert stat.S_IMODE((where / (HOST + ".key")).stat().st_mode) == 0o600


def next_key(where):
    return where / (HOST + ".key.next")


def names_in(where):
    return sorted(p.name[len(HOST) + 1:] for p in where.iterdir())


def with_a_pair(ask, oacme, ocertify, where):
    """Key and certificate are there; returns the public key."""
    ask("--type=ec")
    oacme.answer()
    ocertify(status=NEW)
    return public_of(where)


def test_a_key_that_was_refused_leaves_nothing(ask, oacme, ocertify, where, elsewhere, served):
    """The server takes no request of this key for DNS: so nobody has heard of the new private key."""
    old = with_a_pair(ask, oacme, ocertify, where)
    for key in (elsewhere, Key("me._update.unknown"), None):
        done = ocertify("--force", "--type=ed25519", dns_key=key, status=REFUSED if key is elsewhere else 1)
        assert names_in(where) == ["key", "pem", "req"], done.stderr
    for options in ([], ["--type=ec"]):
        ocertify(*options, status=UNCHANGED)
    assert public_of(where) == old


def test_a_key_whose_request_never_came_into_dns(ask, oacme, ocertify, where, authority):
    """The run ended before, and the timer's next ones cannot ask: what DNS has for the old key is taken on."""
    old = with_a_pair(ask, oacme, ocertify, where)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", next_key(where)], check=True, timeout=60)
    done = ocertify(status=UNCHANGED, dns_key=None)
    assert "www.example.key counts, and not www.example.key.next" in done.stderr
    oacme.answer()
    ocertify(status=NEW, dns_key=None)
    assert public_of(where) == old and verify(where, authority)
    ask("--type=ec", "--force")  # a request for the old key: the other one is of no use any more
    assert not next_key(where).exists()


def test_a_key_that_the_ca_refuses(ask, oacme, ocertify, where, authority):
    """The timer may say what key it wants; else there is a hint how to go back."""
    old = with_a_pair(ask, oacme, ocertify, where)
    ask("--type=ed25519", "--force")
    oacme.say("badPublicKey: no such keys here")
    assert not ask("--quiet", status=REFUSED).stdout
    done = ask("--timeout=1", status=REFUSED)
    assert "for a certificate with the key in www.example.key remove www.example.key.next and run ocertify again" in done.stderr
    ask("--type=ec", status=REFUSED)
    assert not next_key(where).exists() and der(oacme.request()) == der(x509.load_pem_x509_csr((where / (HOST + ".req")).read_bytes()))
    oacme.answer()
    ocertify("--type=ec", status=NEW)
    assert public_of(where) == old and verify(where, authority)


def test_another_key_is_refused_by_the_name_of_its_file(ask, oacme, ocertify, where):
    with_a_pair(ask, oacme, ocertify, where)
    ask("--type=ed25519", "--force")
    assert "www.example.key has another private key (P-256) than" in ocertify("--type=rsa", status=1).stderr
    assert next_key(where).exists()
    ask("--type=ed25519")  # goes on with it


def fits(where):
    """Do key and certificate fit together?"""
    leaf = certificates(where / (HOST + ".pem"))[0]
    spki = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return leaf.public_key().public_bytes(*spki).decode() == public_of(where)


@pytest.fixture(scope="module")
def killing(tmp_path_factory):
    """An environment in which a program is killed at its n-th step."""
    library = str(tmp_path_factory.mktemp("killing") / "killing.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "killing.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", library, source], check=True, timeout=60)
    asan = servers.sanitizer_env()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    return lambda at: {"LD_PRELOAD": library, "KILLING_AT": str(at), "ASAN_OPTIONS": asan}


def restore(where, saved):
    for p in where.iterdir():
        p.unlink()
    for name, octets in saved.items():
        (where / name).write_bytes(octets)


def test_a_crash_anywhere_leaves_a_pair_that_fits(ask, oacme, ocertify, where, bindir, served, key, started, killing):
    """A new key takes its place with its certificate: killed at each step, key and certificate fit, or do so after the next run; and the
    hook runs."""
    old = with_a_pair(ask, oacme, ocertify, where)
    ask("--type=ed25519", "--force")
    oacme.answer()
    saved = {p.name: p.read_bytes() for p in where.iterdir()}
    hook, apart, at = "--renew-hook=echo ran >>ran", 0, 0
    while True:
        at += 1
        restore(where, saved)
        run = started(Waiting(bindir, where, served, key, hook, env=killing(at)))
        err = run.popen.communicate(timeout=60)[1]
        if run.popen.returncode == NEW:
            break
        assert run.popen.returncode == -signal.SIGKILL, err
        if not fits(where):  # mended even where nothing can be asked for
            apart += 1
            subprocess.run([os.path.join(bindir, "ocertify"), servers.ADDRESS, HOST, "--port=%d" % servers.free_port()], cwd=where,
                           capture_output=True, check=False, timeout=60, env={**os.environ, **servers.sanitizer_env()})
            assert fits(where)
        ocertify(hook)
        assert fits(where) and public_of(where) != old and (where / "ran").exists()
        assert not [p.name for p in where.iterdir() if p.suffix in (".next", ".lock", ".hook")]
    assert apart == 1 and at > 8


# ---- which certificate is taken ----

def test_a_certificate_in_dns_needs_no_key_for_dns(ask, ocertify, oacme, where, authority):
    ask()
    oacme.answer()
    ocertify(status=NEW, dns_key=None)
    verify(where, authority)


def test_without_a_key_nothing_can_be_asked_for(ocertify):
    done = ocertify(status=1, dns_key=None)
    assert "no certificate in DNS that fits, and no key" in done.stderr and "okeygen tsig me._tlsa._update._letsencrypt._tcp.www.example" in done.stderr


def test_a_certificate_that_ends_today_is_not_taken(ask, oacme, ocertify, where):
    ask()
    oacme.answer(lifetime=DAY - datetime.timedelta(minutes=1), age=DAY * 89)
    ask()
    assert not (where / (HOST + ".pem")).exists()
    oacme.answer(lifetime=DAY + datetime.timedelta(minutes=5), age=DAY * 89)
    ocertify(status=NEW)


def test_a_certificate_of_hours_is_taken_until_its_last_quarter(ask, oacme, ocertify):
    hour = datetime.timedelta(hours=1)
    ask()
    oacme.answer(lifetime=hour * 2, age=hour * 10)
    ask()
    oacme.answer(lifetime=hour * 4, age=hour * 8)
    ocertify(status=NEW)


def test_more_names_take_a_new_certificate(ask, oacme, ocertify):
    ask()
    oacme.answer()
    ocertify(status=NEW)
    ask("--additional=a.www.example")
    assert len(oacme.records()) == 1
    oacme.answer()
    ocertify("--additional=a.www.example", status=NEW)


def test_force_asks_again_with_the_same_key(waiting, ask, oacme, ocertify, where):
    ask()
    first = oacme.answer()
    ocertify(status=NEW)
    key = public_of(where)
    run = waiting("--force")
    servers.await_true("the certificate is gone", lambda: len(oacme.records()) == 1)
    second = oacme.answer()
    run.ended(NEW)
    assert public_of(where) == key and der(first) != der(second)
    assert certificates(where / (HOST + ".pem"))[0] == second


def test_a_removed_certificate_is_asked_for_again(ask, oacme, ocertify):
    ask()
    oacme.answer()
    ocertify(status=NEW)
    oacme.change(remove=oacme.records())
    ask()
    oacme.answer()
    ocertify(status=NEW)


def test_lies_are_not_taken(ask, oacme, authority, where):
    """A certificate for another key, for other names, not signed by the CA that comes with it; nonsense beside it."""
    ask()
    request = oacme.request()
    forged = Authority()
    for leaf, chain in ((authority.issue(request, key=authority.keys["Other"].public_key()), [authority.middle]),
                        (authority.issue(request, names=["ftp.example"]), [authority.middle]),
                        (authority.issue(request), [forged.middle]), (authority.issue(request), [authority.other])):
        oacme.put(leaf, *chain)
        ask()
    oacme.change([tlsa("3 0 0", b"nonsense"), tlsa("0 0 0", b"\x30\x82\xff\xff"), tlsa("3 1 1", bytes(32))])
    done = ask()
    assert "its issuer (Middle) is not, or has not signed it: it is not taken" in done.stderr
    assert not (where / (HOST + ".pem")).exists()


def test_one_with_a_chain_is_taken_before_one_that_lasts_longer(ask, oacme, authority, where):
    """Whoever may update the records could put one there that lasts a century."""
    ask()
    request, forged = oacme.request(), Authority()
    longer, good = forged.issue(request, lifetime=DAY * 36500), authority.issue(request)
    oacme.put(good, authority.middle)
    oacme.change([tlsa("3 0 0", der(longer)), tlsa("3 0 0", der(authority.issue(request, lifetime=DAY * 30)))])
    assert "it is not taken" not in ask(status=NEW).stderr
    assert certificates(where / (HOST + ".pem")) == [good, authority.middle]


def test_without_a_chain_there_is_a_warning(ask, oacme, ocertify, authority):
    ask()
    oacme.put(authority.issue(oacme.request()))
    assert "no certificate of a CA came with the certificate" in ocertify(status=NEW).stderr


# ---- who answers in place of the server ----

@pytest.fixture
def forged(script, program, where, key):
    """forged(certificate…) → how ocertify ends when somebody else answers with these, unsigned, as he has no key for DNS."""
    def run(*chain, dns_key=key):
        def answer(wire, _):
            reply = dns.message.make_response(dns.message.from_wire(wire, question_only=True))
            reply.tsig = None
            if reply.question[0].rdtype == dns.rdatatype.TLSA:
                records = [tlsa("0 0 0" if i else "3 0 0", der(c)).to_text() for i, c in enumerate(chain)]
                reply.answer.append(dns.rrset.from_text_list(PLACE + ".", 60, "IN", "TLSA", records))
            return [reply.to_wire()]
        return program("ocertify", servers.ADDRESS, HOST, "--port=%d" % script(answer).port, "--timeout=0", cwd=where,
                       env={"ORIGIN_KEY": dns_key.argument} if dns_key else {})
    return run


def test_with_a_key_for_dns_answers_are_authentic(ask, oacme, forged, where):
    ask()
    mine = Authority()
    done = forged(mine.issue(oacme.request()), mine.middle, mine.root)
    assert done.returncode == 1 and "but unsigned" in done.stderr
    assert names_in(where) == ["key", "req"]


def test_without_one_a_forger_can_spoil_and_not_impersonate(ask, oacme, forged, where):
    """A CA of his own is as good as any, since clients are who must trust it; but the key is never his."""
    ask()
    mine = Authority()
    done = forged(mine.issue(oacme.request(), key=mine.keys["Other"].public_key()), mine.middle, mine.root, dns_key=None)
    assert done.returncode == 1 and names_in(where) == ["key", "req"]
    before = (where / (HOST + ".key")).read_bytes()
    assert forged(mine.issue(oacme.request()), mine.middle, mine.root, dns_key=None).returncode == NEW
    assert fits(where) and (where / (HOST + ".key")).read_bytes() == before


# ---- waiting ----

def test_what_oacme_says_is_shown(ask, oacme, waiting):
    """It is foreign text: it cannot steer a terminal."""
    ask()
    run = waiting("--timeout=4")
    oacme.say("urn:ietf:params:acme:error:caa: \x1b[2Jno; next try 12:00")
    run.ended(REFUSED)
    assert "oacme says: urn:ietf:params:acme:error:caa: ?[2Jno; next try 12:00" in run.err and "\x1b" not in run.err
    assert ask("--quiet", status=REFUSED).stdout == ""


def test_what_is_under_way_is_no_refusal(ask, oacme, waiting):
    """Where a proof is, and what became of another request, says nothing against this one."""
    ask()
    run = waiting("--timeout=4")
    oacme.say("proof", "abcdefgh", "2026-11-30T12:10:12Z", "_acme-challenge.www.example.", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ")
    run.ended(WAITING)
    oacme.say("failed", "2026-11-30T12:12:42Z", "tries 1", "next 2026-11-30T12:13:13Z", "request 01234567", "newOrder: no")
    run = waiting("--timeout=2")
    run.ended(WAITING)
    assert "oacme says" not in run.err


def test_a_failure_of_this_request_is_a_refusal(ask, oacme, waiting):
    ask()
    digest = hashlib.sha256(bytes([3, 255, 0]) + der(oacme.request())).hexdigest()[:8].upper()
    run = waiting("--timeout=4")
    oacme.say("failed", "2026-11-30T12:12:42Z", "tries 1", "next 2026-11-30T12:13:13Z", "request " + digest, "newOrder: no")
    run.ended(REFUSED)
    assert "oacme says: failed 2026-11-30T12:12:42Z tries 1 next 2026-11-30T12:13:13Z request %s newOrder: no" % digest in run.err


def test_one_file_is_not_two(ask):
    """A certificate in the place of the private key would be its end."""
    for options in (["--key=one", "--certificate=one"], ["--csr=www.example.key"], ["--certificate=www.example.req"]):
        assert "are one file" in ask(*options, status=2).stderr


@pytest.fixture
def linked(where, tmp_path):
    """Key, request and certificate are links to another directory, as to /etc/ssl; the request's leads to a link."""
    ssl = tmp_path / "ssl"
    ssl.mkdir()
    for end in ("key", "req", "pem"):
        (where / ("www.example." + end)).symlink_to(ssl / ("2.req" if end == "req" else "www." + end))
    (ssl / "2.req").symlink_to("www.req")
    return ssl


def test_links_are_followed(ask, oacme, ocertify, where, linked):
    """The files that they lead to are replaced, and the links stay."""
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", linked / "www.key"], check=True, timeout=60)
    for end in ("req", "pem"):
        (linked / ("www." + end)).touch()
    (linked / "www.pem").chmod(0o640)
    old = public_of(where)
    ask()
    oacme.answer()
    assert "%s is a new certificate" % (linked / "www.pem") in ocertify(status=NEW).stdout
    ocertify(status=UNCHANGED)
    assert fits(where) and public_of(where) == old
    ask("--type=ed25519", "--force")
    assert (linked / "www.key.next").exists()
    oacme.answer()
    ocertify(status=NEW)
    assert fits(where) and public_of(where) != old
    assert all(p.is_symlink() for p in where.iterdir()) and names_in(where) == ["key", "pem", "req"]
    assert sorted(p.name for p in linked.iterdir()) == ["2.req", "www.key", "www.pem", "www.req"]
    assert stat.S_IMODE((linked / "www.pem").stat().st_mode) == 0o640


@pytest.mark.parametrize("end", ["key", "req", "pem"])
def test_a_link_that_leads_nowhere_is_an_error(ocertify, where, linked, end):
    for other in {"key", "req", "pem"} - {end}:
        (where / ("www.example." + other)).unlink()
    done = ocertify(status=1)
    assert "the symbolic link www.example.%s leads nowhere: No such file or directory" % end in done.stderr and "hint: remove the link" in done.stderr
    assert names_in(where) == [end] and [p.name for p in linked.iterdir()] == ["2.req"]


def test_a_place_that_is_no_file_is_an_error(ask, oacme):
    ask()
    oacme.answer()
    done = ask("--certificate=/dev/null", status=1)
    assert "/dev/null" in done.stderr
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_terminal_shows_how_long_it_takes(bindir, where, served, key, started):
    """On one line, which is gone at the end; and nothing of it elsewhere, or where colours are not wanted."""
    for more, shown in (({}, True), ({"NO_COLOR": "1"}, False)):
        ours, its = pty.openpty()
        run = started(Waiting(bindir, where, served, key, "--timeout=2", stderr=its, env={"TERM": "xterm", **more}))
        os.close(its)
        run.ended(WAITING)
        text = b""
        with contextlib.suppress(OSError):  # the end of a terminal is EIO
            while octets := os.read(ours, 4096):
                text += octets
        os.close(ours)
        assert (b"\r\x1b[Kwww.example: waiting for the certificate, 1 of 2 seconds" in text) == shown
        assert (b"\r\x1b[Kocertify: " in text) == shown and b"is not there yet" in text


def test_two_runs_do_not_meet(waiting, oacme, ocertify, where):
    """The second one changes nothing, be it forced; the first one's end, however it comes, makes room."""
    run = waiting()
    request = oacme.request()
    for options in ([], ["--force", "--type=ec"]):
        assert "another ocertify is at work on www.example.pem: nothing was done" in ocertify(*options, status=WAITING).stderr
    assert ocertify("--quiet", status=WAITING).stderr == ""
    ocertify("--certificate=other.pem", "--timeout=0", status=WAITING)
    run.kill()
    assert der(oacme.request()) == der(request) and names_in(where) == ["key", "pem.lock", "req"]
    run = waiting()
    oacme.answer()
    run.ended(NEW)
    assert fits(where) and names_in(where) == ["key", "pem", "req"]


def test_another_request_is_noticed(waiting, oacme, where, program, served, key, tmp_path):
    run = waiting()
    oacme.request()
    other = tmp_path / "other"
    other.mkdir()
    program("ocertify", servers.ADDRESS, HOST, "--port=%d" % served.port, "--timeout=0", "--force", "--type=ec", cwd=other, status=WAITING,
            env={"ORIGIN_KEY": key.argument})
    run.ended(1)
    assert "another signing request" in run.err


def test_the_server_may_be_restarted_meanwhile(waiting, oacme, served, primary, filled, authority, key):
    run = waiting()
    oacme.request()
    served.stop()
    again = primary(filled, "--listen=%s@%d" % (servers.ADDRESS, served.port), zones=["example."])
    # what is signed in the second of the start could be a repetition from before it: "sign it again"
    servers.await_true("updates are taken", lambda: send(again, update_of(key)).rcode() == 0)
    Oacme(again, key, authority).answer()
    run.ended(NEW)


def test_a_server_that_is_gone_is_no_certificate_to_come(waiting, oacme, served):
    """Nobody knows whether the certificate is there: that is an error, which a timer shows, and not "not yet"."""
    run = waiting("--timeout=4")
    oacme.request()
    served.stop()
    run.ended(1)
    assert "does the server run there" in run.err and "the request was in DNS before" in run.err and "is not there yet" not in run.err


# ---- rights, errors, hook ----

def test_the_least_key(ask, oacme, least):
    ask(dns_key=least)
    assert oacme.request()


def test_a_key_for_something_else_is_refused(ocertify, elsewhere):
    done = ocertify(status=REFUSED, dns_key=elsewhere)
    assert "does not take the request: REFUSED" in done.stderr and "ANYTHING._tlsa._update._letsencrypt._tcp.www.example" in done.stderr


def test_nobody_answers(program, where):
    done = program("ocertify", servers.ADDRESS, HOST, "--port=%d" % servers.free_port(), "--type=ec", cwd=where, status=1)
    assert "does the server run there" in done.stderr


def test_an_alias_is_no_place(ocertify, served, key):
    update = update_of(key)
    update.add(PLACE + ".", 60, "CNAME", "www.example.")
    assert send(served, update).rcode() == 0
    assert "has a CNAME" in ocertify(status=REFUSED).stderr


@pytest.mark.parametrize("args,words", [
    ([], "a certificate for which host?"), (["192.0.2.1"], "is an address"), (["a b"], "is no host name"), (["a", "b", "c"], "too many arguments"),
    (["a", "--type=dsa"], "rsa, ec (also p256, p384) or ed25519"), (["a", "--bits=1024"], "2048 to 4096"), (["a", "--type=ec", "--bits=521"], "256 or 384"),
    (["a", "--seed=x", "--data=y"], "give only one"), (["a", "-a", "x..a"], "is no host name"), (["a" * 64], "is no host name")])
def test_wrong_usage(program, where, args, words):
    assert words in program("ocertify", *args, cwd=where, status=2).stderr
    assert not list(where.iterdir())


def test_the_hook_runs_after_a_new_certificate_alone(ask, oacme, ocertify, where):
    """It learns what is new, and no secret."""
    hook = "--renew-hook=echo $OCERTIFY_HOST $OCERTIFY_CERTIFICATE $OCERTIFY_KEY ${ORIGIN_KEY-none} >>ran"
    ask(hook)
    assert not (where / "ran").exists()
    oacme.answer()
    ocertify(hook, status=NEW)
    ocertify(hook, status=UNCHANGED)
    assert (where / "ran").read_text() == "www.example www.example.pem www.example.key none\n"
    oacme.answer()
    assert "the renew hook failed (status 7)" in ocertify("--renew-hook=exit 7", status=1).stderr


def test_a_hook_that_was_interrupted_runs_again(ask, oacme, waiting, ocertify, where):
    """Whatever ended the run: the service would go on with the old certificate until the next one."""
    ask()
    oacme.answer()
    run = waiting("--renew-hook=kill -9 $PPID; sleep 1")
    run.ended(-signal.SIGKILL)
    assert (where / "www.example.pem.hook").exists()
    ocertify(status=UNCHANGED)
    ocertify("--renew-hook=echo ran >>ran", status=NEW)
    assert (where / "ran").read_text() == "ran\n" and not (where / "www.example.pem.hook").exists()
    ocertify("--renew-hook=echo ran >>ran", status=UNCHANGED)


GROUP = 12345


def group_for_keys():
    """One that the key's reader is in, and nobody gets by default; who may not give files away stays with his own."""
    return GROUP if os.geteuid() == 0 else os.getegid()


def rights_of(path):
    found = path.stat()
    return stat.S_IMODE(found.st_mode), found.st_gid


@pytest.mark.parametrize("mode, becomes", [(0o640, 0o640), (0o440, 0o440), (0o604, 0o600), (0o666, 0o660)])
def test_rights_of_a_key_stay(ask, oacme, ocertify, where, mode, becomes):
    """A service that is not root reads its key as a member of a group.  What others could do with it was a mistake."""
    key = where / (HOST + ".key")
    ask("--type=ec")
    os.chown(key, -1, group_for_keys())
    key.chmod(mode)
    old = public_of(where)
    ask("--type=ed25519", "--force")
    assert rights_of(next_key(where)) == (becomes, group_for_keys())
    oacme.answer()
    ocertify(status=NEW)
    assert public_of(where) != old and rights_of(key) == (becomes, group_for_keys())


def never_chown():
    """PR_CAPBSET_DROP, CAP_CHOWN: what is executed then is root without this right."""
    assert ctypes.CDLL(None).prctl(24, 0, 0, 0, 0) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to give a file to a group that others are not in")
def test_a_group_that_nobody_chose_gets_no_right_to_a_key(ask, where):
    key = where / (HOST + ".key")
    ask("--type=ec")
    os.chown(key, -1, GROUP)
    key.chmod(0o640)
    ask("--type=ed25519", "--force", preexec_fn=never_chown)
    assert rights_of(next_key(where)) == (0o600, os.getegid())


def test_rights_of_a_certificate_stay(ask, oacme, ocertify, where):
    ask()
    oacme.answer()
    ocertify(status=NEW)
    (where / (HOST + ".pem")).chmod(0o640)
    oacme.answer()
    ocertify("--quiet", status=NEW)
    assert stat.S_IMODE((where / (HOST + ".pem")).stat().st_mode) == 0o640


def test_a_directory_that_is_full_or_not_ours(ask, oacme, ocertify, where):
    ask()
    oacme.answer()
    assert "cannot" in ocertify("--certificate=nowhere/x.pem", status=1).stderr
    assert "cannot" in ocertify("--key=nowhere/x.key", status=1).stderr


def test_as_the_tutorial_types_it(port_53, repo, primary, program, where, authority):
    """$ ocertify foo.mirage"""
    key = Key("personal._update.mirage")
    repo.commit({"mirage": ZONE, "mirage._keys": key.line})
    server = primary(repo, port=53, zones=["mirage."])
    program("ocertify", "foo.mirage", "--timeout=0", cwd=where, status=WAITING, env={"ORIGIN_KEY": key.argument})

    class Mirage(Oacme):
        def change(self, add=(), remove=()):
            update = update_of(self.key, "mirage")
            for rdata in add:
                update.add(self.place + ".", 3600, rdata)
            assert send(self.served, update).rcode() == 0
    Mirage(server, key, authority, "foo.mirage").answer()
    program("ocertify", "foo.mirage", cwd=where, status=NEW)
    verify(where, authority, "foo.mirage")
