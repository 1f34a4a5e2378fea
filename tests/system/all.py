#!/usr/bin/python3
"""Runs all files of system tests, as many at a time as there are processors: most of them wait for something most of the time.

    tests/system/all.py REPORTS [PYTEST-OPTION ...]

Each file has a pytest of its own, which makes itself a network of its own, so that no two meet.  REPORTS is a directory: FILE.xml there
says what became of each test (JUnit), and what pytest printed is printed when the file is done.  Status 1: some have failed.
"""
import concurrent.futures
import contextlib
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FILE_LIMIT_S = 1200
FAILED = 1
NOTHING_FAILED = (0, 5)  # 5: no test was collected, as with -k


def test_files():
    """Those with the most to do first, so that none is begun last and runs on alone."""
    files = [f for f in os.listdir(HERE) if f.startswith("test_") and f.endswith(".py")]
    return sorted(files, key=lambda f: -os.path.getsize(os.path.join(HERE, f)))


class Sweeper:
    """Removes what tests have left, beside those that run: some leave ten thousands of files, which takes a busy disk a minute."""

    def __init__(self):
        self.thread, self.removals = concurrent.futures.ThreadPoolExecutor(1), []

    @contextlib.contextmanager
    def directory(self):
        temp = tempfile.TemporaryDirectory(prefix="")  # a short name: a socket's path has room for 107 octets
        try:
            yield temp.name
        finally:
            self.removals.append(self.thread.submit(temp.cleanup))

    def finish(self):
        for removal in self.removals:
            removal.result()


def run(file, reports, options, sweeper):
    name = file.removesuffix(".py")
    with sweeper.directory() as temp, tempfile.TemporaryFile() as sink:
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp=" + os.path.join(temp, "t"),
                "--junitxml=" + os.path.join(reports, name + ".xml"), *options, os.path.join(HERE, file)]
        try:
            status = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, timeout=FILE_LIMIT_S,
                                    env={**os.environ, "TMPDIR": temp}, check=False).returncode
            late = ""
        except subprocess.TimeoutExpired:
            status, late = FAILED, "%s: still running after %d s\n" % (file, FILE_LIMIT_S)
        sink.seek(0)
        return status, sink.read().decode(errors="replace") + late


def main():
    reports, options = sys.argv[1], sys.argv[2:]
    is_good, sweeper = True, Sweeper()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, f, reports, options, sweeper) for f in test_files()]):
            status, out = done.result()
            print(out, flush=True)
            is_good = is_good and status in NOTHING_FAILED
    sweeper.finish()
    return 0 if is_good else FAILED


if __name__ == "__main__":
    sys.exit(main())
