"""The lives of clients, against BIND and against us: the same messages, the same RCODEs, the same records in the end.

Kea's D2, lego, certbot, and nsupdate as acme.sh, dehydrated and ddclient call it, are the real ones.  The others' messages are in
update_lives.py.
"""
import concurrent.futures
import json
import os
import re
import socket
import subprocess

import dns.rcode
import pytest

import remotes
import servers
import update_peers
from update_lives import LIVES, REFUSED_SCRIPTS, SCRIPTS
from update_relay import Relay
from updates import send, update_of

ZONE = """$TTL 300
@ SOA ns1 hostmaster 10 3600 600 86400 300
@ NS ns1
ns1 A 192.0.2.1
www A 192.0.2.2
alias CNAME www
"""


@pytest.fixture
def servers_of(primary, repo, started, need, tmp_path):
    """servers_of(zones, key) → us and BIND, each with those zones."""
    def start(zones, key):
        need("named")
        texts = dict.fromkeys(zones, ZONE)
        repo.commit({**texts, "_keys": key.line})
        return primary(repo, zones=zones), started(update_peers.start(update_peers.Bind, tmp_path, texts, key))
    return start


def all_records(server, zones, key):
    return {zone: update_peers.records(server.port, zone, key) for zone in zones}


# ---- messages as their sources have them ----

PREREQUISITES = {"yes": "present", "no": "absent"}


def message(key, zone, text):
    update = update_of(key, zone)
    for line in text.split("\n"):
        word, name, *rest = line.split(" ")
        if word == "add":
            update.add(name, int(rest[0]), rest[1], " ".join(rest[2:]))
        else:
            data = [*rest[:1], *([" ".join(rest[1:])] if rest[1:] else [])]
            getattr(update, PREREQUISITES.get(word, "delete"))(name, *data)
    return update


def answer_to(server, zone, question):
    """RCODE and records of the answer; a name of the zone, or its apex.  Who serves the zone is the same, but may be said in other sections."""
    name, rdtype = question.split(" ")
    answer = servers.ask(server.port, zone if name == "@" else "%s.%s" % (name, zone), rdtype)
    texts = [line for rrset in answer.answer for line in rrset.to_text().split("\n")]
    return dns.rcode.to_text(answer.rcode()), sorted(re.sub(r"(SOA \S+ \S+) \d+", r"\1 SERIAL", t) for t in texts)


def live(server, key, zone, life):
    """What came of each step."""
    said = []
    for step in life:
        if isinstance(step, str):
            said.append((step, answer_to(server, zone, step)))
        else:
            said.append((step[1], dns.rcode.to_text(send(server, message(key, zone, step[1])).rcode())))
    return said


def test_lives(servers_of, make_key):
    key = make_key("me._update.example")
    zones = {name: "%s.example" % name for name in LIVES}
    ours, bind = servers_of(list(zones.values()), key)
    for name, zone in zones.items():
        told = live(ours, key, zone, LIVES[name])
        assert told == live(bind, key, zone, LIVES[name]), name
        wanted = [step[0] for step in LIVES[name] if not isinstance(step, str)]
        assert [code for step, (_, code) in zip(LIVES[name], told) if not isinstance(step, str)] == wanted, name
    assert all_records(ours, zones.values(), key) == all_records(bind, zones.values(), key)
    ours.stop()


# ---- programs ----

@pytest.fixture
def relays(started):
    """Before each server one that listens to what the clients say."""
    return lambda both, key: [started(Relay(server.port, key)) for server in both]


def nsupdate(relay, key, text):
    return subprocess.run(["nsupdate", "-y", "hmac-sha256:%s:%s" % (key.name, key.secret)], text=True, capture_output=True, timeout=60, check=False,
                          input="server %s %d\n%s\n" % (servers.ADDRESS, relay.port, text))


def test_scripts(servers_of, relays, make_key, need):
    """acme.sh, dehydrated, ddclient, by nsupdate itself, which asks for the zone where it is not named."""
    need("nsupdate")
    key = make_key("me._update.example")
    zones = {name: "%s.example" % name for name in SCRIPTS}
    both = servers_of(list(zones.values()), key)
    heard = relays(both, key)
    for relay in heard:
        for name, zone in zones.items():
            for text in SCRIPTS[name]:
                done = nsupdate(relay, key, text.format(zone=zone))
                assert done.returncode == 0, (name, text, done.stderr)
        for name, text in REFUSED_SCRIPTS.items():
            assert "YXDOMAIN" in nsupdate(relay, key, text.format(zone=zones[name])).stderr
    assert heard[0].updates() == heard[1].updates()
    assert len(heard[0].updates()) == sum(map(len, [*SCRIPTS.values(), REFUSED_SCRIPTS]))
    assert all_records(both[0], zones.values(), key) == all_records(both[1], zones.values(), key)
    both[0].stop()


