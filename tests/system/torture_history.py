"""The end of a torture round: what the ledger says, held against the repository's history, commit by commit."""
import os
import re
import subprocess

import dns.query
import dns.rdatatype
import dns.zone

import servers
from repository import git
from torture import ZONES

ID = re.compile(r"\b([cn]\d+-\d+)\b")
TRAILER = re.compile(r"^Origin-Update: (\S+) by (\S+) from 127\.0\.0\.1(?: \((\d+) updates\))?$", re.M)


class Version:
    """A zone in one commit."""

    def __init__(self, zone, text):
        self.text = text
        parsed = dns.zone.from_text(text, zone, relativize=True)
        self.serial = parsed.get_soa().serial
        self.records = {(str(name), dns.rdatatype.to_text(r.rdtype), str(r))
                        for name, ttl, r in parsed.iterate_rdatas() if r.rdtype != dns.rdatatype.SOA}

    def ids(self):
        return {m for record in self.records for m in ID.findall(record[2])}


class Commit:
    def __init__(self, repo, commit, before):
        self.id, self.before = commit, before
        self.message = git(repo.bare, "show", "-s", "--format=%B", commit)
        self.author = git(repo.bare, "show", "-s", "--format=%cn", commit)
        self.files = {}
        for zone in ZONES:
            oid = git(repo.bare, "rev-parse", "%s:%s" % (commit, zone))
            old = before and before.files[zone]
            self.files[zone] = old if old and old[0] == oid else (oid, Version(zone, git(repo.bare, "show", oid) + "\n"))

    def version(self, zone):
        return self.files[zone][1]

    @property
    def is_ours(self):
        return self.author in ("north", "south")

    def changed(self):
        """Zones whose file is another one than before."""
        return [zone for zone in ZONES if self.files[zone][0] != self.before.files[zone][0]]

    def effects(self):
        """{(zone, id): "add" or "remove"}; an update that is there in half is an error."""
        found = {}
        for zone in self.changed():
            old, new = self.before.version(zone).records, self.version(zone).records
            for what, records in (("add", new - old), ("remove", old - new)):
                for record in records:
                    assert ID.fullmatch(record[2].strip('"')), "%s: %s %s" % (self.id, what, record)
                    found.setdefault((zone, record[2].strip('"'), what), set()).add(record[0])
        for (zone, target, what), owners in found.items():
            assert owners == {target, "shared"}, "%s: half of an update: %s %s of %s" % (self.id, what, owners, target)
        return {(zone, target): what for zone, target, what in found}

    def trailers(self):
        """{(zone, client): updates}"""
        return {(zone, key.split(".")[0]): int(n or 1) for zone, key, n in TRAILER.findall(self.message)}


class History:
    def __init__(self, repo):
        self.commits = []
        for commit in git(repo.bare, "rev-list", "--reverse", repo.branch).split():
            self.commits.append(Commit(repo, commit, self.commits[-1] if self.commits else None))

    def ours(self):
        return [c for c in self.commits[1:] if c.is_ours]


# ---- what must hold ----

def check_one_line(repo):
    assert git(repo.bare, "rev-list", "--merges", repo.branch) == ""
    git(repo.bare, "fsck", "--strict", "--no-dangling")


def check_serials(history):
    for c in history.commits[1:]:
        for zone in c.changed():
            assert c.version(zone).serial > c.before.version(zone).serial, "%s: the serial of %s" % (c.id, zone)


def check_lines(commit):
    """Ours: of the file only the serial's line and those of removed records have gone, all others stand as they were, in order."""
    effects = commit.effects()
    for zone in commit.changed():
        kept = [line for line in commit.before.version(zone).text.split("\n") if not may_go(line, zone, effects)]
        rest = iter(commit.version(zone).text.split("\n"))
        for line in kept:
            assert line in rest, "%s: lost or moved in %s: %r" % (commit.id, zone, line)


