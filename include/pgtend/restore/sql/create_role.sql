-- A role that the restored objects belong to. It cannot log in until somebody gives it a password.
CREATE ROLE {role} NOLOGIN
