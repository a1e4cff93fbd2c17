-- 2: made by this account, which need not have a grant in it.
UPDATE territory SET granted = 0, role = '', source = '' WHERE granted = 1
