/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See ctl_proto.h.
 */
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/ctl_proto.h"
#include "lib/crypto.h"

enum ctl_line ctl_line_find(const char *buf, size_t len, size_t max, size_t *line_len)
{
	const char *nl = memchr(buf, '\n', len < max ? len : max);

	*line_len = nl ? (size_t)(nl - buf) : 0;
	if (nl)
		return CTL_LINE_DONE;
	return len >= max ? CTL_LINE_TOO_LONG : CTL_LINE_MORE;
}

json_t *ctl_request_parse(const char *line, size_t len, char *err, size_t err_len)
{
	json_error_t e;
	json_t *j = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);

	if (!j) { /* e.text may quote the input, and that may hold a key */
		snprintf(err, err_len, "not JSON (at byte %d)", e.position);
		return NULL;
	}
	if (json_is_object(j) && json_is_string(json_object_get(j, "command")))
		return j;
	json_decref(j);
	snprintf(err, err_len, "not an object with a string \"command\"");
	return NULL;
}

json_t *ctl_response_ok(json_t *result)
{
	return json_pack("{s:b, s:o}", "ok", 1, "result", result ? result : json_object());
}

/* What quotes a request may have cut it in the middle of a letter, which is no JSON: no answer. */
static json_t *text_json(char *text)
{
	json_t *j = json_string(text);

	if (j)
		return j;
	for (char *p = text; *p; p++) {
		if (*p & 0x80)
			*p = '?';
	}
	return json_string(text);
}

json_t *ctl_response_error(const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while (n > 0 && text[0] && text[strlen(text) - 1] == '\n')
		text[strlen(text) - 1] = '\0';
	return json_pack("{s:b, s:o}", "ok", 0, "error", text_json(text));
}

char *ctl_line_make(const json_t *j, size_t *len)
{
	char *text = json_dumps(j, JSON_COMPACT);
	char *line;

	if (!text)
		return NULL;
	*len = strlen(text);
	line = malloc(*len + 1);
	if (line) {
		memcpy(line, text, *len);
		line[(*len)++] = '\n';
	}
	crypto_wipe(text, strlen(text));
	free(text);
	return line;
}

static void wiping_free(void *p)
{
	if (p)
		crypto_wipe(p, malloc_usable_size(p));
	free(p);
}

void ctl_json_wipes(void)
{
	json_set_alloc_funcs(malloc, wiping_free);
}
