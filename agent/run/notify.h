/* SPDX-License-Identifier: BSD-3-Clause
 *
 * systemd's readiness protocol, sd_notify(3), without libsystemd: one datagram to $NOTIFY_SOCKET.
 */
#ifndef MIPVPN_RUN_NOTIFY_H
#define MIPVPN_RUN_NOTIFY_H

/* text as in sd_notify(3), e.g. "READY=1\nSTATUS=...".  Does nothing where there is no supervisor. */
void notify_send(const char *text);

#endif
