"""Signatures of oprimary, judged by dig, kdig, nsupdate and dnspython (RFC 8945)."""
import re
import socket
import struct
import subprocess
import time

import dns.message
import dns.rcode
import dns.rdata
import dns.tsig
import pytest

import servers

ZONE = """$TTL 300
@ SOA ns host 1 3600 600 86400 300
@ NS ns
ns A 192.0.2.1
"""
ALGORITHMS = ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]
BADSIG, BADKEY, BADTIME, BADTRUNC = 16, 17, 18, 22


@pytest.fixture
def keys(make_key):
    return {a: make_key("k%s._update.example." % a, algorithm=a) for a in ALGORITHMS}


@pytest.fixture
def server(primary, repo, keys):
    repo.commit({"example": ZONE, "example._keys": "".join(key.line for key in keys.values())})
    return primary(repo, zones=["example"])


def run(*argv, stdin=None):
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_dig(need, server, keys, transport):
    need("dig")
    for algorithm, key in keys.items():
        done = run("dig", "@127.0.0.1", "-p", str(server.port), "-y", "hmac-%s:%s:%s" % (algorithm.lower(), key.name, key.secret),
                   transport, "+norec", "example.", "SOA")
        assert "status: NOERROR" in done.stdout and re.search(r"TSIG\s+hmac-\w+\. \d+ 300 \d+ ", done.stdout), done.stdout
        assert not re.search("could not be validated|verify|fail", done.stdout + done.stderr, re.I), done.stdout
    done = run("dig", "@127.0.0.1", "-p", str(server.port), "-y", "hmac-sha256:nobody:%s" % key.secret, transport, "example.", "SOA")
    assert "status: NOTAUTH" in done.stdout and "BADKEY" in done.stdout, done.stdout
    done = run("dig", "@127.0.0.1", "-p", str(server.port), "-y", "hmac-sha256:%s:bm90IHRoZSBzZWNyZXQ=" % keys["SHA256"].name, transport,
               "example.", "SOA")
    assert "status: NOTAUTH" in done.stdout and "BADSIG" in done.stdout, done.stdout


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_kdig(need, server, keys, transport):
    need("kdig")
    for algorithm, key in keys.items():
        done = run("kdig", "@127.0.0.1", "-p", str(server.port), "-y", "hmac-%s:%s:%s" % (algorithm.lower(), key.name, key.secret),
                   transport, "example.", "SOA")
        assert "status: NOERROR" in done.stdout and "TSIG PSEUDOSECTION" in done.stdout, done.stdout
        assert not re.search(";; (WARNING|ERROR)", done.stdout + done.stderr), done.stdout + done.stderr


def test_nsupdate(need, server, keys):
    need("nsupdate")
    for algorithm, key in keys.items():
        update = "server 127.0.0.1 %d\nzone example\nupdate add %s.example 300 A 192.0.2.9\nsend\n" % (server.port, algorithm)
        done = run("nsupdate", "-y", "hmac-%s:%s:%s" % (algorithm.lower(), key.name, key.secret), stdin=update)
        assert done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr
        assert server.ask(algorithm + ".example").rcode() == 0
    done = run("nsupdate", "-y", "hmac-sha256:%s:bm90IHRoZSBzZWNyZXQ=" % keys["SHA256"].name, stdin=update)
    assert done.returncode != 0 and "BADSIG" in done.stderr


def signed(key, when, cut=None, algorithm="SHA256", name="example.", fudge=300):
    """A SOA query signed at a time, perhaps with its MAC cut; with the MAC that was sent."""
    tsig_key = dns.tsig.Key(key.name, key.secret, getattr(dns.tsig, "HMAC_" + algorithm))
    plain = dns.message.make_query(name, "SOA", use_edns=0).to_wire()
    rdata = dns.message.Message._make_tsig(tsig_key.name, tsig_key.algorithm, 0, fudge, b"", struct.unpack("!H", plain[:2])[0], 0, b"")[0]
    rdata, _ = dns.tsig.sign(plain, tsig_key, rdata, when)
    if cut is not None:
        rdata = rdata.replace(mac=rdata.mac[:cut])
    data = rdata.to_wire()
    record = tsig_key.name.to_wire() + struct.pack("!HHIH", 250, 255, 0, len(data)) + data
    return plain[:10] + struct.pack("!H", struct.unpack("!H", plain[10:12])[0] + 1) + plain[12:] + record, rdata.mac, tsig_key


