/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(cap) (UINT64_C(1) << (cap))
static const uint64_t needed = BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_NET_BIND_SERVICE);

static struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

static int fail(char *why, size_t why_len, const char *what)
{
	snprintf(why, why_len, "%s: %s", what, strerror(errno));
	return -1;
}

int privileges_drop(char *why, size_t why_len)
{
	struct __user_cap_data_struct caps[2];
	uint64_t have;

	if (syscall(SYS_capget, &header, caps) != 0)
		return fail(why, why_len, "capget");
	have = caps[0].effective | (uint64_t)caps[1].effective << 32;
	if ((have & needed) != needed) {
		snprintf(why, why_len,
			 "needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE: start it as root");
		return -1;
	}
	for (int cap = 0; cap < 64; cap++)
		if (!(needed & BIT(cap)))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* EINVAL above the kernel's last one */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	memset(caps, 0, sizeof(caps));
	caps[0].effective = caps[0].permitted = (uint32_t)needed;
	if (syscall(SYS_capset, &header, caps) != 0)
		return fail(why, why_len, "capset");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(why, why_len, "no_new_privs");
	return 0;
}
