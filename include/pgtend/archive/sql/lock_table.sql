-- Keeps everybody out for the moment of the exchange.
LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE
