"""One round of the torture test: who takes part, what they do to each other, and what is written down of it.

Everything that can be told afterwards is told by names: the client c2's update number 17 adds records whose data say "c2-17", in
two places of the zone, so that half an update is seen; a later one may remove both again.  The ledger has each update with its
answer; ledger and history are then held against each other (torture_history.py).

Who acts when follows from how many updates have been answered by then, not from a clock; where within that moment is chance.
"""
import contextlib
import os
import random
import re
import signal
import subprocess
import threading
import time

import dns.exception
import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update

import remotes
import servers
from repository import git

ANSWER_LIMIT_S = 10  # an update without an answer by then has none
UDP_LIMIT_S = 3      # nor has a datagram to a primary that was killed meanwhile
PAUSE_LIMIT_S = 2    # that a primary is stopped, when all wait for it
SETTLE_LIMIT_S = 60
ZONES = ("example", "other.example")

ZONE = """; %(zone)s -- the zone as somebody keeps it by hand.
; Who changes it pulls first.
$TTL 1h
@	SOA	ns1 hostmaster (
		1000	; serial
		1d 2h 4w 1h )	; the timers
	NS	ns1		; here
	NS	ns2		; and elsewhere

; -- name servers
ns1	A	192.0.2.1
	AAAA	2001:db8::1	; since spring
ns2	A	192.0.2.2

; -- shared: what all write to
shared	TXT	"start"		; the first one stays
	TXT	"; not a comment"

; -- people
;    (in order of arrival)
p0	TXT	"p0"		; the first
; -- end
tail	MX	10 ns1
"""


# ---- the ledger ----

class Update:
    """One update and its answer."""

    def __init__(self, client, number, what, zone, target):
        self.client, self.number, self.what, self.zone = client, number, what, zone
        self.target = target  # the id that its records bear
        self.rcode = None     # None: no answer

    @property
    def is_accepted(self):
        return self.rcode == dns.rcode.NOERROR

    @property
    def is_refused(self):
        return self.rcode not in (None, dns.rcode.NOERROR)

    def __str__(self):
        return "%s-%d: %s %s in %s → %s" % (self.client, self.number, self.what, self.target, self.zone,
                                            "no answer" if self.rcode is None else dns.rcode.to_text(self.rcode))


class Ledger:
    """All updates in the order of their answers; whoever wants to act at some moment waits here for it."""

    def __init__(self):
        self.updates, self.is_over = [], False
        self.condition = threading.Condition()

    def add(self, update):
        with self.condition:
            self.updates.append(update)
            self.condition.notify_all()

    def close(self):
        with self.condition:
            self.is_over = True
            self.condition.notify_all()

    def await_more(self, n, limit_s=None):
        """Waits for n more updates.  False: there will be none."""
        with self.condition:
            goal = len(self.updates) + n
            self.condition.wait_for(lambda: self.is_over or len(self.updates) >= goal, limit_s)
            return not self.is_over

    def of(self, client):
        return [u for u in self.updates if u.client == client]


# ---- primaries ----

class Seat:
    """A primary that dies and comes back at the same port."""

    def __init__(self, round_, name):
        self.round, self.name, self.port = round_, name, servers.free_port()
        self.process, self.logs = None, []

    def start(self):
        options = ["--axfr", "--committer=%s <%s@example.org>" % (self.name, self.name), *self.round.remote.options]
        if self.round.has_cache:
            cache = os.path.join(self.round.work, "cache-" + self.name)
            os.makedirs(cache, exist_ok=True)
            options.append("--cache-dir=" + cache)
        self.process = servers.Primary(self.round.bindir, self.round.work, self.round.remote.url, *options, port=self.port,
                                       env={"TMPDIR": self.round.work})
        self.logs.append(self.process.log_path)
        with open(os.path.join(self.round.work, self.name + ".pid"), "w") as f:
            f.write("%d\n" % self.process.pid)

    def is_running(self):
        return self.process is not None and self.process.is_running()

    def kill(self):
        """As the kernel does when memory runs out: the one process, without a word."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.popen.wait()

    def kill_a_worker(self, chance):
        """One of its processes that deal with git; not git's own, nor the keeper, which alone can start others."""
        keepers = servers.children(self.process.pid)
        mine = [pid for pid in servers.descendants(self.process.pid) if is_ours(pid) and pid not in keepers]
        if mine:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(mine), signal.SIGKILL)

    def hangup(self):
        if self.is_running():
            self.process.hangup()

    def serial(self, zone):
        return servers.serial_served(self.port, zone)

    def has_no_updates(self):
        """Each that was taken has its answer."""
        mark = len(self.process.log())
        self.process.popen.send_signal(signal.SIGUSR1)
        line = self.process.await_log(r"event=update-stats .*\n", after=mark)[0]
        count = {name: int(n) for name, n in re.findall(r"(\w+)=(\d+)", line)}
        return count["accepted"] == sum(count[name] for name in ("updated", "refused", "failed", "unanswered"))

    def stop(self):
        """A clean end; and no life of it had something that a sanitizer reports."""
        self.process.stop()
        for path in self.logs:
            with open(path, errors="replace") as f:
                text = f.read()
            assert not servers.SANITIZER_REPORT.search(text), text[-6000:]

    def discard(self):
        if self.process is not None:
            self.process.kill()


def is_ours(pid):
    with contextlib.suppress(OSError):
        return os.path.basename(os.readlink("/proc/%d/exe" % pid)) == "oprimary"
    return False


# ---- remotes ----

class Direct:
    """A bare repository on this machine: written by the primaries themselves.  It is away when somebody has moved it."""
    options = ()

    def __init__(self, round_):
        self.round, self.bare = round_, round_.repo.bare
        self.url = round_.repo.url

    def stop(self, chance):
        os.rename(self.bare, self.bare + ".away")

    def start(self):
        os.rename(self.bare + ".away", self.bare)

    def kill(self):
        pass


class Hooked(Direct):
    """One with hooks: git itself receives.  Each push has the primaries pull; and it stops taking any."""
    REFUSAL = "#!/bin/sh\necho 'we are moving house' >&2\nexit 1\n"

    def __init__(self, round_):
        super().__init__(round_)
        self.write("post-receive", "#!/bin/sh\nfor f in %s/*.pid; do kill -HUP $(cat $f); done 2>/dev/null\nexit 0\n" % round_.work)

    def write(self, name, text):
        path = os.path.join(self.bare, "hooks", name)
        with open(path + ".new", "w") as f:
            f.write(text)
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)

    def stop(self, chance):
        self.write(chance.choice(["pre-receive", "update"]), self.REFUSAL)

    def start(self):
        for name in ("pre-receive", "update"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.bare, "hooks", name))


class Served:
    """Behind a server, which is stopped: sometimes with all that it does at that moment."""
    options = ("--fetch-timeout=5",)

    def __init__(self, round_):
        self.server = self.make(round_)
        self.url = self.server.url("zones.git")

    def make(self, round_):
        raise NotImplementedError

    def begin(self):
        raise NotImplementedError

    def stop(self, chance):
        below = servers.descendants(self.server.child.process.pid)
        self.server.kill()
        if chance.random() < 0.7:
            for pid in below:  # SIGTERM, on which git takes its locks away
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)

    def start(self):
        self.begin()

    def kill(self):
        self.server.kill()


class Daemon(Served):
    def make(self, round_):
        self.where, self.port = round_.work, servers.free_port()
        return remotes.Daemon(self.where, self.port)

    def begin(self):
        self.server = remotes.Daemon(self.where, self.port)


class Sshd(Served):
    def make(self, round_):
        public = os.path.join(round_.work, "id.pub")
        with open(public, "w") as f:
            f.write(round_.public_key + "\n")
        server = remotes.Sshd(round_.work, authorize=[round_.public_key])
        self.options = ("--fetch-timeout=5", "--ssh-key=" + remotes.KEY, "--authenticator=" + server.fingerprint())
        return server

    def begin(self):
        self.server.start()


KINDS = {"direct": Direct, "hooks": Hooked, "git": Daemon, "ssh": Sshd}


# ---- clients ----

