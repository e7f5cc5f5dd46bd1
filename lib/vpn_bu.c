/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Keys of the Binding Updates for a PCN (lib/vpn_profile.h).  Two steps of HKDF: master -> this home agent
 * and session
 * -> seal and authenticator.  So the home agent never has the master key, and neither key of a session
 * opens another.
 */
#include "lib/vpn_profile.h"

#include <string.h>

#include "lib/buf.h"
#include "lib/crypto.h"

#define SALT "mipvpn"
#define BU_KEY_LEN 32

int vpn_bu_key(const struct vpn_key *master, struct in_addr ha, const char *context, uint8_t out[32])
{
	uint8_t info[2 + 4 + VPN_NAME_MAX];
	struct wbuf w;

	memset(out, 0, BU_KEY_LEN);
	wbuf_init(&w, info, sizeof(info));
	wbuf_bytes(&w, "bu", 2);
	wbuf_bytes(&w, &ha.s_addr, 4); /* is in network byte order */
	wbuf_bytes(&w, context, strlen(context));
	if (!master->len || master->len > VPN_KEY_MAX || !context[0] || !wbuf_ok(&w))
		return -1;
	return crypto_hkdf_sha256(master->data, master->len, SALT, strlen(SALT), info, w.len, out,
				  BU_KEY_LEN);
}

static int expand(const uint8_t bu_key[32], const char *purpose, uint8_t out[32])
{
	return crypto_hkdf_sha256(bu_key, BU_KEY_LEN, SALT, strlen(SALT), purpose, strlen(purpose), out,
				  BU_KEY_LEN);
}

int vpn_bu_seal_key(const uint8_t bu_key[32], uint8_t out[32])
{
	return expand(bu_key, "bu-seal", out);
}

int vpn_bu_auth_key(const uint8_t bu_key[32], uint8_t out[32])
{
	return expand(bu_key, "bu-auth", out);
}
