-- Runs one statement that stands in a backup, or was put together from names in it, between the walls of the drill.
{written}
