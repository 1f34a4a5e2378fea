"""The next serial is newer than all that were served: what a start can know of that, by the branch, its log, and the clone of --cache-dir."""
import glob
import hashlib
import os
import re
import socket
import subprocess
import threading

import dns.message
import dns.query
import dns.rcode
import dns.rrset
import pytest

import servers
import updates
from repository import git, write_hook
from updates import zone_of


@pytest.fixture
def key(make_key):
    return make_key("person._update.example")


def text_of(serial, more=""):
    return zone_of(serial) + more


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


def make_packs(clone, n):
    """As many fetches leave them."""
    for i in range(n):
        blob = subprocess.run(["git", "-C", clone, "hash-object", "-w", "--stdin"], input=b"%d" % i, capture_output=True, check=True).stdout
        subprocess.run(["git", "-C", clone, "pack-objects", "-q", "objects/pack/pack"], input=blob, capture_output=True, check=True)


def test_out_of_a_cache_that_was_tidied(primary, repo, key, first, daemon, tmp_path, notify):
    """What a forced push left behind stays known when the packs of the clone are joined."""
    remote, cache = daemon.url("zones.git"), tmp_path / "cache"
    clone = str(cache / "clone.git")
    repo.commit({"example": text_of(10, "a A 192.0.2.3\n")})
    served = primary(remote, "--cache-dir=%s" % cache, zones=["example"])
    served.await_serial("example", 10)
    force(repo, first, {"example": text_of(5, "c A 192.0.2.5\n")})
    notify(served.port, "example", key)
    served.await_serial("example", 5)
    served.stop()
    make_packs(clone, 20)
    served = primary(remote, "--cache-dir=%s" % cache, zones=["example"])
    served.await_true("few packs", lambda: len(glob.glob(clone + "/objects/pack/*.pack")) < 16)
    served.stop()
    served = primary(remote, "--cache-dir=%s" % cache, zones=["example"])
    served.await_serial("example", 5)
    update(served, key)
    served.await_serial("example", 11)
    served.stop()


def inode(path):
    return os.stat(path).st_ino


def lose(clone, blob):
    """Damages a clone: it lacks an object, all others are loose."""
    for pack in glob.glob(clone + "/objects/pack/*.pack"):
        with open(pack, "rb") as f:
            octets = f.read()
        for path in glob.glob(pack.removesuffix("pack") + "*"):
            os.unlink(path)
        git(clone, "unpack-objects", "-q", input=octets)
    os.unlink(os.path.join(clone, "objects", blob[:2], blob[2:]))


def test_out_of_a_cache_that_was_made_anew(primary, repo, key, first, daemon, tmp_path, notify):
    """The remote does not have any more what a forced push left behind: the new clone gets it from the old one."""
    remote, cache = daemon.url("zones.git"), "--cache-dir=%s" % (tmp_path / "cache")
    clone = str(tmp_path / "cache" / "clone.git")
    repo.commit({"example": text_of(10, "a A 192.0.2.3\n")})
    served = primary(remote, cache, zones=["example"])
    served.await_serial("example", 10)
    force(repo, first, {"example": text_of(5, "c A 192.0.2.5\n")})
    notify(served.port, "example", key)
    served.await_serial("example", 5)
    served.stop()
    git(repo.bare, "reflog", "expire", "--expire=now", "--all")
    git(repo.bare, "gc", "-q", "--prune=now")
    for _ in range(2):
        lose(clone, git(repo.bare, "rev-parse", repo.branch + ":example"))
        was = inode(clone)
        served = primary(remote, cache, zones=["example"])
        served.await_serial("example", 5)
        assert inode(clone) != was
        served.stop()
    served = primary(remote, cache, zones=["example"])
    update(served, key)
    served.await_serial("example", 11)
    served.stop()


