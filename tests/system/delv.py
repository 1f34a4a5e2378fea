"""delv asks one of our servers and validates what it gets against the zone's own keys."""
import os
import subprocess

import servers


def anchors(where, zone, dnskeys):
    """Writes a trust-anchor file of the secure entry points; `dnskeys`: RDATA fields as in a master file."""
    keys = ['  %s static-key %s %s %s "%s";' % (zone, k[0], k[1], k[2], "".join(k[3:])) for k in dnskeys if k[0] == "257"]
    assert keys, "no secure entry point among the keys"
    return servers.write(os.path.join(where, "anchors"), "trust-anchors {\n%s\n};\n" % "\n".join(keys))


def delv(port, anchor_file, zone, name, rdtype, clock=None, at_s=None):
    """What delv says; "fully validated" is in it when all is well."""
    env = dict(os.environ)
    if clock is not None:
        env.update({"LD_PRELOAD": clock, "CLOCK_AT": str(at_s)})
    done = subprocess.run(["delv", "@" + servers.ADDRESS, "-p", str(port), "-a", anchor_file, "+root=" + zone, "-q", name,
                           "-t", rdtype],
                          env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr
