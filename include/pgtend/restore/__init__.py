"""One command brings a database, a table or a schema back, and says whether it is identical."""
