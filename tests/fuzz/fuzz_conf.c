/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Configuration text: it is taken, or refused with an error that names the file; a good file is taken
 * afterwards (the scanner under lib/conf.c has state of its own).
 */
#include "lib/conf.h"
#include "lib/vpn_profile.h"
#include "tests/fuzz/check.h"

#include <string.h>

struct peer {
	char name[16];
	struct in_addr addr;
	CONF_LIST(uint16_t) ports;
};
struct config {
	char user[32];
	uint32_t lifetime;
	bool tunnel;
	int level;
	struct vpn_prefix net;
	struct vpn_key key;
	CONF_LIST(conf_ifname) links;
	CONF_LIST(struct peer) peers;
};

static const char *const levels[] = {"debug", "info", "error", NULL};
static const struct conf_key keys[] = {
	{"user", CONF_STRING, CONF_FIELD(struct config, user), .min = 1, .def = "mipvpn"},
	{"lifetime", CONF_INT, CONF_FIELD(struct config, lifetime), .min = 1, .max = 65535, .def = "600"},
	{"tunnel", CONF_BOOL, CONF_FIELD(struct config, tunnel)},
	{"level", CONF_WORD, CONF_FIELD(struct config, level), .words = levels},
	{"net", CONF_PREFIX, CONF_FIELD(struct config, net)},
	{"key", CONF_KEY, CONF_FIELD(struct config, key)},
	{"links", CONF_STRING, CONF_LIST_FIELD(struct config, links)},
	{0}};
static const struct conf_key peer_keys[] = {
	{"address", CONF_IPV4, CONF_FIELD(struct peer, addr), .required = true},
	{"ports", CONF_INT, CONF_LIST_FIELD(struct peer, ports)},
	{0}};
static const struct conf_section sections[] = {
	{"peer", CONF_LIST_FIELD(struct config, peers), .title_offset = offsetof(struct peer, name),
	 .title_size = sizeof(((struct peer *)0)->name), .keys = peer_keys, .most = 8},
	{0}};
static const struct conf_schema schema = {sizeof(struct config), keys, sections};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char good[] = "peer \"a\" { address = 192.0.2.1 }\n";
	char *text = malloc(size + 1);
	struct conf_errors errs;
	struct config c;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (conf_parse(&schema, "file", text, &c, &errs) == 0) {
		FUZZ_CHECK(c.peers.n <= 8 && c.lifetime >= 1 && c.lifetime <= 65535 && c.user[0]);
		conf_free(&schema, &c);
	} else {
		FUZZ_CHECK(errs.n && !strncmp(errs.text, "file:", 5));
	}
	free(text);
	FUZZ_CHECK(conf_parse(&schema, "file", good, &c, &errs) == 0 && c.peers.n == 1);
	conf_free(&schema, &c);
	return 0;
}
