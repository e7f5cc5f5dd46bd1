/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shared by fw.c (the state) and fw_text.c (its nftables text); nobody else includes it.
 */
#ifndef MIPVPN_NH_FW_IMPL_H
#define MIPVPN_NH_FW_IMPL_H

#include "nethelper/fw.h"

#include <stdio.h>
#include <uthash.h>

struct leg { /* our part as destination gateway [0], as source gateway [1] */
	struct leg_tunnel {
		char name[IFNAMSIZ]; /* "" = charon's; then it is the only one */
		unsigned refs;
	} tunnel[FW_LEG_TUNNELS]; /* several while a user moves: packets may be under way */
	unsigned n;		  /* 0 = no part of ours */
};
struct profile {
	struct vpn_prefix dst;
	struct leg leg[2];
	uint8_t tos_up, tos_down;
};
struct user {
	struct in_addr src;	  /* key */
	struct profile *profiles; /* longest dst first */
	size_t n;
	bool in_kernel, dirty;
	uint64_t written[2]; /* hash of what his chains hold in the kernel: [1] up */
	struct user *next_dirty;
	UT_hash_handle hh;
};
struct visitor {
	struct in_addr addr; /* key */
	char link[IFNAMSIZ];
	uint8_t mac[6];
	UT_hash_handle hh;
};
struct source {
	struct source_key {
		char tunnel[IFNAMSIZ];
		struct in_addr addr;
	} key;
	unsigned refs;
	UT_hash_handle hh;
};
struct watched {
	struct in_addr addr; /* key */
	UT_hash_handle hh;
};
struct forwarded {
	struct in_addr addr; /* key */
	UT_hash_handle hh;
};
struct prefixes {
	struct prefix_refs {
		struct vpn_prefix prefix;
		unsigned refs;
	} *v;
	size_t n;
	bool dirty;
};
struct fw {
	const char (*links)[IFNAMSIZ];
	size_t n_links;
	struct user *users, *dirty;
	struct visitor *visitors;
	struct source *sources;
	struct watched *watched;
	struct forwarded *forwarded;
	bool hold;	  /* the device is there */
	bool watch_dirty; /* the first has come, or the last has gone */
	struct prefixes protects, pcns;
	bool table_there;    /* as far as we know */
	bool unknown;	     /* a transaction failed: it may be there with anything in it */
	bool no_memory;	     /* for a part of the text that is being made */
	bool mark_there[64]; /* the chain of this DSCP is in the kernel */
	char *elements;	     /* pending add/delete element commands */
	size_t elements_len;
	FILE *elements_out; /* open_memstream on them; NULL = none pending */
};

/* Stream for element commands; NULL without memory. */
FILE *fw_elements(struct fw *fw);
void fw_put_visitor(FILE *out, const char *command, const struct visitor *v);
void fw_put_source(FILE *out, const char *command, const struct source_key *k);
void fw_put_watched(FILE *out, const char *command, struct in_addr addr);
void fw_put_forwarded(FILE *out, const char *command, struct in_addr addr);

#endif
