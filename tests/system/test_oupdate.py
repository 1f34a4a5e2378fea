"""oupdate against BIND and Knot, which are updated; and against a server that we script, so that it says whatever a server could say."""
import base64
import os
import re
import select
import socket
import struct
import subprocess
import time

import dns.message
import dns.opcode
import dns.rcode
import dns.tsig
import dns.update
import pytest

import servers
from scripted import (BADKEY, BADSIG, BADTIME, BADTRUNC, KEY_NAME, OTHER_SECRET, SECRET, key_argument, read, reply, tsig_key, unsigned_error,
                      with_tsig)

ALGORITHMS = ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]
HOST = "laptop.example"


@pytest.fixture
def oupdate(program):
    def run(server, *args, key=key_argument(), host="127.0.0.1", status=None, **more):
        done = program("oupdate", host, *([key] if key else []), *args,
                       *(["--port=%d" % (server if isinstance(server, int) else server.port)] if server else []), status=status, **more)
        for secret in (SECRET, OTHER_SECRET):
            assert base64.b64encode(secret).decode() not in done.stdout + done.stderr
        return done
    return run


@pytest.fixture
def script(script):
    """As elsewhere, but the question for the zone, which comes before an update, is answered here, with a refusal, and not kept."""
    def begin(answer, *args, **more):
        def answer_update(wire, transport):
            if wire[2] & 0x78 == dns.opcode.UPDATE << 3:
                return answer(wire, transport)
            server.requests.pop()
            return [reply(wire, key=key_of(wire), rcode=dns.rcode.REFUSED)]
        server = script(answer_update, *args, **more)
        return server
    return begin


def key_of(wire):
    """The key that a request is signed with, as the tests make them."""
    algorithm = re.search(rb"hmac-(sha\d+)", wire).group(1).decode().upper()
    keys = []

    def find(_, name):
        keys.append(tsig_key(name=name.to_text(), algorithm=algorithm))
        return keys[0]
    dns.message.from_wire(wire, keyring=find)
    return keys[0]


# ---- what is sent ----

def records(rrsets):
    """[(name, class, type, TTL, data)], data None for a whole RRset."""
    found = []
    for rrset in rrsets:
        head = (rrset.name.to_text(), rrset.deleting or rrset.rdclass, rrset.rdtype, rrset.ttl)
        found += [(*head, rdata.to_text()) for rdata in rrset] or [(*head, None)]
    return found


IN, NONE, ANY = 1, 254, 255
A, CNAME, SOA, TXT, AAAA = 1, 5, 6, 16, 28


def test_an_address(script, oupdate):
    """As the tutorial types it."""
    server = script(lambda wire, _: [reply(wire)])
    done = oupdate(server, HOST, "192.0.2.7", status=0)
    assert done.stdout == "laptop.example: A 192.0.2.7, TTL 60: in the zone, signed\n" and done.stderr == ""
    (transport, wire), = server.requests
    request = read(wire)
    assert transport == "udp" and request.had_tsig and request.opcode() == dns.opcode.UPDATE and request.flags == 0x2800
    assert request.edns == 0 and request.payload == 1232
    assert [(z.name.to_text(), z.rdtype, z.rdclass) for z in request.zone] == [("example.", SOA, IN)]
    assert records(request.prerequisite) == [("laptop.example.", NONE, CNAME, 0, None)]  # or it would be passed over
    assert records(request.update) == [("laptop.example.", ANY, A, 0, None), ("laptop.example.", IN, A, 60, "192.0.2.7")]


def test_several_addresses_of_both_kinds(script, oupdate):
    server = script(lambda wire, _: [reply(wire)])
    done = oupdate(server, HOST + ".", "2001:db8::7", "192.0.2.7", "--address=192.0.2.8", "--ttl=1h30m", status=0)
    assert done.stdout.count("\n") == 3 and "laptop.example: AAAA 2001:db8::7, TTL 5400: in the zone, signed" in done.stdout
    assert records(read(server.requests[0][1]).update) == [
        ("laptop.example.", ANY, A, 0, None), ("laptop.example.", IN, A, 5400, "192.0.2.8"),
        ("laptop.example.", ANY, AAAA, 0, None), ("laptop.example.", IN, AAAA, 5400, "2001:db8::7"),
        ("laptop.example.", IN, A, 5400, "192.0.2.7")]


@pytest.mark.parametrize("address,type_", [("127.0.0.1", "A"), ("::1", "AAAA")])
@pytest.mark.parametrize("how", [["auto"], ["--address=auto"]])
def test_the_address_that_leads_to_the_server(script, oupdate, address, type_, how):
    server = script(lambda wire, _: [reply(wire)], address=address)
    done = oupdate(server, HOST, *how, host=address, status=0)
    assert "laptop.example: %s %s, TTL 60: in the zone" % (type_, address) in done.stdout
    assert "warning: laptop.example gets the address %s: it leads every machine to itself" % address in done.stderr


