-- SPDX-License-Identifier: BSD-3-Clause
-- 0012: "what would happen if", for the DBA (A4, A5, C2, C3).  The answer is made of the rows of aaah_lookup(), which the AAAH
-- decides by, and in its words (route.c, plan.c).  tests/aaah/decide_cases.txt holds for both.

CREATE TYPE decision AS (
	allowed	boolean,
	why	text,
	vpn	bigint,
	destination	cidr,
	kind	text,
	path	text,
	sla	text,
	security	text,
	proposal	text,
	keys	text,
	up_spi	bigint,
	down_spi	bigint,
	up_class	text,
	up_dscp	smallint,
	down_class	text,
	down_dscp	smallint,
	required	boolean,
	onward_security	text,
	onward_proposal	text
);
COMMENT ON TYPE decision IS 'What the AAAH would decide';
COMMENT ON COLUMN decision.allowed IS 'A tunnel would be set up';
COMMENT ON COLUMN decision.why IS 'Why none; of decide(), when allowed: which longer VPN is left out, and why. NULL = nothing to say';
COMMENT ON COLUMN decision.vpn IS 'Number of the VPN; NULL: he may not register at all, or none of his VPNs leads there';
COMMENT ON COLUMN decision.destination IS 'Destination of the VPN';
COMMENT ON COLUMN decision.kind IS 'Of the gateway: static or dynamic';
COMMENT ON COLUMN decision.path IS 'Tunnel ends: foreign agent = home agent = gateway (static), or foreign agent = gateway (dynamic)';
COMMENT ON COLUMN decision.sla IS 'The contract that the VPN meets';
COMMENT ON COLUMN decision.security IS 'Of the first tunnel, the user''s own: ESP, AH or ENCAP';
COMMENT ON COLUMN decision.proposal IS 'Its algorithms; NULL = the agents'' default';
COMMENT ON COLUMN decision.keys IS 'own: fresh ones for each session; shared: no key is made, the relation of the two gateways is used';
COMMENT ON COLUMN decision.up_spi IS 'SPI from the user''s side; 256 with shared keys';
COMMENT ON COLUMN decision.down_spi IS 'SPI towards the user; 256 with shared keys';
COMMENT ON COLUMN decision.up_class IS 'QoS class from the user, the VPN''s or else the contract''s';
COMMENT ON COLUMN decision.up_dscp IS 'Its code point; 0 = packets are left alone';
COMMENT ON COLUMN decision.down_class IS 'QoS class to the user, the VPN''s or else the contract''s';
COMMENT ON COLUMN decision.down_dscp IS 'Its code point; 0 = packets are left alone';
COMMENT ON COLUMN decision.required IS 'A registration fails when the agents cannot set it up';
COMMENT ON COLUMN decision.onward_security IS 'From the home agent to a static gateway, as the contract says: ESP or AH';
COMMENT ON COLUMN decision.onward_proposal IS 'Algorithms there; NULL = the agents'' default';

-- As aaah_address_allocate() would, without taking it.
CREATE FUNCTION decide_home_address(p_nai text, p_home_agent inet) RETURNS inet LANGUAGE sql STABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT a.address::inet FROM mipvpn.home_addresses a JOIN mipvpn.home_address_pools p ON p.prefix = a.pool
	WHERE p.home_agent = p_home_agent AND (a.nai = p_nai OR (a.nai IS NULL AND p.enabled))
	ORDER BY a.nai IS NULL, a.last_nai IS DISTINCT FROM p_nai, a.changed_at, a.address LIMIT 1
$$;
COMMENT ON FUNCTION decide_home_address(text, inet) IS 'The dynamic home address that a user has or would get; NULL = every pool is exhausted';

-- An AMR says from which realm it comes.  Here it is where he is on now, or whose networks the address is in.
CREATE FUNCTION decide_realm(p_nai text, p_fa inet) RETURNS text LANGUAGE sql STABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT coalesce(
		(SELECT s.fa_realm::text FROM mipvpn.sessions s WHERE s.nai = p_nai AND s.fa_address = p_fa AND s.expires_at > now()),
		(SELECT r.realm::text FROM mipvpn.roaming_domains r,
			LATERAL (SELECT max(masklen(c)) AS len FROM unnest(r.care_of) AS c WHERE p_fa <<= c) AS m
		 WHERE m.len IS NOT NULL OR r.care_of = '{}'
		 ORDER BY m.len DESC NULLS LAST, r.enabled DESC, r.realm LIMIT 1))
$$;
COMMENT ON FUNCTION decide_realm(text, inet) IS 'The realm of a foreign agent, as far as the database knows';

CREATE FUNCTION decide_all(p_nai text, p_fa inet, p_realm text DEFAULT NULL) RETURNS SETOF decision
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	most	constant integer := 32;	-- VPN_PROFILES_MAX: profiles of one session at one node
	from_realm	text := coalesce(p_realm, mipvpn.decide_realm(p_nai, p_fa));
	r	record;
	d	mipvpn.decision;
	home	inet;
	n	integer := 0;
	legs	integer;
