"""A disk that can be filled without filling anybody's: a small one for the program alone, or one that only seems to be full."""
import os
import subprocess
import tempfile

import servers

UNSHARE = (["unshare", "-m"], ["unshare", "-r", "-m"])  # as root, and as a user where users may


def mount_namespace():
    """The command that gives a program mounts of its own; None where that is not allowed (in most containers)."""
    with tempfile.TemporaryDirectory() as where:
        for command in UNSHARE:
            try:
                if subprocess.run([*command, "mount", "-t", "tmpfs", "none", where], capture_output=True, check=False).returncode == 0:
                    return command
            except OSError:
                pass
    return None


class Mounted:
    """A tmpfs that the program has to itself: it goes when the last of its processes does."""

    def __init__(self, where, size="2m"):
        self.path = os.path.join(where, "disk")
        os.makedirs(self.path)
        mount = 'mount -t tmpfs -o size=%s none "$0" && exec "$@"' % size
        self.wrapper, self.env, self.options = [*mount_namespace(), "sh", "-c", mount, self.path], {}, []

    def seen_by(self, process):
        return "/proc/%d/root%s" % (process.pid, self.path)

    def fill(self, process):
        fd = os.open(os.path.join(self.seen_by(process), "filling"), os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(fd, bytes(4096))
        except OSError:
            pass  # that was the last of it
        finally:
            os.close(fd)

    def make_room(self, process):
        os.unlink(os.path.join(self.seen_by(process), "filling"))


class Preloaded:
    """A directory in which the program's writes fail, as they do on a full disk (full.c).  The library looks at files, so the program
    has no sandbox."""

    def __init__(self, where):
        self.path = os.path.join(where, "disk")
        os.makedirs(self.path)
        library = os.path.join(where, "full.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "full.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", library, source], check=True)
        asan = servers.sanitizer_env()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
        self.wrapper, self.env = [], {"LD_PRELOAD": library, "FULL_BELOW": self.path, "ASAN_OPTIONS": asan}
        self.options = ["--no-sandbox"]

    def seen_by(self, process):
        return self.path

    def fill(self, process):
        with open(os.path.join(self.path, "full"), "w"):
            pass

    def make_room(self, process):
        os.unlink(os.path.join(self.path, "full"))

    def is_wrong_with(self, number):
        """Its trouble is another one of errno(3)."""
        self.env["FULL_ERRNO"] = str(number)
        return self


def kinds():
    return [Preloaded] + ([Mounted] if mount_namespace() else [])
