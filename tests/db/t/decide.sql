-- SPDX-License-Identifier: BSD-3-Clause
-- The cases of tests/aaah/decide_cases.txt as the database sees them (A4, A5, C2, C3): the situation gives those rows to the
-- AAAH, and decide() answers what the AAAH makes of them.  And policy tests before a commit.
BEGIN;
SET LOCAL search_path = public, mipvpn, pg_catalog;
SELECT no_plan();

\set content `cat :'cases'`
CREATE TEMP TABLE lines AS
	SELECT l.n, split_part(l.t, ': ', 1) AS k, trim(substr(l.t, strpos(l.t || ':', ':') + 1)) AS v,
	       count(*) FILTER (WHERE l.t LIKE 'case: %') OVER (ORDER BY l.n) AS c
	FROM regexp_split_to_table(:'content', E'\n') WITH ORDINALITY AS l(t, n) WHERE l.t !~ '^(#|$)';
UPDATE lines SET k = 'row' WHERE k = 'row:';
SELECT is_empty($$SELECT v FROM lines WHERE k NOT IN ('base', 'case', 'sql', 'ask', 'hoa', 'row', 'out')$$, 'every line of the cases is known');
CREATE FUNCTION pg_temp.cells(t text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT coalesce(jsonb_object_agg(split_part(w, '=', 1), substr(w, strpos(w, '=') + 1)), '{}')
	FROM regexp_split_to_table(t, ' +') AS w WHERE w <> ''
$$;
-- A row as the file has it: no NULL, a key is a key.  What a live session adds is not part of it.
CREATE FUNCTION pg_temp.plain(r jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT coalesce(jsonb_object_agg(e.key, CASE WHEN e.key IN ('aaa_key', 'pcn_key', 'sla_psk') THEN 'key' ELSE e.value END), '{}')
	FROM jsonb_each_text(jsonb_strip_nulls(r)) AS e WHERE e.value <> '-'
$$;
CREATE FUNCTION pg_temp.words(d decision) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN d.allowed THEN format('vpn %s %s %s sla=%s %s/%s keys=%s spi=%s/%s dscp=%s/%s required=%s onward=%s/%s%s', d.vpn,
			d.kind, d.path, coalesce(d.sla, '-'), d.security, coalesce(d.proposal, '-'), d.keys, d.up_spi, d.down_spi,
			d.up_dscp, d.down_dscp, CASE WHEN d.required THEN 'yes' ELSE 'no' END, coalesce(d.onward_security, '-'),
			coalesce(d.onward_proposal, '-'), ' but ' || d.why)
		WHEN d.vpn IS NOT NULL THEN format('no: VPN %s: %s', d.vpn, d.why)
		WHEN d.why ~ '(^VPN|^no VPN)' THEN 'none: ' || d.why ELSE 'refused: ' || d.why END
$$;
-- Makes the situation, asks, and takes it back.
CREATE FUNCTION pg_temp.try(p_case bigint, OUT rows jsonb, OUT answer text, OUT answer_by_address text, OUT hoa text, OUT by_view text) LANGUAGE plpgsql AS $$
DECLARE
	ask	text[] := (SELECT regexp_split_to_array(v, ' +') FROM lines WHERE c = p_case AND k = 'ask');
	q	text;
BEGIN
	FOR q IN SELECT v FROM lines WHERE c = p_case AND k = 'sql' ORDER BY n LOOP
		EXECUTE q;
	END LOOP;
	SELECT coalesce(jsonb_agg(pg_temp.plain(to_jsonb(r)) ORDER BY r.number), '[]') INTO rows FROM aaah_lookup(ask[1], ask[3], ask[2]::inet, true) AS r;
	answer := pg_temp.words(decide(ask[1], ask[2]::inet, ask[4]::inet, ask[3]));
	answer_by_address := pg_temp.words(decide(ask[1], ask[2]::inet, ask[4]::inet));
	hoa := host(decide_home_address(ask[1], '198.51.100.21'));
	SELECT string_agg(format('VPN %s: %s', u.vpn, u.verdict), ', ') INTO by_view
	FROM v_user_vpns u JOIN decide_all(ask[1], ask[2]::inet, ask[3]) AS d ON d.vpn = u.vpn
	WHERE (u.verdict = 'ok') <> d.allowed;
	RAISE EXCEPTION USING ERRCODE = 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	NULL;
END $$;
CREATE TEMP TABLE got AS
	SELECT l.c, l.v AS what, t.*, (SELECT v FROM lines x WHERE x.c = l.c AND x.k = 'out') AS out,
	       (SELECT v FROM lines x WHERE x.c = l.c AND x.k = 'ask') AS ask, (SELECT v FROM lines x WHERE x.c = l.c AND x.k = 'hoa') AS want_hoa,
	       (SELECT coalesce(jsonb_agg(pg_temp.plain(pg_temp.cells(b.v) || pg_temp.cells(x.v)) ORDER BY x.n), '[]')
		FROM lines x, lines b WHERE x.c = l.c AND x.k = 'row' AND b.k = 'base') AS want
	FROM lines l, LATERAL pg_temp.try(l.c) AS t WHERE l.k = 'case';
SELECT cmp_ok((SELECT count(*) FROM got), '>=', 40::bigint, 'all of the cases are here');
SELECT is(rows, want, 'what the AAAH is told: ' || what) FROM got ORDER BY c;
SELECT is(answer, out, 'what is decided: ' || what) FROM got ORDER BY c;
SELECT is(hoa, want_hoa, 'home address: ' || what) FROM got WHERE want_hoa IS NOT NULL ORDER BY c;
SELECT is(by_view, NULL, 'v_user_vpns says the same: ' || what) FROM got	-- it knows no pool, and looks at each VPN alone
WHERE out !~ 'too many' AND NOT (want_hoa IS NOT NULL AND out ~ 'home selector') AND what !~ 'those before it' ORDER BY c;
SELECT is(answer_by_address, out, 'the realm is found by the address: ' || what) FROM got
WHERE ask LIKE '% 198.51.100.11 visited.test %' ORDER BY c;

-- Where the realm comes from.
SELECT is((decide('alice@home.test', '203.0.113.1', '10.9.0.5')).why, 'no roaming agreement with 203.0.113.1', 'an address that is nobody''s');
INSERT INTO roaming_domains (realm, care_of, enabled) VALUES ('inner.test', '{198.51.100.0/28, 192.0.2.0/24}', false), ('any.test', '{}', true);
SELECT is((decide('alice@home.test', '198.51.100.11', '10.9.0.5')).why, 'roaming with inner.test is suspended', 'the longest network has it');
SELECT is((decide('alice@home.test', '198.51.100.99', '10.9.0.5')).vpn, 1::bigint, '... and not what is outside of it');
SELECT is((decide('alice@home.test', '203.0.113.1', '10.9.0.5')).vpn, 1::bigint, 'a domain without networks takes what no other has');
SELECT ok(aaah_session_put(jsonb_build_object('nai', 'alice@home.test', 'home_address', '10.1.0.10', 'home_agent', '198.51.100.21',
	'ha_session', 'h1', 'ha_host', 'ha.home.test', 'ha_realm', 'home.test', 'fa_session', 'f1', 'fa_host', 'fa.visited.test',
	'fa_realm', 'visited.test', 'fa_address', '198.51.100.11', 'lasting_s', 100, 'profiles', '[]'::jsonb)) > 0, 'she is on');
SELECT is((decide('alice@home.test', '198.51.100.11', '10.9.0.5')).vpn, 1::bigint, 'who is on: the realm where he is');
SELECT is((decide('bob@home.test', '198.51.100.11', '10.9.0.5')).why, 'roaming with inner.test is suspended', '... and nobody else');
DELETE FROM roaming_domains WHERE realm IN ('inner.test', 'any.test');

-- All of a user at once, and names of classes.
SELECT results_eq($$SELECT vpn, allowed, up_class, up_dscp, down_class, down_dscp FROM decide_all('alice@home.test', '198.51.100.11')$$,
	$$VALUES (1::bigint, true, 'EF', 46::smallint, 'AF41', 34::smallint)$$, 'decide_all');
SELECT is_empty($$SELECT * FROM decide_all('carol@home.test', '198.51.100.11')$$, 'nothing of who has no VPN');
SELECT is((decide('carol@home.test', '198.51.100.11', '10.9.0.5')).why, 'no VPN of the user leads to the destination', '... and why');
UPDATE home_address_pools SET enabled = false;
SELECT is((decide('dave@home.test', '198.51.100.11', '10.9.0.5')).why, 'no home address is free', 'pools that give nothing');
UPDATE home_address_pools SET enabled = true;
SELECT is(host(decide_home_address('dave@home.test', '198.51.100.21')), host(aaah_address_allocate('dave@home.test', '198.51.100.21')),
	'the address that he gets');
SELECT is(host(decide_home_address('bob@home.test', '198.51.100.21')), host(aaah_address_allocate('bob@home.test', '198.51.100.21')),
	'... and the next user');
SELECT lives_ok($$SELECT aaah_address_release('dave@home.test')$$, '... which he gives back');
SELECT is(host(decide_home_address('dave@home.test', '198.51.100.21')), host(aaah_address_allocate('dave@home.test', '198.51.100.21')),
	'... and has again');
SELECT throws_ok($$SELECT decide('alice@home.test', NULL, '10.9.0.5')$$, '22023', NULL, 'no foreign agent');
SELECT throws_ok($$SELECT decide(NULL, '198.51.100.11', '10.9.0.5')$$, '22023', NULL, 'no user');
SELECT throws_ok($$SELECT decide('alice@home.test', '198.51.100.0/24', '10.9.0.5')$$, '22023', NULL, 'a network is no foreign agent');
SELECT throws_ok($$SELECT decide('alice@home.test', '::1', '10.9.0.5')$$, '22023', NULL, 'nor is an IPv6 address');
SELECT throws_ok($$SELECT decide('alice@home.test', '198.51.100.11', '::1')$$, '22023', NULL, 'an IPv6 destination');
SELECT throws_ok($$SELECT decide('alice@home.test', '198.51.100.11', NULL)$$, '22023', NULL, 'no destination');

-- Policy tests: the change is there inside of the transaction, and a test that fails undoes all of it.
CREATE FUNCTION pg_temp.change(p_change text, p_expected jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE p_change;
	PERFORM mipvpn.expect_decision('alice@home.test', '198.51.100.11', '10.9.0.5', p_expected);
	RETURN 'committed';
EXCEPTION WHEN check_violation OR invalid_parameter_value THEN
	RETURN SQLERRM;
END $$;
SET LOCAL ROLE mipvpn_dba;
SELECT is(pg_temp.change($$UPDATE mipvpn.slas SET security = 'AH' WHERE name = 'acme'$$, '{"vpn": 1, "security": "ESP", "onward_security": "AH", "why": null}'),
	'committed', 'as expected');
SELECT is((mipvpn.decide('alice@home.test', '198.51.100.11', '10.9.0.5')).onward_security, 'AH', '... it is there');
SELECT is(pg_temp.change($$DELETE FROM mipvpn.sla_users WHERE nai = 'alice@home.test'$$, '{"vpn": 1, "allowed": true}'),
	'alice@home.test at 198.51.100.11 to 10.9.0.5: allowed is false, not true', 'not as expected');
SELECT is((mipvpn.decide('alice@home.test', '198.51.100.11', '10.9.0.5')).allowed, true, '... nothing of it stays');
SELECT is(pg_temp.change($$DELETE FROM mipvpn.sla_users WHERE nai = 'alice@home.test'$$,
	'{"allowed": false, "why": "the user is not on the contract''s list"}'), 'committed', 'a refusal can be expected');
SELECT is(pg_temp.change('SELECT 1', '{"allowed": false, "vpm": 1}'), 'a decision has no vpm', 'a misspelt column does not pass');
SELECT is(pg_temp.change('SELECT 1', e::jsonb), 'nothing is expected', 'an expectation of nothing does not pass: ' || coalesce(e, 'NULL'))
FROM unnest(ARRAY['{}', '[1]', 'null', NULL]) AS e;
SELECT is(mipvpn.expect_decision('alice@home.test', '198.51.100.11', '10.8.0.1', '{"vpn": null}') ->> 'why',
	'no VPN of the user leads to the destination', 'it answers with the decision');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
