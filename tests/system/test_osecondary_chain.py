"""oprimary → osecondary → BIND → osecondary: each change goes through all of them."""
import pytest

import secondaries
import servers
from tsig_key import Key

ZONE = "$TTL 60\n@ SOA ns1 host %d 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n"
FIRST, LAST = "127.0.0.8", "127.0.0.9"
OURS = Key("ours._transfer.chain.test.")
TO_BIND = Key("127.0.0.1.127.0.0.2._transfer.chain.test.")


@pytest.fixture
def chain(own_addresses, need, repo, primary, secondary, started, tmp_path):
    """(oprimary, osecondary, BIND, osecondary), each of which has serial 1 from the one before it."""
    need("named")
    repo.commit({"chain.test": ZONE % 1, "chain.test._keys": OURS.line + TO_BIND.line})
    first = primary(repo, port=53, address=FIRST, zones=[])
    second = secondary([OURS, TO_BIND], primaries=["%s@53" % FIRST], port=53)
    second.await_serial("chain.test", 1)
    third = started(secondaries.Bind(str(tmp_path), {"chain.test": TO_BIND}))
    third.await_serial("chain.test", 1)
    last = secondary([TO_BIND], "--refresh-max=1", "--refresh-min=1", primaries=["127.0.0.2@53"], port=53, address=LAST)
    last.await_serial("chain.test", 1)
    return first, second, third, last


def test_changes_go_through(chain, repo):
    first, second, third, last = chain
    for serial, hosts in ((2, 1), (3, 500), (4, 499), (5, 499)):
        repo.commit({"chain.test": ZONE % serial + "".join("h%d TXT \"%d\"\n" % (i, serial if i % 100 == 0 else 0) for i in range(hosts))})
        first.hangup()
        for server in second, third, last:
            server.await_serial("chain.test", serial)
        assert records(last) == records(second) == secondaries.canonical(third.records("chain.test"))
    for server in second, last:
        assert "changes-do-not-fit" not in server.log()
        assert "form=changes" in server.log()
    for server in last, second, first:
        server.stop()


def records(server):
    return secondaries.canonical(secondaries.transfer(server.address, "chain.test", server.port, TO_BIND))


def test_the_middle_is_away(chain, repo, secondary):
    """What the last one has, it serves on; when the middle is back, the change comes."""
    first, second, third, last = chain
    second.stop()
    repo.commit({"chain.test": ZONE % 2})
    first.hangup()
    servers.await_true("the primary has it", lambda: first.serial("chain.test") == 2)
    assert last.serial("chain.test") == 1 and third.serial("chain.test") == 1
    second = secondary([OURS, TO_BIND], primaries=["%s@53" % FIRST], port=53)
    last.await_serial("chain.test", 2)
    for server in last, second, first:
        server.stop()
