"""Screen-pops: what each agent sees of each call, pushed to the browser over a WebSocket."""
