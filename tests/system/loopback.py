"""A network of one's own, with a loopback and nothing else: what runs there disturbs nobody, and whatever addresses are in its zones,
nothing of it reaches them.

enter() takes the calling process there, with all that it starts from then on.  Root makes a network namespace; others make one inside of
a user namespace, in which they are who they were.  tests/system, bench/run, tools/check and tools/loopback begin with it.
"""
import ctypes
import fcntl
import os
import socket
import struct

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP, IFF_LOOPBACK = 0x1, 0x8
IFREQ = "16sh22x"
HOST = "ORIGIN_TEST_NET"  # "host": stay in the machine's network
ADVICE = ("become root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, "
          "user.max_user_namespaces), or use a container without a network (docker run --network=none); %s=host stays in the "
          "machine's network" % HOST)


class Refused(Exception):
    """There is no such network to be had; the text says why, and what to do."""


def enter():
    """True: we are in a network of our own.  False: ORIGIN_TEST_NET=host wants the machine's."""
    if os.environ.get(HOST) == "host":
        return False
    why = "no reason"
    for flags in ([CLONE_NEWNET] if os.geteuid() == 0 else []) + [CLONE_NEWUSER | CLONE_NEWNET]:
        why = obstacle(flags)
        if why is None:
            leave(flags)
            return True
    if is_alone():
        return True
    raise Refused("no network of our own for tests and benches of servers (%s): %s" % (why, ADVICE))


def obstacle(flags):
    """Why leave() would fail, tried by a child: a namespace that lacks something cannot be left again.  None: it would not."""
    from_child, to_parent = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            leave(flags)
        except OSError as why:
            os.write(to_parent, why.strerror.encode())
        os._exit(0)
    os.close(to_parent)
    with open(from_child) as f:
        why = f.read()
    os.waitpid(child, 0)
    return why or None


def leave(flags):
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    set_up("lo")  # before the ids are mapped, as it takes capabilities that go then
    if flags & CLONE_NEWUSER:
        for name, text in ("setgroups", "deny"), ("gid_map", "%d %d 1" % (gid, gid)), ("uid_map", "%d %d 1" % (uid, uid)):
            with open("/proc/self/" + name, "w") as f:
                f.write(text)


def interface_flags(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        answer = fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack(IFREQ, name.encode(), 0))
    return struct.unpack(IFREQ, answer)[1]


def set_up(name):
    flags = interface_flags(name) | IFF_UP
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack(IFREQ, name.encode(), flags))


def is_alone():
    """Is all that is up here a loopback?  A namespace may have tunnels that are down."""
    up = [flags for flags in (interface_flags(name) for _, name in socket.if_nameindex()) if flags & IFF_UP]
    return bool(up) and all(flags & IFF_LOOPBACK for flags in up)
