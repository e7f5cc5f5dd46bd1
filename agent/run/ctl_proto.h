/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The control protocol, as bytes: one request and one response on a connection, each a JSON object on one
 * line.
 *
 *	request		{"command": "show", "what": "bindings"}\n
 *	response	{"ok": true, "result": [...]}\n  or  {"ok": false, "error": "..."}\n
 *
 * Pure.  agent/run/ctl.c and tools/mipvpnctl/ both use it.
 */
#ifndef MIPVPN_CTL_PROTO_H
#define MIPVPN_CTL_PROTO_H

#include <jansson.h>
#include <stddef.h>

#define CTL_REQUEST_MAX 4096 /* bytes, with the newline */
#define CTL_RESPONSE_MAX (64u << 20)

enum ctl_line { CTL_LINE_MORE, CTL_LINE_DONE, CTL_LINE_TOO_LONG };
/* Is there a line in buf[0..len)?  DONE: *line_len without the newline. max = what the buffer may hold. */
enum ctl_line ctl_line_find(const char *buf, size_t len, size_t max, size_t *line_len);

/* Returns new: an object with a string "command", or NULL with a reason. */
json_t *ctl_request_parse(const char *line, size_t len, char *err, size_t err_len);
json_t *ctl_response_ok(json_t *result); /* takes result; returns new; NULL without memory */
json_t *ctl_response_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The line to send with its newline: malloc'd; NULL without memory. */
char *ctl_line_make(const json_t *j, size_t *len);

/* Makes jansson wipe what it frees: keys pass through it (default-spi set).  At the start of the program. */
void ctl_json_wipes(void);

#endif
