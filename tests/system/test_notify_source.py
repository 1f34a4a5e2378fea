"""From which of its addresses a primary sends NOTIFY: a secondary may take it from one alone."""
import contextlib
import socket

import pytest

import servers

ZONE = "$TTL 300\n@ SOA ns host 1 3600 600 86400 300\n@ NS ns\n@ NS plain\nns A 127.0.0.1\nplain A 127.0.0.8\n"
KNOWN, UNKNOWN, PLAIN = "127.0.0.6", "127.0.0.7", "127.0.0.8"  # of secondaries: by what their key calls the primary; without a key
NOTIFY = 4  # the opcode


class Secondary:
    """On port 53 of an address: takes one NOTIFY, and sees where it comes from."""

    def __init__(self, address, kind):
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.settimeout(servers.START_LIMIT_S)
        self.socket.bind((address, 53))
        if kind == socket.SOCK_STREAM:
            self.socket.listen()

    def source(self):
        if self.socket.type == socket.SOCK_STREAM:
            peer, whence = self.socket.accept()
            with peer, peer.makefile("rb") as stream:
                peer.settimeout(servers.START_LIMIT_S)
                octets = stream.read(int.from_bytes(stream.read(2), "big"))
        else:
            octets, whence = self.socket.recvfrom(65535)
        assert octets[2] >> 3 == NOTIFY and octets[12:].startswith(b"\7example\0"), octets
        return whence[0]


@pytest.fixture
def files(make_key):
    """The name of one key calls 127.0.0.3 the primary's, that of the other an address that is not ours."""
    keys = [make_key("127.0.0.3.%s._transfer" % KNOWN), make_key("127.0.0.9.%s._transfer" % UNKNOWN)]
    return {"example": ZONE, "_keys": "".join(k.line for k in keys)}


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
@pytest.mark.parametrize("options, others", [
    (("--listen=127.0.0.2@5301", "--listen=127.0.0.3@5301", "--notify-source=127.0.0.2"), "127.0.0.2"),
    (("--listen=127.0.0.3@5301",), "127.0.0.1"),  # as the system likes: there is another listener, on 127.0.0.1
])
def test_where_it_comes_from(port_53, primary, repo, files, kind, options, others):
    repo.commit(files)
    with contextlib.ExitStack() as stack:
        secondaries = {address: Secondary(address, kind) for address in (KNOWN, UNKNOWN, PLAIN)}
        for s in secondaries.values():
            stack.enter_context(s.socket)
        primary(repo, *options, zones=["example"])
        assert {address: s.source() for address, s in secondaries.items()} == {KNOWN: "127.0.0.3", UNKNOWN: others, PLAIN: others}


@pytest.mark.parametrize("option, said", [
    ("--notify-source=0.0.0.0", "should be an address of this machine"),
    ("--notify-source=127.0.0.1@53", "should be an address of this machine"),
    ("--notify-source=nobody", "should be an address of this machine"),
])
def test_what_is_no_source(program, option, said):
    assert said in program("oprimary", "--remote=/nowhere", option, status=2).stderr


def test_two_of_a_family(program):
    done = program("oprimary", "--remote=/nowhere", "--notify-source=127.0.0.1", "--notify-source=127.0.0.2", status=2)
    assert "another address of that family was given" in done.stderr
