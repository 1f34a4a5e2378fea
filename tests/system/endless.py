"""A git server that has no end: references, words, a pack, objects.  Once it is told to be good it is a way to another one."""
import hashlib
import itertools
import struct
import threading
import zlib

import remotes

CAPABILITIES = b"multi_ack side-band-64k ofs-delta agent=git/2.39"
BAND_MAX = 65515
MIB = 1 << 20


def line(octets):
    return b"%04x%s" % (len(octets) + 4, octets)


def band(channel, octets):
    return line(bytes([channel]) + octets)


def object_id(kind, content):
    return hashlib.sha1(b"%s %d\0" % (kind, len(content)) + content).hexdigest().encode()


def head(kind, length):
    """The head of an object in a pack: its type and its length, inflated."""
    octets, length = [(kind << 4) | (length & 15)], length >> 4
    while length:
        octets[-1] |= 0x80
        octets.append(length & 0x7F)
        length >>= 7
    return bytes(octets)


def varint(n):
    octets = [n & 0x7F]
    while n := n >> 7:
        octets[-1] |= 0x80
        octets.append(n & 0x7F)
    return bytes(octets)


COMMIT, TREE, BLOB, REF_DELTA = 1, 2, 3, 7


class Endless(remotes.Breaking):
    """`says`: one of the methods below, which gets the connection; None: all goes to port `to`."""

    def __init__(self, to, says):
        self.says = says
        super().__init__(to)

    def take(self, client):
        says = self.says
        if says is None:
            super().take(client)
        else:
            self.lie(client, says)

    def lie(self, client, says):
        def run():
            with client:
                try:
                    client.recv(65536)
                    for piece in says():
                        if piece is None:
                            self.await_wishes(client)
                        else:
                            client.sendall(piece)
                    while client.recv(65536):
                        pass
                except OSError:
                    pass
        threading.Thread(target=run, daemon=True).start()

    @staticmethod
    def await_wishes(client):
        said = b""
        while b"done\n" not in said:
            more = client.recv(65536)
            if not more:
                raise OSError("it has hung up")
            said += more

    # ---- what it says; None: when it was asked ----

    @staticmethod
    def references():
        for n in itertools.count():
            yield b"".join(line(b"%040x refs/heads/%s%d\n" % (i + 1, b"x" * 180, i)) if i else
                           line(b"%040x HEAD\0" % 1 + CAPABILITIES + b"\n") for i in range(n * 200, n * 200 + 200))

    @staticmethod
    def one_reference(commit=b"1" * 40):
        return line(commit + b" HEAD\0" + CAPABILITIES + b" symref=HEAD:refs/heads/main\n") + line(commit + b" refs/heads/main\n") \
            + b"0000"

    @classmethod
    def words(cls):
        yield cls.one_reference()
        yield None
        yield line(b"NAK\n")
        while True:
            yield band(2, b"remote: still at it " * 100)

    @classmethod
    def pack_of(cls, *objects):
        """(type, length, content deflated)"""
        yield cls.one_reference(cls.commit_id)
        yield None
        yield line(b"NAK\n")
        pack = b"PACK" + struct.pack("!II", 2, len(objects)) + b"".join(objects)
        pack += hashlib.sha1(pack).digest()
        for at in range(0, len(pack), BAND_MAX):
            yield band(1, pack[at:at + BAND_MAX])
        yield b"0000"

    @classmethod
    def commit_of(cls, tree):
        who = b"A <a@example> 1700000000 +0000\n"
        content = b"tree " + tree + b"\nauthor " + who + b"committer " + who + b"\nx\n"
        cls.commit_id = object_id(b"commit", content)
        return head(COMMIT, len(content)) + zlib.compress(content)

    @classmethod
    def delta(cls):
        """300 octets of a delta that makes a gigabyte of 1 MiB."""
        base = bytes(MIB)
        copy = b"\x80"  # from 0, 64 KiB
        n = 1 << 14
        delta = varint(len(base)) + varint(n << 16) + copy * n
        tree = b"100644 example.org\0" + bytes.fromhex("00" * 19 + "01")
        blob_id = bytes.fromhex(object_id(b"blob", base).decode())
        commit = cls.commit_of(object_id(b"tree", tree))
        yield from cls.pack_of(commit, head(TREE, len(tree)) + zlib.compress(tree), head(BLOB, len(base)) + zlib.compress(base),
                               head(REF_DELTA, len(delta)) + blob_id + zlib.compress(delta))

    @classmethod
    def tree(cls):
        """A directory of half a gigabyte."""
        entry = b"100644 %08d\0" + bytes(20)
        tree = b"".join(entry % n for n in range(4000000))
        commit = cls.commit_of(object_id(b"tree", tree))
        yield from cls.pack_of(commit, head(TREE, len(tree)) + zlib.compress(tree, 1))
