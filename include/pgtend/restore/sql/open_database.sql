-- Lets people in again.
ALTER DATABASE {database} ALLOW_CONNECTIONS true
