/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The state of fw.c in nftables' own language.  Only addresses, numbers and checked interface names get into
 * it.
 */
#include "nethelper/fw_impl.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "nethelper/proto.h"

#define T "ip " FW_TABLE " "
#define STR(x) #x
#define NUMBER(x) STR(x)

/* The parts that never change.  `meta ipsec` and `rt ipsec` are XFRM's way of saying what ipsec* says for
 * libipsec. */
static const char skeleton[] =
	"table ip " FW_TABLE " {\n"
	"	counter denied { comment \"to or from a protected prefix, allowed by no profile\"; }\n"
	"	counter in_clear { comment \"of a profile, but not out of or not into its tunnel\"; }\n"
	"	counter spoofed { comment \"a registered address from another station\"; }\n"
	"	counter tunnel_stray { comment \"out of an IP-in-IP tunnel, for no visitor and from no "
	"binding\"; }\n"
	"	counter hold_lost { comment \"waited, and then there was no way to go on\"; }\n"
	"	set links { type ifname; }\n"
	"	set visitors { type ipv4_addr . ifname . ether_addr; }\n"
	"	set visitor_hosts { type ipv4_addr; }\n"
	"	set forwarded { type ipv4_addr; }\n"
	"	set tunnel_sources { type ifname . ipv4_addr; }\n"
	"	set protected { type ipv4_addr; flags interval; }\n"
	"	set correspondents { type ipv4_addr; flags interval; }\n"
	"	set watched { type ipv4_addr; }\n"
	"	set told {\n"
	"		type ipv4_addr . ipv4_addr; size 4096; flags dynamic,timeout;\n"
	"		timeout 5s; gc-interval 1s;\n"
	"	}\n"
	"	map up { type ipv4_addr : verdict; }\n"
	"	map down { type ipv4_addr : verdict; }\n"
	"	chain in_ipsec {\n"
	"		iifname \"ipsec*\" return\n"
	"		iifname \"" FW_HOLD_DEVICE "\" return\n"
	"		meta ipsec exists return\n"
	"		counter name in_clear drop\n"
	"	}\n"
	"	chain out_ipsec {\n"
	"		oifname \"ipsec*\" return\n"
	"		oifname \"" FW_HOLD_DEVICE "\" return\n"
	"		rt ipsec exists return\n"
	"		counter name in_clear drop\n"
	"	}\n"
	"	chain out_down {\n"
	"		oifname @links return\n"
	"		jump out_ipsec\n"
	"	}\n"
	"	chain in_visitor { ip saddr . iifname . ether saddr @visitors return; counter name spoofed "
	"drop; }\n"
	"	chain in_up {\n"
	"		ip saddr . iifname . ether saddr @visitors return\n"
	"		jump in_ipsec\n"
	"	}\n"
	"	chain unregistered {\n"
	"		ip saddr @visitor_hosts counter name spoofed drop\n"
	"		ip daddr @protected counter name denied drop\n"
	"	}\n"
	"	chain tunnel_in {\n"
	"		type filter hook prerouting priority mangle; policy accept;\n"
	"		iifname != \"mip*\" accept\n"
	"		ip daddr @visitor_hosts accept\n"
	"		ip daddr @forwarded accept\n"
	"		iifname . ip saddr @tunnel_sources accept\n"
	"		counter name tunnel_stray drop\n"
	"	}\n"
	"	chain bindings { type filter hook prerouting priority mangle; policy accept; }\n"
	"	chain first_packet { }\n"
	"	chain forward {\n"
	"		type filter hook forward priority filter; policy accept;\n"
	"		iifname \"" FW_HOLD_DEVICE "\" oifname \"" FW_HOLD_DEVICE
	"\" counter name hold_lost drop\n"
	"		iifname @links ip saddr . iifname . ether saddr != @visitors jump unregistered\n"
	"		ip saddr vmap @up\n"
	"		ip daddr vmap @down\n"
	"		ip daddr @watched jump first_packet\n"
	"		ip daddr @protected counter name denied drop\n"
	"		ip saddr @protected counter name denied drop\n"
	"	}\n"
	"}\n";

