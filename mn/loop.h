/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MIPVPN_MN_LOOP_H
#define MIPVPN_MN_LOOP_H

#include "mn/options.h"

/* Runs until the end; the exit status of the program. */
int mn_loop_run(const struct mn_options *o);

#endif
