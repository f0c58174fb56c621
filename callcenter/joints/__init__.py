"""Where packages meet that do not know each other: each module gives one what it needs from another.

Only `callcenter.app` and the commands build these.
"""
