#include "zone/edit.h"

#include "edit_zone.h"

/* Examples are specifications: a text, an update, and the text after it.  Unless the example brings the head of the zone itself,
 * this is what goes before both texts. */
#define HEAD "$ORIGIN example.\n$TTL 3600\n@ SOA ns1 host 1 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n"

/* A certificate as TLSA has it: 256 digits. */
#define HEX "0123456789ABCDEF"
#define CERTIFICATE HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX HEX

struct example {
	const char *what;
	const char *before;
	const char *update;  /* lines: "+ owner ttl TYPE rdata", "- owner TYPE rdata" */
	const char *after;   /* NULL: refused, for the reason of `why` */
	bool is_whole;       /* HEAD does not go before it */
	const char *why;
	struct {
		const char *path, *before, *after;
		bool is_shared;
	} file[2];           /* that $INCLUDE finds */
};

static const struct example examples[] = {
	/* ---- a record that goes ---- */
	{
		.what = "a record takes its line and the comment on it, and no other comment",
		.before = "; before\nwww A 192.0.2.80 ; the web\n; behind\nftp A 192.0.2.21\n",
		.update = "- www A 192.0.2.80\n",
		.after = "; before\n; behind\nftp A 192.0.2.21\n",
	},
	{
		.what = "a record over several lines takes them all",
		.before = "www TXT ( \"one\" ; first\n    \"two\" )\n\nftp A 192.0.2.21\n",
		.update = "- www TXT \"one\" \"two\"\n",
		.after = "\nftp A 192.0.2.21\n",
	},
	{
		.what = "a record that stands twice goes twice",
		.before = "www A 192.0.2.80\nftp A 192.0.2.21\nWWW 3600 IN A 192.0.2.80\n",
		.update = "- www A 192.0.2.80\n",
		.after = "ftp A 192.0.2.21\n",
	},
	{
		.what = "the last line, which has no line end",
		.before = "www A 192.0.2.80\nftp A 192.0.2.21",
		.update = "- ftp A 192.0.2.21\n",
		.after = "www A 192.0.2.80\n",
	},
	{
		.what = "blank lines and white space at line ends stay",
		.before = "a A 192.0.2.1   \n \n\nb A 192.0.2.2\n\t\nc A 192.0.2.3 \t\n",
		.update = "- b A 192.0.2.2\n",
		.after = "a A 192.0.2.1   \n \n\n\t\nc A 192.0.2.3 \t\n",
	},

	/* ---- owners that are left out ---- */
	{
		.what = "the line after it gets the owner, and keeps its columns",
		.before = "www     IN A     192.0.2.80\n        IN AAAA  2001:db8::80\n        IN TXT   \"x\"\n",
		.update = "- www A 192.0.2.80\n",
		.after = "www     IN AAAA  2001:db8::80\n        IN TXT   \"x\"\n",
	},
	{
		.what = "with tabs too",
		.before = "www\t\tIN\tA\t192.0.2.80\n\t\tIN\tAAAA\t2001:db8::80\n",
		.update = "- www A 192.0.2.80\n",
		.after = "www\t\tIN\tAAAA\t2001:db8::80\n",
	},
	{
		.what = "an owner that is too long for the gap moves what follows",
		.before = "a-long-name A 192.0.2.80\n\tAAAA 2001:db8::80\n",
		.update = "- a-long-name A 192.0.2.80\n",
		.after = "a-long-name\tAAAA 2001:db8::80\n",
	},
	{
		.what = "comments and blank lines between them stay where they are",
		.before = "www A 192.0.2.80\n; the other one\n\n  A 192.0.2.81\n",
		.update = "- www A 192.0.2.80\n",
		.after = "; the other one\n\nwww A 192.0.2.81\n",
	},
	{
		.what = "the owner is written as it was",
		.before = "Www.Example. A 192.0.2.80\n  A 192.0.2.81\n",
		.update = "- www A 192.0.2.80\n",
		.after = "Www.Example. A 192.0.2.81\n",
	},
	{
		.what = "but not where another origin is in force",
		.before = "www.sub A 192.0.2.80\n$ORIGIN sub.example.\n  A 192.0.2.81\n",
		.update = "- www.sub A 192.0.2.80\n",
		.after = "$ORIGIN sub.example.\nwww A 192.0.2.81\n",
	},
	{
		.what = "a line in the middle goes: the next one belongs to the owner still",
		.before = "www A 192.0.2.80\n  A 192.0.2.81\n  A 192.0.2.82\n",
		.update = "- www A 192.0.2.81\n",
		.after = "www A 192.0.2.80\n  A 192.0.2.82\n",
	},
	{
		.what = "so it does after a line that had the owner once more",
		.before = "www A 192.0.2.80\nwww A 192.0.2.81\n  A 192.0.2.82\n",
		.update = "- www A 192.0.2.81\n",
		.after = "www A 192.0.2.80\n  A 192.0.2.82\n",
	},
	{
		.what = "all lines of an owner go, between others that leave theirs out",
		.before = "a A 192.0.2.1\n  A 192.0.2.2\nb A 192.0.2.3\n  A 192.0.2.4\nc A 192.0.2.5\n  A 192.0.2.6\n",
		.update = "- b A 192.0.2.3\n- b A 192.0.2.4\n",
		.after = "a A 192.0.2.1\n  A 192.0.2.2\nc A 192.0.2.5\n  A 192.0.2.6\n",
	},
	{
		.what = "an owner before parentheses",
		.before = "www A 192.0.2.80\n\t( IN TXT \"x\"\n\t\"y\" )\n",
		.update = "- www A 192.0.2.80\n",
		.after = "www\t( IN TXT \"x\"\n\t\"y\" )\n",
	},

	/* ---- a record in the place of another ---- */
	{
		.what = "the data change, the line stays",
		.before = "www\tIN\tA\t192.0.2.80\t; the web\nftp\tIN\tA\t192.0.2.21\n",
		.update = "- www A 192.0.2.80\n+ www 3600 A 192.0.2.81\n",
		.after = "www\tIN\tA\t192.0.2.81\t; the web\nftp\tIN\tA\t192.0.2.21\n",
	},
	{
		.what = "of several fields only those that differ",
		.before = "_sip._tcp SRV 010  5 ( 5060 ; port\n   Sip ) ; target\nsip A 192.0.2.5\n",
		.update = "- _sip._tcp SRV 10 5 5060 sip\n+ _sip._tcp 3600 SRV 10 5 5061 sip\n",
		.after = "_sip._tcp SRV 010  5 ( 5061 ; port\n   Sip ) ; target\nsip A 192.0.2.5\n",
	},
	{
		.what = "names stay absolute or relative",
		.before = "a CNAME ns1.example.\nb CNAME ns1\n",
		.update = "- a CNAME ns1\n+ a 3600 CNAME b\n- b CNAME ns1\n+ b 3600 CNAME c\n",
		.after = "a CNAME b.example.\nb CNAME c\n",
	},
	{
		.what = "the serial, and whatever else, of a SOA with comments",
		.before = "$TTL 1h\n@ 1h IN SOA ns1.example. host.example. (\n    2024010101 ; serial\n    2h         ; refresh\n"
		          "    1h ; retry\n    2W ; expire\n    300 ) ; minimum\n@ NS ns1\nns1 A 192.0.2.1\n",
		.update = "- @ SOA ns1 host 2024010101 7200 3600 1209600 300\n"
		          "+ @ 3600 SOA ns1 root 2024010102 7200 3600 1814400 300\n",
		.after = "$TTL 1h\n@ 1h IN SOA ns1.example. root.example. (\n    2024010102 ; serial\n    2h         ; refresh\n"
		         "    1h ; retry\n    3W ; expire\n    300 ) ; minimum\n@ NS ns1\nns1 A 192.0.2.1\n",
		.is_whole = true,
	},
	{
		.what = "data of another number of tokens",
		.before = "www TXT ( \"one\" ; first\n    \"two\" ) ; both\n",
		.update = "- www TXT \"one\" \"two\"\n+ www 3600 TXT \"three\"\n",
		.after = "www TXT ( \"three\" ) ; both\n",
	},
	{
		.what = "data that begin before a parenthesis and end within",
		.before = "www TXT \"one\" ( ; first\n    \"two\" ; second\n    ) ; both\n",
		.update = "- www TXT \"one\" \"two\"\n+ www 3600 TXT \"three\"\n",
		.after = "www TXT \"three\" ; both\n",
	},
	{
		.what = "data within a parenthesis that is opened before the type",
		.before = "www ( IN\n TXT one two ) ; both\n",
		.update = "- www TXT \"one\" \"two\"\n+ www 3600 TXT \"three\"\n",
		.after = "www ( IN\n TXT \"three\" ) ; both\n",
	},
	{
		.what = "data in the form of RFC 3597",
		.before = "www TYPE1 \\# 4 C0000250\n",
		.update = "- www A 192.0.2.80\n+ www 3600 A 192.0.2.81\n",
		.after = "www TYPE1 192.0.2.81\n",
	},
	{
		.what = "a certificate that is wrapped",
		.before = "_443._tcp TLSA 3 1 1 ( 0123456789ABCDEF0123456789ABCDEF\n    0123456789ABCDEF0123456789ABCDEF )\n",
		.update = "- _443._tcp TLSA 3 1 1 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF\n"
		          "+ _443._tcp 3600 TLSA 3 1 1 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEE\n",
		.after = "_443._tcp TLSA 3 1 1 ( 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF01234567\n    89ABCDEE )\n",
	},
	{
		.what = "each that goes gives its place to one that comes, and the rest comes after",
		.before = "www A 192.0.2.1 ; one\nwww A 192.0.2.2 ; two\nftp A 192.0.2.21\n",
		.update = "- www A 192.0.2.1\n- www A 192.0.2.2\n+ www 3600 A 192.0.2.3\n+ www 3600 A 192.0.2.4\n+ www 3600 A 192.0.2.5\n",
		.after = "www A 192.0.2.3 ; one\nwww A 192.0.2.4 ; two\nwww A 192.0.2.5\nftp A 192.0.2.21\n",
	},
	{
		.what = "another type comes where the last line of its owner was",
		.before = "a A 192.0.2.7\nwww A 192.0.2.80\n  A 192.0.2.81\nz A 192.0.2.9\n",
		.update = "- www A 192.0.2.80\n- www A 192.0.2.81\n+ www 3600 CNAME a\n",
		.after = "a A 192.0.2.7\nwww CNAME a\nz A 192.0.2.9\n",
	},

	/* ---- TTLs ---- */
	{
		.what = "the TTL that is there is replaced",
		.before = "www 300 A 192.0.2.80 ; short\n",
		.update = "+ www 60 A 192.0.2.80\n",
		.after = "www 60 A 192.0.2.80 ; short\n",
	},
	{
		.what = "it stays also when it is that of $TTL",
		.before = "www 300 A 192.0.2.80\n",
		.update = "+ www 3600 A 192.0.2.80\n",
		.after = "www 3600 A 192.0.2.80\n",
	},
	{
		.what = "one that is missing is put in, for all of the RRset",
		.before = "www IN A 192.0.2.80\n    IN A 192.0.2.81\n    IN AAAA 2001:db8::80\n",
		.update = "+ www 60 A 192.0.2.80\n",
		.after = "www 60 IN A 192.0.2.80\n 60 IN A 192.0.2.81\n    IN AAAA 2001:db8::80\n",
	},
	{
		.what = "where the owner is left out and there is no room it stands where the next field did",
		.before = "www IN A 192.0.2.80\n    IN AAAA 2001:db8::80\n",
		.update = "+ www 86400 AAAA 2001:db8::80\n",
		.after = "www IN A 192.0.2.80\n    86400 IN AAAA 2001:db8::80\n",
	},
	{
		.what = "where there is room, what follows keeps its column",
		.before = "www             IN  A  192.0.2.80\nftp             IN  A  192.0.2.21\n                IN  TXT  \"x\"\n",
		.update = "+ www 60 A 192.0.2.80\n+ ftp 86400 TXT \"x\"\n",
		.after = "www          60 IN  A  192.0.2.80\nftp             IN  A  192.0.2.21\n          86400 IN  TXT  \"x\"\n",
	},
	{
		.what = "with tabs",
		.before = "www\t\tIN\tA\t192.0.2.80\nftp\t\tIN\tA\t192.0.2.21\n",
		.update = "+ www 60 A 192.0.2.80\n",
		.after = "www\t60\tIN\tA\t192.0.2.80\nftp\t\tIN\tA\t192.0.2.21\n",
	},
	{
		.what = "after the class, and in units, as others have it",
		.before = "www IN A 192.0.2.80\nftp IN 1d A 192.0.2.21\n",
		.update = "+ www 7200 A 192.0.2.80\n",
		.after = "www IN 2h A 192.0.2.80\nftp IN 1d A 192.0.2.21\n",
	},
	{
		.what = "data and TTL in one line",
		.before = "www 300 A 192.0.2.80\n",
		.update = "- www A 192.0.2.80\n+ www 60 A 192.0.2.81\n",
		.after = "www 60 A 192.0.2.81\n",
	},
	{
		.what = "of lines that differ, the lowest goes: the others get its TTL",
		.before = "www 300 A 192.0.2.80\nwww 60 A 192.0.2.81\nwww A 192.0.2.82\n",
		.update = "- www A 192.0.2.81\n",
		.after = "www 60 A 192.0.2.80\nwww 60 A 192.0.2.82\n",
	},
	{
		.what = "another than the lowest goes: they stay as they are",
		.before = "www 300 A 192.0.2.80\nwww 60 A 192.0.2.81\nwww A 192.0.2.82\n",
		.update = "- www A 192.0.2.82\n",
		.after = "www 300 A 192.0.2.80\nwww 60 A 192.0.2.81\n",
	},
	{
		.what = "without $TTL the line after one that gave the TTL gets its own",
		.before = "@ 60 SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nwww 300 A 192.0.2.80\nftp A 192.0.2.21\nz A 192.0.2.9\n",
		.update = "- www A 192.0.2.80\n",
		.after = "@ 60 SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nftp 300 A 192.0.2.21\nz A 192.0.2.9\n",
		.is_whole = true,
	},
	{
		.what = "so does the one after a new TTL",
		.before = "@ 60 SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.80\nz A 192.0.2.9\n",
		.update = "+ www 300 A 192.0.2.80\n",
		.after = "@ 60 SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nwww 300 A 192.0.2.80\nz 60 A 192.0.2.9\n",
		.is_whole = true,
	},
	{
		.what = "a new line gives its TTL only where it differs from the one before",
		.before = "@ 60 SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nz A 192.0.2.9\n",
		.update = "+ ns1 60 AAAA 2001:db8::1\n+ www 300 A 192.0.2.80\n",
		.after = "@ 60 SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nns1 AAAA 2001:db8::1\nwww 300 A 192.0.2.80\nz 60 A 192.0.2.9\n",
		.is_whole = true,
	},
	{
		.what = "the SOA's minimum was the TTL of others: now $TTL is",
		.before = "; head\n@ SOA ns1 host 1 2 3 4 300\n@ NS ns1\nns1 A 192.0.2.1\n",
		.update = "- @ SOA ns1 host 1 2 3 4 300\n+ @ 300 SOA ns1 host 2 2 3 4 60\n",
		.after = "; head\n$TTL 300\n@ SOA ns1 host 2 2 3 4 60\n@ NS ns1\nns1 A 192.0.2.1\n",
		.is_whole = true,
	},
	{
		.what = "or the SOA's TTL changes",
		.before = "@ SOA ns1 host 1 2 3 4 300\n@ NS ns1\nns1 A 192.0.2.1\n",
		.update = "+ @ 60 SOA ns1 host 1 2 3 4 300\n",
		.after = "$TTL 300\n@ 60 SOA ns1 host 1 2 3 4 300\n@ NS ns1\nns1 A 192.0.2.1\n",
		.is_whole = true,
	},
	{
		.what = "a serial alone needs no $TTL",
		.before = "@ SOA ns1 host 1 2 3 4 300\n@ NS ns1\nns1 A 192.0.2.1\n",
		.update = "- @ SOA ns1 host 1 2 3 4 300\n+ @ 300 SOA ns1 host 2 2 3 4 300\n",
		.after = "@ SOA ns1 host 2 2 3 4 300\n@ NS ns1\nns1 A 192.0.2.1\n",
		.is_whole = true,
	},

	/* ---- where a new record goes ---- */
	{
		.what = "after the last of its RRset",
		.before = "www A 192.0.2.80\nwww A 192.0.2.81\nwww TXT \"x\"\nftp A 192.0.2.21\n",
		.update = "+ www 3600 A 192.0.2.82\n",
		.after = "www A 192.0.2.80\nwww A 192.0.2.81\nwww A 192.0.2.82\nwww TXT \"x\"\nftp A 192.0.2.21\n",
	},
	{
		.what = "else after the last of its owner",
		.before = "www A 192.0.2.80\nftp A 192.0.2.21\nwww TXT \"x\"\nz A 192.0.2.9\n",
		.update = "+ www 3600 AAAA 2001:db8::80\n",
		.after = "www A 192.0.2.80\nftp A 192.0.2.21\nwww TXT \"x\"\nwww AAAA 2001:db8::80\nz A 192.0.2.9\n",
	},
	{
		.what = "a new owner has its place in the order of names",
		.before = "a A 192.0.2.7\nc A 192.0.2.8\n",
		.update = "+ b 3600 A 192.0.2.9\n+ d 3600 A 192.0.2.10\n+ x.a 3600 A 192.0.2.11\n",
		.after = "a A 192.0.2.7\nx.a A 192.0.2.11\nb A 192.0.2.9\nc A 192.0.2.8\nd A 192.0.2.10\n",
	},
	{
		.what = "names without records are passed over",
		.before = "a A 192.0.2.7\nb.c.d A 192.0.2.8\n",
		.update = "+ a.c.d 3600 A 192.0.2.9\n+ a.d 3600 A 192.0.2.10\n",
		.after = "a A 192.0.2.7\na.d A 192.0.2.10\na.c.d A 192.0.2.9\nb.c.d A 192.0.2.8\n",
	},
	{
		.what = "also those of NSEC3, which are no names of the zone",
		.before = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 AABB 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\nb A 192.0.2.8\n",
		.update = "- 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 AABB 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n"
		          "+ 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 3600 NSEC3 1 1 12 AABB 2t7b4g4vsa5smi47k61mv5bv1a22bojr A MX\n"
		          "+ 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom 3600 A 192.0.2.1\n",
		.after = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 12 AABB 2t7b4g4vsa5smi47k61mv5bv1a22bojr A MX\n"
		         "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A 192.0.2.1\nb A 192.0.2.8\n",
	},
	{
		.what = "it does not come between an owner and the lines that leave it out",
		.before = "a A 192.0.2.7\n  A 192.0.2.8\n; c follows\nc A 192.0.2.9\n",
		.update = "+ b 3600 A 192.0.2.10\n",
		.after = "a A 192.0.2.7\n  A 192.0.2.8\nb A 192.0.2.10\n; c follows\nc A 192.0.2.9\n",
	},
	{
		.what = "a text without a line end at its end stays one",
		.before = "a A 192.0.2.7",
		.update = "+ b 3600 A 192.0.2.8\n+ c 3600 A 192.0.2.9\n",
		.after = "a A 192.0.2.7\nb A 192.0.2.8\nc A 192.0.2.9",
	},
	{
		.what = "also when the last line goes",
		.before = "a A 192.0.2.7",
		.update = "- a A 192.0.2.7\n+ a 3600 AAAA 2001:db8::7\n",
		.after = "a AAAA 2001:db8::7",
	},
	{
		.what = "the origin is that of the place",
		.before = "$ORIGIN sub.example.\na A 192.0.2.7\n$ORIGIN example.\nz A 192.0.2.8\n",
		.update = "+ b.sub 3600 MX 10 a.sub\n+ y 3600 A 192.0.2.9\n",
		.after = "$ORIGIN sub.example.\na A 192.0.2.7\nb MX 10 a\ny.example. A 192.0.2.9\n$ORIGIN example.\nz A 192.0.2.8\n",
	},

	/* ---- how a new record is written ---- */
	{
		.what = "owner left out, class, tabs",
		.before = "www\tIN\tA\t192.0.2.80\n\tIN\tAAAA\t2001:db8::80\nftp\tIN\tA\t192.0.2.21\n",
		.update = "+ www 3600 TXT \"x\"\n+ longername 3600 A 192.0.2.1\n",
		.after = "www\tIN\tA\t192.0.2.80\n\tIN\tAAAA\t2001:db8::80\n\tIN\tTXT\t\"x\"\nftp\tIN\tA\t192.0.2.21\nlongername\tIN\tA\t192.0.2.1\n",
	},
	{
		.what = "aligned with spaces",
		.before = "www             IN  A       192.0.2.80\na-longer-name   IN  A       192.0.2.81\nx               IN  MX      10 www\n",
		.update = "+ y 3600 AAAA 2001:db8::1\n+ a-much-longer-name 3600 A 192.0.2.82\n",
		.after = "www             IN  A       192.0.2.80\na-longer-name   IN  A       192.0.2.81\na-much-longer-name IN A     192.0.2.82\n"
		         "x               IN  MX      10 www\ny               IN  AAAA    2001:db8::1\n",
	},
	{
		.what = "aligned with tabs",
		.before = "www\t\tIN A\t192.0.2.80\na-longer-name\tIN A\t192.0.2.81\n",
		.update = "+ zz 3600 A 192.0.2.82\n",
		.after = "www\t\tIN A\t192.0.2.80\na-longer-name\tIN A\t192.0.2.81\nzz\t\tIN A\t192.0.2.82\n",
	},
	{
		.what = "absolute names",
		.before = "www.example. IN CNAME ns1.example.\n",
		.update = "+ z 3600 CNAME www\n",
		.after = "www.example. IN CNAME ns1.example.\nz.example. IN CNAME www.example.\n",
	},
	{
		.what = "lower case, class before TTL, units",
		.before = "www in 2d a 192.0.2.80\n",
		.update = "+ z 90000 a 192.0.2.81\n+ y 7200 a 192.0.2.82\n",
		.after = "www in 2d a 192.0.2.80\ny in 2h a 192.0.2.82\nz in 25h a 192.0.2.81\n",
	},
	{
		.what = "line ends of DOS",
		.before = "$TTL 3600\r\n@ SOA ns1 host 1 2 3 4 5\r\n@ NS ns1\r\nns1 A 192.0.2.1\r\nz A 192.0.2.2",
		.update = "+ ns1 3600 AAAA 2001:db8::1\n- @ SOA ns1 host 1 2 3 4 5\n+ @ 3600 SOA ns1 host 2 2 3 4 5\n+ z 3600 A 192.0.2.3\n",
		.after = "$TTL 3600\r\n@ SOA ns1 host 2 2 3 4 5\r\n@ NS ns1\r\nns1 A 192.0.2.1\r\nns1 AAAA 2001:db8::1\r\nz A 192.0.2.2\r\nz A 192.0.2.3",
		.is_whole = true,
	},
	{
		.what = "owners with escapes, wildcards, names elsewhere",
		.before = "$TTL 1\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\na\\.b TXT \"x\"\nns1 A 192.0.2.1\n",
		.update = "+ * 1 MX 10 mail.test.\n+ a\\.b 1 TXT \"y\"\n+ \\$\\@\\\"\\;\\032 1 TXT \"say \\\"hi;\\\"\"\n",
		.after = "$TTL 1\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\n\\$\\@\\\"\\;\\032 TXT \"say \\\"hi;\\\"\"\n* MX 10 mail.test.\n"
		         "a\\.b TXT \"x\"\na\\.b TXT \"y\"\nns1 A 192.0.2.1\n",
		.is_whole = true,
	},
	{
		.what = "a TTL that others have not stands in the gap, if there is room",
		.before = "www             IN  A   192.0.2.80\n                IN  TXT \"x\"\n",
		.update = "+ www 60 AAAA 2001:db8::1\n",
		.after = "www             IN  A   192.0.2.80\n                IN  TXT \"x\"\n             60 IN  AAAA 2001:db8::1\n",
	},
	{
		.what = "long data of several words, over several lines",
		.before = "www\tA\t192.0.2.80\n",
		.update = "+ www 3600 TLSA 3 0 0 " CERTIFICATE "\n",
		.after = "www\tA\t192.0.2.80\nwww\tTLSA\t3 0 0 (\n\t\t" HEX HEX HEX "01234567\n\t\t89ABCDEF" HEX HEX "0123456789ABCDEF\n"
		         "\t\t" HEX HEX HEX "01234567\n\t\t89ABCDEF" HEX HEX "0123456789ABCDEF\n\t\t" HEX HEX " )\n",
	},
	{
		.what = "what is wrapped stays so",
		.before = "www\tTLSA\t3 0 0 (\n\t\t" HEX HEX HEX "01234567\n\t\t89ABCDEF ) ; old\n",
		.update = "- www TLSA 3 0 0 " HEX HEX HEX HEX "\n+ www 3600 TLSA 3 0 1 " HEX HEX HEX HEX HEX "\n",
		.after = "www\tTLSA\t3 0 1 (\n\t\t" HEX HEX HEX "01234567\n\t\t89ABCDEF" HEX " ) ; old\n",
	},
	{
		.what = "service bindings",
		.before = "www A 192.0.2.80\n",
		.update = "+ www 3600 HTTPS 1 www.example. alpn=h2,h3 ipv4hint=192.0.2.80\n",
		.after = "www A 192.0.2.80\nwww HTTPS 1 www alpn=\"h2,h3\" ipv4hint=192.0.2.80\n",
	},

	/* ---- columns ---- */
	{
		.what = "comments on the numbers of a SOA stay where they are",
		.before = "@ SOA ns1 host (\n\t9          ; serial\n\t7200       ; refresh\n\t3600 1209600 300 )\n@ NS ns1\nns1 A 192.0.2.1\n",
		.update = "- @ SOA ns1 host 9 7200 3600 1209600 300\n+ @ 300 SOA ns1 host 2026112801 600 3600 1209600 300\n",
		.after = "@ SOA ns1 host (\n\t2026112801 ; serial\n\t600        ; refresh\n\t3600 1209600 300 )\n@ NS ns1\nns1 A 192.0.2.1\n",
		.is_whole = true,
	},
	{
		.what = "numbers that stand to the right grow to the left",
		.before = "@ SOA ns1 host (\n        99 ; serial\n      7200 ; refresh\n      3600 1209600 300 )\n@ NS ns1\nns1 A 192.0.2.1\n",
		.update = "- @ SOA ns1 host 99 7200 3600 1209600 300\n+ @ 300 SOA ns1 host 100 7200 3600 1209600 300\n",
		.after = "@ SOA ns1 host (\n       100 ; serial\n      7200 ; refresh\n      3600 1209600 300 )\n@ NS ns1\nns1 A 192.0.2.1\n",
		.is_whole = true,
	},
	{
		.what = "a number that is as wide as its column pushes its comment alone",
		.before = "@ SOA ns1 host (\n9\t; serial\n7200\t; refresh\n3600 1209600 300 )\n@ NS ns1\nns1 A 192.0.2.1\n",
		.update = "- @ SOA ns1 host 9 7200 3600 1209600 300\n+ @ 300 SOA ns1 host 2026112801 7200 3600 1209600 300\n",
		.after = "@ SOA ns1 host (\n2026112801\t; serial\n7200\t; refresh\n3600 1209600 300 )\n@ NS ns1\nns1 A 192.0.2.1\n",
		.is_whole = true,
	},
	{
		.what = "a comment behind an address, with spaces and with tabs",
		.before = "www     A  192.0.2.9      ; the web\nftp     A  192.0.2.200\t; files\n",
		.update = "- www A 192.0.2.9\n+ www 3600 A 192.0.2.100\n- ftp A 192.0.2.200\n+ ftp 3600 A 192.0.2.1\n",
		.after = "www     A  192.0.2.100    ; the web\nftp     A  192.0.2.1\t; files\n",
	},
	{
		.what = "a single space is no column",
		.before = "a MX 5 mail ; first\nb MX 5 mail ; the second\nc CNAME a\n",
		.update = "- a MX 5 mail\n+ a 3600 MX 100 mail\n",
		.after = "a MX 100 mail ; first\nb MX 5 mail ; the second\nc CNAME a\n",
	},
	{
		.what = "a TTL within columns",
		.before = "www   300      A   192.0.2.80\nftp   86400    A   192.0.2.21\nx\t60\tA\t192.0.2.1\n",
		.update = "- www A 192.0.2.80\n+ www 86400 A 192.0.2.80\n- ftp A 192.0.2.21\n+ ftp 60 A 192.0.2.21\n- x A 192.0.2.1\n+ x 604800 A 192.0.2.1\n",
		.after = "www   86400    A   192.0.2.80\nftp   60       A   192.0.2.21\nx\t604800\tA\t192.0.2.1\n",
	},
	{
		.what = "a TTL within columns, of a line that gets an owner",
		.before = "www   300      A    192.0.2.80\n      300      AAAA 2001:db8::1\n",
		.update = "- www A 192.0.2.80\n- www AAAA 2001:db8::1\n+ www 3600 AAAA 2001:db8::1\n",
		.after = "www   3600     AAAA 2001:db8::1\n",
	},

	/* ---- the order of names ---- */
	{
		.what = "by number, where the file is",
		.before = "1 PTR a.\n2 PTR a.\n10 PTR a.\n20 PTR a.\n22 PTR a.\n200 PTR a.\n",
		.update = "+ 21 3600 PTR b.\n",
		.after = "1 PTR a.\n2 PTR a.\n10 PTR a.\n20 PTR a.\n21 PTR b.\n22 PTR a.\n200 PTR a.\n",
	},
	{
		.what = "canonical, where the file is",
		.before = "1 PTR a.\n10 PTR a.\n2 PTR a.\n20 PTR a.\n200 PTR a.\n22 PTR a.\n",
		.update = "+ 21 3600 PTR b.\n",
		.after = "1 PTR a.\n10 PTR a.\n2 PTR a.\n20 PTR a.\n200 PTR a.\n21 PTR b.\n22 PTR a.\n",
	},
	{
		.what = "the greatest number, behind the others",
		.before = "2 PTR a.\n10 PTR a.\n22 PTR a.\n200 PTR a.\nwww A 192.0.2.80\n",
		.update = "+ 254 3600 PTR b.\n",
		.after = "2 PTR a.\n10 PTR a.\n22 PTR a.\n200 PTR a.\n254 PTR b.\nwww A 192.0.2.80\n",
	},
	{
		.what = "the greatest number in canonical order",
		.before = "10 PTR a.\n2 PTR a.\n20 PTR a.\n200 PTR a.\n22 PTR a.\nwww A 192.0.2.80\n",
		.update = "+ 201 3600 PTR b.\n",
		.after = "10 PTR a.\n2 PTR a.\n20 PTR a.\n200 PTR a.\n201 PTR b.\n22 PTR a.\nwww A 192.0.2.80\n",
	},
	{
		.what = "the smallest number, before the others",
		.before = "www A 192.0.2.80\n2 PTR a.\n10 PTR a.\n22 PTR a.\n",
		.update = "+ 1 3600 PTR b.\n",
		.after = "www A 192.0.2.80\n1 PTR b.\n2 PTR a.\n10 PTR a.\n22 PTR a.\n",
	},
	{
		.what = "several new numbers at one place are in order, too",
		.before = "2 PTR a.\n8 PTR a.\n22 PTR a.\n",
		.update = "+ 9 3600 PTR b.\n+ 10 3600 PTR b.\n+ 21 3600 PTR b.\n+ 3 3600 PTR b.\n",
		.after = "2 PTR a.\n3 PTR b.\n8 PTR a.\n9 PTR b.\n10 PTR b.\n21 PTR b.\n22 PTR a.\n",
	},
	{
		.what = "numbers with comments and other types between them",
		.before = "; two\n2 PTR a.\n  TXT \"x\"\n\n; ten\n10 PTR a.\n",
		.update = "+ 3 3600 PTR b.\n",
		.after = "; two\n2 PTR a.\n  TXT \"x\"\n3 PTR b.\n\n; ten\n10 PTR a.\n",
	},
	{
		.what = "the numbers of a larger network, label by label",
		.before = "5.1 PTR a.\n10.1 PTR a.\n1.2 PTR a.\n30.2 PTR a.\n200.2 PTR a.\n1.10 PTR a.\n",
		.update = "+ 7.1 3600 PTR b.\n+ 1.3 3600 PTR b.\n",
		.after = "5.1 PTR a.\n7.1 PTR b.\n10.1 PTR a.\n1.2 PTR a.\n30.2 PTR a.\n200.2 PTR a.\n1.3 PTR b.\n1.10 PTR a.\n",
	},
	{
		.what = "numbers behind the same characters",
		.before = "www1 A 192.0.2.1\nwww2 A 192.0.2.2\nwww10 A 192.0.2.10\nwww A 192.0.2.80\n",
		.update = "+ www3 3600 A 192.0.2.3\n+ WWW11 3600 A 192.0.2.11\n",
		.after = "www1 A 192.0.2.1\nwww2 A 192.0.2.2\nwww3 A 192.0.2.3\nwww10 A 192.0.2.10\nWWW11 A 192.0.2.11\nwww A 192.0.2.80\n",
	},
	{
		.what = "a sorted file stays sorted",
		.before = "a A 192.0.2.1\nc A 192.0.2.3\nc CAA 0 issue \";\"\nd A 192.0.2.4\n",
		.update = "+ b 3600 TXT \"b\"\n+ ca 3600 A 192.0.2.9\n",
		.after = "a A 192.0.2.1\nb TXT \"b\"\nc A 192.0.2.3\nc CAA 0 issue \";\"\nca A 192.0.2.9\nd A 192.0.2.4\n",
	},
	{
		.what = "without an order, behind the last of the same type",
		.before = "; hosts\nns2 A 192.0.2.2\nmail A 192.0.2.3\nftp A 192.0.2.4\n\n; names\nwww CNAME ftp\nblog CNAME ftp\n",
		.update = "+ db 3600 A 192.0.2.5\n+ shop 3600 CNAME ftp\n",
		.after = "; hosts\nns2 A 192.0.2.2\nmail A 192.0.2.3\nftp A 192.0.2.4\ndb A 192.0.2.5\n\n; names\nwww CNAME ftp\nblog CNAME ftp\n"
		         "shop CNAME ftp\n",
	},
	{
		.what = "without an order, in a part with another origin",
		.before = "www A 192.0.2.1\nftp A 192.0.2.2\n$ORIGIN lab.example.\npc2 A 192.0.2.3\nab A 192.0.2.4\n$ORIGIN example.\nx MX 10 www\n",
		.update = "+ kit.lab 3600 A 192.0.2.5\n",
		.after = "www A 192.0.2.1\nftp A 192.0.2.2\n$ORIGIN lab.example.\npc2 A 192.0.2.3\nab A 192.0.2.4\nkit A 192.0.2.5\n$ORIGIN example.\n"
		         "x MX 10 www\n",
	},

	/* ---- $GENERATE ---- */
	{
		.what = "a record of many changes: each becomes a line",
		.before = "$GENERATE 1-4 h$ A 192.0.2.$ ; the pool\nz A 192.0.2.9\n",
		.update = "- h2 A 192.0.2.2\n+ h2 3600 A 192.0.2.22\n- h4 A 192.0.2.4\n",
		.after = "; the pool\nh1 A 192.0.2.1\nh2 A 192.0.2.22\nh3 A 192.0.2.3\nz A 192.0.2.9\n",
	},
	{
		.what = "with TTL and class as the directive, and its names",
		.before = "$GENERATE 1-2 h$.example. 60\tIN\tCNAME w$.example.\n",
		.update = "- h1 CNAME w1\n+ h1 60 CNAME v\n",
		.after = "h1.example. 60\tIN\tCNAME v.example.\nh2.example. 60\tIN\tCNAME w2.example.\n",
	},
	{
		.what = "a record beside them goes behind the directive",
		.before = "$GENERATE 1-2 h$ A 192.0.2.$\nz A 192.0.2.9\n",
		.update = "+ h1 3600 TXT \"x\"\n+ h3 3600 A 192.0.2.3\n",
		.after = "$GENERATE 1-2 h$ A 192.0.2.$\nh1 TXT \"x\"\nh3 A 192.0.2.3\nz A 192.0.2.9\n",
	},
	{
		.what = "a line that takes its owner from before the directive gets it",
		.before = "q A 192.0.2.9\n$GENERATE 1-2 h$ A 192.0.2.$\n  TXT \"q\"\n",
		.update = "- h1 A 192.0.2.1\n",
		.after = "q A 192.0.2.9\nh2 A 192.0.2.2\nq TXT \"q\"\n",
	},
	{
		.what = "without $TTL, the directive itself takes a TTL of its own",
		.before = "@ 60 SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\nq 300 A 192.0.2.9\n$GENERATE 1-2 h$ A 192.0.2.$\nz A 192.0.2.8\n",
		.update = "- q A 192.0.2.9\n",
		.after = "@ 60 SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n$GENERATE 1-2 h$ 300 A 192.0.2.$\nz A 192.0.2.8\n",
		.is_whole = true,
	},
	{
		.what = "its range is divided where a record goes",
		.before = "$GENERATE 1-254 $ 300 IN PTR host-$.example. ; the pool\nz A 192.0.2.9\n",
		.update = "- 100 PTR host-100\n",
		.after = "$GENERATE 1-99 $ 300 IN PTR host-$.example. ; the pool\n$GENERATE 101-254 $ 300 IN PTR host-$.example.\nz A 192.0.2.9\n",
	},
	{
		.what = "a line stands between the ranges where a record changes",
		.before = "$GENERATE 1-9 h$ A 192.0.2.$\n",
		.update = "- h5 A 192.0.2.5\n+ h5 3600 A 192.0.2.55\n",
		.after = "$GENERATE 1-4 h$ A 192.0.2.$\nh5 A 192.0.2.55\n$GENERATE 6-9 h$ A 192.0.2.$\n",
	},
	{
		.what = "ranges with a step, whose end lies between two numbers",
		.before = "$GENERATE 0-13/2 h$ A 192.0.2.$\n",
		.update = "- h0 A 192.0.2.0\n- h8 A 192.0.2.8\n",
		.after = "$GENERATE 2-6/2 h$ A 192.0.2.$\n$GENERATE 10-12/2 h$ A 192.0.2.$\n",
	},
	{
		.what = "the first and the last of a range",
		.before = "$generate 1-5 h${0,3} A 192.0.2.$",
		.update = "- h001 A 192.0.2.1\n- h005 A 192.0.2.5\n",
		.after = "$generate 2-4 h${0,3} A 192.0.2.$",
	},
	{
		.what = "without $TTL, a record of another TTL leaves the others theirs",
		.before = "@ 60 SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 300 A 192.0.2.1\n$GENERATE 1-9 h$ A 192.0.2.$\nz A 192.0.2.8\n",
		.update = "- h4 A 192.0.2.4\n+ h4 90 A 192.0.2.4\n",
		.after = "@ 60 SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 300 A 192.0.2.1\n$GENERATE 1-3 h$ A 192.0.2.$\nh4 90 A 192.0.2.4\nh5 300 A 192.0.2.5\n"
		         "$GENERATE 6-9 h$ A 192.0.2.$\nz A 192.0.2.8\n",
		.is_whole = true,
	},
	{
		.what = "a record of a very large range",
		.before = "$GENERATE 0-99999 h$ A 192.0.2.1\n",
		.update = "- h2 A 192.0.2.1\n",
		.after = "$GENERATE 0-1 h$ A 192.0.2.1\n$GENERATE 3-99999 h$ A 192.0.2.1\n",
	},

	/* ---- $INCLUDE ---- */
	{
		.what = "what is in an included file is edited there",
		.before = "$INCLUDE hosts sub\nz A 192.0.2.9\n",
		.update = "- a.sub A 192.0.2.7\n+ b.sub 3600 A 192.0.2.81\n+ c.sub 3600 A 192.0.2.82\n+ z 3600 TXT \"z\"\n",
		.after = "$INCLUDE hosts sub\nz A 192.0.2.9\nz TXT \"z\"\n",
		.file = { { "hosts", "; hosts\na A 192.0.2.7\nb A 192.0.2.8\n", "; hosts\nb A 192.0.2.8\nb A 192.0.2.81\nc A 192.0.2.82\n" } },
	},
	{
		.what = "an included line takes its owner from the line that goes",
		.before = "w A 192.0.2.7\n$INCLUDE more\n  TXT \"w\"\n",
		.update = "- w A 192.0.2.7\n",
		.after = "$INCLUDE more\nw TXT \"w\"\n",
		.file = { { "more", "  A 192.0.2.8\n  A 192.0.2.9\n", "w A 192.0.2.8\n  A 192.0.2.9\n" } },
	},
	{
		.what = "a file that others read too is not edited: new records go to the end of the zone's own",
		.before = "$INCLUDE hosts\nz A 192.0.2.9\n$ORIGIN elsewhere.example.\n; the end\n",
		.update = "+ b 3600 TXT \"b\"\n+ a 3600 MX 10 z\n",
		.after = "$INCLUDE hosts\nz A 192.0.2.9\n$ORIGIN elsewhere.example.\n; the end\n"
		         "a.example. 3600 MX 10 z.example.\nb.example. 3600 TXT \"b\"\n",
		.file = { { "hosts", "a A 192.0.2.7\n", NULL, true } },
	},
	{
		.what = "and a record in it cannot go",
		.before = "$INCLUDE hosts\n",
		.update = "- a A 192.0.2.7\n",
		.why = "hosts:2: a.example. A is in a file that other zones read too: it is not edited",
		.file = { { "hosts", "; hosts\na A 192.0.2.7\n", NULL, true } },
	},
	{
		.what = "nor in a file that is included twice",
		.before = "$INCLUDE hosts x\n$INCLUDE hosts y\n",
		.update = "- a.x A 192.0.2.7\n",
		.why = "hosts:1: a.x.example. A is in a file that this zone includes more than once: it is not edited",
		.file = { { "hosts", "a A 192.0.2.7\n", NULL, false } },
	},
	{
		.what = "a file of nothing but $GENERATE tells the style too",
		.before = "$INCLUDE pool\n",
		.update = "+ h2 60 TXT \"x\"\n",
		.after = "$INCLUDE pool\n",
		.file = { { "pool", "$GENERATE 1-2 h$\t1m IN A 192.0.2.$\n", "$GENERATE 1-2 h$\t1m IN A 192.0.2.$\nh2\t1m IN TXT \"x\"\n" } },
	},
	{
		.what = "one after another of these",
		.before = "$INCLUDE one\n$INCLUDE two\n",
		.update = "- b2 A 192.0.2.2\n",
		.after = "$INCLUDE one\n$INCLUDE two\n",
		.file = { { "one", "$GENERATE 1-2 a$ A 192.0.2.$\n", NULL },
		          { "two", "$GENERATE 1-3 b$ A 192.0.2.$\n", "b1 A 192.0.2.1\nb3 A 192.0.2.3\n" } },
	},
	{
		.what = "an included file may lose all its lines",
		.before = "$INCLUDE hosts\n",
		.update = "- a A 192.0.2.7\n",
		.after = "$INCLUDE hosts\n",
		.file = { { "hosts", "a A 192.0.2.7", "" } },
	},
};

