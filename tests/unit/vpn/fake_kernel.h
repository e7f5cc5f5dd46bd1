/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the network helper would hold for the VPN room, by its contract (nethelper/proto.h): references to
 * the two legs of a path, to each peer of an encapsulated one, devices. A request that the helper would
 * refuse fails the test.
 */
#ifndef MIPVPN_TESTS_FAKE_KERNEL_H
#define MIPVPN_TESTS_FAKE_KERNEL_H

#include "nethelper/proto.h"

#define FAKE_PATHS 256

#define FAKE_PEERS 4

struct fake_device {
	struct in_addr peer;
	int refs;
};
struct fake_path {
	struct vpn_prefix src, dst;
	int legs[2]; /* references: [1] we tunnel what goes up, [0] what comes down */
	struct fake_device peers[FAKE_PEERS]; /* of the encapsulated one; the last has the packets */
	int n_peers;
	int encap[2]; /* references to the legs of that; no leg is of both kinds */
};
struct fake_kernel {
	struct fake_path paths[FAKE_PATHS];
	struct fake_device devices[FAKE_PATHS];
	int protects;
	bool between; /* a home agent's: what is let in has to have its way on, at each moment */
};

void fake_kernel_take(struct fake_kernel *k, const struct nh_request *q);
/* "", "src", "dst" or "both": what is open for the packets of this home address, by encryption. */
const char *fake_kernel_open(const struct fake_kernel *k, const char *src);
/* The peer into whose IP-in-IP tunnel they go; 0 = none. */
struct in_addr fake_kernel_peer(const struct fake_kernel *k, const char *src);
bool fake_kernel_empty(const struct fake_kernel *k);

#endif
