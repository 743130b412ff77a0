-- Nobody may enter while two databases change places.
ALTER DATABASE {database} ALLOW_CONNECTIONS false
