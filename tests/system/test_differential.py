"""Generated zones and questions; our answers beside those of NSD, Knot and BIND, section by section.

Every difference that no rule of differences.md allows is a failure.  A longer run:
python3 -m pytest -p no:cacheprovider tests/system/test_differential.py --zones 50 --seed 1000
"""
import collections
import os
import random

import dns.name
import pytest

import compare
import delv
import servers
import zonegen
from repository import Repo

KINDS = ["plain", *zonegen.KINDS]
ZONES = 4            # of each kind, without --zones
QUESTIONS = 500      # a zone
VALIDATED = 25       # of these, answers that delv judges where the zone is signed
SHOWN = 25           # differences in a report


def seeds(config, kind):
    """Each kind has its own, the same ones every time."""
    first = config.getoption("--seed")
    if first is None:
        first = 1 + 100 * KINDS.index(kind)
    return range(first, first + (config.getoption("--zones") or ZONES))


def pytest_generate_tests(metafunc):
    if {"kind", "seed"} <= set(metafunc.fixturenames):
        cases = [(kind, seed) for kind in KINDS for seed in seeds(metafunc.config, kind)]
        metafunc.parametrize("kind,seed", cases, ids=["%s-%d" % c for c in cases])


def questions(zone, kind):
    """Each way of asking: plain DNS, EDNS of several sizes, with DO mostly where the zone is signed."""
    r = random.Random(zone.seed)
    for name, rdtype in zone.queries(QUESTIONS):
        dnssec = r.random() < (0.8 if kind != "plain" else 0.2)
        edns = dnssec or r.random() < 0.5
        yield compare.Question(name, rdtype, edns=edns, dnssec=dnssec, payload=r.choice([512, 1232, 4096]))


class Report:
    """Counts which rule was needed how often, and keeps what no rule allows."""

    def __init__(self):
        self.excused, self.found = collections.Counter(), []

    def look(self, case):
        for difference in compare.differences(case.ours, case.theirs):
            rule = compare.excuse(case, difference)
            if rule is None:
                self.found.append("%s, %s: %s" % (case.question, case.peer, difference))
            else:
                self.excused[rule] += 1

    def add(self, question, what):
        self.found.append("%s: %s" % (question, what))

    def __str__(self):
        more = len(self.found) - SHOWN
        return "\n".join(["%d differences" % len(self.found), *self.found[:SHOWN]] + (["… and %d more" % more] if more > 0 else []))


def own_faults(question, answer):
    """What is wrong with an answer of ours whatever the others say."""
    m = answer.message
    asked = question.wire(0)[12:12 + len(question.name.to_wire()) + 4]
    if answer.wire[12:12 + len(asked)] != asked:
        yield "the question does not come back as it was asked, letter by letter"
    if not answer.counted():
        yield "a record is there twice"
    if question.edns != (m.edns >= 0):
        yield "EDNS in the answer: %s" % (m.edns >= 0)
    limit = question.payload if question.edns else 512
    if len(answer.wire) > limit:
        yield "%d octets, asked for at most %d" % (len(answer.wire), limit)


def check_additional(case, zone):
    """Additional records may be left out, but what is there must be data of the zone."""
    for owner, rdtype, _ in case.ours.additional:
        types = zone.canonical_owners().get(owner, set())
        name = compare.rt.to_text(rdtype)
        if name not in types and name not in ("RRSIG", "NSEC", "NSEC3") and not zone.is_covered(owner):
            yield "%s/%s in the additional section is no data of the zone" % (owner, name)


