-- Gives a full month its primary key, all at once, which also proves that no row is in it twice.
ALTER TABLE {partition} ADD PRIMARY KEY ({columns})
