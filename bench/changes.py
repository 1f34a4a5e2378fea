"""Dynamic updates: the sections `updates` and `split`."""
import os
import re
import shutil
import statistics
import time

import dns.query
import dns.rdatatype
import inputs
import primaries
from contenders import git, peers
from tables import figure, table

CLIENTS = (1, 20, 100)
WARM_S = 1
LOST_S = 10
SLOW_LOST_S = 60  # a large zone takes its time
LARGE_MORE = 4  # and that much longer, for a handful of commits
SYNCS = "fsync,fdatasync,msync,sync_file_range"
STEPS = ("evaluate", "edit", "commit", "push", "publish", "total")
MODES = {"add": "Each update adds an address under a new name, so the zone grows.",
         "replace": "Each client replaces the address of its own name, so the zone stays small."}


def addresses(port, zone):
    """{"NAME ADDRESS"} of the zone, by a transfer."""
    messages = dns.query.xfr(peers.ADDRESS, zone, port=port, timeout=60, lifetime=300, relativize=False)
    return {"%s %s" % (rrset.name.to_text(omit_final_dot=True), rdata.address)
            for m in messages for rrset in m.answer if rrset.rdtype == dns.rdatatype.A for rdata in rrset}


def check_done(running, zone, done):
    missing = done - addresses(running.port, zone)
    if missing:
        raise RuntimeError("%d of %d acknowledged updates are not there: %s, ..." % (len(missing), len(done), min(missing)))


def check_key(bench, running, zone):
    wrong = bench.update(running, zone, "add", 1, 0, "wrong", secret=primaries.SECRET.swapcase())
    if wrong["done"] != 0:
        raise RuntimeError("takes an update that is signed with another secret")


def updates(bench):
    able = [s for s in bench.primaries if "updates" in s.does]
    texts = ["%s\n\n%s" % (text, one_kind(bench, able, mode)) for mode, text in MODES.items()]
    return "\n".join([*texts, syncs(bench, able)])


def one_kind(bench, able, mode):
    maker, _, _ = bench.zone("small")

    def measure(s):
        loads = {n: one_load(bench, s, maker, mode, n) for n in CLIENTS}
        return {(name, n): value for n, load in loads.items() for name, value in load.items()}
    got = bench.rounds(able, measure)
    head = ["server", "clients", "updates a second", "CPU µs an update", "median ms", "p99 ms", "refused", "lost"]
    return table(head, [load_row(s, g, n) for n in CLIENTS for s, g in got.items()])


def load_row(s, got, n):
    g = {name: got[name, n] for name in ("rate", "cpu", "p50", "p99", "refused", "rcode", "lost")}
    refused = sum(g["refused"])
    return [s.name, n, figure(g["rate"], "%.0f"), figure(g["cpu"], "%.0f"), "%.1f" % statistics.median(g["p50"]),
            "%.1f" % statistics.median(g["p99"]), "%d (RCODE %d)" % (refused, max(g["rcode"])) if refused else 0, sum(g["lost"])]


def one_load(bench, s, maker, mode, clients):
    """A server that is new each time: a zone that has grown would be another one."""
    running = s.start(bench.work(s), {maker.zone: maker.path})
    try:
        check_key(bench, running, maker.zone)
        warm = bench.update(running, maker.zone, mode, clients, WARM_S, "warm")
        before = running.cpu_s()
        t = bench.update(running, maker.zone, mode, clients, bench.args.seconds, "timed")
        used = running.cpu_s() - before
        if t["done"] == 0:
            raise RuntimeError("takes no update, RCODE %d" % t["rcode"])
        check_done(running, maker.zone, warm["records"] | t["records"])
    finally:
        running.stop()
    return {"rate": t["done"] / t["seconds"], "cpu": 1e6 * used / t["done"], "p50": t["p50_us"] / 1000, "p99": t["p99_us"] / 1000,
            **{name: t[name] for name in ("refused", "rcode", "lost")}}


