"""All seventeen actions, by every official SDK."""

import json

import pytest

from sdks import Refused
from test_sdk_main_job import refused

GENERIC = {"SecretName": "g", "VersionId": "v1", "SecretData": "one"}


def rds(kms, name, **more):
    config = {"SecretSubType": "DoubleUsers", "DBInstanceId": "rm-1", "CustomData": {"k": "v"}}
    account = {"Accounts": [{"AccountName": "root", "AccountPassword": "first-pass"}]}
    return kms.call(
        "CreateSecret",
        SecretName=name,
        VersionId="v1",
        SecretType="Rds",
        SecretData=json.dumps(account),
        ExtendedConfig=json.dumps(config),
        **more,
    )


def test_a_managed_secret_rotates(kms):
    created = rds(kms, "rds/one", EnableAutomaticRotation=True, RotationInterval="7d")
    assert created["SecretType"] == "Rds" and created["AutomaticRotation"] == "Enabled"
    assert created["RotationInterval"] == "604800s" and created["NextRotationDate"]
    assert json.loads(created["ExtendedConfig"])["CustomData"] == {"k": "v"}

    value = kms.call("GetSecretValue", SecretName="rds/one", FetchExtendedConfig=True)
    first = {"AccountName": "root", "AccountPassword": "first-pass"}
    assert json.loads(value["SecretData"]) == first
    assert json.loads(value["ExtendedConfig"])["DBInstanceId"] == "rm-1"

    for _ in range(2):  # the same version again is no second rotation
        rotated = kms.call("RotateSecret", SecretName="rds/one", VersionId="r1")
        assert rotated["VersionId"] == "r1" and rotated["Arn"].endswith(":secret/rds/one")
    value = kms.call("GetSecretValue", SecretName="rds/one")
    assert json.loads(value["SecretData"])["AccountName"] == "root_clone"
    assert value["LastRotationDate"]
    versions = kms.call("ListSecretVersionIds", SecretName="rds/one")
    assert versions["TotalCount"] == 2

    kms.call("UpdateSecretRotationPolicy", SecretName="rds/one", EnableAutomaticRotation=False)
    described = kms.call("DescribeSecret", SecretName="rds/one")
    assert described["AutomaticRotation"] == "Disabled"
    policy = {"EnableAutomaticRotation": True, "RotationInterval": "48h"}
    kms.call("UpdateSecretRotationPolicy", SecretName="rds/one", **policy)
    described = kms.call("DescribeSecret", SecretName="rds/one")
    assert described["RotationInterval"] == "172800s"

    custom = json.dumps({"a": "b", "c": {"d": "1"}})
    update = {"Description": "new", "ExtendedConfig.CustomData": custom}
    kms.call("UpdateSecret", SecretName="rds/one", **update)
    described = kms.call("DescribeSecret", SecretName="rds/one")
    assert described["Description"] == "new"
    assert json.loads(described["ExtendedConfig"])["CustomData"] == json.loads(custom)


def test_versions_and_stages(kms):
    kms.call("CreateSecret", **GENERIC)
    for number in range(2, 5):
        put = {**GENERIC, "VersionId": f"v{number}", "SecretData": f"value {number}"}
        kms.call("PutSecretValue", **put)
    listed = kms.call("ListSecretVersionIds", SecretName="g")["VersionIds"]["VersionId"]
    stages = {one["VersionId"]: one["VersionStages"]["VersionStage"] for one in listed}
    assert stages == {"v4": ["ACSCurrent"], "v3": ["ACSPrevious"]}
    every = {"IncludeDeprecated": "true", "PageSize": 3, "PageNumber": 2}
    page = kms.call("ListSecretVersionIds", SecretName="g", **every)
    assert page["TotalCount"] == 4 and page["PageSize"] == 3
    assert [one["VersionId"] for one in page["VersionIds"]["VersionId"]] == ["v4"]

    kms.call("UpdateSecretVersionStage", SecretName="g", VersionStage="Blue", MoveToVersion="v1")
    value = kms.call("GetSecretValue", SecretName="g", VersionStage="Blue")
    assert value["SecretData"] == "one"
    remove = {"VersionStage": "Blue", "RemoveFromVersion": "v1"}
    kms.call("UpdateSecretVersionStage", SecretName="g", **remove)
    back = {"VersionStage": "ACSCurrent", "MoveToVersion": "v3", "RemoveFromVersion": "v4"}
    kms.call("UpdateSecretVersionStage", SecretName="g", **back)
    assert kms.call("GetSecretValue", SecretName="g")["SecretData"] == "value 3"


def test_instances_keys_and_policies(kms, emulator):
    [instance] = kms.call("ListKmsInstances")["KmsInstances"]["KmsInstance"]
    instance_id = instance["KmsInstanceId"]
    arn = f"acs:kms:{emulator.region}:{emulator.account}:keystore/{instance_id}"
    assert instance["KmsInstanceArn"] == arn

    tags = json.dumps([{"TagKey": "a", "TagValue": "b"}])
    key = kms.call("CreateKey", DKMSInstanceId=instance_id, Description="d *~ü", Tags=tags)
    key = key["KeyMetadata"]
    assert key["KeySpec"] == "Aliyun_AES_256" and key["KeyState"] == "Enabled"
    assert key["DKMSInstanceId"] == instance_id and key["KeyUsage"] == "ENCRYPT/DECRYPT"
    filters = json.dumps([{"Key": "DKMSInstanceId", "Values": [instance_id]}])
    listed = kms.call("ListKeys", Filters=filters, PageSize=5)
    assert [one["KeyId"] for one in listed["Keys"]["Key"]] == [key["KeyId"]]

    more = {"DKMSInstanceId": instance_id, "EncryptionKeyId": key["KeyId"]}
    created = kms.call("CreateSecret", **GENERIC, **more)
    assert created["DKMSInstanceId"] == instance_id
    default = json.loads(kms.call("GetSecretPolicy", SecretName="g")["Policy"])
    assert default["Statement"][0]["Principal"] == {"RAM": [f"acs:ram::{emulator.account}:*"]}
    default["Statement"][0]["Sid"] = "mine"
    kms.call("SetSecretPolicy", SecretName="g", Policy=json.dumps(default), PolicyName="default")
    policy = kms.call("GetSecretPolicy", SecretName="g", PolicyName="default")["Policy"]
    assert json.loads(policy) == default


