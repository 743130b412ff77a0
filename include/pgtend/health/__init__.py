"""What is about to go wrong is said before it does, and what cannot be seen is never called fine."""
