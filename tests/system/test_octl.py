"""octl against our primary: what each key sees, what is said of broken and held zones, lists of many pages; and against servers that
answer whatever they like."""
import json
import re

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rrset
import pytest

import servers
from repository import git
from scripted import key_argument, tsig_key
from tsig_key import Key

ZONE = "$TTL 60\n@ SOA ns host %d 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"
BAD = ZONE + "bad A 192.0.2.300\n"
ALL, NARROW, OTHER = Key("all._status."), Key("me._notify.example.org."), Key("you._update.other.")
KEYS = ALL.line + NARROW.line + OTHER.line
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"


@pytest.fixture
def octl(program, tmp_path):
    def run(server, *args, key=ALL, status=None, **more):
        argv = ["127.0.0.1", *args, "--port=%d" % server.port]
        return program("octl", *argv, status=status, env={"ORIGIN_KEY": key.argument if key else ""}, **more)
    return run


@pytest.fixture
def served(repo, primary):
    repo.commit({"example.org": ZONE % 7, "a.example.org": ZONE % 8, "other": ZONE % 9, "_keys": KEYS})
    return primary(repo, zones=["example.org", "a.example.org", "other"])


def asked(octl, server, *args, **more):
    """The answer as JSON."""
    return json.loads(octl(server, *args, "--json", **more).stdout)


def names(zones):
    return [z["zone"] for z in zones["zones"]]


# ---- who sees what ----

def test_the_key_bounds_what_is_shown(served, octl):
    assert names(asked(octl, served, "zones")) == ["example.org", "a.example.org", "other"]
    assert names(asked(octl, served, "zones", key=NARROW)) == ["example.org", "a.example.org"]
    assert names(asked(octl, served, "zones", "a.example.org", key=NARROW)) == ["a.example.org"]
    assert names(asked(octl, served, "zones", key=OTHER)) == ["other"]
    assert asked(octl, served, "status", key=OTHER)["status"]["zones"] == 1
    assert [k["key"] for k in asked(octl, served, "keys", key=NARROW)["keys"]] == ["me._notify.example.org"]


@pytest.mark.parametrize("args", [("zones", "."), ("zones", "other"), ("zone", "other"), ("keys", "org"), ("status", "."), ("zones", "xexample.org")])
def test_others_are_refused(served, octl, args):
    done = octl(served, *args, key=NARROW, status=1)
    assert done.stdout == ""
    assert "answers REFUSED: Prohibited\n  hint: the key is good for example.org. and what is below it" in done.stderr


def test_a_key_that_is_not_known(served, octl):
    assert "does not know the key who._status. with SHA256 (BADKEY)" in octl(served, "zones", key=Key("who._status."), status=1).stderr
    assert "no key: servers answer only signed questions" in octl(served, "zones", key=None, status=2).stderr
    assert "has no operation in it" in octl(served, "zones", key=Key("nothing.example."), status=2).stderr


@pytest.mark.parametrize("what", ["zones", "status", "keys", "nothing"])
def test_unsigned_questions_are_refused(served, what):
    answer = served.ask("%s._status.example.org." % what, "TXT", rdclass="CH")
    assert answer.rcode() == dns.rcode.REFUSED and not answer.answer and not answer.authority


def test_the_protocol_by_hand(served):
    """Any client can ask: TXT records of key=value, and the commit in the authority section."""
    query = dns.message.make_query("zones._status.example.org.", "TXT", "CH", use_edns=0, payload=1232)
    NARROW.sign(query)
    answer = dns.query.udp(query, servers.ADDRESS, port=served.port, timeout=5)
    assert answer.rcode() == dns.rcode.NOERROR and answer.flags & dns.flags.AA and answer.had_tsig
    texts = [[s.decode() for s in record.strings] for record in answer.answer[0]]
    assert sorted(t[0] for t in texts) == ["zone=a.example.org", "zone=example.org"]
    assert re.fullmatch("commit=[0-9a-f]{40}", answer.authority[0][0].strings[0].decode())


