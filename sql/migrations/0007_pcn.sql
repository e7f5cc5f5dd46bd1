-- SPDX-License-Identifier: BSD-3-Clause
-- 0007: proxy correspondent nodes.  The AAAH reads a dynamic gateway's master key, and a session keeps the key that the
-- home agent signs its Binding Updates with: a later registration is served from the cache and has to say it again.

ALTER TABLE session_profiles
	ADD COLUMN bu_key	wrapped_key,
	ADD COLUMN bu_context	text
		CONSTRAINT bu_context_must_be_lower_case_letters_digits_hyphens CHECK (bu_context ~ '^[0-9a-z-]{1,63}$'),
	ADD CONSTRAINT only_a_dynamic_gateway_is_told_by_binding_update
		CHECK (destination_kind = 2 OR (bu_key IS NULL AND bu_context IS NULL)),
	ADD CONSTRAINT bu_key_and_bu_context_come_together CHECK ((bu_key IS NULL) = (bu_context IS NULL));
COMMENT ON COLUMN session_profiles.bu_key IS
	'Key of the Binding Updates of this session, wrapped with the label bu:<ha_session>:<number>; dynamic gateways only';
COMMENT ON COLUMN session_profiles.bu_context IS 'Names the session where the gateway derives the same key from its master key';

DROP FUNCTION aaah_lookup(text, text, inet, boolean);
-- As in 0004, and the master key of a dynamic gateway.
CREATE FUNCTION aaah_lookup(p_nai text, p_realm text, p_care_of inet, p_reread boolean)
	RETURNS TABLE (enabled boolean, aaa_key bytea, aaa_spi bigint, aaa_algorithm text, home_address inet,
		ha_address inet, ha_host text, ha_realm text, ha_enabled boolean, max_lifetime integer, roaming text,
		ha_session text, fa_session text, fa_address inet, session_home_address inet, multi_session text,
		handoff_key bytea,
		number bigint, vpnshare smallint, destination inet, dscp_up smallint, dscp_down smallint,
		spi_up bigint, spi_down bigint, security smallint, required boolean, gateway inet, kind text, pcn_key bytea,
		sla text, sla_domain inet, sla_home inet, sla_psk bytea, ike_local text, ike_remote text,
		ike_proposal text, esp_proposal text, sla_enabled boolean, sla_valid boolean, sla_listed boolean)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT u.enabled, u.aaa_key::bytea, u.aaa_spi, u.aaa_algorithm, u.home_address::inet,
	       h.address::inet, h.identity::text, h.realm::text, h.enabled, u.max_lifetime,
	       CASE WHEN r.realm IS NULL THEN 'unknown'
		    WHEN NOT r.enabled THEN 'suspended'
		    WHEN r.care_of <> '{}' AND NOT p_care_of <<= ANY (r.care_of) THEN 'care-of'
		    ELSE 'ok' END,
	       s.ha_session, s.fa_session, s.fa_address::inet, s.home_address::inet, s.multi_session, s.handoff_key::bytea,
	       v.number, v.vpnshare, v.destination::inet, coalesce(up.dscp, 0)::smallint,
	       coalesce(down.dscp, 0)::smallint, coalesce(v.up_spi, 256)::bigint, coalesce(v.down_spi, 256)::bigint,
	       t.number, v.required, g.gateway::inet, g.kind, g.pcn_key::bytea,
	       c.name::text, c.domain::inet, c.home_selector::inet, c.psk::bytea, c.ike_local::text, c.ike_remote::text,
	       c.ike_proposal::text, c.esp_proposal::text, c.enabled, now() <@ c.valid, l.nai IS NOT NULL
	FROM mipvpn.subscribers u
	JOIN mipvpn.home_agents h ON h.address = u.home_agent
	LEFT JOIN mipvpn.roaming_domains r ON r.realm = lower(p_realm)
	LEFT JOIN mipvpn.sessions s ON s.nai = p_nai AND s.expires_at > now()
	LEFT JOIN mipvpn.vpns v ON v.nai = p_nai AND v.enabled AND (p_reread OR s.id IS NULL)
	LEFT JOIN mipvpn.security_types t ON t.name = v.security
	LEFT JOIN LATERAL (SELECT x.gateway, x.kind, x.sla, x.pcn_key FROM mipvpn.cn_gateways x
			   WHERE x.prefix::inet >>= v.destination
			   ORDER BY masklen(x.prefix) DESC LIMIT 1) g ON true
	LEFT JOIN mipvpn.slas c ON c.name = g.sla
	LEFT JOIN mipvpn.sla_users l ON l.sla = c.name AND l.nai = p_nai
	LEFT JOIN mipvpn.qos_classes up ON up.name = coalesce(v.up_class, c.up_class)
	LEFT JOIN mipvpn.qos_classes down ON down.name = coalesce(v.down_class, c.down_class)
	WHERE u.nai = p_nai
	ORDER BY v.number;
