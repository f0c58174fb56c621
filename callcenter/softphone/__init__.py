"""Phones in the browser: their passwords, each for one log-in and a short time (docs/decisions/0018)."""
