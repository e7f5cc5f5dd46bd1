-- SPDX-License-Identifier: BSD-3-Clause
-- What the database refuses, and that the refusal can be understood.
BEGIN;
SET LOCAL search_path = public, mipvpn, pg_catalog;
SELECT no_plan();
CREATE TEMP TABLE bad (what text, stmt text, says text);
INSERT INTO bad VALUES
('a user without a realm',
 $$INSERT INTO mipvpn.subscribers (nai, aaa_key, home_agent) SELECT 'eve', aaa_key, home_agent FROM mipvpn.subscribers LIMIT 1$$,
 'nai_must_look_like_user_at_realm'),
('a realm in upper case',
 $$INSERT INTO mipvpn.roaming_domains (realm) VALUES ('Visited.TEST')$$, 'realm_must_be_a_domain_name_in_lower_case'),
('a NAI with a line break',
 $$UPDATE mipvpn.subscribers SET nai = E'eve\n@home.test' WHERE nai = 'carol@home.test'$$, 'nai_must_look_like_user_at_realm'),
('a key in clear',
 $$UPDATE mipvpn.subscribers SET aaa_key = '\x00112233445566778899aabbccddeeff'$$, 'key_must_be_wrapped_by_mipvpn_keytool'),
('a text as key',
 $$UPDATE mipvpn.slas SET psk = 'secret secret secret secret secret secret'::bytea$$, 'key_must_be_wrapped_by_mipvpn_keytool'),
('a reserved SPI', $$UPDATE mipvpn.subscribers SET aaa_spi = 77$$, 'aaa_spi_must_be_2_for_chap_or_256_to_4294967295'),
('an SPI that is too long', $$UPDATE mipvpn.vpns SET up_spi = 4294967296$$, 'spi_must_be_256_to_4294967295'),
('CHAP with another SPI', $$UPDATE mipvpn.subscribers SET aaa_algorithm = 'chap-md5'$$, 'chap_md5_goes_with_aaa_spi_2'),
('an algorithm that is none', $$UPDATE mipvpn.subscribers SET aaa_algorithm = 'rot13'$$, 'aaa_algorithm_must_be'),
('a home address outside of the home network',
 $$UPDATE mipvpn.subscribers SET home_address = '10.2.0.1' WHERE nai = 'carol@home.test'$$,
 'home address 10.2.0.1 of carol@home.test is not in the home network 10.1.0.0/24'),
('a home address with a netmask',
 $$UPDATE mipvpn.subscribers SET home_address = '10.1.0.0/24' WHERE nai = 'carol@home.test'$$, 'address_must_be_one_ipv4_host'),
('a home address of version 6',
 $$UPDATE mipvpn.subscribers SET home_address = '2001:db8::1' WHERE nai = 'carol@home.test'$$, 'address_must_be_one_ipv4_host'),
('a home address inside a pool',
 $$UPDATE mipvpn.subscribers SET home_address = '10.1.0.130' WHERE nai = 'carol@home.test'$$,
 'lies in the pool 10.1.0.128/25 of dynamic addresses'),
('a home address that is taken',
 $$UPDATE mipvpn.subscribers SET home_address = '10.1.0.10' WHERE nai = 'carol@home.test'$$, 'subscribers_home_address_key'),
('a pool over somebody''s fixed address',
 $$INSERT INTO mipvpn.home_address_pools VALUES ('10.1.0.8/29', '198.51.100.21')$$, 'holds the fixed home address 10.1.0.1'),
('pools that overlap',
 $$INSERT INTO mipvpn.home_address_pools VALUES ('10.1.0.192/26', '198.51.100.21')$$, 'pools_must_not_overlap'),
('a pool outside of the home network',
 $$INSERT INTO mipvpn.home_address_pools VALUES ('10.3.0.0/24', '198.51.100.21')$$, 'is not in the home network'),
('a pool that changes',
 $$UPDATE mipvpn.home_address_pools SET prefix = '10.1.0.128/26'$$, 'the range of a pool cannot be changed'),
