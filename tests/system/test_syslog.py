"""--syslog: a real rsyslogd gets the log by UDP and by a local socket, from all daemons and in their sandbox, and one that is away, or hangs,
harms nobody."""
import json
import os
import re
import socket
import time

import pytest

import servers
from certificate_world import World

TRANSFER = "127.0.0.1._transfer.example"
LINE = re.compile(r"^(\S+) (error|warning|info|debug) (event=(\S+).*)$", re.M)
SEVERITIES = {"error": "err", "warning": "warning", "info": "info", "debug": "debug"}

FIELDS = {"facility": "syslogfacility-text", "severity": "syslogseverity-text", "time": "timereported:::date-rfc3339", "host": "hostname",
          "app": "app-name", "process": "procid", "msgid": "msgid", "data": "structured-data", "version": "protocol-version", "text": "msg"}


class Rsyslogd(servers.Process):
    """Debian's rsyslogd: it writes the fields of each message as it has understood them."""

    def __init__(self, work, port=None, path=None):
        self.out = os.path.join(work, "messages")
        fields = ",".join('\\"%s\\":\\"%%%s:::json%%\\"' % (name, of) if ":::" not in of else '\\"%s\\":\\"%%%s%%\\"' % (name, of)
                          for name, of in FIELDS.items())
        listens = ('module(load="imudp") input(type="imudp" address="%s" port="%d")' % (servers.ADDRESS, port) if port else
                   'module(load="imuxsock" SysSock.Use="off") input(type="imuxsock" Socket="%s" RateLimit.Interval="0")' % path)
        conf = servers.write(os.path.join(work, "rsyslog.conf"),
                             'global(workDirectory="%s" maxMessageSize="8k")\n%s\n'
                             'template(name="fields" type="string" string="{%s}\\n")\n'
                             'action(type="omfile" file="%s" template="fields")\n' % (work, listens, fields, self.out))
        super().__init__(["rsyslogd", "-n", "-f", conf, "-i", os.path.join(work, "rsyslogd.pid")], work, "rsyslogd")
        is_there = (lambda: os.path.exists(path)) if path else (lambda: has_port(port))
        self.await_true("rsyslogd listens", is_there)

    def messages(self, process=None):
        if not os.path.exists(self.out):
            return []
        with open(self.out) as f:
            found = [json.loads(line) for line in f if line.endswith("\n")]
        return [m for m in found if process is None or m["process"] == str(process)]

    def await_message(self, pattern, process=None):
        return self.await_true("a message like %r" % pattern,
                               lambda: next((m for m in self.messages(process) if re.search(pattern, m["text"])), None))


def has_port(port):
    with open("/proc/net/udp") as f:
        return any(line.split()[1].endswith(":%04X" % port) for line in f.readlines()[1:])


@pytest.fixture
def rsyslogd(need, started, tmp_path):
    """rsyslogd(port=…) or rsyslogd(path=…)"""
    need("rsyslogd")
    return lambda **where: started(Rsyslogd(str(tmp_path), **where))


def texts(found):
    return [m["text"].lstrip(" ") for m in found]


def same_seconds(message, stamp):
    """The time of a line, and that of its message."""
    return message["time"][:19] == stamp[:19]


def test_all_daemons_by_udp(rsyslogd, started, bindir, repo, primary, secondary, tmp_path, make_key, port_53, need):
    """Each line that the log has from the option on is there, and in order, with all its fields."""
    need("pebble", "openssl")
    port = servers.free_port()
    received, to = rsyslogd(port=port), "--syslog=%s@%d" % (servers.ADDRESS, port)
    world = World(started, bindir, repo, lambda *a, **more: primary(*a, to, "--log-level=debug", **more),
                  lambda *a, **more: secondary(*a, to, **more), tmp_path, make_key)
    world.authority()
    acme = world.oacme(to)
    acme.await_log("event=ready")
    for name, served in ("oprimary", world.primary), ("osecondary", world.secondary), ("oacme", acme):
        assert served.end() == 0
        received.await_message("^ *event=stopping ", served.pid)
        lines = list(LINE.finditer(served.log()))
        begin = next(n for n, line in enumerate(lines) if line[4] == "syslog")
        received.await_true("all lines have come", lambda s=served, n=len(lines) - begin: len(received.messages(s.pid)) >= n)
        found = received.messages(served.pid)
        assert texts(found) == [line[3] for line in lines[begin:]]
        assert [m["msgid"] for m in found] == [line[4] for line in lines[begin:]]
        assert [m["severity"] for m in found] == [SEVERITIES[line[2]] for line in lines[begin:]]
        assert all(same_seconds(m, line[1]) for m, line in zip(found, lines[begin:]))
        assert {(m["facility"], m["host"], m["app"], m["data"], m["version"]) for m in found} == \
            {("daemon", socket.gethostname(), name, "-", "1")}
        assert "event=forbidden-call" not in served.log() and {"starting", "ready", "sandbox"} <= {m["msgid"] for m in found}


