"""Zones by chance, written in the style of a zone file that a person wrote.

Style looks at a file (tests/data/styles): are owners repeated or left out, which white space is between the fields, which TTLs and
classes, in which order, which comments and line ends.  Writer writes records of all types that all peers know in that manner.

What NSD 4.6 or Knot 3.2 does not read, or reads otherwise, is a corner of test_zone_texts.py and is not written here: octets in names
other than letters, digits, "-" and "_" are \\DDD, hexadecimal and base64 are cut at whole groups of octets, the times of signatures are dates.
What NSD 4.12 alone does not read is left out where that release is there (avoided_by).
"""
import os
import random
import re

import dns.rdatatype

from test_rdata_peers import HMAC_NUMBERS, ROOT, Values, unquoted, vectors

ENTRY = re.compile(r"^(?P<owner>[^\s;$()\"]+)?(?P<gap>[ \t]+)(?P<head>(?:(?:\d+[\dwdhms]*|IN|CLASS1)[ \t]+)*)(?P<type>[A-Za-z][A-Za-z0-9-]*)"
                   r"(?P<after>[ \t]+)(?P<data>[^;\"]*)", re.I)
# Types whose RDATA is a name that has to be a host, whose place in the zone matters, or that one of the peers has not (NSD: the old ones).
ELSEWHERE = {"SOA", "NS", "CNAME", "DNAME", "NSEC", "NSEC3", "NSEC3PARAM", "RRSIG", "DS"}
UNKNOWN = "A6 AMTRELAY ATMA AVC BRID CLA DLV DOA DSYNC EID GID GPOS HHIT HIP IPN ISDN MB MD MF MG MR NIMLOC NINFO NSAP NSAP-PTR NULL NXT PX " \
          "RESINFO RKEY SIG SINK TA TALINK UID UINFO UNSPEC WALLET WKS X25".split()


class Style:
    """What is typical of a file; each list has as many of a kind as the file has."""

    def __init__(self, text):
        self.newline = "\r\n" if "\r\n" in text else "\r" if "\r" in text else "\n"
        lines = re.split(r"\r\n|\r|\n", text)
        entries = [m for m in map(ENTRY.match, lines) if m]
        self.inherits = sum(m["owner"] is None for m in entries) / max(1, len(entries))
        self.absolute = any(m["owner"] and m["owner"].endswith(".") for m in entries)
        self.upper = any(m["owner"] and m["owner"].isupper() for m in entries)
        self.gaps = [m["gap"] for m in entries] or [" "]
        self.afters = [m["after"] for m in entries] or [" "]
        self.heads = [m["head"].replace("CLASS1", "IN") for m in entries] or [""]
        self.lower_types = any(m["type"].islower() for m in entries)
        self.parentheses = sum("(" in m["data"] for m in entries) / max(1, len(entries))
        self.notes = re.findall(r"\S([ \t]*;[^\"\r\n]*)$", text, re.M) or [""]
        self.noted = min(0.5, len(self.notes) / len(lines)) if self.notes != [""] else 0
        self.between = [line for line in lines if not line.strip() or line.lstrip().startswith(";")]
        self.ttl = next((line for line in lines if line.upper().startswith("$TTL")), None)
        self.origins = sum(line.upper().startswith("$ORIGIN") for line in lines)
        self.is_finished = text.endswith(self.newline)


class Spelled(Values):
    """Values in spellings that all peers read."""

    def pieces(self, text):
        cuts = [at for at in range(8, len(text), 8) if self.r.random() < 0.2] if len(text) % 8 == 0 else []
        parts = [text[a:b] for a, b in zip([0] + cuts, cuts + [len(text)])]
        return "( " + "\n\t".join(parts) + " )" if self.r.random() < 0.2 else " ".join(parts)

    def escaped(self, octet, special):
        c = chr(octet)
        if special == '"\\':  # of a quoted string
            return super().escaped(octet, special)
        return c if c.isascii() and (c.isalnum() or c in "-_") and self.r.random() > 0.02 else "\\%03d" % octet

    def samples(self, n):
        """[(type, text)]: by chance, of the unit test's table, and in the form for unknown types."""
        found = []
        while len(found) < n:
            kind, _, text = self.record().partition(" ")
            if kind not in ELSEWHERE and kind != "IPSECKEY":
                found.append((kind, text))
        rows = [row for row in vectors() if row[0] not in ELSEWHERE and row[0] not in UNKNOWN and "\n" not in row[1]]
        return found + [row for row in self.r.sample(rows, n) if not AVOIDED.search(row[1])]

    def generic(self):
        """A type of the unit test's table, its code and octets in the form for unknown types (RFC 3597 5); or one that has no name."""
        if self.r.random() < 0.2:
            code, octets = self.r.choice([65280, 65535, 1234]), self.octets(0, 30)
        else:
            kind, octets = self.r.choice([row for row in octets_of_types() if row[0] not in ELSEWHERE and row[0] not in UNWRITTEN])
            code = CODES.get(kind) or dns.rdatatype.from_text(kind)
        return "TYPE%d" % code, "\\# %d %s" % (len(octets), octets.hex())


def octets_of_types():
    """[(type, RDATA)] of the unit test's table."""
    with open(os.path.join(ROOT, "tests", "unit", "rdata_vectors.h")) as f:
        table = f.read().split("rdata_vectors[] = {", 1)[1]
    string = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    rows = [(unquoted(kind), bytes.fromhex(unquoted(octets)))
            for kind, octets in re.findall(r"\{ " + string + r",\s*" + string.replace("((", "(?:(") + r",\s*" + string + ",", table)]
    return [(kind, octets) for kind, octets in rows if kind != "DNSKEY" or str(octets[3]) not in HMAC_NUMBERS]


