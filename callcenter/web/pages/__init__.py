"""Files of the page that shows the API to people."""
