"""Secrets of keys: never served, never written by an update, never shown, wherever somebody puts them.

The marked secret goes in every way; no answer, commit, message or line of a log may have eight characters of it, in base64 or
hexadecimal.
"""
import os
import struct
import subprocess

import dns.rcode
import dns.rdata
import pytest

import servers
from repository import ENV, git, write_hook
from updates import extended_error, send, update_of, with_edns

ZONE = "$TTL 1h\n@ SOA ns hostmaster 1 2h 1h 4w 1h\n@ NS ns\nns A 192.0.2.1\n"
PART = 8  # characters in a row that nobody may see


@pytest.fixture
def marked(make_key):
    return make_key("me._update.example", secret=b"\xb2marked secret: \x01\x99 of the test?")


def assert_hidden(text, key):
    raw = key.secret_octets
    for form in (key.secret, raw.hex(), raw.hex().upper(), raw.hex(" "), raw[1:].hex(":")):
        for i in range(len(form) - PART + 1):
            assert form[i:i + PART] not in text, text
    assert "marked s" not in text, text


def forms(key):
    """A key as people write it, rightly or not."""
    name, secret = key.name + ".", key.secret
    return {
        "a line of keys": key.line,
        "an algorithm by name": "%s DNSKEY 0 3 HMAC-SHA256 %s\n" % (name, secret),
        "an algorithm by half a name": "%s DNSKEY 0 3 SHA256 %s\n" % (name, secret),
        "no algorithm": "%s DNSKEY 0 3 %s\n" % (name, secret),
        "no numbers": "%s DNSKEY %s\n" % (name, secret),
        "no type": "%s 0 3 163 %s\n" % (name, secret),
        "another type": "%s TSIG 0 3 163 %s\n" % (name, secret),
        "fields in another order": "%s DNSKEY 0 3 163 %s\n" % (secret, name),
        "in quotes": '%s DNSKEY "0 3 163 %s"\n' % (name, secret),
        "over lines": "%s DNSKEY 0 3 163 (\n\t%s\n\t%s\n" % (name, secret[:20], secret[20:]),
        "with a word too many": key.line.rstrip() + " here; you are\n",
        "cut": key.line.rstrip()[:-3] + "\n",
        "twice": key.line + key.line,
        "a type by number": "%s TYPE48 \\# 36 000003a3%s\n" % (name, key.secret_octets.hex()),
        "a KEY record": "%s IN KEY 512 3 165 %s\n" % (name, secret),
        "as an option": key.argument + "\n",
        "for dig": "hmac-sha256:%s:%s\n" % (name, secret),
        "for BIND": 'key "%s" {\n\talgorithm hmac-sha256;\n\tsecret "%s";\n};\n' % (name, secret),
        "for Knot": "key:\n  - id: %s\n    algorithm: hmac-sha256\n    secret: %s\n" % (name, secret),
        "for NSD": 'key:\n\tname: "%s"\n\talgorithm: sha256\n\tsecret: "%s"\n' % (name, secret),
        "as BIND's private file": "Private-key-format: v1.3\nAlgorithm: 163 (HMAC_SHA256)\nKey: %s\nBits: AAA=\n" % secret,
        "an SSH key": "ed25519:%s\n" % secret,
        "alone": secret + "\n",
        "alone, in a line of its own": "$TTL 1h\n@ SOA ns hostmaster 1 2 3 4 5\n%s\n" % secret,
        "an owner": "%s A 192.0.2.1\n" % secret,
        "a directive": "$ORIGIN %s..\n$%s\n$TTL %s\n" % (secret, secret, secret),
        "from a template": '$TTL 60\n$GENERATE 1-2 k$ DNSKEY "0 3 163 %s"\n' % secret,
        "in a zone": ZONE + key.line,
    }


WRONG_NAMES = ("keys", "_key", "example.keys", "example._key", "_Keys", "EXAMPLE._KEYS", "x.%5Fkeys", "_secondaries", "example")


