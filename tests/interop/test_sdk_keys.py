"""Keys and tokens that must not open anything."""

import pytest

from sdks import Core, Refused

TOKEN = "CAISTestSecurityToken+/=abc"


def call(sdk, emulator, key_id=None, key_secret=None, token=None, **parameters):
    client = sdk(
        emulator.address, key_id or emulator.key_id, key_secret or emulator.key_secret, token
    )
    return client.call(parameters.pop("action", "ListSecrets"), **parameters)


def refused(status, code, *arguments, **keywords):
    with pytest.raises(Refused) as caught:
        call(*arguments, **keywords)
    assert (caught.value.status, caught.value.code) == (status, code)
    return caught.value.message


def test_an_unknown_access_key_is_refused(sdk, emulator):
    refused(404, "InvalidAccessKeyId.NotFound", sdk, emulator, key_id="LTAI5tNobody")


def test_a_wrong_secret_is_refused(sdk, emulator):
    # The older SDK finds its own string-to-sign in the message, and says so.
    code = "InvalidAccessKeySecret" if sdk is Core else "SignatureDoesNotMatch"
    message = refused(400, code, sdk, emulator, key_secret="wrong")
    assert emulator.key_secret not in message
    create = {"action": "CreateSecret", "SecretName": "s", "VersionId": "v", "SecretData": "d"}
    refused(400, code, sdk, emulator, key_secret="wrong", **create)
    assert call(sdk, emulator)["TotalCount"] == 0


def test_a_token_with_a_permanent_key_is_refused(sdk, emulator):
    code = "InvalidSecurityToken.MismatchWithAccessKey"
    refused(400, code, sdk, emulator, token=TOKEN)


def test_a_temporary_key_needs_its_token(sdk, emulator):
    emulator.faults(f'security_tokens = ["{TOKEN}"]')
    assert call(sdk, emulator, token=TOKEN)["TotalCount"] == 0
    refused(400, "InvalidSecurityToken.Expired", sdk, emulator, token="another")
    refused(400, "MissingSecurityToken", sdk, emulator)


def test_a_clock_that_is_off_is_refused(sdk, emulator):
    emulator.faults("clock_offset_seconds = 1000")
    refused(400, "InvalidTimeStamp.Expired", sdk, emulator)