def test_any_changes_in_their_order(script, oupdate):
    server = script(lambda wire, _: [reply(wire)])
    done = oupdate(server, "--delete=old.example", "--add=www.example 1h CNAME web.example", "--delete=x.example TXT",
                   "--if-absent=new.example", "--add=example 0 TXT 'a b' \"c; d\"", '--delete=x.example 300 IN A 192.0.2.1',
                   "--if-exists=old.example A 192.0.2.1", "--if-exists=example SOA", "--if-absent=new.example TXT",
                   "--if-exists=web.example", status=0)
    request = read(server.requests[0][1])
    assert records(request.prerequisite) == [
        ("new.example.", NONE, ANY, 0, None), ("old.example.", IN, A, 0, "192.0.2.1"), ("example.", ANY, SOA, 0, None),
        ("new.example.", NONE, TXT, 0, None), ("web.example.", ANY, ANY, 0, None)]
    assert records(request.update) == [
        ("old.example.", ANY, ANY, 0, None), ("www.example.", IN, CNAME, 3600, "web.example."), ("x.example.", ANY, TXT, 0, None),
        ("example.", IN, TXT, 0, '"\'a" "b\'" "c; d"'), ("x.example.", NONE, A, 0, "192.0.2.1")]
    assert done.stdout.splitlines() == [
        "old.example: delete everything: acknowledged, signed",
        "www.example: add CNAME web.example., TTL 3600: acknowledged, signed",
        "x.example: delete all TXT: acknowledged, signed",
        'example: add TXT "\'a" "b\'" "c; d", TTL 0: acknowledged, signed',
        "x.example: delete A 192.0.2.1: acknowledged, signed"]


def test_the_host_comes_first(script, oupdate):
    server = script(lambda wire, _: [reply(wire)])
    oupdate(server, "--add=a.example TXT x", HOST, "192.0.2.7", status=0)
    assert [r[0] for r in records(read(server.requests[0][1]).update)] == ["laptop.example."] * 2 + ["a.example."]


def test_the_zone_is_in_the_keys_name_or_said(script, oupdate):
    server = script(lambda wire, _: [reply(wire, key=tsig_key(name=names.pop(0)))])
    names = ["a.b._update.sub.example."] * 2 + ["plain.", "root._update."]
    for name, more, zone in ((names[0], [], "sub.example."), (names[0], ["--zone=x.sub.example"], "x.sub.example."),
                             (names[2], ["--zone=example."], "example."), (names[3], ["--zone=."], ".")):
        oupdate(server, "h.x.sub.example", "192.0.2.7", *more, key=key_argument(name), status=0)
        assert read(server.requests[-1][1], tsig_key(name=name)).zone[0].name.to_text() == zone


def test_quiet(script, oupdate):
    done = oupdate(script(lambda wire, _: [reply(wire)]), HOST, "192.0.2.7", "-q", status=0)
    assert done.stdout == done.stderr == ""


def test_standard_output_that_is_full(script, bindir):
    """It was made, but nobody could read so."""
    server = script(lambda wire, _: [reply(wire)])
    with open("/dev/full", "w") as full:
        done = subprocess.run([os.path.join(bindir, "oupdate"), "127.0.0.1", key_argument(), HOST, "192.0.2.7", "--port=%d" % server.port],
                              stdout=full, stderr=subprocess.PIPE, env={**os.environ, **servers.sanitizer_env()}, timeout=60, check=False)
    assert done.returncode == 1 and b"made, but the message about it cannot be written" in done.stderr


# ---- ways to the server ----

def test_tcp_when_asked_for_or_when_large(script, oupdate):
    server = script(lambda wire, _: [reply(wire)])
    oupdate(server, HOST, "192.0.2.7", "--tcp", status=0)
    oupdate(server, "--add=example TXT " + "x" * 200, status=0)
    oupdate(server, *["--add=example TXT " + "x" * 200] * 2, status=0)
    assert server.transports() == ["tcp", "udp", "tcp"]
    assert len(server.requests[1][1]) <= 512 < len(server.requests[2][1])


def test_as_much_as_fits(script, oupdate):
    """65,535 octets, signature included; more is told before anything is sent."""
    server = script(lambda wire, _: [reply(wire)])
    record = "--add=example TXT " + " ".join(["x" * 250] * 8)
    oupdate(server, *[record] * 32, status=0)
    assert len(read(server.requests[0][1]).update[0]) == 1 and len(server.requests[0][1]) > 64000
    assert "at most 65,535 octets" in oupdate(server, *[record] * 33, status=2).stderr
    assert len(server.requests) == 1


