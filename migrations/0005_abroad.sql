-- What an establishment gives in other territories: hours a month, nothing else.  It looks behind the second wall, so it hands out a sum
-- only, and to whoever holds a record of the same establishment.  The usual hours of a stance are those of common/rules/workload.c.

CREATE INDEX actor_establishment ON actor ((coalesce(siren, left(siret, 9))));

CREATE FUNCTION hours_abroad(of_territory int, of_actor uuid) RETURNS float8
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
	allowed       text := current_setting('seve.territories', true);
	establishment text;
	total         float8;
BEGIN
	SELECT coalesce(a.siren, left(a.siret, 9)) INTO establishment FROM public.actor a WHERE a.territory_id = of_territory AND a.id = of_actor;
	IF establishment IS NULL THEN
		RETURN 0;
	END IF;
	PERFORM set_config('seve.territories', (SELECT '{' || string_agg(h.territory_id::text, ',') || '}' FROM public.territory_head h), true);
	SELECT coalesce(sum(coalesce(p.hours_month, CASE p.stance WHEN 'pilot' THEN 8 WHEN 'contributor' THEN 4 WHEN 'beneficiary' THEN 1 ELSE 0 END)), 0)
	INTO total
	FROM public.actor a
	JOIN public.link l ON l.territory_id = a.territory_id AND l.to_id = a.id AND l.tag = 1
	JOIN public.position p ON p.territory_id = l.territory_id AND p.id = l.from_id AND p.actor_id = a.id
	WHERE coalesce(a.siren, left(a.siret, 9)) = establishment AND a.territory_id <> of_territory AND coalesce(p.state, 'open') = 'open';
	PERFORM set_config('seve.territories', coalesce(allowed, ''), true);
	RETURN total;
END $$;
REVOKE ALL ON FUNCTION hours_abroad(int, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hours_abroad(int, uuid) TO seve_app;
