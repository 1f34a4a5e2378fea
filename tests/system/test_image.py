"""Images under QEMU (origin-image(7)): from git over a primary's machine and a secondary's to the answer, with an update, and a restart of either;
a clock that is wrong at the start, credentials, a disk; and command lines that are wrong."""
import gzip
import os
import re
import subprocess
import time

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

import machines
import remotes
import servers
from machines import US, US_SIX, Machine
from repository import Repo
from scripted import Script
from time_server import TimeServer
from tsig_key import Key
from updates import update_of

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BOOT_LIMIT_S = machines.START_LIMIT_S
KERNELS = os.path.join(ROOT, os.environ.get("BUILD", "build"), "image")
PRIMARY, SECONDARY, SECONDARY_SIX = "10.0.42.2", "10.0.42.3", "fd00:42::3"
ZONE = """$ORIGIN example.
$TTL 300
@	SOA	ns1	hostmaster	1	3600	60	86400	60
@	NS	ns1
@	NS	ns2
ns1	A	10.0.42.2
ns2	A	10.0.42.3
"""
PERSONAL = Key("personal._update.example")
TRANSFER = Key("10.0.42.2.10.0.42.3._transfer.example", b"another secret of thirty-two oct")


def build(where, bindir, *arguments):
    """The images, of the programs as they are installed: without sanitizers."""
    plain = os.environ.get("ORIGIN_PLAIN_BINDIR") or bindir
    kernels = [f for f in (os.listdir(KERNELS) if os.path.isdir(KERNELS) else []) if f.endswith(".deb")]
    if not kernels:
        pytest.skip("no kernel: contrib/image/fetch-kernel " + KERNELS)
    kernel = max((os.path.join(KERNELS, f) for f in kernels), key=os.path.getmtime)
    done = subprocess.run([os.path.join(ROOT, "contrib/image/build"), "--bindir=" + plain, "--kernel=" + kernel, "--out=" + where, *arguments],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return where


@pytest.fixture(scope="module")
def images(bindir, need, port_53, tmp_path_factory):
    need("qemu-system-x86_64", "git", "ip")
    return build(str(tmp_path_factory.mktemp("images")), bindir, "oprimary", "osecondary")


@pytest.fixture(scope="module", autouse=True)
def network(images):
    with machines.network():
        yield


@pytest.fixture
def machine(images, tmp_path, started):
    def start(program, address, *words, **more):
        return started(Machine(images, str(tmp_path), program, address, *words, **more))
    return start


def credential(where, name, text):
    """Options of QEMU."""
    return ["-fw_cfg", "name=opt/io.systemd.credentials/%s,file=%s" % (name, servers.write(os.path.join(where, name), text))]


class Fleet:
    """A repository, a primary's machine, and a secondary's."""

    def __init__(self, machine, where, started):
        self.machine, self.where, self.started, self.repo = machine, where, started, Repo(where)
        self.repo.commit({"example": ZONE, "example._keys": PERSONAL.line + TRANSFER.line})
        self.daemon = self.primary = self.secondary = None

    def begin_primary(self, *words, **more):
        self.primary = self.machine("oprimary", PRIMARY, "--ipv4=%s/24" % PRIMARY, "--ipv4-gateway=" + US, *words, kind="q35", **more)

    def begin_primary_of_daemon(self):
        self.daemon = self.daemon or self.started(remotes.Daemon(self.where, address=US))
        self.begin_primary("--remote=" + self.daemon.url("zones.git"))

    def begin_primary_of_sshd(self, public_key):
        """The host is known by its name; the key is a credential."""
        sshd = self.started(remotes.Sshd(self.where, authorize=[public_key], address=US))
        self.started(Script(address_of_git, US, port=53))
        self.begin_primary("--remote=" + sshd.url("zones.git", "git.test"), "--authenticator=" + sshd.fingerprint(), "--name-server=" + US,
                           more=credential(self.where, "ssh-key", remotes.KEY))

    def begin_secondary(self):
        """Its key is a credential, and its clock believes that it is 2001."""
        self.secondary = self.machine("osecondary", SECONDARY, "--ipv4=%s/24" % SECONDARY, "--ipv6=%s/64" % SECONDARY_SIX,
                                      "--ipv6-gateway=" + US_SIX, "--hostname=ns2", "--time-server=" + US, kind="microvm",
                                      more=[*credential(self.where, "keys", TRANSFER.argument + "\n"), "-rtc", "base=2001-01-01"])

    def await_serial(self, serial):
        self.primary.await_serial("example", serial)
        self.secondary.await_serial("example", serial)

    def update(self, name, address):
        update = update_of(PERSONAL)
        update.add(name, 60, "A", address)
        answer = dns.query.tcp(update, PRIMARY, timeout=60)
        assert answer.rcode() == dns.rcode.NOERROR, answer


def address_of_git(wire, transport):
    """What a resolver says."""
    question = dns.message.from_wire(wire)
    answer = dns.message.make_response(question, recursion_available=True)
    if question.question[0].rdtype == dns.rdatatype.A:
        answer.answer.append(dns.rrset.from_text("git.test.", 60, "IN", "A", US))
    return [answer.to_wire()]


def address_at(machine, name):
    answer = servers.ask(53, name, "A", address=machine.address)
    return [r.address for rrset in answer.answer for r in rrset]


def check_sandbox(machine, *roles):
    """The kernel of an image has what it takes."""
    assert re.findall(r"event=sandbox role=(\S+) system_calls=limited files=limited", machine.log()) == list(roles), machine.log()


def test_an_image_has_no_other_program(images, need):
    need("cpio")
    allowed = re.compile(r"init|(usr/)?lib(64)?(/x86_64-linux-gnu)?/[^/]+\.so[.0-9]*|modules/[0-9]+-[^/]+\.ko|etc/(passwd|group|hosts|nsswitch\.conf)|"
                         r"etc/ssl/certs/ca-certificates\.crt")
    for program in "oprimary", "osecondary":
        with gzip.open(os.path.join(images, program + ".initrd")) as f:
            listed = subprocess.run(["cpio", "-itv", "--quiet"], input=f.read(), capture_output=True, check=True).stdout.decode()
        files = [line.split()[-1] for line in listed.splitlines() if not line.startswith("d")]
        assert "init" in files and [name for name in files if not allowed.fullmatch(name)] == []


def test_from_git_to_the_secondary(machine, tmp_path, started):
    clock = started(TimeServer(US, time.time))
    fleet = Fleet(machine, str(tmp_path), started)
    fleet.begin_primary_of_daemon()
    fleet.begin_secondary()
    fleet.await_serial(1)
    assert clock.thread.is_alive()
    assert re.search(r"event=clock server=10\.0\.42\.1 offset_ms=[0-9]{12}", fleet.secondary.log()), fleet.secondary.log_tail()
    assert re.search(r"event=privileges user=origin capabilities=none", fleet.secondary.log())
    check_sandbox(fleet.primary, "git", "server")
    check_sandbox(fleet.secondary, "server")
    for address in SECONDARY, SECONDARY_SIX:
        dig = subprocess.run(["dig", "@" + address, "ns2.example", "+short"], capture_output=True, text=True, timeout=30, check=True)
        assert dig.stdout == SECONDARY + "\n"

    fleet.update("www", "192.0.2.80")
    fleet.await_serial(2)
    assert address_at(fleet.secondary, "www.example") == ["192.0.2.80"]

    # The secondary's power fails: it has everything again, from the primary.
    fleet.secondary.kill()
    fleet.begin_secondary()
    fleet.await_serial(2)

    # The primary's power button: it ends, and comes back with what is in git; the secondary hears of what is new.
    fleet.primary.press_power()
    assert re.search(r'event=machine-ending why="the power button" next=power-off', fleet.primary.log())
    assert re.search(r"event=stopping why=SIGTERM(?s:.)*reboot: Power down", fleet.primary.log())
    fleet.begin_primary_of_daemon()
    fleet.await_serial(2)
    fleet.update("mail", "192.0.2.25")
    fleet.await_serial(3)
    assert address_at(fleet.secondary, "mail.example") == ["192.0.2.25"]
    fleet.secondary.press_power()


def test_what_is_wrong_is_said_and_ends_the_machine(machine, tmp_path):
    """The machine's own options, the program's, words that end the program well, a credential that is too large; but what may pass is tried again."""
    wrong = [machine("osecondary", "10.0.42.%d" % (10 + i), *words) for i, words in enumerate([
        ["--ipv4=10.0.42.300/24", "--keys=x"], ["--ipv4=10.0.42.11/24", "--keys=x"], ["--ipv4=10.0.42.12/24", "--help"],
        ["--ipv4=10.0.42.13/24", "--keys=" + TRANSFER.argument, "--listen=192.0.2.1"],
    ])]
    wrong.append(machine("osecondary", "10.0.42.14", "--keys=" + TRANSFER.argument, more=credential(str(tmp_path), "cookie-secret", "x" * 65536)))
    wrong[3].await_log(r"event=process-ended process=osecondary status=1 again_in_ms=1000(?s:.)*process-ended .* again_in_ms=2000", BOOT_LIMIT_S)
    wrong[3].kill()
    for one in wrong[:3] + wrong[4:]:
        one.await_off()
    assert re.search(r'event=machine-failed text="--ipv4=10\.0\.42\.300/24: should be an address and the length of its network\'s prefix, as in',
                     wrong[0].log())
    assert re.search(r"osecondary: error: .*\n.*hint(?s:.)*event=machine-ending why=\"the program's arguments are wrong\"", wrong[1].log())
    assert re.search(r"Usage: osecondary(?s:.)*event=machine-ending why=\"the program has ended\"", wrong[2].log())
    assert re.search(r'event=credential-failed name=cookie-secret text="over a limit"(?s:.)*error: .* no cookie secret in it(?s:.)*event=machine-ending',
                     wrong[4].log()), wrong[4].log()


def with_credential(images, where, name, text):
    """A copy of the images in which osecondary has a credential, as docs/images.md says."""
    own = os.path.join(where, "own")
    os.makedirs(os.path.join(own, "credentials"))
    servers.write(os.path.join(own, "credentials", name), text)
    script = "find credentials | cpio -o -H newc -R 0:0 | gzip -n | cat %s/osecondary.initrd - >osecondary.initrd"
    subprocess.run(["sh", "-c", script % images], cwd=own, check=True, capture_output=True)
    os.symlink(os.path.join(images, "vmlinuz"), os.path.join(own, "vmlinuz"))
    return own


def test_a_disk_keeps_what_a_secondary_has(images, machine, tmp_path, started, need, public_key):
    """Its key is in an archive behind the image; the primary's remote is over SSH."""
    need("mkfs.ext4", "cpio", "sshd", "ssh-keygen")
    own = with_credential(images, str(tmp_path), "keys", TRANSFER.argument + "\n")
    disk = str(tmp_path / "disk")
    with open(disk, "wb") as f:
        f.truncate(8 << 20)
    subprocess.run(["mkfs.ext4", "-q", disk], check=True)
    more = ["-drive", "if=none,id=disk,format=raw,file=" + disk, "-device", "virtio-blk-pci,drive=disk"]

    def follow():
        return started(Machine(own, str(tmp_path), "osecondary", SECONDARY, "--ipv4=%s/24" % SECONDARY, "--state-dir=/data/state", more=more))
    fleet = Fleet(machine, str(tmp_path), started)
    fleet.begin_primary_of_sshd(public_key)
    one = follow()
    one.await_serial("example", 1)
    one.press_power()
    fleet.primary.press_power()
    again = follow()  # nobody is there to transfer from
    again.await_serial("example", 1)
    assert "event=disk device=/dev/vda path=/data" in again.log()


def test_a_build_is_the_same_each_time(images, bindir, tmp_path):
    again = build(str(tmp_path), bindir, "osecondary")
    for name in "osecondary.initrd", "vmlinuz":
        with open(os.path.join(images, name), "rb") as one, open(os.path.join(again, name), "rb") as other:
            assert one.read() == other.read(), name
