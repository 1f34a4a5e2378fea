"""oacme with an authority of the tests' own (small_ca), which has what Pebble lacks, and every fault on demand."""
import re
import signal

import pytest

import repository
import servers
import small_ca
from certificate_world import SEED, ZONE, Oacme, World, assert_clean, await_certificate

DAY_S = 86400


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
        assert running.complaints == []


@pytest.fixture
def oacme(world, ca):
    def start(*options):
        acme = world.oacme("--ca-file=" + ca.root_file, *options, directory=ca.directory)
        acme.await_log("event=ready")
        return acme
    return start


def assert_no_certificate(acme, wish, reason):
    """The order has failed for that reason, which stands in DNS, and nothing else stays there."""
    acme.await_log("event=order-failed host=%s" % wish.host)
    said = acme.await_true("it is said", lambda: [s for s in wish.status() if s.startswith("failed ")], 30)
    assert reason in said[0] and wish.status() == said
    assert wish.proofs() == [] and wish.certificates() == []


def test_the_authority_wants_it_renewed(world, ca, oacme):
    """RFC 9773: the window has begun, so the certificate is renewed though it is good for months, and the order names it."""
    first_wish = world.wish("www.example")
    acme = oacme()
    first_wish.ask()
    first = await_certificate(acme, first_wish)
    ca.renew_all()
    acme.stop()
    acme = oacme()
    acme.await_true("it is renewed", lambda: (c := first_wish.certificate()) and c.serial_number != first.serial_number, 60)
    assert_clean(acme, first_wish)
    orders = [payload for _, kind, payload in ca.log if kind == "newOrder"]
    assert len(orders) == 2 and "replaces" not in orders[0] and orders[1]["replaces"] in ca.issued
    acme.stop()


def test_a_profile(world, ca, oacme):
    acme, wish = oacme("--profile=shortlived"), world.wish("www.example")
    wish.ask()
    certificate = await_certificate(acme, wish)
    assert (certificate.not_valid_after - certificate.not_valid_before).total_seconds() == 6 * DAY_S
    acme.stop()


@pytest.mark.parametrize("lie", ["key", "names", "chain", "expired"])
def test_lies(world, ca, oacme, lie):
    """What the authority hands out is not what was asked for: it does not come into DNS."""
    ca.lies.add(lie)
    acme, wish = oacme(), world.wish("www.example")
    wish.ask()
    assert_no_certificate(acme, wish, "certificate")
    acme.stop()


@pytest.mark.parametrize("kind", ["newOrder", "authz", "challenge", "finalize", "order", "cert"])
def test_connections_that_end(world, ca, oacme, kind):
    """A request is carried out, and its answer is lost: it is asked for again, and the certificate comes."""
    ca.cut(kind)
    acme, wish = oacme(), world.wish("www.example")
    wish.ask()
    await_certificate(acme, wish)
    assert_clean(acme, wish)
    acme.stop()
    if kind == "challenge":  # the same again, to a CA that was told before: it says so, and all is well
        assert ca.complaints.pop().endswith("the authorization is not pending")


@pytest.mark.parametrize("kind", ["directory", "newOrder", "authz", "cert"])
def test_answers_without_end(world, ca, oacme, kind):
    """They are cut off; when the authority is well again, the certificate comes."""
    ca.be_endless(kind)
    acme, wish = oacme(), world.wish("www.example")
    wish.ask()
    await_certificate(acme, wish)
    assert_clean(acme, wish)
    acme.stop()


def test_a_rate_limit(world, ca, oacme):
    """It is obeyed, and the reason is to be read in DNS."""
    ca.fail("newOrder", 429, "rateLimited", "too many of these names", retry_after=7200, times=100)
    acme, wish = oacme(), world.wish("www.example")
    wish.ask()
    assert_no_certificate(acme, wish, "too many of these names")
    assert ca.count("newOrder") == 1
    assert int(re.search(r"event=order-failed .* next_s=(\d+)", acme.log())[1]) >= 7000
    acme.stop()


def test_a_contact(world, ca, oacme):
    """That of an account that is there is changed once, and stays when it is equal; a refusal is said, and stops nothing."""
    contact = lambda: [a["contact"] for a in ca.accounts.values()]
    acme, wish = oacme("--email=old@example.org"), world.wish("www.example")
    wish.ask()
    await_certificate(acme, wish)
    assert contact() == [["mailto:old@example.org"]] and ca.count("account") == 0
    acme.stop()
    for host, email, event in (("a.example", "new", "contact-changed"), ("b.example", "new", None), ("c.example", "refused", "contact-refused")):
        if email == "refused":
            ca.fail("account", 400, "invalidContact", "nobody there")
        acme, wish = oacme("--email=%s@example.org" % email), world.wish(host)
        wish.ask()
        await_certificate(acme, wish)
        if event:
            acme.await_log("event=" + event)
        assert ("contact-" in acme.log()) == bool(event)
        assert "refused" not in email or "nobody there" in acme.log()
        assert contact() == [["mailto:new@example.org"]] and ca.count("account") == (2 if email == "refused" else 1)
        acme.stop()


