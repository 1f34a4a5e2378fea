"""osecondary --state-dir: zones are served again after a start, whatever became of the primary, the files and the disk."""
import json
import os
import random
import re
import shutil
import stat
import subprocess
import time

import dns.edns
import dns.rcode
import dns.rdatatype
import pytest

import clock
import disk
import secondaries
import servers
from tsig_key import Key

KEY = Key("127.0.0.1.127.0.0.9._transfer.mirage.")
ROOT = Key("who.127.0.0.1._transfer.")
LOOK = Key("me._status.")
NOWHERE = ["127.0.0.1@1"]  # a primary that is down
NOW = ("--refresh-min=1", "--refresh-max=1", "--retry-max=1")
DAY, ROUNDS = 86400, int(os.environ.get("ORIGIN_KILLS", "6"))


def zone(serial, more="", expire=DAY):
    return "$TTL 60\n@ SOA ns host %d 3600 600 %d 60\n@ NS ns\nns A 192.0.2.1\nv TXT \"version %d\"\n%s" % (serial, expire, serial, more)


def at(primary):
    return ["%s@%d" % (servers.ADDRESS, primary.port)]


def extended_errors(answer):
    return [o.code for o in answer.options if o.otype == dns.edns.OptionType.EDE]


def version(server, name="v.mirage"):
    """What the answer says, in place of the serial: both are to be of one version."""
    answer = server.ask(name, "TXT")
    return answer.answer[0][0].to_text() if answer.answer else dns.rcode.to_text(answer.rcode())


@pytest.fixture
def state(tmp_path):
    return str(tmp_path / "state")


@pytest.fixture
def follower(secondary, state):
    """follower(primaries, option…) → one with the state directory."""
    def start(primaries, *options, keys=(KEY,), **more):
        return secondary(keys, "--state-dir=" + state, *options, primaries=primaries, **more)
    return start


@pytest.fixture(scope="module")
def made():
    """The octets of kept(), and the user whose they are, once a secondary has written them."""
    return {}


@pytest.fixture
def kept(made, repo, primary, follower, state):
    """The zone is in a file, with two changes behind it; primary and secondary have ended."""
    path = os.path.join(state, "mirage.zone-state")
    if not made:
        make_kept(repo, primary, follower)
        with open(path, "rb") as f:
            made.update(octets=f.read(), uid=os.stat(path).st_uid)
    else:
        repo.commit({"mirage": zone(3), "mirage._keys": KEY.line})
        os.mkdir(state, 0o700)
        overwrite(made["octets"])(path)
        for there in state, path:
            os.chown(there, made["uid"], -1)
    return path


def make_kept(repo, primary, follower):
    repo.commit({"mirage": zone(1), "mirage._keys": KEY.line})
    served = primary(repo, zones=["mirage"])
    first = follower(at(served), *NOW)
    first.await_serial("mirage", 1)
    for serial in 2, 3:
        repo.commit({"mirage": zone(serial)})
        served.hangup()
        first.await_serial("mirage", serial)
        first.await_true("it is written", lambda n=serial: first.stat("changes", "state-stats") >= n - 1)
    first.stop()
    served.stop()


# ---- a start -----------------------------------------------------------------

def test_zones_are_served_while_the_primary_is_down(repo, primary, follower, kept):
    again = follower(NOWHERE)
    again.await_log(r"event=state-restored zones=1 expired=0 damaged=0")
    assert again.serial("mirage") == 3 and version(again) == '"version 3"'
    again.await_log(r"event=primary-unreachable")
    assert again.serial("mirage") == 3
    again.stop()
    served = primary(repo, zones=["mirage"])
    again = follower(at(served), *NOW, "--log-level=debug")
    again.await_log(r"event=zone-current zone=mirage\. serial=3")
    repo.commit({"mirage": zone(4)})
    served.hangup()  # the file's version is the one from which changes are asked for
    again.await_log(r"event=zone-transferred zone=mirage\. serial=4 .*form=changes")
    for server in again, served:
        server.stop()


def test_the_history_is_there_again(follower, kept):
    """A secondary of ours gets the changes that the file has."""
    again = follower(NOWHERE)
    query = secondaries.dns.message.make_query("mirage", "IXFR")
    query.authority.append(secondaries.dns.rrset.from_text("mirage.", 60, "IN", "SOA", "ns.mirage. host.mirage. 1 3600 600 86400 60"))
    KEY.sign(query)
    answer = secondaries.dns.query.tcp(query, again.address, port=again.port, one_rr_per_rrset=True)
    soas = [rr[0].serial for rr in answer.answer if rr.rdtype == dns.rdatatype.SOA]
    assert soas[0] == soas[-1] == 3 and soas[1] == 1
    again.stop()


