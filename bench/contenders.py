"""The servers that are measured: how each is started, asked whether it is ready, weighed and stopped."""
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

import inputs

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests", "system"))
import servers as peers  # noqa: E402  (their configurations are those of the tests)
from repository import git  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
SERVER_CORE, LOAD_CORE = 0, 1
READY_LIMIT_S = 180
ON_WAY = 200  # readiness questions at a time


class Server:
    """`checker(zone, path)`: the command that checks a zone file; None: it has none."""
    name = binary = checker = None
    version_args = ("-V",)
    loads = {"mixed", "referrals", "million", "many"}
    answers = True
    children_answer = True  # or may do so

    def __init__(self, bindir):
        self.bindir = bindir

    def is_there(self):
        return shutil.which(self.binary) is not None

    def version(self):
        """The first thing in its version text that looks like one."""
        out = subprocess.run([self.binary, *self.version_args], capture_output=True, text=True, check=False)
        words = (out.stdout + out.stderr).replace(",", " ").split()
        return next((w.strip("()v") for w in words if w.strip("()v")[:1].isdigit() and "." in w), "?")

    def command(self, work, port, zones):
        raise NotImplementedError

    def start(self, work, zones, under=(), limit_s=READY_LIMIT_S):
        """Runs on its core; returns when every zone has answered."""
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        port = peers.free_port()
        argv = [*under, *self.command(work, port, zones)]
        return Running(self, argv, work, port, zones, limit_s)


class Running:
    def __init__(self, server, argv, work, port, zones, limit_s):
        self.server, self.work, self.port = server, work, port
        with open(os.path.join(work, "output"), "wb") as log:
            begin = time.monotonic()
            self.popen = subprocess.Popen(argv, cwd=work, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          start_new_session=True, preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}))
        try:
            if server.answers:
                await_zones(port, zones, self.popen, limit_s)
            else:
                time.sleep(0.3)
        except BaseException:
            self.stop()
            raise
        self.start_s = time.monotonic() - begin

    def pids(self):
        """The process and all below it."""
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open("/proc/%s/stat" % entry) as f:
                        children.setdefault(int(f.read().rpartition(")")[2].split()[1]), []).append(int(entry))
                except OSError:
                    pass
        out = [self.popen.pid]
        for pid in out:
            out += children.get(pid, [])
        return out

    def cpu_s(self):
        """User and system seconds of all its processes."""
        total = 0
        for pid in self.pids():
            try:
                with open("/proc/%d/stat" % pid) as f:
                    fields = f.read().rpartition(")")[2].split()
                total += sum(int(v) for v in fields[11:15])
            except OSError:
                pass
        return total / TICK

    def memory_mib(self):
        """What its processes take, shared pages counted once."""
        total = 0
        for pid in self.pids():
            try:
                with open("/proc/%d/smaps_rollup" % pid) as f:
                    total += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
            except OSError:
                pass
        return total / 1024

    def instructions(self):
        """What callgrind has counted in the processes that answer."""
        own = "counts.%d" % self.popen.pid
        total = 0
        for name in os.listdir(self.work):
            if name == own or (self.server.children_answer and name.startswith("counts.")):
                with open(os.path.join(self.work, name)) as f:
                    total += sum(int(line.split()[1]) for line in f if line.startswith("totals:"))
        return total

    def log(self):
        with open(os.path.join(self.work, "output"), errors="replace") as f:
            return f.read()

    def stop(self):
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(60)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()


def await_zones(port, zones, popen, limit_s, address=peers.ADDRESS):
    """Asks for every zone's SOA, many at a time, until each has been answered with authority."""
    wanted = [inputs.query(zone, "SOA")[2:] for zone in zones]
    left, deadline = set(range(len(wanted))), time.monotonic() + limit_s
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((address, port))
        while left:
            if popen.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("%d zones are not served, status %s" % (len(left), popen.poll()))
            batch = sorted(left)[:ON_WAY]
            if not ask_batch(s, wanted, batch, left):
                time.sleep(0.002)


def ask_batch(s, wanted, batch, left):
    """Asks for some zones; takes those that answer out of `left`.  False: none did."""
    before = len(left)
    try:
        for number in batch:
            s.send(struct.pack("!H", number) + wanted[number])
        while not set(batch).isdisjoint(left) and select.select([s], [], [], 0.05)[0]:
            answer = s.recv(4096)
            if len(answer) > 12 and answer[2] & 0x84 == 0x84 and answer[3] & 15 == 0 and answer[6:8] != b"\0\0":
                left.discard(struct.unpack("!H", answer[:2])[0])
            elif len(answer) > 12:  # there, but not ready: the other answers say so too
                while select.select([s], [], [], 0.001)[0]:
                    s.recv(4096)
                return len(left) < before
    except ConnectionRefusedError:
        pass
    return len(left) < before