# ---- Kea's D2 ----

FORWARD, REVERSE, REVERSE_6 = "home.example", "2.0.192.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"
ONE, OTHER = "000001" + "11" * 32, "000201" + "22" * 32
DONE = re.compile(r"DHCP_DDNS_(?:ADD|REMOVE)_(?:SUCCEEDED|FAILED)")
# (add or remove, name, address, whose, is the name looked at before it is taken)
LEASES = [
    ("add", "pc", "192.0.2.10", ONE, True),
    ("add", "pc", "192.0.2.10", ONE, True),  # the renewal
    ("add", "pc", "192.0.2.11", ONE, True),  # another address
    ("add", "pc", "192.0.2.12", OTHER, True),  # somebody else
    ("remove", "pc", "192.0.2.12", OTHER, True),
    ("add", "pc", "2001:db8::10", ONE, True),
    ("add", "www", "192.0.2.13", ONE, True),  # made by hand
    ("add", "alias", "192.0.2.14", ONE, True),
    ("remove", "pc", "192.0.2.10", ONE, True),  # an address that it has no more
    ("remove", "pc", "192.0.2.11", ONE, True),
    ("remove", "pc", "2001:db8::10", ONE, True),
    ("remove", "pc", "192.0.2.11", ONE, True),  # what is gone already
    ("add", "tv", "192.0.2.20", ONE, False),
    ("add", "tv", "192.0.2.21", OTHER, False),  # takes it over
    ("add", "tv", "2001:db8::20", OTHER, False),
    ("remove", "tv", "192.0.2.21", OTHER, False),
    ("remove", "tv", "192.0.2.21", OTHER, False),
    ("add", "tv", "192.0.2.22", ONE, True),
    ("remove", "www", "192.0.2.2", ONE, False),  # without a look, what was made by hand goes
    ("add", "left", "192.0.2.30", ONE, True),
]


class D2(servers.Process):
    """Takes requests as a DHCP server sends them, and makes updates of them."""

    def __init__(self, work, relay, key):
        os.makedirs(work)
        self.port = servers.free_port()

        def domain(name):
            return {"name": name + ".", "key-name": key.name, "dns-servers": [{"ip-address": servers.ADDRESS, "port": relay.port}]}
        conf = {"DhcpDdns": {
            "ip-address": servers.ADDRESS, "port": self.port, "dns-server-timeout": 30000,
            "tsig-keys": [{"name": key.name, "algorithm": "HMAC-SHA256", "secret": key.secret}],
            "forward-ddns": {"ddns-domains": [domain(FORWARD)]}, "reverse-ddns": {"ddns-domains": [domain(REVERSE), domain(REVERSE_6)]},
            "loggers": [{"name": "kea-dhcp-ddns", "severity": "INFO", "output_options": [{"output": "stdout"}]}]}}
        super().__init__(["kea-dhcp-ddns", "-c", servers.write(os.path.join(work, "d2.conf"), json.dumps(conf))], work, "d2",
                         env={"KEA_PIDFILE_DIR": work, "KEA_LOCKFILE_DIR": work})

    def request(self, what, name, address, whose, is_checked):
        """Sends a name change request and waits until it has been seen to."""
        before = len(DONE.findall(self.log()))
        body = json.dumps({
            "change-type": {"add": 0, "remove": 1}[what], "forward-change": True, "reverse-change": True, "fqdn": "%s.%s." % (name, FORWARD),
            "ip-address": address, "dhcid": whose, "lease-expires-on": "20380101000000", "lease-length": 1800,
            "use-conflict-resolution": is_checked}).encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(len(body).to_bytes(2, "big") + body, (servers.ADDRESS, self.port))
        self.await_true("the request is seen to", lambda: len(DONE.findall(self.log())) > before)


def test_kea(servers_of, relays, started, make_key, need, tmp_path):
    need("kea-dhcp-ddns")
    key, zones = make_key("d2._update."), [FORWARD, REVERSE, REVERSE_6]
    both = servers_of(zones, key)
    heard = relays(both, key)
    outcomes = []
    for relay in heard:
        d2 = started(D2(str(tmp_path / ("d2-%d" % relay.port)), relay, key))
        d2.await_log("DHCP_DDNS_STARTED")
        for lease in LEASES:
            d2.request(*lease)
        outcomes.append(DONE.findall(d2.log()))
        d2.end()
    assert heard[0].updates() == heard[1].updates()
    assert outcomes[0] == outcomes[1]
    assert {code for _, _, code in heard[0].updates()} >= {"NOERROR", "YXDOMAIN", "NXRRSET"}
    assert all_records(both[0], zones, key) == all_records(both[1], zones, key)
    both[0].stop()


