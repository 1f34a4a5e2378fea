"""What clients of dynamic DNS send in their lives, message by message, as their sources have it: those that Debian does not have, and
dhcpd, which wants an interface with somebody to lease to (its messages were kept by update_relay.py from a run of it).

A life is a list of steps.  A step is (RCODE, message), or a question "NAME TYPE", whose answer must be the same everywhere.  A message
has a line for each record, in the order in which the client has them:

    yes NAME [TYPE [RDATA]]     prerequisite: the name, the RRset, the RRset with these data is there
    no NAME [TYPE]              prerequisite: it is not there
    add NAME TTL TYPE RDATA     del NAME [TYPE [RDATA]]
"""
ONE, OTHER = "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=", "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No="
HERITAGE = '"heritage=external-dns,external-dns/owner=default,external-dns/resource=service/default/shop"'


class Lease:
    """What ISC dhcpd sends for a name and an address: the messages of dhcpd 4.4.3 as it sent them, with names and marks of ours.
    `mark`: "TYPE RDATA" that says whose the name is."""

    def __init__(self, mark, name="laptop", address="192.0.2.50", kind="A"):
        put, record = "add %s 300 %s %s" % (name, kind, address), "%s %s %s" % (name, kind, address)
        mark_it, mark_type = "add %s 300 %s" % (name, mark), "%s %s" % (name, mark.split(" ")[0])
        replace, empty = "del %s %s\n%s" % (name, kind, put), "no %s A\nno %s AAAA\n" % (name, name)
        self.first = "no %s\n%s\n%s" % (name, put, mark_it)
        self.mine = "yes %s %s\n%s" % (name, mark, replace)
        self.remove, self.forget = "yes %s %s\ndel %s" % (name, mark, record), empty + "del %s %s" % (name, mark)
        # update-conflict-detection off: whoever has it
        self.anyhow = "del %s\n%s\n%s" % (mark_type, mark_it, replace)
        self.remove_anyhow, self.forget_anyhow = "del " + record, empty + "del " + mark_type
        # ddns-guard-id-must-match off: anybody who is dynamic
        self.dynamic, self.remove_dynamic = "yes %s\n%s" % (mark_type, replace), "yes %s\ndel %s" % (mark_type, record)
        # ddns-dual-stack-mixed-mode: the other family's server marks in the other way
        self.mixed = "no %s %s\nno %s\nyes %s TXT\n%s\n%s" % (name, kind, mark_type, name, put, mark_it)


def pointer(n, name="laptop"):
    return "del %d.rev PTR\nadd %d.rev 300 PTR %s" % (n, n, name)


def dhcpd(mark, others):
    """A lease, its renewal with the same and with another address, somebody else who wants the name, IPv6 beside it, the end."""
    lease, moved, other = Lease(mark), Lease(mark, address="192.0.2.51"), Lease(others, address="192.0.2.60")
    six, printer = Lease(mark, address="2001:db8::50", kind="AAAA"), Lease(mark, name="www", address="192.0.2.61")
    return [
        ("NOERROR", lease.first), ("NOERROR", pointer(50)), "laptop A", "laptop DHCID", "laptop TXT",
        ("YXDOMAIN", lease.first), ("NOERROR", lease.mine), ("NOERROR", pointer(50)),
        ("NOERROR", moved.mine), ("NOERROR", "del 50.rev PTR"), ("NOERROR", pointer(51)), "laptop A",
        ("YXDOMAIN", other.first), ("NXRRSET", other.mine), ("NXRRSET", other.remove), ("YXRRSET", other.forget), "laptop A",
        ("YXDOMAIN", six.first), ("NOERROR", six.mine), "laptop AAAA",
        ("YXDOMAIN", printer.first), ("NXRRSET", printer.mine), "www A",
        ("NOERROR", moved.remove), ("YXRRSET", moved.forget), ("NOERROR", "del 51.rev PTR"), ("NXRRSET", other.remove),
        ("NOERROR", six.remove), ("NOERROR", six.forget), ("NXRRSET", six.remove), ("NOERROR", six.forget), "laptop A",
        ("NOERROR", other.first), ("NOERROR", pointer(60)), "laptop A",  # the name is free for the other one
    ]


