"""Our requests beside those of the official SDK for the same inputs.

The same parameters at the same places, the same headers. What may differ is named here.
"""

import asyncio
import json

import pytest

from recorder import Recorder
from sdks import Refused, Tea
from servers import session

KEY_ID, KEY_SECRET, TOKEN = "LTAI5tTestAccessKeyId", "TestSecret0123456789", "CAIS+/=abc"
VALUE = 'pä ss*~w%rd "中文" &=+/\n\t😀'
TAGS = [{"TagKey": "a/b", "TagValue": "c=d+e"}]
FILTERS = [{"Key": "SecretName", "Values": ["a b", "ü*~"]}, {"Key": "TagKey", "Values": ["t"]}]
KEY_FILTERS = [{"Key": "KeyState", "Values": ["Enabled"]}]
POLICY = {
    "Version": "1",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"RAM": ["acs:ram::1:*"]},
            "Action": ["kms:*"],
            "Resource": ["*"],
        }
    ],
}
RDS = {"SecretSubType": "DoubleUsers", "DBInstanceId": "rm-1", "CustomData": {"k": "ü"}}
ACCOUNT = json.dumps({"Accounts": [{"AccountName": "r", "AccountPassword": "p"}]})

#: tool, arguments, what a person types if one is asked.
CALLS = [
    ("CreateSecret", {"SecretName": "a/b+c=d@e", "VersionId": "v1", "SecretData": VALUE, "Tags": TAGS, "Description": "ü *~'()\n"}, []),
    ("CreateSecret", {"SecretName": "s", "VersionId": "v1", "SecretData": "d", "SecretDataType": "binary", "EncryptionKeyId": "key-1", "DKMSInstanceId": "kst-1", "Policy": POLICY}, ["y"]),
    ("CreateSecret", {"SecretName": "s", "VersionId": "v1", "SecretType": "Rds", "SecretData": ACCOUNT, "ExtendedConfig": RDS, "EnableAutomaticRotation": True, "RotationInterval": "7d"}, []),
    ("DescribeSecret", {"SecretName": "a/b+c=d@e", "FetchTags": True}, []),
    ("DescribeSecret", {"SecretName": "s"}, []),
    ("ListSecrets", {}, []),
    ("ListSecrets", {"PageNumber": 2, "PageSize": 7, "FetchTags": True, "Filters": FILTERS}, []),
    ("GetSecretValue", {"SecretName": "s"}, ["y"]),
    ("GetSecretValue", {"SecretName": "s", "VersionId": "v1", "VersionStage": "Blue", "FetchExtendedConfig": True}, ["y"]),
    ("GetSecretValue", {"SecretName": "s", "DryRun": True}, ["y"]),
    ("PutSecretValue", {"SecretName": "s", "VersionId": "v2", "SecretData": VALUE, "SecretDataType": "text", "VersionStages": ["ACSCurrent", "Blue"]}, []),
    ("DeleteSecret", {"SecretName": "s"}, []),
    ("DeleteSecret", {"SecretName": "s", "RecoveryWindowInDays": 7}, []),
    ("DeleteSecret", {"SecretName": "s", "ForceDeleteWithoutRecovery": True}, ["s"]),
    ("RestoreSecret", {"SecretName": "s"}, []),
    ("UpdateSecret", {"SecretName": "s", "Description": "new"}, []),
    ("UpdateSecret", {"SecretName": "s", "ExtendedConfig.CustomData": {"a": "b", "c": "ü &"}}, []),
    ("ListSecretVersionIds", {"SecretName": "s", "IncludeDeprecated": True, "PageNumber": 1, "PageSize": 3}, []),
    ("UpdateSecretVersionStage", {"SecretName": "s", "VersionStage": "Blue", "MoveToVersion": "v1", "RemoveFromVersion": "v2"}, []),
    ("UpdateSecretRotationPolicy", {"SecretName": "s", "EnableAutomaticRotation": True, "RotationInterval": "48h"}, []),
    ("RotateSecret", {"SecretName": "s", "VersionId": "r1"}, []),
    ("SetSecretPolicy", {"SecretName": "s", "Policy": POLICY, "PolicyName": "default"}, ["y"]),
    ("GetSecretPolicy", {"SecretName": "s", "PolicyName": "default"}, []),
    ("ListKmsInstances", {"PageNumber": 1, "PageSize": 2}, []),
    ("ListKeys", {"PageNumber": 1, "PageSize": 2, "Filters": KEY_FILTERS}, []),
    ("CreateKey", {"DKMSInstanceId": "kst-1", "Description": "d", "KeySpec": "Aliyun_AES_256", "KeyUsage": "ENCRYPT/DECRYPT", "Origin": "Aliyun_KMS", "ProtectionLevel": "SOFTWARE", "Tags": TAGS}, []),
]
#: Tools that send them as text say so in the SDK.
TEXT_BOOLEANS = {"FetchTags", "DryRun", "ForceDeleteWithoutRecovery", "IncludeDeprecated"}