# ---- what is no source of zone data ----

ROADS = ("example._keys", "./example._keys", "sub//../example._keys", "\\101xample._keys", "EXAMPLE._keys", "example._KEYS", "example._keys.",
         "%65xample._keys", "example.%5fkeys", '"example._keys "', "sub/other._keys", "_keys", "sub/hop", "link", "sub/link", "sub/_secondaries",
         "plain", "../zones.git/HEAD", "/etc/passwd")


def tree(key, road):
    """A repository whose zone includes by that road; what is behind each is a key, under names that are and are not reserved."""
    names = ["example._keys", "EXAMPLE._keys", "example._KEYS", "example._keys.", "%65xample._keys", "example.%5fkeys", "example._keys ",
             "sub/other._keys", "_keys", "sub/_secondaries", "sub/plain"]
    files = {name: key.line for name in names}
    return {**files, "sub/hop": "$INCLUDE other._keys\n", "plain": "$INCLUDE sub/plain\n", "example": ZONE + "$INCLUDE %s\n" % road}


@pytest.mark.parametrize("road", ROADS)
def test_no_road_leads_from_keys_into_a_zone(bindir, program, repo, marked, road):
    """ozone in a directory, in the index, in a commit; the primary goes by the same (auth/primary.h)."""
    repo.write(tree(marked, road))
    for link in ("link", "sub/link"):
        os.symlink("../" * link.count("/") + "example._keys", os.path.join(repo.path, link))
    git(repo.path, "add", "-A")
    for args in (["."], ["example"], ["--old-rev=", "--new-rev=:"], ["--dump", "example"], ["--format=json", "."], ["--format=github", "."],
                 ["--zone-name=example", "example"], ["--diff", "--old=/dev/null", "example"]):
        done = program("ozone", *args, cwd=repo.path, status=1)
        assert_hidden(done.stdout + done.stderr, marked)
        assert "include-" in done.stdout + done.stderr or road == "plain" and "secret-record" in done.stdout + done.stderr


def test_the_primary_serves_no_keys(primary, repo, notify, notify_key, marked):
    """All roads in one commit, as so many zones: none is served, and the log shows nothing."""
    files = tree(marked, "_keys")
    files = {**files, "_keys": notify_key.line, "ok.example": ZONE, "sub/names": "_keys\n"}
    for i, road in enumerate(ROADS):
        files["zone%d.example" % i] = ZONE + "$INCLUDE %s\n" % road
    for i, (_, text) in enumerate(forms(marked).items()):
        files["form%d.example" % i] = text
    for name in WRONG_NAMES[:-1]:
        files.setdefault(name, marked.line)
    repo.commit(files)
    served = primary(repo, zones=["ok.example"])
    assert served.ask("ok.example", "SOA").rcode() == dns.rcode.NOERROR
    for zone in [name for name in files if "/" not in name and name not in ("ok.example", "_keys")]:
        if "%" not in zone and not zone.endswith((".", " ")):
            assert served.ask(zone, "ANY").rcode() == dns.rcode.REFUSED, zone
    repo.commit({"example": ZONE + "k DNSKEY 257 3 163 %s\nK2 CDNSKEY 0 3 165 %s\n" % (marked.secret, marked.secret)})
    assert notify(served.port, "ok.example", notify_key).rcode() == dns.rcode.NOERROR
    served.await_log(r"event=commit-served .*commit=%s" % repo.head())
    assert_hidden(served.log(), marked)
    assert "secret-record" in served.log()


@pytest.mark.parametrize("name", ["_keys", "_Keys.", "x._keys", "\\095keys", "_secondaries", "a.b._SECONDARIES"])
def test_no_zone_has_the_name_of_a_keys_file(program, tmp_path, name):
    (tmp_path / "zone").write_text(ZONE)
    done = program("ozone", "--zone-name=" + name, "zone", cwd=tmp_path)
    assert done.returncode != 0 and "checked" not in done.stdout


