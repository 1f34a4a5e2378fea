"""ozone: what it finds and how it says so, in files, directories and revisions."""
import json
import os
import pty
import re
import select
import subprocess

import pytest

import manual
from repository import git

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOA = manual.SOA
HEAD = "$TTL 3600\n" + SOA % 1 + "@ NS ns1\nns1 A 192.0.2.1\n"
KEY = "a._update.example.com. DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"
ZEROS = "0" * 40


@pytest.fixture
def ozone(program, tmp_path):
    def run(*args, status=0, **more):
        more.setdefault("cwd", str(tmp_path))
        return program("ozone", *[str(a) for a in args], status=status, **more)
    return run


@pytest.fixture
def write(tmp_path):
    def put(path, text):
        where = tmp_path / path
        where.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            where.write_bytes(text)
        else:
            where.write_text(text)
        return where
    return put


def zone(serial=1, lines=""):
    return "$TTL 3600\n" + SOA % serial + "@ NS ns1\nns1 A 192.0.2.1\n" + lines


def codes(done):
    return re.findall(r"^\S.*: (?:error|warning): .* \[([a-z0-9-]+)\]$", done.stderr, re.M)


# ---- a single file ----

def test_the_tutorials_words(ozone, write):
    write("mirage", "$ORIGIN mirage.\n$TTL 3600\n@\tSOA\tns1\thostmaster\t1\t86400\t7200\t1048576\t3600\n@\tNS\tns1\n"
                    "ns1     A       192.0.2.1\nwww\tA\t192.0.2.2\n")
    done = ozone("mirage")
    assert done.stdout == "successfully checked zone\n" and done.stderr == ""


def test_place_line_caret_and_hint(ozone, write):
    write("example.com", HEAD + "www\tA\t192.0.2\n")
    done = ozone("example.com", status=1)
    assert re.match(r"example\.com:5:7: error: .* \[bad-rdata\]\n"
                    r"     5 \| www\tA\t192\.0\.2\n"
                    r"       \|    \t \t\^~~~~~~\n", done.stderr), done.stderr
    assert done.stdout == ""


def test_all_of_them_in_order_of_place(ozone, write):
    write("example.com", HEAD + "a A 192.0.2\nb ADDRESS x\nwww A 192.0.2.2\nwww A 192.0.2.2\nc A 1.2.3.4.5\n")
    done = ozone("example.com", status=1)
    lines = [int(n) for n in re.findall(r"^example\.com:(\d+):", done.stderr, re.M)]
    assert lines == sorted(lines) and {5, 6, 9} <= set(lines)


def test_a_caret_below_other_scripts_and_long_lines(ozone, write):
    write("example.com", HEAD + "w TXT \"häh\" \"" + "x" * 300 + "\n")
    done = ozone("example.com", status=1)
    assert max(len(line) for line in done.stderr.splitlines() if " | " in line) < 200


def test_files_cannot_steer_the_terminal(ozone, write):
    write("example.com", HEAD + "w\x1b]0;x\x07 A 192.0.2\nv\xc2\x9b A 192.0.2\n".encode("latin-1").decode("latin-1"))
    done = ozone("example.com", status=1)
    assert "\x1b" not in done.stderr and "\x07" not in done.stderr and "\x9b" not in done.stderr


@pytest.mark.parametrize("name", ["example.com", "example.com.", "Example.COM"])
def test_the_files_name_is_the_zones(ozone, write, name):
    write(name, HEAD + "www.example.com. A 192.0.2.1\n")
    assert ozone(name).stdout == "successfully checked zone\n"


def test_the_root_zone(ozone, write):
    write("@", ". 60 SOA ns. host. 1 7200 900 1209600 300\n. 60 NS ns.\nns. 60 A 192.0.2.1\n")
    assert ozone("@").stdout == "successfully checked zone\n"


def test_zone_name_and_standard_input(ozone, write):
    write("some file", HEAD + "www.example.org. A 192.0.2.1\n")
    assert ozone("some file", "--zone-name", "example.org").stderr == ""
    done = ozone("-", "--zone-name=example.org.", stdin=HEAD)
    assert done.stdout == "successfully checked zone\n"
    assert ozone("-", status=2, stdin=HEAD).stdout == ""
    assert "domain name" in ozone("some file", "--zone-name=a..b", status=2).stderr


def test_exit_status(ozone, write):
    write("example.com", HEAD + "www A 192.0.2.1\nwww A 192.0.2.1\n")
    ozone("example.com")
    assert "successfully" not in ozone("example.com", "--werror", status=1).stdout
    assert ozone("example.com", "--quiet").stdout == ""
    ozone("none.example", status=1)
    for wrong in [[], ["--format=xml", "example.com"], ["example.com", "--diff"], ["--nothing"],
                  ["example.com", "example.com", "--old=example.com"], ["--repo=.", "example.com"],
                  ["example.com", "--dump", "--format=json"]]:
        ozone(*wrong, status=2)


UNWISE = {"glue": ("sub NS ns.sub\n", "missing-glue"), "target": ("@ NS ns9\n", "ns-no-address"), "below": ("sub NS ns9\n", "ns-no-address"),
          "alias": ("@ NS w\nw CNAME ns1\n", "ns-alias"), "root": ("sub NS .\n", "ns-no-address")}


