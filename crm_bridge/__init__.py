"""The bridge to other systems: what must happen because of a call, and who is told."""
