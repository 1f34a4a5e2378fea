"""Keys for a part of a zone, or for some types, with nsupdate as people have it."""
import subprocess

import pytest

import servers
from updates import ZONE, addresses

HOME = ZONE + "home    A    192.0.2.7\n        TXT  \"at home\"\nhomer   A    192.0.2.8\nsub     NS   ns.sub\nns.sub  A    192.0.2.9\n"
KEYS = {"router": "router._update.home.example", "held": "router._a._aaaa._update.home.example",
        "acme": "acme._txt._update._acme-challenge.www.example", "glue": "glue._update.ns.sub.example", "zone": "all._update.example",
        "wide": "txt._txt._update.example"}


@pytest.fixture
def keys(make_key):
    return {name: make_key(text) for name, text in KEYS.items()}


@pytest.fixture(params=[False, True], ids=["", "zones-by-update"])
def served(request, primary, repo, keys, need):
    need("nsupdate")
    repo.commit({"example": HOME, "_keys": "".join(k.line for k in keys.values())})
    return primary(repo, *(["--zones-by-update"] if request.param else []), zones=["example"])


@pytest.fixture
def nsupdate(served, keys):
    """nsupdate(key, script) → what it says, "" when all is well.  It asks for the zone itself."""
    def run(key, script):
        text = "server %s %d\n%s\nsend\n" % (servers.ADDRESS, served.port, script)
        done = subprocess.run(["nsupdate", "-y", "hmac-sha256:%s:%s" % (keys[key].name, keys[key].secret)], input=text, capture_output=True,
                              text=True, timeout=60, check=False)
        assert (done.returncode == 0) == (done.stdout + done.stderr == ""), done
        return done.stdout + done.stderr
    return run


def test_a_router_changes_its_own_names(served, nsupdate, remote):
    said = nsupdate("router", "update delete home.example A\nupdate add home.example 60 A 192.0.2.70\nupdate add cam.home.example 60 A 192.0.2.71")
    assert said == "" and addresses(served, "home.example") == ["192.0.2.70"] and addresses(served, "cam.home.example") == ["192.0.2.71"]
    assert served.serial("example") == 8 and sum(line.startswith("-") for line in remote.diff()) == 2  # serial and address


@pytest.mark.parametrize("key, script, why", [
    ("router", "update add www.example 60 A 192.0.2.70", "the key has no right to this name"),
    ("router", "update add homer.example 60 A 192.0.2.70", "the key has no right to this name"),
    ("router", "zone example\nupdate add example 60 A 192.0.2.70", "the key has no right to this name"),
    ("router", "zone example\nprereq yxdomain www.example\nupdate add home.example 60 A 192.0.2.70", "the key has no right to this name"),
    ("router", "zone example\nprereq nxdomain www.example\nupdate add home.example 60 A 192.0.2.70", "the key has no right to this name"),
    ("router", "zone example\nprereq nxdomain none.example\nupdate add home.example 60 A 192.0.2.70", "the key has no right to this name"),
    ("router", "zone example\nupdate add example 60 SOA ns1.example. h.example. 99 1 2 3 4", "the key has no right to this name"),
    ("router", "update add home.example 60 NS ns.elsewhere.", "the key has no right to this type of records"),
    ("held", "update add home.example 60 TXT x", "the key has no right to this type of records"),
    ("held", "update delete home.example", "the key is limited to certain types, and this would delete all records of a name"),
    ("acme", "update add www.example 60 TXT x", "the key has no right to this name"),
    ("glue", "update delete sub.example NS", "the key has no right to this name"),
    ("wide", "update add www.example 60 A 192.0.2.70", "the key has no right to this type of records"),
])
def test_nothing_else(served, nsupdate, key, script, why):
    assert "update failed: REFUSED" in nsupdate(key, script)
    served.await_log("event=update-(denied|refused) .*%s" % why)
    assert served.serial("example") == 7


@pytest.mark.parametrize("key, script", [
    ("router", "prereq yxdomain home.example\nupdate delete home.example\nupdate add home.example 60 AAAA 2001:db8::7"),
    ("held", "prereq nxrrset home.example CNAME\nupdate delete home.example A\nupdate add home.example 60 A 192.0.2.70"),
    ("acme", "update add _acme-challenge.www.example 60 TXT token"),
    ("glue", "update delete ns.sub.example\nupdate add ns.sub.example 3600 A 192.0.2.99"),
    ("wide", "update add www.example 60 TXT x"),
    ("zone", "update add home.example 60 NS ns.elsewhere."),
])
def test_what_is_theirs(served, nsupdate, key, script):
    assert nsupdate(key, script) == ""
    assert served.serial("example") == 8


@pytest.mark.parametrize("key", ["router", "held", "acme", "zone"])
@pytest.mark.parametrize("options", [[], ["--tcp"]], ids=["udp", "tcp"])
def test_oupdate_finds_the_zone(served, keys, program, key, options):
    """By what follows _update in the key's name, wherever in a zone that is; at the name, below it, and where nothing is yet."""
    name = keys[key].name.split("_update.")[1].rstrip(".")
    argument = "%s:SHA256:%s" % (keys[key].name, keys[key].secret)
    done = program("oupdate", servers.ADDRESS, argument, "--port=%d" % served.port, *options,
                   "--add=new.%s %s" % (name, "TXT x" if key == "acme" else "A 192.0.2.70"), status=0)
    assert "acknowledged" in done.stdout and done.stderr == "" and served.serial("example") == 8


def test_oupdate_where_no_zone_is(served, make_key, program):
    """What the server does not say is taken from the key's name, and the answer to that is explained."""
    argument = "me._update.elsewhere.example.net:SHA256:%s" % make_key("x._update.").secret
    done = program("oupdate", servers.ADDRESS, argument, "--port=%d" % served.port, "elsewhere.example.net", "192.0.2.7", status=1)
    assert "does not know the key me._update.elsewhere.example.net." in done.stderr


SOA = "SOA ns1.example. h.example. 1 86400 7200 2419200 60"


def test_zones_are_not_theirs(served, nsupdate, repo, remote, notify, keys):
    """Neither made nor removed, where updates do that and elsewhere."""
    make = "zone home.example\nupdate add home.example 60 %s\nupdate add home.example 60 NS ns1.example." % SOA
    assert "update failed: " in nsupdate("router", make)
    assert "update failed: REFUSED" in nsupdate("router", make.replace("zone home.example", "zone example"))
    repo.commit({"home.example": "@ 60 %s\n@ 60 NS ns1.example.\n" % SOA})
    notify(served.port, "example", keys["zone"])
    served.await_serial("home.example", 1)
    nsupdate("router", "zone home.example\nupdate delete home.example %s" % SOA)
    assert served.serial("home.example") == 1 and remote.text("home.example") != ""
