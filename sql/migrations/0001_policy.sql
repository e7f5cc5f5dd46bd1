-- SPDX-License-Identifier: BSD-3-Clause
-- 0001: the types, and what the operator decides: users, their VPNs, gateways, contracts, home agents, roaming.
-- Requirements A1-A6.  Constraint names are sentences: they are the error message that a DBA reads.

-- Types ---------------------------------------------------------------------------------------------------------------

CREATE DOMAIN nai AS text COLLATE "C"
	CONSTRAINT nai_must_look_like_user_at_realm_in_lower_case_realm
	CHECK (VALUE ~ '^[!-?A-~]{1,190}@[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$');
COMMENT ON DOMAIN nai IS 'Network access identifier (RFC 7542) of a user: user@realm, the realm in lower case';

CREATE DOMAIN realm AS text COLLATE "C"
	CONSTRAINT realm_must_be_a_domain_name_in_lower_case
	CHECK (VALUE ~ '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$');
COMMENT ON DOMAIN realm IS 'Diameter realm or identity: a domain name in lower case';

CREATE DOMAIN host_address AS inet
	CONSTRAINT address_must_be_one_ipv4_host
	CHECK (family(VALUE) = 4 AND masklen(VALUE) = 32);
COMMENT ON DOMAIN host_address IS 'One IPv4 address, no netmask';

CREATE DOMAIN prefix AS cidr
	CONSTRAINT prefix_must_be_ipv4
	CHECK (family(VALUE) = 4);
COMMENT ON DOMAIN prefix IS 'IPv4 network in CIDR notation; a single host is a /32';

CREATE DOMAIN dscp AS smallint
	CONSTRAINT dscp_must_be_0_to_63
	CHECK (VALUE BETWEEN 0 AND 63);
COMMENT ON DOMAIN dscp IS 'DiffServ code point (RFC 2474); 0 leaves packets alone';

CREATE DOMAIN spi AS bigint
	CONSTRAINT spi_must_be_256_to_4294967295
	CHECK (VALUE BETWEEN 256 AND 4294967295);
COMMENT ON DOMAIN spi IS 'Security parameter index; 0-255 are reserved, 256 is the default relation that two gateways share';

CREATE DOMAIN wrapped_key AS bytea
	CONSTRAINT key_must_be_wrapped_by_mipvpn_keytool
	CHECK (octet_length(VALUE) BETWEEN 30 AND 93 AND get_byte(VALUE, 0) = 1);
COMMENT ON DOMAIN wrapped_key IS
	'A key of 1 to 64 bytes as mipvpn-keytool wraps it (AES-256-GCM under the key file); never a key in clear';

CREATE DOMAIN contract_name AS text COLLATE "C"
	CONSTRAINT name_must_be_1_to_63_of_a_to_z_0_to_9_and_hyphen
	CHECK (VALUE ~ '^[a-z0-9-]{1,63}$');
COMMENT ON DOMAIN contract_name IS 'Short name; it names connections at the gateways too';

CREATE DOMAIN proposal AS text COLLATE "C"
	CONSTRAINT proposal_must_be_in_strongswan_notation
	CHECK (VALUE ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(VALUE) < 64);
COMMENT ON DOMAIN proposal IS 'Algorithms in strongSwan notation, for instance aes256gcm16-prfsha256-curve25519';

CREATE DOMAIN ike_identity AS text
	CONSTRAINT ike_identity_must_be_1_to_127_printable_characters
	CHECK (VALUE ~ '^[!-~]{1,127}$');
COMMENT ON DOMAIN ike_identity IS 'IKE identity of one gateway: name, address or key id';

-- Small tables of words -----------------------------------------------------------------------------------------------

