"""The zones that are measured, made the same every time, and questions for them as load.c reads them."""
import os
import random
import re
import struct

LETTERS = "abcdefghijklmnopqrstuvwxyz"
HEAD = "$ORIGIN %s.\n$TTL 3600\n@ SOA ns1 hostmaster 1 7200 3600 1209600 300\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 A 192.0.2.2\n"
TYPES = {"A": 1, "AAAA": 28, "MX": 15, "TXT": 16, "SOA": 6}
SAMPLE = 200  # questions whose answers are compared before anything is timed


def query(name, rtype="A"):
    """A plain question, ID 0."""
    labels = [label.encode() for label in name.rstrip(".").split(".")]
    wire = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return struct.pack("!6H", 0, 0, 1, 0, 0, 0) + wire + struct.pack("!2H", TYPES[rtype], 1)


def write_queries(path, questions):
    with open(path, "wb") as f:
        for name, rtype in questions:
            wire = query(name, rtype)
            f.write(struct.pack("!H", len(wire)) + wire)


class Maker:
    """One zone file with a name for each kind of answer."""

    def __init__(self, where, zone, seed):
        self.zone, self.random, self.used = zone, random.Random(seed), set()
        self.path = os.path.join(where, zone)
        self.lines, self.records = [HEAD % zone], 5

    def label(self):
        while True:
            text = "".join(self.random.choices(LETTERS, k=self.random.randint(5, 13)))
            if text not in self.used:
                self.used.add(text)
                return text

    def address(self):
        return "10.%d.%d.%d" % tuple(self.random.randrange(256) for _ in range(3))

    def address6(self):
        return "2001:db8:%x:%x::%x" % tuple(self.random.randrange(1, 65536) for _ in range(3))

    def add(self, owner, rtype, rdata):
        self.lines.append("%s %s %s\n" % (owner, rtype, rdata))
        self.records += 1

    def finish(self):
        with open(self.path, "w") as f:
            f.writelines(self.lines)


def mixed(where):
    """About 150,000 records of every common kind; most questions are for addresses that are there."""
    m = Maker(where, "mixed.test", 11)
    hosts = [m.label() for _ in range(80000)]
    for host in hosts:
        m.add(host, "A", m.address())
        if m.random.random() < 0.4:
            m.add(host, "AAAA", m.address6())
    aliases, cuts, stars = ([m.label() for _ in range(n)] for n in (6000, 6000, 600))
    for alias in aliases:
        m.add(alias, "CNAME", m.random.choice(hosts))
    for cut in cuts:
        for ns in ("a", "b"):
            m.add(cut, "NS", "%s.ns.%s" % (ns, cut))
            m.add("%s.ns.%s" % (ns, cut), "A", m.address())
    for star in stars:
        m.add("*." + star, "A", m.address())
    for host in m.random.sample(hosts, 8000):
        m.add(host, "MX", "10 " + m.random.choice(hosts))
    m.finish()

    def question():
        dice = m.random.random()
        if dice < 0.7:
            return m.random.choice(hosts), "A"
        if dice < 0.8:
            return "nx" + m.random.choice(hosts), "A"
        if dice < 0.9:
            return "www." + m.random.choice(cuts), "A"
        if dice < 0.95:
            return m.random.choice(aliases), "A"
        return "any." + m.random.choice(stars), "A"
    questions = [("%s.%s" % (n, m.zone), t) for n, t in (question() for _ in range(300000))]
    return m, questions


def delegating(where):
    """Like a top-level zone: 2,000 cuts with four name servers each; questions are referred or denied."""
    m = Maker(where, "referrals.test", 12)
    cuts = [m.label() for _ in range(2000)]
    for cut in cuts:
        for ns in "abcd":
            host = "%s.nic.%s" % (ns, cut)
            m.add(cut, "NS", host)
            m.add(host, "A", m.address())
            m.add(host, "AAAA", m.address6())
    m.finish()
    questions = []
    for _ in range(100000):
        name = "www." + m.random.choice(cuts) if m.random.random() < 0.65 else "nx" + m.label()
        questions.append(("%s.%s" % (name, m.zone), m.random.choice(("A", "AAAA"))))
    return m, questions


def million(where):
    """1,000,000 records of hosts."""
    m = Maker(where, "million.test", 13)
    while m.records < 1000000:
        host = m.label()
        m.add(host, "A", m.address())
        if m.random.random() < 0.5:
            m.add(host, "AAAA", m.address6())
        if m.random.random() < 0.5:
            m.add(host, "MX", "10 " + host)
        if m.random.random() < 0.5:
            m.add(host, "TXT", '"v=spf1 ip4:%s -all"' % m.address())
    m.finish()
    hosts = m.random.sample(sorted(m.used), 50000)
    return m, [("%s.%s" % (h, m.zone), "A") for h in hosts]


def small(where):
    """A zone of 3 kB, as people keep them."""
    m = Maker(where, "small.test", 14)
    for _ in range(120):
        m.add(m.label(), "A", m.address())
    m.finish()
    return m, [("ns1." + m.zone, "A")]


def add_record(path, serial):
    """One record more in a zone file, and this serial."""
    with open(path) as f:
        text = f.read()
    text = re.sub(r"(SOA \S+ \S+ )\d+", r"\g<1>%d" % serial, text, count=1)
    with open(path, "w") as f:
        f.write(text + "pushed%d A 192.0.2.9\n" % serial)


def many(where, count=10000):
    """{zone: path} of small zones, 20 records each."""
    out = {}
    for i in range(count):
        m = Maker(where, "zone%05d.test" % i, i)
        for host in range(7):
            m.add("host%d" % host, "A", m.address())
            m.add("host%d" % host, "AAAA", m.address6())
        m.add("@", "MX", "10 host0")
        m.finish()
        out[m.zone] = m.path
    return out
