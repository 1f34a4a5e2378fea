"""Bad input, item by item: what is wrong is said, with the place and what to do, and nothing is lost.

Each test here puts one kind of it to a primary that serves two zones, and asserts both halves: the answer or the line in the
log, and that what was served is served on, the process lives, and the next good commit is served.

    malformed packets              test_malformed_messages; every target of fuzz/ that takes octets from the network
    oversized and truncated        test_sizes
    compression loops, limits of labels and names
                                   test_names_and_pointers
    unknown opcodes and types      test_opcodes_types_and_classes, test_data_of_unknown_types
    every kind of syntax error     test_every_diagnostic_of_the_manual, test_more_that_is_no_zone,
                                   test_more_errors_than_anybody_reads, test_bad_keys
    an empty repository            test_an_empty_repository, test_everything_deleted
    an empty file, a binary file, a symlink, a submodule
                                   test_files_that_are_no_zones, test_files_whose_names_are_no_zones,
                                   test_two_files_of_one_zone, test_trees_that_git_would_not_make,
                                   test_a_bad_tree_stays_out_of_the_cache
    a missing branch               test_a_branch_that_is_not_there, test_a_branch_that_goes
    a force-pushed branch          test_a_forced_push
    a 100 MB file                  test_large_files
    $INCLUDE cycles and escapes    test_includes
    a remote that hangs, refuses, disappears in the middle of a fetch
                                   test_a_remote_that_fails, test_a_repository_that_is_damaged
    a remote whose host key changes
                                   test_a_changed_host_key
    a full disk                    test_a_full_disk, test_a_full_disk_at_the_start, test_a_log_on_a_full_disk; one that lacks something
                                   else: test_what_a_disk_lacks, …_at_the_start; test_too_many_open_files;
                                   of ozone: test_ozone.py
    a port that is taken           test_a_port_of_another_primary; of another program: test_oprimary_net.py

More of the same, with one of the halves: test_git_transports.py (each trouble over each transport, without DNS on the other end),
test_ozone.py, test_hooks.py (what never gets that far), test_oprimary_net.py (clients that read nothing, limits).
"""
import errno
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import struct

import dns.edns
import dns.message
import dns.opcode
import dns.rcode
import pytest

import disk
import manual
import packets
import processes
import remotes
import servers
from repository import git

ORG, OTHER = "example.org", "other.example"
SECRET = "kJJqipaQHQWqZL31Raar6uPnepGFIdtpjkXot9rv2xg="


def zone(serial=1, lines=""):
    return "$TTL 3600\n" + manual.SOA % serial + "@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.80\n" + lines


class Victim:
    """A primary that serves ORG and OTHER, and the repository that is made to hurt it."""

    def __init__(self, repo, start):
        self.repo, self.mark = repo, 0
        self.serial = self.pushed = 1
        repo.commit({ORG: zone(), OTHER: zone()})
        self.primary = start()
        self.port = self.primary.port

    def pull(self, change=lambda: None):
        """Makes the change and has it pulled.  A pull that is under way may find it by itself, so the mark is there before."""
        self.mark = len(self.primary.log())
        made = change()
        self.primary.hangup()
        return made

    def deal_with(self, make_commit):
        """Has the commit made and pulled, and waits until something has become of it."""
        commit = self.pull(make_commit)
        self.says("event=commit-(served|held|failed) commit=%s" % commit)
        return commit

    def harm(self, files=None, **more):
        return self.deal_with(lambda: self.repo.commit(files or {}, **more))

    def says(self, *patterns):
        """The log has a line for each since before the last change, or gets it."""
        for pattern in patterns:
            self.primary.await_log(pattern, after=self.mark)

    def news(self):
        return self.primary.log()[self.mark:]

    def serves(self, more=None):
        """Both zones are as they were last good ({other zone: serial} too), and the process lives."""
        serials = {ORG: self.serial, OTHER: self.serial, **(more or {})}
        assert {z: self.primary.serial(z) for z in serials} == serials, self.primary.log_tail()
        assert self.primary.ask("www." + ORG).answer[0][0].address == "192.0.2.80"
        assert self.primary.is_running()

    def push_good(self, files=None, **more):
        self.pushed += 1
        return self.repo.commit({ORG: zone(self.pushed), OTHER: zone(self.pushed), **(files or {})}, **more)

    def await_served(self):
        self.serial = self.pushed
        for z in (ORG, OTHER):
            self.primary.await_serial(z, self.serial)
        self.serves()

    def mend(self, files=None, **more):
        """The next good commit is served."""
        self.pull(lambda: self.push_good(files, **more))
        self.await_served()

    def mend_and_end(self, files=None, **more):
        self.mend(files, **more)
        self.primary.stop()


@pytest.fixture
def victim(repo, primary):
    """victim(option…) → a Victim of the repository in place, or of what else `remote` leads to; `files`: also in it."""
    def start(*options, remote=None, files=None, **more):
        repo.write(files or {})
        return Victim(repo, lambda: primary(remote or repo, *options, zones=[ORG, OTHER], **more))
    return start


# ---- messages ----------------------------------------------------------------

QUESTION = packets.header() + packets.question()
UDP_MAX = 1232
# What a sanitizer keeps of what was freed, and of stacks (gcc 14 does by itself), is not ours.
NOTHING_KEPT = ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0:detect_stack_use_after_return=0"
FORMERR, NOTIMP, REFUSED, NOTAUTH = (int(r) for r in (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED, dns.rcode.NOTAUTH))


