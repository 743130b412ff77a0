-- Gives a month that came as a whole the name that months have.
ALTER TABLE {partition} RENAME TO {new}
