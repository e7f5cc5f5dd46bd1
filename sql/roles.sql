-- SPDX-License-Identifier: BSD-3-Clause
-- The five roles.  Run once per cluster, as a superuser or a role with CREATEROLE; running it again changes nothing.
--   mipvpn_owner    owns the schema, nobody logs in as it; the migrations run as it
--   mipvpn_aaah     app_mipvpn_aaah.fdx: may call mipvpn.aaah_*() and read no table
--   mipvpn_portal   the service page: may call mipvpn.portal_*() and read no table
--   mipvpn_dba      whoever keeps users and contracts: tables and views, no key ever readable in a view
--   mipvpn_monitor  monitoring: reads views
-- mipvpn_aaah and mipvpn_portal may log in; give them a password, or (better) peer or certificate authentication.
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM (VALUES
		('mipvpn_owner',   'NOLOGIN', 'mipvpn: owns the schema; the migrations run as this role'),
		('mipvpn_aaah',    'LOGIN',   'mipvpn: the home AAA server; calls mipvpn.aaah_*() only'),
		('mipvpn_portal',  'LOGIN',   'mipvpn: the service page; calls mipvpn.portal_*() only'),
		('mipvpn_dba',     'NOLOGIN', 'mipvpn: keeps users, VPNs and contracts; grant it to people'),
		('mipvpn_monitor', 'NOLOGIN', 'mipvpn: reads the views; grant it to the monitoring user'))
		AS t(name, login, what)
	LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = r.name) THEN
			EXECUTE format('CREATE ROLE %I %s', r.name, r.login);
		END IF;
		EXECUTE format('COMMENT ON ROLE %I IS %L', r.name, r.what);
	END LOOP;
END $$;

-- Nothing that the AAAH runs takes long: a statement that does is stuck, and an AMR waits for it.
ALTER ROLE mipvpn_aaah SET statement_timeout = '5s';
ALTER ROLE mipvpn_aaah SET idle_in_transaction_session_timeout = '10s';
-- A crash of the database may lose the last 0.6 s of sessions; their mobile nodes register again.  The price of
-- keeping them is one disk flush per registration: to pay it, ALTER ROLE mipvpn_aaah SET synchronous_commit = on.
ALTER ROLE mipvpn_aaah SET synchronous_commit = off;
-- Everything that it asks goes by an index.  Its plans are kept as long as its connection: without this, those made
-- while the tables were still empty would read whole tables once there are thousands of sessions.
ALTER ROLE mipvpn_aaah SET enable_seqscan = off;
ALTER ROLE mipvpn_aaah SET plan_cache_mode = force_generic_plan;
ALTER ROLE mipvpn_aaah SET jit = off;
