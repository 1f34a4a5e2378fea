"""Answers taken apart and set side by side, section by section.

difference(…) gives what two answers to one question differ in, as a list of Differences; excuse(…) says which rule of
differences.md allows one, or None: then it is a finding.
"""
import dataclasses
import socket
import struct

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype as rt

SECTIONS = ["answer", "authority", "additional"]
DENIAL = {rt.NSEC, rt.NSEC3}


@dataclasses.dataclass
class Question:
    """What is asked, and how."""
    name: dns.name.Name
    rdtype: str
    edns: bool = False
    dnssec: bool = False
    payload: int = 1232

    def wire(self, number):
        query = dns.message.make_query(self.name, self.rdtype, use_edns=0 if self.edns else False, want_dnssec=self.dnssec,
                                       payload=self.payload if self.edns else None)
        query.id, query.flags = number, 0
        return query.to_wire()

    def __str__(self):
        how = " +bufsize=%d%s" % (self.payload, " +dnssec" if self.dnssec else "") if self.edns else ""
        return "%s %s%s" % (self.name, self.rdtype, how)


class Answer:
    """An answer, with each section as {(owner, type, covered type): (ttl, {rdata in canonical form})}."""

    def __init__(self, wire):
        self.wire = wire
        self.message = m = dns.message.from_wire(wire, one_rr_per_rrset=False)
        self.rcode, self.aa, self.tc = m.rcode(), bool(m.flags & dns.flags.AA), bool(m.flags & dns.flags.TC)
        self.answer, self.authority, self.additional = (self.section(s) for s in (m.answer, m.authority, m.additional))

    @staticmethod
    def section(rrsets):
        return {(s.name.canonicalize(), s.rdtype, s.covers): (s.ttl, frozenset(plain(r) for r in s)) for s in rrsets}

    def counted(self):
        """Is each record there once?  (Taken apart, doubles vanish; the header still counts them.)"""
        _, _, _, answers, authorities, extras = struct.unpack("!6H", self.wire[:12])
        opt = 1 if self.message.edns >= 0 else 0
        parsed = [sum(len(s) for s in section) for section in
                  (self.message.answer, self.message.authority, self.message.additional)]
        return parsed == [answers, authorities, extras - opt]

    def is_referral(self):
        return not self.aa and self.rcode == 0 and any(k[1] == rt.NS for k in self.authority) and \
            not any(k[1] == rt.SOA for k in self.authority)

    def has_soa(self):
        return any(k[1] == rt.SOA for k in self.authority)


def plain(rdata):
    """RDATA for comparing: in wire form, names in small letters (in SVCB too, where RFC 9460 keeps the canonical form's
    letters as they are: NSD folds them)."""
    if rdata.rdtype in (rt.SVCB, rt.HTTPS):
        rdata = rdata.replace(target=rdata.target.canonicalize())
    return rdata.to_digestable()


@dataclasses.dataclass
class Difference:
    """`where`: rcode, aa, or a section; `ours`, `theirs`: the values; for a section what only one of them has."""
    where: str
    ours: object
    theirs: object

    def __str__(self):
        return "%s: ours %s, theirs %s" % (self.where, show(self.ours), show(self.theirs))


def show(value):
    if not isinstance(value, dict):
        return str(value)
    return "{%s}" % ", ".join(sorted("%s/%s%s" % (k[0], rt.to_text(k[1]), "(%s)" % rt.to_text(k[2]) if k[2] else "")
                                     for k in value))


def differences(ours, theirs):
    found = []
    if ours.rcode != theirs.rcode:
        found.append(Difference("rcode", dns.rcode.to_text(ours.rcode), dns.rcode.to_text(theirs.rcode)))
    if ours.aa != theirs.aa:
        found.append(Difference("aa", ours.aa, theirs.aa))
    for section in SECTIONS:
        a, b = getattr(ours, section), getattr(theirs, section)
        only_a = {k: v for k, v in a.items() if b.get(k) != v}
        only_b = {k: v for k, v in b.items() if a.get(k) != v}
        if only_a or only_b:
            found.append(Difference(section, only_a, only_b))
    return found


