"""--metrics: values agree with what clients did; Prometheus reads them; the page is what it should be; and nobody who asks there, or
hangs there, costs others anything."""
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import dns.message
import dns.query
import pytest

import servers
import watching
from certificate_world import World, await_certificate
from tsig_key import Key
from updates import ZONE, add, send, update_of, zone_of
from watching import OPENMETRICS, Page, Values, get

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRANSFER = Key("127.0.0.1.127.0.0.2._transfer")


def read(*path):
    with open(os.path.join(ROOT, *path)) as f:
        return f.read()


@pytest.fixture
def watched(primary):
    """watched(repo, option…) → a primary that tells its metrics at its `watch`."""
    def start(repo, *options, **more):
        port = servers.free_port()
        p = primary(repo, "--metrics=%s@%d" % (servers.ADDRESS, port), *options, **more)
        p.watch = port
        return p
    return start


def fresh(port):
    """What is told now: an answer may be a second old.  Each time that values are collected costs the process some time, which is one of
    them."""
    old = Values(port).get("process_cpu_seconds_total")
    return servers.await_true("values were collected again", lambda: (v := Values(port)).get("process_cpu_seconds_total") != old and v)


# ---- values ------------------------------------------------------------------

def test_values_agree_with_what_clients_did(watched, filled, key, need):
    need("dig")
    p = watched(filled, zones=["example"])
    before = fresh(p.watch)
    for rdtype, tcp, n in (("A", False, 5), ("A", True, 2), ("HTTPS", False, 3)):
        for _ in range(n):
            subprocess.run(["dig", "@" + servers.ADDRESS, "-p%d" % p.port, "www.example", rdtype, "+tries=1", *(["+tcp"] if tcp else [])],
                           check=True, capture_output=True)
    p.ask("nothing.example", "MX")
    p.ask("www.elsewhere", "TYPE65280")
    after = fresh(p.watch)

    def more(name, **labels):
        return after.sum(name, **labels) - before.sum(name, **labels)
    assert more("origin_queries_total", transport="udp") == 10
    assert more("origin_queries_total", transport="tcp") == 2
    assert more("origin_queries_by_type_total", transport="udp", type="A") == 5
    assert more("origin_queries_by_type_total", transport="tcp", type="A") == 2
    assert more("origin_queries_by_type_total", transport="udp", type="HTTPS") == 3
    assert more("origin_queries_by_type_total", transport="udp", type="other") == 1
    assert more("origin_responses_total", rcode="NOERROR") == 10
    assert more("origin_responses_total", rcode="NXDOMAIN") == 1
    assert more("origin_responses_total", rcode="REFUSED") == 1
    assert more("origin_tcp_accepted_total") == 2
    assert after.get("origin_zones", state="served") == 1 and after.get("origin_zone_serial", zone="example") == 7
    assert after.get("origin_records") == after.get("origin_zone_records", zone="example") == 10
    assert after.get("origin_answer_seconds_count") >= 1 and after.get("origin_well") == 1
    assert after.get("origin_git_up") == 1 and after.get("origin_git_failing") == 0
    assert after.get("origin_git_info", branch="refs/heads/main", head=filled.head(), served=filled.head()) == 1
    assert 1e6 < after.get("process_resident_memory_bytes") < 1e10
    p.stop()


def test_updates_and_signatures(watched, filled, key, remote):
    p = watched(filled, zones=["example"])
    for n in range(3):
        assert send(p, add(key, "host%d" % n, "192.0.2.%d" % (100 + n))).rcode() == 0
    refused = update_of(key)
    refused.present("nobody")
    send(p, refused)
    for bad in (Key("who._update"), Key(key.name, b"another secret of thirty-two oct")):
        with contextlib.suppress(Exception):  # dnspython does not like the answer's signature
            send(p, add(bad, "x", "192.0.2.1"))
    unsigned = dns.message.make_query("example", "AXFR")
    dns.query.tcp(unsigned, servers.ADDRESS, port=p.port, timeout=10)
    v = fresh(p.watch)
    assert (v.get("origin_updates_total", result="done"), v.get("origin_updates_total", result="refused")) == (3, 1)
    assert v.get("origin_updates_commits_total") == v.get("origin_git_pushes_total", result="ok") == v.get("origin_git_push_seconds_count")
    assert v.get("origin_updates_batch_sum") == 3 and v.get("origin_updates_waiting") == 0
    assert (v.get("origin_tsig_failures_total", error="BADKEY"), v.get("origin_tsig_failures_total", error="BADSIG")) == (1, 1)
    assert v.get("origin_denied_total", request="transfer") == 1
    assert v.get("origin_git_commits_served_total") == remote.commits()
    assert v.get("origin_zone_serial", zone="example") == p.serial("example")
    p.stop()


