/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPN room (fig. 14 "MA VPN control"): the VPN information cache (B), tunnel control (E5) and QoS control
 * (E4). Keeps what is *desired* (sessions and their profiles) apart from what is *observed* (charon's SAs and
 * connections) and has one reconcile function through which a start, a charon restart, an event and the
 * periodic audit all go.
 *
 * Loop-agnostic: time is an argument, charon is reached through vici_conn objects that the run room feeds,
 * the kernel through the net callback. reports come back through the report callback, never from within
 * vpn_install().
 */
#ifndef MIPVPN_VPN_H
#define MIPVPN_VPN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/vici/vici.h"
#include "lib/vpn_profile.h"
#include "nethelper/proto.h"

struct vpn_default_spi { /* E6: preset relation with one gateway */
	struct in_addr peer;
	uint32_t spi;
	struct vpn_key key; /* PSK */
};
struct vpn_config {
	struct in_addr self; /* this gateway's address */
	char prefix[32];     /* of our names in charon, default "mipvpn" */
	char esp_proposal[VPN_NAME_MAX], ike_proposal[VPN_NAME_MAX]; /* defaults when the profile has none */
	uint32_t audit_ms;					     /* default 30000 */
	unsigned initiate_max;					     /* in flight, default 24 */
	uint32_t initiate_timeout_ms;				     /* default 3000 */
	/* 0 = the default in all that follow */
	uint32_t responder_wait_ms; /* a loaded responder sees its CHILD_SA within this, default 15000 */
	uint32_t restore_ms;	    /* a lost one is back within this, else VPN_REPORT_DOWN; default 20000 */
	uint32_t dpd_delay_s;	    /* default 5 */
	uint32_t settle_ms;	    /* what the other end gets to install a CHILD_SA that it makes (late),
				     * when our answer has reached it, before the user is told; default 20 */
	bool encap;		    /* force UDP encapsulation of ESP */
	bool take_early; /* HA, PCN: accept IKE_SA_INIT of gateways that we have not been told of yet */
	bool no_marks;	 /* no mark_in/set_mark_in on our tunnels (doc/ipsec.md) */
};
/* UP has a text when the connection of a contract has become another one that cannot be set up yet, while
 * the old one stays: "VPN <number>: <why>".  It is tried again, and the old one goes when the new one is up.
 * CARRIES: after UP, once every tunnel of the session is installed here; at an initiator together with it. */
enum vpn_report { VPN_REPORT_UP, VPN_REPORT_FAILED, VPN_REPORT_DOWN, VPN_REPORT_CARRIES };
struct vpn_ops {
	/* A connection to charon is wanted (which: 0 commands, 1 events): the run room opens one and calls
	 * vpn_charon_fd(), with -1 when that failed. */
	void (*charon_open)(void *user, unsigned which);
	/* Carry out a network change; the answer comes back through vpn_net_done(cookie). */
	void (*net)(void *user, const struct nh_request *r, uint64_t cookie);
	void (*report)(void *user, const char *session, enum vpn_report what, const char *text);
	void (*event)(void *user, int log_level, const char *text); /* a line for log and show events */
};
#define VPN_CHARON_CONNS 2

struct vpn;
struct vpn *vpn_new(const struct vpn_config *c, const struct vpn_ops *ops, void *user, uint64_t now_ms);
void vpn_free(struct vpn *v); /* wipes; leaves charon as it is */
/* Takes fd; -1 = could not connect. */
void vpn_charon_fd(struct vpn *v, unsigned which, int fd, uint64_t now_ms);
int vpn_charon_poll(const struct vpn *v, unsigned which, bool *want_write); /* fd to poll, -1 = none */
void vpn_charon_io(struct vpn *v, unsigned which, bool readable, bool writable, uint64_t now_ms);
void vpn_net_done(struct vpn *v, uint64_t cookie, int error, const char *text, uint64_t now_ms);
uint64_t vpn_next(const struct vpn *v);
void vpn_tick(struct vpn *v, uint64_t now_ms);

/* Desired := these profiles for this session (copied). A profile is the initiator's part when src_gw is self,
 * the responder's when dst_gw is self. Equal profiles that stand are left alone (F7); what the session had
 * before goes only after the new parts are done (make before break). VPN_REPORT_UP once every part is done:
 * marks and routes set, responder parts loaded, initiator parts INSTALLED; else VPN_REPORT_FAILED within the
 * deadline, with everything of this session's change taken down: what stood before the change still stands,
 * and a session that had nothing is forgotten. 0, or -1 (bad profile: reason in err; nothing has changed). */
int vpn_install(struct vpn *v, const char *session, const struct vpn_profile *p, size_t n,
		uint32_t deadline_ms, uint64_t now_ms, char *err, size_t err_len);
void vpn_remove(struct vpn *v, const char *session, uint64_t now_ms);
/* As vpn_install() with late_child: an IKE_SA that we initiate has no CHILD_SA; the destination gateway
 * makes it (doc/moves.md).  For a session that replaces one whose tunnels carry packets. */
int vpn_install_late(struct vpn *v, const char *session, const struct vpn_profile *p, size_t n,
		     uint32_t deadline_ms, uint64_t now_ms, char *err, size_t err_len);
/* E7: the same profiles, with source gateway to in place of from.  Reports and errors as vpn_install(); -1
 * also for a session that is not known. */
int vpn_move(struct vpn *v, const char *session, struct in_addr from, struct in_addr to, uint32_t deadline_ms,
	     uint64_t now_ms, char *err, size_t err_len);
/* The user has moved on: tunnels of the session are used while they stand and not set up again.  Gone when
 * the other end takes them down, at the latest after linger_ms.  No report. */
void vpn_leave(struct vpn *v, const char *session, uint32_t linger_ms, uint64_t now_ms);
/* Smooth handoff: for each IPsec profile of session from a tunnel between the two foreign agents, with
 * keys made of key (vpn_handoff_profile()); at FA (newcomer false) this end initiates, at FA' it responds.
 * Becomes session session; reports as vpn_install(), UP without delay when there is no such profile.  The
 * tunnels do not close from's data path while they are not up.  -1: from is not known, or err says. */
int vpn_handoff(struct vpn *v, const char *session, const char *from, struct in_addr peer, bool newcomer,
		const struct vpn_key *key, uint32_t deadline_ms, uint64_t now_ms, char *err, size_t err_len);
/* E6: sets or replaces (key.len 0 removes) a preset relation; never shown. */
void vpn_default_spi_set(struct vpn *v, const struct vpn_default_spi *d, uint64_t now_ms);
void vpn_resync(struct vpn *v, uint64_t now_ms);
/* The agent ends: with take_early, charon's connection for gateways not told of yet goes (vpn_idle() is false
 * until then).  Sessions are removed by whoever has installed them. */
void vpn_quit(struct vpn *v, uint64_t now_ms);
/* True when neither charon nor the kernel has anything left of ours to take down (shutdown waits for it). */
bool vpn_idle(const struct vpn *v);
json_t *vpn_json_vpns(const struct vpn *v,
		      bool show_keys); /* cache: sessions and profiles, desired and observed state, why */
json_t *vpn_json_tunnels(const struct vpn *v); /* observed SAs with counters */
unsigned vpn_ready(const struct vpn *v);       /* 1 when charon answers */

#endif
