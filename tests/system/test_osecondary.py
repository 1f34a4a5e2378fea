"""osecondary follows oprimary: the tutorial's two sections, with addresses in key names; chains, faults, and what people see."""
import contextlib
import json
import os
import re
import socket

import dns.edns
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.update
import pytest

import secondaries
import servers
from tsig_key import Key

ZONE = "$TTL 60\n@ SOA ns1 host %d 3600 600 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n"
OURS = "127.0.0.9"
MIRAGE = Key("127.0.0.1.127.0.0.9._transfer.mirage.")
ROOT = Key("127.0.0.1.127.0.0.9._transfer.")
OTHER = Key("who._transfer.mirage.", b"another secret of thirty-two oct")


def extended_error(answer):
    return [o.code for o in answer.options if o.otype == dns.edns.OptionType.EDE]


def records(server, zone, key):
    return secondaries.canonical(secondaries.transfer(server.address, zone, server.port, key))


def follow(secondary, keys, served, *options, **more):
    return secondary(keys, *options, primaries=["%s@%d" % (servers.ADDRESS, served.port)], **more)


def test_the_walk_of_the_tutorial(port_53, repo, primary, secondary):
    """Primary and secondary setup: both on port 53, each knows the other by the key's name."""
    repo.commit({"mirage": ZONE % 2, "mirage._keys": MIRAGE.line})
    served = primary(repo, port=53, zones=["mirage"])
    follower = secondary([MIRAGE], port=53, address=OURS)
    follower.await_serial("mirage", 2)
    repo.commit({"mirage": ZONE % 3 + "foo A 192.0.2.7\n"})
    served.hangup()
    follower.await_serial("mirage", 3)
    for server in served, follower:
        assert [r.address for r in server.ask("foo.mirage").answer[0]] == ["192.0.2.7"]
    follower.await_log(r"event=notify-accepted from=127\.0\.0\.1@\d+ .*key=%s" % re.escape(MIRAGE.name))
    follower.await_log(r"event=zone-transferred zone=mirage\. serial=3 from=127\.0\.0\.1@53 .*form=changes")
    assert records(served, "mirage", MIRAGE) == records(follower, "mirage", MIRAGE)
    served.stop()  # the secondary serves on
    assert follower.serial("mirage") == 3
    follower.stop()
    follower = secondary([MIRAGE], port=53, address=OURS)  # started while the primary is down
    answer = follower.ask("foo.mirage")
    assert answer.rcode() == dns.rcode.SERVFAIL and extended_error(answer) == [14]
    served = primary(repo, port=53, zones=["mirage"])
    follower.await_serial("mirage", 3)
    served.stop()
    follower.stop()


def test_the_first_line_of_the_log(repo, primary, secondary):
    repo.commit({"mirage": ZONE % 1, "_keys": MIRAGE.line})
    for server in primary(repo), secondary([MIRAGE], primaries=["127.0.0.1@1"]):
        assert " info event=starting version=" in server.log().splitlines()[0]
        server.stop()


def test_a_root_key_has_all_zones(port_53, repo, primary, secondary):
    zones = ["z%d.test" % i for i in range(50)]
    repo.commit({**{z: ZONE % 1 for z in zones}, "_keys": ROOT.line})
    served = primary(repo, port=53, zones=zones[:1])
    follower = secondary([ROOT], port=53, address=OURS)
    for zone in zones:
        follower.await_serial(zone, 1)
    repo.commit({"new.test": ZONE % 7, zones[0]: None})
    served.hangup()
    follower.await_serial("new.test", 7)
    follower.await_log(r"event=zone-withdrawn zone=%s\." % zones[0])
    assert follower.ask(zones[0], "SOA").rcode() in (dns.rcode.SERVFAIL, dns.rcode.REFUSED)  # the first minute: perhaps it is still to come
    follower.stop()
    served.stop()


def test_a_flaw_is_warned_about(repo, primary, secondary):
    """It is the primary's to mend; here it is served as it is."""
    repo.commit({"mirage": ZONE % 1 + "sub NS ns.sub\n", "sound.test": ZONE % 1, "_keys": ROOT.line})
    served = primary(repo, zones=["mirage", "sound.test"])
    follower = follow(secondary, [ROOT], served)
    for zone in "mirage", "sound.test":
        follower.await_serial(zone, 1)
    follower.await_log(r"event=zone-flawed zone=mirage\. serial=1 name=sub\.mirage\. code=missing-glue text=.* hint=")
    assert str(follower.ask("www.sub.mirage").authority[0][0]) == "ns.sub.mirage."
    assert "event=zone-flawed zone=sound" not in follower.log()
    follower.stop()
    served.stop()


