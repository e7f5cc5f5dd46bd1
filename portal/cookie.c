/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/cookie.h"

#include <stdio.h>
#include <string.h>

#include "lib/crypto.h"
#include "lib/hex.h"

/* With __Host- a browser takes a cookie from this very host only, over TLS, for all paths: no sibling can
 * plant one. */
static const char *const names[2][2] = {
	[COOKIE_SESSION] = {"mipvpn", "__Host-mipvpn"},
	[COOKIE_FORM] = {"mipvpn-form", "__Host-mipvpn-form"},
};

static bool token_parse(const char *s, size_t len, uint8_t token[COOKIE_TOKEN])
{
	return len == 2 * COOKIE_TOKEN && hex_decode(s, len, token, COOKIE_TOKEN) == COOKIE_TOKEN;
}

bool cookie_read(const char *header, enum cookie_kind kind, bool secure, uint8_t token[COOKIE_TOKEN])
{
	const char *name = names[kind][secure];
	size_t name_len = strlen(name);
	unsigned found = 0, good = 0;

	for (const char *p = header; p && *p;) {
		size_t n = strcspn(p, ";");

		if (n > name_len && !strncmp(p, name, name_len) && p[name_len] == '=') {
			found++;
			good += token_parse(p + name_len + 1, n - name_len - 1, token);
		}
		p += n;
		p += strspn(p, "; ");
	}
	if (found == 1 && good == 1)
		return true;
	memset(token, 0, COOKIE_TOKEN);
	return false;
}

void cookie_write(enum cookie_kind kind, bool secure, const uint8_t *token, char out[COOKIE_HEADER_MAX])
{
	char hex[COOKIE_HEX] = "";

	if (token)
		hex_encode(token, COOKIE_TOKEN, hex);
	snprintf(out, COOKIE_HEADER_MAX, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s", names[kind][secure],
		 hex, secure ? "; Secure" : "", token ? "" : "; Max-Age=0");
	crypto_wipe(hex, sizeof(hex));
}

int cookie_handle(const uint8_t token[COOKIE_TOKEN], char out[COOKIE_HEX])
{
	uint8_t digest[32];
	int rc = crypto_sha256(token, COOKIE_TOKEN, digest);

	hex_encode(digest, sizeof(digest), out);
	crypto_wipe(digest, sizeof(digest));
	return rc;
}

int cookie_form_word(const uint8_t token[COOKIE_TOKEN], char out[COOKIE_HEX])
{
	static const char what[] = "mipvpn-webd form";
	uint8_t mac[CRYPTO_MAC_MAX];
	int rc = crypto_mac(CRYPTO_HMAC_SHA256, token, COOKIE_TOKEN, what, sizeof(what) - 1, mac);

	hex_encode(mac, 32, out);
	crypto_wipe(mac, sizeof(mac));
	return rc;
}

bool cookie_form_ok(const uint8_t token[COOKIE_TOKEN], const char *word)
{
	char want[COOKIE_HEX];
	bool ok = !cookie_form_word(token, want) && strlen(word) == COOKIE_HEX - 1 &&
		  crypto_equal(want, word, COOKIE_HEX - 1);

	crypto_wipe(want, sizeof(want));
	return ok;
}
