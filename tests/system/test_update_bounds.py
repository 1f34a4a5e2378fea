"""What updates may bring into the repository: what every git on Linux, macOS and Windows can check out, and not without end.

The limits themselves are in tests/unit/batch_bounds_test.c.
"""
import re
import struct

import dns.rcode
import dns.rdata
import pytest

from repository import git
from updates import ZONE, extended_error, send, update_of, with_edns

WINDOWS = "<>:\"|?*\\"


@pytest.fixture
def key(make_key):
    return make_key("me._update.example")


@pytest.fixture
def served(primary, repo, key):
    repo.commit({"example": ZONE, "_keys": key.line, "Docs/readme": "x", "lab.example/x": "x"})
    return primary(repo, "--zones-by-update", zones=["example"])


def make_zone(served, key, name):
    update = with_edns(update_of(key, "example"))
    update.add(name + ".", 60, "SOA", "ns1.example. h.example. 1 1h 1h 1h 1h")
    update.add(name + ".", 60, "NS", "ns1.example.")
    return send(served, update)


def test_a_zone_whose_file_nobody_could_check_out(served, repo, remote, key, tmp_path):
    """Its name prints to 932 octets; `git clone` ended with "File name too long" for everybody."""
    long = ".".join(["\\200" * 60] * 3 + ["\\200" * 50, "example"])
    answer = make_zone(served, key, long)
    assert answer.rcode() == dns.rcode.REFUSED
    code, text = extended_error(answer)
    assert code == 18 and "longer than 143 octets" in text
    served.await_log(r"event=update-refused .*longer than 143 octets")
    assert remote.commits() == 1
    git(str(tmp_path), "clone", "-q", repo.bare, "anybody")


def test_files_of_zones_have_names_for_everybody(served, repo, remote, key, tmp_path):
    for name in ("UPPER.example", "con.example", "LPT1.example", "a\\\\b\\\"c\\<d\\>.example", "sp\\032ace.example", "\\.git.example", "git~1.example",
                 "tail\\..example", "\\200.example"):
        assert make_zone(served, key, name).rcode() == dns.rcode.NOERROR, name
    git(str(tmp_path), "clone", "-q", repo.bare, "anybody")
    names = git(repo.bare, "ls-tree", "--name-only", repo.branch).split("\n")
    made = [n for n in names if n.endswith(".example") and n != "lab.example"]
    assert len(made) == 9 and {"upper.example", "%63on.example", "%6Cpt1.example", "%2Egit.example", "git%7E1.example"} <= set(made)
    for name in made:
        assert name.isascii() and not set(name) & set(WINDOWS + " ")
        letters = re.sub("%[0-9A-F]{2}", "", name)
        assert letters == letters.lower() and "%" not in letters


def test_what_stands_in_the_way_is_said(served, remote, key):
    """A directory of that name: only git's side knows of it."""
    answer = make_zone(served, key, "lab.example")
    assert answer.rcode() == dns.rcode.SERVFAIL and "the name of a new file is taken there" in extended_error(answer)[1]
    served.await_log("event=push-failed .*could not tell it from another name")
    assert make_zone(served, key, "upper.example").rcode() == dns.rcode.NOERROR
    assert remote.commits() == 2


def test_a_line_has_a_limit(served, remote, key):
    """A bit of a type bitmap is a word: 7 KB of CSYNC would be a line of 500 KB."""
    bitmap = b"".join(bytes([window, 32]) + b"\xff" * 32 for window in range(1, 200))
    update = update_of(key)
    update.add("x.example.", 60, dns.rdata.GenericRdata(1, 62, struct.pack("!IH", 1, 0) + bitmap))
    answer = send(served, update)
    assert answer.rcode() == dns.rcode.REFUSED
    served.await_log(r"event=update-refused .*64 KiB")
    assert remote.commits() == 1


def test_a_pushed_name_is_served_all_the_same(primary, repo, key):
    """Whoever pushes may have what names he likes: the zone is served, and updated in the file that it has."""
    repo.commit({"_keys": key.line, "CON.Example": ZONE})
    served = primary(repo, zones=["con.example"])
    update = update_of(key, "con.example")
    update.add("x", 60, "A", "192.0.2.1")
    assert send(served, update).rcode() == dns.rcode.NOERROR
    assert "CON.Example" in git(repo.bare, "show", "--name-only", repo.branch)
