"""RDATA of every type: `ozone --dump` prints it as BIND does, octet by octet, and dnspython reads the same from it."""
import base64
import os
import random
import re
import subprocess
import time

import dns.name
import dns.rdata
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEAD = ["$ORIGIN example.", "$TTL 3600", "@ SOA a.example. b.example. 1 7200 3600 1209600 300", "@ NS ns", "ns A 192.0.2.1"]
# MD and MF are obsolete for BIND, SOA has its one place; the others are known by later versions only, or printed otherwise.
NOT_BIND = {"MD", "MF", "SOA", "CLA", "IPN"}
HMAC_NUMBERS = ("157", "161", "162", "163", "164", "165")  # algorithms of TSIG secrets in keys files
# dnspython 2.3 refuses parameters in AliasMode, and BIND's names of algorithms in CERT.
NOT_DNSPYTHON = re.compile(r'(SVCB|HTTPS) 0 |CERT |TYPE')
GENERATED = 600


def compiled(where, lines):
    """The zone as BIND prints it: {line}, with single spaces."""
    path, out = os.path.join(where, "example"), os.path.join(where, "compiled")
    with open(path, "w") as f:
        f.write("\n".join(HEAD + lines) + "\n")
    done = subprocess.run(["named-compilezone", "-i", "none", "-k", "ignore", "-n", "ignore", "-r", "ignore", "-o", out, "example", path],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    with open(out) as f:
        return {" ".join(line.split()) for line in f if not line.startswith(";")}


@pytest.fixture
def same_as_bind(need, bindir, tmp_path):
    """Lines of a zone file; the records that both print."""
    def check(lines):
        need("named-compilezone")
        theirs = compiled(str(tmp_path), lines)
        done = subprocess.run([os.path.join(bindir, "ozone"), "--dump", "example"], cwd=str(tmp_path), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        ours = {" ".join(line.split()) for line in done.stdout.splitlines()}
        assert sorted(ours ^ theirs) == []
        assert len(ours) >= len(lines)
        return sorted(ours)
    return check


def unquoted(literals):
    """C string literals, as one text."""
    return "".join(re.sub(r"\\(.)", r"\1", part) for part in re.findall(r'"((?:[^"\\]|\\.)*)"', literals))


def is_secret(rtype, text):
    """Is it a TSIG secret, which no zone may have?"""
    return rtype == "DNSKEY" and text.split()[2] in HMAC_NUMBERS


def vectors():
    """[(type, text)] of the unit test's table, but for what is for keys files alone."""
    with open(os.path.join(ROOT, "tests", "unit", "rdata_vectors.h")) as f:
        table = f.read().split("rdata_vectors[] = {", 1)[1]
    string = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    rows = [(unquoted(t), unquoted(text)) for t, text in re.findall(r"\{ " + string + r",\s*" + string + ",", table)]
    return [(t, text) for t, text in rows if not is_secret(t, text)]


def test_the_unit_tests_vectors(same_as_bind):
    # BIND prints the times of signatures as those next to now, and measures what RFC 8976 A.3 shows by a hash that it knows.
    rows = [(t, text) for t, text in vectors() if t not in NOT_BIND and (t, text) not in
            [("NS", "."), ("A6", "128 foo."), ("IPSECKEY", "10 1 0 192.0.2.38")] and "ohttp" not in text and "1969" not in text and
            not re.search(r" (9999\d+|21060207062816) |^\d+ 24[01] ", text)]
    assert len(rows) > 150
    same_as_bind(["k%03d %s %s" % (i, t, text) for i, (t, text) in enumerate(rows)])


class Values:
    """Texts of fields, by chance: borders more often than what lies between."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def number(self, bits):
        return str(self.r.choice([0, 1, (1 << bits) - 1, self.r.randrange(1 << bits), self.r.randrange(1 << bits // 2)]))

    def algorithm(self):
        number = self.number(8)
        return "8" if number in HMAC_NUMBERS else number

    def octets(self, least=1, most=200):
        return bytes(self.r.randrange(256) for _ in range(self.r.randrange(least, most)))

    def pieces(self, text):
        """Text over several tokens, sometimes over several lines."""
        cuts = sorted(self.r.sample(range(1, len(text)), min(len(text) - 1, self.r.randrange(4)))) if len(text) > 1 else []
        parts = [text[a:b] for a, b in zip([0] + cuts, cuts + [len(text)])]
        return "( " + "\n ".join(parts) + " )" if self.r.random() < 0.2 else " ".join(parts)

    def base64(self):
        return self.pieces(base64.b64encode(self.octets()).decode())

    def hex(self, n=None):
        raw = self.octets() if n is None else self.octets(n, n + 1)
        return self.pieces(self.r.choice([raw.hex(), raw.hex().upper()]))

    def escaped(self, octet, special):
        c = chr(octet)
        if octet < 33 or octet > 126 or self.r.random() < 0.05:
            return "\\%03d" % octet
        return "\\" + c if c in special else c

    def name(self):
        if self.r.random() < 0.05:
            return self.r.choice([".", "@"])
        labels = []
        for _ in range(self.r.randrange(1, 5)):
            pool = self.r.choice([b"abcXYZ019-_", bytes(range(256))])
            labels.append("".join(self.escaped(self.r.choice(pool), '.\\"();@$') for _ in range(self.r.randrange(1, 12))))
        return ".".join(labels) + self.r.choice(["", "."])

    def string(self, least=0):
        raw = self.octets(least, 60)
        return '"' + "".join(" " if o == 32 else self.escaped(o, '"\\') for o in raw) + '"'

    def ipv4(self):
        return ".".join(str(self.r.choice([0, 255, self.r.randrange(256)])) for _ in range(4))

    def ipv6(self):
        groups = [self.r.choice(["0", "0", "%x" % self.r.randrange(65536), "%04X" % self.r.randrange(4096), "ffff"]) for _ in range(8)]
        if self.r.random() < 0.3:
            groups[6:] = [self.ipv4()]
        if self.r.random() < 0.4:
            at = self.r.randrange(len(groups) - 1)
            return ":".join(groups[:at]) + "::" + ":".join(groups[at + self.r.randrange(1, len(groups) - at):])
        return ":".join(groups)

    def types(self, least=1):
        known = ["A", "ns", "SOA", "MX", "TXT", "AAAA", "RRSIG", "NSEC", "DNSKEY", "CAA", "TYPE65534", "TYPE1234", "type300", "TYPE1", "HTTPS"]
        return " ".join(self.r.choice(known + ["TYPE%d" % self.r.randrange(256, 65536)]) for _ in range(self.r.randrange(least, 12)))

    def times(self):
        """Expiration and inception; BIND refuses them the other way round."""
        forms = (lambda t: "%d" % t, lambda t: time.strftime("%Y%m%d%H%M%S", time.gmtime(t)))
        return ["%s" % self.r.choice(forms)(t) for t in sorted((self.r.randrange(1 << 31) for _ in range(2)), reverse=True)]

    def signature(self):
        # BIND wants as many labels as the signer has, at least.
        return " ".join([self.r.choice(["A", "TYPE300", "NSEC3"]), self.r.choice(["8", "ECDSAP256SHA256", "255"]), self.r.choice(["6", "20", "255"]),
                         self.number(32), *self.times(), self.number(16), self.name(), self.base64()])

    def location(self):
        def position(most, letters):
            text = "%d" % self.r.randrange(most)
            if self.r.random() < 0.8:
                text += " %d" % self.r.randrange(60)
                if self.r.random() < 0.8:
                    text += self.r.choice([" %d", " %d.5", " %d.25", " %d.001", " %d.999"]) % self.r.randrange(60)
            return text + " " + self.r.choice(letters)
        sizes = ["%d%s%s" % (self.r.choice([0, 1, 9, 10, 99, 12345, 90000000 - 1]), self.r.choice(["", ".5", ".05"]), self.r.choice(["", "m"]))
                 for _ in range(self.r.randrange(4))]
        height = "%d.%02d%s" % (self.r.randrange(-99999, 42849672), self.r.randrange(95), self.r.choice(["m", ""]))
        return " ".join([position(90, "NS"), position(180, "EW"), height] + sizes)

    def parameters(self):
        # Octets as in names: BIND takes a quote after the equals sign for the begin of a string.
        free = lambda: "".join(self.escaped(o, '"\\();') for o in self.octets(1, 20))
        found = {
            "alpn": "alpn=" + ",".join(self.r.sample(["h2", "h3", "http/1.1", "dot", "f\\\\\\\\oo\\\\,bar"], self.r.randrange(1, 5))),
            "port": "port=" + self.number(16),
            "ipv4hint": "ipv4hint=" + ",".join(self.ipv4() for _ in range(self.r.randrange(1, 4))),
            "ech": "ech=" + base64.b64encode(self.octets()).decode(),
            "ipv6hint": 'ipv6hint="' + ",".join(self.ipv6() for _ in range(self.r.randrange(1, 4))) + '"',
            "key667": "key667=" + free(),
            "key65280": 'key65280="a b"',
            "key100": "key100",
        }
        keys = self.r.sample(sorted(found), self.r.randrange(len(found)))
        texts = [found[k] for k in keys]
        if keys and self.r.random() < 0.3:
            texts.append("mandatory=" + ",".join(self.r.sample(keys, self.r.randrange(1, len(keys) + 1))))
        if "alpn" in keys and self.r.random() < 0.3:
            texts.append("no-default-alpn")
        return " ".join([self.number(16), self.name()] + texts)

    def prefixes(self):
        some = lambda: self.r.choice(["", "!"]) + (
            "1:%s/%d" % (self.ipv4(), self.r.randrange(33)) if self.r.random() < 0.5 else "2:%s/%d" % (self.ipv6(), self.r.randrange(129)))
        return " ".join(some() for _ in range(self.r.randrange(5)))

    def record(self):
        v = self
        return v.r.choice([
            lambda: "A " + v.ipv4(),
            lambda: "AAAA " + v.ipv6(),
            lambda: "PTR " + v.name(),
            lambda: "MX %s %s" % (v.number(16), v.name()),
            lambda: "RP %s %s" % (v.name(), v.name()),
            lambda: "SRV %s %s %s %s" % (v.number(16), v.number(16), v.number(16), v.name()),
            lambda: "TXT " + " ".join(v.string() for _ in range(v.r.randrange(1, 6))),
            lambda: "HINFO %s %s" % (v.string(), v.string()),
            lambda: "CAA %s issue %s" % (v.number(8), v.string()),
            lambda: "URI %s %s %s" % (v.number(16), v.number(16), v.string(1)),  # BIND 9.20 takes no empty one (RFC 7553 4.4)
            lambda: "LOC " + v.location(),
            lambda: "APL " + v.prefixes(),
            lambda: "CERT %s %s %s %s" % (v.number(16), v.number(16), v.number(8), v.base64()),
            lambda: "DNSKEY %s 3 %s %s" % (v.number(16), v.algorithm(), v.base64()),
            lambda: "DS %s %s 2 %s" % (v.number(16), v.number(8), v.hex(32)),
            lambda: "SSHFP %s 1 %s" % (v.number(8), v.hex(20)),
            lambda: "TLSA %s %s %s %s" % (v.number(8), v.number(8), v.number(8), v.hex()),
            lambda: "OPENPGPKEY " + v.base64(),
            lambda: "IPSECKEY %s 3 %s %s %s" % (v.number(8), v.number(8), v.name(), v.base64()),
            lambda: "RRSIG " + v.signature(),
            lambda: "NSEC %s %s" % (v.name(), v.types()),
            lambda: "CSYNC %s %s %s" % (v.number(32), v.number(16), v.types(0)),
            lambda: "NSEC3PARAM %s %s %s %s" % (v.number(8), v.number(8), v.number(16), v.r.choice(["-", v.octets(1, 20).hex()])),
            lambda: "SVCB " + v.parameters(),
            lambda: "HTTPS " + v.parameters(),
            lambda: "TYPE%d \\# %d %s" % ((lambda n: (v.r.randrange(1000, 32768), n, v.hex(n)))(v.r.randrange(1, 90))),
        ])()


def meaning(rtype, text):
    """Wire form, by dnspython."""
    return dns.rdata.from_text("IN", rtype, text, origin=dns.name.from_text("example."), relativize=False).to_wire()


@pytest.mark.parametrize("seed", range(4))
def test_records_by_chance(same_as_bind, seed):
    values = Values(seed)
    lines = ["k%03d %s" % (i, values.record()) for i in range(GENERATED)]
    printed = {line.split(" ")[0]: (line.split(" ", 4) + [""])[3:5] for line in same_as_bind(lines)}
    compared = 0
    for line in lines:  # what was printed means to dnspython what was written
        key, rtype, text = (line.split(" ", 2) + [""])[:3]
        if not NOT_DNSPYTHON.match(rtype + " " + text) and "  " not in text:
            assert printed[key + ".example."][0] == rtype
            assert meaning(rtype, printed[key + ".example."][1]) == meaning(rtype, text), line
            compared += 1
    assert compared > GENERATED / 2
