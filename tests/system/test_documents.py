"""What the manual pages and the README say is what the programs do."""
import os
import re
import subprocess

import pytest

import servers

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = {"oprimary": "oprimary.8", "osecondary": "osecondary.8", "oacme": "oacme.8",
         "onotify": "onotify.1", "oupdate": "oupdate.1", "octl": "octl.1", "ocertify": "ocertify.1",
         "okeygen": "okeygen.1", "ozone": "ozone.1"}


def options_of_help(text):
    return set(re.findall(r"(?<![\w-])--([a-z][a-z0-9-]+)", text)) - {"help", "usage", "version"}


def options_of_page(name):
    """The long options that the page describes (those in a list's head)."""
    with open(os.path.join(ROOT, "docs", "man", PAGES[name])) as f:
        heads = [line for line in f if line.startswith(".It ")]
    return set(re.findall(r"Fl -([a-z][a-z0-9-]+)", "".join(heads))) - {"help", "usage", "version"}


@pytest.mark.parametrize("name", PAGES)
def test_options_are_in_the_manual(name, program):
    """Each option has its entry, and each entry its option."""
    offered = program(name, "--help", status=0).stdout
    own = {o for o in options_of_help(offered) if re.search(r"^ +(-\w, )? *--%s\b" % re.escape(o), offered, re.M)}
    assert own == options_of_page(name)


@pytest.mark.parametrize("name", PAGES)
def test_version_and_wrong_usage(name, program):
    assert re.fullmatch(name + r" \d+\.\d+\.\d+ \(Origin\)\n", program(name, "--version", status=0).stdout)
    wrong = program(name, "--no-such-option", status=2)
    assert wrong.stdout == "" and "--no-such-option" in wrong.stderr


def test_documents_name_only_options_that_exist(program):
    """README and tutorial: every --option of a line that runs one of our programs."""
    offered = {name: options_of_help(program(name, "--help", status=0).stdout) | {"help", "version"} for name in PAGES}
    for document in ("README.md", "docs/tutorial.md", "docs/updates.md", "docs/migrate-from-bind.md", "docs/certificates.md",
                     "docs/operations.md"):
        with open(os.path.join(ROOT, document)) as f:
            text = f.read().replace("\\\n", " ")
        for line in text.split("\n"):
            called = re.match(r"    [$#] (?:\(umask 077; )?(?:\w+=\S+ )*(?:sudo )?(oprimary|osecondary|oacme|ocertify|onotify|oupdate|octl|okeygen|ozone)\b(.*)", line)
            if called:
                used = set(re.findall(r"(?<!\S)--([a-z][a-z0-9-]+)", called.group(2)))
                assert used <= offered[called.group(1)], "%s: %s" % (document, line)


def readme_block(first_words):
    """The block of README.md that begins with these words, without its indentation."""
    with open(os.path.join(ROOT, "README.md")) as f:
        text = f.read()
    block = re.search(r"^    %s(?:.*\n(?=    |\n))*.*\n" % re.escape(first_words), text, re.M).group(0)
    return re.sub(r"^    ", "", block, flags=re.M)


