"""What travels over the REST API: one frozen Struct for each body, in and out."""

from typing import Annotated

import msgspec


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Root of what comes in: a field that is not known is refused, so that a typing mistake is found."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Root of what goes out; fields may be added to it, so clients ignore what they do not know."""


class Nothing(Body, frozen=True):
    """No parameters at all."""


Limit = Annotated[int, msgspec.Meta(ge=1, le=200, description="How many items at most.")]
Cursor = Annotated[str, msgspec.Meta(max_length=2_000, description="`next_cursor` of the page before.")]
NumberText = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="A phone number in any spelling.")]
ShortText = Annotated[str, msgspec.Meta(max_length=200)]
Slug = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
PbxId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,40}$", description="Id of a PBX.")]
