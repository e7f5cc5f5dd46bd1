/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The agent's control socket: a line, a request, and the answer that quotes what was asked.  A refused
 * request has a reason, which does not quote it (it may hold a key).
 */
#include <string.h>

#include "agent/run/ctl_proto.h"
#include "tests/fuzz/check.h"

static void write_again(const json_t *request)
{
	size_t len, line_len;
	char *line = ctl_line_make(request, &len), err[128];
	json_t *again;

	FUZZ_CHECK(line && len >= 2);
	FUZZ_CHECK(ctl_line_find(line, len, len + 1, &line_len) == CTL_LINE_DONE && line_len == len - 1);
	again = ctl_request_parse(line, line_len, err, sizeof(err));
	FUZZ_CHECK(again && json_equal(again, request));
	json_decref(again);
	free(line);
}

static void answer(const char *text) /* as ctl_cmds.c does it: cut in the middle of whatever it is */
{
	json_t *j = ctl_response_error("unknown command \"%.64s\"", text);
	size_t len, line_len;
	char *line = ctl_line_make(j, &len);

	FUZZ_CHECK(line && ctl_line_find(line, len, len + 1, &line_len) == CTL_LINE_DONE);
	FUZZ_CHECK(line_len == len - 1);
	free(line);
	json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t len = 0;
	char err[128] = "";
	json_t *j;

	switch (ctl_line_find(text, size, CTL_REQUEST_MAX, &len)) {
	case CTL_LINE_TOO_LONG:
		FUZZ_CHECK(size >= CTL_REQUEST_MAX);
		return 0;
	case CTL_LINE_MORE:
		FUZZ_CHECK(!memchr(text, '\n', size) && !len);
		return 0;
	default:
		FUZZ_CHECK(len < size && text[len] == '\n' && !memchr(text, '\n', len));
	}
	j = ctl_request_parse(text, len, err, sizeof(err));
	if (j) {
		write_again(j);
		answer(json_string_value(json_object_get(j, "command")));
	} else {
		FUZZ_CHECK(err[0] && (!strncmp(err, "not JSON", 8) || !strncmp(err, "not an object", 13)));
	}
	json_decref(j);
	return 0;
}
