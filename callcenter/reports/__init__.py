"""Numbers of the past: sums of calls by quarter of an hour, and the reports that are added up from them."""
