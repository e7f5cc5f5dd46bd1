/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto.h"

#define FILE_MAX (256 * 1024)
#define CHAIN_MAX 16

struct pair {
	gnutls_datum_t cert, key; /* PEM; NULL = none */
};

/* libmicrohttpd's callback has no argument of ours, and a process has one certificate. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct pair now;

static void wipe(struct pair *p)
{
	if (p->key.data)
		crypto_wipe(p->key.data, p->key.size);
	free(p->key.data);
	free(p->cert.data);
	*p = (struct pair){0};
}

static int file_read(const char *path, gnutls_datum_t *out, char *err, size_t err_len)
{
	FILE *f = fopen(path, "re");
	size_t n = 0;
	int error = f ? 0 : errno;

	out->data = f ? calloc(1, FILE_MAX) : NULL;
	if (out->data) {
		setvbuf(f, NULL, _IONBF, 0); /* the key is in no buffer but ours */
		n = fread(out->data, 1, FILE_MAX, f);
		error = ferror(f) ? errno : 0;
	}
	out->size = (unsigned)n;
	if (f)
		fclose(f);
	if (n && n < FILE_MAX && !error)
		return 0;
	snprintf(err, err_len, "%s: %s", path, error ? strerror(error) : n ? "too long" : "empty");
	return -1;
}

static int import(const struct pair *p, gnutls_pcert_st *chain, unsigned *n, gnutls_privkey_t *key,
		  const char **which)
{
	int rc;

	*which = "certificate";
	*n = CHAIN_MAX;
	rc = gnutls_pcert_list_import_x509_raw(chain, n, &p->cert, GNUTLS_X509_FMT_PEM, 0);
	if (rc < 0)
		return rc;
	*which = "key";
	rc = gnutls_privkey_init(key);
	if (!rc) {
		rc = gnutls_privkey_import_x509_raw(*key, &p->key, GNUTLS_X509_FMT_PEM, NULL, 0);
		if (rc < 0)
			gnutls_privkey_deinit(*key);
	}
	for (unsigned i = 0; rc < 0 && i < *n; i++)
		gnutls_pcert_deinit(&chain[i]);
	return rc;
}

/* What is wrong with them, or NULL. */
static const char *fault(const struct pair *p, const char **which)
{
	gnutls_pcert_st chain[CHAIN_MAX];
	gnutls_certificate_credentials_t c;
	gnutls_privkey_t key;
	unsigned n;
	int rc = import(p, chain, &n, &key, which);

	if (rc < 0)
		return gnutls_strerror(rc);
	gnutls_privkey_deinit(key);
	for (unsigned i = 0; i < n; i++)
		gnutls_pcert_deinit(&chain[i]);
	*which = "key";
	rc = gnutls_certificate_allocate_credentials(&c);
	if (rc < 0)
		return gnutls_strerror(rc);
	rc = gnutls_certificate_set_x509_key_mem(c, &p->cert, &p->key, GNUTLS_X509_FMT_PEM);
	gnutls_certificate_free_credentials(c);
	return rc < 0 ? gnutls_strerror(rc) : NULL;
}

int tls_load(const char *certificate, const char *key, char *err, size_t err_len)
{
	struct pair fresh = {0}, old;
	const char *why, *which;

	if (file_read(certificate, &fresh.cert, err, err_len) || file_read(key, &fresh.key, err, err_len)) {
		wipe(&fresh);
		return -1;
	}
	why = fault(&fresh, &which);
	if (why) {
		snprintf(err, err_len, "%s: %s", strcmp(which, "key") ? certificate : key, why);
		wipe(&fresh);
		return -1;
	}
	pthread_rwlock_wrlock(&lock);
	old = now;
	now = fresh;
	pthread_rwlock_unlock(&lock);
	wipe(&old);
	return 0;
}

void tls_forget(void)
{
	wipe(&now);
}

int tls_give(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
	     unsigned *n_certs, gnutls_ocsp_data_st **ocsp, unsigned *n_ocsp, gnutls_privkey_t *key,
	     unsigned *flags)
{
	gnutls_pcert_st *chain = gnutls_calloc(CHAIN_MAX, sizeof(*chain));
	const char *which;
	int rc = -1;

	if (!chain)
		return -1;
	pthread_rwlock_rdlock(&lock);
	if (now.key.data)
		rc = import(&now, chain, n_certs, key, &which);
	pthread_rwlock_unlock(&lock);
	if (rc < 0) {
		gnutls_free(chain);
		return -1;
	}
	*certs = chain;
	*ocsp = NULL;
	*n_ocsp = 0;
	*flags = GNUTLS_CERT_RETR_DEINIT_ALL; /* they are this handshake's */
	return 0;
}
