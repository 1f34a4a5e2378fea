"""A hidden secondary, behind address translation: all that it hears comes over the one connection that it keeps to us.

It is played here, message by message: a SOA query signed with a transfer key, then NOTIFY by NOTIFY, each verified and answered.
"""
import re
import socket
import threading

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

import servers

ZONE = "$TTL 300\n@ SOA ns1 host %d 3600 600 86400 300\n@ NS ns1\nns1 A 127.0.0.1\n"


class Hidden:
    """The secondary's end of a connection."""

    def __init__(self, served, key, window=None, source=None):
        self.served, self.key = served, key
        self.tcp = socket.socket()
        self.tcp.settimeout(20)
        if window is not None:
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        if source is not None:
            self.tcp.bind((source, 0))
        self.tcp.connect((servers.ADDRESS, served.port))
        self.stream = self.tcp.makefile("rb")
        self.notified = []  # that came while something else was awaited

    def close(self):
        self.stream.close()
        self.tcp.close()

    def send(self, query):
        self.key.sign(query)
        dns.query.send_tcp(self.tcp, query)
        return query

    def receive(self, query=None):
        """The next message, verified; `query` is what it answers, if it does."""
        length = self.stream.read(2)
        assert len(length) == 2, "the connection is closed\n" + self.served.log_tail()
        wire = self.stream.read(int.from_bytes(length, "big"))
        is_answer = wire[2] & 0x80
        blank = self.key.sign(dns.message.Message())
        message = dns.message.from_wire(wire, keyring=blank.keyring, request_mac=query.mac if is_answer and query else b"")
        assert message.had_tsig and message.keyname == dns.name.from_text(self.key.name)
        return message

    def ask(self, zone):
        """The answer to a SOA query; NOTIFYs that come before it are kept."""
        query = self.send(dns.message.make_query(zone, "SOA"))
        while True:
            message = self.receive(query)
            if message.id == query.id and message.flags & dns.flags.QR:
                return message
            self.notified.append(message)

    def next_notify(self):
        message = self.notified.pop(0) if self.notified else self.receive()
        assert message.opcode() == dns.opcode.NOTIFY and not message.flags & dns.flags.QR, message
        return message

    def answer(self, notify, rcode=dns.rcode.NOERROR):
        response = dns.message.make_response(notify)
        response.set_rcode(rcode)
        dns.query.send_tcp(self.tcp, response)

    def hear(self):
        """The next NOTIFY, answered: (zone, serial; None for one that is gone)."""
        notify = self.next_notify()
        self.answer(notify)
        return told_by(notify)


def told_by(notify):
    assert notify.flags & dns.flags.AA and notify.question[0].rdtype == dns.rdatatype.SOA
    return notify.question[0].name.to_text(True), notify.answer[0][0].serial if notify.answer else None


@pytest.fixture
def hidden(make_key):
    """Keys as behaviour has them: one of a zone, one of all."""
    return {"example": make_key("hidden.127.0.0.1._transfer.example"), "root": make_key("hidden.127.0.0.1._transfer", algorithm="SHA512")}


@pytest.fixture
def serve(primary, repo, hidden, notify_key):
    def start(zones, *options):
        keys = notify_key.line + hidden["root"].line
        repo.commit({**{zone: ZONE % 1 for zone in zones}, "_keys": keys, "example._keys": hidden["example"].line})
        return primary(repo, *options, zones=list(zones)[:1])
    return start


@pytest.fixture
def push(repo, notify, notify_key):
    def change(served, files):
        repo.commit(files)
        assert notify(served.port, "example", notify_key).rcode() == dns.rcode.NOERROR
    return change


def test_a_zone(serve, hidden, push):
    served = serve(["example", "other"])
    peer = Hidden(served, hidden["example"])
    assert peer.ask("example").answer[0][0].serial == 1
    for serial in range(2, 6):
        push(served, {"example": ZONE % serial, "other": ZONE % serial})
        assert peer.hear() == ("example", serial)
        served.await_log(r"event=notify-acknowledged to=127\.0\.0\.1@%d transport=connection zone=example\. serial=%d key=%s" % (
            peer.tcp.getsockname()[1], serial, hidden["example"].name.replace(".", r"\.")))
    push(served, {"example": None})
    assert peer.hear() == ("example", None)
    push(served, {"example": ZONE % 9})
    assert peer.hear() == ("example", 9)
    peer.close()
    served.stop()


