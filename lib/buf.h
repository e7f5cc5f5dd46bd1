/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checked byte cursors.  Every codec of the project reads with struct rbuf and writes with struct wbuf;
 * nothing else touches packet memory.  Both carry a sticky error: after the first overrun every read gives
 * zero (or NULL), every write is dropped, and the caller checks once at the end.  No allocation; both borrow
 * the memory given. All integers are in network byte order on the wire and in host order in the program.
 */
#ifndef MIPVPN_BUF_H
#define MIPVPN_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rbuf {
	const uint8_t *p;	/* next byte */
	const uint8_t *end;	/* one past the last byte */
	bool bad;		/* an overrun has happened */
};

void rbuf_init(struct rbuf *r, const void *data, size_t len);
uint8_t rbuf_u8(struct rbuf *r);
uint16_t rbuf_u16(struct rbuf *r);
uint32_t rbuf_u32(struct rbuf *r);
uint64_t rbuf_u64(struct rbuf *r);
/* Borrowed pointer to the next n bytes, or NULL (and bad) when fewer are left. */
const uint8_t *rbuf_bytes(struct rbuf *r, size_t n);
/* Copies n bytes; on overrun dst is zeroed and false returned. */
bool rbuf_copy(struct rbuf *r, void *dst, size_t n);
/* A cursor over the next n bytes, which are consumed here; the sub-cursor is bad and empty on overrun. */
struct rbuf rbuf_sub(struct rbuf *r, size_t n);
size_t rbuf_left(const struct rbuf *r);
bool rbuf_ok(const struct rbuf *r);

struct wbuf {
	uint8_t *base;
	size_t len;		/* bytes written so far */
	size_t cap;
	bool bad;		/* a write did not fit */
};

void wbuf_init(struct wbuf *w, void *mem, size_t cap);
void wbuf_u8(struct wbuf *w, uint8_t v);
void wbuf_u16(struct wbuf *w, uint16_t v);
void wbuf_u32(struct wbuf *w, uint32_t v);
void wbuf_u64(struct wbuf *w, uint64_t v);
void wbuf_bytes(struct wbuf *w, const void *data, size_t n);
/* Overwrite earlier bytes (a length that is known only later); bad when out of what was written. */
void wbuf_patch_u8(struct wbuf *w, size_t at, uint8_t v);
void wbuf_patch_u16(struct wbuf *w, size_t at, uint16_t v);
bool wbuf_ok(const struct wbuf *w);

#endif
