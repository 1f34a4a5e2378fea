"""osecondary follows primaries of other makes: the same zone after each of many changes."""
import random

import pytest

import primaries
import secondaries
import servers
from tsig_key import Key

ALGORITHMS = {"bind": ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"], "knot": ["SHA256", "SHA512"], "nsd": ["SHA256", "SHA1"], "powerdns": ["SHA256"]}
HAS_IXFR = {"bind", "knot", "nsd"}


def text_of(serial, hosts):
    head = "$TTL 60\n@ IN SOA ns1 host %d 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n" % serial
    return head + "".join("%s IN %s\n" % (name, hosts[name]) for name in sorted(hosts))


def change(rng, hosts):
    for _ in range(rng.choice([1, 1, 2, 5])):
        name = "h%d" % rng.randrange(40)
        if name in hosts and rng.random() < 0.5:
            del hosts[name]
        else:
            hosts[name] = rng.choice(["A 192.0.2.%d" % rng.randrange(1, 255), "TXT \"t%d\"" % rng.randrange(99), "MX 10 ns1",
                                      "AAAA 2001:db8::%x" % rng.randrange(1, 9999)])


def records(server, zone, key):
    return secondaries.canonical(secondaries.transfer(servers.ADDRESS, zone, server.port, key))


@pytest.fixture
def pair(need, started, secondary, tmp_path):
    """pair(make, key, {zone: text}) → (the primary, our secondary)."""
    def start(make, key, zones, *options):
        need(make.binary)
        port = servers.free_port()
        primary = started(make(str(tmp_path), zones, key, (servers.ADDRESS, port)))
        return primary, secondary([key], *options, primaries=[primary.place], port=port)
    return start


class HastyBind(primaries.Bind):
    more = " tcp-idle-timeout 5; tcp-initial-timeout 25; tcp-keepalive-timeout 5; tcp-advertised-timeout 5;"  # tenths of a second


def test_a_refresh_needs_no_connection(pair):
    """It closes connections that are idle; then it is asked over UDP, and what is new comes over TCP."""
    key = Key("127.0.0.1.127.0.0.1._transfer.a.test.")  # with addresses: no connection is kept
    primary, follower = pair(HastyBind, key, {"a.test": text_of(1, {})}, "--refresh-min=2", "--refresh-max=2")
    follower.await_serial("a.test", 1)
    follower.await_true("it asks over UDP", lambda: follower.stat("datagrams", event="follow-stats") >= 2)
    primary.change("a.test", text_of(2, {}))
    follower.await_serial("a.test", 2)
    assert follower.stat("datagrams_lost", event="follow-stats") == 0
    assert follower.stat("failed", event="follow-stats") == 0
    follower.stop()
    primary.end()


@pytest.mark.parametrize("name", primaries.MAKES)
def test_random_changes(pair, name, request):
    steps = request.config.getoption("--steps") or 25
    rng, hosts, key = random.Random(request.config.getoption("--seed") or 1), {}, Key("any._transfer.a.test.")
    primary, follower = pair(primaries.MAKES[name], key, {"a.test": text_of(1, hosts)})
    for serial in range(2, 2 + steps):
        change(rng, hosts)
        primary.change("a.test", text_of(serial, hosts))
        follower.await_serial("a.test", serial)
        assert records(primary, "a.test", key) == records(follower, "a.test", key)
    assert "changes-do-not-fit" not in follower.log()
    follower.stop()
    primary.end()


@pytest.mark.parametrize("name, algorithm", [(n, a) for n in primaries.MAKES for a in ALGORITHMS[n]])
def test_one_zone_with_each_algorithm(pair, name, algorithm):
    """The key's domain is the zone: it is transferred at the start; a change is told, and taken as changes where the peer has them."""
    key = Key("any._transfer.a.test.", algorithm=algorithm)
    primary, follower = pair(primaries.MAKES[name], key, {"a.test": text_of(1, {})})
    follower.await_serial("a.test", 1)
    primary.change("a.test", text_of(2, {"www": "A 192.0.2.7"}))
    follower.await_serial("a.test", 2)
    assert records(primary, "a.test", key) == records(follower, "a.test", key)
    follower.await_log(r"event=zone-transferred zone=a\.test\. serial=2 .*form=%s" % ("changes" if name in HAS_IXFR else "whole"))
    follower.stop()
    primary.end()
