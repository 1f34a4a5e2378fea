"""oacme while something is wrong at the authority, at the primary, with a clock, or when there are two of it: nothing half-written stays in
DNS, no more orders are made than are allowed, and the certificate comes when the fault has ended."""
import os
import re
import signal
import time

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

import clock
import servers
import small_ca
from certificate_world import CHAIN, ZONE, World, assert_clean, await_certificate, verify

HOUR_MAX = 5  # orders for one name
WANTED = "as the test wants it"
AT_ONCE = ["badNonce", "accountDoesNotExist", "serverInternal"]  # after which the same request is sent again
FATAL = {  # … and those by which an order fails, each once: all of RFC 8555 6.7 for a new order, some of them later
    "newOrder": ["alreadyRevoked", "badCSR", "badPublicKey", "badRevocationReason", "badSignatureAlgorithm", "caa", "compound",
                 "connection", "dns", "externalAccountRequired", "incorrectResponse", "invalidContact", "malformed", "orderNotReady",
                 "rejectedIdentifier", "tls", "unauthorized", "unsupportedContact", "unsupportedIdentifier", "userActionRequired"],
    "challenge": ["caa", "connection", "dns", "malformed", "unauthorized"],
    "finalize": ["badCSR", "badPublicKey", "caa", "unauthorized"],
}


@pytest.fixture
def world(port_53, need, started, bindir, repo, primary, secondary, tmp_path, make_key):
    need("openssl")
    return World(started, bindir, repo, primary, secondary, tmp_path, make_key)


@pytest.fixture
def ca(tmp_path):
    where = tmp_path / "ca"
    where.mkdir()
    with small_ca.running(where, servers=[("127.0.0.1", 53), ("127.0.0.2", 53)]) as running:
        yield running
        assert [c for c in running.complaints if WANTED not in c] == []


@pytest.fixture
def oacme(world, ca):
    def start(*options, **more):
        acme = world.oacme("--ca-file=" + ca.root_file, *options, directory=ca.directory, **more)
        acme.await_log("event=ready")
        return acme
    return start


def ask_in_zone(world, serial, wishes):
    """Their signing requests, in one commit."""
    world.repo.commit({"example": ZONE % (serial, "".join("%s. 300 TLSA 3 255 0 %s\n" % (w.owner, w.csr().hex()) for w in wishes))})
    world.primary.hangup()
    world.primary.await_serial("example", serial)


# ---- the authority ----

def test_each_problem(world, ca, oacme, remote):
    """The reason is written into DNS, for people, and no proof stays.  Where the same request is to be sent again, that is done."""
    reasons = ["%s at %s, %s" % (problem, kind, WANTED) for kind, problems in FATAL.items() for problem in problems]
    for problem in AT_ONCE:
        ca.fail("newOrder", 500 if problem == "serverInternal" else 400, problem, "%s, %s" % (problem, WANTED))
    for kind, problems in FATAL.items():
        for problem in problems:
            ca.fail(kind, 400, problem, "%s at %s, %s" % (problem, kind, WANTED))
    wishes = [world.wish("w%d.example" % n) for n in range(len(AT_ONCE) + len(reasons))]
    acme = oacme()
    ask_in_zone(world, 2, wishes)
    acme.await_true("all reasons are in DNS", lambda: (h := remote.log("-p")) and all(r in h for r in reasons), 60)
    failed = dict(re.findall(r'event=order-failed host=(\S+) .*why="(.*?)"', acme.log()))
    assert len(failed) == len(reasons) and all(len([f for f in failed.values() if r in f]) == 1 for r in reasons), failed
    for wish in wishes:
        acme.await_true("no proof is left", lambda w=wish: w.proofs() == [], 30)
    fine = [w for w in wishes if w.host not in failed]
    assert len(fine) == len(AT_ONCE)
    for wish in fine:
        await_certificate(acme, wish)
    acme.stop()