@pytest.mark.parametrize("lines,code", UNWISE.values(), ids=UNWISE)
def test_what_is_served_and_does_not_work(ozone, write, lines, code):
    """A warning, of which --strict makes an error, and --werror an exit status."""
    write("example.com", HEAD + lines)
    done = ozone("example.com")
    assert codes(done) == [code] and ": warning: " in done.stderr and done.stdout == "successfully checked zone\n"
    strict = ozone("example.com", "--strict", status=1)
    assert codes(strict) == [code] and ": error: " in strict.stderr and strict.stderr.endswith("1 error, 0 warnings\n")
    assert json.loads(ozone("example.com", "--strict", "--format=json", status=1).stdout)["diagnostics"][0]["level"] == "error"
    assert ": warning: " in ozone("example.com", "--werror", status=1).stderr


@pytest.mark.parametrize("line,mark", [("# A comment.", "#"), ("#", "#"), ("#www A 192.0.2", "#"), ("  # in", "#"), ("www A 192.0.2.1 # web", "#"),
                                       ("$TTL 60 # short", "#"), ("// web", "//"), ("www A 192.0.2.1 // web", "//"), ("/* web */", "/*"),
                                       ("-- web", "--")])
def test_comments_of_other_languages(ozone, write, line, mark):
    write("example.com", HEAD + line + "\n")
    said = ozone("example.com", status=1).stderr
    assert 'hint: a comment begins with ";", not with "%s"\n' % mark in said


def test_a_record_that_is_commented_out_by_a_hash(ozone, write):
    """It is a record: every server reads it so."""
    write("example.com", HEAD + "#www A 192.0.2.1\n")
    done = ozone("example.com")
    assert codes(done) == ["odd-name"] and 'One begins with ";"' in done.stderr


CR = {  # text with a CR alone → the same with LF
    "all": (HEAD + "; a comment\nwww (\n A 192.0.2.1 ; in it\n )\n TXT \"x\"\n", None),
    "no line end at the end": (HEAD + "www A 192.0.2.1", None),
    "some": (HEAD + "www A 192.0.2.1\rftp A 192.0.2.2\r A 192.0.2.3\n", HEAD + "www A 192.0.2.1\nftp A 192.0.2.2\n A 192.0.2.3\n"),
    "two before a LF": (HEAD + "www A 192.0.2.1\r\r\nftp A 192.0.2.2\r\r\n", HEAD + "www A 192.0.2.1\nftp A 192.0.2.2\n"),
    "in a comment": (HEAD + "www A 192.0.2.1 ; x\rftp A 192.0.2.2\n", HEAD + "www A 192.0.2.1\n"),
    "in a string": (HEAD + 'www TXT "a\rb"\n', HEAD + 'www TXT "a\\013b"\n'),
}


@pytest.mark.parametrize("text,same", CR.values(), ids=CR)
def test_lines_that_end_in_cr_alone(ozone, write, text, same):
    write("example.com", (text if same else text.replace("\n", "\r")).encode())
    write("lf", same or text)
    assert ozone("example.com", "--dump").stdout == ozone("lf", "--zone-name=example.com", "--dump").stdout


def test_the_line_of_an_error_is_counted_by_cr_too(ozone, write):
    write("example.com", (HEAD + "; comment\nwww A 192.0.2\n").replace("\n", "\r").encode())
    said = ozone("example.com", status=1).stderr
    assert "example.com:6:7: error" in said and "     6 | www A 192.0.2\n" in said


OUTSIDE = "www.example.org. A 192.0.2.1\n TXT x\n$ORIGIN other.\na A 192.0.2.1\nb.example.com. A 192.0.2.2\n$GENERATE 1-2 h$ A 192.0.2.$\n"


def test_records_outside_of_the_zone(ozone, write, need):
    """An error, or dropped with a warning for each: then the zone is what BIND loads."""
    write("example.com", HEAD + OUTSIDE)
    assert set(codes(ozone("example.com", status=1))) == {"out-of-zone"}
    done = ozone("example.com", "--out-of-zone=drop", "--dump")
    assert codes(done) == ["out-of-zone"] * 5 and done.stderr.count(": warning: ") == 5
    names = {line.split()[0] for line in done.stdout.splitlines()}
    assert names == {"example.com.", "ns1.example.com.", "b.example.com."}
    ozone("example.com", "--out-of-zone=drop", "--werror", status=1)
    ozone("example.com", "--out-of-zone=drop", "--strict")
    ozone("example.com", "--out-of-zone=maybe", status=2)
    need("named-compilezone")
    out = subprocess.run(["named-compilezone", "-q", "-o", "-", "example.com", "example.com"], stdin=subprocess.DEVNULL, capture_output=True,
                         text=True, cwd=str(write("x", "").parent), check=True).stdout
    assert {line.split()[0] for line in out.splitlines()} == names


def test_an_soa_outside_of_the_zone_is_none_of_it(ozone, write):
    write("example.com", HEAD + "example.org. SOA ns1 hostmaster 9 7200 900 1209600 300\n")
    assert codes(ozone("example.com", "--out-of-zone=drop")) == ["out-of-zone"]
    write("other", "$TTL 60\nexample.org. SOA ns1 hostmaster 9 7200 900 1209600 300\nexample.org. NS ns1\n")
    assert "no-soa" in codes(ozone("other", "--zone-name=example.com", "--out-of-zone=drop", status=1))


