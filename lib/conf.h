/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Configuration files: a program describes its keys in tables, and gets its struct filled in, or errors in
 * words.
 *
 * The syntax is libconfuse's: `key = value`, `key = { value, value }`, `section { ... }`, `section "name" {
 * ... }`, comments with #.  Unknown keys, values out of range and missing required keys are errors; each
 * names file, line, key and what is allowed.  Nothing here logs or exits, so a reload with errors changes
 * nothing.
 *
 *	struct fa { uint32_t lifetime; CONF_LIST(conf_ifname) links; };
 *	struct cfg { char user[32]; CONF_LIST(struct fa) fa; };
 *
 *	static const struct conf_key fa_keys[] = {
 *		{"lifetime-max", CONF_INT, CONF_FIELD(struct fa, lifetime), .min = 1, .max = 65535,
 *		 .def = "1800", .doc = "longest registration lifetime, s"},
 *		{"links", CONF_STRING, CONF_LIST_FIELD(struct fa, links), .required = true,
 *		 .doc = "interfaces"},
 *		{0}};
 *	static const struct conf_section sections[] = {
 *		{"fa", CONF_LIST_FIELD(struct cfg, fa), .keys = fa_keys, .most = 1, .doc = "foreign agent"},
 *		{0}};
 *	static const struct conf_schema schema = {sizeof(struct cfg), root_keys, sections};
 *
 * A section is a list of structs too: cfg.fa.n says how often it was there (0 or 1 with .most = 1).
 */
#ifndef MIPVPN_CONF_H
#define MIPVPN_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_INT,	/* unsigned of 1, 2, 4 or 8 bytes; decimal or 0x hex; max 0 = what the field holds */
	CONF_BOOL,	/* bool: true, false, yes, no, on, off */
	CONF_STRING,	/* char[n]: min..n-1 bytes */
	CONF_WORD,	/* unsigned or enum of 1..8 bytes: index of the word in words */
	CONF_IPV4,	/* struct in_addr */
	CONF_PREFIX,	/* struct vpn_prefix */
	CONF_KEY	/* struct vpn_key: hex digits, min..max bytes (0 = VPN_KEY_MAX); never in an error */
};

/* A list field: allocated by conf_load(), freed by conf_free(). */
#define CONF_LIST(type)                                                                                      \
	struct {                                                                                             \
		type *v;                                                                                     \
		size_t n;                                                                                    \
	}
typedef char conf_ifname[16];
typedef char conf_text[256];	/* longer strings in a list */

#define CONF_FIELD(S, m) .offset = offsetof(S, m), .size = sizeof(((S *)0)->m)
#define CONF_LIST_FIELD(S, m) .offset = offsetof(S, m), .size = sizeof(*((S *)0)->m.v), .list = true

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset, size;	/* CONF_FIELD or CONF_LIST_FIELD; size of one value */
	bool list;
	uint64_t min, max;
	const char *const *words;	/* CONF_WORD: ends with NULL */
	const char *def;	/* as it would stand in the file; NULL = zero, empty */
	bool required;
	const char *doc;	/* what it is for, a few words; shown in errors; may be NULL */
};

struct conf_section {
	const char *name;
	size_t offset, size;	/* CONF_LIST_FIELD */
	bool list;		/* set by CONF_LIST_FIELD */
	/* A char array in the item for `section "title"`; size 0 = no title. */
	size_t title_offset, title_size;
	const struct conf_key *keys;		/* ends with a row of zeros */
	size_t least, most;	/* how often; most 0 = no limit */
	const char *doc;
};

struct conf_schema {
	size_t size;		/* of the struct to fill */
	/* Outside of sections, and the sections; end with a row of zeros; may be NULL. */
	const struct conf_key *keys;
	const struct conf_section *sections;
};

#define CONF_FILE_MAX (1u << 20)	/* bytes */

/* Errors as text, one line each; what does not fit is counted only. */
struct conf_errors {
	unsigned n;
	char text[4096];
};
/* For the checks that a program makes itself after conf_load(). */
void conf_errors_add(struct conf_errors *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* 0 and *out filled in, to be freed with conf_free(); or -1, errs has at least one line and *out is zero.
 * Both reset errs. */
int conf_load(const struct conf_schema *schema, const char *path, void *out, struct conf_errors *errs);
/* The same from text; name stands for the file in errors. */
int conf_parse(const struct conf_schema *schema, const char *name, const char *text, void *out,
	       struct conf_errors *errs);
void conf_free(const struct conf_schema *schema, void *out);	/* wipes the struct too */

/* What a key allows, in words: "1..65535", "true or false", "fa, ha". */
const char *conf_allowed(const struct conf_key *key, char *buf, size_t len);

#endif
