-- Rows kept below waiting edits have generation 0: the first load goes over them.
INSERT INTO replica (territory) VALUES (?1) ON CONFLICT (territory) DO NOTHING
