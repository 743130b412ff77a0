-- Who is a member of what, among these roles.
SELECT g.rolname::text AS role, m.rolname::text AS member
FROM pg_auth_members AS a
JOIN pg_roles AS g ON g.oid = a.roleid
JOIN pg_roles AS m ON m.oid = a.member
WHERE m.rolname = ANY (%(roles)s)
ORDER BY 1, 2
