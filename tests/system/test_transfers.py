"""Zone transfers out, as dig, kdig and dnspython see them: whole and incremental, signed and not, refused and logged."""
import os
import re
import resource
import select
import selectors
import socket
import subprocess
import time

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.xfr
import dns.zone
import pytest

import secondaries
import servers

PAUSE_S = 0.1      # between two pieces of a slow reader
WINDOW = 1 << 18   # octets that it takes at a time: slow, but more in two seconds than sockets have under way

ZONE = """$TTL 300
@    SOA ns1 hostmaster %d 1h 10m 4w 5m
     NS  ns1
     NS  ns.elsewhere.test.
ns1  A   192.0.2.1
*.w  TXT "any" "thing"
sub  NS  ns.sub
ns.sub AAAA 2001:db8::53
%s"""


@pytest.fixture
def key(make_key):
    return make_key("second._transfer.example")


@pytest.fixture
def served(primary, repo, key, notify_key):
    repo.commit({"example": ZONE % (1, ""), "example._keys": key.line, "_keys": notify_key.line,
                 "other": ZONE % (1, "")})
    return primary(repo, zones=["example", "other"])


def push(repo, served, notify, notify_key, serial, more):
    repo.commit({"example": ZONE % (serial, more)})
    notify(served.port, "example", notify_key)
    served.await_serial("example", serial)


def dig(*args):
    """dig prints a transfer's records one a line; returned without their spacing."""
    out = subprocess.run(["dig", "+nocmd", "+nostats", "+onesoa", "+noidnout", *args], capture_output=True, text=True, check=False).stdout
    return [" ".join(line.split()) for line in out.split("\n") if line and not line.startswith(";") and "TSIG" not in line.split()], out


def keyed(key):
    return ["-y", "hmac-%s:%s:%s" % (key.algorithm.lower(), key.name, key.secret)]


def at(served):
    return ["@" + servers.ADDRESS, "-p", str(served.port)]


def dumped(program, repo):
    """The zone as our own checker prints it."""
    out = program("ozone", "--dump", os.path.join(repo.path, "example"), status=0).stdout
    return sorted(" ".join(line.split()) for line in out.strip().split("\n"))


def test_dig_gets_the_zone(served, repo, key, program, need):
    need("dig", "kdig")
    records, _ = dig(*at(served), *keyed(key), "example", "AXFR")
    assert sorted(records) == dumped(program, repo)
    assert served.await_log(r"event=transfer-sent to=127\.0\.0\.1@\d+ zone=example\. key=second\._transfer\.example\. type=axfr serial=1 "
                            r"records=8")
    out = subprocess.run(["kdig", *at(served), *keyed(key), "example", "AXFR"], capture_output=True, text=True, check=True).stdout
    got = [" ".join(line.split()) for line in out.split("\n") if line and not line.startswith(";") and "TSIG" not in line.split()]
    assert len(got) == 8 and sorted(got[:-1]) == dumped(program, repo)


def test_only_what_changed(served, repo, key, program, notify, notify_key, need):
    need("dig")
    push(repo, served, notify, notify_key, 2, "a A 192.0.2.2\n")
    push(repo, served, notify, notify_key, 3, "a A 192.0.2.3\nb A 192.0.2.4\n")
    condensed = [("a.example.", "A", "192.0.2.3"), ("b.example.", "A", "192.0.2.4")]
    steps = [("a.example.", "A", "192.0.2.2"), ("a.example.", "A", "192.0.2.2"), *condensed]  # added, deleted again
    for options, wanted in (["+tcp"], condensed), (["+notcp"], steps):  # over UDP nothing is worked out (RFC 1995 4)
        _, out = dig(*at(served), *keyed(key), *options, "example", "IXFR=1")
        names = re.findall(r"^(\S+)\s+300\s+IN\s+(\S+)\s+(\S+)", out, re.M)
        assert [n for n in names if n[1] == "A"] == wanted, out
        assert len(re.findall(r"\sSOA\s", out)) == (4 if wanted is condensed else 6), out
    _, out = dig(*at(served), *keyed(key), "+tcp", "example", "IXFR=3")
    assert len(re.findall(r"\sSOA\s", out)) == 1
    records, _ = dig(*at(served), *keyed(key), "+tcp", "example", "IXFR=0")  # before anything that is known: all of it
    assert sorted(set(records)) == dumped(program, repo)
    # A strict reader applies the steps to the zone that it has, and gets the zone that is served.
    mine = transferred(served, key)
    push(repo, served, notify, notify_key, 4, "a A 192.0.2.3\nc 60 TXT c\n")
    update(mine, served, key)
    assert mine == transferred(served, key)


