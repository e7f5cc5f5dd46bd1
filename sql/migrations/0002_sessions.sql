-- SPDX-License-Identifier: BSD-3-Clause
-- 0002: sessions, their cached profiles (requirement B), and what became of past sessions.
-- Any AAAH node can serve any move, because the sessions live here.  Session keys of the registrations (MN-HA, MN-FA,
-- FA-HA) are not kept at all; keys of profiles are wrapped with the label profile:<ha_session>:<number>.

CREATE TABLE sessions (
	id	bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	nai	nai NOT NULL UNIQUE,
	home_address	host_address NOT NULL,
	home_agent	host_address NOT NULL,
	ha_session	text NOT NULL UNIQUE,
	ha_host	text NOT NULL,
	ha_realm	text NOT NULL,
	fa_session	text NOT NULL UNIQUE,
	fa_host	text NOT NULL,
	fa_realm	text NOT NULL,
	fa_address	host_address NOT NULL,
	previous_fa	host_address,
	multi_session	text,
	handoff_key	wrapped_key,
	fa_ended	boolean NOT NULL DEFAULT false,
	started_at	timestamptz NOT NULL DEFAULT now(),
	authorized_at	timestamptz NOT NULL DEFAULT now(),
	expires_at	timestamptz NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE sessions IS 'Who is on: one row per user, from the first accepted registration to its end';
COMMENT ON COLUMN sessions.id IS 'Number of the row';
COMMENT ON COLUMN sessions.nai IS 'The user';
COMMENT ON COLUMN sessions.home_address IS 'Home address in use';
COMMENT ON COLUMN sessions.home_agent IS 'Home agent in use';
COMMENT ON COLUMN sessions.ha_session IS 'Diameter Session-Id with the home agent; stays for the whole session';
COMMENT ON COLUMN sessions.ha_host IS 'Diameter identity of the home agent';
COMMENT ON COLUMN sessions.ha_realm IS 'Diameter realm of the home agent';
COMMENT ON COLUMN sessions.fa_session IS 'Diameter Session-Id with the foreign agent; a new one at each move';
COMMENT ON COLUMN sessions.fa_host IS 'Diameter identity of the foreign agent';
COMMENT ON COLUMN sessions.fa_realm IS 'Visited realm';
COMMENT ON COLUMN sessions.fa_address IS 'Care-of address: the gateway on the user''s side';
COMMENT ON COLUMN sessions.previous_fa IS 'Care-of address before the last move; NULL before the first';
COMMENT ON COLUMN sessions.multi_session IS 'Acct-Multi-Session-Id that the home agent chose';
COMMENT ON COLUMN sessions.handoff_key IS 'Key for smooth handoff between foreign agents, wrapped with the label handoff:<ha_session>';
COMMENT ON COLUMN sessions.fa_ended IS 'The foreign agent has ended its part; the home agent''s part goes on';
COMMENT ON COLUMN sessions.started_at IS 'First registration';
COMMENT ON COLUMN sessions.authorized_at IS 'Last registration that passed this server';
COMMENT ON COLUMN sessions.expires_at IS 'End of the authorisation with its grace period; later the row is reaped';
CREATE INDEX sessions_expires ON sessions (expires_at);	-- the reaper

CREATE TABLE session_profiles (
	session	bigint NOT NULL REFERENCES sessions ON DELETE CASCADE,
	position	smallint NOT NULL,
	number	bigint NOT NULL,
	source	prefix NOT NULL,
	destination	prefix NOT NULL,
	tos_up	smallint NOT NULL,
	tos_down	smallint NOT NULL,
	security	smallint NOT NULL CONSTRAINT security_must_be_1_to_3 CHECK (security BETWEEN 1 AND 3),
	source_gateway	host_address NOT NULL,
	destination_gateway	host_address NOT NULL,
	destination_kind	smallint NOT NULL,
	spi_up	bigint NOT NULL,
	spi_down	bigint NOT NULL,
	enc_key	wrapped_key,
	auth_key	wrapped_key,
	required	boolean NOT NULL,
	esp_proposal	text NOT NULL DEFAULT '',
	sla	contract_name,
	PRIMARY KEY (session, position)
);
COMMENT ON TABLE session_profiles IS
	'The VPN information cache (B1): the profiles of each session as the home agent got them; the foreign agent got those whose source gateway it is';
COMMENT ON COLUMN session_profiles.session IS 'The session';
COMMENT ON COLUMN session_profiles.position IS 'Order in the message, from 0';
COMMENT ON COLUMN session_profiles.number IS 'Profile number (vpns.number)';
COMMENT ON COLUMN session_profiles.source IS 'The mobile node''s side of the packets: its home address';
COMMENT ON COLUMN session_profiles.destination IS 'The correspondent''s side of the packets';
COMMENT ON COLUMN session_profiles.tos_up IS 'TOS byte to set on packets from the user; 0 = leave alone';
COMMENT ON COLUMN session_profiles.tos_down IS 'TOS byte to set on packets to the user; 0 = leave alone';
COMMENT ON COLUMN session_profiles.security IS 'Security type (security_types.number)';
COMMENT ON COLUMN session_profiles.source_gateway IS 'Gateway on the user''s side; it initiates the tunnel';
COMMENT ON COLUMN session_profiles.destination_gateway IS 'Gateway on the other side';
COMMENT ON COLUMN session_profiles.destination_kind IS '0 an agent of ours, 1 static, 2 dynamic';
COMMENT ON COLUMN session_profiles.spi_up IS 'Names the security relation, up';
COMMENT ON COLUMN session_profiles.spi_down IS 'Names the security relation, down';
COMMENT ON COLUMN session_profiles.enc_key IS 'Encryption key of this session, wrapped; NULL with the default SPI';
COMMENT ON COLUMN session_profiles.auth_key IS 'Authentication key of this session, wrapped; NULL with the default SPI';
COMMENT ON COLUMN session_profiles.required IS 'The registration fails without it';
COMMENT ON COLUMN session_profiles.esp_proposal IS 'ESP algorithms; empty = the agents'' default';
COMMENT ON COLUMN session_profiles.sla IS 'Contract of a static gateway; its key is read from the contract when needed';

CREATE TABLE session_history (
	id	bigint PRIMARY KEY,
	nai	nai NOT NULL,
	home_address	host_address NOT NULL,
	home_agent	host_address NOT NULL,
	fa_host	text NOT NULL,
	fa_realm	text NOT NULL,
	fa_address	host_address NOT NULL,
	vpns	bigint[] NOT NULL,
	started_at	timestamptz NOT NULL,
	ended_at	timestamptz NOT NULL DEFAULT now(),
	reason	text NOT NULL
);
COMMENT ON TABLE session_history IS 'Sessions that have ended; mipvpn.history_trim() removes old ones';
COMMENT ON COLUMN session_history.id IS 'Number that the session had';
COMMENT ON COLUMN session_history.nai IS 'The user';
COMMENT ON COLUMN session_history.home_address IS 'Home address at the end';
COMMENT ON COLUMN session_history.home_agent IS 'Home agent';
COMMENT ON COLUMN session_history.fa_host IS 'Last foreign agent';
COMMENT ON COLUMN session_history.fa_realm IS 'Last visited realm';
COMMENT ON COLUMN session_history.fa_address IS 'Last care-of address';
COMMENT ON COLUMN session_history.vpns IS 'Profile numbers that the session had';
COMMENT ON COLUMN session_history.started_at IS 'First registration';
COMMENT ON COLUMN session_history.ended_at IS 'End';
COMMENT ON COLUMN session_history.reason IS 'ended by: logout, administrative, timeout, replaced, expired ...';
CREATE INDEX session_history_nai ON session_history (nai, started_at);	-- "where was this user"
CREATE INDEX session_history_ended ON session_history USING brin (ended_at);	-- trimming
