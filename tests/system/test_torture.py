"""Updates by several clients, a person's pushes, two primaries on one repository; killed, cut off and restarted as it comes.

A round is a repository of its own, and a seed.  Whatever happens in it: what was acknowledged is in the repository's history, what
was refused is not, an update without an answer is there as a whole or not at all; every version of a file is a zone with a newer
serial; no commit of ours loses a line that is none of its business; and in the end all serve what the repository has.

    python3 -m pytest -p no:cacheprovider tests/system/test_torture.py --rounds 400 --seed 1
"""
import itertools

import pytest

import torture
import torture_history

ROUNDS = len(torture.KINDS)  # in `make check`: one with each kind of remote


def pytest_generate_tests(metafunc):
    first, n = metafunc.config.getoption("--seed") or 1, metafunc.config.getoption("--rounds") or ROUNDS
    turns = zip(itertools.cycle(torture.KINDS), range(first, first + n))
    metafunc.parametrize("kind, seed", turns, ids=lambda value: str(value))


def test_round(bindir, repo, tmp_path, make_key, public_key, need, kind, seed):
    need("git", "nsupdate", *(["sshd", "ssh-keygen"] if kind == "ssh" else []))
    round_ = torture.Round(bindir, repo, str(tmp_path), make_key, public_key, kind, seed)
    try:
        round_.run()
        history = torture_history.check_all(round_)
        round_.stop()
    except BaseException:
        tell(round_)
        raise
    finally:
        round_.discard()
    print("%s, seed %d: %d updates, %d accepted, %d refused, %d commits, %d disturbances" % (
        kind, seed, len(round_.ledger.updates), sum(u.is_accepted for u in round_.ledger.updates),
        sum(u.is_refused for u in round_.ledger.updates), len(history.commits), len(round_.disorder.seen)))


def tell(round_):
    """For the report of a failure."""
    print("\n".join(map(str, round_.ledger.updates)))
    print("\n".join(round_.disorder.seen))
    for seat in round_.seats:
        for path in seat.logs:
            with open(path, errors="replace") as f:
                print("--- %s\n%s" % (path, f.read()[-20000:]))