('a VPN with keys of its own and the default SPI',
 $$UPDATE mipvpn.vpns SET up_spi = 256 WHERE number = 1$$, 'vpnshare_1_needs_an_up_spi_and_a_down_spi_other_than_256'),
('a VPN with keys of its own and no SPI',
 $$UPDATE mipvpn.vpns SET down_spi = NULL WHERE number = 1$$, 'vpnshare_1_needs_an_up_spi_and_a_down_spi_other_than_256'),
('a shared VPN with an SPI of its own',
 $$UPDATE mipvpn.vpns SET vpnshare = 0 WHERE number = 1$$, 'vpnshare_0_takes_no_spi_but_the_default_256'),
('vpnshare 2', $$UPDATE mipvpn.vpns SET vpnshare = 2$$, 'vpnshare_must_be_0_or_1'),
('profile number 0', $$UPDATE mipvpn.vpns SET number = 0 WHERE number = 1$$, 'number_must_be_1_to_4294967295'),
('a destination with host bits', $$UPDATE mipvpn.vpns SET destination = '10.9.0.1/24' WHERE number = 1$$, 'invalid cidr value'),
('two VPNs to one destination',
 $$INSERT INTO mipvpn.vpns (nai, vpnshare, destination) VALUES ('alice@home.test', 0, '10.9.0.0/24')$$, 'vpns_nai_destination_key'),
('a class that is not there', $$UPDATE mipvpn.vpns SET up_class = 'gold' WHERE number = 1$$, 'vpns_up_class_fkey'),
('a code point over 63', $$INSERT INTO mipvpn.qos_classes VALUES ('gold', 64)$$, 'dscp_must_be_0_to_63'),
('a static gateway without contract',
 $$INSERT INTO mipvpn.cn_gateways (prefix, gateway, kind) VALUES ('10.8.0.0/16', '192.0.2.1', 'static')$$,
 'a_static_gateway_needs_a_contract'),
('a gateway that is not the contract''s',
 $$UPDATE mipvpn.cn_gateways SET gateway = '192.0.2.1'$$, 'gateway_must_be_the_one_of_the_contract'),
('a contract with a name that cannot name a connection',
 $$UPDATE mipvpn.slas SET name = 'ACME Inc.'$$, 'name_must_be_1_to_63_of_a_to_z_0_to_9_and_hyphen'),
('algorithms in another notation', $$UPDATE mipvpn.slas SET ike_proposal = 'AES 256'$$, 'proposal_must_be_in_strongswan_notation'),
('an empty member of a list of algorithms', $$UPDATE mipvpn.vpns SET proposal = 'aes128gcm16,,aes256-sha256'$$,
 'proposal_must_be_in_strongswan_notation'),
('algorithms of a user that would end a value in a configuration', $$UPDATE mipvpn.vpns SET proposal = E'aes128gcm16\n}'$$,
 'proposal_must_be_in_strongswan_notation'),
('a security type that is none', $$UPDATE mipvpn.vpns SET security = 'esp' WHERE number = 1$$, 'vpns_security_fkey'),
('encapsulation only with algorithms', $$UPDATE mipvpn.vpns SET security = 'ENCAP', proposal = 'sha256' WHERE number = 1$$,
 'encapsulation_only_takes_no_algorithms'),
('a contract that is encapsulation only', $$UPDATE mipvpn.slas SET security = 'ENCAP'$$, 'a_contract_is_esp_or_ah'),
('a contract that is AH with a cipher', $$UPDATE mipvpn.slas SET security = 'AH', esp_proposal = 'aes128gcm16'$$,
 'ah_algorithms_must_be_like_sha256_without_a_cipher'),
('a contract that becomes AH and keeps its cipher',
 $$UPDATE mipvpn.slas SET esp_proposal = 'aes128gcm16'; UPDATE mipvpn.slas SET security = 'AH'$$,
 'ah_algorithms_must_be_like_sha256_without_a_cipher'),
('a contract that is ESP without a cipher', $$UPDATE mipvpn.slas SET esp_proposal = 'sha256-curve25519'$$,
 'esp_algorithms_must_be_like_aes128gcm16_or_aes256_sha256'),
