/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpn-mn: a mobile node.  There is no VPN code in it: that is the point of the whole system.
 */
#include <stdio.h>
#include <string.h>

#include "mn/loop.h"

int main(int argc, char **argv)
{
	static struct mn_options o;
	int status = 2;

	if (mn_options_read(argc, argv, &o) != 0)
		fputs("see mipvpn-mn --help\n", stderr);
	else if (o.help)
		status = fputs(mn_usage, stdout) < 0;
	else if (o.version)
		status = puts("mipvpn-mn " PACKAGE_VERSION) < 0;
	else if (o.check_config)
		status = puts("the configuration is in order") < 0;
	else
		status = mn_loop_run(&o);
	crypto_wipe(&o, sizeof(o));
	return status;
}
