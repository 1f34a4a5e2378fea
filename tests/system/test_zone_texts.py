"""Zone files as people write them: our verdict and our records beside those of BIND, NSD and Knot.

Where all three agree we do as well; what differs is in DIFFERENCES, with the RFC's words in differences.md.  A longer run:
python3 -m pytest -p no:cacheprovider tests/system/test_zone_texts.py --zones 1000 --seed 1
"""
import os
import random
import subprocess

import pytest

HEAD = "$TTL 1h\n@ SOA ns1 hostmaster 1 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n"
GENERATED = 12

CORNERS = {
    "parentheses": HEAD + "www ( IN\n 60 ) A (192.0.2.1)\nt TXT (\"a\" ; c )\n b)\n",
    "parentheses at the start": HEAD + "( www A 192.0.2.1 )\n",
    "escapes": HEAD + 'a\\.b A 192.0.2.1\n\\099 A 192.0.2.2\nt TXT a\\"b "c\\"d" \\\\ \\;x "\\010"\n',
    "escape too large": HEAD + "t\\256 A 192.0.2.1\n",
    "units": "$TTL 1D2h3m4s\n@ 1w SOA ns1 h 1 2h 15M 2W 5m\n@ NS ns1\nns1 1h30m A 192.0.2.1\n",
    "at sign": HEAD + "$ORIGIN sub.example.com.\n@ A 192.0.2.1\nw CNAME @\n\\@ A 192.0.2.2\n",
    "two ttl": HEAD + "$TTL 5\na A 192.0.2.1\n$TTL 6\nb A 192.0.2.1\n",
    "origins": HEAD + "$ORIGIN a.example.com.\nx A 192.0.2.1\n$ORIGIN b\nx A 192.0.2.2\n$ORIGIN example.com.\nx A 192.0.2.3\n",
    "class before ttl": HEAD + "a IN 60 A 192.0.2.1\nb 60 IN A 192.0.2.1\nc in a 192.0.2.1\n",
    "missing owner": HEAD + "a A 192.0.2.1\n\tA 192.0.2.2\n    60 TXT x\n",
    "odd white space": HEAD + "a \t A\t\t192.0.2.1 \t\n \t \n\n;\n  ; x\nb A 192.0.2.1;y\n",
    "unknown type": HEAD + "a TYPE65280 \\# 4 0a000001\nb TYPE1 \\# 4 0A000001\nc A \\# 4 0a 00 00 01\nd TYPE65280 \\# 0\n",
    "unknown type of a wrong length": HEAD + "a TYPE65280 \\# 5 0a000001\n",
    "long text": HEAD + 't TXT "%s" "%s"\n' % ("x" * 255, "y" * 254),
    "too long text": HEAD + 't TXT "%s"\n' % ("x" * 256),
    "crlf": HEAD.replace("\n", "\r\n") + "a A 192.0.2.1\r\n\r\n",
    "a cr alone": HEAD + "a A 192.0.2.1\rb A 192.0.2.2\n",
    "no final newline": HEAD + "a A 192.0.2.1",
    "out of zone": HEAD + "a.example.org. A 192.0.2.1\n",
    "no glue": HEAD + "sub NS ns.sub\n",
    "target missing": HEAD + "sub NS ns9\n",
    "cname and other": HEAD + "a CNAME b\na A 192.0.2.1\n",
    "open quote": HEAD + 't TXT "a\n',
    "open parenthesis": HEAD + "t TXT ( a\n",
    "hash comment": HEAD + "# a comment\n",
    "label too long": HEAD + "x" * 64 + " A 192.0.2.1\n",
    "bad address": HEAD + "a A 192.0.2\n",
    "no soa": "$TTL 60\n@ NS ns1\nns1 A 192.0.2.1\n",
    "time after 2106": HEAD + "ns1 RRSIG A 8 3 3600 21070601000000 20260101000000 5 example.com. AAAA\n",
}
# Those that the three do not agree on: what we do.  In differences.md.
DIFFERENCES = {"out of zone": False, "a cr alone": True}


