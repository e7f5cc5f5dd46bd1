-- SPDX-License-Identifier: BSD-3-Clause
-- A change reaches the sessions that it concerns, each once (note 16).
BEGIN;
SET LOCAL search_path = public, mipvpn, pg_catalog;
SELECT no_plan();
CREATE FUNCTION pg_temp.put(who text, hoa text, sid text, recheck boolean DEFAULT false, age int DEFAULT 0) RETURNS bigint LANGUAGE sql AS $$
	SELECT mipvpn.aaah_session_keep(jsonb_build_object('nai', who, 'home_address', hoa, 'home_agent', '198.51.100.21',
		'ha_session', 'h' || sid, 'ha_host', 'ha.home.test', 'ha_realm', 'home.test', 'fa_session', 'f' || sid,
		'fa_host', 'fa.visited.test', 'fa_realm', 'visited.test', 'fa_address', '198.51.100.11', 'lasting_s', 100,
		'recheck', recheck, 'age_ms', age, 'profiles', '[]'::jsonb))
$$;
CREATE FUNCTION pg_temp.profile(n int, t int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_array(jsonb_build_object('position', 0, 'number', n, 'source', '10.1.0.10/32', 'destination', '10.9.0.0/24',
		'tos_up', t, 'tos_down', 0, 'security', 1, 'source_gateway', '198.51.100.11', 'destination_gateway', '198.51.100.21',
		'destination_kind', 0, 'spi_up', 4097, 'spi_down', 4098, 'required', true))
$$;
-- Who would be told; all of it is taken back.
CREATE FUNCTION pg_temp.told() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	who text;
BEGIN
	PERFORM mipvpn.live_expand(500);
	SELECT string_agg(split_part(s.nai, '@', 1), ' ' ORDER BY s.nai) INTO who FROM live_updates u JOIN sessions s ON s.id = u.session;
	DELETE FROM live_updates;
	RETURN coalesce(who, '');
END $$;
-- The same, and they stay.
CREATE FUNCTION pg_temp.told_again() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM mipvpn.live_expand(500);
	RETURN (SELECT string_agg(split_part(s.nai, '@', 1), ' ' ORDER BY s.nai) FROM live_updates u JOIN sessions s ON s.id = u.session);
END $$;
DELETE FROM change_log;
SELECT ok(pg_temp.put('alice@home.test', '10.1.0.10', '1') > 0, 'alice is on');
SELECT ok(pg_temp.put('bob@home.test', '10.1.0.11', '2') > 0, 'bob is on');
SELECT ok(pg_temp.put('carol@home.test', '10.1.0.12', '3') > 0, 'carol is on, without a VPN');
SELECT is(pg_temp.told(), '', 'nobody is told of anything');

UPDATE subscribers SET description = 'x' WHERE nai = 'carol@home.test';
SELECT is(pg_temp.told(), 'carol', 'a subscriber');
UPDATE vpns SET up_class = 'AF11' WHERE number = 1;
SELECT is(pg_temp.told(), 'alice', 'a VPN');
UPDATE vpns SET nai = 'carol@home.test' WHERE number = 1;
SELECT is(pg_temp.told(), 'carol', '... given to another: who has it in no profile is not told');
UPDATE vpns SET nai = 'alice@home.test' WHERE number = 1;
SELECT is(pg_temp.told(), 'alice', '... and back');
UPDATE slas SET up_class = 'AF21' WHERE name = 'acme';
SELECT is(pg_temp.told(), 'alice bob', 'a contract: its users');
DELETE FROM sla_users WHERE nai = 'bob@home.test';
SELECT is(pg_temp.told(), 'bob', 'off the list');
UPDATE qos_classes SET dscp = 11 WHERE name = 'EF';
SELECT is(pg_temp.told(), '', 'a class that nobody has');
UPDATE qos_classes SET dscp = 19 WHERE name = 'AF21';
SELECT is(pg_temp.told(), 'alice', 'that of a contract: who is on its list');
UPDATE qos_classes SET dscp = 11 WHERE name = 'AF11';
SELECT is(pg_temp.told(), 'alice', 'that of a VPN');
UPDATE cn_gateways SET description = 'x' WHERE prefix = '10.9.0.0/24';
SELECT is(pg_temp.told(), 'alice bob', 'a gateway: whose VPNs it leads to, permitted or not');
UPDATE cn_gateways SET prefix = '10.9.0.0/25' WHERE prefix = '10.9.0.0/24';
SELECT is(pg_temp.told(), 'alice bob', '... to which it does not lead any more');
UPDATE home_agents SET description = 'x';
SELECT is(pg_temp.told(), '', 'home agents are for the next registration');
UPDATE sessions SET expires_at = now() - interval '1 s' WHERE nai = 'carol@home.test';
UPDATE subscribers SET description = 'y';
SELECT is(pg_temp.told(), 'alice bob', 'who is not on any more is not told');
SELECT is((SELECT count(*) FROM change_log WHERE expanded_at IS NULL)::int, 0, 'each change was looked at once');

-- One session, several changes: one row, one node.
CREATE FUNCTION pg_temp.take() RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(split_part(nai, '@', 1) || ' ' || serial || ' ' || tries || ' ' || sent, ', ' ORDER BY nai), '') FROM aaah_live_take(10)
$$;
CREATE FUNCTION pg_temp.sid() RETURNS bigint LANGUAGE sql AS $$ SELECT id FROM mipvpn.sessions WHERE nai = 'alice@home.test' $$;
UPDATE vpns SET up_class = 'AF12' WHERE number = 1;
UPDATE vpns SET up_class = 'AF13' WHERE number = 1;
SELECT is(pg_temp.take(), 'alice 2 1 false', 'two changes of one session are one thing to do');
SELECT is(pg_temp.take(), '', 'and one node''s');
UPDATE vpns SET up_class = 'AF11' WHERE number = 1;
SELECT is(pg_temp.take(), '', '... also when there is another change meanwhile');
SELECT is(aaah_live_put(pg_temp.sid(), 'f9', pg_temp.profile(1, 40)), false, 'not stored when the user has registered again since');
SELECT is(aaah_live_put(pg_temp.sid(), 'f1', pg_temp.profile(1, 40)), true, 'stored');
SELECT is((SELECT tos_up FROM aaah_cached_profiles('alice@home.test'))::int, 40, '... for the next registration to say');
SELECT lives_ok($$SELECT aaah_live_done(pg_temp.sid(), 2, 'effective', '')$$, 'the first two are effective');
SELECT is(pg_temp.take(), 'alice 3 1 false', 'the third is due');
SELECT lives_ok($$SELECT aaah_live_later(pg_temp.sid(), 60000, 'the home agent is silent')$$, 'it fails');
SELECT is(pg_temp.take(), '', 'it is not tried at once');
SELECT results_eq('SELECT outcome, why FROM v_live WHERE effective_at IS NULL', $$VALUES ('waiting', 'the home agent is silent')$$, 'the view says why');
UPDATE vpns SET up_class = 'EF' WHERE number = 1;
SELECT is(pg_temp.take(), 'alice 4 1 false', 'a new change is: another try');
UPDATE live_updates SET claimed_until = now() - interval '1 s', sent = true;
SELECT is(pg_temp.take(), 'alice 4 2 true', 'its node has died: another one goes on, with what is stored');
SELECT lives_ok($$SELECT aaah_live_done(pg_temp.sid(), 4, 'effective', '')$$, 'done');
SELECT is_empty('SELECT * FROM live_updates', 'nothing is left to do');
SELECT results_eq($$SELECT outcome, tries FROM live_history ORDER BY id$$, $$VALUES ('effective', 2)$$, 'the history: one row for all that came together');
SELECT ok((SELECT bool_and(effective_at >= changed_at) FROM live_history), '... with both times');

