-- A role without login that people and jobs are made members of; see docs/reference/ledger.md for what it may.
-- on: ledger
CREATE ROLE pgtend_reader NOLOGIN