def test_strict_is_not_about_taste(ozone, write):
    write("example.com", HEAD + "www A 192.0.2.1\nwww A 192.0.2.1\n@ MX 10 mial\n")
    assert len(codes(ozone("example.com", "--strict"))) == 2


def test_a_full_disk_is_said(bindir, write):
    write("example.com", HEAD)
    with open("/dev/full", "w") as full:
        done = subprocess.run([os.path.join(bindir, "ozone"), "example.com", "--dump"], stdout=full, stderr=subprocess.PIPE,
                              cwd=str(write("x", "").parent), text=True, check=False, timeout=60)
    assert done.returncode == 1 and "No space left" in done.stderr


# ---- what is no zone ----

def test_odd_files(ozone, write, tmp_path):
    write("empty.example", "")
    assert set(codes(ozone("empty.example", status=1))) == {"no-soa", "no-apex-ns"}
    write("binary.example", b"\x7fELF\0\1\2\3" * 100)
    assert codes(ozone("binary.example", status=1)) == ["not-text"]
    (tmp_path / "directory.example").mkdir()
    os.mkfifo(tmp_path / "pipe.example")
    (tmp_path / "link.example").symlink_to("empty.example")
    done = ozone(".", status=1)
    assert "pipe.example: error:" in done.stderr and "link.example: error:" in done.stderr
    assert "directory.example" not in done.stderr


def test_crlf_and_no_last_newline(ozone, write):
    write("example.com", HEAD.replace("\n", "\r\n") + "www A 192.0.2.1")
    assert ozone("example.com").stderr == ""


# ---- $INCLUDE ----

def test_include_stays_in_the_directory(ozone, write, tmp_path):
    write("zones/sub/hosts.inc", "www A 192.0.2\n")
    write("secret", "SECRET\n")
    (tmp_path / "zones" / "link").symlink_to("../secret")
    (tmp_path / "zones" / "dir").symlink_to("..")
    for path, code in [("../secret", "include-refused"), ("/etc/passwd", "include-refused"), ("sub/../../secret", "include-refused"),
                       ("link", "include-refused"), ("dir/secret", "include-"), ("none", "include-not-found")]:
        write("zones/example.com", HEAD + "$INCLUDE %s\n" % path)
        done = ozone("zones/example.com", status=1)
        assert code in done.stderr and "SECRET" not in done.stderr, path
    write("zones/example.com", HEAD + "$INCLUDE sub/hosts.inc\n")
    done = ozone("zones/example.com", status=1)
    assert done.stderr.startswith("zones/sub/hosts.inc:1:7: error:")


# ---- --old ----

def test_old_demands_a_newer_serial(ozone, write):
    write("example.com", zone(5, "www A 192.0.2.1\n"))
    write("old", zone(5))
    done = ozone("example.com", "--old", "old", status=1)
    assert "[serial-not-newer]" in done.stderr and "hint: write 6" in done.stderr
    assert done.stderr.startswith("example.com:2:")
    write("example.com", zone(6, "www A 192.0.2.1\n"))
    assert "serial 5 to 6" in ozone("example.com", "--old", "old").stdout
    write("old", zone(6, "; a comment\nwww A 192.0.2.1\n"))
    ozone("example.com", "--old", "old")


def test_old_that_is_bad_or_not_there(ozone, write):
    write("example.com", zone(5))
    write("old", zone(5, "www A 192.0.2\n"))
    assert "serial-not-newer" in ozone("example.com", "--old", "old", status=1).stderr
    write("old", zone(4, "www A 192.0.2\n"))
    ozone("example.com", "--old", "old")
    write("old", "")
    assert "added" in ozone("example.com", "--old", "old").stdout
    assert "added" in ozone("example.com", "--old", "/dev/null").stdout
    write("old", zone(5))
    done = ozone("/dev/null", "--zone-name=example.com", "--old", "old")
    assert "removed, last serial 5" in done.stdout
    assert ozone("example.com", "--old", "none", status=1).stderr != ""


def test_files_that_are_no_zones(ozone, write):
    """Ignored by their names, or by name and text; a name in UTF-8 is told its A-label."""
    for name in ("example.com.bak", "example.com~", "zones.yaml", "NOTES", "Jenkinsfile", "keys.json", "deploy.py", "notes.md"):
        write("zones/" + name, "#!/usr/bin/env python3\nimport os\n")
    for name in ("example.com", "example.md", "0%2F26.2.0.192.in-addr.arpa"):
        write("zones/" + name, zone(1))
    assert ozone("zones").stdout.endswith("successfully checked 3 zones\n")
    write("zones/b\u00fccher.example", zone(1))
    done = ozone("zones", status=1)
    assert codes(done) == ["bad-file-name"] and "xn--bcher-kva.example" in done.stderr
    assert "xn--bcher-kva.example" in ozone("zones/b\u00fccher.example", status=2).stderr


