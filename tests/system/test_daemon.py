"""A daemon over the parts that all daemons share, and nothing of git: it comes up, answers, counts, and ends when it is told."""
import os
import signal

import dns.rcode
import pytest

import servers

PROGRAM = "builtin_zone"


class Builtin(servers.Process):
    """tests/unit/builtin_zone.c"""

    def __init__(self, bindir, work, *options, port=None):
        self.port = port or servers.free_port()
        path = os.path.join(bindir, os.pardir, os.pardir, "tests", "unit", PROGRAM)
        super().__init__([path, "--listen=%s@%d" % (servers.ADDRESS, self.port), *options], str(work), PROGRAM, env=servers.sanitizer_env())

    def ask(self, name, rdtype="A", **more):
        return servers.ask(self.port, name, rdtype, **more)


@pytest.fixture
def builtin(bindir, tmp_path, started):
    def start(*options, **more):
        daemon = started(Builtin(bindir, tmp_path, *options, **more))
        daemon.await_log("info event=ready status=\"one zone\"")
        return daemon
    return start


def thread_names(pid):
    names = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/comm" % (pid, task)) as f:
            names.append(f.read().strip())
    return sorted(names)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_its_zone_until_it_is_told_to_end(builtin, number):
    daemon = builtin("--workers=2", "--listen=127.0.0.2@%d" % servers.free_port())
    for tcp in (False, True):
        assert [r.address for r in daemon.ask("www.example", tcp=tcp).answer[0]] == ["192.0.2.80"]
        assert daemon.ask("none.example", tcp=tcp).rcode() == dns.rcode.NXDOMAIN
        assert daemon.ask("example.org", tcp=tcp).rcode() == dns.rcode.REFUSED
    names = thread_names(daemon.pid)
    assert names.count("builtin_zone-ud") == names.count("builtin_zone-tc") == 2, names
    os.kill(daemon.pid, number)
    assert daemon.popen.wait(servers.STOP_LIMIT_S) == 0
    daemon.await_log("event=stopping why=%s\n" % number.name)
    daemon.await_log("event=stats udp_queries=3 tcp_queries=3\n")


def test_it_has_the_options_of_all_daemons(builtin):
    daemon = builtin("--identity=host1", "--axfr", "--log-level=debug")
    assert daemon.ask("id.server", "TXT", rdclass="CH").answer[0][0].strings == (b"host1",)
    daemon.await_log("info event=privileges user=.* capabilities=none")
    assert daemon.ask("example", "AXFR", tcp=True).answer
    daemon.await_log("info event=transfer-sent to=.* zone=example. type=axfr serial=7 ")
    os.kill(daemon.pid, signal.SIGUSR1)
    daemon.await_log("event=stats udp_queries=1 tcp_queries=1\n")
    assert daemon.end() == 0


def test_a_start_that_fails_says_which_stage(builtin, bindir, tmp_path, started):
    first = builtin()
    second = started(Builtin(bindir, tmp_path, port=first.port))
    assert second.popen.wait(servers.START_LIMIT_S) == 1
    second.await_log("error event=start-failed stage=listeners text=.*@%d.* hint=" % first.port)
    assert first.end() == 0