# ---- zones ----

def test_zones_as_a_table(repo, served, octl):
    commit = repo.head()[:12]
    done = octl(served, "zones", status=0)
    assert done.stderr == ""
    assert re.sub(TIME, "(time)", done.stdout.replace(commit, "(commit)")) == (
        "ZONE           SERIAL  RECORDS  STATE   COMMIT        CHANGED               FILE\n"
        "example.org         7        3  served  (commit)  (time)  example.org\n"
        "a.example.org       8        3  served  (commit)  (time)  a.example.org\n"
        "other               9        3  served  (commit)  (time)  other\n")


def test_broken_zones_with_their_findings(repo, served, octl):
    first = repo.head()
    second = repo.commit({"example.org": BAD % 10, "new": BAD % 1})
    served.hangup()
    served.await_log("event=commit-served commit=" + second)
    zone, = [z for z in asked(octl, served, "zones", status=1)["zones"] if z["zone"] == "example.org"]
    want = {"state": "last-good", "serial": 7, "commit": first, "since": second, "tried": second, "line": 5, "column": 7, "level": "error",
            "code": "bad-rdata", "in": None, "file": "example.org"}
    assert {k: zone[k] for k in want} == want and "192.0.2.300" in zone["finding"]
    rejected = asked(octl, served, "zone", "new", status=1)["zone"]
    assert (rejected["state"], rejected["serial"], rejected["commit"], rejected["since"]) == ("rejected", None, None, second)
    status = octl(served, "status", status=1).stdout
    assert re.search(r"^broken +2$", status, re.M) and "    example.org:5:7: error: A address: expected" in status
    assert "(since commit %s)" % second[:12] in status
    assert octl(served, "zones", "a.example.org", status=0).stdout
    third = repo.commit({"example.org": ZONE % 10, "new": None})
    served.hangup()
    served.await_serial("example.org", 10)
    assert asked(octl, served, "zone", "example.org", status=0)["zone"]["commit"] == third
    served.stop()


def test_held_zones(repo, served, octl):
    second = repo.commit({"example.org": None, "a.example.org": None})
    served.hangup()
    served.await_log("event=commit-served commit=" + second)
    zone = asked(octl, served, "zone", "example.org", status=1)["zone"]
    assert zone["state"] == "held" and zone["since"] == second and "2 of 3 zones would be removed" in zone["finding"]
    assert asked(octl, served, "status", status=1)["status"]["held"] == 2


def test_no_such_zone(served, octl):
    done = octl(served, "zone", "nope.example.org", status=1)
    assert "nope.example.org: there is no such zone" in done.stderr
    assert "nope: there are no zones" in octl(served, "zones", "nope", status=0).stderr
    assert "there are no secondaries\n  hint: one is listed once" in octl(served, "secondaries", status=0).stderr


def test_a_key_that_may_not_pull(served, octl):
    assert octl(served, "pull", status=1).stderr.endswith("make one with a name like ANYTHING._notify\n")


def test_updates_name_their_commit(repo, served, octl, program):
    program("oupdate", "127.0.0.1", "www.other", "192.0.2.7", "--port=%d" % served.port, status=0, env={"ORIGIN_KEY": OTHER.argument})
    zone = asked(octl, served, "zone", "other", status=0)["zone"]
    assert zone["commit"] == git(repo.bare, "rev-parse", repo.branch) and zone["serial"] == 10 and zone["records"] == 4


def test_ten_thousand_zones_page_by_page(repo, primary, octl):
    zones = {"z%05d.example.org" % i: ZONE % i for i in range(1, 10001)}
    repo.commit({**zones, "broken.example.org": BAD % 1, "_keys": KEYS})
    server = primary(repo, zones=["z10000.example.org"])
    listed = asked(octl, server, "zones", key=NARROW, status=1)["zones"]
    assert [z["zone"] for z in listed] == ["broken.example.org", *sorted(zones)]
    assert all(z["serial"] == int(z["zone"][1:6]) for z in listed[1:])
    assert asked(octl, server, "status", status=1)["status"]["zones"] == 10001
    narrow = asked(octl, server, "status", key=NARROW, status=1)["status"]
    assert (narrow["zones"], narrow["counted"], narrow["broken"]) == (1000, "in-part", 1)


