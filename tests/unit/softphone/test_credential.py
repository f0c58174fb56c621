"""The auth object that Asterisk reads from its own database."""

import hashlib
import json

from callcenter.softphone import credential


def test_asterisk_gets_the_digest_and_never_the_password() -> None:
    text = credential.auth("1011", "callcenter", "a secret of the page")
    digest = hashlib.md5(b"1011:callcenter:a secret of the page", usedforsecurity=False).hexdigest()
    assert json.loads(text) == {"auth_type": "md5", "username": "1011", "realm": "callcenter", "md5_cred": digest}
    assert "secret" not in text


def test_the_key_is_what_the_wizard_looks_for() -> None:
    assert credential.key("1011") == "auth/1011"
