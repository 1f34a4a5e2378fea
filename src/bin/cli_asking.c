#include "bin/cli_asking.h"

#include "bin/cli.h"

error_t
cli_asking_parse(struct cli_asking *o, int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case CLI_ASKING_KEY:
		o->key = arg;
		break;
	case CLI_ASKING_KEY_FILE:
		o->key_file = arg;
		break;
	case 'p':
		o->port = (uint16_t)cli_number_argument(state, "the port", arg, 1, UINT16_MAX);
		break;
	case CLI_ASKING_TIMEOUT:
		o->timeout_s = (unsigned)cli_number_argument(state, "the timeout", arg, 1, 3600);
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
