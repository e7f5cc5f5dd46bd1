-- SPDX-License-Identifier: BSD-3-Clause
-- Who may do what: the tables of grants here are complete, so a grant too many fails too.
BEGIN;
SET LOCAL search_path = public, mipvpn, pg_catalog;
SELECT no_plan();

-- The AAAH and the page read no table at all.
SELECT table_privs_are('mipvpn', c.relname, r.role, '{}'::text[])
FROM pg_class c, (VALUES ('mipvpn_aaah'), ('mipvpn_portal'), ('public')) AS r(role)
WHERE c.relnamespace = 'mipvpn'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY 1;

SELECT table_privs_are('mipvpn', t, 'mipvpn_dba', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'])
FROM unnest(ARRAY['subscribers', 'vpns', 'slas', 'sla_users', 'cn_gateways', 'home_agents', 'roaming_domains',
	'home_address_pools', 'qos_classes']) AS t;
SELECT table_privs_are('mipvpn', t, 'mipvpn_dba', ARRAY['SELECT'])
FROM unnest(ARRAY['v_online', 'v_tunnels', 'v_user_vpns', 'v_violations', 'v_slas', 'v_pools', 'v_history', 'v_changes',
	'v_portal_accounts', 'security_types', 'home_addresses', 'schema_version', 'change_log', 'session_history', 'v_live', 'live_updates', 'live_history', 'contract_clock']) AS t;
SELECT table_privs_are('mipvpn', t, 'mipvpn_dba', '{}'::text[]) FROM unnest(ARRAY['audit', 'sessions', 'session_profiles', 'portal_accounts',
	'portal_sessions', 'portal_limits', 'portal_attempts', 'portal_secret']) AS t;
SELECT table_privs_are('mipvpn', t, 'mipvpn_monitor', ARRAY['SELECT'])
FROM unnest(ARRAY['schema_version', 'v_online', 'v_tunnels', 'v_violations', 'v_slas', 'v_pools', 'v_history', 'v_live']) AS t;
SELECT table_privs_are('mipvpn', t, 'mipvpn_monitor', '{}'::text[])
FROM unnest(ARRAY['subscribers', 'slas', 'cn_gateways', 'audit', 'sessions', 'session_profiles', 'v_changes']) AS t;

-- Functions: aaah_*() for the AAAH only, what a page needs for the page only, nothing for everybody.
SELECT function_privs_are('mipvpn', p.proname, string_to_array(oidvectortypes(p.proargtypes), ', '), 'mipvpn_aaah',
	CASE WHEN p.proname LIKE 'aaah\_%' THEN ARRAY['EXECUTE'] ELSE '{}'::text[] END)
FROM pg_proc p WHERE p.pronamespace = 'mipvpn'::regnamespace ORDER BY p.proname;
SELECT function_privs_are('mipvpn', p.proname, string_to_array(oidvectortypes(p.proargtypes), ', '), 'mipvpn_portal',
	CASE WHEN p.proname IN ('portal_schema_version', 'portal_sign_in_begin', 'portal_sign_in_finish', 'portal_sign_out',
		'portal_visit', 'portal_vpns', 'portal_settled', 'portal_networks', 'portal_classes', 'portal_vpn_add',
		'portal_vpn_change', 'portal_vpn_remove') THEN ARRAY['EXECUTE'] ELSE '{}'::text[] END)
FROM pg_proc p WHERE p.pronamespace = 'mipvpn'::regnamespace ORDER BY p.proname;
SELECT function_privs_are('mipvpn', p.proname, string_to_array(oidvectortypes(p.proargtypes), ', '), r,
	CASE WHEN r = 'mipvpn_monitor' AND p.proname IN ('decide', 'decide_all', 'expect_decision') THEN ARRAY['EXECUTE'] ELSE '{}'::text[] END)
FROM pg_proc p, unnest(ARRAY['mipvpn_monitor', 'public']) AS r
WHERE p.pronamespace = 'mipvpn'::regnamespace ORDER BY p.proname;
SELECT sequence_privs_are('mipvpn', c.relname, r, '{}'::text[])
FROM pg_class c, unnest(ARRAY['mipvpn_aaah', 'mipvpn_portal', 'public']) AS r
WHERE c.relnamespace = 'mipvpn'::regnamespace AND c.relkind = 'S' ORDER BY 1;
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'mipvpn'::regnamespace AND a.attacl IS NOT NULL$$, 'no grant hides in a column');
SELECT is_empty($$SELECT r.rolname FROM pg_roles r WHERE pg_has_role('mipvpn_portal', r.oid, 'MEMBER') AND r.rolname <> 'mipvpn_portal'$$,
	'the page''s role is no member of another');
