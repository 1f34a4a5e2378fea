"""Real remotes, each on a free loopback port: git's daemon, an sshd with keys of its own, HTTPS with a CA of its own.

Each serves the bare repositories under one directory; `url(name)` is what --remote takes.
"""
import base64
import contextlib
import hashlib
import http.server
import os
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time

import servers
from acceptor import Acceptor
from repository import ENV, git

ADDRESS = servers.ADDRESS
SEED = bytes(range(32))
KEY = "ed25519:" + base64.b64encode(SEED).decode()  # as --ssh-key takes it


class Child:
    """A server process: started, awaited by connecting to its port, ended by its pid."""

    def __init__(self, argv, port, log, env=None, address=ADDRESS):
        self.port, self.argv = port, argv
        with open(log, "wb") as out:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env={**os.environ, **ENV, **(env or {})}, start_new_session=True)

        def is_up():
            assert self.process.poll() is None, open(log).read()
            with socket.socket() as s:
                return s.connect_ex((address, port)) == 0
        servers.await_true("%s answers" % argv[0], is_up)

    def kill(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Daemon:
    """git daemon: git://  With `receive` whoever comes may push.
    It is started without the wrapper that `git daemon` is: signals are to reach what takes connections, from its first moment on."""

    def __init__(self, where, port=None, *, receive=True, address=ADDRESS):
        self.address, self.port = address, port or servers.free_port(address)
        program = os.path.join(git(".", "--exec-path"), "git-daemon")
        self.child = Child([program, "--base-path=" + where, "--export-all", "--reuseaddr", "--listen=" + address, "--port=%d" % self.port,
                            *(["--enable=receive-pack"] if receive else [])], self.port, os.path.join(where, "daemon.log"),
                           address=address)

    def url(self, name):
        return "git://%s:%d/%s" % (self.address, self.port, name)

    def kill(self):
        self.child.kill()


def fingerprint_of(public_key_file):
    """SHA256:…, as `ssh-keygen -l` prints it."""
    with open(public_key_file) as f:
        blob = base64.b64decode(f.read().split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


class Sshd:
    """sshd as the current user: ssh://.  Whoever's key is in `authorize` may read and write."""

    def __init__(self, where, key_types=("ed25519",), authorize=(), port=None, address=ADDRESS):
        self.root, self.address = where, address
        self.home = os.path.join(where, "sshd")
        os.makedirs(self.home, exist_ok=True)
        os.makedirs("/run/sshd", exist_ok=True)  # where sshd started by root insists on its empty directory
        self.port = port or servers.free_port(address)
        self.keys = {t: self.make_key(t) for t in key_types}
        self.authorize(*authorize)
        self.start()

    def make_key(self, kind):
        path = os.path.join(self.home, "host_" + kind)
        if not os.path.exists(path):
            kind, *bits = kind.split("-")
            subprocess.run(["ssh-keygen", "-q", "-t", kind, *(["-b", bits[0]] if bits else []), "-N", "", "-f", path], check=True)
        return path

    def authorize(self, *lines):
        path = os.path.join(self.home, "authorized_keys")
        with open(path, "w") as f:
            f.write("".join(line.strip() + "\n" for line in lines))
        os.chmod(path, 0o600)

    def start(self):
        conf = os.path.join(self.home, "sshd_config")
        with open(conf, "w") as f:
            f.write("Port %d\nListenAddress %s\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n"
                    "KbdInteractiveAuthentication no\nPermitRootLogin yes\nAuthorizedKeysFile %s/authorized_keys\n"
                    "HostKeyAlgorithms +ssh-rsa\nLogLevel DEBUG1\nSetEnv HOME=%s\n" % (self.port, self.address, self.home, self.home))
            f.write("".join("HostKey %s\n" % k for k in self.keys.values()))
        self.child = Child([shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", conf], self.port,
                           os.path.join(self.home, "sshd.log"), address=self.address)

    def fingerprint(self, kind=None):
        return fingerprint_of(self.keys[kind or next(iter(self.keys))] + ".pub")

    def known_hosts(self, kind=None, *, hashed=False, host=None):
        """Lines for a known_hosts file."""
        with open(self.keys[kind or next(iter(self.keys))] + ".pub") as f:
            key = " ".join(f.read().split()[:2])
        path = os.path.join(self.home, "known_hosts." + (kind or "any"))
        with open(path, "w") as f:
            f.write("%s %s\n" % (host or "[%s]:%d" % (self.address, self.port), key))
        if hashed:
            subprocess.run(["ssh-keygen", "-q", "-H", "-f", path], check=True, capture_output=True)
        with open(path, "a") as f:
            f.write("# a comment\n\nbroken\n|1|broken|broken ssh-rsa AAAA\n")
        return path

    def url(self, name, host=None):
        user = os.environ.get("USER") or subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        return "ssh://%s@%s:%d%s/%s" % (user, host or self.address, self.port, self.root, name)

    def new_host_key(self, kind="ed25519"):
        """The host's key changes, as after a reinstallation or with somebody in between."""
        self.kill()
        for path in (self.keys[kind], self.keys[kind] + ".pub"):
            os.rename(path, path + ".old")
        self.keys[kind] = self.make_key(kind)
        self.start()

    def old_host_key(self, kind="ed25519"):
        """The key from before new_host_key() is back."""
        self.kill()
        for path in (self.keys[kind], self.keys[kind] + ".pub"):
            os.rename(path + ".old", path)
        self.start()

    def kill(self):
        self.child.kill()


def make_ca(where, name=None):
    """A CA (once) and a certificate of it for 127.0.0.1, or for `name`; returns the CA's file and the server's two."""
    def run(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, cwd=where)
    file = name or "server"
    if not os.path.exists(os.path.join(where, "ca.pem")):
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Test CA",
            "-addext", "keyUsage=critical,keyCertSign", "-keyout", "ca.key", "-out", "ca.pem")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + (name or ADDRESS), "-keyout",
        file + ".key", "-out", file + ".csr")
    with open(os.path.join(where, "ext"), "w") as f:
        f.write("authorityKeyIdentifier=keyid\nsubjectAltName=%s\n" %  # Python wants all that RFC 5280 demands, from 3.13 on
                ("DNS:" + name if name else "IP:%s,DNS:%s,DNS:localhost" % (ADDRESS, ADDRESS)))
    run("x509", "-req", "-in", file + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext",
        "-out", file + ".pem")
    return os.path.join(where, "ca.pem"), (os.path.join(where, file + ".pem"), os.path.join(where, file + ".key"))


class _Cgi(http.server.BaseHTTPRequestHandler):
    """Hands each request to `git http-backend` (CGI, RFC 3875)."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):  # noqa: A002 (the base class names it so)
        self.server.owner.seen.append(format % args)

    def refuse(self, status, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def serve(self):
        owner = self.server.owner
        body = self.body()
        if owner.redirect:
            self.refuse(302, ("Location", owner.redirect + self.path))
            return
        if owner.user and self.headers.get("Authorization") != "Basic " + base64.b64encode(owner.user.encode()).decode():
            self.refuse(401, ("WWW-Authenticate", 'Basic realm="zones"'))
            return
        path, _, query = self.path.partition("?")
        env = {**os.environ, **ENV, "GIT_PROJECT_ROOT": owner.root, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
               "QUERY_STRING": query, "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""),
               "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": ADDRESS, "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", "")}
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=env, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        status = re.search(rb"(?im)^status: *(\d+)", head)
        self.send_response(int(status.group(1)) if status else 200)
        for line in head.split(b"\r\n"):
            name, _, value = line.decode().partition(": ")
            if name.lower() not in ("", "status"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = serve


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass  # clients that do not like our certificate hang up


class Https:
    """HTTP or HTTPS; `user` ("name:password") asks for basic authentication."""

    def __init__(self, where, tls=None, user=None, redirect=None):
        self.root, self.user, self.redirect, self.seen, self.is_tls = where, user, redirect, [], tls is not None
        self.server = _Server((ADDRESS, 0), _Cgi)
        self.server.owner = self
        self.port = self.server.server_address[1]
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def url(self, name, user=""):
        return "%s://%s%s:%d/%s" % ("https" if self.is_tls else "http", user and user + "@", ADDRESS, self.port, name)

    def kill(self):
        self.server.shutdown()
        self.server.server_close()


class Silent:
    """Takes connections, reads, and never says a word."""

    def __init__(self, first=b""):
        self.first, self.open = first, []
        self.acceptor = Acceptor(self.take)
        self.port = self.acceptor.port

    def take(self, client):
        self.open.append(client)
        client.sendall(self.first)

    def url(self, name="zones.git"):
        return "git://%s:%d/%s" % (ADDRESS, self.port, name)

    def kill(self):
        self.acceptor.kill()
        for client in self.open:
            client.close()


class Breaking:
    """A relay to another port that cuts each connection after `limit` octets of answer, while there is a limit.
    `to` may change, and a second relay may take the port of one that was killed.  `delay_s`: that each piece is under way.
    From hold() to let_go() no answer passes; await_answer() waits until there is one."""

    def __init__(self, to, limit=None, port=0, delay_s=0):
        self.to, self.limit, self.delay_s = to, limit, delay_s
        self.connections = []  # our ends of those to whom it was somebody
        self.passes, self.has_answer = threading.Event(), threading.Event()
        self.passes.set()
        self.acceptor = Acceptor(self.take, port)
        self.port = self.acceptor.port

    def take(self, client):
        """A connection has come."""
        server = socket.create_connection((ADDRESS, self.to))
        self.connections.append(client)
        threading.Thread(target=self.pump, args=(client, server, None), daemon=True).start()
        threading.Thread(target=self.pump, args=(server, client, self.limit), daemon=True).start()

    def pump(self, source, target, limit):
        try:
            while data := source.recv(min(4096, limit) if limit is not None else 4096):
                time.sleep(self.delay_s)
                if source not in self.connections and not self.passes.is_set():
                    self.has_answer.set()
                    self.passes.wait()
                target.sendall(data)
                if limit is not None:
                    limit -= len(data)
                    if limit <= 0:
                        break
        except OSError:
            pass
        for s in (source, target):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def url(self, name):
        return "git://%s:%d/%s" % (ADDRESS, self.port, name)

    def hold(self):
        self.has_answer.clear()
        self.passes.clear()

    def await_answer(self):
        assert self.has_answer.wait(servers.START_LIMIT_S)

    def let_go(self):
        self.passes.set()

    def kill(self):
        self.let_go()
        self.acceptor.kill()

    def cut(self):
        """Ends all that is under way; who comes now is served."""
        for client in self.connections:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def go_away(self):
        self.kill()
        self.cut()