class Client(threading.Thread):
    """One after the other: records added and removed, and updates that must fail."""

    def __init__(self, round_, name, updates):
        super().__init__(name=name, daemon=True)
        self.round, self.name, self.updates_n = round_, name, updates
        self.chance = random.Random("%s %s" % (round_.seed, name))
        self.key = round_.make_key(name + "._update")
        self.there = []  # (zone, id) that it has added and may remove
        self.trouble = None

    def run(self):
        try:
            for number in range(self.updates_n):
                update = self.choose(number)
                update.rcode = self.send(update)
                if update.is_accepted and update.what == "add":
                    self.there.append((update.zone, update.target))
                self.round.ledger.add(update)
        except BaseException as e:  # for the test's own thread to raise
            self.trouble = e

    def choose(self, number):
        what = self.chance.choices(["add", "remove", "wrong", "nothing"], [6, 3, 1, 1])[0]
        zone = self.chance.choices(ZONES, [3, 1])[0]
        target = "%s-%d" % (self.name, number)
        if what == "remove" and self.there:
            zone, target = self.there.pop(self.chance.randrange(len(self.there)))
        elif what == "remove":
            what = "add"
        return Update(self.name, number, what, zone, target)

    def send(self, update):
        seat = self.chance.choice([s for s in self.round.seats if s.is_running()] or self.round.seats)
        try:
            return self.transport()(seat, update)
        except (OSError, EOFError, dns.exception.DNSException):
            return None

    def transport(self):
        return self.chance.choice([self.send_tcp, self.send_udp])

    def message(self, update):
        m = dns.update.Update(update.zone, keyring=dns.tsigkeyring.from_text({self.key.name: self.key.secret}),
                              keyname=self.key.name, keyalgorithm=dns.tsig.HMAC_SHA256)
        quoted = '"%s"' % update.target
        if update.what == "wrong":
            m.present("nobody-is-called-so")
        if update.what == "remove":
            m.delete(update.target)
            m.delete("shared", "TXT", quoted)
        elif update.what == "nothing":
            m.delete("nobody-is-called-so")
        else:
            m.add(update.target, self.chance.choice([3600, 60]), "TXT", quoted)
            m.add("shared", 3600, "TXT", quoted)
        return m

    def send_tcp(self, seat, update):
        return dns.query.tcp(self.message(update), servers.ADDRESS, port=seat.port, timeout=ANSWER_LIMIT_S).rcode()

    def send_udp(self, seat, update):
        return dns.query.udp(self.message(update), servers.ADDRESS, port=seat.port, timeout=UDP_LIMIT_S).rcode()


class Nsupdate(Client):
    """The program.  It sends once: whoever sends again after a crash and is refused then cannot know what became of the first."""

    def transport(self):
        return self.send_with_program

    def script(self, seat, update):
        lines = ["server %s %d" % (servers.ADDRESS, seat.port), "zone " + update.zone]
        target, shared = "%s.%s." % (update.target, update.zone), "shared.%s." % update.zone
        if update.what == "wrong":
            lines.append("prereq yxdomain nobody-is-called-so." + update.zone)
        if update.what == "remove":
            lines += ["update delete " + target, 'update delete %s TXT "%s"' % (shared, update.target)]
        elif update.what == "nothing":
            lines.append("update delete nobody-is-called-so." + update.zone)
        else:
            lines += ['update add %s 3600 TXT "%s"' % (name, update.target) for name in (target, shared)]
        return "\n".join([*lines, "send", ""])

    def send_with_program(self, seat, update):
        how = self.chance.choice([["-v"], ["-r", "0", "-u", "%d" % UDP_LIMIT_S]])
        done = subprocess.run(["nsupdate", "-t", "%d" % ANSWER_LIMIT_S, *how, "-y",
                               "hmac-sha256:%s:%s" % (self.key.name, self.key.secret)],
                              input=self.script(seat, update), capture_output=True, text=True, check=False, timeout=60)
        if done.returncode == 0:
            return dns.rcode.NOERROR
        said = done.stdout + done.stderr
        if "update failed: " in said:
            return dns.rcode.from_text(said.split("update failed: ")[1].split()[0].rstrip(":"))
        return None


# ---- a person ----

class Person(threading.Thread):
    """Pulls, edits, commits, pushes; who was not the first pulls and edits anew."""

    def __init__(self, round_, edits):
        super().__init__(name="person", daemon=True)
        self.round, self.edits_n, self.done_n = round_, edits, 0
        self.chance = random.Random("%s person" % round_.seed)
        self.repo, self.trouble, self.refusal = round_.repo, None, None

    def run(self):
        try:
            for number in range(1, self.edits_n + 1):
                self.round.ledger.await_more(self.chance.randrange(1, 6))
                self.push(number)
                self.done_n += 1
        except BaseException as e:
            self.trouble = e

    def push(self, number):
        """Until it is done; while all is as it should be, that is soon."""
        limit = None
        while not self.push_once(number):
            self.round.ledger.await_more(1)
            if self.round.is_restored.is_set():
                limit = limit or time.monotonic() + SETTLE_LIMIT_S
                assert time.monotonic() < limit, "he cannot push: %s" % self.refusal

    def push_once(self, number):
        try:
            git(self.repo.path, "fetch", "-q", "origin")
            git(self.repo.path, "reset", "-q", "--hard", "origin/" + self.repo.branch)
            zone = self.chance.choice(ZONES)
            self.repo.commit({zone: self.edit(self.repo.read(zone), number)}, "person %d" % number)
        except AssertionError as e:
            self.refusal = e
            return False
        if self.chance.random() < 0.5:
            self.chance.choice(self.round.seats).hangup()
        return True

    def edit(self, text, number):
        serial = int(text.split("; serial")[0].split()[-1])
        text = text.replace("\t%d\t; serial" % serial, "\t%d\t; serial" % (serial + self.chance.choice([1, 1, 10])))
        new = self.chance.choice(['p%d\tTXT\t"p%d"\t\t; number %d\n', '; about p%d\np%d\t60 IN TXT "p%d"\n', ";\n;p%d p%d p%d\n\n"])
        if self.chance.random() < 0.3:
            text = text.replace("; -- people", "; -- people (%d)" % number, 1).replace("; -- people (%d) (" % number, "; -- people (")
        return text.replace("; -- end\n", new % (number, number, number) + "; -- end\n")