# Types that dnspython has no number for.
CODES = {"EID": 31, "NIMLOC": 32, "ATMA": 34, "SINK": 40, "RKEY": 57, "TALINK": 58, "UINFO": 100, "UID": 101, "GID": 102, "UNSPEC": 103, "DSYNC": 66,
         "HHIT": 67, "BRID": 68, "DOA": 259, "RESINFO": 261, "WALLET": 262, "CLA": 263, "IPN": 264}
# BIND refuses MD and MF, and some octets of the others are corners.
UNWRITTEN = {"MD", "MF", "ZONEMD", "IPSECKEY", "KEY", "LOC", "APL"}
AVOIDED = re.compile(r'"three"|^\\#|^ZONE\||aab bcc|^\d+ 24[01] \d |dohpath|key65535|ohttp|^10 1 0 192|^NO')
# differences.md, "records that nsd misreads"; matched with "TYPE text".
AVOIDED_BY_NSD_4_12 = re.compile(r"APL .*/1\d\d|(SVCB|HTTPS) .* (no-default-alpn|key\d+)( |$)|HTTPS .* mandatory=\S*port|"
                                 r"TYPE(23|34|260|32769) ")


def avoided_by(releases):
    """What no record may match.  `releases`: as zone_judges has them."""
    return AVOIDED_BY_NSD_4_12 if releases["nsd"] >= (4, 12) else re.compile(r"(?!)")


class Writer:
    """A zone of `count` owners and its text, without records that `avoided` matches."""

    def __init__(self, seed, style, avoided):
        self.r, self.style, self.values, self.avoided = random.Random(seed), style, Spelled(seed), avoided
        self.origin = "example.com."

    def owner(self, name):
        """`name` is relative to the zone."""
        whole = "example.com." if name == "@" else name + ".example.com."
        if whole == self.origin:
            short = "@"
        elif whole.endswith("." + self.origin):
            short = whole[:-len(self.origin) - 1]
        else:
            return whole
        text = whole if self.style.absolute and self.r.random() < 0.8 else short
        return text.upper() if self.style.upper else text

    def data(self, text):
        words = text.split(" ")
        if "(" not in text and '"' not in text and len(words) > 1 and self.r.random() < max(0.1, self.style.parentheses):
            note = self.r.choice(["", " ; a note", ";x"])
            return "( " + words[0] + note + "\n" + self.r.choice(self.style.gaps) + " ".join(words[1:]) + " )"
        return text

    def line(self, owner, kind, text, head=None):
        s, r = self.style, self.r
        head = self.head() if head is None else head
        kind = kind.lower() if s.lower_types and not kind.startswith("TYPE") else kind
        note = r.choice(s.notes) if r.random() < s.noted and ")" not in text[-1:] else ""
        return owner + (r.choice(s.gaps) or " ") + head + kind + r.choice(s.afters) + self.data(text) + note

    def group(self, name):
        """The lines of an owner.  An RRset has one TTL, as RFC 2181 5.2 has it."""
        lines, done = [], set()
        for kind, _ in self.r.sample(self.pool, self.r.randrange(1, 4)):
            rrset = dns.rdatatype.from_text(kind)
            if rrset not in done:
                done.add(rrset)
                records = [record for record in self.pool if record[0] == kind]
                head = self.head()
                for _, text in self.r.sample(records, min(len(records), self.r.choice([1, 1, 2, 3]))):
                    inherits = lines and self.r.random() < self.style.inherits
                    lines.append(self.line("" if inherits else self.owner(name), kind, text, head))
        return lines

    def head(self):
        """Class and TTL.  What goes without any TTL in the file is not agreed on: a corner."""
        head = self.r.choice(self.style.heads)
        return head if self.style.ttl or re.search(r"\d", head) else "1h " + head

    def text(self, count=16):
        """Lines end with LF; Style.newline is for who asked."""
        r, s = self.r, self.style
        pool = self.values.samples(30) + [self.values.generic() for _ in range(12)]
        self.pool = [record for record in pool if not self.avoided.match(" ".join(record))]
        soa = r.choice(["ns1 hostmaster 1 7200 900 1209600 300", "ns1 hostmaster ( 4294967295 2h\n\t15m ; retry\n\t2W 5M )",
                        "ns1.example.com. host\\.master.example.com. (\n\t1\t; serial\n\t7200 900 1209600\n\t300 )"])
        lines = [s.ttl] if s.ttl else []
        lines += [self.line("@", "SOA", soa), self.line("@", "NS", "ns1"), self.line("ns1", "A", "192.0.2.1")]
        for i in range(count):
            if r.random() < 0.1 + 0.02 * s.origins:
                self.origin = r.choice(["sub.example.com.", "example.com.", "com.", "."])
                lines.append("$ORIGIN " + self.origin)
            if r.random() < 0.05 and s.ttl:
                lines.append(r.choice(["$TTL 2h", "$ttl 7200", "$TTL 1d12h ; for the rest"]))
            if s.between and r.random() < 0.2:
                lines.append(r.choice(s.between))
            lines += self.group(r.choice(["h%d", "h%d.sub", "\\104%d", "*.w%d", "_%d._tcp", "a\\.b%d", "sp\\032ace%d"]) % i)
        return "\n".join(lines) + ("\n" if s.is_finished else "")
