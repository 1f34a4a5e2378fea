"""Primary and secondary on two hosts with a cable between them: the tutorial's sections "secondary" and "Primary and secondary setup", from
first start to restarts; and what comes of a cut cable, of a host that vanishes, and of a secondary that cannot be reached.
"""
import re

import dns.rcode
import pytest

import hosts
import secondaries
from tsig_key import Key

ZONE = """$ORIGIN mirage.
$TTL 3600
@	SOA	ns1	hostmaster	%d	%s	3600
@	NS	ns1
@	NS	ns2
ns1	A	10.0.42.2
ns2	A	10.0.42.3
"""
TIMES = "86400 7200 1048576"
QUICK = "1 1 6"
TOLD = r"event=notify-accepted from=10\.0\.42\.2@53 "
PERSONAL = Key("personal._update.mirage.")
TRANSFER = Key("10.0.42.2.10.0.42.3._transfer.mirage.", b"another secret of thirty-two oct")
HIDDEN = Key("hidden.10.0.42.2._transfer.mirage.", b"a third secret of thirty-two oct")
WITHOUT_TIMES = ["--refresh-min=1", "--refresh-max=1", "--retry-max=1"]


class Two:
    """Both hosts, and what runs on them; every method goes to the right one."""

    def __init__(self, pair, repo, primary, secondary, program):
        (self.one, self.two), self.repo, self.program = pair, repo, program
        self.start = {"primary": primary, "secondary": secondary}
        self.served = self.follower = None

    def commit(self, serial, more="", times=TIMES):
        keys = PERSONAL.line + TRANSFER.line + HIDDEN.line
        self.repo.commit({"mirage": ZONE % (serial, times) + more, "mirage._keys": keys})

    def begin_primary(self):
        with self.one.inside():
            self.served = self.start["primary"](self.repo, port=53, address=self.one.address)
            self.served.await_log(r"event=commit-served")

    def begin_secondary(self, *options, key=TRANSFER, **more):
        with self.two.inside():
            self.follower = self.start["secondary"]([key], *options, port=53, **{"address": self.two.address, **more})

    def notify(self):
        with self.one.inside():
            self.program("onotify", self.one.address, "mirage", "--key=" + PERSONAL.argument, status=0)

    def await_primary(self, serial):
        with self.one.inside():
            self.served.await_serial("mirage", serial)

    def await_secondary(self, serial):
        with self.two.inside():
            self.follower.await_serial("mirage", serial)

    def await_answer(self, rcode):
        with self.two.inside():
            self.follower.await_true("foo is answered %s" % dns.rcode.to_text(rcode), lambda: self.follower.ask("foo.mirage").rcode() == rcode)

    def foo(self):
        """From each of the two, by way of the cable."""
        with self.two.inside():
            first = self.served.ask("foo.mirage")
        with self.one.inside():
            second = self.follower.ask("foo.mirage")
        return [sorted(r.address for s in a.answer for r in s) for a in (first, second)]

    def records(self):
        with self.one.inside():
            first = secondaries.canonical(secondaries.transfer(self.one.address, "mirage", 53, TRANSFER))
        with self.two.inside():
            second = secondaries.canonical(secondaries.transfer(self.follower.address, "mirage", 53, TRANSFER))
        return first, second

    @staticmethod
    def vanish(host, server):
        """The server is gone with its host, and its peers hear nothing of it; then there is a new host."""
        host.cut()
        server.kill()
        host.vanish()

    def stop(self):
        for server in self.follower, self.served:
            if server.is_running():
                server.stop()


@pytest.fixture
def two(port_53, need, repo, primary, secondary, program):
    need("ip", "unshare")
    with hosts.pair("10.0.42.2", "10.0.42.3") as pair:
        yield Two(pair, repo, primary, secondary, program)


def test_the_tutorial(two):
    two.commit(2)
    two.begin_primary()
    two.begin_secondary()
    two.await_secondary(2)
    first, second = two.records()
    assert first == second
    two.commit(3, "foo A 127.0.0.1\n")
    two.notify()
    two.await_primary(3)
    two.await_secondary(3)
    assert two.foo() == [["127.0.0.1"], ["127.0.0.1"]]
    assert re.search(r"event=notify-accepted from=10\.0\.42\.2@\d+ ", two.follower.log())
    two.stop()


