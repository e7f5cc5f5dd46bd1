-- SPDX-License-Identifier: BSD-3-Clause
-- 0003: who changed what (A6), and the notice of it to programs that keep something in memory.

CREATE TABLE audit (
	id	bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at	timestamptz NOT NULL DEFAULT clock_timestamp(),
	who	text NOT NULL,
	program	text NOT NULL,
	client	inet,
	tbl	text NOT NULL,
	key	text NOT NULL,
	op	text NOT NULL,
	before	jsonb,
	after	jsonb
);
COMMENT ON TABLE audit IS 'Every change of a user, a VPN, a contract and what they stand on; keys appear as a digest only';
COMMENT ON COLUMN audit.id IS 'Number';
COMMENT ON COLUMN audit.at IS 'When';
COMMENT ON COLUMN audit.who IS 'Database user that logged in (session_user)';
COMMENT ON COLUMN audit.program IS 'application_name of the connection';
COMMENT ON COLUMN audit.client IS 'Address of the client; NULL on a local socket';
COMMENT ON COLUMN audit.tbl IS 'Table';
COMMENT ON COLUMN audit.key IS 'Primary key of the row, parts joined by a blank';
COMMENT ON COLUMN audit.op IS 'INSERT, UPDATE or DELETE';
COMMENT ON COLUMN audit.before IS 'The row before; wrapped keys replaced by the first 8 digits of their SHA-256';
COMMENT ON COLUMN audit.after IS 'The row after, likewise';
CREATE INDEX audit_row ON audit (tbl, key, id);	-- the story of one row
CREATE INDEX audit_at ON audit USING brin (at);	-- a period

CREATE TABLE change_log (
	id	bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at	timestamptz NOT NULL DEFAULT now(),
	tbl	text NOT NULL,
	key	text NOT NULL
);
COMMENT ON TABLE change_log IS
	'What changed, for programs: NOTIFY mipvpn_change carries the id; after a reconnect read what came after the last one seen';
COMMENT ON COLUMN change_log.id IS 'Number; the payload of the notice';
COMMENT ON COLUMN change_log.at IS 'When';
COMMENT ON COLUMN change_log.tbl IS 'Table';
COMMENT ON COLUMN change_log.key IS 'Primary key of the row, parts joined by a blank';

CREATE FUNCTION audit_redact(r jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT jsonb_object_agg(f.key, CASE
		WHEN f.key IN ('aaa_key', 'psk', 'pcn_key') AND f.value <> 'null'::jsonb
		THEN to_jsonb('key ' || left(encode(sha256(convert_to(f.value #>> '{}', 'UTF8')), 'hex'), 8))
		ELSE f.value END)
	FROM jsonb_each(r) AS f
$$;
COMMENT ON FUNCTION audit_redact(jsonb) IS 'A row for the audit: one sees that a key changed, not the key';

-- Trigger arguments: the columns of the primary key.
CREATE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	was	jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
	is_now	jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
	row_key	text;
	change	bigint;
BEGIN
	IF TG_OP = 'UPDATE' AND was = is_now THEN
		RETURN NULL;
	END IF;
	SELECT string_agg(coalesce(is_now, was) ->> c, ' ' ORDER BY o) INTO row_key
	FROM unnest(TG_ARGV) WITH ORDINALITY AS a(c, o);
	INSERT INTO mipvpn.audit (who, program, client, tbl, key, op, before, after)
	VALUES (session_user, current_setting('application_name'), inet_client_addr(), TG_TABLE_NAME, row_key, TG_OP,
		mipvpn.audit_redact(was), mipvpn.audit_redact(is_now));
	INSERT INTO mipvpn.change_log (tbl, key) VALUES (TG_TABLE_NAME, row_key) RETURNING id INTO change;
	PERFORM pg_notify('mipvpn_change', change::text);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION audit_change() IS 'Writes audit and change_log, and gives notice';

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON subscribers
	FOR EACH ROW EXECUTE FUNCTION audit_change('nai');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON vpns
	FOR EACH ROW EXECUTE FUNCTION audit_change('number');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON slas
	FOR EACH ROW EXECUTE FUNCTION audit_change('name');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON sla_users
	FOR EACH ROW EXECUTE FUNCTION audit_change('sla', 'nai');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON cn_gateways
	FOR EACH ROW EXECUTE FUNCTION audit_change('prefix');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON home_agents
	FOR EACH ROW EXECUTE FUNCTION audit_change('address');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON roaming_domains
	FOR EACH ROW EXECUTE FUNCTION audit_change('realm');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON home_address_pools
	FOR EACH ROW EXECUTE FUNCTION audit_change('prefix');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON qos_classes
	FOR EACH ROW EXECUTE FUNCTION audit_change('name');

-- TRUNCATE would go past the row triggers.
CREATE FUNCTION audit_truncate() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	RAISE EXCEPTION 'TRUNCATE of mipvpn.% is not audited', TG_TABLE_NAME USING HINT = 'Use DELETE.';
END $$;
COMMENT ON FUNCTION audit_truncate() IS 'Refuses TRUNCATE of audited tables';
DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['subscribers', 'vpns', 'slas', 'sla_users', 'cn_gateways', 'home_agents',
				 'roaming_domains', 'home_address_pools', 'qos_classes', 'audit'] LOOP
		EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I EXECUTE FUNCTION audit_truncate()', t);
	END LOOP;
END $$;
