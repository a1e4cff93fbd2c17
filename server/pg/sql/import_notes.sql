INSERT INTO import_note (territory_id, batch, verdict) SELECT $1, $2, v FROM unnest($3::bytea[]) v