static const char *host(struct in_addr a, char buf[INET_ADDRSTRLEN])
{
	return inet_ntop(AF_INET, &a, buf, INET_ADDRSTRLEN);
}

void fw_put_visitor(FILE *out, const char *command, const struct visitor *v)
{
	char a[INET_ADDRSTRLEN];

	fprintf(out, "%s element " T "visitors { %s . \"%s\" . %02x:%02x:%02x:%02x:%02x:%02x }\n", command,
		host(v->addr, a), v->link, v->mac[0], v->mac[1], v->mac[2], v->mac[3], v->mac[4], v->mac[5]);
	fprintf(out, "%s element " T "visitor_hosts { %s }\n", command, a);
}

void fw_put_source(FILE *out, const char *command, const struct source_key *k)
{
	char a[INET_ADDRSTRLEN];

	fprintf(out, "%s element " T "tunnel_sources { \"%s\" . %s }\n", command, k->tunnel,
		host(k->addr, a));
}

void fw_put_watched(FILE *out, const char *command, struct in_addr addr)
{
	char a[INET_ADDRSTRLEN];

	fprintf(out, "%s element " T "watched { %s }\n", command, host(addr, a));
}

void fw_put_forwarded(FILE *out, const char *command, struct in_addr addr)
{
	char a[INET_ADDRSTRLEN];

	fprintf(out, "%s element " T "forwarded { %s }\n", command, host(addr, a));
}

/* An interval set takes no prefix that lies in another one: only the outermost are written. */
static bool covered(const struct prefixes *l, size_t i)
{
	for (size_t j = 0; j < l->n; j++)
		if (l->v[j].prefix.len < l->v[i].prefix.len &&
		    vpn_prefix_has(&l->v[j].prefix, l->v[i].prefix.addr))
			return true;
	return false;
}

static void put_prefixes(struct prefixes *l, FILE *out, const char *set)
{
	char text[VPN_PREFIX_STRLEN];

	fprintf(out, "flush set " T "%s\n", set);
	for (size_t i = 0; i < l->n; i++)
		if (!covered(l, i))
			fprintf(out, "add element " T "%s { %s }\n", set,
				vpn_prefix_str(&l->v[i].prefix, text));
	l->dirty = false;
}

/* The rules of both are written only where they are needed: not every kernel has tproxy, or NFLOG. */
static void put_pcns(struct fw *fw, FILE *out)
{
	static const char rules[] =
		"add rule " T "bindings ip saddr @correspondents accept\n"
		"add rule " T "bindings ip daddr @correspondents udp dport 434 tproxy to 127.0.0.1:434 "
		"meta mark set " NUMBER(NH_MARK_PCN) " accept\n";

	put_prefixes(&fw->pcns, out, "correspondents");
	fprintf(out, "flush chain " T "bindings\n%s", fw->pcns.n > 0 ? rules : "");
}

static void put_watch_rules(struct fw *fw, FILE *out)
{
	static const char rules[] =
		"add rule " T "first_packet ip saddr . ip daddr @told return\n"
		"add rule " T "first_packet add @told { ip saddr . ip daddr } log group " NUMBER(
			NH_NFLOG_GROUP) " snaplen " NUMBER(NH_NFLOG_BYTES) " queue-threshold 1\n";

	fprintf(out, "flush chain " T "first_packet\n%s", fw->watched != NULL ? rules : "");
	fw->watch_dirty = false;
}

static void put_mark_chain(struct fw *fw, FILE *out, uint8_t tos)
{
	unsigned dscp = tos >> 2;

	if (fw->mark_there[dscp])
		return;
	fw->mark_there[dscp] = true;
	fprintf(out, "add chain " T "mark_%u\n", dscp);
	if (dscp != 0)
		fprintf(out, "add rule " T "mark_%u ip dscp set %u\n", dscp, dscp);
	fprintf(out, "add rule " T "mark_%u accept\n", dscp);
}

