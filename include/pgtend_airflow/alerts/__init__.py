"""Tells people what broke: once when it breaks, once when it recovers, and a reminder a day in between."""
