/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One configuration value: text to bytes in a field, by its row of the table.  For lib/conf.c, and for
 * programs whose command line has the keys of their file as options (mipvpn-mn).
 */
#ifndef MIPVPN_CONF_VALUE_H
#define MIPVPN_CONF_VALUE_H

#include "lib/conf.h"

#define CONF_VALUE_MAX 512	/* bytes of the largest field of one value */

/* field has key->size bytes; false when text is not allowed (field is undefined then). */
bool conf_value_parse(const struct conf_key *key, const char *text, void *field);

#endif
