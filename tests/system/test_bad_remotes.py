"""Whatever a remote has that we do not take, the next good push leads out of it: whether that builds on the bad commit or
puts another in its place, over each kind of remote, with a cache or without, and with a new start in between."""
import glob
import os
import shutil
import zlib

import pytest

import remotes
import servers
from repository import git

ZONE = "$TTL 60\n@ SOA ns host %d 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"
PARENTS = 70000      # more than libgit2 counts in 16 bits
DEEP = 70            # src/git/tree.h: TREE_DEPTH_MAX is less


class World:
    """The bare repository, written to by git's plumbing: what `git push` would not take has to be there all the same."""

    def __init__(self, repo):
        self.repo, self.bare, self.serial = repo, repo.bare, 0
        self.ref = os.path.join(self.bare, "refs", "heads", repo.branch)

    def blob(self, content):
        return git(self.bare, "hash-object", "-w", "--stdin", input=content)

    def raw(self, kind, content):
        return git(self.bare, "hash-object", "-w", "-t", kind, "--literally", "--stdin", input=content)

    def tree(self, entries):
        """Of (mode, name, id), in that order."""
        return self.raw("tree", b"".join(b"%s %s\0%s" % (m.encode(), n.encode(), bytes.fromhex(i)) for m, n, i in entries))

    def commit(self, tree, parents=(), message="x\n", who="Operator <operator@example.org> 1700000000 +0000"):
        head = "tree %s\n%sauthor %s\ncommitter %s\n\n" % (tree, "".join("parent %s\n" % p for p in parents), who, who)
        return self.raw("commit", (head + message).encode())

    def point_to(self, oid):
        """The branch; git itself would not let it point to anything but a commit."""
        with open(self.ref, "w") as f:
            f.write(oid + "\n")

    def good_tree(self):
        self.serial += 1
        return self.tree([("100644", "example", self.blob((ZONE % self.serial).encode()))])

    def good(self, *parents):
        commit = self.commit(self.good_tree(), parents)
        self.point_to(commit)
        return commit

    def path_of(self, oid):
        return os.path.join(self.bare, "objects", oid[:2], oid[2:])

    def lose(self, oid):
        os.unlink(self.path_of(oid))

    def damage(self, oid):
        """An object that inflates, and is another than its name says."""
        path = self.path_of(oid)
        with open(path, "rb") as f:
            content = zlib.decompress(f.read())
        os.chmod(path, 0o644)
        with open(path, "wb") as f:
            f.write(zlib.compress(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:]))


# Each makes a commit that is bad, on top of a good one, and returns what the next may build on (None: nothing can).

def same_parent_many_times(w, base):
    return w.commit(w.good_tree(), [base] * PARENTS)


def long_message(w, base):
    return w.commit(w.good_tree(), [base], "x" * (16 << 20))


def name_twice(w, base):
    a, b = w.blob(b"; a\n"), w.blob(b"; b\n")
    return w.commit(w.tree([("100644", "example", a), ("100644", "example", b)]), [base])


def out_of_order(w, base):
    a = w.blob(b"; a\n")
    return w.commit(w.tree([("100644", "z", a), ("100644", "example", a)]), [base])


def odd_names(w, base):
    a = w.blob(b"; a\n")
    return w.commit(w.tree([("100644", "", a), ("100644", "..", a), ("100644", ".git", a), ("100644", "a/b", a)]), [base])


def tree_that_is_a_blob(w, base):
    return w.commit(w.blob(b"; no tree\n"), [base])


def file_that_is_a_tree(w, base):
    return w.commit(w.tree([("100644", "example", w.good_tree())]), [base])


def directory_that_is_a_blob(w, base):
    return w.commit(w.tree([("40000", "dir", w.blob(b"; a\n"))]), [base])


def broken_tree(w, base):
    return w.commit(w.raw("tree", b"100644 example\0short"), [base])


def broken_commit(w, base):
    return w.raw("commit", b"nothing of a commit\n")


def no_author(w, base):
    return w.raw("commit", b"tree %s\nparent %s\n\nx\n" % (w.good_tree().encode(), base.encode()))


def odd_time(w, base):
    return w.commit(w.good_tree(), [base], who="a <b> 99999999999999999999 +9999")


def links_and_submodules(w, base):
    a = w.blob(b"nowhere")
    return w.commit(w.tree([("120000", "example", a), ("160000", "sub.example", base)]), [base])


def bomb(w, base):
    """Ten thousand million files, of a few kilobytes."""
    tree = w.tree([("100644", "f%d" % i, w.blob(b"; a\n")) for i in range(10)])
    for _ in range(9):
        tree = w.tree([("40000", "d%d" % i, tree) for i in range(10)])
    return w.commit(tree, [base])