static struct zone *
updated(const struct zone *old, const char *update, struct garbage *garbage)
{
	struct zone_txn *t = NULL;
	struct zone *new = NULL;
	const char *line;
	assert_int_equal(zone_txn_begin(old, &t), OK);
	while ((line = text_line(&update)) != NULL) {
		char text[600], owner[300];
		int at = 0;
		assert_int_equal(sscanf(line + 1, "%299s %n", owner, &at), 1);
		snprintf(text, sizeof text, "%s %s%.*s", owner, *line == '-' ? "0 " : "", (int)strcspn(line + 1 + at, "\n"), line + 1 + at);
		struct text_rr rr = text_rr(text, old->apex_name);
		err_t err = *line == '-' ? zone_txn_remove(t, rr.owner.oct, rr.type, rr.rdata, rr.rdlen)
		                         : zone_txn_add(t, rr.owner.oct, rr.type, rr.ttl, rr.rdata, rr.rdlen);
		if (err != OK) {
			fail_msg("%s: %s", text, err_str(err));
		}
	}
	assert_int_equal(zone_txn_commit(&t, &new, garbage), OK);
	return new;
}

/* The parts that are the same in both go before the text. */
static struct str
with_head(const struct example *x, const char *text)
{
	struct str out = { 0 };
	str_printf(&out, "%s%s", x->is_whole ? "" : HEAD, text);
	return out;
}

