-- SPDX-License-Identifier: BSD-3-Clause
-- The service page's functions: sign-in and its limits, sessions, and that nobody reaches another's rows by any of them.
BEGIN;
SET LOCAL search_path = public, mipvpn, pg_catalog;
SELECT no_plan();

-- Hashes as --hash-password prints them; the database never computes one.
CREATE TEMP TABLE h AS SELECT '$y$j9T$' || repeat('a', 22) || '$' || repeat('A', 43) AS alice,
	'$y$j9T$' || repeat('b', 22) || '$' || repeat('B', 43) AS bob, '\xaaaa'::bytea AS ta, '\xbbbb'::bytea AS tb;
GRANT SELECT ON h TO PUBLIC;
SELECT lives_ok($$SELECT portal_set_password('alice@home.test', (SELECT alice FROM h))$$, 'a password is set');
SELECT lives_ok($$SELECT portal_set_password('bob@home.test', (SELECT bob FROM h))$$, '... and another');
SELECT throws_ok($$SELECT portal_set_password('carol@home.test', 'secret')$$, '23514', NULL, 'a password in clear is refused');
SELECT throws_ok($$SELECT portal_set_password('carol@home.test', '$6$abc$' || repeat('x', 86))$$, '23514', NULL, '... and another hash');
SELECT throws_ok($$SELECT portal_set_password('zoe@home.test', (SELECT bob FROM h))$$, '23503', NULL, '... and for nobody');
SELECT is_empty($$SELECT * FROM portal_accounts a, h WHERE a::text LIKE '%AAAAAAAA%'$$, 'the hash itself is not kept');
SELECT is_empty($$SELECT * FROM audit WHERE after::text LIKE '%aaaaaaaa%' OR after::text LIKE '%verifier%'$$, '... nor audited');
SELECT is((SELECT count(*) FROM audit WHERE tbl = 'portal_accounts' AND key = 'alice@home.test'), 1::bigint, '... but that it was set');

-- Signs in; the token for the session, or NULL.
CREATE FUNCTION pg_temp.sign_in(nai text, hash text, token bytea, address inet DEFAULT '192.0.2.1', idle integer DEFAULT 900)
	RETURNS text LANGUAGE plpgsql AS $$
DECLARE b record; f record;
BEGIN
	SELECT * INTO b FROM mipvpn.portal_sign_in_begin(nai, address);
	IF b.outcome <> 'ok' THEN RETURN b.outcome; END IF;
	SELECT * INTO f FROM mipvpn.portal_sign_in_finish(b.attempt, hash, token, idle, 28800);
	RETURN f.outcome;
END $$;

DELETE FROM audit;
DELETE FROM change_log;
SET SESSION AUTHORIZATION mipvpn_portal;
SELECT is((SELECT setting FROM portal_sign_in_begin('alice@home.test', '192.0.2.1')), '$y$j9T$' || repeat('a', 22), 'how to hash');
SELECT ok((SELECT setting ~ '^\$y\$j9T\$[./0-9A-Za-z]{21}[./01]$' FROM portal_sign_in_begin('zoe@home.test', '192.0.2.1')),
	'... for somebody unknown too');
SELECT is((SELECT setting FROM portal_sign_in_begin('zoe@home.test', '192.0.2.1')),
	(SELECT setting FROM portal_sign_in_begin('zoe@home.test', '192.0.2.2')), '... and always the same');
