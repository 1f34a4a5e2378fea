"""Secondaries of every make: BIND, Knot, NSD and PowerDNS, told by NS records and transfer keys alone, and fed by AXFR and IXFR.

    python3 -m pytest -p no:cacheprovider tests/system/test_secondaries.py --steps 2000 --seed 5

Changes come by dynamic update and by pushes, mixed at random; after each burst all have our serial, and now and then all records of
all are compared, one by one, with what the repository says.
"""
import contextlib
import os
import random
import re
import signal
import socket

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update
import pytest

import secondaries
import servers
from repository import git

STEPS = 200  # in CI
NS = "\n".join("       NS   ns%d" % n for n in range(2, 6))
HEAD = """; kept by hand
$TTL 1h
@      SOA  ns1 hostmaster (
            %d       ; serial
            1d 1h 4w 5m )
       NS   ns1
""" + NS + "\n" + "\n".join("ns%d    A    127.0.0.%d" % (n, n) for n in range(1, 6)) + "\n"
MIXED = r"""
; a delegation, with glue and without
sub     NS   ns.sub
        NS   ns.elsewhere.test.
        DS   4711 13 2 %s
ns.sub  A    192.0.2.53
        AAAA 2001:db8::53
sub.sub TXT  "below a cut"
*.wild  300  TXT "anything"
        300  A   192.0.2.99
other   DNAME target.elsewhere.test.
long    TXT  %s
$GENERATE 1-40 g$ A 192.0.2.$

; names that are no host's
dot\.ted    TXT "a dot in a label"
sp\032ace   TXT "a space"
\000\255    TXT "octets"
semi\;colon TXT "\"quoted\" \; \\ \001"
UPPER.Case  MX  10 mail.Else.Test.
x*.star     TXT "no wildcard"
""" % ("5A" * 32, " ".join('"%s"' % (chr(97 + i) * 255) for i in range(12)))
MANY = "\n".join("many 60 A 198.51.100.%d" % n for n in range(1, 120)) + "\n"
ZONES = {"mixed.test": HEAD % 1 + MIXED + MANY,
         "wrap.test": HEAD % (2**32 - 9) + "a TXT one\n",  # and on over zero
         "plain.example": HEAD % 7 + "a TXT one\n"}        # its secondaries are known by NS records alone


# ---- the primary, a person, and those who send updates ----

