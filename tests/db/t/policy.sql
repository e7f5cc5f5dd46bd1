-- SPDX-License-Identifier: BSD-3-Clause
-- Lookups: longest prefix, contract and list, roaming, views, audit, change notice.
BEGIN;
SET LOCAL search_path = public, mipvpn, pg_catalog;
SELECT no_plan();

-- A4: the longest prefix wins, whatever the order of the rows.
INSERT INTO cn_gateways (prefix, gateway, kind) VALUES
	('10.0.0.0/8', '192.0.2.8', 'dynamic'), ('10.9.0.5/32', '192.0.2.32', 'dynamic'), ('10.9.0.0/25', '192.0.2.25', 'dynamic');
SELECT is((SELECT host(gateway) FROM cn_gateway(a::inet)), g, 'gateway of ' || a) FROM (VALUES
	('10.9.0.5', '192.0.2.32'), ('10.9.0.6', '192.0.2.25'), ('10.9.0.200', '198.51.100.31'), ('10.10.0.1', '192.0.2.8'),
	('10.9.0.0/24', '198.51.100.31'), ('10.9.0.0/23', '192.0.2.8'), ('10.9.0.64/26', '192.0.2.25')) AS t(a, g);
SELECT is_empty($$SELECT * FROM cn_gateway('11.0.0.1')$$, 'no gateway leads there');
SELECT is_empty($$SELECT * FROM cn_gateway('0.0.0.0/0')$$, 'nothing covers everything');
DELETE FROM cn_gateways WHERE kind = 'dynamic';

-- The plan uses the index, not the table, when there are many.
INSERT INTO cn_gateways (prefix, gateway, kind)
	SELECT ('172.' || (16 + i / 4096) || '.' || i / 16 % 256 || '.' || i % 16 * 16 || '/28')::cidr, '192.0.2.1', 'dynamic'
	FROM generate_series(0, 19999) AS i;
