/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Aligned columns out of JSON objects.
 */
#include <string.h>

#include "tools/mipvpnctl/ctl.h"

#define COLUMNS_MAX 16
#define CELL_MAX 128

static void seconds(char *out, size_t len, json_int_t s)
{
	if (s == 0xffff)
		snprintf(out, len, "for ever");
	else if (s >= 3600)
		snprintf(out, len, "%lldh%02lldm", (long long)s / 3600, (long long)s / 60 % 60);
	else if (s >= 60)
		snprintf(out, len, "%lldm%02llds", (long long)s / 60, (long long)s % 60);
	else
		snprintf(out, len, "%llds", (long long)s);
}

static void bytes(char *out, size_t len, json_int_t n)
{
	static const char units[] = "BKMGT";
	double v = (double)n;
	size_t u = 0;

	while (v >= 1000 && u + 2 < sizeof(units)) {
		v /= 1024;
		u++;
	}
	snprintf(out, len, u ? "%.1f%c" : "%.0f%c", v, units[u]);
}

/* A string or a number, whatever kind the column is; lists are joined by commas. */
static void cell(char *out, size_t len, const json_t *v, enum column_kind kind)
{
	if (!v || json_is_null(v) || (json_is_string(v) && !json_string_length(v)) ||
	    (json_is_array(v) && !json_array_size(v)))
		snprintf(out, len, "-");
	else if (json_is_boolean(v))
		snprintf(out, len, "%s", json_is_true(v) ? "yes" : "no");
	else if (json_is_integer(v) && kind == COL_SECONDS)
		seconds(out, len, json_integer_value(v));
	else if (json_is_integer(v) && kind == COL_BYTES)
		bytes(out, len, json_integer_value(v));
	else if (json_is_integer(v))
		snprintf(out, len, "%lld", (long long)json_integer_value(v));
	else if (json_is_string(v))
		snprintf(out, len, "%s", json_string_value(v));
	else if (json_is_array(v)) {
		size_t i, used = 0;
		json_t *item;

		json_array_foreach(v, i, item)
		{
			if (used + 1 < len)
				used += (size_t)snprintf(out + used, len - used, "%s%s", i ? "," : "",
							 json_is_string(item) ? json_string_value(item)
									      : "?");
		}
	} else {
		snprintf(out, len, "...");
	}
}

static size_t count(const struct column *columns)
{
	size_t n = 0;

	while (columns[n].title && n < COLUMNS_MAX)
		n++;
	return n;
}

static void print_row(FILE *to, const struct column *columns, size_t n, const json_t *row, const int *width)
{
	char text[CELL_MAX];

	for (size_t c = 0; c < n; c++) {
		if (row)
			cell(text, sizeof(text), json_object_get(row, columns[c].key), columns[c].kind);
		else
			snprintf(text, sizeof(text), "%s", columns[c].title);
		if (c + 1 < n)
			fprintf(to, "%-*s  ", width[c], text);
		else
			fprintf(to, "%s\n", text);
	}
}

void table_print(FILE *to, const struct column *columns, const json_t *rows, const char *empty)
{
	size_t n = count(columns), i;
	int width[COLUMNS_MAX];
	char text[CELL_MAX];
	json_t *row;

	if (!json_array_size(rows)) {
		fprintf(to, "%s\n", empty);
		return;
	}
	for (size_t c = 0; c < n; c++) {
		width[c] = (int)strlen(columns[c].title);
		json_array_foreach(rows, i, row)
		{
			cell(text, sizeof(text), json_object_get(row, columns[c].key), columns[c].kind);
			if ((int)strlen(text) > width[c])
				width[c] = (int)strlen(text);
		}
	}
	print_row(to, columns, n, NULL, width);
	json_array_foreach(rows, i, row) print_row(to, columns, n, row, width);
}

void table_print_one(FILE *to, const struct column *columns, const json_t *row)
{
	int width = 0;
	char text[CELL_MAX];

	for (size_t c = 0; columns[c].title; c++) {
		if ((int)strlen(columns[c].title) > width)
			width = (int)strlen(columns[c].title);
	}
	for (size_t c = 0; columns[c].title; c++) {
		cell(text, sizeof(text), json_object_get(row, columns[c].key), columns[c].kind);
		fprintf(to, "%-*s  %s\n", width, columns[c].title, text);
	}
}
