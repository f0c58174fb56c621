"""Compares the call log with what a PBX wrote down itself, and brings it up to date.

`postgres`, `mariadb`, `csvfiles` and `queuelogs` read what was written, `sources` chooses by the settings; `run` lets
the pure `callcenter.backfill` make calls of it and writes those that are missing or better known; `ledger` keeps what
came of it, and when each PBX was last seen.
"""
