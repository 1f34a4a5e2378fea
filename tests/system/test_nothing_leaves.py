"""A primary on loopback addresses alone, with real zones: nothing leaves the machine, whatever addresses are in them.

The tests' own network gets an interface more, with a default route over it for both families, and all that is sent there is
captured.  The last test shows that packets do come that way when they are meant to.
"""
import contextlib
import gzip
import ipaddress
import os
import re
import signal
import socket
import subprocess

import dns.message
import dns.query
import dns.rcode
import dns.update
import pytest

import servers

OUTSIDE, FAR_END = "outside0", "outside1"
ADDRESSES = "198.51.100.1", "2001:db8:ffff::1"  # ours on it
ETH_P_ALL, ETH_P_IP, ETH_P_IPV6, ICMPV6 = 3, 0x0800, 0x86DD, 58
TRANSFER, UPDATE = "_transfer", "_update"

ZONE = """$TTL 300
@    SOA  ns1 host %d 3600 600 86400 300
@    NS   ns1
@    NS   ns2
@    NS   ns3
ns1  A    127.0.0.1
ns2  A    192.0.2.53
     A    203.0.113.53
     AAAA 2001:db8::53
ns3  A    10.11.12.13
     AAAA fd00::53
"""
NEAR = "@ NS near\nnear A 127.0.0.9\n AAAA ::1\n"