ANALYZE cn_gateways;
CREATE FUNCTION pg_temp.plan(q text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || q; END $$;
SELECT ok(EXISTS (SELECT FROM pg_temp.plan(
	$$SELECT * FROM mipvpn.cn_gateways g WHERE g.prefix::inet >>= '172.16.3.7' ORDER BY masklen(g.prefix) DESC LIMIT 1$$) AS l
	WHERE l LIKE '%cn_gateways_longest%'), 'longest prefix by index');
DELETE FROM cn_gateways WHERE kind = 'dynamic';

-- A3, A5: what the AAAH is told.
SELECT results_eq($$SELECT number, dscp_up, dscp_down, sla, sla_listed, sla_valid, sla_enabled FROM aaah_lookup('alice@home.test', 'visited.test', '198.51.100.11', false) WHERE number IS NOT NULL$$,
	$$VALUES (1::bigint, 46::smallint, 34::smallint, 'acme'::text, true, true, true)$$, 'alice');
SELECT results_eq($$SELECT number, sla_listed FROM aaah_lookup('mallory@home.test', 'visited.test', '198.51.100.11', false) WHERE number IS NOT NULL$$, $$VALUES (4::bigint, false)$$,
	'mallory is not on the list');
SELECT is_empty($$SELECT * FROM aaah_lookup('carol@home.test', 'visited.test', '198.51.100.11', false) WHERE number IS NOT NULL$$, 'carol has none');
UPDATE slas SET valid = tstzrange(now() - interval '2 days', now() - interval '1 day');
SELECT results_eq($$SELECT sla_valid FROM aaah_lookup('alice@home.test', 'visited.test', '198.51.100.11', false) WHERE number IS NOT NULL$$, ARRAY[false], 'a contract that has ended');
SELECT is((SELECT why FROM v_violations WHERE vpn = 1), 'contract is not valid now', '... is in v_violations');
UPDATE slas SET valid = tstzrange(now(), NULL);
SELECT is((SELECT roaming FROM aaah_lookup('alice@home.test', r, a::inet, false)), w, r || ' ' || a) FROM (VALUES
	('visited.test', '198.51.100.11', 'ok'), ('VISITED.test', '198.51.100.11', 'ok'), ('visited.test', '203.0.113.1', 'care-of'),
	('evil.test', '198.51.100.11', 'unknown')) AS t(r, a, w);
UPDATE roaming_domains SET enabled = false;
SELECT is((SELECT roaming FROM aaah_lookup('alice@home.test', 'visited.test', '198.51.100.11', false)), 'suspended', 'suspended');
SELECT is_empty($$SELECT * FROM aaah_lookup('nobody@home.test', 'visited.test', '198.51.100.11', false)$$, 'nobody');
SELECT results_eq($$SELECT vpn, verdict FROM v_user_vpns ORDER BY vpn$$,
	$$VALUES (1::bigint, 'ok'), (2, 'ok'), (4, 'user is not on the contract''s list')$$, 'v_user_vpns');

-- A4: a dynamic gateway's master key is told with the VPN, and to nobody who may not see it.
INSERT INTO cn_gateways (prefix, gateway, kind, pcn_key)
	VALUES ('203.0.113.0/24', '198.51.100.32', 'dynamic', '\x01' || decode(repeat('cd', 60), 'hex'));
INSERT INTO vpns (number, nai, destination, up_spi, down_spi) VALUES (5, 'bob@home.test', '203.0.113.0/24', 4105, 4106);
SELECT results_eq($$SELECT number, kind, encode(substr(pcn_key, 1, 2), 'hex'), sla FROM aaah_lookup('bob@home.test', 'visited.test', '198.51.100.11', false) ORDER BY number$$,
	$$VALUES (2::bigint, 'static', NULL, 'acme'), (5, 'dynamic', '01cd', NULL)$$, 'a user with a static and a dynamic gateway');
SELECT throws_ok($$UPDATE cn_gateways SET pcn_key = '\x00' WHERE prefix = '203.0.113.0/24'$$, '23514', NULL, 'a master key that is not wrapped');
SELECT throws_ok($$UPDATE cn_gateways SET pcn_key = '\x01' || decode(repeat('00', 60), 'hex') WHERE kind = 'static'$$, '23514', NULL,
	'a static gateway has no master key');
SELECT throws_ok($$SET LOCAL ROLE mipvpn_aaah; SELECT pcn_key FROM mipvpn.cn_gateways$$, '42501', NULL, 'the AAAH reads no table');
DELETE FROM vpns WHERE number = 5;
DELETE FROM cn_gateways WHERE kind = 'dynamic';

-- A5, G2: the user's tunnel is the user's, the contract's leg is the contract's.
UPDATE vpns SET security = 'ENCAP' WHERE number = 1;
UPDATE vpns SET proposal = 'aes256-sha256' WHERE number = 2;
UPDATE slas SET security = 'AH', esp_proposal = 'sha384';
INSERT INTO vpns (number, nai, destination, up_spi, down_spi, security, proposal)
	VALUES (5, 'bob@home.test', '203.0.113.0/24', 4105, 4106, 'AH', 'sha512-curve25519');
INSERT INTO cn_gateways (prefix, gateway, kind) VALUES ('203.0.113.0/24', '198.51.100.32', 'dynamic');
SELECT is((SELECT string_agg(concat_ws(' ', l.number, l.security, coalesce(l.proposal, '-'), l.sla_security, l.esp_proposal), ', ' ORDER BY l.number)
	FROM (VALUES ('alice@home.test'), ('bob@home.test'), ('carol@home.test')) AS u(nai),
	aaah_lookup(u.nai, 'visited.test', '198.51.100.11', false) AS l),
	'1 3 - 2 sha384, 2 1 aes256-sha256 2 sha384, 5 2 sha512-curve25519, -', 'aaah_lookup: security types and algorithms');
SELECT is((SELECT string_agg(concat_ws(' ', vpn, security, coalesce(proposal, '-'), onward_security, onward_proposal), ', ' ORDER BY vpn)
	FROM v_user_vpns WHERE vpn <> 4),
	'1 ENCAP - AH sha384, 2 ESP aes256-sha256 AH sha384, 5 AH sha512-curve25519', 'v_user_vpns shows them');
SELECT is((SELECT security || ' ' || esp_proposal FROM v_slas), 'AH sha384', 'v_slas shows the contract''s');
DELETE FROM vpns WHERE number = 5;
DELETE FROM cn_gateways WHERE kind = 'dynamic';

-- A6: audit and notice.
DELETE FROM audit;
DELETE FROM change_log;
SET LOCAL application_name = 'the test';
UPDATE vpns SET up_class = 'AF11' WHERE number = 1;
UPDATE vpns SET up_class = 'AF11' WHERE number = 1;
SELECT results_eq($$SELECT who, program, op, tbl, key, changed FROM v_changes$$,
	$$VALUES (session_user::text COLLATE "default", 'the test', 'UPDATE', 'vpns', '1', '{"up_class": ["EF", "AF11"]}'::jsonb)$$,
	'one change, one row; no change, none');
UPDATE vpns SET security = 'AH', proposal = 'sha512' WHERE number = 1;
UPDATE slas SET security = 'ESP', esp_proposal = NULL;
SELECT is((SELECT changed FROM v_changes WHERE tbl = 'vpns' ORDER BY at DESC LIMIT 1),
	'{"security": ["ENCAP", "AH"], "proposal": [null, "sha512"]}'::jsonb, 'another security of a VPN is audited');
SELECT is((SELECT changed FROM v_changes WHERE tbl = 'slas'),
	'{"security": ["AH", "ESP"], "esp_proposal": ["sha384", null]}'::jsonb, 'and of a contract');
DELETE FROM audit WHERE tbl = 'slas';
DELETE FROM change_log WHERE tbl = 'slas' OR id = (SELECT max(id) FROM change_log WHERE tbl = 'vpns');
UPDATE subscribers SET aaa_key = '\x01' || decode(repeat('ab', 44), 'hex') WHERE nai = 'alice@home.test';
SELECT ok(changed -> 'aaa_key' ->> 1 ~ '^key [0-9a-f]{8}$', 'a new key shows as a digest') FROM v_changes WHERE tbl = 'subscribers';
SELECT is_empty($$SELECT * FROM audit WHERE before::text || after::text LIKE '%abababab%'$$, '... and only so');
DELETE FROM sla_users WHERE nai = 'bob@home.test';
SELECT results_eq($$SELECT op, key FROM audit WHERE tbl = 'sla_users'$$, $$VALUES ('DELETE', 'acme bob@home.test')$$, 'list of users');
INSERT INTO slas (name, domain, gateway, home_selector) VALUES ('zeta', '10.8.0.0/16', '192.0.2.9', '10.1.0.0/24');
DELETE FROM slas WHERE name = 'zeta';
SELECT results_eq($$SELECT op FROM audit WHERE key = 'zeta' ORDER BY id$$, ARRAY['INSERT', 'DELETE'], 'a contract comes and goes');
SELECT results_eq($$SELECT tbl, key FROM change_log ORDER BY id$$, $$VALUES ('vpns', '1'), ('subscribers', 'alice@home.test'),
	('sla_users', 'acme bob@home.test'), ('slas', 'zeta'), ('slas', 'zeta')$$, 'change_log');
SELECT is_empty($$SELECT c.relname FROM (VALUES ('subscribers'), ('vpns'), ('slas'), ('sla_users'), ('cn_gateways'), ('home_agents'),
	('roaming_domains'), ('home_address_pools'), ('qos_classes')) AS c(relname) WHERE NOT EXISTS (SELECT FROM pg_trigger t
	WHERE t.tgrelid = ('mipvpn.' || c.relname)::regclass AND t.tgname = 'audit')$$, 'every table of policy is audited');
SELECT * FROM finish();
ROLLBACK;