CREATE TABLE qos_classes (
	name	text COLLATE "C" PRIMARY KEY
		CONSTRAINT class_name_must_be_1_to_16_letters_or_digits CHECK (name ~ '^[A-Za-z0-9-]{1,16}$'),
	dscp	dscp NOT NULL,
	description	text NOT NULL DEFAULT ''
);
COMMENT ON TABLE qos_classes IS 'QoS classes that a VPN may ask for, and the DiffServ code point of each';
COMMENT ON COLUMN qos_classes.name IS 'What contracts and VPNs call the class';
COMMENT ON COLUMN qos_classes.dscp IS 'Code point that the gateways mark the inner packets with; 0 = leave alone';
COMMENT ON COLUMN qos_classes.description IS 'For people';
INSERT INTO qos_classes (name, dscp, description) VALUES
	('0', 0, 'no marking: packets keep what they carry'),
	('CS1', 8, 'lower effort'), ('CS2', 16, 'operations'), ('CS3', 24, 'broadcast video'),
	('CS4', 32, 'real-time interactive'), ('CS5', 40, 'signalling'), ('CS6', 48, 'network control'),
	('AF11', 10, 'high-throughput data'), ('AF12', 12, 'high-throughput data'), ('AF13', 14, 'high-throughput data'),
	('AF21', 18, 'low-latency data'), ('AF22', 20, 'low-latency data'), ('AF23', 22, 'low-latency data'),
	('AF31', 26, 'streaming'), ('AF32', 28, 'streaming'), ('AF33', 30, 'streaming'),
	('AF41', 34, 'video conferencing'), ('AF42', 36, 'video conferencing'), ('AF43', 38, 'video conferencing'),
	('EF', 46, 'telephony');

CREATE TABLE security_types (
	name	text COLLATE "C" PRIMARY KEY,
	number	smallint NOT NULL UNIQUE,
	description	text NOT NULL DEFAULT ''
);
COMMENT ON TABLE security_types IS 'How a tunnel protects its packets; fixed by the protocol, not for editing';
COMMENT ON COLUMN security_types.name IS 'What a VPN names';
COMMENT ON COLUMN security_types.number IS 'Number in the VPN information AVP';
COMMENT ON COLUMN security_types.description IS 'For people';
INSERT INTO security_types VALUES
	('ESP', 1, 'IPsec ESP: encrypted and authenticated'),
	('AH', 2, 'IPsec AH: authenticated only'),
	('ENCAP', 3, 'IP-in-IP: no protection');

-- Where users live and where they may go -------------------------------------------------------------------------------

CREATE TABLE home_agents (
	address	host_address PRIMARY KEY,
	identity	realm NOT NULL UNIQUE,
	realm	realm NOT NULL,
	home_prefix	prefix NOT NULL,
	enabled	boolean NOT NULL DEFAULT true,
	description	text NOT NULL DEFAULT ''
);
COMMENT ON TABLE home_agents IS 'Home agents of this provider';
COMMENT ON COLUMN home_agents.address IS 'Home agent address that mobile nodes use; also its gateway address';
COMMENT ON COLUMN home_agents.identity IS 'Diameter identity (Destination-Host of the HAR)';
COMMENT ON COLUMN home_agents.realm IS 'Diameter realm';
COMMENT ON COLUMN home_agents.home_prefix IS 'Home network; every home address of its users lies in it';
COMMENT ON COLUMN home_agents.enabled IS 'false: registrations of its users are refused (4006)';
COMMENT ON COLUMN home_agents.description IS 'For people';

CREATE TABLE roaming_domains (
	realm	realm PRIMARY KEY,
	care_of	cidr[] NOT NULL DEFAULT '{}',
	enabled	boolean NOT NULL DEFAULT true,
	description	text NOT NULL DEFAULT ''
);
COMMENT ON TABLE roaming_domains IS 'Realms whose foreign agents may register our users (G4); any other gets 5003';
COMMENT ON COLUMN roaming_domains.realm IS 'Origin-Realm of the foreign agent';
COMMENT ON COLUMN roaming_domains.care_of IS 'Where its foreign agents'' care-of addresses must lie; empty = anywhere';
COMMENT ON COLUMN roaming_domains.enabled IS 'false: the agreement is suspended';
COMMENT ON COLUMN roaming_domains.description IS 'For people';

