"""Attacks of the soak that come by DNS: from strangers, from a secondary's key, and from an update key of one name.

Each has addresses of its own (127.B.x.y), as attackers have.
"""
import time

import packets
import soak_wire as wire
from soak_attack import Attack, Pace, exactly, receive


class FuzzUdp(Attack):
    name, who, what = "fuzz-udp", "a stranger", "datagrams that are wrong in every way, 2,000 a second"

    def begin(self):
        key = self.scene.keys["nobody"]
        good = [wire.question("good.example", wire.SOA), wire.ixfr("big.example", 1), wire.question("good.example", wire.SOA, opcode=wire.NOTIFY),
                wire.signed(wire.update("good.example", [wire.is_in_use("a")], [wire.add_txt("b", "c")]), key)]
        self.wires = [bad for seed, w in enumerate(good) for bad in packets.variations(w, seed)] + list(packets.fillings())
        self.sockets = [self.udp("127.11.0.%d" % n) for n in range(1, 9)]
        self.pace = Pace(2000)

    def turn(self):
        for _ in range(self.pace.lot()):
            self.throw(self.chance.choice(self.sockets), self.chance.choice(self.wires)[:9000])
        for s in self.sockets:
            self.drain(s)


class FuzzTcp(FuzzUdp):
    name, who, what = "fuzz-tcp", "a stranger", "the same by TCP, with connections cut in the middle of messages"

    def begin(self):
        super().begin()
        self.pace = Pace(50)

    def turn(self):
        for _ in range(self.pace.lot()):
            s = self.tcp("127.12.0.%d" % self.chance.randrange(1, 250))
            stream = b"".join(wire.framed(self.chance.choice(self.wires)) for _ in range(20))
            s.sendall(stream[:self.chance.randrange(1, len(stream))])
            self.close(s)
            self.count["connections"] += 1