static struct zone_files
example_files(const struct example *x, const struct str *own)
{
	struct zone_files f = { .file = { { .path = "zone", .text = own->s, .len = own->len } } };
	for (size_t i = 0; i < ARRAY_LEN(x->file) && x->file[i].path != NULL; i++) {
		f.file[1 + i] = (struct zone_file){ x->file[i].path, x->file[i].before, strlen(x->file[i].before), x->file[i].is_shared };
	}
	return f;
}

static void
check_refusal(const struct example *x, err_t err, const struct diag *why)
{
	char text[DIAG_TEXT_MAX + 100];
	snprintf(text, sizeof text, "%s:%u: %s", why->file, why->line, why->text);
	assert_int_equal(err, E_FORMAT);
	if (strcmp(text, x->why) != 0 && strcmp(why->text, x->why) != 0) {
		fail_msg("%s: refused because: %s", x->what, text);
	}
}

static void
check_texts(const struct example *x, struct zone_files *f, const struct zone *new, const struct edit *e)
{
	struct str want = with_head(x, x->after);
	struct zone_files after = files_after(f, e);
	if (strcmp(after.file[0].text, want.s) != 0) {
		print_message("%s\n", after.file[0].text);
		fail_msg("%s: got the text above", x->what);
	}
	for (size_t i = 0; i < ARRAY_LEN(x->file) && x->file[i].path != NULL; i++) {
		const char *text = x->file[i].after != NULL ? x->file[i].after : x->file[i].before;
		assert_string_equal(after.file[1 + i].text, text);
	}
	assert_files_say(&after, new, x->what);
	str_fini(&want);
}

