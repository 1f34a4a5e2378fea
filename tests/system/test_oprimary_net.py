"""oprimary on its sockets: how it starts, answers over TCP and UDP, keeps its limits, and ends."""
import os
import re
import signal
import socket
import struct
import subprocess
import time

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import pytest

import processes
import servers

ZONE = """$TTL 3600
@ SOA ns1 hostmaster %d 3600 600 604800 300
@ NS ns1
ns1 A 192.0.2.1
www A 192.0.2.80
big TXT %s
"""


def zone(serial=1):
    return ZONE % (serial, " ".join('"%s"' % ("x" * 250) for _ in range(200)))  # 50 KB in one RRset


@pytest.fixture
def filled(repo, notify_key):
    repo.commit({"example.org": zone(), "_keys": notify_key.line})
    return repo


@pytest.fixture
def running(filled, primary):
    return primary(filled, zones=["example.org"])


def query(name, rdtype="A", number=None):
    q = dns.message.make_query(name, rdtype)
    if number is not None:
        q.id = number
    return q.to_wire()


def framed(wire):
    return struct.pack("!H", len(wire)) + wire


class Stream:
    """A TCP connection in the raw."""

    def __init__(self, port, source="127.0.0.1", receive_buffer=None):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.bind((source, 0))
        self.sock.settimeout(10)
        self.sock.connect((servers.ADDRESS, port))

    def send(self, octets):
        self.sock.sendall(octets)

    def receive(self, n):
        """n octets, or what came before the end."""
        got = b""
        while len(got) < n:
            more = self.sock.recv(n - len(got))
            if not more:
                break
            got += more
        return got

    def message(self):
        """The next message, None at the end of the connection."""
        head = self.receive(2)
        if len(head) < 2:
            return None
        return dns.message.from_wire(self.receive(struct.unpack("!H", head)[0]))

    def is_open(self):
        """Does it answer another question?"""
        try:
            self.send(framed(query("www.example.org")))
            return self.message() is not None
        except OSError:
            return False

    def is_closed_within(self, seconds):
        self.sock.settimeout(seconds)
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False

    def close(self):
        self.sock.close()


# ---- start and end -----------------------------------------------------------

def test_version_is_one_line(program):
    done = program("oprimary", "--version", status=0)
    assert re.fullmatch(r"oprimary \d+\.\d+\.\d+ \(Origin\)\n", done.stdout)


def test_help_teaches(program):
    done = program("oprimary", "--help", status=0)
    for word in ("--remote=URL", "--listen=ADDR", "Examples:", "ORIGIN_SSH_KEY", "onotify"):
        assert word in done.stdout, word


@pytest.mark.parametrize("options, says", [
    ([], "--remote"),
    (["--remote=file:///x", "--port=0"], "--port"),
    (["--remote=file:///x", "--port=65536"], "--port"),
    (["--remote=file:///x", "--listen=localhost"], "localhost"),
    (["--remote=file:///x", "--listen=127.0.0.1@x"], "port"),
    (["--remote=file:///x", "--log-level=loud"], "loud"),
    (["--remote=file:///x", "--tcp-max=-1"], "--tcp-max"),
    (["--remote=file:///x", "--udp-max=100"], "512"),
    (["--remote=file:///x", "--ssh-key=rsa:AAAA"], "ed25519"),
    (["--remote=file:///x", "--authenticator=MD5:AAAA"], "SHA256"),
    (["--remote=gopher://x/y"], "scheme"),
    (["--remote=file:///x", "stray"], "stray"),
])
def test_wrong_usage(program, options, says):
    done = program("oprimary", *options, status=2)
    assert says in done.stderr


@pytest.mark.parametrize("octets, says", [(b"x" * (2**16 + 1), "it is longer than 64 KiB"), (b"a\0b", "it is not text")])
def test_a_credential_file_that_is_none(program, tmp_path, octets, says):
    path = tmp_path / "credentials"
    path.write_bytes(octets)
    listen = "--listen=127.0.0.1@%d" % servers.free_port()
    done = program("oprimary", "--remote=https://127.0.0.1:1/zones.git", listen, "--credential-file=%s" % path, status=1)
    assert "%s: %s" % (path, says) in done.stderr


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_taken_port(program, filled, kind):
    port = servers.free_port()
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind((servers.ADDRESS, port))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        done = program("oprimary", "--remote=" + filled.url, "--listen=127.0.0.1@%d" % port, status=1)
    assert "127.0.0.1@%d" % port in done.stderr
    assert "Address already in use" in done.stderr