def test_git_trouble(watched, filled):
    p = watched(filled, zones=["example"])
    os.rename(filled.bare, filled.bare + ".away")
    p.hangup()
    p.await_log("event=pull-failed")
    v = fresh(p.watch)
    assert v.get("origin_git_failing") == 1 and v.get("origin_git_pulls_total", result="ok") == 1
    assert v.sum("origin_git_pulls_total") - v.get("origin_git_pulls_total", result="ok") >= 1
    assert "Last pullfailed: " in Page(get(p.watch, "/")[2]).text
    os.rename(filled.bare + ".away", filled.bare)
    p.hangup()
    p.await_true("it pulls again", lambda: Values(p.watch).get("origin_git_failing") == 0)
    p.stop()


def test_zones_with_trouble_come_first(watched, filled):
    """What is in a file goes to the page as a text."""
    p = watched(filled, zones=["example"])
    filled.commit({"zz<b>&'.example": ZONE, "yy.example": ZONE, "aa.example": ZONE, "yy2.example": "nonsense <script>alert(1)</script>\n"})
    p.hangup()
    p.await_serial("yy.example", 7)
    filled.commit({"yy.example": ZONE + 'x A "<img src=x onerror=alert(1)>"\n'})
    p.hangup()
    p.await_log("event=zone-rejected file=yy.example")
    v = fresh(p.watch)
    assert v.get("origin_zones", state="last-good") == 1 and v.get("origin_zones", state="rejected") == 1
    assert v.sum("origin_zone_trouble", zone="yy.example", state="last-good") == 1
    status, headers, text = get(p.watch, "/")
    page = Page(text)
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    assert [row[:2] for row in page.rows if len(row) == 5][:3] == [
        ["Zone", "State"], ["yy.example", "last-good"], ["yy2.example", "rejected"]]
    assert any("<img src=x onerror=alert(1)>" in row[0] for row in page.rows)
    assert any(row[0].startswith("zz") and "<b>&'" in row[0] for row in page.rows)
    assert {tag for tag, _ in page.elements} <= {
        "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "p", "a", "dl", "div", "dt", "dd", "section", "figure",
        "figcaption", "span", "b", "small", "svg", "path", "polygon", "polyline", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert not [a for _, attrs in page.elements for a in attrs if a.startswith("on") or a in ("src", "style")]
    assert [attrs["href"] for _, attrs in page.elements if "href" in attrs] == ["/metrics"]
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {"default-src": "'none'", "style-src": page.policy_of_style(), "base-uri": "'none'", "form-action": "'none'",
                      "frame-ancestors": "'none'"}
    assert headers["X-Content-Type-Options"] == "nosniff" and "Something is wrong" in page.text
    p.stop()


def test_so_many_zones(watched, repo):
    """Zones with values of their own have a limit; sums count all."""
    repo.commit({"z%04d.example" % n: ZONE for n in range(1100)})
    p = watched(repo, zones=["z1099.example"])
    v = fresh(p.watch)
    assert v.get("origin_zones", state="served") == 1100 and v.get("origin_records") == 11000
    assert v.get("origin_zones_left_out") == 100
    assert len([1 for name, _ in v.all if name == "origin_zone_serial"]) == 1000
    status, _, text = get(p.watch, "/")
    assert status == 200 and len(Page(text).rows) == 501 and "600 more are not shown" in text
    p.stop()


def test_secondaries(watched, secondary, filled, key, port_53):
    """The primary knows who is behind; the secondary knows when its zones expire."""
    filled.commit({"_keys": key.line + TRANSFER.line})
    p = watched(filled, zones=["example"])
    watch = servers.free_port()
    s = secondary([TRANSFER], "--metrics=%s@%d" % (servers.ADDRESS, watch), primaries=["127.0.0.1@%d" % p.port], address="127.0.0.2", port=53)
    s.await_serial("example", 7)
    v = fresh(watch)
    assert v.get("origin_zones", state="served") == 1 and v.get("origin_zone_serial", zone="example") == 7
    assert 0 < v.get("origin_zone_expires_seconds", zone="example") <= 4 * 7 * 86400
    assert v.get("origin_zone_refreshed_age_seconds", zone="example") < 60
    assert v.get("origin_transfers_in_total", event="begun") == 1 and v.get("origin_survey_late") == 0
    assert [row for row in Page(get(watch, "/")[2]).rows if row[0] == "example"][0][1:4] == ["served", "7", "127.0.0.1@%d" % p.port]
    filled.commit({"example": zone_of(8)})
    p.hangup()
    s.await_serial("example", 8)
    place = {"zone": "example", "secondary": "127.0.0.2@53"}
    p.await_true("it is known as current", lambda: Values(p.watch).get("origin_secondary_behind", **place) == 0)
    assert fresh(p.watch).get("origin_secondaries", state="current") >= 1
    s.stop()
    filled.commit({"example": zone_of(11)})
    p.hangup()
    p.await_serial("example", 11)
    p.await_true("it is known as behind", lambda: Values(p.watch).get("origin_secondary_behind", **place) == 3)
    p.await_true("so is the time", lambda: Values(p.watch).get("origin_secondary_lag_seconds", **place) >= 1)
    v = Values(p.watch)
    assert v.get("origin_secondaries", state="behind") >= 1 and v.get("origin_secondaries_lag_seconds") >= 1
    assert v.get("origin_notify_pending") >= 1
    p.stop()


# ---- who reads ------------------------------------------------------------------

def test_promtool_accepts(watched, filled, need):
    need("promtool")
    p = watched(filled, zones=["example"])
    _, headers, text = get(p.watch)
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    subprocess.run(["promtool", "check", "metrics"], input=text, text=True, check=True)
    _, headers, standard = get(p.watch, accept=OPENMETRICS)
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert standard.endswith("\n# EOF\n") and "# UNIT origin_answer_seconds seconds\n" in standard
    assert {n for n, _ in watching.values(standard)} == {n for n, _ in watching.values(text)}
    p.stop()


class Prometheus(servers.Process):
    """Debian's, which scrapes the targets {job: port} each second."""

    def __init__(self, work, targets):
        self.port = servers.free_port()
        jobs = "".join("  - job_name: %s\n    static_configs: [{ targets: ['%s:%d'] }]\n" % (job, servers.ADDRESS, port)
                       for job, port in targets.items())
        shutil.copy(os.path.join(ROOT, "contrib", "prometheus", "alerts.yml"), work)
        conf = servers.write(os.path.join(work, "prometheus.yml"), "global: { scrape_interval: 1s, evaluation_interval: 1s }\n"
                             "rule_files: [alerts.yml]\nscrape_configs:\n" + jobs)
        super().__init__(["prometheus", "--config.file=" + conf, "--storage.tsdb.path=" + os.path.join(work, "tsdb"),
                          "--web.listen-address=%s:%d" % (servers.ADDRESS, self.port)], work, "prometheus")

    def api(self, path, **parameters):
        url = "http://%s:%d/api/v1/%s?%s" % (servers.ADDRESS, self.port, path, urllib.parse.urlencode(parameters))
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]
        return None

    def value(self, query):
        data = self.api("query", query=query)
        return float(data["result"][0]["value"][1]) if data and data["result"] else None


