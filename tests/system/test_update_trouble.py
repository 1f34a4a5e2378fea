"""Updates while something goes wrong between us and git: slow remotes, lost connections, hooks that wait or refuse, processes
that are killed.  Each of these was a mistake of ours once."""
import os
import shutil
import signal
import socket

import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.tsigkeyring
import pytest

import remotes
import servers
from repository import git, write_hook
from updates import ZONE, add, addresses, extended_error, send, update_of, with_edns

SLOW_S = 0.03  # each piece of what we and the remote say to each other, each way
FEW = 6        # connections to the remote, where two or three would do
SMALL = "$TTL 60\n@ SOA ns host 1 1h 1h 1h 1h\n@ NS ns\nns A 192.0.2.1\n"


@pytest.fixture
def primary(primary):
    """Each is to end well, whatever it has been through."""
    running = []

    def start(*args, **more):
        running.append(primary(*args, **more))
        return running[-1]
    yield start
    for served in running:
        served.stop()


class Talk:
    """One client's socket: what was sent, and what came back, by the messages' numbers."""

    def __init__(self, served, key):
        self.ring = dns.tsigkeyring.from_text({key.name: key.secret})
        self.sent = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(30)
        self.socket.connect((servers.ADDRESS, served.port))

    def send(self, message):
        wire = message.to_wire()
        self.sent[message.id] = dns.message.from_wire(wire, keyring=self.ring)
        self.socket.send(wire)
        return wire

    def receive(self):
        wire = self.socket.recv(65535)
        asked = self.sent[int.from_bytes(wire[:2], "big")]
        return dns.message.from_wire(wire, keyring=self.ring, request_mac=asked.mac)

    def receive_until(self, message):
        """The answer to that message, and those before it."""
        before = []
        while (answer := self.receive()).id != message.id:
            before.append(answer)
        return answer, before


@pytest.fixture
def talk(key):
    """talk(primary) → a client."""
    opened = []

    def begin(served):
        opened.append(Talk(served, key))
        return opened[-1]
    yield begin
    for t in opened:
        t.socket.close()