def test_an_address_of_nobody(program, filled):
    done = program("oprimary", "--remote=" + filled.url, "--listen=192.0.2.99@5353", status=1)
    assert "192.0.2.99@5353" in done.stderr


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_clean_end(running, sig):
    idle = Stream(running.port)
    idle.send(framed(query("www.example.org")))
    assert idle.message() is not None
    begin = time.monotonic()
    os.kill(running.pid, sig)
    running.popen.wait(servers.STOP_LIMIT_S)
    assert time.monotonic() - begin < 5  # a second, and what a sanitizer takes on a busy machine
    running.stop()
    assert idle.is_closed_within(1)


def test_it_ends_while_the_remote_hangs(primary, started):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as silent:
        silent.bind((servers.ADDRESS, 0))
        silent.listen()
        p = primary("git://127.0.0.1:%d/zones.git" % silent.getsockname()[1])
        answer = p.ask("example.org", "SOA")
        assert answer.rcode() in (dns.rcode.REFUSED, dns.rcode.SERVFAIL)
        p.stop()


def test_the_log_is_lines_of_fields(running):
    running.await_log("event=ready")
    running.stop()
    line = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warning|info|debug) event=[a-z-]+( [a-z_]+=(\"[^\"]*\"|[^ \"]+))*")
    for text in running.log().splitlines():
        assert line.fullmatch(text), text


def told(manager, what):
    """The message to the service manager that says it.  Before it there are those that bring sockets."""
    while True:
        text = manager.recv(4096).decode()
        if what in text:
            return text


def test_it_tells_the_service_manager(filled, primary, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(servers.START_LIMIT_S)
        p = primary(filled, zones=["example.org"], env={"NOTIFY_SOCKET": path})
        first = told(manager, "READY=1")
        assert "STATUS=1 zone " in first
        p.stop()
        told(manager, "STOPPING=1")


def test_ready_also_when_the_remote_is_not_there(primary, tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(servers.START_LIMIT_S)
        p = primary("file:///nowhere/zones.git", env={"NOTIFY_SOCKET": path})
        assert "nowhere" in told(manager, "READY=1")
        p.await_log("event=pull-failed")
        p.stop()


def test_secrets_are_not_on_the_command_line(filled, primary, program):
    key = re.search(r"ed25519:[A-Za-z0-9+/=]+", program("okeygen", "ssh", status=0).stdout).group()
    p = primary(filled, "--ssh-key=" + key, zones=["example.org"])
    with open("/proc/%d/cmdline" % p.pid, "rb") as f:
        assert key.split(":")[1].encode() not in f.read()
    assert key.split(":")[1] not in p.log()
    p.stop()


def test_nothing_is_left_when_it_is_killed(running):
    os.kill(running.pid, signal.SIGKILL)
    running.popen.wait()
    running.await_no_children()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_it_becomes_another_user(repo, primary, notify_key):
    repo.commit({"example.org": zone(), "_keys": notify_key.line})
    folder = repo.bare
    while folder != "/":  # pytest's directories are its user's alone
        mode = os.stat(folder).st_mode
        if not mode & 0o001:
            os.chmod(folder, (mode | 0o055) & 0o7777)
        folder = os.path.dirname(folder)
    p = primary(repo, "--user=nobody", zones=["example.org"])
    keeper, = servers.children(p.pid)
    git_process, = servers.children(keeper)
    for pid in (p.pid, keeper, git_process):
        status = processes.status(pid)
        uid, *same = status["Uid"].split()
        assert uid != "0" and same == [uid] * 3
        assert int(status["CapEff"], 16) == 0 and status["NoNewPrivs"] == "1"
    p.stop()


def test_an_unknown_user(program, filled):
    done = program("oprimary", "--remote=" + filled.url, "--listen=127.0.0.1@%d" % servers.free_port(), "--user=no-such-user",
                   status=1)
    assert "no-such-user" in done.stderr


# ---- pulling -----------------------------------------------------------------

def test_hangup_pulls(filled, running):
    filled.commit({"example.org": zone(2)})
    running.hangup()
    running.await_serial("example.org", 2)
    running.stop()


def test_poll_pulls(filled, primary):
    p = primary(filled, "--poll=1", zones=["example.org"])
    filled.commit({"example.org": zone(2)})
    p.await_serial("example.org", 2)
    p.stop()


@pytest.mark.parametrize("tcp", [False, True])
def test_a_signed_notify_pulls(filled, running, notify, notify_key, tcp):
    filled.commit({"example.org": zone(2)})
    answer = notify(running.port, "example.org", notify_key, tcp=tcp)
    assert answer.rcode() == dns.rcode.NOERROR
    running.await_serial("example.org", 2)
    running.await_log("event=notify-accepted from=127.0.0.1@[0-9]+ transport=%s zone=example.org. key=" % ("tcp" if tcp else "udp"))
    running.stop()


def test_an_unsigned_notify_does_not(filled, running, notify):
    filled.commit({"example.org": zone(2)})
    for _ in range(50):
        assert notify(running.port, "example.org").rcode() == dns.rcode.NOERROR
    running.hangup()  # fetches at last; what had been fetched before would be in the log before
    running.await_serial("example.org", 2)
    assert "event=commit-served" not in running.log().partition("event=ready")[2].partition("event=pull why=SIGHUP")[0]
    assert len(re.findall("event=notify-unsigned", running.log())) <= 20  # the rest is counted
    os.kill(running.pid, signal.SIGUSR1)
    counted = running.await_log(r"event=stats .* notify_accepted=(\d+) notify_unsigned=(\d+)")
    assert [int(n) for n in counted.groups()] == [0, 50]
    running.stop()


def test_every_one_of_many_notifies_counts(filled, running, notify, notify_key):
    """However pulls and notifications fall together, the last push is served."""
    for serial in range(2, 22):
        filled.commit({"example.org": zone(serial)})
        notify(running.port, "example.org", notify_key)
    running.await_serial("example.org", 21)
    running.stop()


def test_the_git_process_comes_back(filled, running):
    keeper, = servers.children(running.pid)
    git_process, = servers.children(keeper)
    os.kill(git_process, signal.SIGKILL)
    running.await_log("event=git-process-died .*signal 9")
    assert running.serial("example.org") == 1
    filled.commit({"example.org": zone(2)})
    running.hangup()
    running.await_serial("example.org", 2)
    running.stop()


def test_counters_on_request(running):
    for _ in range(3):
        running.ask("www.example.org")
    os.kill(running.pid, signal.SIGUSR1)
    found = running.await_log(r"event=stats udp_queries=(\d+) tcp_queries=\d+ noerror=(\d+)")
    assert int(found.group(1)) >= 4 and int(found.group(2)) >= 4
    running.stop()


# ---- UDP ---------------------------------------------------------------------

def test_udp_leaves_bad_packets_alone(running):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((servers.ADDRESS, running.port))
        s.settimeout(30)
        answer = bytearray(query("www.example.org"))
        answer[2] |= 0x80
        for octets in (b"", b"x", b"x" * 11, bytes(answer), b"\xff" * 5000):
            s.send(octets)
        s.send(query("www.example.org", number=77))  # by the same worker, after the others
        assert dns.message.from_wire(s.recv(65536)).id == 77
        s.send(b"\0" * 5000)  # a request that is too long for us, and is told so
        assert dns.message.from_wire(s.recv(65536)).rcode() == dns.rcode.FORMERR
    running.stop()


def test_udp_max(filled, primary):
    p = primary(filled, "--udp-max=512", zones=["example.org"])
    answer = p.ask("big.example.org", "TXT", payload=4096)
    assert answer.flags & dns.flags.TC and len(answer.to_wire()) <= 512
    answer = p.ask("big.example.org", "TXT", tcp=True)
    assert not answer.flags & dns.flags.TC and len(answer.answer[0][0].strings) == 200
    p.stop()


def test_every_address(filled, started, bindir, tmp_path, program):
    """Without --listen: the answer comes from the address that was asked, in both families."""
    port = servers.free_port()
    p = servers.Process([os.path.join(bindir, "oprimary"), "--remote=" + filled.url, "--port=%d" % port, "--workers=2"],
                        str(tmp_path), "oprimary", env=servers.sanitizer_env())
    started(p)
    p.await_log("event=ready")
    addresses = ["127.0.0.1", "127.0.0.9"]
    if re.search(r"event=listening address=::@", p.log()):
        addresses.append("::1")
    for address in addresses:
        for tcp in (False, True):
            answer = servers.ask(port, "www.example.org", address=address, tcp=tcp)
            assert answer.rcode() == dns.rcode.NOERROR and answer.answer
    assert p.end() == 0


def test_identity_is_told_only_on_request(filled, primary):
    p = primary(filled, zones=["example.org"])
    for name in ("id.server", "version.bind"):
        assert p.ask(name, "TXT", rdclass="CH").rcode() == dns.rcode.REFUSED
    p.stop()
    p = primary(filled, "--identity=host1", "--server-version=v1", zones=["example.org"])
    for name, text in (("id.server", b"host1"), ("version.bind", b"v1")):
        assert p.ask(name, "TXT", rdclass="CH").answer[0][0].strings == (text,)
    p.stop()


def test_the_commit_is_told_on_request(filled, primary):
    """To everybody; and the version of the zone that answers (RFC 9660), as dig shows it."""
    p = primary(filled, zones=["example.org"])
    assert p.ask("commit.server", "TXT", rdclass="CH").rcode() == dns.rcode.REFUSED
    dig = ["dig", "@" + servers.ADDRESS, "+tries=1", "+ednsopt=19", "www.example.org", "A", "-p"]
    named = r"(?:OPT=19|ZONEVERSION): "
    assert not re.search(named, subprocess.check_output([*dig, str(p.port)], text=True))
    p.stop()
    p = primary(filled, "--serve-commit", zones=["example.org"])
    assert p.ask("commit.server", "TXT", rdclass="CH").answer[0][0].strings == (filled.head().encode(),)
    serial = servers.serial_served(p.port, "example.org").to_bytes(4, "big")
    assert re.search(named + "02 00 " + serial.hex(" "), subprocess.check_output([*dig, str(p.port)], text=True))
    p.stop()


def test_a_value_that_looks_like_a_key_is_kept(filled, primary, key):
    """Such a value is hidden where nobody knows the option; this one is known, by the parser that all daemons share."""
    p = primary(filled, "--identity=" + key.argument, zones=["example.org"])
    assert p.ask("id.server", "TXT", rdclass="CH").answer[0][0].strings == (key.argument.encode(),)
    p.stop()


# ---- TCP ---------------------------------------------------------------------

def test_tcp_pipelining(running):
    s = Stream(running.port)
    s.send(b"".join(framed(query("www.example.org", number=i)) for i in range(1000)))
    assert [s.message().id for _ in range(1000)] == list(range(1000))
    running.stop()


def test_tcp_in_pieces(running):
    s = Stream(running.port)
    s.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    octets = framed(query("www.example.org", number=1)) + framed(query("www.example.org", number=2))
    for i in range(len(octets)):
        s.send(octets[i:i + 1])
        time.sleep(0.001)
    assert [s.message().id, s.message().id] == [1, 2]
    running.stop()


def test_tcp_half_close(running):
    s = Stream(running.port)
    s.send(b"".join(framed(query("big.example.org", "TXT", number=i)) for i in range(50)))
    s.sock.shutdown(socket.SHUT_WR)
    for i in range(50):
        assert s.message().id == i
    assert s.message() is None
    running.stop()


def test_tcp_back_pressure(filled, primary):
    """Twenty clients ask for 500 MB each and read nothing: that costs them, not us."""
    running = primary(filled, "--tcp-idle=600", zones=["example.org"])  # on a busy machine the last one's turn may come after a minute
    before = processes.kib(running.pid, "VmRSS")
    clients = [Stream(running.port, receive_buffer=4096) for _ in range(20)]
    for s in clients:
        s.sock.settimeout(0.2)
        try:
            for i in range(10000):
                s.send(framed(query("big.example.org", "TXT", number=i)))
        except socket.timeout:
            pass
    assert running.ask("www.example.org").rcode() == dns.rcode.NOERROR
    assert processes.kib(running.pid, "VmRSS") - before < 64 * 1024
    s = clients[0]
    s.sock.settimeout(10)
    for i in range(30):
        assert s.message().id == i
    for s in clients:
        s.close()
    running.stop()


def test_tcp_idle(filled, primary):
    p = primary(filled, "--tcp-idle=1", zones=["example.org"])
    silent, dripping, lively = Stream(p.port), Stream(p.port), Stream(p.port)
    begin = time.monotonic()
    while time.monotonic() - begin < 2.5:
        try:
            dripping.send(b"\1")
        except OSError:
            pass
        assert lively.is_open()
        time.sleep(0.1)
    assert silent.is_closed_within(30)
    assert not dripping.is_open()
    assert lively.is_open()
    p.stop()


def test_tcp_when_full_the_longest_idle_goes(filled, primary):
    p = primary(filled, "--tcp-max=5", "--tcp-idle=60", "--workers=1", zones=["example.org"])
    clients = []
    for _ in range(5):
        clients.append(Stream(p.port))
        assert clients[-1].is_open()
        time.sleep(0.02)
    assert clients[0].is_open()
    late = Stream(p.port)
    assert late.is_open()
    assert clients[1].is_closed_within(5)
    assert [c.is_open() for c in clients] == [True, False, True, True, True]
    p.stop()


def test_tcp_per_client(filled, primary):
    p = primary(filled, "--tcp-per-client=2", "--workers=1", zones=["example.org"])
    first, second, third = (Stream(p.port) for _ in range(3))
    assert first.is_open() and second.is_open() and third.is_closed_within(5)
    assert Stream(p.port, source="127.0.0.2").is_open()
    p.stop()


def test_tcp_keepalive_is_announced(running):
    q = dns.message.make_query("www.example.org", "A", use_edns=0, options=[dns.edns.GenericOption(11, b"")])
    s = Stream(running.port)
    s.send(framed(q.to_wire()))
    option, = [o for o in s.message().options if o.otype == 11]
    assert option.to_wire() == struct.pack("!H", 300)  # 30 s in tenths
    running.stop()


@pytest.mark.parametrize("octets", [b"\0\0", b"\0\5hello", b"\0\13elevenoctet"])
def test_tcp_what_is_no_message(running, octets):
    s = Stream(running.port)
    assert s.is_open()
    s.send(octets)
    assert s.is_closed_within(5)
    assert Stream(running.port).is_open()
    running.stop()


def test_tcp_resets(running):
    for _ in range(50):
        s = Stream(running.port)
        s.send(framed(query("big.example.org", "TXT")) * 100)
        s.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    assert Stream(running.port).is_open()
    running.stop()


def test_queries_go_on_while_commits_come(filled, running, notify, notify_key):
    """No query is lost or answered with anything but a whole version."""
    seen = set()
    for serial in range(2, 12):
        filled.commit({"example.org": zone(serial)})
        notify(running.port, "example.org", notify_key)
        for _ in range(20):
            answer = running.ask("example.org", "SOA")
            assert answer.rcode() == dns.rcode.NOERROR
            seen.add(answer.answer[0][0].serial)
    running.await_serial("example.org", 11)
    assert sorted(seen)[0] >= 1 and sorted(seen)[-1] <= 11
    running.stop()


def test_kdig_and_dig_agree(running, need):
    need("dig", "kdig")
    for tool in ("dig", "kdig"):
        for mode in ("+notcp", "+tcp"):
            done = subprocess.run([tool, "@127.0.0.1", "-p", str(running.port), "+norec", mode, "+short", "www.example.org", "A"],
                                  capture_output=True, text=True, timeout=30, check=True)
            assert done.stdout.split() == ["192.0.2.80"]
    running.stop()
