"""A certificate authority, oacme, and a client that wants certificates: what their tests share."""
import base64
import json
import os
import re
import socket
import ssl
import subprocess
import urllib.request

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.update
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import manual
import remotes
import servers

ZONE = ("$TTL 60\n@ SOA ns1 host %d 3600 600 86400 60\n@ NS ns1\n@ NS ns2\nns1 A 127.0.0.1\nns2 A 127.0.0.2\n"
        "www A 192.0.2.1\n%s")
REQUEST, CERTIFICATE, CHAIN = (3, 255, 0), (3, 0, 0), (0, 0, 0)
SEED = "a seed for tests"
LIMIT_S = 120


class Pebble(servers.Process):
    """Let's Encrypt's authority for tests; asks `dns_port` for the proofs."""

    def __init__(self, work, dns_port, certificate, env=None, resolver=servers.ADDRESS, **more):
        self.port, self.management, unused = servers.free_port(), servers.free_port(), servers.free_port()
        conf = {"pebble": {"listenAddress": "%s:%d" % (servers.ADDRESS, self.port),
                           "managementListenAddress": "%s:%d" % (servers.ADDRESS, self.management),
                           "certificate": certificate[0], "privateKey": certificate[1], "httpPort": unused, "tlsPort": unused, **more}}
        path = servers.write(os.path.join(work, "pebble-%d.json" % self.port), json.dumps(conf))
        super().__init__(["pebble", "-config", path, "-dnsserver", "%s:%d" % (resolver, dns_port)], work, "pebble",
                         env={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "20", "PEBBLE_AUTHZREUSE": "50", **(env or {})})
        self.directory = "https://%s:%d/dir" % (servers.ADDRESS, self.port)
        self.await_log("ACME directory available")


class Oacme(servers.Process):
    def __init__(self, bindir, work, keys, primary_port, ca, directory, *options, env=None):
        primary = ["--dns-server=%s@%d" % (servers.ADDRESS, primary_port)] if primary_port else []  # else those in the keys' names
        super().__init__([os.path.join(bindir, "oacme"), *primary, "--directory=" + directory,
                          "--ca-file=" + ca, "--account-key-seed=" + SEED, "--user=root", *options], work, "oacme",
                         env={**servers.sanitizer_env(), "ORIGIN_KEYS": ",".join(k.argument for k in keys), **(env or {})})

    def stop(self):
        """A clean end: status 0, nothing that a sanitizer has to say, and no event that the manual does not know."""
        self.await_log("event=starting ")  # from then on it takes the signal as its own
        status = self.end()
        assert status == 0, "oacme ended with %s\n%s" % (status, self.log_tail())
        assert not servers.SANITIZER_REPORT.search(self.log()), self.log_tail()
        unknown = set(re.findall(r"^\S+ [a-z]+ event=(\S+)", self.log(), re.M)) - manual.events()
        assert not unknown, "not in the manual, LOG: %s" % ", ".join(sorted(unknown))


class Wish:
    """A host that wants a certificate: its key, its names, and the TLSA RRset in DNS."""

    def __init__(self, port, key, zone, host, names=None, private=None):
        self.port, self.key, self.zone, self.host, self.names = port, key, zone, host, names or [host]
        self.owner = "_letsencrypt._tcp." + host
        self.private = private or ec.generate_private_key(ec.SECP256R1())

    def csr(self):
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.names[0])]))
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in self.names]), critical=False)
        return builder.sign(self.private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def ask(self, der=None, ttl=300):
        """What ocertify does: the RRset is the request alone."""
        self.update(lambda u: u.replace(dns.name.from_text(self.owner), ttl, "TLSA", "3 255 0 " + (der or self.csr()).hex()))

    def update(self, change):
        update = dns.update.UpdateMessage(self.zone)
        change(update)
        self.key.sign(update)
        answer = dns.query.tcp(update, servers.ADDRESS, port=self.port, timeout=20)
        assert answer.rcode() == dns.rcode.NOERROR, answer

    def records(self, name, rdtype):
        answer = servers.ask(self.port, name, rdtype, tcp=True)
        return [r for rrset in answer.answer if rrset.rdtype == dns.rdatatype.from_text(rdtype) for r in rrset]

    def certificates(self, kind=CERTIFICATE):
        return [x509.load_der_x509_certificate(r.cert) for r in self.records(self.owner, "TLSA") if (r.usage, r.selector, r.mtype) == kind]

    def certificate(self):
        """The one that fits the key, or None."""
        mine = self.private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        for c in self.certificates():
            if c.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) == mine:
                return c
        return None

    def status(self):
        """Remarks, but for those on TLSA records, which stay."""
        all_of_them = [" ".join(s.decode() for s in r.strings) for r in self.records("_status." + self.owner, "TXT")]
        return [r for r in all_of_them if not r.startswith("tlsa ")]

    def proofs(self):
        names = {"_acme-challenge." + n.removeprefix("*.") for n in self.names}
        return [r for n in names for r in self.records(n, "TXT")]