STANDARD, STANDARD_OTHER = "DHCID " + ONE, "DHCID " + OTHER
INTERIM, INTERIM_OTHER = 'TXT "001be60a3ee004a248a09616c6b863f56a"', 'TXT "00f2311656ad935ea97f34c6f97780d142"'
FOUR, THEIRS = Lease(STANDARD), Lease(STANDARD_OTHER, address="192.0.2.60")
SIX, BY_HAND = Lease(INTERIM, address="2001:db8::50", kind="AAAA"), Lease(STANDARD_OTHER, name="www", address="192.0.2.60")

LIVES = {
    # ISC dhcpd: ddns-update-style standard has DHCID records, interim has TXT records; neither touches what was made by hand
    "dhcpd-standard": dhcpd(STANDARD, STANDARD_OTHER),
    "dhcpd-interim": dhcpd(INTERIM, INTERIM_OTHER),
    "dhcpd-without-conflict-detection": [
        ("NOERROR", FOUR.first), ("YXDOMAIN", FOUR.first), ("NOERROR", FOUR.anyhow), ("NOERROR", pointer(50)),
        ("YXDOMAIN", THEIRS.first), ("NOERROR", THEIRS.anyhow), ("NOERROR", pointer(60)), "laptop A", "laptop DHCID",
        ("NOERROR", FOUR.remove_anyhow), ("YXRRSET", FOUR.forget_anyhow), ("NOERROR", THEIRS.remove_anyhow), ("NOERROR", THEIRS.forget_anyhow),
        "laptop A", ("NOERROR", BY_HAND.anyhow), "www A", ("NOERROR", BY_HAND.remove_anyhow), ("NOERROR", BY_HAND.forget_anyhow), "www A",
    ],
    "dhcpd-without-matching-guard": [
        ("NOERROR", FOUR.first), ("YXDOMAIN", THEIRS.first), ("NOERROR", THEIRS.dynamic), "laptop A", "laptop DHCID",
        ("NXRRSET", BY_HAND.dynamic), ("NXRRSET", BY_HAND.remove_dynamic),
        ("NOERROR", THEIRS.remove_dynamic), ("NOERROR", THEIRS.forget_anyhow), ("NXRRSET", THEIRS.remove_dynamic), "laptop A",
    ],
    "dhcpd-dual-stack-mixed": [
        ("NOERROR", SIX.first), ("YXDOMAIN", FOUR.first), ("NXRRSET", FOUR.mine), ("NOERROR", FOUR.mixed), "laptop A", "laptop AAAA", "laptop TXT",
        ("YXRRSET", THEIRS.mixed), ("NOERROR", FOUR.mine), ("NOERROR", SIX.mine), ("NOERROR", SIX.remove), ("YXRRSET", SIX.forget),
        ("NOERROR", FOUR.remove), ("NOERROR", FOUR.forget), ("NOERROR", SIX.forget), "laptop A",
    ],
    # external-dns with its TXT registry: all that is new in one message, old and new values of what changes in one, all that goes in one
    "external-dns": [
        ("NOERROR", "add shop 300 A 192.0.2.10\nadd shop 300 A 192.0.2.11\nadd shop 0 TXT %s\nadd a-shop 0 TXT %s\n"
                    "add blog 0 CNAME shop\nadd cname-blog 0 TXT %s" % (HERITAGE, HERITAGE, HERITAGE)),
        "shop A", "shop TXT", "blog A",
        ("NOERROR", "del shop A 192.0.2.10\ndel shop A 192.0.2.11\nadd shop 300 A 192.0.2.11\nadd shop 300 A 192.0.2.12\n"
                    "del shop TXT %s\nadd shop 0 TXT %s\ndel a-shop TXT %s\nadd a-shop 0 TXT %s" % ((HERITAGE,) * 4)),
        "shop A", "shop TXT",
        ("NOERROR", "del blog CNAME shop\nadd blog 0 CNAME www\ndel cname-blog TXT %s\nadd cname-blog 0 TXT %s" % (HERITAGE, HERITAGE)),
        "blog A",
        # another TTL is another value of the same record
        ("NOERROR", "del shop A 192.0.2.11\ndel shop A 192.0.2.12\nadd shop 60 A 192.0.2.11\nadd shop 60 A 192.0.2.12"), "shop A",
        ("NOERROR", "del shop A 192.0.2.11\ndel shop A 192.0.2.12\ndel shop TXT %s\ndel a-shop TXT %s\n"
                    "del blog CNAME www\ndel cname-blog TXT %s" % ((HERITAGE,) * 3)),
        "shop A", "blog A",
        # the same once more, after a crash before it was remembered
        ("NOERROR", "del shop A 192.0.2.11\ndel shop A 192.0.2.12\ndel shop TXT %s" % HERITAGE),
    ],
    # earlier releases, a message for each record set; and the old values of another batch, which are not there
    "external-dns-one-by-one": [
        ("NOERROR", "add shop 0 A 192.0.2.10"), ("NOERROR", "add shop 0 TXT " + HERITAGE), ("NOERROR", "add *.apps 0 A 192.0.2.10"),
        ("NOERROR", "add wildcard.apps 0 TXT " + HERITAGE), "any.apps A", "wildcard.apps TXT",
        ("NOERROR", "del shop A 192.0.2.99\nadd shop 0 A 192.0.2.11"), "shop A",
        ("NOERROR", "del shop A 192.0.2.10"), ("NOERROR", "add shop 0 A 192.0.2.11"), "shop A",
        # from an address to an alias: what is deleted first makes the place
        ("NOERROR", "del shop A 192.0.2.11\ndel shop TXT %s\nadd shop 0 CNAME www" % HERITAGE), "shop A",
        ("NOERROR", "add shop 0 A 192.0.2.11"), "shop A",
        ("NOERROR", "del shop CNAME www\nadd shop 0 A 192.0.2.11"), "shop A",
        ("NOERROR", "del *.apps A 192.0.2.10"), ("NOERROR", "del wildcard.apps TXT " + HERITAGE), "any.apps A",
        # a zone that is handed on, with --managed-record-types=NS
        ("NOERROR", "add dev 0 NS ns1.example.org.\nadd dev 0 NS ns2.example.org."), ("NOERROR", "del dev NS ns1.example.org.\ndel dev NS ns2.example.org."),
    ],
    # terraform, hashicorp/dns: a set is created by additions, changed by its difference (deletions first), read again each time, destroyed
    # as an RRset, imported by asking for the SOA of each name above
    "terraform": [
        ("NOERROR", "add app 3600 A 192.0.2.20\nadd app 3600 A 192.0.2.21"), "app A",
        ("NOERROR", "del app A 192.0.2.20\nadd app 3600 A 192.0.2.22"), "app A",
        ("NOERROR", "add app 3600 AAAA 2001:db8::20"), "app AAAA",
        ("NOERROR", "add @ 3600 MX 10 mx.example.net.\nadd @ 3600 MX 20 mx2.example.net."), "@ MX",
        ("NOERROR", 'add @ 3600 TXT "v=spf1 -all"\nadd @ 3600 TXT "two" "strings"'), "@ TXT",
        ("NOERROR", "add _sip._tcp 3600 SRV 10 60 5060 app"), "_sip._tcp SRV",
        ("NOERROR", "del @ MX 20 mx2.example.net.\nadd @ 3600 MX 30 mx3.example.net."), "@ MX",
        # a record and a PTR: the whole of it anew
        ("NOERROR", "add docs 300 CNAME app"), "docs CNAME", ("NOERROR", "del docs CNAME\nadd docs 300 CNAME www"), "docs CNAME",
        ("NOERROR", "add 20.rev 300 PTR app"), ("NOERROR", "del 20.rev PTR\nadd 20.rev 300 PTR www"), "20.rev PTR",
        # a delegation, created, changed, destroyed
        ("NOERROR", "add team 300 NS ns1.team\nadd team 300 NS ns2.example.net."), "team NS", ("NOERROR", "add ns1.team 300 A 192.0.2.30"),
        ("NOERROR", "del team NS ns1.team\nadd team 300 NS ns3.example.net."), "team NS", ("NOERROR", "del team NS"), ("NOERROR", "del ns1.team A"),
        # another TTL: the set is destroyed and created
        ("NOERROR", "del app A"), ("NOERROR", "add app 60 A 192.0.2.21\nadd app 60 A 192.0.2.22"), "app A",
        # import and refresh
        "a.b.app SOA", "b.app SOA", "app SOA", "@ SOA", "alias SOA", "nothing A", "app TXT",
        ("NOERROR", "del app A"), ("NOERROR", "del app AAAA"), ("NOERROR", "del @ MX"), ("NOERROR", "del @ TXT"), ("NOERROR", "del _sip._tcp SRV"),
        ("NOERROR", "del docs CNAME"), ("NOERROR", "del 20.rev PTR"), ("NOERROR", "del app A"), "app A",
    ],
    # lego, and Traefik with it: the RRset is removed before the insertion, so that of two challenges at a name one is left
    "lego": [
        ("NOERROR", 'del _acme-challenge TXT\nadd _acme-challenge 120 TXT "one"'), "_acme-challenge TXT",
        ("NOERROR", 'del _acme-challenge TXT\nadd _acme-challenge 120 TXT "two"'), "_acme-challenge TXT",
        ("NOERROR", 'del _acme-challenge TXT "one"'), ("NOERROR", 'del _acme-challenge TXT "two"'), "_acme-challenge TXT",
    ],
    # cert-manager: a challenge is inserted, and deleted by its value; a second try finds it there
    "cert-manager": [
        ("NOERROR", 'add _acme-challenge.www 60 TXT "one"'), ("NOERROR", 'add _acme-challenge.www 60 TXT "one"'),
        ("NOERROR", 'add _acme-challenge.www 60 TXT "two"'), "_acme-challenge.www TXT",
        ("NOERROR", 'del _acme-challenge.www TXT "one"'), ("NOERROR", 'del _acme-challenge.www TXT "two"'),
        ("NOERROR", 'del _acme-challenge.www TXT "two"'), "_acme-challenge.www TXT",
    ],
}

