#include "bin/cli_asking.h"

#include "bin/cli.h"
#include "bin/cli_signed.h"

void
cli_asking_take_key(struct cli_asking *o, char *key, const char *called, struct argp_state *state)
{
	if (o->key != NULL) {
		cli_usage(state, "there are two keys: give one");
	}
	o->key = key;
	o->key_called = called;
}

static void
take_key_file(struct cli_asking *o, const char *path, struct argp_state *state)
{
	if (cli_is_key(path)) {
		cli_usage(state, "--key-file takes the name of a file, and this looks like the key itself");
	}
	o->key_file = path;
}

static unsigned
read_timeout(const struct cli_asking *o, const char *arg, struct argp_state *state)
{
	unsigned max_s = o->timeout_max_s != 0 ? o->timeout_max_s : CLI_ASKING_TIMEOUT_MAX_S;
	return (unsigned)cli_number_argument(state, "the timeout", arg, 1, max_s);
}

error_t
cli_asking_parse(struct cli_asking *o, int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case CLI_ASKING_KEY:
		cli_asking_take_key(o, arg, "--key", state);
		break;
	case CLI_ASKING_KEY_FILE:
		take_key_file(o, arg, state);
		break;
	case 'p':
		o->port = (uint16_t)cli_number_argument(state, "the port", arg, 1, UINT16_MAX);
		break;
	case CLI_ASKING_TIMEOUT:
		o->timeout_s = read_timeout(o, arg, state);
		break;
	case CLI_ASKING_WAIT:
		o->wait_s = arg != NULL ? (unsigned)cli_number_argument(state, "the time to wait", arg, 1, 86400) : CLI_ASKING_WAIT_S;
		break;
	case ARGP_KEY_END:
		if (o->key != NULL && o->key_file != NULL) {
			cli_usage(state, "--key and --key-file are two keys: give only one");
		}
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}