def test_new_terms(world, ca, oacme):
    """Somebody has to agree to them: where, and to what, is in the log."""
    ca.fail("newOrder", 403, "userActionRequired", "the terms have changed", times=100, instance=ca.url + "/agree")
    acme, wish = oacme(), world.wish("www.example")
    wish.ask()
    acme.await_log("event=terms-changed")
    assert_no_certificate(acme, wish, "to be done at " + ca.url + "/agree")
    assert ca.count("newOrder") == 1
    acme.stop()


def test_a_zone_that_comes_late(world, ca, primary, make_key, tmp_path):
    """The proof is to be in a zone of another primary, which is not to be reached when oacme starts: the order waits, and does not fail."""
    there = repository.Repo(str(tmp_path / "there"))
    follow = [make_key("%s.127.0.0.9._transfer.%s" % where) for where in (("127.0.0.1", "example"), ("127.0.0.3", "proofs"))]
    change = [make_key("u._update." + zone) for zone in ("example", "proofs")]
    world.repo.commit({"example": ZONE % (2, "_acme-challenge.www CNAME www.proofs.\n"),
                       "example._keys": world.key.line + world.transfer.line + follow[0].line + change[0].line})
    there.commit({"proofs": "$TTL 60\n@ SOA ns1 host 1 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.3\n",
                  "proofs._keys": follow[1].line + change[1].line})
    world.primary.hangup()
    world.primary.await_serial("example", 2)
    wish = world.wish("www.example")
    wish.ask()
    acme = world.started(Oacme(world.bindir, world.work, follow + change, None, ca.root_file, ca.directory))
    acme.await_log(r"event=zone-transferred zone=example\.?\s")

    def is_waiting():
        acme.popen.send_signal(signal.SIGUSR1)
        return re.search("event=certificate-state host=www.example.*a look whether all zones are here", acme.log())

    acme.await_true("it waits", is_waiting)
    ca.lookup = lambda name: {b"".join(r.strings).decode() for rrset in servers.ask(53, "www.proofs", "TXT", address="127.0.0.3").answer
                              for r in rrset}
    primary(there, "--user=root", port=53, address="127.0.0.3")
    await_certificate(acme, wish)
    assert ca.count("newOrder") == 1 and "event=order-failed" not in acme.log()
    acme.stop()


@pytest.fixture
def print_persist(world, ca, program):
    def run(*hosts, **more):
        return program("oacme", *("--print-persist=" + h for h in hosts), "--dns-server=127.0.0.1@53", "--directory=" + ca.directory,
                       "--ca-file=" + ca.root_file, "--account-key-seed=" + SEED, "--user=root",
                       env={"ORIGIN_KEYS": world.key.argument}, **more)
    return run


@pytest.mark.parametrize("version", [1, 2])
def test_a_proof_that_lasts(world, ca, oacme, print_persist, version):
    """dns-persist-01: the record is in the zone, and no UPDATE is made for the proof."""
    ca.persist_version = version
    acme, first = oacme(), world.wish("www.example")
    first.ask()
    await_certificate(acme, first)
    wish = world.wish("mail.example")
    record = print_persist("mail.example", status=0).stdout
    assert record == '_validation-persist.mail.example. 3600 TXT "%s"\n' % ca.persist_record("mail.example")
    wish.update(lambda u: u.add(*record.rstrip().split(" ", 3)))
    acme.await_true("the secondary has it", lambda: servers.ask(53, "_validation-persist.mail.example", "TXT", address="127.0.0.2").answer, 20)
    wish.ask()
    await_certificate(acme, wish)
    assert acme.log().count("event=proofs-written") == 1
    assert [a.method for a in ca.authorizations.values()] == ["dns-01", "dns-persist-01"]
    acme.stop()


def test_records_for_proofs_that_last(world, ca, print_persist):
    """For several names, some with all below them; and of a CA that is not there."""
    done = print_persist("WWW.example.", "*.mail.example", status=0)
    assert done.stdout.splitlines() == [
        '_validation-persist.www.example. 3600 TXT "%s"' % ca.persist_record("www.example"),
        '_validation-persist.mail.example. 3600 TXT "%s"' % ca.persist_record("mail.example", policy="; policy=wildcard")]
    print_persist("not a host", status=2)
    ca.stop()
    assert ca.directory in print_persist("www.example", status=1).stderr
