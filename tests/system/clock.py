"""A program's wall clock stands where the test wants it (clock.c)."""
import os
import subprocess
import time

import servers


def build(where):
    """The library that is preloaded."""
    library = os.path.join(where, "clock.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", library, source], check=True)
    return library


def off(where, off_s, since=None):
    """The environment of a program of ours whose clock stands so long after `since`, or after now.  Its timers go on."""
    return {"LD_PRELOAD": build(str(where)), "CLOCK_AT": str(int(since or time.time()) + off_s),
            "ASAN_OPTIONS": servers.sanitizer_env()["ASAN_OPTIONS"] + ":verify_asan_link_order=0"}
