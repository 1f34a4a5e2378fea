"""What every attack of the soak is: a process of its own that does its turns until the soak is over, and tells what it did.

An attacker's computer is not the server's.  An attacker runs only when nobody else wants the processor: neither those who are to be served,
nor the server's threads that give way to answers (ops/priority.h), nor a git that holds a lock.  So what the good client sees is what the
server does, and not that two programs wanted one core.
"""
import collections
import contextlib
import json
import multiprocessing
import os
import random
import signal
import socket
import struct
import time
import traceback

import servers

SERVED, OTHERS, ATTACKING = -10, 0, 19  # priorities; the first is root's to give
PAUSE_S = 0.5  # after a connection that was refused or cut
CONTEXT = multiprocessing.get_context("fork")


def prefer(priority):
    """Of this process, and those that it starts from now on."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_IDLE if priority == ATTACKING else os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, 0, priority)


class Pace:
    """So many steps a second, in small lots; what could not be done in time is left out."""
    LOT_S = 0.02

    def __init__(self, a_second):
        self.a_second, self.at = a_second, time.monotonic()

    def lot(self):
        """Waits for the next lot; returns how many steps it has."""
        self.at = max(self.at + self.LOT_S, time.monotonic() - 1)
        time.sleep(max(0, self.at - time.monotonic()))
        return max(1, int(self.a_second * self.LOT_S))


class Attack:
    """`who` does it (SECURITY.md), and `what` that is."""
    name = who = what = None
    priority = ATTACKING
    needs = ()  # features of the scene without which it is left out

    def __init__(self, scene):
        self.scene, self.count = scene, collections.Counter()
        self.chance = random.Random("%s %s" % (scene.seed, self.name))
        self.opened = []

    # ---- in the soak's process ----

    def start(self):
        self.from_child, to_parent = CONTEXT.Pipe(duplex=False)
        self.process = CONTEXT.Process(target=self.live, args=(to_parent,), name=self.name, daemon=True)
        self.process.start()
        to_parent.close()

    def end(self, limit_s):
        """Waits for its end; returns (what it counted, why it broke or None)."""
        self.process.join(limit_s)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
            return {}, "it did not end within %d s" % limit_s
        try:
            return self.from_child.recv()
        except EOFError:
            return {}, "it died with %s" % self.process.exitcode

    # ---- in its own ----

    def live(self, to_parent):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        prefer(self.priority)
        trouble = None
        try:
            self.begin()
            while not self.scene.is_over.is_set():
                try:
                    self.turn()
                except (OSError, EOFError):
                    self.count["cut"] += 1
                    self.scene.is_over.wait(PAUSE_S)
            self.finish()
        except BaseException:
            trouble = traceback.format_exc()
        self.discard()
        to_parent.send((dict(self.count), trouble))

    def begin(self):
        """What it needs, once."""

    def turn(self):
        raise NotImplementedError

    def finish(self):
        """Leaves what it has changed as it should be."""

    @contextlib.contextmanager
    def act(self, what):
        """Writes down when something was under way, for the report."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.scene.note_act("%s: %s" % (self.name, what) if what else self.name, begin, time.monotonic())

    # ---- sockets ----

    def tcp(self, source=None, *, timeout=5, room=None):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.opened.append(s)
        if room:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        s.settimeout(timeout)
        if source:
            s.bind((source, 0))
        s.connect((servers.ADDRESS, self.scene.port))
        return s

    def udp(self, source=None):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.opened.append(s)
        if source:
            s.bind((source, 0))
        s.connect((servers.ADDRESS, self.scene.port))
        s.setblocking(False)
        return s

    def drain(self, udp):
        with contextlib.suppress(BlockingIOError):
            while True:
                udp.recv(65535)
                self.count["answered"] += 1

    def throw(self, udp, wire):
        """A datagram; a full buffer of our own is no matter."""
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            udp.send(wire)
            self.count["sent"] += 1

    def close(self, s):
        self.opened.remove(s)
        s.close()

    def discard(self):
        for s in self.opened:
            s.close()
        self.opened = []


def receive(tcp):
    """One message of a connection."""
    return exactly(tcp, *struct.unpack("!H", exactly(tcp, 2)))


def exactly(tcp, n):
    got = b""
    while len(got) < n:
        more = tcp.recv(n - len(got))
        if not more:
            raise EOFError
        got += more
    return got


class Acts:
    """What was under way when: lines that every process appends."""

    def __init__(self, path):
        self.path = path
        open(path, "w").close()

    def note(self, name, begin, end):
        line = json.dumps([name, begin, end]) + "\n"
        with open(self.path, "ab", buffering=0) as f:
            f.write(line.encode())

    def all(self):
        with open(self.path) as f:
            return [json.loads(line) for line in f]
