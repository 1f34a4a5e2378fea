"""Name servers in trouble, on port 53 of an address each: what somebody meets who asks all servers of a zone."""
import contextlib
import os
import select
import socket
import struct
import threading

import dns.flags
import dns.message
import dns.rcode

PORT = 53


def says(rcode):
    def answer(wire):
        response = dns.message.make_response(dns.message.from_wire(wire))
        response.set_rcode(rcode)
        return [response.to_wire()]
    return answer


def cuts(wire):
    """The answer does not fit, so the client is to come over TCP."""
    response = dns.message.make_response(dns.message.from_wire(wire))
    response.flags |= dns.flags.TC
    return [response.to_wire()]


def babbles(wire):
    """Other IDs, other questions, no DNS at all, an answer that ends in the middle."""
    response = dns.message.make_response(dns.message.from_wire(wire))
    response.id ^= 1
    other = dns.message.make_response(dns.message.make_query("elsewhere.test", "TXT"))
    other.id = dns.message.from_wire(wire).id
    cut = wire[:2] + b"\x84\x00\x00\x01\xff\xff\x00\x00\x00\x00" + wire[12:-20]
    return [response.to_wire(), other.to_wire(), wire, os.urandom(40), wire[:5], cut]


def keeps_silent(wire):
    return []


class NameServer:
    """`udp` and `tcp` give the messages for a request; tcp None: nobody listens there."""

    def __init__(self, address, udp, tcp=None):
        self.answers, self.counts = {"udp": udp, "tcp": tcp}, {"udp": 0, "tcp": 0}
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, PORT))
        self.open = [self.udp]
        if tcp is not None:
            self.tcp = socket.create_server((address, PORT))
            self.open.append(self.tcp)
        self.wake, self.stop = os.pipe()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            ready, _, _ = select.select([*self.open, self.wake], [], [])
            if self.wake in ready:
                return
            for s in ready:
                if s is self.udp:
                    wire, peer = self.udp.recvfrom(65535)
                    self.counts["udp"] += 1
                    for message in self.answers["udp"](wire):
                        self.udp.sendto(message, peer)
                else:
                    self.counts["tcp"] += 1
                    self.serve(self.tcp.accept()[0])

    def serve(self, connection):
        """One request; the connection stays open, for the client to close."""
        connection.settimeout(10)
        with connection:
            size = connection.recv(2, socket.MSG_WAITALL)
            wire = connection.recv(struct.unpack("!H", size)[0], socket.MSG_WAITALL) if len(size) == 2 else b""
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asks may be told enough before the last message
                for message in self.answers["tcp"](wire) if wire else []:
                    connection.sendall(struct.pack("!H", len(message)) + message)

    def kill(self):
        os.close(self.stop)
        self.thread.join(20)
        os.close(self.wake)
        for s in self.open:
            s.close()
