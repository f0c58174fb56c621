"""Call-center CRM integration for Asterisk: follows each call, pops the customer, keeps the log."""
