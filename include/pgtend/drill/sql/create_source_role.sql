-- A role of the source that things belong to or that has rights, without a password and never a superuser.
CREATE ROLE {role} NOLOGIN
