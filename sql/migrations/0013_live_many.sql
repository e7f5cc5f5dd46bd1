-- SPDX-License-Identifier: BSD-3-Clause
-- 0013: a change that concerns a thousand sessions is one set of rows, not a thousand questions (note 16).  The functions that an
-- AAAH node asks for a user take lists of users; what 0011 did row by row is done for all rows at once (live_expand() by 0014).

-- As in 0009, for any number of users: n is the place in the lists, a user without VPNs is one row with NULLs, one who is not known
-- is none.  The plan is made once: to plan these joins takes longer than to run them.
CREATE FUNCTION aaah_lookup_many(p_nai text[], p_realm text[], p_care_of inet[], p_reread boolean)
	RETURNS TABLE (n bigint, enabled boolean, aaa_key bytea, aaa_spi bigint, aaa_algorithm text, home_address inet,
		ha_address inet, ha_host text, ha_realm text, ha_enabled boolean, max_lifetime integer, roaming text,
		ha_session text, fa_session text, fa_address inet, session_home_address inet, multi_session text,
		handoff_key bytea,
		number bigint, vpnshare smallint, destination inet, dscp_up smallint, dscp_down smallint,
		spi_up bigint, spi_down bigint, security smallint, required boolean, gateway inet, kind text, pcn_key bytea,
		sla text, sla_domain inet, sla_home inet, sla_psk bytea, ike_local text, ike_remote text,
		ike_proposal text, esp_proposal text, sla_enabled boolean, sla_valid boolean, sla_listed boolean,
		proposal text, sla_security smallint)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN QUERY
	SELECT a.n, u.enabled, u.aaa_key::bytea, u.aaa_spi, u.aaa_algorithm, u.home_address::inet,
	       h.address::inet, h.identity::text, h.realm::text, h.enabled, u.max_lifetime,
	       CASE WHEN r.realm IS NULL THEN 'unknown'
		    WHEN NOT r.enabled THEN 'suspended'
		    WHEN r.care_of <> '{}' AND NOT a.care_of <<= ANY (r.care_of) THEN 'care-of'
		    ELSE 'ok' END,
	       s.ha_session, s.fa_session, s.fa_address::inet, s.home_address::inet, s.multi_session, s.handoff_key::bytea,
	       v.number, v.vpnshare, v.destination::inet, coalesce(up.dscp, 0)::smallint,
	       coalesce(down.dscp, 0)::smallint, coalesce(v.up_spi, 256)::bigint, coalesce(v.down_spi, 256)::bigint,
	       t.number, v.required, g.gateway::inet, g.kind, g.pcn_key::bytea,
	       c.name::text, c.domain::inet, c.home_selector::inet, c.psk::bytea, c.ike_local::text, c.ike_remote::text,
	       c.ike_proposal::text, c.esp_proposal::text, c.enabled, now() <@ c.valid, l.nai IS NOT NULL,
	       v.proposal::text, ct.number
	FROM unnest(p_nai, p_realm, p_care_of) WITH ORDINALITY AS a(nai, realm, care_of, n)
	JOIN mipvpn.subscribers u ON u.nai = a.nai
	JOIN mipvpn.home_agents h ON h.address = u.home_agent
	LEFT JOIN mipvpn.roaming_domains r ON r.realm = lower(a.realm)
	LEFT JOIN mipvpn.sessions s ON s.nai = u.nai AND s.expires_at > now()
	LEFT JOIN mipvpn.vpns v ON v.nai = u.nai AND v.enabled AND (p_reread OR s.id IS NULL)
	LEFT JOIN mipvpn.security_types t ON t.name = v.security
	LEFT JOIN LATERAL (SELECT x.gateway, x.kind, x.sla, x.pcn_key FROM mipvpn.cn_gateways x
			   WHERE x.prefix::inet >>= v.destination
			   ORDER BY masklen(x.prefix) DESC LIMIT 1) g ON true
	LEFT JOIN mipvpn.slas c ON c.name = g.sla
	LEFT JOIN mipvpn.security_types ct ON ct.name = c.security
	LEFT JOIN mipvpn.sla_users l ON l.sla = c.name AND l.nai = u.nai
	LEFT JOIN mipvpn.qos_classes up ON up.name = coalesce(v.up_class, c.up_class)
	LEFT JOIN mipvpn.qos_classes down ON down.name = coalesce(v.down_class, c.down_class)
	ORDER BY a.n, v.number;
END $$;
COMMENT ON FUNCTION aaah_lookup_many(text[], text[], inet[], boolean) IS
	'Users, where each may be, his live session, and his VPNs with gateway and contract';

