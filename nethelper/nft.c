/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/nft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nftables/libnftables.h>

struct nft {
	struct nft_ctx *ctx;
};

struct nft *nft_open(void)
{
	struct nft *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	if (n->ctx == NULL || nft_ctx_buffer_error(n->ctx) != 0 || nft_ctx_buffer_output(n->ctx) != 0) {
		nft_close(n);
		return NULL;
	}
	return n;
}

void nft_close(struct nft *n)
{
	if (n == NULL)
		return;
	if (n->ctx != NULL)
		nft_ctx_free(n->ctx);
	free(n);
}

int nft_run(struct nft *n, const char *commands, char *why, size_t why_len)
{
	const char *words;

	if (commands[0] == '\0' || nft_run_cmd_from_buffer(n->ctx, commands) == 0)
		return 0;
	words = nft_ctx_get_error_buffer(n->ctx);
	snprintf(why, why_len, "nftables: %.*s", words != NULL ? (int)strcspn(words, "\n") : 0,
		 words != NULL ? words : "");
	return -1;
}