class Farm:
    """An oprimary and secondaries of it."""

    def __init__(self, served, repo, keys, peers, updater, notify):
        self.served, self.repo, self.keys, self.peers = served, repo, keys, peers
        self.updater, self.notify = updater, notify

    # -- a person with a clone

    def text(self, zone):
        return git(self.repo.bare, "show", "%s:%s" % (self.repo.branch, zone)) + "\n"

    def pull(self):
        git(self.repo.path, "fetch", "-q", "origin")
        git(self.repo.path, "reset", "-q", "--hard", "origin/" + self.repo.branch)

    def push(self, change):
        """change() → {file: text}, from the files as they are; again when somebody else was faster.  Then a signed NOTIFY."""
        for _ in range(50):
            self.pull()
            self.repo.commit(change(), push=False)
            with contextlib.suppress(AssertionError):
                git(self.repo.path, "push", "-q", "origin", "HEAD:" + self.repo.branch)
                break
        else:
            raise AssertionError("the branch moves too fast for a push")
        assert self.notify(self.served.port, "test", self.updater).rcode() == dns.rcode.NOERROR
        return self.repo.head()

    def edit(self, zone, *lines):
        """A person's edit of a file: lines at its end, and the serial."""
        self.push(lambda: {zone: raised(self.repo.read(zone)) + "".join(line + "\n" for line in lines)})
        self.await_repository(zone)

    # -- updates

    def update(self, zone):
        ring = dns.tsigkeyring.from_text({self.updater.name: self.updater.secret})
        return dns.update.Update(zone, keyring=ring, keyname=self.updater.name, keyalgorithm=dns.tsig.HMAC_SHA256)

    def send(self, update):
        answer = dns.query.tcp(update, servers.ADDRESS, port=self.served.port, timeout=60)
        assert answer.rcode() == dns.rcode.NOERROR, (answer, update, self.served.log_tail())

    def add(self, zone, *texts):
        update = self.update(zone)
        for text in texts:
            update.add(*text.split(" ", 3))
        self.send(update)

    # -- what has become of it

    def await_repository(self, zone):
        """What the repository says is served."""
        serial = serial_in(self.text(zone))
        self.served.await_serial(zone, serial)
        return serial

    def await_all(self, *zones):
        for zone in zones:
            serial = self.await_repository(zone)
            for peer in self.peers.values():
                try:
                    peer.await_serial(zone, serial)
                except servers.Trouble as trouble:
                    raise servers.Trouble("%s\n%s" % (trouble, self.served.log_tail())) from None

    def sent(self, peer, zone, kind=r"\w+", after=0):
        """Transfers (of a kind) that our log tells of: [(old serial, serial)]; of AXFR old is None."""
        line = r"event=transfer-sent to=%s@\d+ zone=%s\. key=%s\. type=%s serial=(\d+)(?: old_serial=(\d+))? " % (
            re.escape(peer.address), re.escape(zone), re.escape(peer.zones[zone].name), kind)
        return [(int(old) if old else None, int(new)) for new, old in re.findall(line, self.served.log()[after:])]

    def told(self):
        """How NOTIFY went so far: {counter: number}."""
        before = len(self.served.log())
        os.kill(self.served.pid, signal.SIGUSR1)
        line = self.served.await_log(r"event=notify-stats (.*)", after=before)[1]
        return {name: int(n) for name, n in re.findall(r"(\w+)=(\d+)", line)}

    def compare(self, program, *zones):
        """Record by record: the repository, we, and each of them."""
        self.await_all(*zones)
        self.pull()
        for zone in zones:
            dump = program("ozone", "--dump", "%s/%s" % (self.repo.path, zone), status=0).stdout
            wanted = secondaries.canonical(secondaries.read(dump, zone))
            for name, got in [("ours", secondaries.transfer(servers.ADDRESS, zone, self.served.port, self.updater))] + [
                    (peer.name, peer.records(zone)) for peer in self.peers.values()]:
                got = secondaries.canonical(got)
                assert got == wanted, "%s has another %s: more %s, less %s" % (
                    name, zone, set(got) - set(wanted), set(wanted) - set(got))


def serial_in(text):
    return int(re.search(r"(\d+) +; serial", text)[1])


def raised(text, by=1):
    return re.sub(r"(\d+)( +; serial)", lambda m: "%d%s" % ((int(m[1]) + by) % 2**32, m[2]), text, count=1)


@pytest.fixture
def keys(make_key):
    """Of each make one that says who is who, of an algorithm of its own; and one that says nothing."""
    found = {name: make_key("127.0.0.1.%s._transfer.test" % make.address, secret=b"the secret of %-20s" % name.encode(),
                            algorithm=make.algorithm) for name, make in secondaries.MAKES.items()}
    return {**found, "plain": make_key("some._transfer.plain.example")}


@pytest.fixture
def farm(own_addresses, primary, repo, keys, make_key, started, tmp_path, need, notify):
    """farm({zone: text}, option…, known=makes whose keys are there, zones=what they are to have) → a Farm; they start with nothing."""
    need(*[make.binary for make in secondaries.MAKES.values()])
    updater = make_key("person._update", secret=b"what a person signs with........")  # may transfer, too

    def start(files, *options, known=None, zones=None):
        known = secondaries.MAKES if known is None else known
        lines = "".join(keys[name].line for name in known)
        repo.commit({**files, "_keys": updater.line, "test._keys": lines, "plain.example._keys": keys["plain"].line})
        served = primary(repo, *options, port=secondaries.PORT, zones=list(files))
        peers = {name: start_peer(name, zones or list(files)) for name in secondaries.MAKES}
        return Farm(served, repo, keys, peers, updater, notify)

    def start_peer(name, zones):
        wanted = {zone: keys["plain"] if zone == "plain.example" else keys[name] for zone in zones}
        return started(secondaries.MAKES[name](str(tmp_path), wanted, plain=["plain.example"]))
    start.peer = start_peer
    return start


# ---- changes at random ----