def test_lost_packets_are_sent_again(script, oupdate):
    server = script(lambda wire, _: [reply(wire)] if len(server.requests) == 2 else [])
    oupdate(server, HOST, "192.0.2.7", "--timeout=15", status=0)
    assert server.transports() == ["udp", "udp"]
    assert server.requests[0] == server.requests[1]  # the same update: the server makes it once


def test_tcp_when_truncated_or_closed(script, oupdate):
    def answer(wire, transport):
        whole = reply(wire)
        return [whole if transport == "tcp" else bytes([*whole[:2], whole[2] | 2]) + whole[3:]]
    server = script(answer)
    oupdate(server, HOST, "192.0.2.7", status=0)
    assert server.transports() == ["udp", "tcp"]
    server = script(answer, transports=("tcp",))
    oupdate(server, HOST, "192.0.2.7", status=0)
    assert server.transports() == ["tcp"]


def test_the_answer_comes_when_it_is_in_git(script, oupdate):
    """A server may be slow, and have it once only: it answers where it was asked first, while we ask by TCP already."""
    def answer(wire, transport):
        if transport == "tcp":
            server.udp.sendto(reply(wire), server.peer)
            select.select([server.connection], [], [], 10)
        return []
    server = script(answer)
    assert oupdate(server, HOST, "192.0.2.7", "--timeout=2", status=0).stderr == ""
    assert server.transports() == ["udp"] * 3 + ["tcp"]


# ---- answers that are no good ----

def test_a_forged_answer_does_not_win(script, oupdate):
    def answer(wire, _):
        good = reply(wire)
        return [reply(wire, sign=False), unsigned_error(wire, BADKEY), reply(wire, rcode=dns.rcode.REFUSED, sign=False),
                bytes([wire[0] ^ 1]) + good[1:], good[:-1] + bytes([good[-1] ^ 1]), b"", good[:20], wire, good]
    assert oupdate(script(answer), HOST, "192.0.2.7", status=0).stderr == ""


MADE = r"may have been made nevertheless; to see: dig @127\.0\.0\.1 -p \d+ laptop\.example A"
REFUSALS = [
    (lambda w: unsigned_error(w, BADKEY), r"does not know the key me\._update\.example\. with SHA256 \(BADKEY\)", [r"_keys"], False),
    (lambda w: unsigned_error(w, BADSIG), r"another secret for the key me\._update\.example\. \(BADSIG\)", [r"compare the secret"], False),
    (lambda w: reply(w, rcode=9, error=BADTIME, other=struct.pack("!HI", 0, int(time.time()) + 3600)),
     r"clocks are (3599|3600|3601) seconds apart", [r"here it is \d{4}-.* UTC, at 127\.0\.0\.1 port \d+ \d{4}-.* UTC"], False),
    (lambda w: reply(w, rcode=9, error=BADTRUNC), r"refuses the signature: BADTRUNC", [], False),
    (lambda w: reply(w, rcode=1), r"answers FORMERR\n", ["does not understand"], False),
    (lambda w: reply(w, rcode=2), r"answers SERVFAIL\n", ["nothing was changed", "git remote"], False),
    (lambda w: reply(w, rcode=2, ede=[(23, "the remote does not answer")]), r"answers SERVFAIL: Network Error \(the remote does not answer\)\n",
     ["nothing was changed"], False),
    (lambda w: reply(w, rcode=2, ede=[(0, b"\x1b[2Jgone"), (49152, "")]), r"answers SERVFAIL: Other Error \(\\027\[2Jgone\); EDE49152\n", [], False),
    (lambda w: reply(w, rcode=3), r"answers NXDOMAIN\n", ["--if-exists does not exist"], False),
    (lambda w: reply(w, rcode=4), r"answers NOTIMP\n", ["is it the primary"], False),
    (lambda w: reply(w, rcode=5), r"answers REFUSED\n", ["the server's log says why"], False),
    (lambda w: reply(w, rcode=6), r"answers YXDOMAIN\n", ["--if-absent exists"], False),
    (lambda w: reply(w, rcode=7), r"answers YXRRSET\n", ["laptop.example has a CNAME, .*--delete='laptop.example CNAME'"], False),
    (lambda w: reply(w, rcode=8), r"answers NXRRSET\n", ["--if-exists does not exist, or not with this data"], False),
    (lambda w: reply(w, rcode=9), r"answers NOTAUTH\n", ["not the primary of a zone example: .*--zone"], False),
    (lambda w: reply(w, rcode=9, sign=False), r"answers NOTAUTH, unsigned\n", [r"not know the key me\._update\.example\. with SHA256", "--zone"], True),
    (lambda w: reply(w, rcode=10), r"answers NOTZONE\n", ["not in the zone example as this server has it"], False),
    (lambda w: reply(w, rcode=11), r"answers DSOTYPENI\n", ["log"], False),
    (lambda w: reply(w, rcode=2, sign=False), r"answers SERVFAIL, unsigned\n", ["git remote cannot be reached"], True),
    (lambda w: reply(w, rcode=5, sign=False, ede=[(18, "")]), r"answers REFUSED, unsigned: Prohibited\n", ["log"], True),
    (lambda w: reply(w, sign=False), r"answers NOERROR, but unsigned", ["primary's address"], True),
    (lambda w: reply(w, request_mac=b"x" * 32), r"the answer's signature is wrong", [], True),
    (lambda w: reply(w, when=int(time.time()) - 1000), r"clocks are (999|10\d\d) seconds apart", ["timedatectl"], True),
]