def test_originignore(ozone, write, repo):
    """Patterns as git has them: in directories and in revisions, of both versions."""
    files = {".originignore": "*.tmpl\n!b.tmpl\n!README.example\n", "a.tmpl": "rubbish\n", "b.tmpl": zone(1), "README.example": zone(1), "c.example": zone(1)}
    for name, text in files.items():
        write("zones/" + name, text)
    assert ozone("zones").stdout.endswith("successfully checked 3 zones\n")
    old = repo.commit({**files, "d.example": zone(1)})
    assert ozone("--repo", repo.path).stdout.endswith("successfully checked 4 zones\n")
    repo.commit({".originignore": "d.example\n"})  # of files that stayed as they were
    done = ozone("--repo", repo.path, "--old-rev", old, status=1)
    assert "a.tmpl:1:" in done.stderr and "d.example: zone removed" in done.stdout and "README.example: zone removed" in done.stdout
    write("zones/.originignore", "x\n" * 1001)
    assert "bad-ignore-file" in codes(ozone("zones", status=1))


def large(serial, hosts):
    return zone(serial, "".join("h%d A 192.0.2.9\n" % i for i in range(hosts)))


def test_what_would_be_held_back(ozone, write, tmp_path):
    """The primary's safety valve, in directories: the same numbers, and the words that say how to mean it."""
    for name in ("a.example", "b.example", "c.example", "e.example"):
        write("old/" + name, zone(1))
    write("old/d.example", large(1, 200))
    write("new/d.example", large(2, 90))
    write("new/B.example", zone(2))
    write("new/f.example", zone(1))
    done = ozone("new", "--old", "old", status=1)
    assert sorted(codes(done)) == ["mass-delete", "mass-delete"]
    assert "3 of 5 zones would be removed" in done.stderr and "111 of the zone's 203 records" in done.stderr
    assert "Origin-Allow: mass-delete" in done.stderr
    ozone("new", "--old", "old", "--allow=mass-delete")
    ozone("new", "--old", "old", "--allow=anything", status=2)
    ozone("new", "--old", "old", "--mass-delete-zones-percent=60", "--mass-delete-records-percent=60")
    ozone("new", "--old", "old", "--mass-delete-zones-percent=101", status=2)
    assert codes(ozone("new/d.example", "--old", "old/d.example", status=1)) == ["mass-delete"]
    write("new/d.example", large(2, 150))
    assert codes(ozone("new", "--old", "old", status=1)) == ["mass-delete"]
    write("new/A.example", zone(2))
    ozone("new", "--old", "old")



@pytest.mark.parametrize("name, is_said", [
    ("r._a._update.home.a.example", False), ("r._update.a.example", False), ("r._update.example", False), ("r._update", False),
    ("r._update.A.Example", False), ("r._update.aa.example", True), ("r._update.home.b.example", True), ("r._update.b", True),
    ("r._transfer.catalog.example.net", False), ("r._update.home.d.a.example", False), ("r._update.xd.example", True)])
def test_keys_for_no_zone(ozone, write, repo, name, is_said):
    """Whether keys come before the zones or after them; a file alone says nothing of zones."""
    line = "%s. DNSKEY 0 3 163 %s\n" % (name, SECRETS[0])
    for path, text in (("z/a.example", zone(1)), ("z/c.example", zone(1)), ("z/d.a.example", zone(1)), ("z/_keys", "; a comment\n" + line)):
        write(path, text)
    done = ozone("z")
    assert codes(done) == (["key-no-zone"] if is_said else []) and ("z/_keys:2:1: warning: the key may change" in done.stderr) == is_said
    assert SECRETS[0] not in done.stderr
    repo.commit({"a.example": zone(1), "_keys": "", "d.a.example": zone(1)})
    old = repo.head()
    repo.commit({"_keys": line})
    for more in ([], ["--old-rev", old]):
        assert codes(ozone("--repo", repo.path, *more)) == (["key-no-zone"] if is_said else [])
    assert codes(ozone("z/_keys")) == []


LAST = "push._notify. DNSKEY 0 3 163 %s\n"
SECRETS = ("kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=", "Rml0c0dvb2RFbm91Z2hGb3JUaGlzVGVzdDEyMzQ1Njc=")


@pytest.mark.parametrize("keys, code", [
    (None, "last-keys"), ("", "last-keys"), (LAST.replace("push._notify.", "push._notify.other.") % SECRETS[0], "last-keys"),
    (LAST % SECRETS[1], None), (LAST.replace("push._notify", "a._update") % SECRETS[0], None)])
def test_keys_that_would_be_held_back(ozone, write, repo, keys, code):
    """The last that can announce a push, in directories and in revisions; other keys for the same zones are no such loss."""
    old = repo.commit({"a.example": zone(1), "_keys": LAST % SECRETS[0]})
    repo.commit({"_keys": keys} if keys != "" else {"_keys": "; none\n"})
    done = ozone("--repo", repo.path, "--old-rev", old, status=1 if code else 0)
    assert codes(done) == [code] * bool(code)
    assert code is None or "Origin-Allow: mass-delete" in done.stderr and done.stderr.startswith("_keys: error: nobody could announce")
    ozone("--repo", repo.path, "--old-rev", old, "--allow=mass-delete")
    for where in ("old", "new"):
        write(where + "/a.example", zone(1))
    write("old/_keys", LAST % SECRETS[0])
    if keys is not None:
        write("new/_keys", keys or "; none\n")
    assert codes(ozone("new", "--old", "old", status=1 if code else 0)) == [code] * bool(code)
    ozone("new", "--old", "old", "--mass-delete-zones-percent=100")


