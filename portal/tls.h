/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The certificate of this process and its key.  Each handshake takes what is valid then, so that a new one
 * needs no restart and cuts off nobody.
 */
#ifndef MIPVPN_PORTAL_TLS_H
#define MIPVPN_PORTAL_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

/* Reads both PEM files and, when they are good and belong together, puts them in the place of the former
 * ones.  -1 and *err: all is as it was. */
int tls_load(const char *certificate, const char *key, char *err, size_t err_len);
void tls_forget(void); /* wipes; no handshake is under way any more */

/* For MHD_OPTION_HTTPS_CERT_CALLBACK2. */
int tls_give(gnutls_session_t session, const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
	     unsigned *n_certs, gnutls_ocsp_data_st **ocsp, unsigned *n_ocsp, gnutls_privkey_t *key,
	     unsigned *flags);

#endif