def test_a_link_to_keys_is_no_zone(program, tmp_path, marked):
    (tmp_path / "example._keys").write_text(marked.line)
    (tmp_path / "example").symlink_to("example._keys")
    done = program("ozone", "example", cwd=tmp_path, status=2)
    assert "_keys" in done.stderr
    assert_hidden(done.stdout + done.stderr, marked)


# ---- updates ----

def secret_records(key):
    """DNSKEY, CDNSKEY, KEY and RKEY, each with the number of an HMAC."""
    return [dns.rdata.GenericRdata(1, rrtype, struct.pack("!HBB", flags, 3, alg) + key.secret_octets)
            for rrtype, flags, alg in ((48, 0, 163), (60, 257, 161), (25, 512, 157), (57, 0, 165))]


def test_updates_publish_no_secret(primary, repo, remote, marked, make_key):
    me = make_key("jo._update.example")
    repo.commit({"example": ZONE, "_keys": me.line})
    served = primary(repo, "--zones-by-update", "--log-level=debug", zones=["example"])
    for record in secret_records(marked):
        update = with_edns(update_of(me))
        update.add("k.example.", 60, record)
        answer = send(served, update)
        assert answer.rcode() == dns.rcode.REFUSED and "secret" in extended_error(answer)[1]
        assert_hidden(answer.to_text(), marked)
        made = with_edns(update_of(me, "new.example"))
        for more in ("SOA", "ns. h. 1 2 3 4 5"), ("NS", "ns.example."), (record,):
            made.add("new.example.", 60, *more)
        assert send(served, made).rcode() == dns.rcode.REFUSED
    update = update_of(me)
    update.add("k.example.", 60, "DNSKEY", "256 3 13 " + "A" * 86 + "==")  # a public key is none
    assert send(served, update).rcode() == dns.rcode.NOERROR
    assert_hidden(served.log() + remote.log() + remote.text(), marked)


@pytest.mark.parametrize("name", ["_keys", "x._keys", "_secondaries", "x._Secondaries", "_KEYS"])
def test_updates_make_no_zone_of_such_a_name(primary, repo, remote, make_key, name):
    me = make_key("jo._update")
    repo.commit({"example": ZONE, "_keys": me.line})
    served = primary(repo, "--zones-by-update", zones=["example"])
    made = with_edns(update_of(me, name))
    made.add(name + ".", 60, "SOA", "ns. h. 1 2 3 4 5")
    made.add(name + ".", 60, "NS", "ns.example.")
    answer = send(served, made)
    assert answer.rcode() == dns.rcode.REFUSED and "no zone can have that name here" in extended_error(answer)[1]
    assert remote.commits() == 1


# ---- what is shown ----

def test_ozone_shows_no_secret(program, repo, marked):
    """Under wrong names, as zones, as keys, as old versions; in every format."""
    repo.commit({"ok.example": ZONE})
    for i, text in enumerate(forms(marked).values()):
        repo.write({"f%d.%s" % (i, end): text for end in ("keys", "example", "_keys", "_Keys", "_secondaries")})
    repo.write(dict.fromkeys(WRONG_NAMES, marked.line))
    git(repo.path, "add", "-A")
    for args in (["."], ["--format=json", "."], ["--format=github", "."], ["--dump", "."], ["--old-rev=HEAD", "--new-rev=:"],
                 ["--diff", "--old-rev=HEAD", "--new-rev=:"], ["--diff", "--old-rev=:", "--new-rev=HEAD"], ["--out-of-zone=drop", "."]):
        done = program("ozone", *args, cwd=repo.path)
        assert_hidden(done.stdout + done.stderr, marked)
    for i in range(len(forms(marked))):
        for args in (["--strict", "--werror", "f%d.keys"], ["--zone-name=example", "--old=f%d.keys", "ok.example"],
                     ["--zone-name=ok.example", "--old=ok.example", "--diff", "f%d.example"], ["--diff", "--old=f%d._keys", "f%d._keys"]):
            done = program("ozone", *[a.replace("%d", str(i)) for a in args], cwd=repo.path)
            assert_hidden(done.stdout + done.stderr, marked)