static void
check_example(const struct example *x)
{
	struct str own = with_head(x, x->before);
	struct zone_files f = example_files(x, &own);
	struct zone *old = files_load(&f, example);
	struct garbage garbage = { 0 };
	struct edit e = { 0 };
	struct diag why;
	if (old == NULL) {
		fail_msg("%s: %s", x->what, f.trouble);
		return;
	}
	struct zone *new = updated(old, x->update, &garbage);
	err_t err = files_edit(&f, old, new, &e, &why);
	if (x->after == NULL) {
		check_refusal(x, err, &why);
		assert_null(e.files);
	} else if (err != OK) {
		fail_msg("%s: %s: %s", x->what, err_str(err), why.text);
	} else {
		check_texts(x, &f, new, &e);
	}
	edit_fini(&e);
	garbage_free(&garbage);
	zone_free(&new);
	str_fini(&own);
}

static void
examples_come_out_as_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		check_example(&examples[i]);
	}
}

/* `text` is edited as if it were what `old` was made of. */
static void
check_stale(const char *old_text, const char *text, const char *update, const char *code, const char *why_not)
{
	struct zone_files f = { .file = { { "zone", old_text, strlen(old_text), false } } };
	struct garbage garbage = { 0 };
	struct edit e = { 0 };
	struct diag why;
	struct zone *old = files_load(&f, example);
	struct zone *new = updated(old, update, &garbage);
	f.file[0].text = text;
	f.file[0].len = strlen(text);
	assert_int_equal(files_edit(&f, old, new, &e, &why), E_FORMAT);
	assert_string_equal(why.code, code);
	assert_string_equal(why.text, why_not);
	assert_int_equal(e.n, 0);
	garbage_free(&garbage);
	zone_free(&new);
}