def test_changes_of_all_sizes_arrive(repo, primary, secondary):
    repo.commit({"mirage": ZONE % 1, "mirage._keys": MIRAGE.line})
    served = primary(repo, zones=["mirage"])
    follower = follow(secondary, [MIRAGE], served, "--refresh-max=1", "--refresh-min=1")
    follower.await_serial("mirage", 1)
    for serial, hosts in ((2, 10), (3, 3000), (4, 20), (5, 0), (6, 1)):
        repo.commit({"mirage": ZONE % serial + "".join("h%d TXT \"host %d\"\n" % (i, i) for i in range(hosts))}, "less\n\nOrigin-Allow: mass-delete")
        served.hangup()
        follower.await_serial("mirage", serial)
        assert records(served, "mirage", MIRAGE) == records(follower, "mirage", MIRAGE)
    assert "changes-do-not-fit" not in follower.log()
    follower.stop()
    served.stop()


def test_a_secondary_of_a_secondary(repo, primary, secondary):
    """The second one is told over the connection that it keeps."""
    repo.commit({"mirage": ZONE % 1, "mirage._keys": MIRAGE.line + OTHER.line})
    served = primary(repo, zones=["mirage"])
    first = follow(secondary, [MIRAGE, OTHER], served, "--refresh-max=1", "--refresh-min=1")
    first.await_serial("mirage", 1)
    second = follow(secondary, [OTHER], first)
    second.await_serial("mirage", 1)
    for serial in 2, 3:
        repo.commit({"mirage": ZONE % serial})
        served.hangup()
        second.await_serial("mirage", serial)
    assert records(served, "mirage", OTHER) == records(second, "mirage", OTHER)
    for server in second, first, served:
        server.stop()


def test_a_zone_expires_and_comes_back(repo, primary, secondary):
    repo.commit({"mirage": "$TTL 60\n@ SOA ns1 host 1 1 1 4 60\n@ NS ns1\nns1 A 127.0.0.1\n", "mirage._keys": MIRAGE.line})
    served = primary(repo, zones=["mirage"])
    follower = follow(secondary, [MIRAGE], served, "--refresh-min=1")
    follower.await_serial("mirage", 1)
    port = served.port
    served.stop()
    follower.await_log(r"event=primary-unreachable")
    follower.await_log(r"error event=zone-expired zone=mirage\.")
    answer = follower.ask("ns1.mirage")
    assert answer.rcode() == dns.rcode.SERVFAIL and extended_error(answer) == [24]
    again = primary(repo, zones=["mirage"], port=port)
    follower.await_serial("mirage", 1)
    follower.await_log(r"event=primary-reached")
    assert follower.log().count("event=zone-transferred") == 1  # it was kept
    follower.stop()
    again.stop()


def test_a_zone_that_has_not_come_is_not_denied(repo, primary, secondary):
    """Its transfer is refused for want of room."""
    repo.commit({"mirage": ZONE % 1 + "".join("h%d A 192.0.2.1\n" % i for i in range(200)), "mirage._keys": MIRAGE.line})
    served = primary(repo, zones=["mirage"])
    follower = follow(secondary, [MIRAGE], served, "--max-records=100")
    follower.await_log(r"event=refresh-failed zone=mirage\. .*more than 100 records")
    answer = follower.ask("ns1.mirage")
    assert answer.rcode() == dns.rcode.SERVFAIL and extended_error(answer) == [14]
    follower.stop()
    served.stop()


def test_fail_over(repo, tmp_path, primary, secondary):
    repo.commit({"mirage": "$TTL 60\n@ SOA ns1 host 1 1 1 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n", "mirage._keys": MIRAGE.line})
    first, second = primary(repo, zones=["mirage"]), primary(repo, zones=["mirage"])
    follower = secondary([MIRAGE], "--refresh-min=1", primaries=["%s@%d" % (servers.ADDRESS, p.port) for p in (first, second)])
    follower.await_serial("mirage", 1)
    first.stop()
    repo.commit({"mirage": "$TTL 60\n@ SOA ns1 host 2 1 1 86400 60\n@ NS ns1\nns1 A 127.0.0.1\n"})
    second.hangup()
    follower.await_serial("mirage", 2)
    follower.stop()
    second.stop()


