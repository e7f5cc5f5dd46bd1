/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One nftables transaction.  libnftables is GPL-2: it is linked into this program only, never into the agent.
 */
#ifndef MIPVPN_NH_NFT_H
#define MIPVPN_NH_NFT_H

#include <stddef.h>

struct nft;
struct nft *nft_open(void); /* NULL without memory */
void nft_close(struct nft *n);
/* All of the commands or none of them.  0, or -1 with the first line of nftables' complaint. */
int nft_run(struct nft *n, const char *commands, char *why, size_t why_len);

#endif