@pytest.mark.parametrize("make,error,hints,may_be_made", REFUSALS)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_refusals_are_explained(script, oupdate, make, error, hints, may_be_made, transport):
    server = script(lambda wire, _: [make(wire)])
    done = oupdate(server, HOST, "192.0.2.7", *(["--tcp"] if transport == "tcp" else []), status=1)
    assert re.search("error: laptop.example: .*" + error, done.stderr), done.stderr
    for hint in hints:
        assert re.search("hint: .*" + hint, done.stderr), done.stderr
    assert bool(re.search(MADE, done.stderr)) == may_be_made, done.stderr
    assert not may_be_made or "nothing was changed" not in done.stderr, done.stderr
    assert done.stdout == ""


def test_answer_signed_with_another_key(script, oupdate):
    other = tsig_key(name="other._update.example.")

    def answer(wire, _):
        plain = reply(wire, sign=False)
        rdata = dns.message.Message._make_tsig(other.name, other.algorithm, 0, 300, b"", 0, 0, b"")[0]
        rdata, _ = dns.tsig.sign(plain, other, rdata, int(time.time()), read(wire).tsig[0].mac)
        return [with_tsig(plain, other, rdata)]
    done = oupdate(script(answer), HOST, "192.0.2.7", status=1)
    assert "signed with another key" in done.stderr and re.search(MADE, done.stderr)


@pytest.mark.parametrize("name,hint", [
    ("me._update.other.", "good for other. and what is below it, and example is not"),
    ("me._notify.example.", "says _notify, which does not include this: make one with a name like ANYTHING._update.example"),
    ("me._aaa._update.example.", "has _aaa before _update, which is no type of records, so the key may do nothing: make one"),
    ("me._update.laptop.example.", "the server's log says why"),
    ("plain.", "for Origin, the key's name must be ANYTHING._update.example"),
    ("me._update.", "the server's log says why"),
])
def test_rights_are_explained(script, oupdate, name, hint):
    server = script(lambda wire, _: [reply(wire, key=tsig_key(name=name), rcode=dns.rcode.REFUSED)])
    assert hint in oupdate(server, HOST, "192.0.2.7", "--zone=example", key=key_argument(name), status=1).stderr


def test_a_reason_is_said_once(script, oupdate):
    """With the server's own words there is no need for its log, and no promise that another try will help."""
    for rcode in (dns.rcode.REFUSED, dns.rcode.SERVFAIL):
        server = script(lambda wire, _: [reply(wire, rcode=rcode, ede=[(24, "a hook says no")])])
        said = oupdate(server, HOST, "192.0.2.7", status=1).stderr
        assert "Invalid Data (a hook says no)" in said and "log" not in said and "try again" not in said
        assert ("is that of the git server" in said) == (rcode == dns.rcode.SERVFAIL)


def test_silence_may_be_the_git_servers(script, oupdate):
    said = oupdate(script(lambda wire, _: []), HOST, "192.0.2.7", "--timeout=1", status=1).stderr
    hints = re.findall("hint: (.*)", said)
    assert "waiting for its git server" in hints[0] and "firewall" in hints[1], said


@pytest.mark.parametrize("deletion,said", [
    ("SOA", "example: delete all SOA: acknowledged, signed\n"),
    ("SOA ns.example h.example 9 1 2 3 4", "example: delete SOA ns.example. h.example. 9 1 2 3 4: acknowledged, signed\n"),
])
def test_what_deletes_a_soa_is_no_promise(script, oupdate, deletion, said):
    """Whether the zone goes, or the deletion is passed over, is the server's affair: no answer tells."""
    done = oupdate(script(lambda wire, _: [reply(wire)]), "--zone=example", "--delete=example " + deletion, status=0)
    assert done.stdout == said, done.stdout


def test_prerequisites_of_ones_own_and_the_hosts(script, oupdate):
    server = script(lambda wire, _: [reply(wire, rcode=dns.rcode.YXRRSET)])
    done = oupdate(server, HOST, "192.0.2.7", "--if-absent=x.example TXT", status=1)
    assert "something of --if-absent exists, or laptop.example has a CNAME" in done.stderr
    assert "hint: laptop.example has a CNAME" in oupdate(server, HOST, "192.0.2.7", "--if-exists=x.example", status=1).stderr
    done = oupdate(server, "--add=x.example TXT y", "--if-absent=x.example TXT", status=1)
    assert "something of --if-absent exists: nothing was changed" in done.stderr and "CNAME" not in done.stderr


