/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpn-mn's command line, configuration file and key files.  What is wrong goes to standard error: read
 * here.
 */
#include "mn/options.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "tests/unit/harness.h"

static char directory[64] = "/tmp/mipvpn-test-mn-XXXXXX";
static char conf[96], key[96];

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
}

/* Runs mn_options_read() on the words of line; standard error goes to said. */
static int options(const char *line, struct mn_options *o, char *said, size_t size)
{
	char words[512], *argv[32] = {"mipvpn-mn"}, *save = NULL;
	int argc = 1, old = dup(2), r;
	FILE *t = tmpfile();

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	fflush(stderr);
	dup2(fileno(t), 2);
	r = mn_options_read(argc, argv, o);
	fflush(stderr);
	dup2(old, 2);
	close(old);
	rewind(t);
	said[fread(said, 1, size - 1, t)] = '\0';
	fclose(t);
	return r;
}

static void test_key_parse(void)
{
	static const struct {
		const char *text;
		int len; /* -1 = refused */
	} cases[] = {{"00112233445566778899aabbccddeeff", 16},
		     {" 00112233445566778899AABBCCDDEEFF\n", 16},
		     {"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\r\n", 32},
		     {"00112233445566778899aabbccddee", -1},
		     {"00112233445566778899aabbccddeeff0", -1},
		     {"", -1},
		     {"0x112233445566778899aabbccddeeff", -1},
		     {"00112233445566778899aabbccddeeff 00", -1},
		     {"secret", -1}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vpn_key k = {0};
		bool ok = mn_key_parse(cases[i].text, &k);

		HARNESS_AT(ok == (cases[i].len >= 0) && (!ok || k.len == cases[i].len), "\"%s\": %u",
			   cases[i].text, k.len);
	}
}

static void test_file_and_options(void)
{
	struct mn_options o;
	char line[256], said[1024];

	write_file(key, "00112233445566778899aabbccddeeff\n", 0600);
	snprintf(line, sizeof(line),
		 "interface = \"mn0\"\nnai = \"a@b.test\"\nkey-file = \"%s\"\nspi = 300\nlifetime = 60\n",
		 key);
	write_file(conf, line, 0644);
	snprintf(line, sizeof(line),
		 "--lifetime 90 -c %s --reverse-tunnel --algorithm hmac-sha256 --json --once", conf);
	HARNESS_AT(options(line, &o, said, sizeof(said)) == 0, "%s", said);
	CU_ASSERT_STRING_EQUAL(o.interface, "mn0");
	CU_ASSERT_STRING_EQUAL(o.mn.nai, "a@b.test");
	CU_ASSERT_EQUAL(o.mn.lifetime, 90); /* the command line wins, wherever -c stands */
	CU_ASSERT_EQUAL(o.mn.aaa.spi, 300);
	CU_ASSERT_EQUAL(o.mn.aaa.alg, CRYPTO_HMAC_SHA256);
	CU_ASSERT_EQUAL(o.mn.aaa.key.len, 16);
	CU_ASSERT_TRUE(o.mn.reverse_tunnel && o.json && o.mn.once);
	CU_ASSERT_EQUAL(o.mn.home_address.s_addr, 0);
	CU_ASSERT_TRUE(o.mn.smooth_handoff);
	snprintf(line, sizeof(line), "-c %s --algorithm chap --smooth-handoff=false", conf);
	HARNESS_AT(options(line, &o, said, sizeof(said)) == 0, "%s", said);
	CU_ASSERT_EQUAL(o.mn.aaa.spi, MIP_SPI_CHAP);
	CU_ASSERT_FALSE(o.mn.smooth_handoff || o.mn.reverse_tunnel);
}

static void test_refused(void)
{
	static const struct {
		const char *line, *said;
	} cases[] = {{"--lifetime 4", "5..65534"},
		     {"--retransmit-time 999", "1000..60000"},
		     {"--lifetime x", "--lifetime x: allowed: 5..65534"},
		     {"--spi 255", "256.."},
		     {"--algorithm md4", "hmac-md5, hmac-sha1, hmac-sha256, chap"},
		     {"--home-address 10.1", "--home-address"},
		     {"--home-prefix 10.1.0.1/24", "--home-prefix"},
		     {"--interface abcdefghijklmnop", "--interface"},
		     {"--smooth-handoff=maybe", "--smooth-handoff maybe: allowed: "},
		     {"--timeout 0", "1..3600"},
		     {"--nonsense", "nonsense"},
		     {"extra", "extra: what is that?"},
		     {"-c /nonexistent/mn.conf", "/nonexistent/mn.conf"},
		     {"--nai a@b.test", "no interface"},
		     {"-i mn0", "who are you?"},
		     {"-i mn0 --nai a@b.test", "no key"},
		     {"-i mn0 --nai a@b.test --key-file /nonexistent/key",
		      "key-file: /nonexistent/key: No such file"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mn_options o;
		char said[1024];

		HARNESS_AT(options(cases[i].line, &o, said, sizeof(said)) == -1 &&
				   strstr(said, cases[i].said) != NULL,
			   "\"%s\": %s", cases[i].line, said);
	}
}

static void test_key_files(void)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *said;
	} cases[] = {{"00112233445566778899aabbccddeeff\n", 0644, "chmod 600"},
		     {"00112233445566778899aabbccddeeff\n", 0602, "chmod 600"},
		     {"feedfacefeedface\n", 0600, "16 to 64 bytes"},
		     {"hunter2feedface\n", 0600, "16 to 64 bytes"}};
	struct mn_options o;
	char line[256], said[1024], big[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file(key, cases[i].text, cases[i].mode);
		snprintf(line, sizeof(line), "-i mn0 --nai a@b.test --key-file %s", key);
		HARNESS_AT(options(line, &o, said, sizeof(said)) == -1 && strstr(said, cases[i].said) != NULL,
			   "%s", said);
		CU_ASSERT_PTR_NULL(strstr(said, "feedface")); /* what is in it is never shown */
	}
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	write_file(key, big, 0600);
	CU_ASSERT_EQUAL(options(line, &o, said, sizeof(said)), -1);
}

static void test_directory(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
	snprintf(conf, sizeof(conf), "%s/mn.conf", directory);
	snprintf(key, sizeof(key), "%s/key", directory);
}

static void test_directory_removed(void)
{
	unlink(conf);
	unlink(key);
	CU_ASSERT_EQUAL(rmdir(directory), 0);
}

HARNESS_MAIN("mn/options", HARNESS_CASE(test_directory), HARNESS_CASE(test_key_parse),
	     HARNESS_CASE(test_file_and_options), HARNESS_CASE(test_refused), HARNESS_CASE(test_key_files),
	     HARNESS_CASE(test_directory_removed))
