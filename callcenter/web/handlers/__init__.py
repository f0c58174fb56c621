"""What each route does, once everything about the request is checked."""
