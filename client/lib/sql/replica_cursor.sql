UPDATE replica SET epoch = ?2, view = ?3, rev = ?4, start = ?5 WHERE territory = ?1
