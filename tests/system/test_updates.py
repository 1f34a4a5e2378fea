"""Dynamic updates with the clients that people have: nsupdate, knsupdate, dnspython, certbot's plugin; and what becomes of them in git."""
import inspect
import os
import re
import socket
import subprocess
import time

import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.tsig
import pytest

import servers
from repository import git, write_hook
from updates import ZONE, add, addresses, extended_error, mac, ring, send, send_octets, update_of, with_edns


@pytest.fixture
def key(make_key):
    return make_key("me._update.example")


@pytest.fixture
def served(primary, repo, key):
    repo.commit({"example": ZONE, "_keys": key.line, "README": "not a zone\n"})
    return primary(repo, zones=["example"])


def nsupdate(served, key, script, *options, check=True):
    """Runs nsupdate with the commands of a script; returns what it printed."""
    how = ["-y", "hmac-%s:%s:%s" % (key.algorithm.lower(), key.name, key.secret)] if key else []
    text = "server %s %d\n%s\nsend\n" % (servers.ADDRESS, served.port, script)
    done = subprocess.run(["nsupdate", *how, *options], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


# ---- clients ----

@pytest.mark.parametrize("options", [[], ["-v"]], ids=["udp", "tcp"])
def test_nsupdate(served, key, remote, need, options):
    need("nsupdate")
    nsupdate(served, key, "zone example\nprereq nxdomain new.example\nupdate add new.example 60 A 192.0.2.99", *options)
    assert addresses(served, "new.example") == ["192.0.2.99"]
    assert served.serial("example") == 8
    assert remote.diff() == ["-             7       ; serial", "+             8       ; serial", "+new  60 A    192.0.2.99"]
    out = nsupdate(served, key, "zone example\nprereq nxdomain new.example\nupdate add new.example 60 A 192.0.2.98", *options, check=False)
    assert "YXDOMAIN" in out
    assert served.serial("example") == 8


def test_nsupdate_finds_the_zone_and_reads_a_key_file(served, key, remote, tmp_path, need):
    """Without "zone" nsupdate asks for the SOA first; -k takes the key as named.conf has it."""
    need("nsupdate")
    path = tmp_path / "key.conf"
    path.write_text('key "%s" { algorithm hmac-sha256; secret "%s"; };\n' % (key.name, key.secret))
    nsupdate(served, None, "update delete www.example A\nupdate add www.example 300 A 192.0.2.82", "-k", str(path))
    assert addresses(served, "www.example") == ["192.0.2.82"]
    assert remote.commits() == 2


def test_nsupdate_step_by_step(served, key, need):
    """Several sends in one session, with answers shown."""
    need("nsupdate")
    out = nsupdate(served, key, "zone example\nupdate add a.example 60 TXT one\nsend\nupdate add a.example 60 TXT two\nshow\nsend\nanswer\n"
                   "prereq yxrrset a.example TXT one\nprereq yxrrset a.example TXT two\nupdate delete a.example TXT one")
    assert "NOERROR" in out
    assert [str(r) for r in served.ask("a.example", "TXT").answer[0]] == ['"two"']


def test_knsupdate(served, key, need):
    need("knsupdate")
    text = "server %s %d\nzone example.\norigin example.\nttl 60\nkey hmac-sha256:%s %s\nadd k 60 A 192.0.2.44\ndel mail\nsend\nquit\n" % (
        servers.ADDRESS, served.port, key.name, key.secret)
    done = subprocess.run(["knsupdate", "-v"], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert "error" not in (done.stdout + done.stderr).lower(), done.stdout + done.stderr
    assert addresses(served, "k.example") == ["192.0.2.44"]
    assert served.ask("mail.example", "MX").rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize("options", [[], ["--tcp"]], ids=["udp", "tcp"])
def test_oupdate(served, key, remote, program, options):
    """Ours: an address of each kind, any records, conditions."""
    def oupdate(*args, status=0):
        return program("oupdate", servers.ADDRESS, *args, "--port=%d" % served.port, *options, status=status,
                       env={"ORIGIN_KEY": key.argument})

    def diff():
        return [" ".join(line.split()) for line in remote.diff()[2:]]  # without the serial
    done = oupdate("laptop.example", "192.0.2.7", "2001:db8::7")
    assert done.stdout == ("laptop.example: A 192.0.2.7, TTL 60: in the zone, signed\n"
                           "laptop.example: AAAA 2001:db8::7, TTL 60: in the zone, signed\n")
    assert diff() == ["+laptop 60 A 192.0.2.7", "+ 60 AAAA 2001:db8::7"]
    oupdate("laptop.example", "192.0.2.8", "--if-exists=laptop.example A 192.0.2.7", "--delete=mail.example",
            "--add=mail.example 1h MX 5 mx.example")
    assert addresses(served, "laptop.example") == ["192.0.2.8"]
    assert diff() == ["-mail MX 10 mx", "+mail MX 5 mx", "-laptop 60 A 192.0.2.7", "+laptop 60 A 192.0.2.8"]
    refused = oupdate("--delete=www.example", "--if-absent=laptop.example", status=1)
    assert "YXDOMAIN" in refused.stderr
    assert remote.commits() == 3


@pytest.mark.parametrize("tcp", [False, True])
def test_dnspython(served, key, tcp):
    update = update_of(key)
    update.present("www", "A")
    update.replace("www", 120, "A", "192.0.2.90")
    update.add("_sip._tcp", 60, "SRV", "1 2 5060 www")
    answer = send(served, update, tcp=tcp)
    assert answer.rcode() == dns.rcode.NOERROR and answer.had_tsig
    assert answer.opcode() == dns.opcode.UPDATE and answer.id == update.id
    assert addresses(served, "www.example") == ["192.0.2.90"]


def test_certbot(served, key, need):
    """The plugin's own client, as certbot drives it: two challenges at one name, then one goes, then the other."""
    make = pytest.importorskip("certbot_dns_rfc2136._internal.dns_rfc2136")._RFC2136Client
    signs = {"sign_query": True} if "sign_query" in inspect.signature(make).parameters else {}  # from certbot 3 on
    client = make(servers.ADDRESS, served.port, key.name, key.secret, dns.tsig.HMAC_SHA256, **signs)
    name = "_acme-challenge.www.example"

    def texts():
        return sorted(str(r) for s in served.ask(name, "TXT").answer for r in s)
    client.add_txt_record(name, "first", 120)
    client.add_txt_record(name, "second", 120)
    assert texts() == ['"first"', '"second"']
    client.del_txt_record(name, "first")
    assert texts() == ['"second"']
    client.del_txt_record(name, "second")
    assert served.ask(name, "TXT").rcode() == dns.rcode.NXDOMAIN


def test_acme_with_nsupdate(served, key, need):
    """What acme.sh and dehydrated give to nsupdate, and what lego sends: an RRset removed and inserted anew."""
    need("nsupdate")
    nsupdate(served, key, 'update add _acme-challenge.example. 60 in txt "one"')
    nsupdate(served, key, 'update add _acme-challenge.example. 60 in txt "two"')
    assert len(served.ask("_acme-challenge.example", "TXT").answer[0]) == 2
    nsupdate(served, key, 'update delete _acme-challenge.example. 60 in txt "one"')
    assert len(served.ask("_acme-challenge.example", "TXT").answer[0]) == 1
    update = update_of(key)
    update.delete("_acme-challenge", "TXT")
    update.add("_acme-challenge", 120, "TXT", '"three"')
    assert send(served, update).rcode() == dns.rcode.NOERROR
    assert [str(r) for r in served.ask("_acme-challenge.example", "TXT").answer[0]] == ['"three"']


# ---- what it looks like in git ----

def test_the_commit(served, key, remote):
    before = remote.text().split("\n")
    update = update_of(key)
    update.delete("www", "A", "192.0.2.81")
    update.add("www", 3600, "A", "192.0.2.82")
    update.add("ftp", 3600, "CNAME", "www")
    assert send(served, update).rcode() == dns.rcode.NOERROR
    after = remote.text().split("\n")
    assert remote.diff() == [
        "-             7       ; serial", "+             8       ; serial",
        "+ftp     CNAME www",
        "-        A    192.0.2.81", "+        A    192.0.2.82",
    ]
    assert [line for line in before if line.strip().startswith(";")] == [line for line in after if line.strip().startswith(";")]
    assert remote.log("-1", "--format=%s") == "example: 2 records added, 1 removed"
    assert "Origin-Update: example by me._update.example from 127.0.0.1" in remote.log("-1", "--format=%B")
    assert git(remote.repo.bare, "show", remote.repo.branch + ":README") == "not a zone"  # nothing else is touched


def test_committer(primary, repo, key, remote):
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(repo, "--committer=Our zones <hostmaster@example.org>", zones=["example"])
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    assert remote.log("-1", "--format=%an %ae, %cn %ce") == "Our zones hostmaster@example.org, Our zones hostmaster@example.org"


def test_without_effect_no_commit(served, key, remote):
    update = update_of(key)
    update.add("www", 3600, "A", "192.0.2.80")
    update.delete("nothing", "TXT")
    assert send(served, update).rcode() == dns.rcode.NOERROR
    assert remote.commits() == 1 and served.serial("example") == 7


def test_persons_and_updates(served, key, remote, repo, notify, make_key):
    """A person edits between two updates, and has not pulled: git tells him, as it would of a colleague."""
    assert send(served, add(key, "one", "192.0.2.101")).rcode() == dns.rcode.NOERROR
    git(repo.path, "pull", "-q", "--rebase", "origin", repo.branch)
    repo.commit({"example": repo.read("example").replace("8       ; serial", "20      ; serial").replace("front", "the front")})
    assert send(served, add(key, "two", "192.0.2.102")).rcode() == dns.rcode.NOERROR  # nobody has notified: it finds out by itself
    assert served.serial("example") == 21
    assert "; the front" in remote.text() and addresses(served, "one.example") == ["192.0.2.101"]
    git(repo.path, "pull", "-q", "--rebase", "origin", repo.branch)


# ---- when something is wrong ----

def test_broken_in_git(served, key, remote, repo, notify):
    repo.commit({"example": ZONE.replace("; serial", "; serial\nnonsense").replace("7 ", "9 ")})
    served.hangup()
    served.await_log("event=zone-rejected")
    answer = send(served, with_edns(add(key, "x", "192.0.2.9")))
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert "errors" in extended_error(answer)[1]
    assert remote.commits() == 2
    repo.commit({"example": ZONE.replace("7 ", "10 ")})
    served.hangup()
    served.await_serial("example", 10)
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR


def test_held_back(served, key, remote, repo, notify):
    """An update of a zone that is held back is told why, one of another zone goes its way, and neither lets anything go."""
    repo.commit({"second.example": ZONE, "large.example": ZONE + "".join("h%d A 192.0.2.9\n" % i for i in range(200))})
    served.hangup()
    served.await_serial("large.example", 7)
    repo.commit({"second.example": None, "example": None, "large.example": ZONE.replace("7 ", "9 ")})
    served.hangup()
    served.await_log("event=zone-held file=large.example")
    for zone, why in (("example", "removed"), ("large.example", "lost most")):
        answer = send(served, with_edns(add(key, "x", "192.0.2.9", zone=zone)))
        assert answer.rcode() == dns.rcode.SERVFAIL
        assert "held back" in extended_error(answer)[1] and why in extended_error(answer)[1]
        assert "Origin-Allow: mass-delete" in extended_error(answer)[1]
    repo.commit({"third.example": ZONE})
    served.hangup()
    served.await_serial("third.example", 7)
    assert send(served, add(key, "x", "192.0.2.9", zone="third.example")).rcode() == dns.rcode.NOERROR
    update = update_of(key, "third.example")
    for i in range(200):
        update.add("h%d" % i, 60, "A", "192.0.2.9")
    assert send(served, update).rcode() == dns.rcode.NOERROR
    update = update_of(key, "third.example")
    for i in range(200):
        update.delete("h%d" % i)
    assert send(served, update).rcode() == dns.rcode.NOERROR
    assert "Origin-Allow: mass-delete" in remote.log("-1", "--format=%B")
    assert [served.serial(z) for z in ("example", "second.example", "large.example")] == [7, 7, 7]
    git(repo.path, "pull", "-q", "--rebase", "origin", repo.branch)
    repo.commit({"example": ZONE.replace("7 ", "9 ")})
    served.hangup()
    served.await_serial("example", 9)
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    assert served.serial("second.example") == 7


def test_a_zone_whose_name_no_file_can_have(primary, repo, make_key, remote, program):
    """RFC 2317: an update makes it, a push changes it, another update changes that, and ozone reads the same name."""
    key = make_key("me._update.192.in-addr.arpa")
    origin, path = "0/26.2.0.192.in-addr.arpa", "0%2F26.2.0.192.in-addr.arpa"
    repo.commit({"192.in-addr.arpa": ZONE, "_keys": key.line})
    served = primary(repo, "--zones-by-update", zones=["192.in-addr.arpa"])
    update = update_of(key, "192.in-addr.arpa")
    for rdtype, text in (("SOA", "ns1.example. h.example. 1 7200 900 1209600 300"), ("NS", "ns1.example.")):
        update.add(origin + ".", 3600, rdtype, text)
    assert send(served, update).rcode() == dns.rcode.NOERROR
    assert served.serial(origin) == 1
    git(repo.path, "pull", "-q", "--rebase", "origin", repo.branch)
    assert "successfully" in program("ozone", repo.path).stdout
    repo.commit({path: repo.read(path).replace(" 1 ", " 5 ", 1) + "1 3600 PTR a.example.\n"})
    served.hangup()
    served.await_serial(origin, 5)
    update = update_of(key, origin)
    update.add("2", 3600, "PTR", "b.example.")
    assert send(served, update).rcode() == dns.rcode.NOERROR
    assert served.ask("2." + origin, "PTR").answer and served.ask("1." + origin, "PTR").answer
    assert "b.example." in remote.text(path)


def test_hook_says_no(primary, repo, key, remote):
    repo.commit({"example": ZONE, "_keys": key.line})
    write_hook(repo, "pre-receive", "echo 'not on Fridays' >&2\nexit 1\n")
    served = primary(repo, zones=["example"])
    answer = send(served, with_edns(add(key, "x", "192.0.2.9")))
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert "a hook or a rule there forbids it" in extended_error(answer)[1]
    served.await_log("event=push-failed .*not on Fridays")
    assert remote.commits() == 1 and served.serial("example") == 7
    assert served.ask("x.example").rcode() == dns.rcode.NXDOMAIN
    os.unlink(os.path.join(repo.bare, "hooks", "pre-receive"))
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR


def test_a_key_of_one_domain_is_told_in_general(primary, repo, key, make_key):
    """Neither where the repository is, nor a hook's words; the log has both, and a key for all names is told."""
    everybody = make_key("all._update")
    repo.commit({"example": ZONE, "_keys": key.line + everybody.line})
    write_hook(repo, "pre-receive", "echo 'not on Fridays' >&2\nexit 1\n")
    served = primary(repo, zones=["example"])

    def told(key):
        answer = send(served, with_edns(add(key, "x", "192.0.2.9")))
        assert answer.rcode() == dns.rcode.SERVFAIL
        return extended_error(answer)[1]
    assert told(key) == "not written to the repository: a hook or a rule there forbids it; the server's log says why"
    served.await_log("event=push-failed .*not on Fridays")
    served.await_log("event=update-refused .*key=me._update.example.* why=.*not on Fridays")
    assert "not on Fridays" in told(everybody)
    os.rename(repo.bare, repo.bare + ".old")
    assert told(key) == "not written to the repository: it cannot be reached or written; the server's log says why"
    assert repo.bare in told(everybody)


def test_oupdate_tells_why(primary, repo, make_key, remote, program):
    """What the git server said reaches whoever asked for the change, with a key for all names."""
    key = make_key("all._update")
    repo.commit({"example": ZONE, "_keys": key.line})
    write_hook(repo, "pre-receive", "echo 'not on Fridays' >&2\nexit 1\n")
    served = primary(repo, zones=["example"])
    done = program("oupdate", servers.ADDRESS, key.argument, "x.example", "192.0.2.9", "--zone=example", "--port=%d" % served.port,
                   status=1)
    assert "SERVFAIL" in done.stderr and "not on Fridays" in done.stderr
    assert remote.commits() == 1


def test_not_ready(primary, repo, key, tmp_path):
    """Before anything is loaded nobody knows which keys are good: that is no BADKEY, after which clients give up."""
    served = primary("file://%s/nowhere.git" % tmp_path)
    served.await_log("event=pull-failed .* serving=nothing")
    answer = send(served, with_edns(add(None, "x", "192.0.2.9")))
    assert answer.rcode() == dns.rcode.REFUSED  # unsigned
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        s.sendto(with_edns(add(key, "x", "192.0.2.9")).to_wire(), (servers.ADDRESS, served.port))
        answer = dns.message.from_wire(s.recv(65535))
    assert answer.rcode() == dns.rcode.SERVFAIL and extended_error(answer)[0] == 14 and not answer.had_tsig


def test_repository_moved_away(served, key, repo):
    os.rename(repo.bare, repo.bare + ".old")
    answer = send(served, with_edns(add(key, "x", "192.0.2.9")))
    assert answer.rcode() == dns.rcode.SERVFAIL and "the repository cannot be reached; the server's log" in extended_error(answer)[1]
    served.await_log("event=pull-failed .*No such file")
    os.rename(repo.bare + ".old", repo.bare)
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR


def test_asked_again_while_the_push_is_under_way(primary, repo, key, remote, program, tmp_path):
    """A client that repeats its octets while the first are at work is answered once it is done, and has one commit."""
    repo.commit({"example": ZONE, "_keys": key.line})
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    write_hook(repo, "pre-receive", "read answer <%s\n" % gate)  # until somebody writes
    served = primary(repo, zones=["example"])
    wire = add(key, "x", "192.0.2.9").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(30)
        s.connect((servers.ADDRESS, served.port))
        for _ in range(3):
            s.send(wire)
        with open(gate, "w") as f:  # opened once the hook reads, that is: in the middle of the push
            s.send(wire)
            f.write("go\n")
        answer = s.recv(65535)
        assert dns.message.from_wire(answer, keyring=ring(key), request_mac=mac(wire, key)).rcode() == dns.rcode.NOERROR
    assert addresses(served, "x.example") == ["192.0.2.9"]
    served.stop()
    assert remote.commits() == 2


def test_own_push_comes_back_as_notify(primary, repo, key, remote, make_key, bindir, tmp_path):
    """A post-receive hook notifies whoever pushed, us too: no loop."""
    teller = make_key("hook._notify.")
    repo.commit({"example": ZONE, "_keys": key.line + teller.line})
    port = servers.free_port()
    (tmp_path / "hook.key").write_text(teller.argument + "\n")
    (tmp_path / "hook.key").chmod(0o600)
    write_hook(repo, "post-receive", "exec %s/onotify %s example --port=%d --key-file=%s/hook.key\n" % (
        bindir, servers.ADDRESS, port, tmp_path))
    served = primary(repo, zones=["example"], port=port)
    assert send(served, add(key, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    served.await_log("event=notify-accepted")
    served.await_log('event=pulled .*text="nothing new"')
    assert remote.commits() == 2


def test_repeated_and_replayed(served, key, remote):
    """The same octets again are not carried out twice, whoever sends them; the answer is the first one's."""
    wire = add(key, "x", "192.0.2.9").to_wire()
    first = send_octets(served, wire)
    assert dns.message.from_wire(first, keyring=ring(key), request_mac=mac(wire, key)).rcode() == dns.rcode.NOERROR
    update = update_of(key)
    update.delete("x")
    assert send(served, update).rcode() == dns.rcode.NOERROR
    again = send_octets(served, wire)
    assert again[3] & 15 == 0
    assert served.ask("x.example").rcode() == dns.rcode.NXDOMAIN
    assert remote.commits() == 3


def test_bad_signatures(served, key, make_key, remote):
    stranger, liar = make_key("stranger._update.example"), make_key(key.name, secret=b"another secret of 32 octets.....")
    for who, error in ((stranger, dns.tsig.PeerBadKey), (liar, dns.tsig.PeerBadSignature)):
        with pytest.raises(error):
            send(served, add(who, "x", "192.0.2.9"))
    unsigned = update_of(None)
    unsigned.add("x", 60, "A", "192.0.2.9")
    assert send(served, unsigned).rcode() == dns.rcode.REFUSED
    served.await_log(r"event=update-denied from=\S+ transport=tcp zone=example\. why=\"the request is not signed\"")
    assert remote.commits() == 1


def test_clock_skew(served, key):
    """BADTIME, signed, with the server's time (RFC 8945 5.2.3)."""
    update = add(key, "x", "192.0.2.9")
    real, time.time = time.time, lambda: real() - 4000
    try:
        wire = update.to_wire()
    finally:
        time.time = real
    answer = send_octets(served, wire)
    assert answer[3] & 15 == dns.rcode.NOTAUTH
    # What stands at the end: MAC, original ID, error 18, other data of 6 octets with the time
    assert answer[-10:-8] == bytes([0, 18]) and answer[-8:-6] == bytes([0, 6])
    assert abs(int.from_bytes(answer[-6:], "big") - real()) < 60


# ---- who may what ----

RIGHTS = ("status", "notify", "transfer", "update")


def key_table(make_key):
    """Keys of each right, for every zone, for one, for one below it, and for another."""
    domains = ("", "example", "sub.example", "other")
    return {(right, domain): make_key("k._%s.%s" % (right, domain)) for right in RIGHTS for domain in domains}


def may(right, domain, operation, zone):
    is_within = domain == "" or zone == domain or zone.endswith("." + domain)
    return is_within and RIGHTS.index(right) >= RIGHTS.index(operation)


@pytest.fixture
def table(primary, repo, make_key):
    keys = key_table(make_key)
    small = "$TTL 60\n@ SOA ns.example. host.example. 1 1h 1h 1h 1h\n@ NS ns.other.\nns A 192.0.2.1\n"
    # NAME._keys holds those for NAME and below, _keys those for every zone.
    repo.commit({"example": small, "sub.example": small, "other": small,
                 "_keys": "".join(k.line for (_, d), k in keys.items() if d == ""),
                 "example._keys": "".join(k.line for (_, d), k in keys.items() if d.endswith("example")),
                 "other._keys": "".join(k.line for (_, d), k in keys.items() if d == "other")})
    return primary(repo, zones=["example", "sub.example", "other"]), keys


@pytest.mark.parametrize("operation", RIGHTS[1:])
@pytest.mark.parametrize("zone", ["example", "sub.example", "other"])
def test_table_of_rights(table, operation, zone, notify):
    served, keys = table
    for (right, domain), key in keys.items():
        if operation == "notify":
            answer = notify(served.port, zone, key)
        elif operation == "transfer":
            query = key.sign(dns.message.make_query(zone, "AXFR"))
            answer = dns.query.tcp(query, servers.ADDRESS, port=served.port, timeout=10)
        else:
            answer = send(served, update_in(key, zone, right + domain.replace(".", "-")))
        want = dns.rcode.NOERROR if may(right, domain, operation, zone) else dns.rcode.REFUSED
        assert answer.rcode() == want, (right, domain, operation, zone)


def update_in(key, zone, name):
    update = update_of(key, zone)
    update.add("n-" + name, 60, "A", "192.0.2.7")
    return update


def test_keys_come_and_go_with_commits(served, key, repo, make_key, notify):
    second = make_key("second._update.example", secret=b"the key that takes over, 32 oct.")
    with pytest.raises(dns.tsig.PeerBadKey):
        send(served, add(second, "x", "192.0.2.9"))
    repo.commit({"_keys": key.line + second.line})  # both, for a while
    served.hangup()
    served.await_log(r"event=keys-loaded file=_keys commit=\S+ records=2")
    assert send(served, add(second, "x", "192.0.2.9")).rcode() == dns.rcode.NOERROR
    git(repo.path, "pull", "-q", "--rebase", "origin", repo.branch)
    commit = repo.commit({"_keys": second.line})
    served.hangup()
    served.await_log("event=keys-loaded file=_keys commit=%s records=1" % commit)
    with pytest.raises(dns.tsig.PeerBadKey):
        send(served, add(key, "y", "192.0.2.9"))
    assert dns.query.tcp(dns.message.make_query("_keys", "DNSKEY"), servers.ADDRESS, port=served.port).rcode() == dns.rcode.REFUSED


# ---- zones that come and go; serials ----

def test_a_zone_is_not_destroyed(served, key, remote, need):
    """RFC 2136 3.4.2.3, 3.4.2.4: what deletes the SOA, or the last NS, is passed over, and the rest is done."""
    need("nsupdate")
    soa = "example SOA ns1.example. hostmaster.example. %d 86400 7200 2419200 3600"
    newer = "update add %s\nupdate delete %s" % (soa.replace(" SOA", " 3600 SOA") % 20, soa % 20)
    for serial, script in ((7, "update delete " + soa % 7), (7, "update delete " + soa % 6), (20, newer), (20, "update delete example SOA"),
                           (21, "update delete example SOA\nupdate add a.example 60 TXT a"),
                           (22, "update delete example\nupdate delete example NS\nupdate add b.example 60 TXT b")):
        nsupdate(served, key, "zone example\n" + script)
        assert served.serial("example") == serial, script
    assert remote.commits() == 4
    assert len(served.ask("example", "NS").answer[0]) == 2 and addresses(served, "www.example") == ["192.0.2.80", "192.0.2.81"]
    out = nsupdate(served, key, "zone lab.example\nupdate add lab.example 3600 SOA ns1.example. host.example. 1 3600 600 86400 300\n"
                   "update add lab.example 3600 NS ns1.example.", check=False)
    assert "NOTAUTH" in out and served.serial("lab.example") is None


def test_a_zone_is_made_and_removed(primary, repo, key, remote, need):
    need("nsupdate")
    repo.commit({"example": ZONE, "_keys": key.line})
    served = primary(repo, "--zones-by-update", zones=["example"])
    nsupdate(served, key, "zone lab.example\nupdate add lab.example 3600 SOA ns1.example. host.example. 1 3600 600 86400 300\n"
             "update add lab.example 3600 NS ns1.example.\nupdate add host.lab.example 60 A 192.0.2.77")
    assert served.serial("lab.example") == 1
    assert remote.text("lab.example").startswith("$ORIGIN lab.example.\n")
    assert remote.log("-1", "--format=%s") == "lab.example: new zone"
    nsupdate(served, key, "zone lab.example\nupdate add x.lab.example 60 A 192.0.2.78")
    assert served.serial("lab.example") == 2
    soa = "update delete lab.example SOA ns1.example. host.example. %d 3600 600 86400 300"
    for passed_over in ("update delete lab.example SOA", soa % 1, soa % 3, soa % 2 + "\n" + soa % 2):
        nsupdate(served, key, "zone lab.example\n" + passed_over)
        assert served.serial("lab.example") == 2, passed_over
    nsupdate(served, key, "zone lab.example\n" + soa % 2)
    assert served.serial("lab.example") is None
    assert "lab.example" not in git(remote.repo.bare, "ls-tree", "--name-only", remote.repo.branch).split("\n")
    assert re.fullmatch("lab.example: remove the zone\n\nlab.example, 4 records, is removed.\n\n"
                        "Origin-Update: lab.example by me._update.example from 127.0.0.1\n"
                        r"Origin-Signed: me._update.example \d+", remote.log("-1", "--format=%B"))
    last = update_of(key)
    last.delete("@", "SOA", "ns1 hostmaster 7 86400 7200 2419200 3600")
    answer = send(served, with_edns(last))
    assert answer.rcode() == dns.rcode.REFUSED and "too many of the zones" in extended_error(answer)[1]
    assert served.serial("example") == 7


@pytest.mark.parametrize("policy", ["keep", "increment", "unixtime"])
def test_serial_policies(primary, repo, key, remote, policy, notify_key, notify):
    repo.commit({"example": ZONE, "_keys": notify_key.line})
    served = primary(repo, "--serial=" + policy, zones=["example"])
    repo.commit({"example": ZONE.replace("192.0.2.25", "192.0.2.26")})
    notify(served.port, "example", notify_key)
    served.await_true("the change is served", lambda: addresses(served, "mx.example") == ["192.0.2.26"])
    if policy == "keep":
        served.await_log("event=zone-serial-stuck")
        assert served.serial("example") == 7 and remote.commits() == 2
        return
    served.await_true("another serial", lambda: served.serial("example") != 7)
    serial = served.serial("example")
    assert serial == 8 if policy == "increment" else abs(serial - time.time()) < 600
    assert remote.commits() == 3
    before, after = remote.diff()
    assert before == "-             7       ; serial" and after.split() == ["+", str(serial), ";", "serial"]
    assert after.index(";") == before.index(";")  # the comment keeps its column
    assert remote.log("-1", "--format=%s") == "example: serial %d" % serial


# ---- records outside of the zone ----

FOREIGN = """@ 3600 SOA ns1 hostmaster 7 2h 15m 2w 5m
@ NS ns1
ns1 A 192.0.2.1
ns.elsewhere.test. A 198.51.100.1 ; glue that nobody needs
 600 AAAA 2001:db8:1::1
www A 192.0.2.80
www.other.test. A 198.51.100.80
"""


def test_a_file_with_records_that_are_dropped(primary, repo, key, remote):
    """They stay in the file, whatever an update does around them; the record behind one keeps the TTL that it had from it."""
    repo.commit({"example": FOREIGN, "_keys": key.line})
    served = primary(repo, "--out-of-zone=drop", zones=["example"])
    update = update_of(key)
    update.replace("ns1", 300, "A", "192.0.2.2")
    update.add("zzz", 60, "TXT", "at the end")
    update.add("www", 600, "A", "192.0.2.81")
    assert send(served, update).rcode() == dns.rcode.NOERROR
    assert addresses(served, "www.example") == ["192.0.2.80", "192.0.2.81"]
    assert served.ask("www.example", "A").answer[0].ttl == 600
    assert [line for line in remote.diff() if ".test." in line] == []
    assert served.ask("www.other.test", "A").rcode() == dns.rcode.REFUSED
    served.stop()
    assert served.log().count("code=out-of-zone") == 3
