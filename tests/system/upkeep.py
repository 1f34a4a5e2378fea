"""A local remote that its owner keeps in order all the time, beside updates: who takes part, and what must hold in the end.

The owner is one person, who does one thing after the other, as git's manual asks of him: with --prune=now nobody may push by way of git
meanwhile.  He collects, repacks, packs references, and rewrites the branch (amends, or makes all of it one commit), with a lease, so
that he drops no commit that he has not seen.  Somebody else clones.  Updates go on beside all of it.
"""
import collections
import os
import random
import shutil
import subprocess
import threading
import time

import dns.rcode

import servers
import torture
from repository import ENV, git


class Actor(threading.Thread):
    """Does its turns until the storm is over."""

    def __init__(self, storm, name):
        super().__init__(name=name, daemon=True)
        self.storm, self.trouble = storm, None
        self.chance = random.Random("%s %s" % (storm.seed, name))
        self.count, self.failed = collections.Counter(), []

    def run(self):
        try:
            while not self.storm.is_over.is_set():
                self.turn()
        except BaseException as e:  # for the test's own thread to raise
            self.trouble = e

    def turn(self):
        raise NotImplementedError

    def git(self, what, where, *args):
        """True when git is content; what it says otherwise is kept."""
        done = subprocess.run(["git", "-C", where, *args], capture_output=True, text=True, check=False, env={**os.environ, **ENV})
        self.count[what if done.returncode == 0 else what + " failed"] += 1
        if done.returncode != 0:
            self.failed.append("%s: %s" % (" ".join(args), done.stderr.strip()))
        return done.returncode == 0


class Owner(Actor):
    def __init__(self, storm):
        super().__init__(storm, "owner")
        self.edits = 0

    def turn(self):
        bare, may_send = self.storm.repo.bare, self.storm.may_send
        if self.chance.random() < 0.8:
            may_send.clear()  # he would always come too late
        for _ in range(5):
            if self.rewrite():
                break
        if self.chance.random() < 0.5:
            may_send.set()
        self.git("reflog", bare, "reflog", "expire", "--expire=now", "--all")
        for what in self.chance.sample(["gc", "repack", "pack-refs"], 3):
            if what == "gc":
                self.git("gc", bare, "gc", "-q", *self.storm.prune)
            elif what == "repack":
                self.git("repack", bare, "repack", "-a", "-d", "-f", "-q")
            else:
                self.git("pack-refs", bare, "pack-refs", "--all")
            may_send.set()
        self.storm.cycles += 1

    def rewrite(self):
        work, branch = self.storm.repo.path, self.storm.repo.branch
        if not self.git("fetch", work, "fetch", "-q", "origin", "+%s:refs/remotes/origin/%s" % (branch, branch)):
            return False
        seen = git(work, "rev-parse", "origin/" + branch)
        git(work, "reset", "-q", "--hard", seen)
        how = self.chance.choice(["amend", "squash", "edit"])
        if how == "edit":
            self.edit(work)
            git(work, "commit", "-q", "-a", "-m", "by hand %d" % self.edits)
        elif how == "amend":
            git(work, "commit", "-q", "--amend", "-m", "amended %d" % self.chance.getrandbits(30))
        else:
            new = git(work, "commit-tree", "-m", "all of it %d" % self.chance.getrandbits(30), seen + "^{tree}")
            git(work, "reset", "-q", "--hard", new)
        is_done = self.git("push " + how, work, "push", "-q", "--force-with-lease=%s:%s" % (branch, seen), "origin", "HEAD:" + branch)
        self.edits += is_done and how == "edit"
        return is_done

    def edit(self, work):
        path = os.path.join(work, torture.ZONES[0])
        with open(path) as f:
            text = f.read()
        serial = int(text.split("; serial")[0].split()[-1])
        text = text.replace("\t%d\t; serial" % serial, "\t%d\t; serial" % (serial + 1))
        servers.write(path, text.replace("; -- end\n", 'p%d\tTXT\t"p%d"\n; -- end\n' % (self.edits + 1, self.edits + 1)))


