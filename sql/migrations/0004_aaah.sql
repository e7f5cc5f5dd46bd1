-- SPDX-License-Identifier: BSD-3-Clause
-- 0004: what app_mipvpn_aaah calls.  The role mipvpn_aaah reads no table; these functions are all that it can do.
-- plpgsql, because its plans are kept for the connection: a first registration is aaah_lookup() and aaah_session_put().

CREATE FUNCTION aaah_schema_version() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT max(version) FROM mipvpn.schema_version
$$;
COMMENT ON FUNCTION aaah_schema_version() IS 'Version of the schema; the server refuses one that it does not know';

-- The longest prefix of the CN-GW table that covers an address or network (A4).
CREATE FUNCTION cn_gateway(p_destination inet) RETURNS SETOF cn_gateways LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT g.* FROM mipvpn.cn_gateways g
	WHERE g.prefix::inet >>= p_destination
	ORDER BY masklen(g.prefix) DESC LIMIT 1;
END $$;
COMMENT ON FUNCTION cn_gateway(inet) IS 'The gateway of a correspondent: longest prefix wins';

-- One question for everything: the user, his home agent, whether he may roam there, his live session; and every VPN of
-- his with the gateway and the contract that it meets (A3, A4, A5), a row each.  A user without VPNs is one row with
-- number NULL, an unknown user is no row.  For a live session no VPN is read, unless p_reread: its profiles come from
-- the cache (C4, C5).
CREATE FUNCTION aaah_lookup(p_nai text, p_realm text, p_care_of inet, p_reread boolean)
	RETURNS TABLE (enabled boolean, aaa_key bytea, aaa_spi bigint, aaa_algorithm text, home_address inet,
		ha_address inet, ha_host text, ha_realm text, ha_enabled boolean, max_lifetime integer, roaming text,
		ha_session text, fa_session text, fa_address inet, session_home_address inet, multi_session text,
		handoff_key bytea,
		number bigint, vpnshare smallint, destination inet, dscp_up smallint, dscp_down smallint,
		spi_up bigint, spi_down bigint, security smallint, required boolean, gateway inet, kind text,
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
	       t.number, v.required, g.gateway::inet, g.kind,
	       c.name::text, c.domain::inet, c.home_selector::inet, c.psk::bytea, c.ike_local::text, c.ike_remote::text,
	       c.ike_proposal::text, c.esp_proposal::text, c.enabled, now() <@ c.valid, l.nai IS NOT NULL
	FROM mipvpn.subscribers u
	JOIN mipvpn.home_agents h ON h.address = u.home_agent
	LEFT JOIN mipvpn.roaming_domains r ON r.realm = lower(p_realm)
	LEFT JOIN mipvpn.sessions s ON s.nai = p_nai AND s.expires_at > now()
	LEFT JOIN mipvpn.vpns v ON v.nai = p_nai AND v.enabled AND (p_reread OR s.id IS NULL)
	LEFT JOIN mipvpn.security_types t ON t.name = v.security
	LEFT JOIN LATERAL (SELECT x.gateway, x.kind, x.sla FROM mipvpn.cn_gateways x WHERE x.prefix::inet >>= v.destination
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

CREATE FUNCTION aaah_cached_profiles(p_nai text)
	RETURNS TABLE (number bigint, source inet, destination inet, tos_up smallint, tos_down smallint,
		security smallint, source_gateway inet, destination_gateway inet, destination_kind smallint,
		spi_up bigint, spi_down bigint, enc_key bytea, auth_key bytea, required boolean, esp_proposal text,
		sla text, sla_domain inet, sla_home inet, sla_psk bytea, ike_local text, ike_remote text, ike_proposal text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT p.number, p.source::inet, p.destination::inet, p.tos_up, p.tos_down, p.security,
	       p.source_gateway::inet, p.destination_gateway::inet, p.destination_kind, p.spi_up, p.spi_down,
	       p.enc_key::bytea, p.auth_key::bytea, p.required, p.esp_proposal,
	       c.name::text, c.domain::inet, c.home_selector::inet, c.psk::bytea, c.ike_local::text, c.ike_remote::text,
	       c.ike_proposal::text
	FROM mipvpn.sessions s
	JOIN mipvpn.session_profiles p ON p.session = s.id
	LEFT JOIN mipvpn.slas c ON c.name = p.sla
	WHERE s.nai = p_nai AND s.expires_at > now()
	ORDER BY p.position;
END $$;
COMMENT ON FUNCTION aaah_cached_profiles(text) IS 'Profiles of the live session of a user, as the home agent got them';

-- A home address for a user of the home agent: the one he holds, else the one he had last, else the one free for longest.
CREATE FUNCTION aaah_address_allocate(p_nai text, p_home_agent inet) RETURNS inet
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	got inet;
BEGIN
	UPDATE mipvpn.home_addresses a SET changed_at = now()
	FROM mipvpn.home_address_pools p
	WHERE a.nai = p_nai AND p.prefix = a.pool AND p.home_agent = p_home_agent
	RETURNING a.address INTO got;
	IF got IS NOT NULL THEN
		RETURN got;
	END IF;
	UPDATE mipvpn.home_addresses SET nai = NULL, changed_at = now() WHERE nai = p_nai;	-- of another home agent
	SELECT a.address INTO got
	FROM mipvpn.home_addresses a JOIN mipvpn.home_address_pools p ON p.prefix = a.pool
	WHERE a.last_nai = p_nai AND a.nai IS NULL AND p.home_agent = p_home_agent AND p.enabled
	LIMIT 1 FOR UPDATE OF a SKIP LOCKED;
	IF got IS NULL THEN
		SELECT a.address INTO got
		FROM mipvpn.home_addresses a JOIN mipvpn.home_address_pools p ON p.prefix = a.pool
		WHERE a.nai IS NULL AND p.home_agent = p_home_agent AND p.enabled
		ORDER BY a.changed_at, a.address LIMIT 1 FOR UPDATE OF a SKIP LOCKED;
	END IF;
	UPDATE mipvpn.home_addresses SET nai = p_nai, last_nai = p_nai, changed_at = now() WHERE address = got;
	RETURN got;
END $$;
COMMENT ON FUNCTION aaah_address_allocate(text, inet) IS 'A dynamic home address; NULL = every pool of the home agent is exhausted';

CREATE FUNCTION aaah_address_release(p_nai text) RETURNS void
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	UPDATE mipvpn.home_addresses SET nai = NULL, changed_at = now()
	WHERE nai = p_nai AND NOT EXISTS (SELECT FROM mipvpn.sessions s WHERE s.nai = p_nai)
$$;
COMMENT ON FUNCTION aaah_address_release(text) IS 'Gives the address back of a user who did not get on; no effect on a live session';

-- One JSON object = one row of sessions with its profiles; keys in it are wrapped.  The same user's session is
-- rewritten (C4); an expired one is replaced.
CREATE FUNCTION aaah_session_put(p jsonb) RETURNS bigint
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
	INSERT INTO mipvpn.session_profiles
	SELECT sid, f.position, f.number, f.source, f.destination, f.tos_up, f.tos_down, f.security, f.source_gateway,
	       f.destination_gateway, f.destination_kind, f.spi_up, f.spi_down, f.enc_key, f.auth_key, f.required,
	       coalesce(f.esp_proposal, ''), f.sla
	FROM jsonb_populate_recordset(NULL::mipvpn.session_profiles, p -> 'profiles') AS f;
	RETURN sid;
END $$;
COMMENT ON FUNCTION aaah_session_put(jsonb) IS 'Stores or rewrites a session with its cached profiles';

CREATE FUNCTION session_close(s sessions, p_reason text) RETURNS void
	LANGUAGE plpgsql SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	INSERT INTO mipvpn.session_history (id, nai, home_address, home_agent, fa_host, fa_realm, fa_address, vpns, started_at,
		reason)
	SELECT s.id, s.nai, s.home_address, s.home_agent, s.fa_host, s.fa_realm, s.fa_address,
	       coalesce((SELECT array_agg(DISTINCT p.number) FROM mipvpn.session_profiles p WHERE p.session = s.id), '{}'),
	       s.started_at, p_reason;
	DELETE FROM mipvpn.sessions x WHERE x.id = s.id;
	UPDATE mipvpn.home_addresses SET nai = NULL, changed_at = now() WHERE nai = s.nai AND p_reason <> 'replaced';
END $$;
COMMENT ON FUNCTION session_close(sessions, text) IS 'Moves a session to the history; its keys are gone then';

-- An STR: p_session is one side's Session-Id.  The home agent's ends all; the foreign agent's ends its own part, or all
-- when p_all.  One row says what was found and whom to tell; no row = unknown session.
CREATE FUNCTION aaah_session_end(p_session text, p_origin text, p_all boolean, p_reason text)
	RETURNS TABLE (nai text, side text, ended boolean, other_session text, other_host text, other_realm text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	s	mipvpn.sessions;
	home	boolean;
BEGIN
	SELECT x.* INTO s FROM mipvpn.sessions x
	WHERE (x.ha_session = p_session AND x.ha_host = p_origin) OR (x.fa_session = p_session AND x.fa_host = p_origin)
	FOR UPDATE;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	home := s.ha_session = p_session;
	IF home OR p_all THEN
		PERFORM mipvpn.session_close(s, p_reason);
	ELSE
		UPDATE mipvpn.sessions x SET fa_ended = true WHERE x.id = s.id;
	END IF;
	IF home AND NOT s.fa_ended THEN
		RETURN QUERY SELECT s.nai::text, 'ha', true, s.fa_session, s.fa_host::text, s.fa_realm::text;
	ELSIF NOT home AND p_all THEN
		RETURN QUERY SELECT s.nai::text, 'fa', true, s.ha_session, s.ha_host::text, s.ha_realm::text;
	ELSE
		RETURN QUERY SELECT s.nai::text, CASE WHEN home THEN 'ha' ELSE 'fa' END, home, ''::text, ''::text, ''::text;
	END IF;
END $$;
COMMENT ON FUNCTION aaah_session_end(text, text, boolean, text) IS 'Ends a session or the foreign agent''s part of it, and says who else is to be told';

CREATE FUNCTION aaah_sessions_reap(p_most integer) RETURNS integer
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	s	mipvpn.sessions;
	n	integer := 0;
BEGIN
	FOR s IN SELECT * FROM mipvpn.sessions x WHERE x.expires_at < now() ORDER BY x.expires_at LIMIT p_most
		FOR UPDATE SKIP LOCKED LOOP
		PERFORM mipvpn.session_close(s, 'expired');
		n := n + 1;
	END LOOP;
	-- Given out to a registration whose answer was never stored (this server stopped in between).
	UPDATE mipvpn.home_addresses a SET nai = NULL, changed_at = now()
	WHERE a.nai IS NOT NULL AND a.changed_at < now() - interval '10 minutes'
	  AND NOT EXISTS (SELECT FROM mipvpn.sessions x WHERE x.nai = a.nai);
	RETURN n;
END $$;
COMMENT ON FUNCTION aaah_sessions_reap(integer) IS 'Ends sessions whose time is over, at most p_most; returns how many';

CREATE FUNCTION history_trim(p_keep interval) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	n bigint;
BEGIN
	DELETE FROM mipvpn.change_log WHERE at < now() - p_keep;
	DELETE FROM mipvpn.session_history WHERE ended_at < now() - p_keep;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION history_trim(interval) IS 'Forgets ended sessions and change notices older than p_keep; the audit stays';
