#!/usr/bin/python3
"""Verifies what acme_jws_maker signs, with python3-cryptography: header, payload, signature and thumbprint, for each kind of key."""
import base64
import hashlib
import json
import subprocess
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

CURVES = {"P-256": (ec.SECP256R1(), hashes.SHA256(), 32, "ES256"), "P-384": (ec.SECP384R1(), hashes.SHA384(), 48, "ES384")}
MEMBERS = {"RSA": ["e", "kty", "n"], "EC": ["crv", "kty", "x", "y"], "OKP": ["crv", "kty", "x"]}


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text):
    return int.from_bytes(decode(text), "big")


def verify(jwk, alg, message, signature):
    if jwk["kty"] == "RSA":
        assert alg == "RS256"
        key = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    elif jwk["kty"] == "EC":
        curve, digest, size, name = CURVES[jwk["crv"]]
        assert alg == name and len(signature) == 2 * size
        assert len(decode(jwk["x"])) == len(decode(jwk["y"])) == size
        key = ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), curve).public_key()
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))
    else:
        assert alg == "EdDSA" and jwk["crv"] == "Ed25519"
        ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"])).verify(signature, message)


def main():
    out = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout
    kinds = []
    for line in out.splitlines():
        thumbprint, text = line.split(" ", 1)
        jws = json.loads(text)
        assert sorted(jws) == ["payload", "protected", "signature"]
        header = json.loads(decode(jws["protected"]))
        assert sorted(header) == ["alg", "jwk", "nonce", "url"]
        assert header["nonce"] == "abc" and header["url"] == "https://ca.example/x"
        assert json.loads(decode(jws["payload"])) == {"a": 1}
        jwk = header["jwk"]
        assert sorted(jwk) == MEMBERS[jwk["kty"]]
        canonical = json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()
        assert decode(thumbprint) == hashlib.sha256(canonical).digest()
        verify(jwk, header["alg"], (jws["protected"] + "." + jws["payload"]).encode(), decode(jws["signature"]))
        kinds.append(jwk.get("crv", jwk["kty"]))
    assert kinds == ["RSA", "P-256", "P-384", "Ed25519"], kinds


if __name__ == "__main__":
    main()
