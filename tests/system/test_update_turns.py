"""Keys have their turns by what their updates cost: one key's large ones do not hold up another's small one."""
import contextlib
import select
import socket
import struct

import dns.rcode
import dns.renderer
import dns.tsig

from repository import write_hook
from test_update_cost import APEX, AT_ZONE, IN, SOA, Client, UPDATE, pointer
from updates import ZONE, add, send

A, ANY = 1, 255
LARGE = 8000  # records of one name
WWW = b"\3www" + pointer(AT_ZONE)
PREREQUISITES = 5000


def prerequisites(key, number):
    """5,000 times: there are such records."""
    r = dns.renderer.Renderer(id=number, flags=UPDATE, max_size=65535)
    r.output.write(APEX + struct.pack("!HH", SOA, IN))
    at_www = AT_ZONE + len(APEX) + 4
    r.output.write(WWW + struct.pack("!HHIH", A, ANY, 0, 0))
    r.output.write((pointer(at_www) + struct.pack("!HHIH", A, ANY, 0, 0)) * (PREREQUISITES - 1))
    r.counts = [1, PREREQUISITES, 0, 0]
    r.write_header()
    secret = dns.tsig.Key(key.name, key.secret, dns.tsig.HMAC_SHA256)
    r.add_tsig(secret.name, secret, 300, number, 0, b"", b"", secret.algorithm)
    return r.get_wire()


def large_zone():
    return ZONE + "".join("www A 10.0.%d.%d\n" % divmod(i, 256) for i in range(LARGE))


def answers_there(client):
    """How many have come that nobody has read yet."""
    if not select.select([client.socket], [], [], 0)[0]:
        return 0
    octets, n = client.socket.recv(1 << 20, socket.MSG_PEEK), 0
    while octets:
        octets = octets[2 + int.from_bytes(octets[:2], "big"):]
        n += 1
    return n


def served_with_keys(primary, repo, make_key):
    keys = [make_key("k%d._update.example" % i) for i in range(2)]
    repo.commit({"example": large_zone(), "_keys": "".join(k.line for k in keys)})
    served = primary(repo, zones=["example"])
    assert send(served, add(keys[0], "first", "192.0.2.1")).rcode() == dns.rcode.NOERROR
    return served, keys


def test_fifty_large_ones_before_a_small_one(primary, repo, make_key, gate):
    """All wait while the commit before them is being pushed; the small one comes last, and is in the first commit after it."""
    served, (busy, other) = served_with_keys(primary, repo, make_key)
    write_hook(repo, "pre-receive", gate.line)
    with contextlib.closing(Client(served)) as first, contextlib.closing(Client(served)) as many, \
         contextlib.closing(Client(served)) as small:
        first.send(add(busy, "second", "192.0.2.1").to_wire())
        served.await_true("the push waits", gate.waiting)
        for number in range(50):
            many.send(prerequisites(busy, number))
        served.await_true("all wait", lambda: served.stat("waiting", "update-stats") == 51)
        small.send(add(other, "small", "192.0.2.1").to_wire())
        served.await_true("it waits, too", lambda: served.stat("waiting", "update-stats") == 52)
        gate.open()
        assert small.receive() == "NOERROR"
        before = answers_there(many)
        assert before <= 30, before  # a batch has some 20 of them (auth/batch.h)
        assert {many.receive() for _ in range(50)} == {"NOERROR"}
