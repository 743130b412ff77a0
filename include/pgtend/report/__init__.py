"""Says to people and to programs how the fleet stands and where it is going, from what the ledger holds."""
