"""Two hosts with a cable between them, each a network namespace of its own: only for root, in the tests' own network (loopback.py).

    with hosts.pair("10.0.42.2", "10.0.42.3") as (one, two):
        with one.inside():
            served = primary(repo, port=53, address=one.address)   # it lives there; so does all that it starts
        one.cut()                                                  # packets get lost
        one.vanish(); hosts.plug(one, two)                         # a new host, with a new cable, has its address
"""
import contextlib
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Host:
    """A namespace lives as long as the process that holds it, or one that was started inside."""

    def __init__(self, address):
        self.address = address
        self.begin()

    def begin(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE)
        self.holder.stdout.readline()  # it is there
        self.there = os.open("/proc/%d/ns/net" % self.holder.pid, os.O_RDONLY)

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is in this host, with the sockets and programs that it begins there."""
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            enter(self.there)
            try:
                yield self
            finally:
                enter(back)
        finally:
            os.close(back)

    def set_up(self):
        with self.inside():
            ip("link", "set", "lo", "up")
            ip("address", "add", self.address + "/24", "dev", "cable")
            ip("link", "set", "cable", "up")

    def cut(self):
        with self.inside():
            ip("link", "set", "cable", "down")

    def mend(self):
        with self.inside():
            ip("link", "set", "cable", "up")

    def vanish(self):
        """What was started inside has been killed.  No FIN and no RST of its connections arrives, now or later."""
        self.end()
        self.begin()

    def end(self):
        os.close(self.there)
        self.holder.kill()
        self.holder.communicate()


def enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns: " + os.strerror(ctypes.get_errno()))


def plug(one, two):
    for host in one, two:
        with host.inside(), contextlib.suppress(subprocess.CalledProcessError):
            ip("link", "delete", "cable")  # its other end vanishes some time after its host
    with one.inside():
        ip("link", "add", "name", "cable", "type", "veth", "peer", "name", "cable", "netns", str(two.holder.pid))
    for host in one, two:
        host.set_up()


@contextlib.contextmanager
def pair(*addresses):
    both = [Host(a) for a in addresses]
    try:
        plug(*both)
        yield both
    finally:
        for host in both:
            host.end()
