-- SPDX-License-Identifier: BSD-3-Clause
-- 0006: who may do what.  What is not granted here is not allowed.

REVOKE ALL ON SCHEMA mipvpn FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA mipvpn FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mipvpn FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA mipvpn REVOKE ALL ON TABLES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT USAGE ON SCHEMA mipvpn TO mipvpn_aaah, mipvpn_portal, mipvpn_dba, mipvpn_monitor;

GRANT EXECUTE ON FUNCTION aaah_schema_version(), aaah_lookup(text, text, inet, boolean), aaah_cached_profiles(text), aaah_address_allocate(text, inet), aaah_address_release(text),
	aaah_session_put(jsonb), aaah_session_end(text, text, boolean, text), aaah_sessions_reap(integer)
	TO mipvpn_aaah;

-- The DBA keeps the policy; sessions and audit he reads (and ends sessions at the gateways: mipvpnctl drop).
GRANT SELECT, INSERT, UPDATE, DELETE ON subscribers, vpns, slas, sla_users, cn_gateways, home_agents, roaming_domains,
	home_address_pools, qos_classes TO mipvpn_dba;
GRANT SELECT ON security_types, home_addresses, schema_version, change_log, session_history TO mipvpn_dba;
GRANT EXECUTE ON FUNCTION history_trim(interval), cn_gateway(inet) TO mipvpn_dba;
GRANT SELECT ON v_online, v_tunnels, v_user_vpns, v_violations, v_slas, v_pools, v_history, v_changes TO mipvpn_dba;
GRANT SELECT ON schema_version, v_online, v_tunnels, v_violations, v_slas, v_pools, v_history TO mipvpn_monitor;
