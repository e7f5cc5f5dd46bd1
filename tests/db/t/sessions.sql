-- SPDX-License-Identifier: BSD-3-Clause
-- Sessions and their caches (B), home address pools.
BEGIN;
SET LOCAL search_path = public, mipvpn, pg_catalog;
SELECT no_plan();
CREATE FUNCTION pg_temp.put(who text, ha_sid text, fa_sid text, fa text, keep int DEFAULT 100) RETURNS bigint LANGUAGE sql AS $$
	SELECT mipvpn.aaah_session_put(jsonb_build_object('nai', who, 'home_address', '10.1.0.10', 'home_agent', '198.51.100.21',
		'ha_session', ha_sid, 'ha_host', 'ha.home.test', 'ha_realm', 'home.test', 'fa_session', fa_sid, 'fa_host', 'FA.visited.test',
		'fa_realm', 'visited.test', 'fa_address', fa, 'lasting_s', keep, 'profiles', jsonb_build_array(jsonb_build_object(
		'position', 0, 'number', 1, 'source', '10.1.0.10/32', 'destination', '10.9.0.0/24', 'tos_up', 184,
		'tos_down', 136, 'security', 1, 'source_gateway', fa, 'destination_gateway', '198.51.100.21', 'destination_kind', 0,
		'spi_up', 4097, 'spi_down', 4098, 'enc_key', '\x01' || repeat('00', 60), 'required', true))))
$$;
SELECT ok(pg_temp.put('alice@home.test', 'h1', 'f1', '198.51.100.11') > 0, 'a session');
SELECT results_eq('SELECT ha_session, fa_session FROM aaah_lookup(''alice@home.test'', ''visited.test'', ''198.51.100.11'', false)',
	$$VALUES ('h1', 'f1')$$, 'is seen by the next lookup');
SELECT is_empty($$SELECT * FROM aaah_lookup('alice@home.test', 'visited.test', '198.51.100.11', false) WHERE number IS NOT NULL$$, 'VPNs are not read again for it (C4)');
SELECT isnt_empty($$SELECT * FROM aaah_lookup('alice@home.test', 'visited.test', '198.51.100.11', true) WHERE number IS NOT NULL$$, '... but for a service update request (C5)');
SELECT results_eq($$SELECT number, host(source_gateway), spi_up, sla FROM aaah_cached_profiles('alice@home.test')$$,
	$$VALUES (1::bigint, '198.51.100.11'::text, 4097::bigint, NULL::text)$$, 'cached profiles');
SELECT is(pg_temp.put('alice@home.test', 'h1', 'f2', '198.51.100.12'), (SELECT id FROM sessions), 'a move rewrites the row');
SELECT results_eq('SELECT fa_session, host(fa_address), host(previous_fa) FROM sessions',
	$$VALUES ('f2', '198.51.100.12', '198.51.100.11')$$, 'with the previous foreign agent');
SELECT is((SELECT count(*) FROM session_profiles)::int, 1, 'and its profiles');
SELECT is_empty($$SELECT * FROM aaah_session_end('f1', 'FA.visited.test', 'visited.test', true, 'x')$$, 'the old session of the foreign agent is unknown');
SELECT is_empty($$SELECT * FROM aaah_session_end('f2', 'FA.visited.test', 'evil.test', true, 'x')$$, 'a foreign agent of another realm cannot end it');
SELECT is_empty($$SELECT * FROM aaah_session_end('h1', 'evil.test', 'evil.test', true, 'x')$$, 'nobody else can end it');
SELECT results_eq($$SELECT side, ended, other_session FROM aaah_session_end('f2', 'fa9.visited.test', 'Visited.test', false, 'timeout')$$,
	$$VALUES ('fa', false, '')$$, 'a foreign agent of the same realm does: the user has moved within it (D2)');
SELECT results_eq($$SELECT side, ended, other_session FROM aaah_session_end('f2', 'FA.visited.test', 'visited.test', false, 'timeout')$$,
	$$VALUES ('fa', false, '')$$, 'the foreign agent ends its part');
SELECT results_eq($$SELECT side, ended, other_session FROM aaah_session_end('h1', 'ha.home.test', 'home.test', false, 'logout')$$,
	$$VALUES ('ha', true, '')$$, 'then the home agent all; nobody is left to tell');
