/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The room as the console shows it: what is desired next to what is observed, and why they differ.
 * Counters are those of the last audit or check; vpn_resync() before asking makes them fresh.
 */
#include "agent/vpn/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static json_t *addr_json(struct in_addr a)
{
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &a, text, sizeof(text));
	return json_string(text);
}

static void put_counters(json_t *o, const struct tunnel *t)
{
	const struct sa_stats *s = &t->stats;

	json_object_set_new(o, "bytesIn", json_integer((json_int_t)s->bytes_in));
	json_object_set_new(o, "bytesOut", json_integer((json_int_t)s->bytes_out));
	json_object_set_new(o, "packetsIn", json_integer((json_int_t)s->packets_in));
	json_object_set_new(o, "packetsOut", json_integer((json_int_t)s->packets_out));
}

static const char *desired_word(const struct part *p)
{
	if (p->retired)
		return p->stands_in ? "stands in" : "retired";
	return p->fresh ? "new" : "up";
}

static json_t *part_json(const struct vpn *v, const struct part *p, bool show_keys)
{
	json_t *o = vpn_profile_json(&p->p, show_keys);
	const struct tunnel *t = p->tunnel;

	if (!o)
		return NULL;
	json_object_set_new(o, "desired", json_string(desired_word(p)));
	json_object_set_new(
		o, "role", json_string(p->p.src_gw.s_addr == v->cfg.self.s_addr ? "initiator" : "responder"));
	json_object_set_new(o, "path",
			    json_string(p->flow->failed	     ? "failed"
					: p->flow->installed ? "open"
							     : "closed"));
	if (!t) {
		json_object_set_new(o, "observed", json_string(p->flow->installed ? "up" : "idle"));
		return o;
	}
	json_object_set_new(o, "observed", json_string(vpn_tunnel_state_name(t->state)));
	json_object_set_new(o, "tunnel", json_string(t->name));
	json_object_set_new(o, "why", json_string(t->why));
	json_object_set_new(o, "forMs", json_integer((json_int_t)(v->now - t->since)));
	put_counters(o, t);
	return o;
}

static json_t *session_json(const struct vpn *v, const struct session *s, bool show_keys)
{
	json_t *o = json_object(), *profiles = json_array();
	const struct part *p;

	json_object_set_new(o, "session", json_string(s->id));
	json_object_set_new(o, "state",
			    json_string(s->state == SESSION_INSTALLING ? "installing"
					: s->down		       ? "down"
								       : "up"));
	json_object_set_new(o, "why", json_string(s->why));
	LIST_FOREACH(p, &s->parts, in_session)
	json_array_append_new(profiles, part_json(v, p, show_keys));
	json_object_set_new(o, "profiles", profiles);
	return o;
}

json_t *vpn_json_vpns(const struct vpn *v, bool show_keys)
{
	json_t *all = json_array();
	const struct session *s;

	for (s = v->sessions; s; s = s->hh.next)
		json_array_append_new(all, session_json(v, s, show_keys));
	return all;
}

static json_t *users_json(const struct tunnel *t)
{
	json_t *users = json_array();
	const struct part *p;

	LIST_FOREACH(p, &t->parts, in_tunnel)
	json_array_append_new(users, json_string(p->session->id));
	return users;
}

static json_t *sas_json(const struct tunnel *t)
{
	json_t *sas = json_array();

	for (uint8_t i = 0; i < t->n_sas; i++) {
		json_t *sa = json_object();

		json_object_set_new(sa, "ikeId", json_integer(t->sas[i].id));
		json_object_set_new(sa, "child", json_boolean(t->sas[i].child));
		json_array_append_new(sas, sa);
	}
	return sas;
}

static void put_spi(json_t *o, const char *name, uint32_t spi)
{
	char text[9];

	snprintf(text, sizeof(text), "%08x", spi);
	json_object_set_new(o, name, json_string(text));
}

static json_t *tunnel_json(const struct vpn *v, const struct tunnel *t)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(t->name));
	json_object_set_new(o, "peer", addr_json(t->peer));
	json_object_set_new(o, "role", json_string(t->initiator ? "initiator" : "responder"));
	json_object_set_new(o, "desired", json_boolean(!LIST_EMPTY(&t->parts)));
	json_object_set_new(o, "observed", json_string(vpn_tunnel_state_name(t->state)));
	json_object_set_new(o, "why", json_string(t->why));
	json_object_set_new(o, "forMs", json_integer((json_int_t)(v->now - t->since)));
	json_object_set_new(o, "loaded", json_boolean(t->conn || t->key));
	json_object_set_new(o, "users", users_json(t));
	json_object_set_new(o, "sas", sas_json(t));
	json_object_set_new(o, "encryption", json_string(t->stats.encr));
	json_object_set_new(o, "integrity", json_string(t->stats.integ));
	json_object_set_new(o, "udpEncapsulation", json_boolean(t->stats.udp));
	put_spi(o, "spiIn", t->stats.spi_in);
	put_spi(o, "spiOut", t->stats.spi_out);
	put_counters(o, t);
	return o;
}

json_t *vpn_json_tunnels(const struct vpn *v)
{
	json_t *all = json_array();
	const struct tunnel *t;

	for (t = v->tunnels; t; t = t->hh.next)
		json_array_append_new(all, tunnel_json(v, t));
	return all;
}