def test_all_zones_of_a_root_key_are_known_again(repo, primary, follower):
    zones = ["z%d.test" % i for i in range(100)] + ["very-" * 8 + "long." + "l" * 60 + ".test", "a\\047b.test"]
    repo.commit({**{z.replace("\\047", "%2F"): zone(1) for z in zones}, "_keys": ROOT.line})
    served = primary(repo, zones=zones[:1])
    first = follower(at(served), keys=[ROOT])
    for z in zones:
        first.await_serial(z, 1)
    first.await_true("all are written", lambda: first.stat("whole", "state-stats") == len(zones))
    first.stop()
    served.stop()
    again = follower(NOWHERE, keys=[ROOT])
    again.await_log(r"event=state-restored zones=%d " % len(zones))
    assert [again.serial(z) for z in zones] == [1] * len(zones)
    again.stop()


def test_a_zone_that_expires(repo, primary, follower, state, tmp_path):
    """Its time counts from the last answer of the primary, not from the start: there, two seconds of it are left."""
    repo.commit({"mirage": "$TTL 60\n@ SOA ns host 3 60 10 200 60\n@ NS ns\nns A 192.0.2.1\n", "mirage._keys": KEY.line})
    served, path = primary(repo, zones=["mirage"]), os.path.join(state, "mirage.zone-state")
    first = follower(at(served))
    first.await_true("it is written", lambda: first.stat("whole", "state-stats") == 1)
    for server in first, served:
        server.stop()
    written, begun = os.stat(path).st_mtime, time.monotonic()
    again = follower(NOWHERE, env=clock.off(tmp_path, 198, since=written))
    again.await_log(r"event=state-restored zones=1 expired=0 ")
    again.await_log(r"error event=zone-expired zone=mirage\. serial=3")
    assert time.monotonic() < begun + 100
    again.stop()
    again = follower(NOWHERE, env=clock.off(tmp_path, 200, since=written))
    again.await_log(r"event=state-restored zones=1 expired=1 ")
    answer = again.ask("ns.mirage")
    assert answer.rcode() == dns.rcode.SERVFAIL and extended_errors(answer) == [24]
    again.stop()
    served = primary(repo, zones=["mirage"])
    again = follower(at(served), env=clock.off(tmp_path, 200, since=written))
    again.await_serial("mirage", 3)
    assert "zone-transferred" not in again.log()  # its data were kept
    for server in again, served:
        server.stop()


def test_a_clock_that_was_set_back(follower, kept, tmp_path):
    """The zone is served, and expires: at the next start time has gone on, not begun again."""
    again = follower(NOWHERE, env=clock.off(tmp_path, -5000))
    again.await_log(r"warning event=state-of-the-future zones=1")
    assert again.serial("mirage") == 3
    again.await_true("it is noted", lambda: again.stat("notes", "state-stats") == 1)
    again.stop()
    again = follower(NOWHERE, env=clock.off(tmp_path, -5000 + DAY + 10))
    again.await_log(r"error event=zone-expired zone=mirage\. serial=3")
    again.stop()


def test_without_the_option_nothing_is_written(repo, primary, secondary, tmp_path):
    repo.commit({"mirage": zone(1), "mirage._keys": KEY.line})
    served, home = primary(repo, zones=["mirage"]), tmp_path / "home"
    home.mkdir()
    plain = secondary([KEY], primaries=at(served), cwd=str(home))
    plain.await_serial("mirage", 1)
    plain.stop()
    assert os.listdir(home) == [] and "state" not in plain.log()
    served.stop()


# ---- zones that go -------------------------------------------------------------

def test_a_zone_that_its_primary_withdraws(repo, primary, follower, state, tmp_path):
    """It is none of ours after a start, either; and its file goes when its data do, three seconds after a start."""
    repo.commit({"mirage": "$TTL 60\n@ SOA ns host 1 1 1 60 60\n@ NS ns\nns A 192.0.2.1\n", "_keys": KEY.line, "other": zone(1)})
    served = primary(repo, zones=["mirage"])
    first = follower(at(served), *NOW)
    first.await_serial("mirage", 1)
    repo.commit({"mirage": None})
    served.hangup()
    first.await_log(r"event=zone-withdrawn zone=mirage\.")
    first.await_true("it is noted", lambda: first.stat("notes", "state-stats") >= 1)
    first.stop()
    path = os.path.join(state, "mirage.zone-state")
    noted = os.stat(path).st_mtime
    again = follower(NOWHERE)
    again.await_log(r"event=state-restored zones=1 expired=0")
    assert again.ask("mirage", "SOA").answer == []
    again.stop()
    again = follower(at(served), *NOW, env=clock.off(tmp_path, 57, since=noted))
    again.await_true("its file is gone", lambda: not os.path.exists(path))
    again.stop()
    served.stop()


def test_a_zone_for_which_no_key_is_left(follower, kept, tmp_path):
    """Its file waits for the key, until the zone would have expired."""
    other = follower(NOWHERE, keys=[Key("127.0.0.1.127.0.0.9._transfer.other.")])
    other.await_log(r"warning event=state-not-followed zones=1")
    assert other.ask("v.mirage", "TXT").answer == []
    other.stop()
    again = follower(NOWHERE)
    assert again.serial("mirage") == 3
    again.stop()
    other = follower(NOWHERE, keys=[Key("127.0.0.1.127.0.0.9._transfer.other.")], env=clock.off(tmp_path, DAY + 10))
    other.await_log(r"event=state-removed file=mirage\.zone-state")
    other.stop()
    assert not os.path.exists(kept)


# ---- files that are not as they were ---------------------------------------------

def truncate(path, off=0.5):
    os.truncate(path, int(os.path.getsize(path) * off))


def flip(path):
    with open(path, "r+b") as f:
        f.seek(40)
        octet = f.read(1)
        f.seek(40)
        f.write(bytes([octet[0] ^ 1]))


def overwrite(octets):
    def do(path):
        with open(path, "wb") as f:
            f.write(octets)
    return do


def replace_by_directory(path):
    os.unlink(path)
    os.mkdir(path)


def replace_by_link(path):
    os.rename(path, path + ".elsewhere")
    os.symlink(path + ".elsewhere", path)


def replace_by_pipe(path):
    os.unlink(path)
    os.mkfifo(path)


