/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MIPVPN_MN_REPORT_H
#define MIPVPN_MN_REPORT_H

#include <stdio.h>

#include "mn/mn.h"

/* One line about a MN_REPORT action, in words or as a JSON object; flushed. */
void mn_report_write(FILE *out, const struct mn_action *a, bool json, uint64_t wall_ms);

#endif
