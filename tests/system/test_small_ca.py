"""The tests' own CA (small_ca.py): a client of a few lines gets a certificate from it, by each of its ways, and what is wrong is seen."""
import hashlib
import http.client
import json
import ssl

import pytest
import small_ca
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from small_ca import encode


class Client:
    def __init__(self, ca):
        self.ca, self.key, self.kid = ca, ed25519.Ed25519PrivateKey.generate(), None
        raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": encode(raw)}
        self.thumbprint = small_ca.thumbprint(self.jwk)

    def send(self, method, url, body=None, headers={}):
        context = ssl.create_default_context(cafile=self.ca.root_file)
        connection = http.client.HTTPSConnection(self.ca.address, self.ca.port, context=context, timeout=10)
        connection.request(method, url[len(self.ca.url):], body, headers)
        answer = connection.getresponse()
        octets = answer.read()
        connection.close()
        is_json = "json" in (answer.headers.get("Content-Type") or "")
        return answer.status, json.loads(octets) if is_json and octets else octets, answer.headers

    def post(self, to, payload, **header):
        nonce = self.send("HEAD", self.ca.url + "/newNonce")[2]["Replay-Nonce"]
        who = {"kid": self.kid} if self.kid else {"jwk": self.jwk}
        header = {"alg": "EdDSA", "nonce": nonce, "url": to, **who, **header}
        protected = encode(json.dumps(header).encode())
        text = "" if payload is None else encode(json.dumps(payload).encode())
        signature = encode(self.key.sign((protected + "." + text).encode()))
        body = json.dumps({"protected": protected, "payload": text, "signature": signature})
        return self.send("POST", to, body, {"Content-Type": "application/jose+json"})

    def begin(self):
        self.kid = self.post(self.ca.url + "/newAccount", {"termsOfServiceAgreed": True})[2]["Location"]

    def get(self, names, prove, method="dns-01", **more):
        """The chain of a new certificate, as PEM."""
        wish = dict({"identifiers": [{"type": "dns", "value": n} for n in names]}, **more)
        status, order, headers = self.post(self.ca.url + "/newOrder", wish)
        assert status == 201, order
        for url in order["authorizations"]:
            authorization = self.post(url, None)[1]
            if authorization["status"] == "pending":
                challenge = [c for c in authorization["challenges"] if c["type"] == method][0]
                prove(authorization["identifier"]["value"], challenge)
                assert self.post(challenge["url"], {})[0] == 200
                found = self.post(url, None)[1]
                assert found["status"] == "valid", found
        csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False).sign(ec.generate_private_key(ec.SECP256R1()),
                                                                                      hashes.SHA256())
        self.post(order["finalize"], {"csr": encode(csr.public_bytes(serialization.Encoding.DER))})
        return self.post(self.post(headers["Location"], None)[1]["certificate"], None)


@pytest.fixture
def records():
    return {}


@pytest.fixture
def ca(tmp_path, records):
    with small_ca.running(tmp_path, lookup=lambda name: records.get(name, set())) as ca:
        yield ca


def prover(client, records):
    def prove(name, challenge):
        text = challenge["token"] + "." + client.thumbprint
        records.setdefault("_acme-challenge." + name, set()).add(encode(hashlib.sha256(text.encode()).digest()))
    return prove


def test_a_certificate_is_made_and_renewed(ca, records):
    client = Client(ca)
    client.begin()
    status, chain, headers = client.get(["www.example", "*.example"], prover(client, records))
    assert status == 200 and "/1>" in headers["Link"]
    leaf = x509.load_pem_x509_certificate(chain)
    assert leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == [
        "www.example", "*.example"]
    name = ca.certificate_name(leaf)
    status, info, headers = client.send("GET", ca.url + "/renewalInfo/" + name)
    assert status == 200 and info["suggestedWindow"]["start"] < info["suggestedWindow"]["end"]
    ca.renew_all()
    assert client.send("GET", ca.url + "/renewalInfo/" + name)[1] != info
    chain = client.get(["www.example", "*.example"], prover(client, records), replaces=name, profile="shortlived")[1]
    leaf = x509.load_pem_x509_certificate(chain)
    assert (leaf.not_valid_after - leaf.not_valid_before).days == 6
    assert ca.count("challenge") == 2  # authorizations are reused
    assert client.post(ca.url + "/newOrder", {"identifiers": [{"type": "dns", "value": "a.example"}], "replaces": name})[0] == 409
    assert ca.complaints == []


@pytest.mark.parametrize("version", [1, 2])
def test_a_lasting_record_is_a_proof(ca, records, version):
    ca.persist_version = version
    client = Client(ca)
    client.begin()
    records["_validation-persist.example"] = {ca.persist_record("example", policy="; policy=wildcard")}
    assert client.get(["*.example"], lambda name, challenge: None, method="dns-persist-01")[0] == 200
    records["_validation-persist.example"] = {ca.persist_record("example")}
    ca.authorizations.clear()
    with pytest.raises(AssertionError):
        client.get(["*.example"], lambda name, challenge: None, method="dns-persist-01")


def test_faults_come_on_demand(ca, records):
    client = Client(ca)
    client.begin()
    ca.fail("newOrder", 429, "rateLimited", "too many", retry_after=30)
    status, problem, headers = client.post(ca.url + "/newOrder", {"identifiers": []})
    assert (status, problem["detail"], headers["Retry-After"]) == (429, "too many", "30")
    ca.say("newOrder", b"<html>")
    assert client.post(ca.url + "/newOrder", {"identifiers": []})[1] == b"<html>"
    ca.cut("newOrder")
    with pytest.raises((http.client.HTTPException, OSError)):
        client.post(ca.url + "/newOrder", {"identifiers": [{"type": "dns", "value": "a.example"}]})
    assert len(ca.orders) == 1  # it was carried out
    ca.stop()
    with pytest.raises(OSError):
        client.send("GET", ca.directory)
    ca.start()
    assert client.send("GET", ca.directory)[0] == 200


def test_what_a_client_does_wrong_is_seen(ca):
    client = Client(ca)
    client.begin()
    assert client.post(ca.url + "/newOrder", {"identifiers": []}, url="https://other.example/")[0] == 400
    client.key = ed25519.Ed25519PrivateKey.generate()
    assert client.post(ca.url + "/newOrder", {"identifiers": []})[0] == 400
    assert len(ca.complaints) == 2
