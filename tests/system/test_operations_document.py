"""docs/operations.md, executed: what goes wrong with a primary, and what its administrator does then, command by command.

The git server is git's own daemon.  In the place of systemctl the programs are started and ended here.
"""
import os
import re
import shutil
import subprocess

import pytest

import remotes
import servers
import walks
from repository import git

DOCUMENT = "docs/operations.md"
PRIMARY, SECONDARY, GIT_SERVER = "192.0.2.1", "198.51.100.2", "192.0.2.9"
HASH = "e49f36ae31cc9d47"  # of the remote's URL, in names of refs
IS_ABOUT_NS2 = re.compile(r"@198\.51\.100\.2 | secondaries ")
TROUBLE = re.compile(r"error: |  held  ")  # what is printed with a status other than 0
ZONE = ("$TTL 1h\n@ SOA ns1.example.org. hostmaster.example.org. 2026113001 4h 1h 4w 1h\n@ NS ns1.example.org.\n"
        "@ NS ns2.example.org.\nwww A 192.0.2.80\n")
ZONES = {"example.org": ZONE + "ns1 A 192.0.2.1\nns2 A 198.51.100.2\n", "example.com": ZONE, "example.net": ZONE}
FOLLOW, ADMIN, JO = "192.0.2.1.198.51.100.2._transfer.", "admin._transfer.", "jo-2026._update.example.org"
# What differs from run to run: secrets, commits, times, ports.
PATTERNS = ((r"\b[0-9a-f]{40}\b", "[0-9a-f]{40}"), (r"\b[0-9a-f]{12}\b", "[0-9a-f]{12}"), (r"\b[0-9a-f]{7}\b", "[0-9a-f]{7}"),
            (r"[0-9]{4}\\-[0-9]{2}\\-[0-9]{2}\\ [0-9:]{8}Z", "[-0-9]{10} [0-9:]{8}Z"), (r"\(ms\\\)(\\ )+[0-9]+", r"(ms\) +[0-9]+"),
            (r"@[0-9]{5}\b", "@[0-9]+"), (r"\bms=[0-9]+", "ms=[0-9]+"))


