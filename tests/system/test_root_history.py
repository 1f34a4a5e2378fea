"""A real history of a real zone: twelve versions of the root zone, committed one after the other, each push notified."""
import gzip
import os
import random
import subprocess

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

import clock
import delv
import servers

SAMPLES = 60
SIGNED_AT_S = 1517270400  # 2018-01-30, within the signatures of the first version
JOINED_FROM = {"DS": 3, "DNSKEY": 3, "RRSIG": 8, "ZONEMD": 3}  # fields before base64 or hex, which may be cut into pieces


@pytest.fixture(scope="module")
def versions(root_zone_data):
    """[(serial, master file)], oldest first."""
    names = sorted(n for n in os.listdir(root_zone_data) if n.endswith(".zone.gz"))
    assert len(names) == 12
    out = []
    for name in names:
        with gzip.open(os.path.join(root_zone_data, name), "rb") as f:
            out.append((int(name.split(".")[0]), f.read()))
    return out


def records(text):
    """A zone printed one record a line, as [(owner, ttl, type, rdata)], whatever the white space."""
    out = []
    for line in text.split("\n"):
        fields = line.split()
        if not fields or fields[0].startswith(";"):
            continue
        owner, ttl, _, rtype, *rdata = fields
        cut = JOINED_FROM.get(rtype, len(rdata))
        joined = "".join(rdata[cut:])
        out.append((owner.lower(), ttl, rtype, " ".join(rdata[:cut] + ([joined.upper() if rtype == "DS" else joined] if joined else []))))
    return out


def compiled(path, where):
    """The same zone as BIND prints it."""
    out = os.path.join(where, "compiled")
    subprocess.run(["named-compilezone", "-q", "-i", "none", "-k", "ignore", "-n", "ignore", "-r", "ignore", "-o", out, ".", path],
                   check=True, stdin=subprocess.DEVNULL)
    with open(out) as f:
        return records(f.read())


def owners_in_order(rows):
    """Each owner once, in the order of appearance, the SOA's first line aside."""
    out = []
    for owner, _, _, _ in rows:
        if not out or out[-1] != owner:
            out.append(owner)
    return out


def delegations(rows):
    """{top-level domain: its name servers}"""
    out = {}
    for owner, _, rtype, rdata in rows:
        if rtype == "NS" and owner != ".":
            out.setdefault(owner, set()).add(rdata.lower())
    return out


def check_served(primary, rows, gone, picks):
    """Referrals for a sample of this version's domains; no such name for those that it no longer has."""
    there = delegations(rows)
    for domain in picks.sample(sorted(there), SAMPLES):
        answer = primary.ask("host." + domain, "A", payload=4096)
        assert answer.rcode() == dns.rcode.NOERROR and not answer.flags & dns.flags.AA, domain
        servers_named = {r.target.to_text().lower() for s in answer.authority if s.rdtype == dns.rdatatype.NS for r in s}
        assert servers_named == there[domain], domain
    for domain in gone - set(there):
        assert primary.ask(domain, "NS").rcode() == dns.rcode.NXDOMAIN, domain


def test_twelve_versions(versions, repo, primary, program, notify_key, tmp_path, need):
    need("named-compilezone")
    key_file = servers.write(str(tmp_path / "key"), notify_key.argument + "\n")
    serial, text = versions[0]
    repo.commit({"@": text, "_keys": notify_key.line}, "Version %d" % serial)
    server = primary(repo, zones=["."])
    picks, seen = random.Random(12), set()
    for i, (serial, text) in enumerate(versions):
        if i > 0:
            repo.commit({"@": text}, "Version %d" % serial)
            program("onotify", servers.ADDRESS, ".", "--port=%d" % server.port, "--key-file=" + key_file, status=0)
        server.await_serial(".", serial)
        ours = records(program("ozone", "--dump", "--zone-name", ".", os.path.join(repo.path, "@"), status=0).stdout)
        theirs = compiled(os.path.join(repo.path, "@"), str(tmp_path))
        assert sorted(ours) == sorted(set(theirs)), serial
        assert owners_in_order(ours) == owners_in_order(theirs), serial
        check_served(server, ours, seen, picks)
        seen |= set(delegations(ours))
    server.stop()


def test_the_signed_version_validates(versions, repo, primary, program, tmp_path, need):
    """delv accepts answers, denials and unsigned delegations; ldns-verify-zone the dump as a whole."""
    need("delv", "ldns-verify-zone", "gcc")
    repo.commit({"@": versions[0][1]})
    server = primary(repo, zones=["."])
    dump = program("ozone", "--dump", "--zone-name", ".", os.path.join(repo.path, "@"), status=0).stdout
    rows = records(dump)
    path = servers.write(str(tmp_path / "dump"), dump)
    verified = subprocess.run(["ldns-verify-zone", "-t", "20180130000000", path], capture_output=True, text=True, check=False)
    assert verified.returncode == 0 and "verified and complete" in verified.stdout, verified.stdout + verified.stderr

    keys = [rdata.split() for owner, _, rtype, rdata in rows if owner == "." and rtype == "DNSKEY"]
    anchor_file, library = delv.anchors(str(tmp_path), ".", keys), clock.build(str(tmp_path))
    secure = sorted({owner for owner, _, rtype, _ in rows if rtype == "DS"})
    insecure = sorted(set(delegations(rows)) - set(secure))
    picks = random.Random(1)
    questions = [(".", t, "; fully validated") for t in ("SOA", "NS", "DNSKEY", "NSEC")]
    questions += [(d, "DS", "; fully validated") for d in picks.sample(secure, 8)]
    questions += [(d, "DS", "; negative response, fully validated") for d in picks.sample(insecure, 8)]
    questions += [(n, "A", "; negative response, fully validated") for n in
                  (".", "nonexistent.", "a.b.nonexistent.", "aaaa.", "zzzz.", "*.", "0.", "com0.")]
    for name, rdtype, expected in questions:
        said = delv.delv(server.port, anchor_file, ".", name, rdtype, library, SIGNED_AT_S)
        assert expected in said, "%s %s\n%s" % (name, rdtype, said)
    server.stop()
