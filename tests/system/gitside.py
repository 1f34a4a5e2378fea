"""The git side alone, driven through git_pull (tests/unit/git_pull.c): what it says when, without DNS on the other end."""
import os
import queue
import re
import subprocess
import threading
import time

import servers


class Frame:
    """One frame: `type`, `fields`, and for a COMMIT `files` {path: (kind, length, checksum, text)}."""

    def __init__(self, lines):
        self.lines = lines
        self.type, _, rest = lines[0].partition(" ")
        self.text = rest.partition("text=")[2] if self.type != "COMMIT" else ""
        self.fields = dict(re.findall(r"(\w+)=(\S*)", rest.partition(" text=")[0]))
        self.flags = set(rest.split()) & {"whole", "allow", "cache"}
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
    def __init__(self, bindir, remote, *options, env=None):
        path = os.path.join(bindir, os.pardir, os.pardir, "tests", "unit", "git_pull")
        self.process = subprocess.Popen([path, remote, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace", env={**os.environ, **servers.sanitizer_env(), **(env or {})})
        self.frames, self.errors = queue.Queue(), []
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True).start()
        self.pid = int(self.next().lines[0].split()[1])

    def read(self):
        lines = []
        for line in self.process.stdout:
            if line == "END\n":
                self.frames.put(Frame(lines))
                lines = []
            else:
                lines.append(line.rstrip("\n"))
        self.frames.put(None)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def next(self, *types, limit_s=30):
        """The next frame, which must be of one of the types."""
        frame = self.frames.get(timeout=limit_s)
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
