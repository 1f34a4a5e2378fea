"""Images of our daemons as virtual machines under QEMU, by emulation, on a network of the test's own: a bridge with a tap device for each, on
which the test has 10.0.42.1.  Only for root, in the tests' own network (loopback.py): no packet leaves it."""
import contextlib
import json
import os
import re
import socket
import subprocess

import servers

US, US_SIX = "10.0.42.1", "fd00:42::1"
BRIDGE = "br0"
MEMORY_MB = 96
START_LIMIT_S = 120  # a busy machine included
# Where emulation is slow at the wrong moment, the kernel finds that its timer does not work, and panics.
BEFORE_OUR_WORDS = ["console=ttyS0", "quiet", "panic=-1", "no_timer_check"]
# kind: (the machine, its network device).  A microvm has no clock by which the kernel could measure the processor's speed: it is told.
KINDS = {
    "q35": (["-M", "q35"], "virtio-net-pci"),
    "microvm": (["-M", "microvm,rtc=on"], "virtio-net-device"),
}


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextlib.contextmanager
def network():
    """The bridge; the taps of machines come and go."""
    ip("link", "add", BRIDGE, "type", "bridge")
    try:
        ip("address", "add", US + "/24", "dev", BRIDGE)
        ip("address", "add", US_SIX + "/64", "dev", BRIDGE, "nodad")
        ip("link", "set", BRIDGE, "up")
        yield
    finally:
        ip("link", "delete", BRIDGE)


def processor_khz():
    """The rate of the time stamp counter, which an emulated processor has from ours."""
    with open("/proc/cpuinfo") as f:
        return int(float(re.search(r"^cpu MHz\s*: ([0-9.]+)", f.read(), re.M).group(1)) * 1000)


class Machine(servers.Process):
    """A running image.  Its console is the log; the line of QEMU that tells it things from outside is a socket."""

    def __init__(self, images, work, program, address, *words, kind="q35", memory_mb=MEMORY_MB, kernel="vmlinuz", more=()):
        self.address, self.tap = address, "tap" + address.rpartition(".")[2]
        self.monitor_path = os.path.join(work, self.tap)
        self.plug()
        machine, device = KINDS[kind]
        line = [*BEFORE_OUR_WORDS, *(["tsc_early_khz=%d" % processor_khz()] if kind == "microvm" else []), "--", *words]
        super().__init__(
            ["qemu-system-x86_64", *machine, "-accel", "tcg", "-cpu", "max", "-m", str(memory_mb), "-nodefaults", "-no-user-config",
             "-display", "none", "-serial", "stdio", "-no-reboot", "-qmp", "unix:%s,server=on,wait=off" % self.monitor_path,
             "-kernel", os.path.join(images, kernel), "-initrd", os.path.join(images, program + ".initrd"),
             "-netdev", "tap,id=net,ifname=%s,script=no,downscript=no" % self.tap,
             "-device", "%s,netdev=net,mac=52:54:00:00:00:%02x" % (device, int(self.tap[3:])),
             "-append", " ".join(line), *more], work, program)

    def plug(self):
        ip("tuntap", "add", self.tap, "mode", "tap")
        ip("link", "set", self.tap, "master", BRIDGE, "up")

    def await_serial(self, zone, serial, limit_s=START_LIMIT_S):
        self.await_true("%s serves serial %d" % (self.address, serial),
                        lambda: servers.serial_served(53, zone, self.address) == serial, limit_s)

    def tell(self, command):
        """One command of the QEMU machine protocol (QMP)."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.monitor_path)
            with s.makefile("rw") as monitor:
                monitor.readline()  # who it is
                for word in "qmp_capabilities", command:
                    monitor.write(json.dumps({"execute": word}))
                    monitor.flush()
                    monitor.readline()

    def press_power(self):
        """As long as the machine has to, it may take to power off by itself."""
        self.tell("system_powerdown")
        self.await_off()

    def await_off(self):
        servers.await_true(lambda: "power off\n" + self.log_tail(), lambda: not self.is_running(), START_LIMIT_S)
        self.kill()

    def kill(self):
        super().kill()
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("link", "delete", self.tap)