def test_every_zone(serve, hidden, push):
    """With a root key the root is asked for: it is not ours, and every zone follows; later on new ones, too."""
    zones = ["example"] + ["z%d.example" % i for i in range(150)] + ["other.test"]
    served = serve(zones)
    peer = Hidden(served, hidden["root"])
    answer = peer.ask(".")
    assert not answer.flags & dns.flags.AA and not answer.answer
    assert sorted(peer.hear() for _ in zones) == sorted((zone, 1) for zone in zones)
    push(served, {"new.test": ZONE % 7})
    assert peer.hear() == ("new.test", 7)
    push(served, {"new.test": None})
    assert peer.hear() == ("new.test", None)
    peer.close()
    served.stop()


def test_every_zone_once_more(serve, hidden):
    """It has lost all, and asks again: after a moment at most it hears of all, each time."""
    zones = ["example", "other.test", "third.test"]
    served = serve(zones)
    for _ in range(3):
        peer = Hidden(served, hidden["root"])
        peer.ask(".")
        assert sorted(peer.hear() for _ in zones) == sorted((zone, 1) for zone in zones)
        peer.close()
    served.stop()


def test_more_than_may_be_kept(serve, hidden, push):
    """A fourth of all places is for such connections.  The log says who has none; the others hear of changes as before."""
    served = serve(["example"], "--tcp-max=8")
    peers = [Hidden(served, hidden["example"]) for _ in range(2)]
    for peer in peers:
        peer.ask("example")
    late = Hidden(served, hidden["example"])
    assert late.ask("example").answer[0][0].serial == 1
    served.await_log(r"event=secondary-not-told from=127\.0\.0\.1@%d zone=example\. key=%s\. text=" % (
        late.tcp.getsockname()[1], re.escape(hidden["example"].name)))
    push(served, {"example": ZONE % 2})
    assert [peer.hear() for peer in peers] == [("example", 2)] * 2
    assert served.stat("not_told", "notify-stats") == 1 and served.stat("subscriptions", "notify-stats") == 2
    for peer in [*peers, late]:
        peer.close()
    served.stop()


def test_it_stays_while_others_are_idle(serve, hidden, push):
    """Its connection outlives --tcp-idle; that of somebody who only asked does not."""
    served = serve(["example"], "--tcp-idle=1")
    peer = Hidden(served, hidden["example"])
    peer.ask("example")
    with socket.create_connection((servers.ADDRESS, served.port), 30) as other:
        dns.query.send_tcp(other, dns.message.make_query("example", "SOA"))
        dns.query.receive_tcp(other)
        assert other.recv(1) == b""  # closed: the idle time is over
    with socket.create_connection((servers.ADDRESS, served.port), 30) as other:
        assert other.recv(1) == b""  # and once more
    push(served, {"example": ZONE % 2})
    assert peer.hear() == ("example", 2)
    peer.close()
    served.stop()


def test_a_connection_is_lost_and_made_again(serve, hidden, push):
    served = serve(["example"])
    peer = Hidden(served, hidden["example"])
    peer.ask("example")
    push(served, {"example": ZONE % 2})
    peer.next_notify()  # and no answer to it
    peer.close()
    push(served, {"example": ZONE % 3})
    served.await_serial("example", 3)
    peer = Hidden(served, hidden["example"])
    assert peer.ask("example").answer[0][0].serial == 3
    push(served, {"example": ZONE % 4})
    assert peer.hear() == ("example", 4)
    peer.close()
    served.stop()


