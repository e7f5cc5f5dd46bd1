-- SPDX-License-Identifier: BSD-3-Clause
-- 0011: a change reaches the sessions that run (note 16).  A row of change_log is turned into rows of live_updates, one for
-- each session that it concerns, by whichever AAAH node hears of it first; each of those is done by one node, and what became of
-- it is kept.  All of it stands in tables: nothing is lost or done twice when a server or the database is restarted.

ALTER TABLE change_log ADD COLUMN expanded_at timestamptz;
COMMENT ON COLUMN change_log.expanded_at IS 'When its sessions were looked for; NULL = not yet';
UPDATE change_log SET expanded_at = now();	-- what was before this migration is in force since the registrations after it
CREATE INDEX change_log_waiting ON change_log (id) WHERE expanded_at IS NULL;

ALTER TABLE sessions ADD COLUMN live_at timestamptz;
COMMENT ON COLUMN sessions.live_at IS 'When a change was last written into its profiles; NULL = never';

CREATE TABLE live_updates (
	session	bigint PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
	change	bigint NOT NULL DEFAULT 0,
	changed_at	timestamptz NOT NULL DEFAULT now(),
	newest_at	timestamptz NOT NULL DEFAULT now(),
	serial	bigint NOT NULL DEFAULT 1,
	sent	boolean NOT NULL DEFAULT false,
	tries	integer NOT NULL DEFAULT 0,
	next_at	timestamptz NOT NULL DEFAULT now(),
	claimed_until	timestamptz NOT NULL DEFAULT '-infinity',
	why	text NOT NULL DEFAULT ''
) WITH (fillfactor = 50);
COMMENT ON TABLE live_updates IS 'Running sessions that a change concerns and that have not been told yet; several changes of one session are one row';
COMMENT ON COLUMN live_updates.session IS 'The session';
COMMENT ON COLUMN live_updates.change IS 'Newest change (change_log.id); 0 = only to be looked at';
COMMENT ON COLUMN live_updates.changed_at IS 'When the oldest change that is not effective yet was made (start of its transaction)';
COMMENT ON COLUMN live_updates.newest_at IS 'When the newest was made';
COMMENT ON COLUMN live_updates.serial IS 'Grows with each change: who has worked on an older one has to come again';
COMMENT ON COLUMN live_updates.sent IS 'The new profiles are stored, and the gateways may have been told';
COMMENT ON COLUMN live_updates.tries IS 'How often it was begun';
COMMENT ON COLUMN live_updates.next_at IS 'Not before';
COMMENT ON COLUMN live_updates.claimed_until IS 'An AAAH node works on it; when it has not come back by then another one may';
COMMENT ON COLUMN live_updates.why IS 'Why the last try failed';
CREATE INDEX live_updates_next ON live_updates (next_at);	-- what is due

CREATE TABLE live_history (
	id	bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	change	bigint NOT NULL,
	session	bigint NOT NULL,
	nai	nai NOT NULL,
	changed_at	timestamptz NOT NULL,
	effective_at	timestamptz NOT NULL DEFAULT clock_timestamp(),
	outcome	text NOT NULL
		CONSTRAINT outcome_must_be_effective_unchanged_ended_or_given_up
		CHECK (outcome IN ('effective', 'unchanged', 'ended', 'given up')),
	tries	integer NOT NULL,
	why	text NOT NULL DEFAULT ''
);
COMMENT ON TABLE live_history IS 'What changes have done to running sessions, and when; mipvpn.history_trim() removes old ones';
COMMENT ON COLUMN live_history.id IS 'Number';
COMMENT ON COLUMN live_history.change IS 'Newest change that it covers (change_log.id); 0 = a registration had overlapped with one';
COMMENT ON COLUMN live_history.session IS 'The session';
COMMENT ON COLUMN live_history.nai IS 'The user';
COMMENT ON COLUMN live_history.changed_at IS 'When the oldest change that it covers was made (start of its transaction)';
COMMENT ON COLUMN live_history.effective_at IS 'When home agent and foreign agent had done it';
COMMENT ON COLUMN live_history.outcome IS
	'effective; unchanged: nothing of it concerned his profiles; ended: the session was; given up: why says what failed, his next registration brings it';
COMMENT ON COLUMN live_history.tries IS 'How many it took';
COMMENT ON COLUMN live_history.why IS 'Why given up or ended, or which best-effort VPN is not up';
CREATE INDEX live_history_change ON live_history (change);	-- "is my change effective"
CREATE INDEX live_history_at ON live_history USING brin (effective_at);	-- trimming

