"""Bad updates, item by item: the answer says what is wrong, nothing is written, and the next good update is carried out.

What is here is wrong in the message, or in the repository that is to take it.  Signatures, rights, files with errors, hooks, replays
and people who push are in test_updates.py; remotes that fail halfway in test_update_trouble.py, two primaries in test_two_primaries.py.
"""
import os
import re
import shutil
import socket
import struct
import tempfile

import dns.message
import dns.rcode
import dns.renderer
import dns.tsig
import pytest

import remotes
import servers
from repository import Repo, git
from updates import ZONE, add, addresses, extended_error, ring, send, update_of, with_edns

UPDATE = 5 << 11
APEX = b"\7example\0"
SECOND = "$TTL 60\n@ SOA ns.example. h.example. 1 1h 1h 1h 1h\n@ NS ns.example.\n"


@pytest.fixture
def key(make_key):
    return make_key("me._update.example")


@pytest.fixture
def served(primary, repo, key):
    repo.commit({"example": ZONE, "_keys": key.line})
    return primary(repo, zones=["example"])


def rr(rrtype, rrclass=1, ttl=60, rdata=b"\xc0\0\2\x09", owner=b"\1x" + APEX):
    return owner + struct.pack("!HHIH", rrtype, rrclass, ttl, len(rdata)) + rdata


def signed(key, changes, *, prerequisites=(), zones=(APEX + b"\0\6\0\1",), counts=None, mac_len=None):
    """The octets of an UPDATE, and its MAC; `counts`: what the header says instead of what is there."""
    r = dns.renderer.Renderer(id=0x4242, flags=UPDATE, max_size=65535)
    r.output.write(b"".join([*zones, *prerequisites, *changes]))
    r.counts = list(counts or (len(zones), len(prerequisites), len(changes), 0))
    r.write_header()
    secret = dns.tsig.Key(key.name, key.secret, dns.tsig.HMAC_SHA256)
    r.add_tsig(secret.name, secret, 300, 0x4242, 0, b"", b"", secret.algorithm)
    wire = r.get_wire()
    return (cut_mac(wire, mac_len) if mac_len is not None else wire), wire[-MAC_LEN - MAC_TAIL:-MAC_TAIL]


MAC_LEN, MAC_TAIL = 32, 6  # SHA256; behind it stand original ID, error and other length (RFC 8945 4.2)


def cut_mac(wire, mac_len):
    """Leaves so many octets of the MAC."""
    at = len(wire) - MAC_TAIL - MAC_LEN
    rdlen_at = at - 2 - 2 - 6 - len(b"\x0bhmac-sha256\0") - 2
    rdlen = struct.unpack_from("!H", wire, rdlen_at)[0]
    return b"".join([wire[:rdlen_at], struct.pack("!H", rdlen - MAC_LEN + mac_len), wire[rdlen_at + 2:at - 2],
                     struct.pack("!H", mac_len), wire[at:at + mac_len], wire[-MAC_TAIL:]])


def talk(served, wire):
    with socket.create_connection((servers.ADDRESS, served.port), timeout=30) as s:
        s.sendall(struct.pack("!H", len(wire)) + wire)
        with s.makefile("rb") as f:
            head = f.read(2)
            return f.read(struct.unpack("!H", head)[0]) if len(head) == 2 else b""


def commits(repo):
    return int(git(repo.bare, "rev-list", "--count", repo.branch))


def assert_untouched(served, repo, key, serial=7, before=1):
    """Nothing was written, and it is not for want of being able to."""
    assert commits(repo) == before and served.serial("example") == serial
    assert send(served, add(key, "good", "192.0.2.200")).rcode() == dns.rcode.NOERROR
    assert addresses(served, "good.example") == ["192.0.2.200"] and commits(repo) == before + 1


# ---- the message ----