def exchange(server, wire):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        s.sendto(wire, (servers.ADDRESS, server.port))
        return s.recv(65535)


def tsig_of(wire):
    """The TSIG RDATA of an answer, unverified, and where its record begins."""
    at = 12
    counts = struct.unpack("!4H", wire[4:12])
    for section, count in enumerate(counts):
        for _ in range(count):
            start = at
            while wire[at] and wire[at] < 192:
                at += 1 + wire[at]
            at += 1 if wire[at] == 0 else 2
            if section == 0:
                at += 4
                continue
            rdtype, rdlen = struct.unpack("!H", wire[at:at + 2])[0], struct.unpack("!H", wire[at + 8:at + 10])[0]
            if rdtype == 250:
                return dns.rdata.from_wire(255, 250, wire, at + 10, rdlen), start
            at += 10 + rdlen
    return None, None


def assert_signed(answer, rdata, start, key, request_mac):
    plain = answer[:10] + struct.pack("!H", struct.unpack("!H", answer[10:12])[0] - 1) + answer[12:start]
    again, _ = dns.tsig.sign(plain, key, rdata.replace(mac=b""), rdata.time_signed, request_mac)
    assert again.mac == rdata.mac


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("skew", [-301 - 5, 301 + 5, 10**9])
def test_bad_time(server, keys, algorithm, skew):
    now = int(time.time())
    wire, mac, key = signed(keys[algorithm], now + skew, algorithm=algorithm, fudge=77)
    answer = exchange(server, wire)
    rdata, start = tsig_of(answer)
    assert answer[3] & 15 == dns.rcode.NOTAUTH and rdata.error == BADTIME
    assert rdata.time_signed == now + skew and rdata.fudge == 77  # the client's own (RFC 8945 5.2.3)
    assert abs(int.from_bytes(rdata.other, "big") - now) < 60 and len(rdata.other) == 6
    assert_signed(answer, rdata, start, key, mac)


@pytest.mark.parametrize("algorithm,half", [("SHA1", 10), ("SHA224", 14), ("SHA256", 16), ("SHA384", 24), ("SHA512", 32)])
def test_truncated_signatures(server, keys, algorithm, half):
    wire, mac, key = signed(keys[algorithm], int(time.time()), half, algorithm)
    answer = exchange(server, wire)
    rdata, start = tsig_of(answer)
    assert answer[3] & 15 == dns.rcode.NOTAUTH and rdata.error == BADTRUNC
    assert_signed(answer, rdata, start, key, mac)
    answer = exchange(server, signed(keys[algorithm], int(time.time()), half - 1, algorithm)[0])
    assert answer[3] & 15 == dns.rcode.FORMERR and tsig_of(answer)[0] is None


def test_errors_that_are_not_signed(server, keys, make_key):
    wrong = make_key(keys["SHA256"].name, secret=b"another secret, also thirty-two.")
    unknown = make_key("nobody._update.example.")
    for key, error in ((wrong, BADSIG), (unknown, BADKEY)):
        wire, _, _ = signed(key, int(time.time()))
        rdata, _ = tsig_of(exchange(server, wire))
        assert rdata.error == error and rdata.mac == b"" and rdata.other == b""
        assert rdata.original_id == struct.unpack("!H", wire[:2])[0]


def test_a_fudge_within_limits_and_other_letters(server, keys):
    key = keys["SHA256"]
    key.name = key.name.upper()
    for skew in (-290, 290):
        wire, mac, tsig_key = signed(key, int(time.time()) + skew)
        rdata, start = tsig_of(answer := exchange(server, wire))
        assert answer[3] & 15 == dns.rcode.NOERROR and rdata.error == 0
        assert_signed(answer, rdata, start, tsig_key, mac)


def test_a_large_fudge_is_cut(server, keys):
    """Whoever gives his message a day has ten minutes."""
    for skew, is_good in ((-590, True), (590, True), (-610, False), (610, False)):
        wire, _, _ = signed(keys["SHA256"], int(time.time()) + skew, fudge=65535)
        rdata, _ = tsig_of(answer := exchange(server, wire))
        assert answer[3] & 15 == (dns.rcode.NOERROR if is_good else dns.rcode.NOTAUTH), skew
        assert rdata.error == (0 if is_good else BADTIME), skew
