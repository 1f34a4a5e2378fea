#include "net/forward_lines.h"

#include "net/dial.h"
#include "net/env.h"
#include "net/random.h"

static unsigned
number_of(const struct forward_line *l)
{
	return (unsigned)(l - l->owner->lines);
}

static void
on_connected(void *ctx)
{
	struct forward_line *l = ctx;
	struct now t = net_now();
	forwarder_connected(l->owner->machine, &t, number_of(l));
}

static void
on_message(void *ctx, const uint8_t *bytes, size_t len)
{
	struct forward_line *l = ctx;
	struct now t = net_now();
	forwarder_input(l->owner->machine, &t, number_of(l), bytes, len);
}

static void
on_ended(void *ctx, const char *why)
{
	struct forward_line *l = ctx;
	struct now t = net_now();
	l->dial = NULL;
	forwarder_closed(l->owner->machine, &t, number_of(l), why);
}

static bool
line_open(void *ctx, unsigned link, const struct follow_source *to)
{
	struct forward_lines *lines = ctx;
	struct forward_line *l = &lines->lines[link];
	const char *why;
	const struct dial_conf conf = {
		.from = link_source_for(lines->from, to), .to = listen_at(&to->address, to->port),
		.message_max = DNS_MSG_MAX, .connected = on_connected, .message = on_message, .ended = on_ended, .ctx = l,
	};
	l->owner = lines;
	l->dial = dial_begin(lines->loop, &conf, &why);
	return l->dial != NULL;
}

static bool
line_send(void *ctx, unsigned link, const uint8_t *bytes, size_t len)
{
	struct forward_lines *lines = ctx;
	return dial_send(lines->lines[link].dial, bytes, len);
}

static void
line_close(void *ctx, unsigned link)
{
	struct forward_lines *lines = ctx;
	dial_close(&lines->lines[link].dial);
}

static void
on_answer(void *ctx, void *handle, const struct follow_source *from, const uint8_t *bytes, size_t len)
{
	struct forward_lines *lines = ctx;
	lines->answer(lines->ctx, handle, from, bytes, len);
}

static void
on_fail(void *ctx, void *handle, const struct follow_source *from, bool may_have_arrived, const char *why)
{
	struct forward_lines *lines = ctx;
	lines->fail(lines->ctx, handle, from, may_have_arrived, why);
}

static uint32_t
random_number(void *ctx)
{
	(void)ctx;
	return net_random_u32();
}

void
forward_lines_begin(struct forward_lines *l, uv_loop_t *loop, const struct link_source *from)
{
	const struct forwarder_io io = { .open = line_open, .send = line_send, .close = line_close, .answer = on_answer, .fail = on_fail,
		                         .random_u32 = random_number, .ctx = l };
	l->loop = loop;
	l->from = from;
	l->machine = forwarder_new(&io);
}

void
forward_lines_end(struct forward_lines *l)
{
	for (size_t i = 0; i < FORWARDER_LINKS_MAX; i++) {
		dial_close(&l->lines[i].dial);
	}
	forwarder_free(&l->machine);
}
