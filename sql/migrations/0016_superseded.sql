-- SPDX-License-Identifier: BSD-3-Clause
-- 0016: two registrations of one user under way at once.  The home agent goes by the time stamp in the request
-- (Identification); its answers reach the servers in any order, and each of them stores what it has been told.  So it is
-- the table that says which one is the later, whichever server it is that comes last.

ALTER TABLE sessions ADD COLUMN asked_at timestamptz;
COMMENT ON COLUMN sessions.asked_at IS 'When the user asked for it, by the clock of the mobile node: the Identification of the request';

-- As in 0007, but one at a time for each user, and an older one changes nothing.
CREATE OR REPLACE FUNCTION aaah_session_put(p jsonb) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	n	mipvpn.sessions := jsonb_populate_record(NULL::mipvpn.sessions, p - 'profiles');
	sid	bigint;
	lasting	interval := make_interval(secs => (p ->> 'lasting_s')::float8);
	asked	timestamptz := to_timestamp((p ->> 'asked_ms')::float8 / 1000);
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('mipvpn session ' || lower(n.nai::text), 0));
	IF EXISTS (SELECT FROM mipvpn.sessions s
		   WHERE s.nai = n.nai AND s.asked_at > asked AND s.expires_at > now()
		   -- two at a time: that one was stored after this one had begun
		   AND s.authorized_at > clock_timestamp() - make_interval(secs => (p ->> 'age_ms')::float8 / 1000)) THEN
		RETURN NULL;
	END IF;
	PERFORM mipvpn.session_close(s, 'replaced') FROM mipvpn.sessions s
	WHERE s.nai = n.nai AND s.ha_session <> n.ha_session;
	INSERT INTO mipvpn.sessions AS s (nai, home_address, home_agent, ha_session, ha_host, ha_realm, fa_session, fa_host,
		fa_realm, fa_address, multi_session, handoff_key, asked_at, expires_at)
	VALUES (n.nai, n.home_address, n.home_agent, n.ha_session, n.ha_host, n.ha_realm, n.fa_session, n.fa_host,
		n.fa_realm, n.fa_address, n.multi_session, n.handoff_key, asked, now() + lasting)
	ON CONFLICT (nai) DO UPDATE SET
		previous_fa = CASE WHEN s.fa_address <> excluded.fa_address THEN s.fa_address ELSE s.previous_fa END,
		home_address = excluded.home_address, home_agent = excluded.home_agent, ha_host = excluded.ha_host,
		ha_realm = excluded.ha_realm, fa_session = excluded.fa_session, fa_host = excluded.fa_host,
		fa_realm = excluded.fa_realm, fa_address = excluded.fa_address, fa_ended = false,
		multi_session = excluded.multi_session, handoff_key = excluded.handoff_key, asked_at = excluded.asked_at,
		authorized_at = clock_timestamp(), expires_at = excluded.expires_at
	RETURNING s.id INTO sid;
	DELETE FROM mipvpn.session_profiles WHERE session = sid;
	INSERT INTO mipvpn.session_profiles
	SELECT f.* FROM jsonb_populate_recordset(jsonb_populate_record(NULL::mipvpn.session_profiles,
		jsonb_build_object('session', sid, 'esp_proposal', '')), jsonb_strip_nulls(p -> 'profiles')) AS f;
	RETURN sid;
END $$;
COMMENT ON FUNCTION aaah_session_put(jsonb) IS
	'Stores or rewrites a session with its cached profiles; NULL = that of a later request has been stored meanwhile';
COMMENT ON FUNCTION aaah_session_keep(jsonb) IS
	'aaah_session_put(), and a second look when it overlapped with a change; NULL as there';
