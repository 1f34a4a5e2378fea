"""How many octets somebody gets sent for each octet of a question with a forged address: what docs/operations.md says is measured here.

    python3 -m pytest -s -p no:cacheprovider tests/system/test_amplification.py      # prints the table
"""
import os
import re
import select
import socket

import dns.message
import pytest

import servers
import zonegen

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEADERS = 28  # of IPv4 and UDP, which are sent, too
UDP_MAX = 1232
TXT_OCTETS = UDP_MAX - (12 + 5) - 11 - 11  # what is left beside header and question, the fixed part of the record, OPT
PLAIN = """$ORIGIN example.test.
$TTL 3600
@ SOA ns1 host 1 7200 3600 1209600 300
@ NS ns1
@ NS ns2
@ MX 10 mail
@ TXT "v=spf1 mx -all"
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
ns2 A 192.0.2.2
ns2 AAAA 2001:db8::2
mail A 192.0.2.3
www A 192.0.2.4
sub NS ns1.sub
sub NS ns2.sub
ns1.sub A 192.0.2.5
ns2.sub A 192.0.2.6
"""
# What is asked for, and whether with DNSSEC.
ASKED = {
    "the largest answer that there can be: a full TXT record at the root": (".", "TXT", True),
    "ANY, signed": ("example.test.", "ANY", True),
    "DNSKEY, signed with ECDSA P-256": ("example.test.", "DNSKEY", True),
    "a name that does not exist, with NSEC3": ("nobody.example.test.", "A", True),
    "a name that does not exist": ("nobody.example.test.", "A", False),
    "MX, signed": ("example.test.", "MX", True),
    "MX": ("example.test.", "MX", False),
    "a referral": ("www.sub.example.test.", "A", False),
    "an address": ("www.example.test.", "A", False),
}


def large_txt():
    """Character-strings of as many octets."""
    strings, left = [], TXT_OCTETS
    while left > 0:
        n = min(255, left - 1)
        strings.append('"%s"' % ("x" * n))
        left -= n + 1
    return " ".join(strings)


@pytest.fixture
def served(repo, primary, tmp_path, need):
    def start(*options):
        need("ldns-keygen", "ldns-signzone")
        plain = servers.write(str(tmp_path / "example.test"), PLAIN)
        keys = [zonegen.run(["ldns-keygen", *kind, "-a", "ECDSAP256SHA256", "example.test."], str(tmp_path)).strip() for kind in (["-k"], [])]
        zonegen.run(["ldns-signzone", "-n", "-t", "0", "-o", "example.test", "-f", "signed", plain, *keys], str(tmp_path))
        repo.commit({"@": "$TTL 60\n@ SOA . . 1 2 3 4 5\n@ NS ns.\nns A 192.0.2.1\n@ TXT %s\n" % large_txt(),
                     "example.test": (tmp_path / "signed").read_text()})
        return primary(repo, *options, zones=[".", "example.test"])
    return start


def sizes(port, name, rdtype, dnssec):
    """Octets of the question and of its answer."""
    query = dns.message.make_query(name, rdtype, use_edns=0 if dnssec else False, want_dnssec=dnssec, payload=4096)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.sendto(query.to_wire(), (servers.ADDRESS, port))
        return len(query.to_wire()), len(sock.recv(65535))


def documented():
    """The rows of the table in docs/operations.md."""
    with open(os.path.join(ROOT, "docs", "operations.md")) as f:
        section = f.read().split("### How much an answer amplifies\n")[1].split("\n#")[0]
    return re.findall(r"^\| (.+) \| (\d+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", section, re.M)


def test_what_the_document_says(served):
    p = served()
    rows = []
    for what, asked in ASKED.items():
        q, a = sizes(p.port, *asked)
        assert a <= UDP_MAX
        rows.append((what, str(q), str(a), "%.1f" % (a / q), "%.1f" % ((a + HEADERS) / (q + HEADERS))))
    print("\n" + "\n".join("| %s |" % " | ".join(row) for row in rows))
    assert int(rows[0][2]) == UDP_MAX and int(rows[0][1]) == 28  # no question can be shorter, no answer longer
    assert documented() == rows
    p.stop()


def test_what_a_rate_limit_leaves(served):
    """After the first second a flood gets half an octet for each: half of the answers, without records, as long as the questions."""
    p = served("--rate-limit=100")
    wire = dns.message.make_query(".", "TXT", use_edns=0, want_dnssec=True).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((servers.ADDRESS, p.port))

        def ask(n):
            """Sizes of the answers; some may get lost when we are not fast enough."""
            got = []
            for i in range(n + 1):
                if i < n:
                    sock.send(wire)
                while select.select([sock], [], [], 0 if i < n else 0.5)[0]:
                    got.append(len(sock.recv(4096)))
            return got
        assert UDP_MAX in ask(500)
        before = p.stat("limited_data"), p.stat("slipped")
        assert set(ask(2000)) == {len(wire)}
        limited, slipped = p.stat("limited_data") - before[0], p.stat("slipped") - before[1]
        assert limited > 500 and 0.4 < slipped / limited < 0.6
    p.stop()