CREATE TABLE subscribers (
	nai	nai PRIMARY KEY,
	aaa_key	wrapped_key NOT NULL,
	aaa_spi	bigint NOT NULL DEFAULT 256
		CONSTRAINT aaa_spi_must_be_2_for_chap_or_256_to_4294967295
		CHECK (aaa_spi = 2 OR aaa_spi BETWEEN 256 AND 4294967295),
	aaa_algorithm	text NOT NULL DEFAULT 'hmac-md5'
		CONSTRAINT aaa_algorithm_must_be_hmac_md5_or_sha1_or_sha256_or_chap_md5
		CHECK (aaa_algorithm IN ('hmac-md5', 'hmac-sha1', 'hmac-sha256', 'chap-md5')),
	home_agent	host_address NOT NULL REFERENCES home_agents,
	home_address	host_address UNIQUE,
	max_lifetime	integer
		CONSTRAINT max_lifetime_must_be_10_to_65534_seconds CHECK (max_lifetime BETWEEN 10 AND 65534),
	enabled	boolean NOT NULL DEFAULT true,
	description	text NOT NULL DEFAULT '',
	created_at	timestamptz NOT NULL DEFAULT now(),
	CONSTRAINT chap_md5_goes_with_aaa_spi_2_and_only_with_it CHECK ((aaa_algorithm = 'chap-md5') = (aaa_spi = 2))
);
COMMENT ON TABLE subscribers IS 'Users of the home provider';
COMMENT ON COLUMN subscribers.nai IS 'Who: user@realm, as the mobile node sends it';
COMMENT ON COLUMN subscribers.aaa_key IS 'Key shared with the mobile node (MN-AAA), wrapped with the label subscriber:<nai>';
COMMENT ON COLUMN subscribers.aaa_spi IS 'Names the key and algorithm in the request; 2 = CHAP style (RFC 4721)';
COMMENT ON COLUMN subscribers.aaa_algorithm IS 'hmac-md5 (every mobile node has it), hmac-sha1, hmac-sha256, chap-md5';
COMMENT ON COLUMN subscribers.home_agent IS 'Home agent that serves the user';
COMMENT ON COLUMN subscribers.home_address IS 'Fixed home address; NULL = one from a pool of the home agent';
COMMENT ON COLUMN subscribers.max_lifetime IS 'Longest authorisation in seconds; NULL = as the server is configured';
COMMENT ON COLUMN subscribers.enabled IS 'false: registrations are refused (5003)';
COMMENT ON COLUMN subscribers.description IS 'For people';
COMMENT ON COLUMN subscribers.created_at IS 'When the row was made';
CREATE INDEX subscribers_home_agent ON subscribers (home_agent);

CREATE TABLE home_address_pools (
	prefix	prefix PRIMARY KEY
		CONSTRAINT pool_must_be_between_a_16_and_a_32 CHECK (masklen(prefix) BETWEEN 16 AND 32),
	home_agent	host_address NOT NULL REFERENCES home_agents,
	enabled	boolean NOT NULL DEFAULT true,
	CONSTRAINT pools_must_not_overlap EXCLUDE USING gist ((prefix::inet) inet_ops WITH &&)
);
COMMENT ON TABLE home_address_pools IS 'Ranges that dynamic home addresses come from';
COMMENT ON COLUMN home_address_pools.prefix IS 'The range, inside the home agent''s home prefix';
COMMENT ON COLUMN home_address_pools.home_agent IS 'Whose users take from it';
COMMENT ON COLUMN home_address_pools.enabled IS 'false: nothing new is given out; what is in use stays';

