#!/usr/bin/python3
"""The soak: every attack at once on one primary, beside a client that asks 2,000 questions a second, one that updates, and a secondary.

    tests/system/soak.py [--minutes 60] [--seed 1] [--remote direct|git] [--only NAME]... [--without NAME]... [--list] [--bindir DIR] [--sim PROGRAM]

What must hold is in Verdict, one method each.  Each that does not is said, with what was under way when it broke; --only and --without
tell whether it was that.  With --sim the simulator (tests/sim) runs fleets of fresh seeds all the while, in time that nobody else wants; a
seed that fails is said, with how to see it again.  Half of the time the remote is a directory of this machine, half of it a git server; --remote: all of it one.

Run as root: it wants port 53 of loopback addresses, in a network namespace of its own.
"""
import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time

import disk
import loopback
import remotes
import secondaries
import servers
import soak_good
import soak_machine
import soak_pushes
import soak_strangers
import soak_zones
from repository import Repo
from soak_attack import ATTACKING, CONTEXT, SERVED, Acts, prefer
from soak_verdict import Limits, Verdict
from tsig_key import Key

ATTACKS = soak_strangers.ATTACKS + soak_machine.ATTACKS
PUSHES = soak_pushes.PUSHES
NAMES = [a.name for a in ATTACKS + PUSHES]
SETTLE_LIMIT_S = 60


class Primary(servers.Primary):
    """Its log goes through a pipe, so that the reader can stand still; and into a file behind that."""

    def __init__(self, scene, *options, wrapper=(), **more):
        fifo = os.path.join(scene.work, "log.fifo")
        os.mkfifo(fifo)
        self.reader = servers.Process(["cat", fifo], scene.work, "log")
        scene.log_pid.value = self.reader.pid
        pipe = ["sh", "-c", 'pipe=$1; shift; exec "$@" 2>"$pipe"', "sh", fifo]
        super().__init__(scene.bindir, scene.work, scene.url, *options, port=scene.port, wrapper=[*wrapper, *pipe], **more)
        self.log_path = self.reader.log_path

    def kill(self):
        super().kill()
        self.reader.kill()


class Scene:
    """Who takes part.  What attacks share with the soak goes through memory that processes share."""

    def __init__(self, bindir, work, *, seed=1, remote="direct", names=NAMES, is_short=False):
        self.bindir, self.work, self.seed, self.is_direct, self.is_short = bindir, work, seed, remote == "direct", is_short
        self.port, self.secondary, self.primary = secondaries.PORT, None, None
        self.is_over, self.git_lock = CONTEXT.Event(), CONTEXT.Lock()
        self.primary_pid, self.log_pid, self.daemon_pid, self.big_serial = (CONTEXT.Value("i", 0) for _ in range(4))
        self.big_serial.value = 1
        self.failures, self.replays, self.tries, self.served_after = (CONTEXT.Queue() for _ in range(4))
        self.acts = Acts(os.path.join(work, "acts"))
        self.keys, self.files = self.make_keys(), {}
        self.repo = Repo(work)
        self.features = set() if self.is_direct else {"cache", "daemon"}
        self.attacks = [a(self) for a in ATTACKS if a.name in names and self.features.issuperset(a.needs)]
        self.attacks.append(soak_pushes.Person(self, [p for p in PUSHES if p.name in names]))

    def size(self, whole, short):
        return short if self.is_short else whole

    def note_act(self, name, begin, end):
        self.acts.note(name, begin, end)

    def fail(self, what, text):
        self.failures.put((what, text))

    # ---- what is in the repository ----

    def make_keys(self):
        names = {"good": "good._update.good.example.", "costly": "costly._update.attacked.example.", "wide": "wide._update.attacked.example.",
                 "replay": "replay._update.attacked.example.", "replay-cover": "cover._update.attacked.example.",
                 "notify": "some._notify.", "slow": "slow._transfer.big.example.",
                 "secondary": "127.0.0.1.127.0.0.3._transfer.", "nobody": "nobody._update.good.example.", "forged": "good._update.good.example."}
        return {what: Key(name, b"a secret of %-20s" % what.encode()) for what, name in names.items()}

    @property
    def written_by_others(self):
        return {"good.example", "attacked.example", "big.example"}

    def zone(self, serial):
        return soak_zones.small(serial)

    def big(self, serial):
        return soak_zones.big(serial, self.size(50_000, 2_000))

    def prepare(self):
        self.files = {name: self.zone(1) for name in ["good.example", "attacked.example", "person.example", "tiny.example"] + [
            "z%d.example" % n for n in range(24)]}
        self.files["big.example"] = self.big(1)
        self.files.update({name: soak_zones.nsec3(self.work, name, n) for name, n in (("nsec3.example", 2500), ("nsec3low.example", 150))})
        self.files["_keys"] = "".join(key.line for what, key in self.keys.items() if what not in ("nobody", "forged"))
        self.files["README"] = "zones\n"
        self.repo.commit(self.files)

    # ---- the start and the end ----

    def start(self):
        self.prepare()
        options, more = ["--axfr"], {}
        if self.is_direct:
            self.url = self.repo.url
        else:
            self.daemon = remotes.Daemon(self.work)
            self.daemon_pid.value = self.daemon.child.process.pid
            self.url = self.daemon.url("zones.git")
            self.disk = disk.Mounted(self.work, "64m") if disk.mount_namespace() else disk.Preloaded(self.work)
            options += ["--cache-dir=" + os.path.join(self.disk.path, "cache"), "--fetch-timeout=10", *self.disk.options]
            more = {"wrapper": self.disk.wrapper, "env": self.disk.env}
        options += ["--memory-max=%d" % Limits.memory_max_mib, "--fetch-memory-max=%d" % Limits.git_memory_max_mib]
        self.primary = Primary(self, *options, zones=["good.example", "person.example"], **more)
        self.primary_pid.value = self.primary.pid
        self.secondary = secondaries.Knot(self.work, {zone: self.keys["secondary"] for zone in ("good.example", "person.example")})
        servers.await_true("the secondary has it", lambda: self.secondary.serial("good.example"))

    def run(self, seconds):
        self.asker, self.echo = soak_good.Asker(self, seconds, self.port, soak_good.QUESTIONS_A_SECOND), soak_good.Echo(self, seconds)
        self.updater, self.watch = soak_good.Updater(self), soak_good.Watch(self)
        for attack in self.attacks:
            attack.start()
        self.begin = time.monotonic()
        for good in self.asker, self.echo.asker, self.updater, self.watch:
            good.start()
        try:
            while time.monotonic() < self.begin + seconds and self.primary.is_running():
                time.sleep(0.2)
            self.end = time.monotonic()
            if not self.primary.is_running():
                self.asker.kill()
        finally:
            self.is_over.set()
            self.counted = {attack.name: attack.end(2 * SETTLE_LIMIT_S) for attack in self.attacks}
        self.settle()

    def settle(self):
        """Whoever attacks has gone; the updater goes on for a moment, and then all is quiet."""
        acknowledged = len(self.updater.acknowledged)
        with contextlib.suppress(servers.Trouble):
            servers.await_true("an update more", lambda: len(self.updater.acknowledged) > acknowledged, SETTLE_LIMIT_S)
        self.updater.is_over.set()
        self.updater.join(2 * SETTLE_LIMIT_S)
        self.watch.is_over.set()
        self.watch.join()
        self.asker.end()
        self.echo.asker.end()

    def discard(self):
        self.is_over.set()
        for attack in self.attacks:
            if hasattr(attack, "process") and attack.process.is_alive():
                attack.process.kill()
        for one in self.secondary, self.primary, getattr(self, "daemon", None), getattr(self, "asker", None), getattr(self, "echo", None):
            if one is not None:
                one.kill()


