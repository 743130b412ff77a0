-- A copy of the copy, to be damaged on purpose.
CREATE DATABASE {database} TEMPLATE {old}
