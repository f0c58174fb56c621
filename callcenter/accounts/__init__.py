"""Accounts: tenants, users, roles, sessions, API keys, extensions and the audit trail."""