def test_rate_limits_are_obeyed(world, ca, oacme):
    """429 with Retry-After, wherever in an order: nobody asks before its time, and the order goes on."""
    kinds = ["newOrder", "authz", "challenge", "finalize", "cert"]
    for kind in kinds:
        ca.fail(kind, 429, "rateLimited", "not so fast, " + WANTED, retry_after=1)
    acme, wish = oacme(), world.wish("www.example")
    wish.ask()
    await_certificate(acme, wish)
    assert_clean(acme, wish)
    requests = [(at, kind) for at, kind, _ in ca.log]
    for kind in kinds:
        limited = next(n for n, (_, k) in enumerate(requests) if k == kind)
        assert requests[limited + 1][0] - requests[limited][0] >= 1, requests
    assert ca.count("newOrder") == 2 and "order-failed" not in acme.log()
    acme.stop()


def test_a_preferred_chain(world, need):
    """Pebble has three chains for each certificate: that of the wanted root comes into DNS."""
    need("pebble")
    world.authority(env={"PEBBLE_ALTERNATE_ROOTS": "2"})
    root = world.root(2)
    name = x509.load_pem_x509_certificate(root.encode()).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    acme, wish = world.oacme("--preferred-chain=" + name), world.wish("www.example")
    wish.ask()
    await_certificate(acme, wish)
    assert name in [c.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value for c in wish.certificates(CHAIN)]
    verify(world.work, wish, root)
    assert_clean(acme, wish)
    acme.stop()


# ---- the primary ----

def stop_at(step, world, ca, acme, wish, down):
    """Calls `down` right before that UPDATE.  Returns when it was tried."""
    if step == "proof":
        ca.be_slow("newOrder", 1.5)
        wish.ask()
        acme.await_true("an order begins", lambda: ca.count("newOrder"))
        down()
        acme.await_true("the proof is known", lambda: ca.count("authz"))
    elif step == "certificate":
        ca.be_slow("cert", 1.5)
        wish.ask()
        acme.await_true("the certificate is fetched", lambda: ca.count("cert"))
        down()
        acme.await_log("event=certificate-issued")
    else:
        ca.validation_s = 1.5
        wish.ask()
        acme.await_true("the proof is there", lambda: ca.count("challenge"))
        down()
        ca.fail("*", 403, "unauthorized", WANTED)
        acme.await_log("event=order-failed")
    time.sleep(1)  # the UPDATE is tried, once at least


@pytest.mark.parametrize("step, how", [("proof", "killed"), ("certificate", "killed"), ("certificate", "stopped"), ("cleanup", "killed")])
def test_the_primary_is_away(world, ca, oacme, primary, remote, step, how):
    """… when an UPDATE is to be sent: it is sent again, and all is as it should be."""
    acme, wish = oacme(), world.wish("www.example")
    first = world.primary
    if how == "killed":
        stop_at(step, world, ca, acme, wish, first.kill)
        primary(world.repo, "--user=root", zones=["example"], port=53)
    else:
        stop_at(step, world, ca, acme, wish, lambda: os.killpg(first.pid, signal.SIGSTOP))
        os.killpg(first.pid, signal.SIGCONT)
    if step == "cleanup":
        acme.await_true("the reason is in DNS", lambda: WANTED in remote.log("-p"), 60)
        wish = world.wish("www.example")
        wish.ask()
    await_certificate(acme, wish)
    assert_clean(acme, wish)
    assert ca.count("newOrder") == 1 or step == "cleanup"
    acme.stop()


# ---- two of it ----

@pytest.mark.parametrize("accounts", [1, 2])
def test_two_at_once(world, ca, oacme, accounts):
    """By mistake, for the same zone: with the same account, or each with its own."""
    both = [oacme(), oacme(*(["--account-key-seed=another"] if accounts == 2 else []))]
    wishes = [world.wish("w%d.example" % n) for n in range(3)]
    ask_in_zone(world, 2, wishes)
    for wish in wishes:
        await_certificate(both[0], wish)
    time.sleep(2)  # for whatever may follow
    for wish in wishes:
        assert_clean(both[0], wish)
        assert len(wish.certificates()) == 1
        orders = [payload for _, kind, payload in ca.log if kind == "newOrder" and payload["identifiers"][0]["value"] == wish.host]
        assert len(orders) <= HOUR_MAX, "%d orders for %s" % (len(orders), wish.host)
    for acme in both:
        acme.stop()


