"""Is a private key anywhere in a repository?  All objects are searched: commits, trees, and every version of every file."""
import base64
import re
import subprocess

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

MARKS = b"PRIVATE KEY", b"openssh-key-v1"


def secrets_of(key):
    """The numbers that make it private, as octets."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return [key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())]
    numbers = key.private_numbers()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return [numbers.private_value.to_bytes((key.key_size + 7) // 8, "big")]
    return [n.to_bytes((n.bit_length() + 7) // 8, "big") for n in (numbers.p, numbers.q, numbers.d)]


def forms(secret):
    """Raw, in hexadecimal, in base64 at each of the three places that it may have in a longer text."""
    yield secret
    yield secret.hex().encode()
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret)
        yield text[4 if before else 0:len(text) - 4]


def objects(repository):
    return subprocess.run(["git", "-C", repository, "cat-file", "--batch-all-objects", "--batch"], capture_output=True, check=True).stdout


def found_in(octets, key):
    """The first form of the key that is there, or None."""
    bare = re.sub(rb"[\s\"()]", b"", octets)
    for mark in MARKS:
        if mark in octets:
            return mark
    for secret in secrets_of(key):
        for form in forms(secret):
            if form in octets or form in bare or form in bare.lower():
                return form
    return None


def read(path):
    with open(path, "rb") as f:
        return serialization.load_pem_private_key(f.read(), None)


def assert_none(repository, *keys, texts=()):
    """Nor one of the texts, of which keys are made."""
    octets = objects(repository)
    assert len(octets) > 1000, "nothing to search in"
    assert not [t for t in texts if t.encode() in octets]
    for key in keys:
        assert found_in(octets, key) is None