CREATE TABLE home_addresses (
	address	host_address PRIMARY KEY,
	pool	prefix NOT NULL REFERENCES home_address_pools ON DELETE CASCADE,
	nai	nai REFERENCES subscribers ON DELETE SET NULL,
	last_nai	nai,
	changed_at	timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE home_addresses IS 'Every address of every pool and who holds it; filled when a pool is made';
COMMENT ON COLUMN home_addresses.address IS 'The address';
COMMENT ON COLUMN home_addresses.pool IS 'Its pool';
COMMENT ON COLUMN home_addresses.nai IS 'Who holds it now; NULL = free';
COMMENT ON COLUMN home_addresses.last_nai IS 'Who held it last, and gets it again if it is still free';
COMMENT ON COLUMN home_addresses.changed_at IS 'When it was taken or freed; the one free for longest goes first';
CREATE UNIQUE INDEX home_addresses_one_per_user ON home_addresses (nai) WHERE nai IS NOT NULL;
CREATE INDEX home_addresses_free ON home_addresses (pool, changed_at) WHERE nai IS NULL;	-- next free address
CREATE INDEX home_addresses_last ON home_addresses (last_nai) WHERE nai IS NULL;	-- "the same one as last time"

-- Contracts and VPNs ---------------------------------------------------------------------------------------------------

CREATE TABLE slas (
	name	contract_name PRIMARY KEY,
	domain	prefix NOT NULL,
	gateway	host_address NOT NULL,
	home_selector	prefix NOT NULL,
	psk	wrapped_key,
	ike_local	ike_identity,
	ike_remote	ike_identity,
	ike_proposal	proposal,
	esp_proposal	proposal,
	up_class	text COLLATE "C" REFERENCES qos_classes ON UPDATE CASCADE,
	down_class	text COLLATE "C" REFERENCES qos_classes ON UPDATE CASCADE,
	valid	tstzrange NOT NULL DEFAULT tstzrange(now(), NULL)
		CONSTRAINT validity_must_not_be_empty CHECK (NOT isempty(valid)),
	enabled	boolean NOT NULL DEFAULT true,
	description	text NOT NULL DEFAULT '',
	UNIQUE (name, gateway)
);
COMMENT ON TABLE slas IS 'Contracts with enterprises: where they are, how they are reached, for how long (A5)';
COMMENT ON COLUMN slas.name IS 'Name of the contract; names the connection at the home agent';
COMMENT ON COLUMN slas.domain IS 'The enterprise''s network: its selector of the site-to-site connection';
COMMENT ON COLUMN slas.gateway IS 'Its IPsec gateway';
COMMENT ON COLUMN slas.home_selector IS 'Our selector of the site-to-site connection: home addresses that may use it';
COMMENT ON COLUMN slas.psk IS 'Pre-shared key with the gateway, wrapped with the label sla:<name>; NULL: the home agent has a certificate';
COMMENT ON COLUMN slas.ike_local IS 'IKE identity of our home agent; NULL = its address';
COMMENT ON COLUMN slas.ike_remote IS 'IKE identity of the gateway; NULL = its address';
COMMENT ON COLUMN slas.ike_proposal IS 'IKE algorithms of the contract; NULL = the agents'' default';
COMMENT ON COLUMN slas.esp_proposal IS 'ESP algorithms of the contract; NULL = the agents'' default';
COMMENT ON COLUMN slas.up_class IS 'QoS class towards the enterprise for a VPN that names none';
COMMENT ON COLUMN slas.down_class IS 'QoS class from the enterprise for a VPN that names none';
COMMENT ON COLUMN slas.valid IS 'From when to when the contract runs';
COMMENT ON COLUMN slas.enabled IS 'false: suspended';
COMMENT ON COLUMN slas.description IS 'For people';

CREATE TABLE sla_users (
	sla	contract_name NOT NULL REFERENCES slas ON UPDATE CASCADE ON DELETE CASCADE,
	nai	nai NOT NULL REFERENCES subscribers ON UPDATE CASCADE ON DELETE CASCADE,
	added_at	timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (sla, nai)
);
COMMENT ON TABLE sla_users IS 'Who may use a contract; a user who is not here gets no tunnel into that domain (A5)';
COMMENT ON COLUMN sla_users.sla IS 'The contract';
COMMENT ON COLUMN sla_users.nai IS 'The user';
COMMENT ON COLUMN sla_users.added_at IS 'Since when';
CREATE INDEX sla_users_nai ON sla_users (nai);

CREATE TABLE cn_gateways (
	prefix	prefix PRIMARY KEY,
	gateway	host_address NOT NULL,
	kind	text NOT NULL
		CONSTRAINT kind_must_be_static_or_dynamic CHECK (kind IN ('static', 'dynamic')),
	sla	contract_name,
	pcn_key	wrapped_key,
	description	text NOT NULL DEFAULT '',
	CONSTRAINT a_static_gateway_needs_a_contract CHECK (kind = 'dynamic' OR sla IS NOT NULL),
	CONSTRAINT only_a_dynamic_gateway_has_a_pcn_key CHECK (kind = 'dynamic' OR pcn_key IS NULL),
	CONSTRAINT gateway_must_be_the_one_of_the_contract
		FOREIGN KEY (sla, gateway) REFERENCES slas (name, gateway) ON UPDATE CASCADE
);
COMMENT ON TABLE cn_gateways IS 'Which gateway leads to a correspondent; the longest matching prefix wins (A4)';
COMMENT ON COLUMN cn_gateways.prefix IS 'Correspondent address or network';
COMMENT ON COLUMN cn_gateways.gateway IS 'Address of the gateway in front of it';
COMMENT ON COLUMN cn_gateways.kind IS 'static: an enterprise''s own gateway; dynamic: a proxy correspondent node that can be told';
COMMENT ON COLUMN cn_gateways.sla IS 'Contract that opens it; its gateway must be the same';
COMMENT ON COLUMN cn_gateways.pcn_key IS 'Master key of the proxy correspondent node, wrapped with the label pcn:<gateway>';
COMMENT ON COLUMN cn_gateways.description IS 'For people';
CREATE INDEX cn_gateways_longest ON cn_gateways USING gist ((prefix::inet) inet_ops);	-- longest prefix match
CREATE INDEX cn_gateways_sla ON cn_gateways (sla);

CREATE TABLE vpns (
	number	bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY
		CONSTRAINT number_must_be_1_to_4294967295 CHECK (number BETWEEN 1 AND 4294967295),
	nai	nai NOT NULL REFERENCES subscribers ON UPDATE CASCADE ON DELETE CASCADE,
	vpnshare	smallint NOT NULL DEFAULT 1
		CONSTRAINT vpnshare_must_be_0_or_1 CHECK (vpnshare IN (0, 1)),
	destination	prefix NOT NULL,
	up_class	text COLLATE "C" REFERENCES qos_classes ON UPDATE CASCADE,
	down_class	text COLLATE "C" REFERENCES qos_classes ON UPDATE CASCADE,
	up_spi	spi,
	down_spi	spi,
	security	text COLLATE "C" NOT NULL DEFAULT 'ESP' REFERENCES security_types,
	required	boolean NOT NULL DEFAULT true,
	enabled	boolean NOT NULL DEFAULT true,
	description	text NOT NULL DEFAULT '',
	UNIQUE (nai, destination),
	CONSTRAINT vpnshare_0_takes_no_spi_but_the_default_256
		CHECK (vpnshare <> 0 OR (coalesce(up_spi, 256) = 256 AND coalesce(down_spi, 256) = 256)),
	CONSTRAINT vpnshare_1_needs_an_up_spi_and_a_down_spi_other_than_256
		CHECK (vpnshare <> 1 OR (up_spi IS NOT NULL AND up_spi <> 256 AND down_spi IS NOT NULL AND down_spi <> 256))
);
COMMENT ON TABLE vpns IS 'VPNs of the users, any number each (A1)';
COMMENT ON COLUMN vpns.number IS 'Profile number, unique in the database';
COMMENT ON COLUMN vpns.nai IS 'Whose';
COMMENT ON COLUMN vpns.vpnshare IS '0: rides the security relation that the two gateways share; 1: has keys of its own (A2)';
COMMENT ON COLUMN vpns.destination IS 'Address or network that the user reaches with it';
COMMENT ON COLUMN vpns.up_class IS 'QoS class from the user; NULL = the contract''s';
COMMENT ON COLUMN vpns.down_class IS 'QoS class to the user; NULL = the contract''s';
COMMENT ON COLUMN vpns.up_spi IS 'Names the security relation from the user''s side; NULL or 256 with vpnshare 0';
COMMENT ON COLUMN vpns.down_spi IS 'Names the security relation towards the user; NULL or 256 with vpnshare 0';
COMMENT ON COLUMN vpns.security IS 'ESP, AH or ENCAP';
COMMENT ON COLUMN vpns.required IS 'true: a registration fails when this VPN cannot be set up; false: it goes on without';
COMMENT ON COLUMN vpns.enabled IS 'false: left out';
COMMENT ON COLUMN vpns.description IS 'For people';

-- Checks that look at more than one table ------------------------------------------------------------------------------

CREATE FUNCTION subscriber_check() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	home mipvpn.prefix;
	pool mipvpn.prefix;
BEGIN
	IF NEW.home_address IS NULL THEN
		RETURN NEW;
	END IF;
	SELECT h.home_prefix INTO home FROM mipvpn.home_agents h WHERE h.address = NEW.home_agent;
	IF NOT NEW.home_address << home THEN
		RAISE EXCEPTION 'home address % of % is not in the home network % of home agent %',
			host(NEW.home_address), NEW.nai, home, host(NEW.home_agent)
			USING ERRCODE = 'check_violation', HINT = 'Choose an address in it, or NULL for one from a pool.';
	END IF;
	SELECT p.prefix INTO pool FROM mipvpn.home_address_pools p WHERE NEW.home_address <<= p.prefix;
	IF FOUND THEN
		RAISE EXCEPTION 'home address % of % lies in the pool % of dynamic addresses',
			host(NEW.home_address), NEW.nai, pool
			USING ERRCODE = 'check_violation', HINT = 'Choose one outside of every pool.';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION subscriber_check() IS 'A fixed home address lies in the home network and in no pool';
CREATE TRIGGER subscriber_check BEFORE INSERT OR UPDATE OF home_address, home_agent ON subscribers
	FOR EACH ROW EXECUTE FUNCTION subscriber_check();

CREATE FUNCTION pool_check() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	home mipvpn.prefix;
	taken record;
BEGIN
	SELECT h.home_prefix INTO home FROM mipvpn.home_agents h WHERE h.address = NEW.home_agent;
	IF NOT NEW.prefix <<= home THEN
		RAISE EXCEPTION 'pool % is not in the home network % of home agent %', NEW.prefix, home, host(NEW.home_agent)
			USING ERRCODE = 'check_violation';
	END IF;
	SELECT s.nai, s.home_address INTO taken FROM mipvpn.subscribers s WHERE s.home_address <<= NEW.prefix LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'pool % holds the fixed home address % of %', NEW.prefix, host(taken.home_address), taken.nai
			USING ERRCODE = 'check_violation', HINT = 'Move the user or choose another range.';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION pool_check() IS 'A pool lies in the home network and holds nobody''s fixed address';
CREATE TRIGGER pool_check BEFORE INSERT OR UPDATE OF prefix, home_agent ON home_address_pools
	FOR EACH ROW EXECUTE FUNCTION pool_check();

CREATE FUNCTION pool_fill() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	INSERT INTO mipvpn.home_addresses (address, pool)
	SELECT a.address, NEW.prefix
	FROM mipvpn.home_agents h,
	     LATERAL (SELECT host(NEW.prefix)::inet + n AS address
		      FROM generate_series(0, (1::bigint << (32 - masklen(NEW.prefix))) - 1) AS n) a
	WHERE h.address = NEW.home_agent AND a.address <> h.address
	  AND (masklen(h.home_prefix) > 30
	       OR a.address NOT IN (host(network(h.home_prefix))::inet, host(broadcast(h.home_prefix))::inet));
	RETURN NULL;
END $$;
COMMENT ON FUNCTION pool_fill() IS 'Lays out the addresses of a new pool, without network, broadcast and home agent address';
CREATE TRIGGER pool_fill AFTER INSERT ON home_address_pools FOR EACH ROW EXECUTE FUNCTION pool_fill();

CREATE FUNCTION pool_prefix_is_fixed() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RAISE EXCEPTION 'the range of a pool cannot be changed'
		USING ERRCODE = 'check_violation', HINT = 'Make a new pool, switch the old one off (enabled = false), delete it when empty.';
END $$;
COMMENT ON FUNCTION pool_prefix_is_fixed() IS 'Refuses to change the range of a pool';
CREATE TRIGGER pool_prefix_is_fixed BEFORE UPDATE OF prefix, home_agent ON home_address_pools
	FOR EACH ROW WHEN (OLD.prefix <> NEW.prefix OR OLD.home_agent <> NEW.home_agent)
	EXECUTE FUNCTION pool_prefix_is_fixed();
