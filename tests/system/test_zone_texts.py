"""Zone files as people write them: our verdict and our records beside those of BIND, NSD and Knot.

Whatever one of them does otherwise has a line in DIFFERENCES, and the RFC's words in differences.md.  A longer run:
python3 -m pytest -p no:cacheprovider tests/system/test_zone_texts.py -k generated --zones 1000 --seed 1
"""
import os
import re
import shutil

import pytest

import zone_judges
import zone_writer

HERE = os.path.dirname(os.path.abspath(__file__))
STYLES = os.path.join(os.path.dirname(HERE), "data", "styles")
STYLE_FILES = sorted(name for name in os.listdir(STYLES) if os.path.isfile(os.path.join(STYLES, name)))
HEAD = "$TTL 1h\n@ SOA ns1 hostmaster 1 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n"
BARE = "@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
LONG_NAME = ".".join(["x" * 49] * 4) + "." + "y" * 41  # 255 octets with example.com.
GENERATED = len(STYLE_FILES)

TAKEN = {
    # Parentheses, white space, comments
    "parentheses": HEAD + "www ( IN\n 60 ) A (192.0.2.1)\nt TXT (\"a\" ; c )\n \"b\")\n",
    "parentheses over lines": HEAD + "a MX 10 (\n\n b\n\n)\n\nb ( MX 10 b )\nc TXT ( x ; y )\n\tz ) ; w\n",
    "parenthesis behind a word": HEAD + "t TXT (x y)\n",
    "parenthesis at the start": HEAD + "( www A 192.0.2.1 )\n",
    "parenthesis before the owner's line": HEAD + "(\na A 192.0.2.1)\n",
    "parenthesis for an owner left out": HEAD + "a A 192.0.2.1\n (A 192.0.2.2)\n",
    "parentheses without white space": HEAD + "a(A 192.0.2.1)\nb A(192.0.2.2)\n",
    "parentheses in parentheses": HEAD + "a TXT ((x) (y))\n",
    "missing owner": HEAD + "a A 192.0.2.1\n\tA 192.0.2.2\n    60 TXT x\n",
    "missing owner after $ORIGIN": HEAD + "a A 192.0.2.1\n$ORIGIN x.example.com.\n A 192.0.2.2\n",
    "odd white space": HEAD + "a \t A\t\t192.0.2.1 \t\n \t \n\n;\n  ; x\nb A 192.0.2.1;y\n",
    "semicolons": HEAD + 'a TXT x;y\nb TXT "x;y"\nc TXT x\\;y\n',
    # Ends of lines and of files
    "crlf": HEAD.replace("\n", "\r\n") + "a A 192.0.2.1\r\n\r\n",
    "cr cr lf": HEAD.replace("\n", "\r\r\n"),
    "a cr alone": HEAD + "a A 192.0.2.1\rb A 192.0.2.2\n",
    "nothing but cr": HEAD.replace("\n", "\r"),
    "a cr in a comment": HEAD + "; x\ra A 192.0.2.1\nb A 192.0.2.2\n",
    "no final newline": HEAD + "a A 192.0.2.1",
    "no final newline, parentheses": HEAD + "a MX ( 10 b )",
    "no final newline, quotes": HEAD + 'a TXT "x"',
    "a comment at the end": HEAD + "a A 192.0.2.1\n; x",
    "white space at the end": HEAD + "a A 192.0.2.1\n ",
    "byte order mark": "\ufeff" + HEAD,
    # Escapes, strings, names
    "escapes in names": HEAD + "a\\.b A 192.0.2.1\n\\099 A 192.0.2.2\nx\\ y A 192.0.2.3\n\\000z A 192.0.2.4\n",
    "escapes in strings": HEAD + 't TXT a\\"b "c\\"d" \\;x "\\010" x\\032y x\\ z "\\\\" w\n',
    "a backslash escaped at the end of a word": HEAD + "t TXT x\\\\ y\n",
    "long text": HEAD + 't TXT "%s" "%s"\n' % ("x" * 255, "y" * 254),
    "much text": HEAD + "t TXT %s\n" % " ".join(['"%s"' % ("y" * 255)] * 200),
    "empty text": HEAD + 't TXT ""\nu TXT "" ""\n',
    "a tab in a string": HEAD + 't TXT "x\ty"\n',
    "strings that touch": HEAD + 't TXT "a""b"\n',
    "a string that touches a word": HEAD + 't TXT "a"b\nu TXT a"b"\n',
    "an owner in quotes": HEAD + '"q" A 192.0.2.1\n',
    "utf-8": HEAD + 't TXT "gr\u00fc\u00df"\n',
    "at sign": HEAD + "$ORIGIN sub.example.com.\n@ A 192.0.2.1\nw CNAME @\n\\@ A 192.0.2.2\n",
    "owners like types": HEAD + "A A 192.0.2.1\nMX MX 10 MX\nIN IN A 192.0.2.1\n60 A 192.0.2.2\n",
    "upper and lower case": HEAD + "AbC A 192.0.2.1\naBc A 192.0.2.2\nabc CAA 0 issue X\n",
    "longest name": HEAD + LONG_NAME + " A 192.0.2.1\n" + "x" * 63 + " A 192.0.2.1\n",
    # Directives
    "two $TTL": HEAD + "$TTL 5\na A 192.0.2.1\n$ttl 6\nb A 192.0.2.1\n$TTL ( 7 ) ; c\nc A 192.0.2.1\n",
    "origins": HEAD + "$ORIGIN a.example.com.\nx A 192.0.2.1\n$origin com. ; c\ny.example A 192.0.2.2\n$ORIGIN .\nx.example.com A 192.0.2.3\n",
    "origin outside": HEAD + "$ORIGIN example.org.\na.example.com. A 192.0.2.1\n",
    "relative origin": HEAD + "$ORIGIN b\nx A 192.0.2.2\n",
    "origin @": HEAD + "$ORIGIN sub.example.com.\n$ORIGIN @\na A 192.0.2.1\n",
    "$GENERATE": HEAD + "$GENERATE 1-3 h$ A 192.0.2.$\n",
    # TTL, class, type, numbers
    "class and TTL": HEAD + "a IN 60 A 192.0.2.1\nb 60 IN A 192.0.2.1\nc in a 192.0.2.1\nd IN 1h30m Mx 10 b\n",
    "class by number": HEAD + "a CLASS1 A 192.0.2.1\n",
    "units": "$TTL 1D2h3m4s\n@ 1w SOA ns1 h 1 2h 15M 2W 5m\n@ NS ns1\nns1 1h30m A 192.0.2.1\na 1d1d A 192.0.2.1\n",
    "no TTL": BARE,
    "no $TTL": "@ 77 SOA ns1 h 1 2 3 4 5\n@ 66 NS ns1\nns1 88 A 192.0.2.1\nb A 192.0.2.2\n",
    "$TTL after a TTL": "$TTL 5\n@ 77 SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 88 A 192.0.2.1\nb A 192.0.2.2\n",
    "TTLs that differ": HEAD + "a 5 A 192.0.2.1\na 6 A 192.0.2.2\n",
    "TTLs that differ, the lower last": HEAD + "a 6 A 192.0.2.1\na 5 A 192.0.2.2\n",
    "numbers at limits": HEAD + "a 2147483647 MX 65535 b\nb 0 SRV 0 65535 65535 b\nc 0060 CAA 255 issue x\nd TYPE65535 \\# 1 00\n",
    "TTL over 2^31": HEAD + "a 2147483648 A 192.0.2.1\nb 4294967295 A 192.0.2.1\n",
    "timers at limits": "$TTL 60\n@ SOA ns1 h 4294967295 2147483647 2147483647 2147483647 2147483647\n@ NS ns1\nns1 A 192.0.2.1\n",
    "timers over 2^31": "$TTL 60\n@ SOA ns1 h 1 4294967295 2 4294967295 5\n@ NS ns1\nns1 A 192.0.2.1\n",
    "unknown type": HEAD + "a TYPE65280 \\# 4 0a000001\nb TYPE1 \\# 4 0A000001\nc A \\# 4 0a 00 00 01\nd type65280 \\# 0\ne CNAME \\# 3 016100\n",
    "unknown type, the apex": "$TTL 60\n@ SOA \\# 22 00 00 00000001 00000002 00000003 00000004 00000005\n@ NS ns1\nns1 A 192.0.2.1\n",
    "unknown type, single digits": HEAD + "a TYPE65280 \\# 2 0 1 0 2\n",
    "hexadecimal in odd pieces": HEAD + "a NS ns1\na DS 1 8 2 000 %s\n" % ("0" * 61),
    "addresses": HEAD + "a AAAA ::ffff:192.0.2.1\nb AAAA 2001:DB8::\nc MX 10 192.0.2.1\n",
    "twice the same": HEAD + "a A 192.0.2.1\na A 192.0.2.1\nA A 192.0.2.1\n",
    "time after 2106": HEAD + "ns1 RRSIG A 8 3 3600 21070601000000 20260101000000 5 example.com. AAAA\n",
    "time before 1970": HEAD + "ns1 RRSIG A 8 3 3600 19690201000000 19690101000000 5 example.com. AAAA\n",
    "time as a number": HEAD + "ns1 RRSIG A 8 3 3600 1893456000 1 5 example.com. AAAA\n",
    "signature with a TTL of its own": HEAD + "ns1 60 RRSIG A 8 3 3600 20300101000000 20260101000000 5 example.com. AAAA\n",
    "digests of others": HEAD + "@ ZONEMD 1 1 240 e2d523f654b9422a96c5a8f44607bbee\n",
    "digests of others, a known hash": HEAD + "@ ZONEMD 1 241 1 e1846540e33a9e4189792d18d5d131f605fc283e\n",
    "old types": HEAD + "a WKS 192.0.2.1 TCP 25 80\nb ISDN \"1\"\nc X25 \"3110\"\nd MB ns1\n",
    # Records that NSD 4.12 misreads; zone_writer.py leaves them out where it is there
    "keys without values, in any order": HEAD + "a SVCB 1 ns1 key65280=x key100\n",
    "no-default-alpn, in any order": HEAD + "a SVCB 1 ns1 port=3 alpn=h2 no-default-alpn\n",
    "a port that is mandatory anyway": HEAD + "a HTTPS 1 ns1 mandatory=port port=3\n",
    "long prefixes": HEAD + "a APL 1:10.0.0.0/32 2:2001:db8::/99 2:2001:db8::/112 2:2001:db8::1/128\n",
    "octets of ATMA": HEAD + "a TYPE34 \\# 2 02aa\n",
    "octets of NSAP-PTR": HEAD + "a TYPE23 \\# 5 0361626300\n",
    "octets of AMTRELAY": HEAD + "a TYPE260 \\# 2 0a80\n",
    "octets of AMTRELAY, another gateway": HEAD + "a TYPE260 \\# 3 0a04aa\n",
    "octets of DLV": HEAD + "a TYPE32769 \\# 24 000105012bb183af5f22588179a53b0a98631fad1a292118\n",
    # The zone
    "soa not first": "$TTL 60\n@ NS ns1\nns1 A 192.0.2.1\n@ SOA ns1 h 1 2 3 4 5\n",
    "the soa twice": HEAD + "@ SOA ns1 hostmaster 1 7200 900 1209600 300\n",
    "no glue": HEAD + "sub NS ns.sub\n",
    "target missing": HEAD + "sub NS ns9\n",
    "a ds without a delegation": HEAD + "a DS 1 8 2 %s\n" % ("0" * 64),
    "delegation of a wildcard": HEAD + "*.w NS ns1\n",
    "a server like an address": HEAD + "a NS 192.0.2.1\n",
}
REFUSED = {
    "open quote": HEAD + 't TXT "a\n',
    "a string over two lines": HEAD + 't TXT "x\ny"\n',
    "open parenthesis": HEAD + "t TXT ( a\n",
    "hash comment": HEAD + "# a comment\n",
    "octet 0": HEAD + "t TXT x\0y\n",
    "form feed": HEAD + "a A 192.0.2.1\f\n",
    "control z": HEAD + "\x1a",
    "no owner yet": "$TTL 60\n SOA ns1 h 1 2 3 4 5\n NS ns1\nns1 A 192.0.2.1\n",
    "unknown directive": HEAD + "$FOO x\n",
    "directive without its word": HEAD + "$TTL\n",
    "directive with a word too many": HEAD + "$ORIGIN x.example.com. y\n",
    "directive behind white space": HEAD + " $ORIGIN x.example.com.\n",
    "escape too large": HEAD + "t\\256 A 192.0.2.1\n",
    "escape too short": HEAD + "a\\1 A 192.0.2.1\n",
    "too long text": HEAD + 't TXT "%s"\n' % ("x" * 256),
    "too much text": HEAD + "t TXT %s\n" % " ".join(['"%s"' % ("y" * 255)] * 257),
    "no text": HEAD + "t TXT\n",
    "a name in quotes": HEAD + 'a CNAME "b"\n',
    "an empty label": HEAD + "a..b A 192.0.2.1\n",
    "label too long": HEAD + "x" * 64 + " A 192.0.2.1\n",
    "name too long": HEAD + LONG_NAME + "yyy A 192.0.2.1\n",
    "bad address": HEAD + "a A 192.0.2\n",
    "leading zeros in an address": HEAD + "a A 192.000.002.001\n",
    "a word too many": HEAD + "a A 192.0.2.1 192.0.2.2\n",
    "two TTLs": HEAD + "a 5 6 A 192.0.2.1\n",
    "two classes": HEAD + "a IN IN A 192.0.2.1\n",
    "another class": HEAD + "a CH A 192.0.2.1\n",
    "TTL over 2^32": HEAD + "a 4294967296 A 192.0.2.1\n",
    "TTL with half a unit": HEAD + "a 1h30 A 192.0.2.1\n",
    "serial over 2^32": "$TTL 60\n@ SOA ns1 h 4294967296 2 2 4 5\n@ NS ns1\nns1 A 192.0.2.1\n",
    "16 bits too large": HEAD + "a MX 65536 b\n",
    "8 bits too large": HEAD + "a CAA 256 issue x\n",
    "type over 2^16": HEAD + "a TYPE65536 \\# 1 00\n",
    "type 0": HEAD + "a TYPE0 \\# 1 00\n",
    "type 255": HEAD + "a TYPE255 \\# 1 00\n",
    "unknown type of a wrong length": HEAD + "a TYPE65280 \\# 5 0a000001\n",
    "unknown type, half an octet": HEAD + "a TYPE65280 \\# 2 010\n",
    "known type of a wrong length": HEAD + "a A \\# 3 000000\n",
    "text without a string": HEAD + "a TXT \\# 0\n",
    "time of no day": HEAD + "ns1 RRSIG A 8 3 3600 20301301000000 20260101000000 5 example.com. AAAA\n",
    "digest too short for its hash": HEAD + "@ ZONEMD 1 1 1 e2d523f654b9422a96c5a8f44607bbee\n",
    "no soa": "$TTL 60\n@ NS ns1\nns1 A 192.0.2.1\n",
    "two soa": HEAD + "@ SOA ns1 hostmaster 2 7200 900 1209600 300\n",
    "soa of another name": HEAD + "a SOA ns1 h 1 2 3 4 5\n",
    "no ns": "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n",
    "out of zone": HEAD + "a.example.org. A 192.0.2.1\n",
    "cname and other": HEAD + "a CNAME b\na A 192.0.2.1\n",
    "two cname": HEAD + "a CNAME b\na CNAME c\n",
    "below a dname": HEAD + "a DNAME x.\nb.a A 192.0.2.1\n",
}
# Who does otherwise than we do, and the section of differences.md that says why.  "nsd<4.12": NSD before that release only.
DIFFERENCES = {
    "parenthesis behind a word": ("parentheses", "knot"),
    "parenthesis at the start": ("parentheses", "nsd<4.12 knot"),
    "parenthesis before the owner's line": ("parentheses", "nsd<4.12 knot"),
    "parenthesis for an owner left out": ("parentheses", "nsd<4.12"),
    "parentheses without white space": ("parentheses", "nsd<4.12"),
    "parentheses in parentheses": ("parentheses", "nsd knot"),
    "open parenthesis": ("parentheses", "nsd<4.12"),
    "odd.example": ("parentheses", "nsd knot"),
    "crlf": ("line ends", "knot"),
    "cr cr lf": ("line ends", "knot"),
    "a cr alone": ("line ends", "nsd>=4.12 knot"),
    "nothing but cr": ("line ends", "nsd>=4.12 knot"),
    "dos.example": ("line ends", "knot"),
    "return.example": ("line ends", "bind nsd knot"),
    "byte order mark": ("line ends", "bind nsd knot"),
    "a string over two lines": ("a string over two lines", "nsd"),
    "a backslash escaped at the end of a word": ("escapes", "nsd<4.12"),
    "escape too large": ("escapes", "nsd<4.12 knot"),
    "escape too short": ("escapes", "nsd<4.12"),
    "strings that touch": ("quotes", "knot"),
    "a string that touches a word": ("quotes", "knot"),
    "an owner in quotes": ("quotes", "nsd>=4.12 knot"),
    "a name in quotes": ("quotes", "nsd<4.12"),
    "utf-8": ("quotes", "knot"),
    "octet 0": ("quotes", "nsd"),
    "too long text": ("too long text", "knot"),
    "no text": ("no text", "nsd>=4.12"),
    "relative origin": ("relative origin", "nsd knot"),
    "origin @": ("relative origin", "nsd>=4.12 knot"),
    "included.example": ("relative origin", "nsd knot"),
    "two $TTL": ("directives and units", "nsd>=4.12"),
    "origins": ("directives and units", "nsd>=4.12"),
    "class and TTL": ("directives and units", "nsd>=4.12"),
    "units": ("directives and units", "nsd>=4.12"),
    "classes.example": ("directives and units", "nsd>=4.12"),
    "$GENERATE": ("generate", "nsd knot"),
    "2.0.192.in-addr.arpa": ("generate", "nsd knot"),
    "no owner yet": ("no owner yet", "nsd<4.12"),
    "no TTL": ("no ttl", "nsd knot"),
    "no $TTL": ("no ttl", "nsd<4.12 knot"),
    "minimum.example": ("no ttl", "nsd knot"),
    "previous.example": ("no ttl", "bind nsd<4.12 knot"),
    "TTLs that differ": ("ttls that differ", "knot"),
    "TTLs that differ, the lower last": ("ttls that differ", "bind"),
    "arm.example": ("ttls that differ", "bind"),
    "crowded.example": ("ttls that differ", "bind knot"),
    "signature with a TTL of its own": ("ttls that differ", "knot"),
    "TTL over 2^31": ("numbers", "nsd"),
    "timers over 2^31": ("numbers", "nsd"),
    "TTL over 2^32": ("numbers", "nsd<4.12"),
    "TTL with half a unit": ("numbers", "nsd"),
    "serial over 2^32": ("numbers", "nsd<4.12"),
    "16 bits too large": ("numbers", "nsd<4.12"),
    "8 bits too large": ("numbers", "nsd<4.12"),
    "class by number": ("unknown types and classes", "knot"),
    "unknown type, single digits": ("unknown types and classes", "knot"),
    "hexadecimal in odd pieces": ("unknown types and classes", "knot"),
    "unknown type of a wrong length": ("unknown types and classes", "nsd<4.12"),
    "unknown type, half an octet": ("unknown types and classes", "nsd>=4.12"),
    "text without a string": ("unknown types and classes", "nsd<4.12"),
    "type 0": ("unknown types and classes", "nsd>=4.12 knot"),
    "type 255": ("unknown types and classes", "nsd knot"),
    "old types": ("unknown types and classes", "knot"),
    "keys without values, in any order": ("records that nsd misreads", "nsd>=4.12"),
    "no-default-alpn, in any order": ("records that nsd misreads", "nsd>=4.12"),
    "a port that is mandatory anyway": ("records that nsd misreads", "nsd>=4.12"),
    "long prefixes": ("records that nsd misreads", "nsd>=4.12"),
    "octets of ATMA": ("records that nsd misreads", "nsd>=4.12"),
    "octets of NSAP-PTR": ("records that nsd misreads", "nsd>=4.12"),
    "octets of AMTRELAY": ("records that nsd misreads", "nsd>=4.12"),
    "octets of AMTRELAY, another gateway": ("records that nsd misreads", "nsd>=4.12"),
    "octets of DLV": ("records that nsd misreads", "nsd>=4.12"),
    "time before 1970": ("times", "nsd>=4.12 knot"),
    "time as a number": ("times", "nsd<4.12"),
    "digests of others, a known hash": ("zonemd", "bind nsd>=4.12"),
    "digest too short for its hash": ("zonemd", "nsd<4.12 knot"),
    "the soa twice": ("one soa", "nsd"),
    "two soa": ("one soa", "knot<3.4"),
    "soa of another name": ("one soa", "knot"),
    "no ns": ("no ns", "nsd knot"),
    "out of zone": ("out of zone", "bind knot"),
    "foreign.example": ("out of zone", "bind"),
    "below a dname": ("below a dname", "bind"),
    "delegation of a wildcard": ("delegations that bind refuses", "bind"),
    "a ds without a delegation": ("delegations that bind refuses", "bind>=9.20"),
    "a server like an address": ("delegations that bind refuses", "bind<9.20"),
}


