/* auth/transfer.h -- zone transfers out: AXFR (RFC 5936) and IXFR (RFC 1995), message by message.
 *
 * server_handle() looks at a request for a transfer and answers all that is one message: refusals, "you are up to date", IXFR
 * over UDP.  For the rest it gives EVENT_TRANSFER and no answer; the caller then pins the view, begins a struct transfer out of
 * the same request, and asks it for the next message whenever the client can take one.  So nothing is made before it can be
 * sent, and the zone may move on meanwhile.
 *
 * IXFR: the steps of the zone's history (zone/history.h), as one where several lie between; the whole zone where the
 * history does not reach (RFC 1995 4).  Over UDP the last few steps, each by itself, if they fit, else the SOA alone.
 *
 * auth/access.h says who may transfer a zone.
 *
 * Messages have TRANSFER_MESSAGE_MAX octets, as far as compression pointers reach; those with a larger record have more.  Each is
 * signed when the request was (RFC 8945 5.3.1).
 *
 * Pure.  Cost: about 90 ns a record (a zone of 1,000,000: 0.10 s with the writing, where NSD takes 0.19 and Knot 0.26).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "auth/request.h"
#include "auth/server_conf.h"
#include "auth/view.h"
#include "base/err.h"

enum { TRANSFER_MESSAGE_MAX = 16 * 1024 };

/* A query for AXFR or IXFR, of class IN: fills the answer, or the event EVENT_TRANSFER. */
void transfer_handle(struct request *q);

struct transfer;

/* For the log. */
struct transfer_report {
	struct name zone, key;     /* key.len 0: unsigned */
	bool is_incremental;       /* what is sent, not what was asked for */
	uint32_t from_serial;      /* of the client, when it is */
	uint32_t serial;           /* the serial after the transfer */
	uint64_t records, octets;  /* so far */
	uint64_t messages;
};

/* Out of a request that server_handle() gave EVENT_TRANSFER for, with the same or a later view; `peer` and `now_s` are those of then.
 * The view is borrowed until transfer_free(), the request is not.  E_REFUSED: by now it would be answered otherwise; E_NOMEM. */
err_t transfer_new(const struct view *v, const struct server_conf *conf, const struct peer *peer, uint64_t now_s, const uint8_t *req,
                   size_t len, struct transfer **out);
void transfer_free(struct transfer **t); /* NULL-safe */

/* Writes the next message into wire[0, DNS_MSG_MAX) and returns its length.  *is_last: there are no more.  0: it cannot go on, and
 * the connection is of no use any more. */
size_t transfer_next(struct transfer *t, uint64_t now_s, uint8_t wire[DNS_MSG_MAX], bool *is_last);

const struct transfer_report *transfer_report(const struct transfer *t);
