"""Programs under test and their peers, each started on free ports, waited for by asking, and ended by its pid."""
import contextlib
import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

import manual

ADDRESS = "127.0.0.1"
START_LIMIT_S = 60  # sanitizers and a busy machine included
STOP_LIMIT_S = 30
PAUSE_S = 0.02  # between two looks at something that is awaited
SANITIZER_REPORT = re.compile(r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer|runtime error:)")


class Trouble(AssertionError):
    """What was awaited did not come; the text has the log's end."""


def clients_ports():
    """Those of which the system gives one to whoever does not ask for a certain one."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        first, last = map(int, f.read().split())
    return range(first, last + 1)


def servers_ports():
    """The others, without end.  On a client's port a server that is not there yet may find it taken; and whoever asks there may have
    the very port and be connected to itself: what it says is then what it hears."""
    ports = sorted(set(range(10000, 65536)) - set(clients_ports())) or range(10000, 65536)
    begin = random.randrange(len(ports))  # two test runs in one network hardly meet
    return itertools.cycle(itertools.chain(ports[begin:], ports[:begin]))


PORTS = servers_ports()


def free_port(address=ADDRESS):
    """A port that nobody has in UDP nor TCP, and none that was given before."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in itertools.islice(PORTS, 1000):
        with socket.socket(family, socket.SOCK_STREAM) as tcp, socket.socket(family, socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
            tcp.bind((address, port))
            udp.bind((address, port))
            return port
    raise Trouble("no free port")


def await_true(what, question, limit_s=START_LIMIT_S):
    """Asks again and again until the answer is true (and returns it)."""
    deadline = time.monotonic() + limit_s
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Trouble("after %d s still not: %s" % (limit_s, what() if callable(what) else what))
        time.sleep(PAUSE_S)


def ask(port, name, rdtype="A", *, tcp=False, dnssec=False, payload=1232, edns=True, timeout=5, address=ADDRESS,
        rdclass="IN", flags=0, **more):
    """One query, one answer.  UDP without falling back to TCP: a truncated answer is an answer."""
    query = dns.message.make_query(name, rdtype, rdclass, want_dnssec=dnssec, payload=payload if edns or dnssec else None,
                                   use_edns=0 if edns or dnssec else False, flags=flags, **more)
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, address, timeout=timeout, port=port)


def serial_served(port, zone, address=ADDRESS):
    """The serial in the authoritative answer for `zone`, or None when there is none (yet)."""
    try:
        answer = ask(port, zone, "SOA", timeout=1, address=address)
    except (dns.exception.DNSException, OSError):
        return None
    if answer.rcode() != dns.rcode.NOERROR or not answer.flags & dns.flags.AA:
        return None
    for rrset in answer.answer:
        if rrset.rdtype == dns.rdatatype.SOA:
            return rrset[0].serial
    return None


def is_listening(port, address=ADDRESS):
    """Does anything answer, whatever it says?  Over TCP: where nobody listens yet, that is known at once."""
    try:
        ask(port, ".", "SOA", tcp=True, timeout=1, address=address)
        return True
    except (dns.exception.DNSException, OSError):
        return False