static void
another_text_is_refused(void **state)
{
	(void)state;
	static const char add[] = "+ www 3600 A 192.0.2.80\n", ftp[] = HEAD "ftp A 192.0.2.21\n";
	check_stale(HEAD, ftp, add, "edit-mismatch", "after the edit the text has one record too many: ftp.example. 3600 A");
	check_stale(ftp, HEAD, add, "edit-mismatch", "after the edit the text lacks a record: ftp.example. 3600 A");
	check_stale(ftp, HEAD "ftp 60 A 192.0.2.21\n", add, "edit-mismatch",
	            "after the edit the text lacks a record: ftp.example. 3600 A");
	check_stale(ftp, HEAD "ftp A 192.0.2.21.\n", add, "bad-rdata",
	            "A address: expected an IPv4 address, such as 192.0.2.1, not \"192.0.2.21.\"");
	check_stale(ftp, HEAD "$INCLUDE other\n", add, "include-not-found", "cannot include other: not found");
	check_stale(ftp, HEAD "ftp A 192.0.2.21\nftp.test. A 192.0.2.21\n", add, "edit-mismatch",
	            "after the edit the text is not a valid zone: ftp.test. is not in the zone example.");
}

/* One stands twice and another is missing: as many records as there should be. */
static void
a_missing_record_is_missed(void **state)
{
	(void)state;
	check_stale(HEAD "a A 192.0.2.1\na A 192.0.2.2\n", HEAD "a A 192.0.2.1\na A 192.0.2.1\n", "+ www 3600 A 192.0.2.80\n",
	            "edit-mismatch", "after the edit the text lacks a record: a.example. 3600 A");
}

