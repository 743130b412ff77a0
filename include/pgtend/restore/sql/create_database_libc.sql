-- An empty database that sorts by the operating system's rules, as the one that was backed up did.
CREATE DATABASE {database} TEMPLATE template0 ENCODING {encoding} LC_COLLATE {collate} LC_CTYPE {ctype}
    LOCALE_PROVIDER libc
