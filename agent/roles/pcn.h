/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The proxy correspondent node (E3, F4, F8): takes Binding Updates for every CN behind it, sets tunnels for
 * them, asks again before they expire.  draft-ietf-mobileip-optim-09 and doc/protocol.md.  Pure; see
 * role.h.
 */
#ifndef MIPVPN_PCN_H
#define MIPVPN_PCN_H

#include "agent/roles/role.h"

#define PCN_PREFIXES_MAX 32
struct pcn_config {
	struct in_addr addr; /* this gateway's address: destination gateway of its profiles */
	struct vpn_prefix prefixes[PCN_PREFIXES_MAX]; /* the CNs it stands for */
	size_t n_prefixes;
	struct vpn_key master;	 /* master key, shared with the AAAH */
	uint32_t spi;		 /* of the authenticators, 256.. ; default 256 */
	uint32_t clock_skew_ms;	 /* default 7000 */
	uint16_t lifetime_max;	 /* s, default 1800 */
	unsigned entries_max;	 /* default 4096 */
	uint32_t vpn_timeout_ms; /* default 2000 */
	unsigned
		request_percent; /* Binding Request at this part of the lifetime, default 90 */
};

struct pcn;
struct pcn *pcn_new(const struct pcn_config *c, role_ms now);
void pcn_free(struct pcn *pcn);
void pcn_reconfigure(struct pcn *pcn, const struct pcn_config *c, role_ms now);
void pcn_event(struct pcn *pcn, const struct role_event *e, role_ms now, struct actions *out);
role_ms pcn_next(const struct pcn *pcn);
size_t pcn_rows(const struct pcn *pcn, role_ms now, struct role_row *rows, size_t max);
void pcn_shutdown(struct pcn *pcn, role_ms now, struct actions *out);

#endif
