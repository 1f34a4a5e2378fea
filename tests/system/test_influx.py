"""--monitor: a real InfluxDB takes the values of all daemons, as the lines come; and a server that is away, comes back, or hangs costs
nobody anything."""
import contextlib
import json
import os
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest

import servers
from certificate_world import World
from watching import Values


class Influxd(servers.Process):
    """Debian's InfluxDB, with one database."""

    def __init__(self, work):
        self.url = "http://%s:%d" % (servers.ADDRESS, servers.free_port())
        where = os.path.join(work, "influxdb")
        conf = servers.write(os.path.join(work, "influxdb.conf"),
                             'reporting-disabled = true\nbind-address = "%s:%d"\n[meta]\ndir = "%s/meta"\n[data]\ndir = "%s/data"\n'
                             'wal-dir = "%s/wal"\n[http]\nbind-address = "%s"\n'
                             % (servers.ADDRESS, servers.free_port(), where, where, where, self.url.split("/")[2]))
        super().__init__(["influxd", "-config", conf], work, "influxd", env={"HOME": work})
        self.await_true("influxd answers", lambda: self.try_query("CREATE DATABASE origin"))

    def query(self, text):
        url = self.url + "/query?" + urllib.parse.urlencode({"db": "origin", "q": text})
        with urllib.request.urlopen(urllib.request.Request(url, data=b""), timeout=20) as answer:
            return json.load(answer)["results"][0].get("series", [])

    def try_query(self, text):
        with contextlib.suppress(OSError):
            self.query(text)
            return True

    def write(self, lines):
        """The status, and what is wrong with the lines."""
        with contextlib.suppress(urllib.error.HTTPError):
            with urllib.request.urlopen(self.url + "/write?db=origin", data=lines, timeout=20) as answer:
                return answer.status, answer.read()
        return None, lines

    def last(self, metric, **labels):
        where = " AND ".join("\"%s\" = '%s'" % item for item in labels.items())
        found = self.query('SELECT last("value") FROM "%s"%s' % (metric, " WHERE " + where if where else ""))
        return found[0]["values"][0][1] if found else None

    def measurements(self, job):
        found = self.query("SHOW MEASUREMENTS WHERE job = '%s'" % job)
        return {row[0] for row in found[0]["values"]} if found else set()


class Listener:
    """A TCP server in place of Telegraf: whole lines go on to `sink`."""

    def __init__(self, sink, port=None):
        self.socket = socket.create_server((servers.ADDRESS, port or 0))
        self.port, self.sink, self.open = self.socket.getsockname()[1], sink, []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.open.append(self.socket.accept()[0])
                threading.Thread(target=self.serve, args=(self.open[-1],), daemon=True).start()

    def serve(self, connection):
        rest = b""
        with contextlib.suppress(OSError):
            while octets := connection.recv(1 << 16):
                lines, end, rest = (rest + octets).rpartition(b"\n")
                if end:
                    self.sink(lines + end)

    def close(self):
        for s in [self.socket, *self.open]:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()


@pytest.fixture
def listener():
    made = []

    def listen(sink, port=None):
        made.append(Listener(sink, port))
        return made[-1]
    yield listen
    for one in made:
        one.close()


def test_influxdb_takes_all_three(need, started, bindir, repo, primary, secondary, tmp_path, make_key, port_53, listener):
    need("influxd", "pebble", "openssl")
    influxd, answers = started(Influxd(str(tmp_path))), []
    taken = listener(lambda lines: answers.append(influxd.write(lines)))
    options = ["--monitor=%s:%d" % (servers.ADDRESS, taken.port), "--monitor-interval=1"]
    watch = servers.free_port()
    world = World(started, bindir, repo, lambda *a, **more: primary(*a, *options, "--metrics=%s@%d" % (servers.ADDRESS, watch), **more),
                  lambda *a, **more: secondary(*a, *options, **more), tmp_path, make_key)
    world.authority()
    acme = world.oacme(*options)
    world.wish("www.example").ask()
    serial = world.primary.serial("example")
    for job in ("oprimary", "osecondary", "oacme"):
        influxd.await_true("the serial of " + job, lambda j=job: (influxd.last("origin_zone_serial", job=j, zone="example") or 0) >= serial)
    influxd.await_true("an order", lambda: influxd.last("origin_certificate_orders_total", job="oacme", event="begun"))
    for _ in range(7):
        world.primary.ask("www.example", "MX")
    influxd.await_true("queries", lambda: influxd.last("origin_queries_by_type_total", job="oprimary", transport="udp", type="MX") == 7)
    assert influxd.last("origin_well", instance=socket.gethostname(), job="oprimary") == 1
    told = {name for name, _ in Values(watch).all}
    influxd.await_true("all that /metrics has", lambda: told <= influxd.measurements("oprimary"))
    assert influxd.last("origin_answer_seconds_bucket", job="oprimary", le="+Inf") == influxd.last("origin_answer_seconds_count", job="oprimary")
    assert answers and {status for status, _ in answers} == {204}, [a for a in answers if a[0] != 204][:3]
    for served in world.primary, world.secondary:
        assert "event=monitor-connected" in served.log() and "event=monitor-lost" not in served.log()
        served.stop()
    assert acme.end() == 0


def test_a_server_that_is_away_and_comes_and_goes(primary, filled, listener):
    port, lines = servers.free_port(), []
    p = primary(filled, "--monitor=%s@%d" % (servers.ADDRESS, port), "--monitor-interval=1", zones=["example"])
    p.await_log(r'warning event=monitor-lost to=127\.0\.0\.1@%d text="Connection refused" hint=' % port)
    assert p.ask("www.example").answer
    for _ in range(2):
        mark, before = len(p.log()), len(lines)
        there = listener(lines.append, port)
        p.await_true("lines come", lambda n=before: len(lines) > n)
        p.await_log("event=monitor-connected", after=mark)
        there.close()
        p.await_log("event=monitor-lost", after=mark)
    assert b"origin_zone_serial,job=oprimary,instance=%s,zone=example value=7 " % socket.gethostname().encode() in lines[-1]
    p.stop()


def test_a_server_that_hangs(primary, filled):
    """It accepts, and reads nothing; more zones than its buffers hold."""
    filled.commit({"z%04d.example" % n: "@ SOA ns host 7 1h 10m 4w 5m\n@ NS ns\nns A 192.0.2.1\n" for n in range(1000)})
    with socket.create_server((servers.ADDRESS, 0)) as hangs:
        hangs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        watch = servers.free_port()
        p = primary(filled, "--monitor=%s@%d" % hangs.getsockname(), "--monitor-interval=1", "--metrics=%s@%d" % (servers.ADDRESS, watch),
                    zones=["example", "z0999.example"])
        with hangs.accept()[0]:
            p.await_log("event=monitor-connected")
            p.await_true("no more is made", lambda: Values(watch).get("origin_monitor_reports_total", result="skipped") >= 2)
            for _ in range(20):
                assert p.ask("www.example").answer
            p.stop()


@pytest.mark.parametrize("bad", ["--monitor=localhost", "--monitor=192.0.2.1@0", "--monitor-interval=0", "--monitor-interval=x"])
def test_wrong(program, bad):
    done = program("oprimary", "--remote=/nowhere", bad)
    assert done.returncode == 2 and bad.split("=")[0] in done.stderr


def test_an_interval_of_nothing(program):
    assert "has no effect without --monitor=ADDR[@PORT]" in program("oprimary", "--remote=/nowhere", "--monitor-interval=5", status=2).stderr