def test_restarts(two):
    """Of the secondary: it has the zone again.  Of the primary: the secondary serves on, and is told of what has changed meanwhile."""
    two.commit(2, "foo A 127.0.0.1\n")
    two.begin_primary()
    two.begin_secondary()
    two.await_secondary(2)
    two.follower.stop()
    two.begin_secondary()
    two.await_secondary(2)
    two.served.stop()
    two.commit(3, "foo A 127.0.0.2\n")
    two.await_answer(dns.rcode.NOERROR)
    two.begin_primary()
    two.await_secondary(3)
    assert two.foo() == [["127.0.0.2"], ["127.0.0.2"]]
    two.stop()


def test_the_primary_comes_later(two):
    two.commit(2, "foo A 127.0.0.1\n")
    two.begin_secondary()
    two.await_answer(dns.rcode.SERVFAIL)
    two.follower.await_log(r"event=primary-unreachable")
    two.begin_primary()
    two.await_secondary(2)
    assert two.foo() == [["127.0.0.1"], ["127.0.0.1"]]
    two.stop()


def test_a_cut_cable(two):
    """What was served is served on until it expires; then SERVFAIL; and all is well when the cable is whole, with what came meanwhile."""
    two.commit(2, "foo A 127.0.0.1\n", QUICK)
    two.begin_primary()
    two.begin_secondary("--refresh-min=1")
    two.await_secondary(2)
    two.one.cut()
    two.commit(3, "foo A 127.0.0.2\n", QUICK)
    two.served.hangup()
    two.await_primary(3)
    two.follower.await_log(r"event=primary-unreachable")
    two.await_answer(dns.rcode.SERVFAIL)
    two.follower.await_log(r"event=zone-expired")
    two.one.mend()
    two.await_secondary(3)
    two.follower.await_log(r"event=primary-reached")
    assert two.foo() == [["127.0.0.2"], ["127.0.0.2"]]
    two.stop()


def test_a_host_that_vanishes(two):
    """The connection is half open: the secondary finds out by asking, makes a new one, and has the new version."""
    two.commit(2)
    two.begin_primary()
    two.begin_secondary(*WITHOUT_TIMES)
    two.await_secondary(2)
    two.vanish(two.one, two.served)
    two.commit(3, "foo A 127.0.0.1\n")
    hosts.plug(two.one, two.two)
    two.begin_primary()
    two.await_secondary(3)
    assert two.foo() == [["127.0.0.1"], ["127.0.0.1"]]
    two.stop()


def test_a_host_that_vanishes_for_longer(two):
    """No RST comes either: an answer that does not come within 10 seconds is the end of the connection."""
    two.commit(2)
    two.begin_primary()
    two.begin_secondary(*WITHOUT_TIMES)
    two.await_secondary(2)
    two.vanish(two.one, two.served)
    two.follower.await_log(r"event=primary-unreachable .*text=\"the primary does not answer\"")
    two.await_secondary(2)
    two.commit(3)
    hosts.plug(two.one, two.two)
    two.begin_primary()
    two.await_secondary(3)
    two.stop()


def test_the_secondary_vanishes(two):
    """The primary has a connection that is half open, and tells the new secondary of changes."""
    two.commit(2)
    two.begin_primary()
    two.begin_secondary()
    two.await_secondary(2)
    two.vanish(two.two, two.follower)
    hosts.plug(two.one, two.two)
    two.begin_secondary()
    two.await_secondary(2)
    two.commit(3)
    two.notify()
    two.await_secondary(3)
    two.stop()


def test_a_hidden_secondary(two):
    """It answers on its loopback alone, and its key has no address of it: it is told over its own connection, also after a cut."""
    two.commit(2)
    two.begin_primary()
    two.begin_secondary("--refresh-max=5", key=HIDDEN, address="127.0.0.1")
    two.await_secondary(2)
    two.commit(3)
    two.notify()
    two.follower.await_log(TOLD)
    two.await_secondary(3)
    two.vanish(two.one, two.served)
    two.commit(4)
    hosts.plug(two.one, two.two)
    two.begin_primary()
    two.await_secondary(4)
    end = len(two.follower.log())
    two.commit(5)
    two.notify()
    two.follower.await_log(TOLD, after=end)
    two.await_secondary(5)
    two.stop()
