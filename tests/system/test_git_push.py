"""The writing half of the git side: commits into real remotes, by every way, and what it says when one does not get there."""
import contextlib
import glob
import os
import random
import re
import stat
import subprocess
import threading
import time

import pytest

import remotes
import servers
from repository import git

ZONE = "@ 3600 SOA ns host %d 7200 3600 1209600 3600\n"
WAYS = ["direct", "direct with a cache", "hooks", "work tree", "git", "ssh", "https", "http with a password"]


def show(repo, what):
    return git(repo.bare, "show", what)


def head_of(repo):
    return git(repo.bare, "rev-parse", repo.branch)


def history_of(repo):
    return git(repo.bare, "rev-list", repo.branch).split()


def fsck(where):
    assert git(where, "fsck", "--strict", "--full", "--no-dangling") == ""


def hook(repo, name, text):
    path = os.path.join(repo.bare, "hooks", name)
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path


def packs_of(where):
    return glob.glob(os.path.join(where, "objects", "pack", "*.pack"))


def is_tidying(where):
    """A repack of ours is at work; `git fsck` would miss packs that go meanwhile."""
    return os.path.exists(os.path.join(where, "origin-tidy"))


def loose_of(where):
    return glob.glob(os.path.join(where, "objects", "??", "*"))


def leftovers(where):
    """Files that a push has while it is under way."""
    found = []
    for folder, _, names in os.walk(where):
        found += [os.path.join(folder, n) for n in names if re.search(r"\.(lock|keep)$|^tmp_|origin-(push|pack)|git2", n)]
    return found


def moved_on(repo, files, message="operator"):
    """Somebody else pushes on top of what is there."""
    git(repo.path, "pull", "-q", "--rebase", "origin", repo.branch)
    return repo.commit(files, message)


def head_or_pull(g, frame=None):
    """Where the git side is now; what it tells is taken over."""
    frame = frame or g.pull("COMMIT", "UPTODATE")
    return frame.fields["id"]


@pytest.fixture
def reach(repo, side, daemon, tmp_path, started, need, request):
    """reach(way, option…) → a git side for `repo`, which is reached in that way."""
    def start(way, *options):
        if way == "git":
            return side(daemon.url("zones.git"), *options)
        if way == "ssh":
            sshd = request.getfixturevalue("sshd")
            return side(sshd.url("zones.git"), "--ssh-key=" + remotes.KEY, "--authenticator=" + sshd.fingerprint(), *options)
        if way.startswith("http"):
            git(repo.bare, "config", "http.receivepack", "true")
            ca, server = request.getfixturevalue("tls")
            is_tls = way == "https"
            web = started(remotes.Https(str(tmp_path), tls=server if is_tls else None, user=None if is_tls else "me:s3cret"))
            return side(web.url("zones.git", "" if is_tls else "me:s3cret"), *(["--ca-file=" + ca] if is_tls else []), *options)
        if way == "hooks":
            hook(repo, "pre-receive", "cat >/dev/null; exit 0\n")
            return side(repo.url, *options)
        if way == "work tree":
            git(repo.bare, "config", "core.bare", "false")
            git(repo.bare, "config", "core.worktree", str(tmp_path / "tree"))
            git(repo.bare, "config", "receive.denyCurrentBranch", "ignore")
            os.makedirs(tmp_path / "tree", exist_ok=True)
            return side(repo.bare, *options)
        if way == "direct with a cache":
            return side(repo.url, "--cache-dir=%s" % (tmp_path / "cache"), *options)
        assert way == "direct"
        return side(repo.url, *options)
    return start


# ---- what every way must do ----

@pytest.mark.parametrize("way", WAYS)
def test_a_push(repo, reach, tmp_path, way):
    """The commit is what was asked for and nothing else; afterwards it counts as told."""
    repo.write({"example.org": ZONE % 1, "other.example": ZONE % 1, "gone.example": ZONE % 1, "sub/x.inc": "old\n", "sub/y.inc": "y\n",
                "deep/er/z": "z\n", "README": "read me\n"})
    os.chmod(os.path.join(repo.path, "other.example"), 0o755)
    os.symlink("README", os.path.join(repo.path, "link"))
    first = repo.commit()
    g = reach(way, "--committer=Zone Keeper <keeper@example.org>")
    assert g.pull().fields["id"] == first
    before = time.time()
    f = g.push(first, {"example.org": ZONE % 2, "other.example": ZONE % 2, "gone.example": None, "sub/x.inc": "new\n", "deep/er/z": None,
                       "sub/new/a": "a\n", "zz.example": ZONE % 1}, message="Grüße\n\nupdate of example.org\n")
    second = f.fields["id"]
    assert head_of(repo) == second and int(f.fields["commit_us"]) > 0 and int(f.fields["push_us"]) > 0
    assert git(repo.bare, "log", "-1", "--format=%P %an %ae %cn %ce %B", second) == \
        first + " Zone Keeper keeper@example.org Zone Keeper keeper@example.org Grüße\n\nupdate of example.org"
    when, zone = git(repo.bare, "log", "-1", "--format=%ad", "--date=raw", second).split()
    assert before - 2 <= int(when) <= time.time() + 2 and zone == "+0000"
    changed = dict(reversed(line.split("\t")) for line in git(repo.bare, "diff", "--no-renames", "--name-status", first, second).split("\n"))
    assert changed == {"example.org": "M", "other.example": "M", "gone.example": "D", "sub/x.inc": "M", "deep/er/z": "D",
                       "sub/new/a": "A", "zz.example": "A"}
    assert show(repo, second + ":example.org") == (ZONE % 2).strip() and show(repo, second + ":sub/x.inc") == "new"
    assert git(repo.bare, "ls-tree", second, "other.example").startswith("100755 ")
    assert git(repo.bare, "ls-tree", second, "link").startswith("120000 ") and git(repo.bare, "ls-tree", second, "deep") == ""
    assert g.pull("UPTODATE").fields["id"] == second
    third = moved_on(repo, {"example.org": ZONE % 3, "new.example": ZONE % 1})
    assert g.push(second, {"example.org": ZONE % 9}, "PUSH_FAILED").status == "the other side has changed meanwhile"
    assert head_of(repo) == third
    f = g.pull("COMMIT")
    assert f.fields["id"] == third and f.kinds == {"example.org": "PUT", "new.example": "PUT"} and not f.flags
    fourth = g.push(third, {"example.org": ZONE % 4}).fields["id"]
    assert history_of(repo) == [fourth, third, second, first]
    assert g.pull("UPTODATE").fields["id"] == fourth
    assert g.close() == 0
    fsck(repo.bare)
    assert leftovers(repo.bare) == [] and os.listdir(tmp_path / "tmp") == []