RECORDS = {
    "another class": (rr(1, rrclass=3), "FORMERR"),
    "no class": (rr(1, rrclass=0), "FORMERR"),
    "an address of three octets": (rr(1, rdata=b"\xc0\0\2"), "FORMERR"),
    "an address of five octets": (rr(1, rdata=b"\xc0\0\2\1\1"), "FORMERR"),
    "no address": (rr(1, rdata=b""), "FORMERR"),
    "a name that does not end": (rr(2, rdata=b"\3abc"), "FORMERR"),
    "a name that points ahead": (rr(2, rdata=b"\xc0\xff"), "FORMERR"),
    "a text that is longer than its data": (rr(16, rdata=b"\7abc"), "FORMERR"),
    "type 0": (rr(0), "FORMERR"),
    "type AXFR": (rr(252), "FORMERR"),
    "type ANY": (rr(255), "FORMERR"),
    "a deletion with a TTL": (rr(1, rrclass=254, ttl=60), "FORMERR"),
    "the deletion of a set, with data": (rr(1, rrclass=255, ttl=0), "FORMERR"),
    "a name outside": (rr(1, owner=b"\1x\5other\0"), "NOTZONE"),
    "a name above": (rr(1, owner=b"\0"), "NOTZONE"),
    "a signature": (rr(46, rdata=b"\0\1\x08\1" + b"\0" * 14 + APEX + b"x"), "REFUSED"),
}
FINE = rr(1, owner=b"\4fine" + APEX)  # beside it: an update is carried out whole or not at all


@pytest.mark.parametrize("what", RECORDS)
def test_records(served, repo, key, what):
    record, want = RECORDS[what]
    wire, mac = signed(key, [FINE, record])
    answer = dns.message.from_wire(talk(served, wire), keyring=ring(key), request_mac=mac)
    assert dns.rcode.to_text(answer.rcode()) == want and answer.had_tsig
    assert served.ask("fine.example").rcode() == dns.rcode.NXDOMAIN
    assert_untouched(served, repo, key)


PREREQUISITES = {
    "a TTL": (rr(255, rrclass=255, ttl=1, rdata=b""), "FORMERR"),
    "data that ask for none": (rr(1, rrclass=255, ttl=0), "FORMERR"),
    "another class": (rr(1, rrclass=3, ttl=0), "FORMERR"),
    "a name outside": (rr(255, rrclass=255, ttl=0, rdata=b"", owner=b"\5other\0"), "NOTZONE"),
}


@pytest.mark.parametrize("what", PREREQUISITES)
def test_prerequisites(served, repo, key, what):
    record, want = PREREQUISITES[what]
    wire, mac = signed(key, [FINE], prerequisites=[record])
    answer = dns.message.from_wire(talk(served, wire), keyring=ring(key), request_mac=mac)
    assert dns.rcode.to_text(answer.rcode()) == want and answer.had_tsig
    assert_untouched(served, repo, key)


@pytest.mark.parametrize("what, more", [
    ("no zone", {"zones": ()}),
    ("two zones", {"zones": (APEX + b"\0\6\0\1",) * 2}),
    ("a zone of another type", {"zones": (APEX + b"\0\1\0\1",)}),
    ("more records than are there", {"counts": (1, 0, 2, 0)}),
    ("fewer records than are there", {"counts": (1, 0, 0, 0)}),
])
def test_sections(served, repo, key, what, more):
    wire, _ = signed(key, [FINE], **more)
    assert talk(served, wire)[3] & 15 == dns.rcode.FORMERR
    assert_untouched(served, repo, key)


def test_a_zone_of_another_class(served, repo, key):
    wire, _ = signed(key, [FINE], zones=(APEX + b"\0\6\0\3",))
    assert talk(served, wire)[3] & 15 == dns.rcode.NOTAUTH
    assert_untouched(served, repo, key)


@pytest.mark.parametrize("mac_len, want", [(0, "FORMERR"), (9, "FORMERR"), (15, "FORMERR"), (16, "NOTAUTH"), (31, "NOTAUTH")])
def test_truncated_signatures(served, repo, key, mac_len, want):
    """RFC 8945 5.2.2.1: under half is malformed, under what we ask for is BADTRUNC."""
    wire, _ = signed(key, [FINE], mac_len=mac_len)
    assert dns.rcode.to_text(talk(served, wire)[3] & 15) == want
    assert_untouched(served, repo, key)


