"""Customers: cards, phones, custom fields, import and the index that finds them by number."""
