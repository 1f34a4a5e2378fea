"""A document's commands, run one after the other by a person with a shell; what they print has to be what stands below them."""
import os
import re
import subprocess

import servers
from repository import ENV

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(document):
    with open(os.path.join(ROOT, document)) as f:
        return f.read()


def blocks(document, title):
    """Of a section: the indented blocks, each a list of (command, the lines below it)."""
    section = re.search(r"^## %s\n(.*?)(?=^## |\Z)" % re.escape(title), read(document), re.M | re.S).group(1)
    return [list(commands(re.sub("^    ", "", block, flags=re.M)))
            for block in re.findall(r"(?:^    .*\n)+(?:(?:^    .*\n|\n(?=    ))*)", section, re.M)]


def commands(block):
    for part in re.split(r"^(?=[$#] )", block, flags=re.M):
        if part.startswith(("$ ", "# ")):
            command = re.match(r"(?:.*\\\n)*.*\n", part).group(0)
            yield command[2:].strip(), part[len(command):]


def in_order(text):
    """Records come in any order."""
    return "\n".join(sorted(line for line in text.split("\n") if line))


class Walk:
    """`places`: {a path of the document: ours}.  `patterns`: (what of the document's output differs from run to run, what may stand there)."""
    errors = subprocess.PIPE  # where standard error goes: it is not compared

    def __init__(self, home, bindir, places, patterns, env=None):
        self.home, self.here, self.places, self.patterns = home, home, places, patterns
        self.env = {**os.environ, **ENV, **servers.sanitizer_env(), "HOME": home, "PATH": bindir + ":" + os.environ["PATH"], **(env or {})}

    def here_is(self, text):
        for place, ours in self.places.items():
            text = text.replace(place, ours)
        return text

    def as_pattern(self, text):
        for what, pattern in self.patterns:
            text = re.sub(what, lambda _, p=pattern: p, text)
        return text

    def run(self, command, given=""):
        """In the shell, which stays where it goes."""
        script = "cd '%s' && { %s\n}; status=$?; pwd >'%s/pwd'; exit $status" % (self.here, self.here_is(command), self.home)
        done = subprocess.run(["bash", "-c", script], input=given, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=self.env,
                              timeout=120, check=False)
        with open(os.path.join(self.home, "pwd")) as f:
            self.here = f.read().strip()
        return done

    def type(self, command, below=""):
        """Runs it, with the lines below as its input or as what it must print.  A file that is shown, and not there yet, is written."""
        shown = re.fullmatch(r"cat (\S+)", command)
        path = os.path.join(self.here, self.here_is(shown.group(1))) if shown else ""
        if shown and not os.path.exists(path):
            servers.write(path, self.here_is(below))
        is_input = re.fullmatch(r"cat >>\S+", command)
        done = self.run(command, below if is_input else "")
        status = 1 if ": error: " in below else 0
        assert done.returncode == status, "%s\n%s%s" % (command, done.stdout, done.stderr)
        if below and not is_input:
            self.compare(command, done.stdout, below)

    def compare(self, command, printed, below):
        for place, ours in self.places.items():
            printed = printed.replace(ours, place)
        assert re.fullmatch(self.as_pattern(re.escape(in_order(below))), in_order(printed)), (
            "%s\n--- printed\n%s--- in the document\n%s" % (command, printed, below))

    def type_all(self, block):
        for command, below in block:
            self.type(command, below)
