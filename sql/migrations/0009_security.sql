-- SPDX-License-Identifier: BSD-3-Clause
-- 0009: each VPN has algorithms of its own beside its security type (G2), and a contract says how its connection protects
-- packets (A5).  What a user chooses is for his own tunnel: to the home agent, or to a proxy correspondent node.

-- Several proposals, the first one preferred, as charon's configuration has them.
ALTER DOMAIN proposal DROP CONSTRAINT proposal_must_be_in_strongswan_notation;
ALTER DOMAIN proposal ADD CONSTRAINT proposal_must_be_in_strongswan_notation
	CHECK (VALUE ~ '^[a-z0-9]+([-,][a-z0-9]+)*$' AND length(VALUE) < 64);
COMMENT ON DOMAIN proposal IS
	'Algorithms in strongSwan notation, for instance aes256gcm16-prfsha256-curve25519; several by comma, the preferred first';

-- Only what is surely wrong is refused; charon knows its algorithms better.  NULL and "default" fit everything.
CREATE FUNCTION proposal_fits(p_security text, p_proposal text) RETURNS boolean LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT bool_and(one = 'default' OR CASE p_security
		WHEN 'ESP' THEN one ~ ('^([a-z0-9]*(gcm|ccm|gmac|poly1305)[0-9]*(-|$)'
			'|((aes[0-9]*(ctr)?|camellia[0-9]*(ctr)?|3des|cast128|blowfish[0-9]*|serpent[0-9]*|twofish[0-9]*|null)-)+'
			'(md5|sha|aesxcbc|aescmac))')
		WHEN 'AH' THEN one ~ '^(md5|sha|aesxcbc|aescmac)'
			AND one !~ '-(aes[0-9]|aes(-|$)|camellia|3des|cast128|blowfish|serpent|twofish|chacha|null)'
		END)
	FROM unnest(string_to_array(p_proposal, ',')) AS one
$$;
COMMENT ON FUNCTION proposal_fits(text, text) IS
	'Are the algorithms of the kind that ESP (a cipher and integrity) or AH (integrity alone) takes';