def may_go(line, zone, effects):
    return "; serial" in line or any(effects.get((zone, target)) == "remove" for target in ID.findall(line))


def check_trailers(commit, idle):
    """The updates that can be seen are those that the message names, by zone and key; it may count some that had nothing to do."""
    seen = {}
    for zone, target in commit.effects():
        who = (zone, target.split("-")[0])
        seen[who] = seen.get(who, 0) + 1
    named = commit.trailers()
    assert set(seen) <= set(named), "%s: %s, but it names %s" % (commit.id, seen, named)
    for who, n in named.items():
        assert 0 <= n - seen.get(who, 0) <= idle.get(who, 0), "%s: %s: %d updates, seen %d" % (commit.id, who, n, seen.get(who, 0))


def idle_updates(ledger):
    """How many updates without effect each client has sent to each zone."""
    counts = {}
    for u in ledger.updates:
        if u.what == "nothing":
            counts[u.zone, u.client] = counts.get((u.zone, u.client), 0) + 1
    return counts


def where_done(history):
    """{(zone, id, what): number of the commit}"""
    done = {}
    for number, commit in enumerate(history.commits):
        if commit.before is not None and commit.is_ours:
            for (zone, target), what in commit.effects().items():
                assert (zone, target, what) not in done, "%s: %s %s a second time" % (commit.id, what, target)
                done[zone, target, what] = number
    return done


def check_ledger(ledger, history):
    done = where_done(history)
    for client in {u.client for u in ledger.updates}:
        last = -1
        for u in ledger.of(client):
            at = done.pop((u.zone, u.target, "add" if u.what == "wrong" else u.what), None)
            if u.what == "nothing":
                continue
            assert not (u.is_accepted and at is None), "acknowledged, and not in the history: %s" % u
            assert not (u.is_refused and at is not None), "refused, and in the history: %s" % u
            assert not (u.what == "wrong" and (u.is_accepted or at is not None)), "against its prerequisite: %s" % u
            if u.is_accepted:
                assert at >= last, "in the wrong order: %s" % u
                last = at
    assert not done, "nobody has sent these: %s" % done


def check_person(person, history):
    """Each of his edits is there, once; what of it our commits would undo is seen by check_lines()."""
    edits = [c.message for c in history.commits if c.message.startswith("person ")]
    assert edits == ["person %d" % n for n in range(1, person.done_n + 1)] and person.done_n == person.edits_n


def check_with_ozone(bindir, work, history):
    """Every version that was ever there, in one run of the checker: the last directory's name is the commit's number."""
    paths, seen = [], set()
    for number, c in enumerate(history.commits):
        for zone in ZONES:
            if c.files[zone][0] not in seen:
                seen.add(c.files[zone][0])
                where = os.path.join(work, "versions", str(number))
                os.makedirs(where, exist_ok=True)
                paths.append(servers.write(os.path.join(where, zone), c.version(zone).text))
    done = subprocess.run([os.path.join(bindir, "ozone"), "-q", *paths], capture_output=True, text=True, check=False,
                          env={**os.environ, **servers.sanitizer_env()})
    assert done.returncode == 0, done.stdout + done.stderr


def check_served(seat, history):
    for zone in ZONES:
        served = dns.zone.from_xfr(dns.query.xfr(servers.ADDRESS, zone, port=seat.port, relativize=True), relativize=True)
        want = dns.zone.from_text(history.commits[-1].version(zone).text, zone, relativize=True)
        assert served == want, "%s serves another %s than the repository has" % (seat.name, zone)


def check_all(round_):
    history = History(round_.repo)
    check_one_line(round_.repo)
    for seat in round_.seats:
        check_served(seat, history)
    check_serials(history)
    idle = idle_updates(round_.ledger)
    for commit in history.ours():
        check_lines(commit)
        check_trailers(commit, idle)
    check_ledger(round_.ledger, history)
    check_person(round_.person, history)
    check_with_ozone(round_.bindir, round_.work, history)
    return history