@pytest.mark.parametrize("way", WAYS)
def test_many_pushes_one_after_the_other(repo, reach, way):
    head = repo.commit({"example.org": ZONE % 1})
    g = reach(way)
    g.pull()
    pushed = [head]
    for serial in range(2, 12):
        head = g.push(head, {"example.org": ZONE % serial}).fields["id"]
        pushed.append(head)
    assert history_of(repo) == pushed[::-1] and show(repo, head + ":example.org") == (ZONE % 11).strip()
    assert g.pull("UPTODATE")


@pytest.mark.parametrize("way", ["direct", "hooks", "git", "https"])
def test_the_first_commit_of_all(repo, reach, way):
    """An empty repository: the branch is made.  Over the network it has to be named."""
    g = reach(way) if way in ("direct", "hooks") else None
    if g is None:
        g = reach(way)
        g.pull("FAILED")
        f = g.push(None, {"example.org": ZONE % 1}, "PUSH_FAILED")
        assert "names no branch" in f.text and "#BRANCH" in f.text
        return
    f = g.pull("FAILED")
    assert "is empty" in f.text and f.flags == {"none"}
    first = g.push(None, {"example.org": ZONE % 1, "sub/x": "x\n"}).fields["id"]
    assert history_of(repo) == [first] and git(repo.bare, "ls-tree", "-r", "--name-only", first) == "example.org\nsub/x"
    assert g.pull("UPTODATE")
    second = g.push(first, {"example.org": None, "sub/x": None}).fields["id"]
    assert git(repo.bare, "ls-tree", second) == ""
    fsck(repo.bare)


@pytest.mark.parametrize("way", ["file", "git"])
def test_a_new_branch(repo, side, daemon, way):
    """A branch that is not there yet, beside one that is."""
    repo.commit({"example.org": ZONE % 1})
    url = (repo.url if way == "file" else daemon.url("zones.git")) + "#zones/live"
    g = side(url)
    assert "no branch zones/live" in g.pull("FAILED").text
    first = g.push(None, {"example.org": ZONE % 2}).fields["id"]
    assert git(repo.bare, "rev-list", "zones/live") == first
    second = g.push(first, {"example.org": ZONE % 3}).fields["id"]
    assert git(repo.bare, "rev-parse", "zones/live") == second
    f = side(url).push(None, {"example.org": ZONE % 4}, "PUSH_FAILED")
    assert f.status == "the other side has changed meanwhile"
    other = side((repo.url if way == "file" else daemon.url("zones.git")) + "#zones")
    other.next("FAILED") if way == "nothing" else other.pull("FAILED")
    f = other.push(None, {"example.org": ZONE % 4}, "PUSH_FAILED")
    assert f.status in ("exists already", "refused", "the other side has changed meanwhile") and "zones" in f.text
    fsck(repo.bare)


def test_only_after_what_was_taken_over(repo, side):
    """A PUSH builds on the last COMMIT that was DONE, or it is stale."""
    first = repo.commit({"a": "1\n"})
    g = side(repo.url)
    for base in (first, None, "0" * 40, "nonsense"):
        assert g.push(base, {"a": "2\n"}, "PUSH_FAILED").status == "the other side has changed meanwhile"
    g.pull()
    second = repo.commit({"a": "3\n"})
    g.pull()
    assert g.push(first, {"a": "2\n"}, "PUSH_FAILED").status == "the other side has changed meanwhile"
    assert g.push(second, {"a": "4\n"})


@pytest.mark.parametrize("way", ["direct", "hooks", "git"])
def test_a_branch_that_was_set_back(repo, reach, way):
    """What somebody has taken out of the branch does not come back with a push."""
    first = repo.commit({"a": "1\n"})
    second = repo.commit({"a": "2\n"})
    g = reach(way)
    g.pull()
    git(repo.bare, "update-ref", "refs/heads/main", first)
    assert g.push(second, {"a": "3\n"}, "PUSH_FAILED").status == "the other side has changed meanwhile"
    assert head_of(repo) == first
    assert g.pull("COMMIT").files["a"][3] == "1"
    assert g.push(first, {"a": "3\n"})


# ---- what no PUSH may hold ----

def test_entries_that_make_no_commit(repo, side):
    os.symlink("a", os.path.join(repo.path, "link"))
    first = repo.commit({"a": "1\n", "d/x": "1\n"})
    g = side(repo.url, "--file-max=1000", "--total-max=3000")
    g.pull()
    bad = [({".git/config": "x"}, "refused"), ({"d/.GIT/hooks/post-update": "x"}, "refused"), ({".gitmodules": "x"}, "refused"),
           ({"../a": "x"}, "refused"), ({"d/../a": "x"}, "refused"), ({"/a": "x"}, "refused"), ({"d//x": "x"}, "refused"),
           ({"d/": "x"}, "refused"), ({"GIT~1": "x"}, "refused"), ({".g\u200cit": "x"}, "refused"), ({"a\\.git": "x"}, "refused"),
           ({"_keys": "x"}, "refused"), ({"d/X._Keys.": "x"}, "refused"), ({"a._secondaries": None}, "refused"), ({"con.example": "x"}, "refused"),
           ({"new/a:b": "x"}, "refused"), ({"x" * 144: "x"}, "refused"), ({"A": "x"}, "exists already"), ({"D/y": "x"}, "exists already"),
           ({"link": "x"}, "refused"), ({"link": None}, "refused"), ({"nothing": None}, "not found"), ({"d/y": None}, "not found"),
           ({"e/y": None}, "not found"), ({"a/b": "x"}, "exists already"), ({"d": "x"}, "exists already"),
           ({"new": "x", "new/x": "x"}, "exists already"), ({"big": "x" * 1001}, "over a limit"),
           ({"b%d" % i: "%d" % i * 500 for i in range(7)}, "over a limit"), ({"x/" * 70 + "x": "x"}, "over a limit"),
           ({"x" * 1100: "x"}, "over a limit")]
    for files, status in bad:
        f = g.push(first, files, "PUSH_FAILED")
        assert f.status == status and f.text, (files, f)
    for message, status in ((None, "malformed input"), (b"nul\0", "malformed input"), ("x" * 5000000, "over a limit")):
        assert g.push(first, {"a": "2\n"}, "PUSH_FAILED", message=message).status == status
    for entries in (b"MESSAGE 1\nxPUT 1 a\nxPUT 1 a\ny", b"MESSAGE 1\nxNAMED a\n", b"PUT 1 a\nxMESSAGE 1\nx", b"MESSAGE 1\nxMESSAGE 1\nx"):
        g.write(b"PUSH %s %d\n" % (first.encode(), len(re.findall(rb"[A-Z]{3,} ", entries))) + entries)
        assert g.next("PUSH_FAILED").status == "malformed input", entries
    assert head_of(repo) == first
    assert g.push(first, {"a": None, "a/b": "now a directory\n"}, message="")
    fsck(repo.bare)


