"""The official SDKs, unmodified, behind one call: `call("CreateSecret", SecretName=...)`.

Parameters and answers carry the names of the API. A refusal is a `Refused`.
"""

import asyncio
import json
import re

from alibabacloud_kms20160120 import models
from alibabacloud_kms20160120.client import Client
from alibabacloud_tea_openapi import utils_models
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from darabonba.exceptions import UnretryableException

AGENT = "AlibabaCloud-Agent-Skills"


class Refused(Exception):
    def __init__(self, status, code, message, request_id):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.request_id = status, code, message, request_id


class Tea:
    """`alibabacloud-kms20160120`."""

    #: More of the SDK's `Config`.
    settings = {}
    #: What the emulator calls the signature.
    scheme = "acs3"

    def __init__(self, address, key_id, key_secret, token=None, region="cn-hangzhou"):
        config = utils_models.Config(
            access_key_id=key_id,
            access_key_secret=key_secret,
            security_token=token,
            region_id=region,
            endpoint=address,
            protocol="HTTP",
            user_agent=AGENT,
            **self.settings,
        )
        self.client = Client(config)

    def call(self, action, **parameters):
        request = request_of(action, parameters)
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
        try:
            response = self.send(method, request)
        except AlibabaCloudException as error:
            refusal = Refused(error.status_code, error.code, error.message, error.request_id)
            raise refusal from error
        except UnretryableException as error:
            # With ACS4 the SDK wraps what the gateway said.
            says = error.inner_exception
            code = says.code.removeprefix("None.")
            refusal = Refused(says.statusCode, code, says.message, says.data["RequestId"])
            raise refusal from error
        return response.body.to_map()

    def send(self, method, request):
        return getattr(self.client, method)(request)


def request_of(action, parameters):
    """The request object of an action; structured parameters stay structured where it has them."""
    parameters = dict(parameters)
    if action == "UpdateSecret" and "ExtendedConfig.CustomData" in parameters:
        custom = json.loads(parameters.pop("ExtendedConfig.CustomData"))
        parameters["ExtendedConfig"] = {"CustomData": custom}
    elif "ExtendedConfig" in parameters:
        parameters["ExtendedConfig"] = json.loads(parameters["ExtendedConfig"])
    return getattr(models, f"{action}Request")().from_map(parameters)


class TeaAsync(Tea):
    """The same, asynchronously."""

    def send(self, method, request):
        return asyncio.run(getattr(self.client, f"{method}_async")(request))


class TeaRpc(Tea):
    settings = {"signature_algorithm": "v2"}
    scheme = "rpc1"


class TeaAcs4(Tea):
    settings = {"signature_version": "v4"}
    scheme = "acs4"


class Core:
    """`aliyun-python-sdk-kms` on `aliyun-python-sdk-core`."""

    scheme = "rpc1"

    def __init__(self, address, key_id, key_secret, token=None, region="cn-hangzhou"):
        self.address = address
        if token is None:
            self.client = AcsClient(key_id, key_secret, region)
        else:
            credential = StsTokenCredential(key_id, key_secret, token)
            self.client = AcsClient(region_id=region, credential=credential)

    def call(self, action, **parameters):
        name = f"{action}Request"
        module = __import__(f"aliyunsdkkms.request.v20160120.{name}", fromlist=[name])
        request = getattr(module, name)()
        request.set_endpoint(self.address)
        request.set_protocol_type("http")
        for name, value in parameters.items():
            getattr(request, "set_" + name.replace(".", ""))(value)
        try:
            return json.loads(self.client.do_action_with_exception(request))
        except ServerException as error:
            said = error.get_http_status(), error.get_error_code(), error.get_error_msg()
            raise Refused(*said, error.get_request_id()) from error


SDKS = {
    "acs3": Tea,
    "acs3-async": TeaAsync,
    "acs4": TeaAcs4,
    "rpc1": TeaRpc,
    "rpc1-core": Core,
}