class SilentTcp(Attack):
    name, who, what = "silent-tcp", "a stranger", "connections of 300 addresses that say nothing, or half a message"
    ADDRESSES = 300

    def begin(self):
        self.held, self.pace = [], Pace(100)

    def turn(self):
        for _ in range(self.pace.lot()):
            n = self.chance.randrange(self.ADDRESSES)
            s = self.tcp("127.13.%d.%d" % (n // 250, n % 250 + 1))
            if self.chance.random() < 0.5:
                s.send(wire.framed(wire.question("good.example", wire.SOA))[:20])
            self.held.append(s)
            self.count["connections"] += 1
            if len(self.held) > 5 * self.ADDRESSES:
                self.close(self.held.pop(0))


class Floods(Attack):
    """Datagrams at a steady rate; what comes back is looked at by nobody."""
    rate, source = 1000, None

    def begin(self):
        self.socket, self.pace, self.number = self.udp(self.source), Pace(self.rate), 0

    def next(self):
        raise NotImplementedError

    def turn(self):
        for _ in range(self.pace.lot()):
            self.number += 1
            self.throw(self.socket, self.next())
        self.drain(self.socket)


class Nsec3(Floods):
    name, who, what = "nsec3", "a stranger", "names that are not in a zone of 2,500 NSEC3 iterations, and deep, 300 a second"
    rate, source = 300, "127.14.0.1"

    def next(self):
        zone = self.chance.choice(["nsec3.example", "nsec3low.example"])
        deep = ".".join(self.chance.choice("abcdefgh") for _ in range(100))
        q = wire.question("%s.x%d.%s" % (deep, self.number, zone), wire.A, number=self.number)
        return wire.with_edns(q, wire.DO)


class UdpIxfr(Floods):
    name, who, what = "udp-ixfr", "a stranger", "IXFR over UDP, from serials that are old, 300 a second"
    rate, source = 300, "127.15.0.1"

    def next(self):
        return wire.ixfr(self.chance.choice(["big.example", "good.example"]), self.chance.randrange(1, 50), number=self.number)


class ForeignNotify(Floods):
    name, who, what = "foreign-notify", "a stranger", "NOTIFY without a signature, for zones of ours and of others, 1,000 a second"
    source = "127.16.0.1"

    def next(self):
        zone = self.chance.choice(["good.example", "x%d.foreign" % self.number])
        return wire.question(zone, wire.SOA, number=self.number, opcode=wire.NOTIFY)


class BadSignatures(Floods):
    name, who, what = "bad-signatures", "a stranger", "signatures that are wrong, of keys that are there and others, 500 a second: each is worth a line"
    rate, source = 500, "127.17.0.1"

    def next(self):
        key = self.scene.keys["nobody" if self.chance.random() < 0.5 else "forged"]
        return wire.signed(wire.question("good.example", self.chance.choice([wire.SOA, wire.AXFR]), number=self.number), key)


class LogFlood(Attack):
    name, who, what = "log-flood", "a stranger", "transfers of a small zone, as fast as one connection gets them: each is worth a line"

    def begin(self):
        self.s = None

    def turn(self):
        if self.s is None:
            self.s = self.tcp("127.18.0.1")
        try:
            self.s.sendall(wire.framed(wire.question("tiny.example", wire.AXFR)) * 100)
            for _ in range(100):
                receive(self.s)
                self.count["transfers"] += 1
        except (OSError, EOFError):
            self.close(self.s)
            self.s = None
            raise


class ReplayedNotify(Floods):
    name, who, what = "replayed-notify", "a stranger", "one NOTIFY that was signed well, recorded, and repeated 500 times a second"
    rate, source, AGAIN_S = 500, "127.19.0.1", 240

    def begin(self):
        super().begin()
        self.recorded_at = float("-inf")  # monotonic time may have begun a moment ago

    def next(self):
        if time.monotonic() > self.recorded_at + self.AGAIN_S:
            self.recorded = wire.signed(wire.question("good.example", wire.SOA, opcode=wire.NOTIFY), self.scene.keys["notify"])
            self.recorded_at = time.monotonic()
        return self.recorded


class ReplayedUpdate(Attack):
    """The recorded one was carried out, and undone by its sender; now it comes again, with refused ones of another key in between."""
    name, who, what = "replayed-update", "a stranger", "an update that was recorded, beside thousands of another key that are refused"
    PER_SECOND, AGAIN_S = 200, 60

    def begin(self):
        self.socket, self.pace, self.number, self.recorded = self.udp("127.20.0.1"), Pace(self.PER_SECOND), 0, None

    def carry_out(self, octets):
        s = self.tcp("127.20.0.2", timeout=30)
        try:
            s.sendall(wire.framed(octets))
            return wire.rcode(receive(s))
        finally:
            self.close(s)

    def record(self):
        """True: it was carried out, and then undone."""
        self.number += 1
        key, label = self.scene.keys["replay"], "replayed-%d" % self.number
        sent = wire.signed(wire.update("attacked.example", [], [wire.add_txt(label, "once")], number=self.number), key)
        undo = wire.signed(wire.update("attacked.example", [], [wire.delete_name(label)], number=self.number), key)
        if self.carry_out(sent) == 0 and self.carry_out(undo) == 0:
            self.recorded, self.recorded_at = sent, time.monotonic()
            self.count["recorded"] += 1
            self.scene.replays.put("%s.attacked.example" % label)

    def turn(self):
        if self.recorded is None or time.monotonic() > self.recorded_at + self.AGAIN_S:
            self.record()
            self.pace.lot()
        for n in range(self.pace.lot()):
            self.number += 1
            refused = wire.update("attacked.example", [wire.is_in_use("nobody%d" % self.number)], [], number=self.number)
            self.throw(self.socket, wire.signed(refused, self.scene.keys["replay-cover"]))
            if n == 0 and self.recorded:
                self.throw(self.socket, self.recorded)
                self.count["replayed"] += 1
        self.drain(self.socket)


class SlowTransfers(Attack):
    name, who, what = "slow-transfers", "a secondary's key", "100 connections of one key that take 20 kB of a large zone a second each"
    CONNECTIONS, TAKE, ROOM = 100, 2048, 4096

    def begin(self):
        self.pace, self.readers = Pace(1000), []

    def open(self):
        s = self.tcp("127.21.0.1", room=self.ROOM)
        s.sendall(wire.framed(wire.signed(wire.question("big.example", wire.AXFR), self.scene.keys["slow"])))
        s.setblocking(False)
        self.readers.append(s)
        self.count["connections"] += 1

    def turn(self):
        if len(self.readers) < self.CONNECTIONS:
            self.open()
        self.pace.lot()
        for s in self.chance.sample(self.readers, len(self.readers) // 5):
            try:
                if not s.recv(self.TAKE):
                    raise EOFError
                self.count["pieces"] += 1
            except BlockingIOError:
                pass
            except (OSError, EOFError):
                self.readers.remove(s)
                self.close(s)
                self.count["cut"] += 1


class CostlyUpdates(Attack):
    name, who, what = "costly-updates", "an update key of one name", "updates of 5,000 prerequisites each, 50 of them waiting"
    WAITING, OF_APEX, OF_HOSTS = 50, 4800, 200

    def begin(self):
        self.number = 0
        self.waiting = []

    def send(self):
        self.number += 1
        asked = [wire.apex_is_in_use()] * self.OF_APEX + [wire.is_in_use("h%d" % (n % 100)) for n in range(self.OF_HOSTS)]
        made = wire.update("attacked.example", asked, [wire.add_txt("costly", "%d" % self.number)], number=self.number)
        s = self.tcp("127.22.0.1", timeout=60)
        s.sendall(wire.framed(wire.signed(made, self.scene.keys["costly"])))
        self.waiting.append(s)
        self.count["sent"] += 1

    def turn(self):
        while len(self.waiting) < self.WAITING and not self.scene.is_over.is_set():
            self.send()
        s = self.waiting.pop(0)
        try:
            self.count["rcode %d" % wire.rcode(receive(s))] += 1
        finally:
            self.close(s)


class WideUpdates(Attack):
    name, who, what = "wide-updates", "an update key of one name", "updates whose few octets are many records, and records that are large"

    def begin(self):
        self.number = 0

    def turn(self):
        self.number += 1
        changes = [wire.add_txt("wide%d" % n, "x" * self.chance.randrange(1, 250)) for n in range(self.chance.choice([1, 100, 1000]))]
        undo = [wire.delete_name("wide%d" % n) for n in range(1000)]
        for part in changes, undo:
            s = self.tcp("127.23.0.1", timeout=30)
            octets = wire.signed(wire.update("attacked.example", [], part[:250], number=self.number), self.scene.keys["wide"])
            try:
                s.sendall(wire.framed(octets))
                self.count["rcode %d" % wire.rcode(receive(s))] += 1
            finally:
                self.close(s)
        self.scene.is_over.wait(0.2)


class Churn(Attack):
    name, who, what = "churn", "a stranger", "connections that come, ask once and go, 200 a second"

    def begin(self):
        self.pace = Pace(200)

    def turn(self):
        for _ in range(self.pace.lot()):
            s = self.tcp("127.24.%d.%d" % (self.chance.randrange(4), self.chance.randrange(1, 250)), timeout=2)
            try:
                s.sendall(wire.framed(wire.question("good.example", wire.SOA)))
                exactly(s, 2)
                self.count["answered"] += 1
            finally:
                self.close(s)


ATTACKS = [FuzzUdp, FuzzTcp, SilentTcp, Nsec3, UdpIxfr, ForeignNotify, BadSignatures, LogFlood, ReplayedNotify, ReplayedUpdate, SlowTransfers,
           CostlyUpdates, WideUpdates, Churn]
