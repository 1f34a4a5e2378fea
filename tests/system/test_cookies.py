"""DNS cookies (RFC 7873, 9018): with dig and kdig, beside BIND, Knot and NSD that have the same secret, and where the secret comes from."""
import os
import re
import subprocess

import dns.edns
import dns.message
import dns.query
import dns.rcode
import pytest

import servers
from tsig_key import Key

COOKIE = 10
SECRET, OLD_SECRET = "445536bcd2513298075a5d379663c962", "dd3bdf9344b678b185a6f5cb60fca715"
CLIENT = bytes.fromhex("2464c4abcf10c957")
ZONE = "$TTL 60\n@ SOA ns1 host 1 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n"
KEY = Key("t._transfer.a.test.")


def ask(port, cookie, name="ns1.a.test", tcp=False):
    """(RCODE, the cookie of the answer)."""
    query = dns.message.make_query(name, "A", use_edns=0, options=[dns.edns.GenericOption(COOKIE, cookie)])
    send = dns.query.tcp if tcp else dns.query.udp
    answer = send(query, servers.ADDRESS, port=port, timeout=20)
    said = [o.to_wire() for o in answer.options if o.otype == COOKIE]
    return answer.rcode(), said[0] if said else None


def learn(port):
    """The whole cookie that a server gives to CLIENT."""
    cookie = ask(port, CLIENT)[1]
    assert cookie[:8] == CLIENT and len(cookie) == 24
    return cookie


@pytest.fixture
def served(repo, primary):
    def start(*options, **more):
        repo.commit({"a.test": ZONE, "a.test._keys": KEY.line})
        return primary(repo, *options, zones=["a.test"], **more)
    return start


@pytest.fixture
def secret_file(tmp_path):
    def make(text, name="secret"):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o600)
        return "--cookie-secret-file=%s" % path
    return make


def zones(tmp_path):
    return {"a.test": servers.write(str(tmp_path / "a.test.zone"), ZONE)}


def test_one_secret_for_all(served, secondary, peer, secret_file, tmp_path):
    """Each server requires good cookies (NSD cannot), and takes those that the others have made: ours, BIND's, Knot's and NSD's."""
    p = served("--require-server-cookie", secret_file(SECRET))
    s = secondary([KEY], "--require-server-cookie", primaries=["%s@%d" % (servers.ADDRESS, p.port)],
                  env={"ORIGIN_COOKIE_SECRET": SECRET})
    s.await_serial("a.test", 1)
    bind = peer("bind", zones(tmp_path), options=['cookie-algorithm siphash24;', 'cookie-secret "%s";' % SECRET, 'require-server-cookie yes;'])
    knot = peer("knot", zones(tmp_path), modules={"mod-cookies": ["secret: [0x%s]" % SECRET]})
    nsd = peer("nsd", zones(tmp_path), options=[" answer-cookie: yes", ' cookie-secret: "%s"' % SECRET])
    all_servers = (p, s, bind, knot, nsd)
    for maker in all_servers:
        cookie = learn(maker.port)
        for taker in all_servers:
            if taker is nsd:  # which answers in any case: with the cookie that it has got, if that is fresh and good, else with its own
                assert ask(nsd.port, cookie)[1] == cookie, maker.name
                assert ask(nsd.port, cookie[:-1] + bytes([cookie[-1] ^ 1]))[1] != cookie[:-1] + bytes([cookie[-1] ^ 1])
                continue
            assert ask(taker.port, CLIENT)[0] == dns.rcode.BADCOOKIE, taker.name
            rcode, answered = ask(taker.port, cookie)
            assert rcode == dns.rcode.NOERROR, "%s's cookie at %s" % (maker.name, taker.name)
            assert answered[:8] == CLIENT and ask(taker.port, answered)[0] == dns.rcode.NOERROR
            assert ask(taker.port, cookie[:-1] + bytes([cookie[-1] ^ 1]))[0] == dns.rcode.BADCOOKIE, taker.name
            assert ask(taker.port, CLIENT, tcp=True)[0] == dns.rcode.NOERROR
    assert p.stat("cookie_good") >= 8 and p.stat("cookie_bad") >= 4 and p.stat("cookie_new") >= 8 and p.stat("badcookie") >= 8
    s.stop()
    p.stop()


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_dig_and_kdig_take_them(served, need):
    """Both know a cookie that is not the answer to theirs.  With --require-server-cookie they come back with what they have learnt."""
    need("dig", "kdig")
    for options in (), ("--require-server-cookie",):
        p = served(*options)
        at = ("@" + servers.ADDRESS, "-p", str(p.port), "ns1.a.test")
        dig = run("dig", "+cookie", "+badcookie", *at)
        assert re.search(r"; COOKIE: [0-9a-f]{48} \(good\)", dig) and "127.0.0.1" in dig.split("ANSWER SECTION")[1], dig
        kdig = run("kdig", "+cookie", "+badcookie", *at)
        assert "127.0.0.1" in kdig.split("ANSWER SECTION")[1], kdig
        cookie = learn(p.port)
        dig = run("dig", "+cookie=" + cookie.hex(), *at)
        assert "; COOKIE: %s (good)" % cookie.hex() in dig
        assert "COOKIE" not in run("dig", "+nocookie", *at)
        only = run("dig", "+cookie", "+header-only", "+qr", *at[:3])
        assert "status: NOERROR" in only and re.search(r"; COOKIE: [0-9a-f]{48} \(good\)", only), only
        assert p.stat("cookie_good") >= 1
        p.stop()


