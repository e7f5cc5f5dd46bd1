/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpnctl, the console of mipvpn-agentd: what its files share.
 */
#ifndef MIPVPN_TOOLS_CTL_H
#define MIPVPN_TOOLS_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Exit statuses, as in mipvpnctl(1). */
enum { EXIT_OK = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NO_AGENT = 3 };

/* client.c: one request, one response.  Takes request.  EXIT_OK and the result (new) in *result, or another
 * status and a reason in err. */
int client_ask(const char *socket_path, json_t *request, json_t **result, char *err, size_t err_len);

/* table.c */
enum column_kind { COL_TEXT, COL_SECONDS, COL_BYTES, COL_YES };
struct column {
	const char *title, *key; /* ends with a row of zeros */
	enum column_kind kind;
};
/* Rows are objects; what is absent or null is "-".  empty is printed when there are none. */
void table_print(FILE *to, const struct column *columns, const json_t *rows, const char *empty);
/* One object, a line for each column. */
void table_print_one(FILE *to, const struct column *columns, const json_t *row);

/* view.c: a result for people; false = nothing is known about its shape (print the JSON). */
bool view_print(FILE *to, const char *what, const json_t *result);

/* key.c: a key as 64 hex digits: from the terminal without echo, from standard input, or fresh.  malloc'd,
 * wiped by key_free; NULL with a reason. */
char *key_read(char *err, size_t err_len);
char *key_generate(char *err, size_t err_len);
void key_free(char *hex);

#endif