def test_it_is_told_again(serve, hidden, push, make_key):
    """Without an answer, with SERVFAIL, and with one that is not signed with its key."""
    served = serve(["example"])
    peer = Hidden(served, hidden["example"])
    peer.ask("example")
    push(served, {"example": ZONE % 2})
    first = peer.next_notify()
    again = peer.next_notify()  # a second later
    assert told_by(first) == told_by(again) == ("example", 2)
    peer.answer(again, dns.rcode.SERVFAIL)
    served.await_log("event=notify-put-off")
    third = peer.next_notify()
    forged = dns.message.make_response(third)
    make_key(hidden["example"].name, secret=b"the secret of somebody else.....").sign(forged)
    forged.request_mac = third.mac
    dns.query.send_tcp(peer.tcp, forged)
    served.await_log("event=notify-unverified")
    push(served, {"example": ZONE % 3})  # takes the place of what is pending
    while True:
        zone, serial = peer.hear()
        if serial == 3:
            break
        assert (zone, serial) == ("example", 2)
    served.await_log(r"event=notify-acknowledged .* serial=3 ")
    peer.close()
    served.stop()


def test_whose_key_is_gone(serve, hidden, push):
    """With the commit that removes its key a subscription ends, though the connection stays; that of another key goes on."""
    served = serve(["example"])
    gone, stays = Hidden(served, hidden["example"]), Hidden(served, hidden["root"])
    assert gone.ask("example").answer[0][0].serial == 1
    stays.ask(".")
    assert stays.hear() == ("example", 1)
    push(served, {"example": ZONE % 2, "example._keys": None})
    push(served, {"example": ZONE % 3})
    while stays.hear() != ("example", 3):
        pass
    query = dns.message.make_query("example", "SOA")
    dns.query.send_tcp(gone.tcp, query)
    answer, _ = dns.query.receive_tcp(gone.tcp, one_rr_per_rrset=True)  # the first that comes: nothing was said before
    assert query.is_response(answer) and answer.answer[0][0].serial == 3
    assert "to=127.0.0.1@%d" % gone.tcp.getsockname()[1] not in served.log()
    for peer in (gone, stays):
        peer.close()
    served.stop()


def test_a_transfer_goes_on_meanwhile(serve, hidden, push):
    """No NOTIFY stands between the messages of a transfer: it comes when that is through."""
    served = serve(["example"])
    many = "".join("h%d TXT %s\n" % (n, "t" * 250) for n in range(20000))  # more than a socket takes
    push(served, {"example": ZONE % 2 + many})
    served.await_serial("example", 2)
    peer = Hidden(served, hidden["example"], window=4096)
    peer.ask("example")
    query = peer.send(dns.message.make_query("example", "AXFR"))
    served.await_true("it has begun", lambda: peer.tcp.recv(1, socket.MSG_PEEK))
    push(served, {"example": ZONE % 3 + many})
    served.await_serial("example", 3)
    records, heard_at = transfer(peer, query, ("example", 3))
    assert len(records) == 20004 and records[0].serial == records[-1].serial == 2, records[0]
    assert heard_at == len(records)
    peer.close()
    served.stop()


def test_half_a_question(serve, hidden, push):
    """A question of which only a part has come is open, too: its answer is the next message."""
    served = serve(["example"])
    peer = Hidden(served, hidden["example"])
    peer.ask("example")
    query = hidden["example"].sign(dns.message.make_query("example", "SOA"))
    wire = query.to_wire()
    peer.tcp.sendall(len(wire).to_bytes(2, "big") + wire[:20])
    other = Hidden(served, hidden["root"])  # by which it is seen that all are told
    other.ask("example")
    push(served, {"example": ZONE % 2})
    assert other.hear() == ("example", 2)
    served.await_true("it is given to the connection", lambda: served.stat("sent_connection", "notify-stats") >= 2)
    peer.tcp.sendall(wire[20:])
    answer = peer.receive(query)
    assert answer.id == query.id and answer.answer[0][0].serial == 2
    assert peer.hear() == ("example", 2)
    for end in (peer, other):
        end.close()
    served.stop()