def test_secrets_roll_over(served, secret_file):
    """The order of RFC 9018 5: the new secret is known everywhere before it makes cookies."""
    steps = [OLD_SECRET, "%s\n%s\n" % (OLD_SECRET, SECRET), "# new\n0x%s\n%s" % (SECRET, OLD_SECRET), SECRET.upper()]
    last = None
    for n, text in enumerate(steps):
        p = served("--require-server-cookie", secret_file(text))
        if last is not None:
            rcode, cookie = ask(p.port, last)
            assert rcode == dns.rcode.NOERROR
            assert (cookie == last) == (n in (1, 3)), "made by the first secret"
            last = cookie
        else:
            last = learn(p.port)
        assert re.search(r"event=cookies secrets=%d from=\S+ required=yes" % (2 if n in (1, 2) else 1), p.log())
        p.stop()
    p = served("--require-server-cookie", secret_file(OLD_SECRET))
    assert ask(p.port, last)[0] == dns.rcode.BADCOOKIE
    p.stop()


def test_where_the_secret_comes_from(served, tmp_path):
    """From a credential; from the environment, which then shows it no more; made up anew at each start; from nowhere."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "cookie-secret").write_text(SECRET + "\n")
    p = served(env={"CREDENTIALS_DIRECTORY": str(credentials)})
    cookie = learn(p.port)
    p.stop()
    p = served("--require-server-cookie", env={"ORIGIN_COOKIE_SECRET": SECRET})
    assert ask(p.port, cookie) == (dns.rcode.NOERROR, cookie)
    for pid in (p.pid, *servers.descendants(p.pid)):
        with open("/proc/%d/environ" % pid, "rb") as f:
            assert SECRET.encode() not in f.read()
    assert SECRET not in p.log()
    p.stop()
    for _ in range(2):
        p = served("--require-server-cookie")
        assert "event=cookies secrets=1 from=chance" in p.log()
        assert ask(p.port, cookie)[0] == dns.rcode.BADCOOKIE
        cookie = learn(p.port)
        p.stop()
    p = served("--no-cookies", env={"ORIGIN_COOKIE_SECRET": SECRET})
    assert ask(p.port, CLIENT) == (dns.rcode.NOERROR, None)
    assert "event=cookies" not in p.log()
    p.stop()


@pytest.mark.parametrize("text, says", [
    ("", "there is no cookie secret in it"),
    (SECRET + "\nabc\n", ":2: this is no cookie secret"),
    (5 * (SECRET + "\n"), ":5: more than 4 cookie secrets"),
])
def test_a_file_without_secrets(program, secret_file, text, says):
    for name, option in ("oprimary", "--remote=file:///x"), ("osecondary", "--keys=a._transfer.b:SHA256:AAAA"):
        done = program(name, option, secret_file(text), "--listen=127.0.0.1@%d" % servers.free_port(), status=2)
        assert says in done.stderr and "openssl rand -hex 16" in done.stderr
        assert SECRET not in done.stderr


def test_a_file_that_is_not_there(program, tmp_path):
    done = program("oprimary", "--remote=file:///x", "--cookie-secret-file=%s" % (tmp_path / "none"), status=1)
    assert "none: No such file" in done.stderr


def test_a_file_that_may_not_be_read(bindir, tmp_path, need):
    need("setpriv")
    path = tmp_path / "secret"
    path.touch(0)
    powers = "--bounding-set=-dac_override,-dac_read_search"  # by which root reads it all the same
    done = subprocess.run([*(["setpriv", powers, "--inh-caps=-all"] if os.geteuid() == 0 else []), os.path.join(bindir, "oprimary"),
                           "--remote=file:///x", "--cookie-secret-file=%s" % path], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "secret: Permission denied" in done.stderr and 'ls -l %s"' % path in done.stderr


@pytest.mark.parametrize("option", ["--require-server-cookie", "--cookie-secret-file=" + os.devnull])
def test_options_that_do_not_go_together(program, option):
    done = program("oprimary", "--remote=file:///x", "--no-cookies", option, status=2)
    assert "--no-cookies" in done.stderr