def deep(w, base):
    tree = w.good_tree()
    for _ in range(DEEP):
        tree = w.tree([("40000", "d", tree)])
    return w.commit(tree, [base])


def tag(w, base):
    return w.raw("tag", b"object %s\ntype commit\ntag v1\ntagger O <o@example.org> 1 +0000\n\nx\n" % base.encode())


def blob(w, base):
    return w.blob(b"no commit\n")


def tree(w, base):
    return w.good_tree()


def lost_blob(w, base):
    oid = w.blob(b"; it will be gone\n")
    commit = w.commit(w.tree([("100644", "example", oid)]), [base])
    w.lose(oid)
    return commit


def lost_tree(w, base):
    oid = w.tree([("100644", "example", w.blob(b"; its tree will be gone\n"))])
    commit = w.commit(oid, [base])
    w.lose(oid)
    return commit


def lost_commit(w, base):
    commit = w.commit(w.good_tree(), [base], "it will be gone\n")
    w.lose(commit)
    return commit


def lost_parent(w, base):
    parent = w.commit(w.good_tree(), [base], "it will be gone\n")
    commit = w.commit(w.good_tree(), [parent])
    w.lose(parent)
    return commit


def damaged_blob(w, base):
    oid = w.blob(b"; it will be another\n")
    commit = w.commit(w.tree([("100644", "example", oid)]), [base])
    w.damage(oid)
    return commit


def damaged_commit(w, base):
    commit = w.commit(w.good_tree(), [base], "it will be another\n")
    w.damage(commit)
    return commit


HARM = [same_parent_many_times, long_message, name_twice, out_of_order, odd_names, tree_that_is_a_blob,
        file_that_is_a_tree, directory_that_is_a_blob, broken_tree, broken_commit, no_author, odd_time, links_and_submodules, bomb, deep,
        tag, blob, tree, lost_blob, lost_tree, lost_commit, lost_parent, damaged_blob, damaged_commit]
# What git itself could not hand over as history of a good commit.
NO_BASE = {odd_names, broken_commit, tag, blob, tree, lost_blob, lost_tree, lost_commit, lost_parent, damaged_blob, damaged_commit,
           tree_that_is_a_blob, directory_that_is_a_blob, broken_tree, file_that_is_a_tree}


def remote_of(kind, repo, tmp_path, started):
    if kind == "file":
        return repo.url
    server = started(remotes.Daemon(str(tmp_path)) if kind == "git" else remotes.Https(str(tmp_path)))
    return server.url("zones.git")


WITH_ALL = {same_parent_many_times, name_twice, broken_commit, lost_tree, damaged_blob}  # over each kind of remote
CASES = [(kind, f) for f in HARM for kind in (
    ["file", "file with a cache", "git", "git with a cache", "http", "http with a cache"] if f in WITH_ALL else ["file", "git with a cache"])]


class Pulling:
    """A primary on the remote, which is told to pull."""

    def __init__(self, primary, kind, url, cache):
        self.start = lambda **more: primary(url, *(["--cache-dir=" + cache] if "cache" in kind else []), **more)
        self.has_cache = "cache" in kind
        self.running = self.start(zones=["example"])

    def pull(self, outcome):
        mark = len(self.running.log())
        self.running.hangup()
        return self.running.await_log("event=(%s)" % outcome, after=mark)

    def await_serial(self, serial):
        self.running.hangup()
        self.running.await_serial("example", serial, limit_s=30)

    def again(self):
        """A new start: what the remote has is taken as it is, or else what the cache has."""
        self.running.stop()
        self.running = self.start()
        outcome = self.running.await_log("event=(commit-served|pull-failed)")[1]
        if self.has_cache and outcome == "pull-failed":
            self.running.await_log("event=served-from-cache")
            assert self.running.serial("example") is not None


ANY = "commit-served|pull-failed|pulled"


@pytest.mark.parametrize("kind, harm", CASES, ids=["%s over %s" % (f.__name__, kind) for kind, f in CASES])
def test_the_next_good_push_leads_out(repo, primary, tmp_path, started, harm, kind):
    w = World(repo)
    head = w.good()
    p = Pulling(primary, kind, remote_of(kind.split()[0], repo, tmp_path, started), str(tmp_path / "cache"))
    bad = harm(w, head)
    w.point_to(bad)
    p.pull(ANY)
    assert p.running.serial("example") is not None
    head = w.good(head if harm in NO_BASE else bad)  # it builds on the bad one
    p.await_serial(w.serial)
    w.point_to(harm(w, head))
    p.pull(ANY)
    p.again()
    w.good(head)  # in the place of the bad one
    p.await_serial(w.serial)
    p.running.stop()


# ---- the repository as a whole ----

def replace_by(make):
    """Another repository in its place; what it was comes back."""
    def harm(w):
        os.rename(w.bare, w.bare + ".aside")
        make(w)

        def mend():
            shutil.rmtree(w.bare, ignore_errors=True)
            os.rename(w.bare + ".aside", w.bare)
        return mend
    return harm


