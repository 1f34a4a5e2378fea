"""onotify against a server that we script, so that it says whatever a server could say; and against BIND and Knot."""
import base64
import os
import re
import select
import socket
import struct
import subprocess
import time

import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.tsig
import pytest

import servers
from scripted import (BADKEY, BADSIG, BADTIME, BADTRUNC, OTHER_SECRET, SECRET, key_argument, read, reply, tsig_key, unsigned_error,
                      with_tsig)


@pytest.fixture
def onotify(program):
    def run(server, *args, zone="example", key=key_argument(), host="127.0.0.1", status=None, **more):
        argv = [*([host] if host else []), zone, *(["--key=" + key] if key else []), *args]
        if server is not None:
            argv.append("--port=%d" % (server if isinstance(server, int) else server.port))
        done = program("onotify", *argv, status=status, **more)
        for secret in (SECRET, OTHER_SECRET):
            assert base64.b64encode(secret).decode() not in done.stdout + done.stderr
        return done
    return run


# ---- when all is well ----

@pytest.mark.parametrize("algorithm", ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"])
def test_signed_notification_is_acknowledged(script, onotify, algorithm):
    key = tsig_key(algorithm=algorithm)
    server = script(lambda wire, _: [reply(wire, key=key)])
    done = onotify(server, key=key_argument(algorithm=algorithm), status=0)
    assert "example: 127.0.0.1 port %d has acknowledged, signed" % server.port in done.stdout
    assert done.stderr == ""
    (transport, wire), = server.requests
    request = read(wire, key)
    assert transport == "udp" and request.had_tsig
    assert request.opcode() == dns.opcode.NOTIFY and request.flags & 0xFFFF == 0x2400  # AA (RFC 1996 3.7)
    assert request.question[0].to_text() == "example. IN SOA"
    assert not request.answer


def test_serial_goes_along(script, onotify):
    server = script(lambda wire, _: [reply(wire)])
    onotify(server, "--serial=4294967295", status=0)
    rrset, = read(server.requests[0][1]).answer
    assert rrset.name == dns.name.from_text("example.") and rrset.rdtype == dns.rdatatype.SOA
    assert rrset[0].serial == 4294967295


def test_quiet(script, onotify):
    done = onotify(script(lambda wire, _: [reply(wire)]), "-q", status=0)
    assert done.stdout == done.stderr == ""


def test_tcp_only(script, onotify):
    server = script(lambda wire, _: [reply(wire)])
    onotify(server, "--tcp", status=0)
    assert server.transports() == ["tcp"]


def test_lost_packets_are_sent_again(script, onotify):
    server = script(lambda wire, _: [reply(wire)] if len(server.requests) == 2 else [])
    onotify(server, status=0)
    assert server.transports() == ["udp", "udp"]
    assert server.requests[0] == server.requests[1]  # the same notification: once is enough for the server


def test_tcp_when_udp_is_silent(script, onotify):
    server = script(lambda wire, transport: [reply(wire)] if transport == "tcp" else [])
    started = time.monotonic()
    onotify(server, status=0)
    assert server.transports() == ["udp"] * 3 + ["tcp"]
    assert 6 < time.monotonic() - started < 20  # 1 + 2 + 4 s


@pytest.mark.parametrize("tcp", ["open", "closed"])
def test_a_late_answer_over_udp(script, onotify, tcp):
    """A server that takes its time answers where it was asked first, while we wait for it over TCP."""
    def answer(wire, transport):
        if transport == "udp":
            return []
        if tcp == "closed":
            server.connection.shutdown(socket.SHUT_RDWR)
        server.udp.sendto(reply(wire), server.peer)
        if tcp == "open":  # for as long as the other side wants it
            select.select([server.connection], [], [], 10)
        return []
    server = script(answer)
    assert onotify(server, status=0).stderr == ""
    assert server.transports() == ["udp"] * 3 + ["tcp"]


def test_tcp_when_udp_is_closed(script, onotify):
    server = script(lambda wire, _: [reply(wire)], transports=("tcp",))
    onotify(server, status=0)
    assert server.transports() == ["tcp"]


def test_tcp_when_truncated(script, onotify):
    def answer(wire, transport):
        whole = reply(wire)
        return [whole if transport == "tcp" else bytes([*whole[:2], whole[2] | 2]) + whole[3:]]
    server = script(answer)
    onotify(server, status=0)
    assert server.transports() == ["udp", "tcp"]


def test_ipv6_and_names_and_this_machine(script, onotify):
    six = script(lambda wire, _: [reply(wire)], address="::1")
    assert "::1 port" in onotify(six, host="::1", status=0).stdout
    assert "::1 port" in onotify(six, host="[::1]", status=0).stdout
    assert "::1 port" in onotify(six, host=None, status=0).stdout
    four = script(lambda wire, _: [reply(wire)])
    assert "127.0.0.1 port" in onotify(four, host=None, status=0).stdout  # nobody is at ::1
    assert "127.0.0.1 port" in onotify(four, host="localhost", status=0).stdout


def test_root_zone(script, onotify):
    server = script(lambda wire, _: [reply(wire)])
    assert onotify(server, zone=".", status=0).stdout.startswith(".: ")
    assert read(server.requests[0][1]).question[0].name == dns.name.root


def test_unsigned_is_warned_about(script, onotify):
    server = script(lambda wire, _: [reply(wire, sign=False)])
    done = onotify(server, key=None, status=0)
    assert "unsigned" in done.stderr and "okeygen tsig me._notify.example" in done.stderr
    assert "acknowledged\n" in done.stdout


# ---- answers that are no good ----

def test_a_forged_answer_does_not_win(script, onotify):
    def answer(wire, _):
        good = reply(wire)
        return [reply(wire, sign=False), unsigned_error(wire, BADKEY), reply(wire, rcode=dns.rcode.REFUSED, sign=False),
                bytes([wire[0] ^ 1]) + good[1:], good[:-1] + bytes([good[-1] ^ 1]), b"", good[:20], wire, good]
    assert onotify(script(answer), status=0).stderr == ""


def test_an_answer_to_something_else_is_passed_over(script, onotify):
    def answer(wire, _):
        ours = reply(wire)
        changed = bytearray(ours)
        changed[13] ^= 1  # another name in the question
        return [bytes(changed), ours]
    onotify(script(answer), status=0)


REFUSALS = [
    (lambda w: unsigned_error(w, BADKEY), r"does not know the key me\._update\.example\. with SHA256 \(BADKEY\)", r"_keys"),
    (lambda w: unsigned_error(w, BADSIG), r"another secret for the key me\._update\.example\. \(BADSIG\)", r"compare the secret"),
    (lambda w: reply(w, rcode=9, error=BADTIME, other=struct.pack("!HI", 0, int(time.time()) + 3600)),
     r"clocks are (3599|3600|3601) seconds apart", r"here it is \d{4}-.* UTC, at 127\.0\.0\.1 port \d+ \d{4}-.* UTC"),
    (lambda w: reply(w, rcode=9, error=BADTRUNC), r"refuses the signature: BADTRUNC", ""),
    (lambda w: reply(w, rcode=9), r"answers NOTAUTH", "log"),
    (lambda w: reply(w, rcode=5), r"answers REFUSED", "log"),
    (lambda w: reply(w, rcode=4), r"answers NOTIMP", "NOTIFY"),
    (lambda w: reply(w, rcode=2), r"answers SERVFAIL", "log"),
    (lambda w: reply(w, rcode=5, sign=False), r"answers REFUSED", "log"),
    (lambda w: reply(w, rcode=1, sign=False), r"answers FORMERR", "TSIG"),
    (lambda w: reply(w, sign=False), r"answers NOERROR, but unsigned", "primary's address"),
    (lambda w: reply(w, request_mac=b"x" * 32), r"the answer's signature is wrong", "its log"),
    (lambda w: reply(w, when=int(time.time()) - 1000), r"clocks are (999|10\d\d) seconds apart", "timedatectl"),
]


@pytest.mark.parametrize("make,error,hint", REFUSALS)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_refusals_are_explained(script, onotify, make, error, hint, transport):
    server = script(lambda wire, _: [make(wire)])
    done = onotify(server, *(["--tcp"] if transport == "tcp" else []), status=1)
    assert re.search(error, done.stderr), done.stderr
    assert re.search("hint: .*" + hint, done.stderr) if hint else "hint" not in done.stderr
    assert done.stdout == ""


def test_answer_signed_with_another_key(script, onotify):
    other = tsig_key(name="other._notify.example.")

    def answer(wire, _):
        mac = read(wire).tsig[0].mac
        plain = reply(wire, sign=False)
        rdata = dns.message.Message._make_tsig(other.name, other.algorithm, 0, 300, b"", 0, 0, b"")[0]
        rdata, _ = dns.tsig.sign(plain, other, rdata, int(time.time()), mac)
        return [with_tsig(plain, other, rdata)]
    assert "signed with another key" in onotify(script(answer), status=1).stderr


@pytest.mark.parametrize("name,hint", [
    ("me._notify.other.", "good for other. and what is below it, and example is not"),
    ("me.example.", "no operation in it"),
    ("me._a._update.example.", "the key's name allows only updates of some types: make one with a name like ANYTHING._notify.example"),
])
def test_rights_are_explained(script, onotify, name, hint):
    key = tsig_key(name=name)
    server = script(lambda wire, _: [reply(wire, key=key, rcode=dns.rcode.REFUSED)])
    assert hint in onotify(server, key=key_argument(name), status=1).stderr


def test_nobody_there(onotify):
    done = onotify(servers.free_port(), status=1)
    assert "nothing listens there" in done.stderr and "does the server run there" in done.stderr
    done = onotify(servers.free_port(), host=None, status=1)
    assert "::1" in done.stderr and "127.0.0.1" in done.stderr and "this machine" in done.stderr


def test_silence(script, onotify):
    server = script(lambda wire, _: [])
    done = onotify(server, status=1)
    assert "UDP: no answer, TCP: connection closed without an answer" in done.stderr
    assert "firewall" in done.stderr
    assert server.transports() == ["udp"] * 3 + ["tcp"]


def test_unknown_host(onotify):
    done = onotify(53, host="no-such-host.invalid", status=1)
    assert "no-such-host.invalid" in done.stderr


# ---- where keys come from ----

def test_key_from_file_environment_and_standard_input(script, onotify, tmp_path):
    server = script(lambda wire, _: [reply(wire)])
    path = tmp_path / "key"
    path.write_text(key_argument() + "\r\nmore\n")
    path.chmod(0o600)
    assert onotify(server, "--key-file=%s" % path, key=None, status=0).stderr == ""
    assert onotify(server, key=None, status=0, env={"ORIGIN_KEY": key_argument()}).stderr == ""
    assert onotify(server, "--key-file=-", key=None, status=0, stdin=key_argument() + "\n").stderr == ""
    (tmp_path / "notify-key").write_text(key_argument())
    (tmp_path / "notify-key").chmod(0o400)
    assert onotify(server, key=None, status=0, env={"CREDENTIALS_DIRECTORY": str(tmp_path)}).stderr == ""
    assert all(read(wire).had_tsig for _, wire in server.requests)
    path.chmod(0o644)
    assert "every user of this machine" in onotify(server, "--key-file=%s" % path, key=None, status=0).stderr


def test_the_command_line_forgets_the_key(script, bindir):
    seen = []
    server = script(lambda wire, _: [])
    process = subprocess.Popen([os.path.join(bindir, "onotify"), "127.0.0.1", "example", "--key=" + key_argument(),
                                "--port=%d" % server.port], stderr=subprocess.DEVNULL, env={**os.environ, **servers.sanitizer_env()})
    try:
        servers.await_true("it has asked", lambda: server.requests, 20)
        with open("/proc/%d/cmdline" % process.pid, "rb") as f:
            seen = f.read()
    finally:
        process.kill()
        process.wait()
    assert b"example" in seen and b"--key=" in seen
    assert b"SHA256" not in seen and base64.b64encode(SECRET) not in seen


def test_bad_keys_are_wrong_usage(onotify, tmp_path):
    secret = base64.b64encode(SECRET).decode()
    for bad in ("", "x", "x:y", "hmac-sha256:x:" + secret, "x:MD5:" + secret, "x:SHA256:" + secret[:-1], "x:SHA256:"):
        done = onotify(1, key=bad, status=2) if bad else onotify(1, "--key=", key=None, status=2)
        assert "--key: " in done.stderr
    empty = tmp_path / "empty"
    empty.write_text("\n")
    assert "is empty" in onotify(1, "--key-file=%s" % empty, key=None, status=2).stderr
    assert "No such file" in onotify(1, "--key-file=%s/none" % tmp_path, key=None, status=2).stderr
    assert "Is a directory" in onotify(1, "--key-file=%s" % tmp_path, key=None, status=2).stderr
    long = tmp_path / "long"
    long.write_text("x" * 10000)
    assert "longer than" in onotify(1, "--key-file=%s" % long, key=None, status=2).stderr
    binary = tmp_path / "binary"
    binary.write_bytes(b"a\0b\n")
    assert "not text" in onotify(1, "--key-file=%s" % binary, key=None, status=2).stderr


# ---- usage ----

@pytest.mark.parametrize("argv,text", [
    ([], "which zone"),
    (["a", "b", "c"], "too many arguments"),
    (["127.0.0.1"], "is an address: which zone"),
    (["example", "127.0.0.1"], "the server comes first"),
    (["a..b"], "not a domain name"),
    (["x" * 64], "not a domain name"),
    (["example", "--port=0"], "port"),
    (["example", "--port=65536"], "port"),
    (["example", "--port=53x"], "port"),
    (["example", "--serial=4294967296"], "serial"),
    (["example", "--serial=-1"], "serial"),
    (["example", "--timeout=0"], "timeout"),
    (["example", "--key=x", "--key-file=y"], "two keys"),
    (["example", "--key=x", "--key=y"], "two keys"),
    (["example", "--key-file=me._update.example:SHA256:c2VjcmV0"], "looks like the key itself"),
    (["example", "--no-such-option"], "no-such-option"),
    (["127.0.0.1", "me._update.example:SHA256:c2VjcmV0"], "is a key"),
    (["me._update.example:SHA256:c2VjcmV0", "example"], "is a key"),
    (["a", "b", "me._update.example:SHA256:c2VjcmV0"], "too many"),
])
def test_wrong_usage(program, argv, text):
    done = program("onotify", *argv, status=2)
    assert text in done.stderr and done.stdout == ""
    assert "c2VjcmV0" not in done.stderr


def test_help_and_version(program):
    assert re.fullmatch(r"onotify \d+\.\d+\.\d+ \(Origin\)\n", program("onotify", "--version", status=0).stdout)
    text = program("onotify", "--help", status=0).stdout
    assert "ORIGIN_KEY" in text and "Exit status" in text and "okeygen" in text


# ---- other people's servers ----

ALGORITHMS = ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]


