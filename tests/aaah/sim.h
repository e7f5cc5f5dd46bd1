/* SPDX-License-Identifier: BSD-3-Clause
 *
 * aaah_sim: a foreign agent and a home agent as the AAAH sees them, for tests/aaah/run and tests/bench/bench_aaah.  A
 * real Diameter node (libfdcore inside) with a real Mobile IP codec; what it lacks is everything behind it.
 *
 *	aaah_sim FREEDIAMETER.CONF      commands and events are lines of JSON on standard input and output; sim.c lists them
 *	aaah_sim users KEYFILE HEX N        rows of N subscribers uN@home.test for COPY, all with the MN-AAA key HEX
 */
#ifndef MIPVPN_TESTS_AAAH_SIM_H
#define MIPVPN_TESTS_AAAH_SIM_H

#include <stdbool.h>

#include <jansson.h>

#include "agent/mip/mip.h"
#include "diameter/codec.h"

/* One line on standard output; takes o.  Any thread. */
void sim_say(json_t *o);

/* sim_mn.c: what the command says -> an AMR as a foreign agent would make it.  false: the command makes no sense. */
bool sim_amr_make(const json_t *cmd, struct dm_amr *out);

/* sim_bench.c: "n" AMRs of users u1.. with "outstanding" under way, answered as fast as they come. */
void sim_bench(const json_t *cmd);

#endif
