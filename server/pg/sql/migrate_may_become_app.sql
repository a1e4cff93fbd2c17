-- Whether this user can take the application's role on.
SELECT current_user, coalesce((SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = 'seve_app'), false)
