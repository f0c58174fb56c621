"""The call log: its tables, the only module with call-log queries, and its writer."""
