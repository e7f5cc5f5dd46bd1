-- SPDX-License-Identifier: BSD-3-Clause
-- 0014: two changes of a contract that reached nobody who is on (A5, note 16).  Its own connection (key, identities, algorithms,
-- selectors): the profiles of a session name the contract only, so nothing of them is different, and the gateways have to be told all
-- the same.  And its time: it begins and ends by the clock, without a COMMIT that says so.

ALTER TABLE change_log ADD COLUMN connection boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN change_log.connection IS 'A contract''s own connection to its gateway has become another one: who uses it is told, though his profiles are the same';

ALTER TABLE live_updates ADD COLUMN again boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN live_updates.again IS 'The gateways are to be told even when the profiles are those that they have';

-- Whoever works on the row finds what stands "sent": to be said once more.
CREATE FUNCTION live_again() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	NEW.sent := true;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION live_again() IS 'A row that says "again" is one of which the gateways are told in any case';
CREATE TRIGGER live_again BEFORE UPDATE ON live_updates FOR EACH ROW
	WHEN (NEW.again AND NOT NEW.sent) EXECUTE FUNCTION live_again();

-- What the connection to the gateway is made of, and no profile of a session has.  Behind the trigger "audit" of the same row (by their
-- names), which has written the change.
CREATE FUNCTION contract_connection() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	UPDATE mipvpn.change_log SET connection = true WHERE id = currval('mipvpn.change_log_id_seq');
	RETURN NULL;
END $$;
COMMENT ON FUNCTION contract_connection() IS 'The change that was written last is one of a contract''s own connection';
CREATE TRIGGER contract_connection AFTER UPDATE ON slas FOR EACH ROW
	WHEN ((OLD.domain, OLD.home_selector, OLD.psk, OLD.ike_local, OLD.ike_remote, OLD.ike_proposal)
		IS DISTINCT FROM (NEW.domain, NEW.home_selector, NEW.psk, NEW.ike_local, NEW.ike_remote, NEW.ike_proposal))
	EXECUTE FUNCTION contract_connection();

-- What the clock alone changes.
CREATE TABLE contract_clock (
	sla	contract_name PRIMARY KEY REFERENCES slas ON DELETE CASCADE ON UPDATE CASCADE,
	valid	boolean NOT NULL,
	looked_at	timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE contract_clock IS 'Whether a contract was valid when somebody looked last: when that is another answer by now, its users hear of it';
COMMENT ON COLUMN contract_clock.sla IS 'The contract';
COMMENT ON COLUMN contract_clock.valid IS 'slas.valid included that moment';
COMMENT ON COLUMN contract_clock.looked_at IS 'When the answer became this one';
GRANT SELECT ON contract_clock TO mipvpn_dba;
INSERT INTO contract_clock (sla, valid) SELECT c.name, c.valid @> now() FROM slas c;

-- A COMMIT of its own has told everybody already.
CREATE FUNCTION contract_clock_set() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
BEGIN
	INSERT INTO mipvpn.contract_clock AS k (sla, valid) VALUES (NEW.name, NEW.valid @> now())
	ON CONFLICT (sla) DO UPDATE SET valid = excluded.valid, looked_at = excluded.looked_at;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION contract_clock_set() IS 'A contract that is new, or has another time, is on the clock as it is now';
CREATE TRIGGER contract_clock_set AFTER INSERT OR UPDATE OF valid ON slas FOR EACH ROW EXECUTE FUNCTION contract_clock_set();

-- Under the lock of live_expand(), so one node does it, and once: the answer and the change are one transaction.  A contract that a DBA
-- has under his hands, not committed yet, is not waited for.
CREATE FUNCTION live_clock() RETURNS integer LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	n	integer;
BEGIN
	WITH due AS (
		SELECT k.sla FROM mipvpn.contract_clock k JOIN mipvpn.slas c ON c.name = k.sla
		WHERE (c.valid @> now()) <> k.valid FOR UPDATE OF k SKIP LOCKED),
	other AS (
		UPDATE mipvpn.contract_clock k SET valid = NOT k.valid, looked_at = now()
		FROM due WHERE due.sla = k.sla RETURNING k.sla)
	INSERT INTO mipvpn.change_log (tbl, key) SELECT 'slas', o.sla FROM other o ORDER BY o.sla;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION live_clock() IS 'Contracts that have begun or ended by time since the last look become changes; returns how many';

CREATE FUNCTION live_clock_due() RETURNS boolean LANGUAGE sql STABLE
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	SELECT EXISTS (SELECT FROM mipvpn.contract_clock k JOIN mipvpn.slas c ON c.name = k.sla WHERE (c.valid @> now()) <> k.valid)
$$;

COMMENT ON FUNCTION live_clock_due() IS 'Has a contract begun or ended by time since the last look';

CREATE FUNCTION live_mark_again(p_sla text) RETURNS void LANGUAGE sql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
	UPDATE mipvpn.live_updates u SET again = true
	WHERE u.session IN (SELECT p.session FROM mipvpn.session_profiles p WHERE p.sla = p_sla)
$$;
COMMENT ON FUNCTION live_mark_again(text) IS 'The sessions that use this contract''s connection are told, whatever they have';

-- As in 0011 but by lists, with the clock, and contracts whose connection is another one.  When there is a lot to do the other nodes hear of it: the
-- notice of the change itself has found them without a turn here and nothing to claim yet.
CREATE OR REPLACE FUNCTION live_expand(p_most integer) RETURNS integer LANGUAGE plpgsql
	SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	c	mipvpn.change_log;
	n	integer := 0;
	whose	bigint[];
	sessions	integer := 0;
BEGIN
	IF NOT (EXISTS (SELECT FROM mipvpn.change_log x WHERE x.expanded_at IS NULL) OR mipvpn.live_clock_due())
	   OR NOT pg_try_advisory_xact_lock(hashtext('mipvpn.live_expand')) THEN
		RETURN 0;
	END IF;
	PERFORM mipvpn.live_clock();
	FOR c IN SELECT * FROM mipvpn.change_log x WHERE x.expanded_at IS NULL ORDER BY x.id LIMIT p_most LOOP
		whose := ARRAY(SELECT x.id FROM mipvpn.live_sessions(c.tbl, c.key) AS s JOIN mipvpn.sessions x ON x.id = s
			       WHERE x.expires_at > now());
		PERFORM mipvpn.live_request(whose, c.id, c.at);
		sessions := sessions + cardinality(whose);
		IF c.connection THEN
			PERFORM mipvpn.live_mark_again(c.key);
		END IF;
		UPDATE mipvpn.change_log x SET expanded_at = clock_timestamp() WHERE x.id = c.id;
		n := n + 1;
	END LOOP;
	IF sessions > 16 THEN
		PERFORM pg_notify('mipvpn_change', '');
	END IF;
	RETURN n;
END $$;

REVOKE ALL ON FUNCTION live_again(), contract_connection(), contract_clock_set(), live_clock(), live_clock_due(),
	live_mark_again(text) FROM PUBLIC;