# ---- fleets ----

class Fleets:
    """The simulator, beside."""

    def __init__(self, sim):
        self.child = None
        if sim is not None:
            argv = [os.path.join(soak_good.ROOT, "tests", "sim", "soak"), "--sim", sim]
            self.child = subprocess.Popen(argv, preexec_fn=lambda: prefer(ATTACKING))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child is not None:
            self.child.terminate()
            self.child.wait()

    @property
    def failed(self):
        """Once it has ended: has a seed failed?"""
        return self.child is not None and self.child.returncode != 0


# ---- as a program ----

AUTOGROUP = "/proc/sys/kernel/sched_autogroup_enabled"


@contextlib.contextmanager
def priorities_that_count():
    """With autogroups a priority counts within its session alone: whoever measures is late by the work of any other session."""
    try:
        with open(AUTOGROUP, encoding="ascii") as f:
            before = f.read()
        with open(AUTOGROUP, "w", encoding="ascii") as f:
            f.write("0")
    except OSError:  # a kernel without them, or no right to say so
        before = None
    try:
        yield
    finally:
        if before is not None:
            with open(AUTOGROUP, "w", encoding="ascii") as f:
                f.write(before)


def soak(bindir, work, seconds, limits=None, **more):
    """One soak, and what is to be said of it."""
    scene = Scene(bindir, work, **more)
    try:
        scene.start()
        scene.run(seconds)
        return Verdict(scene, limits or Limits())
    finally:
        scene.discard()


def parse(argv):
    parser = argparse.ArgumentParser(description="Every attack at once, beside those who are to be served.")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--remote", choices=["direct", "git"], help="default: half of the time each")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME", help="this attack alone; may be repeated")
    parser.add_argument("--without", action="append", default=[], choices=NAMES, metavar="NAME", help="all but this one; may be repeated")
    parser.add_argument("--list", action="store_true", help="print the attacks, and end")
    parser.add_argument("--short", action="store_true", help="small sizes, as in `make check`")
    parser.add_argument("--bindir", default=os.environ.get("ORIGIN_BINDIR") or os.path.join(soak_good.ROOT, "build", "src", "bin"))
    parser.add_argument("--sim", help="run this simulator beside; a release build")
    parser.add_argument("--work", help="where logs and repositories stay; default: a directory that goes at the end")
    return parser.parse_args(argv)


def print_attacks():
    for attack in ATTACKS + PUSHES:
        print("%-16s %s: %s" % (attack.name, attack.who, attack.what))


def run(args):
    """Returns how many things did not hold."""
    loopback.enter()
    prefer(SERVED)
    names = [n for n in args.only or NAMES if n not in args.without]
    kinds = [args.remote] if args.remote else ["direct", "git"]
    failed = 0
    for kind in kinds:
        with tempfile.TemporaryDirectory(prefix="origin-soak-") as temp:
            work = os.path.join(args.work or temp, kind)
            os.makedirs(work)
            print("== remote: %s, %.1f minutes, seed %d, attacks: %s" % (kind, args.minutes / len(kinds), args.seed, " ".join(names)), flush=True)
            verdict = soak(args.bindir, work, 60 * args.minutes / len(kinds), seed=args.seed, remote=kind, names=names, is_short=args.short)
            print("\n".join(map(str, verdict.findings)), flush=True)
            failed += len(verdict.failed)
    return failed


def main(argv):
    args = parse(argv)
    if args.list:
        print_attacks()
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # what was started is ended, and settings are put back
    with priorities_that_count(), Fleets(args.sim) as fleets:
        failed = run(args)
    failed += fleets.failed
    print("%d failed" % failed)
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