def transferred(served, key):
    zone = dns.zone.Zone("example")
    update(zone, served, key)
    return zone


def update(zone, served, key):
    """What dnspython makes of a transfer, verified message by message."""
    ring = dns.tsigkeyring.from_text({key.name: key.secret})
    query, _ = dns.xfr.make_query(zone, keyring=ring, keyname=key.name, keyalgorithm=dns.tsig.HMAC_SHA256)
    dns.query.inbound_xfr(servers.ADDRESS, zone, query, port=served.port, timeout=10, lifetime=30)


def test_a_forgotten_serial(served, repo, key, program, notify, notify_key):
    """What was pushed under an old serial reaches a secondary with the next one, though that says it has the one before."""
    push(repo, served, notify, notify_key, 2, "a A 192.0.2.2\n")
    zone = transferred(served, key)
    repo.commit({"example": ZONE % (2, "a A 192.0.2.2\nforgotten A 192.0.2.3\n")})
    notify(served.port, "example", notify_key)
    served.await_log("event=zone-serial-stuck")
    update(zone, served, key)
    assert zone.get_rdataset("forgotten", "A") is None, "it has that serial already"
    push(repo, served, notify, notify_key, 3, "a A 192.0.2.2\nforgotten A 192.0.2.3\nb A 192.0.2.4\n")
    update(zone, served, key)
    assert zone.get_rdataset("forgotten", "A") and zone.get_rdataset("b", "A")
    push(repo, served, notify, notify_key, 4, "a A 192.0.2.2\nforgotten A 192.0.2.3\n")
    served.await_log("event=zone-changed zone=example. serial=4")
    update(zone, served, key)
    assert zone.get_rdataset("b", "A") is None and served.await_log("type=ixfr serial=4")


def test_who_may_not(served, key, make_key, notify_key, need):
    need("dig")
    stranger = make_key("stranger._transfer.example")
    wrong = make_key(key.name, secret=b"another secret of 32 octets.....")
    for zone, who, rcode, log in (
            ("example", [], "REFUSED", r"transfer-denied from=\S+ transport=tcp zone=example\. why=\"the request is not signed\""),
            ("other", keyed(key), "REFUSED", r"transfer-denied .* zone=other\. key=second\._transfer\.example\. why=\"the key has no right"),
            ("example", keyed(notify_key), "REFUSED", r"transfer-denied .* key=test\._notify\. why=\"the key has no right"),
            ("none.example", keyed(key), "NOTAUTH", r"transfer-denied .* zone=none\.example\. .*why=\"no such zone"),
            ("example", keyed(stranger), "NOTAUTH", r"tsig-failed .* key=stranger\._transfer\.example\. why=\"BADKEY"),
            ("example", keyed(wrong), "NOTAUTH", r"tsig-failed .* why=\"BADSIG")):
        query = dns.message.make_query(zone, "AXFR")
        if not who:
            assert dns.query.tcp(query, servers.ADDRESS, port=served.port, timeout=10).rcode() == dns.rcode.REFUSED
        _, out = dig(*at(served), *who, zone, "AXFR")
        assert "Transfer failed" in out or rcode in out, out
        served.await_log(log)


def test_open_to_all(primary, repo, program, need):
    need("dig")
    repo.commit({"example": ZONE % (1, "")})
    served = primary(repo, "--axfr", zones=["example"])
    records, _ = dig(*at(served), "example", "AXFR")
    assert sorted(records) == dumped(program, repo)