CREATE VIEW v_live AS
SELECT c.id AS change, c.at AS changed_at, c.tbl, c.key, h.nai, h.outcome, h.effective_at,
       h.effective_at - h.changed_at AS took, h.tries, h.why
FROM live_history h LEFT JOIN change_log c ON c.id = h.change
UNION ALL
SELECT c.id, c.at, c.tbl, c.key, s.nai, CASE WHEN u.claimed_until > now() THEN 'under way' ELSE 'waiting' END, NULL, NULL, u.tries, u.why
FROM live_updates u JOIN sessions s ON s.id = u.session LEFT JOIN change_log c ON c.id = u.change;
COMMENT ON VIEW v_live IS 'Which change has reached which running session, and when it became effective';
COMMENT ON COLUMN v_live.took IS 'From the start of the oldest transaction that it covers until it was effective';
GRANT SELECT ON v_live TO mipvpn_dba, mipvpn_monitor;
GRANT SELECT ON live_updates, live_history TO mipvpn_dba;

-- As in 0003; and when a row has got another key, what knows it under the old one hears of it, too.
CREATE OR REPLACE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	was	jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
	is_now	jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
	row_key	text;
	old_key	text;
	change	bigint;
BEGIN
	IF TG_OP = 'UPDATE' AND was = is_now THEN
		RETURN NULL;
	END IF;
	SELECT string_agg(coalesce(is_now, was) ->> c, ' ' ORDER BY o), string_agg(was ->> c, ' ' ORDER BY o) INTO row_key, old_key
	FROM unnest(TG_ARGV) WITH ORDINALITY AS a(c, o);
	INSERT INTO mipvpn.audit (who, program, client, tbl, key, op, before, after)
	VALUES (session_user, current_setting('application_name'), inet_client_addr(), TG_TABLE_NAME, row_key, TG_OP,
		mipvpn.audit_redact(was), mipvpn.audit_redact(is_now));
	IF old_key <> row_key THEN
		INSERT INTO mipvpn.change_log (tbl, key) VALUES (TG_TABLE_NAME, old_key);
	END IF;
	INSERT INTO mipvpn.change_log (tbl, key) VALUES (TG_TABLE_NAME, row_key) RETURNING id INTO change;
	PERFORM pg_notify('mipvpn_change', change::text);
	RETURN NULL;
END $$;

-- Too many rather than too few: whether anything is different for a session the AAAH finds out by its route decision.
CREATE FUNCTION live_sessions(p_tbl text, p_key text) RETURNS SETOF bigint LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	CASE p_tbl
	WHEN 'subscribers' THEN
		RETURN QUERY SELECT s.id FROM mipvpn.sessions s WHERE s.nai = p_key;
	WHEN 'sla_users' THEN
		RETURN QUERY SELECT s.id FROM mipvpn.sessions s WHERE s.nai = split_part(p_key, ' ', 2);
	WHEN 'vpns' THEN
		RETURN QUERY SELECT s.id FROM mipvpn.vpns v JOIN mipvpn.sessions s ON s.nai = v.nai WHERE v.number = p_key::bigint
		UNION SELECT p.session FROM mipvpn.session_profiles p WHERE p.number = p_key::bigint;
	WHEN 'slas' THEN
		RETURN QUERY SELECT s.id FROM mipvpn.sla_users l JOIN mipvpn.sessions s ON s.nai = l.nai WHERE l.sla = p_key
		UNION SELECT p.session FROM mipvpn.session_profiles p WHERE p.sla = p_key;
	WHEN 'cn_gateways' THEN
		RETURN QUERY SELECT s.id FROM mipvpn.vpns v JOIN mipvpn.sessions s ON s.nai = v.nai
			     WHERE v.destination::inet <<= p_key::inet
		UNION SELECT p.session FROM mipvpn.session_profiles p WHERE p.destination::inet <<= p_key::inet;
	WHEN 'qos_classes' THEN
		RETURN QUERY SELECT s.id FROM mipvpn.vpns v JOIN mipvpn.sessions s ON s.nai = v.nai
			     WHERE p_key IN (v.up_class, v.down_class)
		UNION SELECT s.id FROM mipvpn.slas c JOIN mipvpn.sla_users l ON l.sla = c.name JOIN mipvpn.sessions s ON s.nai = l.nai
		      WHERE p_key IN (c.up_class, c.down_class);
	ELSE	-- home agents, pools, roaming: for the next registration
		RETURN;
	END CASE;