def test_cut_anywhere(served, repo, key):
    """A message that ends too early, at each octet: an error or silence, and never a part of it carried out."""
    wire, _ = signed(key, [FINE, rr(16, rdata=b"\3abc")])
    for n in range(len(wire)):
        answer = talk(served, wire[:n])
        assert answer == b"" or answer[3] & 15 in (dns.rcode.FORMERR, dns.rcode.REFUSED), n
    assert_untouched(served, repo, key)


def test_changed_anywhere(served, repo, key):
    """One bit, at each octet: no signature covers that."""
    wire, _ = signed(key, [FINE])
    for n in range(2, len(wire)):  # the ID's octets are not covered: the original one is in the TSIG record
        answer = talk(served, wire[:n] + bytes([wire[n] ^ 4]) + wire[n + 1:])
        assert answer == b"" or answer[3] & 15 != dns.rcode.NOERROR or answer[2] >> 3 & 15 != 5, n
    assert_untouched(served, repo, key)


# ---- much of it ----

def test_a_message_of_65535_octets(served, repo, key):
    """All that a message can hold: one commit, and what is served is what is in it."""
    texts = [rr(16, owner=b"\6t%05d" % n + APEX, rdata=b"\xff" + b"x" * 255) for n in range(231)]
    room = 65535 - len(signed(key, texts + [rr(16, rdata=b"\0")])[0])
    wire, mac = signed(key, texts + [rr(16, rdata=bytes([room]) + b"y" * room)])
    assert len(wire) == 65535 and room < 256
    answer = dns.message.from_wire(talk(served, wire), keyring=ring(key), request_mac=mac)
    assert answer.rcode() == dns.rcode.NOERROR
    assert served.ask("t00230.example", "TXT").answer and served.ask("x.example", "TXT").answer
    assert_untouched(served, repo, key, serial=8, before=2)


def test_thousands_of_records(served, repo, key):
    """Of one name, so that each has to find its place among the others; then all of them go, with one record of the message."""
    hosts = [rr(1, rdata=struct.pack("!I", 0x0A000000 + n), owner=b"\xc0\x0c") for n in range(3500)]
    wire, mac = signed(key, hosts)
    answer = dns.message.from_wire(talk(served, wire), keyring=ring(key), request_mac=mac)
    assert answer.rcode() == dns.rcode.NOERROR
    assert git(repo.bare, "log", "-1", "--format=%s", repo.branch) == "example: add @ A (3500 records)"
    assert "... and 3400 more" in git(repo.bare, "log", "-1", "--format=%b", repo.branch)
    update = update_of(key)
    update.delete("@", "A")
    assert send(served, update).rcode() == dns.rcode.NOERROR
    assert git(repo.bare, "show", repo.branch + ":example") + "\n" == ZONE.replace("7       ;", "9       ;")
    assert_untouched(served, repo, key, serial=9, before=3)


def test_a_name_of_very_many_types(served, repo, key):
    """Each query for it would go through all of them: 512 sets are the most that a name has (BIND: 100)."""
    wire, mac = signed(key, [rr(1000 + i) for i in range(513)])
    answer = dns.message.from_wire(talk(served, wire), keyring=ring(key), request_mac=mac)
    assert answer.rcode() == dns.rcode.REFUSED
    served.await_log(r'event=update-refused .* rcode=REFUSED why="a name would have records of more than 512 types')
    assert_untouched(served, repo, key)


# ---- the repository ----

