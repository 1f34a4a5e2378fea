"""Attacks of the soak by somebody who may push.  One person does them in turn; after each comes a good push, which must be served soon.

So each has its verdict at once: what did not lead out of a bad state is named.
"""
import base64
import contextlib
import os
import subprocess
import time

import dns.exception
import dns.rcode

import servers
import soak_wire as wire
from repository import ENV, git
from soak_attack import OTHERS, SERVED, Attack, prefer, receive

GOOD_PUSH_LIMIT_S = 60
TRAILER = "\n\nOrigin-Allow: mass-delete\n"
TRIES_MAX = 50
LOOK_S = 1  # until a person has seen that a push was refused


class Person(Attack):
    """Has a clone; `pushes`: the attacks that he does, in turn."""
    name, who, what = "person", "somebody who may push", "pushes what is good after each bad push, and counts his tries"
    priority = OTHERS

    def __init__(self, scene, pushes):
        super().__init__(scene)
        self.pushes, self.serial, self.next = pushes, 1, 0 if scene.is_direct else len(pushes) // 2

    def begin(self):
        self.clone = os.path.join(self.scene.work, "person")
        git(self.scene.work, "clone", "-q", self.scene.repo.bare, self.clone)

    def turn(self):
        if self.pushes:
            push = self.pushes[self.next % len(self.pushes)](self)
            self.next += 1
            with self.act(push.name), self.scene.git_lock:
                push.do()
                self.announce()
                push.look()
            self.mend(push.name)
            push.look_after()
        else:
            self.mend("nothing")
        self.scene.is_over.wait(1)

    def finish(self):
        self.mend("the end")

    # ---- git ----

    def git(self, *args, **more):
        return git(self.clone, *args, **more)

    def fetch(self):
        self.git("fetch", "-q", "origin", "+main:refs/remotes/origin/main")
        self.git("reset", "-q", "--hard", "origin/main")
        self.git("clean", "-q", "-d", "-f", "-x")

    def push(self, lease=None):
        """True: it is there."""
        force = ["--force-with-lease=main:" + lease] if lease else []
        done = subprocess.run(["git", "-C", self.clone, "push", "-q", *force, "origin", "HEAD:main"], capture_output=True, check=False,
                              env={**os.environ, **ENV})
        return done.returncode == 0

    def commit(self, change, message):
        """change() on the newest head, again until the push is taken; returns the number of tries."""
        for tries in range(1, TRIES_MAX + 1):
            self.fetch()
            change()
            self.git("add", "-A", "-f")
            self.git("commit", "-q", "--allow-empty", "-m", message)
            if self.push():
                self.count["pushes"] += 1
                return tries
            time.sleep(LOOK_S)
        self.scene.fail("a person gets through", "%s: %d pushes in a row came too late" % (message, TRIES_MAX))
        return TRIES_MAX

    def write(self, path, content):
        full = os.path.join(self.clone, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())

    def remove(self, *paths):
        for path in paths:
            os.unlink(os.path.join(self.clone, path))

    # ---- good pushes ----

    def announce(self):
        """A signed NOTIFY; returns whether it was accepted."""
        s = self.tcp("127.31.0.1")
        try:
            s.sendall(wire.framed(wire.signed(wire.question("person.example", wire.SOA, opcode=wire.NOTIFY), self.scene.keys["notify"])))
            return wire.rcode(receive(s)) == dns.rcode.NOERROR
        except (OSError, EOFError):
            return False
        finally:
            self.close(s)

    def restore(self):
        """All files as they should be, but for those that others write; and person.example is newer."""
        files, kept = self.scene.files, self.scene.written_by_others
        for path in self.git("ls-files", "-z").split("\0"):
            if path and path not in files and path not in kept:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(self.clone, path))
        for path, content in files.items():
            if path not in kept:
                self.write(path, content)
        self.write("person.example", self.scene.zone(self.serial))

    def mend(self, after):
        """Somebody who is to be served, and whose git runs on a computer of his own."""
        self.serial += 1
        prefer(SERVED)
        with self.scene.git_lock:
            tries = self.commit(self.restore, "good push %d after %s%s" % (self.serial, after, TRAILER))
        prefer(self.priority)
        self.scene.tries.put((tries, after))
        self.await_served(after)

    def await_served(self, after):
        begin, told = time.monotonic(), 0
        while servers.serial_served(self.scene.port, "person.example") != self.serial:
            if time.monotonic() - begin > GOOD_PUSH_LIMIT_S:
                self.scene.fail("the next good push is served", "%s: not within %d s" % (after, GOOD_PUSH_LIMIT_S))
                return
            if time.monotonic() - told > 2:
                with contextlib.suppress(OSError):
                    self.announce()
                told = time.monotonic()
            time.sleep(0.05)
        self.scene.served_after.put((after, time.monotonic() - begin))


