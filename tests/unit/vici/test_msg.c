/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VICI codec: what is written is read back, and nothing malformed gets through.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/vici/vici.h"
#include "tests/unit/harness.h"

/* A trace of a walk in text: "a{ k=v l[ x y ] }a " */
struct trace {
	char text[4096];
	size_t len;
};

static bool trace_element(const struct vici_walk *w, void *user)
{
	struct trace *t = user;
	char *to = t->text + t->len;
	size_t left = sizeof(t->text) - t->len;

	switch (w->element) {
	case VICI_SECTION_START:
		t->len += (size_t)snprintf(to, left, "%s{ ", w->path[w->depth - 1]);
		break;
	case VICI_SECTION_END:
		t->len += (size_t)snprintf(to, left, "}%s ", w->path[w->depth - 1]);
		break;
	case VICI_KEY_VALUE:
		t->len += (size_t)snprintf(to, left, "%s=%.*s ", w->key, (int)w->value_len,
					   (const char *)w->value);
		break;
	case VICI_LIST_START:
		t->len += (size_t)snprintf(to, left, "%s[ ", w->key);
		break;
	case VICI_LIST_ITEM:
		t->len += (size_t)snprintf(to, left, "%.*s ", (int)w->value_len, (const char *)w->value);
		break;
	case VICI_LIST_END:
		t->len += (size_t)snprintf(to, left, "] ");
		break;
	}
	return true;
}

static struct vici_msg *sample(void)
{
	static const char *const items[] = {"198.51.100.11", "", "x"};
	struct vici_msg *m = vici_msg_new();

	vici_msg_section(m, "conn");
	vici_msg_kv(m, "version", "2");
	vici_msg_list(m, "addrs", items, 3);
	vici_msg_section(m, "children");
	vici_msg_kvf(m, "mark", "%u", 77u);
	vici_msg_section_end(m);
	vici_msg_list(m, "none", NULL, 0);
	vici_msg_section_end(m);
	vici_msg_kv(m, "tail", "");
	return m;
}

static const char sample_text[] =
	"conn{ version=2 addrs[ 198.51.100.11  x ] children{ mark=77 }children none[ ] }conn tail= ";

static void test_round_trip(void)
{
	struct vici_msg *m = sample();
	struct trace t = {"", 0};
	const uint8_t *data;
	const char *why = "untouched";
	size_t len;

	CU_ASSERT_FATAL(vici_msg_bytes(m, &data, &len));
	CU_ASSERT_EQUAL(vici_walk(data, len, trace_element, &t, &why), 0);
	CU_ASSERT_PTR_NULL(why);
	CU_ASSERT_STRING_EQUAL(t.text, sample_text);
	vici_msg_free(m);
}

static bool stop_at_once(const struct vici_walk *w, void *user)
{
	(void)w;
	++*(int *)user;
	return false;
}

static void test_walk_stops(void)
{
	struct vici_msg *m = sample();
	const uint8_t *data;
	const char *why;
	size_t len;
	int n = 0;

	CU_ASSERT_FATAL(vici_msg_bytes(m, &data, &len));
	CU_ASSERT_EQUAL(vici_walk(data, len, stop_at_once, &n, &why), 0);
	CU_ASSERT_EQUAL(n, 1);
	vici_msg_free(m);
}

/* Cut at every byte: accepted only where the cut falls between whole top-level elements. */
static void test_truncation(void)
{
	struct vici_msg *m = sample();
	const uint8_t *data;
	const char *why;
	size_t len, whole;

	CU_ASSERT_FATAL(vici_msg_bytes(m, &data, &len));
	whole = len - (1 + 1 + 4 + 2); /* before "tail" */
	for (size_t cut = 0; cut <= len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1); /* of just that size: the sanitizer guards its end */
		bool fits = cut == 0 || cut == whole || cut == len;

		memcpy(copy, data, cut);
		HARNESS_AT(vici_walk(copy, cut, NULL, NULL, &why) == (fits ? 0 : -1), "cut at %zu", cut);
		HARNESS_AT((why == NULL) == fits, "cut at %zu", cut);
		free(copy);
	}
	vici_msg_free(m);
}

static void test_malformed(void)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		const char *why;
	} rows[] = {
		{"type 0", "\0", 1, "unknown element type"},
		{"type 7", "\7", 1, "unknown element type"},
		{"end first", "\2", 1, "section end without a section"},
		{"item first", "\5\0\0", 3, "list item without a list"},
		{"list end first", "\6", 1, "list end without a list"},
		{"section in list", "\4\1a\1\1b", 6, "section in a list"},
		{"list in list", "\4\1a\4\1b", 6, "list in a list"},
		{"kv in list", "\4\1a\3\1b\0\0", 8, "key/value in a list"},
		{"end in list", "\1\1s\4\1a\2", 7, "section end in a list"},
		{"open list", "\4\1a", 3, "list not ended"},
		{"open section", "\1\1a", 3, "section not ended"},
		{"NUL in name", "\1\2a\0\2", 5, "NUL in a name"},
		{"long name", "\1\377a", 3, "truncated name"},
		{"long value", "\3\1a\377\377x", 6, "truncated value"},
	};
	const char *why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		HARNESS_AT(vici_walk(rows[i].bytes, rows[i].len, NULL, NULL, &why) == -1, "%s", rows[i].name);
		HARNESS_AT(why && !strcmp(why, rows[i].why), "%s: %s", rows[i].name, why ? why : "-");
	}
}

