-- Lets the server itself connect to an address, as hostile code in a backup would; it needs no extension for that.
CREATE SUBSCRIPTION pgtend_canary CONNECTION {conninfo} PUBLICATION pgtend_canary
