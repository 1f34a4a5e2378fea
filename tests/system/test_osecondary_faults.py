"""osecondary beside primaries that lie, stall, vanish and come back: each time the reason is logged, and the old version served on."""
import itertools
import os
import random
import signal
import socket
import threading

import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

import clock
import processes
import servers
from liar import Liar, frame, gives, has, kind, refusing, stream
from repository import Repo
from tsig_key import Key

KEY = Key("who.127.0.0.1._transfer.example.")
NOW = ("--refresh-min=1", "--refresh-max=1", "--retry-max=1")


def soa(serial, rest="3600 600 86400 60"):
    return "example. 60 IN SOA ns.example. host.example. %d %s" % (serial, rest)


NS, A, B = "example. 60 IN NS ns.example.", "ns.example. 60 IN A 192.0.2.1", "b.example. 60 IN A 192.0.2.2"


def raw(owner, rdtype, data, rdclass="IN"):
    """A record whose data need not be of its type."""
    found = dns.rrset.RRset(dns.name.from_text(owner), dns.rdataclass.from_text(rdclass), dns.rdatatype.from_text(rdtype))
    found.add(dns.rdata.GenericRdata(found.rdclass, found.rdtype, data), 60)
    return found


def zone_text(serial, more=""):
    return "$TTL 60\n@ SOA ns host %d 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n%s" % (serial, more)


def follow(secondary, *primaries, options=NOW, **more):
    return secondary([KEY], *options, primaries=["%s@%d" % (servers.ADDRESS, p.port) for p in primaries], **more)


@pytest.fixture
def liar(started):
    return started(Liar(KEY, has([soa(1), NS, A])))


@pytest.fixture
def follower(liar, secondary):
    """It has serial 1."""
    follower = secondary([KEY], *NOW, primaries=[liar.place])
    follower.await_serial("example", 1)
    yield follower
    follower.stop()
    assert KEY.secret not in follower.log()


def mark(follower):
    return len(follower.log().encode())


def assert_served(follower, serial=1):
    assert follower.serial("example") == serial
    assert [r.address for r in follower.ask("ns.example").answer[0]] == ["192.0.2.1"]


def recovers(liar, follower, serial=9):
    liar.say(follower, has([soa(serial), NS, A, B]))
    follower.await_serial("example", serial)
    assert_served(follower, serial)


# ---- transfers that bring what they may not ----

