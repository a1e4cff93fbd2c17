SELECT b.mutation FROM touch t JOIN outbox b USING (territory, mid)
WHERE t.territory = ?1 AND t.id = ?2 AND b.state <= 1 ORDER BY t.mid