def test_hooks_show_no_secret(bindir, repo, marked):
    hooks = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "contrib", "git-hooks")
    repo.commit({"ok.example": ZONE})
    with open(os.path.join(hooks, "pre-receive")) as f:
        write_hook(repo, "pre-receive", f.read().split("\n", 1)[1])
    git(repo.bare, "config", "origin.ozone", os.path.join(bindir, "ozone"))
    git(repo.path, "config", "origin.ozone", os.path.join(bindir, "ozone"))
    for i, text in enumerate(forms(marked).values()):
        repo.write({"keys": text, "form%d.example" % i: text})
    repo.commit(push=False)
    for hook in (None, "pre-push", "pre-commit"):
        command = ["git", "push", "origin", "HEAD:main"] if hook is None else [os.path.join(hooks, hook), "origin"]
        line = "refs/heads/main %s refs/heads/main %s\n" % (repo.head(), git(repo.bare, "rev-parse", "main"))
        if hook == "pre-commit":
            git(repo.path, "reset", "-q", "--soft", "HEAD~")
        done = subprocess.run(command, cwd=repo.path, env={**os.environ, **ENV}, input=line, capture_output=True, text=True, check=False)
        assert done.returncode != 0, done.stderr
        assert_hidden(done.stdout + done.stderr, marked)


# ---- memory ----

def without_ptrace(*command):
    """As people are: who is root here could read everything."""
    return ["setpriv", "--bounding-set=-sys_ptrace", *command] if os.geteuid() == 0 else list(command)


def can_be_read(pid):
    """By another process of the same user.  Whose memory may be read, whose files may be seen (proc(5): /proc/pid/exe)."""
    return subprocess.run(without_ptrace("readlink", "/proc/%d/exe" % pid), capture_output=True, check=False).returncode == 0


def is_core_forbidden(pid):
    with open("/proc/%d/limits" % pid) as f:
        return any(line.split()[4:6] == ["0", "0"] for line in f if line.startswith("Max core file size"))