def bind_with_keys(work):
    port = servers.free_port()
    os.makedirs(work)
    conf = ['options { directory "%s"; pid-file "%s/pid"; session-keyfile "%s/session.key";' % (work, work, work),
            ' listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; notify no; };' % port, 'controls { };']
    for algorithm in ALGORITHMS:
        conf.append('key "k%s._notify.example" { algorithm hmac-%s; secret "%s"; };'
                    % (algorithm, algorithm.lower(), base64.b64encode(SECRET).decode()))
    conf.append('key "stranger._notify.example" { algorithm hmac-sha256; secret "%s"; };' % base64.b64encode(SECRET).decode())
    allowed = "".join('key "k%s._notify.example"; ' % a for a in ALGORITHMS)
    conf.append('zone "example" { type secondary; file "example"; primaries { 192.0.2.1; }; allow-notify { %s}; };' % allowed)
    servers.write(os.path.join(work, "named.conf"), "\n".join(conf) + "\n")
    process = servers.Process(["named", "-g", "-n", "1", "-c", os.path.join(work, "named.conf")], work, "bind")
    process.port = port
    process.await_true("it answers", lambda: servers.is_listening(port))
    return process


def knot_with_keys(work):
    port = servers.free_port()
    os.makedirs(os.path.join(work, "db"))
    conf = ['server:', '  listen: 127.0.0.1@%d' % port, '  rundir: "%s"' % work, 'database:', '  storage: "%s/db"' % work,
            '  journal-db-max-size: 16M', '  kasp-db-max-size: 16M', '  timer-db-max-size: 16M',
            'log:', '  - target: stderr', '    any: info', 'key:']
    for name in ["k%s._notify.example" % a for a in ALGORITHMS] + ["stranger._notify.example"]:
        found = re.match(r"k(SHA\d+)\.", name)
        conf += ['  - id: %s.' % name, '    algorithm: hmac-%s' % (found.group(1).lower() if found else "sha256"),
                 '    secret: %s' % base64.b64encode(SECRET).decode()]
    conf += ['remote:', '  - id: primary', '    address: 127.0.0.1@1', 'acl:', '  - id: notify', '    action: notify',
             '    key: [%s]' % ", ".join("k%s._notify.example." % a for a in ALGORITHMS),
             'zone:', '  - domain: example', '    master: primary', '    acl: notify', '    file: "%s/example.zone"' % work]
    servers.write(os.path.join(work, "knot.conf"), "\n".join(conf) + "\n")
    process = servers.Process(["knotd", "-c", os.path.join(work, "knot.conf")], work, "knot")
    process.port = port
    process.await_true("it answers", lambda: servers.is_listening(port))
    return process


