/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An AMR and the Registration Request in it, checked against each other.  The MN-AAA authenticator covers the
 * Registration Request only; everything that the AVPs beside it say is a claim of the foreign agent.  Pure.
 */
#ifndef MIPVPN_AAAH_REQUEST_H
#define MIPVPN_AAAH_REQUEST_H

#include "agent/mip/mip.h"
#include "diameter/msg.h"

struct aaah_verdict {
	uint32_t result;	 /* enum dm_result; DM_SUCCESS = go on */
	const char *counter;	 /* static: "aaah.amr.user_unknown" */
	char text[DM_ERROR_MAX]; /* Error-Message; names no key and no secret */
};
/* Fills v and returns false, so that a check can say `return aaah_refuse(...)`. */
bool aaah_refuse(struct aaah_verdict *v, uint32_t result, const char *counter, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Decodes amr->rrq into rrq (which borrows amr) and checks: RFC 5944 form, NAI = User-Name, care-of address usable,
 * MIP-MN-AAA-Auth (RFC 4004 7.6) describes the authenticator that is really there, home address and home agent as in
 * the AVPs.  true, or false with v filled in. */
bool aaah_request_check(const struct dm_amr *amr, struct mip_rrq *rrq, struct aaah_verdict *v);

/* 0.0.0.0 or 255.255.255.255: "give me one" (RFC 4004 7.5). */
bool aaah_addr_is_wanted(struct in_addr a);

#endif
