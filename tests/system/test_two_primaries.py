"""Two primaries on one repository, and what is left when one of their processes is killed at a bad moment."""
import os

import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update
import pytest

import servers
from repository import git

ZONE = "$TTL 1h\n@ SOA ns hostmaster 1 1h 1h 1h 1h\n@ NS ns\nns A 192.0.2.1 ; the server\n"


@pytest.fixture
def key(make_key):
    return make_key("me._update.example")


@pytest.fixture
def started_repo(repo, key):
    repo.commit({"example": ZONE, "_keys": key.line})
    return repo


def send(seat, key, change):
    update = dns.update.Update("example", keyring=dns.tsigkeyring.from_text({key.name: key.secret}), keyname=key.name,
                               keyalgorithm=dns.tsig.HMAC_SHA256)
    update.use_edns(0)
    change(update)
    return dns.query.tcp(update, servers.ADDRESS, port=seat.port, timeout=30)


def commits(repo):
    return int(git(repo.bare, "rev-list", "--count", repo.branch))


def test_nothing_to_do_is_said_of_the_head(primary, started_repo, key):
    """What the other one has added is removed here, though this one has not heard of it: NOERROR means that it is gone."""
    north, south = primary(started_repo, zones=["example"]), primary(started_repo, zones=["example"])
    assert send(north, key, lambda u: u.add("x", 60, "A", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    assert send(south, key, lambda u: u.delete("x", "A", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    assert git(started_repo.bare, "show", started_repo.branch + ":example") + "\n" == ZONE.replace(" 1 1h", " 3 1h")
    assert send(south, key, lambda u: u.delete("x")).rcode() == dns.rcode.NOERROR
    assert commits(started_repo) == 3
    # Nor is it said of a repository that is away.
    os.rename(started_repo.bare, started_repo.bare + ".away")
    answer = send(south, key, lambda u: u.delete("x"))
    assert answer.rcode() == dns.rcode.SERVFAIL and "cannot be reached" in str(answer.options[0])
    os.rename(started_repo.bare + ".away", started_repo.bare)
    assert send(south, key, lambda u: u.delete("x")).rcode() == dns.rcode.NOERROR
    assert commits(started_repo) == 3


def test_a_lock_of_the_dead_is_gone_after_a_start(primary, started_repo):
    """A primary was killed between lock and push: who starts next clears that up, and people can push, before any update comes."""
    lock = os.path.join(started_repo.bare, "refs", "heads", "main.lock")
    marker = os.path.join(started_repo.bare, "origin-push.pack-%s.1" % ("0" * 40))
    for options in ([], ["--cache-dir=" + started_repo.bare + ".cache"]):
        with open(marker, "w") as m:
            m.write("0" * 40 + "\n")
        os.link(marker, lock)
        os.makedirs(started_repo.bare + ".cache", exist_ok=True)
        primary(started_repo, *options, zones=["example"])
        assert not os.path.exists(lock) and not os.path.exists(marker)
    started_repo.commit({"README": "pushed\n"})
