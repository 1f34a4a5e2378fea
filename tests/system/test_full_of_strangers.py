"""All TCP connections are taken, by people whom nobody knows: who is known stays, and whoever comes is answered."""
import re

import dns.message
import dns.query
import dns.rcode
import pytest

import servers
from askers import Asker
from repository import write_hook
from updates import add

TCP_MAX, STRANGERS = 40, 240
SOA = "$TTL 300\n@ SOA ns1 host 1 86400 43200 2419200 300\n@ NS ns1\nns1 A 127.0.0.1\n"
ZONE = SOA + "".join("h%d TXT \"%s\"\n" % (n, "x" * 200) for n in range(40000))  # more than sockets take


def silent(served, started, i):
    """Connects, and says nothing."""
    return started(Asker(served.port, "127.0.%d.%d" % (1 + i // 200, 1 + i % 200)))


def asking(served, started, i):
    """Has asked, has its answer, and stays."""
    asker = silent(served, started, i)
    asker.ask("ns1.example", "A")
    asker.has_something(10)
    return asker


def greedy(served, started, i):
    """Asks for what it may not have, and for much that it does not read."""
    asker = silent(served, started, i)
    asker.ask("example", "AXFR")
    for _ in range(20):
        asker.ask("h1.example", "TXT")
    return asker


@pytest.fixture
def keys(make_key):
    return {right: make_key("k._%s.example" % right) for right in ("transfer", "update")}


@pytest.fixture
def served(primary, repo, keys):
    repo.commit({"example": ZONE, "example._keys": "".join(k.line for k in keys.values())})
    return primary(repo, "--tcp-max=%d" % TCP_MAX, "--workers=2", zones=["example"])


@pytest.mark.parametrize("stranger", [silent, asking, greedy])
def test_strangers_put_out_nobody_who_is_known(served, repo, keys, gate, started, stranger):
    """A transfer that is being read, an update that awaits its commit, and a connection by which a secondary is to hear of changes."""
    write_hook(repo, "pre-receive", gate.line)
    transfer = started(Asker(served.port, "127.0.0.2", keys["transfer"]).ask("example"))
    assert transfer.take()
    kept = started(Asker(served.port, "127.0.0.3", keys["transfer"]).ask("example", "SOA"))
    assert kept.take()
    update = started(Asker(served.port, "127.0.0.4"))
    request = add(keys["update"], "new", "192.0.2.1")
    dns.query.send_tcp(update.tcp, request)
    served.await_true("the push waits", gate.waiting)
    herd = []
    for i in range(STRANGERS):
        herd.append(stranger(served, started, i))
        if i % 16 == 0:
            assert transfer.take() and not kept.is_cut() and not update.is_cut(), served.log_tail()
    servers.await_true("most of them had to go", lambda: sum(s.is_cut() for s in herd) >= STRANGERS - TCP_MAX)
    question(served, "127.0.0.5")
    gate.open()
    assert dns.query.receive_tcp(update.tcp, keyring=request.keyring, request_mac=request.mac)[0].rcode() == dns.rcode.NOERROR
    while transfer.taken < 40000 * 200:
        assert transfer.take(1 << 20)
    served.await_true("all is sent", lambda: (transfer.has_something() and not transfer.take(1 << 20)) or
                      re.search("event=transfer-sent to=%s " % transfer.name, served.log()))
    assert not kept.is_cut()
    assert served.stat("tcp_evicted") >= STRANGERS - TCP_MAX - 16
    assert not was_cut_for_others(served, transfer)
    served.stop()


def test_who_comes_has_time_to_ask(served, started):
    """Each one that comes puts out one that is idle, and not the one that came before it."""
    for i in range(TCP_MAX):
        asking(served, started, i)
    news = [silent(served, started, i) for i in range(TCP_MAX, TCP_MAX + TCP_MAX // 2)]
    for asker in news:
        asker.ask("ns1.example", "A")
    assert all(asker.take() for asker in news), served.log_tail()
    served.stop()


def test_keys_do_not_keep_all_others_out(served, repo, keys, gate, started):
    """Updates that await their answers on more connections than there are: the rest of the places is for others."""
    write_hook(repo, "pre-receive", gate.line)
    herd = []
    for i in range(2 * TCP_MAX):
        herd.append(silent(served, started, i))
        dns.query.send_tcp(herd[-1].tcp, add(keys["update"], "h%d" % i, "192.0.2.1"))
    served.await_true("the push waits", gate.waiting)
    for i in range(5):
        question(served, "127.0.0.%d" % (10 + i))
    assert sum(not s.is_cut() for s in herd) >= TCP_MAX // 2
    gate.open()
    served.stop()


def test_transfers_that_wait_hold_no_places(primary, repo, keys, make_key, started):
    """One key, many addresses, one place for transfers, and all connections: who has another key is served, and so is a question."""
    flooder = make_key("flooder._transfer.example")
    repo.commit({"example": ZONE, "example._keys": keys["transfer"].line + flooder.line})
    served = primary(repo, "--tcp-max=%d" % TCP_MAX, "--workers=1", "--transfers-max=2", zones=["example"])
    herd = []
    for i in range(2 * TCP_MAX):
        herd.append(started(Asker(served.port, "127.0.1.%d" % (1 + i), flooder).ask("example")))
        if i % 4 == 0:
            assert herd[0].take(), served.log_tail()  # who reads nothing while others wait is cut after some seconds
    question(served, "127.0.0.2")
    other = started(Asker(served.port, "127.0.0.3", keys["transfer"]).ask("example"))
    while other.taken < 40000 * 200:
        assert other.take() and (herd[0].taken > other.taken or herd[0].take()), served.log_tail()
    assert not was_cut_for_others(served, herd[0])
    served.stop()


def was_cut_for_others(served, asker):
    return re.search("event=transfer-cut to=%s .*all TCP connections" % re.escape(asker.name), served.log())


def question(served, source):
    answer = dns.query.tcp(dns.message.make_query("ns1.example", "A"), servers.ADDRESS, 10, served.port, source=source)
    assert answer.rcode() == dns.rcode.NOERROR and answer.answer