def test_prometheus_scrapes_all_three(need, started, bindir, repo, primary, secondary, tmp_path, make_key, port_53):
    """A real Prometheus, with the alert rules, at a primary, a secondary, and an oacme that gets a certificate."""
    need("prometheus", "pebble", "openssl")
    ports = {"origin-" + name: servers.free_port() for name in ("primary", "secondary", "acme")}
    options = {name: "--metrics=%s@%d" % (servers.ADDRESS, port) for name, port in ports.items()}
    world = World(started, bindir, repo, lambda *a, **more: primary(*a, options["origin-primary"], **more),
                  lambda *a, **more: secondary(*a, options["origin-secondary"], **more), tmp_path, make_key)
    world.authority()
    acme, wish = world.oacme(options["origin-acme"]), world.wish("www.example")
    prometheus = started(Prometheus(str(tmp_path), ports))
    acme.await_log("event=ready")
    wish.ask()
    await_certificate(acme, wish)
    for job in ports:
        prometheus.await_true(job + " is up", lambda j=job: prometheus.value('up{job="%s"}' % j) == 1)
    prometheus.await_true("the certificate is known", lambda: (prometheus.value("origin_certificate_remaining_seconds") or 0) > 86400)
    assert prometheus.value('origin_certificate_orders_total{event="issued"}') == 1
    assert [row[0] for row in Page(get(ports["origin-acme"], "/")[2]).rows][:2] == ["Host", "www.example"]
    serial = world.primary.serial("example")
    for job in ports:
        prometheus.await_true("the zone's serial", lambda j=job: prometheus.value('origin_zone_serial{job="%s",zone="example"}' % j) == serial)
    targets = {t["labels"]["job"]: t for t in prometheus.api("targets")["activeTargets"]}
    assert all(t["health"] == "up" and t["lastError"] == "" for t in targets.values())
    metadata = prometheus.api("metadata")
    assert metadata["origin_answer_seconds"][0]["unit"] == "seconds" and metadata["origin_queries"][0]["type"] == "counter"
    assert not [a for a in prometheus.api("alerts")["alerts"] if a["labels"]["alertname"] == "OriginDown"]
    world.primary.stop()
    prometheus.await_true("it sees that", lambda: prometheus.value('up{job="origin-primary"}') == 0)
    prometheus.await_true("an alert is pending", lambda: [a for a in prometheus.api("alerts")["alerts"] if a["labels"]["alertname"] == "OriginDown"])
    acme.stop()
    world.secondary.stop()
    prometheus.end()


