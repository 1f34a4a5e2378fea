"""A small certificate authority of the tests' own: RFC 8555 for DNS alone, with what pebble and caddy lack: renewal information (RFC 9773),
profiles, dns-persist-01 (draft-ietf-acme-dns-persist, versions 01 and 02), external account binding, alternate chains; and faults on demand.

    with small_ca.running(tmp_path, servers=[("127.0.0.1", 5300)]) as ca:
        oacme(directory=ca.directory, ca_file=ca.root_file)
        ca.fail("newOrder", 429, "rateLimited", "too many", retry_after=30, times=1)
        ca.lies.add("key")
        assert ca.count("newOrder") == 1

It is strict: each request's signature, nonce, URL and key are verified, and what is wrong is kept in ca.complaints, for the test to look
at.  It runs in threads of the test's process, with a certificate of its own root for TLS.

The proofs are looked up at every server that it was given, and all of them must have them; or by the function `lookup`.
"""
import base64
import collections
import contextlib
import datetime
import hashlib
import hmac
import http.server
import ipaddress
import json
import secrets
import socket
import ssl
import threading
import time

import dns.message
import dns.query
import dns.rdatatype
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import NameOID

CURVES = {"P-256": (ec.SECP256R1(), hashes.SHA256(), 32, "ES256"), "P-384": (ec.SECP384R1(), hashes.SHA384(), 48, "ES384")}
THUMB_MEMBERS = {"RSA": ["e", "kty", "n"], "EC": ["crv", "kty", "x", "y"], "OKP": ["crv", "kty", "x"]}
ISSUER = "small-ca.example"
CERTIFICATES_ONLY = x509.KeyUsage(digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
                                  key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False)