class Push:
    """One bad push; `p`: the person."""
    name = what = None
    who = Person.who
    needs = ()

    def __init__(self, person):
        self.p, self.scene = person, person.scene

    def do(self):
        self.p.commit(self.change, "bad: " + self.name)

    def change(self):
        raise NotImplementedError

    def look(self):
        """What must hold while it is there."""

    def look_after(self):
        """What must hold after the good push."""


class GenerateBombs(Push):
    name, what = "generate-bombs", "2 kB of text that would be millions of records"

    def change(self):
        for n in range(14):
            self.p.write("bomb%d.example" % n, self.scene.zone(1) + '$GENERATE 1-%d h$ TXT "%s"\n' % (self.scene.size(1_000_000, 30_000), "x" * 60))


class IncludedKeys(Push):
    name, what = "included-keys", "a zone that includes a keys file, by every spelling"
    SPELLINGS = ("_keys", "./_keys", "sub/../_keys", "link", "sub/link", "/_keys", "good.example._keys")

    def change(self):
        for path, target in ("link", "_keys"), ("sub/link", "../_keys"), ("leak90.example", "_keys"):
            full = os.path.join(self.p.clone, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            os.symlink(target, full)
        for n, spelling in enumerate(self.SPELLINGS):
            self.p.write("leak%d.example" % n, self.scene.zone(1) + "$INCLUDE %s\n" % spelling)

    def look(self):
        secrets = [base64.b64decode(key.secret) for key in self.scene.keys.values()]
        for n in [*range(len(self.SPELLINGS)), 90]:
            s = self.p.tcp("127.31.0.2")
            try:
                s.sendall(wire.framed(wire.question("leak%d.example" % n, wire.AXFR)))
                given = receive(s)
            finally:
                self.p.close(s)
            if any(secret in given for secret in secrets):
                self.scene.fail("no secret is published", "%s: leak%d.example has one" % (self.name, n))


class SharedIncludes(Push):
    name, what = "shared-includes", "thousands of zones that share one include, and zones of hundreds of includes"

    def change(self):
        self.p.write("inc/shared", "".join("s%d A 192.0.2.9\n" % n for n in range(50)))
        for n in range(self.scene.size(3000, 100)):
            self.p.write("shared%d.example" % n, self.scene.zone(1) + "$INCLUDE inc/shared\n")
        for n in range(self.scene.size(200, 10)):
            self.p.write("many%d.example" % n, self.scene.zone(1) + "$INCLUDE inc/shared\n" * 500)


class ManyParents(Push):
    name, what = "many-parents", "a commit of 70,000 parents"
    PARENTS = 70_000

    def do(self):
        self.p.fetch()
        head = self.p.git("rev-parse", "HEAD")
        raw = "tree %s\n%sauthor A <a@example> 1700000000 +0000\ncommitter A <a@example> 1700000000 +0000\n\nmany\n" % (
            self.p.git("rev-parse", "HEAD^{tree}"), ("parent %s\n" % head) * self.PARENTS)
        self.p.write(".git/many", raw)
        made = self.p.git("hash-object", "-t", "commit", "-w", "--literally", os.path.join(self.p.clone, ".git", "many"))
        self.p.git("reset", "-q", "--hard", made)
        self.p.push()


class RemovedKeys(Push):
    name, what = "removed-keys", "a commit without keys: the NOTIFY that mends it must be believed"

    def change(self):
        if self.p.chance.random() < 0.5:
            self.p.remove("_keys")
        else:
            self.p.write("_keys", "; none\n")


class BadZones(Push):
    name, what = "bad-zones", "files that are no zones: rubbish, binaries, cycles, names that are none, thousands of errors"

    def change(self):
        z = self.scene.zone(1)
        for n, bad in enumerate([b"\0\xff" * 5000, b"rubbish\n" * 100_000, b"", z + "$INCLUDE z3.example\n", z + "a CNAME b\na A 192.0.2.1\n",
                                 z + "x" * 70_000 + " A 192.0.2.1\n", z + '( "' + "\n" * 1000, z + "$INCLUDE ../../../etc/passwd\n",
                                 z + "k DNSKEY 0 3 163 c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\n", z + "$GENERATE 0-4294967295 $ A 192.0.2.1\n"]):
            self.p.write("z%d.example" % n, bad)


class FileNames(Push):
    name, what = "file-names", "files whose names nobody can check out, and directories that git would not make"
    NAMES = ("..", ".git", "con", "a:b.example", "A.example", "a.example", "x" * 255, "x." * 127 + "y", "\u00e4.example", "dot.example.", "nul.example\n")

    def do(self):
        blob = self.p.git("rev-parse", "origin/main:tiny.example")
        self.p.fetch()
        head = self.p.git("rev-parse", "HEAD")
        raw = subprocess.run(["git", "-C", self.p.clone, "cat-file", "tree", "HEAD"], capture_output=True, check=True).stdout
        for name in self.p.chance.sample(self.NAMES, 4):
            raw += b"100644 " + name.encode() + b"\0" + bytes.fromhex(blob)
        self.p.write(".git/bad-tree", raw)
        tree = self.p.git("hash-object", "-t", "tree", "-w", "--literally", os.path.join(self.p.clone, ".git", "bad-tree"))
        made = self.p.git("commit-tree", "-p", head, "-m", "bad: " + self.name, tree)
        self.p.git("push", "-q", "origin", made + ":refs/heads/main", check=False)
        self.made, self.head = made, head
        self.was_pushed = self.p.git("ls-remote", self.scene.repo.bare, "refs/heads/main").startswith(made)

    def look(self):
        """Nobody can work on top of it, so it is taken back, if nobody has."""
        if self.was_pushed:
            self.p.git("push", "-q", "--force-with-lease=main:" + self.made, "origin", self.head + ":refs/heads/main", check=False)


class Rewrites(Push):
    name, what = "rewrites", "a branch that is rewritten: amended, or all of it one commit"

    def do(self):
        for _ in range(TRIES_MAX):
            self.p.fetch()
            seen = self.p.git("rev-parse", "HEAD")
            if self.p.chance.random() < 0.5:
                self.p.git("commit", "-q", "--amend", "--allow-empty", "-m", "amended %d" % self.p.chance.getrandbits(30))
            else:
                self.p.git("reset", "-q", "--hard", self.p.git("commit-tree", "-m", "all of it", seen + "^{tree}"))
            if self.p.push(lease=seen):
                return


class MassDelete(Push):
    name, what = "mass-delete", "most zones go, without a word that this is meant"

    def change(self):
        self.p.remove("tiny.example", "big.example", "nsec3.example", *("z%d.example" % n for n in range(20)))

    def look(self):
        for zone in "tiny.example", "z7.example":
            if servers.serial_served(self.scene.port, zone) is None:
                self.scene.fail("served is the last good", "%s: %s is gone" % (self.name, zone))


class ManyRefs(Push):
    name, what = "many-refs", "a repository of thousands of branches"

    def do(self):
        head = git(self.scene.repo.bare, "rev-parse", "main")
        self.refs = ["refs/heads/x/%d" % n for n in range(self.scene.size(20_000, 500))]
        self.set("".join("update %s %s\n" % (ref, head) for ref in self.refs))

    def set(self, lines):
        subprocess.run(["git", "-C", self.scene.repo.bare, "update-ref", "--stdin"], input=lines.encode(), check=True, capture_output=True)

    def look_after(self):
        with self.scene.git_lock:
            self.set("".join("delete %s\n" % ref for ref in self.refs))


class LargeFiles(Push):
    name, what = "large-files", "a file of many megabytes in place of a zone"

    def change(self):
        self.p.write("z1.example", b"rubbish and nothing else\n" * self.scene.size(1_000_000, 20_000))


class NewVersions(Push):
    name, what = "new-versions", "every record of a large zone is another, five times, while transfers of it are under way"

    def change(self):
        self.scene.big_serial.value += 1
        self.p.write("big.example", self.scene.big(self.scene.big_serial.value))

    def look(self):
        for _ in range(4):
            with contextlib.suppress(servers.Trouble, dns.exception.DNSException):
                servers.await_true("it is served", lambda: servers.serial_served(self.scene.port, "big.example") == self.scene.big_serial.value, 10)
            self.do()
            self.p.announce()


PUSHES = [GenerateBombs, IncludedKeys, SharedIncludes, ManyParents, RemovedKeys, BadZones, FileNames, Rewrites, MassDelete, ManyRefs, LargeFiles,
          NewVersions]