SELECT is_empty('SELECT 1 FROM sessions UNION ALL SELECT 1 FROM session_profiles', 'nothing is left, keys neither');
SELECT results_eq('SELECT nai::text COLLATE "default", vpns, reason FROM session_history', $$VALUES ('alice@home.test', '{1}'::bigint[], 'logout')$$, 'history');
SELECT ok(pg_temp.put('alice@home.test', 'h2', 'f3', '198.51.100.11') > 0, 'another session');
SELECT results_eq($$SELECT other_session, other_host FROM aaah_session_end('h2', 'ha.home.test', 'home.test', false, 'logout')$$,
	$$VALUES ('f3', 'FA.visited.test')$$, 'the home agent ends: the foreign agent is told');
SELECT ok(pg_temp.put('alice@home.test', 'h3', 'f4', '198.51.100.11') > 0, 'another');
SELECT ok(pg_temp.put('alice@home.test', 'h4', 'f5', '198.51.100.11') > 0, 'a new one replaces it');
SELECT is((SELECT string_agg(ha_session, ' ') FROM sessions), 'h4', 'one session per user');
SELECT is((SELECT reason FROM session_history ORDER BY id DESC LIMIT 1), 'replaced', 'and the history says so');

-- Two requests of one user at a time, answered by two servers; what is stored last need not be the later one.
CREATE FUNCTION pg_temp.put_asked(ha_sid text, fa_sid text, asked bigint, age bigint) RETURNS bigint LANGUAGE sql AS $$
	SELECT mipvpn.aaah_session_keep(jsonb_build_object('nai', 'alice@home.test', 'home_address', '10.1.0.10', 'home_agent',
		'198.51.100.21', 'ha_session', ha_sid, 'ha_host', 'ha.home.test', 'ha_realm', 'home.test', 'fa_session', fa_sid, 'fa_host',
		'FA.visited.test', 'fa_realm', 'visited.test', 'fa_address', '198.51.100.11', 'lasting_s', 100, 'recheck', true, 'asked_ms',
		1700000000000 + asked, 'age_ms', age, 'profiles', '[]'::jsonb))
$$;
SELECT ok(pg_temp.put_asked('h4', 'f7', 1000, 0) > 0, 'the later of two requests is stored');
SELECT is(pg_temp.put_asked('h4', 'f6', 400, 60000), NULL, 'the older one that comes behind it is not');
SELECT is(pg_temp.put_asked('h5', 'f6', 400, 60000), NULL, '... nor when it is a first registration, too');
SELECT is((SELECT ha_session || ' ' || fa_session FROM sessions), 'h4 f7', '... and all is as it was');
SELECT is((SELECT count(*)::int FROM session_profiles), 0, '... its profiles, too');
SELECT is(extract(epoch FROM (SELECT asked_at FROM sessions))::int, 1700000001, 'the row says when it was asked for');
SELECT ok(pg_temp.put_asked('h4', 'f8', 1000, 60000) > 0, 'the same one again is stored');
SELECT ok(pg_temp.put_asked('h4', 'f9', 400, 0) > 0, 'one that began later is stored, whatever its clock says');
SELECT ok(pg_temp.put_asked('h4', 'f10', NULL, 60000) > 0, 'so is that of a server that does not say');
SELECT ok(pg_temp.put_asked('h4', 'f5', 2000, 60000) > 0, 'and of two the later one that comes last');
UPDATE sessions SET expires_at = now() - interval '1 s';
SELECT ok(pg_temp.put_asked('h5', 'f5', 1, 60000) > 0, 'one that has expired is in nobody''s way');
UPDATE sessions SET expires_at = now() - interval '1 s';
SELECT is((SELECT ha_session FROM aaah_lookup('alice@home.test', 'visited.test', '198.51.100.11', false)), NULL, 'an expired one is not live');
SELECT isnt_empty($$SELECT * FROM aaah_lookup('alice@home.test', 'visited.test', '198.51.100.11', false) WHERE number IS NOT NULL$$, '... so VPNs are read');
SELECT is_empty('SELECT * FROM v_online', '... and nobody is on');
SELECT is(aaah_sessions_reap(10), 1, 'reaped');
SELECT is(aaah_sessions_reap(10), 0, 'once');

