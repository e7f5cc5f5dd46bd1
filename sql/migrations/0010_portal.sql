-- SPDX-License-Identifier: BSD-3-Clause
-- 0010: the service page (A5, A6, F7, G2).  The role mipvpn_portal reads no table; the functions that are granted at the end
-- are all that it can do.  Each but the sign-in takes the token of a session and acts on that subscriber's rows only.
--
-- Passwords: mipvpn-webd computes yescrypt with the setting that portal_sign_in_begin() gives, and the database compares.
-- No function hands a hash out, and what the database keeps is SHA-256 of the hash: a dump opens no account, not even for
-- somebody who can call these functions.

-- Which classes a user may choose -----------------------------------------------------------------------------------------

ALTER TABLE qos_classes ADD COLUMN selectable boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN qos_classes.selectable IS 'true: users may choose it on the service page; the DBA may always';
UPDATE qos_classes SET selectable = false WHERE name IN ('CS2', 'CS6');	-- the network's own

-- Accounts, sessions, attempts --------------------------------------------------------------------------------------------

CREATE TABLE portal_accounts (
	nai	nai PRIMARY KEY REFERENCES subscribers ON UPDATE CASCADE ON DELETE CASCADE,
	setting	text COLLATE "C" NOT NULL
		CONSTRAINT setting_must_be_of_yescrypt CHECK (setting ~ '^\$y\$[./0-9A-Za-z]{3,8}\$[./0-9A-Za-z]{1,86}$'),
	verifier	bytea NOT NULL
		CONSTRAINT verifier_must_be_a_sha256 CHECK (octet_length(verifier) = 32),
	changed_at	timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE portal_accounts IS 'Who may sign in on the service page; made by portal_set_password()';
COMMENT ON COLUMN portal_accounts.nai IS 'The user';
COMMENT ON COLUMN portal_accounts.setting IS 'yescrypt''s parameters and salt';
COMMENT ON COLUMN portal_accounts.verifier IS 'SHA-256 of the yescrypt hash';
COMMENT ON COLUMN portal_accounts.changed_at IS 'When the password was set';

CREATE TABLE portal_sessions (
	token	bytea PRIMARY KEY CONSTRAINT token_must_be_a_sha256 CHECK (octet_length(token) = 32),
	nai	nai NOT NULL REFERENCES portal_accounts ON UPDATE CASCADE ON DELETE CASCADE,
	created_at	timestamptz NOT NULL DEFAULT now(),
	seen_at	timestamptz NOT NULL DEFAULT now(),
	idle	interval NOT NULL,
	ends_at	timestamptz NOT NULL
);
COMMENT ON TABLE portal_sessions IS 'Who is signed in on the service page';
COMMENT ON COLUMN portal_sessions.token IS 'SHA-256 of what mipvpn-webd sends, which is SHA-256 of the cookie: a dump is no way in';
COMMENT ON COLUMN portal_sessions.nai IS 'Whose';
COMMENT ON COLUMN portal_sessions.created_at IS 'Sign-in';
COMMENT ON COLUMN portal_sessions.seen_at IS 'Last request, to 30 s';
COMMENT ON COLUMN portal_sessions.idle IS 'It ends when nothing was asked for so long';
COMMENT ON COLUMN portal_sessions.ends_at IS 'It ends then, whatever happens';
CREATE INDEX portal_sessions_nai ON portal_sessions (nai, created_at);
CREATE INDEX portal_sessions_ends ON portal_sessions (ends_at);	-- clearing away

-- Bounded: 65536 rows of each kind.  Two subjects that share a row are as rare as they are harmless.
CREATE UNLOGGED TABLE portal_limits (
	kind	text NOT NULL CONSTRAINT kind_must_be_account_or_address CHECK (kind IN ('account', 'address')),
	bucket	integer NOT NULL,
	failures	integer NOT NULL,
	since	timestamptz NOT NULL,
	PRIMARY KEY (kind, bucket)
);
COMMENT ON TABLE portal_limits IS 'Failed sign-ins of the last quarter of an hour, by account and by address';
COMMENT ON COLUMN portal_limits.kind IS 'account or address';
COMMENT ON COLUMN portal_limits.bucket IS 'Keyed digest of the NAI or address, 16 bits';
COMMENT ON COLUMN portal_limits.failures IS 'Attempts since then that did not succeed (yet)';
COMMENT ON COLUMN portal_limits.since IS 'First of them';

CREATE UNLOGGED TABLE portal_attempts (
	id	uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	nai	text NOT NULL,
	address_bucket	integer NOT NULL,
	at	timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE portal_attempts IS 'Sign-ins under way: one guess each, within a minute; at most 1000';
COMMENT ON COLUMN portal_attempts.id IS 'What portal_sign_in_finish() takes';
COMMENT ON COLUMN portal_attempts.nai IS 'Who was claimed; may not exist';
COMMENT ON COLUMN portal_attempts.address_bucket IS 'portal_limits.bucket of the address';
COMMENT ON COLUMN portal_attempts.at IS 'When';
CREATE INDEX portal_attempts_at ON portal_attempts (at);

CREATE TABLE portal_secret (
	one	boolean PRIMARY KEY DEFAULT true CONSTRAINT one_row_only CHECK (one),
	secret	bytea NOT NULL
);
COMMENT ON TABLE portal_secret IS 'One random value: what salt an account has that does not exist, and who shares a row of portal_limits';
COMMENT ON COLUMN portal_secret.one IS 'There is one row';
COMMENT ON COLUMN portal_secret.secret IS '32 random bytes';
INSERT INTO portal_secret (secret) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- SPIs of VPNs that are made on the page: above those that people write.
CREATE SEQUENCE portal_spi AS bigint INCREMENT 2 MINVALUE 1048576 MAXVALUE 4294967294 CYCLE;
COMMENT ON SEQUENCE portal_spi IS 'SPIs, two at a time, of VPNs that users choose on the service page';
CREATE INDEX vpns_up_spi ON vpns (up_spi);	-- is it free?
CREATE INDEX vpns_down_spi ON vpns (down_spi);

-- Audit: the user, not the program's role ---------------------------------------------------------------------------------

-- The portal's functions say for whom they act; only the portal's role is believed.
CREATE FUNCTION portal_audit_who() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	NEW.who := coalesce(nullif(current_setting('mipvpn.acting_for', true), ''), NEW.who);
	RETURN NEW;
END $$;
COMMENT ON FUNCTION portal_audit_who() IS 'A change on the service page is the user''s';
CREATE TRIGGER portal_who BEFORE INSERT ON audit FOR EACH ROW WHEN (session_user = 'mipvpn_portal')
	EXECUTE FUNCTION portal_audit_who();
COMMENT ON COLUMN audit.who IS 'Database user that logged in (session_user); for a change on the service page the user''s NAI';

-- As audit_change(), without the password's parts and without a notice: no program keeps accounts in memory.
CREATE FUNCTION portal_account_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	INSERT INTO mipvpn.audit (who, program, client, tbl, key, op, before, after)
	VALUES (session_user, current_setting('application_name'), inet_client_addr(), TG_TABLE_NAME,
		CASE TG_OP WHEN 'DELETE' THEN OLD.nai ELSE NEW.nai END, TG_OP,
		CASE WHEN TG_OP <> 'INSERT' THEN jsonb_build_object('nai', OLD.nai, 'changed_at', OLD.changed_at) END,
		CASE WHEN TG_OP <> 'DELETE' THEN jsonb_build_object('nai', NEW.nai, 'changed_at', NEW.changed_at) END);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION portal_account_audit() IS 'Whose password was set by whom, and nothing of the password';
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON portal_accounts
	FOR EACH ROW EXECUTE FUNCTION portal_account_audit();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON portal_accounts EXECUTE FUNCTION audit_truncate();

-- Sign in -----------------------------------------------------------------------------------------------------------------

CREATE FUNCTION portal_schema_version() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT max(version) FROM mipvpn.schema_version
$$;
COMMENT ON FUNCTION portal_schema_version() IS 'Version of the schema; mipvpn-webd refuses one that is too old for it';

-- People write their realm as they like, and blanks around it.
CREATE FUNCTION portal_nai(p_nai text) RETURNS text LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT CASE WHEN n LIKE '%@%' THEN substring(n FROM '^(.*)@') || '@' || lower(substring(n FROM '@([^@]*)$')) ELSE n END
	FROM left(btrim(p_nai), 300) AS n
$$;
COMMENT ON FUNCTION portal_nai(text) IS 'A NAI as it stands in subscribers, of what somebody typed';

CREATE FUNCTION portal_bucket(p_kind text, p_subject text) RETURNS integer LANGUAGE sql STABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT get_byte(d, 0) * 256 + get_byte(d, 1)
	FROM mipvpn.portal_secret s, sha256(s.secret || convert_to(p_kind || ' ' || p_subject, 'UTF8')) AS d
$$;
COMMENT ON FUNCTION portal_bucket(text, text) IS 'Which row of portal_limits counts for an account or an address';

-- A client has one IPv4 address, or 2^64 of IPv6.
CREATE FUNCTION portal_address_bucket(p_address inet) RETURNS integer LANGUAGE sql STABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT mipvpn.portal_bucket('address',
		CASE family(p_address) WHEN 6 THEN network(set_masklen(p_address, 64))::text ELSE host(p_address) END)
$$;
COMMENT ON FUNCTION portal_address_bucket(inet) IS 'Which row of portal_limits counts for an address; IPv6: for its /64';

-- Counts one attempt; 0, or for how many seconds there were enough of them.
CREATE FUNCTION portal_limit_add(p_kind text, p_bucket integer, p_most integer) RETURNS integer LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	l	mipvpn.portal_limits;
	span	CONSTANT interval := '15 minutes';
BEGIN
	INSERT INTO mipvpn.portal_limits AS x VALUES (p_kind, p_bucket, 1, now())
	ON CONFLICT (kind, bucket) DO UPDATE SET
		failures = CASE WHEN x.since < now() - span THEN 1 ELSE least(x.failures + 1, 1000000) END,
		since = CASE WHEN x.since < now() - span THEN now() ELSE x.since END
	RETURNING x.* INTO l;
	RETURN CASE WHEN l.failures > p_most THEN ceil(extract(epoch FROM l.since + span - now()))::integer ELSE 0 END;
END $$;
COMMENT ON FUNCTION portal_limit_add(text, integer, integer) IS 'Counts an attempt; returns the seconds to wait, 0 = go on';

-- An account that does not exist has a salt all the same, always the same one, and costs the same time.
CREATE FUNCTION portal_setting(p_nai text) RETURNS text LANGUAGE sql STABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT coalesce((SELECT a.setting FROM mipvpn.portal_accounts a WHERE a.nai = p_nai),
		coalesce((SELECT substring(a.setting FROM '^\$y\$[^$]*\$') FROM mipvpn.portal_accounts a
			  ORDER BY a.changed_at DESC LIMIT 1), '$y$j9T$')
		|| left(translate(encode(d, 'base64'), '+/=' || chr(10), './'), 21) || substr('./01', get_byte(d, 31) % 4 + 1, 1))
	FROM mipvpn.portal_secret s, sha256(s.secret || convert_to('salt ' || p_nai, 'UTF8')) AS d
$$;
COMMENT ON FUNCTION portal_setting(text) IS 'yescrypt''s parameters and salt of an account, made up when there is none';

-- First half.  Every attempt counts as failed until the second half has said otherwise, so that many at once count too.
CREATE FUNCTION portal_sign_in_begin(p_nai text, p_address inet)
	RETURNS TABLE (outcome text, attempt uuid, setting text, wait_s integer)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	who	text := mipvpn.portal_nai(p_nai);
	source	integer := mipvpn.portal_address_bucket(p_address);
	wait	integer;
	made	uuid;
BEGIN
	DELETE FROM mipvpn.portal_attempts WHERE at < clock_timestamp() - interval '1 minute';
	IF (SELECT count(*) FROM mipvpn.portal_attempts) >= 1000 THEN
		RETURN QUERY SELECT 'busy', NULL::uuid, NULL::text, 10;
		RETURN;
	END IF;
	wait := mipvpn.portal_limit_add('address', source, 40);	-- first: who is refused here must not lock an account
	IF wait > 0 THEN
		RETURN QUERY SELECT 'address', NULL::uuid, NULL::text, wait;
		RETURN;
	END IF;
	wait := mipvpn.portal_limit_add('account', mipvpn.portal_bucket('account', who), 10);
	IF wait > 0 THEN
		RETURN QUERY SELECT 'account', NULL::uuid, NULL::text, wait;
		RETURN;
	END IF;
	INSERT INTO mipvpn.portal_attempts (nai, address_bucket) VALUES (who, source) RETURNING id INTO made;
	RETURN QUERY SELECT 'ok', made, mipvpn.portal_setting(who), 0;
END $$;
COMMENT ON FUNCTION portal_sign_in_begin(text, inet) IS
	'Begins a sign-in: ok and how to hash, or which limit (address, account, busy) and the seconds to wait';

-- Second half: the hash that crypt(3) made.  Says ok, wrong (one word for all reasons), or stale.
CREATE FUNCTION portal_sign_in_finish(p_attempt uuid, p_hash text, p_token bytea, p_idle_s integer, p_most_s integer)
	RETURNS TABLE (outcome text, nai text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	t	mipvpn.portal_attempts;
	who	mipvpn.nai;
BEGIN
	DELETE FROM mipvpn.portal_attempts a WHERE a.id = p_attempt AND a.at > clock_timestamp() - interval '1 minute'
	RETURNING a.* INTO t;
	IF NOT FOUND THEN
		RETURN QUERY SELECT 'stale', ''::text;
		RETURN;
	END IF;
	SELECT a.nai INTO who FROM mipvpn.portal_accounts a
	WHERE a.nai = t.nai AND a.verifier = sha256(convert_to(p_hash, 'UTF8'));
	IF NOT FOUND THEN
		RETURN QUERY SELECT 'wrong', t.nai;
		RETURN;
	END IF;
	UPDATE mipvpn.portal_limits l SET failures = greatest(l.failures - 1, 0)
	WHERE l.kind = 'address' AND l.bucket = t.address_bucket;
	DELETE FROM mipvpn.portal_limits l WHERE l.kind = 'account' AND l.bucket = mipvpn.portal_bucket('account', t.nai);
	DELETE FROM mipvpn.portal_sessions s WHERE s.ends_at < now();
	DELETE FROM mipvpn.portal_sessions s WHERE s.token IN
		(SELECT x.token FROM mipvpn.portal_sessions x WHERE x.nai = who ORDER BY x.created_at DESC OFFSET 9);
	INSERT INTO mipvpn.portal_sessions (token, nai, idle, ends_at)
	VALUES (sha256(p_token), who, make_interval(secs => least(greatest(p_idle_s, 30), 86400)),
		now() + make_interval(secs => least(greatest(p_most_s, 60), 604800)));
	RETURN QUERY SELECT 'ok', who::text;
END $$;
COMMENT ON FUNCTION portal_sign_in_finish(uuid, text, bytea, integer, integer) IS
	'Ends a sign-in: ok and a new session (at most ten for each user), wrong, or stale (later than a minute, or a second guess)';

CREATE FUNCTION portal_sign_out(p_token bytea) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	DELETE FROM mipvpn.portal_sessions WHERE token = sha256(p_token);
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION portal_sign_out(bytea) IS 'Ends a session; false = there was none';

-- Whose token this is; NULL = nobody's.  All that follows stands on it.
CREATE FUNCTION portal_who(p_token bytea) RETURNS nai LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	s	mipvpn.portal_sessions;
BEGIN
	PERFORM set_config('mipvpn.acting_for', '', true);
	SELECT x.* INTO s FROM mipvpn.portal_sessions x
	WHERE x.token = sha256(p_token) AND x.ends_at > now() AND x.seen_at + x.idle > now();
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	IF s.seen_at < now() - interval '30 seconds' THEN
		UPDATE mipvpn.portal_sessions x SET seen_at = now() WHERE x.token = s.token;
	END IF;
	PERFORM set_config('mipvpn.acting_for', s.nai, true);
	RETURN s.nai;
END $$;
COMMENT ON FUNCTION portal_who(bytea) IS 'The user of a session, who is from here on the author of changes; NULL = no such session';

-- What a user sees --------------------------------------------------------------------------------------------------------

CREATE FUNCTION portal_visit(p_token bytea)
	RETURNS TABLE (nai text, enabled boolean, online boolean, home_address text, visited text, since_s integer, left_s integer)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT u.nai::text, u.enabled, s.id IS NOT NULL, coalesce(host(s.home_address), ''), coalesce(s.fa_realm, ''),
	       coalesce(extract(epoch FROM now() - s.started_at), 0)::integer,
	       coalesce(extract(epoch FROM s.expires_at - now()), 0)::integer
	FROM mipvpn.portal_who(p_token) AS me
	JOIN mipvpn.subscribers u ON u.nai = me
	LEFT JOIN mipvpn.sessions s ON s.nai = u.nai AND s.expires_at > now();
END $$;
COMMENT ON FUNCTION portal_visit(bytea) IS 'The user of a session, and whether his terminal is registered; no row = nobody is signed in';

-- Why a user does not get a VPN to a destination, in words for him; '' = he does.  The same rules as v_user_vpns.
CREATE FUNCTION portal_objection(p_nai text, p_destination inet) RETURNS text LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	g	mipvpn.cn_gateways;
	c	mipvpn.slas;
	home	inet := (SELECT coalesce(s.home_address::inet, u.home_address::inet) FROM mipvpn.subscribers u
			 LEFT JOIN mipvpn.sessions s ON s.nai = u.nai AND s.expires_at > now() WHERE u.nai = p_nai);
BEGIN
	SELECT x.* INTO g FROM mipvpn.cn_gateway(p_destination) AS x;
	IF NOT FOUND THEN
		RETURN 'no gateway leads there';
	ELSIF g.sla IS NULL THEN
		RETURN '';	-- a proxy correspondent node that needs no contract
	END IF;
	SELECT x.* INTO c FROM mipvpn.slas x WHERE x.name = g.sla;
	RETURN CASE WHEN NOT EXISTS (SELECT FROM mipvpn.sla_users l WHERE l.sla = c.name AND l.nai = p_nai)
		THEN 'you are not on the list of its contract'
		WHEN NOT c.enabled THEN 'its contract is suspended'
		WHEN NOT now() <@ c.valid THEN 'its contract is not valid now'
		WHEN NOT p_destination <<= c.domain THEN 'it is outside of its contract'
		WHEN g.kind = 'static' AND home IS NOT NULL AND NOT home <<= c.home_selector
		THEN 'your home address is outside of its contract'
		ELSE '' END;
END $$;
COMMENT ON FUNCTION portal_objection(text, inet) IS 'Why a user does not get a VPN to a destination; empty = he does';

-- VPNs of a user as they are wanted, and what is of them in his session.  state:
--   on         the session has it, with these settings        changing   the session has it with other settings
--   waiting    the session does not have it yet               offline    the terminal is not registered
--   refused    no contract allows it (objection says why)     stopped    the provider has switched it off
--   leaving    no longer wanted, the session still has it     suspended  the user is switched off
CREATE FUNCTION portal_states(p_nai text)
	RETURNS TABLE (number bigint, destination text, name text, up_class text, down_class text, up_default text,
		down_default text, security text, state text, objection text, in_session boolean)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY
	WITH me AS (SELECT u.nai, u.enabled, s.id FROM mipvpn.subscribers u
		    LEFT JOIN mipvpn.sessions s ON s.nai = u.nai AND s.expires_at > now() WHERE u.nai = p_nai),
	live AS (SELECT p.number, min(p.destination::inet) AS destination, min(p.tos_up) AS up, min(p.tos_down) AS down,
			min(p.security) AS security
		 FROM mipvpn.session_profiles p JOIN me ON p.session = me.id GROUP BY p.number)
	SELECT coalesce(v.number, l.number), coalesce(v.destination, l.destination::cidr)::text,
	       coalesce(nullif(v.description, ''), nullif(c.description, ''), ''), coalesce(v.up_class, ''),
	       coalesce(v.down_class, ''), coalesce(c.up_class, '0'), coalesce(c.down_class, '0'), coalesce(v.security, t.name),
	       CASE WHEN v.number IS NULL THEN 'leaving'
		    WHEN NOT me.enabled THEN 'suspended'
		    WHEN NOT v.enabled THEN 'stopped'
		    WHEN o.why <> '' THEN 'refused'
		    WHEN me.id IS NULL THEN 'offline'
		    WHEN l.number IS NULL THEN 'waiting'
		    WHEN l.destination = v.destination::inet AND l.security = w.number
			 AND l.up = coalesce(up.dscp, 0) * 4 AND l.down = coalesce(down.dscp, 0) * 4 THEN 'on'
		    ELSE 'changing' END,
	       coalesce(o.why, ''), l.number IS NOT NULL
	FROM me
	CROSS JOIN (SELECT x.* FROM mipvpn.vpns x WHERE x.nai = p_nai) v
	FULL JOIN live l ON l.number = v.number
	LEFT JOIN LATERAL mipvpn.portal_objection(p_nai, v.destination::inet) AS o(why) ON v.number IS NOT NULL
	LEFT JOIN LATERAL (SELECT x.sla FROM mipvpn.cn_gateway(coalesce(v.destination::inet, l.destination)) AS x) g ON true
	LEFT JOIN mipvpn.slas c ON c.name = g.sla
	LEFT JOIN mipvpn.security_types t ON t.number = l.security
	LEFT JOIN mipvpn.security_types w ON w.name = v.security
	LEFT JOIN mipvpn.qos_classes up ON up.name = coalesce(v.up_class, c.up_class)
	LEFT JOIN mipvpn.qos_classes down ON down.name = coalesce(v.down_class, c.down_class)
	ORDER BY 2, 1;
END $$;
COMMENT ON FUNCTION portal_states(text) IS 'VPNs of a user with their live state; class empty = the contract''s, which *_default names';

CREATE FUNCTION portal_vpns(p_token bytea)
	RETURNS TABLE (number bigint, destination text, name text, up_class text, down_class text, up_default text,
		down_default text, security text, state text, objection text, in_session boolean)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT s.* FROM mipvpn.portal_who(p_token) AS me, mipvpn.portal_states(me) AS s WHERE me IS NOT NULL;
END $$;
COMMENT ON FUNCTION portal_vpns(bytea) IS 'The user''s own VPNs with their live state (portal_states)';

CREATE FUNCTION portal_settled(p_token bytea) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN NOT EXISTS (SELECT FROM mipvpn.portal_who(p_token) AS me, mipvpn.portal_states(me) AS s
			   WHERE s.state IN ('waiting', 'changing', 'leaving'));
END $$;
COMMENT ON FUNCTION portal_settled(bytea) IS 'Is the user''s session as he wants it, or is something still to come?';

CREATE FUNCTION portal_networks(p_token bytea)
	RETURNS TABLE (network text, name text, contract text, chosen boolean)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT n.network::cidr::text, coalesce(nullif(c.description, ''), nullif(g.description, ''), g.sla, ''),
	       coalesce(c.name, '')::text,
	       EXISTS (SELECT FROM mipvpn.vpns v WHERE v.nai = me AND v.destination::inet = n.network)
	FROM mipvpn.portal_who(p_token) AS me
	CROSS JOIN mipvpn.cn_gateways g
	LEFT JOIN mipvpn.slas c ON c.name = g.sla
	CROSS JOIN LATERAL (SELECT CASE WHEN c.domain::inet << g.prefix::inet THEN c.domain::inet ELSE g.prefix::inet END
			    AS network) n
	WHERE me IS NOT NULL
	  AND (g.sla IS NULL OR EXISTS (SELECT FROM mipvpn.sla_users l WHERE l.sla = g.sla AND l.nai = me))
	  AND mipvpn.portal_objection(me, n.network) = ''
	ORDER BY 2, n.network LIMIT 1000;
END $$;
COMMENT ON FUNCTION portal_networks(bytea) IS 'Where the user may have VPNs to, each network or any part of it; at most 1000';

CREATE FUNCTION portal_classes(p_token bytea) RETURNS TABLE (name text, description text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT q.name::text, q.description FROM mipvpn.portal_who(p_token) AS me, mipvpn.qos_classes q
	WHERE me IS NOT NULL AND q.selectable ORDER BY q.dscp, q.name;
END $$;
COMMENT ON FUNCTION portal_classes(bytea) IS 'QoS classes that a user may choose';

-- What a user changes -----------------------------------------------------------------------------------------------------
-- Each answers with one word: ok, or why not.

-- '' = the rest may go on.  p_had: a class that the VPN has already may stay, whoever gave it.
CREATE FUNCTION portal_class_check(p_class text, p_had text) RETURNS boolean LANGUAGE sql STABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT p_class = '' OR p_class IS NOT DISTINCT FROM p_had
		OR EXISTS (SELECT FROM mipvpn.qos_classes q WHERE q.name = p_class AND q.selectable)
$$;
COMMENT ON FUNCTION portal_class_check(text, text) IS 'May a user choose this class? Empty = the contract''s; what a VPN has it may keep';

-- Locks the user's row, so that two changes of one user do not pass each other.  NULL = go on.
CREATE FUNCTION portal_refusal(p_nai text) RETURNS text LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	on_ok	boolean;
BEGIN
	SELECT u.enabled INTO on_ok FROM mipvpn.subscribers u WHERE u.nai = p_nai FOR NO KEY UPDATE;
	RETURN CASE WHEN on_ok IS NULL THEN 'signed-out' WHEN NOT on_ok THEN 'suspended' END;
END $$;
COMMENT ON FUNCTION portal_refusal(text) IS 'Why a user may not change anything: signed-out, suspended; NULL = he may';

CREATE FUNCTION portal_spi_pair() RETURNS bigint LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	n	bigint;
BEGIN
	FOR tries IN 1 .. 10000 LOOP
		n := nextval('mipvpn.portal_spi');
		IF NOT EXISTS (SELECT FROM mipvpn.vpns v WHERE v.up_spi IN (n, n + 1))
		   AND NOT EXISTS (SELECT FROM mipvpn.vpns v WHERE v.down_spi IN (n, n + 1)) THEN
			RETURN n;
		END IF;
	END LOOP;
	RAISE EXCEPTION 'no free pair of SPIs was found' USING HINT = 'Move the sequence mipvpn.portal_spi on with setval().';
END $$;
COMMENT ON FUNCTION portal_spi_pair() IS 'An SPI that no VPN has, and neither has any the next one';

CREATE FUNCTION portal_vpn_add(p_token bytea, p_destination text, p_name text, p_up text, p_down text, p_security text)
	RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	me	mipvpn.nai := mipvpn.portal_who(p_token);
	refusal	text := mipvpn.portal_refusal(me);
	net	cidr;
	n	bigint;
BEGIN
	IF refusal IS NOT NULL THEN
		RETURN refusal;
	END IF;
	BEGIN
		net := p_destination::cidr;
	EXCEPTION WHEN invalid_text_representation THEN
		RETURN 'no-network';
	END;
	IF family(net) <> 4 THEN
		RETURN 'no-network';
	ELSIF mipvpn.portal_objection(me, net) <> '' THEN
		RETURN 'not-allowed';
	ELSIF NOT mipvpn.portal_class_check(p_up, NULL) OR NOT mipvpn.portal_class_check(p_down, NULL) THEN
		RETURN 'no-class';
	ELSIF NOT EXISTS (SELECT FROM mipvpn.security_types t WHERE t.name = p_security) THEN
		RETURN 'no-security';
	ELSIF length(p_name) > 60 THEN
		RETURN 'long-name';
	ELSIF EXISTS (SELECT FROM mipvpn.vpns v WHERE v.nai = me AND v.destination = net) THEN
		RETURN 'exists';
	ELSIF (SELECT count(*) FROM mipvpn.vpns v WHERE v.nai = me) >= 32 THEN
		RETURN 'too-many';
	END IF;
	n := mipvpn.portal_spi_pair();
	-- Not required: what is chosen here must not keep anybody from registering.
	INSERT INTO mipvpn.vpns (nai, destination, up_class, down_class, up_spi, down_spi, security, required, description)
	VALUES (me, net, nullif(p_up, ''), nullif(p_down, ''), n, n + 1, p_security, false, p_name);
	RETURN 'ok';
END $$;
COMMENT ON FUNCTION portal_vpn_add(bytea, text, text, text, text, text) IS
	'A new destination of the user, inside of what his contracts allow; ok, or one word why not';

CREATE FUNCTION portal_vpn_change(p_token bytea, p_number bigint, p_up text, p_down text, p_security text)
	RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	me	mipvpn.nai := mipvpn.portal_who(p_token);
	refusal	text := mipvpn.portal_refusal(me);
	v	mipvpn.vpns;
BEGIN
	IF refusal IS NOT NULL THEN
		RETURN refusal;
	END IF;
	SELECT x.* INTO v FROM mipvpn.vpns x WHERE x.number = p_number AND x.nai = me FOR UPDATE;
	IF NOT FOUND THEN
		RETURN 'no-vpn';
	ELSIF NOT v.enabled THEN
		RETURN 'stopped';
	ELSIF NOT mipvpn.portal_class_check(p_up, v.up_class) OR NOT mipvpn.portal_class_check(p_down, v.down_class) THEN
		RETURN 'no-class';
	ELSIF NOT EXISTS (SELECT FROM mipvpn.security_types t WHERE t.name = p_security) THEN
		RETURN 'no-security';
	END IF;
	-- Another type has other algorithms: the agents' default, until the DBA names some.
	UPDATE mipvpn.vpns x SET up_class = nullif(p_up, ''), down_class = nullif(p_down, ''), security = p_security,
		proposal = CASE x.security WHEN p_security THEN x.proposal END
	WHERE x.number = v.number;
	RETURN 'ok';
END $$;
COMMENT ON FUNCTION portal_vpn_change(bytea, bigint, text, text, text) IS
	'Classes and security type of one of the user''s own VPNs; ok, or one word why not';

CREATE FUNCTION portal_vpn_remove(p_token bytea, p_number bigint)
	RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	me	mipvpn.nai := mipvpn.portal_who(p_token);
	refusal	text := mipvpn.portal_refusal(me);
	v	mipvpn.vpns;
BEGIN
	IF refusal IS NOT NULL THEN
		RETURN refusal;
	END IF;
	SELECT x.* INTO v FROM mipvpn.vpns x WHERE x.number = p_number AND x.nai = me FOR UPDATE;
	IF NOT FOUND THEN
		RETURN 'no-vpn';
	ELSIF NOT v.enabled THEN
		RETURN 'stopped';	-- what the provider has switched off does not come back by removing and choosing it
	END IF;
	DELETE FROM mipvpn.vpns x WHERE x.number = v.number;
	RETURN 'ok';
END $$;
COMMENT ON FUNCTION portal_vpn_remove(bytea, bigint) IS 'One of the user''s own VPNs is no longer wanted; ok, or one word why not';

-- For the DBA -------------------------------------------------------------------------------------------------------------

CREATE FUNCTION portal_set_password(p_nai nai, p_hash text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	parts	text[] := regexp_match(p_hash, '^(\$y\$[./0-9A-Za-z]{3,8}\$[./0-9A-Za-z]{1,86})\$[./0-9A-Za-z]{43}$');
BEGIN
	IF p_hash IS NULL THEN
		DELETE FROM mipvpn.portal_accounts WHERE nai = p_nai;
		RETURN;
	END IF;
	IF parts IS NULL THEN
		RAISE EXCEPTION 'this is no yescrypt hash'
			USING ERRCODE = 'check_violation', HINT = 'Make one with mipvpn-webd --hash-password.';
	END IF;
	INSERT INTO mipvpn.portal_accounts AS a (nai, setting, verifier)
	VALUES (p_nai, parts[1], sha256(convert_to(p_hash, 'UTF8')))
	ON CONFLICT (nai) DO UPDATE SET setting = excluded.setting, verifier = excluded.verifier, changed_at = clock_timestamp();
	DELETE FROM mipvpn.portal_sessions WHERE nai = p_nai;
END $$;
COMMENT ON FUNCTION portal_set_password(nai, text) IS
	'Password of a user for the service page, as mipvpn-webd --hash-password prints it; NULL = none. Ends his sessions there';

CREATE FUNCTION portal_unlock(p_nai nai) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	DELETE FROM mipvpn.portal_limits
	WHERE kind = 'account' AND bucket = mipvpn.portal_bucket('account', mipvpn.portal_nai(p_nai));
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION portal_unlock(nai) IS 'Lets a user try to sign in again before his quarter of an hour is over';

CREATE VIEW v_portal_accounts AS
SELECT a.nai, a.changed_at AS password_set,
       (SELECT count(*) FROM portal_sessions s WHERE s.nai = a.nai AND s.ends_at > now() AND s.seen_at + s.idle > now())
       AS signed_in,
       (SELECT max(s.seen_at) FROM portal_sessions s WHERE s.nai = a.nai) AS last_seen
FROM portal_accounts a;
COMMENT ON VIEW v_portal_accounts IS 'Who may sign in on the service page, and who is signed in now';

-- Who may do what ---------------------------------------------------------------------------------------------------------

REVOKE ALL ON portal_accounts, portal_sessions, portal_limits, portal_attempts, portal_secret, v_portal_accounts FROM PUBLIC;
REVOKE ALL ON SEQUENCE portal_spi FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mipvpn FROM PUBLIC;
GRANT EXECUTE ON FUNCTION portal_schema_version(), portal_sign_in_begin(text, inet),
	portal_sign_in_finish(uuid, text, bytea, integer, integer), portal_sign_out(bytea), portal_visit(bytea),
	portal_vpns(bytea), portal_settled(bytea), portal_networks(bytea), portal_classes(bytea),
	portal_vpn_add(bytea, text, text, text, text, text), portal_vpn_change(bytea, bigint, text, text, text),
	portal_vpn_remove(bytea, bigint)
	TO mipvpn_portal;
GRANT EXECUTE ON FUNCTION portal_set_password(nai, text), portal_unlock(nai) TO mipvpn_dba;
GRANT SELECT ON v_portal_accounts TO mipvpn_dba;
