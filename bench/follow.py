"""The section `follow`: secondaries of one primary of ours, each by itself: the first transfer of a large zone,
small changes, and a change of everything."""
import os
import re
import shutil
import signal
import statistics
import subprocess
import time

import contenders
from contenders import peers
from repository import git
from tables import figure, table

import secondaries
from tsig_key import Key

CHANGES = 10
LIMIT_S = 120
PRIMARY = secondaries.PRIMARY


class Ours(secondaries.Secondary):
    name, binary, address, algorithm = "origin", "osecondary", "127.0.0.9", "SHA256"

    def configure(self):
        os.makedirs(self.work, exist_ok=True)
        self.write("keys", [k.argument for k in self.keys])
        os.chmod(self.path("keys"), 0o600)
        return [self.binary, "--listen=%s" % self.address, "--keys-file=" + self.path("keys")]


def key_of(make, zone):
    return Key("%s.%s._transfer.%s." % (PRIMARY, make.address, zone), algorithm=make.algorithm)


def cpu_ns(pid):
    """Nanoseconds that its threads, and those of all below it, have run."""
    total = 0
    for p in [pid, *peers.descendants(pid)]:
        for task in os.listdir("/proc/%d/task" % p):
            with open("/proc/%d/task/%s/schedstat" % (p, task)) as f:
                total += int(f.read().split()[0])
    return total


def memory_mib(pid):
    total = 0
    for p in [pid, *peers.descendants(pid)]:
        with open("/proc/%d/smaps_rollup" % p) as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    return total / 1024


def await_serial(zone, address, serial):
    """Asks ever more seldom, since it shares a core with the primary: the time is exact to half a percent, or 0.2 ms."""
    begin = time.monotonic()
    while peers.serial_served(secondaries.PORT, zone, address) != serial:
        waited = time.monotonic() - begin
        if waited > LIMIT_S:
            raise RuntimeError("%s has not serial %d after %d s" % (address, serial, LIMIT_S))
        time.sleep(max(0.0002, waited / 200))
    return time.monotonic()


class Primary:
    """oprimary with the zone, and commits with one record more each that wait on a branch of their own."""

    def __init__(self, bench, maker, makes):
        self.zone, self.work = maker.zone, os.path.join(bench.temp, "followed")
        os.makedirs(self.work)
        keys = peers.write(os.path.join(self.work, "keys"), "".join(key_of(m, maker.zone).line for m in makes))
        self.bare = contenders.make_repository(self.work, {maker.zone: maker.path, maker.zone + "._keys": keys})
        self.heads = [git(self.bare, "rev-parse", "main")]
        self.process = peers.Process([os.path.join(bench.args.bindir, "oprimary"), "--remote=file://" + self.bare, "--listen=" + PRIMARY,
                                      "--user=root", "--notify=keys"], self.work, "oprimary")
        await_serial(maker.zone, PRIMARY, 1)

    def add_change(self, push_change):
        serial = len(self.heads) + 1
        push_change(self.work, self.zone, serial, "later")
        self.heads.append(git(self.bare, "rev-parse", "later"))

    def add_other(self, push_change):
        """Each record of this version differs from that before, by its TTL."""
        path = os.path.join(self.work, "tree", self.zone)
        with open(path) as f:
            text = f.read()
        peers.write(path, re.sub(r"(?m)^\$TTL \d+", "$TTL %d" % (3600 + len(self.heads)), text))
        self.add_change(push_change)

    def move_to(self, serial):
        git(self.bare, "update-ref", "refs/heads/main", self.heads[serial - 1])
        self.process.popen.send_signal(signal.SIGHUP)
        return await_serial(self.zone, PRIMARY, serial)


def follow(bench, push_change):
    maker, _, _ = bench.zone("million")
    Ours.binary = os.path.join(bench.args.bindir, "osecondary")
    wanted = bench.args.servers
    makes = [m for m in (Ours, secondaries.Nsd, secondaries.Knot, secondaries.Bind)
             if shutil.which(m.binary) and (wanted is None or m.name in wanted)]
    for m in makes:  # BIND listens only where an interface says that the address is its own
        subprocess.run(["ip", "address", "replace", m.address + "/8", "dev", "lo"], check=True)
    with bench.on_core(contenders.LOAD_CORE):
        primary = Primary(bench, maker, makes)
    next_serial = [1]

    def after_primary(make, add):
        """Seconds from when the primary serves the next version until the secondary does."""
        if len(primary.heads) == next_serial[0]:
            add(push_change)
        next_serial[0] += 1
        there = primary.move_to(next_serial[0])
        return await_serial(maker.zone, make.address, next_serial[0]) - there

    def measure(make):
        where = os.path.join(bench.temp, "follows-" + make.name)
        shutil.rmtree(where, ignore_errors=True)
        os.makedirs(where)
        begin = time.monotonic()
        with bench.on_core(contenders.SERVER_CORE):  # with all its threads and children, from the first
            follower = make(where, {maker.zone: key_of(make, maker.zone)})
        try:
            served = await_serial(maker.zone, make.address, next_serial[0]) - begin
            used = cpu_ns(follower.pid) / 1e9
            time.sleep(3)
            memory, before, late = memory_mib(follower.pid), cpu_ns(follower.pid), []
            for _ in range(CHANGES):
                late.append(1000 * after_primary(make, primary.add_change))
            time.sleep(1)
            each = (cpu_ns(follower.pid) - before) / 1e6 / CHANGES
            other = after_primary(make, primary.add_other)
        finally:
            follower.kill()
        return {"served": served, "cpu": used, "memory": memory, "late": statistics.median(late), "each": each, "other": other}
    with bench.on_core(contenders.LOAD_CORE):
        try:
            got = bench.rounds(makes, measure)
        finally:
            primary.process.kill()
    return ("Zone of %d records, transferred from oprimary, signed; then %d changes of one record; then one of every record.\n\n" % (
        maker.records, CHANGES) + table(
            ["secondary", "start to served s", "of it CPU s", "memory MiB", "a change, after the primary, ms", "CPU ms a change",
             "all records, after the primary, s"],
            [[m.name, figure(g["served"]), figure(g["cpu"]), figure(g["memory"], "%.0f"), figure(g["late"], "%.1f"), figure(g["each"], "%.1f"),
              figure(g["other"])] for m, g in got.items()]))