def test_dump_and_diff(ozone, write):
    write("example.com", zone(2, "b A 192.0.2.1\na.b A 192.0.2.2\n"))
    write("old", zone(1, "c A 192.0.2.3\na.b 60 A 192.0.2.2\n"))
    assert ozone("example.com", "--dump").stdout == (
        "example.com.\t3600\tIN\tSOA\tns1.example.com. hostmaster.example.com. 2 7200 900 1209600 300\n"
        "example.com.\t3600\tIN\tNS\tns1.example.com.\n"
        "b.example.com.\t3600\tIN\tA\t192.0.2.1\n"
        "a.b.example.com.\t3600\tIN\tA\t192.0.2.2\n"
        "ns1.example.com.\t3600\tIN\tA\t192.0.2.1\n")
    lines = ozone("example.com", "--old", "old", "--diff").stdout.splitlines()
    assert {line[0] for line in lines} == {"-", "+"}
    assert "-c.example.com.\t3600\tIN\tA\t192.0.2.3" in lines and "+b.example.com.\t3600\tIN\tA\t192.0.2.1" in lines
    assert "-a.b.example.com.\t60\tIN\tA\t192.0.2.2" in lines and "+a.b.example.com.\t3600\tIN\tA\t192.0.2.2" in lines
    assert not any("ns1.example.com.\t3600\tIN\tA" in line for line in lines)


def test_a_dump_is_what_it_was(ozone, write):
    write("example.com", zone(1, "*.w TXT \"a b\" \"\\\"q\\\\\" \\; \n$GENERATE 1-9 h$ A 192.0.2.$\nt TYPE65280 \\# 2 abcd\n"))
    first = ozone("example.com", "--dump").stdout
    write("example.com", first)
    assert ozone("example.com", "--dump").stdout == first


# ---- formats ----

def test_json(ozone, write):
    write("example.com", HEAD.encode() + b"www A 192.0.2\nx\xff TXT \"\x1b\"\n")
    told = json.loads(ozone("example.com", "--format=json", status=1).stdout)
    first = told["diagnostics"][0]
    assert (first["file"], first["line"], first["column"], first["level"], first["code"]) == \
        ("example.com", 5, 7, "error", "bad-rdata")
    assert first["width"] == 7 and first["source"] == "www A 192.0.2"
    assert told["errors"] >= 1 and told["files"][0]["file"] == "example.com"
    write("example.com", zone(4))
    told = json.loads(ozone("example.com", "--format=json").stdout)
    assert told["diagnostics"] == [] and told["files"][0]["serial"] == 4 and told["files"][0]["kind"] == "zone"


def test_github(ozone, write):
    write("a,b:c%/example.com", HEAD + "www A 192.0.2\n")
    done = ozone("a,b:c%/example.com", "--format=github", status=1)
    assert done.stdout.startswith("::error file=a%2Cb%3Ac%25/example.com,line=5,col=7,endColumn=14,title=ozone::")
    assert "[bad-rdata]" in done.stdout


class OnTerminal:
    """A program whose output goes to a terminal, and whose input comes from us."""

    def __init__(self, argv, cwd, env):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(argv, cwd=cwd, env={**os.environ, **env}, stdin=subprocess.PIPE, stdout=slave, stderr=slave)
        os.close(slave)
        self.out = b""

    def read_part(self):
        """False: it has closed the terminal."""
        assert select.select([self.master], [], [], 60)[0], self.out
        try:
            part = os.read(self.master, 65536)
        except OSError:
            part = b""
        self.out += part
        return part != b""

    def read_until(self, text):
        while text not in self.out:
            assert self.read_part(), self.out

    def feed(self, octets):
        self.process.stdin.write(octets)
        self.process.stdin.close()

    def read_all(self):
        while self.read_part():
            pass
        os.close(self.master)
        self.process.wait(60)
        return self.out


def run_on_terminal(argv, cwd, env):
    terminal = OnTerminal(argv, cwd, env)
    terminal.feed(b"")
    return terminal.read_all()


def test_colour_on_terminals_only(bindir, ozone, write, tmp_path):
    write("example.com", HEAD + "www A 192.0.2\n")
    assert "\x1b" not in ozone("example.com", status=1).stderr
    argv = [os.path.join(bindir, "ozone"), "example.com"]
    assert b"\x1b[" in run_on_terminal(argv, str(tmp_path), {"TERM": "xterm", "NO_COLOR": ""})
    assert b"\x1b" not in run_on_terminal(argv, str(tmp_path), {"TERM": "xterm", "NO_COLOR": "1"})


def test_progress_is_shown_after_a_second_and_wiped(bindir, tmp_path):
    argv = [os.path.join(bindir, "ozone"), "-", "--zone-name=example.com"]
    quiet = OnTerminal(argv + ["--quiet"], str(tmp_path), {"TERM": "xterm"})
    shown = OnTerminal(argv, str(tmp_path), {"TERM": "xterm"})
    shown.read_until(b"checking - (1 of 1)")  # for the quiet one, which began earlier, a second has gone by, too
    for terminal in (shown, quiet):
        terminal.feed(HEAD.encode())
    assert shown.read_all().endswith(b"\r\x1b[Ksuccessfully checked zone\r\n")
    assert quiet.read_all() == b""


