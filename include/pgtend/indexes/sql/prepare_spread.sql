-- A table for places of rows, with room for a padding. On a temporary table no index is built by several processes, and those that
-- build a rebuilt one of a large table make it larger than a single one would.
CREATE SCHEMA pgtend_spread CREATE TABLE places (pointer tid, pgtend_filler text)
