"""Files of secondaries: addresses and keys of any name that transfer a zone, in effect with the commit and gone with it."""
import json
import os
import re
import subprocess

import dns.rcode
import pytest

import manual
import servers
from repository import git

ZONE = "$TTL 300\n@ SOA ns1 hostmaster %d 1h 10m 4w 5m\n  NS ns1\nns1 A 192.0.2.1\n"
LISTED, DENIED, OTHER = "127.0.0.53", "127.0.0.66", "127.0.1.53"
SAYS = "_transfer APL !1:%s/32 1:127.0.0.0/24\n_transfer PTR hoster-key.\n" % DENIED


@pytest.fixture
def hoster(make_key):
    """A key as BIND's users name it."""
    return make_key("hoster-key")


@pytest.fixture
def idle(make_key):
    return make_key("idle-key")


@pytest.fixture
def served(primary, repo, hoster, idle, notify_key, need):
    need("dig")
    repo.commit({"example": ZONE % 1, "sub.example": ZONE % 1, "other": ZONE % 1, "_keys": notify_key.line + hoster.line + idle.line})
    return primary(repo, "--catalog=catalog.example", zones=["example", "other"])


@pytest.fixture
def push(served, repo, notify, notify_key):
    def change(files):
        mark = len(served.log())
        commit = repo.commit(files)
        notify(served.port, "example", notify_key)
        served.await_log(r"event=commit-served commit=%s " % commit, after=mark)
        return served.log()[mark:]
    return change


def dig(served, *args, source=OTHER, key=None):
    signed = ["-y", "hmac-sha256:%s:%s" % (key.name, key.secret)] if key else []
    return subprocess.run(["dig", "-b", source, "+tries=1", "+time=5", "@" + servers.ADDRESS, "-p", str(served.port), *signed, *args],
                          capture_output=True, text=True, check=False).stdout


def transfers(served, zone, source=OTHER, key=None):
    """Is it sent the zone?"""
    out = dig(served, zone, "AXFR", source=source, key=key)
    is_whole, is_refused = out.count("\tSOA\t") == 2, "; Transfer failed." in out
    assert is_whole != is_refused, out
    return is_whole


def test_addresses_transfer_without_a_key(served, push):
    assert not transfers(served, "example", LISTED)
    log = push({"example._secondaries": SAYS})
    assert re.search(r"info event=secondaries-loaded file=example._secondaries commit=\w+ records=3\n", log)
    assert "zone-changed" not in log
    assert transfers(served, "example", LISTED) and transfers(served, "sub.example", LISTED)
    assert not transfers(served, "example", DENIED) and not transfers(served, "example", OTHER)
    assert not transfers(served, "other", LISTED)
    # An address in a datagram proves nothing.
    assert "SOA" not in dig(served, "example", "IXFR=1", "+notcp", "+noquestion", source=LISTED)
    assert dig(served, "example", "IXFR=1", "+tcp", source=LISTED).count("\tSOA\t") == 1
    push({"example._secondaries": None})
    assert not transfers(served, "example", LISTED)
    assert "event=transfer-denied" in served.log()
    served.stop()


def test_keys_of_any_name(served, push, hoster, idle, repo):
    assert "code=key-operation" in served.log()
    assert not transfers(served, "example", key=hoster)
    assert "key-operation" not in push({"example._secondaries": SAYS})
    assert transfers(served, "example", key=hoster) and transfers(served, "sub.example", key=hoster)
    assert not transfers(served, "other", key=hoster) and not transfers(served, "example", key=idle)
    assert transfers(served, "example", LISTED, key=idle)  # a key that is good for nothing takes nothing away
    # The catalog is another zone; for others there is none, and the zone around it answers.
    assert "status: NXDOMAIN" in dig(served, "catalog.example", "SOA", source=OTHER)
    assert "status: NOERROR" in dig(served, "catalog.example", "SOA", source=LISTED)
    assert transfers(served, "catalog.example", LISTED) and transfers(served, "catalog.example", key=hoster)
    # In effect with the commit that takes it back.
    push({"example._secondaries": "_transfer.sub PTR hoster-key.\n"})
    assert not transfers(served, "example", key=hoster) and transfers(served, "sub.example", key=hoster)
    git(repo.path, "mv", "example._secondaries", "other._secondaries")
    push({"other._secondaries": "_transfer PTR hoster-key.\n"})
    assert not transfers(served, "sub.example", key=hoster) and transfers(served, "other", key=hoster)
    served.stop()


