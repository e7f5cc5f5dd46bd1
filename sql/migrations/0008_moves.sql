-- SPDX-License-Identifier: BSD-3-Clause
-- 0008: a session whose user has moved within the visited domain (D2).  This server knows it under the first foreign agent;
-- the one that ends it is another one of the same realm, whose name the visited server may not forge.

DROP FUNCTION aaah_session_end(text, text, boolean, text);
-- As in 0004, but an STR of any host of the foreign agent's realm counts: whoever knows the Session-Id, of which 64 bits
-- are random.
CREATE FUNCTION aaah_session_end(p_session text, p_origin text, p_realm text, p_all boolean, p_reason text)
	RETURNS TABLE (nai text, side text, ended boolean, other_session text, other_host text, other_realm text)
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, mipvpn, pg_temp AS $$
DECLARE
	s	mipvpn.sessions;
	home	boolean;
BEGIN
	SELECT x.* INTO s FROM mipvpn.sessions x
	WHERE (x.ha_session = p_session AND x.ha_host = p_origin) OR (x.fa_session = p_session AND lower(x.fa_realm) = lower(p_realm))
	FOR UPDATE;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	home := s.ha_session = p_session;
	IF home OR p_all THEN
		PERFORM mipvpn.session_close(s, p_reason);
	ELSE
		UPDATE mipvpn.sessions x SET fa_ended = true WHERE x.id = s.id;
	END IF;
	IF home AND NOT s.fa_ended THEN
		RETURN QUERY SELECT s.nai::text, 'ha', true, s.fa_session, s.fa_host::text, s.fa_realm::text;
	ELSIF NOT home AND p_all THEN
		RETURN QUERY SELECT s.nai::text, 'fa', true, s.ha_session, s.ha_host::text, s.ha_realm::text;
	ELSE
		RETURN QUERY SELECT s.nai::text, CASE WHEN home THEN 'ha' ELSE 'fa' END, home, ''::text, ''::text, ''::text;
	END IF;
END $$;
COMMENT ON FUNCTION aaah_session_end(text, text, text, boolean, text) IS
	'Ends a session or the foreign agent''s part of it, and says who else is to be told';

REVOKE ALL ON FUNCTION aaah_session_end(text, text, text, boolean, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION aaah_session_end(text, text, text, boolean, text) TO mipvpn_aaah;