def test_who_made_it(repo, side):
    first = repo.commit({"a": "1\n"})
    g = side(repo.url)
    g.pull()
    g.push(first, {"a": "2\n"})
    assert git(repo.bare, "log", "-1", "--format=%an %ae %cn %ce") == "Origin origin@%s Origin origin@%s" % ((os.uname().nodename,) * 2)


def test_what_does_not_change_anything(repo, side):
    """An empty commit is one, and the same content twice is one object."""
    first = repo.commit({"a": "1\n"})
    g = side(repo.url)
    g.pull()
    second = g.push(first, {}).fields["id"]
    third = g.push(second, {"a": "1\n", "b": "1\n", "c/d": "1\n"}).fields["id"]
    assert history_of(repo) == [third, second, first]
    fsck(repo.bare)


def test_directories_of_the_push_before(repo, side):
    """The worker still has those of the last commit that it made; the others it reads."""
    now = {"a": "0", "d/x": "0", "d/e/y": "0", "f/z": "0"}
    head = repo.commit({name: text + "\n" for name, text in now.items()})
    g = side(repo.url)
    g.pull()
    steps = [{"a": "1"}, {"d/x": "2"}, {"d/e/y": "3"}, {"a": "4"}, {"f/z": "5", "d/e/new": "5"}, {"d/e/y": None, "d/e/new": None}, {},
             {"d/x": "8", "d/e/y": "8"}, {"f/z": None}, {"f/z": "10"}]
    for n, files in enumerate(steps):
        if n == 5:  # what somebody else made
            head = moved_on(repo, {"d/e/theirs": "theirs\n", "a": "theirs\n"})
            now |= {"d/e/theirs": "theirs", "a": "theirs"}
            g.pull()
        head = g.push(head, {name: text and text + "\n" for name, text in files.items()}).fields["id"]
        now = {name: text for name, text in (now | files).items() if text is not None}
        assert {name: show(repo, "%s:%s" % (head, name)) for name in git(repo.bare, "ls-tree", "-r", "--name-only", head).split()} == now
    fsck(repo.bare)


# ---- who says no ----

REFUSALS = {
    "pre-receive": "cat >/dev/null; echo 'no pushes on Fridays' >&2; exit 1\n",
    "update": "echo 'no pushes on Fridays' >&2; exit 1\n",
}


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.parametrize("way", ["direct", "direct with a cache", "git", "ssh", "https"])
def test_a_hook_that_refuses(repo, reach, tmp_path, way, name):
    """Nothing is changed, and the hook's words are told; when it has gone, the same goes through."""
    first = repo.commit({"a": "1\n"})
    path = hook(repo, name, REFUSALS[name])
    g = reach(way)
    g.pull()
    clone = tmp_path / "cache" / "clone.git"
    before = sorted(glob.glob(str(clone / "**"), recursive=True))
    for _ in range(2):
        f = g.push(first, {"a": "2\n"}, "PUSH_FAILED")
        assert f.status == "refused" and "no pushes on Fridays" in f.text and "declined" in f.text
        assert head_of(repo) == first and loose_of(repo.bare) and not leftovers(repo.bare)
    assert g.pull("UPTODATE").fields["id"] == first
    assert sorted(glob.glob(str(clone / "**"), recursive=True)) == before
    os.unlink(path)
    assert g.push(first, {"a": "2\n"})


@pytest.mark.parametrize("way", ["direct", "git"])
def test_hooks_run(repo, reach, tmp_path, way):
    """Those that accept see the commit as of any push, and those that come after it run: with what such a hook does, a
    NOTIFY, the git side finds nothing new."""
    seen = tmp_path / "seen"
    hook(repo, "pre-receive", "read old new ref; echo pre $old $new $ref $(git cat-file -t $new) >>%s\n" % seen)
    hook(repo, "update", "echo update $1 $2 $3 >>%s\n" % seen)
    hook(repo, "post-receive", "read old new ref; echo post $(git rev-parse $ref) >>%s; echo done\n" % seen)
    first = repo.commit({"a": "1\n"})
    seen.unlink()
    g = reach(way)
    g.pull()
    g.send_push(first, {"a": "2\n"})
    g.say("PULL")  # as the hook's NOTIFY
    second = g.next("PUSHED").fields["id"]
    assert g.next("UPTODATE").fields["id"] == second
    assert seen.read_text() == "pre %s %s refs/heads/main commit\nupdate refs/heads/main %s %s\npost %s\n" % (first, second, first, second, second)


def test_what_hooks_see_of_us(repo, side, tmp_path):
    """The environment has nothing of another repository, and no secrets."""
    first = repo.commit({"a": "1\n"})
    hook(repo, "pre-receive", "env >%s\n" % (tmp_path / "env"))
    g = side(repo.url, before=["env", "GIT_DIR=/nowhere", "GIT_CONFIG_PARAMETERS='core.bare'='x'", "ORIGIN_SSH_KEY=s3cret", "LANGUAGE=de",
                               "CREDENTIALS_DIRECTORY=/run/s3cret", "KEPT=yes"])
    g.pull()
    g.push(first, {"a": "2\n"})
    seen = (tmp_path / "env").read_text()
    assert "KEPT=yes" in seen and "s3cret" not in seen and "nowhere" not in seen and "LANGUAGE" not in seen and "core.bare" not in seen


