/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See fake_kernel.h.
 */
#include "tests/unit/vpn/fake_kernel.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/vpn_profile.h"
#include "tests/unit/harness.h"

static struct fake_path *path_of(struct fake_kernel *k, const struct nh_request *q)
{
	struct fake_path *unused = NULL;

	for (int i = 0; i < FAKE_PATHS; i++) {
		struct fake_path *p = &k->paths[i];

		if (!p->src.len)
			unused = unused ? unused : p;
		else if (vpn_prefix_equal(&p->src, &q->src) && vpn_prefix_equal(&p->dst, &q->dst))
			return p;
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(unused);
	unused->src = q->src;
	unused->dst = q->dst;
	return unused;
}

static void count(int *refs, bool add)
{
	*refs += add ? 1 : -1;
	CU_ASSERT_TRUE(*refs >= 0);
}

static void take_legs(int legs[2], uint8_t side, bool add)
{
	if (side != NH_SIDE_SRC)
		count(&legs[0], add);
	if (side != NH_SIDE_DST)
		count(&legs[1], add);
}

static void take_path(struct fake_kernel *k, const struct nh_request *q, bool add)
{
	take_legs(path_of(k, q)->legs, q->side, add);
}

static struct fake_device *device_of(struct fake_kernel *k, struct in_addr peer)
{
	struct fake_device *unused = NULL;

	for (int i = 0; i < FAKE_PATHS; i++) {
		if (k->devices[i].refs && k->devices[i].peer.s_addr == peer.s_addr)
			return &k->devices[i];
		if (!k->devices[i].refs)
			unused = &k->devices[i];
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(unused);
	unused->peer = peer;
	return unused;
}

static struct fake_device peer_out(struct fake_path *p, struct in_addr peer)
{
	struct fake_device got = {.peer = peer};

	for (int i = 0; i < p->n_peers; i++) {
		if (p->peers[i].peer.s_addr != peer.s_addr)
			continue;
		got = p->peers[i];
		p->n_peers--;
		memmove(&p->peers[i], &p->peers[i + 1], (size_t)(p->n_peers - i) * sizeof(got));
	}
	return got;
}

/* The peer that was added last leads, the one before follows it. */
static void take_encap(struct fake_kernel *k, const struct nh_request *q, bool add)
{
	struct fake_path *p = path_of(k, q);
	struct fake_device d;

	take_legs(p->encap, q->side, add);
	CU_ASSERT_TRUE(device_of(k, q->peer)->refs > 0);
	if (add) {
		d = peer_out(p, q->peer);
		CU_ASSERT_TRUE_FATAL(p->n_peers < FAKE_PEERS);
		count(&d.refs, true);
		p->peers[p->n_peers++] = d;
		return;
	}
	for (int i = 0; i < p->n_peers; i++) {
		if (p->peers[i].peer.s_addr != q->peer.s_addr)
			continue;
		count(&p->peers[i].refs, false);
		if (!p->peers[i].refs)
			peer_out(p, q->peer);
		return;
	}
	CU_FAIL("encap-del of a peer that is not there");
}

static void check_way_on(const struct fake_kernel *k)
{
	for (int i = 0; i < FAKE_PATHS; i++) {
		const struct fake_path *p = &k->paths[i];

		HARNESS_AT(!p->legs[0] || p->legs[1], "path %d lets in what would leave in clear", i);
		HARNESS_AT(!p->n_peers || p->legs[1], "path %d lets in what would leave in clear", i);
	}
}

static void check_kinds(const struct fake_kernel *k)
{
	for (int i = 0; i < FAKE_PATHS; i++) {
		for (int leg = 0; leg < 2; leg++)
			HARNESS_AT(!k->paths[i].legs[leg] || !k->paths[i].encap[leg],
				   "path %d: a tunnel of another kind", i);
	}
}

void fake_kernel_take(struct fake_kernel *k, const struct nh_request *q)
{
	switch (q->verb) {
	case NH_VPN_ADD:
	case NH_VPN_DEL:
		take_path(k, q, q->verb == NH_VPN_ADD);
		break;
	case NH_ENCAP_ADD:
	case NH_ENCAP_DEL:
		take_encap(k, q, q->verb == NH_ENCAP_ADD);
		break;
	case NH_IPIP_ADD:
	case NH_IPIP_DEL:
		count(&device_of(k, q->peer)->refs, q->verb == NH_IPIP_ADD);
		break;
	case NH_PROTECT_ADD:
	case NH_PROTECT_DEL:
		count(&k->protects, q->verb == NH_PROTECT_ADD);
		break;
	default:
		CU_FAIL("a request that the room does not make");
	}
	if (k->between)
		check_way_on(k);
	check_kinds(k);
}

static const struct fake_path *find(const struct fake_kernel *k, const char *src)
{
	for (int i = 0; i < FAKE_PATHS; i++) {
		const struct fake_path *p = &k->paths[i];

		if (p->src.len && p->src.addr.s_addr == inet_addr(src) &&
		    (p->legs[0] || p->legs[1] || p->n_peers))
			return p;
	}
	return NULL;
}

const char *fake_kernel_open(const struct fake_kernel *k, const char *src)
{
	const struct fake_path *p = find(k, src);

	if (!p || (!p->legs[0] && !p->legs[1]))
		return "";
	return p->legs[0] && p->legs[1] ? "both" : p->legs[1] ? "src" : "dst";
}

struct in_addr fake_kernel_peer(const struct fake_kernel *k, const char *src)
{
	const struct fake_path *p = find(k, src);

	return p && p->n_peers ? p->peers[p->n_peers - 1].peer : (struct in_addr){0};
}

bool fake_kernel_empty(const struct fake_kernel *k)
{
	for (int i = 0; i < FAKE_PATHS; i++) {
		if (k->paths[i].legs[0] || k->paths[i].legs[1] || k->paths[i].n_peers || k->devices[i].refs)
			return false;
	}
	return !k->protects;
}
