"""What clients of dynamic DNS send in their lives, message by message, as their sources have it: those that Debian does not have, and
dhcpd, which wants an interface with somebody to lease to.

A life is a list of steps.  A step is (RCODE, message), or a question "NAME TYPE", whose answer must be the same everywhere.  A message
has a line for each record, in the order in which the client has them:

    yes NAME [TYPE [RDATA]]     prerequisite: the name, the RRset, the RRset with these data is there
    no NAME [TYPE]              prerequisite: it is not there
    add NAME TTL TYPE RDATA     del NAME [TYPE [RDATA]]
"""
ONE, OTHER = "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=", "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No="
HERITAGE = '"heritage=external-dns,external-dns/owner=default,external-dns/resource=service/default/shop"'


def dhcpd_forward(mark, *, name="laptop", address="192.0.2.50", kind="A"):
    """The two tries of RFC 4703 5.3.1 and 5.3.2, and the two steps of 5.5.  `mark`: "TYPE RDATA" that says whose the name is."""
    first = "no %s\nadd %s 300 %s %s\nadd %s 300 %s" % (name, name, kind, address, name, mark)
    second = "yes %s %s\ndel %s %s\nadd %s 300 %s %s" % (name, mark, name, kind, name, kind, address)
    remove = "yes %s %s\ndel %s %s %s" % (name, mark, name, kind, address)
    forget = "yes %s %s\nno %s A\nno %s AAAA\ndel %s %s" % (name, mark, name, name, name, mark)
    return first, second, remove, forget


def dhcpd(mark, others):
    """A lease, its renewal with the same and with another address, somebody else who wants the name, IPv6 beside it, the end."""
    first, second, _, _ = dhcpd_forward(mark)
    _, moved, remove, forget = dhcpd_forward(mark, address="192.0.2.51")
    theirs, theirs_again, their_remove, _ = dhcpd_forward(others, address="192.0.2.60")
    _, six, six_remove, _ = dhcpd_forward(mark, address="2001:db8::50", kind="AAAA")
    _, _, _, their_forget = dhcpd_forward(others)
    printer, printer_again, _, _ = dhcpd_forward(mark, name="www", address="192.0.2.61")
    return [
        ("NOERROR", first), ("NOERROR", "del 50.rev PTR\nadd 50.rev 300 PTR laptop"), "laptop A", "laptop DHCID", "laptop TXT",
        ("YXDOMAIN", first), ("NOERROR", second), ("NOERROR", "del 50.rev PTR\nadd 50.rev 300 PTR laptop"),
        ("YXDOMAIN", first), ("NOERROR", moved), ("NOERROR", "del 50.rev PTR"), ("NOERROR", "del 51.rev PTR\nadd 51.rev 300 PTR laptop"),
        ("YXDOMAIN", theirs), ("NXRRSET", theirs_again), ("NXRRSET", their_remove), "laptop A",
        ("YXRRSET", their_forget),  # prerequisites with data are looked at last (RFC 2136 3.2.5)
        ("NOERROR", six), "laptop AAAA",
        ("YXDOMAIN", printer), ("NXRRSET", printer_again), "www A",
        ("NOERROR", remove), ("YXRRSET", forget), ("NOERROR", "del 51.rev PTR"), ("NXRRSET", remove.replace(mark, others)),
        ("NOERROR", six_remove), ("NOERROR", forget), ("NXRRSET", forget), "laptop A",
        ("NOERROR", theirs), "laptop A",  # the name is free for the other one
    ]


LIVES = {
    # ISC dhcpd: ddns-update-style standard has DHCID records, interim has TXT records; both check, and neither touches what was made by hand
    "dhcpd-standard": dhcpd("DHCID " + ONE, "DHCID " + OTHER),
    "dhcpd-interim": dhcpd('TXT "31b8a9e1c8d1fbd4fe8a3b8b0e5b8a8a1f"', 'TXT "0063a9e1c8d1fbd4fe8a3b8b0e5b8a8a1f"'),
    # update-conflict-detection off: the RRset is replaced, whoever has it
    "dhcpd-without-conflict-detection": [
        ("NOERROR", "del laptop A\nadd laptop 300 A 192.0.2.50\ndel laptop DHCID\nadd laptop 300 DHCID " + ONE),
        ("NOERROR", "del laptop A\nadd laptop 300 A 192.0.2.60\ndel laptop DHCID\nadd laptop 300 DHCID " + OTHER),
        "laptop A", "laptop DHCID",
        ("NOERROR", "del laptop A 192.0.2.50"), ("NOERROR", "del laptop A 192.0.2.60"),
        ("NOERROR", "no laptop A\nno laptop AAAA\ndel laptop DHCID"), "laptop A",
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
    # before 0.8, and where the old values of another batch are taken: each record set in a message of its own, deletions of what is not there
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
    # lego before 4.10, Caddy and Traefik with it: the RRset is removed before the insertion, so that of two challenges at a name one is left
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
    "dehydrated": ['update add _acme-challenge.{zone}. 300 in TXT "one"\nsend', 'update add _acme-challenge.{zone}. 300 in TXT "two"\nsend',
                   'update delete _acme-challenge.{zone}. 300 in TXT "one"\nsend', 'update delete _acme-challenge.{zone}. 300 in TXT "two"\nsend'] * 2,
    # ddclient, protocol=nsupdate: the zone is named, the RRset is replaced, IPv6 likewise
    "ddclient": ["zone {zone}.\nupdate delete home.{zone}. A\nupdate add home.{zone}. 600 A 198.51.100.%d\nsend" % n for n in (1, 2, 2)]
                + ["zone {zone}.\nupdate delete home.{zone}. AAAA\nupdate add home.{zone}. 600 AAAA 2001:db8::1\nsend"],
    # the manual page of nsupdate, and what routers make of it: prerequisites, several RRsets, an alias
    "nsupdate": ["update delete oldhost.{zone}. A\nupdate add newhost.{zone}. 86400 A 172.16.1.1\nsend",
                 "prereq nxdomain nickname.{zone}.\nupdate add nickname.{zone}. 86400 CNAME www.{zone}.\nsend",
                 "prereq yxrrset newhost.{zone}. A\nupdate delete newhost.{zone}.\nupdate add newhost.{zone}. 60 A 172.16.1.2\n"
                 "update add newhost.{zone}. 60 AAAA 2001:db8::2\nsend"],
}
# Once more, and the prerequisite does not hold.
REFUSED_SCRIPTS = {"nsupdate": "prereq nxdomain nickname.{zone}.\nupdate add nickname.{zone}. 86400 CNAME www.{zone}.\nsend"}
