"""People, their roles and seats, and everything by which they prove who they are."""