END $$;
COMMENT ON FUNCTION aaah_lookup(text, text, inet, boolean) IS
	'A user, where he may be, his live session, and his VPNs with gateway and contract';

DROP FUNCTION aaah_cached_profiles(text);
CREATE FUNCTION aaah_cached_profiles(p_nai text)
	RETURNS TABLE (number bigint, source inet, destination inet, tos_up smallint, tos_down smallint,
		security smallint, source_gateway inet, destination_gateway inet, destination_kind smallint,
		spi_up bigint, spi_down bigint, enc_key bytea, auth_key bytea, required boolean, esp_proposal text,
		sla text, sla_domain inet, sla_home inet, sla_psk bytea, ike_local text, ike_remote text, ike_proposal text,
		bu_key bytea, bu_context text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT p.number, p.source::inet, p.destination::inet, p.tos_up, p.tos_down, p.security,
	       p.source_gateway::inet, p.destination_gateway::inet, p.destination_kind, p.spi_up, p.spi_down,
	       p.enc_key::bytea, p.auth_key::bytea, p.required, p.esp_proposal,
	       c.name::text, c.domain::inet, c.home_selector::inet, c.psk::bytea, c.ike_local::text, c.ike_remote::text,
	       c.ike_proposal::text, p.bu_key::bytea, p.bu_context
	FROM mipvpn.sessions s
	JOIN mipvpn.session_profiles p ON p.session = s.id
	LEFT JOIN mipvpn.slas c ON c.name = p.sla
	WHERE s.nai = p_nai AND s.expires_at > now()
	ORDER BY p.position;
END $$;
COMMENT ON FUNCTION aaah_cached_profiles(text) IS 'Profiles of the live session of a user, as the home agent got them';

CREATE OR REPLACE FUNCTION aaah_session_put(p jsonb) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	n	mipvpn.sessions := jsonb_populate_record(NULL::mipvpn.sessions, p - 'profiles');
	sid	bigint;
	lasting	interval := make_interval(secs => (p ->> 'lasting_s')::float8);
BEGIN
	PERFORM mipvpn.session_close(s, 'replaced') FROM mipvpn.sessions s
	WHERE s.nai = n.nai AND s.ha_session <> n.ha_session;
	INSERT INTO mipvpn.sessions AS s (nai, home_address, home_agent, ha_session, ha_host, ha_realm, fa_session, fa_host,
		fa_realm, fa_address, multi_session, handoff_key, expires_at)
	VALUES (n.nai, n.home_address, n.home_agent, n.ha_session, n.ha_host, n.ha_realm, n.fa_session, n.fa_host,
		n.fa_realm, n.fa_address, n.multi_session, n.handoff_key, now() + lasting)
	ON CONFLICT (nai) DO UPDATE SET
		previous_fa = CASE WHEN s.fa_address <> excluded.fa_address THEN s.fa_address ELSE s.previous_fa END,
		home_address = excluded.home_address, home_agent = excluded.home_agent, ha_host = excluded.ha_host,
		ha_realm = excluded.ha_realm, fa_session = excluded.fa_session, fa_host = excluded.fa_host,
		fa_realm = excluded.fa_realm, fa_address = excluded.fa_address, fa_ended = false,
		multi_session = excluded.multi_session, handoff_key = excluded.handoff_key,
		authorized_at = now(), expires_at = excluded.expires_at
	RETURNING s.id INTO sid;
	DELETE FROM mipvpn.session_profiles WHERE session = sid;
	INSERT INTO mipvpn.session_profiles (session, position, number, source, destination, tos_up, tos_down, security,
		source_gateway, destination_gateway, destination_kind, spi_up, spi_down, enc_key, auth_key, required,
		esp_proposal, sla, bu_key, bu_context)
	SELECT sid, f.position, f.number, f.source, f.destination, f.tos_up, f.tos_down, f.security, f.source_gateway,
	       f.destination_gateway, f.destination_kind, f.spi_up, f.spi_down, f.enc_key, f.auth_key, f.required,
	       coalesce(f.esp_proposal, ''), f.sla, f.bu_key, f.bu_context
	FROM jsonb_populate_recordset(NULL::mipvpn.session_profiles, p -> 'profiles') AS f;
	RETURN sid;
END $$;

-- A function that is made anew has lost its grants (0006).
REVOKE ALL ON FUNCTION aaah_lookup(text, text, inet, boolean), aaah_cached_profiles(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION aaah_lookup(text, text, inet, boolean), aaah_cached_profiles(text) TO mipvpn_aaah;
