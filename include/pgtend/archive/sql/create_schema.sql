-- Makes the schema for what is brought back, closed to everybody but its owner.
CREATE SCHEMA {schema}
