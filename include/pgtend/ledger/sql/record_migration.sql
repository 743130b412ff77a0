-- A migration and its row are one transaction: either both are there or neither.
-- on: ledger
INSERT INTO reporting.migration (number, name, sha256) VALUES (%(number)s, %(name)s, %(sha256)s)
