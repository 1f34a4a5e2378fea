"""What must hold after a soak, and, where it does not, what was under way when it broke."""
import collections
import contextlib
import queue
import re
import statistics

import dns.exception
import dns.rcode

import secondaries
import servers
from repository import git

MIB = 1 << 20
LATE_MS = 50  # an answer of which it is said what was under way then
SETTLE_LIMIT_S = 60
SUSPECTS_MAX = 4
MINUTE_S = 60  # from then on a person has pushed more than once


class Limits:
    """What is asked of a soak; each may be given looser."""
    p99_ms = 50            # beside what an echo server takes
    lost_per_mille = 0     # of the good client's questions
    memory_max_mib = 768      # --memory-max: what serves
    git_memory_max_mib = 256  # --fetch-memory-max: all the others
    behind_max_s = 60      # a secondary
    update_gap_max_s = 60  # without an acknowledged update
    tries_max = 3          # of a person, until a push is taken
    pulls_a_second_max = 3
    log_octets_a_second_max = 100_000

    def __init__(self, **looser):
        for name, value in looser.items():
            assert hasattr(self, name), name
            setattr(self, name, value)


class Finding:
    def __init__(self, what, holds, figure, suspects=""):
        self.what, self.holds, self.figure, self.suspects = what, bool(holds), figure, suspects

    def __str__(self):
        when = "\n       under way then: " + self.suspects if self.suspects else ""
        return "%s  %s: %s%s" % ("holds" if self.holds else "FAILS", self.what, self.figure, when)