def test_an_address_that_leads_nowhere(primary, repo, make_key, notify_key, push):
    """Its key's name has an address where nobody answers: it is told by its connection, from the second time on at once."""
    key = make_key("127.0.0.1.127.0.0.77._transfer.example")
    repo.commit({"example": ZONE % 1, "_keys": notify_key.line, "example._keys": key.line})
    served = primary(repo, "--log-level=debug", zones=["example"])
    peer = Hidden(served, key)
    peer.ask("example")
    for serial in 2, 3:
        push(served, {"example": ZONE % serial})
        assert peer.hear() == ("example", serial)
        served.await_log(r"event=notify-unreached to=127\.0\.0\.77@53 .* serial=%d .*attempts=%d " % (serial, 3 if serial == 2 else 0))
    peer.close()
    served.stop()


class Front:
    """What answers at port 53 of the address that a secondary asks from: itself, or a router that it is behind.  By UDP; `rcode` None: nothing."""

    def __init__(self, address, rcode):
        self.rcode, self.heard = rcode, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            wire, to = self.socket.recvfrom(65536)
            if wire == b"end":
                return
            self.heard += 1
            if self.rcode is not None:
                response = dns.message.make_response(dns.message.from_wire(wire))
                response.set_rcode(self.rcode)
                self.socket.sendto(response.to_wire(), to)

    def kill(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


FRONT = "127.0.0.5"
NAMES_FRONT = ZONE + "@ NS front\nfront A %s\n" % FRONT


@pytest.fixture
def behind_front(port_53, started, primary, repo, hidden, notify_key):
    """behind_front(rcode) → (primary, secondary that asks from the front's address, front); an NS record names that address."""
    def start(rcode):
        repo.commit({"example": NAMES_FRONT % 1, "_keys": notify_key.line, "example._keys": hidden["example"].line})
        front = started(Front(FRONT, rcode))
        served = primary(repo, zones=["example"])
        served.await_true("it is told of the start", lambda: front.heard != 0)
        peer = Hidden(served, hidden["example"], source=FRONT)
        peer.ask("example")
        return served, peer, front
    return start


def test_a_router_in_front_refuses(behind_front, push):
    """It has not the key, so what it says is not the secondary's word: the connection is the way."""
    served, peer, front = behind_front(dns.rcode.REFUSED)
    for serial in 2, 3:
        push(served, {"example": NAMES_FRONT % serial})
        assert peer.hear() == ("example", serial)
    peer.close()
    served.stop()


def test_once_its_address_has_acknowledged(behind_front, push):
    """Nothing goes by the connection any more, not even when the address says nothing for a while."""
    served, peer, front = behind_front(dns.rcode.NOERROR)
    push(served, {"example": NAMES_FRONT % 2})
    served.await_log(r"event=notify-acknowledged to=127\.0\.0\.5@53 transport=udp zone=example\. serial=2 ")
    front.rcode, before = None, front.heard
    push(served, {"example": NAMES_FRONT % 3})
    served.await_true("it has been told four times", lambda: front.heard >= before + 4)  # the third without an answer was told
    front.rcode = dns.rcode.NOERROR
    served.await_log(r"event=notify-acknowledged to=127\.0\.0\.5@53 transport=udp zone=example\. serial=3 ")
    assert served.stat("sent_connection", "notify-stats") == 0
    assert peer.ask("example").answer[0][0].serial == 3 and not peer.notified
    peer.close()
    served.stop()


def transfer(peer, query, awaited):
    """Reads until the transfer is through: its records, and after how many of them the notification came."""
    records, heard_at, context = [], None, None
    blank = peer.key.sign(dns.message.Message())
    while heard_at is None or len(records) < 2 or records[-1].rdtype != dns.rdatatype.SOA:
        wire = peer.stream.read(int.from_bytes(peer.stream.read(2), "big"))
        if wire[2] & 0x80 == 0:
            notify = dns.message.from_wire(wire, keyring=blank.keyring)
            peer.answer(notify)
            if told_by(notify) == awaited and heard_at is None:
                heard_at = len(records)
            continue
        message = dns.message.from_wire(wire, keyring=blank.keyring, request_mac=query.mac, xfr=True, multi=True, tsig_ctx=context,
                                        one_rr_per_rrset=True)
        context = message.tsig_ctx
        records += [rdata for rrset in message.answer for rdata in rrset]
    return records, heard_at
