"""The seven actions of the main job, by every official SDK."""

import json

import pytest

from sdks import Refused

VALUE = 'pä ss*~w%rd "中文" &=+/\n\t😀'


def refused(kms, status, code, action, **parameters):
    with pytest.raises(Refused) as caught:
        kms.call(action, **parameters)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert caught.value.message
    assert caught.value.request_id
    return caught.value


def create(kms, name, **more):
    return kms.call("CreateSecret", SecretName=name, VersionId="v1", SecretData=VALUE, **more)


def test_a_secret_lives_and_dies(kms, sdk, emulator):
    tags = json.dumps([{"TagKey": "team", "TagValue": "a/b"}])
    created = create(kms, "app/db+x=y@z", Description="ü *~", Tags=tags)
    arn = f"acs:kms:{emulator.region}:{emulator.account}:secret/app/db+x=y@z"
    assert created["Arn"] == arn
    assert created["VersionId"] == "v1" and created["SecretType"] == "Generic"

    described = kms.call("DescribeSecret", SecretName="app/db+x=y@z", FetchTags="true")
    assert described["Description"] == "ü *~"
    assert described["Tags"] == {"Tag": [{"TagKey": "team", "TagValue": "a/b"}]}
    assert kms.call("DescribeSecret", SecretName=arn)["Arn"] == arn

    for name in ["b", "c"]:
        create(kms, name)
    page = kms.call("ListSecrets", PageNumber=2, PageSize=2, FetchTags="true")
    assert page["TotalCount"] == 3 and page["PageNumber"] == 2
    assert [secret["SecretName"] for secret in page["SecretList"]["Secret"]] == ["c"]
    filters = json.dumps([{"Key": "TagKey", "Values": ["team"]}])
    found = kms.call("ListSecrets", Filters=filters)["SecretList"]["Secret"]
    assert [secret["SecretName"] for secret in found] == ["app/db+x=y@z"]

    value = kms.call("GetSecretValue", SecretName="app/db+x=y@z")
    assert value["SecretData"] == VALUE and value["SecretDataType"] == "text"
    assert value["VersionStages"] == {"VersionStage": ["ACSCurrent"]}

    put = {"SecretName": "app/db+x=y@z", "VersionId": "v2", "SecretData": "second"}
    assert kms.call("PutSecretValue", **put)["VersionStages"] == {"VersionStage": ["ACSCurrent"]}
    assert kms.call("PutSecretValue", **put)["VersionId"] == "v2", "the same again is no change"
    newest = kms.call("GetSecretValue", SecretName="app/db+x=y@z")
    assert (newest["VersionId"], newest["SecretData"]) == ("v2", "second")
    previous = kms.call("GetSecretValue", SecretName="app/db+x=y@z", VersionStage="ACSPrevious")
    assert previous["SecretData"] == VALUE

    deleted = kms.call("DeleteSecret", SecretName="app/db+x=y@z", RecoveryWindowInDays="7")
    assert deleted["PlannedDeleteTime"]
    described = kms.call("DescribeSecret", SecretName="app/db+x=y@z")
    assert described["PlannedDeleteTime"]
    kms.call("RestoreSecret", SecretName="app/db+x=y@z")
    assert "PlannedDeleteTime" not in kms.call("DescribeSecret", SecretName="app/db+x=y@z")

    kms.call("DeleteSecret", SecretName="app/db+x=y@z", ForceDeleteWithoutRecovery="true")
    refused(kms, 404, "Forbidden.ResourceNotFound", "DescribeSecret", SecretName="app/db+x=y@z")
    schemes = {request["signature"] for request in emulator.requests()}
    assert schemes == {sdk.scheme}, "the signature that was meant"


FOREIGN = "acs:kms:cn-hangzhou:1:secret/live"
LONG = "x" * 193
TAGS = json.dumps([{"TagKey": "acs:x", "TagValue": "v"}])
NEW = {"SecretName": "n", "VersionId": "v", "SecretData": "d"}

