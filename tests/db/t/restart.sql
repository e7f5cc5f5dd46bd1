-- SPDX-License-Identifier: BSD-3-Clause
-- What the server says once more after the database has crashed (0015): what was forgotten comes back, in its order, and
-- nothing that is known, later or over.
BEGIN;
SET LOCAL search_path = public, mipvpn, pg_catalog;
SELECT no_plan();
CREATE FUNCTION pg_temp.again(who text, hoa text, ha_sid text, fa_sid text, ago int, keep int DEFAULT 100) RETURNS boolean LANGUAGE sql AS $$
	SELECT mipvpn.aaah_session_again(jsonb_build_object('nai', who, 'home_address', hoa, 'home_agent', '198.51.100.21',
		'ha_session', ha_sid, 'ha_host', 'ha.home.test', 'ha_realm', 'home.test', 'fa_session', fa_sid, 'fa_host', 'fa.visited.test',
		'fa_realm', 'visited.test', 'fa_address', '198.51.100.11', 'lasting_s', keep, 'age_ms', 20, 'recheck', false,
		'profiles', jsonb_build_array(jsonb_build_object('position', 0, 'number', 1, 'source', hoa || '/32',
		'destination', '10.9.0.0/24', 'tos_up', 184, 'tos_down', 136, 'security', 1, 'source_gateway', '198.51.100.11',
		'destination_gateway', '198.51.100.21', 'destination_kind', 0, 'spi_up', 4097, 'spi_down', 4098,
		'enc_key', '\x01' || repeat('00', 60), 'required', true))), ago)
$$;
CREATE FUNCTION pg_temp.row() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', ha_session, fa_session) FROM mipvpn.sessions WHERE nai = 'alice@home.test' $$;

SELECT ok(pg_temp.again('alice@home.test', '10.1.0.10', 'h1', 'f1', 900), 'a session that was forgotten');
SELECT is(pg_temp.row(), 'h1 f1', 'is back');
SELECT is((SELECT count(*) FROM session_profiles)::int, 1, 'with its profiles');
SELECT ok(authorized_at BETWEEN clock_timestamp() - interval '10 s' AND clock_timestamp() - interval '0.9 s'
	AND expires_at = authorized_at + interval '100 s', 'and its times') FROM sessions;
SELECT results_eq('SELECT change, sent FROM live_updates', $$VALUES (0::bigint, true)$$, 'changes have not found it: it is looked at, and said again');
SELECT ok(NOT pg_temp.again('alice@home.test', '10.1.0.10', 'h1', 'f1', 900), 'one that is known is left as it is');
SELECT ok(NOT pg_temp.again('alice@home.test', '10.1.0.10', 'h0', 'f0', 5000), 'an older one does not take its place');
SELECT ok(pg_temp.again('alice@home.test', '10.1.0.10', 'h1', 'f2', 500), 'a later one does');
SELECT is(pg_temp.row(), 'h1 f2', 'with the same session of the home agent');
SELECT is_empty($$SELECT * FROM aaah_session_end_again('f1', 'fa.visited.test', 'visited.test', true, 'x', 700)$$, 'an end of what is gone ends nothing');
SELECT results_eq($$SELECT nai, ended, other_session FROM aaah_session_end_again('h1', 'ha.home.test', 'home.test', true, 'logout', 400)$$,
	$$VALUES ('alice@home.test', true, 'f2')$$, 'an end that was forgotten');
SELECT is(pg_temp.row(), NULL, 'is done');
SELECT ok(ended_at < clock_timestamp() - interval '0.4 s' AND reason = 'logout', 'when it was') FROM session_history ORDER BY id DESC LIMIT 1;
SELECT ok(NOT pg_temp.again('alice@home.test', '10.1.0.10', 'h1', 'f2', 5000), 'what was before that does not come back');
SELECT ok(pg_temp.again('alice@home.test', '10.1.0.10', 'h2', 'f3', 0), 'what was after it does');
SELECT ok(NOT pg_temp.again('bob@home.test', '10.1.0.11', 'hb', 'fb', 3000, 2), 'one whose time is over does not');

-- Addresses of a pool.
CREATE TEMP TABLE given AS SELECT host(aaah_address_allocate('mallory@home.test', '198.51.100.21')) AS address;
SELECT ok(pg_temp.again('dave@home.test', (SELECT address FROM given), 'hd', 'fd', 10), 'a session whose address has been given to another one');
SELECT is((SELECT nai::text FROM home_addresses WHERE address = (SELECT address::inet FROM given)), 'dave@home.test', 'has it again');
SELECT is_empty($$SELECT 1 FROM home_addresses WHERE nai = 'mallory@home.test'$$, 'and the other one, who is not on, has not');
SELECT lives_ok($$SELECT aaah_address_release('mallory@home.test')$$, 'he gives it back when he is refused');
SELECT is((SELECT nai::text FROM home_addresses WHERE address = (SELECT address::inet FROM given)), 'dave@home.test', 'which takes it from nobody');
SELECT isnt(host(aaah_address_allocate('mallory@home.test', '198.51.100.21')), (SELECT address FROM given), 'and gets another one');
SELECT ok(pg_temp.again('bob@home.test', (SELECT address FROM given), 'hb', 'fb', 10), 'one whose address somebody has who is on');
SELECT is((SELECT nai::text FROM home_addresses WHERE address = (SELECT address::inet FROM given)), 'dave@home.test', 'does not take it from him');

-- Claims.
UPDATE live_updates SET claimed_until = clock_timestamp() + interval '30 s';
SELECT lives_ok('SELECT aaah_live_restarted()', 'a new connection');
SELECT is_empty('SELECT 1 FROM live_updates WHERE claimed_until < now()', 'leaves the claims alone that were made since the database was started');
UPDATE live_updates SET claimed_until = pg_postmaster_start_time() + interval '29 s';
SELECT lives_ok('SELECT aaah_live_restarted()', 'and a new one after that');
SELECT is_empty('SELECT 1 FROM live_updates WHERE claimed_until > now()', 'ends those of before');
SELECT * FROM finish();
ROLLBACK;
