"""A reader of the log that stops reading (a halted terminal, a full disk behind a pipe) stops nobody."""
import contextlib
import os
import re

import dns.message
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


def transfer(port):
    """Each is one line of the log that no limit holds back."""
    wire = dns.query.tcp(dns.message.make_query("example", "AXFR"), servers.ADDRESS, timeout=20, port=port)
    assert wire.rcode() == dns.rcode.NOERROR and wire.answer


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stalled_reader_stops_nobody(primary, repo, pipe, notify, notify_key, workers):
    repo.commit({"example": ZONE % 1, "_keys": notify_key.line})
    served = primary(repo, "--axfr", "--workers=%d" % workers, zones=["example"], wrapper=pipe.wrapper)
    pipe.read()
    pipe.stall()
    for _ in range(20):  # by the threads that transfer
        transfer(served.port)
    repo.commit({"example": ZONE % 2})
    notify(served.port, "example", notify_key)  # by the thread that publishes
    served.await_serial("example", 2)
    assert served.ask("ns.example", tcp=True).rcode() == dns.rcode.NOERROR

    servers.await_true("all lines are there", lambda: re.search(r"event=commit-served .* zones=1 .*changed=1", pipe.read()))
    assert len(re.findall(r"event=transfer-sent", pipe.text)) == 20
    assert "log-dropped" not in pipe.text


def test_a_stalled_reader_does_not_hold_up_the_end(primary, repo, pipe):
    repo.commit({"example": ZONE % 1})
    served = primary(repo, "--axfr", zones=["example"], wrapper=pipe.wrapper)
    pipe.read()
    pipe.stall()
    transfer(served.port)
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
