-- SPDX-License-Identifier: BSD-3-Clause
-- A small data set: one home agent, one roaming partner, one contract, five users.  It is what the lab runs with.
-- Running it again brings the rows back to what is written here.
--
-- Keys are given as psql variables: what `mipvpn-keytool wrap` prints, each wrapped with its own label:
--   -v alice_key=...    label subscriber:alice@home.test        -v dave_key=...     label subscriber:dave@home.test
--   -v bob_key=...      label subscriber:bob@home.test          -v mallory_key=...  label subscriber:mallory@home.test
--   -v carol_key=...    label subscriber:carol@home.test        -v acme_psk=...     label sla:acme
-- Optional:
--   -v aaa_algorithm=hmac-md5|hmac-sha1|hmac-sha256   of all users, default hmac-md5; their SPI is 256
--   -v home_agent=198.51.100.21   -v gateway=198.51.100.31   -v home_realm=home.test (users' NAIs stay @home.test)
-- Example:  psql -v alice_key=01ab... [...] -f example.sql mipvpn
\set ON_ERROR_STOP on
\if :{?aaa_algorithm} \else \set aaa_algorithm hmac-md5
\endif
\if :{?home_agent} \else \set home_agent 198.51.100.21
\endif
\if :{?gateway} \else \set gateway 198.51.100.31
\endif
BEGIN;
SET LOCAL search_path = mipvpn, pg_catalog;

INSERT INTO home_agents (address, identity, realm, home_prefix, description)
VALUES (:'home_agent', 'ha.home.test', 'home.test', '10.1.0.0/24', 'the home agent')
ON CONFLICT (address) DO UPDATE SET identity = excluded.identity, realm = excluded.realm,
	home_prefix = excluded.home_prefix, enabled = true;

INSERT INTO home_address_pools (prefix, home_agent) VALUES ('10.1.0.128/25', :'home_agent')
ON CONFLICT (prefix) DO UPDATE SET enabled = true;

INSERT INTO roaming_domains (realm, care_of, description)
VALUES ('visited.test', '{198.51.100.0/24}', 'a roaming partner')
ON CONFLICT (realm) DO UPDATE SET care_of = excluded.care_of, enabled = true;

INSERT INTO subscribers (nai, aaa_key, aaa_spi, aaa_algorithm, home_agent, home_address, description)
SELECT u.nai, decode(ltrim(u.key, '\x'), 'hex'), 256, :'aaa_algorithm', :'home_agent', u.address::inet, u.what
FROM (VALUES
	('alice@home.test', :'alice_key', '10.1.0.10', 'VPN to acme: telephony up, video down'),
	('bob@home.test', :'bob_key', '10.1.0.11', 'VPN to acme, no QoS class'),
	('carol@home.test', :'carol_key', '10.1.0.12', 'plain Mobile IP, no VPN'),
	('dave@home.test', :'dave_key', NULL, 'plain Mobile IP, dynamic home address'),
	('mallory@home.test', :'mallory_key', '10.1.0.14', 'has a VPN to acme in his record, and is not on acme''s list')
) AS u(nai, key, address, what)
ON CONFLICT (nai) DO UPDATE SET aaa_key = excluded.aaa_key, aaa_spi = excluded.aaa_spi,
	aaa_algorithm = excluded.aaa_algorithm, home_agent = excluded.home_agent, home_address = excluded.home_address,
	enabled = true;

-- The contract with acme: its network, its gateway, our home addresses, and who may use it.
INSERT INTO slas (name, domain, gateway, home_selector, psk, up_class, down_class, description)
VALUES ('acme', '10.9.0.0/24', :'gateway', '10.1.0.0/24', decode(ltrim(:'acme_psk', '\x'), 'hex'), '0', '0', 'ACME: head office')
ON CONFLICT (name) DO UPDATE SET domain = excluded.domain, gateway = excluded.gateway,
	home_selector = excluded.home_selector, psk = excluded.psk, enabled = true, valid = tstzrange(now(), NULL);
INSERT INTO sla_users (sla, nai) VALUES ('acme', 'alice@home.test'), ('acme', 'bob@home.test')
ON CONFLICT DO NOTHING;
INSERT INTO cn_gateways (prefix, gateway, kind, sla, description)
VALUES ('10.9.0.0/24', :'gateway', 'static', 'acme', 'ACME''s own gateway')
ON CONFLICT (prefix) DO UPDATE SET gateway = excluded.gateway, kind = excluded.kind, sla = excluded.sla;

INSERT INTO vpns (number, nai, vpnshare, destination, up_class, down_class, up_spi, down_spi, description) VALUES
	(1, 'alice@home.test', 1, '10.9.0.0/24', 'EF', 'AF41', 4097, 4098, 'calls to the office'),
	(2, 'bob@home.test', 1, '10.9.0.0/24', '0', '0', 4099, 4100, 'the office'),
	(4, 'mallory@home.test', 1, '10.9.0.0/24', '0', '0', 4103, 4104, 'not allowed by acme''s list')
ON CONFLICT (number) DO UPDATE SET nai = excluded.nai, vpnshare = excluded.vpnshare,
	destination = excluded.destination, up_class = excluded.up_class, down_class = excluded.down_class,
	up_spi = excluded.up_spi, down_spi = excluded.down_spi, enabled = true;
SELECT setval(pg_get_serial_sequence('mipvpn.vpns', 'number'), greatest(100, (SELECT max(number) FROM vpns)));
COMMIT;
