INSERT INTO settled (territory, mid, at, epoch, made_at, mutation, verdict)
SELECT territory, mid, ?3, ?4, at, mutation, ?5 FROM outbox WHERE territory = ?1 AND mid = ?2
ON CONFLICT (territory, mid) DO UPDATE SET at = excluded.at, epoch = excluded.epoch, made_at = excluded.made_at, mutation = excluded.mutation,
	verdict = excluded.verdict
