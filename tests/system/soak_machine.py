"""Attacks of the soak on the machine and on the git server: processes that die or stand still, disks that are full, remotes that are away."""
import contextlib
import os
import signal
import subprocess

import processes
import servers
from repository import ENV
from soak_attack import OTHERS, Attack

STOPPED_LIMIT_S = 60  # by then a process that stands still has been replaced


class Processes(Attack):
    """`depths`: below the primary: 1 the keeper, 2 the git side's supervisor, 3 a worker."""
    depths = (2, 3)

    def turn(self):
        self.scene.is_over.wait(self.chance.uniform(*self.scene.size((15, 45), (1, 4))))
        victims = [pid for pid, depth in self.below(self.scene.primary_pid.value) if depth in self.depths]
        if victims and not self.scene.is_over.is_set():
            self.strike(self.chance.choice(victims))

    def below(self, pid, depth=1):
        for child in servers.children(pid):
            yield child, depth
            yield from self.below(child, depth + 1)

    def strike(self, pid):
        raise NotImplementedError


class Killed(Processes):
    name, who, what = "killed", "the machine", "SIGKILL for the git side, or a worker of its"

    def strike(self, pid):
        with self.act(None), contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.count["killed"] += 1
            self.scene.is_over.wait(1)


class Stopped(Processes):
    name, who, what = "stopped", "the machine", "SIGSTOP for the git side, or a worker of its, and nobody who sends SIGCONT"

    def strike(self, pid):
        try:
            with self.act(None):
                os.kill(pid, signal.SIGSTOP)
                self.count["stopped"] += 1
                servers.await_true("it is replaced", lambda: processes.is_gone(pid) or self.scene.is_over.is_set(), STOPPED_LIMIT_S)
        except ProcessLookupError:
            return
        except servers.Trouble:
            self.scene.fail("what stands still is replaced", "process %d did not for %d s: %s" % (pid, STOPPED_LIMIT_S, command(pid)))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def command(pid):
    with contextlib.suppress(OSError), open("/proc/%d/cmdline" % pid) as f:
        return f.read().replace("\0", " ")
    return "?"


class Hangups(Attack):
    name, who, what = "hangups", "the machine", "SIGHUP and SIGUSR1, one after the other"

    def turn(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.scene.primary_pid.value, self.chance.choice([signal.SIGHUP, signal.SIGUSR1]))
        self.count["sent"] += 1
        self.scene.is_over.wait(self.chance.uniform(0, 1))


class LogStalls(Attack):
    name, who, what = "log-stalls", "the machine", "a reader of the log that stands still for seconds"

    def turn(self):
        self.scene.is_over.wait(self.chance.uniform(0, 5))
        with self.act(None):
            os.kill(self.scene.log_pid.value, signal.SIGSTOP)
            self.scene.is_over.wait(self.chance.uniform(0, 5))
            os.kill(self.scene.log_pid.value, signal.SIGCONT)
        self.count["stalls"] += 1


class FullDisk(Attack):
    name, who, what, needs = "full-disk", "the machine", "no room for the clone, for seconds", ("cache",)

    def turn(self):
        self.scene.is_over.wait(self.chance.uniform(0, 5))
        with self.act(None):
            self.scene.disk.fill(self.scene.primary)
            self.scene.is_over.wait(self.chance.uniform(0, 5))
            self.scene.disk.make_room(self.scene.primary)
        self.count["full"] += 1


class RemoteAway(Attack):
    name, who, what, needs = "remote-away", "the git server", "a server that stands still in the middle of what it does", ("daemon",)

    def turn(self):
        self.scene.is_over.wait(self.chance.uniform(0, 10))
        group = [self.scene.daemon_pid.value, *servers.descendants(self.scene.daemon_pid.value)]
        with self.act(None):
            self.send(group, signal.SIGSTOP)
            self.scene.is_over.wait(self.chance.uniform(0, 5))
            self.send(group, signal.SIGCONT)
        self.count["away"] += 1

    def send(self, pids, number):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


class Upkeep(Attack):
    """With --prune=now nobody may push by way of git meanwhile (git-gc(1)): so only where the primary writes by itself, and not
    while the person is at work."""
    name, who, what = "upkeep", "the git server", "gc, repack and pack-refs of the remote, again and again"
    priority = OTHERS

    def turn(self):
        bare, prune = self.scene.repo.bare, ["--prune=now"] if self.scene.is_direct else []
        what = self.chance.choice([["gc", "-q", *prune], ["repack", "-a", "-d", "-q"], ["pack-refs", "--all"],
                                   ["reflog", "expire", "--expire=now", "--all"]])
        with self.scene.git_lock, self.act(what[0]):
            done = subprocess.run(["git", "-C", bare, *what], capture_output=True, check=False, env={**os.environ, **ENV})
        self.count[what[0] if done.returncode == 0 else what[0] + " failed"] += 1
        self.scene.is_over.wait(self.chance.uniform(1, self.scene.size(5, 2)))


ATTACKS = [Killed, Stopped, Hangups, LogStalls, FullDisk, RemoteAway, Upkeep]
