-- A partner's grant is bound to one actor, a pilot's to one action; nil: to nothing.
ALTER TABLE account_grant ADD COLUMN scope uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE account_grant DROP CONSTRAINT account_grant_pkey;
ALTER TABLE account_grant ADD PRIMARY KEY (account_id, role, territory_id, source, scope);
