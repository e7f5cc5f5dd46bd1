/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A scripted charon for unit tests: speaks VICI over socketpairs, keeps connections, keys and SAs as charon
 * would, and answers an initiate as the test says. And the room around it: virtual time, and a record of all
 * that the VPN room says. What it does was taken from a real 5.9.8 (tests/vici/run runs the room against
 * that).
 */
#ifndef MIPVPN_TESTS_FAKE_CHARON_H
#define MIPVPN_TESTS_FAKE_CHARON_H

#include "agent/vpn/vpn.h"
#include "tests/unit/vpn/fake_kernel.h"

#define FAKE_MAX 1200
#define FAKE_NAME 160

enum fake_outcome {
	FAKE_UP,		/* CHILD_SA INSTALLED */
	FAKE_AUTH_FAILED,	/* log line, ike-updown without "up", no SA left */
	FAKE_NO_PROPOSAL,	/* the same without IKE_SA ever */
	FAKE_NO_CHILD_PROPOSAL, /* as the next one, for want of common algorithms of the CHILD_SA */
	FAKE_TS_UNACCEPTABLE,	/* ike-updown up, log line, IKE_SA stays without a CHILD_SA */
	FAKE_TS_SILENT,		/* the same without the log line */
	FAKE_BLACK_HOLE,	/* nothing at all; the IKE_SA stays CONNECTING */
	FAKE_HANGS		/* the test goes on by hand: fake_finish() */
};
struct fake_sa {
	char name[FAKE_NAME];
	uint32_t id;
	bool established, child;
	bool deleting; /* its DELETE is not answered */
};
struct fake {
	int fd[VPN_CHARON_CONNS];
	bool subscribed[VPN_CHARON_CONNS][6];
	uint8_t in[VPN_CHARON_CONNS][65536];
	size_t in_len[VPN_CHARON_CONNS];
	char conns[FAKE_MAX][FAKE_NAME], keys[FAKE_MAX][FAKE_NAME];
	size_t n_conns, n_keys;
	unsigned rekeys;
	bool udp; /* its IPsec is in user space */
	size_t contract_keys_max; /* most secrets of contracts at a time */
	struct fake_sa sas[FAKE_MAX];
	size_t n_sas;
	uint32_t next_id;
	enum fake_outcome outcome;
	const char *refuse;		   /* name of a command that fails */
	bool child_fails;		   /* a CHILD_SA asked for in an IKE_SA that stands is refused */
	unsigned list_sas;		   /* how often asked */
	bool absent;			   /* connections are refused */
	bool stubborn;			   /* terminate without force never ends */
	unsigned initiates, initiates_max; /* in all; most connecting at a time */
	char *commands;			   /* "load-shared;load-conn;..." without the audit's */
	uint8_t secret[64];		   /* of the last load-shared */
	size_t secret_len;
	char owners[2][160];
};

struct room {
	struct vpn *v;
	struct fake f;
	uint64_t now;
	bool inside;	    /* a call into the room is running */
	char reports[4096]; /* "s1 UP ;s2 FAILED text;" */
	char carries[4096]; /* "s1;" for each VPN_REPORT_CARRIES */
	char net[65536];    /* "protect-add 0.0.0.0/0 10.9.0.0/24;" */
	uint64_t cookies[4096];
	size_t n_cookies;
	uint32_t net_fails; /* verb that the helper refuses */
	bool net_silent;    /* answers are kept back */
	struct fake_kernel kernel;
	const char *remove_on_report; /* session removed from within its report */
	unsigned reports_inside;
};

void room_open(struct room *r, const struct vpn_config *c);
void room_close(struct room *r);
/* A gateway with this address, as the tests of moves and legs want it: settled. */
void room_open_as(struct room *r, const char *self);
/* What was there has time to go; asserts that nothing is left at charon, in the kernel or in the room. */
void room_close_empty(struct room *r);
void room_settle(struct room *r);	     /* until nobody has anything to do at this moment */
void room_pass(struct room *r, uint64_t ms); /* time goes by, timer by timer */
int room_install(struct room *r, const char *session, const struct vpn_profile *p, size_t n,
		 uint32_t deadline_ms);
void room_remove(struct room *r, const char *session);
bool room_said(const struct room *r, const char *text); /* in reports */
bool room_net(const struct room *r, const char *text);

bool fake_serve(struct room *r, unsigned which); /* true when something was done */
void fake_kill(struct room *r);			 /* charon dies with all that it held */
void fake_peer_up(struct room *r,
		  const char *part); /* the other end sets up what is loaded under a name with part */
/* What hangs under a name with part comes up. */
void fake_finish(struct room *r, const char *part);
/* It sets up the IKE_SA and leaves the CHILD_SA to us. */
void fake_peer_ike(struct room *r, const char *part);
/* It makes the CHILD_SA in the IKE_SAs that we have made without. */
void fake_peer_child(struct room *r, const char *part);
unsigned fake_children(const struct fake *f,
		       const char *part); /* CHILD_SAs of IKE_SAs with part in the name */
void fake_peer_down(struct room *r, const char *part);
void fake_log(struct room *r, const char *ike_name, const char *msg);
void fake_unload_all(struct fake *f); /* swanctl --load-all of somebody else */
bool fake_empty(const struct fake *f);
bool fake_has_conn(const struct fake *f, const char *part);

#endif
