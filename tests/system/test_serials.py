"""The next serial is newer than all that were served: what a start can know of that, by the branch, its log, and the clone of --cache-dir."""
import re

import dns.rcode
import pytest

import updates
from repository import git
from updates import ZONE


@pytest.fixture
def key(make_key):
    return make_key("person._update.example")


def text_of(serial, more=""):
    return ZONE.replace("7       ; serial", "%d       ; serial" % serial) + more


def force(repo, commit, files=None):
    """The branch goes back to a commit, and on from there with other files."""
    git(repo.path, "reset", "-q", "--hard", commit)
    if files is not None:
        repo.commit(files, force=True)
    else:
        git(repo.path, "push", "-q", "-f", "origin", "HEAD:" + repo.branch)


def update(served, key, n=9):
    assert updates.send(served, updates.add(key, "x%d" % n, "192.0.2.%d" % n)).rcode() == dns.rcode.NOERROR


@pytest.fixture
def first(repo, key):
    """The first commit, with serial 5."""
    return repo.commit({"example": text_of(5), "_keys": key.line})


def go_back(repo, first, how):
    """10 was there, and 5 is what the branch has now."""
    repo.commit({"example": text_of(10, "a A 192.0.2.3\n")})
    if how == "revert":
        repo.commit({"example": text_of(5)})
        repo.commit({"example": text_of(6, "b A 192.0.2.4\n")})
    elif how == "typo":
        repo.commit({"example": text_of(4, "a A 192.0.2.3\n")})
    elif how == "away":
        repo.commit({"example": None, "other": text_of(1)})
        repo.commit({"example": text_of(5)})
    else:
        force(repo, first, {"example": text_of(5, "c A 192.0.2.5\n")})


@pytest.mark.parametrize("policy", ["keep", "increment"])
@pytest.mark.parametrize("how", ["revert", "typo", "away", "forced"])
def test_at_a_start(primary, repo, key, first, how, policy):
    """Nothing is kept but the branch; of a forced push its log knows."""
    git(repo.bare, "config", "core.logAllRefUpdates", "always")
    go_back(repo, first, how)
    served = primary(repo, "--serial=" + policy, zones=["example"])
    served.await_log(r"event=zone-serial-back zone=example\. serial=\d+ old_serial=10 newest_serial=10 ")
    if policy == "keep":
        update(served, key)
    served.await_serial("example", 11)
    served.stop()


@pytest.mark.parametrize("how", ["while it was away", "before its eyes"])
def test_out_of_the_cache(primary, repo, key, first, how, daemon, tmp_path, notify):
    """The clone has the commit that the branch does not lead to any more."""
    cache = "--cache-dir=%s" % (tmp_path / "cache")
    repo.commit({"example": text_of(10, "a A 192.0.2.3\n")})
    served = primary(daemon.url("zones.git"), cache, zones=["example"])
    served.await_serial("example", 10)
    if how == "before its eyes":
        force(repo, first, {"example": text_of(5, "c A 192.0.2.5\n")})
        notify(served.port, "example", key)
        served.await_serial("example", 5)
        served.await_log("event=zone-serial-back zone=example")
    served.stop()
    if how == "while it was away":
        force(repo, first, {"example": text_of(5, "c A 192.0.2.5\n")})
    served = primary(daemon.url("zones.git"), cache, zones=["example"])
    served.await_serial("example", 5)
    update(served, key)
    served.await_serial("example", 11)
    served.stop()


def test_what_grows_is_not_said(primary, repo, key, first):
    """A comment, a reset of the serial by the book (RFC 1912 3.1), a file that was never a zone."""
    repo.commit({"example": text_of(2026112801), "notes.d/x": "no zone", "mess": "no zone"})
    repo.commit({"example": text_of(2026112801 + 2**31 - 1), "mess": None})
    repo.commit({"example": text_of(3)})
    repo.commit({"example": "; for people\n" + text_of(3)})
    served = primary(repo, "--serial=increment", zones=["example"])
    update(served, key)
    served.await_serial("example", 4)
    served.stop()
    assert not re.search("event=zone-serial-", served.log()), served.log_tail()
