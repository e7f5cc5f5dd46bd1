/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Configuration by tables over libconfuse (lib/conf.h).
 *
 * libconfuse sees every key as a string, so that all conversions, and the words of all errors, are ours.  A
 * value is checked while it is read (only then its line is known) and stored in a second pass when the file
 * was good.
 *
 * libconfuse's scanner and its callbacks have no user pointer: the file being read is in `reading`, under a
 * mutex.
 */
#include "lib/conf.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "lib/conf_value.h"
#include "lib/crypto.h"

struct conf_array { /* what every CONF_LIST() looks like */
	void *v;
	size_t n;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	const struct conf_schema *schema;
	const char *name;
	struct conf_errors *errs;
} reading;

static const struct conf_key no_keys[] = {{0}};
static const struct conf_section no_sections[] = {{0}};

static const struct conf_key *root_keys(const struct conf_schema *s)
{
	return s->keys ? s->keys : no_keys;
}

static const struct conf_section *root_sections(const struct conf_schema *s)
{
	return s->sections ? s->sections : no_sections;
}

/* --- errors --- */

static __attribute__((format(printf, 2, 0))) void errors_add_v(struct conf_errors *e, const char *fmt,
							       va_list ap)
{
	size_t at = strlen(e->text), room = sizeof(e->text) - at;
	int n = vsnprintf(e->text + at, room, fmt, ap);

	e->n++;
	if (n < 0 || (size_t)n + 2 > room)
		e->text[at] = '\0';
	else
		memcpy(e->text + at + n, "\n", 2);
}

void conf_errors_add(struct conf_errors *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	errors_add_v(e, fmt, ap);
	va_end(ap);
}

static void known_names(const cfg_t *cfg, char *buf, size_t len)
{
	size_t n = 0;

	buf[0] = '\0';
	for (const cfg_opt_t *o = cfg->opts; o && o->name && n < len; o++)
		n += (size_t)snprintf(buf + n, len - n, "%s%s", n ? ", " : "", o->name);
}

/* libconfuse's own errors: syntax, unknown keys, a title given twice. */
static __attribute__((format(printf, 2, 0))) void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char what[256], names[1024];

	vsnprintf(what, sizeof(what), fmt, ap);
	if (strncmp(what, "no such option", 14)) {
		conf_errors_add(reading.errs, "%s:%d: %s", reading.name, cfg->line, what);
		return;
	}
	known_names(cfg, names, sizeof(names));
	conf_errors_add(reading.errs, "%s:%d: unknown key%s; allowed here: %s", reading.name, cfg->line,
			what + 14, names);
}

/* --- reading --- */

static const struct conf_key *find_key(const struct conf_key *keys, const char *name)
{
	for (; keys->name; keys++) {
		if (!strcmp(keys->name, name))
			return keys;
	}
	return NULL;
}

static const struct conf_section *find_section(const struct conf_schema *s, const char *name)
{
	const struct conf_section *sec = root_sections(s);

	while (sec->name && strcmp(sec->name, name))
		sec++;
	return sec->name ? sec : NULL;
}

/* What a key or section is for, behind an error about it. */
static const char *purpose(const char *doc, char *buf, size_t len)
{
	buf[0] = '\0';
	if (doc)
		snprintf(buf, len, " (%s)", doc);
	return buf;
}

