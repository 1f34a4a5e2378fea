"""octl dump: a zone of many messages is what dig transfers; answers that are not whole, or not signed, print nothing."""
import os
import subprocess

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import dns.tsig
import pytest

from scripted import Script
from tsig_key import Key

TRANSFER, LOOK = Key("me._transfer.example."), Key("me._status.example.")
ZONE = "$TTL 60\n@ SOA ns host 7 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n*.w TXT \"any \\\"thing\\\"\" \"b\\;c\"\n"
LONG = ZONE + "".join("h%d TXT \"%s\"\n" % (i, "x" * 200) for i in range(3000))
SOA = "example. 60 IN SOA ns.example. host.example. 7 7200 3600 1209600 60"
NS, A = "example. 60 IN NS ns.example.", "ns.example. 60 IN A 192.0.2.1"


@pytest.fixture
def dump(program):
    def run(port, zone="example", *more, key=TRANSFER, status=None):
        return program("octl", "127.0.0.1", "dump", zone, "--port=%d" % port, *more, status=status, env={"ORIGIN_KEY": key.argument})
    return run


@pytest.fixture
def served(repo, primary):
    repo.commit({"example": LONG, "other": ZONE, "_keys": TRANSFER.line + LOOK.line})
    return primary(repo, zones=["example", "other"])


def words(text):
    return sorted(" ".join(line.split()) for line in text.split("\n") if line and not line.startswith(";") and "TSIG" not in line.split())


def test_it_is_what_dig_transfers(served, dump, program, tmp_path):
    text = dump(served.port, status=0).stdout
    key = "hmac-sha256:%s:%s" % (TRANSFER.name, TRANSFER.secret)
    dig = subprocess.check_output(["dig", "@127.0.0.1", "-p", str(served.port), "-y", key, "+onesoa", "+noall", "+answer", "axfr", "example"], text=True)
    assert words(text) == words(dig) and len(words(text)) == 3004
    file = tmp_path / "example"
    file.write_text(text)
    assert program("ozone", "--dump", str(file), status=0).stdout == text


def test_who_may(served, dump):
    done = dump(served.port, key=LOOK, status=1)
    assert done.stdout == "" and "answers REFUSED" in done.stderr and "make one with a name like ANYTHING._transfer.example" in done.stderr
    done = dump(served.port, "other", status=1)
    assert done.stdout == "" and "the key is good for example. and what is below it" in done.stderr
    assert "(BADKEY)" in dump(served.port, key=Key("who._transfer.example."), status=1).stderr
    assert "not JSON" in dump(served.port, "example", "--json", status=2).stderr


def test_output_that_fails(served, bindir):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([os.path.join(bindir, "octl"), "127.0.0.1", "dump", "example", "--port=%d" % served.port], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False, env={**os.environ, "ORIGIN_KEY": TRANSFER.argument})
    assert done.returncode == 1 and "printed only in part" in done.stderr


# ---- servers that answer whatever they like ----

def messages(*parts, unsigned=(), spoilt=()):
    """A script's answer: a message for each list of records, signed as a chain but for those numbered so."""
    def answer(wire, _):
        ring = {dns.name.from_text(TRANSFER.name): TRANSFER.secret_octets}
        query = dns.message.from_wire(wire, keyring=ring)
        sent, context = [], None
        for i, part in enumerate(parts):
            m = dns.message.make_response(query)
            m.use_edns(False)
            m.answer = [dns.rrset.from_text(*record.split(" ", 4)) for record in part]
            if i in unsigned:
                m.tsig = None
                out = m.to_wire()
                context.update(out)
            else:
                out = m.to_wire(multi=True, tsig_ctx=context)
                context = m.tsig_ctx
            sent.append(out[:-8] + bytes([out[-8] ^ (i in spoilt)]) + out[-7:] if i in spoilt else out)
        return sent
    return answer


@pytest.fixture
def says(dump):
    def run(*parts, status, **more):
        script = Script(messages(*parts, **more))
        try:
            return dump(script.port, "example", "--timeout=1", status=status)
        finally:
            script.kill()
    return run


def test_messages_of_one_record_each(says):
    assert len(words(says([SOA], [NS], [A], [SOA], status=0).stdout)) == 3


def test_a_message_in_between_may_be_unsigned(says):
    assert len(words(says([SOA], [NS], [A], [SOA], unsigned=[1, 2], status=0).stdout)) == 3


def test_a_zone_with_a_flaw_is_printed(says):
    """What a primary serves is not refused, here as in osecondary: this one has no NS records."""
    assert len(words(says([SOA, A, SOA], status=0).stdout)) == 2


@pytest.mark.parametrize("parts, more, why", [
    (([SOA], [NS], [A], [SOA]), {"unsigned": [2, 3]}, "but unsigned"),
    (([SOA], [NS, A, SOA]), {"spoilt": [1]}, "signature is wrong"),
    (([SOA, NS, A],), {}, "a part of the zone has come"),
    (([NS, A, SOA],), {}, "a zone that cannot be printed"),
    (([SOA, NS, A, SOA, A],), {}, "a zone that cannot be printed"),
    (([SOA, NS, A, SOA.replace(" 7 ", " 8 ")],), {}, "a zone that cannot be printed"),
    (([SOA, NS], [], [A, SOA]), {}, "a zone that cannot be printed"),
])
def test_what_is_not_whole_prints_nothing(says, parts, more, why):
    done = says(*parts, status=1, **more)
    assert done.stdout == "" and why in done.stderr
