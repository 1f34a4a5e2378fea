"""Peers over TCP that do as little as they please: they connect, ask, and read when they are told to."""
import select
import socket

import dns.message
import dns.query

import servers

WINDOW = 1 << 16  # octets that a peer's socket takes before it is read


class Asker:
    """One connection.  `address`: from which of the loopback's addresses; `key`: signs what it asks."""

    def __init__(self, port, address="127.0.0.1", key=None, window=WINDOW):
        self.key, self.taken = key, 0
        self.tcp = socket.socket()
        self.tcp.settimeout(20)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.tcp.bind((address, 0))
        self.tcp.connect((servers.ADDRESS, port))

    @property
    def name(self):
        """As the log has it."""
        return "%s@%d" % self.tcp.getsockname()

    def ask(self, zone, rdtype="AXFR"):
        return self.send(dns.message.make_query(zone, rdtype))

    def send(self, query):
        dns.query.send_tcp(self.tcp, self.key.sign(query) if self.key else query)
        return self

    def take(self, octets=WINDOW):
        """What is there, waiting for it; 0: the connection has ended."""
        try:
            got = len(self.tcp.recv(octets))
        except ConnectionResetError:
            got = 0
        self.taken += got
        return got

    def has_something(self, limit_s=0):
        return bool(select.select([self.tcp], [], [], limit_s)[0])

    def is_cut(self):
        """Has the other side ended it?  Takes nothing of what has come before."""
        poll = select.poll()
        poll.register(self.tcp, select.POLLRDHUP)
        return bool(poll.poll(0))

    def kill(self):
        self.tcp.close()
