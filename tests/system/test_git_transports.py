"""The git side against real remotes: every transport, what it refuses, and what it says when it cannot."""
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import remotes
import servers
from repository import ENV, git

ZONE = "@ 3600 SOA ns host %d 7200 3600 1209600 3600\n"


def walk_through(repo, g, url):
    """What every transport must do: the whole tree first, then only what changed, and whatever is asked for."""
    first = repo.commit({"example.org": ZONE % 1, "sub/inc": "included\n", "README": "no zone\n"})
    f = g.pull("COMMIT", done=None)
    assert f.fields["id"] == first and f.flags == {"whole"}
    assert f.kinds == {"example.org": "PUT", "sub/inc": "NAMED", "README": "NAMED"}
    assert f.files["example.org"][3] == (ZONE % 1).strip()
    assert g.get("sub/inc").lines == ["FILE status=no error len=9 sum=%s text=included" % g_sum(b"included\n")]
    assert g.get("nope").status == "not found"
    g.say("DONE")
    assert g.pull("UPTODATE").fields["id"] == first
    second = repo.commit({"example.org": ZONE % 2, "new.example": ZONE % 1, "sub/inc": None})
    f = g.pull("COMMIT")
    assert f.fields["id"] == second and not f.flags
    assert f.kinds == {"example.org": "PUT", "new.example": "PUT", "sub/inc": "REMOVE"}
    repo.commit({"new.example": None})
    assert g.pull("COMMIT").kinds == {"new.example": "REMOVE"}
    assert g.pull("UPTODATE")
    assert g.close() == 0


def g_sum(data):
    total = 0
    for octet in data:
        total = (total * 31 + octet) & 0xFFFFFFFF
    return "%08x" % total


def test_file_url(repo, side):
    walk_through(repo, side(repo.url), repo.url)


def test_plain_path_of_a_work_tree(repo, side):
    repo.commit({"example.org": ZONE % 1})
    g = side(repo.path)
    assert g.pull().kinds == {"example.org": "PUT"}


def test_file_url_with_a_cache(repo, side, tmp_path):
    walk_through(repo, side(repo.url, "--cache-dir=%s" % (tmp_path / "cache")), repo.url)


# ---- repositories of another format ----

def make_of_format(where, *options, settings=()):
    """A bare repository with a commit; `settings`: as a git that knows more would write them."""
    work, bare = os.path.join(where, "work"), os.path.join(where, "zones.git")
    for path, more in ((work, []), (bare, ["--bare"])):
        git(where, "init", "-q", "-b", "main", *more, *options, path)
    with open(os.path.join(work, "example.org"), "w") as f:
        f.write(ZONE % 1)
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "first")
    git(work, "push", "-q", bare, "main")
    if settings:
        git(bare, "config", "core.repositoryFormatVersion", "1")
    for name, value in settings:
        git(bare, "config", name, value)
    return bare


