/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int watch_fd(int epoll_fd, int fd, struct watch *w)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = w};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e);
}

/* The kernel's 500 are little for a process that may be busy with nftables for 20 ms.  Without it: those
 * 500.  */
static void set_queue(const char *name)
{
	struct ifreq ifr = {.ifr_qlen = TUN_QUEUE};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
	(void)ioctl(fd, SIOCSIFTXQLEN, &ifr);
	close(fd);
}

int tun_open_any(const char *pattern, char name[IFNAMSIZ])
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), error;

	if (fd < 0)
		return -1;
	strncpy(ifr.ifr_name, pattern, sizeof(ifr.ifr_name) - 1);
	if (ioctl(fd, TUNSETIFF, &ifr) == 0) {
		memcpy(name, ifr.ifr_name, IFNAMSIZ);
		set_queue(name);
		return fd;
	}
	error = errno == EBUSY ? EEXIST : errno;
	close(fd);
	errno = error;
	return -1;
}

int tun_open(const char *name)
{
	char made[IFNAMSIZ];

	return tun_open_any(name, made);
}
