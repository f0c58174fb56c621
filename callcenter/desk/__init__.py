"""What agents work with: pause reasons, outcomes, custom fields, callbacks, missed calls, and their stored states."""
