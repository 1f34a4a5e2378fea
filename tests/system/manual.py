"""What manual pages list, for tests that hold programs to them: the diagnostics of ozone(1) with their examples, the events of
the daemons."""
import functools
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOA = "@ SOA ns1 hostmaster %d 7200 900 1209600 300\n"


def diagnostics():
    """(section, code, its example or None) of each, as the manual has them."""
    with open(os.path.join(ROOT, "docs", "man", "ozone.1")) as f:
        text = f.read().split("\n.Sh CODES\n", 1)[1].split("\n.Sh ", 1)[0]
    for part in text.split("\n.Ss ")[1:]:
        section, _, items = part.partition("\n")
        for item in re.split(r"^\.It Sy ", items, flags=re.M)[1:]:
            example = re.search(r"^\.Bd .*\n((?:.*\n)*?)\.Ed$", item.split("\n.El", 1)[0], re.M)
            yield section, item.split("\n", 1)[0], example and example.group(1).replace("\\&", "").replace("\\e", "\\")


@functools.cache
def events():
    """The events of the daemons' logs.  tools/check-events compares them with the source."""
    return {name for page in ("oprimary.8", "osecondary.8", "oacme.8", "origin-image.7") for name in events_of(page)}


def events_of(page):
    with open(os.path.join(ROOT, "docs", "man", page)) as f:
        text = f.read().split("\n.Sh LOG\n", 1)[1].split("\n.El\n", 1)[0]
    return [name for head in re.findall(r"^\.It Li (.*)$", text, re.M) for name in head.split(" , ")]


def file_of(code):
    """What the file is called in which a diagnostic is found."""
    if code.startswith("key-") or code == "not-a-key":
        return "example.com._keys"
    return "example.com._secondaries" if code.startswith("secondary-") or code in ("not-a-secondary", "generate-refused") else "example.com"


def as_zone(code, example, serial=1):
    """The example in a zone example.com that has nothing else to be said about."""
    own_soa = re.search(r"^@ SOA", example, re.M) and code != "several-soa"
    soa = "" if own_soa or code == "no-soa" else SOA % serial
    ns = "" if code in ("no-apex-ns", "no-soa") else "@ NS ns1\n"
    ttl = "" if code in ("no-ttl", "soa-ttl", "previous-ttl") else "$TTL 3600\n"
    rest = ns + "ns1 A 192.0.2.1\n"
    if code == "previous-ttl":
        first, second = example.splitlines(keepends=True)
        return first + soa.replace("SOA", "60 SOA") + rest + second
    before = code in ("no-owner", "no-ttl") or own_soa
    return ttl + (example + soa + rest if before else soa + rest + example)