def test_keys_that_do_not_fit(repo, primary, secondary):
    repo.commit({"mirage": ZONE % 1, "mirage._keys": MIRAGE.line})
    served = primary(repo, zones=["mirage"])
    wrong = follow(secondary, [Key(MIRAGE.name, b"a secret that the primary has not")], served)
    wrong.await_log(r"event=refresh-failed domain=mirage\. from=.*BADSIG")
    unknown = follow(secondary, [OTHER], served)
    unknown.await_log(r"event=refresh-failed domain=mirage\. from=.*BADKEY")
    assert MIRAGE.secret not in wrong.log() + unknown.log()
    for server in wrong, unknown, served:
        server.stop()


def test_no_zone_is_denied_at_the_start(bindir, tmp_path, started):
    """From the first answer on, while the primary is down."""
    query, seen = dns.message.make_query("www.mirage.", "A").to_wire(), set()
    for _ in range(5):
        port = servers.free_port()
        argv = [os.path.join(bindir, "osecondary"), "--listen=127.0.0.1@%d" % port, "--keys=" + MIRAGE.argument, "--primary=127.0.0.1@1"]
        process = started(servers.Process(argv, str(tmp_path), "osecondary", env=servers.sanitizer_env()))
        while "primary-unreachable" not in process.log():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(0.05)
                with contextlib.suppress(OSError):  # it does not listen yet
                    s.connect(("127.0.0.1", port))
                    s.send(query)
                    seen.add(dns.message.from_wire(s.recv(4096)).rcode())
        assert process.end() == 0
    assert seen <= {dns.rcode.SERVFAIL}


def test_only_notify_is_answered_over_its_connections(secondary):
    """A primary that asks in place of answering."""
    keyring = {dns.name.from_text(MIRAGE.name): MIRAGE.secret_octets}
    with socket.create_server((servers.ADDRESS, 0)) as listening:
        listening.settimeout(servers.START_LIMIT_S)
        follower = secondary([MIRAGE], primaries=["%s@%d" % listening.getsockname()])
        conn, _ = listening.accept()
        with conn:
            conn.settimeout(servers.START_LIMIT_S)
            first = dns.query.receive_tcp(conn, keyring=keyring)[0]
            assert first.question[0].rdtype == dns.rdatatype.SOA
            update = dns.update.Update("mirage")
            update.add("new", 60, "A", "192.0.2.9")
            for request in MIRAGE.sign(dns.message.make_query("mirage.", "SOA")), MIRAGE.sign(update), dns.message.make_query("mirage.", "SOA"):
                dns.query.send_tcp(conn, request)
            notify = MIRAGE.sign(dns.message.make_query("mirage.", "SOA", flags=0))
            notify.set_opcode(dns.opcode.NOTIFY)
            dns.query.send_tcp(conn, notify)
            answer = dns.query.receive_tcp(conn, keyring=keyring, request_mac=notify.mac)[0]
            assert answer.id == notify.id and answer.opcode() == dns.opcode.NOTIFY and answer.rcode() == dns.rcode.NOERROR
        assert follower.stat("notify_accepted") == 1
        follower.stop()


def test_it_asks_from_where_it_answers(secondary):
    """The key's name has no address, and it listens at one address of the family."""
    with socket.create_server((servers.ADDRESS, 0)) as listening:
        listening.settimeout(servers.START_LIMIT_S)
        follower = secondary([OTHER], address=OURS, primaries=["%s@%d" % listening.getsockname()])
        conn, peer = listening.accept()
        conn.close()
        assert peer[0] == OURS
        follower.stop()


def test_it_takes_no_updates(repo, primary, secondary, key):
    repo.commit({"mirage": ZONE % 1, "_keys": key.line})
    served = primary(repo, zones=["mirage"])
    follower = follow(secondary, [key], served)
    follower.await_serial("mirage", 1)
    update = dns.update.Update("mirage")
    update.add("new", 60, "A", "192.0.2.9")
    answer = dns.query.udp(key.sign(update), servers.ADDRESS, port=follower.port, timeout=10)
    assert answer.rcode() == dns.rcode.REFUSED
    follower.await_log(r"event=update-denied .*the primary takes updates")
    follower.stop()
    served.stop()


def test_what_it_shows(repo, primary, secondary):
    repo.commit({"mirage": ZONE % 1, "mirage._keys": MIRAGE.line})
    served = primary(repo, zones=["mirage"])
    follower = follow(secondary, [MIRAGE], served)
    follower.await_serial("mirage", 1)
    assert follower.stat("zones", event="follow-stats") == 1
    state = follower.await_log(r"event=zone-state zone=mirage\. state=served serial=1 from=127.0.0.1@%d refreshed_s_ago=\d+ next_s=(\d+)" % served.port)
    assert 3000 <= int(state[1]) <= 3600
    assert follower.stat("udp_queries") >= 1
    with open("/proc/%d/cmdline" % follower.pid, "rb") as f:
        assert MIRAGE.secret.encode() not in f.read()
    follower.stop()
    served.stop()


