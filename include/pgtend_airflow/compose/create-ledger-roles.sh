#!/bin/bash
# Runs once, when the ledger's volume is empty: the role that pipelines log in as, which may add to the ledger and no more.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set password `cat /run/secrets/ledger_password`
SET password_encryption = 'scram-sha-256';
SET log_statement = 'none';
CREATE ROLE pgtend_reader NOLOGIN;
CREATE ROLE pgtend_writer NOLOGIN;
CREATE ROLE pgtend LOGIN PASSWORD :'password' IN ROLE pgtend_reader, pgtend_writer;
REVOKE ALL ON DATABASE pgtend_ledger FROM PUBLIC;
GRANT CONNECT ON DATABASE pgtend_ledger TO pgtend;
SQL
