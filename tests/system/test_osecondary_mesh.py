"""A mesh: two primaries of one repository, and secondaries that follow them and each other.  While changes go on, servers go and come back;
whoever is there has each change in the end, from whomever it can get it."""
import random

import pytest

import secondaries
import servers
from tsig_key import Key

ZONE = "$TTL 60\n@ SOA ns1 host %d 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n"
KEY = Key("k._transfer.mesh.test.")
TIMES = ["--refresh-min=1", "--refresh-max=1", "--retry-max=1"]
PRIMARIES = ["p1", "p2"]
SOURCES = {"s1": ["p1", "p2"], "s2": ["p2", "s1", "p1"], "s3": ["s1", "s2"], "s4": ["s3", "s2"]}


class Mesh:
    def __init__(self, repo, primary, secondary):
        self.repo, self.start = repo, {"p": primary, "s": secondary}
        self.ports = {name: servers.free_port() for name in [*PRIMARIES, *SOURCES]}
        self.there = {}

    def begin(self, name):
        if name in PRIMARIES:
            self.there[name] = self.start["p"](self.repo, port=self.ports[name], zones=["mesh.test"])
        else:
            places = ["%s@%d" % (servers.ADDRESS, self.ports[n]) for n in SOURCES[name]]
            self.there[name] = self.start["s"]([KEY], *TIMES, primaries=places, port=self.ports[name])

    def leave(self, name, is_killed):
        server = self.there.pop(name)
        if is_killed:
            server.kill()
        else:
            server.stop()

    def commit(self, serial, records):
        self.repo.commit({"mesh.test": ZONE % serial + records, "mesh.test._keys": KEY.line})
        for name in PRIMARIES:
            if name in self.there:
                self.there[name].hangup()

    def is_reached(self, name):
        """By way of servers that are there: is there a primary behind it?"""
        seen, todo = set(), [name]
        while todo:
            n = todo.pop()
            if n in PRIMARIES:
                return True
            todo += [s for s in SOURCES[n] if s in self.there and s not in seen]
            seen.add(n)
        return False

    def await_all(self, serial):
        for name in PRIMARIES + list(SOURCES):
            if name in self.there and self.is_reached(name):
                self.there[name].await_serial("mesh.test", serial)

    def records(self, name):
        return secondaries.canonical(secondaries.transfer(servers.ADDRESS, "mesh.test", self.ports[name], KEY))


@pytest.fixture
def mesh(repo, primary, secondary):
    m = Mesh(repo, primary, secondary)
    m.commit(1, "")
    for name in PRIMARIES + list(SOURCES):
        m.begin(name)
    m.await_all(1)
    return m


def text_of(hosts):
    return "".join("%s TXT \"%d\"\n" % (h, hosts[h]) for h in sorted(hosts))


def test_servers_come_and_go(mesh, request):
    """One primary stays at a time; each change is awaited, with whoever is away."""
    rng, hosts, away = random.Random(request.config.getoption("--seed") or 1), {}, None
    for serial in range(2, 2 + (request.config.getoption("--rounds") or 14)):
        if away:
            mesh.begin(away)
        away = ("p1", "p2")[serial % 2] if serial % 4 < 2 else rng.choice(list(SOURCES))
        mesh.leave(away, is_killed=rng.random() < 0.5)
        for _ in range(rng.choice([1, 3])):
            hosts["h%d" % rng.randrange(20)] = serial
        mesh.commit(serial, text_of(hosts))
        mesh.await_all(serial)
        wanted = mesh.records(next(p for p in PRIMARIES if p in mesh.there))
        for name in SOURCES:
            if name in mesh.there and mesh.is_reached(name):
                assert mesh.records(name) == wanted, name
    mesh.begin(away)
    mesh.await_all(serial)
    for server in reversed(list(mesh.there.values())):
        assert "changes-do-not-fit" not in server.log()
        server.stop()


def test_changes_that_nobody_waits_for(mesh):
    """A change follows the other while the primaries take turns; at the end all have the last one, and no serial has gone back."""
    hosts = {}
    for serial in range(2, 26):
        hosts["h%d" % (serial % 5)] = serial
        mesh.commit(serial, text_of(hosts))
        if serial % 6 == 0:
            other, one = PRIMARIES[::-1] if serial % 12 else PRIMARIES
            if one not in mesh.there:
                mesh.begin(one)
            mesh.leave(other, is_killed=True)
    for name in PRIMARIES:
        if name not in mesh.there:
            mesh.begin(name)
    mesh.await_all(25)
    wanted = mesh.records("p1")
    for name in SOURCES:
        assert mesh.records(name) == wanted
        serials = [int(line.split("serial=")[1].split()[0]) for line in mesh.there[name].log().split("\n") if "event=zone-transferred" in line]
        assert serials == sorted(serials)
    for server in reversed(list(mesh.there.values())):
        server.stop()