@pytest.mark.parametrize("form,first_words,at,checker", [
    ("bind", 'include "', "/etc/bind/ns2.conf", "named-checkconf"),
    ("knot", "include: ", "/etc/knot/ns2.conf", "knotc"),
])
def test_secondaries_are_set_up_as_the_readme_says(program, need, tmp_path, form, first_words, at, checker):
    need(checker)
    ours, key = str(tmp_path / "ns2.conf"), str(tmp_path / "ns2.key")
    program("okeygen", "tsig", "192.0.2.1.198.51.100.2._transfer.example.org", "--output=" + key, status=0)
    servers.write(ours, program("okeygen", "tsig", "--secret-file=" + key, "--" + form, status=0).stdout)
    path = servers.write(str(tmp_path / "whole.conf"), readme_block(first_words).replace(at, ours))
    argv = [checker, path] if form == "bind" else [checker, "-c", path, "conf-check"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


COUNTERS = [("stats", "bin/daemon_stats.c", "oprimary.8"), ("pull-stats", "bin/oprimary_stats.c", "oprimary.8"),
            ("update-stats", "bin/oprimary_stats.c", "oprimary.8"), ("notify-stats", "net/report_notify.c", "oprimary.8"),
            ("follow-stats", "net/report_follow.c", "osecondary.8")]


@pytest.mark.parametrize("name, source, page", COUNTERS)
def test_each_counter_is_in_the_manual(name, source, page):
    with open(os.path.join(ROOT, "docs/man", page)) as f:
        text = f.read()
    with open(os.path.join(ROOT, "src", source)) as f:
        form = re.search(r'"%s",\s*((?:(?:"[^"]*"|PRIu64)\s*)+)' % name, f.read()).group(1)
    listed = re.search(r"^\.Li %s :\n(.*?)^\.El$" % name, text, re.M | re.S).group(1)
    heads = re.findall(r"^\.It Li (.*)", listed, re.M)
    assert sorted(" , ".join(heads).split(" , ")) == sorted(re.findall(r"(\w+)=%", form))


def hold_meant():
    """The literals of HOLD_MEANT, the hint that several refusals end with."""
    with open(os.path.join(ROOT, "src", "auth", "primary_p.h")) as f:
        return re.search("^#define HOLD_MEANT (.+)$", f.read(), re.M).group(1)


def reasons_in_source():
    """Every text that says why an update is refused: all literals of several words where that is decided."""
    for name, function in (("update.c", ""), ("update_rights.c", ""), ("update_size.c", ""), ("update_task.c", ""), ("batch.c", ""),
                            ("batch_bounds.c", ""), ("batch_prepare.c", ""), ("batch_serial.c", ""), ("batch_zones.c", ""),
                            ("primary_hold.c", "\nhold_reason("), ("updater_push.c", "\ngeneral_of(")):
        with open(os.path.join(ROOT, "src", "auth", name)) as f:
            text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
        if function:
            text = text.split(function)[1].split("\n}\n")[0]
        text = text.replace("HOLD_MEANT", hold_meant()).replace("PRIMARY_TRAILER", '"Origin-Allow: mass-delete"')
        for literals in re.findall(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*', text):
            yield "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)).replace('\\"', '"')
    with open(os.path.join(ROOT, "src", "bin", "oprimary_requests.c")) as f:
        yield from re.findall(r'return refuse_update\(p, r, RCODE_\w+, "([^"]+)"', f.read())


def test_every_refusal_is_in_the_document():
    with open(os.path.join(ROOT, "docs", "updates.md")) as f:
        document = f.read()
    reasons = {reason for reason in reasons_in_source() if " " in reason}
    assert len(reasons) > 35
    assert not [reason for reason in reasons if not re.search("`%s`" % re.sub("%u", "[0-9]+", re.escape(reason)), document)]


def test_five_minutes_on_a_stock_git(program, tmp_path):
    """Whatever init.defaultBranch is (unset: master), `git push origin main` works; and ozone prints what is shown."""
    with open(os.path.join(ROOT, "README.md")) as f:
        readme = f.read()
    init = re.search(r"^    \$ (git init --bare .*) /srv/zones.git$", readme, re.M).group(1)
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    stock = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for argv in (init.split() + ["-q", "zones.git"], ["git", "clone", "-q", "zones.git", "zones"],
                 ["git", "-C", "zones", *who, "commit", "-q", "--allow-empty", "-m", "x"], ["git", "-C", "zones", "push", "-q", "origin", "main"]):
        subprocess.run(argv, cwd=tmp_path, env=stock, check=True, timeout=60)
    zone = readme_block("$TTL 1h\n    @    SOA").split("$ ozone")[0]
    old, new = servers.write(str(tmp_path / "old"), zone), servers.write(str(tmp_path / "example.org"), zone + "ftp A 192.0.2.81\n")
    done = program("ozone", "--old", old, new, status=1)
    assert "    %s" % done.stdout in readme and done.stdout.startswith("example.org: zone changed")


def test_security_names_tests_that_there_are():
    """Each of the eight has tests, and each line has one that is there."""
    with open(os.path.join(ROOT, "SECURITY.md")) as f:
        parts = f.read().split("## Who is kept from what\n")[1].split("\n## ")[0].split("\n### ")[1:]
    assert len(parts) == 8
    for part in parts:
        rows = [line for line in part.split("\n") if line.startswith("| ")][2:]
        assert rows, part
        for row in rows:
            file, name = re.search(r"\| `(test_\w+\.py|\w+_test\.c)::(\w+)` \|$", row).groups()
            with open(os.path.join(ROOT, "tests", "system" if file.endswith(".py") else "unit", file)) as f:
                assert re.search(r"^(def )?%s\(" % name, f.read(), re.M), row


def test_the_unit_starts_without_a_secret():
    """Without the file of an absolute path systemd would not start the service (systemd.exec(5), LoadCredential=)."""
    with open(os.path.join(ROOT, "contrib", "systemd", "oprimary.service")) as f:
        loaded = dict(re.findall(r"^LoadCredential=([^:\n]+):(\S+)$", f.read(), re.M))
    assert loaded == {"ssh-key": "oprimary.ssh-key", "credential": "oprimary.credential", "cookie-secret": "oprimary.cookie-secret"}
    with open(os.path.join(ROOT, "docs", "operations.md")) as f:
        documented = f.read()
    assert all("`%s`" % name in documented for name in loaded.values())