END $$;
COMMENT ON FUNCTION live_sessions(text, text) IS 'Running sessions that a row of change_log may concern';
CREATE INDEX session_profiles_number ON session_profiles (number);	-- a VPN that is deleted
CREATE INDEX session_profiles_sla ON session_profiles (sla) WHERE sla IS NOT NULL;	-- a contract that changes

CREATE FUNCTION live_request(p_session bigint, p_change bigint, p_at timestamptz) RETURNS void LANGUAGE sql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	INSERT INTO mipvpn.live_updates AS u (session, change, changed_at, newest_at) VALUES (p_session, p_change, p_at, p_at)
	ON CONFLICT (session) DO UPDATE SET change = greatest(u.change, excluded.change), newest_at = excluded.newest_at,
		changed_at = least(u.changed_at, excluded.changed_at), serial = u.serial + 1,
		next_at = CASE WHEN u.claimed_until > now() THEN u.next_at ELSE now() END,
		tries = CASE WHEN u.claimed_until > now() THEN u.tries ELSE 0 END
$$;
COMMENT ON FUNCTION live_request(bigint, bigint, timestamptz) IS 'A session is to be told of a change';

-- Only one node at a time: two would wait for each other's rows, in different orders.  Who does not get the turn has nothing to
-- do: what the other one does not see yet has a notice of its own.
CREATE FUNCTION live_expand(p_most integer) RETURNS integer LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	c	mipvpn.change_log;
	n	integer := 0;
BEGIN
	IF NOT EXISTS (SELECT FROM mipvpn.change_log x WHERE x.expanded_at IS NULL)
	   OR NOT pg_try_advisory_xact_lock(hashtext('mipvpn.live_expand')) THEN
		RETURN 0;
	END IF;
	FOR c IN SELECT * FROM mipvpn.change_log x WHERE x.expanded_at IS NULL ORDER BY x.id LIMIT p_most LOOP
		PERFORM mipvpn.live_request(s, c.id, c.at) FROM (SELECT s FROM mipvpn.live_sessions(c.tbl, c.key) AS s ORDER BY s) AS f
		WHERE EXISTS (SELECT FROM mipvpn.sessions x WHERE x.id = s AND x.expires_at > now());
		UPDATE mipvpn.change_log x SET expanded_at = clock_timestamp() WHERE x.id = c.id;
		n := n + 1;
	END LOOP;
	RETURN n;
END $$;
COMMENT ON FUNCTION live_expand(integer) IS 'Looks for the sessions of changes that nobody has looked at yet; returns of how many changes';

CREATE FUNCTION live_claim(p_most integer) RETURNS SETOF live_updates LANGUAGE sql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	WITH due AS (
		SELECT u.session FROM mipvpn.live_updates u WHERE u.next_at <= now() AND u.claimed_until <= now()
		ORDER BY u.next_at, u.session LIMIT p_most FOR UPDATE SKIP LOCKED)
	UPDATE mipvpn.live_updates u SET claimed_until = now() + interval '30 s', tries = u.tries + 1
	FROM due WHERE u.session = due.session RETURNING u.*
$$;
COMMENT ON FUNCTION live_claim(integer) IS 'Sessions that are due, each for one node only';

CREATE FUNCTION aaah_live_take(p_most integer)
	RETURNS TABLE (session bigint, serial bigint, sent boolean, tries integer, nai text, home_agent inet, ha_session text, ha_host text,
		ha_realm text, fa_session text, fa_host text, fa_realm text, fa_address inet, fa_ended boolean)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	PERFORM mipvpn.live_expand(500);
	RETURN QUERY
	SELECT u.session, u.serial, u.sent, u.tries, s.nai::text, s.home_agent::inet, s.ha_session, s.ha_host::text, s.ha_realm::text,
	       s.fa_session, s.fa_host::text, s.fa_realm::text, s.fa_address::inet, s.fa_ended
	FROM mipvpn.live_claim(p_most) u JOIN mipvpn.sessions s ON s.id = u.session;
END $$;
COMMENT ON FUNCTION aaah_live_take(integer) IS 'What this node is to do about running sessions, at most p_most; they are its own for half a minute';

