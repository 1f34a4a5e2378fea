"""The section `pair`: a primary of ours and a secondary of ours, from a push to the answer of both; and what questions to the secondary
notice of a transfer."""
import itertools
import json
import os
import re
import signal
import subprocess
import time

import contenders
import follow
from contenders import peers
from repository import git
from tables import figure, table

import secondaries
from tsig_key import Key

PUSHES = 20
RATE = 5000
LIMIT_S = 60
SECONDARY = "127.0.0.9"
WHOLE = range(100, 103)  # serials of versions whose every record differs
SECONDS = 10


class Pair:
    """oprimary on core 1, which has the zone of that file in a repository of its own; osecondary on core 0."""

    def __init__(self, bench, what, maker):
        self.zone, self.work = maker.zone, os.path.join(bench.temp, "pair-" + what)
        os.makedirs(self.work)
        self.bindir, self.load_port = bench.args.bindir, peers.free_port()
        self.key = Key("%s.%s._transfer.%s." % (secondaries.PRIMARY, SECONDARY, self.zone))
        self.notify_key = Key("bench._notify.%s." % self.zone)
        keys = peers.write(os.path.join(self.work, "keys"), self.key.line + self.notify_key.line)
        self.notify_file = self.keep_secret("notify-key", self.notify_key)
        self.bare = contenders.make_repository(self.work, {self.zone: maker.path, self.zone + "._keys": keys})
        self.processes = []

    def __enter__(self):
        self.primary = self.start("oprimary", 1, "--remote=file://" + self.bare, "--listen=" + secondaries.PRIMARY, "--notify=keys")
        self.await_serial(1, secondaries.PRIMARY)
        secret = self.keep_secret("secondary-key", self.key)
        self.secondary = self.start("osecondary", 0, "--listen=" + SECONDARY, "--listen=127.0.0.1@%d" % self.load_port, "--keys-file=" + secret)
        self.await_serial(1, SECONDARY)
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()

    def keep_secret(self, name, key):
        path = peers.write(os.path.join(self.work, name), key.argument + "\n")
        os.chmod(path, 0o600)
        return path

    def start(self, program, core, *options):
        process = peers.Process([os.path.join(self.bindir, program), "--user=root", *options], self.work, program,
                                preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        self.processes.append(process)
        return process

    def primary_gives_way(self):
        """It shares a core with the load, which is not to wait for it."""
        for thread in os.listdir("/proc/%d/task" % self.primary.pid):
            os.sched_setscheduler(int(thread), os.SCHED_IDLE, os.sched_param(0))

    def await_serial(self, serial, address):
        return follow.await_serial(self.zone, address, serial)

    def commit(self, serial, change):
        """One more commit of the zone, made by `change` of its file's text."""
        path = os.path.join(self.work, "tree", self.zone)
        with open(path) as f:
            text = f.read()
        peers.write(path, re.sub(r"(SOA \S+ \S+) \d+", r"\1 %d" % serial, change(text), count=1))
        git(self.tree, "commit", "-q", "-a", "-m", "change")

    @property
    def tree(self):
        return os.path.join(self.work, "tree")

    def push(self, serial):
        """Milliseconds of `git push`, of `onotify`, until the primary has it, until the secondary has; and of all."""
        self.commit(serial, lambda text: text + "more%d A 192.0.2.1\n" % serial)
        times = [time.monotonic()]
        git(self.tree, "push", "-q", "origin", "HEAD:main")
        times.append(time.monotonic())
        subprocess.run([os.path.join(self.bindir, "onotify"), "--quiet", "--key-file=" + self.notify_file, secondaries.PRIMARY, self.zone],
                       check=True)
        times += [time.monotonic(), self.await_serial(serial, secondaries.PRIMARY), self.await_serial(serial, SECONDARY)]
        return [1000 * (b - a) for a, b in [*itertools.pairwise(times), (times[0], times[-1])]]


def from_push_to_answer(bench):
    maker, _, _ = bench.zone("small")
    with Pair(bench, "small", maker) as pair:
        got = list(zip(*(pair.push(serial) for serial in range(2, 2 + PUSHES))))
    return "%d pushes of one record into a zone of %d records, each told by `onotify`:\n\n" % (PUSHES, maker.records) + table(
        ["git push ms", "onotify ms", "until the primary has it ms", "until the secondary has it ms", "in all ms"],
        [[figure(times, "%.1f") for times in got]])


def load_during(bench, pair, path, seconds):
    """Starts the load; returns what it counts, once waited for."""
    load = subprocess.Popen(["taskset", "-c", "1", bench.generator, "udp", "127.0.0.1", str(pair.load_port), path, str(seconds), str(RATE)],
                            stdout=subprocess.PIPE, text=True)

    def counted():
        out, _ = load.communicate(timeout=seconds + LIMIT_S)
        return json.loads(out.strip().split("\n")[-1])
    return counted


def meanwhile(bench):
    """The commits wait on a branch of their own: what it costs to make them is nobody's here."""
    maker, _, path = bench.zone("million")
    with Pair(bench, "million", maker) as pair:
        heads = []
        for serial in WHOLE:
            pair.commit(serial, lambda text, ttl=serial: re.sub(r"(?m)^\$TTL \d+", "$TTL %d" % (3600 + ttl), text))
            git(pair.tree, "push", "-q", "origin", "HEAD:later")
            heads.append(git(pair.tree, "rev-parse", "HEAD"))
        pair.primary_gives_way()
        quiet = load_during(bench, pair, path, SECONDS)()
        busy = load_during(bench, pair, path, SECONDS)
        for serial, head in zip(WHOLE, heads):
            git(pair.bare, "update-ref", "refs/heads/main", head)
            pair.primary.popen.send_signal(signal.SIGHUP)
            pair.await_serial(serial, SECONDARY)
        rows = [("quiet", quiet), ("while the zone is transferred %d times" % len(WHOLE), busy())]
    return "Questions to the secondary of %d records, %d a second; each record is another one in each transfer:\n\n" % (maker.records, RATE) + table(
        ["", "median µs", "p99 µs", "longest µs", "lost"],
        [[what, "%.0f" % t["p50_us"], "%.0f" % t["p99_us"], "%.0f" % t["max_us"], t["lost"]] for what, t in rows])


def pair(bench):
    subprocess.run(["ip", "address", "replace", SECONDARY + "/8", "dev", "lo"], check=True)
    return from_push_to_answer(bench) + "\n" + meanwhile(bench)
