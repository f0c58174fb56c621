"""From a number on a telephone line to the customers it may belong to."""
