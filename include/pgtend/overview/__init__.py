"""Answers what people ask of the whole fleet, from the ledger alone: are we safe, since when not, and what to do."""