# ---- keys ----

def test_keys_with_their_last_use(served, octl):
    before = asked(octl, served, "zones", key=NARROW)
    assert before
    keys = {k["key"]: k for k in asked(octl, served, "keys", status=0)["keys"]}
    assert list(keys) == sorted(keys, key=lambda k: k.split(".")[::-1])
    assert keys["me._notify.example.org"]["used"] > 1000000000 and keys["you._update.other"]["used"] is None
    assert keys["all._status"] == {"key": "all._status", "right": "status", "domain": ".", "granted": None, "algorithm": "SHA256",
                                   "used": keys["all._status"]["used"]}
    text = octl(served, "keys", status=0).stdout
    assert ALL.secret not in text and re.search(r"^you[.]_update[.]other +update +other +- +SHA256 +-$", text, re.M)


# ---- servers that say what they like ----

def answer_with(records, authority=("commit=c0ffee",), key=None):
    def answer(wire, _transport):
        request = dns.message.from_wire(wire, keyring=key or tsig_key())
        name = request.question[0].name
        response = dns.message.make_response(request)
        for strings in records:
            response.answer.append(dns.rrset.from_text(name, 0, "CH", "TXT", " ".join('"%s"' % s for s in strings)))
        if authority:
            response.authority.append(dns.rrset.from_text(name, 0, "CH", "TXT", " ".join('"%s"' % s for s in authority)))
        return [response.to_wire()]
    return answer


@pytest.fixture
def hostile(script, program):
    """octl zones, with the records that the server answers with."""
    def run(records, *args, **more):
        server = script(answer_with(records, **more))
        return program("octl", "127.0.0.1", "zones", "--port=%d" % server.port, "--key=" + key_argument(), *args, timeout=20)
    return run


def test_terminals_are_not_steered(hostile):
    done = hostile([[r"zone=a\027[31mb", r"state=x\194\155y", r"file=\255\195\164"]])
    assert "a?[31mb" in done.stdout and "x?y" in done.stdout and "?ä" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("records, authority", [
    ([["nothing"]], ("commit=c",)),
    ([["=x"]], ("commit=c",)),
    ([[r"a=\000"]], ("commit=c",)),
    ([["zone=a"]], ()),
    ([], ("commit=c", "next=a.")),
    ([["zone=a"]], ("commit=c", "next=a.")),
    ([["zone=a"]], ("commit=" + "c" * 100,)),
])
def test_answers_that_cannot_be_read(hostile, records, authority):
    """Also a cursor that leads nowhere."""
    done = hostile(records, authority=authority)
    assert done.returncode == 1 and "cannot be read" in done.stderr and done.stdout == ""


def test_what_is_not_known_is_passed_over(hostile):
    done = hostile([["zone=a", "weather=fine", "serial=many"]], "--json")
    assert json.loads(done.stdout)["zones"][0]["serial"] == "many"


@pytest.mark.parametrize("args, said", [
    ([], "which command?"), (["zone"], "zone of what?"), (["a", "b"], "'b' is no command"), (["zones", "a", "b"], "too many"),
    (["zones", "a..b"], "is not a domain name"), (["x:SHA256:AAAA", "zones"], "is a key"), (["zones", "--key=a", "--key-file=b"], "two keys"),
    (["zones", "--key=a", "--key=b"], "two keys"), (["zones", "--key-file=x:SHA256:AAAA"], "looks like the key itself"),
])
def test_wrong_usage(program, args, said):
    assert said in program("octl", *args, status=2, env={"ORIGIN_KEY": ALL.argument} if "--key=a" not in args else {}).stderr
