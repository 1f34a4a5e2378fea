"""A primary that says over TCP whatever a test wants it to say: good zones, bad ones, and what is no DNS at all.

An answer is a function (query) → octets to send, in pieces; None among them ends the connection.  `query` is None for what cannot be read.
"""
import contextlib
import socket
import struct
import threading

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

import servers
from acceptor import Acceptor


def frame(wire):
    return struct.pack("!H", len(wire)) + wire


def kind(query):
    return query.question[0].rdtype


def stream(query, parts, unsigned=(), spoilt=()):
    """A message for each list of records ("OWNER TTL CLASS TYPE DATA", or an RRset), signed as a chain but for those numbered so."""
    context = None
    for i, part in enumerate(parts):
        m = dns.message.make_response(query)
        m.flags |= dns.flags.AA
        m.use_edns(False)
        m.answer = [r if isinstance(r, dns.rrset.RRset) else dns.rrset.from_text(*r.split(" ", 4)) for r in part]
        if i in unsigned:
            m.tsig = None
            wire = m.to_wire()
            context.update(wire)
        else:
            wire = m.to_wire(multi=True, tsig_ctx=context)
            context = m.tsig_ctx
        yield frame(wire[:-8] + bytes([wire[-8] ^ (i in spoilt)]) + wire[-7:])


def refusing(rcode):
    def answer(query):
        m = dns.message.make_response(query)
        m.set_rcode(rcode)
        return [frame(m.to_wire())]
    return answer


def has(records):
    """Tells the serial of the zone whose records these are, SOA first, and gives all of it."""
    def answer(query):
        if kind(query) == dns.rdatatype.SOA:
            return stream(query, [records[:1]])
        return stream(query, [records[:-1], [records[-1], records[0]]])
    return answer


def gives(soa, transfer, *kinds):
    """Tells that serial; what is asked for then (all transfers, or those of some kinds) is answered as `transfer` does; else as before."""
    def answer(query):
        if kind(query) == dns.rdatatype.SOA:
            return stream(query, [[soa]])
        return transfer(query) if not kinds or dns.rdatatype.to_text(kind(query)) in kinds else None
    return answer


class Liar:
    def __init__(self, key, answer):
        self.key, self.ring = key, {dns.name.from_text(key.name): key.secret_octets}
        self.answer = answer
        self.queries = []   # the types that were asked for
        self.open = set()
        self.acceptor = Acceptor(self.take)
        self.port = self.acceptor.port

    @property
    def place(self):
        return "%s@%d" % (servers.ADDRESS, self.port)

    def say(self, follower, answer, zone="example"):
        """From now on; and sends NOTIFY, so that it is asked now."""
        self.answer = answer
        message = dns.message.make_query(zone, "SOA")
        message.set_opcode(dns.opcode.NOTIFY)
        assert dns.query.udp(self.key.sign(message), follower.address, port=follower.port, timeout=10).rcode() == dns.rcode.NOERROR

    def take(self, connection):
        self.open.add(connection)
        threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as asked:
            while len(head := asked.read(2)) == 2:
                query = self.read(asked.read(*struct.unpack("!H", head)))
                if query is not None:
                    self.queries.append(dns.rdatatype.to_text(kind(query)))
                for piece in self.answer(query):
                    if piece is None:
                        connection.shutdown(socket.SHUT_RDWR)
                        break
                    connection.sendall(piece)
        self.open.discard(connection)

    def read(self, wire):
        with contextlib.suppress(dns.exception.DNSException):
            message = dns.message.from_wire(wire, keyring=self.ring)
            return message if message.opcode() == dns.opcode.QUERY else None
        return None

    def cut(self):
        for connection in list(self.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def kill(self):
        self.acceptor.kill()
        self.cut()
