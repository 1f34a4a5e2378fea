"""Random zones for the differential tests: small, and full of what answers go wrong at.  One seed, one zone.

What a server must refuse to load (two CNAMEs at a name, data below a DNAME, …) is left out: here only answers count.
"""
import os
import random
import subprocess

import dns.name

TTLS = [60, 300, 3600, 86400]
APEXES = ["diff.test.", "x.", "Mixed.Case.Example.", "deep.a.b.c.d.e.example.", "0.2.192.in-addr.arpa."]
PLAIN = ["a", "b", "c", "host", "mail", "www", "ns", "m-1", "z9", "0"]
ODD = ["UPPER", "miXed", r"dot\.ted", r"sp\032ace", r"\000\255", "_tcp", "-dash-", "x*", "**", "xn--nxasmq6b", r"at\@",
       r"semi\;colon", r"quo\"te", r"back\\slash", "l" * 63, "12", r"\200high", "_25"]
CIPHER = "ECDSAP256SHA256"


class Zone:
    """`records`: (owner as dns.name, ttl, type, rdata text); `cuts`, `dnames`: owners; `apex`."""

    def __init__(self, seed):
        self.seed = seed
        self.random = random.Random(seed)
        self.apex = dns.name.from_text(self.random.choice(APEXES))
        self.records, self.owners = [], {}  # owner → types
        self.cuts, self.dnames, self.wildcards, self.targets = [], [], [], []
        self.ttls = {}
        self.fill()

    # -- building

    def add(self, owner, rtype, rdata):
        """One TTL an RRset; a CNAME stays alone; nothing goes below a DNAME."""
        types = self.owners.get(owner, set())
        if "CNAME" in types or (rtype == "CNAME" and types) or (rtype == "DNAME" and "DNAME" in types):
            return False
        if any(owner != d and owner.is_subdomain(d) for d in self.dnames):
            return False
        if rtype == "DNAME" and (types & {"NS"} or any(o != owner and o.is_subdomain(owner) for o in self.owners)):
            return False
        ttl = self.ttls.setdefault((owner, rtype), self.random.choice(TTLS))
        record = (owner, ttl, rtype, rdata)
        if record in self.records:
            return False
        self.records.append(record)
        self.owners.setdefault(owner, set()).add(rtype)
        return True

    def label(self):
        return self.random.choice(ODD if self.random.random() < 0.25 else PLAIN)

    def name(self, below=None, depth=None):
        """A name in the zone that may or may not be there."""
        name = below or self.apex
        for _ in range(depth or self.random.choice([1, 1, 1, 2, 2, 3, 5])):
            try:
                name = dns.name.from_text(self.label(), name)
            except dns.name.NameTooLong:
                break
        return name

    def fresh(self, below=None, depth=None):
        """A name that nothing is at, above or below, so that a cut or a DNAME can go there."""
        for _ in range(50):
            name = self.name(below, depth)
            name = dns.name.Name((b"%s%d" % (self.random.choice([b"q", b"Q", b"r"]), self.random.randrange(100)),) + name.labels[1:])
            if not self.is_occluded(name) and not any(o.is_subdomain(name) for o in self.owners):
                return name
        return self.name()

    def is_occluded(self, name):
        return any(name.is_subdomain(c) for c in self.cuts) or any(name != d and name.is_subdomain(d) for d in self.dnames)

    def address(self, owner):
        r = self.random
        if r.random() < 0.8:
            self.add(owner, "A", "192.0.2.%d" % r.randrange(256))
        if r.random() < 0.4 or "A" not in self.owners.get(owner, ()):
            self.add(owner, "AAAA", "2001:db8::%x" % r.randrange(65536))

    def rdata(self, rtype):
        """RDATA of a type for the hosts, with names that are often in the zone."""
        r = self.random
        target = r.choice(self.targets).to_text() if self.targets and r.random() < 0.8 else "elsewhere.example.net."
        return {
            "A": lambda: "192.0.2.%d" % r.randrange(256),
            "AAAA": lambda: "2001:db8::%x" % r.randrange(65536),
            "MX": lambda: "%d %s" % (r.randrange(3) * 10, target),
            "TXT": lambda: r.choice(['"text"', '"two" "strings"', r'"esc\"aped\\ \001\255"', '""', '"%s"' % ("t" * 255)]),
            "SRV": lambda: "%d %d %d %s" % (r.randrange(3), r.randrange(10), r.randrange(65536), target),
            "HTTPS": lambda: r.choice(["0 %s" % target, "1 %s alpn=h2,h3 port=8443" % target, "1 . ipv4hint=192.0.2.1"]),
            "SVCB": lambda: "%d %s mandatory=port port=53" % (r.randrange(1, 4), target),
            "CAA": lambda: '0 issue "ca.example"',
            "NAPTR": lambda: '10 20 "s" "SIP+D2U" "" %s' % target,
            "PTR": lambda: target,
            "TYPE65400": lambda: r"\# 4 C0000201",
            "SSHFP": lambda: "4 2 " + "%064x" % r.getrandbits(256),
            "LOC": lambda: "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
            "HINFO": lambda: '"cpu" "os"',
        }[rtype]()

    def fill(self):
        r = self.random
        self.records.append((self.apex, r.choice(TTLS), "SOA", "ns host %d 7200 3600 1209600 %d" % (
            r.randrange(1, 2**32), r.choice(TTLS))))
        self.owners[self.apex] = {"SOA"}
        self.ns(self.apex, own=True)
        for _ in range(r.randint(5, 12)):
            self.targets.append(self.name())
        for _ in range(r.randint(3, 7)):
            self.delegation()
        for _ in range(r.randint(1, 4)):
            self.dname()
        for target in self.targets:
            self.address(target)
        for _ in range(r.randint(5, 15)):
            self.host(self.name())
        self.host(self.apex)
        for _ in range(r.randint(2, 5)):
            self.wildcard()
        for _ in range(r.randint(3, 6)):
            self.alias()
        self.loop()

    def host(self, owner):
        kinds = ["A", "A", "AAAA", "MX", "MX", "TXT", "SRV", "HTTPS", "SVCB", "CAA", "NAPTR", "PTR", "TYPE65400", "SSHFP",
                 "LOC", "HINFO"]
        for _ in range(self.random.randint(1, 4)):
            rtype = self.random.choice(kinds)
            self.add(owner, rtype, self.rdata(rtype))
            if self.random.random() < 0.3:
                self.add(owner, rtype, self.rdata(rtype))

    def ns(self, owner, own=False):
        """Name servers of every bailiwick: below the cut, beside it, in a sibling's zone, out of reach."""
        r = self.random
        for _ in range(r.randint(1, 3)):
            where = r.choice(["below", "zone", "out", "sibling"])
            if where == "below" or (own and where == "sibling"):
                host = dns.name.from_text("ns%d" % r.randrange(9), owner)
                if self.add(owner, "NS", host.to_text()):
                    self.address(host)
            elif where == "zone":
                host = dns.name.from_text("nshost%d" % r.randrange(4), self.apex)
                if self.add(owner, "NS", host.to_text()):
                    self.address(host)
            elif where == "sibling" and len(self.cuts) > 1:
                host = dns.name.from_text("nssib", r.choice(self.cuts))
                if self.add(owner, "NS", host.to_text()):
                    self.address(host)
            else:
                self.add(owner, "NS", "ns%d.example.net." % r.randrange(5))

    def delegation(self):
        r = self.random
        cut = self.fresh()
        self.cuts.append(cut)
        self.ns(cut)
        if r.random() < 0.5:
            self.add(cut, "DS", "%d 13 2 %064X" % (r.randrange(65536), r.getrandbits(256)))
        if r.random() < 0.3:  # what the cut hides
            self.add(dns.name.from_text("hidden", cut), "TXT", '"occluded"')
            self.add(dns.name.from_text("sub.hidden", cut), "A", "192.0.2.66")
        if r.random() < 0.2:
            inner = dns.name.from_text("inner", cut)
            self.add(inner, "NS", "ns.inner.%s" % cut)
            self.add(dns.name.from_text("ns", inner), "A", "192.0.2.67")

    def dname(self):
        r = self.random
        owner = self.fresh()
        target = r.choice([
            lambda: self.name(), lambda: self.apex, lambda: dns.name.from_text("example.net."),
            lambda: r.choice(self.targets), lambda: r.choice(self.cuts + [self.apex]),
            lambda: r.choice(self.dnames + [self.apex]),
            lambda: dns.name.Name((b"y" * 63, b"y" * 63, b"y" * 63) + dns.name.from_text("long.example.").labels),
        ])()
        if target.is_subdomain(owner):  # would feed itself
            target = dns.name.from_text("example.net.")
        if self.add(owner, "DNAME", target.to_text()):
            self.dnames.append(owner)
            if r.random() < 0.4:
                self.add(owner, "TXT", '"beside a DNAME"')
                self.add(owner, "A", "192.0.2.77")

    def wildcard(self):
        r = self.random
        parent = r.choice([self.apex, self.name(), r.choice(self.targets), self.fresh()])
        if self.is_occluded(parent):
            return
        star = dns.name.from_text("*", parent)
        if r.random() < 0.3:
            self.add(star, "CNAME", r.choice(self.targets + [self.name(), dns.name.from_text("out.example.net.")]).to_text())
        else:
            self.host(star)
            if r.random() < 0.3:
                self.host(dns.name.from_text("under", star))
        if r.random() < 0.4:
            self.host(dns.name.from_text(r.choice(["blocked", "ent.blocked"]), parent))
        self.wildcards.append(parent)

    def alias(self):
        """A chain of aliases that ends in every kind of place."""
        r = self.random
        end = r.choice([
            lambda: r.choice(self.targets), lambda: self.name(), lambda: dns.name.from_text("out.example.net."),
            lambda: dns.name.from_text("www", r.choice(self.cuts)), lambda: r.choice(self.cuts),
            lambda: dns.name.from_text("x.y", r.choice(self.dnames or [self.apex])),
            lambda: dns.name.from_text("covered", r.choice(self.wildcards or [self.apex])), lambda: self.apex,
        ])()
        for _ in range(r.choice([1, 1, 2, 4])):
            owner = self.fresh(depth=r.choice([1, 2]))
            if not self.is_occluded(owner) and self.add(owner, "CNAME", end.to_text()):
                end = owner

    def loop(self):
        names = [self.fresh(depth=1) for _ in range(self.random.randint(1, 3))]
        for i, name in enumerate(names):
            self.add(name, "CNAME", names[(i + 1) % len(names)].to_text())

    # -- what comes of it

    def canonical_owners(self):
        """Types by owner, in small letters."""
        out = {}
        for owner, types in self.owners.items():
            out.setdefault(owner.canonicalize(), set()).update(types)
        return out

    def is_covered(self, name):
        """May a wildcard stand for this name?"""
        return any(name.is_subdomain(w) for w in self.wildcards)

    def text(self):
        """A master file; the apex in $ORIGIN, owners absolute."""
        lines = ["$ORIGIN %s" % self.apex]
        lines += ["%s %d IN %s %s" % (owner.to_text(), ttl, rtype, rdata) for owner, ttl, rtype, rdata in self.records]
        return "\n".join(lines) + "\n"

    def write(self, where):
        """A file named like the zone; returns its path."""
        path = os.path.join(where, self.file_name())
        with open(path, "w") as f:
            f.write(self.text())
        return path

    def file_name(self):
        return self.apex.to_text(omit_final_dot=True)

    def names(self):
        """The names worth asking for: what is there, above it, below it and beside it."""
        r = self.random
        out = set()
        for owner in self.owners:
            name = owner
            while name != self.apex.parent() and name.is_subdomain(self.apex):
                out.add(name)
                name = name.parent()
            for text in ("x", "*", "x.y"):
                try:
                    out.add(dns.name.from_text(text, owner))
                except dns.name.NameTooLong:
                    pass
            if owner != self.apex:
                out.add(dns.name.Name((owner.labels[0][:40] + b"0",) + owner.labels[1:]))
                out.add(self.recased(owner))
        for dname in self.dnames:
            for text in ("w" * 63, "%s.%s" % ("w" * 63, "w" * 63), "a.b.c"):
                try:
                    out.add(dns.name.from_text(text, dname))
                except dns.name.NameTooLong:
                    pass
        out |= {self.name() for _ in range(20)}
        out.add(dns.name.from_text("out.of.zone.example."))
        ordered = sorted(out)
        r.shuffle(ordered)
        return ordered

    def recased(self, name):
        """The same name in other letters."""
        return dns.name.Name(bytes(c ^ 0x20 if chr(c).isalpha() and c < 128 and self.random.random() < 0.5 else c for c in label)
                             for label in name.labels)

    def queries(self, n):
        """`n` queries (name, type), each type that the name has among them, some twice."""
        r = self.random
        common = ["A", "AAAA", "NS", "MX", "TXT", "CNAME", "DNAME", "SOA", "DS", "SRV", "HTTPS", "TYPE65400", "DNSKEY", "NSEC",
                  "NSEC3PARAM"]
        names = self.names()
        out = []
        while len(out) < n:
            for name in names:
                there = sorted(self.owners.get(name, ()))
                out.append((name, r.choice(there) if there and r.random() < 0.4 else r.choice(common)))
        return out[:n]


