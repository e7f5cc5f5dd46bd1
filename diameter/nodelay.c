/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libfdcore leaves Nagle's algorithm on, and a message with VPN profiles is a little longer than one segment:
 * its rest then waits for the acknowledgement of its beginning, one round trip for each hop.  libfdcore does
 * not hand its sockets out, so when a peer has connected, TCP_NODELAY is set on every TCP socket of the
 * process (libpq has set it on its own).
 */
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "diameter/codec.h"

static bool is_tcp(int fd)
{
	int protocol = 0;
	socklen_t len = sizeof(protocol);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == IPPROTO_TCP;
}

unsigned dm_nodelay_set(void)
{
	DIR *d = opendir("/proc/self/fd");
	const struct dirent *e;
	unsigned n = 0;
	int on = 1;

	while (d && (e = readdir(d))) {
		int fd = (int)strtol(e->d_name, NULL, 10); /* "." and ".." are 0, which is no socket */

		if (is_tcp(fd) && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0)
			n++;
	}
	if (d)
		closedir(d);
	return n;
}

static void on_connected(enum fd_hook_type type, struct msg *m, struct peer_hdr *peer, void *other,
			 struct fd_hook_permsgdata *pmd, void *data)
{
	(void)dm_nodelay_set();
}

int dm_nodelay_install(void)
{
	struct fd_hook_hdl *handle;

	return fd_hook_register(HOOK_MASK(HOOK_PEER_CONNECT_SUCCESS), on_connected, NULL, NULL, &handle);
}