/* libconfuse calls this behind each value: report a bad one, and go on. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct conf_section *sec = find_section(reading.schema, cfg->name);
	const struct conf_key *key = find_key(sec ? sec->keys : root_keys(reading.schema), opt->name);
	const char *text = opt->nvalues ? opt->values[opt->nvalues - 1]->string : NULL;
	uint64_t scratch[CONF_VALUE_MAX / 8];
	char allowed[256], why[256];

	if (!key || !text || key->size > sizeof(scratch))
		return -1;
	if (!conf_value_parse(key, text, scratch))
		conf_errors_add(reading.errs, "%s:%d: %s: \"%s\" is not allowed; allowed: %s%s", reading.name,
				cfg->line, key->name, key->type == CONF_KEY ? "(hidden)" : text,
				conf_allowed(key, allowed, sizeof(allowed)),
				purpose(key->doc, why, sizeof(why)));
	crypto_wipe(scratch, sizeof(scratch));
	return 0;
}

static cfg_opt_t *opts_new(const struct conf_key *keys, const struct conf_section *sections);

static cfg_opt_t opt_of_key(const struct conf_key *key)
{
	return (cfg_opt_t){.name = key->name,
			   .type = CFGT_STR,
			   .flags = CFGF_NODEFAULT | (key->list ? CFGF_LIST : 0),
			   .validcb = on_value};
}

static cfg_opt_t opt_of_section(const struct conf_section *sec)
{
	return (cfg_opt_t){.name = sec->name,
			   .type = CFGT_SEC,
			   .flags = CFGF_MULTI | (sec->title_size ? CFGF_TITLE | CFGF_NO_TITLE_DUPES : 0),
			   .subopts = opts_new(sec->keys, no_sections)};
}

static void opts_free(cfg_opt_t *opts)
{
	for (cfg_opt_t *o = opts; o && o->name; o++)
		free(o->subopts);
	free(opts);
}

/* libconfuse's table of one level; NULL without memory. */
static cfg_opt_t *opts_new(const struct conf_key *keys, const struct conf_section *sections)
{
	size_t n = 1, i = 0;
	cfg_opt_t *opts;

	for (const struct conf_key *k = keys; k->name; k++)
		n++;
	for (const struct conf_section *s = sections; s->name; s++)
		n++;
	opts = calloc(n, sizeof(*opts));
	if (!opts)
		return NULL;
	for (; keys->name; keys++)
		opts[i++] = opt_of_key(keys);
	for (; sections->name; sections++) {
		opts[i] = opt_of_section(sections);
		if (!opts[i++].subopts) {
			opts_free(opts);
			return NULL;
		}
	}
	return opts;
}

/* --- storing --- */

static void *array_new(char *field, size_t n, size_t size)
{
	struct conf_array a = {n ? calloc(n, size) : NULL, 0};

	if (a.v)
		a.n = n;
	else if (n)
		conf_errors_add(reading.errs, "%s: out of memory", reading.name);
	memcpy(field, &a, sizeof(a));
	return a.v;
}

static void store_list(cfg_opt_t *opt, const struct conf_key *key, char *item)
{
	unsigned n = cfg_opt_size(opt);
	char *v = array_new(item + key->offset, n, key->size);

	for (unsigned i = 0; v && i < n; i++)
		conf_value_parse(key, cfg_opt_getnstr(opt, i), v + i * key->size);
}

static void store_one(cfg_opt_t *opt, const struct conf_key *key, char *item)
{
	unsigned n = cfg_opt_size(opt);
	char *given = n ? cfg_opt_getnstr(opt, n - 1) : NULL;
	const char *text = given ? given : key->def;

	/* What on_value() reported is not reported again: the struct is thrown away then. */
	if (text && !conf_value_parse(key, text, item + key->offset) && !given)
		conf_errors_add(reading.errs, "%s: the default of %s is not allowed", reading.name,
				key->name);
	if (given && key->type == CONF_KEY)
		crypto_wipe(given, strlen(given));
}

static void complain_missing(const cfg_t *cfg, const struct conf_section *sec, const struct conf_key *key)
{
	char why[256];

	conf_errors_add(reading.errs, "%s:%d: %s%s%s is required%s", reading.name, cfg->line,
			sec ? sec->name : "", sec ? ": " : "", key->name,
			purpose(key->doc, why, sizeof(why)));
}

static void store_keys(cfg_t *cfg, const struct conf_section *sec, const struct conf_key *keys, char *item)
{
	for (; keys->name; keys++) {
		cfg_opt_t *opt = cfg_getopt(cfg, keys->name);

		if (keys->required && !cfg_opt_size(opt))
			complain_missing(cfg, sec, keys);
		if (keys->list)
			store_list(opt, keys, item);
		else
			store_one(opt, keys, item);
	}
}

static void store_title(cfg_t *cfg, const struct conf_section *sec, char *item)
{
	const char *title = cfg_title(cfg);
	size_t n = title ? strlen(title) : 0;

	if (!sec->title_size)
		return;
	if (!n || n >= sec->title_size)
		conf_errors_add(reading.errs, "%s:%d: %s: its name must have 1..%zu bytes", reading.name,
				cfg->line, sec->name, sec->title_size - 1);
	else
		memcpy(item + sec->title_offset, title, n + 1);
}