def test_nobody_there(oupdate):
    done = oupdate(servers.free_port(), HOST, "192.0.2.7", status=1)
    assert "nothing listens there" in done.stderr and "does the server run there" in done.stderr
    assert "may have been made" not in done.stderr


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_answer_that_is_lost(script, oupdate, transport):
    server = script(lambda wire, _: [])
    more = ["--tcp"] if transport == "tcp" else []
    done = oupdate(server, HOST, "192.0.2.7", "--timeout=1", *more, status=1)
    assert "connection closed without an answer" in done.stderr and re.search(MADE, done.stderr)
    assert server.transports() == (["udp"] * 3 if transport == "udp" else []) + ["tcp"]
    six = script(lambda wire, _: [], address="::1")
    done = oupdate(six, "--delete=x.example", "--timeout=1", *more, host="[::1]", status=1)
    assert "to see: dig @::1 -p %d x.example ANY" % six.port in done.stderr


def test_patience_ends(script, oupdate):
    server = script(lambda wire, transport: [] if transport == "udp" else select.select([server.connection], [], [], 30)[:0])
    begin = time.monotonic()
    done = oupdate(server, HOST, "192.0.2.7", "--timeout=3", status=1)
    assert 2.9 < time.monotonic() - begin < 20 and re.search(MADE, done.stderr)
    assert "UDP: no answer, TCP: no answer" in done.stderr


def test_unknown_host(oupdate):
    assert "no-such-host.invalid" in oupdate(53, HOST, "192.0.2.7", host="no-such-host.invalid", status=1).stderr


# ---- where keys come from ----

def test_key_from_file_environment_credential_and_standard_input(script, oupdate, tmp_path):
    server = script(lambda wire, _: [reply(wire)])
    path = tmp_path / "key"
    path.write_text(key_argument() + "\r\nmore\n")
    path.chmod(0o600)
    change = (HOST, "192.0.2.7")
    assert oupdate(server, *change, "--key-file=%s" % path, key=None, status=0).stderr == ""
    assert oupdate(server, *change, key=None, status=0, env={"ORIGIN_KEY": key_argument()}).stderr == ""
    assert oupdate(server, *change, "--key-file=-", key=None, status=0, stdin=key_argument() + "\n").stderr == ""
    assert oupdate(server, *change, "--key=" + key_argument(), key=None, status=0).stderr == ""
    (tmp_path / "update-key").write_text(key_argument())
    (tmp_path / "update-key").chmod(0o400)
    assert oupdate(server, *change, key=None, status=0, env={"CREDENTIALS_DIRECTORY": str(tmp_path)}).stderr == ""
    assert all(read(wire).had_tsig for _, wire in server.requests) and len(server.requests) == 5
    path.chmod(0o644)
    assert "every user of this machine" in oupdate(server, *change, "--key-file=%s" % path, key=None, status=0).stderr


@pytest.mark.parametrize("argument", ["%s", "--key=%s"])
def test_the_command_line_forgets_the_key(script, bindir, argument):
    server = script(lambda wire, _: [])
    process = subprocess.Popen([os.path.join(bindir, "oupdate"), "127.0.0.1", argument % key_argument(), HOST, "192.0.2.7",
                                "--port=%d" % server.port], stderr=subprocess.DEVNULL, env={**os.environ, **servers.sanitizer_env()})
    try:
        servers.await_true("it has asked", lambda: server.requests, 20)
        with open("/proc/%d/cmdline" % process.pid, "rb") as f:
            seen = f.read()
    finally:
        process.kill()
        process.wait()
    assert HOST.encode() in seen and b"SHA256" not in seen and base64.b64encode(SECRET) not in seen


