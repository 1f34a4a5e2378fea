"""The section `fleet`: a secondary of a primary of ours with 10,000 zones, which it finds by a key of the root, or by a catalog zone."""
import os
import shutil
import time

import contenders
import inputs
from contenders import peers
from tables import figure, table

import secondaries
from follow import PRIMARY, Ours, cpu_ns, memory_mib
from tsig_key import Key

CATALOG = "catalog.invalid"
ROOT = Key("%s.%s._transfer." % (PRIMARY, Ours.address))
WAYS = {"a root key": (), "a root key and a catalog": ("--catalog=" + CATALOG,)}
CHANGES = 10
LIMIT_S = 120


class Follower(Ours):
    options = ()

    def configure(self):
        return [*super().configure(), *self.options]


def start_primary(bench, zones):
    work = os.path.join(bench.temp, "fleet")
    os.makedirs(work)
    keys = peers.write(os.path.join(work, "keys"), ROOT.line)
    bare = contenders.make_repository(work, {**zones, "_keys": keys})
    process = peers.Process([os.path.join(bench.args.bindir, "oprimary"), "--remote=file://" + bare, "--listen=" + PRIMARY, "--user=root",
                             "--notify=keys", "--catalog=" + CATALOG], work, "oprimary")
    contenders.await_zones(secondaries.PORT, zones, process.popen, LIMIT_S)
    return process


def fleet(bench):
    where = os.path.join(bench.temp, "many-followed")
    os.makedirs(where)
    zones = inputs.many(where)
    Follower.binary = os.path.join(bench.args.bindir, "osecondary")
    primary = start_primary(bench, zones)

    def measure(way):
        work = os.path.join(bench.temp, "fleet-follower")
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        Follower.options = WAYS[way]
        begin = time.monotonic()
        follower = Follower(work, {".": ROOT})
        try:
            contenders.await_zones(secondaries.PORT, zones, follower.popen, LIMIT_S, Follower.address)
            served, used = time.monotonic() - begin, cpu_ns(follower.pid) / 1e9
            time.sleep(1)
            return {"served": served, "cpu": used, "memory": memory_mib(follower.pid)}
        finally:
            follower.kill()
    try:
        got = {way: [measure(way) for _ in range(bench.args.rounds)] for way in WAYS}
    finally:
        primary.kill()
    return "10,000 zones of 20 records, until the secondary has answered for every one; both cores are shared with the primary.\n\n" + table(
        ["found by", "start to served s", "of it CPU s", "memory MiB"],
        [[way, *(figure([g[k] for g in rounds], *form) for k, form in (("served", ()), ("cpu", ()), ("memory", ("%.0f",))))]
         for way, rounds in got.items()])