SELECT schema_privs_are('mipvpn', 'mipvpn_portal', ARRAY['USAGE']);

-- A function that runs as its owner has its search_path pinned.
SELECT is_empty($$SELECT proname FROM pg_proc WHERE pronamespace = 'mipvpn'::regnamespace
	AND NOT coalesce(proconfig::text, '') LIKE '%search_path=pg_catalog, mipvpn, pg_temp%'$$, 'search_path is pinned');
SELECT is_empty($$SELECT relname FROM pg_class WHERE relnamespace = 'mipvpn'::regnamespace
	AND pg_get_userbyid(relowner) <> 'mipvpn_owner'$$, 'mipvpn_owner owns everything');

-- And as it is used.
SET LOCAL ROLE mipvpn_aaah;
SELECT throws_ok('SELECT aaa_key FROM mipvpn.subscribers', '42501', NULL, 'the AAAH cannot read the table of users');
SELECT throws_ok('SELECT mipvpn.history_trim(''1 day'')', '42501', NULL, 'the AAAH cannot trim the history');
SELECT results_eq($$SELECT ha_host FROM mipvpn.aaah_lookup('alice@home.test', 'visited.test', '198.51.100.11', false)$$,
	ARRAY['ha.home.test'], 'the AAAH can ask for a user');
RESET ROLE;
SET LOCAL ROLE mipvpn_portal;
SELECT throws_ok(format('SELECT * FROM mipvpn.%I', t), '42501', NULL, 'the page cannot read ' || t)
FROM unnest(ARRAY['subscribers', 'vpns', 'audit', 'sessions', 'session_profiles', 'portal_accounts', 'portal_sessions',
	'portal_secret', 'v_online', 'v_user_vpns']) AS t;
SELECT throws_ok($$SELECT * FROM mipvpn.portal_states('alice@home.test')$$, '42501', NULL, 'the page cannot ask past a session');
SELECT throws_ok($$SELECT mipvpn.portal_who('\x00')$$, '42501', NULL, '... nor choose for whom it acts');
SELECT throws_ok($$SELECT mipvpn.portal_set_password('alice@home.test', NULL)$$, '42501', NULL, '... nor set a password');
SELECT throws_ok($$SELECT mipvpn.aaah_schema_version()$$, '42501', NULL, '... nor call what is the AAAH''s');
RESET ROLE;
SET LOCAL ROLE mipvpn_dba;
SELECT lives_ok($$UPDATE mipvpn.vpns SET description = 'x' WHERE number = 1$$, 'the DBA can change a VPN');
SELECT is((mipvpn.decide('alice@home.test', '198.51.100.11', '10.9.0.5')).vpn, 1::bigint, '... and ask what would happen');
SELECT throws_ok($$SELECT mipvpn.decide_realm('alice@home.test', '198.51.100.11')$$, '42501', NULL, '... but not for its parts');
SELECT throws_ok($$SELECT * FROM mipvpn.aaah_lookup('alice@home.test', 'visited.test', '198.51.100.11', true)$$, '42501', NULL,
	'... nor for the rows with the keys');
SELECT throws_ok('DELETE FROM mipvpn.audit', '42501', NULL, 'the DBA cannot change the audit');
RESET ROLE;

SET LOCAL ROLE mipvpn_monitor;
SELECT is((mipvpn.decide('alice@home.test', '198.51.100.11', '10.9.0.5')).vpn, 1::bigint, 'so can the monitor');
RESET ROLE;

-- Everything says what it is: \d+ is the manual.
SELECT is_empty($$SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'mipvpn'::regnamespace AND c.relkind IN ('r', 'v')
	AND obj_description(c.oid, 'pg_class') IS NULL$$, 'every table and view has a comment');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'mipvpn'::regnamespace AND c.relkind IN ('r', 'c') AND a.attnum > 0 AND NOT a.attisdropped
	AND col_description(c.oid, a.attnum) IS NULL$$, 'every column has a comment');
SELECT is_empty($$SELECT proname FROM pg_proc p WHERE pronamespace = 'mipvpn'::regnamespace
	AND obj_description(p.oid, 'pg_proc') IS NULL$$, 'every function has a comment');
SELECT is_empty($$SELECT typname FROM pg_type t WHERE typnamespace = 'mipvpn'::regnamespace AND typtype = 'd'
	AND obj_description(t.oid, 'pg_type') IS NULL$$, 'every domain has a comment');
SELECT * FROM finish();
ROLLBACK;
