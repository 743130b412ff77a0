-- Makes a statement whose values were taken out ready to be run with others.
PREPARE pgtend_asked AS {statement}