/* One condition on a profile's packet: where it comes in (side i), or where it goes out (o); ipsec: the chain
 * that says so of an IPsec tunnel. */
static void put_via(FILE *out, const char *rule, const struct leg *leg, char side, const char *ipsec)
{
	if (leg->tunnel[0].name[0] == '\0') {
		fprintf(out, "%s jump %s\n", rule, ipsec);
		return;
	}
	fputs(rule, out);
	for (unsigned i = 0; i < leg->n; i++)
		fprintf(out, " %cifname != \"%s\"", side, leg->tunnel[i].name);
	fprintf(out, " %cifname != \"" FW_HOLD_DEVICE "\" counter name in_clear drop\n", side);
}

/*
 * near: our part on the side that the packet comes from; far: on the side that it goes to.  Where we have no
 * part the other side is in clear: the correspondent's network, or the mobile node, which must then be the
 * registered station.  What an IPsec tunnel has brought down leaves on a link of mobile nodes or in a tunnel:
 * it does not follow one who has moved on in clear (NH_FORWARD_ADD), nor go back where it came from while the
 * route of one who has just come is not there yet; what he still sends may come from him, the registered
 * station, all the same: he is told of his new agent later than the agents are.
 */
static void put_profile(FILE *out, const char *chain, const struct profile *p, bool up)
{
	const struct leg *near = &p->leg[up ? 0 : 1], *far = &p->leg[up ? 1 : 0];
	uint8_t tos = up ? p->tos_up : p->tos_down;
	char rule[128], dst[VPN_PREFIX_STRLEN];

	snprintf(rule, sizeof(rule), "add rule " T "%s ip %s %s", chain, up ? "daddr" : "saddr",
		 vpn_prefix_str(&p->dst, dst));
	if (near->n > 0)
		put_via(out, rule, near, 'i', up ? "in_up" : "in_ipsec");
	else if (up)
		fprintf(out, "%s jump in_visitor\n", rule);
	if (far->n > 0)
		put_via(out, rule, far, 'o', "out_ipsec");
	else if (!up && near->tunnel[0].name[0] == '\0')
		fprintf(out, "%s jump out_down\n", rule);
	fprintf(out, "%s goto mark_%u\n", rule, tos >> 2);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const char *text)
{
	uint64_t h = 14695981039346656037u;

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 1099511628211u;
	return h;
}

/* His rules in one direction; NULL without memory. */
static char *user_rules(const struct user *u, const char *chain, bool up)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < u->n; i++)
		put_profile(out, chain, &u->profiles[i], up);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static void put_user_direction(struct fw *fw, FILE *out, struct user *u, bool up)
{
	const char *map = up ? "up" : "down";
	char a[INET_ADDRSTRLEN], chain[32], *rules;
	uint64_t hash;

	snprintf(chain, sizeof(chain), "%s_%s", map, host(u->src, a));
	rules = user_rules(u, chain, up);
	if (rules == NULL) {
		fw->no_memory = true;
		return;
	}
	hash = hash_of(rules);
	if (u->n > 0 && u->in_kernel && u->written[up] == hash) {
		free(rules);
		return;
	}
	u->written[up] = hash;
	if (u->n == 0)
		fprintf(out, "delete element " T "%s { %s }\n", map, a);
	if (!u->in_kernel)
		fprintf(out, "add chain " T "%s\n", chain);
	fprintf(out, "flush chain " T "%s\n", chain);
	for (size_t i = 0; i < u->n; i++)
		put_mark_chain(fw, out, up ? u->profiles[i].tos_up : u->profiles[i].tos_down);
	fputs(rules, out);
	if (u->n == 0)
		fprintf(out, "delete chain " T "%s\n", chain);
	else if (!u->in_kernel)
		fprintf(out, "add element " T "%s { %s : jump %s }\n", map, a, chain);
	free(rules);
}