GOOD_POLICY = json.dumps(
    {
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
)
STAGE = {"SecretName": "g", "VersionStage": "Blue"}
CURRENT = {"SecretName": "g", "VersionStage": "ACSCurrent"}
ROTATE = {"VersionId": "r", "SecretName": "none"}
ON = {"EnableAutomaticRotation": True}

#: action, status, code, parameters; `g` is Generic and shared, `managed` is of type Rds.
ERRORS = [
    ("UpdateSecret", 400, "InvalidParameter", {"SecretName": "g", "ExtendedConfig.CustomData": '{"a":"b"}'}),
    ("UpdateSecret", 404, "Forbidden.ResourceNotFound", {"SecretName": "none", "Description": "d"}),
    ("ListSecretVersionIds", 404, "Forbidden.ResourceNotFound", {"SecretName": "none"}),
    ("ListSecretVersionIds", 400, "InvalidParameter", {"SecretName": "g", "PageSize": 101}),
    ("UpdateSecretVersionStage", 400, "InvalidParameter", STAGE),
    ("UpdateSecretVersionStage", 400, "InvalidParameter", {**CURRENT, "RemoveFromVersion": "v1"}),
    ("UpdateSecretVersionStage", 400, "Rejected.InvalidRequest", {**STAGE, "RemoveFromVersion": "v1"}),
    ("UpdateSecretVersionStage", 404, "Forbidden.ResourceNotFound", {**STAGE, "MoveToVersion": "v9"}),
    ("UpdateSecretRotationPolicy", 400, "MissingParameter", {"SecretName": "managed", **ON}),
    ("UpdateSecretRotationPolicy", 400, "InvalidParameter", {"SecretName": "managed", **ON, "RotationInterval": "1h"}),
    ("UpdateSecretRotationPolicy", 400, "InvalidParameter", {"SecretName": "managed", **ON, "RotationInterval": "9w"}),
    ("UpdateSecretRotationPolicy", 404, "Forbidden.ResourceNotFound", {"SecretName": "none", **ON, "RotationInterval": "7d"}),
    ("RotateSecret", 404, "Forbidden.ResourceNotFound", ROTATE),
    ("SetSecretPolicy", 400, "MissingParameter", {"SecretName": "g"}),
    ("SetSecretPolicy", 400, "Forbidden.KeyPolicyUnSupported", {"SecretName": "g", "Policy": GOOD_POLICY}),
    ("SetSecretPolicy", 404, "Forbidden.ResourceNotFound", {"SecretName": "none", "Policy": GOOD_POLICY}),
    ("GetSecretPolicy", 400, "Forbidden.KeyPolicyUnSupported", {"SecretName": "g"}),
    ("GetSecretPolicy", 404, "Forbidden.ResourceNotFound", {"SecretName": "none"}),
    ("ListKmsInstances", 400, "InvalidParameter", {"PageSize": 101}),
    ("ListKeys", 400, "InvalidParameter", {"Filters": '[{"Key":"Colour","Values":["x"]}]'}),
    ("CreateKey", 400, "InvalidParameter", {"KeySpec": "AES"}),
    ("CreateKey", 403, "Forbidden.DKMSInstanceNotFound", {"DKMSInstanceId": "kst-none"}),
]


def test_refusals_of_the_other_ten_have_their_documented_codes(kms):
    kms.call("CreateSecret", **GENERIC)
    rds(kms, "managed")
    for action, status, code, parameters in ERRORS:
        try:
            refused(kms, status, code, action, **parameters)
        except BaseException as error:
            error.add_note(f"in {action} {parameters}"[:200])
            raise


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("RotateSecret", {"SecretName": "g", "VersionId": "r"}),
        ("UpdateSecretRotationPolicy", {"SecretName": "g", **ON, "RotationInterval": "7d"}),
        ("PutSecretValue", {"SecretName": "managed", "VersionId": "v2", "SecretData": "x"}),
        ("UpdateSecretVersionStage", {**STAGE, "SecretName": "managed", "MoveToVersion": "v1"}),
    ],
)
def test_a_type_refuses_what_it_does_not_have(kms, action, parameters):
    kms.call("CreateSecret", **GENERIC)
    rds(kms, "managed")
    with pytest.raises(Refused) as caught:
        kms.call(action, **parameters)
    assert caught.value.status == 400
    assert kms.call("ListSecretVersionIds", SecretName="managed")["TotalCount"] == 1


def test_a_secret_with_ten_versions_lets_the_oldest_go(kms):
    kms.call("CreateSecret", **GENERIC)
    for number in range(2, 13):
        kms.call("PutSecretValue", SecretName="g", VersionId=f"v{number}", SecretData="x")
    every = kms.call("ListSecretVersionIds", SecretName="g", IncludeDeprecated="true")
    assert every["TotalCount"] == 10
    refused(kms, 404, "Forbidden.ResourceNotFound", "GetSecretValue", SecretName="g", VersionId="v1")
