"""Messages of the soak, made octet by octet: they are sent by the thousand, signed and all, and many are what no library would make."""
import base64
import hashlib
import hmac
import struct
import time

import dns.name

QUERY, NOTIFY, UPDATE = 0, 4, 5
A, SOA, TXT, AXFR, IXFR, OPT, TSIG, ANY_TYPE, IN, ANY = 1, 6, 16, 252, 251, 41, 250, 255, 1, 255
DO, FUDGE_S = 0x8000, 300
APEX = b"\xc0\x0c"  # a pointer to the question's name
ALGORITHM = dns.name.from_text("hmac-sha256").to_wire()


def name(text):
    return dns.name.from_text(text).to_wire()


def header(number, opcode, counts):
    return struct.pack("!6H", number & 0xFFFF, opcode << 11, *counts)


def question(owner, rdtype, *, number=0, opcode=QUERY, rdclass=IN):
    return header(number, opcode, (1, 0, 0, 0)) + name(owner) + struct.pack("!2H", rdtype, rdclass)


def with_edns(asked, ttl=0):
    """A question with an OPT record of 1,232 octets; `ttl`: its flags."""
    return asked[:11] + b"\1" + asked[12:] + record(b"\0", OPT, 1232, ttl, b"")


def record(owner, rdtype, rdclass, ttl, data):
    return owner + struct.pack("!2HIH", rdtype, rdclass, ttl, len(data)) + data


def text_of(text):
    return bytes([len(text)]) + text.encode()


def ixfr(zone, serial, *, number=0):
    old = b"\0\0" + struct.pack("!5I", serial, 1, 1, 1, 1)
    return header(number, QUERY, (1, 0, 1, 0)) + name(zone) + struct.pack("!2H", IXFR, IN) + record(APEX, SOA, IN, 0, old)


def update(zone, prerequisites=(), changes=(), *, number=0):
    head = header(number, UPDATE, (1, len(prerequisites), len(changes), 0))
    return head + name(zone) + struct.pack("!2H", SOA, IN) + b"".join(prerequisites) + b"".join(changes)


def below_apex(label):
    return bytes([len(label)]) + label.encode() + APEX


def is_in_use(label):
    return record(below_apex(label), ANY_TYPE, ANY, 0, b"")


def apex_is_in_use():
    return record(APEX, ANY_TYPE, ANY, 0, b"")


def add_txt(label, text, ttl=60):
    return record(below_apex(label), TXT, IN, ttl, text_of(text))


def delete_name(label):
    return record(below_apex(label), ANY_TYPE, ANY, 0, b"")


def signed(wire, key, at=None):
    """RFC 8945 4.3.3, with HMAC-SHA256; `at`: the time of signing."""
    owner = name(key.name)
    when = struct.pack("!Q", int(at or time.time()))[2:] + struct.pack("!H", FUDGE_S)
    told = owner + struct.pack("!HI", ANY, 0) + ALGORITHM + when + b"\0\0\0\0"
    mac = hmac.new(base64.b64decode(key.secret), wire + told, hashlib.sha256).digest()
    data = ALGORITHM + when + struct.pack("!H", len(mac)) + mac + wire[:2] + b"\0\0\0\0"
    more, = struct.unpack("!H", wire[10:12])
    return wire[:10] + struct.pack("!H", more + 1) + wire[12:] + record(owner, TSIG, ANY, 0, data)


def framed(wire):
    return struct.pack("!H", len(wire)) + wire


def rcode(answer):
    return answer[3] & 15