def overwrite(*path, content):
    """One of its files."""
    def harm(w):
        name = os.path.join(w.bare, *path)
        old = None
        if os.path.exists(name):
            with open(name, "rb") as f:
                old = f.read()
        with open(name, "wb") as f:
            f.write(content)

        def mend():
            if old is None:
                os.unlink(name)
            else:
                with open(name, "wb") as f:
                    f.write(old)
        return mend
    return harm


def move(*path):
    """A part of it is gone for a while."""
    def harm(w):
        name = os.path.join(w.bare, *path)
        os.rename(name, name + ".aside")
        return lambda: os.rename(name + ".aside", name)
    return harm


def damaged_pack(w):
    git(w.bare, "repack", "-adq")
    [pack] = glob.glob(os.path.join(w.bare, "objects", "pack", "*.pack"))
    with open(pack, "rb") as f:
        old = f.read()
    os.chmod(pack, 0o644)
    with open(pack, "wb") as f:
        f.write(old[:len(old) // 2] + bytes(len(old) - len(old) // 2))

    def mend():
        with open(pack, "wb") as f:
            f.write(old)
    return mend


def empty_repository(w, *options):
    git(os.path.dirname(w.bare), "init", "-q", "--bare", "-b", "main", *options, w.bare)


def sha256_repository(w):
    empty_repository(w, "--object-format=sha256")
    tree = git(w.bare, "mktree", input=b"100644 blob %s\texample\n" % w.blob((ZONE % 99).encode()).encode())
    git(w.bare, "update-ref", "refs/heads/main", git(w.bare, "commit-tree", "-m", "x", tree))


def shallow_repository(w):
    git(os.path.dirname(w.bare), "clone", "-q", "--bare", "--depth=1", "file://" + w.bare + ".aside", w.bare)


def borrowing_repository(w):
    """Its alternate is not there."""
    git(os.path.dirname(w.bare), "clone", "-q", "--bare", "--shared", w.bare + ".aside", w.bare)
    with open(os.path.join(w.bare, "objects", "info", "alternates"), "w") as f:
        f.write("/nowhere/objects\n")


STATES = {
    "no branch": move("refs", "heads", "main"),
    "a HEAD that leads nowhere": overwrite("HEAD", content=b"ref: refs/heads/nowhere\n"),
    "a HEAD of rubbish": overwrite("HEAD", content=b"rubbish\n"),
    "a branch of rubbish": overwrite("refs", "heads", "main", content=b"rubbish\n"),
    "a branch that leads nowhere": overwrite("refs", "heads", "main", content=b"12" * 20 + b"\n"),
    "packed references of rubbish": overwrite("packed-refs", content=b"rubbish\n" * 10),
    "a configuration of rubbish": overwrite("config", content=b"[rubbish\n"),
    "no objects": move("objects"),
    "no repository": move(),
    "a damaged pack": damaged_pack,
    "empty": replace_by(empty_repository),
    "SHA-256": replace_by(sha256_repository),
    "shallow": replace_by(shallow_repository),
    "an alternate that is gone": replace_by(borrowing_repository),
}


@pytest.mark.parametrize("kind", ["file", "git with a cache"])
@pytest.mark.parametrize("state", STATES)
def test_a_repository_that_was_bad_for_a_while(repo, primary, tmp_path, started, state, kind):
    w = World(repo)
    head = w.good(w.good())
    p = Pulling(primary, kind, remote_of(kind.split()[0], repo, tmp_path, started), str(tmp_path / "cache"))
    for is_anew in (False, True):
        mend = STATES[state](w)
        p.pull(ANY)
        if is_anew:
            p.again()
        else:
            assert p.running.serial("example") == w.serial
        mend()
        head = w.good(head)
        p.await_serial(w.serial)
    p.running.stop()


def test_a_clone_is_made_anew_once(repo, primary, tmp_path, started):
    """That takes all of the repository: not again and again for what the remote has, when it does not help."""
    w = World(repo)
    server = started(remotes.Https(str(tmp_path)))
    head = w.good()
    p = Pulling(primary, "http", server.url("zones.git"), None)
    w.point_to(lost_blob(w, head))
    begun = len(server.seen)

    def more():
        """Fetches that were no pull's first; each is two requests."""
        return (len(server.seen) - begun) // 2 - p.running.log().count("event=pull-failed")

    for _ in range(3):
        p.pull("pull-failed")
    servers.await_true("the clone was made anew once", lambda: more() == 1)
    w.point_to(lost_blob(w, w.good(head)))  # another commit
    p.pull("pull-failed")
    servers.await_true("and once more", lambda: more() == 2)
    w.good(head)
    p.await_serial(w.serial)
    p.running.stop()