def test_out_of_the_cache_after_two_forced_pushes(primary, repo, key, first, daemon, tmp_path, notify):
    """The second makes nobody forget what the first left behind.  And the files are large: the clone keeps of them what it needs, no more."""
    remote, cache = daemon.url("zones.git"), "--cache-dir=%s" % (tmp_path / "cache")
    served = primary(remote, cache, zones=["example"])
    commits, more = [], "".join("h%d TXT %s\n" % (i, hashlib.sha256(b"%d" % i).hexdigest()) for i in range(5000))
    for serial in (10, 6, 5):
        force(repo, first, {"example": text_of(serial, more)})
        commits.append(repo.head())
        notify(served.port, "example", key)
        served.await_serial("example", serial)
    served.stop()
    has_blob = subprocess.run(["git", "-C", str(tmp_path / "cache" / "clone.git"), "cat-file", "-e", commits[0] + ":example"],
                              capture_output=True, check=False).returncode == 0
    assert not has_blob
    served = primary(remote, cache, zones=["example"])
    served.await_serial("example", 5)
    update(served, key)
    served.await_serial("example", 11)
    served.stop()


def lengthen(repo, n):
    """So many commits that have nothing to do with a zone."""
    commit = "commit refs/heads/%s\ncommitter x <x> 1700000000 +0000\ndata 2\nx\n%sM 100644 inline notes.d/x\ndata %d\n%s\n"
    text = "".join(commit % (repo.branch, "from refs/heads/%s^0\n" % repo.branch if i == 0 else "", len(str(i)), i) for i in range(n))
    git(repo.bare, "fast-import", "--quiet", input=text.encode())
    git(repo.path, "pull", "-q", "--ff-only", "origin", repo.branch)


@pytest.mark.parametrize("how", ["reflog", "cache"])
def test_a_long_history_hides_no_short_one(primary, repo, key, first, daemon, tmp_path, how):
    """The one commit that a forced push left behind counts, however many the branch has."""
    git(repo.bare, "config", "core.logAllRefUpdates", "always")
    lengthen(repo, 600)
    base = repo.head()
    where = [repo.url] if how == "reflog" else [daemon.url("zones.git"), "--cache-dir=%s" % (tmp_path / "cache")]
    repo.commit({"example": text_of(10, "a A 192.0.2.3\n")})
    primary(*where, zones=["example"]).stop()
    force(repo, base, {"example": text_of(5, "c A 192.0.2.5\n")})
    served = primary(*where, zones=["example"])
    served.await_serial("example", 5)
    update(served, key)
    served.await_serial("example", 11)
    served.stop()


def ask_ixfr(served, key, serial, tcp=False):
    query = dns.message.make_query("example", "IXFR")
    query.authority.append(dns.rrset.from_text("example.", 0, "IN", "SOA", ". . %d 1 1 1 1" % serial))
    if key is not None:
        key.sign(query)
    ask = dns.query.tcp if tcp else dns.query.udp
    assert ask(query, servers.ADDRESS, port=served.port, timeout=10).rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("tcp", [True, False])
def test_a_secondary_is_ahead(primary, repo, key, first, make_key, tcp):
    """It is believed as far as that does no harm: 1048576 in all, from a key that may transfer the zone."""
    reader, other = make_key("r._transfer.example"), make_key("r._transfer.other", secret=b"of another zone")
    repo.commit({"_keys": "".join(k.line for k in (key, reader, other))})
    served = primary(repo, "--axfr", zones=["example"])
    for asks, serial in [(None, 900), (other, 901), (reader, 5), (reader, 4), (reader, 5 + 2**31)]:
        ask_ixfr(served, asks, serial, tcp)
    ask_ixfr(served, reader, 5 + 1048577, tcp)
    served.await_log(r"event=secondary-ahead zone=example\. secondary_serial=1048582 serial=5 newest_serial=5 key=r\._transfer\.example\. "
                     r"from=127\.0\.0\.1@\d+ text=.*not believed.* write 1048583 or newer")
    update(served, key, 1)
    served.await_serial("example", 6)
    ask_ixfr(served, reader, 1000006, tcp)
    served.await_log(r"event=secondary-ahead zone=example\. secondary_serial=1000006 serial=6 newest_serial=1000006 .*write 1000007 or newer")
    update(served, key, 2)
    served.await_serial("example", 1000007)
    ask_ixfr(served, reader, 1100007, tcp)
    served.await_log(r"event=secondary-ahead zone=example\. secondary_serial=1100007 .*not believed")
    update(served, key, 3)
    served.await_serial("example", 1000008)
    served.stop()
    assert len(re.findall("event=secondary-ahead", served.log())) == 3, served.log_tail()


