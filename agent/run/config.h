/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpn-agentd.conf: its keys as tables (config_schema.c), and the checks between keys.  Pure but for
 * reading the file and the key files that it names; touches no interface, so that --check-config works
 * anywhere.
 */
#ifndef MIPVPN_RUN_CONFIG_H
#define MIPVPN_RUN_CONFIG_H

#include "agent/roles/fa.h"
#include "agent/roles/ha.h"
#include "agent/roles/pcn.h"
#include "agent/vpn/vpn.h"
#include "lib/conf.h"

#define CONFIG_PATH_MAX 256

struct config_spi { /* default-spi "PEER" { } */
	char peer[16];
	uint32_t spi;
	char key_file[CONFIG_PATH_MAX];
};
struct config_sa { /* sa "NAME" { } */
	char name[32];
	struct in_addr peer;
	char nai[MIP_NAI_MAX + 1];
	uint32_t spi;
	unsigned algorithm; /* index into the words */
	char key_file[CONFIG_PATH_MAX];
};
struct config_fa { /* fa { }: role is complete but for the identity, and for what the kernel knows of links */
	struct fa_config role;
	CONF_LIST(conf_ifname) links;
};
struct config_ha {
	struct ha_config role;
};
struct config_pcn { /* pcn { }: role is complete */
	struct pcn_config role;
	CONF_LIST(struct vpn_prefix) prefixes;
	char key_file[CONFIG_PATH_MAX];
};
struct config_vpn {
	struct vpn_config room;
};

struct config {
	char user[32];
	enum log_level log_level;
	char control_socket[108], vici_socket[108];
	char freediameter_conf[CONFIG_PATH_MAX];
	char helper[CONFIG_PATH_MAX]; /* "" = where it was installed */
	bool diameter_dumps;
	CONF_LIST(struct vpn_prefix) protect;
	CONF_LIST(struct config_spi) default_spi;
	CONF_LIST(struct config_sa) sa;
	CONF_LIST(struct config_fa) fa; /* none or one, like the next three */
	CONF_LIST(struct config_ha) ha;
	CONF_LIST(struct config_pcn) pcn;
	CONF_LIST(struct config_vpn) vpn;
	/* made of the above */
	struct vpn_config vpn_room;
	struct role_sa *sas;	      /* sa.n of them, with keys */
	struct vpn_default_spi *spis; /* default_spi.n of them, with keys */
};

extern const struct conf_schema config_schema; /* fills struct config up to vpn */

/* 0 and a new configuration in *out, or -1 and all errors, each with file, line (where there is one) and key.
 */
int config_load(const char *path, struct config **out, struct conf_errors *errs);
int config_parse(const char *name, const char *text, struct config **out, struct conf_errors *errs);
void config_free(struct config *c); /* wipes keys; NULL is fine */
/* The first key that differs and that a running agent cannot change, or NULL. */
const char *config_fixed_change(const struct config *a, const struct config *b);

#endif
