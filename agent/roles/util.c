/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small things that both roles need: names for the log, counters, strings.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/roles/role_int.h"
#include "lib/counter.h"

const char *role_addr_str(struct in_addr a, char buf[INET_ADDRSTRLEN])
{
	return inet_ntop(AF_INET, &a, buf, INET_ADDRSTRLEN);
}

const char *role_who(const char *nai, struct in_addr hoa, char buf[ROLE_WHO_MAX])
{
	char addr[INET_ADDRSTRLEN];

	snprintf(buf, ROLE_WHO_MAX, "%s%s%s", nai ? nai : "", nai && nai[0] ? " " : "",
		 role_addr_str(hoa, addr));
	return buf;
}

uint64_t role_hash(const void *data, size_t len, uint64_t seed)
{
	const uint8_t *p = data;
	uint64_t h = seed ^ 14695981039346656037u;

	while (len--) { /* FNV-1a; a collision only makes us forget, never refuse wrongly */
		h ^= *p++;
		h *= 1099511628211u;
	}
	return h;
}

void role_count(const char *room, const char *name)
{
	char full[96];

	snprintf(full, sizeof(full), "%s.%s", room, name);
	counter_inc(full);
}

char *role_dup(const char *s)
{
	return strdup(s ? s : "");
}

void role_copy(char *dst, size_t size, const char *src)
{
	snprintf(dst, size, "%s", src ? src : "");
}

bool role_nai_split(const char *nai, char host[DM_ID_MAX], char realm[DM_ID_MAX])
{
	const char *at = strchr(nai, '@');

	if (!at || at == nai || !at[1] || strlen(nai) >= DM_ID_MAX)
		return false;
	snprintf(host, DM_ID_MAX, "%.*s", (int)(at - nai), nai);
	role_copy(realm, DM_ID_MAX, at + 1);
	return true;
}
