/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the tests of diameter/ share: a process with libfdcore's dictionary and ours, messages to bytes and
 * back, and structs with every field set.
 */
#ifndef MIPVPN_TESTS_DIAMETER_WIRE_H
#define MIPVPN_TESTS_DIAMETER_WIRE_H

#include "diameter/codec.h"

/* Once per process; ends the process with a message when it fails. */
void wire_start(void);
/* Takes m; returns the message that a peer would have got, parsed against the dictionary. */
struct msg *wire_through(struct msg *m);
/* The same from bytes (copied); NULL when libfdproto refuses them. */
struct msg *wire_message(const uint8_t *bytes, size_t len);
/* A full request of that command, as its receiver has it. */
struct msg *wire_request(uint32_t code);

void wire_amr(struct dm_amr *a);
void wire_har(struct dm_har *h);
void wire_ama(struct dm_ama *a);
void wire_haa(struct dm_haa *h);
void wire_end(struct dm_end *e);

#endif
