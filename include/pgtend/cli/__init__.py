"""What a DAG does, a person can do from a shell: calm output, exact hints, an exit status per family of errors."""
