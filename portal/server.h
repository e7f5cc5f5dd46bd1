/* SPDX-License-Identifier: BSD-3-Clause
 *
 * HTTP by libmicrohttpd: a thread for each connection, both bounded.  Everything that is decided is
 * decided in web.h.
 */
#ifndef MIPVPN_PORTAL_SERVER_H
#define MIPVPN_PORTAL_SERVER_H

#include "portal/web.h"

struct server;

/* Opens the socket and reads the TLS files: what may need privileges.  NULL and *err. */
struct server *server_open(const struct web *w, char *err, size_t err_len);
/* Starts to serve.  -1 and *err. */
int server_start(struct server *s, char *err, size_t err_len);
/* Reads the TLS files again: 1 = new handshakes have what is in them, 0 = there is nothing to read; -1 and
 * *err: they cannot be read or are no certificate with its key, and those of before go on. */
int server_reload(const struct server *s, char *err, size_t err_len);
uint16_t server_port(const struct server *s);
/* Waits for requests under way; NULL is fine.  Wipes the key. */
void server_close(struct server *s);

#endif
