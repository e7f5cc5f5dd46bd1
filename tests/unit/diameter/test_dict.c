/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Our dictionary before and after Debian's dictionaries that define some of the same AVPs, in real libfdcore
 * processes (one a case: a dictionary cannot be loaded twice), and every row of the table as libfdcore has
 * it then.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "diameter/dict.h"
#include "tests/unit/harness.h"

#define OURS "ours"
static const char *const orders[][6] = {
	{ OURS },
	{ OURS, "dict_nasreq", "dict_rfc5777", "dict_mip6a" },
	{ "dict_nasreq", "dict_rfc5777", "dict_mip6a", OURS },
	{ OURS, "dict_nasreq", "dict_rfc5777", "dict_mip6i" },
	{ "dict_nasreq", "dict_rfc5777", "dict_mip6i", OURS },
	{ OURS, "dict_nas_mipv6" },
	{ "dict_nas_mipv6", OURS },
};

static void be_silent(int level, const char *format, va_list args)
{
}

static int load(const char *name)
{
	char path[256], err[256] = "";
	void *handle;
	int (*init)(int, int, char *);

	if (!strcmp(name, OURS)) {
		if (!dict_mipvpn_load(err, sizeof(err)))
			return 0;
		fprintf(stderr, "ours: %s\n", err);
		return -1;
	}
	snprintf(path, sizeof(path), FREEDIAMETER_EXTENSIONS "/%s.fdx", name);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	*(void **)&init = handle ? dlsym(handle, "fd_ext_init") : NULL;
	if (init && !init(FD_PROJECT_VERSION_MAJOR, FD_PROJECT_VERSION_MINOR, NULL))
		return 0;
	fprintf(stderr, "%s does not load: %s\n", name, handle ? "refused" : dlerror());
	return -1;
}

/* 0, or the number of rows that are not as the table says. */
static int compare_rows(void)
{
	int bad = 0;

	for (enum dm_avp a = 0; a < DM_AVP_COUNT; a++) {
		struct dict_avp_data d;
		bool ours = dm_avp_ids[a].vendor != 0;

		if (fd_dict_getval(dm_dict_avp(a), &d) || d.avp_code != dm_avp_ids[a].code ||
		    d.avp_vendor != dm_avp_ids[a].vendor || strcmp(d.avp_name, dm_avp_ids[a].name) ||
		    !!(d.avp_flag_val & AVP_FLAG_VENDOR) != ours ||
		    (ours && d.avp_flag_val & AVP_FLAG_MANDATORY) ||
		    (ours && !(d.avp_flag_mask & AVP_FLAG_MANDATORY))) {
			fprintf(stderr, "%s differs\n", dm_avp_ids[a].name);
			bad++;
		}
	}
	return bad;
}

static int child(const char *const *order)
{
	char err[256];

	fd_log_handler_register(be_silent);
	if (fd_core_initialize())
		return 2;
	for (; *order; order++)
		if (load(*order))
			return 3;
	if (dm_dict_resolve(err, sizeof(err)))
		return 4;
	return compare_rows() ? 5 : 0;
}

static void test_orders(void)
{
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		pid_t pid = fork();
		int status = -1;

		if (pid == 0)
			_exit(child(orders[i]));
		CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
		HARNESS_AT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "order %zu (%s first): status %x",
			   i, orders[i][0], status);
	}
}

/* A dictionary of somebody else who gave one of our numbers another meaning is an error, not a surprise at
 * run time. */
static int clash(void)
{
	struct dict_avp_data nonce = { 335, 0, (char *)"MIP-Nonce", AVP_FLAG_VENDOR | AVP_FLAG_MANDATORY,
				       AVP_FLAG_MANDATORY, AVP_TYPE_UNSIGNED32 };
	char err[256] = "";

	fd_log_handler_register(be_silent);
	if (fd_core_initialize() || fd_dict_new(fd_g_config->cnf_dict, DICT_AVP, &nonce, NULL, NULL))
		return 2;
	if (!dict_mipvpn_load(err, sizeof(err)))
		return 3;
	return strcmp(err, "AVP MIP-Nonce: another dictionary defines it differently") ? 4 : 0;
}

static void test_clash(void)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(clash());
	CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
	HARNESS_AT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}

/* Numbers are unique: two rows with one code would make the codec read one as the other. */
static void test_numbers(void)
{
	for (enum dm_avp a = 0; a < DM_AVP_COUNT; a++)
		for (enum dm_avp b = a + 1; b < DM_AVP_COUNT; b++)
			HARNESS_AT(dm_avp_ids[a].code != dm_avp_ids[b].code ||
					   dm_avp_ids[a].vendor != dm_avp_ids[b].vendor,
				   "%s and %s", dm_avp_ids[a].name, dm_avp_ids[b].name);
}

/* doc/protocol.md has a row "| code | name | type |" for each AVP of ours, and no other. */
static void test_document(void)
{
	const char *top = getenv("srcdir");
	char path[512], line[1024], row[128];
	unsigned rows = 0, ours = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/doc/protocol.md", top ? top : ".");
	f = fopen(path, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, " | MIPVPN-"))
			continue;
		rows++;
		for (enum dm_avp a = 0; a < DM_AVP_COUNT; a++) {
			snprintf(row, sizeof(row), "| %u | %s | ", dm_avp_ids[a].code, dm_avp_ids[a].name);
			ours += dm_avp_ids[a].vendor && !strncmp(line, row, strlen(row));
		}
	}
	fclose(f);
	CU_ASSERT_EQUAL(rows, ours);
	for (enum dm_avp a = 0; a < DM_AVP_COUNT; a++)
		rows -= dm_avp_ids[a].vendor != 0;
	CU_ASSERT_EQUAL(rows, 0);
}

HARNESS_MAIN("diameter/dict", HARNESS_CASE(test_orders), HARNESS_CASE(test_clash), HARNESS_CASE(test_numbers),
	     HARNESS_CASE(test_document))