def test_no_finding_is_lost(ozone, write):
    write("example.com", HEAD + "".join("a MX %d none\n" % i for i in range(1200)) + "b NS ns.b\n")
    done = ozone("example.com")
    assert "missing-glue" in codes(done) and "more-findings" in codes(done)
    assert "0 errors, 1201 warnings" in done.stderr
    strict = ozone("example.com", "--strict", status=1)
    assert "missing-glue" in codes(strict) and ": error: " in strict.stderr and "more-findings" in codes(strict)


# ---- keys ----

def test_keys_files(ozone, write):
    write("example.com._keys", KEY)
    assert ozone("example.com._keys").stdout == "successfully checked keys\n"
    write("old", "")
    assert "example.com._keys: keys added, 1 key\n" in ozone("--old", "old", "example.com._keys").stdout
    write("_keys", KEY + "x._transfer. DNSKEY 0 3 165 Rml0c0dvb2RFbm91Z2hGb3JUaGlzVGVzdDEyMzQ1NjdGaXRzR29vZEVub3VnaEZvclRoaXM=\n")
    ozone("_keys")


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_no_secret_is_shown(ozone, write, form):
    secret = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
    for line in ["a._update.example.com. DNSKEY 0 3 163 %s extra!" % secret, "a._update.example.com. DNSKEY 0 3 13 " + secret,
                 "a DNSKEY 0 3 163 " + secret, "a._update.example.com. TXT " + secret,
                 "a._update.example.com. DNSKEY 0 3 163 (%s" % secret, "a._update.example.com. DNSKEY 0 3 163 !" + secret,
                 "a._update.example.com. DNSKEY 0 3 " + secret, "a._update.example.com. " + secret, secret + " A",
                 "a._update.example.com. DNSKEY 0 3 163 \"" + secret]:
        write("example.com._keys", line + "\n")
        done = ozone("example.com._keys", "--format=" + form, status=None)
        assert secret not in done.stdout + done.stderr, line


# ---- secondaries ----

SECONDARIES = "_transfer PTR hoster-key.\n_transfer APL 1:192.0.2.53/32\n_notify SRV 0 0 5353 ns3\nns3 A 192.0.2.53\n"
HOSTER = "hoster-key. DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"


def test_a_file_of_secondaries(ozone, write):
    write("_secondaries", SECONDARIES)
    assert ozone("_secondaries").stdout == "successfully checked secondaries\n"
    write("example.com._secondaries", SECONDARIES.replace("0 0 5353", "0 0 0"))
    done = ozone("example.com._secondaries", status=1)
    assert re.match(r"example\.com\._secondaries:3:1: error: .* \[secondary-port\]\n"
                    r"     3 \| _notify SRV 0 0 0 ns3\n"
                    r"       \| \^~+\n"
                    r"  hint: ", done.stderr), done.stderr
    write("old", SECONDARIES)
    assert "_secondaries: secondaries changed, 4 records\n" in ozone("--old", "old", "example.com._secondaries", status=1).stdout
    assert json.loads(ozone("--format=json", "_secondaries").stdout)["files"][0]["kind"] == "secondaries"
    assert ozone("_Secondaries", status=2).stderr.startswith("ozone: error: _Secondaries: no zone can have a name")


def test_keys_and_secondaries_name_each_other(ozone, write):
    """In a directory; a file alone knows no other one."""
    write("z/example.com", zone(1))
    write("z/_secondaries", SECONDARIES)
    done = ozone("z")
    assert codes(done) == ["secondary-key-unknown"] and done.stderr.startswith("z/_secondaries:1:1: warning: ")
    assert "1 | _transfer PTR hoster-key.\n" in done.stderr
    write("z/_keys", HOSTER)
    done = ozone("z")
    assert done.stderr == "" and done.stdout == "successfully checked 1 zone, 1 keys file and 1 secondaries file\n"
    assert codes(ozone("z/_keys")) == ["key-operation"] and codes(ozone("z/_secondaries")) == []
    write("z/_secondaries", SECONDARIES.replace("_transfer PTR", "ns3 PTR"))
    assert codes(ozone("z")) == []  # it signs what ns3 is told
    write("z/_secondaries", SECONDARIES.replace("_transfer PTR", ";"))
    done = ozone("z")
    assert codes(done) == ["key-operation"] and done.stderr.startswith("z/_keys:1:1: warning: ")


@pytest.mark.parametrize("files, found", [
    ({"_keys": "; none\n"}, ["_secondaries:1:1: secondary-key-unknown"]), ({"_keys": None}, ["_secondaries:1:1: secondary-key-unknown"]),
    ({"_secondaries": None}, ["_keys:1:1: key-operation"]), ({"_secondaries": "; none\n"}, ["_keys:1:1: key-operation"]),
    ({"example.com": None}, []), ({"_keys": HOSTER + KEY}, []),
    ({"example.com._secondaries": "_transfer PTR other.\n"}, ["example.com._secondaries:1:1: secondary-key-unknown"]),
])
def test_what_a_commit_leaves_of_them(ozone, repo, files, found):
    """What it takes from a file is said of the other one, though that stays as it is."""
    repo.commit({"example.com": zone(1), "example.org": zone(1), "_keys": HOSTER, "_secondaries": SECONDARIES})
    repo.commit(files)
    done = ozone("--repo", repo.path, "--old-rev", "HEAD~1", "--allow=mass-delete")
    assert ["%s %s" % row for row in re.findall(r"^(\S+) warning: .* \[(.*)\]$", done.stderr, re.M)] == found


