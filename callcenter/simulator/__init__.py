"""A PBX that speaks AMI as Asterisk 22 does: for the demo, for tests that need no real one, and for the
benches.

`tests/service/test_simulator_fidelity.py` holds each of its flows to the trace of a real Asterisk.
"""
