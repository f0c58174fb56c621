"""Transcripts that users recorded with `callcenter record`, and what `callcenter replay` must print of them."""
