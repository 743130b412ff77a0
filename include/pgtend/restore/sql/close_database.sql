-- Nobody may enter while two databases change places.
ALTER DATABASE {name} ALLOW_CONNECTIONS false