class Origin(Server):
    name, version_args = "origin", ("--version",)
    children_answer = False  # they speak to the remote

    @property
    def binary(self):
        return os.path.join(self.bindir, "oprimary")

    def checker(self, zone, path):
        return [os.path.join(self.bindir, "ozone"), "--zone-name", zone, path]

    def command(self, work, port, zones):
        """As root, if we are: another user could not write into `work` what valgrind has counted."""
        user = ["--user=root"] if os.geteuid() == 0 else []
        return [self.binary, "--remote=file://" + make_repository(work, zones), "--listen=%s@%d" % (peers.ADDRESS, port), *user]


def make_repository(work, zones):
    """A bare repository with the zones; `tree` beside it is the clone to change them in."""
    tree, bare = os.path.join(work, "tree"), os.path.join(work, "zones.git")
    os.makedirs(tree)
    for zone, path in zones.items():
        shutil.copy(path, os.path.join(tree, zone))
    git(tree, "init", "-q", "-b", "main")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "zones")
    git(work, "clone", "-q", "--bare", tree, bare)
    git(tree, "remote", "add", "origin", bare)
    return bare


class Nsd(Server):
    name, binary, version_args = "nsd", "nsd", ("-v",)
    command = staticmethod(peers.Nsd.command)

    def checker(self, zone, path):
        return ["nsd-checkzone", zone, path]


class Knot(Server):
    name, binary, version_args = "knot", "knotd", ("--version",)
    command = staticmethod(peers.Knot.command)

    def checker(self, zone, path):
        return ["kzonecheck", "-o", zone, path]


class Bind(Server):
    name, binary = "bind", "named"
    command = staticmethod(peers.Bind.command)

    def checker(self, zone, path):
        return ["named-checkzone", "-q", "-i", "local", zone, path]


class Gdnsd(Server):
    name, binary, version_args = "gdnsd", "gdnsd", ("version",)

    def command(self, work, port, zones):
        os.makedirs(os.path.join(work, "zones"))
        for zone, path in zones.items():
            os.symlink(path, os.path.join(work, "zones", zone))
        peers.write(os.path.join(work, "config"), "options => {\n listen => [ %s:%d ]\n udp_threads => 1\n tcp_threads => 1\n"
                    " run_dir => %s/run\n state_dir => %s/state\n}\n" % (peers.ADDRESS, port, work, work))
        return ["gdnsd", "-c", work, "start"]


class Yadifa(Server):
    name, binary, version_args = "yadifa", "yadifad", ("--version",)
    keys, transfer, update = [], "none", "none"

    def command(self, work, port, zones):
        main = ["daemon off", "chroot off", 'pidfile "%s/pid"' % work, "user root", "group root", "statistics off",
                "queries-log-type 0", "listen %s port %d" % (peers.ADDRESS, port), "port %d" % port, "max-tcp-queries 200",
                "thread-count-by-address 1", "allow-query any", "allow-transfer " + self.transfer, "allow-update none",
                "allow-notify none", "allow-control none"]
        for what in ("log", "data", "keys", "xfr"):
            os.makedirs(os.path.join(work, what), exist_ok=True)
            main.append('%spath "%s/%s"' % (what, work, what))
        conf = ["<main>", *main, "</main>", "<rrl>", "enabled false", "</rrl>", *self.keys, "<channels>", "err STDERR", "</channels>",
                "<loggers>", "server EMERG,ALERT,CRIT,ERR err", "database EMERG,ALERT,CRIT,ERR err", "</loggers>"]
        for zone, path in zones.items():
            conf += ["<zone>", "type primary", "domain " + zone, "file " + os.path.relpath(path, work + "/data"),
                     "allow-update " + self.update, "</zone>"]
        return ["yadifad", "-c", peers.write(os.path.join(work, "yadifad.conf"), "\n".join(conf) + "\n")]


class Echo(Server):
    """No server: what the system calls cost."""
    name, binary, answers, loads = "(echo)", "cc", False, {"mixed", "referrals"}

    def version(self):
        return "-"

    def command(self, work, port, zones):
        return [os.path.join(self.bindir, os.pardir, os.pardir, "bench", "echo"), str(port)]


ALL = [Echo, Origin, Nsd, Knot, Bind, Gdnsd, Yadifa]