# What shell scripts give to nsupdate: each text is one run.
SCRIPTS = {
    # acme.sh, dnsapi/dns_nsupdate.sh: the TXT RRset goes as a whole, so the second removal has nothing to remove
    "acme-sh": ['update add _acme-challenge.{zone}. 60 in txt "one"\nsend', 'update add _acme-challenge.{zone}. 60 in txt "two"\nsend',
                'update add _acme-challenge.www.{zone}. 60 in txt "three"\nsend', "update delete _acme-challenge.{zone}. txt\nsend",
                "update delete _acme-challenge.{zone}. txt\nsend", "update delete _acme-challenge.www.{zone}. txt\nsend"] * 2,
    # dehydrated's example of a hook: the value is deleted alone
    "dehydrated": ['update add _acme-challenge.{zone} 300 IN TXT "one"\nsend', 'update add _acme-challenge.{zone} 300 IN TXT "two"\nsend',
                   'update delete _acme-challenge.{zone} TXT "one"\nsend', 'update delete _acme-challenge.{zone} TXT "two"\nsend'] * 2,
    # with NSUPDATE_ZONE
    "acme-sh-zone": ['zone {zone}.\nupdate add _acme-challenge.{zone}. 60 in txt "one"\nsend',
                     "zone {zone}.\nupdate delete _acme-challenge.{zone}. txt\nsend"],
    # ddclient, protocol=nsupdate: all hosts of a zone in a message, each RRset replaced
    "ddclient": ["zone {zone}.\nupdate delete home.{zone}. %s\nupdate add home.{zone}. 600 %s %s\nupdate delete vpn.{zone}. %s\n"
                 "update add vpn.{zone}. 600 %s %s\nsend" % ((kind, kind, address) * 2)
                 for kind, address in (("A", "198.51.100.1"), ("A", "198.51.100.2"), ("A", "198.51.100.2"), ("AAAA", "2001:db8::1"))],
    # the manual page of nsupdate, and what routers make of it: prerequisites, several RRsets, an alias
    "nsupdate": ["update delete oldhost.{zone}. A\nupdate add newhost.{zone}. 86400 A 172.16.1.1\nsend",
                 "prereq nxdomain nickname.{zone}.\nupdate add nickname.{zone}. 86400 CNAME www.{zone}.\nsend",
                 "prereq yxrrset newhost.{zone}. A\nupdate delete newhost.{zone}.\nupdate add newhost.{zone}. 60 A 172.16.1.2\n"
                 "update add newhost.{zone}. 60 AAAA 2001:db8::2\nsend"],
}
# Once more, and the prerequisite does not hold.
REFUSED_SCRIPTS = {"nsupdate": "prereq nxdomain nickname.{zone}.\nupdate add nickname.{zone}. 86400 CNAME www.{zone}.\nsend"}
