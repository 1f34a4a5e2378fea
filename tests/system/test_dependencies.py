"""tools/install-deps: the packages of each purpose, under names that the next release of Debian has, too."""
import os
import re
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PURPOSES = ["build", "demo", "image", "check", "bench"]


LISTED = """Package: clang
Breaks: clang-3.2, clang-3.8
Depends: clang-%s (>= %s~)
Recommends: llvm-13-dev
Description: clang-15"""


def packages(tmp_path, installed=None, listed=None):
    """What it prints where clang depends on this, as an installed package and in apt's lists."""
    for name, words in (("dpkg-query", installed and "installed clang-%s (>= %s~)" % (installed, installed)),
                        ("apt-cache", listed and LISTED % (listed, listed))):
        path = tmp_path / name
        path.write_text("#!/bin/sh\n%s\n" % ("echo '%s'" % words if words else "echo no packages found >&2; exit 1"))
        path.chmod(0o755)
    done = subprocess.run([os.path.join(ROOT, "tools", "install-deps"), "--print", *PURPOSES], check=True, capture_output=True,
                          text=True, env={**os.environ, "PATH": "%s:%s" % (tmp_path, os.environ["PATH"])}, timeout=60)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("installed,listed,wanted", [
    (None, "19", "libclang-rt-19-dev"), ("14", "14", "libclang-rt-14-dev"), ("14", "19", "libclang-rt-14-dev"),
    (None, None, "libclang-rt-dev")])
def test_the_run_time_library_is_that_of_clang(tmp_path, installed, listed, wanted):
    assert [p for p in packages(tmp_path, installed, listed) if p.startswith("libclang")] == [wanted]


def test_no_other_name_has_a_version(tmp_path):
    """What has a number in its name keeps it from release to release: not one of a compiler or a library's ABI."""
    stable = {"bind9", "bind9-dnsutils", "bind9-utils", "e2fsprogs", "libc6-dev", "libuv1-dev", "libgit2-dev", "libcurl4-openssl-dev", "zlib1g-dev",
              "iproute2", "lz4", "pdns-backend-sqlite3", "qemu-system-x86"}
    names = packages(tmp_path)
    assert {n for n in names if re.search(r"\d", n) and not n.startswith("python3")} == stable
    assert names == sorted(set(names))


def test_an_unknown_purpose_is_wrong_usage():
    done = subprocess.run([os.path.join(ROOT, "tools", "install-deps"), "--print", "bild"], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 2 and "usage" in done.stderr