@pytest.mark.parametrize("name,binary,start", [("bind", "named", bind_with_keys), ("knot", "knotd", knot_with_keys)])
def test_other_servers_agree(need, started, onotify, tmp_path, name, binary, start):
    need(binary)
    server = started(start(str(tmp_path / name)))
    for transport in ([], ["--tcp"]):
        for algorithm in ALGORITHMS:
            key = key_argument("k%s._notify.example" % algorithm, algorithm=algorithm)
            done = onotify(server, "--serial=7", *transport, key=key, status=0)
            assert "acknowledged, signed" in done.stdout
        wrong = onotify(server, *transport, key=key_argument("kSHA256._notify.example", OTHER_SECRET), status=1)
        assert "(BADSIG)" in wrong.stderr
        unknown = onotify(server, *transport, key=key_argument("nobody._notify.example"), status=1)
        assert servers.UNKNOWN_KEY[name].search(unknown.stderr)
        other = onotify(server, *transport, key=key_argument("kSHA256._notify.example", algorithm="SHA512"), status=1)
        assert servers.UNKNOWN_KEY[name].search(other.stderr)
        denied = onotify(server, *transport, key=key_argument("stranger._notify.example"), status=1)
        # Knot tells strangers nothing.
        assert servers.UNKNOWN_KEY["knot"].search(denied.stderr) if name == "knot" else "answers REFUSED" in denied.stderr


