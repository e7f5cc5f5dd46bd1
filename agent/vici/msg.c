/* SPDX-License-Identifier: BSD-3-Clause
 *
 * VICI messages: writer and walker.  Pure; no sockets.  A message is a run of elements, each a type byte with
 *   section start  name            name  = one length byte and the characters
 *   section end                    value = two length bytes (network order) and any bytes
 *   key/value      name value
 *   list start     name
 *   list item      value
 *   list end
 * Sections nest, lists hold items only.  Whatever breaks that is rejected with a reason; nothing is guessed.
 */
#include "agent/vici/vici.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/crypto.h"

#define NAME_MAX_LEN 255
#define VALUE_MAX_LEN 65535

struct vici_msg {
	uint8_t *data;
	size_t len, cap;
	unsigned depth;
	bool bad;
};

struct vici_msg *vici_msg_new(void)
{
	return calloc(1, sizeof(struct vici_msg));
}

void vici_msg_free(struct vici_msg *m)
{
	if (!m)
		return;
	if (m->data)
		crypto_wipe(m->data, m->cap);
	free(m->data);
	free(m);
}

/* Not realloc(): that may leave a copy of a secret behind. */
static bool grow(struct vici_msg *m, size_t need)
{
	size_t cap = m->cap ? m->cap : 256;
	uint8_t *p;

	if (m->len + need <= m->cap)
		return true;
	while (cap < m->len + need)
		cap *= 2;
	p = malloc(cap);
	if (!p)
		return false;
	if (m->data) {
		memcpy(p, m->data, m->len);
		crypto_wipe(m->data, m->cap);
		free(m->data);
	}
	m->data = p;
	m->cap = cap;
	return true;
}

static void put(struct vici_msg *m, const void *data, size_t len)
{
	if (m->bad || m->len + len > VICI_MSG_MAX || !grow(m, len)) {
		m->bad = true;
		return;
	}
	if (len)
		memcpy(m->data + m->len, data, len);
	m->len += len;
}

static void put_type(struct vici_msg *m, enum vici_element e)
{
	uint8_t type = (uint8_t)e;

	put(m, &type, 1);
}

static void put_name(struct vici_msg *m, const char *name)
{
	size_t len = strlen(name);
	uint8_t l = (uint8_t)len;

	if (len > NAME_MAX_LEN) {
		m->bad = true;
		return;
	}
	put(m, &l, 1);
	put(m, name, len);
}

static void put_value(struct vici_msg *m, const void *value, size_t len)
{
	uint8_t l[2] = {(uint8_t)(len >> 8), (uint8_t)len};

	if (len > VALUE_MAX_LEN) {
		m->bad = true;
		return;
	}
	put(m, l, sizeof(l));
	put(m, value, len);
}

void vici_msg_section(struct vici_msg *m, const char *name)
{
	if (m->depth >= VICI_DEPTH_MAX)
		m->bad = true;
	m->depth++;
	put_type(m, VICI_SECTION_START);
	put_name(m, name);
}

void vici_msg_section_end(struct vici_msg *m)
{
	if (!m->depth) {
		m->bad = true;
		return;
	}
	m->depth--;
	put_type(m, VICI_SECTION_END);
}

void vici_msg_kv_bytes(struct vici_msg *m, const char *key, const void *value, size_t len)
{
	put_type(m, VICI_KEY_VALUE);
	put_name(m, key);
	put_value(m, value, len);
}

void vici_msg_kv(struct vici_msg *m, const char *key, const char *value)
{
	vici_msg_kv_bytes(m, key, value, strlen(value));
}

void vici_msg_kvf(struct vici_msg *m, const char *key, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		m->bad = true;
	else
		vici_msg_kv_bytes(m, key, text, (size_t)n);
}

void vici_msg_list(struct vici_msg *m, const char *name, const char *const *items, size_t n)
{
	put_type(m, VICI_LIST_START);
	put_name(m, name);
	for (size_t i = 0; i < n; i++) {
		put_type(m, VICI_LIST_ITEM);
		put_value(m, items[i], strlen(items[i]));
	}
	put_type(m, VICI_LIST_END);
}

bool vici_msg_bytes(const struct vici_msg *m, const uint8_t **data, size_t *len)
{
	if (m->bad || m->depth)
		return false;
	*data = m->data;
	*len = m->len;
	return true;
}

/* --- reading --- */