-- Nodes of the older version go on asking for one user.
CREATE OR REPLACE FUNCTION aaah_lookup(p_nai text, p_realm text, p_care_of inet, p_reread boolean)
	RETURNS TABLE (enabled boolean, aaa_key bytea, aaa_spi bigint, aaa_algorithm text, home_address inet,
		ha_address inet, ha_host text, ha_realm text, ha_enabled boolean, max_lifetime integer, roaming text,
		ha_session text, fa_session text, fa_address inet, session_home_address inet, multi_session text,
		handoff_key bytea,
		number bigint, vpnshare smallint, destination inet, dscp_up smallint, dscp_down smallint,
		spi_up bigint, spi_down bigint, security smallint, required boolean, gateway inet, kind text, pcn_key bytea,
		sla text, sla_domain inet, sla_home inet, sla_psk bytea, ike_local text, ike_remote text,
		ike_proposal text, esp_proposal text, sla_enabled boolean, sla_valid boolean, sla_listed boolean,
		proposal text, sla_security smallint)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT l.enabled, l.aaa_key, l.aaa_spi, l.aaa_algorithm, l.home_address, l.ha_address, l.ha_host, l.ha_realm,
	       l.ha_enabled, l.max_lifetime, l.roaming, l.ha_session, l.fa_session, l.fa_address,
	       l.session_home_address, l.multi_session, l.handoff_key, l.number, l.vpnshare, l.destination,
	       l.dscp_up, l.dscp_down, l.spi_up, l.spi_down, l.security, l.required, l.gateway, l.kind, l.pcn_key,
	       l.sla, l.sla_domain, l.sla_home, l.sla_psk, l.ike_local, l.ike_remote, l.ike_proposal, l.esp_proposal,
	       l.sla_enabled, l.sla_valid, l.sla_listed, l.proposal, l.sla_security
	FROM mipvpn.aaah_lookup_many(ARRAY[p_nai], ARRAY[p_realm], ARRAY[p_care_of], p_reread) l;
END $$;

