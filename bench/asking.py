"""Signed questions about the server's state, as octl asks them, beside a load: the section `status`."""
import base64
import collections
import contextlib
import json
import os
import random
import statistics
import subprocess
import time

import dns.message
import inputs
import primaries
from contenders import peers
from tables import figure, table
from tsig_key import Key

ASKED = 100      # a second
STEADY = 20000   # questions a second: the server is idle for most of the time
ROUNDS_MIN = 5
SAMPLE = 300     # zones that the signed questions are about
HEAD_START_S = 0.3
NOTHING, PLAIN, SIGNED = "nothing", "%d plain questions a second" % ASKED, "%d signed ones about its state" % ASKED


def status(bench):
    origin = next((s for s in bench.primaries if s.name == "origin"), None)
    if origin is None:
        return "origin was not measured.\n"
    where = os.path.join(bench.temp, "asked")
    os.makedirs(where)
    zones = inputs.many(where)
    running = origin.start(bench.work(origin), zones)
    try:
        return Asking(bench, running, sorted(zones)).tables()
    finally:
        running.stop()


class Asking:
    def __init__(self, bench, running, zones):
        self.bench, self.running, self.random = bench, running, random.Random(15)
        self.zones, self.path = zones, {kind: os.path.join(bench.temp, kind) for kind in ("plain", "signed")}
        self.answered = []  # a run of signed questions: their median, µs
        inputs.write_queries(self.path["plain"], [("host%d.%s" % (self.random.randrange(7), self.random.choice(zones)), "A")
                                                  for _ in range(100000)])

    def tables(self):
        fast, steady = self.rounds(), self.rounds(STEADY)
        rows = [[what, figure(g["rate"], "%.0f"), self.share(fast, what, "rate"), figure(g["cpu"])] for what, g in fast.items()]
        text = "10,000 zones of 20 records; as fast as it answers:\n\n" + table(
            ["beside", "answers a second", "of those beside nothing, %", "CPU µs an answer"], rows)
        rows = [[what, figure(g["p50"], "%.0f"), figure(g["p99"], "%.0f"), figure(g["max"], "%.0f"), figure(g["cpu"]), max(g["lost"])]
                for what, g in steady.items()]
        text += "\n%d questions a second:\n\n" % STEADY + table(
            ["beside", "median µs", "p99 µs", "longest µs", "CPU µs an answer", "lost"], rows)
        return text + "\nThe signed questions were answered after %s µs (median).\n" % figure(self.answered, "%.0f")

    def share(self, got, what, name):
        """Round by round: the machine's own ups and downs are slower than that."""
        return figure([100 * mine / other for mine, other in zip(got[what][name], got[NOTHING][name])], "%.1f")

    def rounds(self, *rate):
        """{what is beside: {figure: [a value a round]}}; the order turns from round to round."""
        got = {what: collections.defaultdict(list) for what in (NOTHING, PLAIN, SIGNED)}
        for i in range(max(ROUNDS_MIN, self.bench.args.rounds)):
            for what in [*got][i % 3:] + [*got][:i % 3]:
                for name, value in self.measure(what, *rate).items():
                    got[what][name].append(value)
        return got

    def measure(self, what, *rate):
        with self.beside(what):
            before = self.running.cpu_s()
            total = self.bench.ask("udp", self.running.port, self.path["plain"], self.bench.args.seconds, *rate)[-1]
            used = self.running.cpu_s() - before
        return {"rate": total["answered"] / total["seconds"], "cpu": 1e6 * used / total["answered"], "p50": total["p50_us"],
                "p99": total["p99_us"], "max": total["max_us"], "lost": total["lost"]}

    @contextlib.contextmanager
    def beside(self, what):
        """A second client on the load's core, a little longer than the load."""
        if what == NOTHING:
            yield
            return
        kind = "signed" if what == SIGNED else "plain"
        if kind == "signed":
            self.sign()
        client = subprocess.Popen(["taskset", "-c", "1", self.bench.generator, "udp", peers.ADDRESS, str(self.running.port),
                                   self.path[kind], str(self.bench.args.seconds + 1), str(ASKED)], stdout=subprocess.PIPE, text=True)
        time.sleep(HEAD_START_S)
        try:
            yield
        finally:
            out, _ = client.communicate()
        self.look(kind, json.loads(out.strip().split("\n")[-1]))

    def look(self, kind, total):
        if total["noerror"] < total["sent"] - 1:  # the last one may be on its way
            raise RuntimeError("%d %s questions, %d answered well" % (total["sent"], kind, total["noerror"]))
        if kind == "signed":
            self.answered.append(total["p50_us"])

    def sign(self):
        """A signature is good for five minutes, and for any message ID (RFC 8945 4.2: the original one is in it)."""
        key = Key(primaries.KEY, base64.b64decode(primaries.SECRET))
        with open(self.path["signed"], "wb") as f:
            for zone in self.random.sample(self.zones, SAMPLE):
                for name in ("status._status.test", "zone._status." + zone, "secondaries._status." + zone):
                    wire = key.sign(dns.message.make_query(name, "TXT", "CH", use_edns=0, payload=1232)).to_wire()
                    f.write(len(wire).to_bytes(2, "big") + wire)