class Asker:
    """Asks one server over UDP; what is truncated is asked again over TCP."""

    def __init__(self, port, address="127.0.0.1"):
        self.at = (address, port)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.connect(self.at)
        self.udp.settimeout(5)
        self.tcp = None
        self.number = 0

    def close(self):
        self.udp.close()
        if self.tcp:
            self.tcp.close()

    def over_udp(self, question):
        self.number = (self.number + 1) & 0xFFFF
        self.udp.send(question.wire(self.number))
        while True:
            wire = self.udp.recv(65535)
            if wire[:2] == struct.pack("!H", self.number):
                return Answer(wire)

    def over_tcp(self, question):
        for attempt in (1, 2):  # a connection that was idle may be gone
            try:
                if self.tcp is None:
                    self.tcp = socket.create_connection(self.at, timeout=5)
                self.number = (self.number + 1) & 0xFFFF
                query = question.wire(self.number)
                self.tcp.sendall(struct.pack("!H", len(query)) + query)
                return Answer(self.exactly(struct.unpack("!H", self.exactly(2))[0]))
            except OSError:
                self.tcp.close()
                self.tcp = None
                if attempt == 2:
                    raise

    def exactly(self, n):
        out = b""
        while len(out) < n:
            piece = self.tcp.recv(n - len(out))
            if not piece:
                raise OSError("connection closed")
            out += piece
        return out


# ---- what may differ: the rules of differences.md --------------------------

@dataclasses.dataclass
class Case:
    """One question with our answer and a peer's, for the rules to look at."""
    question: Question
    ours: Answer
    theirs: Answer
    peer: str
    zone: object

    def in_domain_glue(self, key):
        """Is this an address that a resolver needs to follow our referral (RFC 9471 section 2)?"""
        owner, rdtype, _ = key
        if rdtype not in (rt.A, rt.AAAA) or not self.ours.is_referral():
            return False
        cut = next(k[0] for k in self.ours.authority if k[1] == rt.NS)
        return owner.is_subdomain(cut)

    def alias_loops(self):
        """Do the aliases in our answer lead back to one of themselves?"""
        aliases = {}
        for rrset in self.ours.message.answer:
            if rrset.rdtype == rt.CNAME:
                aliases[rrset.name.canonicalize()] = rrset[0].target.canonicalize()
        at, seen = self.question.name.canonicalize(), set()
        while at in aliases and at not in seen:
            seen.add(at)
            at = aliases[at]
        return at in seen


def additional_is_optional(case, difference):
    return difference.where == "additional" and \
        not any(case.in_domain_glue(k) for k in {**difference.ours, **difference.theirs})


def alias_loop_of_bind(case, difference):
    return case.peer == "bind" and case.theirs.rcode == dns.rcode.SERVFAIL and case.alias_loops()


def glue_left_out(case, difference):
    return case.peer in ("bind", "nsd") and difference.where == "additional" and case.question.payload == 512 and \
        not any(case.in_domain_glue(k) for k in difference.theirs)


def only_denials(difference):
    """Do the authority sections differ in proofs of absence alone?"""
    return difference.where == "authority" and all(
        k[1] in DENIAL or k[2] in DENIAL for k in {**difference.ours, **difference.theirs})


def nsec_at_alias(case, difference):
    if case.question.rdtype != "NSEC":
        return False
    has_alias = any(k[1] == rt.CNAME for k in {**case.ours.answer, **case.theirs.answer})
    return has_alias or (case.peer == "knot" and only_denials(difference) and not difference.theirs)