class Reading:
    """A process that waits for its standard input."""

    def __init__(self, *command):
        self.popen = subprocess.Popen(without_ptrace(*command), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        self.popen.kill()
        self.popen.communicate()


@pytest.mark.parametrize("command", [
    ["okeygen", "tsig", "a._update.example", "--secret-file=-"], ["ocertify", "127.0.0.1", "www.example", "--seed-file=-"],
    ["oacme", "--dns-server=127.0.0.1", "--dns-key-file=-"], ["onotify", "127.0.0.1", "example", "--key-file=-"],
    ["oupdate", "127.0.0.1", "www.example", "192.0.2.1", "--key-file=-"], ["osecondary", "--keys-file=-"]], ids=lambda c: c[0])
def test_memory_is_hidden(bindir, started, command):
    """From other processes of the user, and from core dumps: before the first secret is read."""
    pid = started(Reading(os.path.join(bindir, command[0]), *command[1:])).popen.pid
    servers.await_true("no core dumps", lambda: is_core_forbidden(pid))
    servers.await_true("memory is hidden", lambda: not can_be_read(pid))
    assert os.path.exists("/proc/%d" % pid)
    plain = started(Reading("cat")).popen.pid
    servers.await_true("the test can tell", lambda: can_be_read(plain))


# ---- command lines ----

def misplaced(key, path):
    """Command lines with a key where none belongs, or a bad one where one does; `path`: of a file with the text in question."""
    argument, secret, bad = key.argument, key.secret, key.argument.replace(":SHA256:", ":SHA265:")
    for program in ("onotify", "oupdate", "ocertify", "okeygen", "ozone", "oprimary"):
        for text in (argument, secret, "hmac-sha256:" + argument, "ed25519:" + secret):
            yield [program, text]
            yield [program, text, text, text, text, text]
            yield [program, "127.0.0.1", text]
            for option in ("--kye", "--p", "--port", "--k", "--serial", "--ttl", "--zone", "--add", "--delete", "--if-exists", "--algorithm",
                           "--secret-file", "--seed-file", "--key-file", "--keys-file", "--zone-name", "--format", "--old-rev", "--repo", "--old",
                           "--listen", "--log-level", "--authenticator", "--committer", "--notify", "--catalog", "--user",
                           "--credential-file", "--ssh-key-file", "--known-hosts", "--cache-dir", "--mass-delete-zones-percent", "--allow"):
                if text in (argument, secret) and (text == secret) == (option in ("--kye", "--port", "--listen", "--zone-name", "--algorithm")):
                    yield [program, "%s=%s" % (option, text)]
    for program, *arguments in (["onotify", "127.0.0.1", "example"], ["oupdate", "127.0.0.1", "x.example", "192.0.2.1"]):
        for text in (bad, secret, argument[:-1], argument + "=", argument.replace(":SHA256:", ":"), argument.replace(":SHA256", ""), "me:" + argument):
            yield [program, *arguments, "--port=9", "--key=" + text]
        yield [program, *arguments, "--port=9", "--key-file=" + path]
    for text in (bad, secret, argument.replace(":SHA256:", ":"), "me:" + argument):
        yield ["ocertify", "127.0.0.1", "x.example", "--port=9", "--dns-key=" + text]
    yield ["ocertify", "127.0.0.1", "x.example", "--port=9", "--dns-key-file=" + path]
    yield ["ocertify", "127.0.0.1", "x.example", "--port=9", "--type=ec", "--data=" + secret[:-6]]
    yield ["oprimary", "--remote=file:///none", "--ssh-key=ed25519:" + secret[:-4]]
    yield ["oprimary", "--remote=file:///none", "--ssh-key-file=" + path]
    yield ["oprimary", "--remote=https://me:%s@127.0.0.1:9/zones.git#a..b" % secret.rstrip("=")]
    yield ["okeygen", "tsig", "other", "--secret-file=" + path]
    yield ["okeygen", "ssh", "--seed-file=" + path]


def test_programs_show_no_secret(program, marked, tmp_path):
    """Each ends with an error, or without a word of it; nothing listens, so nothing is sent."""
    path = tmp_path / "a-key"
    path.write_text(marked.argument.replace(":SHA256:", ":SHA265:") + "\n")
    path.chmod(0o600)
    for name, *arguments in misplaced(marked, str(path)):
        done = program(name, *arguments, stdin="", timeout=20)
        assert done.returncode != 0, (name, arguments)
        assert_hidden(done.stdout + done.stderr, marked)
    for what, text in {**forms(marked), "cut": marked.argument[:-2]}.items():
        path.write_text(text)
        env = dict.fromkeys(("ORIGIN_KEY", "ORIGIN_SSH_KEY"), text.strip().replace("\n", " "))
        for name, *arguments in (["onotify", "127.0.0.1", "example", "--port=9"], ["oupdate", "127.0.0.1", "x.example", "192.0.2.1", "--port=9"]):
            for more in [], ["--key-file=" + str(path)]:
                done = program(name, *arguments, *more, env=env, timeout=20)
                assert_hidden(done.stdout + done.stderr, marked)
        if what in ("an SSH key", "alone", "as an option", "for BIND"):
            done = program("oprimary", "--remote=file:///none", "--exit-on-failure", "--listen=127.0.0.1@0", env=env, timeout=20)
            assert_hidden(done.stdout + done.stderr, marked)
