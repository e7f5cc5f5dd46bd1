/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/client.h"

#include <arpa/inet.h>
#include <string.h>

static bool parse(const char *text, struct in6_addr *out)
{
	struct in_addr v4;

	if (inet_pton(AF_INET6, text, out) == 1)
		return true;
	if (inet_pton(AF_INET, text, &v4) != 1)
		return false;
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = out->s6_addr[11] = 0xff;
	memcpy(out->s6_addr + 12, &v4, 4);
	return true;
}

static void print(const struct in6_addr *a, char out[CLIENT_TEXT])
{
	if (IN6_IS_ADDR_V4MAPPED(a))
		inet_ntop(AF_INET, a->s6_addr + 12, out, CLIENT_TEXT);
	else
		inet_ntop(AF_INET6, a, out, CLIENT_TEXT);
}

void client_text(const struct sockaddr *sa, char out[CLIENT_TEXT])
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	out[0] = '\0';
	if (sa && sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		inet_ntop(AF_INET, &v4.sin_addr, out, CLIENT_TEXT);
	} else if (sa && sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		print(&v6.sin6_addr, out);
	}
}

bool client_forwarded(const char *header, char out[CLIENT_TEXT])
{
	const char *last = header ? strrchr(header, ',') : NULL;
	struct in6_addr a;
	char text[CLIENT_TEXT];
	size_t n;

	if (!header)
		return false;
	last = last ? last + 1 : header;
	last += strspn(last, " \t");
	n = strcspn(last, " \t");
	if (!n || n >= sizeof(text))
		return false;
	memcpy(text, last, n);
	text[n] = '\0';
	if (!parse(text, &a))
		return false;
	print(&a, out);
	return true;
}

bool client_is_loopback(const char *address)
{
	struct in6_addr a;

	return parse(address, &a) &&
	       (IN6_IS_ADDR_LOOPBACK(&a) || (IN6_IS_ADDR_V4MAPPED(&a) && a.s6_addr[12] == 127));
}

bool client_same(const char *a, const char *b)
{
	struct in6_addr x, y;

	return parse(a, &x) && parse(b, &y) && !memcmp(&x, &y, sizeof(x));
}

void client_key(const char *address, uint8_t key[CLIENT_KEY])
{
	memset(key, 0, CLIENT_KEY);
	if (inet_pton(AF_INET6, address, key) == 1)
		memset(key + 8, 0, 8);
	else
		inet_pton(AF_INET, address, key);
}
