"""Messages that are wrong, made out of good ones and by hand, and a way to put many of them to a server.

Each message gets a number of its own in its first two octets, by which its answer is known.  After a batch comes a plain
question: once that is answered, everything before it has been dealt with, and what is not answered by then never is.
"""
import random
import socket
import struct

import dns.message

import servers

HEADER_LEN, MESSAGE_MAX, BATCH = 12, 65535, 50
LAST_ID = 0xFFFF
A, SOA, TSIG, IN, ANY = 1, 6, 250, 1, 255


def header(opcode=0, bits=0, counts=(1, 0, 0, 0)):
    return struct.pack("!6H", 0, opcode << 11 | bits, *counts)


def question(name=b"\3www\7example\3org\0", rdtype=A, rdclass=IN):
    return name + struct.pack("!2H", rdtype, rdclass)


def record(name, rdtype, rdclass, ttl, data):
    return name + struct.pack("!2HIH", rdtype, rdclass, ttl, len(data)) + data


def renumbered(wire, number):
    return struct.pack("!H", number) + wire[2:] if len(wire) >= 2 else wire


# ---- out of good ones ----

def truncations(wire):
    return [wire[:n] for n in range(len(wire))]


def bit_flips(wire):
    """Every single bit but those of the id."""
    for at in range(2, len(wire)):
        for bit in range(8):
            yield wire[:at] + bytes([wire[at] ^ 1 << bit]) + wire[at + 1:]


def scrambled(wire, seed, n):
    """Some octets replaced, some left out, some put in."""
    chance = random.Random(seed)
    for _ in range(n):
        octets = bytearray(wire)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(2, len(octets))
            what = chance.randrange(3)
            octets[at:at + (what != 2)] = b"" if what == 0 else bytes([chance.choice((0, 12, 63, 64, 192, 255, chance.randrange(256)))])
        yield bytes(octets)


def lying_counts(wire):
    """Each of the four says more, or less, than there is."""
    for at in range(4, HEADER_LEN, 2):
        true, = struct.unpack("!H", wire[at:at + 2])
        for lie in {0, 1, 2, 3, 255, 65535} - {true}:
            yield wire[:at] + struct.pack("!H", lie) + wire[at + 2:]


def opcodes(wire):
    """All of them, as requests and as responses, with every flag and with none."""
    for opcode in range(16):
        for bits in (0, 0x07FF, 0x8000, 0x87FF):
            yield wire[:2] + struct.pack("!H", opcode << 11 | bits & 0x87FF) + wire[4:]


def as_request(wire):
    """A response that says it is none."""
    return wire[:2] + bytes([wire[2] & 0x7F]) + wire[3:]


def variations(wire, seed):
    yield from truncations(wire)
    yield from bit_flips(wire)
    yield from scrambled(wire, seed, 200)
    yield from lying_counts(wire)
    yield from opcodes(wire)
    yield wire + b"\0"


# ---- by hand ----

def name_of(octets):
    """A name of so many octets in all, of labels as long as may be."""
    out, left = b"", octets - 1
    while left:
        n = min(63, left - 1)
        n -= left - 1 - n == 1  # no octet may be left alone: there is no label of length 0 in the middle
        out += bytes([n]) + b"x" * n
        left -= 1 + n
    return out + b"\0"


def bad_names():
    """Names that are none, where the question has its own: all of them FORMERR."""
    return {
        "256 octets": name_of(256), "1,000 octets": name_of(1000), "a label of 64": b"\x40" + b"x" * 64 + b"\0",
        "a label of 128": b"\x80" + b"x" * 128 + b"\0", "no end": b"\3www", "a pointer to itself": b"\xc0\x0c",
        "a pointer to the header": b"\xc0\0", "a pointer ahead": b"\xc0\x20", "a pointer into nothing": b"\xff\xff",
        "a label, then a pointer back to it": b"\1a\xc0\x0c", "half a pointer": b"\xc0",
    }