def section_texts():
    with open(os.path.join(HERE, "differences.md")) as f:
        return f.read().split("# Zone files", 1)[1]


@pytest.fixture(scope="module")
def judges(need, bindir, tmp_path_factory):
    need("named-compilezone", "nsd-checkzone", "knotd", "knotc")
    work = str(tmp_path_factory.mktemp("texts"))
    shutil.copytree(os.path.join(STYLES, "parts"), os.path.join(work, "parts"))
    together = zone_judges.Judges(bindir, work, ["example.com", *STYLE_FILES])
    yield together
    together.end()


def others(said):
    """{peer: how it differs from us}"""
    good, ours, _ = said["ours"]
    found = {}
    for peer in zone_judges.PEERS:
        theirs, records, words = said[peer]
        if theirs != good:
            found[peer] = "%s says %s, we %s: %s%s" % (peer, theirs, good, words, said["ours"][2])
        elif records != ours:
            found[peer] = "records of %s that we have not, and of ours:\n%s\n%s" % (peer, sorted(records - ours)[:9], sorted(ours - records)[:9])
    return found


def allowed(peers, releases):
    """{peer} of "nsd<4.12 knot", where these are the releases."""
    found = set()
    for peer, relation, release in re.findall(r"(\w+)(?:(<|>=)(\S+))?", peers):
        before = relation and releases[peer] < zone_judges.release_of(release)
        if not relation or before == (relation == "<"):
            found.add(peer)
    return found


