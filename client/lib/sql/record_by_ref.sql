SELECT id FROM record WHERE territory = ?1 AND kind = ?2 AND ref_no = ?3
