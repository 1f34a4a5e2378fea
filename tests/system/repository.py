"""A git repository to play the operator's: a bare one that the primary fetches from, and a clone to work in."""
import os
import subprocess

ENV = {
    "GIT_AUTHOR_NAME": "Operator", "GIT_AUTHOR_EMAIL": "operator@example.org",
    "GIT_COMMITTER_NAME": "Operator", "GIT_COMMITTER_EMAIL": "operator@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
}


def git(where, *args, check=True, **more):
    """Runs git in `where`; returns what it printed.  Nobody's own configuration takes part."""
    if "input" not in more:
        more["stdin"] = subprocess.DEVNULL
    done = subprocess.run(["git", "-C", where, *args], env={**os.environ, **ENV}, capture_output=True, check=False, **more)
    if check and done.returncode != 0:
        raise AssertionError("git %s: %s" % (" ".join(args), done.stderr.decode(errors="replace")))
    return done.stdout.decode(errors="replace").strip()


class Repo:
    """`bare` is the remote, `path` the working clone."""

    def __init__(self, where, branch="main"):
        self.bare, self.path, self.branch = os.path.join(where, "zones.git"), os.path.join(where, "work"), branch
        os.makedirs(self.path)
        git(where, "init", "-q", "--bare", "-b", branch, self.bare)
        git(self.path, "init", "-q", "-b", branch)
        git(self.path, "remote", "add", "origin", self.bare)

    @property
    def url(self):
        return "file://" + self.bare

    def write(self, files):
        """{name: text or bytes, or None to remove it} into the working clone."""
        for name, content in files.items():
            full = os.path.join(self.path, name)
            if content is None:
                git(self.path, "rm", "-q", "--", name)
                continue
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as f:
                f.write(content if isinstance(content, bytes) else content.encode())

    def commit(self, files=None, message="change", *, push=True, force=False):
        """Writes the files, commits everything, pushes; returns the commit's id."""
        self.write(files or {})
        git(self.path, "add", "-A")
        git(self.path, "commit", "-q", "--allow-empty", "-m", message)
        if push:
            git(self.path, "push", "-q", *(["-f"] if force else []), "origin", "HEAD:" + self.branch)
        return self.head()

    def commit_file_in_remote(self, name, path):
        """The file at `path`, which may be large, as `name`: the work tree does not have it, and nothing is pushed."""
        blob = git(self.bare, "-c", "core.compression=1", "hash-object", "-w", path)
        git(self.bare, "read-tree", self.branch)
        git(self.bare, "update-index", "--add", "--cacheinfo", "100644,%s,%s" % (blob, name))
        return self.commit_tree_in_remote(git(self.bare, "write-tree"))

    def commit_entries_in_remote(self, entries):
        """A root directory of (mode, name, object's id), which git itself might not make."""
        raw = b"".join(b"%s %s\0%s" % (mode.encode(), name.encode(), bytes.fromhex(oid)) for mode, name, oid in entries)
        path = os.path.join(self.bare, "tree")
        with open(path, "wb") as f:
            f.write(raw)
        return self.commit_tree_in_remote(git(self.bare, "hash-object", "-w", "-t", "tree", "--literally", path))

    def commit_tree_in_remote(self, tree):
        commit = git(self.bare, "commit-tree", "-p", self.branch, "-m", "change", tree)
        git(self.bare, "update-ref", "refs/heads/" + self.branch, commit)
        return commit

    def head(self):
        return git(self.path, "rev-parse", "HEAD")

    def read(self, name):
        with open(os.path.join(self.path, name)) as f:
            return f.read()


def write_hook(repo, name, script):
    path = os.path.join(repo.bare, "hooks", name)
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + script)
    os.chmod(path, 0o755)


class Remote:
    """The bare repository, as whoever pulls from it sees it."""

    def __init__(self, repo):
        self.repo = repo

    def text(self, name="example"):
        return git(self.repo.bare, "show", self.repo.branch + ":" + name) + "\n"

    def log(self, *options):
        return git(self.repo.bare, "log", *options, self.repo.branch)

    def commits(self):
        return int(git(self.repo.bare, "rev-list", "--count", self.repo.branch))

    def diff(self):
        """Lines that the last commit took away and added."""
        out = git(self.repo.bare, "show", "--format=", "-U0", self.repo.branch)
        return [line for line in out.split("\n") if line[:1] in "+-" and line[:3] not in ("+++", "---")]


class Gate:
    """Hooks wait at it until it is opened, once and for all.  `line`: what the hook's script has for that."""

    def __init__(self, where):
        self.fifo, self.arrivals = os.path.join(where, "gate"), os.path.join(where, "gate.arrivals")
        os.mkfifo(self.fifo)
        self.line = "if [ -p %s ]; then echo >>%s; read -r opened <%s || :; fi\n" % (self.fifo, self.arrivals, self.fifo)

    def waiting(self):
        """How many have come to it so far."""
        return os.path.getsize(self.arrivals) if os.path.exists(self.arrivals) else 0

    def open(self):
        if os.path.exists(self.fifo):
            end = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)  # of both, or it would wait for somebody
            os.unlink(self.fifo)
            os.close(end)  # to those who wait that is its end
