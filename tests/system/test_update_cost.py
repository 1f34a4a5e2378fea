"""What updates can make the primary hold: bounded by what they come to when they are read, not by their octets on the wire."""
import collections
import contextlib
import socket
import struct

import dns.rcode
import dns.renderer
import dns.tsig
import pytest

import processes
import servers
from repository import write_hook
from updates import ZONE, add, send

UPDATE = 5 << 11
APEX = b"\7example\0"
A, SOA, MINFO, IN = 1, 6, 14, 1
AT_ZONE = 12
LONG = b"".join(struct.pack("!B", n) + b"x" * n for n in (63, 63, 63, 49))  # with the zone 251 octets
AT_LONG = AT_ZONE + len(APEX) + 4 + 2 + 10
KEYS, EACH = 8, 125

# MiB that all of it may add to what the process held before: the queue's 64 (net/inbox.h), 64 of requests that have not been taken from
# their connections (TCP_BUFFERED_MAX), and a batch of 4, with ten times as much that is made of it (auth/batch.h).
HELD_MAX = 64 + 64 + 44


def pointer(at):
    return struct.pack("!H", 0xC000 | at)


def rr(owner, rrtype, rdata):
    return owner + struct.pack("!HHIH", rrtype, IN, 60, len(rdata)) + rdata


def label(n):
    return b"\3" + n.to_bytes(3, "big")


def minfo(n):
    """Of 18 octets, which come to 550."""
    return rr(pointer(AT_ZONE), MINFO, label(n) + pointer(AT_LONG) + pointer(AT_LONG))


def long_owner(n):
    """Of 20 octets, which come to 300, and to names above."""
    return rr(label(n) + pointer(AT_LONG), A, n.to_bytes(4, "big"))


def signed(key, records, n, number):
    first = rr(pointer(AT_ZONE), MINFO, LONG + pointer(AT_ZONE) + pointer(AT_LONG))
    r = dns.renderer.Renderer(id=number, flags=UPDATE, max_size=65535)
    r.output.write(APEX + struct.pack("!HH", SOA, IN) + first + records)
    r.counts = [1, 0, 1 + n, 0]
    r.write_header()
    secret = dns.tsig.Key(key.name, key.secret, dns.tsig.HMAC_SHA256)
    r.add_tsig(secret.name, secret, 300, number, 0, b"", b"", secret.algorithm)
    return r.get_wire()


def most_held(served):
    """By the process, so far, in MiB."""
    return processes.kib(served.pid, "VmHWM") / 1024


class Client:
    """A connection with many requests on their way."""

    def __init__(self, served):
        self.socket = socket.create_connection((servers.ADDRESS, served.port), timeout=120)
        self.file = self.socket.makefile("rb")

    def send(self, wire):
        self.socket.sendall(struct.pack("!H", len(wire)) + wire)

    def receive(self):
        length, = struct.unpack("!H", self.file.read(2))
        return dns.rcode.to_text(dns.rcode.Rcode(self.file.read(length)[3] & 15))

    def close(self):
        self.file.close()
        self.socket.close()


@pytest.mark.parametrize("record,n,rcode", [(minfo, 2900, "REFUSED"), (minfo, 1800, "NOERROR"), (long_owner, 1000, "NOERROR")],
                         ids=["too-much", "rdata", "owners"])
def test_a_thousand_updates(primary, repo, make_key, gate, record, n, rcode):
    """By eight keys; all wait while the commit before them is being pushed."""
    keys = [make_key("k%d._update.example" % i) for i in range(KEYS)]
    records = b"".join(record(i) for i in range(n))
    repo.commit({"example": ZONE, "_keys": "".join(k.line for k in keys)})
    served = primary(repo, zones=["example"],
                     env={"ASAN_OPTIONS": servers.sanitizer_env()["ASAN_OPTIONS"] + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=1"})
    assert send(served, add(keys[0], "first", "192.0.2.1")).rcode() == dns.rcode.NOERROR
    write_hook(repo, "pre-receive", gate.line)
    clients = [Client(served) for _ in keys]
    clients[0].send(add(keys[0], "second", "192.0.2.1").to_wire())
    served.await_true("the push waits", gate.waiting)
    before = most_held(served)
    with contextlib.ExitStack() as stack:
        for client in clients:
            stack.callback(client.close)
        for number in range(EACH):
            for key, client in zip(keys, clients):
                client.send(signed(key, records, n, number))
        gate.open()
        assert clients[0].receive() == "NOERROR"
        codes = collections.Counter(client.receive() for client in clients for _ in range(EACH))
    print(codes, "%d MiB" % (most_held(served) - before))
    assert most_held(served) - before < HELD_MAX, codes
    assert set(codes) == {rcode}, codes
    assert send(served, add(keys[0], "last", "192.0.2.1")).rcode() == dns.rcode.NOERROR
    served.stop()