def test_answers_are_the_same(kind, seed, tmp_path, primary, peer, need):
    zone = zonegen.Zone(seed)
    path = zone.write(str(tmp_path)) if kind == "plain" else zonegen.sign(zone, kind, str(tmp_path / "signed"))
    repo = Repo(str(tmp_path))
    with open(path, "rb") as f:
        repo.commit({zone.file_name(): f.read()})
    ours = primary(repo, zones=[zone.apex])
    peers = {name: peer(name, {zone.file_name(): path}) for name in servers.PEERS}
    report = Report()
    ask_ours, askers = compare.Asker(ours.port), {name: compare.Asker(p.port) for name, p in peers.items()}
    try:
        for question in questions(zone, kind):
            ask_all(report, question, zone, ask_ours, askers)
        if kind != "plain":
            need("delv")
            validate_some(report, zone, kind, ours.port, ask_ours, str(tmp_path))
    finally:
        for asker in [ask_ours, *askers.values()]:
            asker.close()
    ours.stop()
    print("allowed differences:", dict(report.excused))
    assert not report.found, str(report)


def ask_all(report, question, zone, ask_ours, askers):
    """Over UDP; where anybody truncates, all again over TCP, so that whole answers are compared."""
    mine = ask_ours.over_udp(question)
    theirs = {name: asker.over_udp(question) for name, asker in askers.items()}
    for fault in own_faults(question, mine):
        report.add(question, fault)
    if mine.tc or any(t.tc for t in theirs.values()):
        mine = ask_ours.over_tcp(question)
        theirs = {name: asker.over_tcp(question) for name, asker in askers.items()}
        if mine.tc:
            report.add(question, "truncated over TCP")
    for name, answer in theirs.items():
        report.look(compare.Case(question, mine, answer, name, zone))
    for fault in check_additional(compare.Case(question, mine, mine, "", zone), zone):
        report.add(question, fault)


SIZE_RATIO = 1.02   # of ours to Knot's


def test_answers_are_as_small(tmp_path, primary, peer):
    """Octets of the same answers, over TCP, where nothing is left out: ours beside the peers'.  Compared one by one they show which
    name was not compressed; summed up they must be no more than Knot's, but for two in a hundred."""
    sums, worst, same = collections.Counter(), collections.Counter(), 0
    for kind in KINDS:
        zone = zonegen.Zone(501 + KINDS.index(kind))
        where = tmp_path / kind
        where.mkdir()
        path = zone.write(str(where)) if kind == "plain" else zonegen.sign(zone, kind, str(where / "signed"))
        repo = Repo(str(where))
        with open(path, "rb") as f:
            repo.commit({zone.file_name(): f.read()})
        ours = primary(repo, zones=[zone.apex])
        askers = {name: compare.Asker(peer(name, {zone.file_name(): path}).port) for name in servers.PEERS}
        askers["ours"] = compare.Asker(ours.port)
        for question in questions(zone, kind):
            answers = {name: asker.over_tcp(question) for name, asker in askers.items()}
            if any(compare.differences(answers["ours"], a) for name, a in answers.items() if name != "ours"):
                continue
            same += 1
            sums.update({name: len(a.wire) for name, a in answers.items()})
            worst[str(question)] = len(answers["ours"].wire) - len(answers["knot"].wire)
        for asker in askers.values():
            asker.close()
        ours.stop()
    print("%d answers, octets: %s; more than Knot's: %s" % (same, dict(sums), worst.most_common(5)))
    assert same > QUESTIONS
    assert sums["ours"] <= SIZE_RATIO * sums["knot"], "%s\n%s" % (sums, worst.most_common(SHOWN))


THIRTEEN = """$ORIGIN big.example.
$TTL 172800
@ SOA ns1.provider.example.net. hostmaster.provider.example.net. 1 7200 3600 1209600 300
@ NS ns1.provider.example.net.
@ NS ns2.provider.example.net.
@ MX 10 mail1.provider.example.net.
@ MX 20 mail2.provider.example.net.
alias CNAME x.out
""" + "".join("out NS %s.gtld-servers.net.\n" % c for c in "abcdefghijklm") \
    + "".join("two NS ns%d.one.example.net.\ntwo NS ns%d.another.example.net.\n" % (i, i) for i in range(6)) \
    + "".join("*.w MX %d mx%d.provider.example.net.\n" % (i, i) for i in range(4))