class Changes:
    """Changes of a zone that leave it well-formed: what a name is for is in the name."""
    ODD = [r"dot\.ted", r"sp\032ace", r"\000\255", r"semi\;colon", r"quo\"te", r"back\\slash", "UPPER", "x*.star", "l" * 63, "_25._tcp.h1"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def record(self):
        """(owner, TTL, type, RDATA) of something to add."""
        r = self.random
        n = r.randrange(12)
        return r.choice([
            lambda: ("h%d" % n, "A", "192.0.2.%d" % r.randrange(256)),
            lambda: ("h%d" % n, "AAAA", "2001:db8::%x" % r.randrange(65536)),
            lambda: ("h%d.deep.er" % n, "TXT", '"%s" "two"' % r.choice(["a", "b" * 255, r"\"\\\001\200", ""])),
            lambda: ("h%d" % n, "MX", "%d h%d" % (r.randrange(3), r.randrange(12))),
            lambda: ("_sip._udp.h%d" % n, "SRV", "1 2 %d h%d" % (r.randrange(65536), r.randrange(12))),
            lambda: ("h%d" % n, "CAA", '0 issue "ca%d.example"' % n),
            lambda: (r.choice(self.ODD), "TXT", '"%d"' % r.randrange(100)),
            lambda: ("*.w%d" % n, "A", "192.0.2.%d" % r.randrange(256)),
            lambda: ("many", "A", "10.%d.%d.1" % (r.randrange(3), r.randrange(256))),
            lambda: ("s%d" % n, "NS", r.choice(["ns2", "ns.elsewhere.test."])),
            lambda: ("long", "TXT", " ".join('"%s"' % ("%d" % r.randrange(10) * 255) for _ in range(r.randrange(1, 30)))),
            lambda: ("t%d" % n, "TYPE65400", r"\# 4 %08x" % r.getrandbits(32)),
        ])()

    def single(self):
        """… of something that is there once or not at all."""
        r = self.random
        n = r.randrange(6)
        return r.choice([("c%d" % n, "CNAME", "h%d" % r.randrange(12)), ("d%d" % n, "DNAME", "target%d.elsewhere.test." % r.randrange(9))])

    def ttl(self):
        return self.random.choice([0, 60, 300, 3600, 3600, 86400, 2**31 - 1])

    def into(self, update, has_more):
        """One change into an update."""
        r = self.random
        what = r.random()
        if not has_more or what < 0.15:
            update.add("n%d" % r.randrange(30), self.ttl(), "TXT", '"%d"' % r.randrange(20))
        elif what < 0.5:
            owner, rtype, rdata = self.record()
            update.add(owner, self.ttl(), rtype, rdata)
        elif what < 0.6:
            owner, rtype, rdata = self.single()
            update.replace(owner, self.ttl(), rtype, rdata)
        elif what < 0.7:
            owner, rtype, rdata = self.record()
            update.replace(owner, self.ttl(), rtype, rdata)
        elif what < 0.8:
            update.delete(r.choice([self.record, self.single])()[0])
        elif what < 0.9:
            update.delete(*self.record()[:2])
        elif what < 0.92:
            self.delegate(update, "cut%d" % r.randrange(4))
        elif what < 0.96:
            update.delete("g%d" % r.randrange(1, 41))  # one out of a $GENERATE
        else:
            update.delete("many", "A", "198.51.100.%d" % r.randrange(1, 120))

    def delegate(self, update, cut):
        """With its glue, or not any more."""
        update.delete(cut)
        update.delete("ns." + cut)
        if self.random.random() < 0.7:
            update.add(cut, 3600, "NS", "ns." + cut)
            update.add("ns." + cut, self.ttl(), "AAAA", "2001:db8::%x" % self.random.randrange(65536))

    REMOVABLE = re.compile(r"^[A-Za-z*_]\S*\s+(?:\d+\s+)?(?:IN\s+)?(?:A|AAAA|TXT|MX|CNAME|DNAME|SRV|CAA)\s[^()]*$")

    def edited(self, text, has_more):
        """A person's change of a zone's text: lines more, lines less, lines with another TTL; the serial raised, at times by more."""
        r = self.random
        lines = text.rstrip("\n").split("\n")
        for _ in range(r.choice([1, 1, 2, 5]) if has_more else 0):
            at = r.randrange(len(lines))
            follows = lines[at + 1] if at + 1 < len(lines) else ""
            if self.REMOVABLE.match(lines[at]) and not follows[:1].isspace() and not lines[at].startswith("ns"):  # glue
                del lines[at]
        lines.append("p%d%s TXT \"%d\"" % (r.randrange(30), r.choice(["", " 60", " IN"]), r.getrandbits(60)))
        if has_more and r.random() < 0.5:
            owner, rtype, rdata = self.record()
            lines.append("%s %d %s %s" % (owner, self.ttl(), rtype, rdata))
        if has_more and r.random() < 0.3:
            ttl = self.ttl()
            lines = [re.sub(r"^(p1|many)( \d+)?( IN)? (TXT|A) ", r"\1 %d \4 " % ttl, line) for line in lines]
        return raised("\n".join(lines) + "\n", r.choice([1, 1, 1, 100]))


class Burst:
    """Updates over one connection, none waiting for the answer to another, and pushes among them."""

    def __init__(self, farm, changes):
        self.farm, self.changes, self.zones = farm, changes, set()
        self.unanswered = []
        self.tcp = socket.create_connection((servers.ADDRESS, farm.served.port), 60)

    def step(self):
        r = self.changes.random
        zone = r.choice(["mixed.test"] * 6 + ["wrap.test"] * 3 + ["plain.example"])
        self.zones.add(zone)
        if r.random() < 0.35:
            self.farm.push(lambda: {zone: self.changes.edited(self.farm.repo.read(zone), zone == "mixed.test")})
            return
        update = self.farm.update(zone)
        update.id = len(self.unanswered) + 1  # random ones may be equal, and the answers could not be told apart
        for _ in range(r.choice([1, 1, 1, 2, 10])):
            self.changes.into(update, zone == "mixed.test")
        dns.query.send_tcp(self.tcp, update)
        self.unanswered.append(update)

    def end(self):
        """All are answered, in whatever order."""
        waiting = {u.id: u for u in self.unanswered}
        while waiting:
            wire = self.receive()
            update = waiting.pop(int.from_bytes(wire[:2], "big"))
            answer = dns.message.from_wire(wire, keyring=update.keyring, request_mac=update.mac)
            assert answer.had_tsig and answer.rcode() == dns.rcode.NOERROR, "%s\n%s\n%s" % (answer, update, self.farm.served.log_tail())
        self.tcp.close()

    def receive(self):
        def exactly(n):
            got = b""
            while len(got) < n:
                more = self.tcp.recv(n - len(got))
                assert more, self.farm.served.log_tail()
                got += more
            return got
        return exactly(int.from_bytes(exactly(2), "big"))


def test_random_changes(farm, program, request):
    steps, seed = request.config.getoption("steps") or STEPS, request.config.getoption("seed") or 1
    f = farm(ZONES)
    f.compare(program, *ZONES)
    changes = Changes(seed)
    done = bursts = 0
    while done < steps:
        burst = Burst(f, changes)
        for _ in range(min(changes.random.choice([1, 1, 3, 8, 20]), steps - done)):
            burst.step()
            done += 1
        burst.end()
        f.await_all(*burst.zones)
        bursts += 1
        if bursts % 12 == 0:
            f.compare(program, *ZONES)
    f.compare(program, *ZONES)
    assert serial_in(f.text("wrap.test")) < 2**31  # it went over zero
    for zone in ZONES:
        past = Past(f, program, zone)
        for peer in f.peers.values():
            check_how(f, past, peer, zone)
    told = f.told()
    assert told["acknowledged"] > steps and not any(told[t] for t in ("over_limit", "refused", "gave_up", "unverified")), told
    f.served.stop()


class Past:
    """The versions of a zone that were served, and how large the steps of its history are (zone/history.c)."""
    OCTETS_MAX = 64 << 10  # HISTORY_OCTETS_MIN: of a zone of fewer than 4,096 records
    DELTA = 40             # sizeof (struct delta)
    RR_FIXED = 1 + 10      # length of the owner; TYPE, CLASS, TTL, RDLENGTH

    def __init__(self, farm, program, zone):
        self.farm, self.program, self.zone = farm, program, zone
        self.texts = {}    # by serial, in the order in which they were served
        for commit in re.findall(r"event=commit-(?:pushed|served) commit=(\w+)", farm.served.log()):
            text = git(farm.repo.bare, "show", "%s:%s" % (commit, zone)) + "\n"
            self.texts.setdefault(serial_in(text), text)

    def records(self, serial):
        path = servers.write(os.path.join(self.farm.repo.path, "..", self.zone), self.texts[serial])
        return set(secondaries.read(self.program("ozone", "--dump", path, status=0).stdout, self.zone))

    def octets(self, old, new):
        """Of all steps from a serial to another one: what a version has and the other has not, with their SOA records."""
        serials = list(self.texts)
        way = serials[serials.index(old):serials.index(new) + 1]
        versions = [self.records(serial) for serial in way]
        return sum(self.DELTA + sum(self.RR_FIXED + len(owner.to_wire()) + len(rdata.to_wire()) for owner, _, rdata in before ^ after)
                   for before, after in zip(versions, versions[1:]))


def check_how(f, past, peer, zone):
    """By AXFR once, by IXFR from then on, each from what it had; by AXFR again only where the history did not reach.

    A secondary that a busy machine keeps from asking passes versions over, and two that are far apart may have more between them than
    the history holds: a step that adds ten TXT records of 4 KiB has 42 KiB, the one that deletes them as much, and what is left
    of the zone has 5 KiB, so AXFR is right.  No share of the transfers says how often that happens."""
    sent = f.sent(peer, zone)
    has = [None]  # the latest, and the one before: Knot gives a transfer up, and asks again, when a NOTIFY comes over its connection
    for old, new in sent:
        assert old in [None, *has[-2:]], (peer.name, zone, old, has[-2:])
        if old is None and has[-1] is not None:
            from_zero = peer.name == "powerdns" and has[-1] == 0  # for it serial 0 is "no zone yet": it asks for all of it
            ways = [past.octets(had, new) for had in has[-2:] if had is not None]
            assert from_zero or max(ways) > past.OCTETS_MAX, (peer.name, zone, has[-2:], new, ways, sent)
        has.append(new)
    assert len(sent) >= 3 and sent[0][0] is None, (peer.name, zone, sent)
    assert has[-1] == serial_in(f.text(zone)), (peer.name, zone, sent)


def test_a_key_is_added(farm, keys, program, repo):
    """The secondary that it names is told as soon as it is there."""
    f = farm({"mixed.test": ZONES["mixed.test"]}, known=["bind", "nsd", "powerdns"])
    knot = f.peers.pop("knot")
    f.await_all("mixed.test")
    knot.await_log(r"\[mixed\.test\.\] refresh, remote \S+, .*(NOTAUTH|BADKEY|trailing data|not usable|failed)")
    assert knot.serial("mixed.test") is None
    f.peers["knot"] = knot
    f.push(lambda: {"test._keys": repo.read("test._keys") + keys["knot"].line})
    f.served.await_log(r"event=notify-acknowledged to=%s@53 .*zone=mixed\.test\. serial=1 key=%s\." % (
        re.escape(knot.address), re.escape(keys["knot"].name)))
    f.compare(program, "mixed.test")
    f.served.stop()


SOA_OF_GUEST = "ns1.mixed.test. host.test. %d 86400 3600 2419200 300"
GUEST = """guest.test 3600 SOA ns1.mixed.test. host.test. %d 86400 3600 2419200 300
guest.test 3600 NS ns1.mixed.test.
a.guest.test 60 TXT %d"""


def test_a_zone_comes_and_goes(farm, program):
    """By update and by push; a secondary that still has it gets the new one when that has a higher serial."""
    f = farm({"mixed.test": ZONES["mixed.test"]}, "--zones-by-update", zones=["mixed.test", "guest.test"])
    f.await_all("mixed.test")

    def is_made(by_update, serial):
        text = GUEST % (serial, serial)
        if by_update:
            f.add("guest.test", *[line.replace("guest.test", "@", 1) if line.startswith("guest") else line.replace(".guest.test", "", 1)
                                  for line in text.split("\n")])
        else:
            f.push(lambda: {"guest.test": "$ORIGIN .\n" + text + "\n"})
        for peer in f.peers.values():
            peer.await_serial("guest.test", serial)

    def is_removed(by_update):
        before = f.told()["acknowledged"]
        if by_update:
            update = f.update("guest.test")
            update.delete("@", "SOA", SOA_OF_GUEST % f.served.serial("guest.test"))
            f.send(update)
        else:
            f.push(lambda: {"guest.test": None})
        f.served.await_true("guest.test is gone", lambda: f.served.serial("guest.test") is None)
        # All are told, without a serial; what they make of that is their affair.
        f.served.await_true("all have heard", lambda: f.told()["acknowledged"] >= before + len(f.peers))

    is_made(True, 1)
    is_removed(True)
    is_made(False, 5)
    is_removed(False)
    is_made(True, 2**31)
    f.add("guest.test", "b 60 A 192.0.2.1")
    f.served.await_serial("guest.test", 2**31 + 1)
    for peer in f.peers.values():
        peer.await_serial("guest.test", 2**31 + 1)
        assert (2**31, 2**31 + 1) in f.sent(peer, "guest.test", "ixfr"), f.served.log_tail()
    f.served.stop()


def test_away_and_back(farm, program, primary, repo):
    """Of several changes a secondary that comes back gets one step; of too many, and of those from before our own start, all there is."""
    zones = ["mixed.test", "wrap.test"]
    f = farm({zone: ZONES[zone] for zone in zones})
    f.compare(program, *zones)

    def while_away(change):
        """What each is sent after changes that it was not there for: {make: (kinds, how)}."""
        for peer in f.peers.values():
            peer.leave()
        old, mark = serial_in(f.text("wrap.test")), len(f.served.log())
        change()
        f.peers = {name: farm.peer(name, zones) for name in f.peers}
        f.compare(program, *zones)
        return old, f.await_repository("wrap.test"), mark

    old, new, mark = while_away(lambda: [f.add("wrap.test", "x%d 60 A 192.0.2.%d" % (n % 5, n)) for n in range(20)])
    for peer in f.peers.values():
        assert f.sent(peer, "wrap.test", "ixfr", mark) == [(old, new)] and not f.sent(peer, "wrap.test", "axfr", mark), f.served.log_tail()

    def too_much():  # HISTORY_OCTETS_MIN, and more
        for n in range(30):
            update = f.update("wrap.test")
            update.replace("large", 60, "TXT", " ".join('"%s"' % (chr(97 + n % 26) * 255) for _ in range(8)))
            f.send(update)
    old, new, mark = while_away(too_much)
    for peer in f.peers.values():
        assert f.sent(peer, "wrap.test", "axfr", mark) == [(None, new)] and not f.sent(peer, "wrap.test", "ixfr", mark), f.served.log_tail()

    f.served.stop()  # a start has no history; what was pushed meanwhile is told then
    f.pull()
    f.repo.commit({"wrap.test": raised(f.repo.read("wrap.test")) + "pushed TXT meanwhile\n"})
    f.served = primary(repo, port=secondaries.PORT, zones=zones)
    f.compare(program, *zones)
    f.add("wrap.test", "after 60 TXT that")
    f.compare(program, *zones)
    serial = serial_in(f.text("wrap.test"))
    for peer in f.peers.values():
        assert f.sent(peer, "wrap.test", "axfr") == [(None, serial - 1)] and f.sent(peer, "wrap.test", "ixfr") == [(serial - 1, serial)]
        assert not f.sent(peer, "mixed.test", "axfr") and not f.sent(peer, "mixed.test", "ixfr")
    f.served.stop()


BACK = {"ten.test": (10, 5), "typo.test": (2026112801, 2025112801), "same.test": (7, 7), "round.test": (2, 4294967290)}
UNDEFINED = {"half.test": (4294967294, 2147483646), "middle.test": (1, 2147483649)}  # 2^31 apart: RFC 1982 3.2


@pytest.mark.parametrize("policy", ["increment", "unixtime", "keep"])
def test_serials_that_go_back(farm, program, policy):
    """A push puts the serial back and changes the zone; the next serial, the primary's own or an update's, brings all of them along."""
    everywhere = {**BACK, **UNDEFINED}
    f = farm({zone: HEAD % first + "a TXT first\n" for zone, (first, _) in everywhere.items()}, "--serial=" + policy)
    f.compare(program, *everywhere)
    f.push(lambda: {zone: HEAD % second + "a TXT second\n" for zone, (_, second) in everywhere.items()})
    for zone, (first, second) in everywhere.items():
        if policy == "keep":
            event = "stuck" if first == second else "back"
            f.served.await_log(r"event=zone-serial-%s zone=%s\. serial=%d .*newest_serial=%d .*write %d or newer" % (
                event, re.escape(zone), second, first, first + 1))
            f.add(zone, "after 60 TXT that")
        f.served.await_true("a newer serial of " + zone, lambda z=zone, n=first: serial_in(f.text(z)) > n or policy == "unixtime")
    f.served.await_true("newer serials", lambda: all(
        0 < (serial_in(f.text(zone)) - first) % 2**32 < 2**31 for zone, (first, _) in everywhere.items()))
    f.compare(program, *BACK)
    for zone in everywhere:
        f.add(zone, "more 60 TXT that")
    f.compare(program, *BACK)
    for peer in f.peers.values():
        for zone, (first, second) in everywhere.items():
            steps = f.sent(peer, zone, "ixfr")
            assert not {first, second} & {old for old, _ in steps}, (peer.name, zone, steps)
        assert all(f.sent(peer, zone, "ixfr") for zone in BACK)
    # Knot and NSD take a serial that is 2^31 away, and nothing is newer than both: it is the others that are brought along.
    f.peers = {name: peer for name, peer in f.peers.items() if name in ("bind", "powerdns")}
    f.compare(program, *UNDEFINED)
    f.served.stop()


@pytest.mark.parametrize("policy", ["increment", "keep"])
def test_they_are_ahead(farm, program, primary, repo, policy):
    """10 was served; a start on a rewritten history knows of 5 alone, until NSD says what it has.  All follow then."""
    zone = "mixed.test"
    head = HEAD.replace("1d 1h 4w", "3 2 4w")
    f = farm({zone: head % 10 + "first TXT ten\n"})
    f.compare(program, zone)
    f.served.stop()
    files = {name: repo.read(name) for name in ("_keys", "test._keys")}
    git(repo.path, "checkout", "-q", "--orphan", "anew")
    git(repo.path, "rm", "-q", "--cached", zone)
    git(repo.path, "commit", "-q", "-m", "anew")
    git(repo.path, "branch", "-M", "anew", repo.branch)
    repo.commit({zone: head % 5 + "second TXT five\n", **files}, force=True)
    f.served = primary(repo, "--serial=" + policy, port=secondaries.PORT, zones=[zone])
    said = f.served.await_log(r"event=secondary-ahead zone=mixed\.test\. secondary_serial=10 serial=5 newest_serial=10 key=(\S+)\. "
                              r"from=(\S+)@\d+ text=(.*)", 60)
    assert said[1] == f.keys["nsd"].name and said[2] == f.peers["nsd"].address
    assert ("write 11 or newer" if policy == "keep" else "newer than 10 will be written") in said[3]
    if policy == "keep":
        f.add(zone, "after 60 TXT that")
    f.served.await_serial(zone, 11)
    f.compare(program, zone)
    f.served.stop()
    assert len(re.findall("event=secondary-ahead", f.served.log())) == 1, f.served.log_tail()


def test_a_serial_of_two_contents(farm, program):
    """10, back to 8, and on over another 9 and another 10, while all secondaries keep the first 10."""
    zone = "mixed.test"
    f = farm({zone: HEAD % 10 + "first TXT ten\n"})
    f.compare(program, zone)
    for serial in (8, 9, 10, 11, 12):
        f.push(lambda n=serial: {zone: HEAD % n + "then TXT \"%d\"\n" % n})
        f.await_repository(zone)
    f.compare(program, zone)
    for peer in f.peers.values():
        assert all(old != 10 for old, _ in f.sent(peer, zone, "ixfr")), f.sent(peer, zone)
    f.served.stop()
