-- Runs what the server itself wrote about a table that takes the place of another.
{written}
