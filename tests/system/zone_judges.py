"""What ozone, BIND, NSD and Knot make of a zone file: do they load it, and which records are in it then?

Records are as our dump prints what each of them printed, so that only what they mean is compared.  BIND and NSD have programs that print
a zone; Knot serves it and is asked over its control socket.
"""
import concurrent.futures
import os
import re
import subprocess

import servers

PEERS = ("bind", "nsd", "knot")
RELEASE = {"bind": ("named-compilezone", "-v"), "nsd": ("nsd", "-v"), "knot": ("knotd", "-V")}
FIRST = "@ 60 SOA ns1 hostmaster 1 7200 900 1209600 300\n@ 60 NS ns1\nns1 60 A 192.0.2.1\n"
# Names of hosts, and where services lead, are no syntax.
BIND = ("named-compilezone", "-q", "-i", "local", "-k", "ignore", "-r", "ignore", "-o", "-")


def release_of(text):
    """The first number with a dot as a tuple: (4, 12, 0) of "NSD version 4.12.0"."""
    return tuple(map(int, re.search(r"\d+(?:\.\d+)+", text)[0].split(".")))


def releases():
    said = {peer: subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
            for peer, argv in RELEASE.items()}
    return {peer: release_of(done.stdout + done.stderr) for peer, done in said.items()}


class Judges:
    """`zones`: the names of zones that look() will be asked about."""

    def __init__(self, bindir, work, zones):
        self.ozone, self.work, self.releases = os.path.join(bindir, "ozone"), work, releases()
        for zone in zones:
            self.write(zone, FIRST.encode())
        for peer in PEERS:
            os.mkdir(os.path.join(work, peer))
        self.knot = servers.Knot(work, {zone: os.path.join(work, zone) for zone in zones})
        self.pool = concurrent.futures.ThreadPoolExecutor(len(PEERS) + 1)

    def end(self):
        self.pool.shutdown()
        self.knot.kill()

    def write(self, name, octets):
        with open(os.path.join(self.work, name), "wb") as f:
            f.write(octets)

    def run(self, *argv):
        """(did it go well, what it printed, what it had to say)"""
        done = subprocess.run(argv, cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        return done.returncode == 0, done.stdout, done.stderr.decode(errors="replace")

    def knots(self, zone):
        control = ("knotc", "-s", os.path.join(self.knot.work, "knot.sock"))
        good, _, words = self.run(*control, "-b", "zone-reload", zone)
        if not good:
            return False, b"", words + self.knot.log()[-700:]
        good, text, words = self.run(*control, "zone-read", zone)
        return good, b"".join(line.partition(b"] ")[2] + b"\n" for line in text.splitlines()), words

    def look(self, octets, zone="example.com", plain=None):
        """→ {name: (does it load, set of records or None, words)}.  `plain`: {name of a peer: what it reads instead}"""
        plain = plain or {}
        self.write(zone, plain.get("knot", octets))  # where the server looks
        for name in ("ours", "bind", "nsd"):
            self.write(name + ".text", plain.get(name, octets))
        asked = {"ours": self.pool.submit(self.run, self.ozone, "--zone-name=" + zone, "--dump", "ours.text"),
                 "bind": self.pool.submit(self.run, *BIND, zone, "bind.text"),
                 "nsd": self.pool.submit(self.run, "nsd-checkzone", "-p", zone, "nsd.text"),
                 "knot": self.pool.submit(self.knots, zone)}
        said = {name: answer.result() for name, answer in asked.items()}
        records = self.read_back(zone, {name: said[name][1] for name in PEERS if said[name][0]})
        if said["ours"][0]:
            records["ours"] = records_of(said["ours"][1])
        return {name: (good, records.get(name), words) for name, (good, _, words) in said.items()}

    def read_back(self, zone, printed):
        """{name: text that a peer printed} → {name: records}: with one run of our program where all is well."""
        paths = {name: os.path.join(name, zone) for name in printed}
        for name, text in printed.items():
            self.write(paths[name], text)
        read, text, _ = self.run(self.ozone, "--dump", *paths.values()) if paths else (True, b"", "")
        dumps = re.split(rb"^(?=\S+\t\d+\tIN\tSOA\t)", text, flags=re.M)[1:]  # the SOA comes first
        if read and len(dumps) == len(paths):
            return {name: records_of(dump) for name, dump in zip(paths, dumps)}
        found = {}
        for name, path in paths.items():
            read, text, words = self.run(self.ozone, "--dump", path)
            found[name] = records_of(text) if read else {"we do not read what it printed: " + words}
        return found


def records_of(text):
    """Our dump, names in lower case: NSD and Knot keep no other."""
    return {folded(line) for line in text.decode(errors="surrogateescape").splitlines()}


def folded(line):
    owner, *middle, data = line.split("\t", 4)
    words = re.findall(r'"(?:[^"\\]|\\.)*"|\S+', data)
    return "\t".join([owner.lower(), *middle, " ".join(word.lower() if word.endswith(".") else word for word in words)])
