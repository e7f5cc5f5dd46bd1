/* SPDX-License-Identifier: BSD-3-Clause */
#include "mn/report.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdlib.h>

static void put_address(json_t *o, const char *key, struct in_addr a)
{
	char text[INET_ADDRSTRLEN];

	if (a.s_addr != 0)
		json_object_set_new(o, key, json_string(inet_ntop(AF_INET, &a, text, sizeof(text))));
}

/* An agent's message is text from outside: what is not UTF-8 is left out, json_string() gives NULL for it. */
static void write_json(FILE *out, const struct mn_action *a, uint64_t wall_ms)
{
	json_t *o = json_object();

	json_object_set_new(o, "time", json_real((double)wall_ms / 1000));
	json_object_set_new(o, "event", json_string(a->event));
	json_object_set_new(o, "text", json_string(a->text));
	put_address(o, "agent", a->agent);
	put_address(o, "care_of_address", a->coa);
	put_address(o, "home_address", a->home_address);
	put_address(o, "home_agent", a->home_agent);
	if (a->lifetime > 0)
		json_object_set_new(o, "lifetime", json_integer(a->lifetime));
	if (a->took_us > 0)
		json_object_set_new(o, "took_us", json_integer((json_int_t)a->took_us));
	if (a->code >= 0) {
		json_object_set_new(o, "code", json_integer(a->code));
		json_object_set_new(o, "reason", json_string(mip_code_str((uint8_t)a->code)));
	}
	if (a->message[0] != '\0')
		json_object_set_new(o, "message", json_string(a->message));
	json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(14));
	fputc('\n', out);
	json_decref(o);
}

void mn_report_write(FILE *out, const struct mn_action *a, bool json, uint64_t wall_ms)
{
	if (json)
		write_json(out, a, wall_ms);
	else
		fprintf(out, "%s%s%s\n", a->text, a->message[0] != '\0' ? ": " : "", a->message);
	fflush(out);
}
