"""Zone transfers as a secondary asks for them, timed; and the sections `axfr` and `ixfr`."""
import socket
import statistics
import struct
import time

import contenders
import inputs
from contenders import peers
from tables import figure, table

AXFR, IXFR, SOA = 252, 251, 6
SOA_NUMBERS_LEN = 20  # serial, refresh, retry, expire, minimum: the end of a SOA record, never compressed
STALL_S = 60
REPEATS = 20  # of one incremental transfer


def question(zone, rtype, serial):
    """RFC 5936 2.1, RFC 1995 3: the incremental one says what serial the asker has."""
    wire = inputs.query(zone, "SOA")[12:-4]
    out = struct.pack("!6H", 1, 0, 1, 0, int(rtype == IXFR), 0) + wire + struct.pack("!2H", rtype, 1)
    if rtype == IXFR:
        out += struct.pack("!3HIH", 0xC00C, SOA, 1, 0, 2 + SOA_NUMBERS_LEN) + b"\0\0" + struct.pack("!5I", serial, 0, 0, 0, 0)
    return struct.pack("!H", len(out)) + out


def skip_name(m, at):
    while m[at] != 0:
        if m[at] >= 0xC0:
            return at + 2
        at += 1 + m[at]
    return at + 1


class Transfer:
    """One transfer, read to its end.  The reader looks only at the first two records; for the end it looks for the zone's SOA:
    the last record of a message, and seen as often as the kind of transfer has it."""

    def __init__(self, port, zone, rtype=AXFR, serial=0):
        self.messages = self.records = self.octets = self.soas = 0
        self.first = []  # the types of the first two records
        self.numbers = None
        begin = time.monotonic()
        with socket.create_connection((peers.ADDRESS, port), timeout=STALL_S) as s:
            s.sendall(question(zone, rtype, serial))
            got = bytearray()
            while not self.take(got):
                more = s.recv(1 << 20)
                if not more:
                    raise RuntimeError("%s: the transfer ends after %d records" % (zone, self.records))
                got += more
        self.seconds = time.monotonic() - begin

    @property
    def is_incremental(self):
        return self.first == [SOA, SOA] and self.soas > 2

    def take(self, got):
        """Takes the whole messages out of `got`; True: that was the last one."""
        at, is_end = 0, False
        while not is_end and len(got) - at >= 2:
            length = got[at] << 8 | got[at + 1]
            if len(got) - at - 2 < length:
                break
            is_end = self.take_message(bytes(got[at + 2:at + 2 + length]))
            at += 2 + length
        del got[:at]
        return is_end

    def take_message(self, m):
        questions, answers = struct.unpack("!2H", m[4:8])
        if m[3] & 15 or answers == 0:
            raise RuntimeError("refused with RCODE %d" % (m[3] & 15))
        if len(self.first) < 2:
            self.look(m, questions, answers)
        self.messages += 1
        self.records += answers
        self.octets += 2 + len(m)
        self.soas += m.count(self.numbers)
        needed = 3 if self.first == [SOA, SOA] else 2
        return self.soas >= needed and m.endswith(self.numbers)

    def look(self, m, questions, answers):
        at = 12
        for _ in range(questions):
            at = skip_name(m, at) + 4
        for _ in range(min(answers, 2 - len(self.first))):
            at = skip_name(m, at)
            rtype, length = struct.unpack("!H6xH", m[at:at + 10])
            at += 10 + length
            if self.numbers is None:
                self.numbers = m[at - SOA_NUMBERS_LEN:at]
            self.first.append(rtype)


def able(bench, section, kind="million"):
    return [s for s in bench.primaries if section in s.does and kind in s.loads]


def axfr(bench):
    maker, _, _ = bench.zone("million")

    def measure(s):
        running = s.start(bench.work(s), {maker.zone: maker.path})
        try:
            Transfer(running.port, maker.zone)
            before = running.cpu_s()
            t = Transfer(running.port, maker.zone)
            used = running.cpu_s() - before
        finally:
            running.stop()
        if t.records != maker.records + 1:
            raise RuntimeError("%d records, not %d" % (t.records, maker.records + 1))
        return {"seconds": t.seconds, "cpu": used, "mb": t.octets / 1e6, "messages": t.messages}
    with bench.on_core(contenders.LOAD_CORE):
        got = bench.rounds(able(bench, "axfr"), measure)
    return "Zone of %d records; the second transfer after a start.\n\n" % maker.records + table(
        ["server", "seconds", "server CPU s", "MB", "messages"],
        [[s.name, figure(g["seconds"]), figure(g["cpu"]), "%.1f" % g["mb"][0], g["messages"][0]] for s, g in got.items()])


def ixfr(bench):
    """One record is added; the difference is asked for as soon as the new serial is served, then again."""
    maker, _, _ = bench.zone("million")

    def measure(s):
        running = s.start(bench.work(s), {maker.zone: maker.path})
        try:
            before = peers.serial_served(running.port, maker.zone)
            begin = time.monotonic()
            s.change(running, bench, maker.zone, before + 1)
            while peers.serial_served(running.port, maker.zone) == before:
                if time.monotonic() > begin + STALL_S:
                    raise RuntimeError("the change is not served")
                time.sleep(0.005)
            served = time.monotonic() - begin
            all_of_them = [Transfer(running.port, maker.zone, IXFR, before) for _ in range(1 + REPEATS)]
        finally:
            running.stop()
        if not all_of_them[0].is_incremental:
            raise RuntimeError("answers with the whole zone")
        return {"served": served, "first": 1000 * all_of_them[0].seconds, "records": all_of_them[0].records,
                "octets": all_of_them[0].octets,
                "again": 1000 * statistics.median(t.seconds for t in all_of_them[1:])}
    with bench.on_core(contenders.LOAD_CORE):
        got = bench.rounds(able(bench, "ixfr"), measure)
    return "Zone of %d records, one added.\n\n" % maker.records + table(
        ["server", "change served after s", "first IXFR ms", "the same again ms", "records", "octets"],
        [[s.name, figure(g["served"]), figure(g["first"]), figure(g["again"]), g["records"][0], g["octets"][0]] for s, g in got.items()])
