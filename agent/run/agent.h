/* SPDX-License-Identifier: BSD-3-Clause
 *
 * struct agent: all state of the daemon, and what the files of agent/run/ offer each other.  Everything in
 * here belongs to the thread that runs the loop.
 *
 *	main.c		options, start and stop in a visible order
 *	agent.c		roles' events in, actions out; timers; reload; shutdown
 *	dispatch.c	packets -> events
 *	diameter.c	values from the AAA boundary -> events
 *	actions.c	actions -> calls
 *	held.c		answers wait for the helper
 *	net.c		the helper: requests, answers, sockets
 *	links.c		what the kernel knows of interfaces
 *	charon.c	wiring of the VPN room
 *	ctl.c		control socket; its commands: ctl_cmds.c, ctl_show.c
 *	config.c, config_schema.c, journal.c, loop.c, whose.c, notify.c, privs.c: see their headers
 */
#ifndef MIPVPN_RUN_AGENT_H
#define MIPVPN_RUN_AGENT_H

#include <jansson.h>
#include <netinet/in.h>
#include <sys/types.h>

#include "agent/aaa/aaa.h"
#include "agent/run/config.h"
#include "agent/run/journal.h"
#include "agent/run/loop.h"
#include "agent/run/whose.h"
#include "nethelper/client.h"

#define AGENT_STOP_MS 10000 /* for an orderly shutdown, libfdcore's own excepted */

/* An interface of the configuration: a visited link of the FA, or the home link. */
struct link {
	struct agent *agent;
	char name[16];
	bool home;
	unsigned ifindex; /* 0 = not there (yet) */
	struct in_addr addr;
	uint8_t prefix_len;
	uint8_t mac[6];
	int fd; /* packet socket, -1 = none (yet) */
	struct loop_io *io;
	bool opening;	 /* NH_OPEN_LINK is under way */
	bool complained; /* its absence is in the log */
};
#define LINKS_MAX (FA_LINKS_MAX + 1)

struct peer_state { /* a Diameter peer */
	char name[DM_ID_MAX];
	bool open;
};
#define PEERS_MAX 16

struct held;
struct later;
struct ctl;

struct agent {
	const char *conf_path;
	struct config *conf;
	struct loop *loop;
	struct loop_timer *tick;
	struct loop_timer *retry; /* links and charon that were not there */
	struct loop_wake *aaa_wake;
	struct loop_signal *sig_term, *sig_int, *sig_hup;
	struct journal *journal;
	uint64_t started_wall_ms;
	bool stopping, failed, was_ready;
	uint64_t stop_deadline_ms;

	struct fa *fa;
	struct ha *ha;
	struct pcn *pcn;
	struct aaa *aaa; /* NULL: no Diameter in this configuration */
	struct vpn *vpn;
	struct later *later; /* events that actions brought about; see agent_later() */
	struct peer_state peers[PEERS_MAX];
	size_t n_peers;

	/* net.c */
	struct nh_client *nh;
	pid_t helper_pid;
	struct loop_io *nh_io;
	bool nh_gone, kernel_ipip;
	uint64_t batch;		  /* number of the actions being carried out */
	uint64_t batch_ask;	  /* number of the last request to the helper in this batch; 0 = none */
	uint64_t asked, answered; /* requests to the helper, replies from it: they come in order */
	struct held *held;	  /* sends that wait for replies */
	size_t n_held;
	int udp; /* port 434 */
	struct loop_io *udp_io;
	int transparent; /* PCN: port 434 of every CN; -1 = not a PCN */
	struct loop_io *transparent_io;
	int nflog; /* HA: first packets; -1 = none */
	struct loop_io *nflog_io;
	struct link links[LINKS_MAX];
	size_t n_links;
	struct in_addr own_addrs[64];
	size_t n_own_addrs;

	/* charon.c */
	struct loop_io *charon_io[VPN_CHARON_CONNS];
	int charon_fd[VPN_CHARON_CONNS];
	uint64_t charon_retry_at[VPN_CHARON_CONNS];
	unsigned charon_tries[VPN_CHARON_CONNS];
	bool charon_complained;

	struct ctl *ctl;
};

/* agent.c */
/* Sets wall_ms; carries out the actions. */
void agent_event(struct agent *g, enum role_id role, struct role_event *e);
/* An event that comes out of carrying out actions: given to the role when these are done.  Copies. */
void agent_later(struct agent *g, enum role_id role, enum role_event_type type, const char *session,
		 uint32_t result, const char *text);