static void test_depth(void)
{
	struct vici_msg *m = vici_msg_new();
	uint8_t deep[3 * (VICI_DEPTH_MAX + 1)];
	const uint8_t *data;
	const char *why;
	size_t len;

	for (int i = 0; i < VICI_DEPTH_MAX; i++)
		vici_msg_section(m, "s");
	for (int i = 0; i < VICI_DEPTH_MAX; i++)
		vici_msg_section_end(m);
	CU_ASSERT_FATAL(vici_msg_bytes(m, &data, &len));
	CU_ASSERT_EQUAL(vici_walk(data, len, NULL, NULL, &why), 0);
	vici_msg_free(m);
	for (size_t i = 0; i < sizeof(deep); i += 3)
		memcpy(deep + i, "\1\1s", 3);
	CU_ASSERT_EQUAL(vici_walk(deep, sizeof(deep), NULL, NULL, &why), -1);
	CU_ASSERT_STRING_EQUAL(why, "sections nested too deep");
	m = vici_msg_new();
	for (int i = 0; i <= VICI_DEPTH_MAX; i++)
		vici_msg_section(m, "s");
	for (int i = 0; i <= VICI_DEPTH_MAX; i++)
		vici_msg_section_end(m);
	CU_ASSERT_FALSE(vici_msg_bytes(m, &data, &len));
	vici_msg_free(m);
}

static bool usable(struct vici_msg *m)
{
	const uint8_t *data;
	size_t len;
	bool ok = vici_msg_bytes(m, &data, &len);

	vici_msg_free(m);
	return ok;
}

/* What cannot be encoded must spoil the message, never be cut to fit. */
static void test_writer_limits(void)
{
	static uint8_t value[65536];
	char name[257];
	struct vici_msg *m;

	memset(name, 'n', 256);
	name[256] = '\0';
	m = vici_msg_new();
	vici_msg_kv(m, name, "");
	CU_ASSERT_FALSE(usable(m));
	m = vici_msg_new();
	vici_msg_kv(m, name + 1, "");
	CU_ASSERT_TRUE(usable(m));
	m = vici_msg_new();
	vici_msg_kv_bytes(m, "k", value, sizeof(value));
	CU_ASSERT_FALSE(usable(m));
	m = vici_msg_new();
	for (int i = 0; i < 9; i++)
		vici_msg_kv_bytes(m, "k", value, sizeof(value) - 1);
	CU_ASSERT_FALSE(usable(m));
	m = vici_msg_new();
	vici_msg_kvf(m, "k", "%600s", "x");
	CU_ASSERT_FALSE(usable(m));
	m = vici_msg_new();
	vici_msg_section(m, "open");
	CU_ASSERT_FALSE(usable(m));
	m = vici_msg_new();
	vici_msg_section_end(m);
	CU_ASSERT_FALSE(usable(m));
}

static void test_find(void)
{
	static const struct {
		const char *path, *value;
	} rows[] = {
		{"conn.version", "2"}, {"conn.children.mark", "77"}, {"tail", ""},
		{"version", NULL},     {"conn.children", NULL},	     {"conn.children.mark.x", NULL},
		{"con.version", NULL}, {"conn.addrs", NULL},
	};
	struct vici_msg *m = sample();
	const uint8_t *data;
	char out[8];
	size_t len;

	CU_ASSERT_FATAL(vici_msg_bytes(m, &data, &len));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool found = vici_find(data, len, rows[i].path, out, sizeof(out));

		HARNESS_AT(found == (rows[i].value != NULL), "%s", rows[i].path);
		HARNESS_AT(!strcmp(out, rows[i].value ? rows[i].value : ""), "%s", rows[i].path);
	}
	CU_ASSERT_FALSE(vici_find(data, len, "conn.version", out, 1)); /* no room */
	vici_msg_free(m);
}

HARNESS_MAIN("vici/msg", HARNESS_CASE(test_round_trip), HARNESS_CASE(test_walk_stops),
	     HARNESS_CASE(test_truncation), HARNESS_CASE(test_malformed), HARNESS_CASE(test_depth),
	     HARNESS_CASE(test_writer_limits), HARNESS_CASE(test_find))