def test_the_states_of_many_zones_are_cut(repo, primary, secondary):
    """The one with trouble is among them, though its name is the last one."""
    zones, key = ["z%03d.test" % i for i in range(510)], Key("any._transfer.")
    repo.commit({**{z: ZONE % 1 for z in zones}, "zz.test": ZONE % 1 + "".join("h%d A 192.0.2.1\n" % i for i in range(200)), "_keys": key.line})
    served = primary(repo, zones=zones[:1])
    follower = follow(secondary, [key], served, "--max-records=100")
    for zone in zones:
        follower.await_serial(zone, 1)
    follower.await_log(r"event=refresh-failed zone=zz\.test\. .*more than 100 records")
    assert follower.stat("zones", event="follow-stats") == 511
    follower.await_log(r"event=zone-states-cut logged=500 left_out=11 ")
    assert re.search(r"event=zone-state zone=zz\.test\. state=new ", follower.log())
    follower.stop()
    served.stop()


def test_what_octl_is_told(program, repo, primary, secondary):
    """Zones that are served, that have expired and that have not come; nothing is said of what nobody knows."""
    look = Key("me._status.")
    short = "$TTL 60\n@ SOA ns1 host 1 1 1 4 60\n@ NS ns1\nns1 A 127.0.0.1\n"
    keys = [Key("any._transfer.%s." % z) for z in ("here", "new", "old")] + [look]
    repo.commit({"here": ZONE % 7, "new": ZONE % 1 + "".join("h%d A 192.0.2.1\n" % i for i in range(200)), "old": short, "_keys": "".join(k.line for k in keys)})
    served = primary(repo, zones=["here", "new", "old"])
    follower = follow(secondary, keys, served, "--refresh-min=1", "--max-records=100")
    follower.await_serial("here", 7)
    follower.await_serial("old", 1)

    def octl(*args, status=1):
        return program("octl", "127.0.0.1", *args, "--port=%d" % follower.port, env={"ORIGIN_KEY": look.argument}, status=status)
    told = json.loads(octl("zones", "--json").stdout)["zones"]
    assert [(z["zone"], z["state"], z["serial"], z["file"]) for z in told] == [
        ("here", "served", 7, None), ("new", "new", None, None), ("old", "served", 1, None)]
    assert all((z["changed"] is not None) == (z["state"] == "served") for z in told)
    assert octl("zone", "here", status=0)
    served.stop()
    follower.await_log("event=zone-expired zone=old")
    status = json.loads(octl("status", "--json").stdout)["status"]
    assert (status["zones"], status["broken"], status["held"], status["commit"]) == (3, 2, 0, None)
    assert re.search(r"^old +- +- +expired", octl("status").stdout, re.M)
    assert "the key" not in octl("zone", "elsewhere").stdout
    for what in "secondaries", "updates":
        assert "%s: the server keeps no account of them" % what in octl(what).stderr
    assert "this server pulls nothing" in octl("pull", "--wait=60").stderr
    waiting = program("onotify", "127.0.0.1", "here", "--wait=60", "--port=%d" % follower.port, "--key=" + keys[0].argument, status=1)
    assert "this server pulls nothing" in waiting.stderr
    unknown = program("octl", "127.0.0.1", "status", "--port=%d" % follower.port, "--key=" + Key("no._status.").argument, status=1)
    assert "transfers no zone" not in follower.log()
    assert "(BADKEY)" in unknown.stderr and "a secondary has only the keys of its --keys" in unknown.stderr
    used = {k["key"]: k["used"] is not None for k in json.loads(octl("keys", "--json", status=0).stdout)["keys"]}
    assert used["me._status"] and not used["any._transfer.old"]
    follower.stop()


def test_secrets_do_not_stay_to_be_seen(bindir, tmp_path, started):
    port = servers.free_port()
    argv = [os.path.join(bindir, "osecondary"), "--listen=127.0.0.1@%d" % port, "--keys=" + MIRAGE.argument, "--primary=127.0.0.1@1"]
    process = started(servers.Process(argv, str(tmp_path), "osecondary", env=servers.sanitizer_env()))
    process.await_log("event=primary-unreachable")
    for name in "cmdline", "environ":
        with open("/proc/%d/%s" % (process.pid, name), "rb") as f:
            assert MIRAGE.secret.encode() not in f.read()
    assert process.end() == 0


