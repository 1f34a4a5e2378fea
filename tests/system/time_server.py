"""A time server (RFC 4330) that tells whatever time the test wants."""
import socket
import struct
import threading

FROM_1900_S = 2208988800
MESSAGE_LEN = 48


class TimeServer:
    """`now()` is what it tells, in seconds since 1970."""

    def __init__(self, address, now):
        self.now = now
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 123))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            question, sender = self.socket.recvfrom(512)
            if not question:
                return
            stamp = struct.pack(">Q", int((self.now() + FROM_1900_S) * 2 ** 32))
            head = bytes([0x24, 1, 6, 0xEC]) + struct.pack(">II4s", 0, 16, b"TEST") + stamp
            if len(question) >= MESSAGE_LEN:
                self.socket.sendto(head + question[40:48] + stamp + stamp, sender)

    def kill(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", self.socket.getsockname())  # an empty one ends the thread
        self.thread.join()
        self.socket.close()