def nsec_at_cut_of_bind(case, difference):
    cuts = {cut.canonicalize() for cut in case.zone.cuts}
    return case.peer == "bind" and case.question.rdtype == "NSEC" and case.ours.is_referral() and \
        case.question.name.canonicalize() in cuts


def denial_after_alias_of_nsd(case, difference):
    return case.peer == "nsd" and only_denials(difference) and any(k[1] == rt.DNAME for k in case.ours.answer)


def wildcard_denial_of_nsd(case, difference):
    def cover(side):
        """Does one of these NSEC records cover the wildcard of a name above the one that was asked for?"""
        above = case.question.name.parent()
        while above.is_subdomain(case.zone.apex):
            wildcard = dns.name.from_text("*", above)
            for rrset in case.ours.message.authority + case.theirs.message.authority:
                if rrset.rdtype == rt.NSEC and (rrset.name.canonicalize(), rt.NSEC, 0) in side:
                    if rrset.name < wildcard and (wildcard < rrset[0].next or rrset[0].next == case.zone.apex):
                        return True
            above = above.parent()
        return False
    return case.peer == "nsd" and only_denials(difference) and case.ours.rcode == dns.rcode.NXDOMAIN and \
        cover(difference.ours) and not cover(difference.theirs)


def literal_wildcard_of_nsd(case, difference):
    return case.peer == "nsd" and only_denials(difference) and not difference.ours and case.question.name.labels[0] == b"*"


def literal_wildcard_of_knot(case, difference):
    return case.peer == "knot" and only_denials(difference) and not difference.theirs and \
        case.question.name.labels[0] == b"*" and any(k[1] == rt.DNAME for k in case.ours.answer)


def has_opted_out(case):
    return any(r.flags & 1 for s in case.ours.message.authority if s.rdtype == rt.NSEC3 for r in s)


def opt_out_of_nsd(case, difference):
    """The name's parent is there, but only on the way to delegations that opted out: it has no NSEC3."""
    return case.peer == "nsd" and only_denials(difference) and has_opted_out(case) and case.ours.rcode == dns.rcode.NXDOMAIN and \
        all(rt.NSEC3 in (k[1], k[2]) for k in {**difference.ours, **difference.theirs})


def opt_out_below_wildcard(case, difference):
    stars = {owner.parent().canonicalize() for owner in case.zone.owners if owner.labels[0] == b"*"}
    above = any(case.question.name.canonicalize().is_subdomain(s) for s in stars)
    return above and has_opted_out(case) and case.ours.rcode == case.theirs.rcode == dns.rcode.NXDOMAIN and (
        case.peer == "knot" and difference.where in ("aa", "authority") or case.peer == "bind" and only_denials(difference))


def long_chain_of_knot(case, difference):
    aliases = sum(k[1] == rt.CNAME for k in case.theirs.answer)
    return case.peer == "knot" and aliases >= 5 and difference.where in ("answer", "authority", "rcode") and \
        set(case.theirs.answer) < set(case.ours.answer) and not case.theirs.has_soa()


def zero_octet_of_knot(case, difference):
    targets = [rr.target for rrset in case.ours.message.answer if rrset.rdtype in (rt.CNAME, rt.DNAME) for rr in rrset]
    above = case.question.name.labels[1:]
    return case.peer == "knot" and any(b"\0" in label for label in (*above, *(l for t in targets for l in t.labels)))


RULES = {rule.__name__.replace("_", "-"): rule for rule in (
    additional_is_optional, alias_loop_of_bind, glue_left_out, nsec_at_alias, nsec_at_cut_of_bind,
    denial_after_alias_of_nsd, wildcard_denial_of_nsd, literal_wildcard_of_nsd, literal_wildcard_of_knot, opt_out_of_nsd,
    opt_out_below_wildcard, long_chain_of_knot, zero_octet_of_knot)}


def excuse(case, difference):
    """The rule that allows this difference, or None."""
    return next((name for name, rule in RULES.items() if rule(case, difference)), None)
