"""Every attack at once, beside a client that asks 2,000 questions a second, one that updates, and a secondary (soak.py).

    make soak MINUTES=60

is the whole; here it is short and small, and the programs have sanitizers, so that times say little: their bounds are loose.
"""
import pytest

import soak
from soak_verdict import Limits

SECONDS = 12
LOOSE = {"p99_ms": 2000, "lost_per_mille": 20, "log_octets_a_second_max": 5_000_000, "memory_max_mib": 3 * Limits.memory_max_mib,
         "git_memory_max_mib": 3 * Limits.git_memory_max_mib}


@pytest.mark.parametrize("remote", ["direct", "git"])
def test_all_at_once(bindir, tmp_path, port_53, need, request, remote):
    need("knotd", "ldns-signzone", "git")
    verdict = soak.soak(bindir, str(tmp_path), SECONDS, Limits(**LOOSE), seed=request.config.getoption("--seed") or 1, remote=remote,
                        is_short=True)
    print("\n".join(map(str, verdict.findings)))
    assert not verdict.failed


def test_each_attack_has_a_name_of_its_own_and_says_what_it_does():
    assert len(set(soak.NAMES)) == len(soak.NAMES)
    assert all(a.name and a.who and a.what for a in soak.ATTACKS + soak.PUSHES)