BEGIN
	IF p_nai IS NULL OR p_fa IS NULL OR family(p_fa) <> 4 OR masklen(p_fa) <> 32 THEN
		RAISE EXCEPTION 'a user and the IPv4 address of a foreign agent are needed, not % and %',
			coalesce(p_nai, 'NULL'), coalesce(p_fa::text, 'NULL') USING ERRCODE = 'invalid_parameter_value';
	END IF;
	FOR r IN SELECT * FROM mipvpn.aaah_lookup(p_nai, coalesce(from_realm, ''), p_fa, true) LOOP
		home := coalesce(r.home_address, mipvpn.decide_home_address(p_nai, r.ha_address));
		d := NULL;
		d.why := CASE
			WHEN r.roaming = 'suspended' THEN 'roaming with ' || from_realm || ' is suspended'
			WHEN r.roaming = 'care-of' THEN 'the care-of address is not one of ' || from_realm
			WHEN r.roaming <> 'ok' THEN 'no roaming agreement with ' || coalesce(from_realm, host(p_fa))
			WHEN NOT r.enabled THEN 'the user is switched off'
			WHEN NOT r.ha_enabled THEN 'the home agent is out of service'
			WHEN home IS NULL THEN 'no home address is free' END;
		IF d.why IS NOT NULL THEN
			d.allowed := false;
			RETURN NEXT d;
			RETURN;
		ELSIF r.number IS NULL THEN
			RETURN;
		END IF;

		legs := CASE r.kind WHEN 'static' THEN 2 ELSE 1 END;
		d.why := CASE
			WHEN r.gateway IS NULL THEN 'no gateway leads to the destination'
			WHEN r.kind = 'dynamic' AND r.pcn_key IS NULL THEN 'the gateway has no master key'
			WHEN r.kind = 'static' AND r.sla IS NULL THEN 'the gateway has no contract'
			WHEN r.sla IS NULL THEN NULL
			WHEN NOT r.sla_enabled THEN 'the contract is suspended'
			WHEN NOT r.sla_valid THEN 'the contract is not valid now'
			WHEN NOT r.sla_listed THEN 'the user is not on the contract''s list'
			WHEN NOT r.destination <<= r.sla_domain THEN 'the destination is outside of the contract''s domain'
			WHEN r.kind = 'static' AND NOT home <<= r.sla_home
			THEN 'the home address is outside of the contract''s home selector' END;
		IF d.why IS NULL AND n + legs > most THEN
			d.why := 'too many VPNs for one registration';
		END IF;
		d.allowed := d.why IS NULL;
		n := n + CASE WHEN d.allowed THEN legs ELSE 0 END;
		d.vpn := r.number;
		d.destination := r.destination::cidr;
		d.kind := r.kind;
		d.path := host(p_fa) || CASE r.kind WHEN 'static' THEN ' = ' || host(r.ha_address) ELSE '' END || ' = ' || host(r.gateway);
		d.sla := r.sla;
		d.security := (SELECT t.name FROM mipvpn.security_types t WHERE t.number = r.security);
		d.proposal := r.proposal;
		d.keys := CASE r.vpnshare WHEN 1 THEN 'own' ELSE 'shared' END;
		d.up_spi := CASE r.vpnshare WHEN 1 THEN r.spi_up ELSE 256 END;
		d.down_spi := CASE r.vpnshare WHEN 1 THEN r.spi_down ELSE 256 END;
		SELECT coalesce(v.up_class, c.up_class, '0'), coalesce(v.down_class, c.down_class, '0') INTO d.up_class, d.down_class
		FROM mipvpn.vpns v LEFT JOIN mipvpn.slas c ON c.name = r.sla WHERE v.number = r.number;
		d.up_dscp := r.dscp_up;
		d.down_dscp := r.dscp_down;
		d.required := r.required;
		IF r.kind = 'static' THEN
			d.onward_security := (SELECT t.name FROM mipvpn.security_types t WHERE t.number = r.sla_security);
			d.onward_proposal := r.esp_proposal;
		END IF;
		RETURN NEXT d;
	END LOOP;
	IF NOT FOUND THEN
		d.allowed := false;
		d.why := 'unknown user';
		RETURN NEXT d;
	END IF;
END $$;
COMMENT ON FUNCTION decide_all(text, inet, text) IS
	'What a user would get at a foreign agent (care-of address), a row for each VPN that is enabled, or one with the reason why he may not register. The realm, when not given, is looked up by the address';

CREATE FUNCTION decide(p_nai text, p_fa inet, p_destination inet, p_realm text DEFAULT NULL) RETURNS decision
	LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	rows	mipvpn.decision[] := ARRAY(SELECT d FROM mipvpn.decide_all(p_nai, p_fa, p_realm) AS d);
	took	mipvpn.decision;
	missed	mipvpn.decision;