REVOKE ALL ON FUNCTION proposal_fits(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION proposal_fits(text, text) TO mipvpn_dba;	-- whose changes the constraints look at

ALTER TABLE vpns
	ADD COLUMN proposal	proposal,
	ADD CONSTRAINT encapsulation_only_takes_no_algorithms CHECK (security <> 'ENCAP' OR proposal IS NULL),
	ADD CONSTRAINT esp_algorithms_must_be_like_aes128gcm16_or_aes256_sha256
		CHECK (security <> 'ESP' OR proposal_fits('ESP', proposal)),
	ADD CONSTRAINT ah_algorithms_must_be_like_sha256_without_a_cipher
		CHECK (security <> 'AH' OR proposal_fits('AH', proposal));
COMMENT ON COLUMN vpns.security IS 'Of the user''s own tunnel: ESP, AH or ENCAP. Behind a static gateway the contract has its own';
COMMENT ON COLUMN vpns.proposal IS 'Algorithms of the user''s own tunnel; NULL = the agents'' default';

ALTER TABLE slas
	ADD COLUMN security	text COLLATE "C" NOT NULL DEFAULT 'ESP' REFERENCES security_types
		CONSTRAINT a_contract_is_esp_or_ah CHECK (security IN ('ESP', 'AH')),
	ADD CONSTRAINT esp_algorithms_must_be_like_aes128gcm16_or_aes256_sha256
		CHECK (security <> 'ESP' OR proposal_fits('ESP', esp_proposal)),
	ADD CONSTRAINT ah_algorithms_must_be_like_sha256_without_a_cipher
		CHECK (security <> 'AH' OR proposal_fits('AH', esp_proposal));
COMMENT ON COLUMN slas.security IS 'Of the site-to-site connection: ESP or AH';
COMMENT ON COLUMN slas.esp_proposal IS 'ESP (or AH) algorithms of the contract; NULL = the agents'' default';

DROP FUNCTION aaah_lookup(text, text, inet, boolean);
-- As in 0007, and the algorithms of the VPN, and the security type of the contract.
CREATE FUNCTION aaah_lookup(p_nai text, p_realm text, p_care_of inet, p_reread boolean)
	RETURNS TABLE (enabled boolean, aaa_key bytea, aaa_spi bigint, aaa_algorithm text, home_address inet,
		ha_address inet, ha_host text, ha_realm text, ha_enabled boolean, max_lifetime integer, roaming text,
		ha_session text, fa_session text, fa_address inet, session_home_address inet, multi_session text,
		handoff_key bytea,
		number bigint, vpnshare smallint, destination inet, dscp_up smallint, dscp_down smallint,
		spi_up bigint, spi_down bigint, security smallint, required boolean, gateway inet, kind text, pcn_key bytea,
		sla text, sla_domain inet, sla_home inet, sla_psk bytea, ike_local text, ike_remote text,
		ike_proposal text, esp_proposal text, sla_enabled boolean, sla_valid boolean, sla_listed boolean,
		proposal text, sla_security smallint)
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT u.enabled, u.aaa_key::bytea, u.aaa_spi, u.aaa_algorithm, u.home_address::inet,
	       h.address::inet, h.identity::text, h.realm::text, h.enabled, u.max_lifetime,
	       CASE WHEN r.realm IS NULL THEN 'unknown'
		    WHEN NOT r.enabled THEN 'suspended'
		    WHEN r.care_of <> '{}' AND NOT p_care_of <<= ANY (r.care_of) THEN 'care-of'
		    ELSE 'ok' END,
	       s.ha_session, s.fa_session, s.fa_address::inet, s.home_address::inet, s.multi_session, s.handoff_key::bytea,
	       v.number, v.vpnshare, v.destination::inet, coalesce(up.dscp, 0)::smallint,
	       coalesce(down.dscp, 0)::smallint, coalesce(v.up_spi, 256)::bigint, coalesce(v.down_spi, 256)::bigint,
	       t.number, v.required, g.gateway::inet, g.kind, g.pcn_key::bytea,
	       c.name::text, c.domain::inet, c.home_selector::inet, c.psk::bytea, c.ike_local::text, c.ike_remote::text,
	       c.ike_proposal::text, c.esp_proposal::text, c.enabled, now() <@ c.valid, l.nai IS NOT NULL,
	       v.proposal::text, ct.number
	FROM mipvpn.subscribers u
	JOIN mipvpn.home_agents h ON h.address = u.home_agent
	LEFT JOIN mipvpn.roaming_domains r ON r.realm = lower(p_realm)
	LEFT JOIN mipvpn.sessions s ON s.nai = p_nai AND s.expires_at > now()
	LEFT JOIN mipvpn.vpns v ON v.nai = p_nai AND v.enabled AND (p_reread OR s.id IS NULL)
	LEFT JOIN mipvpn.security_types t ON t.name = v.security
	LEFT JOIN LATERAL (SELECT x.gateway, x.kind, x.sla, x.pcn_key FROM mipvpn.cn_gateways x
			   WHERE x.prefix::inet >>= v.destination
			   ORDER BY masklen(x.prefix) DESC LIMIT 1) g ON true
	LEFT JOIN mipvpn.slas c ON c.name = g.sla
	LEFT JOIN mipvpn.security_types ct ON ct.name = c.security
	LEFT JOIN mipvpn.sla_users l ON l.sla = c.name AND l.nai = p_nai
	LEFT JOIN mipvpn.qos_classes up ON up.name = coalesce(v.up_class, c.up_class)
	LEFT JOIN mipvpn.qos_classes down ON down.name = coalesce(v.down_class, c.down_class)
	WHERE u.nai = p_nai
	ORDER BY v.number;
END $$;
COMMENT ON FUNCTION aaah_lookup(text, text, inet, boolean) IS
	'A user, where he may be, his live session, and his VPNs with gateway and contract';

CREATE OR REPLACE VIEW v_tunnels AS
SELECT s.nai, p.number AS vpn, host(p.source_gateway) AS from_gateway, host(p.destination_gateway) AS to_gateway,
       CASE p.destination_kind WHEN 0 THEN 'agent' WHEN 1 THEN 'static' ELSE 'dynamic' END AS kind,
       p.source, p.destination, t.name AS security, p.tos_up, p.tos_down, p.sla, p.enc_key IS NOT NULL AS own_keys,
       nullif(p.esp_proposal, '') AS proposal
FROM sessions s
JOIN session_profiles p ON p.session = s.id
JOIN security_types t ON t.number = p.security
WHERE s.expires_at > now();
COMMENT ON COLUMN v_tunnels.proposal IS 'Algorithms; NULL = the agents'' default';

CREATE OR REPLACE VIEW v_user_vpns AS
SELECT v.nai, v.number AS vpn, v.destination, host(g.gateway) AS gateway, g.kind, g.sla,
       coalesce(v.up_class, c.up_class, '0') AS up_class, coalesce(v.down_class, c.down_class, '0') AS down_class,
       v.security, CASE v.vpnshare WHEN 1 THEN 'own' ELSE 'shared' END AS keys, v.required,
       CASE WHEN NOT v.enabled THEN 'switched off'
	    WHEN NOT u.enabled THEN 'user is switched off'
	    WHEN g.gateway IS NULL THEN 'no gateway leads there'
	    WHEN c.name IS NULL AND g.kind = 'static' THEN 'no contract'
	    WHEN c.name IS NOT NULL AND NOT c.enabled THEN 'contract is suspended'
	    WHEN c.name IS NOT NULL AND NOT now() <@ c.valid THEN 'contract is not valid now'
	    WHEN c.name IS NOT NULL AND NOT v.destination <<= c.domain THEN 'destination is outside of the contract''s domain'
	    WHEN c.name IS NOT NULL AND NOT EXISTS (SELECT FROM sla_users l WHERE l.sla = c.name AND l.nai = v.nai)
	    THEN 'user is not on the contract''s list'
	    WHEN g.kind = 'static' AND u.home_address IS NOT NULL AND NOT u.home_address <<= c.home_selector
	    THEN 'home address is outside of the contract''s home selector'
	    ELSE 'ok' END AS verdict,
       v.proposal, CASE WHEN g.kind = 'static' THEN c.security END AS onward_security,
       CASE WHEN g.kind = 'static' THEN c.esp_proposal END AS onward_proposal
FROM vpns v
JOIN subscribers u ON u.nai = v.nai
LEFT JOIN LATERAL (SELECT x.* FROM cn_gateways x WHERE x.prefix::inet >>= v.destination
		   ORDER BY masklen(x.prefix) DESC LIMIT 1) g ON true
LEFT JOIN slas c ON c.name = g.sla;
COMMENT ON COLUMN v_user_vpns.security IS 'Of the user''s own tunnel';
COMMENT ON COLUMN v_user_vpns.proposal IS 'Algorithms of the user''s own tunnel; NULL = the agents'' default';
COMMENT ON COLUMN v_user_vpns.onward_security IS 'From the home agent to a static gateway, as the contract says; NULL: the user''s own tunnel is all';
COMMENT ON COLUMN v_user_vpns.onward_proposal IS 'Algorithms there; NULL = the agents'' default';

CREATE OR REPLACE VIEW v_slas AS
SELECT c.name, c.domain, host(c.gateway) AS gateway, c.home_selector, c.psk IS NOT NULL AS has_key, c.valid,
       c.enabled AND now() <@ c.valid AS in_force,
       (SELECT count(*) FROM sla_users l WHERE l.sla = c.name) AS users,
       (SELECT count(DISTINCT p.session) FROM session_profiles p WHERE p.sla = c.name) AS sessions, c.description,
       c.security, c.ike_proposal, c.esp_proposal
FROM slas c;

-- A function that is made anew has lost its grants (0006).
REVOKE ALL ON FUNCTION aaah_lookup(text, text, inet, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION aaah_lookup(text, text, inet, boolean) TO mipvpn_aaah;