@pytest.mark.parametrize("policy", ["increment", "unixtime"])
def test_a_secondary_is_ahead_and_serials_are_ours(primary, repo, key, first, make_key, policy):
    """The next one is written at once."""
    repo.commit({"_keys": key.line + make_key("r._transfer.example").line})
    served = primary(repo, "--serial=" + policy, zones=["example"])
    ask_ixfr(served, make_key("r._transfer.example"), 77)
    served.await_log(r"event=secondary-ahead zone=example\. secondary_serial=77 .*newer than 77 will be written")
    served.await_true("a newer serial", lambda: served.serial("example") > 77)
    assert policy == "unixtime" or served.serial("example") == 78
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


class Listener:
    """A secondary's address: which serials it is told of.  It acknowledges all."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.6", 53))
        self.told = []
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            wire, peer = self.socket.recvfrom(4096)
            if len(wire) < 12:
                return
            notify = dns.message.from_wire(wire)
            self.told.append(notify.answer[0][0].serial)
            self.socket.sendto(dns.message.make_response(notify).to_wire(), peer)

    def close(self):
        self.socket.sendto(b"", ("127.0.0.6", 53))
        self.thread.join()
        self.socket.close()


@pytest.fixture
def listener(port_53):
    found = Listener()
    yield found
    found.close()


def told_by(serial):
    return text_of(serial).replace("ns2     A    192.0.2.2", "ns2     A    127.0.0.6")


@pytest.mark.parametrize("how", ["increment", "keep", "refused"])
def test_notify_when_it_goes_back(primary, repo, key, listener, notify, how):
    """Where a newer one is written at once, nobody is told of the one before it; if it cannot be written, they are."""
    repo.commit({"example": told_by(10), "_keys": key.line})
    served = primary(repo, "--serial=" + ("keep" if how == "keep" else "increment"), zones=["example"])
    served.await_true("10 is told", lambda: listener.told == [10])
    if how == "refused":
        write_hook(repo, "pre-receive", "while read -r a b c; do git log -1 --format=%an $b | grep -q Operator || exit 1; done\n")
    for serial in (4, 5):
        repo.commit({"example": told_by(serial) + "a%d A 192.0.2.3\n" % serial}, force=True)
        notify(served.port, "example", key)
        wanted = {"increment": [10, *range(11, 8 + serial)], "keep": [10, *range(4, serial + 1)], "refused": [10, *range(4, serial + 1)]}[how]
        served.await_true("%s is told" % wanted, lambda w=wanted: listener.told == w)
    served.stop()


def test_more_zones_than_a_commit_takes(primary, repo, make_key, notify):
    """Of 1,001 zones whose serials are to be raised 1,000 are in the first commit, and the rest in the one after it."""
    names = ["z%04d" % n for n in range(1001)]
    key = make_key("person._notify")
    repo.commit({"_keys": key.line, **{name: zone_of(5) for name in names}})
    served = primary(repo, "--serial=increment", zones=names[:1])
    repo.commit({name: text_of(5, "x A 192.0.2.9\n") for name in names})
    notify(served.port, names[0], key)
    for name in (names[0], names[-1]):
        served.await_serial(name, 6)
    assert git(repo.bare, "rev-list", "--count", repo.branch).strip() == "4"
    served.stop()