def refused(served, repo, key, word=""):
    """SERVFAIL; nothing is served or kept of it.  The word that says why is in the log: a key of one domain is not told the words of others."""
    before = git(repo.bare, "rev-parse", repo.branch)
    answer = send(served, with_edns(add(key, "x", "192.0.2.9")))
    assert answer.rcode() == dns.rcode.SERVFAIL
    text = extended_error(answer)[1]
    assert text.startswith("not written to the repository") and text.endswith("log says why"), text
    assert repo.bare not in text and (word == "" or word not in text), text
    served.await_log("event=(push-failed|update-refused) .*" + re.escape(word))
    assert git(repo.bare, "rev-parse", repo.branch) == before and served.ask("x.example").rcode() == dns.rcode.NXDOMAIN
    git(repo.bare, "fsck", "--strict")


def test_the_file_is_removed(primary, repo, key):
    """Nobody has told the primary; its update must not bring the file back."""
    repo.commit({"example": ZONE, "second": SECOND, "third": SECOND, "_keys": key.line})
    served = primary(repo, zones=["example", "second"])
    repo.commit({"example": None})
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOTAUTH
    assert "example" not in git(repo.bare, "ls-tree", "--name-only", repo.branch).split()
    assert served.serial("second") == 1 and served.serial("example") is None and commits(repo) == 2


def test_the_key_is_removed(served, repo, key, make_key):
    """In a commit that the primary has not seen: it counts for the update that comes after it.  The last key would be held."""
    repo.commit({"_keys": make_key("another._update").line})
    assert send(served, add(key, "x", "192.0.2.9")).rcode() in (dns.rcode.REFUSED, dns.rcode.NOTAUTH)
    assert commits(repo) == 2 and served.serial("example") == 7


def test_a_server_that_takes_nothing(primary, repo, key, started, tmp_path):
    """A git server from which everybody may only read."""
    repo.commit({"example": ZONE, "_keys": key.line})
    daemon = started(remotes.Daemon(str(tmp_path), receive=False))
    served = primary(daemon.url("zones.git"), zones=["example"])
    refused(served, repo, key)
    daemon.kill()
    started(remotes.Daemon(str(tmp_path), daemon.port))
    assert_untouched(served, repo, key)


def test_a_directory_that_may_only_be_read(primary, key, need):
    """A local repository of another user's."""
    if os.geteuid() != 0:
        pytest.skip("as root, who can become somebody else")
    where = tempfile.mkdtemp(prefix="origin-test-", dir="/var/tmp")  # that everybody may enter; TMPDIR may be ours alone
    try:
        os.chmod(where, 0o755)
        repo = Repo(where)
        repo.commit({"example": ZONE, "_keys": key.line})
        served = primary(repo, "--user=nobody", zones=["example"])
        refused(served, repo, key, "ermission denied")
        served.kill()
    finally:
        shutil.rmtree(where)


def protect(repo, how):
    """As servers do it for a branch that only some may push to."""
    if how == "update hook":
        path = servers.write(os.path.join(repo.bare, "hooks", "update"), "#!/bin/sh\necho \"$1 is protected\" >&2\nexit 1\n")
        os.chmod(path, 0o755)
        return lambda: os.unlink(path)
    git(repo.bare, "config", "receive.hideRefs", "refs/heads/" + repo.branch)
    return lambda: git(repo.bare, "config", "--unset", "receive.hideRefs")


@pytest.mark.parametrize("transport", ["file", "git"])
@pytest.mark.parametrize("how, word", [("update hook", "protected"), ("hidden", "")])
def test_a_protected_branch(primary, repo, key, daemon, transport, how, word):
    repo.commit({"example": ZONE, "_keys": key.line})
    undo = protect(repo, how)
    served = primary(repo if transport == "file" else daemon.url("zones.git"), zones=["example"])
    refused(served, repo, key, word)
    undo()
    assert_untouched(served, repo, key)


def test_a_branch_that_somebody_works_on(primary, repo, key):
    """A repository with a work tree: git takes no push to what is checked out there."""
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(repo.path, zones=["example"])
    answer = send(served, with_edns(add(key, "x", "192.0.2.9")))
    assert answer.rcode() == dns.rcode.SERVFAIL and "not written to the repository" in extended_error(answer)[1]
    assert repo.read("example") == ZONE and git(repo.path, "status", "--porcelain") == "" and served.serial("example") == 7
