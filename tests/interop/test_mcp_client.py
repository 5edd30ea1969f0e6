"""The official MCP client against `kms-mcp serve --backend embedded`, in both eras."""

import asyncio
import json
import subprocess

import jsonschema
import pytest
from mcp import MCPError

from programs import BINARY, PATIENCE
from servers import session

#: What the client calls it, and what must come of it: the handshake, or whatever the server likes
#: best, which it asks first.
MODES = {"legacy": "2025-11-25", "auto": "2026-07-28"}
VALUE = "hunter2-hunter2-hunter2"
NEW = {"SecretName": "app/db", "VersionId": "v1", "SecretData": VALUE}


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def run(home, scenario, *arguments, mode="auto", **options):
    """Runs `scenario` in a session on the embedded KMS."""

    async def main():
        arguments_ = arguments or ("--backend", "embedded")
        async with session(home, *arguments_, mode=mode, **options) as opened:
            await asyncio.wait_for(scenario(opened), 120)

    asyncio.run(main())


def test_a_client_may_begin_without_asking(tmp_path):
    async def scenario(it):
        await it.ok("ListSecrets")

    run(tmp_path, scenario, mode="2026-07-28")


def test_a_session_opens_and_lists_the_tools(tmp_path, mode):
    async def scenario(it):
        assert it.client.protocol_version == MODES[mode]
        assert it.client.server_info.name == "kms-mcp"
        assert it.client.instructions
        assert it.client.server_capabilities.tools is not None
        assert it.client.server_capabilities.prompts is None
        listed = (await it.client.list_tools()).tools
        names = {tool.name for tool in listed}
        assert len(listed) == len(names) == 17
        for tool in listed:
            validator = jsonschema.Draft202012Validator
            for schema in [tool.input_schema, tool.output_schema]:
                assert schema["type"] == "object"
                validator.check_schema(schema)
            assert tool.input_schema["additionalProperties"] is False
            hints = tool.annotations
            assert hints.read_only_hint == tool.name.startswith(("Describe", "List", "GetSecretP"))
            assert tool.title and tool.description

    run(tmp_path, scenario, mode=mode)


def test_the_seven_tools_of_the_main_job(tmp_path, mode):
    async def scenario(it):
        await it.client.list_tools()
        tags = [{"TagKey": "team", "TagValue": "a"}]
        created = await it.ok("CreateSecret", **NEW, Tags=tags, Description="d")
        assert created["Outcome"] == "created" and created["RequestId"]

        described = await it.ok("DescribeSecret", SecretName="app/db", FetchTags=True)
        assert described["Result"]["Tags"]["Tag"] == tags
        filters = [{"Key": "SecretName", "Values": ["app/db"]}]
        listed = await it.ok("ListSecrets", Filters=filters, PageSize=1)
        assert listed["Result"]["TotalCount"] == 1

        put = {"SecretName": "app/db", "VersionId": "v2", "SecretData": "second-second"}
        await it.ok("PutSecretValue", **put)
        again = await it.reply("PutSecretValue", **put)
        assert again["Error"]["Code"] == "VersionExists", again

        masked = await it.confirmed("GetSecretValue", SecretName="app/db")
        assert masked["Status"] == "ok" and masked["Result"]["SecretData"] == "***"
        assert masked["Result"]["VersionId"] == "v2"

        scheduled = await it.ok("DeleteSecret", SecretName="app/db", RecoveryWindowInDays=7)
        assert scheduled["Outcome"] == "scheduled"
        restored = await it.ok("RestoreSecret", SecretName="app/db")
        assert restored["Outcome"] == "restored"
        assert (await it.ok("RestoreSecret", SecretName="app/db"))["Outcome"] == "already_active"
        absent = await it.ok("DeleteSecret", SecretName="none")
        assert absent["Outcome"] == "already_absent"

        force = {"SecretName": "app/db", "ForceDeleteWithoutRecovery": True}
        deleted = await it.confirmed("DeleteSecret", "app/db", **force)
        assert deleted["Outcome"] == "deleted"
        gone = await it.reply("DescribeSecret", SecretName="app/db")
        assert gone["Error"]["Code"] == "Forbidden.ResourceNotFound"
        assert gone["Error"]["Changed"] == "no" and gone["Error"]["Next"]

    run(tmp_path, scenario, mode=mode)


def test_the_other_ten_tools(tmp_path, mode):
    async def scenario(it):
        await it.client.list_tools()
        instances = await it.ok("ListKmsInstances")
        [instance] = instances["Result"]["KmsInstances"]["KmsInstance"]
        instance = {"DKMSInstanceId": instance["KmsInstanceId"]}
        key = (await it.ok("CreateKey", **instance))["Result"]["KeyMetadata"]["KeyId"]
        filters = [{"Key": "DKMSInstanceId", "Values": [instance["DKMSInstanceId"]]}]
        listed = (await it.ok("ListKeys", Filters=filters))["Result"]
        assert [one["KeyId"] for one in listed["Keys"]["Key"]] == [key]

        await it.ok("CreateSecret", **NEW, **instance, EncryptionKeyId=key)
        policy = json.loads((await it.ok("GetSecretPolicy", SecretName="app/db"))["Result"]["Policy"])
        set_policy = {"SecretName": "app/db", "Policy": policy}
        done = await it.confirmed("SetSecretPolicy", "y", **set_policy)
        assert done["Status"] == "ok", done

        stage = {"SecretName": "app/db", "VersionStage": "Blue", "MoveToVersion": "v1"}
        await it.ok("UpdateSecretVersionStage", **stage)
        await it.ok("UpdateSecret", SecretName="app/db", Description="new")
        versions = await it.ok("ListSecretVersionIds", SecretName="app/db", IncludeDeprecated=True)
        assert versions["Result"]["TotalCount"] == 1

        account = {"Accounts": [{"AccountName": "root", "AccountPassword": "first-pass"}]}
        await it.ok(
            "CreateSecret",
            SecretName="rds",
            VersionId="v1",
            SecretType="Rds",
            SecretData=json.dumps(account),
            ExtendedConfig={"SecretSubType": "DoubleUsers", "DBInstanceId": "rm-1"},
        )
        await it.ok("RotateSecret", SecretName="rds", VersionId="r1")
        rotation = {"EnableAutomaticRotation": True, "RotationInterval": "7d"}
        await it.ok("UpdateSecretRotationPolicy", SecretName="rds", **rotation)
        await it.ok("UpdateSecret", SecretName="rds", **{"ExtendedConfig.CustomData": {"a": "b"}})
        described = (await it.ok("DescribeSecret", SecretName="rds"))["Result"]
        assert described["RotationInterval"] == "604800s"

    run(tmp_path, scenario, mode=mode)


