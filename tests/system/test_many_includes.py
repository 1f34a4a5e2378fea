"""Zones that share what they include: what all of them cost follows the text, and how much they may include has a limit."""
import contextlib
import os
import re

import pytest

import servers
from repository import git

FEW, MANY = 700, 5600
WHOLE = 9999  # src/zone/master.h: MASTER_INCLUDES_MAX is one more
GREEDY = 103  # as many zones that each include that many files; one million is the limit
SLACK = 2     # the square of eight would be eight times as much

ZONE = "$TTL 60\n@ SOA ns host 1 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"
COMMON = "www A 192.0.2.%d\n"


def commit(repo, files, *, is_first=False):
    """{path: text}: written at once, as there are many."""
    blobs, lines = {}, ["commit refs/heads/%s" % repo.branch, "committer Operator <operator@example.org> 1 +0000", "data 1", "x"]
    if not is_first:
        lines.append("from refs/heads/%s^0" % repo.branch)
    first = []
    for path, text in files.items():
        if text not in blobs:
            blobs[text] = len(blobs) + 1
            first += ["blob", "mark :%d" % blobs[text], "data %d" % len(text), text]
        lines.append("M 100644 :%d %s" % (blobs[text], path))
    git(repo.bare, "fast-import", "--quiet", input=("\n".join(first + lines) + "\n").encode())


def cpu_s(pid):
    """What a process and those below it have taken of the processors: on a busy machine the clock says little."""
    ticks = 0
    for p in (pid, *servers.descendants(pid)):
        with contextlib.suppress(OSError):
            with open("/proc/%d/stat" % p) as f:
                ticks += sum(map(int, f.read().rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("place", ["inc/common", "common.inc"])
def test_a_shared_include_costs_what_the_zones_are_long(repo, primary, place):
    """Eight times the zones take eight times as long, not 64 times: on the first load, and when the shared file changes."""
    took = {}
    for n in (FEW, MANY):
        zone = ZONE + "$INCLUDE %s\n" % place
        commit(repo, {place: COMMON % 1, **{"z%06d.example" % i: zone for i in range(n)}}, is_first=n == FEW)
        running = primary(repo, zones=["z000000.example"])
        commit(repo, {place: COMMON % 2})
        running.hangup()
        running.await_log(r"event=commit-served .* changed=%d " % n)
        took[n] = cpu_s(running.pid)
        running.stop()
    assert took[MANY] < took[FEW] * MANY / FEW * SLACK, took


def test_what_all_zones_include_has_a_limit(repo, primary, program):
    """A million files, each of them nearly empty: the rest is rejected, and says so; with fewer that do this, all is well."""
    greedy = ZONE + "".join("$INCLUDE inc/%d\n" % i for i in range(WHOLE))
    files = {"inc/%d" % i: "\n" for i in range(WHOLE)}
    files |= {"z%03d.example" % i: greedy for i in range(GREEDY)}
    commit(repo, {**files, "last.example": ZONE}, is_first=True)
    running = primary(repo, zones=["last.example", "z000.example"])
    log = running.log()
    assert re.search(r"event=commit-served .* loaded=101 .* rejected=3 ", log)
    assert log.count('code=include-limit text="all zones together include more than 1000000 files"') == 3
    assert "event=zone-rejected file=z101.example" in log
    checked = program("ozone", "--repo=" + repo.bare, "--new-rev=main")
    assert checked.returncode == 1
    assert checked.stdout.count("include-limit") == 3 or checked.stderr.count("include-limit") == 3
    commit(repo, {"z000.example": ZONE, "z001.example": ZONE})
    running.hangup()
    running.await_log(r"event=commit-served .* loaded=2 changed=0 .* rejected=1 ")
    running.stop()
