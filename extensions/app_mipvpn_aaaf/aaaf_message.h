/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is read out of, and set in, libfdcore's messages that pass by; parsed by the dictionary.
 */
#ifndef MIPVPN_AAAF_MESSAGE_H
#define MIPVPN_AAAF_MESSAGE_H

#include <freeDiameter/extension.h>

#include "diameter/msg.h"

/* What a log line says about a transaction. */
struct aaaf_transaction {
	const char *command;
	char session[DM_SESSION_MAX], user[DM_ID_MAX], from[DM_ID_MAX], realm[DM_ID_MAX];
};
void aaaf_transaction_describe(struct aaaf_transaction *t, struct msg *request);
const char *aaaf_command_name(uint32_t code);	/* "AMR"; NULL = none that concerns us */
uint32_t aaaf_result_of(struct msg *answer);	/* Result-Code, 0 = none */
void aaaf_result_set(struct msg *answer, uint32_t result);

#endif
