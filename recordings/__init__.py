"""Recordings of calls: intake, store and playback come later; the call record has their place already."""
