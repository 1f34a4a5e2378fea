"""A listening socket whose connections a thread takes, and which goes without a trace."""
import contextlib
import socket
import threading

import servers


class Acceptor:
    """Hands each connection to `take(connection)`, in a thread, until it is killed."""

    def __init__(self, take, port=0):
        self.take = take
        self.socket = socket.create_server((servers.ADDRESS, port))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            try:
                self.take(connection)
            except OSError:  # it has gone, or what it is to lead to
                connection.close()

    def kill(self):
        """The thread ends before the socket is closed.  When a signal comes that another thread has blocked (SIGCHLD, while that one starts
        a process), the system begins an accept() anew, with the number of a descriptor that another socket may have by then: the thread
        would take that one's connections."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self.thread.join()
        self.socket.close()
