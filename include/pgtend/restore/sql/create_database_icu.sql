-- An empty database that sorts by the rules of ICU, as the one that was backed up did.
CREATE DATABASE {database} TEMPLATE template0 ENCODING {encoding} LC_COLLATE {collate} LC_CTYPE {ctype}
    LOCALE_PROVIDER icu ICU_LOCALE {locale}