-- The contract's own connection: nothing of the profiles is different, and the gateways hear of it all the same.
INSERT INTO sla_users (sla, nai) VALUES ('acme', 'bob@home.test');
SELECT is(pg_temp.told(), 'bob', 'bob is on the list again');
SELECT is(aaah_live_put(pg_temp.sid(), 'f1', jsonb_set(pg_temp.profile(1, 40), '{0,sla}', '"acme"')), true, 'alice uses the contract');
UPDATE slas SET description = 'x' WHERE name = 'acme';
SELECT is(pg_temp.take(), 'alice 1 1 false, bob 1 1 false', 'a contract: looked at');
DELETE FROM live_updates;
UPDATE slas SET ike_local = 'new.home.test' WHERE name = 'acme';
SELECT is(pg_temp.take(), 'alice 1 1 true, bob 1 1 false', 'its identity: who uses its connection is told, whatever he has');
UPDATE slas SET home_selector = '10.1.0.0/25' WHERE name = 'acme';
SELECT is(pg_temp.told_again(), 'alice bob', '... and again meanwhile');
SELECT lives_ok($$SELECT aaah_live_done(pg_temp.sid(), 1, 'effective', '')$$, 'the first is effective');
SELECT is(pg_temp.take(), 'alice 2 1 true', '... and the second is told, too');
SELECT lives_ok($$SELECT aaah_live_later(pg_temp.sid(), 0, 'its gateway is not so far')$$, 'it is waited for');
SELECT is(pg_temp.take(), 'alice 2 2 true', '... and told until it is done');
DELETE FROM live_updates;
UPDATE slas SET psk = decode('01' || repeat('ab', 43), 'hex') WHERE name = 'acme';
SELECT is(pg_temp.take(), 'alice 1 1 true, bob 1 1 false', 'its key');
DELETE FROM live_updates;
UPDATE slas SET ike_proposal = 'aes256-sha384-curve25519' WHERE name = 'acme';
SELECT is(pg_temp.take(), 'alice 1 1 true, bob 1 1 false', 'its algorithms');
DELETE FROM live_updates;
UPDATE slas SET ike_local = NULL, up_class = 'AF31' WHERE name = 'acme';
SELECT is(pg_temp.take(), 'alice 1 1 true, bob 1 1 false', 'an identity that is gone');
DELETE FROM live_updates;