void agent_turn(struct agent *g); /* at the end of each turn of the loop: later events, timers, descriptors */
void agent_note(struct agent *g, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
uint64_t agent_wall_ms(void);
void agent_tick(void *user); /* the timer of the roles and the VPN room */
bool agent_owns(struct agent *g, enum role_id role, const char *session);
void agent_spis_apply(struct agent *g); /* the configured default SPIs, at the start */
int agent_reload(struct agent *g, struct conf_errors *errs);
void agent_stop(struct agent *g, bool failed); /* begins the orderly shutdown */
bool agent_ready(const struct agent *g);       /* helper, links, charon and a Diameter peer are there */
void agent_say_ready(struct agent *g);	       /* tells the log and systemd when that changes */
/* Returns new (free); NULL without memory. */
struct role_row *agent_rows(struct agent *g, enum role_id role, size_t *n);
int agent_roles_start(struct agent *g);
void agent_links_changed(struct agent *g);		      /* gives the roles what the kernel knows now */
void agent_fa_config(struct agent *g, struct fa_config *out); /* with what the kernel knows of the links */
void agent_ha_config(struct agent *g, struct ha_config *out);

/* actions.c */
void actions_run(struct agent *g, enum role_id role, struct actions *as);

/* dispatch.c */
void dispatch_link_io(void *link, bool readable, bool writable);
void dispatch_udp_io(void *user, bool readable, bool writable);
void dispatch_transparent_io(void *user, bool readable, bool writable);
void dispatch_nflog_io(void *user, bool readable, bool writable);

/* diameter.c */
void diameter_wake(void *user); /* any thread */
void diameter_events(void *user);
/* What waits for an answer of ours may do so for longer than the roles' own deadlines. */
void diameter_patience(struct agent *g);

/* net.c, held.c */
int net_start(struct agent *g, char *err, size_t err_len); /* helper, before privileges go */
/* After: hello, flush, UDP socket, protected prefixes. */
int net_open(struct agent *g, char *err, size_t err_len);
void net_stop(struct agent *g);
/* Asks the helper; its answer counts toward the barrier of the current batch when role is given. */
void net_ask(struct agent *g, const struct nh_request *r, enum role_id role);
void net_ask_vpn(struct agent *g, const struct nh_request *r, uint64_t cookie);
void net_ask_charon(struct agent *g, unsigned which);
void net_links_open(struct agent *g); /* those that are there and not yet open */
void net_link_lost(struct link *l, const char *why);
void net_turn(struct agent *g);
/* Takes the contents of a: carried out when all that this batch asked of the helper is done, or dropped (and
 * the user with it) when some of it failed. */
void net_hold(struct agent *g, enum role_id role, struct action *a);
bool net_batch_pending(const struct agent *g);
void held_release(struct agent *g); /* carries out what waits for nothing any more */
void held_fail(struct agent *g, uint64_t batch, const char *why);
void held_free(struct agent *g);
/* Protected prefixes, and those of the PCN: what is new, and what is gone. */
void net_prefixes(struct agent *g, const struct config *old, const struct config *wanted);

/* actions.c: the second half of a held send */
void actions_send(struct agent *g, enum role_id role, struct action *a);
void actions_send_failed(struct agent *g, enum role_id role, struct action *a, const char *why);

/* links.c */
bool links_lookup(struct link *l); /* fills ifindex, addr, mac from the kernel; true when complete */
size_t links_own_addrs(struct in_addr *out, size_t max);

/* charon.c */
int charon_start(struct agent *g);
void charon_stop(struct agent *g);
void charon_opened(struct agent *g, unsigned which, int fd, int error, const char *text);
void charon_turn(struct agent *g);
uint64_t charon_next(const struct agent *g);

/* ctl.c */
int ctl_start(struct agent *g, char *err, size_t err_len);
void ctl_stop(struct agent *g);
/* ctl_cmds.c: answers one request (borrowed).  Returns new: the whole response. */
json_t *ctl_command(struct agent *g, const json_t *request);
/* ctl_show.c: return new; NULL = there is no such thing to show, or no memory */
json_t *ctl_show(struct agent *g, const char *what, bool show_keys);
json_t *ctl_explain(struct agent *g, const char *nai);
/* The user that text (NAI, home address or session) names, among the rows of the roles; 0 = nobody. */
size_t ctl_count_users(struct agent *g, const char *text);

#endif
