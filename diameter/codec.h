/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libfdproto messages <-> the structs of diameter/msg.h.  Works in freeDiameterd's extensions and in the
 * agent alike: dm_dict_resolve() once after dict_mipvpn is loaded (the agent loads the same table).
 *
 * Parsers: 0, or the Result-Code to answer with and a reason in err ("MIP-Reg-Request: 12 bytes, at least
 * 24").  The struct is always safe to wipe.  Nothing in here trusts the peer: lengths, address families, NULs
 * in strings, number of profiles are checked.  Builders fill a message that the caller made with
 * fd_msg_new(_answer_from_req); 0 or errno.  Callers must never return an error from a dispatch callback
 * (the request would vanish).
 */
#ifndef MIPVPN_DIAMETER_CODEC_H
#define MIPVPN_DIAMETER_CODEC_H

#include <freeDiameter/extension.h>

#include "diameter/dict.h"
#include "diameter/msg.h"

/* New messages with Session-Id etc. out of the struct; *out is the caller's. Origin-Host/Realm are the
 * node's own. */
int dm_amr_build(const struct dm_amr *a, struct msg **out);
int dm_har_build(const struct dm_har *h, struct msg **out);
int dm_vur_build(const struct dm_har *u, struct msg **out);	/* session, addressees, user, vpn of it */
int dm_str_build(const struct dm_end *e, struct msg **out);
int dm_asr_build(const struct dm_end *e, struct msg **out);
/* Turn the request *m into its answer. */
int dm_ama_answer(const struct dm_ama *a, struct msg **m);
int dm_haa_answer(const struct dm_haa *h, struct msg **m);
int dm_vua_answer(const struct dm_haa *u, struct msg **m);	/* result, user, error, refused */
int dm_plain_answer(uint32_t result, const char *error, struct msg **m);	/* STA, ASA, any refusal */

int dm_amr_parse(struct msg *m, struct dm_amr *out, char *err, size_t err_len);
/* Puts features, ha_candidate and originating_* of a into an AMR that is passing by (AAAF).  0 or errno. */
int dm_amr_revise(struct msg *m, const struct dm_amr *a);
int dm_ama_parse(struct msg *m, struct dm_ama *out, char *err, size_t err_len);
int dm_har_parse(struct msg *m, struct dm_har *out, char *err, size_t err_len);
int dm_haa_parse(struct msg *m, struct dm_haa *out, char *err, size_t err_len);
int dm_vur_parse(struct msg *m, struct dm_har *out, char *err, size_t err_len);
int dm_vua_parse(struct msg *m, struct dm_haa *out, char *err, size_t err_len);
int dm_end_parse(struct msg *m, struct dm_end *out, char *err, size_t err_len);
/* An answer of which only the result matters (STA, ASA); its Error-Message or "" goes to err. */
int dm_plain_parse(struct msg *m, uint32_t *result, char *err, size_t err_len);

/* A Session-Id of this node that was never used before: "identity;time;counter;random" (RFC 6733 8.8).
 * fd_msg_new_session would give the same ones to two starts within a second.  0 or errno. */
int dm_session_new(char out[DM_SESSION_MAX]);

/* What every process with libfdcore in it needs (doc/freediameter.md), once, after fd_core_parseconf() or in
 * an extension's entry.  0 or errno.
 * dm_workarounds_install: NULs in Session-Ids, which stop a freeDiameter 1.2.1; and no-op hooks in place of
 * the default ones that format every message under one lock, and print those that went wrong with their keys
 * (dumps = true leaves them all).
 * dm_route_guard_install: a request of this node that no peer can take is answered at once with 3002 to its
 * answer callback, instead of going through the incoming queue, where about 100 of them block the whole
 * daemon.  The callback then runs in libfdcore's routing thread and must not block. */
int dm_workarounds_install(bool dumps);
void dm_session_id_clean(struct msg *m);	/* its first part, for tests */
/* Part of dm_workarounds_install: TCP_NODELAY as soon as a peer is connected (nodelay.c). */
int dm_nodelay_install(void);
unsigned dm_nodelay_set(void);	/* on the TCP sockets that there are; returns how many */
int dm_route_guard_install(void);

#endif
