"""The search for private keys (private_keys.py) finds them."""
import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

import private_keys

KEYS = {"p256": lambda: ec.generate_private_key(ec.SECP256R1()), "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "rsa": lambda: rsa.generate_private_key(65537, 2048), "ed25519": ed25519.Ed25519PrivateKey.generate}


@pytest.mark.parametrize("kind", KEYS)
def test_in_every_form(kind):
    key, other = KEYS[kind](), KEYS[kind]()
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for octets in (der, der.hex().encode(), der.hex().upper().encode(), base64.b64encode(der), base64.b64encode(b"a" + der),
                   base64.b64encode(b"ab" + der), b"\n".join(base64.b64encode(der)[i:i + 56] for i in range(0, 3000, 56)),
                   b" ".join(der.hex().encode()[i:i + 32] for i in range(0, 6000, 32))):
        assert private_keys.found_in(octets, key) and not private_keys.found_in(octets, other)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert private_keys.found_in(public.hex().encode(), key) is None


def test_in_a_repository(repo):
    """Also when it was removed again."""
    key = KEYS["p256"]()
    repo.commit({"example": "x" * 1000})
    private_keys.assert_none(repo.bare, key)
    repo.commit({"README": "; 3 255 0 %x\n" % key.private_numbers().private_value})
    repo.commit({"README": "nothing\n"})
    with pytest.raises(AssertionError):
        private_keys.assert_none(repo.bare, key)
