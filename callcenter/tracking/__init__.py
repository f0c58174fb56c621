"""The model of a call above raw AMI events: pure, so that the same trace always gives the same calls.

`tracker` is the entrance, and its table says which function takes which event. `channels`, `dialing`, `bridges` and
`queueing` take events; `direction`, `offers`, `queues`, `talk` and `ending` say what they mean for a call; `legs`,
`calls` and `world` hold the facts; `states` has the allowed moves; `directory` is what is known of the PBX beforehand;
`resync` turns a snapshot into the events that must have led to it.
"""
