-- An empty database with the properties of the one that was backed up, for servers before 15 that know one provider only.
CREATE DATABASE {database} TEMPLATE template0 ENCODING {encoding} LC_COLLATE {collate} LC_CTYPE {ctype}