def syncs(bench, able):
    """How often a server has the disk told to keep what was written, as strace sees it."""
    maker, _, _ = bench.zone("small")

    def measure(s):
        running = s.start(bench.work(s), {maker.zone: maker.path}, under=[
            "strace", "-f", "-I", "2", "--seccomp-bpf", "-o", "syncs", "-e", "trace=" + SYNCS, "-e", "signal=none"])
        try:
            bench.update(running, maker.zone, "add", 1, WARM_S, "warm")
            before = syncs_seen(running)
            t = bench.update(running, maker.zone, "add", 1, WARM_S, "timed")
            return {"syncs": (syncs_seen(running) - before) / t["done"]}
        finally:
            running.stop()
    if shutil.which("strace") is None:
        return "strace is not there.\n"
    got = bench.rounds(able, measure, rounds=1)
    return "Calls of %s, one client:\n\n" % SYNCS.replace(",", ", ") + table(
        ["server", "calls an update"], [[s.name, figure(g["syncs"])] for s, g in got.items()])


def syncs_seen(running):
    """A call during which another thread's is seen has a second line: "resumed"."""
    with open(os.path.join(running.work, "syncs")) as f:
        return sum("sync" in line and "resumed" not in line for line in f)


# ---- where the time goes

def split(bench):
    origin = next((s for s in bench.primaries if s.name == "origin"), None)
    if origin is None:
        return "origin was not measured.\n"
    small, large = bench.zone("small")[0], bench.zone("million")[0]
    rows = [split_row(bench, origin, small, clients, bench.args.seconds) for clients in (1, 100)]
    rows += [split_row(bench, origin, large, 1, LARGE_MORE * bench.args.seconds), git_row(bench, large)]
    return "The median commit, in milliseconds, from the server's log.\n\n" + table(
        ["zone", "clients", "commits", "updates a commit", *STEPS], rows) + "\n" + verifying(bench, origin, small)


def split_row(bench, origin, maker, clients, seconds):
    running = origin.start(bench.work(origin), {maker.zone: maker.path})
    try:
        bench.update(running, maker.zone, "replace", clients, WARM_S, "warm", lost_s=SLOW_LOST_S)
        begin = len(running.log())
        t = bench.update(running, maker.zone, "replace", clients, seconds, "timed", lost_s=SLOW_LOST_S)
        peers.await_true("the last commit is in the log", lambda: sum(c["updates"] for c in commits(running.log()[begin:])) >= t["done"])
        got = commits(running.log()[begin:])
    finally:
        running.stop()
    return ["%.0f kB" % (os.path.getsize(maker.path) / 1000), clients, len(got), "%.1f" % (sum(c["updates"] for c in got) / len(got)),
            *("%.2f" % (statistics.median(c[step + "_us"] for c in got) / 1000) for step in STEPS)]


def commits(log):
    """Of each commit that the log tells of, the numbers."""
    lines = re.findall(r"event=commit-pushed (.*)", log)
    return [{name: int(value) for name, value in re.findall(r"\b(updates|\w+_us)=(\d+)", line)} for line in lines]


def git_row(bench, maker):
    """The same change of the same file, by git on the command line; the file itself is written before that."""
    work = os.path.join(bench.temp, "work-git")
    primaries.contenders.make_repository(work, {maker.zone: maker.path})
    tree = os.path.join(work, "tree")
    commit, push = [], []
    for serial in range(2, 5):
        inputs.add_record(os.path.join(tree, maker.zone), serial)
        begin = time.monotonic()
        git(tree, "commit", "-q", "-a", "-m", "change")
        commit.append(1000 * (time.monotonic() - begin))
        begin = time.monotonic()
        git(tree, "push", "-q", "origin", "HEAD:main")
        push.append(1000 * (time.monotonic() - begin))
    total = [a + b for a, b in zip(commit, push)]
    return ["the same, `git commit` and `git push`", "-", len(commit), "1", "-", "-", figure(commit, "%.0f"), figure(push, "%.0f"), "-",
            figure(total, "%.0f")]


def verifying(bench, origin, maker):
    """What comes before the first step: updates that have nothing to write are verified, evaluated, and answered signed."""
    running = origin.start(bench.work(origin), {maker.zone: maker.path})
    try:
        bench.update(running, maker.zone, "nothing", 20, WARM_S, "warm")
        before = running.cpu_s()
        t = bench.update(running, maker.zone, "nothing", 20, bench.args.seconds, "timed")
        used = running.cpu_s() - before
        if commits(running.log()) or t["done"] == 0:
            raise RuntimeError("%d updates without effect acknowledged, %d commits" % (t["done"], len(commits(running.log()))))
    finally:
        running.stop()
    return ("To receive an update, verify it, evaluate it and sign the answer takes %.1f µs of CPU time, with system calls"
            " (updates that have nothing to write, 20 clients).\n" % (1e6 * used / t["done"]))
