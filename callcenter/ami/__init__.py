"""The Asterisk Manager Interface: bytes to events, and actions to bytes."""
