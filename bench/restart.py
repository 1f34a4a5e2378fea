"""The section `restart`: how soon oprimary and osecondary serve after a start: a repository of 10,000 zones, and one large zone.  The
secondary starts with its files and without its primary."""
import contextlib
import os
import re
import shutil
import socket
import statistics
import time

import dns.message

import contenders
import follow
from contenders import peers
from tables import figure, table

import secondaries
from tsig_key import Key

ZONES, LIMIT_S = 10000, 120
ZONE = "$TTL 60\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nwww A 192.0.2.2\n@ MX 5 www\n"
KEY = Key("who.%s._transfer." % secondaries.PRIMARY, algorithm=follow.Ours.algorithm)


def make_many(where):
    """{zone: path} of small zones: one file for all of them."""
    path = peers.write(os.path.join(where, "zone"), ZONE)
    return {"z%d.test" % i: path for i in range(ZONES)}


def start(argv, work, name):
    return peers.Process(argv, work, name)


def primary(bench, bare, work):
    return start([os.path.join(bench.args.bindir, "oprimary"), "--remote=file://" + bare, "--listen=" + secondaries.PRIMARY, "--user=root",
                  "--notify=keys"], work, "oprimary")


def secondary(bench, work, at):
    return start([os.path.join(bench.args.bindir, "osecondary"), "--listen=" + follow.Ours.address, "--keys-file=" + os.path.join(work, "key"),
                  "--state-dir=" + os.path.join(work, "state"), "--user=root", "--primary=" + at], work, "osecondary")


def seconds(begin, zone, address):
    """From then until the first answer, asked again every few milliseconds: what is asked before anybody listens is lost."""
    query, end = dns.message.make_query(zone, "SOA").to_wire(), begin + LIMIT_S
    while time.monotonic() < end:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.005)
            with contextlib.suppress(OSError):
                s.connect((address, secondaries.PORT))
                s.send(query)
                if dns.message.from_wire(s.recv(4096)).answer:
                    return time.monotonic() - begin
    raise RuntimeError("no answer of %s after %d s" % (address, LIMIT_S))


def fill(bench, bare, work, zone, n):
    """The secondary's files of that many zones."""
    served = primary(bench, bare, work)
    try:
        follow.await_serial(zone, secondaries.PRIMARY, 1)
        follower = secondary(bench, work, secondaries.PRIMARY)
        try:
            end = time.monotonic() + LIMIT_S
            state = os.path.join(work, "state")
            while not os.path.isdir(state) or sum(name.endswith(".zone-state") for name in os.listdir(state)) < n:
                if time.monotonic() > end:
                    raise RuntimeError("the zones are not written after %d s" % LIMIT_S)
                time.sleep(0.05)
        finally:
            follower.kill()
    finally:
        served.kill()


def measure(bench, bare, work, zone):
    begin = time.monotonic()
    served = primary(bench, bare, work)
    try:
        first = seconds(begin, zone, secondaries.PRIMARY)
    finally:
        served.kill()
    begin = time.monotonic()
    follower = secondary(bench, work, "127.0.0.1@1")
    try:
        second = seconds(begin, zone, follow.Ours.address)
        with open(follower.log_path) as log:
            read = int(re.search(r"event=state-restored .*took_ms=(\d+)", log.read())[1])
    finally:
        follower.kill()
    return first, second, read


def one(bench, name, zones, probe):
    work = os.path.join(bench.temp, "restarts-" + name)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    keys = peers.write(os.path.join(work, "keys"), KEY.line)
    os.chmod(peers.write(os.path.join(work, "key"), KEY.argument + "\n"), 0o600)
    bare = contenders.make_repository(work, {**zones, "_keys": keys})
    fill(bench, bare, work, probe, len(zones))
    got = [measure(bench, bare, work, probe) for _ in range(bench.args.rounds)]
    return [name, *(figure([g[i] for g in got]) for i in range(2)), "%.0f" % statistics.median(g[2] for g in got)]


def restart(bench):
    large, _, _ = bench.zone("million")
    many = make_many(bench.temp)
    return table(["zones", "oprimary, start to served s", "osecondary, start to served s", "of it reading files ms"],
                 [one(bench, "%d small" % ZONES, many, "z%d.test" % (ZONES - 1)),
                  one(bench, "one of %d records" % large.records, {large.zone: large.path}, large.zone)])