def notify_of(key, zone="example"):
    message = dns.message.make_query(zone, "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    return key.sign(message)


def await_at_the_gate(served, gate, n=1):
    served.await_true("%d pushes wait" % n, lambda: gate.waiting() >= n)


# ---- slow remotes ----

def test_a_slow_remote(primary, repo, daemon, started, key, talk):
    """The first update needs a file, which can be had while no pull is under way: there was always one more of them."""
    relay = started(remotes.Breaking(daemon.port, delay_s=SLOW_S))
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(relay.url("zones.git"), zones=["example"])
    client, before = talk(served), len(relay.connections)
    update = add(key, "x", "192.0.2.9")
    for _ in range(3):
        client.send(notify_of(key))
    client.send(update)
    for _ in range(3):
        client.send(notify_of(key))
    answer, _ = client.receive_until(update)
    assert answer.rcode() == dns.rcode.NOERROR and addresses(served, "x.example") == ["192.0.2.9"]
    assert len(relay.connections) - before <= FEW, served.log_tail()


def test_a_pull_of_the_git_side_itself(primary, repo, daemon, relay, started, key, talk, remote):
    """Its next try after a failure is known to nobody else when an update asks for a file."""
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(relay.url("zones.git"), zones=["example"])
    relay.go_away()
    served.hangup()
    served.await_log("event=pull-failed")
    back = started(remotes.Breaking(daemon.port, port=relay.port, delay_s=SLOW_S))
    served.await_true("it tries again", lambda: back.connections)
    client, update = talk(served), add(key, "x", "192.0.2.9")
    client.send(update)
    assert client.receive().rcode() == dns.rcode.NOERROR
    assert remote.commits() == 2 and len(back.connections) <= FEW, served.log_tail()


# ---- pushes of which nobody knows what became ----

def begin_a_push(served, client, gate, update):
    wire = client.send(update)
    await_at_the_gate(served, gate)
    return wire


@pytest.mark.parametrize("waiting", [1, 2])
def test_a_push_whose_connection_is_cut(primary, repo, relay, key, talk, gate, remote, waiting):
    """The hook goes on without us.  Worked out anew the update would find the name that it made itself.  2: when the hook goes on,
    the same commit has been pushed again."""
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(relay.url("zones.git"), "--fetch-timeout=5", zones=["example"])
    write_hook(repo, "pre-receive", gate.line)
    client, update = talk(served), update_of(key)
    update.absent("x2")
    update.add("x2", 60, "A", "192.0.2.9")
    begin_a_push(served, client, gate, update)
    relay.cut()
    served.await_log("event=push-unclear")
    await_at_the_gate(served, gate, waiting)
    gate.open()
    assert client.receive().rcode() == dns.rcode.NOERROR
    assert addresses(served, "x2.example") == ["192.0.2.9"]
    assert remote.commits() == 2, remote.log("--stat")


def test_asked_again_while_the_remote_is_away(primary, repo, daemon, relay, started, key, talk, gate, remote):
    """Nobody knows whether the push arrived: the same octets have no other answer than the first.  New updates are told at once."""
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(relay.url("zones.git"), zones=["example"])
    write_hook(repo, "pre-receive", gate.line)
    client, update = talk(served), add(key, "x", "192.0.2.9")
    wire = begin_a_push(served, client, gate, update)
    relay.go_away()
    served.await_log("event=push-unclear")
    served.await_log("event=pull-failed .*retry_s=4")  # nothing will happen by itself for so long
    before = len(served.log())
    client.socket.send(wire)
    new = with_edns(add(key, "y", "192.0.2.10"))
    client.send(new)
    answer, unexpected = client.receive_until(new)
    assert answer.rcode() == dns.rcode.SERVFAIL and "cannot be reached" in extended_error(answer)[1]
    assert not unexpected and "event=pull" not in served.log()[before:]
    gate.open()
    served.await_true("it is in git", lambda: remote.commits() == 2)
    started(remotes.Breaking(daemon.port, port=relay.port))
    served.hangup()
    answer = client.receive()
    assert answer.id == update.id and answer.rcode() == dns.rcode.NOERROR
    assert addresses(served, "x.example") == ["192.0.2.9"] and addresses(served, "y.example") == []
    client.socket.send(wire)
    assert client.receive().rcode() == dns.rcode.NOERROR and remote.commits() == 2


def test_a_cache_that_is_older(primary, repo, relay, key, remote, tmp_path):
    """The git process is killed before it has kept what it pushed, and the remote is away: what is served does not go back."""
    cache = str(tmp_path / "cache")
    os.mkdir(cache)
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(relay.url("zones.git"), "--cache-dir=" + cache, zones=["example"])
    served.await_true("the first commit is kept", lambda: git(remote.repo.bare, "rev-parse", remote.repo.branch) in refs_in(cache))
    shutil.copytree(cache, cache + ".old")
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    relay.go_away()
    kill_git_side(served, lambda: (shutil.rmtree(cache), os.rename(cache + ".old", cache)))
    after = served.await_log("event=git-process-died").end()
    served.await_log(r"event=pull-failed(.|\n)*event=pull-failed", after=after)  # between the two it has looked into its cache
    assert served.serial("example") == 8 and addresses(served, "x.example") == ["192.0.2.9"]
    assert "event=served-from-cache" not in served.log()


def refs_in(cache):
    return "".join(git(os.path.join(cache, name), "for-each-ref") for name in os.listdir(cache)
                   if os.path.exists(os.path.join(cache, name, "HEAD")))


def kill_git_side(served, meanwhile):
    """All processes of the git side but the keeper, who does not notice before `meanwhile` is done."""
    (keeper,) = servers.children(served.pid)
    os.kill(keeper, signal.SIGSTOP)
    for pid in servers.descendants(keeper):
        os.kill(pid, signal.SIGKILL)
    served.await_true("they are gone", lambda: sorted(servers.group_members(served.pid)) == sorted([served.pid, keeper]))
    meanwhile()
    os.kill(keeper, signal.SIGCONT)


# ---- hooks ----

def test_many_zones_in_one_commit(primary, repo, key, gate, remote):
    """Some hundred updates that have gathered behind one push."""
    zones = ["z%d.customers.with-a-long-name-of-many-octets.example" % n for n in range(400)]
    repo.commit({"example": ZONE, "_keys": key.line, **{zone: SMALL for zone in zones}})
    write_hook(repo, "pre-receive", gate.line)
    served = primary(repo, zones=["example", zones[-1]])
    with socket.create_connection((servers.ADDRESS, served.port), 60) as tcp:
        dns.query.send_tcp(tcp, add(key, "x", "192.0.2.9"))
        await_at_the_gate(served, gate)
        for zone in zones:
            dns.query.send_tcp(tcp, add(key, "new", "192.0.2.9", zone=zone))
        query = dns.message.make_query("example", "SOA")
        dns.query.send_tcp(tcp, query)
        assert receive(tcp)[:2] == query.id.to_bytes(2, "big")  # those before it have arrived
        gate.open()
        rcodes = [dns.rcode.to_text(receive(tcp)[3] & 15) for _ in range(1 + len(zones))]
    assert set(rcodes) == {"NOERROR"}, served.log_tail()
    assert remote.commits() <= 4


def receive(tcp):
    def octets(n):
        got = b""
        while len(got) < n:
            more = tcp.recv(n - len(got))
            assert more, "closed"
            got += more
        return got
    return octets(int.from_bytes(octets(2), "big"))


def test_a_hook_that_refuses_one_zone(primary, repo, key, talk, gate, remote):
    """Others that happen to be in the same commit are not to suffer."""
    repo.commit({"example": ZONE, "locked": SMALL, "free": SMALL, "_keys": key.line})
    write_hook(repo, "pre-receive", gate.line + "read -r old new ref\n"
               "if git diff --name-only $old $new | grep -qx locked; then echo 'locked until Monday' >&2; exit 1; fi\n")
    served = primary(repo, zones=["example", "locked", "free"])
    client = talk(served)
    updates = [with_edns(add(key, "x", "192.0.2.9", zone=zone)) for zone in ("example", "locked", "free")]
    begin_a_push(served, client, gate, updates[0])
    client.send(updates[1])
    client.send(updates[2])
    query = dns.message.make_query("example", "SOA")
    client.send(key.sign(query))
    client.receive_until(query)  # those before it have arrived
    gate.open()
    answers = {answer.id: answer for answer in (client.receive() for _ in updates)}
    first, locked, free = (answers[update.id] for update in updates)
    assert first.rcode() == free.rcode() == dns.rcode.NOERROR
    assert locked.rcode() == dns.rcode.SERVFAIL and "locked until Monday" in extended_error(locked)[1]
    assert [served.serial(zone) for zone in ("example", "locked", "free")] == [8, 1, 2]
    assert remote.commits() == 3


def test_a_bad_update_spoils_nobody_elses(primary, repo, key, talk, gate, remote):
    """It is looked for until it alone is left: nothing of that is pushed.  Then the others need few commits."""
    n, bad = 700, 300
    dname = "old DNAME example.net.\n"
    repo.commit({"example": ZONE + dname, "_keys": key.line})
    write_hook(repo, "pre-receive", gate.line)
    served = primary(repo, zones=["example"])
    client = talk(served)
    first = add(key, "first", "192.0.2.9")
    first.id = 2 * n
    begin_a_push(served, client, gate, first)
    for i in range(n):
        update = add(key, "x.old" if i == bad else "x%d" % i, "192.0.2.9")
        update.id = 2 * i  # each its own
        client.send(update)
        if i % 20 == 0:  # so that no datagram is lost
            query = dns.message.make_query("example", "SOA", id=2 * i + 1)
            client.send(key.sign(query))
            client.receive_until(query)
    gate.open()
    codes = [client.receive().rcode() for _ in range(n + 1)]
    assert codes.count(dns.rcode.REFUSED) == 1 and codes.count(dns.rcode.NOERROR) == n
    assert addresses(served, "x%d.example" % (bad + 1)) == addresses(served, "x%d.example" % (bad - 1)) == ["192.0.2.9"]
    assert remote.commits() < 25, remote.log("--format=%s")


def test_a_serial_is_not_given_up(primary, repo, key, remote, tmp_path):
    """--serial: the push is refused; the next pull tries again."""
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(repo, "--serial=increment", zones=["example"])
    repo.commit({"example": ZONE.replace("192.0.2.25", "192.0.2.26")})
    no = tmp_path / "no"
    no.touch()
    write_hook(repo, "pre-receive", "if [ -e %s ]; then echo no >&2; exit 1; fi\n" % no)
    served.hangup()
    served.await_log("event=push-failed")
    assert served.serial("example") == 7 and addresses(served, "mx.example") == ["192.0.2.26"]
    no.unlink()
    served.hangup()
    served.await_serial("example", 8)
    assert remote.diff() == ["-             7       ; serial", "+             8       ; serial"]


def test_a_hook_without_end(primary, repo, key, talk, remote, tmp_path):
    """Something is said now and then, so there is progress; ten times --fetch-timeout is the end of it."""
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(repo, "--fetch-timeout=1", zones=["example"])
    goes_on = tmp_path / "goes-on"
    goes_on.touch()
    write_hook(repo, "pre-receive", "while [ -e %s ]; do echo . >&2; sleep 0.1; done\n" % goes_on)
    client, update = talk(served), add(key, "x", "192.0.2.9")
    client.send(update)
    served.await_log("takes far too long, though there is progress", limit_s=30)
    goes_on.unlink()
    assert client.receive().rcode() == dns.rcode.NOERROR  # of the next push
    assert remote.commits() == 2


# ---- files of others ----

def test_a_file_that_another_zone_includes(primary, repo, key, remote):
    """The other zone would have to change with it: what is in git stays what is served."""
    repo.commit({"example.org": SMALL, "example.net": "$INCLUDE example.org\n", "_keys": key.line})
    served = primary(repo, "--zones-by-update", zones=["example.org", "example.net"])
    change = add(key, "x", "192.0.2.9", zone="example.org")
    removal = update_of(key, "example.org")
    removal.delete("@", "SOA", "ns host 1 3600 3600 3600 3600")
    for update, rcode in ((change, dns.rcode.SERVFAIL), (removal, dns.rcode.REFUSED)):
        answer = send(served, with_edns(update))
        assert answer.rcode() == rcode and "zone" in extended_error(answer)[1], answer
    assert remote.commits() == 1
    assert served.serial("example.org") == served.serial("example.net") == 1