BAD = {
    "out of the zone": ([[soa(2), NS, "other.test. 60 IN A 192.0.2.1", soa(2)]], {}, r"other\.test\. is not in the zone example\."),
    "another serial at the end": ([[soa(2), NS, A, soa(3)]], {}, r"the last SOA record \(serial 3\) is not the first one \(serial 2\)"),
    "another SOA with that serial": ([[soa(2), NS, A], [soa(2, "1 1 1 1")]], {}, r"is not the first one \(serial 2\)"),
    "the SOA of another zone": ([[soa(2), NS, A, "sub." + soa(2)]], {}, r"sub\.example\. SOA: is the SOA record of another zone"),
    "no SOA first": ([[NS, soa(2), A, soa(2)]], {}, r"example\. NS: the first record is to be the SOA"),
    "no SOA at the end, but more": ([[soa(2), NS, A, soa(2), A]], {}, r"ns\.example\. A: comes after the end of the transfer"),
    "wrong class": ([[soa(2), NS, "ns.example. 60 CH TXT x", soa(2)]], {}, r"ns\.example\. TXT: cannot be in a zone of class IN"),
    "ANY": ([[soa(2), NS, raw("ns.example.", "ANY", b""), soa(2)]], {}, r"ns\.example\. ANY: cannot be in a zone"),
    "IXFR": ([[soa(2), NS, raw("ns.example.", "IXFR", b""), soa(2)]], {}, r"ns\.example\. IXFR: cannot be in a zone"),
    "TKEY": ([[soa(2), NS, raw("ns.example.", "TYPE249", b"\0" * 20), soa(2)]], {}, r"ns\.example\. TKEY: cannot be in a zone"),
    "three octets of an address": ([[soa(2), NS, raw("ns.example.", "A", b"\1\2\3"), soa(2)]], {}, r"ns\.example\. A: has malformed data"),
    "nothing": ([[soa(2), NS], [], [A, soa(2)]], {}, r"a message of the transfer has no records"),
    "a spoilt signature": ([[soa(2), NS], [A], [soa(2)]], {"spoilt": [1]}, r"the signature of the answer is wrong \(BADSIG\)"),
    "an unsigned end": ([[soa(2), NS], [A], [soa(2)]], {"unsigned": [2]}, r"the last message of the transfer is not signed"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_transfer_changes_nothing(liar, follower, what):
    """Neither as changes nor as a whole; the former is followed by the latter at once."""
    parts, more, why = BAD[what]
    liar.say(follower, gives(soa(2), lambda query: stream(query, parts, **more)))
    follower.await_log(r"warning event=refresh-failed zone=example\. .*from=%s .*%s" % (liar.place, why))
    assert_served(follower)
    recovers(liar, follower)


BAD_CHANGES = {
    "removed and not there": ([soa(2), soa(1), B, soa(2), soa(2)], r"b\.example\. A: is to be removed and is not there"),
    "added and there": ([soa(2), soa(1), soa(2), A, soa(2)], r"ns\.example\. A: is to be added and is there already"),
    "from another serial": ([soa(2), soa(0), soa(2), B, soa(2)], r"the changes begin at serial 0, and 1 was asked for"),
    "with a gap": ([soa(4), soa(1), soa(2), B, soa(3), soa(4), soa(4)], r"begins at serial 3, and the one before ends at 2"),
    "backwards": ([soa(2), soa(1), soa(0), B, soa(0), soa(2), soa(2)], r"lead from serial 1 to 0"),
    "out of the zone": ([soa(2), soa(1), soa(2), "other.test. 60 IN A 192.0.2.1", soa(2)], r"other\.test\. A: is not in the zone"),
    "no name server left": ([soa(2), soa(1), NS, soa(2), soa(2)], None),
}


@pytest.mark.parametrize("what", BAD_CHANGES)
def test_bad_changes_lead_to_the_whole_zone(liar, follower, what):
    records, why = BAD_CHANGES[what]
    whole = has([soa(2), NS, A, B])
    liar.say(follower, lambda query: stream(query, [records]) if kind(query) == dns.rdatatype.IXFR else whole(query))
    follower.await_serial("example", 2)
    if why is not None:  # the zone is odd, but it is the primary's
        follower.await_log(r"info event=changes-do-not-fit zone=example\. .*%s" % why)
        assert [r.address for r in follower.ask("b.example").answer[0]] == ["192.0.2.2"]
    recovers(liar, follower)


def test_a_stream_that_is_cut_at_every_message(liar, follower):
    parts = [[soa(2)], [NS], [A], [B], ["c.example. 60 IN A 192.0.2.3"], [soa(2)]]
    for n in range(len(parts)):
        before = mark(follower)
        liar.say(follower, gives(soa(2), lambda query, n=n: [*itertools.islice(stream(query, parts), n), None]))
        follower.await_log(r"event=(refresh-failed|primary-unreachable) ", after=before)
        assert_served(follower)
    recovers(liar, follower)


def test_a_stream_that_is_cut_within_a_message(liar, follower):
    wire = []
    liar.say(follower, gives(soa(2), lambda query: wire.extend(stream(query, [[soa(2), NS, A, soa(2)]])) or [wire[0][:len(wire[0]) // 2], None]))
    follower.await_log(r"event=(refresh-failed|primary-unreachable) ")
    assert_served(follower)
    recovers(liar, follower)


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"])
def test_transfers_that_are_refused(liar, follower, rcode):
    liar.say(follower, gives(soa(2), refusing(dns.rcode.from_text(rcode))))
    follower.await_log(r"event=changes-do-not-fit zone=example\. .*answers %s" % rcode)
    follower.await_log(r"warning event=refresh-failed zone=example\. .*answers %s" % rcode)
    assert_served(follower)
    recovers(liar, follower)


# ---- without end, and too large ----

def endless(query):
    """A zone of whatever many records."""
    hosts = (["h%d.example. 60 IN TXT \"%s\"" % (i, "x" * 200) for i in range(n, n + 200)] for n in itertools.count(0, 200))
    return stream(query, itertools.chain([[soa(2), NS, A]], hosts))


@pytest.fixture
def bounded(liar, secondary):
    def start(*options):
        follower = secondary([KEY], *NOW, *options, primaries=[liar.place])
        follower.await_serial("example", 1)
        return follower
    return start


@pytest.mark.parametrize("option, why", [
    ("--max-records=5000", r"the transfer has more than 5000 records"),
    ("--max-zone-size=1", r"the zone takes more than 1048576 octets of memory"),
])
def test_a_transfer_without_end(liar, bounded, option, why):
    follower = bounded(option)
    liar.say(follower, gives(soa(2), endless))
    follower.await_log(r"warning event=refresh-failed zone=example\. .*text=.*%s.*form=whole" % why)
    assert_served(follower)
    recovers(liar, follower)
    follower.stop()


def test_changes_without_end(liar, bounded):
    """They cost no more than a zone may take, and are followed by the whole zone."""
    follower = bounded("--max-zone-size=1")
    whole = has([soa(2), NS, A])
    hosts = ([soa(2), soa(1), soa(2)] * (n == 0) + ["h%d.example. 60 IN TXT \"%s\"" % (i, "x" * 200) for i in range(n, n + 200)]
             for n in itertools.count(0, 200))
    liar.say(follower, lambda query: stream(query, hosts) if kind(query) == dns.rdatatype.IXFR else whole(query))
    follower.await_log(r"info event=changes-do-not-fit zone=example\. .*the changes take more than \d+ octets of memory")
    follower.await_serial("example", 2)
    assert_served(follower, 2)
    follower.stop()


def test_one_record_without_end(liar, bounded):
    """It takes no memory, so only the number of records ends it."""
    follower = bounded("--max-records=20000")
    liar.say(follower, gives(soa(2), lambda query: stream(query, itertools.chain([[soa(2), NS]], itertools.repeat([A] * 500)))))
    follower.await_log(r"warning event=refresh-failed .*the transfer has more than 20000 records.*form=whole")
    assert_served(follower)
    recovers(liar, follower)
    follower.stop()


def test_requests_over_the_link_without_end(liar, secondary):
    """NOTIFYs of a primary that reads no answers: they are dealt with, and we are none the larger."""
    options = servers.sanitizer_env()["ASAN_OPTIONS"] + ":quarantine_size_mb=1"  # what is freed is not to count
    follower = secondary([KEY], *NOW, primaries=[liar.place], env={"ASAN_OPTIONS": options})
    follower.await_serial("example", 1)
    before = processes.kib(follower.pid, "RssAnon")
    liar.say(follower, lambda query: itertools.repeat(frame(forged("example")) * 100))
    follower.await_true("many turns were spent on them", lambda: follower.stat("notices", event="follow-stats") > 100)
    assert processes.kib(follower.pid, "RssAnon") - before < 40000
    liar.answer = has([soa(1), NS, A])
    liar.cut()
    assert_served(follower)
    recovers(liar, follower)
    follower.stop()


def test_the_end_in_the_middle_of_a_transfer(liar, bounded):
    follower = bounded()
    liar.say(follower, gives(soa(2), endless))
    follower.await_true("it transfers", lambda: follower.stat("transferring", event="follow-stats") == 1)
    assert_served(follower)
    follower.stop()


# ---- what is no answer ----

GARBAGE = {
    "no message": (lambda _: [frame(b"\xff" * 40)], r"sends what is no DNS message"),
    "a header's half": (lambda _: [frame(b"\0" * 5)], r"."),
    "a length of 0": (lambda _: [frame(b"")], r"."),
    "HTTP": (lambda _: [b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", None], r"."),
    "noise": (lambda _: [random.Random(1).randbytes(100000), None], r"."),
    "the end": (lambda _: [None], r"."),
    "a half of an answer": (lambda _: [b"\0\x40abc", None], r"."),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage(liar, follower, what):
    answer, why = GARBAGE[what]
    liar.say(follower, answer)
    follower.await_log(r"warning event=primary-unreachable .*from=%s .*text=.*%s.*retry_s=\d" % (liar.place, why))
    assert_served(follower)
    recovers(liar, follower)
    follower.await_log("info event=primary-reached")


def test_answers_that_nobody_has_asked_for(liar, follower):
    """They end the link, so that a peer cannot keep us at them."""
    def other_id(query):
        return (message[:2] + bytes([message[2] ^ 0xFF]) + message[3:] for message in stream(query, [[soa(2)]] * 200))
    liar.say(follower, other_id)
    follower.await_log(r"warning event=primary-unreachable .*sends answers that nobody has asked for")
    assert follower.stat("unexpected", event="follow-stats") > 100
    recovers(liar, follower)


def test_a_primary_that_answers_one_question_a_connection(liar, secondary):
    good = has([soa(1), NS, A])
    liar.answer = lambda query: [*good(query), None]
    follower = secondary([KEY], *NOW, primaries=[liar.place])
    follower.await_serial("example", 1)
    good = has([soa(2), NS, A])
    follower.await_serial("example", 2)
    assert "refresh-failed" not in follower.log()
    follower.stop()


# ---- signatures and clocks ----

@pytest.mark.parametrize("error, hint", [(16, "BADSIG: it has another secret"), (17, "BADKEY: it has no such key"), (18, "BADTIME: the clocks differ")])
def test_a_primary_that_does_not_take_our_signature(liar, follower, error, hint):
    liar.say(follower, lambda query: [frame(dns.message.make_response(query, tsig_error=error).to_wire())])
    follower.await_log(r"warning event=refresh-failed zone=example\. .*the primary does not accept our signature \(%s" % hint)
    assert_served(follower)
    recovers(liar, follower)


def test_a_clock_that_is_an_hour_off(repo, primary, secondary, tmp_path, need):
    """With a primary that checks it; the others do what they want."""
    need("gcc")
    repo.commit({"example": zone_text(1), "_keys": KEY.line})
    served = primary(repo, zones=["example"])
    for off in 3600, -3600:
        follower = follow(secondary, served, env=clock.off(tmp_path, off))
        follower.await_log(r"warning event=refresh-failed .*BADTIME: the clocks differ")
        assert follower.ask("example", "SOA").rcode() in (dns.rcode.SERVFAIL, dns.rcode.REFUSED)
        follower.stop()
    served.stop()


def test_a_key_that_the_primary_takes_away(repo, primary, secondary):
    repo.commit({"example": zone_text(1), "_keys": KEY.line})
    served = primary(repo, zones=["example"])
    follower = follow(secondary, served)
    follower.await_serial("example", 1)
    for keys, why in (Key("other._transfer.").line, "BADKEY"), (Key(KEY.name, b"another secret of thirty-two oct").line, "BADSIG"):
        before = mark(follower)
        repo.commit({"example": zone_text(2), "_keys": keys})
        served.hangup()
        follower.await_log(r"warning event=refresh-failed zone=example\. .*%s" % why, after=before)
        assert_served(follower)
    repo.commit({"_keys": KEY.line})
    served.hangup()
    follower.await_serial("example", 2)
    assert KEY.secret not in follower.log()
    follower.stop()
    served.stop()


# ---- a primary that stalls, dies, and goes back ----

def test_primaries_that_fall_silent(liar, follower, repo, primary, secondary):
    """Half-open connections: one in the middle of a transfer, one at rest.  That they are dead is seen by time alone."""
    repo.commit({"example": zone_text(1), "_keys": KEY.line})
    served = primary(repo, zones=["example"])
    second = follow(secondary, served)
    second.await_serial("example", 1)
    processes.stop(served.pid)
    liar.say(follower, gives(soa(2), lambda query: stream(query, [[soa(2), NS, A]])))
    follower.await_log(r"warning event=primary-unreachable .*the primary does not answer")
    liar.answer = has([soa(1), NS, A])
    second.await_log(r"warning event=primary-unreachable .*the primary does not answer")
    assert_served(follower)
    assert_served(second)
    repo.commit({"example": zone_text(2)})
    os.kill(served.pid, signal.SIGCONT)
    served.hangup()
    second.await_serial("example", 2)
    second.await_log("info event=primary-reached")
    recovers(liar, follower)
    second.stop()
    served.stop()


def test_a_primary_that_goes_back(repo, primary, secondary):
    """Killed, and restarted with an older serial."""
    repo.commit({"example": zone_text(5), "_keys": KEY.line})
    served = primary(repo, zones=["example"])
    follower = follow(secondary, served)
    follower.await_serial("example", 5)
    served.kill()
    follower.await_log(r"event=primary-unreachable .*refused")
    repo.commit({"example": zone_text(3, "c A 192.0.2.3\n")})
    again = primary(repo, zones=["example"], port=served.port)
    follower.await_log(r"warning event=refresh-failed zone=example\. .*the primary has serial 3, which is older than ours \(5\)")
    assert_served(follower, 5)
    assert follower.ask("c.example").rcode() == dns.rcode.NXDOMAIN
    repo.commit({"example": zone_text(6, "c A 192.0.2.3\n")})
    again.hangup()
    follower.await_serial("example", 6)
    assert follower.ask("c.example").rcode() == dns.rcode.NOERROR
    follower.stop()
    again.stop()


def test_another_history_of_the_same_serials(tmp_path, primary, secondary):
    """The changes from serial 2 that the second primary has are not for the first one's serial 2."""
    running, repos = {}, {}
    for name in "one", "two":
        os.mkdir(tmp_path / name)
        repos[name] = Repo(str(tmp_path / name))
        repos[name].commit({"example": zone_text(1), "_keys": KEY.line})
        running[name] = primary(repos[name], zones=["example"])
        repos[name].commit({"example": zone_text(2, name + " A 192.0.2.2\n")})
        running[name].hangup()
        running[name].await_serial("example", 2)
    follower = follow(secondary, *running.values())
    follower.await_serial("example", 2)
    had, other = ("one", "two") if follower.ask("one.example").rcode() == dns.rcode.NOERROR else ("two", "one")
    running[had].kill()
    repos[other].commit({"example": zone_text(3)})
    running[other].hangup()
    follower.await_serial("example", 3)
    follower.await_log(r"event=changes-do-not-fit zone=example\. .*%s\.example\. A: is to be removed and is not there" % other)
    assert follower.ask(had + ".example").rcode() == dns.rcode.NXDOMAIN
    follower.stop()
    running[other].stop()


# ---- strangers ----

def forged(zone):
    message = dns.message.make_query(zone, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    return message.to_wire()


def test_a_flood_of_forged_notifies(liar, follower):
    """From the primary's own address, as anybody can forge it: for zones that there are not, and for the one that there is.  All that is
    asked meanwhile is answered, no zone is learnt, and the primary is asked a few times, not once for each."""
    ended = threading.Event()
    sent = []

    def flood():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for n in itertools.count():
                if ended.is_set():
                    sent.append(n)
                    return
                s.sendto(forged_ones[n % len(forged_ones)], (servers.ADDRESS, follower.port))
    forged_ones = [forged("example" if n % 2 else "z%d.example" % n) for n in range(1000)]
    asked_before, logged_before = len(liar.queries), mark(follower)
    thread = threading.Thread(target=flood)
    thread.start()
    try:
        for _ in range(300):
            assert follower.ask("ns.example", tcp=True).rcode() == dns.rcode.NOERROR
    finally:
        ended.set()
        thread.join()
    assert sent[0] > 1000
    assert follower.stat("zones", event="follow-stats") == 1
    assert len(liar.queries) - asked_before < 200 + sent[0] // 10
    assert mark(follower) - logged_before < 200000
    recovers(liar, follower)


def test_strangers_at_the_port_of_a_link(liar, follower):
    (connection,) = liar.open
    address = connection.getpeername()
    here = (servers.ADDRESS, servers.free_port())  # or it might be given the link's, and talk to itself
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 10, source_address=here)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(here)
        s.connect(address)
        s.send(forged("example"))
        with pytest.raises(ConnectionRefusedError):
            s.recv(1)
    assert_served(follower)
    recovers(liar, follower)


# ---- its own end, and want of room ----

def test_killed_in_the_middle_of_a_transfer(liar, follower, secondary):
    liar.say(follower, gives(soa(2), endless))
    follower.await_true("it transfers", lambda: follower.stat("transferring", event="follow-stats") == 1)
    second = secondary([KEY], *NOW, primaries=[liar.place])
    os.kill(second.pid, signal.SIGKILL)
    second.popen.wait()
    liar.answer = has([soa(3), NS, A])
    again = secondary([KEY], *NOW, primaries=[liar.place], port=second.port)
    again.await_serial("example", 3)
    again.stop()


def test_a_zone_that_is_larger_than_the_memory(repo, primary, secondary):
    repo.commit({"example": zone_text(1), "_keys": KEY.line})
    served = primary(repo, zones=["example"])
    follower = follow(secondary, served, options=(*NOW, "--memory-max=64"))
    follower.await_serial("example", 1)
    hosts = "".join("h%d TXT \"%s\"\n" % (i, "x" * 250) for i in range(200000))
    repo.commit({"example": zone_text(2, hosts)})
    served.hangup()
    follower.await_log(r"warning event=refresh-failed zone=example\. .*octets of memory")
    assert_served(follower)
    repo.commit({"example": zone_text(3)}, "less\n\nOrigin-Allow: mass-delete")
    served.hangup()
    follower.await_serial("example", 3)
    follower.stop()
    served.stop()
