SELECT epoch, view, rev, complete, synced_at, generation, sweep FROM replica WHERE territory = ?1