('a contract that is never valid', $$UPDATE mipvpn.slas SET valid = 'empty'$$, 'validity_must_not_be_empty'),
('a user who does not exist on a contract''s list',
 $$INSERT INTO mipvpn.sla_users VALUES ('acme', 'nobody@home.test')$$, 'sla_users_nai_fkey'),
('a contract that is still used', $$DELETE FROM mipvpn.slas$$, 'gateway_must_be_the_one_of_the_contract'),
('TRUNCATE past the audit', $$TRUNCATE mipvpn.subscribers CASCADE$$, 'is not audited');
SELECT throws_like(stmt, '%' || says || '%', what) FROM bad;

-- G2: which algorithms go with which security type.
CREATE TEMP TABLE algorithms (security text, proposal text, fits boolean);
INSERT INTO algorithms VALUES
('ESP', NULL, true), ('ESP', 'aes128gcm16', true), ('ESP', 'aes256gcm16-curve25519', true), ('ESP', 'aes256-sha256', true),
('ESP', 'aes128-sha256-curve25519-noesn', true), ('ESP', 'null-sha256', true), ('ESP', 'chacha20poly1305-x25519', true),
('ESP', 'aes128-aes256-sha1-modp2048', true), ('ESP', 'aes128ctr-aesxcbc', true), ('ESP', 'aes128gmac', true),
('ESP', 'aes-sha384', true), ('ESP', 'aes256gcm16,aes256-sha256', true), ('ESP', 'default', true),
('ESP', 'aes256-sha256,default', true),
('ESP', 'sha256', false), ('ESP', 'curve25519', false), ('ESP', 'aes256', false), ('ESP', 'aes256-curve25519', false),
('ESP', 'null', false), ('ESP', 'aesxcbc-sha256', false), ('ESP', 'aes256gcm16,sha256', false),
('ESP', 'aes256gcm16,aes256', false), ('ESP', 'sha256-aes256', false),
('AH', NULL, true), ('AH', 'sha256', true), ('AH', 'sha256-curve25519', true), ('AH', 'aesxcbc', true),
('AH', 'sha384-aescmac-modp2048', true), ('AH', 'sha512,sha256', true), ('AH', 'default', true),
('AH', 'aes128gcm16', false), ('AH', 'aes256-sha256', false), ('AH', 'sha256-aes128', false), ('AH', 'sha256-aes', false),
('AH', 'null-sha256', false), ('AH', 'sha256-null', false), ('AH', 'curve25519', false), ('AH', 'sha512,aes128gcm16', false),
('ENCAP', NULL, true), ('ENCAP', 'aes128gcm16', false), ('ENCAP', 'default', false);
CREATE FUNCTION pg_temp.accepted(stmt text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN EXECUTE stmt; RETURN true; EXCEPTION WHEN check_violation THEN RETURN false; END $$;
SELECT is(pg_temp.accepted(format('UPDATE mipvpn.vpns SET security = %L, proposal = %L WHERE number = 1', security, proposal)),
	fits, format('a VPN of %s with %s', security, coalesce(proposal, 'the default'))) FROM algorithms;
SELECT is(pg_temp.accepted(format('UPDATE mipvpn.slas SET security = %L, esp_proposal = %L', security, proposal)),
	fits, format('a contract of %s with %s', security, coalesce(proposal, 'the default')))
FROM algorithms WHERE security <> 'ENCAP';
SET LOCAL ROLE mipvpn_dba;
UPDATE mipvpn.vpns SET security = 'AH', proposal = 'sha512' WHERE number = 1;
RESET ROLE;
SELECT is((SELECT security || ' ' || proposal FROM vpns WHERE number = 1), 'AH sha512', 'the DBA may choose');

SELECT lives_ok($$UPDATE mipvpn.vpns SET vpnshare = 0, up_spi = NULL, down_spi = NULL, up_class = NULL WHERE number = 1$$,
	'a shared VPN may leave SPIs and classes out (A2)');
SELECT * FROM finish();
ROLLBACK;
