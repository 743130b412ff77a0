-- An empty database that sorts by PostgreSQL's own rules, as the one that was backed up did.
-- needs: >= 17
CREATE DATABASE {database} TEMPLATE template0 ENCODING {encoding} LC_COLLATE {collate} LC_CTYPE {ctype}
    LOCALE_PROVIDER builtin BUILTIN_LOCALE {locale}