def test_soa_of_a_secondary(served, key, make_key):
    """RFC 8945: by its key the secondary is known; a zone that is not here is "not authoritative" for it, and refused to others."""
    def ask(zone, signer):
        query = dns.message.make_query(zone, "SOA")
        return dns.query.tcp(signer.sign(query) if signer else query, servers.ADDRESS, port=served.port, timeout=10)
    assert ask("example", key).rcode() == dns.rcode.NOERROR
    assert ask("gone.example", key).rcode() == dns.rcode.NXDOMAIN  # a name of the zone that is here
    assert ask("nowhere", None).rcode() == dns.rcode.REFUSED


def test_who_waits_for_his_turn_is_not_idle(primary, repo, started):
    """--transfers-max: behind somebody who reads slowly, the next one waits for longer than --tcp-idle."""
    many = "".join("h%d TXT %s\n" % (n, "t" * 250) for n in range(80000))  # more than is read here, and than sockets take
    repo.commit({"example": ZONE % (1, many)})
    served = primary(repo, "--axfr", "--workers=1", "--transfers-max=1", "--tcp-idle=2", zones=["example"])
    slow, waiting = started(Asker(served)), started(Asker(served))
    slow.ask()
    slow.read()
    waiting.ask()
    until = time.monotonic() + 4
    while time.monotonic() < until:
        assert not select.select([waiting.tcp], [], [], PAUSE_S)[0], "it is not its turn, nor is it to be hung up on"
        slow.read()
    slow.kill()
    assert waiting.read()


class Asker:
    """Somebody who wants the zone, and takes it piece by piece."""

    def __init__(self, served):
        self.tcp = socket.socket()
        self.tcp.settimeout(20)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        self.tcp.connect((servers.ADDRESS, served.port))

    def ask(self):
        dns.query.send_tcp(self.tcp, dns.message.make_query("example", "AXFR"))

    def read(self):
        return self.tcp.recv(WINDOW)

    def kill(self):
        self.tcp.close()


class Herd:
    """Clients that ask for a zone at the same time, each group of 50 from an address of its own, and read what comes."""

    def __init__(self, port, zone, n):
        self.selector, self.octets, self.cut = selectors.DefaultSelector(), [0] * n, 0
        query = dns.message.make_query(zone, "AXFR").to_wire()
        self.sockets = []
        for i in range(n):
            s = socket.create_connection((servers.ADDRESS, port), 30, source_address=("127.1.0.%d" % (i // 50 + 1), 0))
            self.sockets.append(s)
            self.selector.register(s, selectors.EVENT_READ, i)
        for s in self.sockets:
            s.sendall(len(query).to_bytes(2, "big") + query)

    def read(self, enough):
        """One turn; False when nobody waits any more.  Who has enough, or is cut off, goes."""
        for key, _ in self.selector.select(0.01):
            got = len(key.fileobj.recv(1 << 18))
            self.octets[key.data] += got
            if got == 0 or self.octets[key.data] >= enough:
                self.cut += got == 0
                self.selector.unregister(key.fileobj)
                key.fileobj.close()
        return bool(self.selector.get_map())


def test_a_thousand_at_once(primary, repo):
    """All get the zone, and whoever asks a question meanwhile gets his answer."""
    n = 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * n)), hard))
    repo.commit({"example": ZONE % (1, "".join("h%d A 10.0.%d.%d\n" % (i, i >> 8, i & 255) for i in range(10000)))})
    served = primary(repo, "--axfr", "--tcp-max=%d" % (2 * n), zones=["example"])
    records = secondaries.transfer(servers.ADDRESS, "example", served.port)
    line = served.await_log(r"event=transfer-sent .* records=(\d+) octets=(\d+) messages=(\d+)")
    assert int(line[1]) == len(records) + 1
    enough = int(line[2]) + 2 * int(line[3])
    herd, asked, late = Herd(served.port, "example", n), 0, []
    while herd.read(enough):
        begin = time.monotonic()
        assert served.ask("h%d.example" % asked).answer  # a lost one is an exception
        late.append(time.monotonic() - begin)
        asked += 1
    assert herd.cut == 0 and set(herd.octets) == {enough}
    assert asked >= 20 and sorted(late)[asked // 2] < 0.5, late
    served.stop()
