"""Another transfer key for a secondary: at every moment it is told with one that it knows, and told at once."""
import re
import subprocess

import pytest

import secondaries
import servers

ZONE = "$TTL 300\n@ SOA ns host %d 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n"
PASSES_FOR_UNREACHED = re.compile(r"event=notify-(unverified|unreached|unanswered|refused) ")


@pytest.fixture(scope="module")
def own_addresses(port_53):
    """BIND listens only where an interface says that the address is its own."""
    for make in secondaries.MAKES.values():
        subprocess.run(["ip", "address", "add", make.address + "/8", "dev", "lo"], check=False)


class Rotation:
    def __init__(self, served, repo, notify, updater, address):
        self.served, self.repo, self.notify, self.updater, self.address = served, repo, notify, updater, address

    def push(self, files):
        self.repo.commit(files)
        self.notify(self.served.port, "test", self.updater)

    def acknowledged(self, serial, after):
        """The key and the number of attempts, by the log."""
        line = r"event=notify-acknowledged to=%s@53 transport=tcp zone=example.test\. serial=%d key=(\S+)\. attempts=(\d+)\b"
        return self.served.await_log(line % (re.escape(self.address), serial), after=after).groups()

    def change(self, serial):
        """Pushes another version; with which key was the secondary told?"""
        before = len(self.served.log())
        self.push({"example.test": ZONE % serial})
        return self.acknowledged(serial, before)


@pytest.mark.parametrize("make", ["bind", "knot", "nsd"])
def test_a_rotation(own_addresses, primary, repo, make_key, notify, started, tmp_path, need, make):
    kind = secondaries.MAKES[make]
    need(kind.binary)
    updater = make_key("hook._notify.")
    old, new = (make_key("%d.127.0.0.1.%s._transfer.test" % (year, kind.address), algorithm=kind.algorithm, secret=b"%-32d" % year)
                for year in (2025, 2026))
    repo.commit({"example.test": ZONE % 1, "_keys": updater.line, "test._keys": old.line})
    served = primary(repo, port=secondaries.PORT, zones=["example.test"])
    rotation = Rotation(served, repo, notify, updater, kind.address)
    peer = started(kind(str(tmp_path), {"example.test": old}))
    peer.await_serial("example.test", 1)
    assert rotation.change(2) == (old.name, "1")

    # The new key comes behind the old one.  Of the same version the secondary is told with both, and takes it with the one that it knows.
    before = len(served.log())
    rotation.push({"test._keys": old.line + new.line})
    assert rotation.acknowledged(2, before) == (old.name, "1")
    assert rotation.change(3) == (old.name, "1")
    peer.await_serial("example.test", 3)

    # The secondary gets it.
    peer.leave()
    peer = started(kind(str(tmp_path), {"example.test": new}))
    assert rotation.change(4) == (new.name, "1")
    peer.await_serial("example.test", 4)

    # The old one goes.
    rotation.push({"test._keys": new.line})
    assert rotation.change(5) == (new.name, "1")
    peer.await_serial("example.test", 5)
    assert not PASSES_FOR_UNREACHED.search(served.log()[before:]), served.log_tail()
