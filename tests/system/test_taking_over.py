"""Sockets that a process inherits from the service manager: of a socket unit, and those that the process before it had.  While one process
ends and the next begins, no question is lost."""
import json
import os
import signal
import socket
import subprocess
import sys

import dns.message
import pytest

import servers
from service_manager import Manager

ZONE = "$TTL 60\n@ SOA ns host %d 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.80\n"
LOAD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "steady_load.py")
RATE = 2000  # questions a second
BOTH = (socket.SOCK_DGRAM, socket.SOCK_STREAM)


@pytest.fixture
def manager(tmp_path):
    m = Manager(str(tmp_path / "notify"))
    yield m
    m.close()


@pytest.fixture
def zones(repo):
    repo.commit({"example": ZONE % 1})
    return repo


@pytest.fixture
def serve(primary, manager, zones):
    """serve(option…, port=…) → an oprimary that the manager has started, and that has said that it is ready."""
    def start(*options, **more):
        served = manager.start(lambda **how: primary(zones, "--workers=2", *options, **how, **more))
        manager.await_said("READY=1")
        return served
    return start


@pytest.fixture
def loaded():
    """loaded(port) → a steady load, which ends, and has its figures, when it is called."""
    running = []

    def start(port):
        load = subprocess.Popen([sys.executable, LOAD, servers.ADDRESS, str(port), "www.example", str(RATE)], stdout=subprocess.PIPE, text=True)
        running.append(load)
        assert load.stdout.readline() == "asking\n"

        def end():
            load.send_signal(signal.SIGTERM)
            return json.loads(load.communicate(timeout=60)[0])
        return end
    yield start
    for load in running:
        load.kill()
        load.wait()


def address_of(served):
    return next(option for option in served.argv if option.startswith("--listen="))


# ---- an upgrade ----

def test_no_question_is_lost(serve, loaded, request):
    """The process before ends as on `systemctl restart`, before the next one begins."""
    many = ["--tcp-per-client=5000", "--tcp-max=5000"]  # all come from one address, and at once after a pause
    served = serve(*many)
    end = loaded(served.port)
    restarts = request.config.getoption("--restarts") or 8
    for _ in range(restarts):
        served.await_true("it is asked", lambda s=served: s.stat("udp_queries") > RATE / 10)
        served.stop()
        served = serve(*many, port=served.port)
        served.await_log("event=taken-over")
    got = end()
    print("%d restarts: %s" % (restarts, got))
    for transport in ("udp", "tcp"):
        assert got[transport]["unanswered"] == got[transport]["wrong"] == 0, got
        assert got[transport]["asked"] > 1000, got
    served.stop()


def test_a_killed_process_loses_no_socket(serve, manager):
    served = serve()
    names = manager.names()
    served.popen.kill()
    served.popen.wait()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waiting:
        waiting.settimeout(servers.START_LIMIT_S)
        waiting.connect((servers.ADDRESS, served.port))
        waiting.send(dns.message.make_query("www.example", "A").to_wire())  # nobody is there
        again = serve(port=served.port)
        answer = dns.message.from_wire(waiting.recv(4096))
    assert answer.answer and manager.names() == names
    again.await_log("event=listening address=.* inherited=yes")
    again.await_log(r"event=taken-over waited_ms=\d+")
    again.stop()


def test_a_secondary_answers_from_its_state(serve, secondary, manager, zones, key, tmp_path, request):
    """Until it has zones it does not touch what waits."""
    zones.commit({"_keys": key.line})
    first = serve()
    state = tmp_path / "state"
    state.mkdir()

    def start(port=None):
        found = manager.start(lambda **how: secondary([key], "--state-dir=%s" % state, "--workers=1", "--user=root", primaries=[
            "%s@%d" % (servers.ADDRESS, first.port)], port=port, **how))
        manager.await_said("READY=1")
        return found
    manager.kept = []
    served = start()
    served.await_serial("example", 1)
    served.stop()
    first.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waiting:
        waiting.settimeout(servers.START_LIMIT_S)
        waiting.connect((servers.ADDRESS, served.port))
        waiting.send(dns.message.make_query("www.example", "A").to_wire())
        again = start(served.port)
        assert dns.message.from_wire(waiting.recv(4096)).answer
    again.stop()


def test_what_is_open_is_answered_at_the_end(serve):
    """Over a connection that is open: whatever has arrived before the end has its answer, and then the connection closes."""
    served = serve()
    message = dns.message.make_query("www.example", "A").to_wire()
    with socket.create_connection((servers.ADDRESS, served.port), timeout=servers.STOP_LIMIT_S) as open_one:
        os.kill(served.pid, signal.SIGSTOP)  # it finds the questions together with the signal
        open_one.sendall(20 * (len(message).to_bytes(2, "big") + message))
        os.kill(served.pid, signal.SIGTERM)
        os.kill(served.pid, signal.SIGCONT)
        octets = b""
        while part := open_one.recv(65536):
            octets += part
    answers = 0
    while octets:
        n = int.from_bytes(octets[:2], "big")
        answers += bool(dns.message.from_wire(octets[2:2 + n]).answer)
        octets = octets[2 + n:]
    assert answers == 20
    served.stop()


