"""Between a client and a name server: passes on what both say, octet for octet, and keeps every UPDATE with its RCODE."""
import contextlib
import socket
import socketserver
import struct
import threading

import dns.message
import dns.opcode
import dns.rcode
import dns.tsigkeyring

import servers

WAIT_S = 60
FLAG_OPCODE = 0x78  # of the header's third octet


def lines(section):
    """Each record of a section as a text: name, TTL, class, type, data."""
    return [line for rrset in section for line in rrset.to_text().split("\n")]


class Relay:
    """UDP and TCP on one port.  `updates()`: what has been asked for, in the order of the answers, as (prerequisites, changes, RCODE)."""

    def __init__(self, server_port, key):
        self.name, self.server, self.lock, self.kept = "relay", (servers.ADDRESS, server_port), threading.Lock(), {}
        self.ring, self.port = dns.tsigkeyring.from_text({key.name: key.secret}), servers.free_port()
        self.doors = [self.door(socketserver.ThreadingUDPServer, self.datagram), self.door(socketserver.ThreadingTCPServer, self.stream)]

    def door(self, kind, what):
        class Door(kind):
            daemon_threads, allow_reuse_address, block_on_close = True, True, False

            def finish_request(self, request, client_address):
                with contextlib.suppress(OSError, EOFError):  # who goes away before the answer
                    what(request, client_address)
        server = Door((servers.ADDRESS, self.port), None)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    def datagram(self, request, client):
        wire, door = request
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(WAIT_S)
            s.connect(self.server)
            s.send(wire)
            answer = s.recv(65535)
        self.keep(wire, answer)
        door.sendto(answer, client)

    def stream(self, client, _):
        """Question by question; an AXFR, whose answer is several messages, is asked for elsewhere."""
        with socket.create_connection(self.server, WAIT_S) as s:
            while True:
                wire = self.read(client)
                s.sendall(struct.pack("!H", len(wire)) + wire)
                answer = self.read(s)
                self.keep(wire, answer)
                client.sendall(struct.pack("!H", len(answer)) + answer)

    @staticmethod
    def read(s):
        def exactly(n):
            octets = s.recv(n, socket.MSG_WAITALL)
            if len(octets) < n:
                raise EOFError
            return octets
        return exactly(*struct.unpack("!H", exactly(2)))

    def keep(self, wire, answer):
        """A message that was sent again (the same octets) is one message."""
        if wire[2] & FLAG_OPCODE == dns.opcode.UPDATE << 3:
            with self.lock:
                self.kept[bytes(wire)] = answer[3] & 15

    def updates(self):
        with self.lock:
            kept = list(self.kept.items())
        found = []
        for wire, code in kept:
            message = dns.message.from_wire(wire, keyring=self.ring)
            found.append((lines(message.prerequisite), lines(message.update), dns.rcode.to_text(code)))
        return found

    def kill(self):
        for door in self.doors:
            door.shutdown()
            door.server_close()