BEGIN
	IF p_destination IS NULL OR family(p_destination) <> 4 THEN
		RAISE EXCEPTION 'an IPv4 destination is needed, not %', coalesce(p_destination::text, 'NULL')
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF rows[1].vpn IS NULL AND rows[1].why IS NOT NULL THEN
		RETURN rows[1];
	END IF;
	-- The gateways take the longest destination of those that stand.
	SELECT d.* INTO took FROM unnest(rows) AS d
	WHERE d.allowed AND d.destination >>= p_destination ORDER BY masklen(d.destination) DESC LIMIT 1;
	SELECT d.* INTO missed FROM unnest(rows) AS d
	WHERE NOT d.allowed AND d.destination >>= p_destination ORDER BY masklen(d.destination) DESC LIMIT 1;
	IF took.vpn IS NULL AND missed.vpn IS NOT NULL THEN
		RETURN missed;
	ELSIF masklen(missed.destination) > masklen(took.destination) THEN
		took.why := 'VPN ' || missed.vpn || ': ' || missed.why;
	ELSIF took.vpn IS NULL THEN
		took.allowed := false;
		took.why := coalesce((SELECT 'VPN ' || v.number || ' is switched off' FROM mipvpn.vpns v
			WHERE v.nai = p_nai AND NOT v.enabled AND v.destination >>= p_destination
			ORDER BY masklen(v.destination) DESC LIMIT 1), 'no VPN of the user leads to the destination');
	END IF;
	RETURN took;
END $$;
COMMENT ON FUNCTION decide(text, inet, inet, text) IS
	'Which VPN takes a packet of a user at a foreign agent (care-of address) to a destination, which way and how protected, or why none. What a registration or a change would decide now; whether keys unwrap only the AAAH knows';

CREATE FUNCTION expect_decision(p_nai text, p_fa inet, p_destination inet, p_expected jsonb, p_realm text DEFAULT NULL) RETURNS jsonb
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	is_now	jsonb := to_jsonb(mipvpn.decide(p_nai, p_fa, p_destination, p_realm));
	wrong	text;
BEGIN
	IF p_expected IS NULL OR jsonb_typeof(p_expected) <> 'object' OR p_expected = '{}' THEN
		RAISE EXCEPTION 'nothing is expected' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Name columns of mipvpn.decide(): {"vpn": 7, "path": "...", "security": "ESP"} or {"allowed": false}.';
	END IF;
	SELECT string_agg(k, ', ' ORDER BY k) INTO wrong FROM jsonb_object_keys(p_expected) AS k WHERE NOT is_now ? k;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'a decision has no %', wrong USING ERRCODE = 'invalid_parameter_value',
			HINT = 'It has: ' || (SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(is_now) AS k) || '.';
	END IF;
	SELECT string_agg(format('%s is %s, not %s', e.key, coalesce(is_now ->> e.key, 'NULL'), coalesce(e.value, 'NULL')), '; '
		ORDER BY e.key) INTO wrong
	FROM jsonb_each_text(p_expected) AS e WHERE is_now ->> e.key IS DISTINCT FROM e.value;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION '% at % to %: %', p_nai, host(p_fa), p_destination, wrong
			USING ERRCODE = 'check_violation', DETAIL = jsonb_strip_nulls(is_now)::text,
			HINT = 'The transaction cannot be committed any more: ROLLBACK, and look at the change again.';
	END IF;
	RETURN jsonb_strip_nulls(is_now);
END $$;
COMMENT ON FUNCTION expect_decision(text, inet, inet, jsonb, text) IS
	'A policy test: between BEGIN and COMMIT, after the change. An error when a column of mipvpn.decide() is not as expected, and then nothing is committed; else the decision';

-- As in 0009; and a proxy correspondent node that nobody can tell anything is not in order.
CREATE OR REPLACE VIEW v_user_vpns AS
SELECT v.nai, v.number AS vpn, v.destination, host(g.gateway) AS gateway, g.kind, g.sla,
       coalesce(v.up_class, c.up_class, '0') AS up_class, coalesce(v.down_class, c.down_class, '0') AS down_class,
       v.security, CASE v.vpnshare WHEN 1 THEN 'own' ELSE 'shared' END AS keys, v.required,
       CASE WHEN NOT v.enabled THEN 'switched off'
	    WHEN NOT u.enabled THEN 'user is switched off'
	    WHEN g.gateway IS NULL THEN 'no gateway leads there'
	    WHEN g.kind = 'dynamic' AND g.pcn_key IS NULL THEN 'gateway has no master key'
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

REVOKE ALL ON FUNCTION decide_home_address(text, inet), decide_realm(text, inet), decide_all(text, inet, text),
	decide(text, inet, inet, text), expect_decision(text, inet, inet, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION decide_all(text, inet, text), decide(text, inet, inet, text),
	expect_decision(text, inet, inet, jsonb, text) TO mipvpn_dba, mipvpn_monitor;
