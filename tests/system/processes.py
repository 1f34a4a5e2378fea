"""What the kernel shows of processes: what they are, what they have in memory, what they may do."""
import contextlib
import os
import re
import signal

import servers


def all_of(served):
    """Every process of a primary, the main one first."""
    return [served.pid, *servers.descendants(served.pid)]


def name(pid):
    with open("/proc/%d/comm" % pid) as f:
        return f.read().strip()


def named(served, wanted):
    """The one process of that name."""
    (pid,) = [p for p in all_of(served) if name(p) == wanted]
    return pid


def status(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(re.findall(r"^(\w+):[ \t]*(.*)$", f.read(), re.M))


def kib(pid, figure):
    """VmHWM, RssAnon, ..."""
    return int(status(pid)[figure].split()[0])


def is_stopped(pid):
    return status(pid)["State"].startswith("T")


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    servers.await_true("it is stopped", lambda: is_stopped(pid))


def is_gone(pid):
    try:
        return status(pid)["State"][0] in "ZX"
    except OSError:  # also while it goes
        return True


MAPPING_MAX = 1 << 30  # a sanitizer's shadow is larger, and holds no text


def memory_has(pid, wanted):
    """Where in its memory the process has one of these."""
    found = set()
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            begin, end, mode, where = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+\s*(.*)", line).groups()
            begin, end = int(begin, 16), int(end, 16)
            if mode.startswith("r") and not where.startswith("[v") and end - begin < MAPPING_MAX:
                octets = read_range(mem, begin, end)
                found |= {"%s in %s" % (w, where or "anonymous") for w in wanted if w in octets}
    return found


def read_range(mem, begin, end, step=1 << 24):
    found = []
    for at in range(begin, end, step):
        with contextlib.suppress(OSError):
            mem.seek(at)
            found.append(mem.read(min(step, end - at)))
    return b"".join(found)
