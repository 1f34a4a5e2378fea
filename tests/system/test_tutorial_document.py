"""docs/tutorial.md, executed: every command of its blocks, in order and without pauses, and what it prints is what stands there.

The addresses are the document's (a loopback has them), its git server is a directory of this machine, and section 3, which is about SSH,
is in test_tutorial.py.  Section 7 is about systemd.  Pebble is the authority in place of Let's Encrypt's.
"""
import functools
import os
import re
import subprocess

import pytest

import remotes
import servers
import walks
from certificate_world import Pebble
from watching import Values

PRIMARY, SECONDARY = "192.0.2.1", "198.51.100.2"
CHANGES = "www\tA\t192.0.2.80", "www\tA\t192.0.2.81"  # "Change something"


# What differs from run to run: secrets, times, and who asks from where.
PATTERNS = ((r"[A-Za-z0-9+/]{43}=", "[A-Za-z0-9+/]{43}="), (r"\b1764158400\b", "[0-9]{10}"), (r"203\\\.0\\\.113\\\.5", "[0-9.]+"),
            (r"20\d\d\\-\d\d\\-\d\d\\ [0-9:]{5}", "[0-9: -]{16}"), (r":15Z", ":[0-9]{2}Z"))


def blocks(title):
    return walks.blocks("docs/tutorial.md", title)


class Walk(walks.Walk):
    def __init__(self, home, repo, bindir):
        config = servers.write(os.path.join(home, "gitconfig"), '[url "%s"]\n insteadOf = git@git.example.org:zones.git\n' % repo.bare)
        super().__init__(home, bindir, {
            "/usr/local/share/origin/git-hooks": os.path.join(walks.ROOT, "contrib", "git-hooks"), "/srv/git/zones.git": repo.bare,
            "/srv/git/notify.key": os.path.join(home, "notify.key"),
            "/usr/local/share/origin/prometheus": os.path.join(walks.ROOT, "contrib", "prometheus")}, PATTERNS, {"GIT_CONFIG_GLOBAL": config})

    def edit(self, *pairs):
        path = os.path.join(self.here, "mirage")
        with open(path) as f:
            text = f.read()
        for old, new in pairs:
            assert old in text, text
            text = text.replace(old, new)
        servers.write(path, text)

    def push(self):
        self.type("git commit -qam Change && git push -q && onotify %s mirage --key-file=$HOME/notify.key --wait" % PRIMARY)


@pytest.fixture
def walk(port_53, repo, tmp_path, bindir, need):
    need("ip", "dig", "host", "named", "pebble", "curl", "promtool")
    for address in PRIMARY, SECONDARY:
        subprocess.run(["ip", "address", "replace", address + "/32", "dev", "lo"], check=True)
    home = tmp_path / "home"
    home.mkdir()
    yield Walk(str(home), repo, bindir)
    for address in PRIMARY, SECONDARY:
        subprocess.run(["ip", "address", "del", address + "/32", "dev", "lo"], check=True)


def stays(walk, started, command, name):
    """A command that goes on: here until it is ended."""
    process = started(servers.Process(["bash", "-c", "exec " + walk.here_is(command)], str(walk.home), name, env=walk.env, cwd=walk.here))
    process.await_log("event=ready")
    return process


def first_look(walk, started):
    serving, asking = blocks("2. A first look")
    (command, _), = serving
    look = stays(walk, started, command, "first-look")
    walk.type_all(asking)
    assert look.end() == 0


def certificates(walk, started, work):
    keys, (seed, (program, _)), asks = blocks("8. Certificates")
    walk.type_all(keys)
    ca, certificate = remotes.make_ca(work)
    pebble = started(Pebble(work, 53, certificate, resolver=PRIMARY, env={"PEBBLE_AUTHZREUSE": "0"}))
    walk.places["--production"] = "--directory=%s --ca-file=%s --user=root" % (pebble.directory, ca)
    walk.here = walk.home
    walk.type(*seed)
    oacme = stays(walk, started, program, "oacme")
    walk.type_all(asks)
    assert oacme.end() == 0


def test_the_document(walk, repo, primary, started, tmp_path, bindir):
    first, hook = blocks("1. A zone")
    walk.type_all(first)
    clone = walk.here
    walk.type_all(hook)
    first_look(walk, started)

    start = functools.partial(primary, repo, "--listen=" + PRIMARY, zones=["mirage"], env={"PATH": walk.env["PATH"]})
    served = start()
    key, notify, hooks = blocks("4. Pushes")
    walk.type_all(key)
    served.hangup()  # "make it pull by hand this once"
    served.await_log("event=keys-loaded")
    walk.type_all(notify)
    walk.edit(("hostmaster\t1\t", "hostmaster\t2\t"), CHANGES)
    walk.push()
    walk.type_all(hooks)
    walk.here = clone
    walk.type_all(*blocks("5. Updates"))

    key, = [b for b in blocks("6. Secondaries") if b]
    walk.type_all(key)
    walk.edit(("hostmaster\t3\t", "hostmaster\t4\t"), ("127.0.0.1", PRIMARY))
    walk.push()
    follows = started(Named(str(tmp_path / "ns2"), os.path.join(walk.home, "ns2.key")))
    follows.await_true("it has the zone", lambda: servers.serial_served(53, "mirage", SECONDARY) == 4)
    walk.type("oupdate %s --key-file=$HOME/update.key my-other.mirage 198.51.100.8" % PRIMARY)
    follows.await_true("it hears of changes", lambda: servers.serial_served(53, "mirage", SECONDARY) == 5)
    served.stop()
    service = start("--metrics=127.0.0.1@9153")  # what sections 7 and 9 say
    certificates(walk, started, str(tmp_path))
    follows.await_true("it has the certificate, and this is known", lambda: Values(9153).get("origin_secondaries", state="current") == 1)
    _, *watches = blocks("9. Monitoring")
    for block in watches:
        walk.type_all(block)
    service.stop()


class Named(servers.Process):
    """BIND with the lines that the document has, and where it is to answer."""

    def __init__(self, where, key_file):
        os.makedirs(where)
        lines = re.search(r'^    (key "192.*;\n    zone .*;)$', walks.read("docs/tutorial.md"), re.M).group(1)
        with open(key_file) as f:
            lines = lines.replace("…", f.read().strip().split(":")[2])
        conf = ('options { directory "%s"; pid-file "%s/named.pid"; session-keyfile "%s/session.key"; listen-on { %s; };\n'
                'transfer-source %s; listen-on-v6 { none; }; recursion no; };\ncontrols { };\n' % (where, where, where, SECONDARY, SECONDARY))
        super().__init__(["named", "-g", "-n", "1", "-c", servers.write(os.path.join(where, "named.conf"), conf + lines + "\n")], where, "named")