def test_a_difference_is_of_a_release():
    for nsd, found in (((4, 6, 1), {"nsd", "bind"}), ((4, 11), {"nsd", "bind"}), ((4, 12), {"bind"}), ((5, 0), {"bind"})):
        assert allowed("nsd<4.12 bind", {"nsd": nsd, "bind": (9, 18)}) == found
        assert allowed("bind nsd>=4.12", {"nsd": nsd, "bind": (9, 18)}) == {"nsd", "bind"} ^ found ^ {"bind"}


def compare(judges, what, said):
    section, peers = DIFFERENCES.get(what, (None, ""))
    found = others(said)
    unexpected = set(found) - allowed(peers, judges.releases)
    assert not unexpected, "%s\n%s" % (section, "\n".join(found.values()))


@pytest.mark.parametrize("what", [*TAKEN, *REFUSED])
def test_corners(judges, what):
    said = judges.look((TAKEN.get(what) or REFUSED[what]).encode())
    assert said["ours"][0] == (what in TAKEN), said["ours"][2]
    compare(judges, what, said)


@pytest.mark.parametrize("name", STYLE_FILES)
def test_styles(judges, name):
    with open(os.path.join(STYLES, name), "rb") as f:
        said = judges.look(f.read(), name)
    assert said["ours"][0] == (name != "foreign.example"), said["ours"][2]
    compare(judges, name, said)