#: Headers that may differ or be missing: who sends, what it can read, when, and the signature.
MAY_DIFFER = {
    "user-agent",
    "accept",
    "accept-encoding",
    "connection",
    "x-acs-credentials-provider",
    "x-acs-signature-nonce",
    "x-acs-date",
    "authorization",
    # of bodies that mean the same; compared decoded
    "content-length",
    "x-acs-content-sha256",
}


def for_sdk(arguments):
    """The arguments as the SDK's users write them: JSON as text, some booleans as text."""
    written = {}
    for name, value in arguments.items():
        if isinstance(value, (dict, list)):
            value = json.dumps(value)
        elif name in TEXT_BOOLEANS or name == "RecoveryWindowInDays":
            value = str(value).lower()
        written[name] = value
    return written


def meaning(pairs):
    """Parameters without what is only a way of writing: order, case of booleans, JSON's blanks."""
    assert len(dict(pairs)) == len(pairs), "a parameter came twice"
    meant, custom = {}, {}
    for name, value in pairs:
        # The SDK takes this one apart; the API documents it as a whole.
        if name.startswith("ExtendedConfig.CustomData."):
            custom[name.removeprefix("ExtendedConfig.CustomData.")] = value
        elif value in ("True", "False"):
            meant[name] = value.lower()
        elif value.startswith(("{", "[")) and name != "SecretData":
            meant[name] = json.loads(value)
        else:
            meant[name] = value
    if custom:
        meant["ExtendedConfig.CustomData"] = custom
    return meant


def compare(ours, theirs):
    assert (ours.method, ours.path) == (theirs.method, theirs.path) == ("POST", "/")
    assert meaning(ours.query) == meaning(theirs.query)
    assert meaning(ours.form) == meaning(theirs.form)
    assert {name for name, _ in ours.form} <= {"SecretData"}
    fixed = lambda request: {
        name: value for name, value in request.headers.items() if name not in MAY_DIFFER
    }
    mine, official = fixed(ours), fixed(theirs)
    # Of an empty body it says nothing, and only some of the SDK's requests say it.
    if not ours.body:
        mine.pop("content-type", None)
        official.pop("content-type", None)
    mine["host"] = official["host"] = ours.headers["host"]
    assert mine == official
    assert "AlibabaCloud-Agent-Skills" in ours.headers["user-agent"]
    signed = lambda request: request.headers["authorization"].split(",")
    assert signed(ours)[0] == signed(theirs)[0], "algorithm and key"
    names = signed(ours)[1].removeprefix("SignedHeaders=").split(";")
    sent = [name for name in ours.headers if name.startswith("x-acs-")]
    assert names == sorted(names) and {*sent, "host"} <= set(names)
    # Also of an empty body: a gateway may refuse a POST that says no length.
    assert ours.headers["content-length"] == str(len(ours.body))
    # One writing of time for both.
    assert len(ours.headers["x-acs-date"]) == len(theirs.headers["x-acs-date"]) == 20


@pytest.mark.parametrize("token", [None, TOKEN], ids=["key", "token"])
def test_our_requests_are_those_of_the_official_sdk(tmp_path, token):
    with Recorder() as official, Recorder() as mine:
        environment = {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY_ID,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEY_SECRET,
        }
        if token:
            environment["ALIBABA_CLOUD_SECURITY_TOKEN"] = token
        arguments = ["--endpoint", f"http://{mine.address}", "--region", "cn-hangzhou"]
        sdk = Tea(official.address, KEY_ID, KEY_SECRET, token)

        async def main():
            async with session(tmp_path, *arguments, env=environment) as it:
                for tool, given, typed in CALLS:
                    before = len(mine.requests)
                    await call(it, tool, given, typed)
                    assert mine.requests[before:], f"{tool} sent nothing"
                    try:
                        sdk.call(tool, **for_sdk(given))
                    except Refused as refused:
                        assert refused.code == "InvalidParameter"
                    try:
                        assert mine.requests[-1].action == tool
                        compare(mine.requests[-1], official.requests[-1])
                    except BaseException as error:
                        error.add_note(f"in {tool} {given}")
                        raise

        asyncio.run(main())
        assert {request.action for request in mine.requests} == {tool for tool, _, _ in CALLS}


async def call(it, tool, given, typed):
    """Calls a tool; who is asked says yes."""
    asked = await it.reply(tool, **given)
    if asked["Status"] != "confirmation_required":
        assert not typed, asked
        return
    confirmation = asked["Confirmation"]
    if "ApproveWith" in confirmation:
        await it.person(confirmation["MatchCode"], *typed)
    done = await it.reply(tool, **given, ConfirmationToken=confirmation["Token"])
    assert done["Status"] != "confirmation_required", done
