-- Makes the partition in which late rows of a month land that left: without it every one of them would be refused.
CREATE TABLE {landing} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)
