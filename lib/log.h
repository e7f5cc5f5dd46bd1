/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Logging: five levels and a tag (the room), to standard error with sd-daemon prefixes (in words on a
 * terminal), to syslog, or to a callback that a freeDiameter extension sets.  Thread-safe.  Never pass a key
 * to any of these (house rule: keys).
 */
#ifndef MIPVPN_LOG_H
#define MIPVPN_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level { LOG_LVL_DEBUG, LOG_LVL_INFO, LOG_LVL_NOTICE, LOG_LVL_WARN, LOG_LVL_ERROR };

typedef void (*log_sink)(enum log_level level, const char *tag, const char *text);

/* sink NULL = standard error.  Call before threads start. */
void log_init(const char *program, enum log_level least, log_sink sink);
/* A ready sink: syslog(3), facility daemon. */
void log_sink_syslog(enum log_level level, const char *tag, const char *text);
void log_set_level(enum log_level least);
/* debug, info, notice, warning, error. */
bool log_level_parse(const char *word, enum log_level *out);
void log_debug(const char *tag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *tag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_notice(const char *tag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *tag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_error(const char *tag, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_v(enum log_level level, const char *tag, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

#endif
