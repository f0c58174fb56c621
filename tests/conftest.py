"""Fixtures for all tests."""

from hypothesis import settings

pytest_plugins = ["tests.fixtures.asterisk", "tests.fixtures.database"]

# What a property takes depends on what else the machine does: a limit of time would make it fail by chance.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
