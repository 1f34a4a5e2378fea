"""A name server that says whatever a test wants it to say, signed or not, over UDP and TCP on one port."""
import base64
import os
import select
import socket
import struct
import threading
import time

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.tsig

import servers

KEY_NAME = "me._update.example."
SECRET = b"a secret of thirty-two octets..."
OTHER_SECRET = b"another one, also thirty-two ..."
BADSIG, BADKEY, BADTIME, BADTRUNC = 16, 17, 18, 22


def key_argument(name=KEY_NAME, secret=SECRET, algorithm="SHA256"):
    return "%s:%s:%s" % (name, algorithm, base64.b64encode(secret).decode())


def tsig_key(secret=SECRET, algorithm="SHA256", name=KEY_NAME):
    return dns.tsig.Key(name, secret, getattr(dns.tsig, "HMAC_" + algorithm))


class Script:
    """UDP and TCP on one port.  `answer(request wire, "udp" or "tcp")` gives the messages to send back."""

    def __init__(self, answer, address="127.0.0.1", transports=("udp", "tcp"), port=None):
        self.answer, self.requests = answer, []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.udp, self.tcp = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_STREAM)
        self.port = port or servers.free_port(address)
        self.udp.bind((address, self.port))
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((address, self.port))
        self.tcp.listen(5)
        if "tcp" not in transports:
            self.tcp.close()
        if "udp" not in transports:
            self.udp.close()
        self.open = [s for s in (self.udp, self.tcp) if s.fileno() >= 0]
        self.wake, self.stop = os.pipe()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            ready, _, _ = select.select([*self.open, self.wake], [], [])
            if self.wake in ready:
                return
            if self.udp in ready:
                wire, self.peer = self.udp.recvfrom(65535)
                self.requests.append(("udp", wire))
                for message in self.answer(wire, "udp"):
                    self.udp.sendto(message, self.peer)
            if self.tcp in ready:
                self.serve(self.tcp.accept()[0])

    def serve(self, connection):
        self.connection = connection
        with connection:
            connection.settimeout(10)
            data = b""
            while len(data) < 2 or len(data) < 2 + struct.unpack("!H", data[:2])[0]:
                more = connection.recv(65535)
                if not more:
                    return
                data += more
            self.requests.append(("tcp", data[2:]))
            for message in self.answer(data[2:], "tcp"):
                framed = struct.pack("!H", len(message)) + message
                for i in range(0, len(framed), 7):  # in pieces, as a network may
                    connection.sendall(framed[i:i + 7])

    def kill(self):
        os.close(self.stop)
        self.thread.join(10)
        os.close(self.wake)
        for s in self.open:
            s.close()

    def transports(self):
        return [transport for transport, _ in self.requests]


def read(wire, key=None):
    """The request, its signature verified."""
    return dns.message.from_wire(wire, keyring=key or tsig_key())


def reply(wire, *, rcode=dns.rcode.NOERROR, key=None, sign=True, error=0, other=b"", when=None, request_mac=None, ede=()):
    """An answer to a request, with whatever TSIG, and extended errors [(code, text or octets)]."""
    request = dns.message.from_wire(wire, question_only=True)
    answer = dns.message.make_response(request)
    answer.flags |= dns.flags.AA
    answer.set_rcode(rcode)
    answer.tsig = None
    if ede:
        answer.use_edns(options=[dns.edns.GenericOption(15, struct.pack("!H", code) + (text if isinstance(text, bytes) else text.encode()))
                                 for code, text in ede])
    plain = answer.to_wire()
    if not sign:
        return plain
    key = key or tsig_key()
    rdata = dns.message.Message._make_tsig(key.name, key.algorithm, 0, 300, b"", request.id, error, other)[0]
    mac = read(wire, key).tsig[0].mac if request_mac is None else request_mac
    rdata, _ = dns.tsig.sign(plain, key, rdata, int(time.time()) if when is None else when, mac)
    return with_tsig(plain, key, rdata)


def with_tsig(plain, key, rdata):
    data = rdata.to_wire()
    record = key.name.to_wire() + struct.pack("!HHIH", 250, 255, 0, len(data)) + data
    return plain[:10] + struct.pack("!H", struct.unpack("!H", plain[10:12])[0] + 1) + plain[12:] + record


def unsigned_error(wire, error, key=None):
    """BADKEY or BADSIG as a server sends them: a TSIG without a MAC (RFC 8945 5.3.2)."""
    key = key or tsig_key()
    plain = reply(wire, rcode=dns.rcode.NOTAUTH, sign=False)
    rdata = dns.message.Message._make_tsig(key.name, key.algorithm, int(time.time()), 300, b"",
                                           struct.unpack("!H", wire[:2])[0], error, b"")[0]
    return with_tsig(plain, key, rdata)
