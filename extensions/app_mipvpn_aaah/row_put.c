/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The other direction: a session as JSON for aaah_session_put(), its profiles, lists.  The keys in it are
 * wrapped, so it may appear in the database's log.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extensions/app_mipvpn_aaah/row.h"
#include "lib/hex.h"

static json_t *json_addr(struct in_addr a)
{
	char text[INET_ADDRSTRLEN];

	return json_string(inet_ntop(AF_INET, &a, text, sizeof(text)));
}

static json_t *json_prefix(const struct vpn_prefix *p)
{
	char text[VPN_PREFIX_STRLEN];

	return json_string(vpn_prefix_str(p, text));
}

/* "\x01..." as bytea reads it; null for no key; NULL when it cannot be wrapped. */
static json_t *json_key(const uint8_t kek[32], const char *label, const struct vpn_key *key)
{
	uint8_t wrapped[CRYPTO_WRAP_EXTRA + VPN_KEY_MAX];
	char text[2 + 2 * sizeof(wrapped) + 1] = "\\x";

	if (key->len == 0)
		return json_null();
	if (crypto_wrap(kek, label, key->data, key->len, wrapped))
		return NULL;
	hex_encode(wrapped, CRYPTO_WRAP_EXTRA + key->len, text + 2);
	return json_string(text);
}

static json_t *json_profile(const struct vpn_profile *p, const char *ha_session, const uint8_t kek[32],
			    size_t position)
{
	char label[DM_SESSION_MAX + 32], bu_label[DM_SESSION_MAX + 32];

	snprintf(label, sizeof(label), "profile:%s:%u", ha_session, p->number);
	snprintf(bu_label, sizeof(bu_label), "bu:%s:%u", ha_session, p->number);
	return json_pack(
		"{sI sI so so si si si so so si sI sI so so sb ss ss? so ss?}", "position",
		(json_int_t)position, "number", (json_int_t)p->number, "source", json_prefix(&p->src),
		"destination", json_prefix(&p->dst), "tos_up", p->tos_up, "tos_down", p->tos_down, "security",
		(int)p->security, "source_gateway", json_addr(p->src_gw), "destination_gateway",
		json_addr(p->dst_gw), "destination_kind", (int)p->dst_gw_type, "spi_up",
		(json_int_t)p->spi_up, "spi_down", (json_int_t)p->spi_down, "enc_key",
		json_key(kek, label, &p->enc_key), "auth_key", json_key(kek, label, &p->auth_key), "required",
		p->required, "esp_proposal", p->esp_proposal, "sla", p->sla[0] ? p->sla : NULL, "bu_key",
		json_key(kek, bu_label, &p->bu_key), "bu_context", p->bu_context[0] ? p->bu_context : NULL);
}

json_t *row_profiles_json(const struct pol_put *put, const uint8_t kek[32])
{
	json_t *list = json_array();
	int rc = 0;

	for (size_t i = 0; i < put->n_home; i++)
		rc |= json_array_append_new(list, json_profile(&put->home[i], put->ha_session, kek, i));
	if (rc) {
		json_decref(list);
		return NULL;
	}
	return list;
}

char *row_put_json(const struct pol_put *put, const uint8_t kek[32])
{
	char label[DM_SESSION_MAX + 32], *text = NULL;
	json_t *o;

	snprintf(label, sizeof(label), "handoff:%s", put->ha_session);
	o = json_pack("{ss so so so ss ss ss ss ss ss ss? so sI sI sI sb so}", "nai", put->nai,
		      "home_address", json_addr(put->hoa), "home_agent", json_addr(put->ha), "fa_address",
		      json_addr(put->fa), "ha_session", put->ha_session, "ha_host", put->ha_host, "ha_realm",
		      put->ha_realm, "fa_session", put->fa_session, "fa_host", put->fa_host, "fa_realm",
		      put->fa_realm, "multi_session", put->multi[0] ? put->multi : NULL, "handoff_key",
		      json_key(kek, label, put->handoff), "lasting_s", (json_int_t)put->lasting_s, "asked_ms",
		      (json_int_t)put->asked_ms, "age_ms", (json_int_t)put->age_ms, "recheck", put->recheck,
		      "profiles", row_profiles_json(put, kek));
	if (o)
		text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

char *row_list(const char *const *texts, size_t n)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ",\"" : "{\"", out);
		for (const char *c = texts[i]; *c; c++)
			fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
		fputc('"', out);
	}
	fputs(n ? "}" : "{}", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
