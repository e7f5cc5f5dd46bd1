/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See privs.h.  setresuid() from root to another user clears all capability sets; the ambient set and
 * PR_SET_KEEPCAPS are not used.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/run/privs.h"

static const struct passwd *find_user(const char *user, char *err, size_t err_len)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (!pw)
		snprintf(err, err_len, "user %s: %s", user, errno ? strerror(errno) : "does not exist");
	return pw;
}

int privs_make_dir(const char *path, const char *user, char *err, size_t err_len)
{
	const char *slash = strrchr(path, '/');
	const struct passwd *pw;
	char dir[PATH_MAX];

	if (!slash || slash == path || geteuid() != 0)
		return 0;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	pw = find_user(user, err, err_len);
	if (!pw)
		return -1;
	if (mkdir(dir, 0755) == 0) {
		if (chown(dir, pw->pw_uid, pw->pw_gid) == 0)
			return 0;
	} else if (errno == EEXIST) {
		return 0; /* left as it is: it may be /tmp */
	}
	snprintf(err, err_len, "%s: %s", dir, strerror(errno));
	return -1;
}

int privs_drop(const char *user, char *err, size_t err_len)
{
	const struct passwd *pw = find_user(user, err, err_len);

	if (!pw)
		return -1;
	if (geteuid() != 0 && geteuid() == pw->pw_uid)
		return 0;
	if (pw->pw_uid == 0) {
		snprintf(err, err_len, "user %s: the agent does not run as root", user);
		return -1;
	}
	if (initgroups(user, pw->pw_gid) || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid)) {
		snprintf(err, err_len, "cannot become user %s: %s", user, strerror(errno));
		return -1;
	}
	if (setuid(0) == 0) { /* must not work any more */
		snprintf(err, err_len, "user %s can become root again", user);
		return -1;
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return 0;
}
