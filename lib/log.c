/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Logging (lib/log.h).  A line is made in one buffer and leaves in one write, so lines of several threads do
 * not mix; control characters that a peer sent are shown as '?', so that nobody forges a line.
 */
#include "lib/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static const struct {
	const char *word;
	int priority; /* syslog(3), sd-daemon(3) */
} levels[] = {
	[LOG_LVL_DEBUG] = {"debug", LOG_DEBUG},	   [LOG_LVL_INFO] = {"info", LOG_INFO},
	[LOG_LVL_NOTICE] = {"notice", LOG_NOTICE}, [LOG_LVL_WARN] = {"warning", LOG_WARNING},
	[LOG_LVL_ERROR] = {"error", LOG_ERR},
};
#define N_LEVELS (sizeof(levels) / sizeof(levels[0]))

static const char *program_name = "mipvpn";
static atomic_int least_level = LOG_LVL_INFO;
static log_sink current_sink;

void log_init(const char *program, enum log_level least, log_sink sink)
{
	program_name = program;
	current_sink = sink;
	log_set_level(least);
}

void log_set_level(enum log_level least)
{
	atomic_store(&least_level, (int)least);
}

bool log_level_parse(const char *word, enum log_level *out)
{
	for (size_t i = 0; i < N_LEVELS; i++) {
		if (!strcmp(word, levels[i].word)) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_sink_syslog(enum log_level level, const char *tag, const char *text)
{
	syslog(LOG_DAEMON | levels[level].priority, "%s: %s", tag, text);
}

/* Priorities as sd-daemon(3) wants them, words where a person reads. */
static void sink_stderr(enum log_level level, const char *tag, const char *text)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%s: %s: %s: %s\n", program_name, levels[level].word, tag, text);
	else
		fprintf(stderr, "<%d>%s %s: %s\n", levels[level].priority, program_name, tag, text);
}

static void make_printable(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
	}
}

void log_v(enum log_level level, const char *tag, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES];

	if ((int)level < atomic_load(&least_level) || (size_t)level >= N_LEVELS)
		return;
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		return;
	make_printable(text);
	if (current_sink)
		current_sink(level, tag, text);
	else
		sink_stderr(level, tag, text);
}

#define LOG_FUNCTION(name, level)                                                                            \
	void name(const char *tag, const char *fmt, ...)                                                     \
	{                                                                                                    \
		va_list ap;                                                                                  \
                                                                                                             \
		va_start(ap, fmt);                                                                           \
		log_v(level, tag, fmt, ap);                                                                  \
		va_end(ap);                                                                                  \
	}

LOG_FUNCTION(log_debug, LOG_LVL_DEBUG)
LOG_FUNCTION(log_info, LOG_LVL_INFO)
LOG_FUNCTION(log_notice, LOG_LVL_NOTICE)
LOG_FUNCTION(log_warn, LOG_LVL_WARN)
LOG_FUNCTION(log_error, LOG_LVL_ERROR)