SELECT is(pg_temp.sign_in('alice@home.test', h.bob, ta), 'wrong', 'a wrong password') FROM h;
SELECT is(pg_temp.sign_in('zoe@home.test', h.bob, ta), 'wrong', 'somebody unknown') FROM h;
SELECT is(pg_temp.sign_in('carol@home.test', h.bob, ta), 'wrong', 'a user without a password') FROM h;
SELECT is(pg_temp.sign_in(''' OR 1=1 --', h.bob, ta), 'wrong', 'SQL as a name') FROM h;
SELECT is_empty($$SELECT p.* FROM h, portal_visit(ta) AS p$$, 'nobody is signed in by any of it');
SELECT is(pg_temp.sign_in('  alice@HOME.test ', h.alice, ta), 'ok', 'alice signs in, whatever the case of the realm') FROM h;
SELECT is(pg_temp.sign_in('bob@home.test', h.bob, tb), 'ok', 'bob signs in') FROM h;
SELECT is((SELECT nai FROM h, portal_visit(ta)), 'alice@home.test', 'her token is hers');
SELECT is((SELECT nai FROM h, portal_visit(tb)), 'bob@home.test', 'his token is his');
SELECT is_empty($$SELECT * FROM portal_visit('\xcccc')$$, 'another token is nobody''s');
SELECT is_empty($$SELECT * FROM portal_visit(NULL)$$, '... and so is none');
SELECT is((SELECT outcome FROM portal_sign_in_finish(gen_random_uuid(), (SELECT alice FROM h), '\xdd', 900, 900)), 'stale',
	'an attempt that nobody began');
SELECT is((SELECT string_agg(f.outcome, ' ') FROM portal_sign_in_begin('alice@home.test', '192.0.2.1') AS b, generate_series(1, 2),
	LATERAL portal_sign_in_finish(b.attempt, 'x', '\xdd', 900, 900) AS f), 'wrong stale', 'one guess for each attempt');

-- The token of the database is of no use.
RESET SESSION AUTHORIZATION;
SELECT is((SELECT count(*) FROM portal_sessions, portal_visit(token)), 0::bigint, 'a token as the database keeps it is no token');
SET SESSION AUTHORIZATION mipvpn_portal;

-- What each may choose.
SELECT results_eq($$SELECT network, name, chosen FROM portal_networks((SELECT ta FROM h))$$,
	$$VALUES ('10.9.0.0/24', 'ACME: head office', true)$$, 'alice may go to acme');
SELECT ok(EXISTS (SELECT FROM h, portal_classes(ta) WHERE name = 'EF'), 'telephony is for users');
SELECT ok(NOT EXISTS (SELECT FROM h, portal_classes(ta) WHERE name = 'CS6'), 'network control is not');
SELECT results_eq($$SELECT number, destination, name, up_class, down_class, security, state FROM portal_vpns((SELECT ta FROM h))$$,
	$$VALUES (1::bigint, '10.9.0.0/24', 'calls to the office', 'EF', 'AF41', 'ESP', 'offline')$$, 'alice sees hers');
SELECT results_eq($$SELECT number FROM portal_vpns((SELECT tb FROM h))$$, ARRAY[2::bigint], 'bob sees his');
SELECT is_empty($$SELECT * FROM portal_vpns('\xcccc')$$, 'nobody sees nothing');
SELECT is_empty($$SELECT * FROM portal_networks('\xcccc')$$, '... no network');
SELECT is_empty($$SELECT * FROM portal_classes('\xcccc')$$, '... and no class');

-- Changes: words for what is refused.
CREATE TEMP TABLE asked (what text, says text, stmt text);
INSERT INTO asked VALUES
('nobody adds', 'signed-out', $$portal_vpn_add('\xcccc', '10.9.0.7/32', '', '', '', 'ESP')$$),
('nobody changes', 'signed-out', $$portal_vpn_change('\xcccc', 1, '', '', 'ESP')$$),
('nobody removes', 'signed-out', $$portal_vpn_remove('\xcccc', 1)$$),
('alice changes bob''s', 'no-vpn', $$portal_vpn_change(ta, 2, 'EF', '', 'ENCAP')$$),
('alice removes bob''s', 'no-vpn', $$portal_vpn_remove(ta, 2)$$),
('a VPN that is not there', 'no-vpn', $$portal_vpn_remove(ta, 4711)$$),
('a network that no contract opens', 'not-allowed', $$portal_vpn_add(ta, '10.8.0.0/24', '', '', '', 'ESP')$$),
('more than the contract opens', 'not-allowed', $$portal_vpn_add(ta, '10.9.0.0/23', '', '', '', 'ESP')$$),
('everything', 'not-allowed', $$portal_vpn_add(ta, '0.0.0.0/0', '', '', '', 'ESP')$$),
('host bits', 'no-network', $$portal_vpn_add(ta, '10.9.0.1/24', '', '', '', 'ESP')$$),
('IPv6', 'no-network', $$portal_vpn_add(ta, '2001:db8::/32', '', '', '', 'ESP')$$),
('SQL as a network', 'no-network', $$portal_vpn_add(ta, '''; DROP TABLE mipvpn.vpns; --', '', '', '', 'ESP')$$),
('a class that is not there', 'no-class', $$portal_vpn_add(ta, '10.9.0.7/32', '', 'gold', '', 'ESP')$$),
('a class of the network''s own', 'no-class', $$portal_vpn_change(ta, 1, 'CS6', 'AF41', 'ESP')$$),
('a security type that is not there', 'no-security', $$portal_vpn_change(ta, 1, 'EF', 'AF41', 'ROT13')$$),
('the same destination again', 'exists', $$portal_vpn_add(ta, '10.9.0.0/24', '', '', '', 'ESP')$$),
('a name that is too long', 'long-name', $$portal_vpn_add(ta, '10.9.0.7/32', repeat('x', 61), '', '', 'ESP')$$),
('alice adds a part', 'ok', $$portal_vpn_add(ta, '10.9.0.7', 'mine', 'AF11', '', 'AH')$$),
('alice adds another', 'ok', $$portal_vpn_add(ta, '10.9.0.8/32', '', '', 'EF', 'ENCAP')$$),
('alice changes hers', 'ok', $$portal_vpn_change(ta, 1, 'AF21', '', 'AH')$$);
CREATE FUNCTION pg_temp.ask(stmt text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text; BEGIN EXECUTE format('SELECT mipvpn.%s FROM h', stmt) INTO r; RETURN r; END $$;
SELECT is(pg_temp.ask(stmt), says, what) FROM asked;

RESET SESSION AUTHORIZATION;
SELECT is((SELECT concat_ws(' ', number, up_class, security) FROM vpns WHERE nai = 'bob@home.test'), '2 0 ESP', 'bob''s is as it was');
SELECT is((SELECT string_agg(concat_ws(' ', destination, coalesce(up_class, '-'), coalesce(down_class, '-'), security, required, vpnshare), ', '
		ORDER BY destination) FROM vpns WHERE nai = 'alice@home.test'),
	'10.9.0.0/24 AF21 - AH t 1, 10.9.0.7/32 AF11 - AH f 1, 10.9.0.8/32 - EF ENCAP f 1', 'alice''s are as she chose');
SELECT is((SELECT count(DISTINCT s) FROM (SELECT up_spi AS s FROM vpns UNION ALL SELECT down_spi FROM vpns) x),
	(SELECT 2 * count(*) FROM vpns), 'every SPI is there once');
SELECT is((SELECT string_agg(DISTINCT who, ' ') FROM audit WHERE tbl = 'vpns'), 'alice@home.test', 'the audit names the user');
SELECT is((SELECT count(*) FROM change_log WHERE tbl = 'vpns'), 3::bigint, 'programs get notice of each change');
SELECT setval('portal_spi', 1048578, false);
INSERT INTO vpns (number, nai, destination, up_spi, down_spi) VALUES (90, 'carol@home.test', '10.9.0.9/32', 1048579, 1048580);
SELECT is(portal_spi_pair(), 1048582::bigint, 'SPIs that somebody has are passed over');
DELETE FROM vpns WHERE number = 90;
UPDATE vpns SET security = 'ESP', proposal = 'aes256gcm16' WHERE number = 1;
SELECT is((SELECT portal_vpn_change(ta, 1, 'AF11', '', 'ESP') FROM h), 'ok', 'another class of a VPN with algorithms of the DBA''s');
SELECT is((SELECT proposal::text FROM vpns WHERE number = 1), 'aes256gcm16', 'they stay');
SELECT is((SELECT portal_vpn_change(ta, 1, 'AF21', '', 'AH') FROM h), 'ok', 'another type, which they do not fit');
SELECT is((SELECT concat_ws(' ', security, coalesce(proposal, 'default')) FROM vpns WHERE number = 1), 'AH default', 'they go');

-- Only the portal's functions are believed about who acts.
SELECT set_config('mipvpn.acting_for', 'bob@home.test', true);
DELETE FROM audit;
UPDATE vpns SET description = 'y' WHERE number = 2;
SELECT is((SELECT who FROM audit), session_user::text, 'a DBA cannot sign with a user''s name');

-- Live state.
INSERT INTO sessions (nai, home_address, home_agent, ha_session, ha_host, ha_realm, fa_session, fa_host, fa_realm, fa_address, expires_at)
VALUES ('alice@home.test', '10.1.0.10', '198.51.100.21', 'h', 'ha.home.test', 'home.test', 'f', 'fa.visited.test', 'visited.test',
	'198.51.100.11', now() + interval '5 minutes');
INSERT INTO session_profiles (session, position, number, source, destination, tos_up, tos_down, security, source_gateway,
	destination_gateway, destination_kind, spi_up, spi_down, required)
SELECT s.id, p.position, p.number, '10.1.0.10', p.destination, p.up, 0, p.security, '198.51.100.11', '198.51.100.21', 0, 4097, 4098, true
FROM sessions s, (VALUES (0, 1, '10.9.0.0/24'::cidr, 18 * 4, 2), (1, 99, '10.9.0.99/32', 0, 1)) AS p(position, number, destination, up, security);
CREATE FUNCTION pg_temp.state(token bytea) RETURNS text LANGUAGE sql AS
	$$SELECT string_agg(destination || '=' || state, ' ' ORDER BY destination) FROM mipvpn.portal_vpns(token)$$;
SELECT is(pg_temp.state(ta), '10.9.0.0/24=on 10.9.0.7/32=waiting 10.9.0.8/32=waiting 10.9.0.99/32=leaving', 'on, waiting, leaving') FROM h;
SELECT is((SELECT online FROM h, portal_visit(ta)), true, 'alice is registered');
SELECT is((SELECT online FROM h, portal_visit(tb)), false, 'bob is not');
SELECT is(portal_settled(ta), false, 'something is still to come') FROM h;
UPDATE vpns SET security = 'ESP' WHERE number = 1;
SELECT ok(pg_temp.state(ta) LIKE '10.9.0.0/24=changing %', 'changing') FROM h;
UPDATE slas SET enabled = false;
SELECT results_eq($$SELECT DISTINCT objection FROM h, portal_vpns(ta) WHERE state = 'refused'$$, ARRAY['its contract is suspended'], 'refused, and why');
SELECT is_empty($$SELECT * FROM portal_networks((SELECT ta FROM h))$$, 'a suspended contract opens nothing');
UPDATE slas SET enabled = true;
UPDATE vpns SET enabled = false WHERE number = 1;
SELECT ok(pg_temp.state(ta) LIKE '10.9.0.0/24=stopped %', 'switched off by the provider') FROM h;
SELECT is(portal_vpn_remove(ta, 1), 'stopped', '... stays so') FROM h;
SELECT is(portal_vpn_add(ta, '10.9.0.0/24', '', '', '', 'ESP'), 'exists', '... and does not come back by another way') FROM h;
UPDATE vpns SET enabled = true WHERE number = 1;
UPDATE subscribers SET enabled = false WHERE nai = 'alice@home.test';
SELECT ok(pg_temp.state(ta) LIKE '%=suspended%', 'suspended') FROM h;
SELECT is(portal_vpn_remove(ta, 1), 'suspended', 'who is suspended changes nothing') FROM h;
UPDATE subscribers SET enabled = true WHERE nai = 'alice@home.test';
SELECT is(portal_vpn_remove(ta, 1), 'ok', 'alice removes hers') FROM h;
SELECT ok(pg_temp.state(ta) LIKE '10.9.0.0/24=leaving %', '... and it goes') FROM h;
DELETE FROM sessions;
DELETE FROM session_profiles;
SELECT is(pg_temp.state(ta), '10.9.0.7/32=offline 10.9.0.8/32=offline', 'not registered: only what is wanted') FROM h;
INSERT INTO cn_gateways (prefix, gateway, kind) VALUES ('203.0.113.0/24', '198.51.100.32', 'dynamic');
SELECT is(portal_vpn_add(tb, '203.0.113.0/25', '', '', '', 'ESP'), 'ok', 'a dynamic gateway without contract is open') FROM h;
DELETE FROM sla_users WHERE nai = 'bob@home.test';
SELECT results_eq($$SELECT destination, state FROM h, portal_vpns(tb)$$, $$VALUES ('10.9.0.0/24', 'refused'), ('203.0.113.0/25', 'offline')$$,
	'who is taken off the list is told');
INSERT INTO vpns (nai, vpnshare, destination) SELECT 'bob@home.test', 0, ('203.0.113.' || i || '/32')::cidr FROM generate_series(1, 30) AS i;
SELECT is(portal_vpn_add(tb, '203.0.113.200', '', '', '', 'ESP'), 'too-many', 'at most 32') FROM h;

-- Sessions end.
SELECT is(portal_sign_out(ta), true, 'alice signs out') FROM h;
SELECT is(portal_sign_out(ta), false, '... once') FROM h;
SELECT is_empty($$SELECT p.* FROM h, portal_visit(ta) AS p$$, '... and is out');
UPDATE portal_sessions SET seen_at = now() - interval '16 minutes';
SELECT is_empty($$SELECT p.* FROM h, portal_visit(tb) AS p$$, 'a session that nobody uses ends');
UPDATE portal_sessions SET seen_at = now(), ends_at = now() - interval '1 second';
SELECT is_empty($$SELECT p.* FROM h, portal_visit(tb) AS p$$, '... and every session does, some time');
DELETE FROM portal_limits;
SELECT is(pg_temp.sign_in('alice@home.test', h.alice, sha256(int4send(i))), 'ok', 'session ' || i) FROM h, generate_series(1, 11) AS i;
SELECT is((SELECT count(*) FROM portal_sessions), 10::bigint, 'at most ten sessions of one user, and old ones are cleared away');
SELECT portal_set_password('alice@home.test', (SELECT alice FROM h));
SELECT is((SELECT count(*) FROM portal_sessions), 0::bigint, 'a new password ends them');

-- Limits: by account, by address; counted before the password is looked at.
DELETE FROM portal_limits;
SELECT is((SELECT string_agg(pg_temp.sign_in('alice@home.test', 'x', '\xee', ('192.0.2.' || i)::inet), ' ') FROM generate_series(1, 12) AS i),
	repeat('wrong ', 10) || 'account account', 'ten guesses for an account, from wherever');
SELECT is(pg_temp.sign_in('alice@home.test', h.alice, uuid_send(gen_random_uuid()), '198.51.100.99'), 'account', 'even the right one waits then') FROM h;
SELECT ok((SELECT wait_s BETWEEN 1 AND 900 FROM portal_sign_in_begin('alice@home.test', '198.51.100.99')), '... at most a quarter of an hour');
SELECT is(portal_unlock('alice@home.test'), true, 'the DBA can let her in');
SELECT is(pg_temp.sign_in('alice@home.test', h.alice, uuid_send(gen_random_uuid()), '198.51.100.99'), 'ok', '... and she is') FROM h;
DELETE FROM portal_limits;
SELECT is((SELECT count(*) FROM generate_series(1, 60) AS i WHERE pg_temp.sign_in('u' || i || '@home.test', 'x', '\xee', '192.0.2.77') = 'wrong'),
	40::bigint, 'forty guesses from an address, for whomever');
SELECT is(pg_temp.sign_in('alice@home.test', h.alice, uuid_send(gen_random_uuid()), '192.0.2.77'), 'address', 'from there nothing more') FROM h;
SELECT is(pg_temp.sign_in('alice@home.test', h.alice, uuid_send(gen_random_uuid()), '192.0.2.78'), 'ok', 'from elsewhere all is well') FROM h;
SELECT is(portal_address_bucket('2001:db8:1:2::1'), portal_address_bucket('2001:db8:1:2:ffff::9'), 'IPv6: a /64 is one client');
UPDATE portal_limits SET since = since - interval '16 minutes';
SELECT is(pg_temp.sign_in('alice@home.test', h.alice, uuid_send(gen_random_uuid()), '192.0.2.77'), 'ok', 'after a quarter of an hour it is over') FROM h;
INSERT INTO portal_attempts (nai, address_bucket) SELECT 'x', 1 FROM generate_series(1, 1000);
SELECT is(pg_temp.sign_in('alice@home.test', h.alice, uuid_send(gen_random_uuid()), '192.0.2.80'), 'busy', 'no more than 1000 at once') FROM h;

SELECT * FROM finish();
ROLLBACK;