# ---- signing ---------------------------------------------------------------

UNPRINTABLE = ("sp\\032ace", "at\\@", "semi\\;colon", "quo\\\"te")  # labels that ldns prints so that nobody reads them back

KINDS = {  # kind: (arguments for dnssec-signzone, arguments for ldns-signzone)
    "nsec": ([], []),
    "nsec3": (["-3", "AABB", "-H", "3"], ["-n", "-s", "aabb", "-t", "3"]),
    "nsec3-opt-out": (["-3", "-", "-H", "0", "-A"], ["-n", "-p", "-t", "0"]),
}


def run(argv, where):
    done = subprocess.run(argv, cwd=where, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError("%s: %s%s" % (" ".join(argv), done.stdout, done.stderr))
    return done.stdout


def sign(zone, kind, where):
    """Signs the zone, by seed with BIND's or with ldns' signer; returns the path of the signed file."""
    by_bind = zone.seed % 2 == 0 or any(label in zone.text() for label in UNPRINTABLE)
    bind_args, ldns_args = KINDS[kind]
    os.makedirs(where, exist_ok=True)
    plain = os.path.join(where, "plain")
    signed = os.path.join(where, zone.file_name())
    apex = zone.apex.to_text()
    with open(plain, "w") as f:
        f.write(zone.text())
    if by_bind:
        run(["dnssec-keygen", "-q", "-a", CIPHER, "-f", "KSK", "-K", where, apex], where)
        run(["dnssec-signzone", "-q", "-S", "-z", "-P", "-K", where, "-o", apex, "-N", "keep", *bind_args, "-f", signed, plain],
            where)
    else:
        key = run(["ldns-keygen", "-k", "-a", CIPHER, apex], where).strip()
        raw = os.path.join(where, "signed-by-ldns")
        run(["ldns-signzone", "-o", apex, *ldns_args, "-f", raw, plain, key], where)
        # Some octets of names it prints as they are, which others want escaped; BIND reads and prints them.
        run(["named-compilezone", "-q", "-i", "none", "-k", "ignore", "-n", "ignore", "-r", "ignore", "-o", signed, apex, raw],
            where)
    return signed
