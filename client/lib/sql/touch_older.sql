-- Once a mutation is in effect, the earlier ones of the record are of no interest.
DELETE FROM touch WHERE territory = ?1 AND id = ?2 AND mid < ?3