class Process:
    """A program that runs in the foreground, with all that it writes to standard output and error in a file."""

    def __init__(self, argv, work, name, env=None, cwd=None, **more):
        self.name, self.argv = name, argv
        self.log_path = os.path.join(work, "%s-%d.log" % (name, time.monotonic_ns()))
        full = dict(os.environ)
        full.update(env or {})
        with open(self.log_path, "wb") as log:
            self.popen = subprocess.Popen(argv, stdout=log, stderr=log, env=full, cwd=cwd, start_new_session=True,
                                          **{"stdin": subprocess.DEVNULL, **more})

    @property
    def pid(self):
        return self.popen.pid

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def is_running(self):
        return self.popen.poll() is None

    def await_true(self, what, question, limit_s=START_LIMIT_S):
        def look():
            answer = question()
            if not answer and not self.is_running():
                raise Trouble("%s ended with %s before: %s\n%s" % (self.name, self.popen.returncode, what, self.log_tail()))
            return answer
        return await_true(lambda: "%s\n%s" % (what, self.log_tail()), look, limit_s)

    def await_log(self, pattern, limit_s=START_LIMIT_S, after=0):
        """Waits until the log, from octet `after` on, has a match."""
        return self.await_true("the log has %r" % pattern, lambda: re.search(pattern, self.log()[after:]), limit_s)

    def log_tail(self):
        return "--- log of %s\n%s" % (self.name, self.log()[-6000:])

    def end(self):
        """SIGTERM; returns the exit status.  Whoever does not go is killed, and that is an error."""
        if self.is_running():
            self.popen.terminate()
            try:
                self.popen.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.kill()
                raise Trouble("%s ignores SIGTERM\n%s" % (self.name, self.log_tail())) from None
        return self.popen.returncode

    def kill(self):
        """For teardown: the whole session, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


# ---- ours ------------------------------------------------------------------

def sanitizer_env():
    """Reports go to standard error, which is the log; the first one ends the program."""
    return {
        "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:abort_on_error=0",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
    }


class Ours(Process):
    """A daemon of ours, on `port` of `address`; listening when the constructor returns."""
    program = None

    def __init__(self, bindir, work, *options, port=None, address=ADDRESS, env=None, wrapper=(), **more):
        self.port, self.address = port or free_port(), address
        argv = [*wrapper, os.path.join(bindir, self.program), "--listen=%s@%d" % (address, self.port), *options]
        super().__init__(argv, work, self.program, env={**sanitizer_env(), **(env or {})}, **more)
        with self.killed_after_trouble():
            self.await_true("it answers", lambda: is_listening(self.port, address))

    @contextlib.contextmanager
    def killed_after_trouble(self):
        try:
            yield
        except BaseException:
            self.kill()
            raise

    def ask(self, name, rdtype="A", **more):
        return ask(self.port, name, rdtype, address=self.address, **more)

    def serial(self, zone):
        return serial_served(self.port, zone, self.address)

    def await_serial(self, zone, serial, limit_s=START_LIMIT_S):
        self.await_true("%s has serial %s" % (zone, serial), lambda: self.serial(zone) == serial, limit_s)

    def stat(self, name, event="stats"):
        """A counter of that event, as it is now."""
        mark = len(self.log())
        self.popen.send_signal(signal.SIGUSR1)
        return int(self.await_log(r"event=%s .*\b%s=(\d+)" % (event, name), after=mark)[1])

    def stop(self):
        """A clean end: status 0, nothing that a sanitizer has to say, and no event that the manual does not know."""
        status = self.end()
        assert status == 0, "%s ended with %s\n%s" % (self.program, status, self.log_tail())
        assert not SANITIZER_REPORT.search(self.log()), self.log_tail()
        forbidden = re.findall(r"event=forbidden-call .*", self.log())
        assert not forbidden, "the sandbox's lists are too short: %s" % forbidden
        unknown = set(re.findall(r"^\S+ [a-z]+ event=(\S+)", self.log(), re.M)) - manual.events()
        assert not unknown, "not in the manual, LOG: %s" % ", ".join(sorted(unknown))
        self.await_no_children()

    def await_no_children(self):
        """Its processes go with it: nobody is left in its session."""
        await_true("its processes are gone", lambda: not group_members(self.pid), STOP_LIMIT_S)


class Primary(Ours):
    """Our oprimary on a remote.  `zones`: those that must be served before the constructor returns; None: only listen.
    `remote`: None when the environment has it.  `wrapper`: a command that becomes the program in a surrounding of its own."""
    program = "oprimary"

    def __init__(self, bindir, work, remote, *options, zones=None, **more):
        super().__init__(bindir, work, *(["--remote=" + remote] if remote else []), *options, **more)
        with self.killed_after_trouble():
            for zone in zones or []:
                self.await_true("%s is served" % zone, lambda z=zone: serial_served(self.port, z) is not None)

    def hangup(self):
        self.popen.send_signal(signal.SIGHUP)  # to nobody else when it has ended


class Secondary(Ours):
    """Our osecondary: `keys` that lead to `primaries` ("ADDRESS@PORT"), or to the addresses in their names."""
    program = "osecondary"

    def __init__(self, bindir, work, keys, *options, primaries=(), env=None, **more):
        super().__init__(bindir, work, *("--primary=" + p for p in primaries), *options,
                         env={"ORIGIN_KEYS": ",".join(k.argument for k in keys), **(env or {})}, **more)


def group_members(group):
    """Processes of a group that still run; what has ended and waits for its parent does not count."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                with open("/proc/%s/stat" % entry) as f:
                    state, _, pgrp = f.read().rpartition(")")[2].split()[:3]
                if int(pgrp) == group and state not in "ZX":
                    found.append(int(entry))
    return found