def run(where, *argv):
    done = subprocess.run(argv, cwd=where, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, errors="replace", check=False)
    return done.returncode == 0, done.stdout


@pytest.fixture
def judges(need, bindir, tmp_path):
    """text → {name: (verdict, records or None)}; records as we print them, so that only what they say is compared."""
    for program in ("named-compilezone", "nsd-checkzone", "kzonecheck"):
        need(program)
    where, ozone = str(tmp_path), os.path.join(bindir, "ozone")

    def ours(path):
        good, out = run(where, ozone, "--zone-name=example.com", "--dump", path)
        return good, sorted(out.splitlines()) if good else None

    def printed(good, text):
        (tmp_path / "printed").write_text(text)
        return good, ours("printed")[1] if good else None

    def look(text):
        (tmp_path / "zone").write_bytes(text.encode())
        return {"ours": ours("zone"), "bind": printed(*run(where, "named-compilezone", "-q", "-o", "-", "example.com", "zone")),
                "nsd": printed(*run(where, "nsd-checkzone", "-p", "example.com", "zone")),
                "knot": (knots(where), None)}
    return look


def knots(where):
    """Does Knot load it?  What it only remarks on is no refusal."""
    done = subprocess.run(["kzonecheck", "-o", "example.com", "zone"], cwd=where, capture_output=True, text=True, timeout=60, check=False)
    return "failed" not in done.stdout + done.stderr and "Serious" not in done.stdout + done.stderr


def compare(said, text):
    verdicts = {said[name][0] for name in ("bind", "nsd", "knot")}
    if len(verdicts) == 1:
        assert said["ours"][0] in verdicts, (said, text)
    if verdicts == {True} and said["bind"][1] == said["nsd"][1]:
        assert said["bind"][1] == said["ours"][1], (said, text)
    return len(verdicts) == 1


@pytest.mark.parametrize("what", CORNERS)
def test_corners(judges, what):
    said = judges(CORNERS[what])
    agree = compare(said, CORNERS[what])
    if what in DIFFERENCES:
        assert not agree and said["ours"][0] == DIFFERENCES[what]


class Writer:
    """Records, each in a spelling by chance."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def gap(self):
        return self.r.choice([" ", "\t", "  ", " \t "])

    def record(self, i):
        r = self.r
        kind, data = r.choice([("A", "192.0.2.%d" % i), ("AAAA", "2001:DB8::%x" % i), ("TXT", '"a b" c\\;d "\\"e"'), ("MX", "%d ns1" % i),
                               ("CNAME", "@"), ("SRV", "0 0 %d ns1.example.com." % i), ("CAA", '0 issue "ca.test"'), ("TYPE65280", "\\# 2 ab cd")])
        words = [r.choice(["1h", "60", "1H30M", "0"])] if r.random() < 0.4 else []
        words += [r.choice(["IN", "in"])] if r.random() < 0.4 else []
        r.shuffle(words)
        kind = kind.lower() if r.random() < 0.3 and not kind.startswith("TYPE") else kind
        if r.random() < 0.2:
            data = "(" + data.replace(" ", " ; note )\n\t", 1 if kind.upper() in ("MX", "SRV") else 0) + " )"
        return self.gap().join(["h%d" % i, *words, kind, data]) + r.choice(["", " ", "\t; note", ";note"])

    def zone(self):
        lines = [self.record(i) for i in range(1, 25)]
        for _ in range(4):
            lines.insert(self.r.randrange(len(lines)), self.r.choice(["", "; note", "$TTL 2h", "$ORIGIN sub.example.com.", "\t", "$ORIGIN example.com."]))
        text = HEAD + "\n".join(lines) + self.r.choice(["", "\n"])
        return text.replace("\n", "\r\n") if self.r.random() < 0.2 else text


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        first, n = metafunc.config.getoption("--seed") or 1, metafunc.config.getoption("--zones") or GENERATED
        metafunc.parametrize("seed", range(first, first + n))


def test_generated(judges, seed):
    text = Writer(seed).zone()
    said = judges(text)
    compare(said, text)
    assert said["ours"][0], text