def test_bad_keys_are_wrong_usage(oupdate, tmp_path):
    secret = base64.b64encode(SECRET).decode()
    for bad in ("x:", "x:y", "hmac-sha256:x:" + secret, "x._update.example:MD5:" + secret, "x._update.example:SHA256:" + secret[:-1],
                "x._update.example:SHA256:"):
        done = oupdate(1, HOST, "192.0.2.7", key=bad, status=2)
        assert "error: KEY: " in done.stderr
        assert "error: --key: " in oupdate(1, HOST, "192.0.2.7", "--key=" + bad, key=None, status=2).stderr
    empty = tmp_path / "empty"
    empty.write_text("\n")
    assert "is empty" in oupdate(1, HOST, "192.0.2.7", "--key-file=%s" % empty, key=None, status=2).stderr
    (tmp_path / "update-key").write_text("nonsense\n")
    done = oupdate(1, HOST, "192.0.2.7", key=None, status=2, env={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "update-key: " in done.stderr


# ---- usage ----

K = "me._update.example:SHA256:c2VjcmV0"


@pytest.mark.parametrize("argv,text", [
    ([], "which server"),
    (["192.0.2.1"], "what is to be changed"),
    (["192.0.2.1", K], "what is to be changed"),
    (["192.0.2.1", K, "--if-exists=x.example"], "what is to be changed"),
    (["192.0.2.1", K, HOST], "which address does laptop.example get"),
    (["192.0.2.1", K, HOST, "--add=x.example TXT y"], "which address does laptop.example get"),
    (["192.0.2.1", K, "--address=192.0.2.7"], "which name gets the address"),
    (["192.0.2.1", HOST, "192.0.2.7"], "no key"),
    ([K, HOST, "192.0.2.7"], "the server comes first"),
    (["192.0.2.1", HOST, K, "192.0.2.7"], "a key comes after SERVER"),
    (["192.0.2.1", HOST, "192.0.2.7", K], "a key comes after SERVER"),
    (["192.0.2.1", K, K, "192.0.2.7"], "a colon in it"),
    (["192.0.2.1", "192.0.2.7", HOST], "'192.0.2.7' is an address: the name that gets the address comes before"),
    (["192.0.2.1", "2001:db8::7", HOST], "'2001:db8::7' is an address"),
    (["192.0.2.1", K, "192.0.2.7"], "'192.0.2.7' is an address"),
    (["192.0.2.1", K, HOST, "192.0.2.256"], "'192.0.2.256' is neither an address"),
    (["192.0.2.1", K, HOST, "192.0.2.7", "other.example"], "'other.example' is neither an address"),
    (["192.0.2.1", K, HOST, *["192.0.2.7"] * 17], "at most 16"),
    (["192.0.2.1", K, HOST, "192.0.2.7", "--key=" + K], "two keys"),
    (["192.0.2.1", K, HOST, "192.0.2.7", "--key-file=x"], "two keys"),
    (["192.0.2.1", HOST, "192.0.2.7", "--key-file=" + K], "looks like the key itself"),
    (["192.0.2.1", K, "a..example", "192.0.2.7"], "HOSTNAME: 'a..example' is not a domain name"),
    (["192.0.2.1", K, "laptop", "192.0.2.7"], "HOSTNAME: laptop is not in the zone example"),
    (["192.0.2.1", K, HOST, "192.0.2.7", "--zone=a..b"], "--zone: 'a..b' is not a domain name"),
    (["192.0.2.1", K, HOST, "192.0.2.7", "--zone=other"], "is not in the zone other"),
    (["192.0.2.1", "x._update:SHA256:c2VjcmV0", HOST, "192.0.2.7"], "for every zone"),
    (["192.0.2.1", "x._transfer.example:SHA256:c2VjcmV0", HOST, "192.0.2.7"], "no _update in the key's name"),
    (["192.0.2.1", "plain:SHA256:c2VjcmV0", HOST, "192.0.2.7"], "no _update in the key's name"),
    (["192.0.2.1", K, "--add=x.example"], "--add: expected a record type"),
    (["192.0.2.1", K, "--add=x.example A 192.0.2.256"], "--add: A address: expected an IPv4 address"),
    (["192.0.2.1", K, "--delete=x"], "--delete: x is not in the zone example"),
    (["192.0.2.1", K, "--delete=x.example", "--if-absent=x.example A 192.0.2.1"], "--if-absent: a prerequisite can only demand that all"),
    (["192.0.2.1", K, HOST, "192.0.2.7", "--ttl=2147483648"], "TTL"),
    (["192.0.2.1", K, HOST, "192.0.2.7", "--ttl=soon"], "TTL"),
    (["192.0.2.1", K, HOST, "192.0.2.7", "--port=0"], "port"),
    (["192.0.2.1", K, HOST, "192.0.2.7", "--timeout=301"], "timeout"),
    (["192.0.2.1", K, HOST, "192.0.2.7", "--no-such-option"], "no-such-option"),
])
def test_wrong_usage(program, argv, text):
    done = program("oupdate", *argv, status=2)
    assert text in done.stderr and done.stdout == ""
    assert "c2VjcmV0" not in done.stderr


def test_help_teaches(program):
    text = program("oupdate", "--help", status=0).stdout
    assert "ORIGIN_KEY" in text and "Exit status" in text and "okeygen" in text and "--add='www" in text
    assert max(len(line) for line in text.split("\n")) < 80


# ---- other people's servers ----

ZONE = """$TTL 300
example. SOA ns.example. host.example. 1 3600 600 86400 300
example. NS ns.example.
ns.example. A 192.0.2.1
laptop.example. A 192.0.2.2
laptop.example. A 192.0.2.3
laptop.example. TXT "stays"
alias.example. CNAME ns.example.
"""


def bind_that_takes_updates(work):
    port = servers.free_port()
    os.makedirs(work)
    servers.write(os.path.join(work, "example"), ZONE)
    conf = ['options { directory "%s"; pid-file "%s/pid"; session-keyfile "%s/session.key";' % (work, work, work),
            ' listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; notify no; };' % port, 'controls { };']
    for algorithm in ALGORITHMS:
        conf.append('key "k%s._update.example" { algorithm hmac-%s; secret "%s"; };'
                    % (algorithm, algorithm.lower(), base64.b64encode(SECRET).decode()))
    conf.append('key "stranger._update.example" { algorithm hmac-sha256; secret "%s"; };' % base64.b64encode(SECRET).decode())
    granted = "".join('grant "k%s._update.example" zonesub ANY; ' % a for a in ALGORITHMS)
    conf.append('zone "example" { type primary; file "example"; update-policy { %s}; };' % granted)
    servers.write(os.path.join(work, "named.conf"), "\n".join(conf) + "\n")
    process = servers.Process(["named", "-g", "-n", "1", "-c", os.path.join(work, "named.conf")], work, "bind")
    process.port = port
    process.await_true("it serves", lambda: servers.serial_served(port, "example") == 1)
    return process


def knot_that_takes_updates(work):
    port = servers.free_port()
    os.makedirs(os.path.join(work, "db"))
    servers.write(os.path.join(work, "example.zone"), ZONE)
    conf = ['server:', '  listen: 127.0.0.1@%d' % port, '  rundir: "%s"' % work, 'database:', '  storage: "%s/db"' % work,
            '  journal-db-max-size: 16M', '  kasp-db-max-size: 16M', '  timer-db-max-size: 16M',
            'log:', '  - target: stderr', '    any: info', 'key:']
    for name in ["k%s._update.example" % a for a in ALGORITHMS] + ["stranger._update.example"]:
        found = re.match(r"k(SHA\d+)\.", name)
        conf += ['  - id: %s.' % name, '    algorithm: hmac-%s' % (found.group(1).lower() if found else "sha256"),
                 '    secret: %s' % base64.b64encode(SECRET).decode()]
    conf += ['acl:', '  - id: update', '    action: update', '    key: [%s]' % ", ".join("k%s._update.example." % a for a in ALGORITHMS),
             'zone:', '  - domain: example', '    acl: update', '    file: "%s/example.zone"' % work]
    servers.write(os.path.join(work, "knot.conf"), "\n".join(conf) + "\n")
    process = servers.Process(["knotd", "-c", os.path.join(work, "knot.conf")], work, "knot")
    process.port = port
    process.await_true("it serves", lambda: servers.serial_served(port, "example") == 1)
    return process


PEERS = {"bind": ("named", bind_that_takes_updates), "knot": ("knotd", knot_that_takes_updates)}


@pytest.fixture(params=PEERS)
def peer_name(request):
    return request.param


@pytest.fixture
def updated(peer_name, need, started, tmp_path):
    """A peer that takes updates for the zone example."""
    binary, start = PEERS[peer_name]
    need(binary)
    return started(start(str(tmp_path / peer_name)))


@pytest.fixture
def update(updated, oupdate):
    """update(argument…) → oupdate on that peer, with a key that may."""
    def run(*args, key=key_argument("kSHA256._update.example"), status=0, **more):
        return oupdate(updated, *args, key=key, status=status, **more)
    return run


def served(peer, name, rdtype):
    """{(data, TTL)} of the answer."""
    answer = servers.ask(peer.port, name, rdtype, tcp=True)
    return {(rdata.to_text(), rrset.ttl) for rrset in answer.answer for rdata in rrset}


def test_addresses_are_replaced(updated, update):
    assert update(HOST, "192.0.2.7").stdout == "laptop.example: A 192.0.2.7, TTL 60: in the zone, signed\n"
    assert served(updated, HOST, "A") == {("192.0.2.7", 60)}
    assert served(updated, HOST, "TXT") == {('"stays"', 300)}
    update(HOST, "2001:db8::7", "--ttl=1h")
    assert served(updated, HOST, "AAAA") == {("2001:db8::7", 3600)} and served(updated, HOST, "A") == {("192.0.2.7", 60)}
    update(HOST, "192.0.2.8", "192.0.2.9", "2001:db8::8", "--tcp")
    assert served(updated, HOST, "A") == {("192.0.2.8", 60), ("192.0.2.9", 60)} and served(updated, HOST, "AAAA") == {("2001:db8::8", 60)}
    update("new.example", "auto")
    assert served(updated, "new.example", "A") == {("127.0.0.1", 60)}
    update(HOST, "192.0.2.8", "192.0.2.9", "2001:db8::8")  # nothing new is done as well


def test_no_address_beside_an_alias(updated, update):
    done = update("alias.example", "192.0.2.7", status=1)
    assert "answers YXRRSET" in done.stderr and "alias.example has a CNAME" in done.stderr
    assert served(updated, "alias.example", "CNAME") == {("ns.example.", 300)}
    update("--delete=alias.example CNAME", "--add=alias.example A 192.0.2.7")
    assert served(updated, "alias.example", "A") == {("192.0.2.7", 60)}


def test_records_of_any_type(updated, update):
    added = {
        "MX": "10 mail.other.", "TXT": '"a b" "c;d"', "SRV": "1 2 5060 sip.other.", "CAA": '0 issue "ca.example"',
        "SSHFP": "4 2 " + "ab" * 32, "TLSA": "3 1 1 " + "cd" * 32, "NAPTR": '1 2 "u" "E2U+sip" "!^.*$!sip:x@example!" .',
        "SVCB": '1 svc.example. alpn="h2" port="53"', "LOC": "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m",
        "TYPE65280": "\\# 3 010203",
    }
    done = update(*["--add=many.example 77 %s %s" % row for row in added.items()])
    assert done.stdout.count(": acknowledged, signed\n") == len(added)
    for rdtype, data in added.items():
        (text, ttl), = served(updated, "many.example", rdtype)
        assert ttl == 77 and text.replace(" ", "").lower() == data.replace(" ", "").lower()
    update("--add=many.example MX 20 mail2.other", "--delete=many.example MX 10 mail.other", "--delete=many.example TXT")
    assert {data for data, _ in served(updated, "many.example", "MX")} == {"20 mail2.other."}
    assert served(updated, "many.example", "TXT") == set()
    update("--delete=many.example")
    assert servers.ask(updated.port, "many.example", "ANY", tcp=True).rcode() == dns.rcode.NXDOMAIN


def test_prerequisites(updated, update):
    update("--if-exists=laptop.example", "--if-exists=ns.example A", "--if-exists=laptop.example A 192.0.2.2",
           "--if-exists=laptop.example A 192.0.2.3", "--if-absent=nobody.example", "--if-absent=laptop.example AAAA", "--add=a.example TXT x")
    assert served(updated, "a.example", "TXT") == {('"x"', 60)}
    for wanted, rcode in (("--if-exists=nobody.example", "NXDOMAIN"), ("--if-exists=laptop.example AAAA", "NXRRSET"),
                          ("--if-exists=laptop.example A 192.0.2.2", "NXRRSET"), ("--if-absent=laptop.example", "YXDOMAIN"),
                          ("--if-absent=laptop.example A", "YXRRSET")):
        done = update(wanted, "--add=b.example TXT x", status=1)
        assert "answers %s\n" % rcode in done.stderr and re.search("%s (exists|does not exist)" % wanted.split("=", 1)[0], done.stderr)
    assert served(updated, "b.example", "TXT") == set()


def test_large_updates(updated, update):
    update(*["--add=big%d.example TXT %s" % (i, "x" * 200) for i in range(100)])
    assert served(updated, "big0.example", "TXT") == served(updated, "big99.example", "TXT") == {('"%s"' % ("x" * 200), 60)}


def test_every_algorithm(updated, update):
    for transport in ([], ["--tcp"]):
        for number, algorithm in enumerate(ALGORITHMS):
            key = key_argument("k%s._update.example" % algorithm, algorithm=algorithm)
            update(HOST, "192.0.2.%d" % (100 + number), *transport, key=key)
            assert served(updated, HOST, "A") == {("192.0.2.%d" % (100 + number), 60)}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_peers_refuse(updated, update, peer_name, transport):
    def refused(key, *more):
        return update(HOST, "192.0.2.7", *(["--tcp"] if transport == "tcp" else []), *more, key=key, status=1).stderr
    assert "(BADSIG)" in refused(key_argument("kSHA256._update.example", OTHER_SECRET))
    assert servers.UNKNOWN_KEY[peer_name].search(refused(key_argument("nobody._update.example")))
    assert servers.UNKNOWN_KEY[peer_name].search(refused(key_argument("kSHA256._update.example", algorithm="SHA512")))
    stranger = refused(key_argument("stranger._update.example"))
    # Knot tells strangers nothing.
    assert servers.UNKNOWN_KEY["knot"].search(stranger) if peer_name == "knot" else "answers REFUSED" in stranger
    elsewhere = refused(key_argument("kSHA256._update.example"), "--zone=laptop.example")
    assert "answers NOTAUTH" in elsewhere and "--zone" in elsewhere
    assert served(updated, HOST, "A") == {("192.0.2.2", 300), ("192.0.2.3", 300)}
