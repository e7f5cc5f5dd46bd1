/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mobility security associations (RFC 5944 1.6): the configured ones, and those that the AAAH makes for a
 * session (RFC 4004 9).  Both are used through the same borrowed view.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/roles/role_int.h"

bool role_assoc_set(struct role_assoc *a, uint32_t spi_in, uint32_t spi_out, const struct dm_msa *m)
{
	crypto_wipe(a, sizeof(*a));
	if (!m->present || !m->key.len || m->key.len > sizeof(a->key) || !crypto_mac_size(m->algorithm))
		return false;
	a->spi_in = spi_in;
	a->spi_out = spi_out;
	a->alg = (uint8_t)m->algorithm;
	a->len = m->key.len;
	memcpy(a->key, m->key.data, m->key.len);
	return true;
}

bool role_assoc_view(const struct role_assoc *a, struct role_view *out)
{
	if (!a->len)
		return false;
	*out = (struct role_view){a->spi_in, a->spi_out, (enum crypto_mac)a->alg, a->key, a->len};
	return true;
}

static bool sa_is_of(const struct role_sa *sa, struct in_addr peer, const char *nai)
{
	if (sa->nai[0])
		return nai && strcmp(sa->nai, nai) == 0;
	return !role_any_addr(peer) && role_same_addr(sa->peer, peer);
}

bool role_sa_view(const struct role_sa *sa, size_t n, struct in_addr peer, const char *nai, uint32_t spi,
		  struct role_view *out)
{
	for (size_t i = 0; i < n; i++) {
		if (!sa_is_of(&sa[i], peer, nai) || (spi && sa[i].spi != spi))
			continue;
		*out = (struct role_view){sa[i].spi, sa[i].spi, sa[i].alg, sa[i].key.data, sa[i].key.len};
		return true;
	}
	return false;
}

struct role_sa *role_sa_copy(const struct role_sa *sa, size_t n)
{
	struct role_sa *c = n ? calloc(n, sizeof(*c)) : NULL;

	if (c)
		memcpy(c, sa, n * sizeof(*c));
	return c;
}

void role_sa_free(struct role_sa *sa, size_t n)
{
	if (sa)
		crypto_wipe(sa, n * sizeof(*sa));
	free(sa);
}

bool role_view_verifies(const struct role_view *v, const struct mip_auth *a, const uint8_t *msg)
{
	return a->present && a->spi == v->spi_in && mip_auth_check(a, msg, v->alg, v->key, v->len);
}

void role_put_auth(struct wbuf *w, uint8_t type, const struct role_view *v)
{
	mip_ext_put_auth(w, type, v->spi_out, v->alg, v->key, v->len);
}

uint32_t role_spi_new(void)
{
	uint32_t spi = 0;

	crypto_random(&spi, sizeof(spi));
	return spi < MIP_SPI_MIN ? spi + MIP_SPI_MIN : spi;
}