def test_hooks_hear_of_secondaries(ozone, repo):
    repo.commit({"example.com": zone(1), "_keys": HOSTER})
    git(repo.path, "rm", "-q", "--cached", "_keys")
    with open(os.path.join(repo.path, "_secondaries"), "w") as f:
        f.write("_transfer PTR hoster-key.\n_transfer A 192.0.2.1\n")
    git(repo.path, "add", "_secondaries")
    done = ozone("--repo", repo.path, "--old-rev", "HEAD", "--new-rev", ":", status=1)
    assert codes(done) == ["secondary-key-unknown", "secondary-owner"]


def test_a_key_has_one_secret(ozone, write):
    write("_keys", KEY)
    write("example.com._keys", KEY.replace("kJJq", "AAAA"))
    done = ozone(".", status=1)
    assert codes(done) == ["key-duplicate"] and "example.com._keys" in done.stderr


# ---- directories ----

def test_a_directory_is_a_checkout(ozone, write):
    write("example.com", HEAD)
    write("example.org", HEAD + "$INCLUDE sub/x.inc\n")
    write("sub/x.inc", "www A 192.0.2.1\n")
    write("README.md", "not a zone\n")
    write(".gitignore", "*~\n")
    write("example.com._keys", KEY)
    assert ozone(".").stdout == "successfully checked 2 zones and 1 keys file\n"
    write("EXAMPLE.com.", HEAD)
    write("a..b", HEAD)
    assert sorted(codes(ozone(".", status=1))) == ["bad-file-name", "name-clash", "unportable-name", "zone-twice"]


def test_two_directories_are_compared(ozone, write):
    for where, serial in [("old", 1), ("new", 2)]:
        write(where + "/same.example", zone())
        write(where + "/changed.example", zone(serial, "h%d A 192.0.2.1\n" % serial))
    write("old/removed.example", zone(7))
    write("new/added.example", zone(3))
    done = ozone("new", "--old", "old")
    assert done.stdout.splitlines() == ["added.example: zone added, serial 3, 3 records",
                                        "changed.example: zone changed, serial 1 to 2, 4 records",
                                        "removed.example: zone removed, last serial 7",
                                        "successfully checked 4 zones"]


# ---- revisions ----

def test_a_revision(ozone, repo):
    repo.commit({"example.com": zone(1), "sub/x": "not a zone", "README": "x", "_keys": KEY})
    repo.write({"example.com": "the work tree is not looked at"})
    assert ozone("--repo", repo.path).stdout == "successfully checked 1 zone and 1 keys file\n"
    assert ozone("--repo", repo.path, "--new-rev=none", status=1).stderr != ""
    assert ozone("--repo", "/nonexistent", status=1).stderr != ""


def test_what_changed_between_two(ozone, repo):
    files = {"%s.example" % n: zone(1) for n in ("same", "changed", "gone", "including")}
    files["including.example"] += "$INCLUDE inc/hosts\n"
    files["inc/hosts"] = "www A 192.0.2.1\n"
    files["bad.example"] = "this was bad before, and nobody touched it\n"
    old = repo.commit(files)
    new = repo.commit({"changed.example": zone(2, "www A 192.0.2.1\n"), "gone.example": None,
                            "inc/hosts": "www A 192.0.2.2\n", "new zone.example": zone(9)})
    done = ozone("--repo", repo.path, "--old-rev", old, "--new-rev", new, status=1)
    assert done.stdout.splitlines() == ["changed.example: zone changed, serial 1 to 2, 4 records",
                                        "including.example: zone changed, serial 1, 4 records",
                                        "new zone.example: zone added, serial 9, 3 records",
                                        "gone.example: zone removed, last serial 1"]
    assert codes(done) == ["serial-not-newer"] and "including.example:2:" in done.stderr
    repo.commit({"including.example": zone(2) + "$INCLUDE inc/hosts\n"})
    ozone("--repo", repo.path, "--old-rev", old)
    assert "4 zones" in ozone("--repo", repo.path, "--old-rev", old).stdout


def test_an_include_that_is_gone(ozone, repo):
    old = repo.commit({"example.com": zone(1) + "$INCLUDE inc/hosts\n", "inc/hosts": "www A 192.0.2.1\n"})
    new = repo.commit({"inc/hosts": None})
    assert codes(ozone("--repo", repo.path, "--old-rev", old, "--new-rev", new, status=1)) == ["include-not-found"]


def test_zeros_are_no_version(ozone, repo):
    repo.commit({"example.com": zone(3)})
    assert "example.com: zone added, serial 3" in ozone("--repo", repo.path, "--old-rev", ZEROS).stdout
    assert "zone removed" in ozone("--repo", repo.path, "--old-rev", "HEAD", "--new-rev", ZEROS).stdout
    assert ozone("--repo", repo.path, "--old-rev", ZEROS, "--new-rev", ZEROS).stdout == "nothing to check\n"


def test_the_index(ozone, repo):
    repo.commit({"example.com": zone(1)})
    repo.write({"example.com": zone(1, "www A 192.0.2.1\n")})
    assert ozone("--old-rev=HEAD", "--new-rev=:", cwd=repo.path).stdout == "nothing to check\n"
    git(repo.path, "add", "example.com")
    assert codes(ozone("--old-rev=HEAD", "--new-rev=:", cwd=repo.path, status=1)) == ["serial-not-newer"]


