-- An empty database that sorts by the rules of ICU and by rules of its own, as the one that was backed up did.
-- needs: >= 16
CREATE DATABASE {database} TEMPLATE template0 ENCODING {encoding} LC_COLLATE {collate} LC_CTYPE {ctype}
    LOCALE_PROVIDER icu ICU_LOCALE {locale} ICU_RULES {rules}
