SELECT set_config('seve.territories', $1::text, true)