class Administrator(walks.Walk):
    """Of ns1 and ns2, with a clone of the repository."""
    errors = subprocess.STDOUT

    def __init__(self, where, repo, bindir, started, make_key):
        self.where, self.repo, self.bindir, self.started, self.primary, self.secondary = where, repo, bindir, started, None, None
        home, self.cache = os.path.join(where, "home"), os.path.join(where, "cache")
        for name in "home", "backup":
            os.makedirs(os.path.join(where, name))
        self.start_git_server()
        self.remote = self.git_server.url("zones.git")
        config = servers.write(os.path.join(where, "gitconfig"), '[url "%s"]\n insteadOf = git@git.example.org:zones.git\n' % self.remote)
        super().__init__(home, bindir, {
            "/srv/git": os.path.dirname(repo.bare), "/backup": os.path.join(where, "backup"), "/var/cache/origin": self.cache,
            "git@git.example.org:zones.git": self.remote}, PATTERNS, {"GIT_CONFIG_GLOBAL": config})
        self.fill(make_key)

    def fill(self, make_key):
        """The repository, and what people have of it."""
        follow, admin, jo = (make_key(name, secret=name.ljust(32).encode()[:32]) for name in (FOLLOW, ADMIN, JO))
        self.repo.commit({**ZONES, "_keys": follow.line + admin.line, "example.org._keys": jo.line}, "Three zones")
        for key, file in (follow, "ns2.key"), (admin, "admin.key"), (jo, "jo-2026.key"):
            os.chmod(servers.write(os.path.join(self.home, file), key.argument + "\n"), 0o600)
        self.here = os.path.join(self.home, "zones")
        git(self.home, "clone", "-q", self.repo.bare, self.here)
        git(self.here, "remote", "set-url", "origin", "git@git.example.org:zones.git")

    # ---- what happens without commands ----

    def start_git_server(self):
        self.git_server = self.started(remotes.Daemon(os.path.dirname(self.repo.bare), 9418, address=GIT_SERVER))

    def start_primary(self):
        self.primary = self.start("oprimary", "--remote=" + self.remote, "--listen=%s@53" % PRIMARY, "--cache-dir=" + self.cache)
        self.places[HASH] = os.path.basename(git(os.path.join(self.cache, "clone.git"), "for-each-ref", "--format=%(refname)", "refs/origin"))

    def start_secondary(self):
        self.secondary = self.start("osecondary", "--keys-file=" + os.path.join(self.home, "ns2.key"), "--listen=%s@53" % SECONDARY,
                                    "--state-dir=" + os.path.join(self.where, "state"))
        self.follow()

    def start(self, program, *options):
        argv = [os.path.join(self.bindir, program), "--user=root", *options]
        process = self.started(servers.Process(argv, self.where, program, env=servers.sanitizer_env()))
        process.await_log("event=ready")
        return process

    def follow(self):
        """The secondary has what the primary has."""
        for zone in ZONES:
            servers.await_true("%s is followed" % zone, lambda z=zone: self.serial(z, SECONDARY) == self.serial(z, PRIMARY))

    @staticmethod
    def serial(zone, address):
        return servers.serial_served(53, zone, address)

    def loses_repository(self):
        self.git_server.kill()
        shutil.rmtree(self.repo.bare)

    def loses_primary(self):
        self.primary.kill()
        shutil.rmtree(self.cache)

    # ---- what is typed ----

    def play(self, section):
        for block in walks.blocks(DOCUMENT, section):
            self.type_all(block)

    def type(self, command, below=""):
        """As the document has it: what is printed, and then lines of the primary's log."""
        if command == "systemctl start oprimary":
            self.start_primary()
            self.follow()
            return
        mark = len(self.primary.log())
        lines = [line for line in below.split("\n") if line]
        self.enter(command, "".join(line + "\n" for line in lines if not line.startswith("event=")))
        for line in lines:
            if line.startswith("event="):
                self.primary.await_log("(?m)^\\S+ [a-z]+ %s$" % self.as_pattern(re.escape(line)), after=mark)

    def enter(self, command, printed):
        if IS_ABOUT_NS2.search(command):  # it comes in its own time
            servers.await_true(lambda: "%s\n%s" % (command, self.run(command).stdout), lambda: self.is_printed(command, printed))
        else:
            self.check(command, printed)

    def is_printed(self, command, printed):
        try:
            self.check(command, printed)
            return True
        except AssertionError:
            return False

    def check(self, command, printed):
        done = self.run(command)
        assert (done.returncode != 0) == bool(TROUBLE.search(printed)), "%s: status %d\n%s" % (command, done.returncode, done.stdout)
        if printed:
            self.compare(command, done.stdout, printed)


@pytest.fixture
def administrator(port_53, repo, tmp_path, bindir, need, started, make_key):
    need("ip", "dig", "git")
    for address in (PRIMARY, SECONDARY, GIT_SERVER):
        subprocess.run(["ip", "address", "replace", address + "/32", "dev", "lo"], check=True)
    yield Administrator(str(tmp_path / "site"), repo, bindir, started, make_key)
    for address in (PRIMARY, SECONDARY, GIT_SERVER):
        subprocess.run(["ip", "address", "del", address + "/32", "dev", "lo"], check=True)


def test_the_document(administrator):
    a = administrator
    a.start_primary()
    a.start_secondary()
    for section in ("Backups", "Another key for a client", "Back to an earlier version", "A held commit"):
        a.play(section)
    a.loses_repository()
    trouble, empty, copy, without, again = walks.blocks(DOCUMENT, "The repository is lost")
    a.type_all(trouble)
    a.type_all(empty)
    a.start_git_server()
    for block in copy, without, again:
        a.type_all(block)
    a.follow()
    a.loses_primary()
    for section in ("The primary is lost", "A key has leaked", "The history was rewritten"):
        a.play(section)
    assert a.secondary.end() == a.primary.end() == 0