-- A contract that begins and ends by the clock.
UPDATE slas SET valid = tstzrange(now() - interval '2 s', now() + interval '1 s') WHERE name = 'acme';
SELECT is(pg_temp.told(), 'alice bob', 'a COMMIT about its time');
SELECT is(pg_temp.told(), '', '... is told once');
UPDATE contract_clock SET valid = false WHERE sla = 'acme';	-- as if it had been looked at before it began
SELECT is(pg_temp.told(), 'alice bob', 'it has begun since the last look: its users are told, without a COMMIT');
SELECT is(pg_temp.told(), '', '... once');
SELECT is((SELECT valid FROM contract_clock WHERE sla = 'acme'), true, '... and that is kept');
ALTER TABLE slas DISABLE TRIGGER USER;	-- in one transaction no time goes by
UPDATE slas SET valid = tstzrange(now() - interval '2 s', now() - interval '1 s') WHERE name = 'acme';
ALTER TABLE slas ENABLE TRIGGER USER;
SELECT is(pg_temp.told(), 'alice bob', 'it has ended by time');
SELECT is(pg_temp.told(), '', '... told once');
SELECT is((SELECT tbl || ' ' || key FROM change_log ORDER BY id DESC LIMIT 1), 'slas acme', 'it is a change like others');
UPDATE slas SET valid = tstzrange(now() - interval '2 s', NULL) WHERE name = 'acme';
SELECT is(pg_temp.told(), 'alice bob', 'it is prolonged');
INSERT INTO slas (name, domain, gateway, home_selector, valid) VALUES
	('later', '10.77.0.0/24', '198.51.100.77', '10.1.0.0/24', tstzrange(now() + interval '1 day', NULL));
SELECT is((SELECT valid FROM contract_clock WHERE sla = 'later'), false, 'a contract that is to begin is on the clock');
UPDATE slas SET name = 'tomorrow' WHERE name = 'later';
DELETE FROM slas WHERE name = 'tomorrow';
SELECT is_empty($$SELECT * FROM contract_clock WHERE sla IN ('later', 'tomorrow')$$, '... and off it with its row');
SELECT is(pg_temp.told(), '', 'nobody is told of that');
DELETE FROM live_history;