CREATE FUNCTION aaah_live_put(p_session bigint, p_fa_session text, p_profiles jsonb) RETURNS boolean
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	UPDATE mipvpn.sessions s SET live_at = clock_timestamp() WHERE s.id = p_session AND s.fa_session = p_fa_session;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	DELETE FROM mipvpn.session_profiles WHERE session = p_session;
	INSERT INTO mipvpn.session_profiles (session, position, number, source, destination, tos_up, tos_down, security,
		source_gateway, destination_gateway, destination_kind, spi_up, spi_down, enc_key, auth_key, required,
		esp_proposal, sla, bu_key, bu_context)
	SELECT p_session, f.position, f.number, f.source, f.destination, f.tos_up, f.tos_down, f.security, f.source_gateway,
	       f.destination_gateway, f.destination_kind, f.spi_up, f.spi_down, f.enc_key, f.auth_key, f.required,
	       coalesce(f.esp_proposal, ''), f.sla, f.bu_key, f.bu_context
	FROM jsonb_populate_recordset(NULL::mipvpn.session_profiles, p_profiles) AS f;
	UPDATE mipvpn.live_updates SET sent = true WHERE session = p_session;
	RETURN true;
END $$;
COMMENT ON FUNCTION aaah_live_put(bigint, text, jsonb) IS
	'Another set of profiles for a session, before its gateways hear of it; false = the user has registered again since';

CREATE FUNCTION aaah_live_done(p_session bigint, p_serial bigint, p_outcome text, p_why text) RETURNS void
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	s	mipvpn.sessions;
BEGIN
	INSERT INTO mipvpn.live_history (change, session, nai, changed_at, outcome, tries, why)
	SELECT u.change, u.session, x.nai, u.changed_at, p_outcome, u.tries, p_why
	FROM mipvpn.live_updates u JOIN mipvpn.sessions x ON x.id = u.session
	WHERE u.session = p_session AND (u.serial = p_serial OR p_outcome = 'ended');
	DELETE FROM mipvpn.live_updates WHERE session = p_session AND serial = p_serial;
	UPDATE mipvpn.live_updates SET claimed_until = '-infinity', next_at = now(), tries = 0, sent = false
	WHERE session = p_session;	-- it has changed again meanwhile: its row of the history will cover both
	IF p_outcome = 'ended' THEN
		SELECT x.* INTO s FROM mipvpn.sessions x WHERE x.id = p_session FOR UPDATE;
		IF FOUND THEN
			PERFORM mipvpn.session_close(s, 'administrative');
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION aaah_live_done(bigint, bigint, text, text) IS 'What became of it; ended: the session is over, too';

CREATE FUNCTION aaah_live_later(p_session bigint, p_wait_ms integer, p_why text) RETURNS void
	LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	UPDATE mipvpn.live_updates SET claimed_until = '-infinity', why = p_why,
		next_at = now() + make_interval(secs => p_wait_ms / 1000.0)
	WHERE session = p_session
$$;
COMMENT ON FUNCTION aaah_live_later(bigint, integer, text) IS 'It has failed: to be tried again';

-- A registration is stored; it had read the policy age_ms before.  When there was a change in between (recheck), or another set was
-- written into this very session, nobody knows which one the gateways have heard last: it is looked at once more.
CREATE FUNCTION aaah_session_keep(p jsonb) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	sid	bigint := mipvpn.aaah_session_put(p);
BEGIN
	IF coalesce((p ->> 'recheck')::boolean, false) OR EXISTS (
		SELECT FROM mipvpn.sessions s WHERE s.id = sid
		AND s.live_at > clock_timestamp() - make_interval(secs => (p ->> 'age_ms')::float8 / 1000 + 0.1)) THEN
		PERFORM mipvpn.live_request(sid, 0, now());
		UPDATE mipvpn.live_updates u SET sent = true WHERE u.session = sid;	-- what stands is to be said again
	END IF;
	RETURN sid;
END $$;
COMMENT ON FUNCTION aaah_session_keep(jsonb) IS 'aaah_session_put(), and a second look when it overlapped with a change';

CREATE OR REPLACE FUNCTION history_trim(p_keep interval) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	n bigint;
BEGIN
	DELETE FROM mipvpn.change_log WHERE at < now() - p_keep AND expanded_at IS NOT NULL;
	DELETE FROM mipvpn.live_history WHERE effective_at < now() - p_keep;
	DELETE FROM mipvpn.session_history WHERE ended_at < now() - p_keep;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

REVOKE ALL ON FUNCTION live_sessions(text, text), live_request(bigint, bigint, timestamptz), live_expand(integer), live_claim(integer),
	aaah_live_take(integer), aaah_live_put(bigint, text, jsonb), aaah_live_done(bigint, bigint, text, text),
	aaah_live_later(bigint, integer, text), aaah_session_keep(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION aaah_live_take(integer), aaah_live_put(bigint, text, jsonb), aaah_live_done(bigint, bigint, text, text),
	aaah_live_later(bigint, integer, text), aaah_session_keep(jsonb) TO mipvpn_aaah;