-- Proxy correspondent nodes: the key of the Binding Updates stays with the session (F4).
CREATE FUNCTION pg_temp.put_pcn(kind int, key text, context text) RETURNS bigint LANGUAGE sql AS $$
	SELECT mipvpn.aaah_session_put(jsonb_build_object('nai', 'bob@home.test', 'home_address', '10.1.0.11', 'home_agent', '198.51.100.21',
		'ha_session', 'hp', 'ha_host', 'ha.home.test', 'ha_realm', 'home.test', 'fa_session', 'fp', 'fa_host', 'FA.visited.test',
		'fa_realm', 'visited.test', 'fa_address', '198.51.100.11', 'lasting_s', 100, 'profiles', jsonb_build_array(jsonb_build_object(
		'position', 0, 'number', 5, 'source', '10.1.0.11/32', 'destination', '203.0.113.0/24', 'tos_up', 184,
		'tos_down', 136, 'security', 1, 'source_gateway', '198.51.100.11', 'destination_gateway', '198.51.100.32',
		'destination_kind', kind, 'spi_up', 4105, 'spi_down', 4106, 'required', true, 'bu_key', key, 'bu_context', context))))
$$;
SELECT ok(pg_temp.put_pcn(2, '\x01' || repeat('00', 60), '0123-ab') > 0, 'a session with a dynamic gateway');
SELECT results_eq($$SELECT octet_length(bu_key), bu_context FROM aaah_cached_profiles('bob@home.test')$$,
	$$VALUES (61, '0123-ab')$$, '... and the cache has its key');
SELECT throws_ok($$SELECT pg_temp.put_pcn(2, '\x01' || repeat('00', 60), 'Not This')$$, '23514', NULL, 'a context of other characters');
SELECT throws_ok($$SELECT pg_temp.put_pcn(2, '\x01' || repeat('00', 60), NULL)$$, '23514', NULL, 'a key without a context');
SELECT throws_ok($$SELECT pg_temp.put_pcn(1, '\x01' || repeat('00', 60), 'x')$$, '23514', NULL, 'a static gateway has none');
SELECT throws_ok($$SELECT pg_temp.put_pcn(2, '\x02' || repeat('00', 60), 'x')$$, '23514', NULL, 'a key that is not wrapped');
SELECT ok((SELECT ended FROM aaah_session_end('hp', 'ha.home.test', 'home.test', false, 'logout')), 'its end');
SELECT is_empty('SELECT bu_key FROM session_profiles', '... ends the key');

-- Pools.
SELECT is((SELECT (addresses, taken, free)::text FROM v_pools), '(127,0,127)', 'all but the broadcast address');
SELECT is(host(aaah_address_allocate('dave@home.test', '198.51.100.21')), '10.1.0.128', 'the first');
SELECT is(host(aaah_address_allocate('dave@home.test', '198.51.100.21')), '10.1.0.128', 'the same user, the same address');
SELECT is(host(aaah_address_allocate('carol@home.test', '198.51.100.21')), '10.1.0.129', 'another user, another address');
SELECT lives_ok($$SELECT aaah_address_release('dave@home.test')$$, 'given back');
SELECT is(host(aaah_address_allocate('bob@home.test', '198.51.100.21')), '10.1.0.130', 'not the one just freed');
SELECT is(host(aaah_address_allocate('dave@home.test', '198.51.100.21')), '10.1.0.128', 'who had it gets it again');
INSERT INTO subscribers (nai, aaa_key, home_agent)
	SELECT 'p' || i || '@home.test', '\x01' || decode(repeat('00', 44), 'hex'), '198.51.100.21' FROM generate_series(1, 200) AS i;
CREATE TEMP TABLE got AS SELECT aaah_address_allocate('p' || i || '@home.test', '198.51.100.21') AS a FROM generate_series(1, 200) AS i;
SELECT is((SELECT count(DISTINCT a)::int FROM got), 124, 'every address once');
SELECT is((SELECT count(*)::int FROM got WHERE a IS NULL), 76, 'then none: NULL, not an error');
SELECT is((SELECT free::int FROM v_pools), 0, 'the pool is full');
SELECT lives_ok($$SELECT aaah_address_release('p7@home.test')$$, 'one is freed');
SELECT isnt(aaah_address_allocate('p200@home.test', '198.51.100.21'), NULL, 'and given to the next');
SELECT is(aaah_address_allocate('p199@home.test', '198.51.100.22'), NULL, 'a home agent without pools has none');
SELECT lives_ok($$INSERT INTO home_address_pools VALUES ('10.1.0.64/30', '198.51.100.21')$$, 'another pool');
SELECT isnt(aaah_address_allocate('p199@home.test', '198.51.100.21'), NULL, 'serves on');
UPDATE home_addresses SET changed_at = now() - interval '11 minutes' WHERE nai = 'p1@home.test';
SELECT is(aaah_sessions_reap(10), 0, 'no session');
SELECT is_empty($$SELECT * FROM home_addresses WHERE nai = 'p1@home.test'$$, 'an address without a session comes back');
SELECT * FROM finish();
ROLLBACK;
