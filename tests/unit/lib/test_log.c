/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/counter.h"
#include "lib/log.h"
#include "tests/unit/harness.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static unsigned lines;
static enum log_level last_level;
static char last_tag[16], last_text[2048];

static void sink(enum log_level level, const char *tag, const char *text)
{
	lines++;
	last_level = level;
	snprintf(last_tag, sizeof(last_tag), "%s", tag);
	snprintf(last_text, sizeof(last_text), "%s", text);
}

static void test_levels(void)
{
	log_init("test", LOG_LVL_NOTICE, sink);
	lines = 0;
	log_debug("t", "x");
	log_info("t", "x");
	CU_ASSERT_EQUAL(lines, 0);
	log_notice("room", "n %d", 7);
	CU_ASSERT_EQUAL(lines, 1);
	CU_ASSERT_EQUAL(last_level, LOG_LVL_NOTICE);
	CU_ASSERT_STRING_EQUAL(last_tag, "room");
	CU_ASSERT_STRING_EQUAL(last_text, "n 7");
	log_warn("t", "x");
	log_error("t", "x");
	CU_ASSERT_EQUAL(lines, 3);
	log_set_level(LOG_LVL_DEBUG);
	log_debug("t", "x");
	CU_ASSERT_EQUAL(lines, 4);
}

static void test_level_words(void)
{
	static const char *const words[] = {"debug", "info", "notice", "warning", "error"};
	enum log_level l;

	for (int i = 0; i < 5; i++) {
		CU_ASSERT_TRUE(log_level_parse(words[i], &l));
		CU_ASSERT_EQUAL(l, (enum log_level)i);
	}
	CU_ASSERT_FALSE(log_level_parse("loud", &l));
	CU_ASSERT_FALSE(log_level_parse("", &l));
}

/* What a peer sent cannot begin a new line or move the cursor. */
static void test_control_characters(void)
{
	log_init("test", LOG_LVL_DEBUG, sink);
	log_info("t", "a\nb\rc\x1b[1md\x7f");
	CU_ASSERT_STRING_EQUAL(last_text, "a?b?c?[1md?");
}

static void test_long_line_is_cut(void)
{
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_init("test", LOG_LVL_DEBUG, sink);
	log_info("t", "%s", text);
	CU_ASSERT_EQUAL(strlen(last_text), 1023);
}

/* The service manager reads the priority in front of a line. */
static void test_standard_error(void)
{
	char text[128] = "";
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);

	CU_ASSERT_FATAL(f != NULL && saved >= 0);
	fflush(stderr);
	dup2(fileno(f), STDERR_FILENO);
	log_init("prog", LOG_LVL_INFO, NULL);
	log_error("room", "broken %s", "thing");
	log_debug("room", "not seen");
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(f);
	CU_ASSERT_TRUE(fread(text, 1, sizeof(text) - 1, f) > 0);
	CU_ASSERT_STRING_EQUAL(text, "<3>prog room: broken thing\n");
	fclose(f);
}

static void test_counters(void)
{
	CU_ASSERT_EQUAL(counter_get("test.a"), 0);
	counter_inc("test.a");
	counter_add("test.a", 41);
	counter_inc("test.b");
	CU_ASSERT_EQUAL(counter_get("test.a"), 42);
	CU_ASSERT_EQUAL(counter_get("test.b"), 1);
	CU_ASSERT_EQUAL(counter_get("test"), 0);
}

static void collect(const char *name, uint64_t value, void *user)
{
	size_t n = strlen(user);

	snprintf((char *)user + n, 256 - n, "%s=%u ", name, (unsigned)value);
}

static void test_counters_are_sorted(void)
{
	char text[256] = "";

	counter_inc("sort.z");
	counter_inc("sort.m");
	counter_inc("sort.a");
	counter_each(collect, text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "sort.a=1 sort.m=1 sort.z=1 "));
}

static void *count_much(void *arg)
{
	for (int i = 0; i < 10000; i++)
		counter_inc(i % 2 ? "thread.odd" : "thread.even");
	return arg;
}

static void test_counters_of_threads(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL_FATAL(pthread_create(&t[i], NULL, count_much, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CU_ASSERT_EQUAL(counter_get("thread.odd"), 20000);
	CU_ASSERT_EQUAL(counter_get("thread.even"), 20000);
}

HARNESS_MAIN("lib/log and counter", HARNESS_CASE(test_levels), HARNESS_CASE(test_level_words),
	     HARNESS_CASE(test_control_characters), HARNESS_CASE(test_long_line_is_cut),
	     HARNESS_CASE(test_standard_error), HARNESS_CASE(test_counters),
	     HARNESS_CASE(test_counters_are_sorted), HARNESS_CASE(test_counters_of_threads))
