"""What `docker-compose.yaml` needs on the host: scripts that invent secrets and make the ledger's roles."""