def test_keys_of_other_files_count(ozone, repo):
    old = repo.commit({"_keys": KEY})
    repo.commit({"example.com._keys": KEY.replace("kJJq", "AAAA")})
    assert codes(ozone("--repo", repo.path, "--old-rev", old, status=1)) == ["key-duplicate"]


def test_links_and_submodules_are_no_zones(ozone, repo):
    old = repo.commit({"example.com": zone(1)})
    os.symlink("example.com", os.path.join(repo.path, "link.example"))
    git(repo.path, "update-index", "--add", "--cacheinfo", "160000,%s,module.example" % old)
    git(repo.path, "add", "link.example")
    git(repo.path, "commit", "-q", "-m", "x")
    done = ozone("--repo", repo.path, "--old-rev", old, status=1)
    assert codes(done) == ["not-a-file", "not-a-file"]
    assert ozone("--repo", repo.path, "--old-rev", "HEAD").stdout == "nothing to check\n"


# ---- the manual ----

def test_every_code_is_in_the_manual():
    known = {code for _, code, _ in manual.diagnostics()}
    used = set()
    for folder in ("zone", "auth", "bin"):
        for name in os.listdir(os.path.join(ROOT, "src", folder)):
            if name.startswith("edit"):
                continue  # ozone does not edit
            if name.endswith(".c") and (folder == "zone" or name.startswith(("ozone", "keys", "load_", "secondaries"))):
                with open(os.path.join(ROOT, "src", folder, name)) as f:
                    used |= set(re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', f.read()))
    used = used - {"new-rev", "old-rev", "zone-name", "mass-delete-zones-percent", "mass-delete-records-percent"} | {"unreadable"}  # options; the one code of a single word
    assert used - known == set() and known - used == set()


@pytest.mark.parametrize("code,example", [row[1:] for row in manual.diagnostics() if row[2]],
                         ids=lambda v: v if isinstance(v, str) and " " not in v else "")
def test_examples_of_the_manual_are_true(ozone, write, code, example):
    name = manual.file_of(code)
    text = manual.as_zone(code, example) if name == "example.com" else example
    write(name, text)
    assert code in codes(ozone(name, status=None)), text


def test_the_file_may_be_a_pipe(bindir, write, tmp_path):
    write("example.com", zone(2, "www A 192.0.2.1\n"))
    write("old", zone(2))
    done = subprocess.run(["bash", "-c", '"$0" example.com --old <(cat old)', os.path.join(bindir, "ozone")], cwd=str(tmp_path),
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "serial-not-newer" in done.stderr


def test_an_unreadable_file(ozone):
    assert codes(ozone("none.example", status=1)) == ["unreadable"]


def test_a_serial_that_goes_back_is_said_loudly(ozone, write):
    """Also where the primary writes serials: it may be a typo, and is served until the next one is there."""
    for was, now, wanted in [(2026112801, 2025112801, 2026112802), (4294967294, 2147483646, 4294967295), (1, 2147483649, 2), (10, 5, 11)]:
        write("old", zone(was))
        write("example.com", zone(now, "www A 192.0.2.1\n"))
        done = ozone("example.com", "--old", "old", status=1)
        assert "error: the serial goes back, from %d to %d [serial-back]" % (was, now) in done.stderr
        assert "hint: write %d" % wanted in done.stderr
        done = ozone("example.com", "--old", "old", "--serial=increment", status=0)
        assert "warning: the serial goes back, from %d to %d [serial-back]" % (was, now) in done.stderr
        assert "oprimary will write a serial newer than %d" % was in done.stderr
        write("old", zone(was) + "bad A 192.0.2.256\n")  # of what is no zone the serial is known
        assert "the serial goes back, from %d to %d" % (was, now) in ozone("example.com", "--old", "old", status=1).stderr


# ---- names of files ----

def test_names_that_not_every_system_has(ozone, repo):
    """In the whole tree, of what is new; served all the same, so a warning."""
    long = ("a" * 60 + ".") * 3 + "example"
    files = {"con.example": zone(1), long: zone(1), "Docs/readme": "x", "sub/aux/x.inc": "x", "fine.example": zone(1)}
    old = repo.commit(files)
    done = ozone("--repo", repo.path)
    assert sorted(codes(done)) == ["unportable-name"] * 3 and "sub/aux: warning: the name is that of a device on Windows" in done.stderr
    assert "successfully checked 3 zones" in done.stdout
    repo.commit({"docs/other": "x", "FINE.example": "rubbish\n"})
    done = ozone("--repo", repo.path, "--old-rev", old, status=1)
    assert codes(done).count("name-clash") == 2 and "unportable-name" not in codes(done)
    assert "docs: warning: macOS or Windows takes it for Docs" in done.stderr
    done = ozone(repo.path, status=1)
    assert codes(done).count("name-clash") == 1 and codes(done).count("unportable-name") == 2


def test_names_are_checked_in_hooks_strict_or_not(ozone, repo):
    repo.commit({"nul.example": zone(1)})
    ozone("--repo", repo.path, "--strict")
    ozone("--repo", repo.path, "--werror", status=1)