/* What is not said yet but should go, and what is said already but should come, is as well as done. */
static void
an_edit_may_be_done_already(void **state)
{
	(void)state;
	static const char before[] = HEAD "a A 192.0.2.1\n", text[] = HEAD "b A 192.0.2.2\n";
	struct zone_files f = { .file = { { "zone", before, strlen(before), false } } };
	struct garbage garbage = { 0 };
	struct edit e = { 0 };
	struct diag why;
	struct zone *old = files_load(&f, example);
	struct zone *new = updated(old, "- a A 192.0.2.1\n+ b 3600 A 192.0.2.2\n", &garbage);
	f.file[0].text = text;
	f.file[0].len = strlen(text);
	assert_int_equal(files_edit(&f, old, new, &e, &why), OK);
	struct zone_files after = files_after(&f, &e);
	assert_files_say(&after, new, "edited twice");
	edit_fini(&e);
	garbage_free(&garbage);
	zone_free(&new);
}

/* A large RRset, all of it changed: nothing here may be slow, nor may a look-up for each record be a walk through all of them. */
static void
a_large_set_is_edited(void **state)
{
	(void)state;
	enum { RECORDS = 20000 };
	struct str text = { 0 };
	struct garbage garbage = { 0 };
	struct zone_txn *t = NULL;
	struct zone *new = NULL;
	struct edit e = { 0 };
	struct diag why;
	uint8_t address[4] = { 0 };
	str_cat(&text, HEAD);
	for (unsigned i = 0; i < RECORDS; i++) {
		str_printf(&text, i == 0 ? "pool A 10.0.%u.%u\n" : "     A 10.0.%u.%u\n", i / 256, i % 256);
	}
	struct zone_files f = { .file = { { "zone", text.s, text.len, false } } };
	struct zone *old = files_load(&f, example);
	struct text_rr first = text_rr("pool 60 A 10.0.0.0", example);
	assert_int_equal(zone_txn_begin(old, &t), OK);
	for (unsigned i = 0; i < RECORDS; i += 2) {
		memcpy(address, (uint8_t[]){ 10, 0, (uint8_t)(i / 256), (uint8_t)(i % 256) }, sizeof address);
		assert_int_equal(zone_txn_remove(t, first.owner.oct, TYPE_A, address, 4), OK);
		address[1] = 1;
		assert_int_equal(zone_txn_add(t, first.owner.oct, TYPE_A, 60, address, 4), OK);
	}
	assert_int_equal(zone_txn_commit(&t, &new, &garbage), OK);
	assert_int_equal(files_edit(&f, old, new, &e, &why), OK);
	struct zone_files after = files_after(&f, &e);
	assert_files_say(&after, new, "large");
	edit_fini(&e);
	garbage_free(&garbage);
	zone_free(&new);
	str_fini(&text);
}

