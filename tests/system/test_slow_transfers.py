"""Secondaries that take a transfer slowly, or not at all: what that costs the primary, and the others."""
import re
import time

import dns.message
import dns.query
import dns.rcode
import dns.rrset
import pytest

import secondaries
import servers
from askers import Asker

RECORDS = 10000
SOA = "$TTL 300\n@ SOA ns1 host %d 86400 43200 2419200 300\n@ NS ns1\nns1 A 127.0.0.1\n"


def zone(serial, records=RECORDS):
    """Each version is another in all of its records."""
    return SOA % serial + "".join("h%d TXT \"%d %s\"\n" % (n, serial, "x" * 200) for n in range(records))


def push(repo, served, notify, notify_key, serial):
    repo.commit({"example": zone(serial)})
    assert notify(served.port, "example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_serial("example", serial)


@pytest.fixture
def key(make_key):
    return make_key("second._transfer.example")


def test_what_is_replaced_meanwhile_is_bounded(primary, repo, key, notify_key, notify, started):
    """A version of the zone has about 3 MB.  Of those that read nothing the one that began first ends first; whoever reads has the zone
    each time."""
    limit = 8
    repo.commit({"example": zone(1), "_keys": notify_key.line, "example._keys": key.line})
    served = primary(repo, "--axfr", "--transfers-memory=%d" % limit, "--tcp-idle=600", "--mass-delete-records-percent=100",
                     zones=["example"])
    first = started(Asker(served.port, key=key).ask("example"))
    assert first.take()
    late = None
    for serial in range(2, 9):
        push(repo, served, notify, notify_key, serial)
        assert len(secondaries.transfer(servers.ADDRESS, "example", served.port)) >= RECORDS
        assert served.stat("octets_kept") <= limit << 20
        if serial == 3:
            late = started(Asker(served.port, "127.0.0.2").ask("example"))
            assert late.take()
    cut = [m for m in re.findall(r"event=transfer-cut to=(\S+) zone=example\. .*kept_octets=(\d+) why=\"too many octets[^\n]*"
                                 r"hint=\"[^\n]*--transfers-memory", served.log())]
    assert [name for name, _ in cut] == [first.name, late.name], served.log()
    assert all(int(octets) > limit << 20 for _, octets in cut)
    servers.await_true("they are hung up on", lambda: first.is_cut() and late.is_cut())
    push(repo, served, notify, notify_key, 9)
    served.await_true("all of it is given back", lambda: served.stat("octets_kept") == 0)
    served.stop()


def addresses(n):
    return ["127.0.%d.%d" % (1 + i // 200, 1 + i % 200) for i in range(n)]


HERD, PLACES = 40, 16
HERDS = {  # connections of people who read nothing: from how many addresses, with how many keys (0: not signed)
    "one-address-one-key": (1, 1), "many-addresses-one-key": (HERD, 1), "one-address-many-keys": (1, 8), "many-addresses-unsigned": (HERD, 0),
}


@pytest.mark.parametrize("case", sorted(HERDS))
def test_nobody_holds_all_places(primary, repo, key, make_key, started, case):
    """They ask for more than there are places, several times on each connection, and take nothing; who has another key has the zone
    at once."""
    addresses_n, keys_n = HERDS[case]
    keys = [make_key("k%d._transfer.example" % i) for i in range(keys_n)]
    repo.commit({"example": zone(1, 40000), "example._keys": "".join(k.line for k in [key, *keys])})
    served = primary(repo, "--axfr", "--workers=2", "--transfers-max=%d" % PLACES, "--tcp-idle=600", zones=["example"])
    where = addresses(addresses_n)
    herd = [started(Asker(served.port, where[i % addresses_n], keys[i % keys_n] if keys else None)) for i in range(HERD)]
    for asker in herd:
        asker.ask("example").ask("example").ask("example")
    servers.await_true("some of them have begun", lambda: sum(asker.has_something() for asker in herd) >= PLACES // 4)
    assert len(secondaries.transfer(servers.ADDRESS, "example", served.port, key)) > 40000
    assert sum(asker.has_something() for asker in herd) <= PLACES // 2
    assert not any(asker.is_cut() for asker in herd), served.log()
    served.stop()


def test_too_slow_while_others_wait(primary, repo, key, make_key, started):
    """20 kB a second, one place: whoever waits for it has it after the time over which the rate is measured."""
    repo.commit({"example": zone(1, 40000), "example._keys": key.line})
    served = primary(repo, "--axfr", "--workers=1", "--transfers-max=1", zones=["example"])
    slow = started(Asker(served.port, "127.0.0.2").ask("example"))
    assert slow.take(2000)
    waiting = started(Asker(served.port, key=key).ask("example"))
    begin = time.monotonic()
    while not waiting.has_something(0.1):
        slow.take(2000)
        assert time.monotonic() - begin < 30, served.log_tail()
    assert time.monotonic() - begin > 5
    served.await_log(r"event=transfer-cut to=%s .*why=\"the peer takes less than 32 KiB a second while others wait\"" % slow.name)
    servers.await_true("it is hung up on", slow.is_cut)
    served.stop()


def test_incremental_transfers_by_the_hundred(primary, repo, key, make_key, notify_key, notify, started):
    """Each is worked out of a history of 6,000 records.  Ten connections of one key want a hundred each; between any two of them questions
    have their turn, and so has another key's transfer."""
    versions, changed = 7, 400
    flooder = make_key("flooder._transfer.example")

    def text(serial):
        return SOA % serial + "".join("h%d A 10.%d.%d.%d\n" % (n, serial if n < changed else 0, n >> 8, n & 255) for n in range(20000))
    repo.commit({"example": text(1), "_keys": notify_key.line, "example._keys": key.line + flooder.line})
    served = primary(repo, zones=["example"])
    for serial in range(2, 2 + versions):
        repo.commit({"example": text(serial)})
        assert notify(served.port, "example", notify_key).rcode() == dns.rcode.NOERROR
        served.await_serial("example", serial)
    herd = [started(Asker(served.port, key=flooder)) for _ in range(10)]
    for asker in herd:
        for _ in range(100):
            asker.send(incremental(1))
    late = []
    for _ in range(5):
        for query in dns.message.make_query("h1.example", "A"), key.sign(incremental(1)):
            begin = time.monotonic()
            dns.query.tcp(query, servers.ADDRESS, 10, served.port, one_rr_per_rrset=True)
            late.append(time.monotonic() - begin)
    assert max(late) < 1, late
    served.await_log("event=transfer-sent .*key=flooder.* type=ixfr serial=%d old_serial=1 " % (1 + versions))
    served.stop()


def incremental(serial):
    query = dns.message.make_query("example", "IXFR")
    query.authority.append(dns.rrset.from_text("example.", 0, "IN", "SOA", "ns1. host. %d 1 1 1 1" % serial))
    return query