static void store_section(cfg_t *cfg, const struct conf_section *sec, char *out)
{
	unsigned n = cfg_size(cfg, sec->name);
	char *v = array_new(out + sec->offset, n, sec->size), why[256];

	if (n < sec->least)
		conf_errors_add(reading.errs, "%s: section %s is required%s", reading.name, sec->name,
				purpose(sec->doc, why, sizeof(why)));
	if (sec->most && n > sec->most)
		conf_errors_add(reading.errs, "%s:%d: section %s: at most %zu allowed", reading.name,
				cfg_getnsec(cfg, sec->name, (unsigned)sec->most)->line, sec->name, sec->most);
	for (unsigned i = 0; v && i < n; i++) {
		cfg_t *one = cfg_getnsec(cfg, sec->name, i);

		store_title(one, sec, v + i * sec->size);
		store_keys(one, sec, sec->keys, v + i * sec->size);
	}
}

static void store_all(cfg_t *cfg, const struct conf_schema *schema, char *out)
{
	store_keys(cfg, NULL, root_keys(schema), out);
	for (const struct conf_section *sec = root_sections(schema); sec->name; sec++)
		store_section(cfg, sec, out);
}

/* --- the file --- */

static void parse_locked(const struct conf_schema *schema, const char *text, void *out)
{
	cfg_opt_t *opts = opts_new(root_keys(schema), root_sections(schema));
	cfg_t *cfg = opts ? cfg_init(opts, CFGF_NONE) : NULL;

	if (cfg) {
		cfg_set_error_function(cfg, on_error);
		/* An empty file is a file: libconfuse does not take an empty text. */
		if (cfg_parse_buf(cfg, *text ? text : " ") == CFG_SUCCESS)
			store_all(cfg, schema, out);
		else if (!reading.errs->n)
			conf_errors_add(reading.errs, "%s: cannot be parsed", reading.name);
		cfg_free(cfg);
	} else {
		conf_errors_add(reading.errs, "%s: out of memory", reading.name);
	}
	opts_free(opts);
}

int conf_parse(const struct conf_schema *schema, const char *name, const char *text, void *out,
	       struct conf_errors *errs)
{
	memset(out, 0, schema->size);
	memset(errs, 0, sizeof(*errs));
	pthread_mutex_lock(&lock);
	reading.schema = schema;
	reading.name = name;
	reading.errs = errs;
	parse_locked(schema, text, out);
	memset(&reading, 0, sizeof(reading));
	pthread_mutex_unlock(&lock);
	if (!errs->n)
		return 0;
	conf_free(schema, out);
	return -1;
}

/* The whole file with a NUL behind it; NULL with errno.  To be freed, *len bytes to be wiped. */
static char *file_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = f ? malloc(CONF_FILE_MAX + 1) : NULL;
	int err = errno;

	if (text) {
		errno = 0;
		*len = fread(text, 1, CONF_FILE_MAX + 1, f);
		err = ferror(f) ? errno : *len > CONF_FILE_MAX ? EFBIG : 0;
		if (err) {
			free(text);
			text = NULL;
		} else {
			text[*len] = '\0';
		}
	}
	if (f)
		fclose(f);
	errno = err;
	return text;
}

int conf_load(const struct conf_schema *schema, const char *path, void *out, struct conf_errors *errs)
{
	size_t len;
	char *text = file_read(path, &len);
	int rc = -1;

	if (text && strlen(text) == len) {
		rc = conf_parse(schema, path, text, out, errs);
	} else {
		memset(out, 0, schema->size);
		memset(errs, 0, sizeof(*errs));
		conf_errors_add(errs, "%s: %s", path, text ? "has a NUL byte" : strerror(errno));
	}
	if (text)
		crypto_wipe(text, len);
	free(text);
	return rc;
}

/* --- freeing --- */

static void array_free(char *field, size_t size)
{
	struct conf_array a;

	memcpy(&a, field, sizeof(a));
	if (a.v)
		crypto_wipe(a.v, a.n * size);
	free(a.v);
}

static void lists_free(const struct conf_key *keys, char *item)
{
	for (; keys->name; keys++) {
		if (keys->list)
			array_free(item + keys->offset, keys->size);
	}
}

void conf_free(const struct conf_schema *schema, void *out)
{
	lists_free(root_keys(schema), out);
	for (const struct conf_section *sec = root_sections(schema); sec->name; sec++) {
		struct conf_array a;

		memcpy(&a, (char *)out + sec->offset, sizeof(a));
		for (size_t i = 0; i < a.n; i++)
			lists_free(sec->keys, (char *)a.v + i * sec->size);
		array_free((char *)out + sec->offset, sec->size);
	}
	crypto_wipe(out, schema->size);
}
