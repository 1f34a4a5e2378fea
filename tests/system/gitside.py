"""The git side alone, driven through git_pull (tests/unit/git_pull.c): what it says when, without DNS on the other end."""
import os
import queue
import re
import subprocess
import threading
import time

import servers


def octets_of(content):
    return content if isinstance(content, bytes) else content.encode()


class Frame:
    """One frame: `type`, `fields`, and for a COMMIT `files` {path: (kind, length, checksum, text)}."""

    def __init__(self, lines):
        self.lines = lines
        self.type, _, rest = lines[0].partition(" ")
        self.text = rest.partition("text=")[2] if self.type != "COMMIT" else ""
        self.fields = dict(re.findall(r"(\w+)=(\S*)", rest.partition(" text=")[0]))
        self.flags = set(rest.partition(" text=")[0].split()) & {"whole", "allow", "cache", "has", "none"}
        self.is_of_people = "people" in rest.split()
        self.status = re.search(r"status=(.*?)( retry_s=| len=|$)", rest).group(1) if "status=" in rest else None
        self.files = {}
        for line in lines[1:]:
            kind, path, size, sums, text = re.match(r" (\S+) (.*?) len=(\d+) sum=(\w+)(?: text=(.*))?$", line).groups()
            self.files[path] = (kind, int(size), sums, text)

    def __repr__(self):
        return "\n".join(self.lines)

    @property
    def kinds(self):
        return {path: what[0] for path, what in self.files.items()}


class GitSide:
    def __init__(self, bindir, remote, *options, env=None, before=()):
        """`before`: a program, with its arguments, that runs git_pull in its turn."""
        path = os.path.join(bindir, os.pardir, os.pardir, "tests", "unit", "git_pull")
        self.process = subprocess.Popen([*before, path, remote, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env={**os.environ, **servers.sanitizer_env(), **(env or {})})
        self.frames, self.errors, self.notes = queue.Queue(), [], []
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=self.read_errors, daemon=True).start()
        self.pid = int(self.next().lines[0].split()[1])

    def read_errors(self):
        self.errors.extend(line.decode(errors="replace") for line in self.process.stderr)

    def read(self):
        lines = []
        for octets in self.process.stdout:
            line = octets.decode(errors="replace")
            if line == "END\n":
                self.frames.put(Frame(lines))
                lines = []
            else:
                lines.append(line.rstrip("\n"))
        self.frames.put(None)

    def say(self, line):
        self.write(line.encode() + b"\n")

    def write(self, octets):
        self.process.stdin.write(octets)
        self.process.stdin.flush()

    def next(self, *types, limit_s=30):
        """The next frame, which must be of one of the types."""
        while (frame := self.frames.get(timeout=limit_s)) is not None and frame.type == "NOTE":
            self.notes.append(frame)
        assert frame is not None, "the git side is gone: %s" % "".join(self.errors)
        assert not types or frame.type in types, "%s instead of %s" % (frame, types)
        return frame

    def silence(self, seconds):
        """Nothing comes for so long."""
        try:
            frame = self.frames.get(timeout=seconds)
        except queue.Empty:
            return
        raise AssertionError("unexpected: %s" % frame)

    def pull(self, *types, done="DONE", limit_s=30):
        """PULL, and DONE if it brings a COMMIT."""
        self.say("PULL")
        frame = self.next(*(types or ("COMMIT",)), limit_s=limit_s)
        if frame.type == "COMMIT" and done:
            self.say(done)
        return frame

    def send_push(self, base, files, message="update\n"):
        """PUSH on top of `base` (None: of nothing): {path: text or octets, or None to remove it}."""
        entries = [] if message is None else [b"MESSAGE %d\n" % len(octets_of(message)) + octets_of(message)]
        for path, content in files.items():
            if content is None:
                entries.append(b"REMOVE %s\n" % path.encode())
            else:
                entries.append(b"PUT %d %s\n" % (len(octets_of(content)), path.encode()) + octets_of(content))
        self.write(b"PUSH %s %d\n" % ((base or "-").encode(), len(entries)) + b"".join(entries))

    def push(self, base, files, *types, message="update\n", limit_s=60):
        """A PUSH, and its outcome, which must be of one of the types (PUSHED)."""
        self.send_push(base, files, message)
        return self.next(*(types or ("PUSHED",)), limit_s=limit_s)

    def get(self, path):
        self.say("GET " + path)
        return self.next("FILE")

    def workers(self):
        """The processes that the supervisor has now."""
        with open("/proc/%d/task/%d/children" % (self.pid, self.pid)) as f:
            return [int(p) for p in f.read().split()]

    def await_idle(self, limit_s=30):
        servers.await_true("no worker", lambda: not self.workers(), limit_s)

    def pss_kib(self):
        with open("/proc/%d/smaps_rollup" % self.pid) as f:
            return int(re.search(r"^Pss: +(\d+)", f.read(), re.M).group(1))

    def close(self):
        """Ends it as a primary that goes; returns the exit status of the git process."""
        if self.process.poll() is None:
            self.say("QUIT")
            self.process.wait(timeout=30)
        return self.process.returncode

    def kill(self):
        try:
            self.close()
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        deadline = time.monotonic() + 10
        while os.path.exists("/proc/%d" % self.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        text = "".join(self.errors)
        assert not servers.SANITIZER_REPORT.search(text), text
