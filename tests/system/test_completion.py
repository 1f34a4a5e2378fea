"""Completion of octl's command line: the shells offer what --help says."""
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


class Zsh:
    """An interactive one at a terminal, where octl is a function that prints its arguments."""
    RC = "fpath=(%s $fpath)\nautoload -Uz compinit\ncompinit -u -D\noctl() { print -r -- \"<$*>\" }\nPS1='ready: '\n" % COMPLETION

    def __init__(self, home):
        (home / ".zshrc").write_text(self.RC)
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
def zsh(need, tmp_path):
    need("zsh")
    shell = Zsh(tmp_path)
    yield shell
    shell.end()


def test_zsh(zsh, tmp_path):
    (tmp_path / "status.key").write_text("")
    assert zsh.completed("octl stat") == "status"
    assert zsh.completed("octl 192.0.2.1 sec") == "192.0.2.1 secondaries"
    assert zsh.completed("octl zones --js") == "zones --json"
    assert zsh.completed("octl zones --key-file=stat") == "zones --key-file=status.key"