def plain_for(newline, text, releases):
    """{peer: the text that it reads instead}: with LF in the place of its line ends (differences.md, "line ends"), and
    as NSD 4.12 reads directives and TTLs ("directives and units")."""
    found = {"\n": {}, "\r\n": {"knot": text}, "\r": dict.fromkeys(zone_judges.PEERS, text)}[newline]
    found = {peer: theirs.encode() for peer, theirs in found.items()}
    if releases["nsd"] >= (4, 12):
        theirs = re.sub(r"^\$(ttl|origin)", lambda m: m[0].upper(), text, flags=re.M)
        theirs = re.sub(r"^\$TTL 1d12h", "$TTL 36h", theirs, flags=re.M)
        found["nsd"] = (theirs if newline == "\r" else theirs.replace("\n", newline)).encode()
    return found


def pytest_generate_tests(metafunc):
    if "first_seed" in metafunc.fixturenames:
        options = metafunc.config.getoption
        metafunc.parametrize("first_seed, zones", [(options("--seed") or 0, options("--zones") or GENERATED)])


def test_generated(judges, first_seed, zones):
    compared, failures = 0, []
    for seed in range(first_seed, first_seed + zones):
        name = STYLE_FILES[seed % len(STYLE_FILES)]
        with open(os.path.join(STYLES, name), newline="") as f:
            style = zone_writer.Style(f.read())
        text = zone_writer.Writer(seed, style, zone_writer.avoided_by(judges.releases)).text()
        said = judges.look(text.replace("\n", style.newline).encode(), plain=plain_for(style.newline, text, judges.releases))
        found = others(said)
        compared += all(said[peer][0] for peer in zone_judges.PEERS)
        if found or not said["ours"][0]:
            failures.append("seed %d, style %s\n%s%s\n%s" % (seed, name, said["ours"][2], "\n".join(found.values()), text))
    assert not failures, "%d of %d zones\n%s" % (len(failures), zones, "\n\n".join(failures[:3]))
    assert compared >= zones * 0.9  # with all three


def test_every_difference_is_seen():
    """A section that no corner leads to is out of date."""
    assert set(re.findall(r"^### (.*)$", section_texts(), re.M)) == {section for section, _ in DIFFERENCES.values()}
