-- SPDX-License-Identifier: BSD-3-Clause
-- Behind sql/example.sql: two enterprises whose gateways are proxy correspondent nodes, and two users who reach them.
-- Needs no contract: such a gateway is told by the home agent, under a key that it shares with this database.
--   -v erin_key=...   label subscriber:erin@home.test     -v frank_key=...   label subscriber:frank@home.test
--   -v pcn_key=...    label pcn:198.51.100.32             -v pcn2_key=...    label pcn:198.51.100.33
\set ON_ERROR_STOP on
\if :{?aaa_algorithm} \else \set aaa_algorithm hmac-md5
\endif
BEGIN;
SET LOCAL search_path = mipvpn, pg_catalog;

INSERT INTO subscribers (nai, aaa_key, aaa_spi, aaa_algorithm, home_agent, home_address, description)
SELECT u.nai, decode(ltrim(u.key, '\x'), 'hex'), 256, :'aaa_algorithm', '198.51.100.21', u.address::inet, u.what
FROM (VALUES
	('erin@home.test', :'erin_key', '10.1.0.15', 'VPN behind a proxy correspondent node'),
	('frank@home.test', :'frank_key', '10.1.0.16', 'VPNs of both kinds: acme, and two proxy correspondent nodes')
) AS u(nai, key, address, what)
ON CONFLICT (nai) DO UPDATE SET aaa_key = excluded.aaa_key, aaa_algorithm = excluded.aaa_algorithm,
	home_agent = excluded.home_agent, home_address = excluded.home_address, enabled = true;
INSERT INTO sla_users (sla, nai) VALUES ('acme', 'frank@home.test') ON CONFLICT DO NOTHING;

INSERT INTO cn_gateways (prefix, gateway, kind, pcn_key, description) VALUES
	('203.0.113.0/24', '198.51.100.32', 'dynamic', decode(ltrim(:'pcn_key', '\x'), 'hex'), 'a proxy correspondent node'),
	('203.0.114.0/24', '198.51.100.33', 'dynamic', decode(ltrim(:'pcn2_key', '\x'), 'hex'), 'another one')
ON CONFLICT (prefix) DO UPDATE SET gateway = excluded.gateway, kind = excluded.kind, pcn_key = excluded.pcn_key, sla = NULL;

INSERT INTO vpns (number, nai, vpnshare, destination, up_class, down_class, up_spi, down_spi, required, description) VALUES
	(5, 'erin@home.test', 1, '203.0.113.0/24', 'EF', 'AF41', 4105, 4106, true, 'calls to a partner'),
	(6, 'frank@home.test', 1, '10.9.0.0/24', '0', '0', 4107, 4108, true, 'the office'),
	(7, 'frank@home.test', 1, '203.0.113.0/24', '0', '0', 4109, 4110, true, 'the partner'),
	(8, 'frank@home.test', 1, '203.0.114.0/24', '0', '0', 4111, 4112, false, 'another partner, when it can be had')
ON CONFLICT (number) DO UPDATE SET nai = excluded.nai, vpnshare = excluded.vpnshare,
	destination = excluded.destination, up_class = excluded.up_class, down_class = excluded.down_class,
	up_spi = excluded.up_spi, down_spi = excluded.down_spi, required = excluded.required, enabled = true;
SELECT setval(pg_get_serial_sequence('mipvpn.vpns', 'number'), greatest(100, (SELECT max(number) FROM vpns)));
COMMIT;