def test_a_hook_of_another_directory(repo, side, tmp_path):
    """core.hooksPath counts, relative or not; what is no program does not."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    first = repo.commit({"a": "1\n"})
    g = side(repo.url)
    g.pull()
    git(repo.bare, "config", "core.hooksPath", str(hooks))
    (hooks / "pre-receive").write_text("#!/bin/sh\nexit 1\n")
    second = g.push(first, {"a": "2\n"}).fields["id"]
    (hooks / "pre-receive").chmod(0o755)
    assert g.push(second, {"a": "3\n"}, "PUSH_FAILED").status == "refused"
    git(repo.bare, "config", "core.hooksPath", "../hooks")
    assert g.push(second, {"a": "3\n"}, "PUSH_FAILED").status == "refused"
    git(repo.bare, "config", "core.hooksPath", "../nowhere")
    assert g.push(second, {"a": "3\n"})


@pytest.mark.parametrize("setting", ["receive.fsckObjects=true", "transfer.fsckObjects=true", "receive.updateServerInfo=true",
                                     "receive.maxInputSize=100m", "receive.somethingNew=1"])
def test_settings_that_are_for_git(repo, side, setting):
    """What a push has to obey and we do not do ourselves: git does it, which leaves loose objects."""
    first = repo.commit({"a": "1\n"})
    g = side(repo.url)
    g.pull()
    git(repo.bare, "config", *setting.split("="))
    before = len(loose_of(repo.bare))
    assert g.push(first, {"a": "2\n"})
    assert len(loose_of(repo.bare)) > before and not packs_of(repo.bare)
    git(repo.bare, "config", "--unset", setting.split("=")[0])
    git(repo.bare, "config", "receive.denyNonFastForwards", "true")
    git(repo.bare, "config", "receive.fsckObjects", "false")
    assert g.push(head_of(repo), {"a": "3\n"}) and len(packs_of(repo.bare)) == 1


def test_refused_by_configuration(repo, side, tmp_path):
    """A hidden branch, a branch that is checked out, more than the remote wants."""
    first = repo.commit({"a": "1\n"})
    g = side(repo.url)
    g.pull()
    git(repo.bare, "config", "receive.hideRefs", "refs/heads")
    f = g.push(first, {"a": "2\n"}, "PUSH_FAILED")
    assert f.status == "refused" and "hides the branch" in f.text
    git(repo.bare, "config", "--unset", "receive.hideRefs")
    git(repo.bare, "config", "receive.maxInputSize", "50")
    f = g.push(first, {"a": "2\n"}, "PUSH_FAILED")
    assert "exceeds maximum allowed size" in f.text
    git(repo.bare, "config", "--unset", "receive.maxInputSize")
    git(repo.bare, "worktree", "add", "-q", str(tmp_path / "tree"), "main")
    f = g.push(first, {"a": "2\n"}, "PUSH_FAILED")
    assert f.status == "refused" and "checked out" in f.text
    assert head_of(repo) == first
    work = side(repo.path)
    work.pull()
    f = work.push(first, {"a": "2\n"}, "PUSH_FAILED")
    assert f.status == "refused" and "checked out" in f.text
    git(repo.path, "config", "receive.denyCurrentBranch", "updateInstead")
    work.push(first, {"a": "2\n"})
    assert repo.read("a") == "2\n"


def test_a_remote_that_may_be_read_only(repo, side, tmp_path, started, sshd, public_key):
    first = repo.commit({"a": "1\n"})
    daemon = started(remotes.Daemon(str(tmp_path), receive=False))
    web = started(remotes.Https(str(tmp_path)))
    sshd.authorize('command="case $SSH_ORIGINAL_COMMAND in git-upload-pack*) eval exec $SSH_ORIGINAL_COMMAND;; esac; '
                   'echo this key may read only >&2; exit 1" ' + public_key)
    ssh = ["--ssh-key=" + remotes.KEY, "--authenticator=" + sshd.fingerprint()]
    for url, options, words in ((daemon.url("zones.git"), [], "takes no push"), (web.url("zones.git"), [], "takes no push"),
                                (sshd.url("zones.git"), ssh, "this key may read only")):
        g = side(url, *options)
        g.pull()
        f = g.push(first, {"a": "2\n"}, "PUSH_FAILED")
        assert f.status == "refused" and words in f.text, f
        assert g.pull("UPTODATE")
    assert head_of(repo) == first


def in_namespace(*commands):
    """A program runs in a mount namespace of its own, after these commands."""
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-e", "-c", "; ".join([*commands, 'exec "$0" "$@"'])]


def test_a_file_system_that_is_read_only(repo, side):
    first = repo.commit({"a": "1\n"})
    mount = "mount --bind {0} {0}; mount -o remount,bind,ro {0}".format(repo.bare)
    g = side(repo.url, before=in_namespace(mount))
    g.pull()
    f = g.push(first, {"a": "2\n"}, "PUSH_FAILED")
    assert f.status == "refused" and "Read-only file system" in f.text and "mount it for writing" in f.text
    hook(repo, "pre-receive", "exit 0\n")
    f = g.push(first, {"a": "2\n"}, "PUSH_FAILED")
    assert f.status == "refused" and "Read-only file system" in f.text, f
    assert head_of(repo) == first


@pytest.mark.parametrize("way", ["direct", "hooks"])
def test_a_full_disk(repo, side, tmp_path, way):
    """Nothing is changed; when there is room again, the same goes through."""
    first = repo.commit({"a": "1\n", "b": "2\n"})
    if way == "hooks":
        hook(repo, "pre-receive", "exit 0\n")
    disk = tmp_path / "disk"
    disk.mkdir()
    fill = "mount -t tmpfs -o size=2m none {0}; cp -r {1} {0}; cat /dev/zero >{0}/fill 2>/dev/null || true".format(disk, repo.bare)
    g = side(str(disk / "zones.git"), before=in_namespace(fill))
    g.pull()
    inside = "/proc/%d/root%s" % (g.pid, disk)  # the other namespace, seen from here
    text = ZONE % 1 + "".join("h%d A 192.0.2.%d\n" % (i * i, i % 250) for i in range(3000))
    f = g.push(first, {"a": text}, "PUSH_FAILED")
    assert f.status == "input or output failed" and ("No space left" in f.text or "unpacker error" in f.text), f
    assert leftovers(inside + "/zones.git") == []
    assert g.pull("UPTODATE").fields["id"] == first
    os.unlink(inside + "/fill")
    second = g.push(first, {"a": text}).fields["id"]
    assert g.pull("UPTODATE").fields["id"] == second
    with open(inside + "/zones.git/refs/heads/main") as ref:
        assert ref.read().strip() == second


def test_the_disk_of_the_clone_is_full(repo, side, daemon, tmp_path):
    """The push goes through; what could not be kept of it is fetched again when there is room."""
    first = repo.commit({"a": "1\n"})
    disk = tmp_path / "disk"
    disk.mkdir()
    g = side(daemon.url("zones.git"), "--cache-dir=%s" % disk, before=in_namespace("mount -t tmpfs -o size=4m none %s" % disk))
    g.pull()
    inside = "/proc/%d/root%s" % (g.pid, disk)
    with open(inside + "/fill", "wb", buffering=0) as f, contextlib.suppress(OSError):
        while True:
            f.write(b"x" * 4096)
    frame = g.push(first, {"a": "2\n"}, "PUSHED", "PUSH_FAILED")
    assert (head_of(repo) == frame.fields["id"]) == (frame.type == "PUSHED")
    os.unlink(inside + "/fill")
    head = head_of(repo)
    while g.pull("UPTODATE", "COMMIT", "FAILED").fields["id"] != head:
        pass
    servers.await_true("it goes on", lambda: g.push(head, {"b": "2\n"}, "PUSHED", "PUSH_FAILED").type == "PUSHED" or
                       g.pull("UPTODATE", "COMMIT", "FAILED") is None)


def test_git_is_missing(repo, side, tmp_path):
    first = repo.commit({"a": "1\n"})
    path = hook(repo, "pre-receive", "exit 0\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    g = side(repo.url, before=["env", "PATH=%s" % empty])
    g.pull()
    f = g.push(first, {"a": "2\n"}, "PUSH_FAILED")
    assert "cannot run git" in f.text and "PATH" in f.text
    os.unlink(path)
    assert g.push(first, {"a": "2\n"})


def test_no_such_remote_any_more(repo, side, daemon, tmp_path):
    first = repo.commit({"a": "1\n"})
    local, remote = side(repo.url, "--linger=1"), side(daemon.url("zones.git"), "--linger=1")
    local.pull()
    remote.pull()
    local.await_idle()
    remote.await_idle()
    os.rename(repo.bare, repo.bare + ".away")
    for g in (local, remote):
        f = g.push(first, {"a": "2\n"}, "PUSH_FAILED")
        assert f.status in ("not found", "refused", "input or output failed") and "zones.git" in f.text
    os.rename(repo.bare + ".away", repo.bare)
    second = local.push(first, {"a": "2\n"}).fields["id"]
    assert remote.pull("COMMIT").fields["id"] == second


# ---- a repository with others at work in it ----

def test_packed_references_logs_and_permissions(repo, side):
    """Branches in packed-refs, logs where they are wanted, files for the group."""
    first = repo.commit({"a": "1\n"})
    git(repo.bare, "branch", "team/zones", "main")
    git(repo.bare, "pack-refs", "--all", "--prune")
    assert not os.path.exists(os.path.join(repo.bare, "refs", "heads", "team"))
    g, team = side(repo.url), side(repo.url + "#team/zones")
    g.pull()
    team.pull()
    second = g.push(first, {"a": "2\n"}).fields["id"]
    assert git(repo.bare, "rev-parse", "main", "team/zones").split() == [second, first]
    third = team.push(first, {"a": "3\n"}).fields["id"]
    assert git(repo.bare, "rev-parse", "main", "team/zones").split() == [second, third]
    assert not os.path.exists(os.path.join(repo.bare, "logs"))
    git(repo.bare, "config", "core.logAllRefUpdates", "true")
    git(repo.bare, "config", "core.sharedRepository", "group")
    fourth = g.push(second, {"a": "4\n"}).fields["id"]
    git(repo.bare, "config", "--unset", "core.logAllRefUpdates")
    fifth = g.push(fourth, {"a": "5\n"}).fields["id"]
    for ref in ("main", "HEAD"):
        assert git(repo.bare, "log", "-g", "--format=%H %gs", ref).split("\n") == [fifth + " push", fourth + " push"]
    assert not os.path.exists(os.path.join(repo.bare, "logs", "refs", "heads", "team"))
    ref = os.stat(os.path.join(repo.bare, "refs", "heads", "main"))
    assert stat.S_IMODE(ref.st_mode) & 0o660 == 0o660 and ref.st_nlink == 1
    newest = max(packs_of(repo.bare), key=os.path.getmtime)
    assert stat.S_IMODE(os.stat(newest).st_mode) & 0o440 == 0o440
    fsck(repo.bare)


def test_locks(repo, side):
    """Somebody's lock is waited for, and left; one of ours whose maker is dead is removed."""
    head = repo.commit({"a": "1\n"})
    g = side(repo.url)
    g.pull()
    lock = os.path.join(repo.bare, "refs", "heads", "main.lock")
    with open(lock, "w"):
        pass
    f = g.push(head, {"a": "2\n"}, "PUSH_FAILED")
    assert f.status == "busy" and lock in f.text and head_of(repo) == head and os.path.exists(lock)
    timer = threading.Timer(0.3, os.unlink, [lock])
    timer.start()
    head = g.push(head, {"a": "2\n"}).fields["id"]
    marker = os.path.join(repo.bare, "origin-push.pack-%s.1" % ("0" * 40))
    pack = os.path.join(repo.bare, "objects", "pack", "pack-%s" % ("0" * 40))
    for killed in ("with the lock", "after the move", "before"):
        with open(marker, "w") as m:
            m.write("0" * 40 + "\n")
        with open(pack + ".pack", "w"), open(os.path.join(repo.bare, "origin-pack.%s.1.idx" % ("0" * 40)), "w"):
            pass
        if killed == "with the lock":
            os.link(marker, lock)
        elif killed == "after the move":
            os.unlink(marker)
            os.link(os.path.join(repo.bare, "refs", "heads", "main"), marker)
        head = g.push(head, {"a": "3 %s\n" % killed}).fields["id"]
        assert leftovers(repo.bare) == [] and not os.path.exists(pack + ".pack"), killed
    fsck(repo.bare)


