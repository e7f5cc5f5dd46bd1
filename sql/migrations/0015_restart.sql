-- SPDX-License-Identifier: BSD-3-Clause
-- 0015: the database is restarted in the middle of registrations (B3).  mipvpn_aaah commits without waiting for the disk, so a
-- crash forgets the last moments; and of what was under way nobody knows whether it was done.  The server has both in its
-- memory and says it once more when the database is back, before anything else.

CREATE FUNCTION aaah_session_again(p jsonb, p_ago_ms bigint) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	who	text := p ->> 'nai';
	hoa	inet := (p ->> 'home_address')::inet;
	granted	timestamptz := clock_timestamp() - make_interval(secs => p_ago_ms / 1000.0);
	until	timestamptz := granted + make_interval(secs => (p ->> 'lasting_s')::float8);
BEGIN
	IF until <= clock_timestamp()
	   OR EXISTS (SELECT FROM mipvpn.sessions s WHERE s.nai = who
		      AND (s.fa_session = p ->> 'fa_session' OR s.authorized_at > granted))
	   OR EXISTS (SELECT FROM mipvpn.session_history h WHERE h.nai = who AND h.ended_at > granted AND h.reason <> 'replaced') THEN
		RETURN false;
	END IF;
	-- What has changed meanwhile has not found this session.
	IF mipvpn.aaah_session_keep(p || '{"recheck": true}') IS NULL THEN
		RETURN false;
	END IF;
	UPDATE mipvpn.sessions s SET authorized_at = granted, expires_at = until, started_at = least(s.started_at, granted)
	WHERE s.nai = who;
	-- That his address was given out is forgotten, too.  Whoever has got it since is refused by the home agent.
	UPDATE mipvpn.home_addresses a SET nai = NULL, changed_at = now() WHERE a.nai = who AND a.address <> hoa;
	UPDATE mipvpn.home_addresses a SET nai = who, last_nai = who, changed_at = now()
	WHERE a.address = hoa AND a.nai IS DISTINCT FROM who
	  AND NOT EXISTS (SELECT FROM mipvpn.sessions s WHERE s.nai = a.nai);
	RETURN true;
END $$;
COMMENT ON FUNCTION aaah_session_again(jsonb, bigint) IS
	'aaah_session_keep() of a session that was granted p_ago_ms before, unless it is known, another one has taken its place, or it has ended since';

CREATE FUNCTION aaah_session_end_again(p_session text, p_origin text, p_realm text, p_all boolean, p_reason text, p_ago_ms bigint)
	RETURNS TABLE (nai text, side text, ended boolean, other_session text, other_host text, other_realm text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	sid	bigint := (SELECT x.id FROM mipvpn.sessions x WHERE x.ha_session = p_session OR x.fa_session = p_session);
BEGIN
	RETURN QUERY SELECT * FROM mipvpn.aaah_session_end(p_session, p_origin, p_realm, p_all, p_reason);
	-- Not later than what was stored after it.
	UPDATE mipvpn.session_history h SET ended_at = greatest(h.started_at, clock_timestamp() - make_interval(secs => p_ago_ms / 1000.0))
	WHERE h.id = sid;
END $$;
COMMENT ON FUNCTION aaah_session_end_again(text, text, text, boolean, text, bigint) IS
	'aaah_session_end() of a session that has ended p_ago_ms before; no row when it was known';

-- With the database all connections have ended: nobody comes back to what he had taken before.
CREATE FUNCTION aaah_live_restarted() RETURNS void
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	UPDATE mipvpn.live_updates SET claimed_until = '-infinity'
	WHERE claimed_until > now() AND claimed_until - interval '30 s' < pg_postmaster_start_time()
$$;
COMMENT ON FUNCTION aaah_live_restarted() IS 'Claims of sessions that were made before the database was restarted are over';

REVOKE ALL ON FUNCTION aaah_session_again(jsonb, bigint),
	aaah_session_end_again(text, text, text, boolean, text, bigint), aaah_live_restarted() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION aaah_session_again(jsonb, bigint),
	aaah_session_end_again(text, text, text, boolean, text, bigint), aaah_live_restarted() TO mipvpn_aaah;