# ---- disorder ----

class Disorder(threading.Thread):
    """What happens to all of them; at the end all of it is put right again."""

    def __init__(self, round_):
        super().__init__(name="disorder", daemon=True)
        self.round, self.trouble, self.is_down, self.seen = round_, None, False, []
        self.chance = random.Random("%s disorder" % round_.seed)

    def run(self):
        try:
            while self.round.ledger.await_more(self.chance.randrange(1, 8)):
                self.at_some_moment()
                self.one()
            self.restore()
        except BaseException as e:
            self.trouble = e

    def at_some_moment(self):
        """Within the next milliseconds: in the middle of a push, one time or another."""
        threading.Event().wait(self.chance.random() * 0.05)

    def one(self):
        seat = self.chance.choice(self.round.seats)
        if not seat.is_running():
            self.note("start " + seat.name)
            seat.start()
        elif self.is_down:
            self.put_up()
        else:
            what = self.chance.choices(["kill", "worker", "remote", "pause"], [3, 3, 2, 1])[0]
            self.note("%s %s" % (what, seat.name))
            getattr(self, what)(seat)

    def note(self, text):
        self.seen.append("%d: %s" % (len(self.round.ledger.updates), text))

    def kill(self, seat):
        seat.kill()

    def worker(self, seat):
        seat.kill_a_worker(self.chance)

    def remote(self, seat):
        self.round.remote.stop(self.chance)
        self.is_down = True

    def pause(self, seat):
        """What it knows of the remote is old when it goes on."""
        os.kill(seat.process.pid, signal.SIGSTOP)
        try:
            self.round.ledger.await_more(2, PAUSE_LIMIT_S)
        finally:
            os.kill(seat.process.pid, signal.SIGCONT)

    def put_up(self):
        self.note("remote up")
        self.round.remote.start()
        self.is_down = False

    def restore(self):
        if self.is_down:
            self.put_up()
        for seat in self.round.seats:
            if not seat.is_running():
                seat.start()
        self.round.is_restored.set()


# ---- all together ----

class Round:
    def __init__(self, bindir, repo, work, make_key, public_key, kind, seed):
        chance = random.Random(seed)
        self.bindir, self.repo, self.work, self.make_key, self.seed, self.public_key = bindir, repo, work, make_key, seed, public_key
        self.has_cache = chance.random() < 0.5
        self.ledger, self.is_restored = Ledger(), threading.Event()
        self.clients = [Client(self, "c%d" % i, chance.randrange(8, 25)) for i in range(chance.randrange(2, 5))]
        self.clients += [Nsupdate(self, "n%d" % i, chance.randrange(4, 10)) for i in range(2)]
        files = {zone: ZONE % {"zone": zone} for zone in ZONES}
        self.first = repo.commit({**files, "_keys": "".join(c.key.line for c in self.clients), "README": "zones\n"})
        self.remote = KINDS[kind](self)
        self.seats = [Seat(self, "north"), Seat(self, "south")]
        self.person, self.disorder = Person(self, chance.randrange(2, 7)), Disorder(self)

    def run(self):
        for seat in self.seats:
            seat.start()
            servers.await_true("it serves", lambda s=seat: s.serial(ZONES[0]))
        actors = [*self.clients, self.person, self.disorder]
        for actor in actors:
            actor.start()
        for client in self.clients:
            client.join()
        self.ledger.close()
        self.disorder.join()
        self.person.join()
        for actor in actors:
            if actor.trouble is not None:
                raise actor.trouble
        self.settle()

    def head_serial(self, zone):
        text = git(self.repo.bare, "show", "%s:%s" % (self.repo.branch, zone))
        return int(text.split("; serial")[0].split()[-1])

    def settle(self):
        """Both serve what is in the repository, once nobody does anything to it: no update waits any more, though its client has gone."""
        def agree(seat):
            return all(seat.serial(zone) == self.head_serial(zone) for zone in ZONES)
        for seat in self.seats:
            seat.process.await_true("its updates are done", seat.has_no_updates, SETTLE_LIMIT_S)
        for seat in self.seats:
            seat.hangup()
            seat.process.await_true("it serves the head", lambda s=seat: agree(s), SETTLE_LIMIT_S)

    def stop(self):
        for seat in self.seats:
            seat.stop()

    def discard(self):
        for seat in self.seats:
            seat.discard()
        self.remote.kill()
