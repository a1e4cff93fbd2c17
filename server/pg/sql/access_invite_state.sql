-- Why an invite was not taken: no row, no such invite.
SELECT spent_at IS NOT NULL, expires_at <= now() FROM invite WHERE code_hash = $1
