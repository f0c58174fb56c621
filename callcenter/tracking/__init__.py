"""The model of a call above raw AMI events: pure, so that the same trace always gives the same calls.

`tracker` is the entrance. `legs` and `calls` hold facts, `states` the allowed moves, `directory` what is known of the
PBX beforehand; `offers`, `queues`, `talk` and `ending` say what an event means.
"""