def test_a_value_comes_after_a_person_said_yes(tmp_path, mode):
    reveal = {"SecretName": "app/db", "Destination": "agent"}

    async def scenario(it):
        await it.client.list_tools()
        await it.ok("CreateSecret", **NEW)
        asked = await it.reply("GetSecretValue", **reveal, Reason="to see")
        confirmation = asked["Confirmation"]
        assert VALUE not in json.dumps(asked)
        assert "aliyun kms" in confirmation["Equivalent"]["Cli"]
        assert confirmation["MatchCode"] in confirmation["ApproveWith"]
        token = confirmation["Token"]

        # The repeated call waits for the person, who decides while it does.
        again = {**reveal, "Reason": "to see", "ConfirmationToken": token}
        waiting = asyncio.create_task(it.reply("GetSecretValue", **again))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        shown = await it.person(confirmation["MatchCode"], "y")
        assert "app/db" in shown and "to see" in shown and VALUE not in shown
        value = await waiting
        assert value["Result"]["SecretData"] == VALUE, value

        # Once only, and for exactly that call.
        used = await it.reply("GetSecretValue", **again)
        assert used["Status"] != "ok" and VALUE not in json.dumps(used)

        other = await it.reply("GetSecretValue", **reveal)
        await it.person(other["Confirmation"]["MatchCode"], "y")
        token = other["Confirmation"]["Token"]
        changed = {**reveal, "VersionId": "v1", "ConfirmationToken": token}
        assert (await it.reply("GetSecretValue", **changed))["Status"] != "ok"

        denied = await it.confirmed("GetSecretValue", "n", **reveal)
        assert denied["Status"] in ("error", "denied") and VALUE not in json.dumps(denied)

        # A wrong name is asked for again, and Enter is a no.
        force = {"SecretName": "app/db", "ForceDeleteWithoutRecovery": True}
        refused = await it.confirmed("DeleteSecret", "app/other", "", **force)
        assert refused["Status"] in ("error", "denied")
        await it.ok("DescribeSecret", SecretName="app/db")

    run(tmp_path, scenario, mode=mode)


@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        ("CreateSecret", {"SecretName": "a", "VersionId": "v"}, "SecretData"),
        ("CreateSecret", {**NEW, "SecretName": "a b"}, "SecretName"),
        ("CreateSecret", {**NEW, "Colour": "red"}, "Colour"),
        ("CreateSecret", {**NEW, "Tags": '[{"TagKey":"a"}]'}, "Tags"),
        ("DescribeSecret", {}, "SecretName"),
        ("DescribeSecret", {"SecretName": 7}, "SecretName"),
        ("ListSecrets", {"PageSize": 101}, "PageSize"),
        ("ListSecrets", {"RegionId": "cn-hangzhou.evil.test"}, "RegionId"),
        ("DeleteSecret", {"SecretName": "a", "RecoveryWindowInDays": 6}, "RecoveryWindowInDays"),
    ],
)
def test_bad_arguments_are_errors_that_name_the_field(tmp_path, tool, arguments, field):
    async def scenario(it):
        result = await it.client.call_tool(tool, arguments)
        assert result.is_error
        error = result.structured_content["Error"]
        assert field in error["Message"] and error["Changed"] == "no"
        assert VALUE not in result.model_dump_json()
        listed = await it.ok("ListSecrets")
        assert listed["Result"]["TotalCount"] == 0

    run(tmp_path, scenario)


def test_an_unknown_tool_is_a_protocol_error(tmp_path, mode):
    async def scenario(it):
        with pytest.raises(MCPError) as caught:
            await it.client.call_tool("DropTables", {})
        assert caught.value.error.code == -32602
        await it.ok("ListSecrets")

    run(tmp_path, scenario, mode=mode)


def test_without_credentials_it_starts_and_says_what_to_do(tmp_path):
    async def scenario(it):
        assert len((await it.client.list_tools()).tools) == 17
        answer = await it.reply("ListSecrets", RegionId="cn-hangzhou")
        assert answer["Error"]["Code"] == "NoCredentials"
        assert "embedded" in answer["Error"]["Next"]

    run(tmp_path, scenario, "--backend", "alibaba")


def test_the_state_folder_serves_the_same_secrets_again(tmp_path):
    async def first(it):
        await it.ok("CreateSecret", **NEW)

    async def second(it):
        await it.ok("DescribeSecret", SecretName="app/db")

    run(tmp_path, first)
    run(tmp_path, second, mode="legacy")


def test_approving_needs_a_terminal(tmp_path):
    command = [BINARY, "approve", "--state-dir", tmp_path / "state"]
    done = subprocess.run(command, input="y\n", capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1 and "terminal" in done.stderr
