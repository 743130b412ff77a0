"""Talks to PostgreSQL: sessions with safe settings, server facts, the right client tools, throwaway servers."""