def children(pid):
    """Processes that it has started and that are there still."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                found += map(int, f.read().split())
    return found


def descendants(pid):
    return [p for child in children(pid) for p in (child, *descendants(child))]


# ---- peers -----------------------------------------------------------------

def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


class Peer(Process):
    """Another server over zone files {zone: path}, minimal answers where there is a choice.  `more`: lines of its configuration, for
    command()."""
    name = binary = None

    def __init__(self, work, zones, **more):
        if shutil.which(self.binary) is None:
            raise Trouble("%s is not installed (tools/install-deps check)" % self.binary)
        self.port = free_port()
        self.work = os.path.join(work, "%s-%d" % (self.name, self.port))
        os.makedirs(self.work)
        super().__init__(self.command(self.work, self.port, zones, **more), self.work, self.name)
        try:
            self.await_true("it answers", lambda: is_listening(self.port))
            for zone in zones:
                self.await_true("%s is served" % zone, lambda z=zone: serial_served(self.port, z) is not None)
        except BaseException:
            self.kill()
            raise

    @staticmethod
    def command(work, port, zones, **more):
        """Writes the configuration; returns the command, which stays in the foreground."""
        raise NotImplementedError

    def ask(self, name, rdtype="A", **more):
        return ask(self.port, name, rdtype, **more)


class Nsd(Peer):
    name, binary = "nsd", "nsd"

    @staticmethod
    def command(work, port, zones, options=()):
        conf = ['server:', ' server-count: 1', ' ip-address: %s@%d' % (ADDRESS, port), ' username: ""',
                ' zonesdir: "%s"' % work, ' zonelistfile: "%s/zone.list"' % work, ' database: ""',
                ' xfrdfile: "%s/xfrd.state"' % work, ' xfrdir: "%s"' % work, ' pidfile: "%s/pid"' % work,
                ' rrl-ratelimit: 0', ' minimal-responses: yes', ' round-robin: no',
                *options, 'remote-control:', ' control-enable: no']
        for zone, path in zones.items():
            conf += ['zone:', ' name: "%s"' % zone, ' zonefile: "%s"' % path]
        return ["nsd", "-d", "-c", write(os.path.join(work, "nsd.conf"), "\n".join(conf) + "\n")]


class Knot(Peer):
    name, binary = "knot", "knotd"

    @staticmethod
    def command(work, port, zones, modules=None):
        """`modules`: {name: [setting, …]}."""
        os.makedirs(work + "/db")
        conf = ['server:', '  listen: %s@%d' % (ADDRESS, port), '  rundir: "%s"' % work, '  udp-workers: 1',
                '  tcp-workers: 1', '  background-workers: 1', 'database:', '  storage: "%s/db"' % work,
                '  journal-db-max-size: 16M', '  kasp-db-max-size: 16M', '  timer-db-max-size: 16M', 'log:',
                '  - target: stderr', '    any: warning']
        for name, settings in (modules or {}).items():
            conf += ['%s:' % name, '  - id: own', *('    ' + s for s in settings)]
        conf += ['template:', '  - id: default', '    zonefile-sync: -1',
                '    semantic-checks: off', '    journal-content: none']
        if modules:
            conf.append('    global-module: [%s]' % ', '.join(name + '/own' for name in modules))
        conf.append('zone:')
        for zone, path in zones.items():
            conf += ['  - domain: "%s"' % zone, '    file: "%s"' % path]
        return ["knotd", "-c", write(os.path.join(work, "knot.conf"), "\n".join(conf) + "\n")]


class Bind(Peer):
    name, binary = "bind", "named"

    @staticmethod
    def command(work, port, zones, options=()):
        conf = ['options {', *options, ' directory "%s";' % work, ' pid-file "%s/pid";' % work,
                ' session-keyfile "%s/session.key";' % work, ' listen-on port %d { %s; };' % (port, ADDRESS),
                ' listen-on-v6 { none; };', ' recursion no;', ' minimal-responses yes;', ' minimal-any no;', ' notify no;',
                ' querylog no;', ' check-names primary ignore;', ' zero-no-soa-ttl no;', ' zone-statistics none;', '};', 'controls { };']
        for zone, path in zones.items():
            conf.append('zone "%s" { type primary; file "%s"; check-integrity no; check-mx ignore; check-srv-cname ignore;'
                        ' check-mx-cname ignore; check-wildcard no; check-spf ignore; check-sibling no; };' % (zone, path))
        return ["named", "-g", "-n", "1", "-c", write(os.path.join(work, "named.conf"), "\n".join(conf) + "\n")]


# What our clients say when a peer does not know a key: Knot up to 3.2 says so (BADKEY), Knot 3.4 answers an unsigned NOTAUTH.
UNKNOWN_KEY = {"bind": re.compile(r"\(BADKEY\)"), "knot": re.compile(r"\(BADKEY\)|answers NOTAUTH.*\n.*server does not know the key")}
PEERS = {peer.name: peer for peer in (Nsd, Knot, Bind)}