def test_a_symbolic_branch(repo, side):
    """Then it is git's work."""
    first = repo.commit({"a": "1\n"})
    git(repo.bare, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    g = side(repo.url + "#alias")
    g.pull()
    second = g.push(first, {"a": "2\n"}).fields["id"]
    assert head_of(repo) == second


def compete(g, repo, name, count, pushed, troubles):
    """Pushes `count` times, against others: what is stale is worked out again on the new head."""
    try:
        head = head_or_pull(g)
        for n in range(count):
            while True:
                f = g.push(head, {name: "%d\n" % n}, "PUSHED", "PUSH_FAILED")
                if f.type == "PUSHED":
                    break
                assert f.status in ("the other side has changed meanwhile", "busy"), f
                head = head_or_pull(g)
            head = f.fields["id"]
            pushed.append(head)
    except BaseException as e:  # pylint: disable=broad-except
        troubles.append(e)
        raise


@pytest.mark.parametrize("ways", [("direct", "direct"), ("direct", "git"), ("git", "git"), ("hooks", "git"), ("direct with a cache", "direct")])
def test_several_on_one_branch(repo, reach, ways):
    """Two git sides and an operator: whatever was answered is in the history, and nobody's work is lost."""
    repo.commit({"start": "1\n"})
    sides = [reach(way) for way in ways]
    pushed, troubles = [[] for _ in ways], []
    threads = [threading.Thread(target=compete, args=(g, repo, "zone%d" % i, 25, pushed[i], troubles)) for i, g in enumerate(sides)]
    for t in threads:
        t.start()
    operator = []
    while len(operator) < 2 or any(t.is_alive() for t in threads):
        git(repo.path, "pull", "-q", "--rebase", "origin", "main")
        repo.commit({"operator": "%d\n" % len(operator)}, push=False)
        if subprocess.run(["git", "-C", repo.path, "push", "-q", "origin", "HEAD:main"], capture_output=True, check=False).returncode == 0:
            operator.append(repo.head())
        else:
            git(repo.path, "reset", "-q", "--hard", "HEAD~1")
    for t in threads:
        t.join()
    assert not troubles
    history = history_of(repo)
    assert set(history) >= {c for p in pushed for c in p} | set(operator)
    assert len(history) == len(set(history)) == 1 + len(operator) + sum(map(len, pushed))
    for i in range(len(ways)):
        assert show(repo, "main:zone%d" % i) == "24"
    fsck(repo.bare)
    assert leftovers(repo.bare) == []


# ---- what breaks off ----

def settle(g, repo, frame):
    """After a PUSH that did not succeed: is the remote as was said, and what does the next PULL say of it?"""
    if frame.status == "it is not known whether it was done":
        f = g.pull("COMMIT", "UPTODATE")
        assert ("has" in f.flags) == (frame.fields["id"] in history_of(repo)), (frame, f)
        return f.fields["id"]
    assert frame.fields["id"] == ""
    f = g.pull("COMMIT", "UPTODATE")
    assert "has" not in f.flags
    return f.fields["id"]


def test_a_connection_that_breaks_off(repo, side, daemon, started):
    """Cut at any octet of the answer: what is told of the push is true, at the latest with the next pull."""
    head = repo.commit({"a": "0\n"})
    statuses = set()
    for n, limit in enumerate((1, 60, 120, 180, 190, 200, 205, 210, 215, 220, 225, 230, 235, 240, 500)):
        cut = started(remotes.Breaking(daemon.port, None))
        g = side(cut.url("zones.git"))
        g.pull()
        cut.limit = limit
        f = g.push(head, {"a": "%d\n" % (n + 1)}, "PUSHED", "PUSH_FAILED")
        cut.limit = None
        statuses.add(f.status)
        if f.type == "PUSHED":
            assert head_of(repo) == f.fields["id"]
        elif f.status == "it is not known whether it was done":
            assert g.push(head, {"a": "x"}, "PUSH_FAILED").status == "the other side has changed meanwhile"
            settle(g, repo, f)
        else:
            assert head_of(repo) == head
        head = head_of(repo)
        g.close()
    assert {"it is not known whether it was done", "input or output failed"} <= statuses


def test_a_server_that_hangs(repo, side, daemon, tmp_path):
    """When it has everything already, it is not known whether it will be done; the truth comes with the pull after that."""
    first = repo.commit({"a": "1\n"})
    g = side(daemon.url("zones.git"), "--timeout=2")
    g.pull()
    gate = tmp_path / "gate"
    hook(repo, "pre-receive", "while ! [ -e %s ]; do sleep 0.05; done\n" % gate)
    f = g.push(first, {"a": "2\n"}, "PUSH_FAILED", limit_s=20)
    assert f.status == "it is not known whether it was done" and "no progress for 2 s" in f.text and len(f.fields["id"]) == 40
    assert int(f.fields["took_ms"]) >= 2000
    assert head_of(repo) == first
    assert g.push(first, {"a": "2\n"}, "PUSH_FAILED").status == "the other side has changed meanwhile"
    gate.write_text("")
    servers.await_true("the hook has let it through", lambda: head_of(repo) != first)
    os.rename(repo.bare, repo.bare + ".away")
    assert not g.pull("FAILED").flags  # that tells nothing of the branch
    os.rename(repo.bare + ".away", repo.bare)
    assert g.push(first, {"a": "2\n"}, "PUSH_FAILED").status == "the other side has changed meanwhile"
    g.say("PULL")
    while (answer := g.next("COMMIT", "FAILED")).type == "FAILED":
        pass
    g.say("DONE")
    assert answer.flags == {"has"} and answer.fields["id"] == f.fields["id"] and answer.kinds == {"a": "PUT"}
    assert g.push(f.fields["id"], {"a": "3\n"})


def test_a_first_push_that_is_not_known_of(repo, side, daemon, tmp_path):
    """When a pull finds no branch, then it is not there, and the next PUSH may make it."""
    g = side(daemon.url("zones.git#main"), "--timeout=1")
    assert g.pull("FAILED").flags == {"none"}
    gate = tmp_path / "gate"
    path = hook(repo, "pre-receive", "while ! [ -e %s ]; do sleep 0.05; done; exit 1\n" % gate)
    f = g.push(None, {"a": "1\n"}, "PUSH_FAILED", limit_s=20)
    assert f.status == "it is not known whether it was done"
    gate.write_text("")
    os.unlink(path)
    assert g.pull("FAILED").flags == {"none"}
    g.send_push(None, {"a": "2\n"})
    while (f := g.next("PUSHED", "FAILED")).type == "FAILED":  # an empty repository is looked at again by itself
        assert f.flags == {"none"}
    assert history_of(repo) == [f.fields["id"]]


def test_a_hook_of_a_local_remote_that_hangs(repo, side):
    """All of it is ended: then it is certain."""
    first = repo.commit({"a": "1\n"})
    path = hook(repo, "pre-receive", "exec sleep 1000\n")
    g = side(repo.url, "--timeout=1")
    g.pull()
    f = g.push(first, {"a": "2\n"}, "PUSH_FAILED", limit_s=20)
    assert f.status == "timed out" and "does a hook there wait" in f.text
    os.unlink(path)
    g = side(repo.url, "--timeout=5")  # in a second, on a busy machine, a good push may get nowhere either
    g.pull()
    second = g.push(first, {"a": "2\n"}).fields["id"]
    hook(repo, "post-receive", "exec sleep 1000\n")
    third = g.push(second, {"a": "3\n"}, limit_s=20).fields["id"]
    assert head_of(repo) == third


def test_git_is_killed(repo, side, tmp_path):
    """The git that pushes into a local remote: what it started there is ended as well, so that it is certain; it is tried thrice."""
    first = repo.commit({"a": "1\n"})
    path = hook(repo, "pre-receive", "echo $$ >%s; exec sleep 1000\n" % (tmp_path / "pid"))
    g = side(repo.url)
    g.pull()
    g.send_push(first, {"a": "2\n"})
    for _ in range(3):
        servers.await_true("the hook runs", lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith("\n"))
        (tmp_path / "pid").rename(tmp_path / "last")
        pid, = g.workers()
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            os.kill(int(f.read()), 9)
    f = g.next("PUSH_FAILED")
    assert f.status == "input or output failed" and "git was killed" in f.text and head_of(repo) == first
    servers.await_true("the hook is gone", lambda: not os.path.exists("/proc/" + (tmp_path / "last").read_text().strip()))
    os.unlink(path)
    assert g.push(first, {"a": "2\n"})


def test_nothing_of_it_is_known_to_be_there(repo, side, tmp_path):
    """Killed before the remote could have anything, the push has failed, and that is certain."""
    first = repo.commit({"a": "1\n"})
    silent = remotes.Silent()
    try:
        g = side("git://127.0.0.1:%d/zones.git#main" % silent.port, "--timeout=1")
        f = g.push(None, {"a": "2\n"}, "PUSH_FAILED", limit_s=20)
        assert f.status == "timed out" and f.fields["id"] == ""
    finally:
        silent.kill()
    assert head_of(repo) == first


def is_half_a_pack(path):
    """What git leaves when it is killed while it packs; test_git_upkeep.py has when it goes."""
    return re.search(r"/objects/pack/tmp_(pack|idx|rev)_\w+$", path) is not None


def killed_push(g, rng, longest_s, *push):
    """A PUSH, while which workers are killed: once or twice, at any moment.  Its outcome, and how many were killed."""
    g.send_push(*push)
    killed = 0
    for _ in range(rng.choice((1, 1, 2))):
        time.sleep(rng.random() * longest_s)
        for pid in g.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
                killed += 1
    return g.next("PUSHED", "PUSH_FAILED"), killed


@pytest.mark.parametrize("way,rounds", [("direct", 60), ("direct with a cache", 30), ("hooks", 20), ("git", 30)])
def test_workers_that_are_killed(repo, reach, way, rounds):
    """At any moment of a push: the branch is where it was or at the new commit, and what is told of it is true.  (By hand:
    ORIGIN_ROUNDS, ORIGIN_SEED.)"""
    head = repo.commit({"a": "0\n"})
    g = reach(way)
    g.pull()
    took = []
    for n in range(8):
        begin = time.monotonic()
        head = g.push(head, {"a": "%d\n" % -n}).fields["id"]
        took.append(time.monotonic() - begin)
    longest_s = 2 * min(took)  # the first are slow, and of kills that come later nothing is to be seen
    seed = int(os.environ.get("ORIGIN_SEED") or random.randrange(1 << 30))
    rng, pushed, seen, unknown, killed = random.Random(seed), [], [], set(), 0
    print("ORIGIN_SEED=%d" % seed)
    for n in range(int(os.environ.get("ORIGIN_ROUNDS") or rounds)):
        f, victims = killed_push(g, rng, longest_s, head, {"a": "%d\n" % n, "b/%d" % (n % 7): "%d\n" % n})
        killed += victims
        seen.append(f.type if f.type == "PUSHED" else f.status)
        if f.type == "PUSHED":
            head = f.fields["id"]
            pushed.append(head)
            assert head_of(repo) == head
            continue
        now = g.pull("COMMIT", "UPTODATE")
        is_there = f.fields["id"] in history_of(repo)
        if f.status != "it is not known whether it was done":
            assert f.fields["id"] == "" and "has" not in now.flags
            assert now.fields["id"] in ({head} if way.startswith("direct") else {head} | unknown)
        elif way.startswith("direct"):
            assert ("has" in now.flags) == is_there, (f, now)
        else:  # what runs in the remote may go on after the pull
            assert "has" not in now.flags or is_there, (f, now)
            unknown.add(f.fields["id"])
        head = now.fields["id"]
    print({s: seen.count(s) for s in set(seen)})
    while (f := g.push(head, {"end": "1\n"}, "PUSHED", "PUSH_FAILED")).type != "PUSHED":
        head = head_or_pull(g)
    assert set(pushed) <= set(history_of(repo))
    assert killed > 0  # another worker takes over where nothing had come of it: with luck all are PUSHED
    if way.startswith("direct"):
        push_many(g, f.fields["id"], 70)  # what was tidying when it was killed is cleared away by the next who tidies
        servers.await_true("git is done", lambda: not is_tidying(repo.bare))
    left = [p for p in leftovers(repo.bare) if "incoming" not in p and "tmp_objdir" not in p and not is_half_a_pack(p)]
    assert not left, left
    fsck(repo.bare)


def test_one_push_at_a_time(repo, side, tmp_path):
    """A second one is refused; a PULL waits for the PUSH, and a PUSH for the DONE."""
    first = repo.commit({"a": "1\n"})
    g = side(repo.url)
    f = g.pull(done=None)
    g.send_push(first, {"a": "2\n"})
    g.silence(0.3)
    g.say("DONE")
    second = g.next("PUSHED").fields["id"]
    gate = tmp_path / "gate"
    hook(repo, "update", "while ! [ -e %s ]; do sleep 0.02; done\n" % gate)
    g.send_push(second, {"a": "3\n"})
    g.send_push(second, {"a": "4\n"})
    assert g.next("PUSH_FAILED").status == "busy"
    g.say("PULL")
    g.silence(0.3)
    gate.write_text("")
    third = g.next("PUSHED").fields["id"]
    assert g.next("UPTODATE").fields["id"] == third
    assert show(repo, "main:a") == "3"
    assert f.fields["id"] == first


def test_a_primary_that_goes_while_it_pushes(repo, side):
    """It takes the worker along, but gives a push the moment that it needs."""
    head = repo.commit({"a": "0\n"})
    for n in range(10):
        g = side(repo.url)
        g.pull()
        g.send_push(head, {"a": "%d\n" % (n + 1)})
        assert g.close() == 0
        servers.await_true("the worker is gone", lambda: not os.path.exists("/proc/%d" % g.pid))
        assert leftovers(repo.bare) == []
        head = head_of(repo)
    fsck(repo.bare)


# ---- the clone ----

def test_the_clone_follows(repo, side, daemon, tmp_path):
    """What was pushed is in the clone, which can be served from when the remote is away; what was refused is not."""
    cache = tmp_path / "cache"
    first = repo.commit({"a": "1\n", "large": "x" * 300000 + "\n"})
    for url in (daemon.url("zones.git"), repo.url):
        g = side(url, "--cache-dir=%s" % cache)
        head = head_or_pull(g)
        for n in range(5):
            head = g.push(head, {"a": "%s %d\n" % (url, n)}).fields["id"]
        assert g.pull("UPTODATE")
        assert g.close() == 0
        clone = str(cache / "clone.git")
        fsck(clone)
        ref, = glob.glob(os.path.join(clone, "refs", "origin", "*"))
        assert git(clone, "rev-parse", "refs/origin/" + os.path.basename(ref)) == head
        assert os.listdir(os.path.join(clone, "refs", "push")) == [] if os.path.exists(os.path.join(clone, "refs", "push")) else True
        os.rename(repo.bare, repo.bare + ".away")
        g = side(url, "--cache-dir=%s" % cache)
        g.pull("FAILED")
        f = g.next("COMMIT")
        assert f.fields["id"] == head and f.flags == {"whole", "cache"} and f.files["a"][3] == "%s 4" % url
        g.close()
        os.rename(repo.bare + ".away", repo.bare)
        subprocess.run(["rm", "-rf", str(cache)], check=True)
    assert first in history_of(repo)


def test_a_damaged_clone_is_mended_by_a_push(repo, side, daemon, tmp_path):
    cache = tmp_path / "cache"
    first = repo.commit({"a": "1\n", "b/c": "2\n"})
    for harm in ("packs", "clone"):
        g = side(daemon.url("zones.git"), "--cache-dir=%s" % cache, "--linger=1")
        head = head_or_pull(g)
        g.await_idle()
        for pack in packs_of(str(cache / "clone.git")) if harm == "packs" else []:
            os.chmod(pack, 0o600)
            os.truncate(pack, os.path.getsize(pack) // 2)
        if harm == "clone":
            subprocess.run(["rm", "-rf", str(cache / "clone.git")], check=True)
        f = g.push(head, {"a": "mended %s\n" % harm}, "PUSHED", "PUSH_FAILED")
        if f.type == "PUSH_FAILED":
            assert f.status == "the other side has changed meanwhile"
            head = head_or_pull(g)
            f = g.push(head, {"a": "mended %s\n" % harm})
        assert g.pull("UPTODATE")
        g.close()
    assert first in history_of(repo)


def test_the_clone_of_many_pushes(repo, side, daemon, tmp_path):
    cache = tmp_path / "cache"
    head = repo.commit({"z%d" % i: ZONE % 1 for i in range(40)})
    g = side(daemon.url("zones.git"), "--cache-dir=%s" % cache)
    g.pull()
    for n in range(40):
        head = g.push(head, {"z%d" % i: ZONE % (n + 2) for i in range(40)}).fields["id"]
    assert g.pull("UPTODATE") and g.close() == 0
    clone = str(cache / "clone.git")
    assert len(loose_of(clone)) <= 700 and len(packs_of(clone)) <= 17
    fsck(clone)


def test_a_branch_of_a_long_name(repo, side):
    """Nearly as long as libgit2 takes: its file, its lock and its log are where git has them."""
    branch = "/".join("%d" % n * 167 for n in range(1, 7))
    head = repo.commit({"a": "1\n"})
    git(repo.bare, "config", "core.logAllRefUpdates", "true")
    git(repo.bare, "branch", branch)
    git(repo.bare, "symbolic-ref", "HEAD", "refs/heads/" + branch)
    g = side(repo.url)
    g.pull()
    for n in range(3):
        head = g.push(head, {"a": "%d\n" % (n + 2)}).fields["id"]
        assert git(repo.bare, "rev-parse", "refs/heads/" + branch) == head
    assert git(repo.bare, "reflog", "show", "--format=%H", branch).split()[0] == head
    assert leftovers(repo.bare) == []
    fsck(repo.bare)


# ---- the remote is kept tidy ----

def push_many(g, head, n):
    for i in range(n):
        head = g.push(head, {"a": ZONE % i + "h%d A 192.0.2.1\n" % i}).fields["id"]
    return head


def test_the_remote_stays_packed(repo, side):
    head = repo.commit({"a": ZONE % 1})
    g = side(repo.url)
    g.pull()
    most = 0
    for _ in range(10):
        head = push_many(g, head, 30)
        most = max(most, len(packs_of(repo.bare)))
    assert most <= 220 and len(history_of(repo)) == 301  # src/git/upkeep.h: UPKEEP_PACKS_MAX, and what comes while git is at work
    servers.await_true("few packs", lambda: len(packs_of(repo.bare)) <= 50 and not is_tidying(repo.bare))
    fsck(repo.bare)
    size = sum(map(os.path.getsize, packs_of(repo.bare)))
    git(repo.bare, "gc", "-q", "--prune=now")
    assert size <= 3 * sum(map(os.path.getsize, packs_of(repo.bare)))
    assert g.pull("UPTODATE").fields["id"] == head and g.push(head, {"a": "end\n"})


@pytest.mark.parametrize("setting", ["gc.auto=0", "gc.autoPackLimit=0", "receive.autogc=false", "gc.pid"])
def test_a_remote_that_is_let_alone(repo, side, setting):
    head = repo.commit({"a": ZONE % 1})
    if setting == "gc.pid":
        with open(os.path.join(repo.bare, "gc.pid"), "w") as f:
            f.write("%d %s\n" % (os.getpid(), os.uname().nodename))
    else:
        git(repo.bare, "config", *setting.split("="))
    g = side(repo.url, "--linger=1")
    g.pull()
    push_many(g, head, 100)
    g.await_idle()
    assert len(packs_of(repo.bare)) == 100
    fsck(repo.bare)


def test_packs_that_are_kept(repo, side):
    """What somebody has marked stays as it is; so do objects that nothing refers to."""
    head = repo.commit({"a": ZONE % 1})
    dangling = subprocess.run(["git", "-C", repo.bare, "hash-object", "-w", "--stdin"], input=b"nobody's", capture_output=True, check=True)
    g = side(repo.url)
    g.pull()
    head = push_many(g, head, 3)
    kept = sorted(packs_of(repo.bare))[0]
    with open(kept[:-5] + ".keep", "w"):
        pass
    push_many(g, head, 100)
    servers.await_true("few packs", lambda: len(packs_of(repo.bare)) < 60 and not is_tidying(repo.bare))
    assert kept in packs_of(repo.bare)
    fsck(repo.bare)
    assert git(repo.bare, "cat-file", "-p", dangling.stdout.decode().strip()) == "nobody's"


def test_tidied_while_git_is_at_work(repo, side):
    """Pushes, gc, repack, fetches and others' pushes at the same time: nothing is lost."""
    head = repo.commit({"a": ZONE % 1})
    g = side(repo.url)
    g.pull()
    stop, troubles = threading.Event(), []

    def disturb():
        commands = [["gc", "-q"], ["repack", "-a", "-d", "-q"], ["pack-refs", "--all"], ["repack", "-d", "-q"], ["prune-packed", "-q"]]
        n = 0
        while not stop.is_set():
            done = subprocess.run(["git", "-C", repo.bare, *commands[n % len(commands)]], capture_output=True, check=False)
            n += 1
            # The others hold a lock, or have removed what was to be removed: git's own processes say that to each other, too.
            if done.returncode != 0 and not re.search(rb"\.lock'|unable to unlink", done.stderr):
                troubles.append((done.args, done.stderr))
    thread = threading.Thread(target=disturb)
    thread.start()
    pushed = []
    try:
        for n in range(250):
            while (f := g.push(head, {"a": ZONE % n}, "PUSHED", "PUSH_FAILED")).type != "PUSHED":
                assert f.status in ("busy", "the other side has changed meanwhile"), f
                head = head_or_pull(g)
            head = f.fields["id"]
            pushed.append(head)
    finally:
        stop.set()
        thread.join()
    assert not troubles
    assert set(pushed) <= set(history_of(repo))
    fsck(repo.bare)
