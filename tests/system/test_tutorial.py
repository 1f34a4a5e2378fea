"""The tutorial that started all this, up to "Authenticated data updates", with our programs and over every transport.

https://hannes.robur.coop/Posts/DnsServer: its primary-git is oprimary, its awa_gen_key is okeygen; ozone and onotify have kept
their names.  Addresses, which its text has lost, are filled in.
"""
import base64
import os
import re
import shutil
import subprocess

import dns.rdatatype
import pytest

import remotes
import servers
from repository import git

MIRAGE = """$ORIGIN mirage.
$TTL 3600
@	SOA	ns1	hostmaster	%d	86400	7200	1048576	3600
@	NS	ns1
ns1     A       127.0.0.1
www	A	192.0.2.80
%s"""
# The secret that the tutorial prints.
SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="
KEY_LINE = "personal._update.mirage. DNSKEY 0 3 163 %s\n" % SECRET


class Told:
    """How the operator reaches the repository, and with which options the primary does."""

    def __init__(self, url, options=()):
        self.url, self.options = url, list(options)


@pytest.fixture(params=["file", "git", "https", "ssh"])
def remote(request, repo, tmp_path, started, need, program):
    """The repository behind a real server of its kind."""
    if request.param == "file":
        return Told("file://" + repo.bare)
    if request.param == "git":
        return Told(started(remotes.Daemon(str(tmp_path))).url("zones.git"))
    if request.param == "https":
        need("openssl")
        ca, pem = remotes.make_ca(str(tmp_path))
        return Told(started(remotes.Https(str(tmp_path), pem)).url("zones.git"), ["--ca-file=" + ca])
    need("sshd", "ssh-keygen", "ssh-keyscan")
    return over_ssh(str(tmp_path), started, program)


def over_ssh(where, started, program):
    """As the tutorial does it: the key from okeygen, the authenticator from ssh-keyscan and ssh-keygen."""
    made = program("okeygen", "ssh", status=0).stdout
    key = re.search(r"ed25519:[A-Za-z0-9+/=]+", made).group(0)
    public = re.search(r"ssh-ed25519 \S+ \S+", made).group(0)
    sshd = started(remotes.Sshd(where, authorize=[public]))
    keys = os.path.join(where, "git-server-public-keys")
    with open(keys, "w") as f:
        subprocess.run(["ssh-keyscan", "-p", str(sshd.port), servers.ADDRESS], stdout=f, stderr=subprocess.DEVNULL, check=True)
    printed = subprocess.run(["ssh-keygen", "-l", "-E", "sha256", "-f", keys], capture_output=True, text=True, check=True).stdout
    line = next(line for line in printed.split("\n") if "ED25519" in line)
    return Told(sshd.url("zones.git"), ["--authenticator=" + line.split()[1], "--ssh-key=" + key])


def dig(port, *args):
    done = subprocess.run(["dig", "+time=5", "+tries=1", "-p", str(port), "@" + servers.ADDRESS, *args], capture_output=True, text=True,
                          check=True)
    return done.stdout


def test_the_walk(remote, repo, primary, program, need):
    need("dig", "host")
    # git-repo> cat mirage; git add mirage && git commit -m initial && git push
    repo.write({"mirage": MIRAGE % (1, "")})
    git(repo.path, "add", "mirage")
    git(repo.path, "commit", "-m", "initial")
    git(repo.path, "push", "origin", "main")

    # $ ozone <git-repo>/mirage
    checked = program("ozone", os.path.join(repo.path, "mirage"), status=0)
    assert "successfully checked zone" in checked.stdout

    # $ primary-git --remote=…
    server = primary(remote.url, *remote.options, zones=["mirage."])

    # $ host ns1.mirage; dig any mirage
    said = subprocess.run(["host", "-p", str(server.port), "ns1.mirage", servers.ADDRESS], capture_output=True, text=True, check=True)
    assert "ns1.mirage has address 127.0.0.1" in said.stdout
    everything = dig(server.port, "any", "mirage")
    assert re.search(r"mirage\.\s+3600\s+IN\s+SOA\s+ns1\.mirage\. hostmaster\.mirage\. 1 ", everything)
    assert re.search(r"mirage\.\s+3600\s+IN\s+NS\s+ns1\.mirage\.", everything)

    # echo "personal._update.mirage. DNSKEY …" > mirage._keys; restart the primary
    repo.commit({"mirage._keys": KEY_LINE}, "add hmac secret")
    server.stop()
    server = primary(remote.url, *remote.options, zones=["mirage."])
    assert server.ask("personal._update.mirage", "DNSKEY").rcode() == 3, "keys are never served"

    # Editing: the old version is kept to be compared with (ozone --old), the serial grows.
    old = os.path.join(repo.path, ".git", "old-mirage")
    shutil.copy(os.path.join(repo.path, "mirage"), old)
    repo.write({"mirage": MIRAGE % (1, "foo A 192.0.2.81\n")})
    forgotten = program("ozone", "--old", old, os.path.join(repo.path, "mirage"), status=1)
    assert "serial" in forgotten.stdout + forgotten.stderr
    repo.write({"mirage": MIRAGE % (2, "foo A 192.0.2.81\n")})
    program("ozone", "--old", old, os.path.join(repo.path, "mirage"), status=0)
    repo.commit(message="add foo")

    # $ onotify mirage --key=personal._update.mirage:SHA256:…
    told = program("onotify", "mirage", "--key=personal._update.mirage:SHA256:" + SECRET, "--port=%d" % server.port, status=0)
    assert told.stderr == ""
    server.await_serial("mirage.", 2)
    answer = server.ask("foo.mirage")
    assert [r.to_text() for s in answer.answer if s.rdtype == dns.rdatatype.A for r in s] == ["192.0.2.81"]

    # "Further changes to the hmac secrets don't require a restart anymore, a notify packet is sufficient."
    other = base64.b64encode(b"another secret, as long as hers.").decode()
    repo.commit({"mirage._keys": KEY_LINE + "next._notify.mirage. DNSKEY 0 3 163 %s\n" % other}, "a second key")
    program("onotify", "mirage", "--key=personal._update.mirage:SHA256:" + SECRET, "--port=%d" % server.port, status=0)
    servers.await_true("the new key is known", lambda: program(
        "onotify", "mirage", "--key=next._notify.mirage:SHA256:" + other, "--port=%d" % server.port).returncode == 0)
    server.stop()
