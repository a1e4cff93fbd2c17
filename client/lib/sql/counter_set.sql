INSERT INTO counter (territory, last, epoch) VALUES (?1, ?2, ?3)
ON CONFLICT (territory) DO UPDATE SET last = excluded.last, epoch = excluded.epoch
