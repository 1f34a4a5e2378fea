"""Floods of random names, beside one name over and over: the section `flood`.  Of the server under a rate limit, too."""
import collections
import os
import random
import re
import signal
import statistics
import struct
import time

import contenders
import inputs
from tables import figure, table

RATE = 20000  # questions a second: by the clock, as many of them get no answer under a rate limit
NAMES = 200000
COOKIE = b"\0\0\x29\4\xd0\0\0\0\0\0\x0c\0\x0a\0\x08abcdefgh"  # an OPT with a client cookie
ONE = "one name"
LIMITED, PLAIN = "with `--rate-limit=200`", "without a limit"


class Limited(contenders.Origin):
    def command(self, work, port, zones):
        return [*super().command(work, port, zones), "--rate-limit=200"]


def label(rng):
    return "".join(rng.choices(inputs.LETTERS, k=12))


def write_floods(bench):
    """{what is asked: the file}."""
    maker, questions, _ = bench.zone("mixed")
    rng = random.Random(12)
    star = next(line for line in maker.lines if line.startswith("*.")).split()[0][2:]
    cut = next(line for line in maker.lines if " NS a.ns." in line).split()[0]
    host = questions[0][0] if questions[0][0].count(".") == 2 else "ns1." + maker.zone
    names = {
        ONE: lambda: host,
        "names that do not exist": lambda: "%s.%s" % (label(rng), maker.zone),
        "names below a wildcard": lambda: "%s.%s.%s" % (label(rng), star, maker.zone),
        "names below a delegation": lambda: "%s.%s.%s" % (label(rng), cut, maker.zone),
        "names in no zone": lambda: "%s.elsewhere.test" % label(rng),
    }
    floods = {what: os.path.join(bench.temp, "flood-%d" % i) for i, what in enumerate(names)}
    for what, path in floods.items():
        inputs.write_queries(path, ((names[what](), "A") for _ in range(NAMES)))
    floods["one name, with a client cookie"] = os.path.join(bench.temp, "flood-cookie")
    wire = inputs.query(host)
    wire = wire[:11] + b"\1" + wire[12:] + COOKIE
    with open(floods["one name, with a client cookie"], "wb") as f:
        f.write(struct.pack("!H", len(wire)) + wire)
    return maker, floods


def flood(bench):
    maker, floods = write_floods(bench)
    got = {how: collections.defaultdict(lambda: collections.defaultdict(list)) for how in (PLAIN, LIMITED)}
    running = {}
    try:
        for how, kind in (PLAIN, contenders.Origin), (LIMITED, Limited):
            server = kind(bench.args.bindir)
            running[how] = server.start(bench.work(server) + str(len(running)), {maker.zone: maker.path})
        for _ in range(bench.args.rounds):
            for what, path in floods.items():
                for how, server in running.items():
                    before, cpu_s = count(server), server.cpu_s()
                    bench.ask("udp", server.port, path, bench.args.seconds, RATE)
                    cpu_s, after = server.cpu_s() - cpu_s, count(server)
                    taken, limited, slipped = (b - a for a, b in zip(before, after))
                    got[how][what]["cpu"].append(1e6 * cpu_s / taken)
                    got[how][what]["whole"].append(100 * (taken - limited) / taken)
                    got[how][what]["cut"].append(100 * slipped / taken)
    finally:
        for server in running.values():
            server.stop()
    rows = [[what, *(cell for how in got for cell in (figure(got[how][what]["cpu"]), ratio(got[how], what))),
             *("%.1f" % statistics.median(got[LIMITED][what][how]) for how in ("whole", "cut"))] for what in floods]
    return "Zone of %d records; up to %d questions a second from one address, over UDP.\n\n%s" % (maker.records, RATE, table(
        ["asked for", "CPU µs a question", "of one name, %", LIMITED, "of one name, %", "answered, %", "cut, %"], rows))


def count(server):
    """(Questions that the server has taken, answers that it has held back, those of them that it has cut.)"""
    mark = len(server.log())
    os.kill(server.popen.pid, signal.SIGUSR1)
    while not (line := re.search(r"event=stats (.*)\n", server.log()[mark:])):
        time.sleep(0.01)
    counts = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line[1])}
    return counts["udp_queries"], sum(v for k, v in counts.items() if k.startswith("limited_")), counts["slipped"]


def ratio(got, what):
    """Round by round: the machine's own ups and downs are slower than that."""
    return figure([100 * mine / one for mine, one in zip(got[what]["cpu"], got[ONE]["cpu"])], "%.0f")
