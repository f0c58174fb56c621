"""What Asterisk must know of a browser phone's password, as its database keeps it. Pure.

The endpoint's `auth` is looked up by PJSIP's wizard `astdb` (res_sorcery_astdb.c): the key is `auth/` and the name of
the auth section, the value a JSON object of the section's options as text. The password itself is not in it, only
its digest, as RFC 2617 calls A1; that is as good as the password for this realm, and useless elsewhere.
"""

import hashlib
import json

KEY = "auth/{extension}"


def key(extension: str) -> str:
    """Where the password of an extension lies within the family."""
    return KEY.format(extension=extension)


def auth(extension: str, realm: str, password: str) -> str:
    """The auth object of an extension, as Asterisk reads it.

    MD5 is what JsSIP, SIP and every Asterisk since 13 have in common; the password is random and long, so that the
    digest tells nothing of it.
    """
    digest = hashlib.md5(f"{extension}:{realm}:{password}".encode(), usedforsecurity=False).hexdigest()
    return json.dumps({"auth_type": "md5", "username": extension, "realm": realm, "md5_cred": digest})
