"""Zones that break a rule, and that a primary serves all the same: ours takes them as they are, says so, and gives the same answers."""
import os
import sqlite3

import dns.rcode
import pytest

import primaries
import secondaries
import servers
from tsig_key import Key

ZONE = "a.test"
KEY = Key("any._transfer.a.test.")
APEX = "$TTL 60\n@ IN SOA ns1 host %d 3600 600 86400 60\n"
SOUND = APEX + "@ IN NS ns1\nns1 IN A 127.0.0.1\nother IN A 192.0.2.9\n"
BOTH = "both IN A 192.0.2.1\nboth IN TXT \"t\"\n"
FLAWED = {
    "cname-and-other": SOUND + "both IN CNAME other\n" + BOTH,
    "several-cname": SOUND + "both IN CNAME other\nboth IN CNAME ns1\n",
}
QUESTIONS = [("both", "A"), ("both", "AAAA"), ("both", "TXT"), ("both", "CNAME"), ("x.both", "A"), ("other", "A")]


class SoftKnot(primaries.Knot):
    """It says of such a zone what is wrong, and serves it."""

    def configure(self):
        command = super().configure()
        with open(command[-1]) as f:
            text = f.read()
        servers.write(command[-1], text.replace("semantic-checks: off", "semantic-checks: soft"))
        return command


class Powerdns(primaries.Powerdns):
    """Its database holds what no parser of master files lets through."""

    def load(self, zone):
        with open(self.path(zone + ".zone")) as f, sqlite3.connect(self.path("zones.db"), timeout=30) as db:
            db.execute("DELETE FROM records")
            for line in f:
                if not line.startswith("$"):
                    owner, _, rdtype, content = line.split(None, 3)
                    db.execute("INSERT INTO records (domain_id, name, type, content, ttl, prio, auth) VALUES (1, ?, ?, ?, 60, 0, 1)",
                               (zone if owner == "@" else owner + "." + zone, rdtype, self.absolute(rdtype, content.strip(), zone)))

    @staticmethod
    def absolute(rdtype, content, zone):
        if rdtype == "SOA":
            mname, rname, rest = content.split(None, 2)
            return "%s.%s %s.%s %s" % (mname, zone, rname, zone, rest)
        return content + "." + zone if rdtype in ("NS", "CNAME") else content


PRIMARIES = {"knot": SoftKnot, "powerdns": Powerdns, "nsd": primaries.Nsd}


def records(server):
    return secondaries.canonical(secondaries.transfer(servers.ADDRESS, ZONE, server.port, KEY))


def said(port, name, rdtype):
    answer = servers.ask(port, "%s.%s" % (name, ZONE), rdtype)
    return answer.rcode(), [sorted(r.to_text() for r in rrset) for rrset in answer.answer]


@pytest.fixture
def pair(need, started, secondary, tmp_path):
    def start(name, text, *options):
        make, port = PRIMARIES[name], servers.free_port()
        need(make.binary)
        primary = started(make(str(tmp_path), {ZONE: text}, KEY, (servers.ADDRESS, port)))
        return primary, secondary([KEY], *options, primaries=[primary.place], port=port)
    return start


def await_flaw(follower, serial, name, code):
    follower.await_serial(ZONE, serial)
    follower.await_log(r"warning event=zone-flawed zone=a\.test\. serial=%d name=%s code=%s text=\S.* hint=\S" % (serial, name, code))


@pytest.mark.parametrize("name", ["knot", "powerdns"])
def test_a_name_that_breaks_a_rule(pair, name):
    """At the start, and as a change (which Knot has)."""
    primary, follower = pair(name, FLAWED["cname-and-other"] % 1)
    await_flaw(follower, 1, r"both\.a\.test\.", "cname-and-other")
    assert records(primary) == records(follower)
    for question in QUESTIONS:
        assert said(primary.port, *question) == said(follower.port, *question), question
    serial = 1
    for code in "cname-and-other", "several-cname":
        primary.change(ZONE, SOUND % (serial + 1) + BOTH)
        follower.await_serial(ZONE, serial + 1)
        assert said(follower.port, "both", "A") == (dns.rcode.NOERROR, [["192.0.2.1"]])
        serial += 2
        primary.change(ZONE, FLAWED[code] % serial)
        await_flaw(follower, serial, r"both\.a\.test\.", code)
        assert records(primary) == records(follower)
    assert follower.log().count("form=changes") == (4 if name == "knot" else 0)
    assert "refresh-failed" not in follower.log() and "changes-do-not-fit" not in follower.log()
    follower.stop()
    primary.end()


@pytest.mark.parametrize("name", ["knot", "powerdns", "nsd"])
def test_a_zone_without_name_servers(pair, name):
    primary, follower = pair(name, APEX % 1 + "ns1 IN A 127.0.0.1\n")
    await_flaw(follower, 1, r"a\.test\.", "no-apex-ns")
    assert records(primary) == records(follower)
    answer = servers.ask(follower.port, ZONE, "NS")
    assert answer.rcode() == dns.rcode.NOERROR and not answer.answer
    follower.stop()
    primary.end()


def test_it_is_served_again_after_a_start(pair, secondary, tmp_path):
    state = "--state-dir=" + os.path.join(str(tmp_path), "state")
    primary, follower = pair("powerdns", FLAWED["cname-and-other"] % 1, state)
    await_flaw(follower, 1, r"both\.a\.test\.", "cname-and-other")
    primary.change(ZONE, FLAWED["several-cname"] % 2)
    follower.await_serial(ZONE, 2)
    before = records(follower)
    follower.await_true("it is in the file", lambda: follower.stat("waiting", "state-stats") == 0)
    follower.stop()
    primary.end()
    follower = secondary([KEY], state, primaries=[primary.place], port=follower.port)
    follower.await_serial(ZONE, 2)
    assert records(follower) == before and "state-damaged" not in follower.log()
    follower.stop()