@pytest.mark.parametrize("name,rdtype,limit", [
    ("x.out.big.example", "A", 512), ("alias.big.example", "A", 512), ("x.two.big.example", "A", 512), ("big.example", "NS", 1232),
    ("big.example", "MX", 1232), ("nx.big.example", "A", 1232), ("a.w.big.example", "MX", 1232)])
def test_names_of_one_domain(tmp_path, primary, peer, name, rdtype, limit):
    """A domain stands in an RRset once: as few octets as the best of the peers needs, but for two in a hundred, and no TC."""
    repo = Repo(str(tmp_path))
    repo.commit({"big.example": THIRTEEN})
    path = tmp_path / "zone"
    path.write_text(THIRTEEN)
    ours = primary(repo, zones=["big.example"])
    question = compare.Question(dns.name.from_text(name), rdtype, edns=limit != 512, payload=limit)
    sizes = {}
    for who, port in {"ours": ours.port, **{n: peer(n, {"big.example": str(path)}).port for n in servers.PEERS}}.items():
        asker = compare.Asker(port)
        answer = asker.over_udp(question)
        asker.close()
        assert not answer.tc, who
        sizes[who] = len(answer.wire)
    print(sizes)
    assert sizes["ours"] <= SIZE_RATIO * min(sizes.values()), sizes
    ours.stop()


def is_whole(question, answer):
    """Does it end within the zone, in records of the type asked for or in the proof that there are none?"""
    return answer.aa and (answer.has_soa() or any(k[1] == compare.rt.from_text(question.rdtype) for k in answer.answer))


def validate_some(report, zone, kind, port, ask_ours, where):
    """delv judges some of our answers by the zone's own keys.  What an opt-out span covers is insecure (RFC 5155 12.2.4)."""
    apex = zone.apex.to_text()
    keys = ask_ours.over_tcp(compare.Question(zone.apex, "DNSKEY", edns=True)).message.answer[0]
    anchor_file = delv.anchors(where, apex, [key.to_text().split() for key in keys])
    good = ["fully validated"] + (["unsigned answer"] if kind == "nsec3-opt-out" else [])
    judged = 0
    for name, rdtype in zone.queries(QUESTIONS):
        question = compare.Question(name, rdtype, edns=True, dnssec=True)
        if judged == VALIDATED:
            return
        if rdtype in ("NSEC", "TYPE65400") or not name.is_subdomain(zone.apex) or not is_whole(question, ask_ours.over_tcp(question)):
            continue
        judged += 1
        said = delv.delv(port, anchor_file, apex, name.to_text(), rdtype)
        if not any(word in said for word in good):
            report.add(question, "delv: " + said.strip().split("\n")[0])


def test_any_over_tcp(tmp_path, primary, peer):
    """ANY over TCP lists what is there (RFC 8482 is for UDP), as BIND does; NSD and Knot give one RRset over TCP too."""
    zone = zonegen.Zone(7)
    path = zone.write(str(tmp_path))
    repo = Repo(str(tmp_path))
    repo.commit({zone.file_name(): zone.text()})
    ours = primary(repo, zones=[zone.apex])
    report = Report()
    askers = {name: compare.Asker(peer(name, {zone.file_name(): path}).port) for name in ("bind",)}
    ask_ours = compare.Asker(ours.port)
    for name in zone.names()[:150]:
        question = compare.Question(name, "ANY")
        mine = ask_ours.over_tcp(question)
        for peer_name, asker in askers.items():
            report.look(compare.Case(question, mine, asker.over_tcp(question), peer_name, zone))
    for asker in [ask_ours, *askers.values()]:
        asker.close()
    ours.stop()
    assert not report.found, str(report)


def test_the_rules_are_written_down():
    """Each rule has its heading in differences.md, and each heading its rule."""
    with open(os.path.join(os.path.dirname(__file__), "differences.md")) as f:
        heads = [line[3:].strip() for line in f if line.startswith("## ")]
    assert sorted(heads) == sorted(compare.RULES)