def test_the_other_one_waits(world, ca, oacme):
    """One of two with the same account has failed, and waits: it does not take the proofs of the other one for what it has left itself."""
    ca.fail("newOrder", 403, "rejectedIdentifier", WANTED)
    ca.validation_s = 3
    both, wish = [oacme(), oacme()], world.wish("www.example")
    wish.ask()
    await_certificate(both[0], wish)
    assert_clean(both[0], wish)
    for acme in both:
        acme.stop()
        assert "leftovers-removed" not in acme.log().split("event=certificate-written")[0]
    assert ca.count("newOrder") == 2 and ca.count("finalize") == 1


def test_the_other_one_was_faster(world, ca, oacme):
    """A certificate has come while an order was under way: it stays, and the order ends without a trace."""
    slow, wish = oacme(), world.wish("www.example")
    ca.be_slow("newOrder", 1)
    wish.ask()
    slow.await_true("it orders", lambda: ca.count("newOrder"))
    os.kill(slow.pid, signal.SIGSTOP)
    try:
        fast = oacme()
        certificate = await_certificate(fast, wish)
        fast.await_log("event=certificate-written")
    finally:
        os.kill(slow.pid, signal.SIGCONT)
    slow.await_log("event=request-changed host=www.example .*somebody else")
    assert_clean(slow, wish)
    for acme in slow, fast:
        acme.stop()
    assert wish.certificate().serial_number == certificate.serial_number
    assert ca.count("finalize") == 1 and ca.count("newOrder") == 2


# ---- clocks ----

@pytest.mark.parametrize("off_s", [-3600, 3600])
def test_our_clock_is_wrong(world, ca, need, tmp_path, oacme, off_s):
    """By an hour: signatures are of no worth, and nothing is ordered.  When it is right again, the certificate comes."""
    need("gcc")
    wish = world.wish("www.example")
    wish.ask()
    acme = world.oacme("--ca-file=" + ca.root_file, directory=ca.directory, env=clock.off(tmp_path, off_s))
    acme.await_log("event=refresh-failed .*BADTIME: the clocks differ")
    acme.stop()
    assert ca.count("newOrder") == 0
    acme = oacme()
    await_certificate(acme, wish)
    assert_clean(acme, wish)
    acme.stop()


def test_the_clock_of_the_authority_is_ahead(world, ca, oacme):
    """Its certificates are not valid yet when they come, for some minutes: that is no reason to order another one."""
    ca.clock_offset_s = 3600 + 300
    acme, wish = oacme(), world.wish("www.example")
    wish.ask()
    certificate = await_certificate(acme, wish)
    assert_clean(acme, wish)
    acme.stop()
    acme = oacme()  # which knows nothing of the order
    acme.await_true("the authority is asked about the renewal", lambda: ca.count("renewalInfo"))
    time.sleep(1)
    assert wish.certificate().serial_number == certificate.serial_number and ca.count("newOrder") == 1
    acme.stop()


# ---- for people ----

def test_a_table(world, ca, oacme):
    """SIGUSR1: each name with what it has, what is next and when, and what went wrong."""
    good, bad, foreign = world.wish("good.example"), world.wish("bad.example"), world.wish("foreign.example", ["elsewhere.example"])
    acme = oacme()
    good.ask()
    await_certificate(acme, good)
    assert_clean(acme, good)
    ca.fail("newOrder", 403, "rejectedIdentifier", WANTED, times=9)
    bad.ask()
    foreign.ask()
    for wish in bad, foreign:
        acme.await_true("it is said", wish.status, 30)
    mark = len(acme.log())
    acme.popen.send_signal(signal.SIGUSR1)
    acme.await_true("all are there", lambda: acme.log()[mark:].count("event=certificate-state") == 3)
    lines = {m[1]: m[2] for m in re.finditer(r"event=certificate-state host=(\S+) (.*)", acme.log()[mark:])}
    assert re.fullmatch(r'days_left=89 next=renewal next_s=\d{7} tries=0( trouble="")?', lines["good.example"]), lines
    assert re.fullmatch(r'days_left=-1 next="next try" next_s=\d+ tries=1 trouble=".*%s.*"' % WANTED, lines["bad.example"]), lines
    assert re.fullmatch(r'days_left=-1 next="next try" next_s=\d+ tries=1 trouble=".*elsewhere.example.*"', lines["foreign.example"]), lines
    acme.stop()