# ---- ours ----

ZONE = """$TTL 300
@ SOA ns host %d 3600 600 86400 300
@ NS ns
ns A 192.0.2.1
"""


@pytest.mark.parametrize("transport", [[], ["--tcp"]])
def test_our_primary_pulls(primary, repo, make_key, onotify, transport):
    notify, update, other = (make_key(n) for n in ("a._notify.example.", "b._update.", "c._notify.other."))
    repo.commit({"example": ZONE % 1, "example._keys": notify.line, "_keys": update.line + other.line})
    server = primary(repo, zones=["example"])
    for serial, key in ((2, notify), (3, update)):
        repo.commit({"example": ZONE % serial})
        onotify(server, *transport, key=key.argument, status=0)
        server.await_serial("example", serial)
    repo.commit({"example": ZONE % 4})
    denied = onotify(server, *transport, key=other.argument, status=1)
    assert "answers REFUSED" in denied.stderr and "good for other. and what is below it" in denied.stderr
    assert "(BADKEY)" in onotify(server, *transport, status=1).stderr
    wrong = make_key(notify.name, secret=OTHER_SECRET)
    assert "(BADSIG)" in onotify(server, *transport, key=wrong.argument, status=1).stderr
    onotify(server, *transport, key=None, status=0)
    assert server.serial("example") == 3
    server.stop()
