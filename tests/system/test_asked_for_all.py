"""A secondary asks by UDP, signed, for the domain that its key is for.  A NOTIFY for every zone there follows, to nobody whom a forged source
or a recorded question could name, and not as often as somebody can send it.
"""
import re
import socket

import dns.message
import dns.name
import dns.query
import dns.rcode
import pytest

import servers

ZONE = "$TTL 300\n@ SOA ns1 host 1 3600 600 86400 300\n@ NS ns1\nns1 A 127.0.0.1\n"
WITH_SERVER = ZONE + "@ NS ns2\nns2 A 127.0.0.2\n"
SERVER, SECONDARY, ELSEWHERE = "127.0.0.2", "127.0.0.77", "127.0.0.9"
ZONES = ["a.test", "b.test", "example"]  # the last one has a name server that is told


@pytest.fixture
def sink():
    """What comes to the secondary's address, by UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((SECONDARY, 0))
        s.settimeout(20)
        yield s


@pytest.fixture
def serve(repo, primary, make_key, sink):
    """serve(name of the key) → (primary, key): all zones, of which one is told to a name server, and a port for the secondary."""
    def start(name):
        key, port = make_key(name), sink.getsockname()[1]
        told = "h.test. A %s\n" % SECONDARY + "".join("_notify.%s SRV 0 0 %d h.test.\n" % (domain, port) for domain in ("test", "example"))
        repo.commit({"a.test": ZONE, "b.test": ZONE, "example": WITH_SERVER, "_keys": key.line, "_secondaries": told})
        return primary(repo, zones=ZONES), key
    return start


def ask(served, key, source, name="."):
    query = key.sign(dns.message.make_query(name, "SOA"))
    answer = dns.query.udp(query, servers.ADDRESS, port=served.port, source=source, timeout=20)
    assert answer.rcode() == dns.rcode.NOTAUTH and answer.had_tsig


def added(served):
    return served.stat("added", "notify-stats")


def await_added(served, n):
    served.await_true("%d notifications are begun" % n, lambda: added(served) >= n)
    assert added(served) == n, served.log()


def hear(sink, n):
    """The zones of the next n messages that are new."""
    zones = set()
    while len(zones) < n:
        message = sink.recv(4096)
        zones.add(dns.name.from_wire(message, 12)[0].to_text(True))  # of its question
    return sorted(zones)


AT_START = len(ZONES) + 1  # each to the secondary, and one to the name server


def test_the_address_in_the_keys_name(serve, sink):
    """It is told, wherever the question seems to come from; and once for many questions, then once more."""
    served, key = serve("127.0.0.1.%s._transfer" % SECONDARY)
    await_added(served, AT_START)
    ask(served, key, ELSEWHERE)
    served.await_true("it is told", lambda: added(served) >= AT_START + len(ZONES))
    for _ in range(20):
        ask(served, key, ELSEWHERE)
    served.await_true("it is told once more", lambda: added(served) >= AT_START + 2 * len(ZONES))
    assert added(served) <= AT_START + 4 * len(ZONES), served.log()  # if asking took so long
    assert hear(sink, len(ZONES)) == ZONES
    assert not re.search(r"to=%s@" % re.escape(ELSEWHERE), served.log())
    served.stop()


def test_a_source_that_is_no_target(serve):
    """Its key's name has no address, so nobody knows whose the source is."""
    served, key = serve("some._transfer")
    await_added(served, AT_START)
    for _ in range(3):
        ask(served, key, ELSEWHERE)
    ask(served, key, SERVER)
    await_added(served, AT_START + 1)  # of the zone whose name server is there, and of no other
    served.stop()


def test_a_source_that_is_a_target(serve):
    """Whom a file names for the zones is told of them, at the port that the file gives."""
    served, key = serve("some._transfer")
    await_added(served, AT_START)
    ask(served, key, SECONDARY)
    await_added(served, AT_START + len(ZONES))
    served.stop()


def test_many_sources(serve):
    """So many that the key has no more wishes: that is said, and nothing is told."""
    served, key = serve("some._transfer")
    await_added(served, AT_START)
    for i in range(20):
        ask(served, key, "127.0.1.%d" % (1 + i))
    served.await_log(r"event=secondary-not-told from=127\.0\.1\.\d+@53 zone=\. key=some\._transfer\. text=\"too many others")
    assert added(served) == AT_START
    served.stop()


def test_a_name_below_the_keys_domain(serve):
    """It is not ours, and nobody wants to be told of what is there."""
    served, key = serve("127.0.0.1.%s._transfer" % SECONDARY)
    await_added(served, AT_START)
    ask(served, key, ELSEWHERE, "test")
    ask(served, key, ELSEWHERE)
    await_added(served, AT_START + len(ZONES))
    served.stop()
