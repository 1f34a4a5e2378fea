"""What takes more memory than there is: it is rejected with figures, all else is served, and the next good push leads out."""
import os
import re
import resource
import socket

import dns.rcode
import pytest

import processes
import servers

SOA = "$TTL 300\n@ SOA ns1 host %d 86400 43200 2419200 300\n@ NS ns1\nns1 A 127.0.0.1\n"
LIMIT = 64  # MiB: 48 of them for zones
# What a sanitizer keeps of what was freed, and of stacks, is not ours.
NOTHING_KEPT = {"ASAN_OPTIONS": servers.sanitizer_env()["ASAN_OPTIONS"] + ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0"}


def zone(serial=1, records=0):
    return SOA % serial + ("$GENERATE 1-%d h$ A 192.0.2.1\n" % records if records else "")


def peak_mib(pid):
    return processes.kib(pid, "VmHWM") >> 10


@pytest.fixture
def limited(primary, repo):
    """limited(option…, zones=[…]) → a primary that has not much."""
    def start(*options, **more):
        return primary(repo, "--memory-max=%d" % LIMIT, *options, env=NOTHING_KEPT, **more)
    return start


def rejected(log):
    return sorted(re.findall(r"event=zone-rejected file=(\S+)", log))


GENERATED = ["z%02d.example" % n for n in range(14)]


def test_generated_records_do_not_end_it(limited, repo, notify, notify_key, started):
    """2 kB of text that stand for 3.5 million records, and 280 MiB."""
    repo.commit({"a.example": zone(), "zz.example": zone(), "_keys": notify_key.line})
    served = limited(zones=["a.example", "zz.example"])
    assert re.search(r"event=memory max_mib=%d from=--memory-max zones_mib=48 fetch_mib=\d+" % LIMIT, served.log())
    before = peak_mib(served.pid)
    repo.commit({**{name: zone(records=250000) for name in GENERATED}, "a.example": zone(2)})
    assert notify(served.port, "a.example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_serial("a.example", 2)
    served.await_log(r"event=commit-served .*rejected=12\b")
    assert "code=memory-max" in served.log()
    assert peak_mib(served.pid) - before < 3 * LIMIT  # twice as much with a sanitizer
    assert served.stat("zones_octets") <= 48 << 20 == served.stat("zones_octets_max")
    assert rejected(served.log()) == GENERATED[2:]
    assert served.ask("h7.z01.example").rcode() == dns.rcode.NOERROR
    served.stop()

    again = limited(zones=["a.example", "zz.example"])  # with the same tree: small zones first, then by name
    again.await_log(r"event=commit-served .*rejected=12\b")
    assert rejected(again.log()) == GENERATED[2:]
    assert again.serial("z01.example") == 1 and again.serial("a.example") == 2
    repo.commit({name: None for name in GENERATED})
    assert notify(again.port, "a.example", notify_key).rcode() == dns.rcode.NOERROR
    again.await_log(r"event=commit-served .*removed=2 rejected=0\b")
    assert again.stat("zones_octets") < 1 << 20
    again.stop()


def test_what_is_rejected_comes_when_there_is_room(limited, repo, notify, notify_key):
    repo.commit({"a.example": zone(records=400000), "b.example": zone(records=400000), "c.example": zone(), "_keys": notify_key.line})
    served = limited("--mass-delete-records-percent=100", zones=["a.example", "c.example"])
    served.await_log(r"event=zone-rejected file=b\.example")
    assert served.serial("b.example") is None
    repo.commit({"a.example": zone(2, records=10)})
    assert notify(served.port, "a.example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_serial("b.example", 1)  # nobody pushed it again
    served.stop()


# ---- memory that the system does not give ------------------------------------

AS_ME = ["--user=root"] if os.geteuid() == 0 else []  # or its limits would not be ours to set


class Scarce:
    """A process that can take no more than `mib` beside what it has; give() lets it have the rest again."""

    def __init__(self, pid):
        self.pid, self.before = pid, resource.prlimit(pid, resource.RLIMIT_DATA)

    def leave(self, mib):
        held_kib = processes.kib(self.pid, "VmData")
        resource.prlimit(self.pid, resource.RLIMIT_DATA, ((held_kib << 10) + (mib << 20), self.before[1]))

    def give(self):
        resource.prlimit(self.pid, resource.RLIMIT_DATA, self.before)


def test_allocations_that_fail_cost_a_push(plain_primary, repo, notify, notify_key):
    """Far below --memory-max, of which the machine knows nothing."""
    repo.commit({"a.example": zone(), "_keys": notify_key.line})
    served = plain_primary(repo, *AS_ME, "--memory-max=4096", zones=["a.example"])
    scarce = Scarce(served.pid)
    scarce.leave(8)
    repo.commit({"a.example": zone(2), "b.example": zone(records=900000)})
    assert notify(served.port, "a.example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_log(r"event=(zone-rejected file=b\.example .*|commit-failed .*)text=\"out of memory\"")
    assert served.ask("ns1.a.example").rcode() == dns.rcode.NOERROR
    scarce.give()
    repo.commit({"c.example": zone()})
    assert notify(served.port, "a.example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_serial("b.example", 1)  # nobody pushed it again
    assert served.serial("a.example") == 2 and served.serial("c.example") == 1
    served.stop()


def test_allocations_that_fail_cost_a_connection(plain_primary, repo):
    repo.commit({"a.example": zone()})
    served = plain_primary(repo, *AS_ME, "--tcp-max=20000", "--tcp-per-client=20000", "--memory-max=4096", zones=["a.example"])
    scarce = Scarce(served.pid)
    scarce.leave(0)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    taken = []
    try:
        while len(taken) < min(files - 100, 20000) and (len(taken) % 100 or served.stat("tcp_refused") == 0):
            s = socket.create_connection((servers.ADDRESS, served.port), timeout=5)
            s.sendall(b"\x10")  # the beginning of a message: it takes more memory
            taken.append(s)
        assert served.ask("a.example", "SOA").rcode() == dns.rcode.NOERROR
    finally:
        for s in taken:
            s.close()
    scarce.give()
    servers.await_true("TCP is answered", lambda: served.ask("a.example", "SOA", tcp=True).rcode() == dns.rcode.NOERROR)
    served.stop()