class Capture:
    """What has been sent over the interface: [(destination, what)].  The kernel's own ICMPv6 (MLD, solicitations) does not count."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.bind((OUTSIDE, ETH_P_ALL))
        self.socket.setblocking(False)
        self.sent = []

    def look(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, (_, kind, *_) = self.socket.recvfrom(65536)
                self.sent += described(kind, packet)
        return self.sent

    def close(self):
        self.socket.close()


def described(kind, packet):
    if kind == ETH_P_IP:
        return [(str(ipaddress.ip_address(packet[16:20])), "protocol %d" % packet[9])]
    if kind == ETH_P_IPV6:
        follows, at = packet[6], 40
        if follows == 0:  # hop-by-hop options, as MLD has
            follows, at = packet[at], at + 8
        return [(str(ipaddress.ip_address(packet[24:40])), "protocol %d" % follows)] if follows != ICMPV6 else []
    return [("?", "EtherType %#x" % kind)]


@pytest.fixture
def outside(port_53, need):
    """An interface that leads elsewhere, for as long as the test runs."""
    need("ip")

    def ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True)
    ip("link", "add", OUTSIDE, "type", "veth", "peer", "name", FAR_END)
    try:
        for name in OUTSIDE, FAR_END:
            ip("link", "set", name, "arp", "off", "up")  # nobody has to answer before a packet goes
        ip("address", "add", ADDRESSES[0] + "/24", "dev", OUTSIDE)
        ip("-6", "address", "add", ADDRESSES[1] + "/64", "dev", OUTSIDE, "nodad")
        ip("route", "add", "default", "dev", OUTSIDE)
        ip("-6", "route", "add", "default", "dev", OUTSIDE)
        capture = Capture()
        yield capture
        capture.close()
    finally:
        ip("link", "delete", OUTSIDE)


@pytest.fixture
def root_zone(root_zone_data):
    with gzip.open(os.path.join(root_zone_data, sorted(n for n in os.listdir(root_zone_data) if n.endswith(".gz"))[-1])) as f:
        return f.read()


def added(served):
    """How many notifications have been begun, by the counters of now."""
    mark = len(served.log())
    served.popen.send_signal(signal.SIGUSR1)
    return int(served.await_log(r"event=notify-stats added=(\d+)", after=mark)[1])


# A question for all zones is followed by a NOTIFY for each, example and the catalog zone: over the connection by which it came, as the
# address in the key's name is not told.  The source of a datagram is told nothing.
TOLD_AT_ONCE = 2

LISTENERS = {"one": [], "two": ["--listen=127.0.0.2@%d"], "both-families": ["--listen=::1@%d"],
             "many": ["--listen=127.0.0.2@%d", "--listen=::1@%d", "--listen=127.1.2.3@%d"]}


@pytest.mark.parametrize("listeners", sorted(LISTENERS))
def test_every_way_to_be_notified(outside, primary, repo, make_key, notify, listeners):
    """At the start, for a change, a removal, a new key, an update, the catalog zone, and a question for all zones."""
    person, asker = make_key("person." + UPDATE), make_key("127.0.0.1.192.0.2.77." + TRANSFER)
    names = ["127.0.0.1.192.0.2.50." + TRANSFER, "127.0.0.1.2001-db8--50." + TRANSFER]
    keys = person.line + asker.line + "".join(make_key(name).line for name in names)
    repo.commit({"example": ZONE % 1, "gone.test": ZONE % 1, "_keys": keys})
    port = servers.free_port()
    served = primary(repo, "--catalog=catalog.test", *[text % port for text in LISTENERS[listeners]], port=port,
                     zones=["example", "gone.test"])
    served.await_log(r"event=notify-passed-over zones=3 zone=\S+ to=2001:db8::50@53 ")

    repo.commit({"example": ZONE % 2, "gone.test": None, "_keys": keys + make_key("127.0.0.1.192.0.2.51." + TRANSFER).line})
    assert notify(port, "example", person).rcode() == dns.rcode.NOERROR
    served.await_serial("example", 2)
    update = dns.update.Update("example")
    update.add("new", 60, "A", "192.0.2.9")
    person.sign(update)
    assert dns.query.tcp(update, servers.ADDRESS, port=port, timeout=60).rcode() == dns.rcode.NOERROR
    ask_for_all(served, asker, ADDRESSES[0])
    ask_for_all(served, asker, "127.0.0.1")
    with socket.create_connection((servers.ADDRESS, port), 20) as kept:
        dns.query.send_tcp(kept, asker.sign(dns.message.make_query(".", "SOA")))
        await_added(served, TOLD_AT_ONCE)  # after all others that there might be
    assert not outside.look(), (served.log(), outside.sent)
    assert len(re.findall("event=notify-passed-over", served.log())) == 1
    served.stop()


def await_added(served, n):
    served.await_true("%d notifications are begun" % n, lambda: added(served) >= n)
    assert added(served) == n, served.log()


def ask_for_all(served, key, source):
    """A signed question for the root, which is no zone here, over UDP."""
    query = key.sign(dns.message.make_query(".", "SOA"))
    answer = dns.query.udp(query, servers.ADDRESS, port=served.port, source=source, timeout=20)
    assert answer.had_tsig and not answer.answer


def test_the_root(outside, primary, repo, root_zone, notify, notify_key):
    """The zone whose servers everybody asks: their addresses are in it."""
    repo.commit({"@": root_zone, "_keys": notify_key.line})
    port = servers.free_port()
    served = primary(repo, "--listen=::1@%d" % port, "--listen=127.0.0.2@%d" % port, port=port, zones=["."])
    served.await_log(r"event=notify-passed-over zones=1 zone=\. ")
    repo.commit({"later.test": ZONE % 1 + NEAR})
    assert notify(port, "later.test", notify_key).rcode() == dns.rcode.NOERROR
    await_added(served, 1)  # of the later one (::1 is our own); after all others that there might be
    assert not outside.look(), (served.log(), outside.sent)
    served.stop()


def test_loopback_secondaries_are_told(outside, primary, repo, make_key):
    """Of both families, and by keys as by NS records."""
    repo.commit({"example": ZONE % 1 + NEAR, "_keys": make_key("127.0.0.1.127.0.0.8." + TRANSFER).line})
    served = primary(repo, zones=["example"])
    served.await_log("event=notify-passed-over")
    await_added(served, 3)
    assert not outside.look(), (served.log(), outside.sent)
    served.stop()


@pytest.mark.parametrize("whom, is_said", [("all", True), ("keys", False), ("none", False)])
def test_name_servers_that_no_zone_here_knows(outside, primary, repo, notify_key, notify, whom, is_said):
    """Said once, and not when nobody is to be told by NS records."""
    far = ZONE + "@ NS far.elsewhere.\n"
    repo.commit({"example": far % 1, "_keys": notify_key.line})
    served = primary(repo, "--notify=" + whom, zones=["example"])
    repo.commit({"example": far % 2})
    notify(served.port, "example", notify_key)
    served.await_serial("example", 2)
    if is_said:
        served.await_log(r"event=notify-unknown-host zones=1 zone=example\. host=far\.elsewhere\. ")
    served.stop()
    assert served.log().count("event=notify-unknown-host") == is_said


@pytest.mark.parametrize("whom, addresses", [
    ("all", ["10.11.12.13", "192.0.2.50", "192.0.2.53", "2001:db8::53", "203.0.113.53", "fd00::53"]), ("keys", ["192.0.2.50"]), ("none", [])])
def test_whom_the_option_says(outside, primary, repo, make_key, whom, addresses):
    """Said outright it holds for loopback listeners, too; and this is how a packet is seen that leaves."""
    repo.commit({"example": ZONE % 1, "_keys": make_key("127.0.0.1.192.0.2.50." + TRANSFER).line})
    port = servers.free_port()
    served = primary(repo, "--notify=" + whom, "--listen=127.0.0.2@%d" % port, port=port, zones=["example"])
    await_added(served, len(addresses))
    served.await_true("all are told", lambda: sorted({to for to, _ in outside.look()}) == addresses)
    assert "event=notify-passed-over" not in served.log()
    served.stop()


def test_another_listener_is_enough(outside, primary, repo):
    """A listener on an address that the machine has towards others, or on all of them, also one whose network comes up later."""
    repo.commit({"example": ZONE % 1})
    for option in "--listen=" + ADDRESSES[0], "--listen=0.0.0.0", "--listen=::":
        served = primary(repo, option, zones=["example"])
        served.await_true("they are told", lambda: "2001:db8::53" in {to for to, _ in outside.look()})
        outside.sent.clear()
        served.stop()


def test_addresses_that_come_later_are_ours(outside, primary, repo, notify, notify_key):
    """On every address: one that an interface gets after the start is not told, for it is our own."""
    repo.commit({"example": ZONE % 1, "_keys": notify_key.line})
    served = primary(repo, "--listen=0.0.0.0", zones=["example"])
    served.await_true("it is told", lambda: "10.11.12.13" in {to for to, _ in outside.look()})
    before = added(served)
    subprocess.run(["ip", "address", "add", "10.11.12.13/32", "dev", OUTSIDE], check=True)
    repo.commit({"example": ZONE % 2})
    assert notify(served.port, "example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_serial("example", 2)
    served.await_true("the others are told", lambda: added(served) > before)
    assert added(served) == 2 * before - 1, served.log()
    served.stop()