def pointer(to):
    return struct.pack("!H", 0xC000 | to)


def woven_records(n):
    """`n` records, the name of each a pointer to the name before, the first to the question's; and the last offset that a
    pointer can have."""
    out, last = b"", HEADER_LEN
    for _ in range(n):
        at = HEADER_LEN + len(question()) + len(out)
        out += record(pointer(last), A, IN, 0, b"\0\0\0\0")
        last = at if at < 0x4000 else last
    return out, last


def bad_owners():
    """Further records whose names run in circles, or nowhere: all of them FORMERR."""
    at = HEADER_LEN + len(question())
    itself = pointer(at)
    return {
        "to itself": record(itself, A, IN, 0, b"\0\0\0\0"), "ahead": record(pointer(at + 16), A, IN, 0, b"\0\0\0\0") * 2,
        "to the header": record(b"\xc0\1", A, IN, 0, b""), "past the end": record(b"\xff\xf0", A, IN, 0, b""),
        "a label, then itself": record(b"\1a" + itself, A, IN, 0, b""), "256 octets": record(name_of(256), A, IN, 0, b""),
        "RDLENGTH past the end": record(b"\0", A, IN, 0, b"")[:-2] + b"\xff\xff", "no RDLENGTH": b"\0\0\1\0\1\0\0\0\0",
    }


def fillings():
    """Nothing but one octet, in many lengths."""
    for octet in (b"\0", b"\xff", b"\x7f", b"\xc0", b"\x0c"):
        for n in (0, 1, 2, 11, 12, 13, 16, 17, 63, 512, 1232, 4096):
            yield octet * n


# ---- to a server and back ----

class Line:
    """One socket to a server; `put(messages)` → their answers, in order, None where there is none."""

    def __init__(self, port, tcp=False):
        self.tcp = tcp
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        self.socket.settimeout(20)
        self.socket.connect((servers.ADDRESS, port))

    def send(self, wire):
        self.socket.sendall(struct.pack("!H", len(wire)) + wire if self.tcp else wire)

    def receive_exactly(self, n):
        got = b""
        while len(got) < n:
            more = self.socket.recv(n - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    def receive(self):
        return self.receive_exactly(*struct.unpack("!H", self.receive_exactly(2))) if self.tcp else self.socket.recv(MESSAGE_MAX)

    def put(self, messages):
        answers = []
        for begin in range(0, len(messages), BATCH):
            answers += self.put_batch(messages[begin:begin + BATCH])
        return answers

    def put_batch(self, messages):
        for number, wire in enumerate(messages):
            self.send(renumbered(wire, number))
        self.send(renumbered(header() + question(), LAST_ID))
        answers = [None] * len(messages)
        while True:
            answer = self.receive()
            number, = struct.unpack("!H", answer[:2])
            if number == LAST_ID:
                return answers
            assert answers[number] is None, "two answers to %r" % messages[number]
            answers[number] = answer

    def is_closed_by_peer(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()


def rcode(answer):
    return answer[3] & 15


def check(sent, answer, size_max):
    """What holds for every answer, whatever was asked: it is one, it reads back, and it is no larger than it may be."""
    if len(sent) < HEADER_LEN or sent[2] & 0x80:
        assert answer is None, "an answer to what is no request: %r" % sent
        return
    assert answer is not None, "no answer to %r" % sent
    assert answer[2] & 0x80 and (answer[2] ^ sent[2]) & 0x79 == 0, "QR, opcode or RD is wrong: %r, %r" % (sent, answer)
    assert len(answer) <= size_max, "%d octets for %r" % (len(answer), sent)
    try:
        dns.message.from_wire(answer[:2] + bytes([answer[2] & 0x87]) + answer[3:])  # it knows few opcodes: read as a QUERY's
    except dns.message.UnknownTSIGKey:
        pass  # the last record; all before it was read