CREATE FUNCTION aaah_cached_profiles_many(p_nai text[])
	RETURNS TABLE (n bigint, ha_session text, number bigint, source inet, destination inet, tos_up smallint, tos_down smallint,
		security smallint, source_gateway inet, destination_gateway inet, destination_kind smallint,
		spi_up bigint, spi_down bigint, enc_key bytea, auth_key bytea, required boolean, esp_proposal text,
		sla text, sla_domain inet, sla_home inet, sla_psk bytea, ike_local text, ike_remote text, ike_proposal text,
		bu_key bytea, bu_context text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN QUERY
	SELECT a.n, s.ha_session, p.number, p.source::inet, p.destination::inet, p.tos_up, p.tos_down, p.security,
	       p.source_gateway::inet, p.destination_gateway::inet, p.destination_kind, p.spi_up, p.spi_down,
	       p.enc_key::bytea, p.auth_key::bytea, p.required, p.esp_proposal,
	       c.name::text, c.domain::inet, c.home_selector::inet, c.psk::bytea, c.ike_local::text, c.ike_remote::text,
	       c.ike_proposal::text, p.bu_key::bytea, p.bu_context
	FROM unnest(p_nai) WITH ORDINALITY AS a(nai, n)
	JOIN mipvpn.sessions s ON s.nai = a.nai AND s.expires_at > now()
	JOIN mipvpn.session_profiles p ON p.session = s.id
	LEFT JOIN mipvpn.slas c ON c.name = p.sla
	ORDER BY a.n, p.position;
END $$;
COMMENT ON FUNCTION aaah_cached_profiles_many(text[]) IS 'Profiles of the live sessions of users, as the home agent got them; n: place in the list';

CREATE OR REPLACE FUNCTION aaah_cached_profiles(p_nai text)
	RETURNS TABLE (number bigint, source inet, destination inet, tos_up smallint, tos_down smallint,
		security smallint, source_gateway inet, destination_gateway inet, destination_kind smallint,
		spi_up bigint, spi_down bigint, enc_key bytea, auth_key bytea, required boolean, esp_proposal text,
		sla text, sla_domain inet, sla_home inet, sla_psk bytea, ike_local text, ike_remote text, ike_proposal text,
		bu_key bytea, bu_context text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT l.number, l.source, l.destination, l.tos_up, l.tos_down, l.security, l.source_gateway, l.destination_gateway,
	       l.destination_kind, l.spi_up, l.spi_down, l.enc_key, l.auth_key, l.required, l.esp_proposal, l.sla, l.sla_domain,
	       l.sla_home, l.sla_psk, l.ike_local, l.ike_remote, l.ike_proposal, l.bu_key, l.bu_context
	FROM mipvpn.aaah_cached_profiles_many(ARRAY[p_nai]) l;
END $$;

CREATE FUNCTION live_request(p_sessions bigint[], p_change bigint, p_at timestamptz) RETURNS void LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	INSERT INTO mipvpn.live_updates AS u (session, change, changed_at, newest_at)
	SELECT s, p_change, p_at, p_at FROM unnest(p_sessions) AS s WHERE s IS NOT NULL ORDER BY s
	ON CONFLICT (session) DO UPDATE SET change = greatest(u.change, excluded.change), newest_at = excluded.newest_at,
		changed_at = least(u.changed_at, excluded.changed_at), serial = u.serial + 1,
		next_at = CASE WHEN u.claimed_until > now() THEN u.next_at ELSE now() END,
		tries = CASE WHEN u.claimed_until > now() THEN u.tries ELSE 0 END;
END $$;
COMMENT ON FUNCTION live_request(bigint[], bigint, timestamptz) IS 'Sessions are to be told of a change; NULL among them is nobody';

CREATE OR REPLACE FUNCTION live_request(p_session bigint, p_change bigint, p_at timestamptz) RETURNS void LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	PERFORM mipvpn.live_request(ARRAY[p_session], p_change, p_at);
END $$;

-- p: list of {session, fa_session, profiles}; n: place in it.  As aaah_live_put() of 0011, which takes one.
CREATE FUNCTION aaah_live_put_many(p jsonb) RETURNS TABLE (n bigint, ok boolean)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	told	bigint[];
BEGIN
	PERFORM FROM mipvpn.sessions s JOIN jsonb_to_recordset(p) AS f(session bigint) ON s.id = f.session ORDER BY s.id
		FOR UPDATE OF s;	-- two nodes' lists of the same sessions come one after the other
	WITH t AS (
		UPDATE mipvpn.sessions s SET live_at = clock_timestamp() FROM jsonb_to_recordset(p) AS f(session bigint, fa_session text)
		WHERE s.id = f.session AND s.fa_session = f.fa_session RETURNING s.id)
	SELECT coalesce(array_agg(t.id), '{}') INTO told FROM t;
	DELETE FROM mipvpn.session_profiles x WHERE x.session = ANY (told);
	INSERT INTO mipvpn.session_profiles
	SELECT f.* FROM jsonb_to_recordset(p) AS l(session bigint, profiles jsonb),
	     LATERAL jsonb_populate_recordset(jsonb_populate_record(NULL::mipvpn.session_profiles,
		jsonb_build_object('session', l.session, 'esp_proposal', '')), jsonb_strip_nulls(l.profiles)) AS f
	WHERE l.session = ANY (told);
	UPDATE mipvpn.live_updates x SET sent = true WHERE x.session = ANY (told);
	RETURN QUERY SELECT o.n, (o.l ->> 'session')::bigint = ANY (told) FROM jsonb_array_elements(p) WITH ORDINALITY AS o(l, n);
END $$;
COMMENT ON FUNCTION aaah_live_put_many(jsonb) IS
	'Other sets of profiles for sessions, before their gateways hear of them; not ok = the user has registered again since';

ALTER TABLE sessions SET (fillfactor = 70);	-- live_at, authorized_at: no index has to hear of them

-- p: list of {session, serial, outcome, why}.
CREATE FUNCTION aaah_live_done_many(p jsonb) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	INSERT INTO mipvpn.live_history (change, session, nai, changed_at, outcome, tries, why)
	SELECT u.change, u.session, x.nai, u.changed_at, f.outcome, u.tries, f.why
	FROM jsonb_to_recordset(p) AS f(session bigint, serial bigint, outcome text, why text)
	JOIN mipvpn.live_updates u ON u.session = f.session AND (u.serial = f.serial OR f.outcome = 'ended')
	JOIN mipvpn.sessions x ON x.id = u.session;
	DELETE FROM mipvpn.live_updates u USING jsonb_to_recordset(p) AS f(session bigint, serial bigint)
	WHERE u.session = f.session AND u.serial = f.serial;
	UPDATE mipvpn.live_updates u SET claimed_until = '-infinity', next_at = now(), tries = 0, sent = false
	FROM jsonb_to_recordset(p) AS f(session bigint) WHERE u.session = f.session;	-- as in 0011: changed again meanwhile
	PERFORM mipvpn.session_close(s, 'administrative') FROM mipvpn.sessions s
	JOIN jsonb_to_recordset(p) AS f(session bigint, outcome text) ON s.id = f.session AND f.outcome = 'ended';
END $$;
COMMENT ON FUNCTION aaah_live_done_many(jsonb) IS 'What became of them; ended: the session is over, too';

-- Nodes of the older version tell of one at a time.
CREATE OR REPLACE FUNCTION aaah_live_put(p_session bigint, p_fa_session text, p_profiles jsonb) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN (SELECT l.ok FROM mipvpn.aaah_live_put_many(jsonb_build_array(jsonb_build_object('session', p_session,
		'fa_session', p_fa_session, 'profiles', p_profiles))) l);
END $$;

CREATE OR REPLACE FUNCTION aaah_live_done(p_session bigint, p_serial bigint, p_outcome text, p_why text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	PERFORM mipvpn.aaah_live_done_many(jsonb_build_array(jsonb_build_object('session', p_session, 'serial', p_serial,
		'outcome', p_outcome, 'why', p_why)));
END $$;

REVOKE ALL ON FUNCTION aaah_lookup_many(text[], text[], inet[], boolean), aaah_cached_profiles_many(text[]),
	live_request(bigint[], bigint, timestamptz), aaah_live_put_many(jsonb), aaah_live_done_many(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION aaah_lookup_many(text[], text[], inet[], boolean), aaah_cached_profiles_many(text[]),
	aaah_live_put_many(jsonb), aaah_live_done_many(jsonb) TO mipvpn_aaah;