static void
a_new_zone_gets_a_text(void **state)
{
	(void)state;
	struct zone *z = text_zone(TEXT_APEX "@ 3600 MX 10 mail\n@ 300 TXT \"x\"\na.b.c 3600 CNAME @\n\\$x 60 A 192.0.2.9\n");
	struct str text = { 0 };
	assert_int_equal(edit_new_zone(z, &text), OK);
	assert_string_equal(text.s, "$ORIGIN example.\n"
	                            "$TTL 3600\n"
	                            "@         IN SOA   ns1 hostmaster (\n"
	                            "        7               ; serial\n"
	                            "        7200            ; refresh\n"
	                            "        3600            ; retry\n"
	                            "        1209600         ; expire\n"
	                            "        300             ; minimum\n"
	                            "        )\n"
	                            "@         IN NS    ns1\n"
	                            "@         IN MX    10 mail\n"
	                            "@     300 IN TXT   \"x\"\n"
	                            "\\$x   60  IN A     192.0.2.9\n"
	                            "a.b.c     IN CNAME @\n"
	                            "ns1       IN A     192.0.2.1\n");
	struct zone_files f = { .file = { { "zone", text.s, text.len, false } } };
	assert_files_say(&f, z, "new zone");
	str_fini(&text);
	zone_free(&z);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_come_out_as_written),
		cmocka_unit_test(another_text_is_refused),
		cmocka_unit_test(a_missing_record_is_missed),
		cmocka_unit_test(an_edit_may_be_done_already),
		cmocka_unit_test(a_large_set_is_edited),
		cmocka_unit_test(a_new_zone_gets_a_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
