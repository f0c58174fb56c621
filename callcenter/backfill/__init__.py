"""Calls that nobody listened to, rebuilt from what Asterisk wrote down of them: CEL and queue_log. Pure.

`cel` and `queuelog` are the rows, `csvlines` reads them from a file. `gathering` puts the rows of one call together;
`translation`, with `omissions`, `callbacks`, `legs` and `stays`, turns them into the events that AMI would have sent,
and `rebuilding` lets the tracker make calls of those. `comparison` says what the log has otherwise, and what is to be
written.
"""