def good_messages(key, port):
    """One of each kind, and an answer, to be harmed."""
    options = [dns.edns.GenericOption(code, data) for code, data in ((3, b""), (10, b"12345678"), (11, b""))]
    edns = dns.message.make_query("www.example.org", "A", use_edns=0, options=options)
    notify = dns.message.make_query("example.org", "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    apex = b"\7example\3org\0"
    update = packets.header(5, 0, (1, 0, 1, 0)) + packets.question(apex, packets.SOA) \
        + packets.record(b"\1a\xc0\x0c", packets.A, packets.IN, 60, b"\1\2\3\4")
    ixfr = packets.header(0, 0, (1, 0, 1, 0)) + packets.question(apex, 251) \
        + packets.record(b"\xc0\x0c", packets.SOA, packets.IN, 0, b"\0\0" + struct.pack("!5I", 1, 2, 3, 4, 5))
    answer = servers.ask(port, "example.org", "NS").to_wire()
    return [QUESTION, edns.to_wire(), key.sign(notify).to_wire(), update, ixfr, answer, packets.as_request(answer)]


def is_signed_like(message, notify):
    """Does the signature of a signed NOTIFY hold for this message too?  The case of names in a TSIG does not count."""
    at = packets.HEADER_LEN + len(b"\7example\3org\0") + 4
    key_len, rest, algorithm_len = len(b"\4test\7_notify\0"), 10, len(b"\13hmac-sha256\0")

    def plain(m):
        algorithm = at + key_len + rest
        return m[2:at] + m[at:at + key_len].lower() + m[at + key_len:algorithm] + m[algorithm:algorithm + algorithm_len].lower() \
            + m[algorithm + algorithm_len:]
    return plain(message) == plain(notify)


def put_all(port, tcp, messages):
    """(message, answer) of each.  Over TCP what is no message at all ends the connection, so it gets one of its own."""
    alone = [m for m in messages if tcp and len(m) < packets.HEADER_LEN]
    together = [m for m in messages if not tcp or len(m) >= packets.HEADER_LEN]
    line = packets.Line(port, tcp)
    yield from zip(together, line.put(together))
    line.close()
    for message in alone:
        line = packets.Line(port, tcp)
        line.send(message)
        assert line.is_closed_by_peer()
        line.close()
        yield message, None


def stats(victim):
    victim.mark = len(victim.primary.log())
    os.kill(victim.primary.pid, signal.SIGUSR1)
    victim.says("event=stats .* tcp_open=")
    return {name: int(n) for name, n in re.findall(r"(\w+)=(\d+)", victim.news().split("event=stats ", 1)[1].split("\n")[0])}


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_malformed_messages(victim, notify_key, tcp):
    v = victim(files={"_keys": notify_key.line}, env={"ASAN_OPTIONS": servers.sanitizer_env()["ASAN_OPTIONS"] + NOTHING_KEPT})
    good = good_messages(notify_key, v.port)
    messages = [m for seed, wire in enumerate(good) for m in packets.variations(wire, seed)] + list(packets.fillings())
    requests = [m for m in messages if len(m) >= packets.HEADER_LEN and not m[2] & 0x80]
    before = stats(v)
    for message, answer in put_all(v.port, tcp, messages):
        packets.check(message, answer, packets.MESSAGE_MAX if tcp else UDP_MAX)
    told = {name: n - before[name] for name, n in stats(v).items()}
    assert told["formerr"] > len(requests) // 4 and told["servfail"] == 0
    assert told["notify_accepted"] == sum(is_signed_like(m, good[2]) for m in requests)
    assert len(v.primary.log().splitlines()) < 200
    sizes = []
    for _ in range(3):
        assert sum(answer is not None for _, answer in put_all(v.port, tcp, messages)) == len(requests)
        sizes.append(processes.kib(v.primary.pid, "VmRSS"))
    assert sizes[-1] - sizes[0] < 512, sizes
    v.mend_and_end()


def test_sizes(victim, notify_key):
    """What is longer or shorter than it says, or than it may be."""
    v = victim(files={"_keys": notify_key.line})
    udp, tcp = packets.Line(v.port), packets.Line(v.port, tcp=True)
    for size in (4096, 4097, 65507):
        assert packets.rcode(udp.put([QUESTION + bytes(size - len(QUESTION))])[0]) == FORMERR
    assert stats(v)["oversized"] == 0
    assert packets.rcode(tcp.put([QUESTION + bytes(65535 - len(QUESTION))])[0]) == FORMERR
    padded = dns.message.make_query("www.example.org", "A", use_edns=0, options=[dns.edns.GenericOption(12, bytes(65000))])
    answer = dns.message.from_wire(tcp.put([padded.to_wire(max_size=65535)])[0])
    assert answer.rcode() == dns.rcode.NOERROR and answer.answer
    for announced, sent in ((65535, 100), (12, 11), (33, 0), (0, 0), (11, 11), (65535, 65534)):
        cut = packets.Line(v.port, tcp=True)
        cut.socket.sendall(struct.pack("!H", announced) + (QUESTION + bytes(sent))[:sent])
        cut.socket.shutdown(socket.SHUT_WR)
        assert cut.is_closed_by_peer(), (announced, sent)
        cut.close()
    half = packets.Line(v.port, tcp=True)
    half.socket.sendall(b"\0")
    assert tcp.put([QUESTION])[0] is not None, "who waits for octets holds up nobody"
    v.mend_and_end()


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_names_and_pointers(victim, tcp):
    v = victim()
    line = packets.Line(v.port, tcp)

    def rcodes(messages):
        return {what: packets.rcode(answer) for what, answer in zip(messages, line.put(list(messages.values())))}
    bad = {"as a question: " + what: packets.header() + packets.question(name) for what, name in packets.bad_names().items()}
    for section in range(1, 4):
        for what, record in packets.bad_owners().items():
            counts = [1, 0, 0, 0]
            counts[section] = 1 + (what == "ahead")
            bad["in section %d: %s" % (section, what)] = packets.header(counts=counts) + packets.question() + record
    assert {what: r for what, r in rcodes(bad).items() if r != FORMERR} == {}
    tail = b"\7example\3org\0"
    limits = {"255 octets": packets.name_of(255 - len(tail) + 1)[:-1] + tail, "a label of 63": b"\x3f" + b"x" * 63 + tail,
              "as many labels as there may be": b"\1x" * 121 + tail}
    assert set(rcodes({w: packets.header() + packets.question(n) for w, n in limits.items()}).values()) == {dns.rcode.NXDOMAIN}
    many = 4000 if tcp else 200
    woven, last = packets.woven_records(many)
    assert packets.rcode(line.put([packets.header(counts=(1, 0, 0, many)) + packets.question() + woven])[0]) == dns.rcode.NOERROR
    woven += packets.record(packets.pointer(last), packets.TSIG, packets.ANY, 0, b"")
    assert packets.rcode(line.put([packets.header(counts=(1, 0, 0, many + 1)) + packets.question() + woven])[0]) == FORMERR
    v.mend_and_end()


def test_opcodes_types_and_classes(victim):
    """All there could ever be."""
    v = victim()
    line = packets.Line(v.port, tcp=True)

    def rcodes(messages):
        return [packets.rcode(answer) for answer in line.put(messages)]
    soa = packets.question(b"\7example\3org\0", packets.SOA)
    assert rcodes([packets.header(opcode) + soa for opcode in range(16)]) == [0, NOTIMP, NOTIMP, NOTIMP, 0, REFUSED] + [NOTIMP] * 10
    assert rcodes([packets.header(opcode) for opcode in (0, 1, 4, 6, 15)]) == [FORMERR, NOTIMP, FORMERR, NOTIMP, NOTIMP]
    special = {0: FORMERR, 41: FORMERR, 250: FORMERR, 249: NOTIMP, 253: NOTIMP, 254: NOTIMP, 251: FORMERR, 252: NOTAUTH}  # www is no zone
    types = rcodes([packets.header() + packets.question(rdtype=t) for t in range(65536)])
    assert {t: r for t, r in enumerate(types) if r != special.get(t, 0)} == {}
    classes = rcodes([packets.header() + packets.question(rdclass=c) for c in range(0, 65536, 3)])
    assert set(classes) == {REFUSED}
    v.serves()
    v.primary.stop()


def test_data_of_unknown_types(victim):
    v = victim()
    v.harm({"types.example": zone(1, "t TYPE65280 \\# 4 0a000001\nu CLASS1 TYPE731 \\# 0\n")})
    v.serves({"types.example": 1})
    assert v.primary.ask("t.types.example", 65280).answer[0][0].data == b"\x0a\0\0\1"
    v.harm({"types.example": zone(2, "t TYPE65280 \\# 5 0a000001\nu TYPE65536 \\# 0\nw TYPE1 \\# 3 000000\n")})
    v.says("finding file=types.example line=6 column=[0-9]+ code=bad-rdata text=", "line=7 column=3 code=unknown-type text=.* hint=",
           "line=8 column=[0-9]+ code=bad-rdata text=")
    v.serves({"types.example": 1})
    v.mend_and_end({"types.example": zone(3)})


# ---- zones -------------------------------------------------------------------

def findings(log):
    """{(file, line or None, code)} of the log's findings."""
    return {(f, int(n) if n else None, code) for f, n, code in
            re.findall(r"event=finding file=(\S+)(?: line=(\d+) column=\d+)? code=(\S+) text=", log)}


def ozones_findings(program, repo):
    """The same of ozone; and the files that have errors."""
    told = json.loads(program("ozone", "--format=json", ".", cwd=repo.path, status=1).stdout)
    rows = [(d["file"], d["line"] or None, d["code"], d["level"]) for d in told["diagnostics"]]
    return {row[:3] for row in rows}, {row[0] for row in rows if row[3] == "error"}


def examples():
    """(section, code, zone, file, text) of the manual's examples, each for a zone of its own."""
    for section, code, example in manual.diagnostics():
        if example:
            name, file = code + ".example", manual.file_of(code).replace("example.com", code + ".example")
            text = manual.as_zone(code, example, 2) if file == name else example
            yield section, code, name, file, text.replace("example.com", name)


def test_every_diagnostic_of_the_manual(victim, program, repo):
    """What has errors is not served, what has warnings is, and ozone says the same."""
    rows = list(examples())
    good = {"_keys": "a._update.%s. DNSKEY 0 3 163 " + SECRET + "\n", "_secondaries": "ns9.%s. A 192.0.2.9\n"}
    beside = {file: good[file[len(name) + 1:]] % name for _, _, name, file, _ in rows if file != name}
    beside["_keys"] = "all._notify. DNSKEY 0 3 163 %s\n" % SECRET  # so that no key is the last
    v = victim(files={**{name: zone() for _, _, name, _, _ in rows}, **beside})
    commit = v.harm({file: text for _, _, _, file, text in rows})
    want, have_errors = ozones_findings(program, repo)
    assert findings(v.news()) == want
    for section, code, name, file, _ in rows:
        assert code in {c for f, _, c in want if f == file}, code
        assert file != name or (file in have_errors) == section.startswith("Errors"), code
        if file in have_errors:
            v.says("event=(zone|keys|secondaries)-rejected file=%s commit=%s errors=[1-9]" % (re.escape(file), commit))
        else:
            v.says("event=(zone-changed zone=%s|(keys|secondaries)-loaded file=%s)" % (re.escape(name), re.escape(file)))
    v.serves({name: 1 for _, _, name, file, _ in rows if file in have_errors})
    v.mend({name: zone(3) for _, _, name, file, _ in rows if file == name})
    assert {v.primary.serial(name) for _, _, name, file, _ in rows if file == name} == {3}
    v.primary.stop()


MORE = {  # what: (lines after a good zone's, code, line from there on; None: whichever)
    "a quote over the line's end": ('a TXT "open\nb TXT "shut"\n', "bad-syntax", 1),
    "a parenthesis to the end of the file": ("a TXT ( x\n" + "".join("b%d A 192.0.2.1\n" % i for i in range(1000)), "bad-syntax", 1),
    "a parenthesis too many": ("a A 192.0.2.1 )\n", "bad-syntax", 1),
    "an escape cut short": ("a\\", "bad-owner", 1),
    "an escape too large": ("a\\256 A 192.0.2.1\n", "bad-owner", 1),
    "a label of 64": ("x" * 64 + " A 192.0.2.1\n", "bad-owner", 1),
    "a name of 256": (".".join(["x" * 63] * 3 + ["x" * 62]) + ". A 192.0.2.1\n", "bad-owner", 1),
    "a merge that was not finished": ("<<<<<<< HEAD\na A 192.0.2.1\n=======\na A 192.0.2.2\n>>>>>>> other\n", "unknown-type", 1),
    "a web page": ("<!DOCTYPE html>\n<html>\n", "unknown-type", 1),
    "a line of a million octets": ("a TXT " + "x" * 1000000 + "\n", "bad-rdata", 1),
    "a serial of 33 bits": ("@ SOA ns1 hostmaster 4294967296 1 1 1 1\n", "bad-rdata", 1),
    "101 errors": ("a A nowhere\n" * 101, "too-many-errors", 101),
    "65,536 addresses": ("".join("a A 10.0.%d.%d\n" % divmod(i, 256) for i in range(65536)), "rrset-too-large", 1),
    "names without end": ("".join("x." * 100 + "%d A 192.0.2.1\n" % i for i in range(40)), "too-many-empty-names", None),
}


def test_more_that_is_no_zone(victim, program, repo):
    names = {what: re.sub(r"\W+", "-", what) + ".example" for what in MORE}
    v = victim(files={name: zone() for name in names.values()})
    v.harm({names[what]: zone(2, text) for what, (text, _, _) in MORE.items()})
    want, have_errors = ozones_findings(program, repo)
    assert findings(v.news()) == want and have_errors == set(names.values())
    for what, (_, code, line) in MORE.items():
        place = "line=%s column=[0-9]+" % (5 + line if line else "[0-9]+")
        v.says("finding file=%s %s code=%s text=.*%s" % (re.escape(names[what]), place, code, "conflict mark of git" if "merge" in what else ""),
               "zone-rejected file=%s commit=[0-9a-f]+ errors=[1-9].* serving=last-good serial=1" % re.escape(names[what]))
    v.serves({name: 1 for name in names.values()})
    v.mend_and_end({name: zone(3) for name in names.values()})


def test_more_errors_than_anybody_reads(victim):
    """The log has an end, and says how much it leaves out."""
    v = victim(files={"z%d.example" % i: zone() for i in range(700)})
    v.harm({"z%d.example" % i: zone(2, "a A nowhere\n") for i in range(700)})
    v.says("event=commit-served .* rejected=700", "event=lines-suppressed commit=[0-9a-f]+ lines=400")
    assert v.news().count("\n") < 1010
    v.serves({"z%d.example" % i: 1 for i in range(0, 700, 99)})
    v.mend({"z699.example": zone(3)})
    assert v.primary.serial("z699.example") == 3
    v.primary.stop()


def test_bad_keys(victim, notify, notify_key, make_key):
    """Whatever becomes of the file, the last good keys hold."""
    v = victim(files={"_keys": notify_key.line})
    refused = {"broken": notify_key.line + "a._notify. DNSKEY 0 3 163 !\n", "binary": b"\0" * 100, "a zone": zone(),
               "another algorithm": notify_key.line.replace(" 163 ", " 13 "),
               "two secrets": notify_key.line + make_key(notify_key.name, b"another").line}
    for what, text in refused.items():
        commit = v.harm({"_keys": text})
        v.says("event=keys-rejected file=_keys commit=%s" % commit)
        assert notify_key.secret not in v.primary.log(), what
        assert notify(v.port, ORG, notify_key).rcode() == dns.rcode.NOERROR, what
        v.says("event=notify-accepted .* key=test._notify.")
    v.serves()
    other = make_key("other._notify.")
    v.mend({"_keys": other.line})
    assert notify(v.port, ORG, other).rcode() == dns.rcode.NOERROR
    answer = packets.Line(v.port).put([notify_key.sign(dns.message.make_query(ORG, "SOA")).to_wire()])[0]
    assert packets.rcode(answer) == NOTAUTH
    v.primary.stop()


def test_files_that_are_ignored(victim):
    """By their names, by what .originignore says, and by what it says from now on, of files that stay as they are."""
    v = victim(files={"notes.yaml": "a: b\n", "zone.example.bak": zone(), "deploy.sh": "#!/bin/sh\n", "x.tmpl": "rubbish\n", "y.tmpl": zone(),
                      "0%2F26.example": zone(), ".originignore": "*.tmpl\n"})
    v.says("event=commit-served .* zones=3 loaded=3 .* rejected=0 ")
    v.serves({"0/26.example": 1})
    v.harm({"b\u00fccher.example": zone()})
    v.says("event=zone-rejected file=.*not ASCII.*xn--bcher-kva.example")
    v.harm({"b\u00fccher.example": None, "xn--bcher-kva.example": zone(), ".originignore": "x.*\n0%2F26.*\n"})
    v.says("event=zone-removed file=0%2F26.example", "event=zone-loaded zone=y.tmpl.", "event=commit-served .* rejected=0 ")
    v.serves({"y.tmpl": 1, "xn--bcher-kva.example": 1})
    v.mend_and_end()


def test_one_bad_key(victim, notify, notify_key, make_key):
    """It costs that key alone, also after a restart; each line is named, and no word of it is shown."""
    other, secret = make_key("other._notify."), make_key("third._notify.", b"another").secret
    bad = ["third._notify. DNSKEY 0 3 163 ! %s", "third._notify. %s", "third._notify. DNSKEY %s 0 3 163", "%s third._notify. DNSKEY 0 3 163",
           "%s DNSKEY 0 3 163 third", "%s DNSKEY 0 3 13 AAAA", "third._notify.%s A 192.0.2.1", "%s", "$TTL %s", "$INCLUDE", '"%s',
           "third._notify. DNSKEY 0 3 163 ( %s"]
    text = "".join(line.replace("%s", secret) + "\n" for line in bad)
    v = victim(files={"_keys": notify_key.line + text + other.line})
    v.says(*("event=finding file=_keys line=%d " % (i + 2) for i in range(len(bad) - 1)))
    v.says("event=keys-rejected file=_keys commit=[0-9a-f]+ errors=[0-9]+ text=.*the other keys of the file are good", "event=keys-loaded")
    for key in (notify_key, other):
        assert notify(v.port, ORG, key).rcode() == dns.rcode.NOERROR
        v.says("event=notify-accepted .* key=%s" % re.escape(key.name))
    assert secret[:8].lower() not in v.primary.log().lower()
    v.harm({"_keys": notify_key.line})
    assert "keys-rejected" not in v.news()
    v.mend_and_end()


def test_includes(victim, program, repo):
    """In circles, too deep, too many, out of the repository, or of what is no file."""
    asked = {  # what the zone includes: (code, the file and line that is blamed, words)
        "../outside": ("include-refused", None, "leads out of the repository"),
        "/etc/passwd": ("include-refused", None, "leads out of the repository"),
        "sub/../../outside": ("include-refused", None, "leads out of the repository"),
        "sub/link": ("include-refused", None, "a link or a submodule, not a file.* hint="),
        "sub/dirlink/passwd": ("include-not-found", None, "not found.* hint=.*relative to the file"),
        "sub": ("include-refused", None, "is a directory"),
        "module": ("include-refused", None, "a submodule, not a file"),
        "none": ("include-not-found", None, "not found.* hint="),
        ".git/config": ("include-refused", None, "leads out of the repository"),
        "sub/ping": ("include-cycle", "sub/pong line=1", "sub/ping includes itself.* hint="),
        "sub/self": ("include-cycle", "sub/self line=1", "sub/self includes itself.* hint="),
        "sub/1": ("include-depth", "sub/8 line=1", "more than 8 deep.* hint="),
        "sub/binary": ("bad-syntax", "sub/binary line=1", "octet 0"),
        "sub/wrong": ("bad-rdata", "sub/wrong line=2", "IPv4"),
        "sub/many": ("include-limit", "sub/many line=10000", "more than 10000 includes.* hint="),
    }
    files = {"sub/ping": "$INCLUDE pong\n", "sub/pong": "$INCLUDE ping\n", "sub/self": "$INCLUDE self\n", "sub/binary": b"a\0b",
             "sub/wrong": "a A 192.0.2.1\nb A 192.0.2\n", "sub/many": "$INCLUDE empty\n" * 10000, "sub/empty": "",
             "sub/9": "a A 192.0.2.1\n"}
    files.update({"sub/%d" % i: "$INCLUDE %d\n" % (i + 1) for i in range(1, 9)})
    zones = {path: re.sub(r"\W+", "-", path).strip("-") + ".example" for path in asked}
    v = victim(files={**files, **{name: zone() for name in zones.values()}})
    git(repo.path, "update-index", "--add", "--cacheinfo", "160000,%s,module" % repo.head())
    os.mkdir(os.path.join(repo.path, "module"))
    os.symlink("/etc/passwd", os.path.join(repo.path, "sub", "link"))
    os.symlink("/etc", os.path.join(repo.path, "sub", "dirlink"))
    commit = v.harm({zones[path]: zone(2, "$INCLUDE %s\n" % path) for path in asked})
    for path, (code, place, words) in asked.items():
        v.says("event=finding file=%s column=[0-9]+ code=%s text=.*%s" % (place or zones[path] + " line=6", code, words),
               "event=zone-rejected file=%s commit=%s errors=1 serving=last-good serial=1" % (zones[path], commit))
    assert "root:" not in v.news()
    assert findings(v.news()) == ozones_findings(program, repo)[0]
    v.serves({name: 1 for name in zones.values()})
    v.mend({name: zone(3, "$INCLUDE sub/9\n") for name in zones.values()})
    assert {v.primary.serial(name) for name in zones.values()} == {3}
    v.primary.stop()


# ---- the tree ----------------------------------------------------------------

def be_symlink(path):
    os.symlink("/etc/passwd", path)


def be_submodule(path):
    """As a clone has it that was made without --recurse-submodules."""
    repo, name = os.path.split(path)
    os.mkdir(path)
    git(repo, "update-index", "--add", "--cacheinfo", "160000,%s,%s" % (git(repo, "rev-parse", "HEAD"), name))


def be_made_of(octets):
    def make(path):
        with open(path, "wb") as f:
            f.write(octets)
    return make


NO_ZONES = {
    "empty": (be_made_of(b""), "errors=2"),
    "binary": (be_made_of(b"\x7fELF\0\1"), "errors=0 text=.*binary, no text; keep files that are not zones in a directory"),
    "UTF-16": (be_made_of(zone().encode("utf-16")), "errors=0 text=.*binary, no text"),
    "a symlink": (be_symlink, "errors=0 text=.*symbolic link; a zone must be a file of its own"),
    "a submodule": (be_submodule, "errors=0 text=.*submodule; a zone must be a file of its own"),
}


@pytest.mark.parametrize("what", NO_ZONES)
def test_files_that_are_no_zones(victim, repo, what):
    """As a new file, and where a zone was."""
    v = victim()
    make, text = NO_ZONES[what]
    make(os.path.join(repo.path, "new.example"))
    git(repo.path, "rm", "-q", ORG)
    make(os.path.join(repo.path, ORG))
    commit = v.harm()
    v.says("event=zone-rejected file=new.example commit=%s %s" % (commit, text),
           "event=zone-rejected file=%s commit=%s %s.* serving=last-good serial=1" % (ORG, commit, text))
    if what == "empty":
        v.says("event=finding file=%s code=no-soa text=.* hint=\"every zone begins with one" % ORG)
    assert v.primary.ask("new.example", "SOA").rcode() == dns.rcode.REFUSED
    v.serves()
    git(repo.path, "rm", "-q", "--cached", "-r", ORG, "new.example")
    for name in (ORG, "new.example"):
        path = os.path.join(repo.path, name)
        (shutil.rmtree if os.path.isdir(path) and not os.path.islink(path) else os.unlink)(path)
    v.mend()
    assert "new.example" not in v.news(), "what never was a zone goes without a word"
    v.primary.stop()


def test_files_whose_names_are_no_zones(victim):
    v = victim()
    names = ["a..b", "x" * 64, ".".join(["x" * 62] * 4) + ".xx", "forged..line\n2026-01-01T00:00:00.000Z info event=ready",
             "\x1b[31mred..alert"]
    commit = v.harm({name: zone() for name in names})
    assert "\x1b" not in v.news() and "\n2026-01-01" not in v.news()
    for name in (*(re.escape(name) for name in names[:3]), '"forged..line.n2026.*"', '".x1B.31mred..alert"'):
        v.says("event=zone-rejected file=%s commit=%s .*not a domain name; name it like its zone, or" % (name, commit))
    v.serves()
    v.mend({name: None for name in names})
    assert "event=zone-rejected" not in v.news()
    v.primary.stop()


def test_two_files_of_one_zone(victim):
    """The first one stays; when it goes the other has its place."""
    v = victim()
    commit = v.harm({"EXAMPLE.org": zone(7)})
    v.says("event=zone-rejected file=EXAMPLE.org commit=%s .*served already, from the file example.org" % commit)
    v.serves()
    v.harm({ORG: None})
    assert v.primary.serial(ORG) == 7
    v.mend_and_end({"EXAMPLE.org": None})


def test_trees_that_git_would_not_make(victim, repo):
    """Whoever may push may make one: a file twice, out of order, with names that are none, of objects that are not there."""
    v = victim()
    blob, empty = git(repo.bare, "rev-parse", "main:" + ORG), git(repo.bare, "hash-object", "-w", "-t", "tree", "/dev/null")
    file = "100644"
    refused = [
        ([(file, ORG, blob), (file, ORG, blob), (file, OTHER, blob)], "the directory / is malformed: example.org is there twice.* fsck"),
        ([(file, OTHER, blob), (file, ORG, blob)], "the directory / is malformed: example.org is .*not in its place -- .* fsck"),
        ([(file, ORG, blob), (file, OTHER, "0123456789" * 4)], "cannot read other.example: .* -- .*fsck"),
        ([(file, ORG, empty), (file, OTHER, blob)], "example.org is not a file.* -- .*fsck"),
        ([("9", ORG, blob), (file, OTHER, blob)], "cannot read commit .* -- .*fsck"),
    ]
    for entries, text in refused:
        v.pull(lambda entries=entries: repo.commit_entries_in_remote(entries))
        v.says("event=pull-failed text=\"%s.* serving=last-good" % text)
        v.serves()
    names = [(file, name, blob) for name in (".", "..", ".git", "a/b", ORG, OTHER)]
    v.deal_with(lambda: repo.commit_entries_in_remote(names))
    v.serves()
    v.mend_and_end(force=True)


def test_a_bad_tree_stays_out_of_the_cache(victim, repo, primary, daemon, tmp_path):
    """What cannot be served now is not what is served at the next start, when the remote is away."""
    cache = "--cache-dir=%s" % (tmp_path / "cache")
    v = victim(cache, remote=daemon.url("zones.git"))
    v.mend()
    blob = git(repo.bare, "rev-parse", "main:" + ORG)
    repo.commit_entries_in_remote([("100644", OTHER, blob), ("100644", ORG, blob)])
    for _ in range(2):  # the second time whatever was to be done after the first is done
        v.pull()
        v.says("event=pull-failed text=\"the directory / is malformed")
    v.serves()
    v.primary.stop()
    daemon.kill()
    v.primary = primary(daemon.url("zones.git"), cache, zones=[ORG, OTHER])
    v.serves()
    v.primary.stop()


def test_large_files(victim, repo, tmp_path):
    """100 MB in place of a zone: nothing, one word, and no end of errors."""
    v = victim()
    path = str(tmp_path / "large")
    large = {  # octets, and as many zeros as make it so large: what is said
        (b"", 100_000_000): "zone-rejected file=example.org .*binary",
        (b"x" * 100_000_000, 0): "finding file=example.org line=1 column=1 code=bad-owner",
        (b"rubbish and nothing else\n" * 4_000_000, 0): "finding file=example.org line=[0-9]+ column=[0-9]+ code=too-many-errors",
    }
    for (content, size), text in large.items():
        with open(path, "wb") as f:
            f.write(content)
            f.truncate(size or len(content))
        commit = v.deal_with(lambda: repo.commit_file_in_remote(ORG, path))
        v.says(text, "zone-rejected file=example.org commit=%s .* serving=last-good serial=1" % commit)
        assert v.news().count("\n") < 150
        v.serves()
    v.mend_and_end(force=True)


# ---- the branch --------------------------------------------------------------

def test_an_empty_repository(repo, primary):
    """It says so, answers that it is not ready, and finds the first push without being told."""
    p = primary(repo)
    p.await_log("event=pull-failed text=.*zones.git is empty: it has no branch yet -- commit the zones and push them; the primary tries "
                "again by itself.* retry_s=1")
    assert p.ask(ORG, "SOA").rcode() == dns.rcode.SERVFAIL
    repo.commit({ORG: zone()})
    p.await_serial(ORG, 1)
    p.stop()


def test_a_branch_that_is_not_there(repo, primary):
    repo.commit({ORG: zone()})
    p = primary(repo.url + "#production")
    p.await_log("event=pull-failed text=.*has no branch production; it has: main -- name one of them with --remote=URL#BRANCH, or push "
                "production")
    assert p.ask(ORG, "SOA").rcode() == dns.rcode.SERVFAIL
    git(repo.path, "push", "-q", "origin", "main:production")
    p.await_serial(ORG, 1)
    p.stop()


def test_a_branch_that_goes(victim, repo):
    v = victim()
    git(repo.bare, "branch", "renamed", "main")
    v.pull(lambda: git(repo.bare, "update-ref", "-d", "refs/heads/main"))
    v.says("event=pull-failed text=.*has no branch main; it has: renamed -- .* serving=last-good")
    v.serves()
    v.pull(lambda: git(repo.bare, "update-ref", "-d", "refs/heads/renamed"))
    v.says("event=pull-failed text=.*is empty: it has no branch yet -- .* serving=last-good")
    v.serves()
    v.mend_and_end()


def test_everything_deleted(victim):
    """A tree without a file needs the trailer; until then all is served, and what else is in the commits is too."""
    v = victim()
    commit = v.harm({ORG: None, OTHER: None, "new.example": zone()})
    v.says("event=commit-served commit=%s .* held=2 .*hint=.*Origin-Allow: mass-delete" % commit,
           "event=zone-held file=%s .*2 of 2 zones would be removed.*Origin-Allow: mass-delete.* serving=last-good serial=1" % ORG)
    v.serves({"new.example": 1})
    commit = v.harm({"new.example": zone(2)})
    v.says("warning event=commit-served commit=%s .* held=2 " % commit)
    v.serves({"new.example": 2})
    v.mend()
    assert " held=0 " in v.news()
    v.harm({ORG: None, OTHER: None}, message="End of it\n\nOrigin-Allow: mass-delete\n")
    v.says("event=zone-removed file=%s" % ORG, "event=zone-removed file=%s" % OTHER)
    assert v.primary.ask(ORG, "SOA").rcode() == dns.rcode.REFUSED
    v.mend_and_end()


def test_what_is_held_is_let_go_by_a_later_trailer(victim, repo, primary):
    """An empty commit will do; and so does a restart: nothing was served before, and the tree is taken as it is."""
    v = victim(files={"large.example": zone(1, "".join("h%d A 192.0.2.9\n" % i for i in range(200)))})
    v.harm({"large.example": zone(2), ORG: zone(2)})
    v.says("event=zone-held file=large.example .*201 of the zone's 204 records would be removed.*serving=last-good serial=1")
    assert (v.primary.serial(ORG), v.primary.serial("large.example")) == (2, 1)
    v.harm(message="Meant\n\nOrigin-Allow: mass-delete\n")
    v.says("event=zone-changed zone=large.example. serial=2 old_serial=1", "event=commit-served .* held=0 ")
    v.harm({ORG: None, OTHER: None})
    v.says("event=commit-served .* held=2 ")
    v.primary.stop()
    again = primary(repo, zones=["large.example"])
    assert [again.serial(z) for z in (ORG, OTHER, "large.example")] == [None, None, 2]


def test_a_forced_push(victim, repo):
    """Back to an older commit, to one of another history, and to one that would lose most of it all."""
    v = victim()
    first = repo.head()
    v.mend()

    def go_back():
        git(repo.path, "reset", "-q", "--hard", first)
        git(repo.path, "push", "-q", "-f", "origin", "HEAD:main")
        return first
    v.deal_with(go_back)
    v.says("event=zone-serial-back zone=%s. serial=1 old_serial=2 newest_serial=2 .*write 3 or newer" % re.escape(ORG))
    v.serial = 1
    v.serves()
    git(repo.path, "checkout", "-q", "--orphan", "other")
    os.unlink(os.path.join(repo.path, OTHER))
    v.harm({ORG: zone(5)}, force=True)
    v.says("event=zone-removed file=%s" % OTHER)
    assert (v.primary.serial(ORG), v.primary.serial(OTHER)) == (5, None)
    for command in (["reflog", "expire", "--expire=now", "--all"], ["gc", "-q", "--prune=now"]):
        git(repo.bare, *command)
    git(repo.path, "checkout", "-q", "--orphan", "third")
    os.unlink(os.path.join(repo.path, ORG))
    commit = v.harm(force=True)
    v.says("event=commit-served commit=%s .* held=1 .*Origin-Allow" % commit)
    assert v.primary.serial(ORG) == 5
    v.pushed = 5
    v.mend_and_end(force=True)


# ---- the remote --------------------------------------------------------------

def test_a_remote_that_fails(victim, daemon, relay, started):
    """Each time: what it says, what is served meanwhile, and that the push made meanwhile is found without being told of."""
    silent, stranger = started(remotes.Silent()), started(remotes.Silent(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    v = victim("--fetch-timeout=2", remote=relay.url("zones.git"))

    def trouble(text, files=None):
        v.pull(lambda: v.push_good(files))
        v.says("event=pull-failed text=\"%s.* serving=last-good retry_s=1" % text)
        v.serves()

    relay.kill()
    trouble("cannot connect to git://.*zones.git.*[Cc]onnection refused.* -- ")
    relay = started(remotes.Breaking(daemon.port, port=relay.port))
    v.await_served()

    for port, text in ((silent.port, "the fetch made no progress for 2 s -- the remote hangs"),
                       (stranger.port, "cannot connect to git://.*zones.git: .* -- ")):
        relay.to = port
        trouble(text)
        relay.to = daemon.port
        v.await_served()

    for limit, text in ((3, "cannot connect to git://.* -- "), (100, "cannot connect to git://.* -- "),
                        (700, "the fetch from git://.* broke off: .* -- "), (40000, "the fetch from git://.* broke off: .* -- ")):
        hosts = "".join("h%d TXT %s\n" % (i, hashlib.sha256(b"%d %d" % (limit, i)).hexdigest()) for i in range(2000))
        relay.limit = limit
        trouble(text, {"many-%d.example" % limit: zone(1, hosts)})
        relay.limit = None
        v.primary.hangup()  # there is no need to wait each time
        v.await_served()
    v.mend_and_end()


def test_a_repository_that_is_damaged(victim, repo):
    """In place: moved away, and with an object that is cut off, as a crash leaves it."""
    v = victim()

    def push_and_move_away():
        v.push_good()
        os.rename(repo.bare, repo.bare + ".away")
    v.pull(push_and_move_away)
    v.says("event=pull-failed text=\"cannot open the repository .*zones.git.* -- is the path right, and may this user read it.* retry_s=1")
    v.serves()
    os.rename(repo.bare + ".away", repo.bare)
    v.await_served()

    def push_and_cut_off():
        v.push_good()
        blob = git(repo.path, "rev-parse", "HEAD:" + ORG)
        path = os.path.join(repo.bare, "objects", blob[:2], blob[2:])
        os.rename(path, path + ".good")
        with open(path, "w"):
            pass
        return path
    path = v.pull(push_and_cut_off)
    v.says("event=pull-failed text=\"cannot read %s.* -- .*git.* fsck.* retry_s=" % ORG)
    v.serves()
    os.rename(path + ".good", path)
    v.await_served()
    v.mend_and_end()


def test_a_changed_host_key(victim, repo, tmp_path, started, need, program):
    need("sshd", "ssh-keygen")
    told = program("okeygen", "ssh", status=0).stdout
    sshd = started(remotes.Sshd(str(tmp_path), authorize=[re.search(r"ssh-ed25519 \S+ \S+", told).group()]))
    was = sshd.fingerprint()
    v = victim("--ssh-key=" + re.search(r"ed25519:\S+", told).group(), "--authenticator=" + was, remote=sshd.url("zones.git"))
    sshd.new_host_key()
    v.pull(v.push_good)
    v.says("event=pull-failed text=.*showed another key than --authenticator says: it has %s .*we expect %s -- somebody may be in between; "
           ".*ssh-keyscan -p %d .* serving=last-good retry_s=1" % (re.escape(sshd.fingerprint()), re.escape(was), sshd.port))
    v.serves()
    sshd.old_host_key()
    v.await_served()
    v.mend_and_end()


# ---- the machine -------------------------------------------------------------

@pytest.mark.parametrize("kind", disk.kinds(), ids=lambda k: k.__name__.lower())
def test_a_full_disk(victim, repo, daemon, tmp_path, kind):
    """Commits are served from memory, the clone follows when there is room; meanwhile it is tried less and less often."""
    small = kind(str(tmp_path))
    cache = os.path.join(small.path, "cache")
    v = victim("--cache-dir=" + cache, *small.options, remote=daemon.url("zones.git"), wrapper=small.wrapper, env=small.env)
    small.fill(v.primary)
    v.pull(v.push_good)
    for seconds in (1, 2, 4):
        v.says("event=pull-failed text=\"the new commit is served, but cannot be written to %s/.*No space left on device -- the disk "
               "is full.* retry_s=%d" % (cache, seconds))
    v.await_served()
    small.make_room(v.primary)
    v.mend()
    refs = os.path.join(small.seen_by(v.primary), "cache", "clone.git", "refs", "origin")

    def kept():
        with open(os.path.join(refs, min(os.listdir(refs)))) as f:  # beside it there may be its lock
            return f.read().strip()
    servers.await_true("the clone has it", lambda: kept() == repo.head())
    v.primary.stop()


@pytest.mark.parametrize("kind", disk.kinds(), ids=lambda k: k.__name__.lower())
def test_a_full_disk_at_the_start(repo, primary, daemon, tmp_path, started, kind):
    """The clone cannot be made, and then can."""
    small, port = kind(str(tmp_path)), servers.free_port()
    repo.commit({ORG: zone()})
    cache = os.path.join(small.path, "cache")
    p = primary("git://%s:%d/zones.git" % (servers.ADDRESS, port), "--cache-dir=" + cache, *small.options, wrapper=small.wrapper, env=small.env)
    p.await_log("event=pull-failed text=\"cannot connect to")
    small.fill(p)
    started(remotes.Breaking(daemon.port, port=port))
    p.await_log("event=pull-failed text=\"the fetch from .* broke off: .*%s.*No space left on device -- .*full: make room" % cache)
    assert p.ask(ORG, "SOA").rcode() == dns.rcode.SERVFAIL
    small.make_room(p)
    p.await_serial(ORG, 1)
    p.stop()


SHORTAGES = {errno.ENOSPC: "the disk is full: make room", errno.EDQUOT: "our share of the disk is used up", errno.EIO: "the disk fails",
             errno.EROFS: "the file system is read-only", errno.ENOMEM: "the system is out of memory"}


@pytest.mark.parametrize("number", SHORTAGES, ids=lambda n: errno.errorcode[n])
def test_what_a_disk_lacks(victim, daemon, tmp_path, number):
    """It is said what it is, where, and what to do; and the clone is not taken for damaged."""
    small = disk.Preloaded(str(tmp_path)).is_wrong_with(number)
    cache = os.path.join(small.path, "cache")
    v = victim("--cache-dir=" + cache, *small.options, remote=daemon.url("zones.git"), wrapper=small.wrapper, env=small.env)
    before = os.stat(os.path.join(cache, "clone.git")).st_ino
    small.fill(v.primary)
    v.pull(v.push_good)
    v.says("event=pull-failed text=\".*%s.*%s.* -- %s" % (cache, os.strerror(number), SHORTAGES[number]))
    v.await_served()
    small.make_room(v.primary)
    v.mend()
    assert os.stat(os.path.join(cache, "clone.git")).st_ino == before
    assert "not found" not in v.primary.log()
    v.primary.stop()


@pytest.mark.parametrize("number", SHORTAGES, ids=lambda n: errno.errorcode[n])
def test_what_a_disk_lacks_at_the_start(repo, primary, daemon, tmp_path, started, number):
    small, port = disk.Preloaded(str(tmp_path)).is_wrong_with(number), servers.free_port()
    repo.commit({ORG: zone()})
    cache = os.path.join(small.path, "cache")
    small.fill(None)
    p = primary(daemon.url("zones.git"), "--cache-dir=" + cache, *small.options, wrapper=small.wrapper, env=small.env)
    p.await_log("event=pull-failed text=\".*%s.*%s.* -- %s" % (small.path, os.strerror(number), SHORTAGES[number]))
    small.make_room(p)
    p.await_serial(ORG, 1)
    p.stop()


def test_too_many_open_files(victim, daemon, tmp_path):
    """Of the processes that fetch."""
    v = victim("--cache-dir=%s" % (tmp_path / "cache"), remote=daemon.url("zones.git"))
    before = os.stat(tmp_path / "cache" / "clone.git").st_ino
    git_process = processes.named(v.primary, "oprimary-git")
    for pid in servers.descendants(git_process):
        os.kill(pid, signal.SIGKILL)
    servers.await_true("they are gone", lambda: not servers.descendants(git_process))
    most = max(map(int, os.listdir("/proc/%d/fd" % git_process)))
    limits = resource.prlimit(git_process, resource.RLIMIT_NOFILE)
    resource.prlimit(git_process, resource.RLIMIT_NOFILE, (most + 1, limits[1]))
    v.pull(v.push_good)
    v.says("event=pull-failed text=\".*Too many open files.* -- too many files are open: raise LimitNOFILE=")
    resource.prlimit(git_process, resource.RLIMIT_NOFILE, limits)
    v.mend()
    assert os.stat(tmp_path / "cache" / "clone.git").st_ino == before
    v.primary.stop()


def test_a_log_on_a_full_disk(victim, repo):
    """No line of it can be written, and all is served."""
    v = victim(wrapper=["sh", "-c", 'exec "$0" "$@" 2>/dev/full'])
    v.pull(lambda: repo.commit({ORG: "no zone"}))
    v.serves()
    v.mend_and_end()


def test_a_port_of_another_primary(victim, repo, program):
    v = victim()
    listen = "--listen=%s@%d" % (servers.ADDRESS, v.port)
    done = program("oprimary", "--remote=" + repo.url, listen, status=1)
    assert re.search("event=start-failed stage=listeners text=.*%s@%d.*Address already in use.* hint=.*another program has this port"
                     % (re.escape(servers.ADDRESS), v.port), done.stderr), done.stderr
    for _ in range(20):  # from many ports: whoever shared them would get some
        v.serves()
    v.mend_and_end()
