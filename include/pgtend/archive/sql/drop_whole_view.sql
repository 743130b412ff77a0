-- Removes the view over live and archived rows, which is made again at once: a column of a view cannot get another name or go.
DROP VIEW {view}