# ---- other options than before ----

def test_fewer_workers_leave_no_socket_without_a_reader(serve, manager, loaded):
    served = serve()
    before = manager.names()
    assert len(before) == 4 and "origin-kept.udp.%s@%d.1" % (servers.ADDRESS, served.port) in before
    served.stop()
    served = serve("--workers=1", port=served.port)
    servers.await_true("the manager keeps two", lambda: len(manager.names()) == 2 or manager.hear(5), servers.START_LIMIT_S)
    end = loaded(served.port)
    served.await_true("it is asked", lambda: served.stat("udp_queries") > 500)
    got = end()
    assert got["udp"]["unanswered"] == got["tcp"]["unanswered"] == 0
    served.stop()
    served = serve("--workers=3", port=served.port)
    assert len(manager.names()) == 6 and len(set(manager.names())) == 6
    served.stop()


def test_another_address_gives_up_the_first(serve, manager):
    served = serve()
    port = served.port
    served.stop()
    served = serve()
    assert served.port != port and all("@%d." % served.port in name for name in manager.names()), manager.names()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((servers.ADDRESS, port))  # nobody has it
    served.stop()


# ---- a socket unit ----

@pytest.mark.parametrize("shared", [True, False], ids=["ReusePort=yes", "ReusePort=no"])
def test_a_socket_unit(serve, manager, shared):
    """One socket for each transport: workers have more of the address where they can, else they share it."""
    port = servers.free_port()
    manager.listen("oprimary.socket", (servers.ADDRESS, port), *BOTH, shared=shared)
    served = serve(port=port)
    served.await_log("event=listening address=.* inherited=yes")
    assert len(manager.names()) == (2 if shared else 0)
    for tcp in 10 * (False, True):
        assert served.ask("www.example", tcp=tcp).answer
    served.stop()
    served = serve(port=port)
    assert served.ask("www.example").answer and served.ask("www.example", tcp=True).answer
    served.stop()


def without_listen(bindir, manager, tmp_path, zones, *options):
    """Where the command line names no address, the unit's addresses count."""
    return manager.start(lambda wrapper, env, **how: servers.Process(
        [*wrapper, os.path.join(bindir, "oprimary"), "--remote=" + zones.url, *options], str(tmp_path), "oprimary",
        env={**servers.sanitizer_env(), **env}, **how))


def test_the_units_addresses(bindir, manager, tmp_path, zones, started):
    ports = [servers.free_port(), servers.free_port()]
    for port in ports:
        manager.listen("oprimary.socket", (servers.ADDRESS, port), *BOTH)
    served = started(without_listen(bindir, manager, tmp_path, zones))
    manager.await_said("READY=1")
    for port in ports:
        assert servers.ask(port, "www.example").answer and servers.ask(port, "www.example", tcp=True).answer
    assert served.end() == 0 and len(served.log().split("event=listening")) == 3


def test_a_first_pull_that_fails(bindir, manager, tmp_path, zones, started):
    """What waits is not answered before there are zones, as the next pull may bring them."""
    port, hidden = servers.free_port(), zones.bare + ".hidden"
    manager.listen("oprimary.socket", (servers.ADDRESS, port), *BOTH)
    os.rename(zones.bare, hidden)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waiting:
        waiting.settimeout(servers.START_LIMIT_S)
        waiting.connect((servers.ADDRESS, port))
        waiting.send(dns.message.make_query("www.example", "A").to_wire())
        served = started(without_listen(bindir, manager, tmp_path, zones))
        served.await_log("event=pull-failed")
        os.rename(hidden, zones.bare)
        assert dns.message.from_wire(waiting.recv(4096)).answer
    assert served.end() == 0


@pytest.mark.parametrize("bad", ["not in --listen", "both families", "not DNS's"])
def test_a_socket_that_does_not_fit_ends_the_start(bindir, manager, tmp_path, zones, started, bad):
    port = servers.free_port()
    options = []
    if bad == "not in --listen":
        manager.listen("oprimary.socket", (servers.ADDRESS, port), *BOTH)
        options, said = ["--listen=127.0.0.2@%d" % port], "socket oprimary.socket of the service manager: its address is not in --listen"
    elif bad == "both families":
        manager.listen("oprimary.socket", ("::", port), *BOTH)
        said = "neither UDP nor a listener for TCP, of IPv4 or IPv6 alone"
    else:
        one, other = socket.socketpair()
        other.close()
        manager.unit.append(("oprimary.socket", one.detach()))
        said = "neither UDP nor a listener for TCP"
    served = started(without_listen(bindir, manager, tmp_path, zones, *options))
    assert served.popen.wait(servers.STOP_LIMIT_S) in (1, 2)
    assert said in served.log() and "ListenDatagram=" in served.log()
