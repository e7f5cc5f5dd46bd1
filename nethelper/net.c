/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/net_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "nethelper/sockets.h"

int net_fail(struct net *n, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(n->why, sizeof(n->why), fmt, ap);
	va_end(ap);
	return error;
}

int net_rt_fail(struct net *n, int error, const char *what)
{
	return error == 0 ? 0 : net_fail(n, error, "%s: %s", what, rt_why(n->rt, error));
}

/* --- life
 * ---------------------------------------------------------------------------------------------------------
 */

/* Asks the kernel by making a tunnel and removing it again: only that tells whether the driver is there or
 * can load. */
static bool kernel_has_ipip(struct net *n)
{
	struct in_addr local = {htonl(INADDR_ANY)}, peer = {htonl(0xc0000201)}; /* 192.0.2.1, RFC 5737 */
	int error = rt_ipip_add(n->rt, "mipprobe", local, peer);

	if (error != 0) {
		log_notice("ipip", "no ipip in this kernel (%s): IP-in-IP runs in user space",
			   rt_why(n->rt, error));
		return false;
	}
	rt_link_del(n->rt, if_nametoindex("mipprobe"));
	return true;
}

static const char *open_parts(struct net *n, bool user_ipip)
{
	n->rt = rt_open();
	if (n->rt == NULL)
		return "rtnetlink";
	n->nft = nft_open();
	n->fw = fw_new(n->allowed->links, n->allowed->n_links);
	if (n->nft == NULL || n->fw == NULL)
		return "nftables";
	n->arp = arp_open();
	if (n->arp == NULL)
		return "packet socket";
	if (user_ipip || !kernel_has_ipip(n)) {
		n->ipip = ipip_open(n->epoll_fd);
		return n->ipip != NULL ? NULL : "raw sockets for IP-in-IP";
	}
	return NULL;
}

struct net *net_open(const struct nh_allowed *allowed, const char *vici_path, bool user_ipip, int epoll_fd,
		     char *why, size_t why_len)
{
	struct net *n = calloc(1, sizeof(*n));
	const char *what;

	if (n == NULL) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	n->allowed = allowed;
	n->vici_path = vici_path;
	n->epoll_fd = epoll_fd;
	holds_open(n);
	what = open_parts(n, user_ipip);
	if (what == NULL)
		return n;
	snprintf(why, why_len, "%s: %s", what, strerror(errno));
	net_close(n);
	return NULL;
}

/* "add" first: deleting a table that is not there would be an error. */
static int flush_table(struct net *n)
{
	char why[128];

	fw_clear(n->fw);
	if (nft_run(n->nft, "add table ip " FW_TABLE "\ndelete table ip " FW_TABLE "\n", why, sizeof(why)) ==
	    0)
		return 0;
	return net_fail(n, EIO, "%s", why);
}

int net_flush(struct net *n)
{
	int error, e;

	arp_cancel(n->arp);
	holds_forget_all(n);
	paths_forget_all(n);
	hosts_forget_all(n);
	tunnel_forget_all(n);
	error = net_rt_fail(n, rt_flush(n->rt), "flushing rules, routes, neighbours and tunnels");
	e = flush_table(n);
	return error != 0 ? error : e;
}

void net_close(struct net *n)
{
	holds_forget_all(n);
	paths_forget_all(n);
	hosts_forget_all(n);
	if (n->rt != NULL)
		tunnel_forget_all(n);
	ipip_close(n->ipip);
	arp_close(n->arp);
	fw_free(n->fw);
	nft_close(n->nft);
	rt_close(n->rt);
	free(n);
}

uint64_t net_next(const struct net *n)
{
	uint64_t arp = arp_next(n->arp), hold = holds_next(n);

	return arp < hold ? arp : hold;
}

void net_tick(struct net *n, uint64_t now_ms)
{
	n->now_ms = now_ms;
	arp_tick(n->arp, now_ms);
	holds_tick(n);
}

/* --- verbs --- */

static int do_flush(struct net *n, const struct nh_request *r)
{
	return net_flush(n);
}

/* in_fw: has a part in the nftables table; add verbs are directly followed by their inverse in
 * enum nh_verb. */
static const struct {
	int (*run)(struct net *n, const struct nh_request *r);
	bool in_fw, add;
} verbs[NH_VERB_MAX] = {
	[NH_FLUSH] = {do_flush, false, false},
	[NH_VISITOR_ADD] = {do_visitor_add, true, true},
	[NH_VISITOR_DEL] = {do_visitor_del, true, false},
	[NH_IPIP_ADD] = {do_ipip_add, false, false},
	[NH_IPIP_DEL] = {do_ipip_del, false, false},
	[NH_BINDING_ADD] = {do_binding_add, true, true},
	[NH_BINDING_DEL] = {do_binding_del, true, false},
	[NH_REVERSE_ADD] = {do_reverse_add, false, false},
	[NH_REVERSE_DEL] = {do_reverse_del, false, false},
	[NH_PROXY_ARP_ADD] = {do_proxy_arp_add, false, false},
	[NH_PROXY_ARP_DEL] = {do_proxy_arp_del, false, false},
	[NH_GARP] = {do_garp, false, false},
	[NH_VPN_ADD] = {do_vpn_add, true, true},
	[NH_VPN_DEL] = {do_vpn_del, true, false},
	[NH_PROTECT_ADD] = {do_protect_add, true, true},
	[NH_PROTECT_DEL] = {do_protect_del, true, false},
	[NH_ENCAP_ADD] = {do_encap_add, true, true},
	[NH_ENCAP_DEL] = {do_encap_del, true, false},
	[NH_PCN_ADD] = {do_pcn_add, true, true},
	[NH_PCN_DEL] = {do_pcn_del, true, false},
	[NH_WATCH_ADD] = {do_watch_add, true, true},
	[NH_WATCH_DEL] = {do_watch_del, true, false},
	[NH_HOLD_ADD] = {do_hold_add, false, false},
	[NH_HOLD_DEL] = {do_hold_del, false, false},
	[NH_FORWARD_ADD] = {do_forward_add, true, true},
	[NH_FORWARD_DEL] = {do_forward_del, true, false},
};