-- A registration that overlaps.
UPDATE sessions SET live_at = clock_timestamp() - interval '1 s' WHERE nai = 'alice@home.test';
SELECT ok(pg_temp.put('alice@home.test', '10.1.0.10', '1', false, 0) > 0, 'a registration behind all that');
SELECT ok(pg_temp.put('alice@home.test', '10.1.0.10', '1', false, 500) > 0, 'one that has read after the last change was stored');
SELECT is(pg_temp.take(), '', 'nothing');
SELECT ok(pg_temp.put('alice@home.test', '10.1.0.10', '1', false, 3000) > 0, 'one that has read before that');
SELECT is(pg_temp.take(), 'alice 1 1 true', 'is looked at once more, and said again');
SELECT ok(pg_temp.put('bob@home.test', '10.1.0.11', '2', true) > 0, 'one under way when the server heard of a change');
SELECT is(pg_temp.take(), 'bob 1 1 true', 'is, too');

-- Many at once: each has its own result.
SELECT is((SELECT string_agg(DISTINCT n || ' ' || ha_session, ', ') FROM aaah_lookup_many(
	ARRAY['bob@home.test', 'nobody@home.test', 'alice@home.test'], ARRAY['visited.test', 'visited.test', 'visited.test'],
	ARRAY['198.51.100.11', '198.51.100.11', '198.51.100.11']::inet[], true)), '1 h2, 3 h1', 'users, by their place in the list; who is not known has no row');
SELECT results_eq($$SELECT * FROM aaah_live_put_many(jsonb_build_array(
	jsonb_build_object('session', pg_temp.sid(), 'fa_session', 'f1', 'profiles', pg_temp.profile(1, 72)),
	jsonb_build_object('session', (SELECT id FROM sessions WHERE nai = 'bob@home.test'), 'fa_session', 'f9', 'profiles', pg_temp.profile(2, 72)),
	jsonb_build_object('session', 0, 'fa_session', 'f1', 'profiles', pg_temp.profile(1, 72))))$$,
	$$VALUES (1::bigint, true), (2, false), (3, false)$$, 'stored, but for who has registered again, and who is not on');
SELECT results_eq($$SELECT n, tos_up FROM aaah_cached_profiles_many(ARRAY['bob@home.test', 'nobody@home.test', 'alice@home.test'])$$,
	$$VALUES (3::bigint, 72::smallint)$$, 'profiles, by their place in the list');
SELECT throws_ok($$SELECT * FROM aaah_live_put_many(jsonb_build_array(
	jsonb_build_object('session', pg_temp.sid(), 'fa_session', 'f1', 'profiles', pg_temp.profile(1, 76)),
	jsonb_build_object('session', (SELECT id FROM sessions WHERE nai = 'bob@home.test'), 'fa_session', 'f2', 'profiles', '[{"number": "x"}]'::jsonb)))$$,
	'22P02', NULL, 'one bad set refuses the list');
SELECT is((SELECT tos_up FROM aaah_cached_profiles('alice@home.test'))::int, 72, '... and changes nothing');
SELECT lives_ok($$SELECT aaah_live_done_many(jsonb_build_array(
	jsonb_build_object('session', pg_temp.sid(), 'serial', 9, 'outcome', 'effective', 'why', ''),
	jsonb_build_object('session', (SELECT id FROM sessions WHERE nai = 'bob@home.test'), 'serial', 1, 'outcome', 'effective', 'why', 'x')))$$,
	'done: one of them has changed again meanwhile');
SELECT is((SELECT string_agg(nai, ' ') FROM live_history WHERE why = 'x'), 'bob@home.test', '... the other is in the history');
SELECT is(pg_temp.take(), 'alice 1 1 false', '... and that one is due again');

SELECT lives_ok($$SELECT aaah_live_done(pg_temp.sid(), 1, 'ended', 'the user is switched off')$$, 'a user who is switched off');
SELECT is_empty($$SELECT 1 FROM sessions WHERE nai = 'alice@home.test'$$, 'his session is over');
SELECT is((SELECT reason FROM session_history ORDER BY ended_at DESC, id DESC LIMIT 1), 'administrative', '... and the history says so');
SELECT is((SELECT outcome FROM live_history ORDER BY id DESC LIMIT 1), 'ended', '... both of them');
SELECT * FROM finish();
ROLLBACK;
