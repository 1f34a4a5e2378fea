"""A reader of the log that stops reading (a halted terminal, a full disk behind a pipe) stops nobody, and nobody fills the log."""
import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import time

import dns.message
import dns.opcode
import dns.query
import dns.rcode
import pytest

import servers

ZONE = "@ 300 SOA ns host %d 1h 10m 4w 5m\n@ 300 NS ns\nns 300 A 192.0.2.1\n"


class Pipe:
    """A pipe in the file system, whose reader stalls when it is told to."""

    def __init__(self, where):
        self.path = os.path.join(where, "log.pipe")
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)
        self.text = ""

    @property
    def wrapper(self):
        """In front of a command: its standard error is the pipe."""
        return ("sh", "-c", 'pipe=$1; shift; exec "$@" 2>"$pipe"', "sh", self.path)

    def read(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.text += os.read(self.fd, 65536).decode(errors="replace")
        return self.text

    def stall(self):
        """From now on not one octet more goes in."""
        for size in (4096, 1):
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(self.fd, b"\n" * size)


@pytest.fixture
def pipe(tmp_path):
    made = Pipe(str(tmp_path))
    yield made
    os.close(made.fd)


TRANSFERS = 8  # by strangers, each a line of the log, within their limit


def transfer(port):
    wire = dns.query.tcp(dns.message.make_query("example", "AXFR"), servers.ADDRESS, timeout=20, port=port)
    assert wire.rcode() == dns.rcode.NOERROR and wire.answer


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stalled_reader_stops_nobody(primary, repo, pipe, notify, notify_key, workers):
    repo.commit({"example": ZONE % 1, "_keys": notify_key.line})
    served = primary(repo, "--axfr", "--workers=%d" % workers, zones=["example"], wrapper=pipe.wrapper)
    pipe.read()
    pipe.stall()
    for _ in range(TRANSFERS):  # by the threads that transfer
        transfer(served.port)
    repo.commit({"example": ZONE % 2})
    notify(served.port, "example", notify_key)  # by the thread that publishes
    served.await_serial("example", 2)
    assert served.ask("ns.example", tcp=True).rcode() == dns.rcode.NOERROR

    servers.await_true("all lines are there", lambda: re.search(r"event=commit-served .* zones=1 .*changed=1", pipe.read()))
    assert len(re.findall(r"event=transfer-sent", pipe.text)) == TRANSFERS
    assert "log-dropped" not in pipe.text


def test_a_stalled_reader_does_not_hold_up_the_end(primary, repo, pipe):
    repo.commit({"example": ZONE % 1})
    served = primary(repo, "--axfr", zones=["example"], wrapper=pipe.wrapper)
    pipe.read()
    pipe.stall()
    transfer(served.port)
    assert served.end() == 0
    served.await_no_children()


def test_a_reader_who_stalls_from_the_first_line(primary, repo, pipe):
    """Before there is a thread for it, too: the start waits a moment, and the end comes as ever."""
    repo.commit({"example": ZONE % 1})
    pipe.stall()
    served = primary(repo, zones=["example"], wrapper=pipe.wrapper)
    assert served.end() == 0
    served.await_no_children()


def test_a_stalled_reader_and_a_start_that_fails(bindir, repo, pipe, tmp_path):
    repo.commit({"example": ZONE % 1})
    pipe.stall()
    done = subprocess.run([*pipe.wrapper, os.path.join(bindir, "oprimary"), "--remote=" + repo.url, "--listen=192.0.2.1@53"], timeout=60,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 1


def test_a_stalled_reader_and_an_option_that_is_wrong(bindir, pipe):
    """What is said of options waits for its reader, and SIGTERM ends that, too."""
    pipe.stall()
    with subprocess.Popen([*pipe.wrapper, os.path.join(bindir, "oprimary"), "--no-such-option"], stdin=subprocess.DEVNULL) as waits:
        try:
            servers.await_true("it waits", lambda: is_waiting(waits.pid, "oprimary"))
            waits.terminate()
            assert waits.wait(servers.STOP_LIMIT_S) == 0
        finally:
            waits.kill()


def is_waiting(pid, program):
    with open("/proc/%d/stat" % pid) as f:
        return re.match(r"\d+ \(%s\) S " % program, f.read())


def test_a_stalled_reader_and_a_remote_that_stalls(primary, pipe):
    """The end of all processes, while one of them waits for the remote, and none could say so."""
    with socket.create_server((servers.ADDRESS, 0)) as silent:
        served = primary("git://%s:%d/zones" % silent.getsockname(), wrapper=pipe.wrapper)
        silent.settimeout(servers.START_LIMIT_S)
        with silent.accept()[0]:
            pipe.stall()
            assert served.end() == 0
            served.await_no_children()


def test_a_reader_that_is_gone_stops_nobody(primary, repo, pipe):
    """Nobody has the other end any more: writing fails at once (EPIPE), and no signal comes of it."""
    repo.commit({"example": ZONE % 1})
    reading = os.open(pipe.path, os.O_RDONLY | os.O_NONBLOCK)
    served = primary(repo, "--axfr", zones=["example"], wrapper=pipe.wrapper)
    os.close(pipe.fd)
    os.close(reading)
    pipe.fd = os.open("/dev/null", os.O_RDONLY)
    for _ in range(3):
        transfer(served.port)
    assert served.end() == 0


# ---- limits ----

OF_STRANGERS = re.compile(r"event=(?:transfer-\w+|notify-unsigned|notify-denied|tsig-failed|update-denied) ")
STRANGERS_LINES = 50  # a period of 10 s (ops/log_limit.h)


def unsigned(rdtype, opcode):
    query = dns.message.make_query("example", rdtype)
    query.set_opcode(opcode)
    return query


def requests_of_strangers(make_key):
    """Each makes a line."""
    forged = make_key("nobody._update.example").sign(dns.message.make_query("example", "SOA"))
    return [dns.message.make_query("example", "AXFR"), dns.message.make_query("example", "IXFR"), unsigned("SOA", dns.opcode.NOTIFY),
            unsigned("SOA", dns.opcode.UPDATE), dns.message.make_query("no.such.example", "AXFR"), forged]


def ask_many(port, request, times):
    """Over one connection, as fast as it goes; the answers are read and let go."""
    wire = request.to_wire()
    framed = struct.pack("!H", len(wire)) + wire
    with socket.create_connection((servers.ADDRESS, port), timeout=30) as s:
        answers = s.makefile("rb")
        for _ in range(times):
            s.sendall(framed)
            answers.read(struct.unpack("!H", answers.read(2))[0])


def test_strangers_do_not_fill_the_log(primary, repo, make_key):
    """72,000 lines a second came of one connection with --axfr.  Now all that strangers cause has its lines, and those with a key have
    others."""
    mine = make_key("mine._transfer.example")
    repo.commit({"example": ZONE % 1, "_keys": mine.line})
    served = primary(repo, "--axfr", zones=["example"])
    begin = time.monotonic()
    times = 300
    for request in requests_of_strangers(make_key):
        ask_many(served.port, request, times)
    signed = mine.sign(dns.message.make_query("example", "AXFR"))
    assert dns.query.tcp(signed, servers.ADDRESS, timeout=20, port=served.port).answer
    served.await_log(r"event=transfer-sent .* key=mine\._transfer\.example\. ")
    periods = 2 + (time.monotonic() - begin) // 10

    os.kill(served.pid, signal.SIGUSR1)
    suppressed = int(served.await_log(r"event=stats .* log_suppressed=(\d+)")[1])
    lines = [line for line in served.log().splitlines() if OF_STRANGERS.search(line) and "key=mine" not in line]
    assert 10 <= len(lines) <= periods * STRANGERS_LINES
    assert len(lines) + suppressed >= 5 * times
    served.stop()
