/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The results of mipvpn-agentd for people; --json prints them as they are.
 */
#include <stdint.h>
#include <string.h>

#include "tools/mipvpnctl/ctl.h"

static const struct column status_columns[] = {{"version", "version", COL_TEXT},
					       {"roles", "roles", COL_TEXT},
					       {"identity", "identity", COL_TEXT},
					       {"realm", "realm", COL_TEXT},
					       {"started", "startedAt", COL_TEXT},
					       {"ready", "ready", COL_YES},
					       {"charon answers", "charonAnswers", COL_YES},
					       {"IP-in-IP", "ipInIp", COL_TEXT},
					       {"visitors", "visitors", COL_TEXT},
					       {"bindings", "bindings", COL_TEXT},
					       {0}};
static const struct column link_columns[] = {{"LINK", "name", COL_TEXT},
					     {"KIND", "kind", COL_TEXT},
					     {"OPEN", "open", COL_YES},
					     {"ADDRESS", "address", COL_TEXT},
					     {0}};
static const struct column peer_columns[] = {
	{"DIAMETER PEER", "name", COL_TEXT}, {"OPEN", "open", COL_YES}, {0}};
static const struct column registration_columns[] = {{"NAI", "nai", COL_TEXT},
						     {"HOME ADDRESS", "homeAddress", COL_TEXT},
						     {"CARE-OF", "careOfAddress", COL_TEXT},
						     {"HOME AGENT", "homeAgent", COL_TEXT},
						     {"STATE", "state", COL_TEXT},
						     {"LIFETIME", "lifetimeSeconds", COL_SECONDS},
						     {"LEFT", "leftSeconds", COL_SECONDS},
						     {"VPNS", "profiles", COL_TEXT},
						     {"REVERSE", "reverseTunnel", COL_YES},
						     {0}};
static const struct column event_columns[] = {
	{"TIME", "time", COL_TEXT}, {"LEVEL", "level", COL_TEXT}, {"EVENT", "text", COL_TEXT}, {0}};

static void view_status(FILE *to, const json_t *r)
{
	table_print_one(to, status_columns, r);
	fputc('\n', to);
	table_print(to, link_columns, json_object_get(r, "links"), "no links");
	fputc('\n', to);
	table_print(to, peer_columns, json_object_get(r, "peers"), "no Diameter peer has been tried yet");
}

static void view_bindings(FILE *to, const json_t *r)
{
	table_print(to, registration_columns, r, "no bindings");
}

static void view_visitors(FILE *to, const json_t *r)
{
	table_print(to, registration_columns, r, "no visitors");
}

/* Not a table: a text may be longer than a cell. */
static void view_events(FILE *to, const json_t *r)
{
	size_t i;
	json_t *e;

	if (!json_array_size(r))
		fputs("no events\n", to);
	json_array_foreach(r, i, e)
		fprintf(to, "%s  %-7s  %s\n", json_string_value(json_object_get(e, event_columns[0].key)),
			json_string_value(json_object_get(e, event_columns[1].key)),
			json_string_value(json_object_get(e, event_columns[2].key)));
}

static void view_counters(FILE *to, const json_t *r)
{
	const char *name;
	json_t *v;

	if (!json_object_size(r))
		fputs("nothing counted yet\n", to);
	json_object_foreach((json_t *)(uintptr_t)r, name, v)
		fprintf(to, "%-40s %lld\n", name, (long long)json_integer_value(v));
}

/* --- VPNs and tunnels --- */

static const struct column profile_columns[] = {
	{"SESSION", "session", COL_TEXT},  {"PROFILE", "number", COL_TEXT},    {"SOURCE", "src", COL_TEXT},
	{"DESTINATION", "dst", COL_TEXT},  {"FROM", "src_gw", COL_TEXT},       {"TO", "dst_gw", COL_TEXT},
	{"REQUIRED", "required", COL_YES}, {"SLA", "sla", COL_TEXT},	       {"WE", "role", COL_TEXT},
	{"DESIRED", "desired", COL_TEXT},  {"OBSERVED", "observed", COL_TEXT}, {"IN", "bytesIn", COL_BYTES},
	{"OUT", "bytesOut", COL_BYTES},	   {"WHY", "why", COL_TEXT},	       {0}};
