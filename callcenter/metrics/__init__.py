"""What is measured of calls: pure functions, the same for live and historical numbers."""
