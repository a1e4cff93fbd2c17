-- A head without a revision is what a creation that was cut short has left: it is taken up again.
INSERT INTO territory_head (slug) VALUES ($1)
ON CONFLICT (slug) DO UPDATE SET slug = excluded.slug WHERE territory_head.rev = 0
RETURNING territory_id
