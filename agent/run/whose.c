/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent/run/whose.h"

#include <string.h>

#include "agent/mip/binding.h"

/* Between foreign agents.  What cannot be read as that is left to those who know and count what is wrong. */
static bool is_handoff(const uint8_t *data, size_t len)
{
	struct bind_msg m;

	return bind_decode(data, len, &m) == MIP_REJ_OK && m.auth_subtype == BIND_SUBTYPE_HANDOFF;
}

enum role_id whose_message(const uint8_t *data, size_t len)
{
	switch (len ? data[0] : 0) {
	case BIND_ACK:
		return is_handoff(data, len) ? ROLE_FA : ROLE_HA;
	case MIP_RRQ:
	case BIND_WARNING:
	case BIND_REQUEST:
		return ROLE_HA;
	case BIND_UPDATE: /* others' updates are for correspondents */
		return is_handoff(data, len) ? ROLE_FA : ROLE_NONE;
	case MIP_RRP:
		return ROLE_FA;
	default:
		return ROLE_NONE;
	}
}

bool whose_is_handoff(const char *session)
{
	return strncmp(session, "handoff-in:", 11) == 0 || strncmp(session, "handoff-out:", 12) == 0;
}
