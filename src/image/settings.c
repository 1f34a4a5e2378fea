#include "image/settings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

size_t
ip_address_len(const struct ip_address *a)
{
	return a->family == AF_INET6 ? 16 : 4;
}

bool
ip_address_is_near(const struct ip_address *a, const struct ip_address *b)
{
	size_t whole = a->prefix / 8;
	unsigned bits = a->prefix % 8;
	uint8_t mask = (uint8_t)(0xff00u >> bits);
	return memcmp(a->octets, b->octets, whole) == 0 && (bits == 0 || ((a->octets[whole] ^ b->octets[whole]) & mask) == 0);
}

static bool
is_address(const char *text, int family, struct ip_address *out)
{
	struct ip_address a = { .family = family };
	if (inet_pton(family, text, a.octets) != 1) {
		return false;
	}
	a.prefix = family == AF_INET ? 32 : 128;
	*out = a;
	return true;
}

/* ADDRESS/LENGTH.  RFC 4632 3.1, RFC 4291 2.3. */
static bool
is_cidr(const char *text, int family, struct ip_address *out)
{
	char address[INET6_ADDRSTRLEN];
	struct ip_address a;
	const char *slash = strchr(text, '/');
	unsigned prefix;
	char more;
	if (slash == NULL || (size_t)(slash - text) >= sizeof address || slash[1] < '0' || slash[1] > '9') {
		return false;
	}
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!is_address(address, family, &a) || sscanf(slash + 1, "%3u%c", &prefix, &more) != 1 || prefix == 0 || prefix > a.prefix) {
		return false;
	}
	a.prefix = prefix;
	*out = a;
	return true;
}

/* ---- one function for each option: false when the value has not the right form ---- */

static bool
take_ipv4(struct settings *s, const char *value)
{
	return is_cidr(value, AF_INET, &s->ipv4);
}

static bool
take_ipv6(struct settings *s, const char *value)
{
	return is_cidr(value, AF_INET6, &s->ipv6);
}

static bool
take_ipv4_gateway(struct settings *s, const char *value)
{
	return is_address(value, AF_INET, &s->ipv4_gateway);
}

static bool
take_ipv6_gateway(struct settings *s, const char *value)
{
	return is_address(value, AF_INET6, &s->ipv6_gateway);
}

static bool
is_host_name(const char *text, size_t max)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	size_t len = strlen(text);
	return len > 0 && len <= max && strspn(text, allowed) == len && text[0] != '-' && text[0] != '.';
}

static bool
take_hostname(struct settings *s, const char *value)
{
	s->hostname = value;
	return is_host_name(value, SETTINGS_HOSTNAME_MAX);
}

static bool
take_name_server(struct settings *s, const char *value)
{
	struct ip_address a;
	if (s->name_servers_n == SETTINGS_NAME_SERVERS_MAX || (!is_address(value, AF_INET, &a) && !is_address(value, AF_INET6, &a))) {
		return false;
	}
	s->name_servers[s->name_servers_n++] = value;
	return true;
}

static bool
take_time_server(struct settings *s, const char *value)
{
	struct ip_address a;
	if (s->time_servers_n == SETTINGS_TIME_SERVERS_MAX || (!is_address(value, AF_INET6, &a) && !is_host_name(value, 253))) {
		return false;
	}
	s->time_servers[s->time_servers_n++] = value;
	return true;
}

static const struct option {
	const char *name;
	bool (*take)(struct settings *s, const char *value);
	const char *form;
} options[] = {
	{ "--ipv4", take_ipv4, "an address and the length of its network's prefix, as in --ipv4=10.0.42.2/24" },
	{ "--ipv6", take_ipv6, "an address and the length of its network's prefix, as in --ipv6=2001:db8::2/64" },
	{ "--ipv4-gateway", take_ipv4_gateway, "an address, as in --ipv4-gateway=10.0.42.1" },
	{ "--ipv6-gateway", take_ipv6_gateway, "an address, as in --ipv6-gateway=fe80::1" },
	{ "--hostname", take_hostname, "a name of at most 64 letters, digits, dots and hyphens" },
	{ "--name-server", take_name_server, "an address, and given at most three times" },
	{ "--time-server", take_time_server, "an address or a name, and given at most four times" },
};

static const struct option *
option_of(const char *word, const char **value)
{
	size_t len = strcspn(word, "=");
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if (strlen(options[i].name) == len && memcmp(options[i].name, word, len) == 0) {
			*value = word[len] == '=' ? word + len + 1 : "";
			return &options[i];
		}
	}
	return NULL;
}

/* A gateway needs an address of ours in its family: without one no route through it is of use. */
static err_t
check_gateway(const struct ip_address *own, const struct ip_address *gateway, const char *option, struct diag *diag)
{
	if (gateway->family == 0 || own->family != 0) {
		return OK;
	}
	diag_set(diag, DIAG_ERROR, "settings", "%s-gateway is given, and %s is not", option, option);
	diag_hint(diag, "%s is the machine's own address, with the length of its network's prefix", option);
	return E_FORMAT;
}

err_t
settings_read(struct settings *s, char *const *words, size_t n, struct diag *diag)
{
	*s = (struct settings){ .hostname = NULL };
	ASSERT(n <= CMDLINE_WORDS_MAX);
	bool is_rest_program = false;
	for (size_t i = 0; i < n; i++) {
		const char *value;
		const struct option *o = is_rest_program ? NULL : option_of(words[i], &value);
		if (strcmp(words[i], "--") == 0 && !is_rest_program) {
			is_rest_program = true;
		} else if (o == NULL) {
			s->words[s->words_n++] = words[i];
		} else if (!o->take(s, value)) {
			diag_set(diag, DIAG_ERROR, "settings", "%s=%.200s: should be %s", o->name, value, o->form);
			diag_hint(diag, "correct the kernel's command line");
			return E_FORMAT;
		}
	}
	TRY(check_gateway(&s->ipv4, &s->ipv4_gateway, "--ipv4", diag));
	return check_gateway(&s->ipv6, &s->ipv6_gateway, "--ipv6", diag);
}
