INSERT INTO counter (territory, last) VALUES (?1, 1) ON CONFLICT (territory) DO UPDATE SET last = last + 1 RETURNING last
