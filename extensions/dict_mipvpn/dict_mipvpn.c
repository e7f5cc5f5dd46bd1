/* SPDX-License-Identifier: BSD-3-Clause
 *
 * freeDiameter extension dict_mipvpn.fdx: the dictionary of diameter/dict.h for freeDiameterd.  No
 * configuration.
 */
#include "diameter/dict.h"

static int dict_mipvpn_entry(char *conffile)
{
	char err[256] = "";
	int rc = dict_mipvpn_load(err, sizeof(err));

	if (rc)
		fd_log_error("dict_mipvpn: %s", err);
	return rc;
}

EXTENSION_ENTRY("dict_mipvpn", dict_mipvpn_entry);
