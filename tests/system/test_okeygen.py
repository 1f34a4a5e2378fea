"""okeygen: what it prints is what our own programs, OpenSSH, BIND, Knot and NSD read."""
import base64
import os
import re
import stat
import subprocess

import dns.tsig
import pytest

import servers

LENGTHS = {"sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}
NUMBERS = {"sha1": 161, "sha224": 162, "sha256": 163, "sha384": 164, "sha512": 165}
AWA_SEED = "nO7ervdJqzPfuvdM/J4qImipwVoI5gl53fpqgjZnv9w="  # as awa_gen_key printed it, with its public key
AWA_PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICyliWbwWWXBc1+DRIzReLQ4UFiVGXJ6Paw1Jts+XQte"


def lines(done):
    return done.stdout.splitlines()


# ---- tsig ----

@pytest.mark.parametrize("algorithm", list(LENGTHS))
def test_tsig_in_both_forms(program, algorithm):
    done = program("okeygen", "tsig", "me._update.example.org", "--algorithm=" + algorithm, status=0)
    record, argument = lines(done)
    found = re.fullmatch(r"me\._update\.example\.org\. DNSKEY 0 3 (\d+) (\S+)", record)
    assert int(found.group(1)) == NUMBERS[algorithm]
    assert len(base64.b64decode(found.group(2), validate=True)) == LENGTHS[algorithm]
    assert argument == "me._update.example.org:%s:%s" % (algorithm.upper(), found.group(2))


def test_secrets_differ(program):
    assert len({lines(program("okeygen", "tsig", "k._notify."))[0] for _ in range(5)}) == 5


@pytest.mark.parametrize("name,text", [
    ("me._status.example", "may ask for the state of the primary and its zones, for example and all below it"),
    ("me._notify.example", "may tell the primary to pull, for example and all below it"),
    ("me._update.example", "may change zones, transfer them and tell the primary to pull, for example and"),
    ("me._notify.", "for every zone"),
    ("x.192.0.2.1._transfer.example", "the primary is 192.0.2.1."),
    ("192.0.2.1.198.51.100.7._transfer.example", "the primary is 192.0.2.1, the secondary 198.51.100.7."),
    ("2001-db8--53.192.0.2.1._transfer.", "the primary is 2001:db8:0:0:0:0:0:53, the secondary 192.0.2.1."),
    ("x._transfer.example", "PRIMARYIP.SECONDARYIP._transfer.DOMAIN"),
    ("r._a._aaaa._update.home1.example", "may change A and AAAA records, and do nothing else, for home1.example and all below it"),
    ("r._txt._update.", "may change TXT records, and do nothing else, for every zone"),
    ("r._A._type28._Type65300._update.h.example", "may change A, AAAA and TYPE65300 records,"),
    ("r._aaa._update.example", "has _aaa before _update, which is no type of records: this key may do nothing"),
    ("r._a._notify.example", "has _a in it, and only updates are limited to types: this key may do nothing"),
    ("me.example", "may do nothing"),
    ("me._updates.example", "has no operation in it: it should be _update: this key may do nothing"),
])
def test_says_what_a_key_may_do(program, name, text):
    done = program("okeygen", "tsig", name, status=0)
    assert text in done.stderr
    assert len(lines(done)) == 2
    assert not any(line.split()[-1].split(":")[-1] in done.stderr for line in lines(done))


@pytest.mark.parametrize("name,understood", [
    ("300.0.2.1.198.51.100.2._transfer.example", "; the primary is 198.51.100.2."),
    ("192.0.2.1.198.51.100._transfer.example", "; the primary is 1.198.51.100."),
    ("2001-db8-53.192.0.2.1._transfer.example", "; the primary is 192.0.2.1."),
])
def test_misspelt_addresses(program, name, understood):
    done = program("okeygen", "tsig", name, status=0)
    assert understood in done.stderr and "warning" in done.stderr and "look like an address and are none" in done.stderr


def test_a_transfer_key_without_addresses(program):
    """It may be a person's, to look at zones, and lacks nothing then."""
    done = program("okeygen", "tsig", "admin._transfer.", status=0)
    assert "hint: for a person this name is good; for a secondary PRIMARYIP.SECONDARYIP._transfer.DOMAIN " in done.stderr
    assert "hint" not in program("okeygen", "tsig", "192.0.2.1.198.51.100.2._transfer.example", status=0).stderr


def test_where_the_line_goes(program):
    assert "file example.org._keys (or the file of a parent domain, or _keys)" in program("okeygen", "tsig", "a._update.example.org").stderr
    assert "file _keys." in program("okeygen", "tsig", "a._update").stderr


def test_existing_secret(program, tmp_path):
    path = tmp_path / "secret"
    path.write_text("c2VjcmV0LCBhbiBvbGQgb25l\n")
    path.chmod(0o600)
    done = program("okeygen", "tsig", "a._update.m", "--secret-file=%s" % path, status=0)
    assert lines(done) == ["a._update.m. DNSKEY 0 3 163 c2VjcmV0LCBhbiBvbGQgb25l"]
    path.write_text("not base64!\n")
    assert "not base64!" not in program("okeygen", "tsig", "a._update.m", "--secret-file=%s" % path, status=1).stderr


def test_output_file(program, tmp_path):
    path = tmp_path / "key"
    done = program("okeygen", "tsig", "a._update.m", "--output=%s" % path, status=0)
    record, = lines(done)
    assert path.read_text() == "a._update.m:SHA256:%s\n" % record.split()[-1]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    before = path.read_text()
    assert "File exists" in program("okeygen", "tsig", "a._update.m", "--output=%s" % path, status=1).stderr
    assert path.read_text() == before
    assert "No such file" in program("okeygen", "tsig", "a._update.m", "--output=%s/no/key" % tmp_path, status=1).stderr


def test_a_file_that_cannot_be_made_costs_no_line(program, tmp_path):
    """The line goes into a keys file by >>: with the other half lost, it would make the next one a second key of the name."""
    there = tmp_path / "key"
    there.write_text("me:SHA256:AAAA\n")
    for path, hint in ((there, "remove the file yourself"), (tmp_path / "no" / "key", "a directory that exists")):
        done = program("okeygen", "tsig", "a._update.m", "--output=%s" % path, "--bind", status=1)
        assert done.stdout == "" and hint in done.stderr and "may change zones" not in done.stderr


# ---- a key that there is, in another form ----

@pytest.fixture
def key_file(program, tmp_path):
    path = tmp_path / "jo.key"
    program("okeygen", "tsig", "jo._update.m", "--algorithm=sha512", "--output=%s" % path, status=0)
    return path


def test_one_form_into_another(program, key_file):
    """jo.key becomes jo.conf: nothing else is printed, since the DNSKEY line is where it belongs."""
    name, algorithm, secret = key_file.read_text().strip().split(":")
    argument = "--secret-file=%s" % key_file
    done = program("okeygen", "tsig", argument, "--bind", status=0)
    assert done.stdout == 'key "%s" {\n\talgorithm hmac-sha512;\n\tsecret "%s";\n};\n' % (name, secret) and done.stderr == ""
    done = program("okeygen", "tsig", "jo._update.m.", argument, "--knot", "--algorithm=sha512", status=0)
    assert done.stdout == "key:\n  - id: %s.\n    algorithm: hmac-sha512\n    secret: %s\n" % (name, secret)
    assert lines(program("okeygen", "tsig", argument, status=0)) == [
        "%s. DNSKEY 0 3 165 %s" % (name, secret)]
    assert algorithm == "SHA512"


def test_a_key_of_binds(program, need, tmp_path):
    """As tsig-keygen makes it; it keeps its name, which gives it no right."""
    need("tsig-keygen")
    made = subprocess.run(["tsig-keygen", "-a", "hmac-sha384", "hoster-key"], capture_output=True, text=True, timeout=60, check=True).stdout
    secret = re.search('secret "(.*)"', made)[1]
    path = servers.write(str(tmp_path / "hoster.key"), "// of 2019\n" + made)
    done = program("okeygen", "tsig", "--secret-file=" + path, status=0)
    assert lines(done) == ["hoster-key. DNSKEY 0 3 164 " + secret]
    assert "By its name hoster-key may do nothing" in done.stderr and "\n_transfer PTR hoster-key.\n" in done.stderr
    done = program("okeygen", "tsig", "--secret-file=-", "--output=%s" % (tmp_path / "ours"), stdin=made, status=0)
    assert lines(done) == ["hoster-key. DNSKEY 0 3 164 " + secret]
    assert (tmp_path / "ours").read_text() == "hoster-key:SHA384:%s\n" % secret
    for bad in made + made, made.replace(";", "", 1), made.replace("sha384", "md5"):
        done = program("okeygen", "tsig", "--secret-file=" + servers.write(path, bad), status=1)
        assert done.stdout == "" and secret not in done.stderr


def test_nsupdate_reads_it(program, need, key_file, tmp_path):
    need("nsupdate")
    path = servers.write(str(tmp_path / "jo.conf"), program("okeygen", "tsig", "--secret-file=%s" % key_file, "--bind", status=0).stdout)
    done = subprocess.run(["nsupdate", "-k", path], input="quit\n", capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("argv,text", [
    (["other._update.m"], "another name than other._update.m"),
    (["--algorithm=sha256"], "for SHA512, not for SHA256"),
])
def test_what_is_said_beside_a_whole_key_agrees(program, key_file, argv, text):
    done = program("okeygen", "tsig", "--secret-file=%s" % key_file, *argv, status=1)
    assert done.stdout == "" and text in done.stderr
    assert key_file.read_text().split(":")[2].strip() not in done.stderr


def test_bad_key_files(program, tmp_path):
    for line, text in (("c2VjcmV0", "no name was given"), ("a._update.m:MD5:c2VjcmV0", "c2VjcmV0"), ("a..b:SHA256:c2VjcmV0", "c2VjcmV0")):
        path = servers.write(str(tmp_path / "bad.key"), line + "\n")
        done = program("okeygen", "tsig", "--secret-file=%s" % path, "--bind", status=1)
        assert done.stdout == "" and (text in done.stderr) == (text != "c2VjcmV0"), done.stderr


def config(program, which, name="a._update.m"):
    done = program("okeygen", "tsig", name, "--algorithm=sha512", "--" + which, status=0)
    return lines(done)[1].split(":")[2], "\n".join(lines(done)[2:]) + "\n"


def test_bind_reads_it(program, need, tmp_path):
    need("named-checkconf")
    secret, text = config(program, "bind")
    path = servers.write(str(tmp_path / "named.conf"), text)
    done = subprocess.run(["named-checkconf", "-p", path], capture_output=True, text=True, timeout=60, check=True)
    assert 'key "a._update.m"' in done.stdout and secret in done.stdout


def test_knot_reads_it(program, need, tmp_path):
    need("knotc")
    _, text = config(program, "knot")
    path = servers.write(str(tmp_path / "knot.conf"), text)
    subprocess.run(["knotc", "-c", path, "conf-check"], capture_output=True, timeout=60, check=True)


def test_nsd_reads_it(program, need, tmp_path):
    need("nsd-checkconf")
    secret, text = config(program, "nsd")
    path = servers.write(str(tmp_path / "nsd.conf"), text)
    done = subprocess.run(["nsd-checkconf", "-s", "a._update.m", path], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == secret


def test_onotify_and_dnspython_read_it(program):
    _, argument = lines(program("okeygen", "tsig", "a._update.m", status=0))
    name, algorithm, secret = argument.split(":")
    assert dns.tsig.Key(name, secret, "hmac-" + algorithm.lower()).secret == base64.b64decode(secret)
    done = program("onotify", "127.0.0.1", "m", "--key=" + argument, "--port=%d" % servers.free_port(), status=1)
    assert "nothing listens" in done.stderr  # not: a bad key


# ---- ssh ----

def test_ssh_keygen_reads_it(program, need, tmp_path):
    need("ssh-keygen")
    done = program("okeygen", "ssh", status=0)
    private, public = lines(done)
    found = re.fullmatch("private key: ed25519:(.*)", private)
    assert len(base64.b64decode(found.group(1), validate=True)) == 32
    path = servers.write(str(tmp_path / "key.pub"), public + "\n")
    listed = subprocess.run(["ssh-keygen", "-l", "-f", path], capture_output=True, text=True, timeout=60, check=True)
    assert re.fullmatch(r"256 SHA256:\S+ origin@\S+ \(ED25519\)\n", listed.stdout)
    assert done.stderr == ""


def test_the_seed_is_awa_gen_keys(program):
    for text in (AWA_SEED, "ed25519:" + AWA_SEED, "private key: ed25519:" + AWA_SEED):
        done = program("okeygen", "ssh", "--seed-file=-", "--comment=awa@awa.local", stdin=text + "\n", status=0)
        assert lines(done) == ["private key: ed25519:" + AWA_SEED, AWA_PUBLIC + " awa@awa.local"]


def test_ssh_output_file(program, tmp_path):
    path = tmp_path / "key"
    public, = lines(program("okeygen", "ssh", "--output=%s" % path, status=0))
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert re.fullmatch(r"ed25519:\S{44}\n", path.read_text())
    again = program("okeygen", "ssh", "--seed-file=%s" % path, status=0)
    assert lines(again)[1] == public


def test_bad_seeds(program):
    for bad in ("rsa:AAAA", "ed25519:" + AWA_SEED[:-4], "ed25519:", "", "x" * 5000):
        done = program("okeygen", "ssh", "--seed-file=-", stdin=bad + "\n", status=1)
        assert done.stdout == "" and AWA_SEED[:20] not in done.stderr


# ---- usage ----

@pytest.mark.parametrize("argv,text", [
    ([], "which kind"),
    (["rsa"], "no kind of key"),
    (["tsig"], "name is missing"),
    (["tsig", "a..b"], "not a name"),
    (["tsig", "a:b"], "not a name"),
    (["tsig", "a", "b"], "too many"),
    (["tsig", "a", "--algorithm=md5"], "md5"),
    (["tsig", "a", "--comment=x"], "okeygen ssh"),
    (["ssh", "a"], "no further argument"),
    (["ssh", "--bind"], "okeygen tsig"),
    (["ssh", "--comment=a\nb"], "one line"),
])
def test_wrong_usage(program, argv, text):
    done = program("okeygen", *argv, status=2)
    assert text in done.stderr and done.stdout == ""


def test_full_disk(bindir):
    with open("/dev/full", "w") as full:
        done = subprocess.run([os.path.join(bindir, "okeygen"), "ssh"], stdout=full, stderr=subprocess.PIPE, text=True,
                              timeout=60, check=False)
    assert done.returncode == 1 and "No space left" in done.stderr


def test_help_and_version(program):
    assert re.fullmatch(r"okeygen \d+\.\d+\.\d+ \(Origin\)\n", program("okeygen", "--version", status=0).stdout)
    text = program("okeygen", "--help", status=0).stdout
    assert "_update" in text and "--bind" in text and "Exit status" in text
