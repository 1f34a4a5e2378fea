"""A remote that goes on for ever, or sends what takes more memory than there is: it costs that fetch, and the next good one leads out."""
import contextlib
import threading

import pytest

import processes
import servers
from endless import Endless

MEMORY = 64  # MiB
# Without memory a sanitizer ends the program, where malloc() says so.
MAY_FAIL = {"ASAN_OPTIONS": servers.sanitizer_env()["ASAN_OPTIONS"] + ":allocator_may_return_null=1:quarantine_size_mb=0:abort_on_error=1"}
ZONE = "$TTL 60\n@ SOA ns host 1 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"


class Watch:
    """The most that any worker has held."""

    def __init__(self, side):
        self.side, self.peak_mib, self.ended = side, 0, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended.wait(0.02):
            for pid in self.side.workers():
                with contextlib.suppress(OSError, KeyError):  # one that has just ended has no memory
                    self.peak_mib = max(self.peak_mib, processes.kib(pid, "RssAnon") >> 10)

    def end(self):
        self.ended.set()
        self.thread.join()
        return self.peak_mib


@pytest.mark.parametrize("what, time_max, told", [
    ("references", 60, "--fetch-memory-max"), ("delta", 60, "--fetch-memory-max"), ("tree", 60, "--fetch-memory-max"),
    ("words", 3, "--fetch-time-max")])
def test_a_remote_without_end(repo, side, daemon, started, tmp_path, what, time_max, told):
    repo.commit({"example.org": ZONE})
    remote = started(Endless(daemon.port, getattr(Endless, what)))
    g = side(remote.url("zones.git"), "--memory-max=%d" % MEMORY, "--time-max=%d" % time_max, "--cache-dir=%s" % (tmp_path / "cache"),
             env=MAY_FAIL)
    watch = Watch(g)
    failed = g.pull("FAILED", limit_s=60)
    assert watch.end() < 3 * MEMORY  # half as much without a sanitizer
    assert told in failed.text, failed.text
    remote.says = None
    while (f := g.next("COMMIT", "FAILED")).type == "FAILED":  # by itself
        pass
    assert f.kinds == {"example.org": "PUT"}
    g.errors.clear()  # a sanitizer that has no memory says so
