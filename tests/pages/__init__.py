"""The agent's page in a real browser, on the whole service beside the simulated PBX."""