def encode(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(text):
    if "=" in text:
        raise Problem(400, "malformed", "base64url has no padding")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def thumbprint(jwk):
    known = {m: jwk[m] for m in THUMB_MEMBERS[jwk["kty"]]}
    return encode(hashlib.sha256(json.dumps(known, separators=(",", ":"), sort_keys=True).encode()).digest())


class Problem(Exception):
    def __init__(self, status, kind, detail, retry_after=None, **more):
        super().__init__(detail)
        self.status = status
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.document = dict(more, type="urn:ietf:params:acme:error:" + kind, detail=detail, status=status)


def verify(jwk, alg, message, signature):
    """Raises whatever comes if the signature is not this key's."""
    number = lambda member: int.from_bytes(decode(jwk[member]), "big")
    if jwk["kty"] == "RSA" and alg == "RS256":
        rsa.RSAPublicNumbers(number("e"), number("n")).public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    elif jwk["kty"] == "EC" and CURVES[jwk["crv"]][3] == alg:
        curve, digest, size, _ = CURVES[jwk["crv"]]
        assert len(signature) == 2 * size
        r, s = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
        ec.EllipticCurvePublicNumbers(number("x"), number("y"), curve).public_key().verify(encode_dss_signature(r, s), message,
                                                                                           ec.ECDSA(digest))
    elif jwk["kty"] == "OKP" and alg == "EdDSA":
        ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"])).verify(signature, message)
    else:
        raise Problem(400, "badSignatureAlgorithm", "no such algorithm", algorithms=["RS256", "ES256", "ES384", "EdDSA"])


class Order:
    def __init__(self, number, account, names, profile, replaces):
        self.number, self.account, self.names, self.profile, self.replaces = number, account, names, profile, replaces
        self.status, self.error, self.chains, self.ready_at = "pending", None, None, 0
        self.authorizations = []


class Authorization:
    def __init__(self, number, account, name):
        self.number, self.account, self.name = number, account, name[2:] if name.startswith("*.") else name
        self.is_wildcard = name.startswith("*.")
        self.status, self.error, self.method, self.token = "pending", None, None, secrets.token_urlsafe(24)
        self.done_at = 0


class Fault:
    def __init__(self, kind, times, problem=None, body=None, wait=0, is_cut=False, is_endless=False):
        self.kind, self.times, self.problem, self.body = kind, times, problem, body
        self.wait, self.is_cut, self.is_endless = wait, is_cut, is_endless


class SmallCA:
    """All that a test may set is here; it may be changed while the CA runs."""

    def __init__(self, path, servers=(), lookup=None, address="127.0.0.1", port=0):
        self.servers = list(servers)          # (address, port) of name servers
        self.lookup = lookup or self.ask_servers
        self.profiles = {"classic": 90 * 86400, "shortlived": 6 * 86400, "tlsserver": 45 * 86400}  # seconds of life
        self.default_profile = "classic"
        self.has_renewal_info = True
        self.renewal_retry_after = 21600
        self.windows = {}                     # {certificate's name: (start, end)}; else the last third of its life
        self.challenges = ["dns-01", "dns-persist-01"]
        self.persist_version = 2              # of the draft: 1 has the account's URL in the record, 2 a hash
        self.issuers = [ISSUER]
        self.binding = {}                     # {kid: key}: only these get accounts, if there are any
        self.shows_contact = True             # of an account
        self.reuses_authorizations = True
        self.validation_s = 0                 # how long it takes
        self.issuing_s = 0
        self.retry_after = None               # for what is pending or processing
        self.nonce_rejects = 0                # one of so many nonces is refused; 0: none
        self.lies = set()                     # "key", "chain", "names", "expired", "self-signed"
        self.clock_offset_s = 0               # by which the CA's clock is wrong

        self.lock = threading.RLock()
        self.log = []                         # (time, kind, payload)
        self.complaints = []                  # what a client must not do
        self.faults = []
        self.nonces = set()
        self.nonce_count = 0
        self.accounts, self.orders, self.authorizations, self.issued = {}, {}, {}, {}
        self.replaced = set()
        self.make_issuers()
        self.root_file = str(path / "small-ca-root.pem")
        with open(self.root_file, "wb") as f:
            f.write(pem(self.root))
        self.path, self.address, self.port = path, address, port
        self.server = None

    # ---- what tests say and ask ----

    def fail(self, kind, status, type, detail, retry_after=None, times=1, **more):
        """The next requests of this kind ("newOrder", "order", "authz", "challenge", "finalize", "cert", …; "*" is any) get a problem."""
        self.faults.append(Fault(kind, times, problem=Problem(status, type, detail, retry_after, **more)))

    def say(self, kind, body, times=1):
        """… get this body with status 200: no JSON, another type, …"""
        self.faults.append(Fault(kind, times, body=body))

    def be_slow(self, kind, seconds, times=1):
        self.faults.append(Fault(kind, times, wait=seconds))

    def cut(self, kind, times=1):
        """… are carried out, and the connection ends without an answer."""
        self.faults.append(Fault(kind, times, is_cut=True))

    def be_endless(self, kind, times=1):
        self.faults.append(Fault(kind, times, is_endless=True))

    def count(self, kind, since=0):
        with self.lock:
            return sum(1 for at, of, _ in self.log if of == kind and at >= since)

    def counts(self):
        with self.lock:
            return dict(collections.Counter(kind for _, kind, _ in self.log))

    def renew_all(self):
        """All certificates are to be renewed at once."""
        now = time.time()
        with self.lock:
            self.windows = {name: (now - 7200, now - 3600) for name in self.issued}

    def persist_record(self, name, account=None, policy=""):
        """What is to be at _validation-persist.NAME for an account (the only one, if none is given)."""
        account = account or next(iter(self.accounts))
        return "%s; accounturi=%s%s" % (self.issuers[0], self.persist_account(name, account), policy)

    # ---- life ----

    @property
    def url(self):
        return "https://%s:%d" % (self.address, self.port)

    @property
    def directory(self):
        return self.url + "/directory"

    def start(self):
        self.server = Server((self.address, self.port), Handler)
        self.port = self.server.server_address[1]
        self.server.ca = self
        self.server.context = self.tls_context()
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def stop(self):
        """The CA is down; start() brings it back, at the same port."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
            self.server = None

    # ---- certificates ----

    def make_issuers(self):
        self.root_key, self.key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.other_root_key = ec.generate_private_key(ec.SECP256R1())
        self.root = self.make_ca("Small Root", "Small Root", self.root_key, self.root_key)
        self.middle = self.make_ca("Small Middle", "Small Root", self.key, self.root_key)
        self.other_middle = self.make_ca("Small Middle", "Other Root", self.key, self.other_root_key)

    def make_ca(self, subject, issuer, key, signer):
        return self.builder(subject, issuer, key.public_key(), 3650 * 86400).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), True).add_extension(CERTIFICATES_ONLY, True).add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False).sign(signer, hashes.SHA256())

    def builder(self, subject, issuer, public_key, life_s, begins_s=-3600):
        name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])
        begin = datetime.datetime.utcfromtimestamp(int(time.time()) + self.clock_offset_s + begins_s)
        return x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(public_key).serial_number(
            x509.random_serial_number()).not_valid_before(begin).not_valid_after(begin + datetime.timedelta(seconds=life_s))

    def make_leaf(self, csr, names, life_s):
        key, begins_s = csr.public_key(), -3600 if life_s > 7200 else 0
        if "key" in self.lies:
            key = ec.generate_private_key(ec.SECP256R1()).public_key()
        if "names" in self.lies:
            names = ["liar.example"]
        if "expired" in self.lies:
            begins_s = -life_s - 86400
        builder = self.builder("", "Small Middle", key, life_s, begins_s).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), True).add_extension(
            x509.BasicConstraints(ca=False, path_length=None), True).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        signer = self.other_root_key if "chain" in self.lies else self.key
        return builder.sign(signer, hashes.SHA256())

    def tls_context(self):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.builder(self.address, "Small Root", key.public_key(), 3650 * 86400).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(self.address)), x509.DNSName("localhost")]), False).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key()), False).sign(self.root_key, hashes.SHA256())
        file = self.path / "small-ca-tls.pem"
        file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()) +
                         pem(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(file))
        return context

    # ---- proofs ----

    def ask_servers(self, name):
        """The TXT records that all servers have; CNAMEs are followed as far as they answer for them."""
        found = None
        for address, port in self.servers:
            answer = dns.query.udp_with_fallback(dns.message.make_query(name, "TXT"), address, 5, port)[0]
            texts = {b"".join(r.strings).decode() for rrset in answer.answer if rrset.rdtype == dns.rdatatype.TXT for r in rrset}
            found = texts if found is None else found & texts
        return found or set()

    def persist_account(self, name, account):
        if self.persist_version == 1:
            return account
        text = bytes([len(name)]) + (name + self.accounts[account]["thumbprint"] + account).encode()
        return "%s/account-hash/sha-256/%s" % (self.url, encode(hashlib.sha256(text).digest()))

    def is_persist(self, authorization, text):
        parts = [p.strip() for p in text.split(";")]
        parameters = dict(p.split("=", 1) for p in parts[1:] if "=" in p)
        wanted = {self.persist_account(name, authorization.account) for name in (authorization.name, "*")}
        return (parts[0] in self.issuers and parameters.get("accounturi") in wanted and
                (not authorization.is_wildcard or parameters.get("policy", "").lower() == "wildcard") and
                int(parameters.get("persistUntil", "9999999999")) >= time.time())

    def validate(self, authorization):
        """OK is None, else the problem's type and detail."""
        try:
            if authorization.method == "dns-persist-01":
                texts = self.lookup("_validation-persist." + authorization.name)
                is_good = any(self.is_persist(authorization, text) for text in texts)
            else:
                text = authorization.token + "." + self.accounts[authorization.account]["thumbprint"]
                texts = self.lookup("_acme-challenge." + authorization.name)
                is_good = encode(hashlib.sha256(text.encode()).digest()) in texts
        except Exception as e:  # whatever goes wrong in asking is no fault of this program
            return "dns", "%s: %s" % (type(e).__name__, e)
        return None if is_good else ("unauthorized", "no record for %s among %s" % (authorization.name, sorted(texts)))

    def go_on(self):
        """What has become of authorizations and orders meanwhile."""
        now = time.time()
        for a in self.authorizations.values():
            if a.status == "processing" and now >= a.done_at:
                a.error = self.validate(a)
                a.status = "valid" if a.error is None else "invalid"
        for o in self.orders.values():
            if o.status == "pending" and all(a.status == "valid" for a in o.authorizations):
                o.status = "ready"
            elif o.status == "pending" and any(a.status == "invalid" for a in o.authorizations):
                o.status = "invalid"
            elif o.status == "processing" and now >= o.ready_at:
                o.status = "valid"

    # ---- requests ----

    def new_nonce(self):
        with self.lock:
            nonce = secrets.token_urlsafe(16)
            self.nonces.add(nonce)
            return nonce

    def take_nonce(self, nonce):
        with self.lock:
            self.nonce_count += 1
            if nonce not in self.nonces:
                raise Problem(400, "badNonce", "unknown or used")
            self.nonces.remove(nonce)
            if self.nonce_rejects and self.nonce_count % self.nonce_rejects == 0:
                raise Problem(400, "badNonce", "refused on purpose")

    def opened(self, path, body):
        """(account's URL or None, its key, payload) of a signed request."""
        jws = json.loads(body)
        header = json.loads(decode(jws["protected"]))
        if ("jwk" in header) == ("kid" in header) or header["url"] != self.url + path:
            raise Problem(400, "malformed", "header with url %r: jwk or kid, and the URL" % header.get("url"))
        account = header.get("kid")
        if account is not None and account not in self.accounts:
            raise Problem(400, "accountDoesNotExist", "no account " + account)
        jwk = header["jwk"] if account is None else self.accounts[account]["jwk"]
        try:
            verify(jwk, header["alg"], (jws["protected"] + "." + jws["payload"]).encode(), decode(jws["signature"]))
        except Problem:
            raise
        except Exception as e:
            raise Problem(400, "malformed", "bad signature: %r" % e)
        self.take_nonce(header["nonce"])
        payload = decode(jws["payload"])
        return account, jwk, json.loads(payload) if payload else None

    def bound(self, payload, jwk):
        inner = payload.get("externalAccountBinding")
        if inner is None:
            raise Problem(403, "externalAccountRequired", "this CA wants a binding")
        header = json.loads(decode(inner["protected"]))
        message = (inner["protected"] + "." + inner["payload"]).encode()
        key = self.binding.get(header["kid"], b"")
        is_good = (header["alg"] == "HS256" and header["url"] == self.url + "/newAccount" and "nonce" not in header and
                   json.loads(decode(inner["payload"])) == jwk and
                   hmac.compare_digest(hmac.new(key, message, "sha256").digest(), decode(inner["signature"])))
        if not is_good:
            raise Problem(403, "unauthorized", "the binding is not by a key that was given out")

    def do_newAccount(self, account, jwk, payload, rest):
        print_of_key = thumbprint(jwk)
        for url, known in self.accounts.items():
            if known["thumbprint"] == print_of_key:
                return 200, self.account_object(known), {"Location": url}
        if payload.get("onlyReturnExisting"):
            raise Problem(400, "accountDoesNotExist", "no account has this key")
        if not payload.get("termsOfServiceAgreed"):
            raise Problem(403, "userActionRequired", "the terms have not been agreed to")
        if self.binding:
            self.bound(payload, jwk)
        url = "%s/account/%d" % (self.url, len(self.accounts) + 1)
        self.accounts[url] = {"jwk": jwk, "thumbprint": print_of_key, "status": "valid", "contact": payload.get("contact", [])}
        return 201, self.account_object(self.accounts[url]), {"Location": url}

    def account_object(self, known):
        return {"status": known["status"], **({"contact": known["contact"]} if self.shows_contact else {})}

    def do_account(self, account, jwk, payload, rest):
        if account != "%s/account/%s" % (self.url, rest):
            raise Problem(401, "unauthorized", "another account's")
        self.accounts[account]["contact"] = payload.get("contact", self.accounts[account]["contact"])
        return 200, self.account_object(self.accounts[account]), {}

    def authorize(self, account, name):
        base = name[2:] if name.startswith("*.") else name
        for a in self.authorizations.values():
            if self.reuses_authorizations and (a.account, a.name, a.is_wildcard) == (account, base, base != name) and a.status == "valid":
                return a
        a = Authorization(len(self.authorizations) + 1, account, name)
        self.authorizations[str(a.number)] = a
        return a

    def do_newOrder(self, account, jwk, payload, rest):
        names = [i["value"] for i in payload["identifiers"]]
        profile = payload.get("profile", self.default_profile)
        if profile not in self.profiles:
            raise Problem(400, "invalidProfile", "no profile " + profile)
        replaces = payload.get("replaces")
        if replaces is not None and replaces in self.replaced:
            raise Problem(409, "alreadyReplaced", "it was replaced before")
        if replaces is not None and replaces not in self.issued:
            raise Problem(404, "malformed", "no certificate has this name")
        o = Order(len(self.orders) + 1, account, names, profile, replaces)
        o.authorizations = [self.authorize(account, name) for name in names]
        self.orders[str(o.number)] = o
        self.go_on()
        return 201, self.order_object(o), {"Location": "%s/order/%d" % (self.url, o.number)}

    def waiting(self, status):
        return {"Retry-After": str(self.retry_after)} if self.retry_after is not None and status in ("pending", "processing") else {}

    def order_object(self, o):
        found = {"status": o.status, "identifiers": [{"type": "dns", "value": n} for n in o.names], "profile": o.profile,
                 "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400)),
                 "authorizations": ["%s/authz/%d" % (self.url, a.number) for a in o.authorizations],
                 "finalize": "%s/finalize/%d" % (self.url, o.number)}
        if o.replaces:
            found["replaces"] = o.replaces
        if o.status == "valid":
            found["certificate"] = "%s/cert/%d" % (self.url, o.number)
        return found

    def owned(self, among, number, account):
        found = among.get(number.split("/")[0])
        if found is None or found.account != account:
            raise Problem(404, "malformed", "no such thing, or another account's")
        return found

    def do_order(self, account, jwk, payload, rest):
        o = self.owned(self.orders, rest, account)
        return 200, self.order_object(o), self.waiting(o.status)

    def do_authz(self, account, jwk, payload, rest):
        a = self.owned(self.authorizations, rest, account)
        found = {"status": "pending" if a.status == "processing" else a.status, "identifier": {"type": "dns", "value": a.name},
                 "challenges": [self.challenge_object(a, method) for method in self.challenges if a.method in (None, method)]}
        if a.is_wildcard:
            found["wildcard"] = True
        return 200, found, self.waiting(found["status"])

    def challenge_object(self, a, method):
        found = {"type": method, "url": "%s/challenge/%d/%s" % (self.url, a.number, method), "status": a.status}
        if method == "dns-persist-01":
            found["issuer-domain-names" if self.persist_version == 1 else "issuerDomainNames"] = self.issuers
        else:
            found["token"] = a.token
        if a.error is not None:
            found["error"] = {"type": "urn:ietf:params:acme:error:" + a.error[0], "detail": a.error[1]}
        return found

    def do_challenge(self, account, jwk, payload, rest):
        a, method = self.owned(self.authorizations, rest, account), rest.split("/")[1]
        if payload != {}:
            raise Problem(400, "malformed", "a challenge is answered with {}")
        if a.status != "pending":
            raise Problem(400, "malformed", "the authorization is not pending")
        a.method, a.status, a.done_at = method, "processing", time.time() + self.validation_s
        return 200, self.challenge_object(a, method), {}

    def do_finalize(self, account, jwk, payload, rest):
        o = self.owned(self.orders, rest, account)
        if o.status != "ready":
            raise Problem(403, "orderNotReady", "the order is " + o.status)
        csr = x509.load_der_x509_csr(decode(payload["csr"]))
        if not csr.is_signature_valid:
            raise Problem(400, "badCSR", "its signature is not its key's")
        names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
        if sorted(names) != sorted(o.names):
            raise Problem(400, "badCSR", "the names are not those of the order")
        leaf = self.make_leaf(csr, o.names, self.profiles[o.profile])
        o.chains = [pem(leaf) + pem(self.middle), pem(leaf) + pem(self.other_middle)]
        o.status, o.ready_at = "processing", time.time() + self.issuing_s
        self.issued[self.certificate_name(leaf)] = leaf
        if o.replaces:
            self.replaced.add(o.replaces)
        if self.issuing_s == 0:
            o.status = "valid"
        return 200, self.order_object(o), dict(self.waiting(o.status), Location="%s/order/%d" % (self.url, o.number))

    def do_cert(self, account, jwk, payload, rest):
        o = self.owned(self.orders, rest, account)
        which = int(rest.split("/")[1]) if "/" in rest else 0
        if o.status != "valid" or which >= len(o.chains):
            raise Problem(404, "malformed", "there is no such certificate")
        return 200, o.chains[which], {"Link": '<%s/cert/%d/1>;rel="alternate"' % (self.url, o.number)} if which == 0 else {}

    # ---- without a signature ----

    def certificate_name(self, leaf):
        serial = leaf.serial_number.to_bytes(leaf.serial_number.bit_length() // 8 + 1, "big")
        key_id = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        return encode(key_id) + "." + encode(serial)

    def get_directory(self, rest):
        meta = {"termsOfService": self.url + "/terms", "caaIdentities": self.issuers, "profiles": {p: "…" for p in self.profiles},
                "externalAccountRequired": bool(self.binding)}
        if "dns-persist-01" in self.challenges and self.persist_version != 1:
            meta.update(issuerDomainNames=self.issuers, accountHashPrefix=self.url + "/account-hash/")
        found = {"newNonce": self.url + "/newNonce", "newAccount": self.url + "/newAccount", "newOrder": self.url + "/newOrder", "meta": meta}
        if self.has_renewal_info:
            found["renewalInfo"] = self.url + "/renewalInfo"
        return 200, found, {}

    def get_newNonce(self, rest):
        return 204, b"", {}

    def get_renewalInfo(self, rest):
        leaf = self.issued.get(rest)
        if leaf is None or not self.has_renewal_info:
            raise Problem(404, "malformed", "no certificate has this name")
        begin, end = (t.replace(tzinfo=datetime.timezone.utc).timestamp() for t in (leaf.not_valid_before, leaf.not_valid_after))
        window = self.windows.get(rest, (end - (end - begin) / 3, end - (end - begin) / 4))
        start, stop = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t)) for t in window)
        return 200, {"suggestedWindow": {"start": start, "end": stop}}, {"Retry-After": str(self.renewal_retry_after)}

    def handle(self, method, path, body):
        """(status, body, headers), or a Fault that is to be played."""
        kind, _, rest = path.strip("/").partition("/")
        fault = self.next_fault(kind)
        with self.lock:
            self.log.append((time.time(), kind, None))
            if fault is not None and (fault.problem or fault.body is not None or fault.is_endless):
                if fault.problem:
                    raise fault.problem
                return fault
            self.go_on()
            if method != "POST":
                answer = getattr(self, "get_" + kind, self.get_nothing)(rest)
            else:
                account, jwk, payload = self.opened(path, body)
                self.log[-1] = (self.log[-1][0], kind, payload)
                if (kind == "newAccount") != (account is None):
                    raise Problem(400, "malformed", "kid is for all but newAccount")
                if account is not None and self.accounts[account]["status"] != "valid":
                    raise Problem(401, "unauthorized", "the account is " + self.accounts[account]["status"])
                answer = getattr(self, "do_" + kind, self.do_nothing)(account, jwk, payload, rest)
                self.go_on()
        if fault is not None:
            time.sleep(fault.wait)
        return fault if fault is not None and fault.is_cut else answer

    def get_nothing(self, rest):
        raise Problem(404, "malformed", "no such thing")

    def do_nothing(self, account, jwk, payload, rest):
        raise Problem(404, "malformed", "no such thing")

    def next_fault(self, kind):
        with self.lock:
            for fault in self.faults:
                if fault.kind in (kind, "*"):
                    fault.times -= 1
                    if fault.times == 0:
                        self.faults.remove(fault)
                    return fault
        return None


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def finish_request(self, request, client_address):
        """TLS is begun in the connection's own thread, so that a silent client holds up nobody."""
        request.settimeout(60)
        try:
            with self.context.wrap_socket(request, server_side=True) as wrapped:
                self.RequestHandlerClass(wrapped, client_address, self)
        except (OSError, ssl.SSLError):
            pass  # the client went away

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def answer(self, method):
        ca = self.server.ca
        try:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if method == "POST" and self.headers.get("Content-Type") != "application/jose+json":
                raise Problem(415, "malformed", "requests are application/jose+json")
            found = ca.handle(method, self.path, body)
            if isinstance(found, Fault):
                self.play(found)
                return
            status, content, headers = found
        except Problem as p:
            if p.document["type"].endswith((":malformed", ":badSignatureAlgorithm")):
                with ca.lock:
                    ca.complaints.append("%s %s: %s" % (method, self.path, p))
            status, content, headers = p.status, p.document, p.headers
        except Exception as e:  # a request that makes no sense: the client's fault, and the test is to know
            with ca.lock:
                ca.complaints.append("%s %s: %r" % (method, self.path, e))
            status, content, headers = 500, {"type": "urn:ietf:params:acme:error:serverInternal", "detail": repr(e)}, {}
        self.send(status, content, headers, with_nonce=method == "POST" or "newNonce" in self.path)

    def send(self, status, content, headers, with_nonce):
        is_object = isinstance(content, dict)
        kind = "application/problem+json" if status >= 400 else "application/json" if is_object else "application/pem-certificate-chain"
        octets = json.dumps(content).encode() if is_object else content
        self.send_response(status)
        if with_nonce:
            self.send_header("Replay-Nonce", self.server.ca.new_nonce())
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(octets)

    def play(self, fault):
        self.close_connection = True
        if fault.is_cut:
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault.is_endless:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"status": "')
            with contextlib.suppress(OSError):  # the client has enough
                while True:
                    self.wfile.write(b"x" * 65536)
        else:
            self.send(200, fault.body, {}, with_nonce=True)

    def do_GET(self):
        self.answer("GET")

    def do_HEAD(self):
        self.answer("HEAD")

    def do_POST(self):
        self.answer("POST")


@contextlib.contextmanager
def running(path, **more):
    ca = SmallCA(path, **more).start()
    try:
        yield ca
    finally:
        ca.stop()
