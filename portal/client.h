/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who asks.  Pure.
 */
#ifndef MIPVPN_PORTAL_CLIENT_H
#define MIPVPN_PORTAL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define CLIENT_TEXT 46 /* INET6_ADDRSTRLEN */
#define CLIENT_KEY 16

/* Numeric text of a socket address; an IPv4 address in IPv6 clothes as IPv4.  "" for what is neither. */
void client_text(const struct sockaddr *sa, char out[CLIENT_TEXT]);
/* The last address of an X-Forwarded-For header: the one that our proxy has seen.  What stands in front of
 * it anybody can write.  false: there is none. */
bool client_forwarded(const char *header, char out[CLIENT_TEXT]);
bool client_is_loopback(const char *address);
/* What is counted as one client: an IPv4 address, or the /64 of an IPv6 one.  Zero for what is neither. */
void client_key(const char *address, uint8_t key[CLIENT_KEY]);
bool client_same(const char *a, const char *b); /* two numeric addresses */

#endif
