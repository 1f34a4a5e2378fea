"""A thousand changes of one record each, one after the other, into a large zone: each arrives as a change, and the zone is equal afterwards.

ORIGIN_IXFR_RECORDS says how many records the zone has (20,000); with -s it is said how long each change took:

    ORIGIN_IXFR_RECORDS=1000000 python3 -m pytest -s -p no:cacheprovider tests/system/test_osecondary_large.py
"""
import os
import random
import statistics
import subprocess
import time

import dns.query
import dns.rcode
import dns.update

import primaries
import servers
from tsig_key import Key

ZONE = "a.test"
RECORDS = int(os.environ.get("ORIGIN_IXFR_RECORDS") or 20_000)
CHANGES = 1000
LOAD_LIMIT_S, CHANGE_LIMIT_S = 300, 60
KEY = Key("any._transfer.a.test.")


class Updated(primaries.Bind):
    """It takes updates, and tells of them at once."""
    more = ' allow-update { key "%s"; };' % KEY.name


def text():
    head = "$TTL 60\n@ IN SOA ns1 host 1 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 127.0.0.1\n"
    return head + "".join("h%d IN A 10.%d.%d.%d\n" % (n, n >> 16 & 255, n >> 8 & 255, n & 255) for n in range(RECORDS - 3))


def change(rng, step):
    """One record is added, or one goes."""
    update = dns.update.UpdateMessage(ZONE)
    if step % 2:
        update.add("new%d" % step, 60, "A", "192.0.2.%d" % (1 + step % 254))
    else:
        update.delete("h%d" % rng.randrange(RECORDS - 3), "A")
    return KEY.sign(update)


def send(primary, message):
    assert dns.query.tcp(message, servers.ADDRESS, port=primary.port, timeout=CHANGE_LIMIT_S).rcode() == dns.rcode.NOERROR


def arrival_ms(follower, serial):
    """How long it takes until the serial is there.  It is asked without a pause: what is awaited takes less than one."""
    begin = time.monotonic()
    while follower.serial(ZONE) != serial:
        assert time.monotonic() < begin + CHANGE_LIMIT_S, follower.log_tail()
    return (time.monotonic() - begin) * 1000


def records(server, path):
    """All records of a zone, in order, in a file: the zone may be too large for Python."""
    key = "hmac-%s:%s:%s" % (KEY.algorithm.lower(), KEY.name, KEY.secret)
    command = 'set -o pipefail; dig +noall +answer +onesoa -y "$1" -p "$2" @"$3" "$4" AXFR | sed "/TSIG/d" | tr -s "\\t " " " | LC_ALL=C sort >"$5"'
    subprocess.run(["bash", "-c", command, "bash", key, str(server.port), servers.ADDRESS, ZONE, path], check=True, timeout=LOAD_LIMIT_S)
    return path


def cpu_s(process):
    with open("/proc/%d/stat" % process.pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(process):
    with open("/proc/%d/statm" % process.pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def test_a_thousand_changes_of_one_record(need, started, secondary, tmp_path, request):
    need("named", "dig")
    rng, port = random.Random(request.config.getoption("--seed") or 1), servers.free_port()
    primary = started(Updated(str(tmp_path), {ZONE: text()}, KEY, (servers.ADDRESS, port)))
    follower = secondary([KEY], primaries=[primary.place], port=port)
    follower.await_serial(ZONE, 1, LOAD_LIMIT_S)
    cpu, rss, took, serial = cpu_s(follower), rss_mib(follower), [], 1
    for step in range(1, CHANGES + 1):
        before = servers.serial_served(primary.port, ZONE)
        send(primary, change(rng, step))
        serial = servers.serial_served(primary.port, ZONE)
        took += [arrival_ms(follower, serial)] if serial != before else []  # a name that was gone already changes nothing
    print("%d records, %d changes: %.2f ms (median), %.2f (p99) from the update's answer until it is served; %.2f ms CPU each, with the questions; "
          "RSS %.0f to %.0f MiB" % (RECORDS, len(took), statistics.median(took), statistics.quantiles(took, n=100)[98],
                                    (cpu_s(follower) - cpu) * 1000 / len(took), rss, rss_mib(follower)))
    assert follower.stat("transfers", event="follow-stats") == 1 + len(took)
    assert follower.stat("whole_again", event="follow-stats") == 0
    ours, theirs = records(follower, str(tmp_path / "ours")), records(primary, str(tmp_path / "theirs"))
    subprocess.run(["cmp", ours, theirs], check=True)
    with open(ours) as f:
        assert sum(1 for _ in f) > RECORDS - CHANGES
    follower.stop()
    primary.end()
