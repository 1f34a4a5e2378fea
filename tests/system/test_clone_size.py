"""However many pushes were pulled, the clone stays packed: each fetch leaves a pack behind, and they become one again."""
import glob
import os

import remotes
from repository import git

PUSHES = 40
PACKS = 17  # src/git/clone.c: PACKS_MAX, and the one that the last fetch brought

ZONE = "$TTL 60\n@ SOA ns host %d 7200 3600 1209600 60\n@ NS ns\nns A 192.0.2.1\n"


def test_the_clone_stays_packed(repo, primary, started, tmp_path):
    repo.commit({"example": ZONE % 1})
    daemon = started(remotes.Daemon(str(tmp_path)))
    cache = os.path.join(str(tmp_path), "cache")
    running = primary(daemon.url("zones.git"), "--cache-dir=" + cache, zones=["example"])
    for serial in range(2, PUSHES):
        repo.commit({"example": ZONE % serial + "h%d A 192.0.2.2\n" % serial})
        running.hangup()
        running.await_serial("example", serial)
    running.stop()
    clone = os.path.join(cache, "clone.git")
    assert len(glob.glob(os.path.join(clone, "objects", "pack", "*.pack"))) <= PACKS
    git(clone, "fsck", "--strict")
