/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checked byte cursors (lib/buf.h).  rbuf_bytes() and wbuf_room() are the only two places that compare a
 * length with what is left; everything else goes through them.
 */
#include "lib/buf.h"

#include <string.h>

void rbuf_init(struct rbuf *r, const void *data, size_t len)
{
	r->p = data;
	r->end = len ? r->p + len : r->p;
	r->bad = false;
}

size_t rbuf_left(const struct rbuf *r)
{
	return (size_t)(r->end - r->p);
}

bool rbuf_ok(const struct rbuf *r)
{
	return !r->bad;
}

const uint8_t *rbuf_bytes(struct rbuf *r, size_t n)
{
	const uint8_t *at = r->p;

	if (r->bad || n > rbuf_left(r)) {
		r->bad = true;
		r->p = r->end;
		return NULL;
	}
	if (n)
		r->p += n;
	return at;
}

static uint64_t rbuf_uint(struct rbuf *r, size_t n)
{
	const uint8_t *b = rbuf_bytes(r, n);
	uint64_t v = 0;

	for (size_t i = 0; b && i < n; i++)
		v = v << 8 | b[i];
	return v;
}

uint8_t rbuf_u8(struct rbuf *r)
{
	return (uint8_t)rbuf_uint(r, 1);
}

uint16_t rbuf_u16(struct rbuf *r)
{
	return (uint16_t)rbuf_uint(r, 2);
}

uint32_t rbuf_u32(struct rbuf *r)
{
	return (uint32_t)rbuf_uint(r, 4);
}

uint64_t rbuf_u64(struct rbuf *r)
{
	return rbuf_uint(r, 8);
}

bool rbuf_copy(struct rbuf *r, void *dst, size_t n)
{
	const uint8_t *b = rbuf_bytes(r, n);

	if (!n)
		return rbuf_ok(r);
	if (b)
		memcpy(dst, b, n);
	else
		memset(dst, 0, n);
	return b != NULL;
}

struct rbuf rbuf_sub(struct rbuf *r, size_t n)
{
	struct rbuf sub;
	const uint8_t *b = rbuf_bytes(r, n);

	rbuf_init(&sub, r->bad ? NULL : b, r->bad ? 0 : n);
	sub.bad = r->bad;
	return sub;
}

void wbuf_init(struct wbuf *w, void *mem, size_t cap)
{
	w->base = mem;
	w->len = 0;
	w->cap = cap;
	w->bad = false;
}

bool wbuf_ok(const struct wbuf *w)
{
	return !w->bad;
}

/* Where the next n bytes go, which then count as written; NULL when they do not fit. */
static uint8_t *wbuf_room(struct wbuf *w, size_t n)
{
	uint8_t *at;

	if (w->bad || n > w->cap - w->len) {
		w->bad = true;
		return NULL;
	}
	at = w->base + w->len;
	w->len += n;
	return at;
}

static void put_uint(uint8_t *at, uint64_t v, size_t n)
{
	while (n--) {
		at[n] = (uint8_t)v;
		v >>= 8;
	}
}

static void wbuf_uint(struct wbuf *w, uint64_t v, size_t n)
{
	uint8_t *at = wbuf_room(w, n);

	if (at)
		put_uint(at, v, n);
}

void wbuf_u8(struct wbuf *w, uint8_t v)
{
	wbuf_uint(w, v, 1);
}

void wbuf_u16(struct wbuf *w, uint16_t v)
{
	wbuf_uint(w, v, 2);
}

void wbuf_u32(struct wbuf *w, uint32_t v)
{
	wbuf_uint(w, v, 4);
}

void wbuf_u64(struct wbuf *w, uint64_t v)
{
	wbuf_uint(w, v, 8);
}

void wbuf_bytes(struct wbuf *w, const void *data, size_t n)
{
	uint8_t *at = n ? wbuf_room(w, n) : NULL;

	if (at)
		memcpy(at, data, n);
}

static void wbuf_patch(struct wbuf *w, size_t at, uint64_t v, size_t n)
{
	if (w->bad || at > w->len || n > w->len - at)
		w->bad = true;
	else
		put_uint(w->base + at, v, n);
}

void wbuf_patch_u8(struct wbuf *w, size_t at, uint8_t v)
{
	wbuf_patch(w, at, v, 1);
}

void wbuf_patch_u16(struct wbuf *w, size_t at, uint16_t v)
{
	wbuf_patch(w, at, v, 2);
}