static int open_socket(struct net *n, struct net_job *j)
{
	const struct nh_request *r = &j->request;

	if (r->verb == NH_OPEN_UDP) {
		j->fd = nh_open_udp(r->addr);
	} else if (r->verb == NH_OPEN_VICI) {
		j->fd = nh_open_vici(n->vici_path);
	} else if (r->verb == NH_OPEN_TRANSPARENT) {
		j->fd = nh_open_transparent();
	} else if (r->verb == NH_OPEN_NFLOG) {
		j->fd = nh_open_nflog(NH_NFLOG_GROUP, NH_NFLOG_BYTES);
	} else {
		j->reply.value = if_nametoindex(r->ifname);
		j->fd = j->reply.value != 0 ? nh_open_link(j->reply.value, 434) : -1;
	}
	return j->fd >= 0 ? 0 : errno;
}

static int run_verb(struct net *n, struct net_job *j)
{
	int error;

	n->why[0] = '\0';
	n->value = 0;
	if (verbs[j->request.verb].run != NULL) {
		error = verbs[j->request.verb].run(n, &j->request);
		j->reply.value = n->value;
		return error;
	}
	if (j->request.verb != NH_HELLO)
		return open_socket(n, j);
	j->reply.value = n->ipip == NULL;
	return 0;
}

static void job_result(struct net *n, struct net_job *j, int error)
{
	const char *why = n->why[0] != '\0' ? n->why : strerror(error);

	j->reply.error = error;
	if (error != 0)
		snprintf(j->reply.text, sizeof(j->reply.text), "%s: %.140s", nh_verb_str(j->request.verb),
			 why);
}

static void say(enum log_level level, const char *text)
{
	if (level == LOG_LVL_DEBUG)
		log_debug("verb", "%s", text);
	else
		log_warn("verb", "%s", text);
}

static void job_run(struct net *n, struct net_job *j)
{
	const char *refused;
	int error;

	memset(&j->reply, 0, sizeof(j->reply));
	j->reply.id = j->request.id;
	j->fd = -1;
	refused = nh_check(&j->request, n->allowed, &error);
	if (refused != NULL)
		net_fail(n, error, "%s", refused);
	else
		error = run_verb(n, j);
	job_result(n, j, error);
	/* While charon is away the agent asks again and again, and says so itself. */
	if (error != 0)
		say(j->request.verb == NH_OPEN_VICI ? LOG_LVL_DEBUG : LOG_LVL_WARN, j->reply.text);
}

/* --- one transaction, and what when it fails --- */

static int commit(struct net *n, bool whole)
{
	char *text = whole ? fw_whole(n->fw) : fw_changes(n->fw);
	int error = EIO;

	n->why[0] = '\0';
	if (text == NULL)
		error = ENOMEM;
	else if (nft_run(n->nft, text, n->why, sizeof(n->why)) == 0)
		error = 0;
	if (error != 0)
		fw_forget(n->fw);
	free(text);
	return error;
}

static bool undoable(const struct net_job *j)
{
	return j->reply.error == 0 && verbs[j->request.verb].in_fw && verbs[j->request.verb].add;
}

static void job_undo(struct net *n, const struct net_job *j)
{
	struct nh_request back = j->request;

	back.verb++;
	verbs[back.verb].run(n, &back);
}

static void job_retry(struct net *n, struct net_job *j)
{
	char why[sizeof(n->why)];
	int error = run_verb(n, j);

	if (error == 0) {
		error = commit(n, false);
		memcpy(why, n->why, sizeof(why));
		if (error != 0) {
			job_undo(n, j);
			memcpy(n->why, why, sizeof(why));
		}
	}
	job_result(n, j, error);
}

/* Somebody may have flushed our table: write it anew.  If that does not help, one request is to be found that
 * the kernel does not take: without all of this batch first, then with one more at a time. */
static void recover(struct net *n, struct net_job *jobs, size_t count)
{
	log_warn("nft", "%s; writing the whole table again", n->why);
	if (commit(n, true) == 0)
		return;
	for (size_t i = count; i-- > 0;)
		if (undoable(&jobs[i]))
			job_undo(n, &jobs[i]);
	if (commit(n, true) != 0)
		log_error("nft", "%s; the table is not what it should be", n->why);
	for (size_t i = 0; i < count; i++)
		if (undoable(&jobs[i]))
			job_retry(n, &jobs[i]);
}

void net_batch(struct net *n, struct net_job *jobs, size_t count, uint64_t now_ms)
{
	n->now_ms = now_ms;
	for (size_t i = 0; i < count; i++)
		job_run(n, &jobs[i]);
	if (commit(n, false) != 0)
		recover(n, jobs, count);
	late_rules_release(n);
	holds_release(n);
}
