"""Recordings of calls: intake, store and playback come with their own issue; the call record has their place already."""