def fsck(where):
    done = subprocess.run(["git", "-C", where, "fsck", "--strict", "--full", "--no-dangling"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout + done.stderr == "", done


class Cloner(Actor):
    """Whoever has cloned has a whole repository: from a server that is, for of a path git copies file by file, and warns in
    git-clone(1) that this races with whoever writes there."""

    def __init__(self, storm):
        super().__init__(storm, "cloner")

    def turn(self):
        where = os.path.join(self.storm.work, "cloned")
        if self.chance.random() < 0.5:
            self.git("clone of a path", self.storm.work, "clone", "-q", "--bare", self.storm.repo.bare, where)
        elif self.git("clone", self.storm.work, "clone", "-q", "--bare", "file://" + self.storm.repo.bare, where):
            fsck(where)
        shutil.rmtree(where, ignore_errors=True)


class Client(torture.Client):
    """Until the storm is over, not so many updates."""

    def run(self):
        try:
            number = 0
            while not self.round.is_over.is_set():
                self.round.may_send.wait()
                update = self.choose(number)
                update.rcode = self.send(update)
                if update.is_accepted and update.what == "add":
                    self.there.append((update.zone, update.target))
                self.round.ledger.add(update)
                number += 1
        except BaseException as e:
            self.trouble = e

    def transport(self):
        return self.send_tcp


class Storm:
    def __init__(self, bindir, repo, work, make_key, *, seed, prune):
        self.bindir, self.repo, self.work, self.make_key, self.seed, self.prune = bindir, repo, work, make_key, seed, prune
        self.may_send = threading.Event()
        self.may_send.set()
        self.is_over, self.ledger, self.cycles = threading.Event(), torture.Ledger(), 0
        self.clients = [Client(self, "c%d" % i, 0) for i in range(3)]
        files = {zone: torture.ZONE % {"zone": zone} for zone in torture.ZONES}
        repo.commit({**files, "_keys": "".join(c.key.line for c in self.clients), "README": "zones\n"})
        git(repo.bare, "config", "gc.writeCommitGraph", "false")  # fsck finds in it what a later `git repack` has dropped
        self.remote = torture.Direct(self)
        self.has_cache = False
        self.seats = [torture.Seat(self, "north")]
        self.owner, self.cloner = Owner(self), Cloner(self)

    def run(self, cycles, seconds):
        """At least so many turns of the owner, and so long."""
        seat = self.seats[0]
        seat.start()
        servers.await_true("it serves", lambda: seat.serial(torture.ZONES[0]))
        actors = [*self.clients, self.owner, self.cloner]
        end = time.monotonic() + seconds
        for actor in actors:
            actor.start()
        try:
            while (self.cycles < cycles or time.monotonic() < end) and all(actor.is_alive() for actor in actors):
                self.is_over.wait(0.1)
        finally:
            self.is_over.set()
            self.may_send.set()
            for actor in actors:
                actor.join()
        for actor in actors:
            if actor.trouble is not None:
                raise actor.trouble

    # ---- what must hold ----

    def check(self):
        refused = [u for u in self.ledger.updates if u.is_refused and u.what != "wrong"]
        assert not refused, "\n".join(map(str, refused))
        assert not [u for u in self.ledger.updates if u.rcode is None], "updates without an answer"
        assert not [u for u in self.ledger.updates if u.what == "wrong" and u.rcode != dns.rcode.NXDOMAIN]
        fsck(self.repo.bare)
        self.check_content()

    def check_content(self):
        """Records of all updates that were accepted, in git and served; and what the owner has written."""
        texts = {zone: git(self.repo.bare, "show", "%s:%s" % (self.repo.branch, zone)) for zone in torture.ZONES}
        there = {target for client in self.clients for _, target in client.there}
        for u in self.ledger.updates:
            if u.what in ("add", "wrong"):
                found = texts[u.zone].count('"%s"' % u.target)
                assert found == (2 if u.target in there else 0), (str(u), found)
        for n in range(1, self.owner.edits + 1):
            assert '"p%d"' % n in texts[torture.ZONES[0]], "p%d" % n
        seat = self.seats[0]
        seat.hangup()
        for zone in torture.ZONES:
            serial = int(texts[zone].split("; serial")[0].split()[-1])
            seat.process.await_true("%s is served as it is in git" % zone, lambda z=zone, s=serial: seat.serial(z) == s)

    def report(self):
        rcodes = collections.Counter(dns.rcode.to_text(u.rcode) for u in self.ledger.updates if u.rcode is not None)
        return "updates: %s; owner: %s; %s" % (dict(rcodes), dict(self.owner.count), dict(self.cloner.count))

    def discard(self):
        for seat in self.seats:
            seat.discard()