class Verdict:
    def __init__(self, scene, limits):
        self.scene, self.limits = scene, limits
        self.seconds, self.findings = scene.end - scene.begin, []
        self.acts = scene.acts.all()
        for look in (self.attacks, self.life, self.questions, self.memory, self.updates, self.secondary, self.replays, self.person, self.said,
                     self.log, self.repository, self.clean_end):
            look()

    def note(self, what, holds, figure, windows=()):
        self.findings.append(Finding(what, holds, figure, self.suspects(windows)))

    @property
    def failed(self):
        return [f for f in self.findings if not f.holds]

    def suspects(self, windows):
        """Acts by how much more often they were under way in these spans of time than in all of the soak."""
        if not windows:
            return ""
        within, whole = collections.defaultdict(set), collections.Counter()
        for name, begin, end in self.acts:
            whole[name] += end - begin
            for n, (a, b) in enumerate(windows):
                if begin < b and a < end:
                    within[name].add(n)
        weight = {name: len(found) / len(windows) / max(0.01, whole[name] / self.seconds) for name, found in within.items()}
        return ", ".join("%s (in %d of %d)" % (name, len(within[name]), len(windows))
                         for name in sorted(weight, key=weight.get, reverse=True)[:SUSPECTS_MAX])

    # ---- those who were to be served ----

    def questions(self):
        asker = self.scene.asker
        if asker.total is None:
            self.note("every question of the good client is answered", False, "it was ended early")
            return
        t = asker.total
        wrong = t["answered"] - t["noerror"] - t["nxdomain"]
        lossy = [(a, b) for a, b, s in asker.slices if s["lost"]]
        self.note("every question of the good client is answered", 1000 * t["lost"] <= self.limits.lost_per_mille * t["sent"] and wrong == 0,
                  "%d of %d lost, %d wrong" % (t["lost"], t["sent"], wrong), lossy)
        echo = self.scene.echo.asker
        busy = {round(a - echo.begin, 1) for a, b, s in echo.slices if s["max_us"] > 1000 * LATE_MS / 2}
        slow = [(a, b) for a, b, s in asker.slices if s["max_us"] > 1000 * LATE_MS and not busy & near(a - asker.begin)]
        self.note("the good client is answered soon", t["p99_us"] - echo.total["p99_us"] <= 1000 * self.limits.p99_ms,
                  "p50 %.2f ms, p99 %.2f ms, longest %.0f ms (an echo: %.2f, %.2f, %.0f); over %d ms in %d of %d tenths of a second" % (
                      *figures(t), *figures(echo.total), LATE_MS, len(slow), len(asker.slices)), slow)

    def updates(self):
        u = self.scene.updater
        text = git(self.scene.repo.bare, "show", "main:good.example")
        missing = u.missing_in(text)
        self.note("every acknowledged update is in git", not missing and u.trouble is None,
                  "%d acknowledged, %s; missing: %s" % (len(u.acknowledged), dict(u.rcodes), missing[:5] or u.trouble or "none"))
        gap, at = u.longest_gap(self.scene.begin, self.scene.end)
        took = sorted(u.took) or [0]
        self.note("updates go on", gap <= self.limits.update_gap_max_s, "median %.2f s, p99 %.1f s, longest %.1f s; longest time without one %.1f s" % (
            statistics.median(took), took[len(took) * 99 // 100], took[-1], gap), [(at, at + gap)])

    def secondary(self):
        worst = max(self.scene.watch.behind, key=lambda b: b[1], default=(0, 0))
        self.note("the secondary keeps up", worst[1] <= self.limits.behind_max_s, "%.0f s behind at most" % worst[1],
                  [(worst[0] - worst[1], worst[0])] if worst[1] > 1 else [])
        for zone in "good.example", "person.example":
            self.note("the secondary is equal at the end", self.is_equal(zone), "%s, serial %s here, %s there" % (
                zone, servers.serial_served(self.scene.port, zone), self.scene.secondary.serial(zone)))

    def is_equal(self, zone):
        """Once nothing is under way."""
        def records(address):
            with contextlib.suppress(OSError, AssertionError, dns.exception.DNSException):
                return secondaries.canonical(secondaries.transfer(address, zone))
            return None
        with contextlib.suppress(servers.Trouble):
            return servers.await_true("equal", lambda: records(servers.ADDRESS) == records(self.scene.secondary.address) is not None,
                                      SETTLE_LIMIT_S)
        return False

    def person(self):
        tries, served = drained(self.scene.tries), drained(self.scene.served_after)
        # Before the first push nobody was seen to push, so no moment is left for it (src/auth/quiet.h).
        most, after = max(tries[1:], default=(0, "nothing"))
        is_seen = len(tries) > 1 or self.seconds < MINUTE_S
        self.note("a person gets through", is_seen and most <= self.limits.tries_max, "%d pushes, %d tries at most, after %s" % (
            len(tries), most, after))
        after, longest = max(served, key=lambda s: s[1], default=("nothing", 0))
        self.note("good pushes are served", len(served) > 0, "%d; the longest took %.1f s, after %s" % (len(served), longest, after))

    def replays(self):
        labels = drained(self.scene.replays)
        back = [name for name in labels if servers.ask(self.scene.port, name, "TXT").rcode() != dns.rcode.NXDOMAIN]
        self.note("nothing recorded is carried out again", not back, "%d recorded, back again: %s" % (len(labels), back[:5] or "none"))

    # ---- the server ----

    def life(self):
        self.note("the primary lives", self.scene.primary.is_running(), self.scene.primary.popen.poll() or "it was never started anew")

    def memory(self):
        watch, limits = self.scene.watch, self.limits
        for what, samples, most_mib in ("what serves", watch.memory, limits.memory_max_mib), ("what fetches", watch.git_memory, limits.git_memory_max_mib):
            over = [(a - 1, a) for a, octets in samples if octets > most_mib * MIB]
            self.note("memory of %s stays below its limit" % what, not over and watch.trouble is None, "%d MiB at most, of %d" % (
                max(octets for _, octets in samples) // MIB, most_mib), over)

    def log(self):
        pulls = 0
        with open(self.scene.primary.log_path, errors="replace") as f:
            for line in f:
                pulls += " event=pull " in line
        self.note("the git server is spared", pulls <= self.limits.pulls_a_second_max * self.seconds, "%.2f pulls a second" % (pulls / self.seconds))
        octets = self.scene.watch.log_octets[-1][1]
        self.note("the log stays short", octets <= self.limits.log_octets_a_second_max * self.seconds, "%.1f kB a second" % (octets / 1000 / self.seconds))

    def repository(self):
        # What `git gc` has put into a commit-graph may be pruned by the `git repack -a -d` after it: that file is git's own.
        done = git(self.scene.repo.bare, "-c", "core.commitGraph=false", "fsck", "--connectivity-only", "--no-dangling", "main")
        self.note("the repository is whole", "missing" not in done and "broken" not in done, done or "git fsck says nothing")

    def clean_end(self):
        trouble = None
        try:
            self.scene.primary.stop()
        except AssertionError as e:
            trouble = re.sub(r"(?s)\n--- log.*", "", str(e))
        self.note("it ends well", trouble is None, trouble or "status 0")

    # ---- the attacks ----

    def attacks(self):
        for name, (count, trouble) in sorted(self.scene.counted.items()):
            self.note("attack " + name, trouble is None and (count or self.seconds < 20), trouble or ", ".join("%s %d" % c for c in sorted(count.items())))

    def said(self):
        """What attacks have found out themselves."""
        found = collections.defaultdict(list)
        for what, text in drained(self.scene.failures):
            found[what].append(text)
        for what, texts in found.items():
            self.note(what, False, "%d times: %s" % (len(texts), "; ".join(sorted(set(texts))[:5])))


def figures(total):
    return [total[name] / 1000 for name in ("p50_us", "p99_us", "max_us")]


def near(at):
    """The tenths of a second around it."""
    return {round(at + d / 10, 1) for d in (-1, 0, 1)}


def drained(shared):
    got = []
    with contextlib.suppress(queue.Empty):
        while True:
            got.append(shared.get(timeout=0.2))
    return got
