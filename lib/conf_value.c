/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/conf_value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto.h"
#include "lib/hex.h"
#include "lib/vpn_profile.h"

static uint64_t int_max(const struct conf_key *key)
{
	uint64_t holds = key->size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * key->size) - 1;

	return key->max ? key->max : holds;
}

static size_t key_bytes_max(const struct conf_key *key)
{
	return key->max && key->max < VPN_KEY_MAX ? key->max : VPN_KEY_MAX;
}

static bool uint_store(void *field, size_t size, uint64_t v)
{
	switch (size) {
	case 1:
		*(uint8_t *)field = (uint8_t)v;
		return true;
	case 2:
		*(uint16_t *)field = (uint16_t)v;
		return true;
	case 4:
		*(uint32_t *)field = (uint32_t)v;
		return true;
	case 8:
		*(uint64_t *)field = v;
		return true;
	}
	return false;
}

static bool int_parse(const struct conf_key *key, const char *text, void *field)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	char *end;
	uint64_t v;

	/* strtoull takes blanks and signs: we do not. */
	if (!*digits || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return false;
	errno = 0;
	v = strtoull(digits, &end, hex ? 16 : 10);
	return !errno && v >= key->min && v <= int_max(key) && uint_store(field, key->size, v);
}

static bool bool_parse(const char *text, bool *field)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};

	for (unsigned i = 0; i < 6; i++) {
		if (!strcmp(text, words[i])) {
			*field = i & 1;
			return true;
		}
	}
	return false;
}

static bool string_parse(const struct conf_key *key, const char *text, char *field)
{
	size_t n = strlen(text);

	if (n >= key->size || n < key->min)
		return false;
	memcpy(field, text, n + 1);
	return true;
}

static bool word_parse(const struct conf_key *key, const char *text, void *field)
{
	for (uint64_t i = 0; key->words[i]; i++) {
		if (!strcmp(text, key->words[i]))
			return uint_store(field, key->size, i);
	}
	return false;
}

static bool key_parse(const struct conf_key *key, const char *text, struct vpn_key *field)
{
	int n = hex_decode(text, strlen(text), field->data, key_bytes_max(key));

	if (n < 0 || (uint64_t)n < key->min)
		return false;
	field->len = (uint8_t)n;
	return true;
}

bool conf_value_parse(const struct conf_key *key, const char *text, void *field)
{
	memset(field, 0, key->size);
	switch (key->type) {
	case CONF_INT:
		return int_parse(key, text, field);
	case CONF_BOOL:
		return bool_parse(text, field);
	case CONF_STRING:
		return string_parse(key, text, field);
	case CONF_WORD:
		return word_parse(key, text, field);
	case CONF_IPV4:
		return inet_pton(AF_INET, text, field) == 1;
	case CONF_PREFIX:
		return vpn_prefix_parse(text, field);
	case CONF_KEY:
		return key_parse(key, text, field);
	}
	return false;
}

static void words_list(const struct conf_key *key, char *buf, size_t len)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; key->words[i] && n < len; i++)
		n += (size_t)snprintf(buf + n, len - n, "%s%s", i ? ", " : "", key->words[i]);
}

const char *conf_allowed(const struct conf_key *key, char *buf, size_t len)
{
	switch (key->type) {
	case CONF_INT:
		snprintf(buf, len, "%ju..%ju", (uintmax_t)key->min, (uintmax_t)int_max(key));
		break;
	case CONF_BOOL:
		snprintf(buf, len, "true or false");
		break;
	case CONF_STRING:
		snprintf(buf, len, "text of %ju..%zu bytes", (uintmax_t)key->min, key->size - 1);
		break;
	case CONF_WORD:
		words_list(key, buf, len);
		break;
	case CONF_IPV4:
		snprintf(buf, len, "an IPv4 address");
		break;
	case CONF_PREFIX:
		snprintf(buf, len, "ADDRESS/LENGTH with no host bits set");
		break;
	case CONF_KEY:
		snprintf(buf, len, "%ju..%zu bytes as hex digits", (uintmax_t)key->min, key_bytes_max(key));
		break;
	}
	return buf;
}
