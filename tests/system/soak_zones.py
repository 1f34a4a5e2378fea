"""The zones of the soak."""
import os
import subprocess

HEAD = "$TTL 60\n@ SOA ns1 host %d 86400 43200 2419200 60\n@ NS ns1\nns1 A 192.0.2.1\n"


def small(serial):
    return HEAD % serial + "".join('h%d A 192.0.2.%d\n' % (n, n) for n in range(100))


def big(serial, names):
    """Another serial is another zone: every record is."""
    return HEAD % serial + "".join('n%d TXT "%d of version %d, and some more so that it fills"\n' % (n, n, serial) for n in range(names))


def nsec3(work, zone, iterations):
    """Signed, and with as many iterations as it is told."""
    where = os.path.join(work, "signing")
    os.makedirs(where, exist_ok=True)
    plain = os.path.join(where, zone)
    with open(plain, "w") as f:
        f.write("$ORIGIN %s.\n" % zone + small(1))
    key = subprocess.run(["ldns-keygen", "-a", "ECDSAP256SHA256", "-k", zone], cwd=where, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["ldns-signzone", "-n", "-s", "aabbccddeeff0011" * 4, "-t", str(iterations), "-o", zone, plain, key], cwd=where,
                   capture_output=True, check=True)
    with open(plain + ".signed") as f:
        return f.read()