def names_of(certificate):
    return sorted(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName))


def verify(work, wish, root):
    """openssl verifies the chain that is in DNS up to the CA's root."""
    pem = serialization.Encoding.PEM
    leaf = servers.write(os.path.join(work, "leaf.pem"), wish.certificate().public_bytes(pem).decode())
    chain = servers.write(os.path.join(work, "chain.pem"), "".join(c.public_bytes(pem).decode() for c in wish.certificates(CHAIN)))
    roots = servers.write(os.path.join(work, "root.pem"), root)
    done = subprocess.run(["openssl", "verify", "-CAfile", roots, "-untrusted", chain, leaf], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class World:
    """A primary and a secondary of `example`, both on port 53 of their addresses, an authority, and an oacme."""

    def __init__(self, started, bindir, repo, primary, secondary, work, make_key):
        self.started, self.bindir, self.work, self.repo = started, bindir, str(work), repo
        self.key, self.transfer = make_key("me._update.example"), make_key("127.0.0.1.127.0.0.2._transfer.example")
        self.ca, self.certificate = remotes.make_ca(self.work)
        self.repo.commit({"example": ZONE % (1, ""), "example._keys": self.key.line + self.transfer.line})
        self.port, self.start_primary, self.start_secondary = 53, primary, secondary
        self.start_servers()

    def start_servers(self, env=None):
        self.primary = self.start_primary(self.repo, "--user=root", zones=["example"], port=53, env=env)
        self.secondary = self.start_secondary([self.transfer], "--user=root", primaries=["127.0.0.1@53"], port=53, address="127.0.0.2",
                                              env=env)

    def restart_servers(self, env=None):
        for server in self.secondary, self.primary:
            server.stop()
        self.start_servers(env)

    def authority(self, env=None, **more):
        self.pebble = self.started(Pebble(self.work, self.port, self.certificate, env, **more))
        return self.pebble

    def oacme(self, *options, keys=None, directory=None, **more):
        return self.started(Oacme(self.bindir, self.work, keys or [self.key], self.port, self.ca, directory or self.pebble.directory,
                                  *options, **more))

    def wish(self, host, names=None, key=None, zone="example"):
        return Wish(self.port, key or self.key, zone, host, names)

    def fetch(self, request):
        """From Pebble: (headers, text)."""
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=self.ca), timeout=20) as answer:
            return answer.headers, answer.read().decode()

    def root(self, number=0):
        return self.fetch("https://%s:%d/roots/%d" % (servers.ADDRESS, self.pebble.management, number))[1]

    def directory(self):
        """What Pebble can do, which differs between its versions."""
        return json.loads(self.fetch(self.pebble.directory)[1])


def greet(started, directory, root, host="www.example"):
    """openssl's server has the files of ocertify, and a client trusts the authority and wants that host."""
    port, chain = servers.free_port(), host + ".pem"
    server = started(servers.Process(["openssl", "s_server", "-accept", "%s:%d" % (servers.ADDRESS, port), "-cert", chain, "-cert_chain", chain,
                                      "-key", host + ".key", "-www"], str(directory), "s_server", cwd=directory))
    server.await_log("ACCEPT")
    client = ssl.create_default_context(cadata=root)
    with socket.create_connection((servers.ADDRESS, port), 20) as plain, client.wrap_socket(plain, server_hostname=host) as tls:
        tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
        heard = tls.recv(4096)
    server.kill()
    assert heard.startswith(b"HTTP/1.0 200 ok"), heard


def await_certificate(acme, wish, limit_s=LIMIT_S):
    return acme.await_true("%s has a certificate" % wish.host, wish.certificate, limit_s)


def assert_clean(acme, wish):
    acme.await_true("proofs and remarks are gone", lambda: wish.proofs() == [] and wish.status() == [], 30)


def await_known(acme, wish):
    """oacme's copy of the zone is the primary's, so the next change is another one to it."""
    soa, = wish.records(wish.zone, "SOA")
    acme.await_log(r"event=zone-transferred zone=%s\. serial=%d " % (wish.zone, soa.serial))