@pytest.mark.parametrize("program", ["primary", "secondary"])
def test_a_local_socket_and_a_server_that_is_started_anew(rsyslogd, request, filled, make_key, tmp_path, program):
    """In the sandbox, where there are no new local sockets.  (What pytest makes is out of reach for any user but root.)"""
    path, key = str(tmp_path / "log"), make_key(TRANSFER)
    received = rsyslogd(path=path)
    start = request.getfixturevalue(program)
    if program == "primary":
        served = start(filled, "--syslog=" + path, "--user=root", zones=["example"])
    else:
        served = start([key], "--syslog=" + path, "--user=root", "--state-dir=" + str(tmp_path / "state"), primaries=["127.0.0.1@9"])
    found = received.await_message(r"event=starting version=\S+ ", served.pid)
    assert (found["facility"], found["severity"], found["app"]) == ("daemon", "info", served.program)
    received.end()
    received = rsyslogd(path=path)
    begin = len(received.messages(served.pid))
    served.await_true("it is told again", lambda: served.stat("syslog_lost") >= 0 and len(received.messages(served.pid)) > begin)
    served.stop()
    received.await_message("event=stopping", served.pid)


def test_a_server_that_comes_late(rsyslogd, primary, filled, tmp_path):
    path = str(tmp_path / "log")
    served = primary(filled, "--syslog=" + path, "--user=root", zones=["example"])
    served.await_log(r'warning event=syslog to=%s text="No such file or directory" hint=' % re.escape(path))
    assert served.stat("syslog_lost") >= 5
    received = rsyslogd(path=path)
    served.await_true("lines come", lambda: served.stat("syslog_lost") >= 0 and received.messages(served.pid))
    lost = served.stat("syslog_lost")
    assert served.stat("syslog_lost") == lost
    served.stop()


def test_a_host_that_is_away(primary, filled):
    """Nobody is at the port, and nobody at the address: counted, as far as it can be known, and no more."""
    served = primary(filled, "--syslog=%s@%d" % (servers.ADDRESS, servers.free_port()), zones=["example"])
    served.await_true("what comes back is counted", lambda: served.stat("syslog_lost") >= 3)
    served.stop()
    served = primary(filled, "--syslog=2001:db8::1", zones=["example"])
    served.await_log(r"event=syslog to=2001:db8::1")
    assert served.stat("log_dropped") == 0
    served.stop()


def test_a_server_that_hangs(primary, filled, tmp_path):
    """Its socket is full soon; the log goes on, and so does the rest."""
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hangs:
        hangs.bind(path)
        served = primary(filled, "--syslog=" + path, zones=["example"])
        served.await_true("it is full", lambda: served.stat("syslog_lost") >= 3)
        begin = time.monotonic()
        assert served.ask("www.example").answer and served.stat("log_dropped") == 0
        assert time.monotonic() - begin < servers.STOP_LIMIT_S / 2
        served.stop()


@pytest.mark.parametrize("bad", ["localhost", "192.0.2.1@0", "/" + "x" * 108])
def test_wrong(program, bad):
    done = program("oprimary", "--remote=/nowhere", "--syslog=" + bad)
    assert done.returncode == 2 and "--syslog=" + bad in done.stderr and ("/dev/log" in done.stderr or bad[0] == "/")
