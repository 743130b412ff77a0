-- Lets the server notice that we died and stop the statement: without it a query whose client is gone runs for ever.
SELECT set_config('client_connection_check_interval', '2000', false) AS setting