DAMAGES = {
    "empty": (overwrite(b""), "damaged"), "garbage": (overwrite(b"\xff" * 70000), "damaged"),
    "another-format": (overwrite(b"origin zone  9\n\0 and more"), "damaged"), "cut": (lambda p: truncate(p, 0.1), "damaged"),
    "flipped": (flip, "damaged"), "directory": (replace_by_directory, "not-restored"), "link": (replace_by_link, "not-restored"),
    "pipe": (replace_by_pipe, "not-restored"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_file(repo, primary, follower, kept, what):
    """It is said, and the zone comes anew."""
    damage, event = DAMAGES[what]
    damage(kept)
    served = primary(repo, zones=["mirage"])
    again = follower(at(served))
    why = "it is no regular file" if event == "not-restored" else ".*"
    again.await_log(r"error event=state-%s file=mirage\.zone-state text=\"%s\" hint=" % (event, why))
    again.await_log(r"event=zone-transferred zone=mirage\. serial=3 .*form=whole")
    assert os.path.exists(kept + ".damaged") == (event == "damaged")
    if what != "directory":
        again.await_true("it is written", lambda: again.stat("whole", "state-stats") == 1)
    again.stop()
    served.stop()
    if what != "directory":
        again = follower(NOWHERE)
        assert again.serial("mirage") == 3
        again.stop()


def test_a_file_of_another_zone(follower, kept):
    other = shutil.copy(kept, os.path.join(os.path.dirname(kept), "other.zone-state"))
    os.chown(other, os.stat(kept).st_uid, -1)
    again = follower(NOWHERE, keys=[ROOT])
    again.await_log(r"error event=state-damaged file=other\.zone-state text=\"it has another zone than its name says\"")
    assert again.serial("mirage") == 3
    again.stop()


def test_files_of_others(follower, kept):
    """A directory that has other files, too: nothing is read, renamed or removed there, however many there are."""
    directory = os.path.dirname(kept)
    theirs = [os.path.join(directory, "n%d.example.zone" % i) for i in range(20)] + [os.path.join(directory, "n.zone.new")]
    for path in theirs:
        servers.write(path, "@ 60 SOA a b 1 2 3 4 5\n")
        os.chown(path, os.stat(kept).st_uid, -1)
    again = follower(NOWHERE)
    assert again.serial("mirage") == 3
    again.await_log(r"event=state-restored zones=1 expired=0 damaged=0")
    again.stop()
    assert [path for path in theirs if not os.path.exists(path)] == []


def test_a_file_that_was_cut_behind_the_zone(repo, primary, follower, kept):
    """The last change is lost, and comes again."""
    os.truncate(kept, os.path.getsize(kept) - 3)
    again = follower(NOWHERE)
    again.await_log(r"event=state-cut file=mirage\.zone-state")
    seen = again.serial("mirage")
    assert seen in (2, 3) and version(again) == '"version %d"' % seen
    again.stop()
    repo.commit({"mirage": zone(5)})
    served = primary(repo, zones=["mirage"])
    again = follower(at(served))
    again.await_serial("mirage", 5)
    again.await_true("it is written", lambda: again.stat("changes", "state-stats") >= 1)
    again.stop()
    served.stop()
    again = follower(NOWHERE)
    assert again.serial("mirage") == 5
    again.stop()


def test_a_file_that_somebody_removes(repo, primary, follower, state):
    repo.commit({"mirage": zone(1), "mirage._keys": KEY.line})
    served = primary(repo, zones=["mirage"])
    first, path = follower(at(served), *NOW), os.path.join(state, "mirage.zone-state")
    first.await_true("it is written", lambda: os.path.exists(path))
    os.unlink(path)
    repo.commit({"mirage": zone(2)})
    served.hangup()
    first.await_true("it is written again", lambda: os.path.exists(path))
    for server in first, served:
        server.stop()


# ---- the disk ----------------------------------------------------------------

@pytest.fixture
def kept_in(program):
    """kept_in(secondary) → what octl says of where it keeps its zones: directory, error, and how many are to be written."""
    def ask(server):
        done = program("octl", server.address, "status", "--json", "--port=%d" % server.port, env={"ORIGIN_KEY": LOOK.argument}, status=0)
        told = json.loads(done.stdout)["status"]
        assert (told["state_dir_error"] is None) == (told["state_dir_since"] is None)
        return [told[k] for k in ("state_dir", "state_dir_error", "state_dir_waiting")]
    return ask


@pytest.mark.parametrize("kind", disk.kinds(), ids=lambda k: k.__name__.lower())
def test_a_full_disk_costs_the_copy_alone(repo, primary, secondary, kept_in, tmp_path, kind):
    small = kind(str(tmp_path))
    where = "--state-dir=" + os.path.join(small.path, "state")
    repo.commit({"mirage": zone(1), "mirage._keys": KEY.line})
    served = primary(repo, zones=["mirage"])
    user = ["--user=root"] if os.geteuid() == 0 else []  # whoever is to see that the disk is full, in a directory that is root's
    first = secondary([KEY, LOOK], where, *small.options, *user, *NOW, primaries=at(served), wrapper=small.wrapper, env=small.env)
    first.await_true("it is written", lambda: first.stat("whole", "state-stats") == 1)
    small.fill(first)
    for serial, hosts in ((2, 3000), (3, 3001), (4, 0)):
        repo.commit({"mirage": zone(serial, "".join("h%d A 192.0.2.7\n" % i for i in range(hosts)))}, "x\n\nOrigin-Allow: mass-delete")
        served.hangup()
        first.await_serial("mirage", serial)
        first.await_log(r"warning event=state-not-written zone=mirage\. text=\"No space left on device\" retry_s=\d+ "
                        r"hint=\"the disk is full: make room\"")
    assert first.log().count("event=state-not-written") == 1
    assert kept_in(first)[1:] == ["No space left on device", 1]
    small.make_room(first)
    first.await_log(r"event=state-written-again")
    assert kept_in(first) == [os.path.join(small.path, "state"), None, 0]
    if kind is disk.Preloaded:  # the other one goes with its process
        first.stop()
        again = secondary([KEY], where, *user, primaries=NOWHERE)
        assert again.serial("mirage") == 4 and version(again) == '"version 4"'
        again.stop()
    else:
        first.stop()
    served.stop()


def test_a_directory_that_is_not_ours(repo, primary, follower, state):
    """Whoever starts it as root, and made the directory as root."""
    repo.commit({"mirage": zone(1), "mirage._keys": KEY.line})
    served = primary(repo, zones=["mirage"])
    os.mkdir(state, 0o500)
    first = follower(at(served))
    first.await_serial("mirage", 1)
    first.await_log(r"warning event=state-not-written .*text=\"Permission denied\" .*hint=\"the state directory must belong to the user")
    first.stop()
    assert "state-written-again" not in first.log()
    served.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_makes_the_directory_for_the_user(repo, primary, follower, state):
    repo.commit({"mirage": zone(1), "mirage._keys": KEY.line})
    served = primary(repo, zones=["mirage"])
    first, path = follower(at(served)), os.path.join(state, "mirage.zone-state")
    first.await_true("it is written", lambda: os.path.exists(path))
    assert os.stat(state).st_uid == os.stat(path).st_uid != 0
    assert stat.S_IMODE(os.stat(state).st_mode) == 0o700 and stat.S_IMODE(os.stat(path).st_mode) == 0o600
    for server in first, served:
        server.stop()


@pytest.mark.parametrize("what", ["in use", "no directory"])
def test_a_directory_that_cannot_be_had(bindir, follower, state, what):
    if what == "in use":
        first = follower(NOWHERE)
    else:
        servers.write(state, "a file")
    got = subprocess.run([os.path.join(bindir, "osecondary"), "--listen=127.0.0.1@%d" % servers.free_port(), "--state-dir=" + state,
                          "--keys=" + KEY.argument, "--primary=127.0.0.1@1"], capture_output=True, text=True, check=False,
                         env={**os.environ, **servers.sanitizer_env()}, timeout=servers.START_LIMIT_S)
    assert got.returncode == 1
    assert re.search(r"error event=start-failed stage=state text=\".*%s.*\" hint=" % re.escape(state), got.stderr)
    if what == "in use":
        assert "in use by another process" in got.stderr
        first.stop()


def test_the_wrong_directory(follower, state):
    """Files of somebody else are not removed, whatever they are named and however many they are."""
    first = follower(NOWHERE)
    first.stop()
    theirs = {"%d.example.zone-state" % i: "$TTL 60\n; master file %d\n" % i for i in range(40)}
    theirs["named.conf.new"] = "options { };\n"
    for name, text in theirs.items():
        servers.write(os.path.join(state, name), text)
        os.chown(os.path.join(state, name), os.stat(state).st_uid, -1)
    again = follower(NOWHERE)
    again.await_log(r"event=state-restored zones=0 expired=0 damaged=40")
    again.stop()
    left = {}
    for name in os.listdir(state):
        with open(os.path.join(state, name)) as f:
            left[name] = f.read()
    assert left == {name + (".damaged" if name.endswith(".zone-state") else ""): text for name, text in theirs.items()}


def test_a_directory_of_damaged_files(follower, kept):
    """Of our own files some are kept, to be looked at; a start does not take longer for each of the others than for a good one."""
    with open(kept, "rb") as f:
        head = f.read(100)
    for i in range(2000):
        path = os.path.join(os.path.dirname(kept), "%d.example.zone-state" % i)
        overwrite(head)(path)
        os.chown(path, os.stat(kept).st_uid, -1)
    again = follower(NOWHERE)
    again.await_log(r"event=state-restored zones=1 expired=0 damaged=2000")
    again.stop()
    left = os.listdir(os.path.dirname(kept))
    assert sum(n.endswith(".damaged") for n in left) == 16 and len(left) == 17


# ---- the power ----------------------------------------------------------------

def body(serial):
    """Large and small changes, which take files of both kinds."""
    hosts = (2000, 2001, 2001, 50, 50)[serial % 5]
    return "".join("h%d 60 A 192.0.2.%d\n" % (i, serial % 200 if i == serial % 40 else 9) for i in range(hosts))


def expected(serial):
    text = "$ORIGIN mirage.\n" + zone(serial, body(serial))
    return secondaries.canonical(secondaries.read(text, "mirage"))


def test_killed_while_it_writes(repo, primary, follower, state):
    """So many rounds as ORIGIN_KILLS says: after each, what is served is a version that the primary had, whole."""
    dice, serial = random.Random(7), 1
    repo.commit({"mirage": zone(1, body(1)), "mirage._keys": KEY.line})
    served = primary(repo, zones=["mirage"])
    for _ in range(ROUNDS):
        victim = follower(at(served), *NOW)
        for _ in range(dice.randrange(1, 4)):
            serial += 1
            repo.commit({"mirage": zone(serial, body(serial))}, "x\n\nOrigin-Allow: mass-delete")
            served.hangup()
        victim.await_true("it has heard of it", lambda: (victim.serial("mirage") or 0) >= serial - 1)
        time.sleep(dice.random() * 0.02)  # not a wait for anything: any moment will do
        victim.kill()
        again = follower(NOWHERE)
        assert "event=state-damaged" not in again.log() and "event=state-not-restored" not in again.log()
        got = again.serial("mirage")
        assert got is None or got <= serial
        if got is not None:
            assert secondaries.canonical(secondaries.transfer(again.address, "mirage", again.port, KEY)) == expected(got)
        again.stop()
    assert got is not None
    served.stop()