static void put_user(struct fw *fw, FILE *out, struct user *u)
{
	if (u->n > 0 || u->in_kernel) {
		put_user_direction(fw, out, u, true);
		put_user_direction(fw, out, u, false);
	}
	u->in_kernel = u->n > 0;
	u->dirty = false;
	if (u->n > 0)
		return;
	HASH_DEL(fw->users, u);
	free(u->profiles);
	free(u);
}

static void put_dirty_users(struct fw *fw, FILE *out)
{
	for (struct user *u = fw->dirty, *next; u != NULL; u = next) {
		next = u->next_dirty;
		put_user(fw, out, u);
	}
	fw->dirty = NULL;
}

static void drop_elements(struct fw *fw)
{
	if (fw->elements_out != NULL)
		fclose(fw->elements_out);
	free(fw->elements);
	fw->elements_out = NULL;
	fw->elements = NULL;
}

static void put_elements(struct fw *fw, FILE *out)
{
	if (fw->elements_out == NULL)
		return;
	fflush(fw->elements_out);
	fwrite(fw->elements, 1, fw->elements_len, out);
	drop_elements(fw);
}

static bool wanted(const struct fw *fw)
{
	return fw->users != NULL || fw->visitors != NULL || fw->sources != NULL || fw->watched != NULL ||
	       fw->protects.n > 0 || fw->pcns.n > 0 || fw->forwarded != NULL || fw->hold;
}

/* The text that out has been written to, or NULL: half of it is worse than nothing. */
static char *finished(struct fw *fw, FILE *out, char **text)
{
	if (fclose(out) == 0 && !fw->no_memory)
		return *text;
	fw->no_memory = false;
	free(*text);
	return NULL;
}

char *fw_changes(struct fw *fw)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (!fw->table_there && !fw->unknown && !wanted(fw))
		return strdup("");
	if (!fw->table_there)
		return fw_whole(fw);
	out = open_memstream(&text, &len);
	if (out == NULL)
		return NULL;
	put_elements(fw, out);
	if (fw->protects.dirty)
		put_prefixes(&fw->protects, out, "protected");
	if (fw->pcns.dirty)
		put_pcns(fw, out);
	if (fw->watch_dirty)
		put_watch_rules(fw, out);
	put_dirty_users(fw, out);
	return finished(fw, out, &text);
}

static void put_whole(struct fw *fw, FILE *out)
{
	struct user *u, *u2;
	struct visitor *v, *v2;
	struct source *s, *s2;
	struct watched *w, *w2;
	struct forwarded *f, *f2;

	fprintf(out, "add table ip " FW_TABLE "\ndelete table ip " FW_TABLE "\n%s", skeleton);
	for (size_t i = 0; i < fw->n_links; i++)
		fprintf(out, "add element " T "links { \"%s\" }\n", fw->links[i]);
	HASH_ITER(hh, fw->visitors, v, v2)
	fw_put_visitor(out, "add", v);
	HASH_ITER(hh, fw->sources, s, s2)
	fw_put_source(out, "add", &s->key);
	HASH_ITER(hh, fw->watched, w, w2)
	fw_put_watched(out, "add", w->addr);
	HASH_ITER(hh, fw->forwarded, f, f2)
	fw_put_forwarded(out, "add", f->addr);
	put_prefixes(&fw->protects, out, "protected");
	put_pcns(fw, out);
	put_watch_rules(fw, out);
	HASH_ITER(hh, fw->users, u, u2)
	{
		u->in_kernel = false;
		put_user(fw, out, u);
	}
}

char *fw_whole(struct fw *fw)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	memset(fw->mark_there, 0, sizeof(fw->mark_there));
	drop_elements(fw);
	fw->dirty = NULL;
	fw->table_there = true;
	fw->unknown = false;
	put_whole(fw, out);
	return finished(fw, out, &text);
}
