#!/usr/bin/python3
"""Asks one question again and again, at a steady rate, half over UDP and half over TCP, until SIGTERM.

    tests/system/steady_load.py ADDRESS PORT NAME RATE

Each TCP connection has one question.  None is asked twice: what has no answer after PATIENCE_S is lost.  Prints JSON: for each
transport how many were asked, how many had no answer or a wrong one (any but NOERROR with a record), and the longest wait.
"""
import errno
import json
import selectors
import signal
import socket
import struct
import sys
import time

import dns.message

PATIENCE_S = 5
UDP_SOCKETS = 64  # the system shares them out among the server's sockets
NO_LINGER = struct.pack("ii", 1, 0)  # no port is left in TIME_WAIT


class Transport:
    def __init__(self):
        self.asked = self.wrong = self.broken = 0
        self.longest_s = 0.0
        self.pending = {}  # key: when it was asked

    def ask(self, key):
        self.asked += 1
        self.pending[key] = time.monotonic()

    def take(self, key, message):
        asked = self.pending.pop(key, None)
        if asked is not None:
            self.longest_s = max(self.longest_s, time.monotonic() - asked)
            flags, _, answers = struct.unpack(">HHH", message[2:8])
            self.wrong += flags & 0xF != 0 or answers == 0

    def give_up(self, now):
        for key in [k for k, asked in self.pending.items() if now - asked > PATIENCE_S]:
            self.drop(key)

    def drop(self, key):
        if self.pending.pop(key, None) is not None:
            self.broken += 1

    def result(self):
        return {"asked": self.asked, "unanswered": self.broken + len(self.pending), "wrong": self.wrong, "longest_ms": round(1000 * self.longest_s)}


class Load:
    def __init__(self, address, port, name):
        self.to, self.question = (address, port), dns.message.make_query(name, "A").to_wire()
        self.selector = selectors.DefaultSelector()
        self.udp, self.tcp, self.n, self.is_over = Transport(), Transport(), 0, False
        self.sockets = [self.udp_socket() for _ in range(UDP_SOCKETS)]

    def udp_socket(self):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect(self.to)
        s.setblocking(False)
        self.selector.register(s, selectors.EVENT_READ, self.on_datagram)
        return s

    def ask(self):
        self.n += 1
        ident = self.n // 2 % 65536
        message = struct.pack(">H", ident) + self.question[2:]
        if self.n % 2:
            self.ask_tcp(message)
        else:
            s = self.sockets[ident % UDP_SOCKETS]
            self.udp.ask(ident)
            try:
                s.send(message)
            except ConnectionRefusedError:  # of an earlier one: there was no socket
                s.send(message)

    def on_datagram(self, s):
        try:
            message = s.recv(4096)
        except OSError:
            return  # refused: the question stays without an answer
        self.udp.take(struct.unpack(">H", message[:2])[0], message)

    def ask_tcp(self, message):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setblocking(False)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.tcp.ask(s)
        if s.connect_ex(self.to) in (0, errno.EINPROGRESS):
            self.selector.register(s, selectors.EVENT_WRITE, lambda s: self.on_connected(s, struct.pack(">H", len(message)) + message))
        else:
            self.tcp.drop(s)

    def on_connected(self, s, octets):
        try:
            s.send(octets)
        except OSError:
            self.close(s)
        else:
            self.selector.modify(s, selectors.EVENT_READ, self.on_octets)

    def on_octets(self, s):
        try:
            octets = s.recv(4096)  # an answer is written in one piece, and small
        except OSError:
            octets = b""
        if len(octets) > 2:
            self.tcp.take(s, octets[2:])
        self.close(s)

    def close(self, s):
        self.tcp.drop(s)
        self.selector.unregister(s)
        s.close()

    def turn(self, wait_s):
        for key, _ in self.selector.select(max(0, wait_s)):
            key.data(key.fileobj)

    def run(self, rate):
        begin = time.monotonic()
        while not self.is_over:
            due = (time.monotonic() - begin) * rate - self.n
            for _ in range(min(int(due), 50)):
                self.ask()
            self.turn(0 if due >= 50 else 0.0005)
        took = time.monotonic() - begin
        while self.udp.pending or self.tcp.pending:
            self.turn(0.01)
            self.udp.give_up(time.monotonic())
            self.tcp.give_up(time.monotonic())
        return {"rate": round(self.n / took), "udp": self.udp.result(), "tcp": self.tcp.result()}


def main():
    address, port, name, rate = sys.argv[1:]
    load = Load(address, int(port), name)
    signal.signal(signal.SIGTERM, lambda *_: setattr(load, "is_over", True))
    print("asking", flush=True)
    print(json.dumps(load.run(int(rate))))


if __name__ == "__main__":
    main()