struct walker {
	struct rbuf in;
	struct vici_walk w;
	char names[VICI_DEPTH_MAX][NAME_MAX_LEN + 1];
	char key[NAME_MAX_LEN + 1];
	bool in_list;
};

static const char *get_name(struct walker *k, char out[NAME_MAX_LEN + 1])
{
	size_t len = rbuf_u8(&k->in);
	const uint8_t *p = rbuf_bytes(&k->in, len);

	if (!rbuf_ok(&k->in))
		return "truncated name";
	if (len && memchr(p, 0, len))
		return "NUL in a name";
	if (len)
		memcpy(out, p, len);
	out[len] = '\0';
	return NULL;
}

static const char *get_value(struct walker *k)
{
	k->w.value_len = rbuf_u16(&k->in);
	k->w.value = rbuf_bytes(&k->in, k->w.value_len);
	return rbuf_ok(&k->in) ? NULL : "truncated value";
}

static const char *section_start(struct walker *k)
{
	const char *why;

	if (k->w.depth == VICI_DEPTH_MAX)
		return "sections nested too deep";
	why = get_name(k, k->names[k->w.depth]);
	if (why)
		return why;
	k->w.path[k->w.depth] = k->names[k->w.depth];
	k->w.depth++;
	return NULL;
}

/* Takes one element; the section that ends is still in the path while the callback hears of its end. */
static const char *next_element(struct walker *k)
{
	const char *why;

	k->w.value = NULL;
	k->w.value_len = 0;
	switch (k->w.element) {
	case VICI_SECTION_START:
		return k->in_list ? "section in a list" : section_start(k);
	case VICI_SECTION_END:
		if (k->in_list)
			return "section end in a list";
		return k->w.depth ? NULL : "section end without a section";
	case VICI_KEY_VALUE:
		if (k->in_list)
			return "key/value in a list";
		why = get_name(k, k->key);
		return why ? why : get_value(k);
	case VICI_LIST_START:
		if (k->in_list)
			return "list in a list";
		k->in_list = true;
		return get_name(k, k->key);
	case VICI_LIST_ITEM:
		return k->in_list ? get_value(k) : "list item without a list";
	case VICI_LIST_END:
		if (!k->in_list)
			return "list end without a list";
		k->in_list = false;
		return NULL;
	}
	return "unknown element type";
}

int vici_walk(const void *data, size_t len, bool (*fn)(const struct vici_walk *w, void *user), void *user,
	      const char **why)
{
	struct walker k;

	memset(&k.w, 0, sizeof(k.w));
	k.key[0] = '\0';
	k.w.key = k.key;
	k.in_list = false;
	rbuf_init(&k.in, data, len);
	while (rbuf_left(&k.in)) {
		k.w.element = (enum vici_element)rbuf_u8(&k.in);
		*why = next_element(&k);
		if (*why)
			return -1;
		if (fn && !fn(&k.w, user))
			return 0;
		if (k.w.element == VICI_SECTION_END)
			k.w.depth--;
	}
	*why = k.in_list ? "list not ended" : k.w.depth ? "section not ended" : NULL;
	return *why ? -1 : 0;
}

/* --- one value by its path --- */

struct finder {
	const char *path;
	char *out;
	size_t out_len;
	bool found;
};

/* Does the walk stand at the path a.b.key? */
static bool path_matches(const struct vici_walk *w, const char *path)
{
	for (unsigned i = 0; i < w->depth; i++) {
		size_t len = strlen(w->path[i]);

		if (strncmp(path, w->path[i], len) || path[len] != '.')
			return false;
		path += len + 1;
	}
	return strcmp(path, w->key) == 0;
}

static bool find_element(const struct vici_walk *w, void *user)
{
	struct finder *f = user;

	if (w->element != VICI_KEY_VALUE || !path_matches(w, f->path))
		return true;
	if (w->value_len < f->out_len && !(w->value_len && memchr(w->value, 0, w->value_len))) {
		if (w->value_len)
			memcpy(f->out, w->value, w->value_len);
		f->out[w->value_len] = '\0';
		f->found = true;
	}
	return false;
}

bool vici_find(const void *data, size_t len, const char *path, char *out, size_t out_len)
{
	struct finder f = {path, out, out_len, false};
	const char *why;

	if (vici_walk(data, len, find_element, &f, &why) < 0 || !f.found) {
		if (out_len)
			out[0] = '\0';
		return false;
	}
	return true;
}