def test_a_bad_file_leaves_what_was_good(served, push, primary, repo, hoster):
    push({"_secondaries": SAYS})
    log = push({"_secondaries": "_transfer APL 1:%s/32\n_transfer PTR hoster-key.\nns2 TXT what\n_notify SRV 0 0 0 ns2\n" % DENIED})
    assert re.search(r'error event=secondaries-rejected file=_secondaries commit=\w+ errors=2 .*what the file says of addresses stays as it was"', log)
    assert re.search(r"error event=finding file=_secondaries line=3 column=1 code=not-a-secondary ", log)
    assert re.search(r"error event=finding file=_secondaries line=4 column=1 code=secondary-port ", log)
    assert transfers(served, "other", LISTED) and not transfers(served, "other", DENIED)
    # A start does not know what was good.
    again = primary(repo, zones=["example", "other"])
    assert "until it is mended, no address transfers zones of its domain without a key" in again.log()
    assert not transfers(again, "other", LISTED) and not transfers(again, "other", DENIED)
    assert transfers(again, "other", key=hoster)
    again.stop()
    log = push({"_secondaries": "_transfer APL 1:300.0.0.1/32\n"})
    assert "event=secondaries-rejected" in log and "event=secondaries-loaded" not in log
    assert transfers(served, "other", LISTED)
    assert "code=secondary-key-unknown" in push({"_secondaries": "_transfer PTR nobodys-key.\n"})
    assert not transfers(served, "other", LISTED)
    served.stop()


def test_an_exception_with_a_mistake(served, push, primary, repo):
    """It stays in effect as it was; after a start nobody transfers by address."""
    wide = "_transfer APL 1:127.0.0.0/24\n"
    push({"example._secondaries": wide + "_transfer.sub APL !1:%s/32\n" % LISTED})
    assert transfers(served, "example", LISTED) and transfers(served, "sub.example", DENIED) and not transfers(served, "sub.example", LISTED)
    log = push({"example._secondaries": wide + "_transfer.sub APL !1:%s/33\n" % LISTED})
    assert "event=secondaries-rejected" in log
    assert transfers(served, "example", LISTED) and transfers(served, "sub.example", DENIED) and not transfers(served, "sub.example", LISTED)
    again = primary(repo, zones=["example", "other"])
    assert not transfers(again, "sub.example", LISTED) and not transfers(again, "example", LISTED)
    again.stop()
    served.stop()


def test_the_manuals_example(served, push):
    """The file that stands in oprimary(8) is good as it stands."""
    with open(os.path.join(manual.ROOT, "docs", "man", "oprimary.8")) as f:
        example = re.search(r"^_transfer .*?(?=^\.Ed$)", f.read(), re.M | re.S)[0]
    log = push({"example._secondaries": example})
    assert "event=secondaries-loaded file=example._secondaries" in log and "-rejected" not in log and "event=finding" not in log


def test_octl_shows_what_is_granted(served, push, program, notify_key):
    push({"example._secondaries": SAYS})
    told = json.loads(program("octl", servers.ADDRESS, "--port=%d" % served.port, "--json", "keys", "example", status=0,
                              env={"ORIGIN_KEY": notify_key.argument}).stdout)
    assert [(k["key"], k["right"], k["domain"], k["granted"]) for k in told["keys"]] == [("hoster-key", None, None, "example")]
    assert "idle-key" not in json.dumps(told)


def test_what_is_granted_is_the_transfer_alone(served, push, program, notify, hoster):
    """Also in the file for all zones: the hoster makes nobody pull, and learns nothing of the server."""
    push({"_secondaries": "_transfer PTR hoster-key.\n"})
    pulls = served.log().count("event=notify-accepted")
    assert transfers(served, "example", key=hoster) and transfers(served, "other", key=hoster)
    for zone in ("example", "."):
        assert notify(served.port, zone, hoster).rcode() == dns.rcode.REFUSED
    for what in (["keys", "."], ["status", "."], ["zones", "example"], ["secondaries", "example"], ["updates", "."]):
        done = program("octl", servers.ADDRESS, "--port=%d" % served.port, *what, status=1, env={"ORIGIN_KEY": hoster.argument})
        assert done.stdout == "" and "answers REFUSED" in done.stderr
    assert served.log().count("event=notify-accepted") == pulls and "event=notify-denied" in served.log()
