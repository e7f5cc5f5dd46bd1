/* SPDX-License-Identifier: BSD-3-Clause
 *
 * TUN devices, and how the loop watches a descriptor.
 */
#ifndef MIPVPN_NH_TUN_H
#define MIPVPN_NH_TUN_H

#include <net/if.h>

#define TUN_QUEUE 2048 /* packets that wait in a device until they are read */

/* What epoll's data.ptr points to. */
struct watch {
	void (*ready)(struct watch *w);
};
int watch_fd(int epoll_fd, int fd, struct watch *w); /* for reading; -1 with errno */

/* A new device without packet information, non-blocking; it goes when the descriptor is closed.  -1 with
 * errno, EEXIST when there is one of that name.  */
int tun_open(const char *name);
/* The same; the kernel puts the lowest free number for "%d" in pattern, and name is what it has made. */
int tun_open_any(const char *pattern, char name[IFNAMSIZ]);

#endif
