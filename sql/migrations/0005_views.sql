-- SPDX-License-Identifier: BSD-3-Clause
-- 0005: what a DBA wants to see.  No view shows a key, wrapped or not.

CREATE VIEW v_online AS
SELECT s.nai, host(s.home_address) AS home_address, host(s.home_agent) AS home_agent, s.fa_realm AS visited,
       host(s.fa_address) AS care_of, s.fa_host AS foreign_agent,
       (SELECT count(DISTINCT p.number) FROM session_profiles p WHERE p.session = s.id) AS vpns,
       s.started_at, s.authorized_at, date_trunc('second', s.expires_at - now()) AS left_over
FROM sessions s
WHERE s.expires_at > now();
COMMENT ON VIEW v_online IS 'Who is on now, where, and for how much longer';
COMMENT ON COLUMN v_online.left_over IS 'Time until the authorisation and its grace period end';

CREATE VIEW v_tunnels AS
SELECT s.nai, p.number AS vpn, host(p.source_gateway) AS from_gateway, host(p.destination_gateway) AS to_gateway,
       CASE p.destination_kind WHEN 0 THEN 'agent' WHEN 1 THEN 'static' ELSE 'dynamic' END AS kind,
       p.source, p.destination, t.name AS security, p.tos_up, p.tos_down, p.sla, p.enc_key IS NOT NULL AS own_keys
FROM sessions s
JOIN session_profiles p ON p.session = s.id
JOIN security_types t ON t.number = p.security
WHERE s.expires_at > now();
COMMENT ON VIEW v_tunnels IS 'Which tunnels should stand now';

CREATE VIEW v_user_vpns AS
SELECT v.nai, v.number AS vpn, v.destination, host(g.gateway) AS gateway, g.kind, g.sla,
       coalesce(v.up_class, c.up_class, '0') AS up_class, coalesce(v.down_class, c.down_class, '0') AS down_class,
       v.security, CASE v.vpnshare WHEN 1 THEN 'own' ELSE 'shared' END AS keys, v.required,
       CASE WHEN NOT v.enabled THEN 'switched off'
	    WHEN NOT u.enabled THEN 'user is switched off'
	    WHEN g.gateway IS NULL THEN 'no gateway leads there'
	    WHEN c.name IS NULL AND g.kind = 'static' THEN 'no contract'
	    WHEN c.name IS NOT NULL AND NOT c.enabled THEN 'contract is suspended'
	    WHEN c.name IS NOT NULL AND NOT now() <@ c.valid THEN 'contract is not valid now'
	    WHEN c.name IS NOT NULL AND NOT v.destination <<= c.domain THEN 'destination is outside of the contract''s domain'
	    WHEN c.name IS NOT NULL AND NOT EXISTS (SELECT FROM sla_users l WHERE l.sla = c.name AND l.nai = v.nai)
	    THEN 'user is not on the contract''s list'
	    WHEN g.kind = 'static' AND u.home_address IS NOT NULL AND NOT u.home_address <<= c.home_selector
	    THEN 'home address is outside of the contract''s home selector'
	    ELSE 'ok' END AS verdict
FROM vpns v
JOIN subscribers u ON u.nai = v.nai
LEFT JOIN LATERAL (SELECT x.* FROM cn_gateways x WHERE x.prefix::inet >>= v.destination
		   ORDER BY masklen(x.prefix) DESC LIMIT 1) g ON true
LEFT JOIN slas c ON c.name = g.sla;
COMMENT ON VIEW v_user_vpns IS 'Every VPN with the gateway and contract that it meets, and whether a registration would get it';
COMMENT ON COLUMN v_user_vpns.verdict IS 'ok, or the reason why the VPN will not be set up';

CREATE VIEW v_violations AS
SELECT nai, vpn, destination, sla, required, verdict AS why FROM v_user_vpns
WHERE verdict <> 'ok' AND verdict <> 'switched off';
COMMENT ON VIEW v_violations IS 'VPNs in the database that no contract allows, or that lead nowhere';

CREATE VIEW v_slas AS
SELECT c.name, c.domain, host(c.gateway) AS gateway, c.home_selector, c.psk IS NOT NULL AS has_key, c.valid,
       c.enabled AND now() <@ c.valid AS in_force,
       (SELECT count(*) FROM sla_users l WHERE l.sla = c.name) AS users,
       (SELECT count(DISTINCT p.session) FROM session_profiles p WHERE p.sla = c.name) AS sessions, c.description
FROM slas c;
COMMENT ON VIEW v_slas IS 'Contracts: in force or not, how many may use them, how many do';

CREATE VIEW v_pools AS
SELECT p.prefix, host(p.home_agent) AS home_agent, p.enabled, count(a.address) AS addresses, count(a.nai) AS taken,
       count(a.address) - count(a.nai) AS free
FROM home_address_pools p LEFT JOIN home_addresses a ON a.pool = p.prefix
GROUP BY p.prefix, p.home_agent, p.enabled;
COMMENT ON VIEW v_pools IS 'How full the pools of dynamic home addresses are';

CREATE VIEW v_history AS
SELECT h.nai, host(h.home_address) AS home_address, h.fa_realm AS visited, host(h.fa_address) AS care_of,
       h.vpns, h.started_at, h.ended_at, h.ended_at - h.started_at AS lasted, h.reason
FROM session_history h;
COMMENT ON VIEW v_history IS 'Where users have been';

CREATE VIEW v_changes AS
SELECT a.at, a.who, a.program, a.op, a.tbl, a.key,
       (SELECT jsonb_object_agg(k, jsonb_build_array(a.before -> k, a.after -> k))
	FROM jsonb_object_keys(coalesce(a.before, a.after)) AS k
	WHERE a.before -> k IS DISTINCT FROM a.after -> k) AS changed
FROM audit a;
COMMENT ON VIEW v_changes IS 'The audit, readable: changed = {column: [before, after]}';