# ---- ACME: lego and certbot, with Pebble for the authority ----

NAMES = {"lego": ["lego.example", "*.lego.example"],  # two challenges at one name; lego takes seconds for each
         "certbot": ["certbot.example", "*.certbot.example", "www.certbot.example", "too.example"]}
DIGEST = re.compile(r'"[A-Za-z0-9_-]{43}"')  # RFC 8555 8.4


class Pebble(servers.Process):
    """Let's Encrypt's authority for tests; asks `relay` for the challenges."""

    def __init__(self, work, relay, certificate):
        self.port, management, unused = servers.free_port(), servers.free_port(), servers.free_port()
        conf = {"pebble": {"listenAddress": "%s:%d" % (servers.ADDRESS, self.port), "managementListenAddress": "%s:%d" % (servers.ADDRESS, management),
                           "certificate": certificate[0], "privateKey": certificate[1], "httpPort": unused, "tlsPort": unused}}
        path = servers.write(os.path.join(work, "pebble.json"), json.dumps(conf))
        super().__init__(["pebble", "-config", path, "-dnsserver", "%s:%d" % (servers.ADDRESS, relay.port)], work, "pebble",
                         env={"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"})
        self.directory = "https://%s:%d/dir" % (servers.ADDRESS, self.port)
        self.await_log("ACME directory available")


def lego(work, relay, key, pebble, ca):
    """Asks for its zone, and removes the TXT RRset before it inserts a record."""
    server = "%s:%d" % (servers.ADDRESS, relay.port)
    env = {"LEGO_CA_CERTIFICATES": ca, "RFC2136_NAMESERVER": server, "RFC2136_TSIG_KEY": key.name, "RFC2136_TSIG_SECRET": key.secret,
           "RFC2136_TSIG_ALGORITHM": "hmac-sha256.", "RFC2136_POLLING_INTERVAL": "1", "RFC2136_SEQUENCE_INTERVAL": "1"}
    return ["lego", "--server", pebble.directory, "--accept-tos", "--email", "me@example.org", "--path", work, "--dns", "rfc2136", "--dns.disable-cp",
            "--dns.resolvers", server, *(word for name in NAMES["lego"] for word in ("--domains", name)), "run"], env


def certbot(work, relay, key, pebble, ca):
    """Inserts all records, and deletes each by its value."""
    credentials = servers.write(os.path.join(work, "rfc2136.ini"), "".join("dns_rfc2136_%s = %s\n" % pair for pair in [
        ("server", servers.ADDRESS), ("port", relay.port), ("name", key.name), ("secret", key.secret), ("algorithm", "HMAC-SHA256")]))
    os.chmod(credentials, 0o600)
    return ["certbot", "certonly", "--non-interactive", "--agree-tos", "--register-unsafely-without-email", "--server", pebble.directory,
            "--config-dir", work, "--work-dir", work, "--logs-dir", work, "--dns-rfc2136", "--dns-rfc2136-credentials", credentials,
            "--dns-rfc2136-propagation-seconds", "0", *(word for name in NAMES["certbot"] for word in ("-d", name))], {"REQUESTS_CA_BUNDLE": ca}


def certify(client, times, work, relay, *more):
    """Gets a certificate, each time with an account of its own: an authority need not ask an account twice for a name."""
    for n in range(times):
        where = os.path.join(work, "%s-%d" % (client.__name__, n))
        os.makedirs(where)
        command, env = client(where, relay, *more)
        done = subprocess.run(command, env={**os.environ, **env}, text=True, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def acme_message(message):
    needed, changes, code = message
    return needed, [DIGEST.sub("DIGEST", line) for line in changes], code


def test_acme(servers_of, relays, started, make_key, need, tmp_path):
    need("pebble", "lego", "certbot")
    key, zones = make_key("acme._update.example"), ["lego.example", "certbot.example", "too.example"]
    both = servers_of(zones, key)
    before = all_records(both[1], zones, key)
    ca, certificate = remotes.make_ca(str(tmp_path))
    heard, jobs = relays(both, key), []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for relay in heard:
            work = str(tmp_path / ("acme-%d" % relay.port))
            os.makedirs(work)
            pebble = started(Pebble(work, relay, certificate))
            jobs += [pool.submit(certify, client, times, work, relay, key, pebble, ca) for client, times in ((lego, 1), (certbot, 2))]
        for job in jobs:
            job.result()
    told = [sorted(map(acme_message, relay.updates())) for relay in heard]
    assert told[0] == told[1]
    assert len(told[0]) == 2 * len(NAMES["lego"]) + 2 * 2 * len(NAMES["certbot"]) and {code for _, _, code in told[0]} == {"NOERROR"}
    assert all_records(both[0], zones, key) == all_records(both[1], zones, key) == before
    both[0].stop()
