"""contrib/git-hooks: real repositories, real commits and pushes."""
import os
import shutil
import subprocess

import pytest

import servers
from repository import ENV, git

HOOKS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "contrib", "git-hooks")
SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="


def zone(serial=1, lines=""):
    return "$TTL 3600\n@ SOA ns1 hostmaster %d 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n%s" % (serial, lines)


def key(name="a._update.example.com", secret=SECRET):
    return "%s. DNSKEY 0 3 163 %s\n" % (name, secret)


def install(hook, where):
    os.makedirs(where, exist_ok=True)
    shutil.copy(os.path.join(HOOKS, hook), os.path.join(where, hook))


def attempt(where, *args):
    """git, which may fail: (did it work, what it said)."""
    done = subprocess.run(["git", "-C", where, *args], env={**os.environ, **ENV, **servers.sanitizer_env()},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    assert not servers.SANITIZER_REPORT.search(done.stderr), done.stderr
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("hook", sorted(os.listdir(HOOKS)))
def test_hooks_are_sound_shell(hook, need):
    need("shellcheck", "dash")
    subprocess.run(["dash", "-n", os.path.join(HOOKS, hook)], check=True)
    subprocess.run(["shellcheck", "-s", "sh", os.path.join(HOOKS, hook)], check=True)
    assert os.access(os.path.join(HOOKS, hook), os.X_OK)


# ---- pre-commit ----

@pytest.fixture
def work(repo, bindir):
    """A clone with the pre-commit hook."""
    install("pre-commit", os.path.join(repo.path, ".git", "hooks"))
    git(repo.path, "config", "origin.ozone", os.path.join(bindir, "ozone"))
    return repo


def commit(repo, files, *options):
    repo.write(files)
    git(repo.path, "add", "-A")
    return attempt(repo.path, "commit", "-m", "x", *options)


def test_commits_are_checked(work):
    assert commit(work, {"example.com": zone(1)})[0]
    good, said = commit(work, {"example.com": zone(1, "www A 192.0.2.1\n")})
    assert not good and "[serial-not-newer]" in said and "write 2" in said
    assert commit(work, {"example.com": zone(2, "www A 192.0.2.1\n")})[0]
    good, said = commit(work, {"example.com": zone(3, "www A 192.0.2\n")})
    assert not good and "example.com:5:7: error:" in said
    assert commit(work, {}, "--no-verify")[0]


def test_the_first_commit_is_checked(work):
    assert not commit(work, {"example.com": "rubbish\n"})[0]


def test_what_is_not_in_the_index_is_no_matter(work):
    assert commit(work, {"example.com": zone(1)})[0]
    work.write({"example.com": "rubbish\n", "other.example": zone(1)})
    git(work.path, "add", "other.example")
    good, said = attempt(work.path, "commit", "-m", "x")
    assert good, said
    git(work.path, "add", "example.com")
    work.write({"third.example": zone(1)})
    git(work.path, "add", "third.example")
    good, said = attempt(work.path, "commit", "-m", "x", "third.example")  # an index of its own
    assert good, said
    assert not attempt(work.path, "commit", "-m", "x")[0]


def test_commits_of_odd_files(work):
    good, said = commit(work, {"with space.example": zone(1), "_keys": key("x._transfer"), "example.com._keys": key(),
                               "README": "x", "sub/hosts.inc": "www A 192.0.2.1\n",
                               "example.com": zone(1) + "$INCLUDE sub/hosts.inc\n"})
    assert good, said
    git(work.path, "mv", "with space.example", "without.example")
    good, said = attempt(work.path, "commit", "-m", "x")
    assert good and "removed" in said and "added" in said
    good, said = commit(work, {"sub/hosts.inc": "www A 192.0.2.2\n"})
    assert not good and "example.com:2:" in said
    good, said = commit(work, {"sub/hosts.inc": "www A 192.0.2.1\n", "_keys": key("x._transfer") + key(secret="AAAA" + SECRET[4:])})
    assert not good and "key-duplicate" in said and SECRET[8:] not in said


def test_commits_in_another_work_tree(work, tmp_path):
    assert commit(work, {"example.com": zone(1)})[0]
    other = str(tmp_path / "other tree")
    git(work.path, "worktree", "add", "-q", "-b", "other", other)
    with open(os.path.join(other, "example.com"), "w") as f:
        f.write(zone(1, "www A 192.0.2.1\n"))
    assert not attempt(other, "commit", "-a", "-m", "x")[0]
    with open(os.path.join(other, "example.com"), "w") as f:
        f.write(zone(2, "www A 192.0.2.1\n"))
    assert attempt(other, "commit", "-a", "-m", "x")[0]


def test_a_merge_is_checked_when_it_is_committed(work):
    assert commit(work, {"example.com": zone(1)})[0]
    git(work.path, "checkout", "-q", "-b", "side")
    assert commit(work, {"example.com": zone(2, "a A 192.0.2.1\n")})[0]
    git(work.path, "checkout", "-q", "main")
    assert commit(work, {"example.com": zone(2, "b A 192.0.2.1\n")})[0]
    assert not attempt(work.path, "merge", "side")[0]
    assert not commit(work, {"example.com": zone(2, "a A 192.0.2.1\nb A 192.0.2.1\n")})[0]
    assert commit(work, {"example.com": zone(3, "a A 192.0.2.1\nb A 192.0.2.1\n")})[0]


def test_another_base_lets_commits_share_a_serial(work):
    assert commit(work, {"example.com": zone(1)})[0]
    git(work.path, "push", "-q", "-u", "origin", "main")
    assert commit(work, {"example.com": zone(2, "a A 192.0.2.1\n")})[0]
    assert not commit(work, {"example.com": zone(2, "b A 192.0.2.1\n")}, "--amend")[0]
    git(work.path, "config", "origin.base", "@{upstream}")
    good, said = commit(work, {"example.com": zone(2, "b A 192.0.2.1\n")}, "--amend")
    assert good, said
    assert not commit(work, {"example.com": zone(1, "b A 192.0.2.1\n")})[0]


def test_warnings_block_when_they_should(work):
    doubled = zone(1, "www A 192.0.2.1\nwww A 192.0.2.1\n")
    git(work.path, "config", "origin.werror", "yes")
    assert not commit(work, {"example.com": doubled})[0]
    git(work.path, "config", "origin.werror", "no")
    assert commit(work, {"example.com": doubled})[0]


def test_what_is_unwise_blocks_when_it_should(work):
    unwise = zone(1, "sub NS ns.sub\n")
    git(work.path, "config", "origin.strict", "true")
    good, said = commit(work, {"example.com": unwise})
    assert not good and "missing-glue" in said
    assert commit(work, {"example.com": zone(1, "www A 192.0.2.1\nwww A 192.0.2.1\n")})[0], "a matter of taste"
    git(work.path, "config", "--unset", "origin.strict")
    assert commit(work, {"example.com": zone(2, "sub NS ns.sub\n")})[0]


def test_records_outside_block_when_they_should(work):
    outside = zone(1, "www.example.org. A 192.0.2.1\n")
    assert not commit(work, {"example.com": outside})[0]
    git(work.path, "config", "origin.outOfZone", "drop")
    good, said = commit(work, {"example.com": outside})
    assert good and "out-of-zone" in said


def test_nothing_is_committed_without_the_checker(work):
    git(work.path, "config", "origin.ozone", "/nonexistent/ozone")
    good, said = commit(work, {"example.com": zone(1)})
    assert not good and "origin.ozone" in said


# ---- the safety valve ----

LARGE = zone(1, "".join("h%d A 192.0.2.9\n" % i for i in range(200)))
KEYS = "push._notify. DNSKEY 0 3 163 kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg=\n"
MEANT = "It is meant\n\nOrigin-Allow: mass-delete\n"


def test_a_commit_that_would_be_held_back(work):
    """Before the message is written it is a warning."""
    assert commit(work, {"example.com": LARGE})[0]
    good, said = commit(work, {"example.com": zone(2)})
    assert good and "warning:" in said and "[mass-delete]" in said and "Origin-Allow: mass-delete" in said
    git(work.path, "config", "origin.werror", "true")
    assert commit(work, {"example.com": LARGE.replace(" 1 ", " 3 ", 1)})[0]
    assert not commit(work, {"example.com": zone(4)})[0]
    good, said = attempt(work.path, "-c", "origin.allow=mass-delete", "commit", "-m", MEANT)
    assert good and "mass-delete]" not in said
    git(work.path, "config", "origin.massDeleteRecords", "100")
    assert commit(work, {"example.com": LARGE.replace(" 1 ", " 5 ", 1)})[0]
    assert commit(work, {"example.com": zone(6)})[0]


@pytest.mark.parametrize("hook", ["pre-receive", "pre-push"])
def test_a_push_that_would_be_held_back(repo, bindir, hook):
    where = repo.bare if hook == "pre-receive" else repo.path
    install(hook, os.path.join(where, "hooks" if hook == "pre-receive" else ".git/hooks"))
    git(where, "config", "origin.ozone", os.path.join(bindir, "ozone"))
    good, said = push(repo, {"example.com": LARGE, "other.example": zone(1), "third.example": zone(1)})
    assert good, said
    before = tip(repo)
    good, said = push(repo, {"example.com": zone(2)})
    assert not good and "[mass-delete]" in said and "Origin-Allow: mass-delete" in said and tip(repo) == before
    good, said = push(repo, {"example.com": LARGE.replace(" 1 ", " 3 ", 1), "other.example": None, "third.example": None})
    assert not good and "2 of 3 zones would be removed" in said
    repo.commit(message=MEANT, push=False)
    good, said = push(repo)
    assert good, said
    assert push(repo, {"_keys": KEYS})[0]
    good, said = push(repo, {"_keys": None})
    assert not good and "[last-keys]" in said and "Origin-Allow: mass-delete" in said
    git(where, "config", "origin.massDeleteZones", "100")
    good, said = push(repo, {"example.com": None})
    assert good, said


def test_a_push_onto_what_is_not_here(repo, bindir, tmp_path):
    """Nothing to compare with: it is said what to do."""
    install("pre-push", os.path.join(repo.path, ".git", "hooks"))
    git(repo.path, "config", "origin.ozone", os.path.join(bindir, "ozone"))
    assert push(repo, {"example.com": zone(1)})[0]
    assert not push(repo, {"example.com": "rubbish\n"})[0]
    other = str(tmp_path / "other")
    git(str(tmp_path), "clone", "-q", repo.bare, other)
    git(other, "commit", "-q", "--allow-empty", "-m", "x")
    git(other, "push", "-q", "origin", "HEAD:main")
    good, said = push(repo, {"example.com": zone(2)}, "-f", "HEAD:main")
    assert not good and "git fetch" in said
    assert attempt(repo.path, "push", "-f", "--no-verify", "origin", "HEAD:main")[0]


# ---- pre-receive ----

@pytest.fixture
def remote(repo, bindir):
    """A remote with the pre-receive hook."""
    install("pre-receive", os.path.join(repo.bare, "hooks"))
    git(repo.bare, "config", "origin.ozone", os.path.join(bindir, "ozone"))
    return repo


def push(repo, files=None, *refs):
    repo.commit(files or {}, push=False)
    return attempt(repo.path, "push", "origin", *(refs or ["HEAD:main"]))


def tip(repo, branch="main"):
    return git(repo.bare, "rev-parse", "--verify", "-q", "refs/heads/" + branch, check=False)


def test_pushes_are_checked(remote):
    good, said = push(remote, {"example.com": zone(1)})
    assert good and "example.com: zone added, serial 1" in said
    before = tip(remote)
    good, said = push(remote, {"example.com": zone(1, "www A 192.0.2.1\n")})
    assert not good and "remote: example.com:2:" in said and "[serial-not-newer]" in said and tip(remote) == before
    good, said = push(remote, {"example.com": zone(2, "www A 192.0.2\n")})
    assert not good and "[bad-rdata]" in said
    good, said = push(remote, {"example.com": zone(2, "www A 192.0.2.1\n")})
    assert good, said  # the bad commits between are no matter: they are never served


def test_pushes_are_checked_strictly(remote):
    git(remote.bare, "config", "origin.strict", "true")
    good, said = push(remote, {"example.com": zone(1, "@ NS ns9\n")})
    assert not good and "error: NS name server ns9.example.com." in said
    git(remote.bare, "config", "origin.strict", "false")
    assert push(remote)[0]


def test_what_is_refused_stays_in_quarantine(remote):
    assert push(remote, {"example.com": zone(1)})[0]
    assert not push(remote, {"example.com": "rubbish\n"})[0]
    assert subprocess.run(["git", "-C", remote.bare, "cat-file", "-e", remote.head()], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0


def test_the_first_push_is_checked(remote):
    assert not push(remote, {"example.com": "rubbish\n"})[0]
    assert tip(remote) == ""
    assert push(remote, {"example.com": zone(1)})[0]


def test_other_branches_and_tags_hold_anything(remote):
    assert push(remote, {"example.com": zone(1)})[0]
    git(remote.path, "tag", "bad")
    good, said = push(remote, {"example.com": "rubbish\n"}, "HEAD:other", "HEAD:refs/tags/main")
    assert good, said
    assert not attempt(remote.path, "push", "origin", "HEAD:main")[0]
    git(remote.bare, "config", "--add", "origin.branch", "main")
    git(remote.bare, "config", "--add", "origin.branch", "release/1.x")
    assert not attempt(remote.path, "push", "origin", "HEAD:release/1.x")[0]
    assert attempt(remote.path, "push", "origin", "HEAD:release/1yx")[0]
    good, said = attempt(remote.path, "push", "origin", "HEAD~1:refs/heads/release/1.x")
    assert good, said


def test_one_bad_ref_refuses_them_all(remote):
    assert push(remote, {"example.com": zone(1)})[0]
    assert not push(remote, {"example.com": "rubbish\n"}, "HEAD~1:other", "HEAD:main")[0]
    assert tip(remote, "other") == ""


def test_a_branch_is_deleted_and_made_again(remote):
    git(remote.bare, "config", "receive.denyDeleteCurrent", "ignore")
    assert push(remote, {"example.com": zone(5)})[0]
    good, said = attempt(remote.path, "push", "origin", ":main")
    assert good and "deleted" in said and tip(remote) == ""
    assert push(remote, {"example.com": zone(4)})[0]


def test_history_is_rewritten(remote):
    first = remote.commit({"example.com": zone(1)})
    assert push(remote, {"example.com": zone(2, "a A 192.0.2.1\n")})[0]
    git(remote.path, "reset", "-q", "--hard", first)
    good, said = push(remote, {"example.com": zone(2, "b A 192.0.2.1\n")}, "+HEAD:main")
    assert not good and "[serial-not-newer]" in said  # newer than what was there, not than its ancestor
    good, said = push(remote, {"example.com": zone(3, "b A 192.0.2.1\n")}, "+HEAD:main")
    assert good, said


def test_renames_spaces_keys_includes(remote):
    good, said = push(remote, {"with space.example": zone(1), "_keys": key("x._transfer"), "example.com._keys": key(),
                               "sub/hosts.inc": "www A 192.0.2.1\n", "example.com": zone(1) + "$INCLUDE sub/hosts.inc\n"})
    assert good, said
    git(remote.path, "mv", "with space.example", "other.example")
    good, said = push(remote)
    assert good and "with space.example: zone removed" in said and "other.example: zone added" in said
    good, said = push(remote, {"sub/hosts.inc": "www A 192.0.2.2\n"})
    assert not good and "example.com:2:" in said
    good, said = push(remote, {"example.com": zone(2) + "$INCLUDE sub/hosts.inc\n", "example.com._keys": key() + "rubbish " + SECRET + "\n"})
    assert not good and "example.com._keys:2" in said and SECRET not in said
    good, said = push(remote, {"example.com._keys": key("a._update.example.org")})
    assert not good and "[key-domain]" in said
    good, said = push(remote, {"example.com._keys": None})
    assert good and "example.com._keys: keys removed" in said


def test_merges(remote):
    assert push(remote, {"example.com": zone(1)})[0]
    git(remote.path, "checkout", "-q", "-b", "side")
    remote.commit({"side.example": zone(1)}, push=False)
    git(remote.path, "checkout", "-q", "main")
    remote.commit({"example.com": zone(2, "a A 192.0.2.1\n")}, push=False)
    git(remote.path, "merge", "-q", "--no-edit", "side")
    good, said = push(remote)
    assert good and "side.example: zone added" in said and "example.com: zone changed, serial 1 to 2" in said


def test_a_large_push_is_unpacked_in_quarantine(remote):
    """Over receive.unpackLimit objects the quarantine has a pack instead of loose objects."""
    good, said = push(remote, {"z%d.example" % i: zone(i + 1) for i in range(150)})
    assert good and "successfully checked 150 zones" in said
    assert not push(remote, {"z%d.example" % i: zone(i + 1, "a A 192.0.2.%d\n" % i) for i in range(150)})[0]


def test_nothing_is_received_without_the_checker(remote):
    git(remote.bare, "config", "origin.ozone", "/nonexistent/ozone")
    good, said = push(remote, {"example.com": zone(1)})
    assert not good and "origin.ozone" in said
    assert push(remote, None, "HEAD:other")[0]


# ---- post-receive ----

@pytest.fixture
def telling(repo, tmp_path):
    """A remote with the post-receive hook, and an onotify that notes how it was called."""
    install("post-receive", os.path.join(repo.bare, "hooks"))
    calls = tmp_path / "calls"
    fake = tmp_path / "fake onotify"
    fake.write_text('#!/bin/sh\nprintf "%%s\\n" "$*" >>"%s"\nexit ${FAIL:-0}\n' % calls)
    fake.chmod(0o755)
    key_file = tmp_path / "key file"
    key_file.write_text("push._notify.example.com:SHA256:%s\n" % SECRET)
    key_file.chmod(0o600)
    git(repo.bare, "config", "origin.onotify", str(fake))
    git(repo.bare, "config", "origin.keyFile", str(key_file))
    repo.calls, repo.key_file = calls, key_file
    return repo


def called(repo):
    if not repo.calls.exists():
        return []
    lines = repo.calls.read_text().splitlines()
    repo.calls.unlink()
    return lines


def test_a_push_is_told(telling):
    assert push(telling, {"example.com": zone(1)})[0]
    assert called(telling) == ["127.0.0.1 example.com --key-file=%s" % telling.key_file]
    git(telling.bare, "config", "--add", "origin.server", "192.0.2.1")
    git(telling.bare, "config", "--add", "origin.server", "2001:db8::1")
    git(telling.bare, "config", "origin.port", "5353")
    git(telling.bare, "config", "origin.zone", "other.example")
    assert push(telling)[0]
    calls = called(telling)
    assert [c.split()[0] for c in calls] == ["192.0.2.1", "2001:db8::1"]
    assert all(c.split()[1] == "other.example" and c.endswith(" --port=5353") and SECRET not in c for c in calls)


@pytest.mark.parametrize("name,named", [("a._update.example.com.", "example.com."), ("x._notify", "."), ("x.y._notify.", "."),
                                        ("192.0.2.1.192.0.2.2._transfer.sub.example.com", "sub.example.com")])
def test_the_zone_is_in_the_keys_name(telling, name, named):
    telling.key_file.write_text("%s:SHA256:%s\n" % (name, SECRET))
    assert push(telling, {"example.com": zone(1)})[0]
    assert called(telling)[0].split()[1] == named


def test_other_branches_are_not_told(telling):
    assert push(telling, {"example.com": zone(1)}, "HEAD:other")[0]
    assert called(telling) == []


def test_what_fails_afterwards_blocks_nothing(telling, monkeypatch):
    monkeypatch.setenv("FAIL", "1")
    good, said = push(telling, {"example.com": zone(1)})
    assert good and "was not told" in said
    for setting, value in [("origin.onotify", "/nonexistent/onotify"), ("origin.keyFile", "/nonexistent/key")]:
        git(telling.bare, "config", setting, value)
        good, said = push(telling)
        assert good and "was not told" in said
    git(telling.bare, "config", "--unset-all", "origin.keyFile")
    good, said = push(telling)
    assert good and "origin.keyFile" in said


def test_a_push_is_served(telling, bindir, primary):
    """The whole walk: commit, push, notify, served."""
    telling.commit({"example.com": zone(1), "_keys": key("push._notify.example.com")})
    server = primary(telling)
    git(telling.bare, "config", "origin.onotify", os.path.join(bindir, "onotify"))
    git(telling.bare, "config", "origin.port", str(server.port))
    good, said = push(telling, {"example.com": zone(2)})
    assert good and "was not told" not in said, said
    server.await_true("serial 2 is served", lambda: servers.serial_served(server.port, "example.com") == 2)


def test_who_pushes_hears_what_became_of_it(telling, bindir, primary):
    telling.commit({"example.com": zone(1), "_keys": key("push._notify.example.com")})
    server = primary(telling)
    for setting, value in [("onotify", os.path.join(bindir, "onotify")), ("port", str(server.port)), ("wait", "20")]:
        git(telling.bare, "config", "origin." + setting, value)
    good, said = push(telling, {"example.com": zone(2)})
    assert good and "commit %s is served" % telling.head()[:12] in said, said
    good, said = push(telling, {"example.com": zone(3, "bad A 192.0.2.300\n")})
    assert good and "example.com: last-good: example.com:5:7: A address" in said and "is accepted" in said, said


# ---- a primary that raises serials ----

def test_forgotten_serials_pass_where_the_primary_raises_them(work, bindir):
    assert commit(work, {"example.com": zone(1)})[0]
    git(work.path, "push", "-q", "origin", "HEAD:main")
    install("pre-receive", os.path.join(work.bare, "hooks"))
    git(work.bare, "config", "origin.ozone", os.path.join(bindir, "ozone"))
    for policy, is_good in (("keep", False), ("sometimes", False), ("increment", True)):
        git(work.path, "config", "origin.serial", policy)
        good, said = commit(work, {"example.com": zone(1, "a A 192.0.2.1\n")})
        assert good == is_good, said
    assert not attempt(work.path, "push", "origin", "HEAD:main")[0]
    git(work.bare, "config", "origin.serial", "unixtime")
    good, said = attempt(work.path, "push", "origin", "HEAD:main")
    assert good, said
    assert not commit(work, {"example.com": zone(2, "a A 192.0.2\n")})[0]  # all else is checked
