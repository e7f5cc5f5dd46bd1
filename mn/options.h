/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpn-mn's configuration: one table of keys, which are those of the file and the long options of the
 * command line.
 */
#ifndef MIPVPN_MN_OPTIONS_H
#define MIPVPN_MN_OPTIONS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "mn/mn.h"

struct mn_options {
	char interface[IFNAMSIZ];
	struct mn_config mn;
	bool json, check_config, help, version;
	char config[256]; /* -c; "" = none */
};
/* 0; or -1 with what is wrong on standard error, a line each.  Key files have been read. */
int mn_options_read(int argc, char **argv, struct mn_options *out);
extern const char mn_usage[];

/* Pure part of reading a key file: 16..64 bytes in hex, white space around them.  False: it is something
 * else. */
bool mn_key_parse(const char *text, struct vpn_key *out);

#endif
