"""The Asterisk Manager Interface: bytes, actions, the connection, and transcripts of it."""
