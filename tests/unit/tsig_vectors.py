#!/usr/bin/env python3
"""Makes tsig_vectors.h: messages signed by dnspython at a fixed time, which our TSIG has to make octet by octet.

    python3 tests/unit/tsig_vectors.py > tests/unit/tsig_vectors.h
"""
import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig

NOW = 1_700_000_000
SECRET = bytes(range(1, 41))
KEY_NAME = "Me._Update.Key-Zone."  # shares no suffix with the messages: dnspython would compress it


def tsig_rdata(algorithm, message_id, error=0, other=b""):
    name = dns.name.from_text(algorithm)
    return dns.message.Message._make_tsig(KEY_NAME, name, 0, 300, b"", message_id, error, other)[0]


def append_tsig(wire, rdata):
    """The message with its TSIG record, names not compressed."""
    owner = dns.name.from_text(KEY_NAME).to_wire()
    data = rdata.to_wire()
    arcount = struct.unpack("!H", wire[10:12])[0] + 1
    record = owner + struct.pack("!HHIH", 250, 255, 0, len(data)) + data
    return wire[:10] + struct.pack("!H", arcount) + wire[12:] + record


def sign(wire, key, request_mac=b"", error=0, other=b"", time=NOW, ctx=None, multi=False):
    rdata = tsig_rdata(key.algorithm.to_text(), struct.unpack("!H", wire[:2])[0], error, other)
    rdata, ctx = dns.tsig.sign(wire, key, rdata, time, request_mac, ctx, multi)
    return append_tsig(wire, rdata), rdata.mac, ctx


def literal(wire):
    text = "".join(f"\\x{octet:02x}" for octet in wire)
    lines = [text[i : i + 96] for i in range(0, len(text), 96)]
    return "\n\t  ".join(f'"{line}"' for line in lines)


def entry(name, wire):
    print(f"\t.{name} = {{ (const uint8_t *){literal(wire)},\n\t  {len(wire)} }},")


def answers(query, count):
    """Response messages, one record each, as a transfer would be cut."""
    out = []
    for i in range(count):
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        response.answer.append(dns.rrset.from_text("example.", 300, "IN", "TXT", f"part {i}"))
        if i != 0:
            response.question = []
        out.append(response.to_wire())
    return out


def main():
    print("/* Made by tsig_vectors.py with dnspython; not to be edited. */\n#pragma once\n")
    print('#include <stddef.h>\n#include <stdint.h>\n\n#include "crypto/hmac.h"\n')
    print("enum { VECTOR_NOW_S = %d };" % NOW)
    print('#define VECTOR_KEY_NAME "%s"' % KEY_NAME)
    print("static const uint8_t vector_secret[] = { %s };\n" % ", ".join(str(b) for b in SECRET))
    print("struct octets {\n\tconst uint8_t *p;\n\tsize_t n;\n};\n")
    print("static const struct vector {\n\tenum hmac_alg alg;\n\tstruct octets request, signed_request;")
    print("\tstruct octets response, signed_response;")
    print("\tstruct octets bad_time; /* error response: server's clock an hour ahead */\n} vectors[] = {")
    query = dns.message.make_query("www.example.", "AXFR", use_edns=0)
    query.id = 0xBEEF
    request = query.to_wire()
    parts = answers(query, 4)
    for bits in (1, 224, 256, 384, 512):
        key = dns.tsig.Key(KEY_NAME, SECRET, f"hmac-sha{bits}")
        signed, mac, _ = sign(request, key)
        response = parts[0]
        error = dns.message.make_response(query)
        error.set_rcode(dns.rcode.NOTAUTH)
        clock = struct.pack("!HI", 0, NOW + 3600)
        print(f"\t{{\n\t.alg = HMAC_SHA{bits},")
        entry("request", request)
        entry("signed_request", signed)
        entry("response", response)
        entry("signed_response", sign(response, key, mac)[0])
        entry("bad_time", sign(error.to_wire(), key, mac, 18, clock)[0])
        print("\t},")
    print("};\n")

    print("/* A response in four messages to the request of vectors[2]: all signed; then 1 and 2 unsigned. */")
    key = dns.tsig.Key(KEY_NAME, SECRET, "hmac-sha256")
    signed, request_mac, _ = sign(request, key)
    print("static const struct octets chain[4] = {")
    ctx = None
    for i, part in enumerate(parts):
        wire, mac, ctx = sign(part, key, request_mac, time=NOW + i, ctx=ctx, multi=True)
        print(f"\t{{ (const uint8_t *){literal(wire)},\n\t  {len(wire)} }},")
    print("};\n\nstatic const struct octets chain_with_gap[4] = {")
    first, mac, ctx = sign(parts[0], key, request_mac, multi=True)
    ctx.update(parts[1])
    ctx.update(parts[2])
    last = sign(parts[3], key, request_mac, ctx=ctx, multi=True)[0]
    for wire in (first, parts[1], parts[2], last):
        print(f"\t{{ (const uint8_t *){literal(wire)},\n\t  {len(wire)} }},")
    print("};")


main()
