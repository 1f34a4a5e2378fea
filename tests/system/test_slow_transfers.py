"""Secondaries that take a transfer slowly, or not at all: what that costs the primary, and the others."""
import re
import signal

import dns.query
import dns.rcode
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


def stat(served, name):
    mark = len(served.log())
    served.popen.send_signal(signal.SIGUSR1)
    return int(served.await_log(r"event=stats .*\b%s=(\d+)" % name, after=mark)[1])


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
        assert stat(served, "octets_kept") <= limit << 20
        if serial == 3:
            late = started(Asker(served.port, "127.0.0.2").ask("example"))
            assert late.take()
    cut = [m for m in re.findall(r"event=transfer-cut to=(\S+) zone=example\. .*kept_octets=(\d+) why=\"it kept too much[^\n]*"
                                 r"hint=\"[^\n]*--transfers-memory\"", served.log())]
    assert [name for name, _ in cut] == [first.name, late.name], served.log()
    assert all(int(octets) > limit << 20 for _, octets in cut)
    servers.await_true("they are hung up on", lambda: first.is_cut() and late.is_cut())
    push(repo, served, notify, notify_key, 9)
    served.await_true("all of it is given back", lambda: stat(served, "octets_kept") == 0)
    served.stop()
