"""Who is served well while the soak goes on: a client that asks, one that updates, and a secondary; and what is noted of each."""
import collections
import json
import os
import socket
import subprocess
import threading
import time

import dns.exception
import dns.rcode

import servers
import soak_wire as wire
from soak_attack import prefer, receive

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUESTIONS_A_SECOND = 2000
MEASURING = -15  # priority: what it finds is the server's time, not its own
ZONE = "good.example"


def compiled(scene, name):
    program = os.path.join(scene.work, name)
    if not os.path.exists(program):
        subprocess.run(["gcc", "-std=gnu2x", "-O2", "-D_GNU_SOURCE", "-o", program, os.path.join(ROOT, "bench", name + ".c")], check=True)
    return program


class Asker:
    """bench/load.c at a steady rate: it notes each 100 ms, and a question is lost after five seconds, when dig gives up."""

    def __init__(self, scene, seconds, port, rate):
        self.path, self.begin, self.total, self.slices = os.path.join(scene.work, "load-%d.json" % port), None, None, []
        queries = os.path.join(scene.work, "queries")
        with open(queries, "wb") as f:
            f.write(b"".join(map(wire.framed, self.questions())))
        self.argv = [compiled(scene, "load"), "udp", servers.ADDRESS, str(port), queries, "%d" % seconds, str(rate)]

    def questions(self):
        for n in range(100):
            for owner, rdtype in ("h%d.%s" % (n, ZONE), wire.A), (ZONE, wire.SOA), ("nobody%d.%s" % (n, ZONE), wire.A), ("h%d.person.example" % n, wire.TXT):
                yield wire.with_edns(wire.question(owner, rdtype))

    def start(self):
        self.begin = time.monotonic()
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(self.argv, stdout=out, preexec_fn=lambda: prefer(MEASURING))

    def end(self):
        self.process.wait(60)
        with open(self.path) as f:
            lines = [json.loads(line) for line in f]
        self.slices = [(self.begin + s["at"], self.begin + s["at"] + s["seconds"], s) for s in lines if s["what"] == "slice"]
        self.total = next((line for line in lines if line["what"] == "total"), None)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Echo:
    """A server that does nothing (bench/echo.c), asked beside: how late its answers are is the machine's doing, and nobody else's."""
    QUESTIONS_A_SECOND = 200

    def __init__(self, scene, seconds):
        port = servers.free_port()
        self.server = servers.Process([compiled(scene, "echo"), str(port)], scene.work, "echo")
        self.asker = Asker(scene, seconds, port, self.QUESTIONS_A_SECOND)

    def kill(self):
        if self.asker.begin is not None:
            self.asker.kill()
        self.server.kill()


class Updater(threading.Thread):
    """One update after the other, each with an answer; what was acknowledged is in `there` and `gone`."""
    KEPT, PAUSE_S, ANSWER_LIMIT_S = 200, 0.1, 60

    def __init__(self, scene):
        super().__init__(name="updater", daemon=True)
        self.scene, self.number, self.is_over = scene, 0, threading.Event()
        self.there, self.gone, self.unknown = collections.deque(), set(), set()
        self.took, self.acknowledged, self.rcodes, self.trouble = [], [], collections.Counter(), None

    def run(self):
        try:
            while not self.is_over.is_set():
                self.turn()
                self.is_over.wait(self.PAUSE_S)
        except BaseException as e:
            self.trouble = e

    def turn(self):
        self.number += 1
        new, old = "u%d" % self.number, self.there[0] if len(self.there) >= self.KEPT else None
        begin = time.monotonic()
        rcode = self.send([wire.add_txt(new, new), *([wire.delete_name(old)] if old else [])])
        self.took.append(time.monotonic() - begin)
        self.rcodes["no answer" if rcode is None else dns.rcode.to_text(rcode)] += 1
        if rcode == dns.rcode.NOERROR:
            self.acknowledged.append(time.monotonic())
            self.there.append(new)
            if old:
                self.gone.add(self.there.popleft())
        elif rcode is None:
            self.unknown.add(new)
            if old:
                self.unknown.add(self.there.popleft())

    def send(self, changes):
        octets = wire.signed(wire.update(ZONE, [], changes, number=self.number), self.scene.keys["good"])
        try:
            with socket.create_connection((servers.ADDRESS, self.scene.port), self.ANSWER_LIMIT_S) as s:
                s.sendall(wire.framed(octets))
                return wire.rcode(receive(s))
        except (OSError, EOFError):
            return None

    def longest_gap(self, begin, end):
        """(seconds, when it began) in which nothing was acknowledged."""
        times = [begin, *self.acknowledged, end]
        return max((b - a, a) for a, b in zip(times, times[1:]))

    def missing_in(self, text):
        labels = {line.split()[0] for line in text.split("\n") if line[:1] not in ("", ";", " ", "\t")}
        return [n for n in self.there if n not in labels] + [n + " is there still" for n in self.gone if n in labels]


class Watch(threading.Thread):
    """Each second: memory of all its processes, how far the secondary is behind, how long the log is."""
    SECOND_S = 1

    def __init__(self, scene):
        super().__init__(name="watch", daemon=True)
        self.scene, self.is_over, self.trouble = scene, threading.Event(), None
        self.memory, self.git_memory, self.behind, self.log_octets = [], [], [], []  # of (when, how much)
        self.seen = collections.deque()

    def run(self):
        try:
            while not self.is_over.is_set():
                self.look(time.monotonic())
                self.is_over.wait(self.SECOND_S)
        except BaseException as e:
            self.trouble = e

    def look(self, now):
        pid = self.scene.primary_pid.value
        self.memory.append((now, resident_octets(pid)))
        self.git_memory.append((now, sum(map(resident_octets, servers.descendants(pid)))))
        self.log_octets.append((now, os.path.getsize(self.scene.primary.log_path)))
        if self.scene.secondary is not None:
            self.note_secondary(now)

    def note_secondary(self, now):
        """`seen`: serials of the primary that the secondary has not reached yet, and since when."""
        ours, theirs = servers.serial_served(self.scene.port, ZONE), self.scene.secondary.serial(ZONE)
        if ours is not None and (not self.seen or self.seen[-1][1] != ours):
            self.seen.append((now, ours))
        while theirs is not None and self.seen and self.seen[0][1] <= theirs:
            self.seen.popleft()
        self.behind.append((now, now - self.seen[0][0] if self.seen else 0))


def resident_octets(pid):
    """Memory of its own; pages that two processes share count for both."""
    try:
        with open("/proc/%d/status" % pid) as f:
            fields = dict(line.split(":", 1) for line in f if line.startswith(("RssAnon", "RssShmem")))
        return sum(int(value.split()[0]) * 1024 for value in fields.values())
    except OSError:
        return 0
