/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The dictionary: every command and AVP of the Diameter Mobile IPv4 application (RFC 4004) and the VPN AVPs
 * of this project, out of the tables in avps.def and dict.c.  freeDiameterd loads it through
 * dict_mipvpn.fdx; the agent, which has libfdcore inside, calls dict_mipvpn_load() itself.
 */
#ifndef MIPVPN_DIAMETER_DICT_H
#define MIPVPN_DIAMETER_DICT_H

#include <freeDiameter/extension.h>

#define DM_APPLICATION_ID 2u	/* RFC 4004 1 */
#define DM_CC_AMR 260u
#define DM_CC_HAR 262u
#define DM_CC_VUR 16777214u	/* ours: 0xfffffe, experimental (RFC 6733 11.1) */

enum dm_avp {
#define BASE(symbol, code, name) symbol,
#define RFC4004(symbol, code, name, base, derived, section) symbol,
#define OURS(symbol, code, name, base, derived) symbol,
#include "diameter/avps.def"
#undef BASE
#undef RFC4004
#undef OURS
	DM_AVP_COUNT
};

struct dm_avp_id {
	uint32_t code, vendor;
	const char *name;
};
extern const struct dm_avp_id dm_avp_ids[DM_AVP_COUNT];

/* Adds everything to the process's dictionary, after fd_core_initialize().  What another dictionary has
 * already defined in the same way is taken as it is.  0, or errno and what clashes in err. */
int dict_mipvpn_load(char *err, size_t err_len);

/* Looks up what dict_mipvpn_load() made (in this process or by dict_mipvpn.fdx): before any other dm_
 * function.  0, or ENOENT and the missing name in err. */
int dm_dict_resolve(char *err, size_t err_len);

/* The resolved objects.  Valid from dm_dict_resolve() on; the dictionary owns them. */
struct dict_object *dm_dict_avp(enum dm_avp avp);
/* A request's: DM_CC_*, CC_SESSION_TERMINATION, CC_ABORT_SESSION. */
struct dict_object *dm_dict_command(uint32_t code);
struct dict_object *dm_dict_application(void);

#endif
