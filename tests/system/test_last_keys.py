"""A commit that takes away the last key that may notify: it goes on working, so that the commit which mends it can be announced."""
import os

import dns.rcode
import dns.tsig
import pytest

from repository import git

ZONE = "$TTL 60\n@ SOA ns host %d 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"
OTHER_SECRET = "Rml0c0dvb2RFbm91Z2hGb3JUaGlzVGVzdDEyMzQ1Njc="
MEANT = "The end of it\n\nOrigin-Allow: mass-delete\n"


def link(repo):
    os.symlink("example", os.path.join(repo.path, "_keys"))


def submodule(repo):
    git(repo.path, "update-index", "--add", "--cacheinfo", "160000,%s,_keys" % repo.head())


# What becomes of `_keys`: other files of the commit, and what is done by hand.
HARM = {
    "removed": ({}, None),
    "emptied": ({"_keys": ""}, None),
    "for other names": ({"_keys": "push._notify.elsewhere. DNSKEY 0 3 163 %s\n" % OTHER_SECRET}, None),
    "renamed": ({"keys": "push._notify. DNSKEY 0 3 163 %s\n" % OTHER_SECRET}, None),
    "a directory": ({"_keys/push": "push._notify. DNSKEY 0 3 163 %s\n" % OTHER_SECRET}, None),
    "ignored": ({".originignore": "_keys\n"}, None),
    "a symbolic link": ({}, link),
    "a submodule": ({}, submodule),
    "not text": ({"_keys": b"\0\1\2"}, None),
    "without a good key": ({"_keys": "push._notify. DNSKEY 0 3 163 !\n"}, None),
}


@pytest.fixture
def served(repo, primary, notify_key):
    repo.commit({"example": ZONE % 1, "_keys": notify_key.line})
    return primary(repo, zones=["example"])


def commit_harm(repo, files, by_hand):
    """One commit, in which `_keys` is what it was no longer."""
    if "_keys" not in files and ".originignore" not in files:
        git(repo.path, "rm", "-q", "--cached", "_keys")
        os.unlink(os.path.join(repo.path, "_keys"))
    repo.write(files)
    git(repo.path, "add", "-A")
    if by_hand is not None:
        by_hand(repo)
        if by_hand is link:
            git(repo.path, "add", "-A")
    git(repo.path, "commit", "-q", "-m", "harm")
    git(repo.path, "push", "-q", "origin", "HEAD:" + repo.branch)
    return repo.head()


@pytest.mark.parametrize("what", HARM)
def test_the_next_push_can_be_announced(repo, served, notify, notify_key, what):
    commit = commit_harm(repo, *HARM[what])
    assert notify(served.port, "example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_log("event=commit-served commit=%s" % commit)
    served.await_log("event=keys-(held|rejected) file=_keys")
    repo.commit({"example": ZONE % 2})
    assert notify(served.port, "example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_serial("example", 2)
    served.stop()


def test_until_it_is_meant(repo, served, notify, notify_key):
    commit_harm(repo, *HARM["removed"])
    assert notify(served.port, "example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_log("event=keys-held file=_keys .*nobody could announce a push for example. any more.*Origin-Allow: mass-delete")
    repo.commit(message=MEANT)
    assert notify(served.port, "example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_log("event=keys-loaded file=_keys .*removed")
    with pytest.raises(dns.tsig.PeerError):
        notify(served.port, "example", notify_key)
    served.stop()


def test_other_secrets_are_taken(repo, served, notify, notify_key, make_key):
    """A rotation, of all there are: who pushes has the new ones."""
    new = make_key("push._notify.", b"another of thirty-two octets too.")
    repo.commit({"_keys": new.line, "example": ZONE % 2})
    assert notify(served.port, "example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_serial("example", 2)
    repo.commit({"example": ZONE % 3})
    with pytest.raises(dns.tsig.PeerError):
        notify(served.port, "example", notify_key)
    assert notify(served.port, "example", new).rcode() == dns.rcode.NOERROR
    served.await_serial("example", 3)
    assert "keys-held" not in served.log()
    served.stop()