@pytest.mark.parametrize("options, says", [
    ([], "--keys=KEY is missing"),
    (["--keys=mirage"], "NAME:ALGORITHM:SECRET"),
    (["--keys=" + OTHER.argument], "names no primary"),
    (["--keys=" + Key("who._notify.mirage.").argument], "no key may transfer a zone"),
    (["--keys=" + MIRAGE.argument, "--primary=here"], "--primary=here: not an IPv4 or IPv6 address; should be an address"),
    (["--keys=" + MIRAGE.argument, "--primary=127.0.0.1@0"], "the port is not a number from 1 to 65535"),
    (["--keys=" + MIRAGE.argument, "--primary=0.0.0.0"], "is every address of this machine"),
    (["--keys=" + MIRAGE.argument, "--refresh-min=10", "--refresh-max=9"], "--refresh-min is larger than --refresh-max"),
    (["--keys=" + MIRAGE.argument, "stray"], "unexpected argument"),
    (["--keys=" + MIRAGE.argument, "--state-dir="], "--state-dir=: should be a directory"),
    (["--keys=" + MIRAGE.argument, "--state-dir", "--listen=127.0.0.1"], "--state-dir=--listen=127.0.0.1: should be a directory"),
])
def test_wrong_usage(program, options, says):
    done = program("osecondary", *options, status=2)
    assert says in done.stderr and MIRAGE.secret not in done.stderr


def hidden(text, where):
    path = servers.write(str(where / "keys"), text)
    os.chmod(path, 0o600)
    return path


@pytest.mark.parametrize("form", ["lines", "bind"])
def test_keys_out_of_a_file(program, repo, primary, bindir, tmp_path, started, form):
    repo.commit({"mirage": ZONE % 1, "mirage._keys": MIRAGE.line})
    served = primary(repo, zones=["mirage"])
    text = {"lines": "# ours, and theirs\n %s # mine, too\r\n\n%s,\n" % (MIRAGE.argument, OTHER.argument),
            "bind": 'key "%s" { algorithm hmac-sha256; secret "%s"; };\n' % (MIRAGE.name, MIRAGE.secret)}[form]
    path = hidden(text, tmp_path)
    follower = started(servers.Secondary(bindir, str(tmp_path), [], "--keys-file=" + path, primaries=["127.0.0.1@%d" % served.port]))
    follower.await_serial("mirage", 1)
    follower.stop()
    served.stop()


SAME_NAME = Key(MIRAGE.name, b"a secret that the first one isnot")


@pytest.mark.parametrize("text, status, says", [
    ("", 2, "keys: there is no key in this file"),
    ("# nothing\n", 2, "keys: there is no key in this file"),
    ("\0\1\2", 1, "it is not text"),
    ("# %s\n" % ("x" * 10000000), 1, "it is longer than 64 KiB"),
    ("%s\n%s\n" % (MIRAGE.argument, SAME_NAME.argument), 2, ":2: key %s: it is there twice, with different secrets or algorithms" % MIRAGE.name),
    ("%s %s\n" % (MIRAGE.argument, ROOT.argument), 2, "something follows a key on its line"),
    ("# ours\n" + MIRAGE.argument[:-1] + "\n", 2, ":2: "),
    ("who.127.0.0.1._transfer.mirage:SHA3:%s\n" % MIRAGE.secret, 2, ""),
], ids=["empty", "comment", "binary", "large", "twice", "space", "cut", "algorithm"])
def test_keys_files_that_are_no_good(program, tmp_path, text, status, says):
    done = program("osecondary", "--keys-file=" + hidden(text, tmp_path), status=status)
    assert says in done.stderr and done.stderr.startswith("osecondary: error: ")
    for key in MIRAGE, SAME_NAME:
        assert key.secret[:-1] not in done.stderr


@pytest.mark.parametrize("origin", ["--keys", "ORIGIN_KEYS", "the systemd credential"])
def test_a_bad_key_is_said_to_be_where_it_is(program, tmp_path, origin):
    hidden("mirage", tmp_path)
    options = ["--keys=mirage"] if origin == "--keys" else []
    env = {"ORIGIN_KEYS": {origin: "mirage"}, "the systemd credential": {"CREDENTIALS_DIRECTORY": str(tmp_path)}}.get(origin, {})
    done = program("osecondary", *options, status=2, env=env)
    assert done.stderr.startswith("osecondary: error: %s: " % origin)
