/* bin/monitor.h -- tells how a daemon is: metrics and a page for people, over HTTP (net/web.h), and Influx lines to a server
 * (net/push.h), each on a thread of its own.
 *
 * These threads collect a survey (bin/survey.h) when there is something to tell, at most once a second, and once a minute for the
 * charts.  They share it: one waits while the other collects.  That slows no query: it reads counters, pins the view that is served, and
 * takes the locks that questions about the state take, each for a copy.
 */
#pragma once

#include "bin/daemon.h"
#include "net/push.h"
#include "net/web.h"

enum { MONITOR_FILES = WEB_FILES + PUSH_FILES + 2 }; /* descriptors that it may need */

struct monitor;

/* Stages; without --metrics and --monitor they do nothing.  The first one binds the address, and opens what is out of reach later. */
err_t monitor_listen_up(struct daemon *d);
void monitor_listen_down(struct daemon *d);
err_t monitor_up(struct daemon *d);   /* after DAEMON_STAGE_HEALTH: that watches the thread */
void monitor_down(struct daemon *d);

#define DAEMON_STAGE_MONITOR_LISTEN { "metrics address", monitor_listen_up, monitor_listen_down }
#define DAEMON_STAGE_MONITOR { "metrics", monitor_up, monitor_down }
