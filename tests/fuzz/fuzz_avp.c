/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Diameter messages as bytes through libfdproto and our dictionary into every struct of diameter/msg.h.
 * Whatever is taken is consistent: strings end, and what the lengths say lies inside.
 */
#include <string.h>

#include "tests/fuzz/check.h"
#include "tests/unit/diameter/wire.h"

#define ENDS(text) FUZZ_CHECK(memchr(text, '\0', sizeof(text)))

static void check_vpn(const struct dm_vpn *v)
{
	FUZZ_CHECK(v->n <= VPN_PROFILES_MAX && (!v->n || v->p));
	for (unsigned i = 0; i < v->n; i++)
		FUZZ_CHECK(!vpn_profile_check(&v->p[i]));
}

static void try_amr(struct msg *m)
{
	struct dm_amr a;
	char err[256] = "";

	if (dm_amr_parse(m, &a, err, sizeof(err))) {
		FUZZ_CHECK(err[0]);
	} else {
		FUZZ_CHECK(a.rrq.len >= 24 && a.auth_input_len <= a.rrq.len);
		FUZZ_CHECK((uint64_t)a.auth_offset + a.auth_len <= a.rrq.len);
		FUZZ_CHECK(strchr(a.user, '@') && a.session[0] && a.origin_host[0] && a.dest_realm[0]);
		ENDS(a.user);
		ENDS(a.session);
		(void)dm_amr_revise(m, &a);
	}
	dm_amr_wipe(&a);
}

static void try_har(struct msg *m)
{
	struct dm_har h;
	char err[256] = "";

	if (dm_har_parse(m, &h, err, sizeof(err)))
		FUZZ_CHECK(err[0]);
	else
		check_vpn(&h.vpn);
	dm_har_wipe(&h);
}

/* Our own command: a HAR without a registration. */
static void try_vur(struct msg *m)
{
	struct dm_har u;
	char err[256] = "";

	if (dm_vur_parse(m, &u, err, sizeof(err))) {
		FUZZ_CHECK(err[0]);
	} else {
		check_vpn(&u.vpn);
		FUZZ_CHECK(u.session[0] && u.origin_host[0] && u.dest_realm[0] && strchr(u.user, '@'));
		FUZZ_CHECK(!u.rrq.len && !u.has_hoa && !u.vpn.handoff.len && !u.ha_to_fa.key.len);
	}
	ENDS(u.session);
	ENDS(u.user);
	ENDS(u.dest_host);
	dm_har_wipe(&u);
}

static void try_vua(struct msg *m)
{
	struct dm_haa u;
	char err[256] = "";

	if (dm_vua_parse(m, &u, err, sizeof(err)))
		FUZZ_CHECK(err[0]);
	else
		FUZZ_CHECK(u.session[0] && !u.rrp.len && !u.has_hoa);
	FUZZ_CHECK(u.n_refused <= DM_REFUSED_MAX);
	for (unsigned i = 0; i < u.n_refused; i++)
		ENDS(u.refused[i].text);
	ENDS(u.error);
	dm_haa_wipe(&u);
}

/* STA, ASA, and whatever else is an answer. */
static void try_plain(struct msg *m)
{
	char err[256] = "";
	uint32_t result;

	if (dm_plain_parse(m, &result, err, sizeof(err)))
		FUZZ_CHECK(err[0]);
	ENDS(err);
}

static void try_answers(struct msg *m)
{
	struct dm_ama a;
	struct dm_haa h;
	char err[256] = "";

	if (dm_ama_parse(m, &a, err, sizeof(err))) {
		FUZZ_CHECK(err[0]);
	} else {
		check_vpn(&a.vpn);
		FUZZ_CHECK(a.result != DM_SUCCESS || a.rrp.len >= 20 || a.ha_to_fa_spi);
	}
	ENDS(a.error);
	dm_ama_wipe(&a);
	if (!dm_haa_parse(m, &h, err, sizeof(err)))
		FUZZ_CHECK(h.result != DM_SUCCESS || (h.rrp.len >= 20 && h.has_hoa && h.has_ha));
	dm_haa_wipe(&h);
}

static void try_every_answer(struct msg *m)
{
	try_answers(m);
	try_vua(m);
	try_plain(m);
}

static void try_end(struct msg *m)
{
	struct dm_end e;
	char err[256] = "";

	if (!dm_end_parse(m, &e, err, sizeof(err)))
		ENDS(e.session);
}

/* What every process of ours does to a message before anybody looks at it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg *m;
	struct msg_hdr *hdr;

	wire_start();
	m = size >= 20 ? wire_message(data, size) : NULL;
	if (!m)
		return 0;
	dm_session_id_clean(m);
	if (!fd_msg_hdr(m, &hdr)) {
		if (!(hdr->msg_flags & CMD_FLAG_REQUEST))
			try_every_answer(m);
		else if (hdr->msg_code == DM_CC_HAR)
			try_har(m);
		else if (hdr->msg_code == DM_CC_VUR)
			try_vur(m);
		else if (hdr->msg_code == CC_SESSION_TERMINATION || hdr->msg_code == CC_ABORT_SESSION)
			try_end(m);
		else
			try_amr(m);
	}
	fd_msg_free(m);
	return 0;
}