def test_alert_rules(need, tmp_path):
    need("promtool")
    rules = os.path.join(ROOT, "contrib", "prometheus", "alerts.yml")
    subprocess.run(["promtool", "check", "rules", rules], check=True)
    for path in (rules, os.path.join(ROOT, "tests", "data", "alerts_test.yml")):
        shutil.copy(path, tmp_path)
    subprocess.run(["promtool", "test", "rules", str(tmp_path / "alerts_test.yml")], check=True)


# ---- who hangs ------------------------------------------------------------------

def time_of_questions(p):
    begin = time.monotonic()
    for _ in range(500):
        assert p.ask("www.example", "A").rcode() == 0
    return time.monotonic() - begin


def test_nobody_is_hurt_by_those_who_hang(watched, filled):
    p = watched(filled, zones=["example"])
    alone_s = time_of_questions(p)
    with contextlib.ExitStack() as held:
        for n in range(200):
            s = held.enter_context(socket.create_connection((servers.ADDRESS, p.watch), timeout=10))
            s.sendall((b"", b"GET /metrics HTTP/1.1\r\nHost:", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")[n % 3])
            if n % 20 == 0:
                assert p.ask("www.example", "A").rcode() == 0
        assert get(p.watch)[0] == 200 and get(p.watch, "/")[0] == 200
        assert time_of_questions(p) < 3 * alone_s + 10
    assert Values(p.watch).get("origin_well") == 1
    p.stop()


def test_other_requests(watched, filled):
    p = watched(filled, zones=["example"])
    assert get(p.watch, "/", "POST")[0] == 405 and get(p.watch, "/", "POST")[1]["Allow"] == "GET, HEAD"
    assert get(p.watch, "/nothing")[0] == 404
    status, headers, text = get(p.watch, "/metrics", "HEAD")
    assert status == 200 and int(headers["Content-Length"]) > 1000 and text == ""
    p.stop()


def test_where_it_is_told(primary, program, filled, bindir, tmp_path):
    """Nowhere by default; wrong addresses and taken ports are said."""
    bad = program("oprimary", "--remote=" + filled.url, "--metrics=nonsense", status=2)
    assert "--metrics=nonsense" in bad.stderr and "192.0.2.1@5353" in bad.stderr
    with socket.create_server((servers.ADDRESS, 0)) as taken:
        port = taken.getsockname()[1]
        done = program("oprimary", "--remote=" + filled.url, "--listen=%s@%d" % (servers.ADDRESS, servers.free_port()),
                       "--metrics=%s@%d" % (servers.ADDRESS, port), status=1)
        assert re.search(r'event=start-failed stage="metrics address" .*%d' % port, done.stderr)


# ---- one table ------------------------------------------------------------------

def table():
    """{name of the metric: (its kind, its labels)} in the source."""
    found = {}
    for kind, arguments in re.findall(r'\] = ([A-Z]+)\(((?:"(?:[^"\\]|\\.)*"|[^()"])*)\)', read("src", "bin", "metric_table.c")):
        texts = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)
        found[texts[0]] = kind, texts[2 if kind == "INFO" else 3:]
    return found


def told_as(name, kind):
    return name + {"COUNTER": "_total", "INFO": "_info"}.get(kind, "")


def test_each_metric_is_in_the_manual():
    ours = {told_as(name, kind): labels for name, (kind, labels) in table().items()}
    assert len(ours) > 60
    rows = re.findall(r"^\| `([a-z_]+)` \| (.*?) \| (.+) \|$", read("docs", "metrics.md"), re.M)
    assert {name: re.findall(r"`([a-z]+)`", labels) for name, labels, _ in rows} == ours


def test_rules_and_dashboard_use_what_there_is():
    ours = {told_as(name, kind) for name, (kind, _) in table().items()}
    ours |= {name + ending for name, (kind, _) in table().items() if kind == "HISTOGRAM" for ending in ("_bucket", "_sum", "_count")}
    dashboard = json.loads(read("contrib", "grafana", "origin.json"))
    expressions = [t["expr"] for p in dashboard["panels"] for t in p.get("targets", [])]
    assert len(expressions) > 40
    for text in [read("contrib", "prometheus", "alerts.yml"), *expressions]:
        assert set(re.findall(r"\b(?:origin|process)_[a-z_]+\b", text)) <= ours
