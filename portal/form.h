/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bodies of application/x-www-form-urlencoded.  Pure, bounded; takes nothing that is not text.
 */
#ifndef MIPVPN_PORTAL_FORM_H
#define MIPVPN_PORTAL_FORM_H

#include <stddef.h>

#define FORM_BODY_MAX 8192 /* bytes, encoded */
#define FORM_FIELDS_MAX 12
#define FORM_NAME_MAX 31 /* bytes, decoded */
#define FORM_VALUE_MAX 511

enum form_error {
	FORM_OK,
	FORM_TOO_LONG, /* the body, a name or a value */
	FORM_TOO_MANY, /* fields */
	FORM_BAD_CODE, /* a % without two hex digits, or a field without a name */
	FORM_NOT_TEXT, /* not UTF-8, or control characters */
	FORM_TWICE     /* a field twice: which one would count? */
};

struct form {
	struct form_field {
		char name[FORM_NAME_MAX + 1], value[FORM_VALUE_MAX + 1];
	} field[FORM_FIELDS_MAX];
	unsigned n;
};

/* FORM_OK and *out filled in; or what is wrong, and *out is empty. */
enum form_error form_decode(const char *body, size_t len, struct form *out);
const char *form_get(const struct form *f, const char *name); /* borrowed; "" when it is not there */
void form_wipe(struct form *f);				      /* it may hold a password */
const char *form_error_word(enum form_error e);		      /* for logs and counters: "too-long" */

#endif