static const struct column tunnel_columns[] = {{"NAME", "name", COL_TEXT},
					       {"PEER", "peer", COL_TEXT},
					       {"WE", "role", COL_TEXT},
					       {"OBSERVED", "observed", COL_TEXT},
					       {"CIPHER", "encryption", COL_TEXT},
					       {"SPI IN", "spiIn", COL_TEXT},
					       {"SPI OUT", "spiOut", COL_TEXT},
					       {"IN", "bytesIn", COL_BYTES},
					       {"OUT", "bytesOut", COL_BYTES},
					       {"WHY", "why", COL_TEXT},
					       {0}};

/* One row for each profile, under its session's name; returns new. */
static json_t *profile_rows(const json_t *sessions)
{
	json_t *rows = json_array(), *s, *p;
	size_t i, j;

	json_array_foreach(sessions, i, s)
	{
		json_array_foreach(json_object_get(s, "profiles"), j, p)
		{
			json_t *row = json_copy(p);

			json_object_set(row, "session", json_object_get(s, "session"));
			json_array_append_new(rows, row);
		}
	}
	return rows;
}

static void view_vpns(FILE *to, const json_t *r)
{
	json_t *rows = profile_rows(r);

	table_print(to, profile_columns, rows, "no VPNs");
	json_decref(rows);
}

static void view_tunnels(FILE *to, const json_t *r)
{
	table_print(to, tunnel_columns, r, "no tunnels");
}

/* The "vpns" members of registrations, as view_vpns() takes them. */
static void view_vpns_of(FILE *to, const json_t *registrations)
{
	json_t *sessions = json_array(), *row, *v;
	size_t i;

	json_array_foreach(registrations, i, row)
	{
		v = json_object_get(row, "vpns");
		if (json_is_object(v))
			json_array_append(sessions, v);
	}
	view_vpns(to, sessions);
	json_decref(sessions);
}

static void view_explain(FILE *to, const json_t *r)
{
	const json_t *visitors = json_object_get(r, "visitors"), *bindings = json_object_get(r, "bindings");

	fprintf(to, "%s\n", json_string_value(json_object_get(r, "nai")));
	fprintf(to, "\nas a visitor (foreign agent):\n");
	table_print(to, registration_columns, visitors, "is not here");
	view_vpns_of(to, visitors);
	fprintf(to, "\nas a binding (home agent):\n");
	table_print(to, registration_columns, bindings, "is not here");
	view_vpns_of(to, bindings);
	fprintf(to, "\nlast events:\n");
	view_events(to, json_object_get(r, "events"));
}

static void view_drop(FILE *to, const json_t *r)
{
	fprintf(to, "%lld registration(s) end now\n",
		(long long)json_integer_value(json_object_get(r, "dropped")));
}

static void view_nothing(FILE *to, const json_t *r)
{
}

static const struct {
	const char *what;
	void (*print)(FILE *to, const json_t *result);
} views[] = {
	{"status", view_status},   {"bindings", view_bindings},	  {"visitors", view_visitors},
	{"events", view_events},   {"counters", view_counters},	  {"explain", view_explain},
	{"drop", view_drop},	   {"reload", view_nothing},	  {"resync", view_nothing},
	{"log", view_nothing},	   {"default-spi", view_nothing}, {"vpns", view_vpns},
	{"tunnels", view_tunnels},
};

bool view_print(FILE *to, const char *what, const json_t *result)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		if (strcmp(views[i].what, what) == 0) {
			views[i].print(to, result);
			return true;
		}
	}
	return false;
}
