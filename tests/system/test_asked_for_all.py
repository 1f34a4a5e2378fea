"""A secondary asks by UDP, signed, for the domain that its key is for.  A NOTIFY for every zone there follows, to nobody whom a forged source
or a recorded question could name, and not as often as somebody can send it.
"""
import dns.message
import dns.query
import dns.rcode
import dns.tsigkeyring
import pytest

import servers
from scripted import Script

ZONE = "$TTL 300\n@ SOA ns1 host 1 3600 600 86400 300\n@ NS ns1\nns1 A 127.0.0.1\n"
WITH_SERVER = ZONE + "@ NS ns2\nns2 A 127.0.0.2\n"
SERVER, SECONDARY, ELSEWHERE = "127.0.0.2", "127.0.0.77", "127.0.0.9"
ZONES = ["a.test", "b.test", "example"]  # the last one has a name server that is told


class Secondary(Script):
    """Acknowledges each NOTIFY that comes to its address by UDP.  `told`: of which zones they were."""

    def __init__(self):
        self.told, self.ring = [], {}
        super().__init__(self.acknowledge, SECONDARY, ("udp",))

    def acknowledge(self, wire, _):
        notify = dns.message.from_wire(wire, keyring=self.ring)
        self.told.append(notify.question[0].name.to_text(True))
        return [dns.message.make_response(notify).to_wire()]


@pytest.fixture
def secondary(started):
    return started(Secondary())


@pytest.fixture
def serve(repo, primary, make_key, secondary):
    """serve(name of the key) → (primary, key): all zones, of which one is told to a name server, and a port for the secondary,
    which has been told of them."""
    def start(name):
        key = make_key(name)
        secondary.ring.update(dns.tsigkeyring.from_text({key.name: key.secret}))
        told = "h.test. A %s\n" % SECONDARY + "".join(
            "_notify.%s SRV 0 0 %d h.test.\n" % (domain, secondary.port) for domain in ("test", "example"))
        repo.commit({"a.test": ZONE, "b.test": ZONE, "example": WITH_SERVER, "_keys": key.line, "_secondaries": told})
        served = primary(repo, zones=ZONES)
        await_added(served, AT_START)
        await_acknowledged(served, len(ZONES))
        secondary.told.clear()
        return served, key
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


def await_acknowledged(served, n):
    """Only the secondary acknowledges."""
    served.await_true("%d notifications are acknowledged" % n, lambda: served.stat("acknowledged", "notify-stats") >= n)


AT_START = len(ZONES) + 1  # each to the secondary, and one to the name server


def test_the_address_in_the_keys_name(serve, secondary):
    """It is told, and nobody else, wherever the question seems to come from; and once for many questions, then once more."""
    served, key = serve("127.0.0.1.%s._transfer" % SECONDARY)
    ask(served, key, ELSEWHERE)
    await_acknowledged(served, 2 * len(ZONES))
    assert sorted(set(secondary.told)) == ZONES
    for _ in range(20):
        ask(served, key, ELSEWHERE)
    await_acknowledged(served, 3 * len(ZONES))
    begun = added(served)
    assert begun <= AT_START + 4 * len(ZONES), served.log()  # if asking took so long
    await_acknowledged(served, begun - 1)  # all but the one to the name server
    served.stop()


def test_a_source_that_is_no_target(serve):
    """Its key's name has no address, so nobody knows whose the source is."""
    served, key = serve("some._transfer")
    for _ in range(3):
        ask(served, key, ELSEWHERE)
    ask(served, key, SERVER)
    await_added(served, AT_START + 1)  # of the zone whose name server is there, and of no other
    served.stop()


def test_a_source_that_is_a_target(serve):
    """Whom a file names for the zones is told of them, at the port that the file gives."""
    served, key = serve("some._transfer")
    ask(served, key, SECONDARY)
    await_added(served, AT_START + len(ZONES))
    served.stop()


def test_many_sources(serve):
    """So many that the key has no more wishes: that is said, and nothing is told."""
    served, key = serve("some._transfer")
    for i in range(20):
        ask(served, key, "127.0.1.%d" % (1 + i))
    served.await_log(r"event=secondary-not-told from=127\.0\.1\.\d+@53 zone=\. key=some\._transfer\. text=\"too many others")
    assert added(served) == AT_START
    served.stop()


def test_a_name_below_the_keys_domain(serve):
    """It is not ours, and nobody wants to be told of what is there."""
    served, key = serve("127.0.0.1.%s._transfer" % SECONDARY)
    ask(served, key, ELSEWHERE, "test")
    ask(served, key, ELSEWHERE)
    await_added(served, AT_START + len(ZONES))
    served.stop()