#: action, status, code, parameters; `live` is there, `dying` waits for its deletion.
ERRORS = [
    ("CreateSecret", 400, "InvalidParameter", {**NEW, "SecretName": LONG}),
    ("CreateSecret", 400, "InvalidParameter", {**NEW, "SecretName": "a b"}),
    ("CreateSecret", 400, "InvalidParameter", {**NEW, "SecretName": "acs/x"}),
    ("CreateSecret", 400, "InvalidParameter", {**NEW, "VersionId": "v" * 65}),
    ("CreateSecret", 400, "InvalidParameter", {**NEW, "SecretData": "d" * 30_721}),
    ("CreateSecret", 400, "InvalidParameter", {**NEW, "SecretDataType": "json"}),
    ("CreateSecret", 400, "InvalidParameter", {**NEW, "SecretType": "generic"}),
    ("CreateSecret", 400, "InvalidParameter", {**NEW, "Tags": TAGS}),
    ("CreateSecret", 400, "InvalidParameter", {**NEW, "Tags": "{"}),
    ("CreateSecret", 400, "MissingParameter", {"SecretName": "n", "VersionId": "v"}),
    ("CreateSecret", 403, "Forbidden.DKMSInstanceNotFound", {**NEW, "DKMSInstanceId": "kst-x"}),
    ("CreateSecret", 404, "Forbidden.ResourceNotFound", {**NEW, "EncryptionKeyId": "key-none"}),
    ("CreateSecret", 409, "Rejected.ResourceExist", {**NEW, "SecretName": "live"}),
    ("CreateSecret", 409, "Rejected.ResourceInDeleteWindow", {**NEW, "SecretName": "dying"}),
    ("DescribeSecret", 400, "MissingParameter", {}),
    ("DescribeSecret", 404, "Forbidden.ResourceNotFound", {"SecretName": "none"}),
    ("DescribeSecret", 403, "Forbidden.NoPermission", {"SecretName": FOREIGN}),
    ("ListSecrets", 400, "InvalidParameter", {"PageSize": 101}),
    ("ListSecrets", 400, "InvalidParameter", {"PageNumber": 0}),
    ("ListSecrets", 400, "InvalidParameter", {"Filters": "[{}]"}),
    ("ListSecrets", 400, "InvalidParameter", {"Filters": '[{"Key":"Colour","Values":["x"]}]'}),
    ("GetSecretValue", 400, "MissingParameter", {}),
    ("GetSecretValue", 404, "Forbidden.ResourceNotFound", {"SecretName": "none"}),
    ("GetSecretValue", 404, "Forbidden.ResourceNotFound", {"SecretName": "live", "VersionId": "x"}),
    ("GetSecretValue", 404, "Forbidden.ResourceNotFound", {"SecretName": "live", "VersionStage": "x"}),
    ("GetSecretValue", 400, "DryRunOperationError", {"SecretName": "live", "DryRun": "true"}),
    ("GetSecretValue", 409, "Rejected.ResourceInDeleteWindow", {"SecretName": "dying"}),
    ("PutSecretValue", 400, "InvalidParameter", {**NEW, "SecretName": "live", "VersionStages": "[]"}),
    ("PutSecretValue", 404, "Forbidden.ResourceNotFound", {**NEW, "SecretName": "none"}),
    ("PutSecretValue", 409, "Rejected.ResourceExist", {**NEW, "SecretName": "live", "VersionId": "v1"}),
    ("PutSecretValue", 409, "Rejected.ResourceInDeleteWindow", {**NEW, "SecretName": "dying"}),
    ("DeleteSecret", 400, "InvalidParameter", {"SecretName": "live", "RecoveryWindowInDays": "6"}),
    ("DeleteSecret", 400, "InvalidParameter", {"SecretName": "live", "ForceDeleteWithoutRecovery": "x"}),
    ("DeleteSecret", 404, "Forbidden.ResourceNotFound", {"SecretName": "none"}),
    ("DeleteSecret", 409, "Rejected.ResourceInDeleteWindow", {"SecretName": "dying"}),
    ("RestoreSecret", 404, "Forbidden.ResourceNotFound", {"SecretName": "none"}),
    ("RestoreSecret", 409, "Rejected.ResourceInUse", {"SecretName": "live"}),
]


def test_refusals_have_their_documented_codes(kms):
    create(kms, "live")
    create(kms, "dying")
    kms.call("DeleteSecret", SecretName="dying")
    for action, status, code, parameters in ERRORS:
        try:
            refused(kms, status, code, action, **parameters)
        except BaseException as error:
            error.add_note(f"in {action} {parameters}"[:200])
            raise
    assert kms.call("ListSecrets")["TotalCount"] == 2, "nothing changed"


def test_force_and_a_window_may_come_together(kms):
    create(kms, "x")
    both = {"ForceDeleteWithoutRecovery": "true", "RecoveryWindowInDays": "30"}
    kms.call("DeleteSecret", SecretName="x", **both)
    create(kms, "x")


def test_the_largest_value_passes(kms):
    # Some put it into the URL; encoded it must stay below 64 KiB there.
    value = "&" * 10_000 + "=" + "x" * 20_719
    kms.call("CreateSecret", SecretName="big", VersionId="v", SecretData=value)
    assert kms.call("GetSecretValue", SecretName="big")["SecretData"] == value


def test_the_same_folder_serves_the_same_data_and_key(sdk, emulator):
    first = sdk(emulator.address, emulator.key_id, emulator.key_secret)
    create(first, "kept")
    assert emulator.stop() == 0
    again = type(emulator)(emulator.folder)
    try:
        assert (again.key_id, again.key_secret) == (emulator.key_id, emulator.key_secret)
        assert again.account == emulator.account
        second = sdk(again.address, emulator.key_id, emulator.key_secret)
        assert second.call("GetSecretValue", SecretName="kept")["SecretData"] == VALUE
    finally:
        again.stop()
