"""The REST API under /api/v1, its description, the health pages and the built front end."""
