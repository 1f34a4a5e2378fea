"""The part of a service manager that keeps sockets for a service (systemd.service(5), FileDescriptorStoreMax=) and hands them, and those of a
socket unit, to each process that it starts (sd_listen_fds(3))."""
import array
import fcntl
import os
import socket

import servers

FIRST = 3


class Manager:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.path = path
        self.kept = []  # (name, descriptor)
        self.unit = []  # the same, of a socket unit
        self.said = []

    def close(self):
        for _, fd in self.kept + self.unit:
            os.close(fd)
        self.kept, self.unit = [], []
        self.socket.close()

    def listen(self, unit, address, *types, shared=True):
        """Sockets as a socket unit makes them."""
        for kind in types:
            s = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, kind)
            if shared:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            s.bind(address)
            if kind == socket.SOCK_STREAM:
                s.listen(1024)
            self.unit.append((unit, s.detach()))

    def started(self):
        """What Popen() needs to start a process that inherits the sockets, for servers.Process."""
        given = self.unit + self.kept  # in this order
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 500) for _, fd in given]

        def move():
            for i, fd in enumerate(high):
                os.dup2(fd, FIRST + i)
        env = {"NOTIFY_SOCKET": self.path}
        if given:
            env.update(LISTEN_FDS=str(len(given)), LISTEN_FDNAMES=":".join(name for name, _ in given))
        return {"wrapper": ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh"], "env": env, "preexec_fn": move,
                "pass_fds": [FIRST + i for i in range(len(given))]}, high

    def start(self, make):
        """make(keyword arguments) → the process."""
        how, high = self.started()
        try:
            return make(**how)
        finally:
            for fd in high:
                os.close(fd)

    def hear(self, timeout_s):
        """Takes one message."""
        self.socket.settimeout(timeout_s)
        room = socket.CMSG_SPACE(array.array("i").itemsize * 8)
        text, control, _, _ = self.socket.recvmsg(4096, room, socket.MSG_CMSG_CLOEXEC)
        fds = array.array("i")
        for level, kind, octets in control:
            assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
            fds.frombytes(octets)
        lines = text.decode().split("\n")
        fields = dict(line.split("=", 1) for line in lines)
        self.said += lines
        if "FDSTORE" in fields:
            assert fields["FDPOLL"] == "0" and ":" not in fields["FDNAME"]
            self.kept += [(fields["FDNAME"], fd) for fd in fds]
        elif "FDSTOREREMOVE" in fields:
            for name, fd in self.kept:
                if name == fields["FDNAME"]:
                    os.close(fd)
            self.kept = [(name, fd) for name, fd in self.kept if name != fields["FDNAME"]]

    def await_said(self, line, limit_s=servers.START_LIMIT_S):
        while line not in self.said:
            self.hear(limit_s)
        del self.said[:]

    def names(self):
        return sorted(name for name, _ in self.kept)