def has_reftable():
    return "ref-format" in subprocess.run(["git", "init", "-h"], capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("is_cached", [False, True], ids=["in place", "cloned"])
@pytest.mark.parametrize("what", ["sha256", "reftable", "partialClone", "futureThing"])
def test_a_local_repository_of_another_format(side, tmp_path, what, is_cached):
    if what == "sha256":
        bare, wanted = make_of_format(str(tmp_path), "--object-format=sha256"), "has SHA-256 object names"
    elif what == "reftable" and has_reftable():
        bare, wanted = make_of_format(str(tmp_path), "--ref-format=reftable"), "keeps its branches in another form than files"
    elif what == "reftable":
        bare = make_of_format(str(tmp_path), settings=[("extensions.refStorage", "reftable")])
        wanted = "keeps its branches in another form than files"
    else:
        bare, wanted = make_of_format(str(tmp_path), settings=[("extensions." + what, "yes")]), "extensions." + what
    os.mkdir(tmp_path / "cache")
    f = side(bare, *(["--cache-dir=%s" % (tmp_path / "cache")] if is_cached else [])).pull("FAILED")
    assert f.status == "not supported" and bare in f.text and wanted.lower() in f.text.lower() and " -- " in f.text, f
    assert "is the path right" not in f.text


def test_settings_of_work_trees(side, tmp_path):
    """Newer libgit2 reads them; older ones say why not."""
    bare = make_of_format(str(tmp_path), settings=[("extensions.worktreeConfig", "true")])
    f = side(bare).pull("FAILED", "COMMIT")
    assert f.type == "COMMIT" or (f.status == "not supported" and "config --unset extensions.worktreeConfig" in f.text), f


def test_a_remote_with_sha256(side, tmp_path, started, need):
    need("git")
    make_of_format(str(tmp_path), "--object-format=sha256")
    f = side(started(remotes.Daemon(str(tmp_path))).url("zones.git")).pull("FAILED")
    assert f.status == "not supported" and "SHA-256" in f.text and "fast-import" in f.text, f


def capabilities(zero, more=b""):
    """What git 2.41 and newer say of an empty repository; the HEAD of which says nothing."""
    line = zero + b" capabilities^{}\0 multi_ack side-band-64k ofs-delta" + more + b" agent=git/2.41.0\n"
    return b"%04x" % (len(line) + 4) + line + b"0000"


@pytest.mark.parametrize("is_sha256", [False, True], ids=["SHA-1", "SHA-256"])
def test_an_empty_remote_that_tells_its_format(side, started, is_sha256):
    octets = capabilities(b"0" * 64, b" object-format=sha256") if is_sha256 else capabilities(b"0" * 40, b" object-format=sha1")
    f = side(started(remotes.Silent(octets)).url()).pull("FAILED")
    if is_sha256:
        assert f.status == "not supported" and "SHA-256" in f.text and "fast-import" in f.text, f
    else:
        assert "is empty" in f.text, f


def test_an_empty_remote_with_sha256(side, tmp_path, started, need):
    """An older git does not tell, so the hint does; and the first push shows it."""
    need("git")
    bare = str(tmp_path / "zones.git")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", "--object-format=sha256", bare], check=True)
    g = side(started(remotes.Daemon(str(tmp_path))).url("zones.git"))
    f = g.pull("FAILED")
    assert "SHA-256" in f.text and ("is empty" in f.text or f.status == "not supported"), f
    tree = git(bare, "mktree", input=b"")
    git(bare, "update-ref", "refs/heads/main", git(bare, "commit-tree", "-m", "x", tree))
    while (f := g.next("FAILED")).status != "not supported":
        assert "is empty" in f.text
    assert "SHA-256" in f.text and "fast-import" in f.text


def test_git_daemon(repo, side, daemon):
    walk_through(repo, side(daemon.url("zones.git")), None)


def test_ssh(repo, side, sshd):
    walk_through(repo, side(sshd.url("zones.git"), "--ssh-key=" + remotes.KEY, "--authenticator=" + sshd.fingerprint()), None)


def test_https(repo, side, tls, tmp_path, started):
    ca, server = tls
    web = started(remotes.Https(str(tmp_path), tls=server))
    walk_through(repo, side(web.url("zones.git"), "--ca-file=" + ca), None)


def test_http_with_password(repo, side, tmp_path, started):
    web = started(remotes.Https(str(tmp_path), user="me:s3cret p@ss"))
    walk_through(repo, side(web.url("zones.git", "me:s3cret%20p%40ss")), None)


@pytest.mark.parametrize("content", ["me:s3cret\n", "https://me:s3cret@{host}\n", "# mine\nhttps://x:y@other.example\nhttps://me:s3cret@{host}\n"])
def test_https_with_a_credential_file(repo, side, tls, tmp_path, started, content):
    ca, server = tls
    web = started(remotes.Https(str(tmp_path), tls=server, user="me:s3cret"))
    path = tmp_path / "credentials"
    path.write_text(content.format(host="127.0.0.1:%d" % web.port))
    walk_through(repo, side(web.url("zones.git"), "--ca-file=" + ca, "--credentials=%s" % path), None)


# ---- what is refused, and how it is said ----

def test_https_wrong_password(repo, side, tmp_path, started):
    repo.commit({"example.org": ZONE % 1})
    web = started(remotes.Https(str(tmp_path), user="me:right"))
    f = side(web.url("zones.git", "me:wrong")).pull("FAILED")
    assert f.status == "authentication failed" or "auth" in f.status
    assert "wrong, or may not read" in f.text and "me:wrong" not in f.text and "***@" in f.text
    f = side(web.url("zones.git")).pull("FAILED")
    assert "credential" in f.text


def test_https_unknown_ca(repo, side, tls, tmp_path, started):
    repo.commit({"example.org": ZONE % 1})
    web = started(remotes.Https(str(tmp_path), tls=tls[1]))
    f = side(web.url("zones.git")).pull("FAILED")
    assert "certificate" in f.text and "--ca-file" in f.text


def test_https_other_name(repo, side, tls, tmp_path, started):
    """A certificate of the right CA for another host is none for this one."""
    repo.commit({"example.org": ZONE % 1})
    web = started(remotes.Https(str(tmp_path), tls=tls[1]))
    assert side(web.url("zones.git").replace("127.0.0.1", "localhost"), "--ca-file=" + tls[0]).pull()
    f = side(web.url("zones.git").replace("127.0.0.1", "localhost.localdomain"), "--ca-file=" + tls[0]).pull("FAILED")
    assert "certificate" in f.text or "resolve" in f.text
    other = started(remotes.Https(str(tmp_path), tls=remotes.make_ca(str(tmp_path), "other.example")[1]))
    f = side(other.url("zones.git"), "--ca-file=" + tls[0]).pull("FAILED")
    assert "certificate" in f.text


def test_credentials_do_not_follow_a_redirect(repo, side, tmp_path, started):
    repo.commit({"example.org": ZONE % 1})
    other = started(remotes.Https(str(tmp_path), user="me:s3cret"))
    web = started(remotes.Https(str(tmp_path), redirect=other.url("").rstrip("/").replace("127.0.0.1", "localhost")))
    f = side(web.url("zones.git", "me:s3cret")).pull("FAILED")
    assert "elsewhere" in f.text and not other.seen


def test_redirect_without_credentials(repo, side, tmp_path, started):
    repo.commit({"example.org": ZONE % 1})
    other = started(remotes.Https(str(tmp_path)))
    web = started(remotes.Https(str(tmp_path), redirect=other.url("").rstrip("/")))
    assert side(web.url("zones.git")).pull().kinds == {"example.org": "PUT"}


def test_ssh_without_a_pinned_key(repo, side, sshd):
    f = side(sshd.url("zones.git"), "--ssh-key=" + remotes.KEY).pull("FAILED")
    assert "--authenticator" in f.text and "ssh-keyscan -p %d" % sshd.port in f.text


def test_ssh_host_key_mismatch(repo, side, sshd):
    """Both fingerprints are told, and not a word is said to that server."""
    repo.commit({"example.org": ZONE % 1})
    before = sshd.fingerprint()
    g = side(sshd.url("zones.git"), "--ssh-key=" + remotes.KEY, "--authenticator=" + before, "--linger=1")
    g.pull("COMMIT")
    sshd.new_host_key()
    g.await_idle()
    f = g.pull("FAILED")
    assert before in f.text and sshd.fingerprint() in f.text and "(ssh-ed25519)" in f.text
    with open(os.path.join(sshd.home, "sshd.log")) as log:
        assert "Accepted publickey" not in log.read().rsplit("Server listening", 1)[-1]


def test_ssh_several_host_keys(repo, side, tmp_path, started, need, public_key):
    """The key that is pinned need not be the one that the server would show first."""
    need("sshd", "ssh-keygen")
    repo.commit({"example.org": ZONE % 1})
    sshd = started(remotes.Sshd(str(tmp_path), ("ecdsa-256", "ed25519", "ecdsa-521", "rsa-2048"), authorize=[public_key]))
    for kind in sshd.keys:
        g = side(sshd.url("zones.git"), "--ssh-key=" + remotes.KEY, "--authenticator=" + sshd.fingerprint(kind))
        assert g.pull().kinds == {"example.org": "PUT"}, kind


def test_the_users_own_known_hosts(repo, side, tmp_path, started, need, public_key):
    """What stands in ~/.ssh decides nothing: neither which key is asked for, nor whether it is good."""
    need("sshd", "ssh-keygen")
    repo.commit({"example.org": ZONE % 1})
    sshd = started(remotes.Sshd(str(tmp_path), ("ecdsa-256", "ed25519"), authorize=[public_key]))
    os.makedirs(tmp_path / "tmp" / ".ssh")  # side()'s home directory
    shutil.copy(sshd.known_hosts("ecdsa-256"), tmp_path / "tmp" / ".ssh" / "known_hosts")
    g = side(sshd.url("zones.git"), "--ssh-key=" + remotes.KEY, "--authenticator=" + sshd.fingerprint("ed25519"))
    assert g.pull().kinds == {"example.org": "PUT"}
    f = side(sshd.url("zones.git"), "--ssh-key=" + remotes.KEY, "--authenticator=SHA256:" + "A" * 43).pull("FAILED")
    assert "showed another key" in f.text and sshd.fingerprint("ecdsa-256") in f.text and sshd.fingerprint("ed25519") in f.text


@pytest.mark.parametrize("hashed", [False, True])
def test_ssh_known_hosts(repo, side, tmp_path, started, need, public_key, hashed):
    need("sshd", "ssh-keygen")
    repo.commit({"example.org": ZONE % 1})
    sshd = started(remotes.Sshd(str(tmp_path), ("ed25519", "ecdsa-256"), authorize=[public_key]))
    for kind in sshd.keys:
        g = side(sshd.url("zones.git"), "--ssh-key=" + remotes.KEY, "--known-hosts=" + sshd.known_hosts(kind, hashed=hashed))
        assert g.pull().kinds == {"example.org": "PUT"}, kind
    f = side(sshd.url("zones.git"), "--ssh-key=" + remotes.KEY, "--known-hosts=" + sshd.known_hosts(host="other.example")).pull("FAILED")
    assert "not in the known_hosts file" in f.text and sshd.fingerprint("ed25519") in f.text


def test_ssh_key_that_is_not_authorized(repo, side, sshd, public_key):
    """The message has the public key that the server is to be told."""
    repo.commit({"example.org": ZONE % 1})
    sshd.authorize()
    f = side(sshd.url("zones.git"), "--ssh-key=" + remotes.KEY, "--authenticator=" + sshd.fingerprint()).pull("FAILED")
    assert public_key in f.text
    f = side(sshd.url("zones.git"), "--authenticator=" + sshd.fingerprint()).pull("FAILED")
    assert "--ssh-key" in f.text


def test_no_such_repository(repo, side, daemon, sshd, tmp_path, started):
    web = started(remotes.Https(str(tmp_path)))
    for url, options in ((daemon.url("nope.git"), []), (web.url("nope.git"), []), ("file:///nowhere/nope.git", []),
                         (sshd.url("nope.git"), ["--ssh-key=" + remotes.KEY, "--authenticator=" + sshd.fingerprint()])):
        f = side(url, *options).pull("FAILED")
        assert "nope.git" in f.text and " -- " in f.text and int(f.fields["retry_s"]) == 1, f


def test_a_name_with_the_number_of_an_error(side, daemon):
    """It is not HTTP's status 403."""
    f = side(daemon.url("zones-403.git")).pull("FAILED")
    assert f.status == "not found" and "does the server serve this repository to us?" in f.text, f


@pytest.mark.parametrize("transport", ["file", "git"])
def test_empty_then_filled(repo, side, daemon, transport):
    """An empty repository is told as such; the first push is found without being asked for again."""
    g = side(repo.url if transport == "file" else daemon.url("zones.git"))
    f = g.pull("FAILED")
    assert "is empty" in f.text
    commit = repo.commit({"example.org": ZONE % 1})
    while (f := g.next("FAILED", "COMMIT")).type == "FAILED":
        pass
    assert f.fields["id"] == commit


@pytest.mark.parametrize("transport", ["file", "git"])
def test_missing_branch(repo, side, daemon, transport):
    repo.commit({"example.org": ZONE % 1})
    url = repo.url if transport == "file" else daemon.url("zones.git")
    f = side(url + "#production").pull("FAILED")
    assert "no branch production" in f.text and "it has: main" in f.text


@pytest.mark.parametrize("transport", ["file", "git"])
def test_head_that_names_no_branch(repo, side, daemon, transport):
    repo.commit({"example.org": ZONE % 1})
    subprocess.run(["git", "-C", repo.bare, "symbolic-ref", "HEAD", "refs/heads/master"], check=True)
    f = side(repo.url if transport == "file" else daemon.url("zones.git")).pull("FAILED")
    assert "it has: main" in f.text and "#BRANCH" in f.text


def test_another_branch(repo, side, daemon):
    repo.commit({"example.org": ZONE % 1})
    subprocess.run(["git", "-C", repo.bare, "branch", "feature/x", "main"], check=True)
    for url in (repo.url, daemon.url("zones.git")):
        assert side(url + "#feature/x").pull().kinds == {"example.org": "PUT"}


def test_bad_remotes(bindir):
    path = os.path.join(bindir, os.pardir, os.pardir, "tests", "unit", "git_pull")
    for url in ("ftp://example.org/zones.git", "", "https://", "https:///x", "https://h:99999/x", "file://relative", "host:", "/x#a..b",
                "https://me:%zz@h/x", "/x#-x"):
        done = subprocess.run([path, url], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 2 and " -- " in done.stderr, (url, done)


# ---- trouble on the way ----

def test_refused_connection_is_tried_again(repo, side, tmp_path, started):
    repo.commit({"example.org": ZONE % 1})
    daemon = started(remotes.Daemon(str(tmp_path)))
    daemon.kill()
    g = side(daemon.url("zones.git"))
    seen = [int(g.pull("FAILED").fields["retry_s"])]
    seen.append(int(g.next("FAILED").fields["retry_s"]))
    assert seen == [1, 2]
    again = started(remotes.Daemon(str(tmp_path), daemon.port))
    assert g.next("COMMIT", limit_s=20).kinds == {"example.org": "PUT"}
    g.say("DONE")
    again.kill()
    assert g.pull("FAILED").fields["retry_s"] == "1", "a success makes the next trouble a first one"


@pytest.mark.parametrize("first", [b"", b"0047"])
def test_a_remote_that_hangs(side, started, first):
    silent = started(remotes.Silent(first))
    g = side(silent.url(), "--timeout=1")
    f = g.pull("FAILED", limit_s=10)
    assert "no progress for 1 s" in f.text and not g.workers()
    assert int(f.fields["took_ms"]) >= 1000
    g.next("FAILED", limit_s=10)


def test_a_fetch_that_breaks_off(repo, side, daemon, started):
    repo.commit({"example.org": ZONE % 1 + "".join("h%d A 192.0.2.%d\n" % (i, i * 7 % 250) for i in range(20000))})
    for limit in (10, 200, 600, 30000):
        cut = started(remotes.Breaking(daemon.port, limit))
        g = side(cut.url("zones.git"))
        f = g.pull("FAILED")
        assert f.text
        cut.limit = None
        while (f := g.next("COMMIT", "FAILED")).type == "FAILED":
            pass
        assert f.kinds == {"example.org": "PUT"}


def test_force_push(repo, side, daemon):
    """The branch is what counts, wherever it goes."""
    for url in (repo.url, daemon.url("zones.git")):
        base = repo.commit({"a.example": ZONE % 1, "b.example": ZONE % 1})
        g = side(url)
        g.pull()
        repo.commit({"a.example": ZONE % 2})
        g.pull()
        subprocess.run(["git", "-C", repo.path, "reset", "-q", "--hard", base], check=True)
        other = repo.commit({"b.example": ZONE % 9}, force=True)
        f = g.pull()
        assert f.fields["id"] == other and f.kinds == {"a.example": "PUT", "b.example": "PUT"} and not f.flags
        assert f.files["a.example"][3] == (ZONE % 1).strip()


def test_rewritten_history_that_is_collected(repo, side):
    """Read in place, the last commit may be gone for good: then all is told again."""
    repo.commit({"a.example": ZONE % 1})
    g = side(repo.url, "--linger=1")
    g.pull()
    subprocess.run(["git", "-C", repo.path, "checkout", "-q", "--orphan", "other"], check=True)
    repo.commit({"b.example": ZONE % 1}, force=True)
    for command in (["reflog", "expire", "--expire=now", "--all"], ["gc", "-q", "--prune=now"]):
        subprocess.run(["git", "-C", repo.bare, *command], check=True)
    g.await_idle()
    f = g.pull()
    assert f.flags == {"whole"} and f.kinds == {"a.example": "PUT", "b.example": "PUT"}


def test_repack_while_a_worker_waits(repo, side):
    repo.commit({"a.example": ZONE % 1})
    subprocess.run(["git", "-C", repo.bare, "gc", "-q"], check=True)
    g = side(repo.url)
    g.pull()
    repo.commit({"a.example": ZONE % 2})
    subprocess.run(["git", "-C", repo.bare, "gc", "-q", "--prune=now"], check=True)
    assert g.pull().kinds == {"a.example": "PUT"}


def large_zone(serial):
    return ZONE % serial + "".join("h%d A 10.%d.%d.%d\n" % (i, i * 7919 % 251, i * 104729 % 241, (i * 31 if i % 997 else i * serial) % 239)
                                   for i in range(60000))


def test_large_file_that_changes_often(repo, side, daemon, tmp_path):
    """Each change is told as it is, and the clone keeps of the large file what it needs."""
    repo.commit({"large": large_zone(1), "small": ZONE % 1})
    cache = tmp_path / "cache"
    g = side(daemon.url("zones.git"), "--cache-dir=%s" % cache)
    g.pull()
    commits = [repo.head()]
    for serial in range(2, 9):
        text = large_zone(serial)
        commits.append(repo.commit({"large": text, "small": ZONE % serial}))
        f = g.pull()
        assert f.kinds == {"large": "PUT", "small": "PUT"}
        assert f.files["large"][1:3] == (len(text), g_sum(text.encode()))
    assert g.pull("UPTODATE")  # what came with the last one is on the disk now
    loose = [p.stat().st_size for p in (cache / "clone.git" / "objects").glob("??/*")]
    assert len([n for n in loose if n > 100000]) == 1 and len(list((cache / "clone.git" / "objects" / "pack").glob("*.pack"))) == 1
    # Back to an older version, which the remote may take us to have still (with bitmaps it knows all that we have had).
    subprocess.run(["git", "-C", repo.bare, "repack", "-adbq"], check=True)
    repo.commit({"large": large_zone(3)})
    f = g.pull()
    assert f.kinds == {"large": "PUT"} and f.files["large"][2] == g_sum(large_zone(3).encode())
    for serial in (4, 9):
        subprocess.run(["git", "-C", repo.path, "reset", "-q", "--hard", commits[2]], check=True)
        repo.commit({"large": large_zone(serial)}, force=True)
        assert g.pull().files["large"][2] == g_sum(large_zone(serial).encode())


def test_many_small_fetches(repo, side, daemon, tmp_path):
    """Packs and loose objects stay few, and what there is makes a sound repository."""
    repo.commit({"z%d" % i: ZONE % 1 for i in range(40)})
    cache = tmp_path / "cache"
    g = side(daemon.url("zones.git"), "--cache-dir=%s" % cache)
    g.pull()
    objects = cache / "clone.git" / "objects"
    for n in range(30):
        repo.commit({"z%d" % i: ZONE % (n + 2) for i in range(40)})
        assert len(g.pull().files) == 40
    assert g.pull("UPTODATE")
    assert len(list(objects.glob("??/*"))) <= 642 and len(list((objects / "pack").glob("*.pack"))) <= 3
    assert g.close() == 0
    subprocess.run(["git", "-C", str(cache / "clone.git"), "fsck", "--strict"], check=True, capture_output=True)


def test_fetched_but_not_kept(repo, side, daemon, tmp_path):
    """Killed before the objects were written, it fetches them again."""
    cache = tmp_path / "cache"
    repo.commit({"a": "1\n"})
    g = side(daemon.url("zones.git"), "--cache-dir=%s" % cache)
    g.pull()
    repo.commit({"a": "2\n"})
    assert g.pull(done=None).files["a"][3] == "2"
    os.kill(g.workers()[0], 9)
    g.say("DONE")
    commit = repo.commit({"b": "1\n"})
    f = g.pull()
    assert f.fields["id"] == commit and f.kinds.keys() >= {"b"}
    assert g.pull("UPTODATE")
    assert g.close() == 0
    subprocess.run(["git", "-C", str(cache / "clone.git"), "fsck", "--strict"], check=True, capture_output=True)
    ref, = (cache / "clone.git" / "refs" / "origin").iterdir()
    assert ref.read_text().strip() == commit


# ---- what is in the tree ----

def test_what_can_be_no_zone(repo, side, tmp_path):
    repo.write({"good.example": ZONE % 1, "bin.example": b"a\0b", "empty.example": b"", "large.example": b"x" * 2000,
                ".hidden": "x", "README.md": "x", "LICENSE": "x", "name with space": "x", "dir/a/b": "x",
                "latin1": b"caf\xe9\n", "crlf.example": "a\r\nb\r\n"})
    os.symlink("good.example", os.path.join(repo.path, "link.example"))
    os.symlink("/etc/passwd", os.path.join(repo.path, "dir", "link"))
    inner = str(tmp_path / "inner")
    subprocess.run(["git", "init", "-q", inner], check=True)
    env = {**os.environ, **remotes.ENV}
    subprocess.run(["git", "-C", inner, "commit", "-q", "--allow-empty", "-m", "x"], check=True, env=env)
    subprocess.run(["git", "-C", repo.path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "sub.example"],
                   check=True, env=env)
    repo.commit()
    g = side(repo.url, "--file-max=1000")
    f = g.pull(done=None)
    assert f.kinds == {
        "good.example": "PUT", "bin.example": "REFUSED", "empty.example": "PUT", "large.example": "REFUSED", ".hidden": "NAMED",
        "README.md": "NAMED", "LICENSE": "NAMED", "name with space": "PUT", "dir/a/b": "NAMED", "latin1": "PUT",
        "crlf.example": "PUT", "link.example": "REFUSED", "dir/link": "NAMED", "sub.example": "REFUSED", ".gitmodules": "NAMED"}
    for path, words in (("bin.example", "binary"), ("link.example", "symbolic link"), ("sub.example", "submodule"),
                        ("large.example", "2000 octets, the limit is 1000; keep files that are not zones in a directory")):
        assert words in f.files[path][3]
    assert f.files["empty.example"][1] == 0
    for path in ("dir/link", "link.example", "sub.example", "dir", "dir/a"):
        assert g.get(path).status == "refused", path
    for path in ("../x", "/etc/passwd", "dir/../good.example", "dir//a/b", "", "dir/a/b/", "x" * 2000):
        assert g.get(path).status in ("not found", "refused"), path
    assert g.get("large.example").status == "beyond a limit" or "limit" in g.get("large.example").status


def test_kinds_that_change(repo, side):
    repo.commit({"a": "1\n", "d/x": "1\n"})
    g = side(repo.url)
    g.pull()
    repo.commit({"a": None})
    repo.commit({"a/b": "2\n", "d/x": None})
    repo.commit({"d": "2\n"})
    assert g.pull().kinds == {"a": "REMOVE", "a/b": "NAMED", "d/x": "REMOVE", "d": "PUT"}
    os.unlink(os.path.join(repo.path, "d"))
    os.symlink("a/b", os.path.join(repo.path, "d"))
    repo.commit()
    assert g.pull().kinds == {"d": "REFUSED"}
    repo.commit({"d": None})
    assert g.pull().kinds == {"d": "REMOVE"}


def test_mode_change_is_no_change(repo, side):
    repo.commit({"a": "1\n"})
    g = side(repo.url)
    g.pull()
    os.chmod(os.path.join(repo.path, "a"), 0o755)
    repo.commit()
    assert g.pull().kinds == {}


def test_too_much_in_all(repo, side):
    repo.commit({"a%d" % i: "x" * 1000 for i in range(20)})
    f = side(repo.url, "--total-max=10000").pull("FAILED")
    assert "add up to more than 10000" in f.text


def test_the_trailer(repo, side, daemon):
    """Origin-Allow counts in any commit since the last that was dealt with, and only there."""
    for url in (repo.url, daemon.url("zones.git")):
        repo.commit({"a": "0\n"}, "start\n\nOrigin-Allow: mass-delete\n")
        repo.commit({"a": "1\n"})
        g = side(url)
        assert g.pull().flags == {"whole"}
        repo.commit({"a": "2\n"}, "no trailer: Origin-Allow: mass-delete\n\ntext follows\n")
        assert not g.pull().flags
        repo.commit({"a": "3\n"}, "yes\n\norigin-allow: Mass-Delete\n")
        repo.commit({"a": "4\n"}, "afterwards")
        assert g.pull().flags == {"allow"}
        repo.commit({"a": "5\n"}, "once only")
        assert not g.pull().flags
        repo.commit({}, "nothing but the trailer\n\nSigned-off-by: x\nOrigin-Allow: mass-delete\n")
        f = g.pull()
        assert f.flags == {"allow"} and f.kinds == {}


def test_the_trailer_of_an_update(repo, side):
    """With Origin-Update beside it, it is about the files of that commit alone: other commits are seen together with it."""
    repo.commit({"a": "1\n", "b": "1\n", "d/x": "1\n"})
    g = side(repo.url)
    g.pull()
    update = "update\n\nOrigin-Update: a by k from 192.0.2.1\nOrigin-Allow: mass-delete\n"
    repo.commit({"a": "2\n", "d/x": "2\n"}, update)
    repo.commit({"b": None}, "a person's")
    f = g.pull()
    assert not f.flags and f.kinds["b"] == "REMOVE"
    assert re.findall(r"^ ALLOWED (\S+)", "\n".join(f.lines), re.M) == ["a", "d/x"]
    repo.commit({"a": "3\n"}, update)
    repo.commit({}, "meant\n\nOrigin-Allow: mass-delete\n")
    assert g.pull().flags == {"allow"}


def signed_told(frame):
    return re.findall(r"^ SIGNED (\S+) len=\d+ sum=\w+ text=(.*)$", "\n".join(frame.lines), re.M)


def test_when_updates_were_signed(repo, side, monkeypatch):
    """As the commits say, whoever has written them; at a start those of the last hour."""
    signed = "update\n\nOrigin-Update: a by k from 192.0.2.1\n"
    with monkeypatch.context() as then:
        then.setitem(ENV, "GIT_COMMITTER_DATE", "@%d +0000" % (time.time() - 7200))
        repo.commit({"a": "1\n"}, signed + "Origin-Signed: long.ago 1\n")
    repo.commit({"a": "2\n"}, signed + "Origin-Signed: k 1700000001\nOrigin-Signed: other\\032key 1700000002\n")
    repo.commit({"a": "3\n"}, signed + "".join("Origin-Signed: %s\n" % bad for bad in (
        "k", "k x", "k 12x", "k -1", "k ", "k 1700000009 ...", "1700000000")))
    repo.commit({"a": "4\n"}, signed + "origin-signed: k 1700000003\n")
    g = side(repo.url)
    assert signed_told(g.pull()) == [("k", "1700000003"), ("k", "1700000001"), ("other\\032key", "1700000002")]
    repo.commit({"a": "5\n"}, signed + "Origin-Signed: k 1700000004\n")
    assert signed_told(g.pull()) == [("k", "1700000004")]


def test_a_commit_that_tells_of_very_many_keys(repo, side, tmp_path):
    """Anybody can have written it, and the DNS side keeps what it is told: beyond a limit the time of the commit holds for all keys."""
    message = tmp_path / "message"
    message.write_text("x\n\n" + "".join("Origin-Signed: k%d 1700000001\n" % i for i in range(20001)))
    repo.commit({"a": "1\n"}, push=False)
    git(repo.path, "commit", "-q", "--amend", "-F", str(message))
    repo.commit({"a": "2\n"})
    told = signed_told(side(repo.url).pull())
    assert told[:-1] == [("k%d" % i, "1700000001") for i in range(20000)]
    assert told[-1] == (".", git(repo.path, "log", "-1", "--format=%ct", "HEAD~"))


def test_who_pushes(repo, side):
    """A primary's commits have Origin-Update; all others are people's."""
    repo.commit({"a": "1\n"}, "by hand")
    g = side(repo.url)
    assert g.pull().is_of_people  # of a whole history the last commit tells
    update = "update\n\nOrigin-Update: a by k from 192.0.2.1\n"
    for messages, are_people in (([update, update], False), (["by hand"], True), ([update, "by hand", update], True), ([update], False)):
        for message in messages:
            repo.commit({}, message)
        assert g.pull().is_of_people == are_people, messages


def test_a_commit_that_could_not_be_dealt_with(repo, side):
    """The same is told again by itself, each time after a longer pause."""
    repo.commit({"a": "1\n"})
    g = side(repo.url)
    begin = time.monotonic()
    assert g.pull(done="DONE 9").kinds == {"a": "PUT"}
    assert g.next("COMMIT").kinds == {"a": "PUT"}
    g.say("DONE 9")
    assert g.next("COMMIT").kinds == {"a": "PUT"}
    assert time.monotonic() - begin >= 1 + 2
    g.say("DONE")
    assert g.pull("UPTODATE")
    g.say("WHOLE")
    assert g.next("COMMIT").flags == {"whole"}


def test_a_whole_tree_that_could_not_be_dealt_with(repo, side):
    repo.commit({"a": "1\n"})
    g = side(repo.url)
    g.pull()
    g.say("WHOLE")
    assert g.next("COMMIT").flags == {"whole"}
    g.say("DONE 9")
    assert g.next("COMMIT").flags == {"whole"}
    g.say("DONE")
    assert g.pull("UPTODATE")


def await_retry(g, relay):
    """A pull fails, and the next one, which nobody asked for, has seen the branch."""
    relay.limit = 3
    failed = g.pull("FAILED")
    relay.hold()
    relay.limit = None
    relay.await_answer()
    return failed


def ask_meanwhile(g, what):
    g.say(what)
    assert g.get("a").status == "busy"  # it has read both


def test_a_pull_that_nobody_asked_for(repo, side, relay):
    """It answers no PULL that comes while it is under way: it may have seen the branch before."""
    repo.commit({"a": "1\n"})
    g = side(relay.url("zones.git"))
    assert g.pull().fields["pull"] == "1"
    assert await_retry(g, relay).fields["pull"] == "2"
    ask_meanwhile(g, "PULL")
    commit = repo.commit({"a": "2\n"})
    relay.let_go()
    assert g.next("UPTODATE").fields["pull"] == "2"
    f = g.next("COMMIT")
    assert f.fields["pull"] == "3" and f.fields["id"] == commit


def test_the_whole_tree_is_wanted_meanwhile(repo, side, relay):
    """That is not forgotten over the commit that it brings."""
    repo.commit({"a": "1\n"})
    g = side(relay.url("zones.git"))
    g.pull()
    repo.commit({"a": "2\n"})
    await_retry(g, relay)
    ask_meanwhile(g, "WHOLE")
    relay.let_go()
    f = g.next("COMMIT")
    assert not f.flags and f.fields["pull"] == "2"
    g.say("DONE")
    f = g.next("COMMIT")
    assert f.flags == {"whole"} and f.fields["pull"] == "3"


def test_what_comes_out_of_the_cache_answers_nobody(repo, side, relay, tmp_path):
    repo.commit({"a": "1\n"})
    cache = "--cache-dir=%s" % (tmp_path / "cache")
    g = side(relay.url("zones.git"), cache)
    g.pull()
    g.close()
    relay.hold()
    g = side(relay.url("zones.git"), cache, "--patience=1")
    f = g.pull()
    assert f.flags == {"whole", "cache"} and f.fields["pull"] == "0"
    relay.let_go()
    assert g.next("UPTODATE").fields["pull"] == "1"


def test_pulls_that_wait_are_one(repo, side):
    repo.commit({"a": "1\n"})
    g = side(repo.url)
    g.say("PULL")
    g.next("COMMIT")
    for _ in range(10):
        g.say("PULL")
    g.silence(0.3)
    repo.commit({"a": "2\n"})
    g.say("DONE")
    assert g.next("COMMIT").kinds == {"a": "PUT"}
    g.say("DONE")
    g.silence(0.5)


# ---- processes ----

def test_the_idle_process_is_lean(repo, side):
    repo.commit({"a": "1\n" * 1000000})
    g = side(repo.url, "--linger=1")
    g.pull()
    g.await_idle()
    size = g.pss_kib()
    assert g.pull("UPTODATE")
    print("idle: %d KiB PSS" % size)
    if not os.environ.get("ORIGIN_SANITIZED"):
        assert size < 200000  # with a sanitizer; the real figure is in docs/performance.md


def test_a_worker_that_is_killed(repo, side):
    repo.commit({"a": "1\n", "inc/x": "x\n"})
    g = side(repo.url)
    g.pull(done=None)
    os.kill(g.workers()[0], 9)
    assert g.get("inc/x").status == "no error"
    os.kill(g.workers()[0], 9)
    g.say("DONE")
    assert g.pull("UPTODATE")
    os.kill(g.workers()[0], 9)
    repo.commit({"a": "2\n"})
    assert g.pull().kinds == {"a": "PUT"}


def test_nothing_is_left(repo, side, daemon, tmp_path):
    """However it ends: no process, and no directory."""
    repo.commit({"a": "1\n"})
    where = tmp_path / "own"
    g = side(daemon.url("zones.git"), tmpdir=str(where))
    g.pull()
    workers = g.workers()
    assert len(os.listdir(where)) == 1 and workers
    assert g.close() == 0
    assert os.listdir(where) == [] and not any(os.path.exists("/proc/%d" % p) for p in workers)
    g = side(daemon.url("zones.git"), tmpdir=str(where))
    g.pull()
    workers = g.workers()
    os.kill(g.pid, signal.SIGTERM)  # signals are for the main process
    repo.commit({"a": "2\n"})
    g.pull()
    g.process.kill()  # as that when it is killed
    servers.await_true("nothing is left", lambda: os.listdir(where) == [] and not any(os.path.exists("/proc/%d" % p) for p in workers))


def test_a_worker_that_crashes_is_reported(side, started):
    """After three of them."""
    silent = started(remotes.Silent())
    g = side(silent.url())
    g.say("PULL")
    killed = []
    for _ in range(3):
        (worker,) = servers.await_true("another worker", lambda: [p for p in g.workers() if p not in killed])
        os.kill(worker, signal.SIGKILL)
        killed.append(worker)
    f = g.next("FAILED")
    assert "it was killed" in f.text and int(f.fields["retry_s"]) == 1
    g.close()


def test_a_killed_supervisor_takes_its_worker_along(repo, side, daemon, tmp_path):
    repo.commit({"a": "1\n"})
    g = side(daemon.url("zones.git"), tmpdir=str(tmp_path / "own"))
    g.pull()
    worker = g.workers()[0]
    os.kill(g.pid, 9)
    g.next("GONE")

    def is_gone():
        return not os.path.exists("/proc/%d" % worker) or re.search(r"State:\s+Z", open("/proc/%d/status" % worker).read())
    servers.await_true("the worker is gone", is_gone, 10)


# ---- the cache ----

def test_cache_serves_while_the_remote_is_down(repo, side, tmp_path, started):
    cache = "--cache-dir=%s" % (tmp_path / "cache")
    first = repo.commit({"a": "1\n"})
    daemon = started(remotes.Daemon(str(tmp_path)))
    g = side(daemon.url("zones.git"), cache)
    assert g.pull().flags == {"whole"}
    g.close()
    daemon.kill()
    g = side(daemon.url("zones.git"), cache)
    assert "cannot connect" in g.pull("FAILED").text
    f = g.next("COMMIT")
    assert f.flags == {"whole", "cache"} and f.fields["id"] == first
    g.say("DONE")
    second = repo.commit({"a": "2\n"})
    started(remotes.Daemon(str(tmp_path), daemon.port))
    while (f := g.next("COMMIT", "FAILED", limit_s=20)).type == "FAILED":
        pass
    assert not f.flags and f.fields["id"] == second and f.kinds == {"a": "PUT"}


def test_cache_serves_while_the_remote_hangs(repo, side, tmp_path, started):
    cache = "--cache-dir=%s" % (tmp_path / "cache")
    repo.commit({"a": "1\n"})
    daemon = started(remotes.Daemon(str(tmp_path)))
    url = daemon.url("zones.git")
    g = side(url, cache)
    g.pull()
    g.close()
    daemon.kill()
    silent = remotes.socket.create_server((remotes.ADDRESS, daemon.port))
    try:
        g = side(url, cache, "--patience=1", "--timeout=2")
        f = g.pull("COMMIT", limit_s=10)
        assert f.flags == {"whole", "cache"}
        assert "no progress" in g.next("FAILED", limit_s=10).text
    finally:
        silent.close()


def test_cache_of_another_remote_is_not_served(repo, side, tmp_path, daemon):
    cache = "--cache-dir=%s" % (tmp_path / "cache")
    repo.commit({"a": "1\n"})
    g = side(daemon.url("zones.git"), cache)
    g.pull()
    g.close()
    g = side("git://127.0.0.1:1/other.git", cache)
    g.pull("FAILED")
    g.next("FAILED")


def test_two_primaries_and_one_cache(repo, side, tmp_path, daemon):
    cache = "--cache-dir=%s" % (tmp_path / "cache")
    repo.commit({"a": "1\n"})
    g = side(daemon.url("zones.git"), cache)
    g.pull()
    f = side(daemon.url("zones.git"), cache).next("FAILED")
    assert "in use by another" in f.text and f.fields["retry_s"] == "0"
    assert g.pull("UPTODATE")


@pytest.mark.parametrize("harm", ["truncate-pack", "no-idx", "no-objects", "junk-head", "junk-ref", "lock", "half-pack"])
def test_a_damaged_clone_is_made_anew(repo, side, tmp_path, daemon, harm):
    cache = tmp_path / "cache"
    repo.commit({"a": "1\n" * 5000, "b": "2\n" * 5000})
    g = side(daemon.url("zones.git"), "--cache-dir=%s" % cache)
    g.pull()
    repo.commit({"a": "2\n" * 5000})
    g.pull()
    g.close()
    clone = cache / "clone.git"
    packs = sorted((clone / "objects" / "pack").glob("*.pack"))
    ref = next((clone / "refs" / "origin").iterdir())
    if harm == "truncate-pack":
        for p in packs:
            os.truncate(p, p.stat().st_size // 2)
    elif harm == "no-idx":
        for p in (clone / "objects" / "pack").glob("*.idx"):
            p.unlink()
    elif harm == "no-objects":
        subprocess.run(["rm", "-rf", str(clone / "objects")], check=True)
    elif harm == "junk-head":
        (clone / "HEAD").write_bytes(b"\0\0")
    elif harm == "junk-ref":
        ref.write_text("junk\n")
    elif harm == "lock":
        ref.with_name(ref.name + ".lock").write_text("")
        (clone / "objects" / "pack" / "pack_git2_abc").write_bytes(b"PACK")
    elif harm == "half-pack":
        (clone / "objects" / "pack" / ("pack-" + "0" * 40 + ".pack")).write_bytes(b"PACK")
    want = repo.commit({"b": "3\n" * 5000})
    g = side(daemon.url("zones.git"), "--cache-dir=%s" % cache)
    frames = [g.pull("COMMIT", "FAILED", done=None)]
    while frames[-1].type == "FAILED" or frames[-1].fields["id"] != want:
        if frames[-1].type == "COMMIT":
            g.say("DONE")
        frames.append(g.next("COMMIT", "FAILED", "UPTODATE"))
        assert len(frames) < 5, frames
    assert frames[-1].kinds.keys() >= {"b"}
