"""Completion of command lines: the shells offer what --help says."""
import os
import pty
import re
import select
import signal
import subprocess
import time

import pytest

COMPLETION = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "contrib", "completion")
LIMIT_S = 60


@pytest.mark.parametrize("name", ["octl.bash", "_octl"])
def test_it_knows_what_help_says(program, name):
    offered = program("octl", "--help", status=0).stdout
    with open(os.path.join(COMPLETION, name)) as f:
        text = f.read()
    words = set(re.findall(r"^  (\w+)(?: [ \[N].*)?$", offered.split("COMMAND:")[1].split("DOMAIN is a part")[0], re.M))
    assert {"status", "zones", "zone", "secondaries", "keys", "updates", "pull"} <= words
    options = set(re.findall(r"--([a-z][a-z-]+)", offered.split("DOMAIN is a part")[1].split("The questions are")[0]))
    assert all(re.search(r"\b%s\b" % w, text) for w in words) and all("--" + o in text for o in options)


def test_bash(need):
    need("bash")
    script = 'source "$0"; COMP_WORDS=(octl 192.0.2.1 zon); COMP_CWORD=2; _octl; echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, os.path.join(COMPLETION, "octl.bash")], capture_output=True, text=True, check=True)
    assert done.stdout == "zones zone\n"


def bash_offers(bindir, words):
    """What is offered for the last of these words, as bash cuts them."""
    script = ('source "$0/program.bash"; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _origin "$1"; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, COMPLETION, os.path.join(bindir, words[0]), *words[1:]], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("name", ["oprimary", "osecondary", "oacme", "ozone", "onotify", "oupdate", "ocertify", "okeygen"])
def test_bash_offers_all_options(need, program, bindir, name):
    need("bash")
    usage = program(name, "--usage", status=0).stdout
    options = set(re.findall(r"\[?(--[a-z][a-z-]+)", usage))
    assert len(options) > 5 and "--help" in options
    offered = bash_offers(bindir, [name, "-"])
    assert {o.rstrip("=") for o in offered} == options
    for option in ("--port=", "--help"):
        assert option not in offered or bash_offers(bindir, [name, option[:4]]) == [o for o in offered if o.startswith(option[:4])]


def test_bash_offers_files(need, bindir, tmp_path):
    need("bash")
    (tmp_path / "one.key").write_text("")
    (tmp_path / "one.dir").mkdir()
    start = str(tmp_path / "one")
    assert sorted(bash_offers(bindir, ["osecondary", "--keys-file", "=", start])) == [start + ".dir", start + ".key"]
    assert bash_offers(bindir, ["osecondary", "--state-dir", "=", start]) == [start + ".dir"]
    assert bash_offers(bindir, ["osecondary", "--port", "=", start]) == [] and bash_offers(bindir, ["osecondary", start]) == []


class Zsh:
    """An interactive one at a terminal, where octl and osecondary print their arguments, unless these ask for help."""
    RC = """
fpath=(%(completion)s %(home)s $fpath)
autoload -Uz compinit
compinit -u -D
octl() { print -r -- "<$*>" }
osecondary() { [[ $1 == --help ]] && { command %(bindir)s/osecondary --help; return }; print -r -- "<$*>" }
PS1='ready: '
"""

    def __init__(self, home, bindir):
        with open(os.path.join(COMPLETION, "_program")) as f:
            (home / "_osecondary").write_text(f.read().replace("PROGRAM", "osecondary"))
        (home / ".zshrc").write_text(self.RC % {"completion": COMPLETION, "home": home, "bindir": bindir})
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(home)
            os.execvpe("zsh", ["zsh", "-d", "-i"], {**os.environ, "TERM": "vt100", "ZDOTDIR": str(home)})
        self.said = ""
        self.hear("ready: ")

    def hear(self, pattern):
        deadline = time.monotonic() + LIMIT_S
        while not re.search(pattern, self.said):
            assert select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0], self.said
            self.said += os.read(self.terminal, 4096).decode(errors="replace")
        return re.search(pattern, self.said)

    def completed(self, line):
        """The arguments that the line has after a tab at its end."""
        self.said = ""
        os.write(self.terminal, (line + "\t\r").encode())
        return self.hear(r"<(.*?)>")[1]

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


@pytest.fixture
def zsh(need, bindir, tmp_path):
    need("zsh")
    shell = Zsh(tmp_path, bindir)
    yield shell
    shell.end()


def test_zsh(zsh, tmp_path):
    (tmp_path / "status.key").write_text("")
    assert zsh.completed("octl stat") == "status"
    assert zsh.completed("octl 192.0.2.1 sec") == "192.0.2.1 secondaries"
    assert zsh.completed("octl zones --js") == "zones --json"
    assert zsh.completed("octl zones --key-file=stat") == "zones --key-file=status.key"
    assert zsh.completed("osecondary --keys-file=stat") == "--keys-file=status.key"
    assert zsh.completed("osecondary --tcp-per") == "--tcp-per-client"
