"""How often oprimary pulls, whoever asks for it."""
import os
import signal
import time

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import pytest

import servers
from updates import send_octets

ZONE = "$TTL 60\n@ SOA ns1 hostmaster %d 3600 600 604800 300\n@ NS ns1\nns1 A 192.0.2.1\n"
PAUSE_MAX_S = 2


@pytest.fixture
def filled(repo, notify_key):
    repo.commit({"example.org": ZONE % 1, "_keys": notify_key.line})
    return repo


@pytest.fixture
def running(filled, primary):
    return primary(filled, zones=["example.org"])


def counters(running):
    """notify_accepted, pulls and notify_repeated."""
    seen = len(running.log())
    os.kill(running.pid, signal.SIGUSR1)
    found = running.await_log(r"event=stats .* notify_accepted=(\d+) (?s:.*)event=pull-stats pulls=(\d+) notify_repeated=(\d+)", after=seen)
    return [int(n) for n in found.groups()]


def signed_notify(key, zone="example.org"):
    message = dns.message.make_query(zone, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    key.sign(message)
    return message


def test_a_notify_that_was_recorded_is_answered_and_not_followed(filled, running, notify_key):
    recorded = signed_notify(notify_key).to_wire()
    for _ in range(200):
        answer = send_octets(running, recorded)
        assert answer[3] & 15 == dns.rcode.NOERROR and answer[11] == 1  # signed
    accepted, pulls, repeated = counters(running)
    assert (accepted, repeated) == (200, 199)
    assert pulls <= 2  # the first of all, and that
    filled.commit({"example.org": ZONE % 2})
    send_octets(running, recorded)
    dns.query.udp(signed_notify(notify_key), servers.ADDRESS, port=running.port, timeout=10)
    running.await_serial("example.org", 2)
    running.stop()


def test_the_id_of_the_header_does_not_make_it_new(running, notify_key):
    """It is not under the signature (RFC 8945 4.2)."""
    wire = signed_notify(notify_key).to_wire()
    for number in range(50):
        send_octets(running, bytes([0, number]) + wire[2:])
    assert counters(running)[2] == 49
    running.stop()


def test_many_new_notifies_are_few_pulls(filled, running, notify_key):
    """A key that is used without pause costs the git server a pull every two seconds; a push is served meanwhile."""
    begin = time.monotonic()
    sent = 0
    while time.monotonic() - begin < 3:
        dns.query.udp(signed_notify(notify_key), servers.ADDRESS, port=running.port, timeout=10)
        sent += 1
    filled.commit({"example.org": ZONE % 2})
    pushed = time.monotonic()
    while running.serial("example.org") != 2:
        dns.query.udp(signed_notify(notify_key), servers.ADDRESS, port=running.port, timeout=10)
        sent += 1
        assert time.monotonic() - pushed < servers.START_LIMIT_S
    took = time.monotonic() - begin
    accepted, pulls, _ = counters(running)
    assert accepted == sent and sent > 50
    assert pulls <= 2 + 6 + 2 * (1 + took / PAUSE_MAX_S)  # the start, the pause while it grows, and once more after the push
    running.stop()


def test_pushes_in_a_row_are_served_at_once(filled, running, notify, notify_key):
    """What brings something makes nobody wait: twenty pushes would come to half a minute with the longest pause."""
    begin = time.monotonic()
    for serial in range(2, 22):
        filled.commit({"example.org": ZONE % serial})
        notify(running.port, "example.org", notify_key)
        running.await_serial("example.org", serial)
    assert time.monotonic() - begin < 20 * PAUSE_MAX_S / 2
    running.stop()


@pytest.mark.parametrize("zone, rcode", [("example.org", "NOERROR"), ("example.net", "NOTAUTH"), ("www.example.org", "NOTAUTH"),
                                         ("org", "NOTAUTH"), (".", "NOTAUTH")])
def test_an_unsigned_notify_is_for_a_zone_of_ours(running, notify, zone, rcode):
    answer = notify(running.port, zone)
    assert dns.rcode.to_text(answer.rcode()) == rcode
    assert bool(answer.flags & dns.flags.AA) == (rcode == "NOERROR")
    running.await_log("event=notify-unsigned" if rcode == "NOERROR" else 'event=notify-denied .*why="no such zone here"')
    running.stop()
