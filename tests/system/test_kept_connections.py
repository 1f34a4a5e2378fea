"""A secondary that keeps its connections to us: Knot with remote-pool-limit.  It asks by one, and takes whatever comes next for the
answer; so it is told at its address, and nowhere else.
"""
import re
import time

import dns.rcode
import pytest

import secondaries
import servers

ZONE = """$TTL 300
@    SOA  ns1 host %d 86400 43200 2419200 300
@    NS   ns1
@    NS   ns3
ns1  A    127.0.0.1
ns3  A    127.0.0.3
"""
LONG_S, CHANGES_MIN = 5, 6  # longer than any of our waits after a question
NAMED = "127.0.0.1.127.0.0.3._transfer.test"


class Pooling(secondaries.Knot):
    """`is_via`: it asks from the address that it listens on."""
    is_via = True

    def configure(self):
        command = super().configure()
        with open(self.path("knot.conf")) as f:
            conf = f.read().replace("server:\n", "server:\n  remote-pool-limit: 8\n  remote-pool-timeout: 120\n")
        if not self.is_via:
            conf = re.sub(r"\n +via: .*", "", conf)
        servers.write(self.path("knot.conf"), conf)
        return command


CASES = {  # the key's name, whether it asks from where it listens, whether its NOTIFY comes unsigned
    "key-names-it": (NAMED, True, False), "it-asks-from-elsewhere": (NAMED, False, False), "ns-record-names-it": ("some._transfer.test", True, True),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_it_follows_at_once(port_53, need, primary, repo, make_key, notify, notify_key, started, tmp_path, case):
    """Change after change, for longer than a question of its is young; the next refresh would be in a day."""
    need("knotd")
    name, is_via, is_plain = CASES[case]
    key = make_key(name, algorithm="SHA384")
    repo.commit({"a.test": ZONE % 1, "b.test": ZONE % 1, "_keys": notify_key.line, "test._keys": key.line})
    served = primary(repo, port=secondaries.PORT, zones=["a.test", "b.test"])
    kind = type("Pooling", (Pooling,), {"is_via": is_via})
    knot = started(kind(str(tmp_path), {"a.test": key, "b.test": key}, plain=["a.test", "b.test"] if is_plain else []))
    for zone in "a.test", "b.test":
        knot.await_serial(zone, 1)
    serial, begun = 1, time.monotonic()
    while serial <= CHANGES_MIN or time.monotonic() - begun < LONG_S:
        serial += 1
        repo.commit({"a.test": ZONE % serial, **({"b.test": ZONE % serial} if serial % 2 else {})})
        assert notify(served.port, "test", notify_key).rcode() == dns.rcode.NOERROR
        knot.await_serial("a.test", serial)
        if serial % 2:
            knot.await_serial("b.test", serial)
    assert served.stat("sent_connection", "notify-stats") == 0, served.log()
    sent = re.findall(r"event=transfer-sent to=127\.0\.0\.\d+@(\d+) zone=a\.test\. ", served.log())
    assert len(sent) >= serial and len(set(sent)) < len(sent) / 2, sent  # it did keep its connections
    knot.end()
    served.stop()
