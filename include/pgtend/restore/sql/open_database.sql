-- Lets people in again.
ALTER DATABASE {name} ALLOW_CONNECTIONS true
