"""Updates beside `git gc --prune=now`, `git repack -a -d -f`, `git pack-refs --all`, forced pushes and clones, all the time.

What was acknowledged stays; no update fails; `git fsck --strict` has nothing to say.

    python3 -m pytest -p no:cacheprovider tests/system/test_upkeep.py --minutes 30 --seed 1
"""
import pytest

import upkeep
from repository import write_hook

CYCLES = 4  # in `make check`: turns of the owner


@pytest.mark.parametrize("kind", ["direct", "hooks"])
def test_updates_beside_upkeep(bindir, repo, tmp_path, make_key, request, kind):
    """hooks: there git itself receives, and what it has received is nobody's until it has moved the branch; then nobody may prune."""
    seconds = 60 * (request.config.getoption("--minutes") or 0)
    seed = request.config.getoption("--seed") or 1
    if kind == "hooks":
        write_hook(repo, "post-receive", "exit 0\n")
    storm = upkeep.Storm(bindir, repo, str(tmp_path), make_key, seed=seed, prune=["--prune=now"] if kind == "direct" else [])
    try:
        storm.run(CYCLES, seconds)
        storm.check()
        for seat in storm.seats:
            seat.stop()
    except BaseException:
        print("\n".join(storm.owner.failed[-20:]))
        for seat in storm.seats:
            for path in seat.logs:
                with open(path, errors="replace") as f:
                    print("--- %s\n%s" % (path, f.read()[-20000:]))
        raise
    finally:
        print("%s, seed %d, %d cycles: %s" % (kind, seed, storm.cycles, storm.report()))
        storm.discard()
