"""A KMS that writes down what it is asked and answers what it was told to."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

#: What the guard looks at before it asks; everything else is refused.
ANSWERS = {
    "DescribeSecret": {
        "RequestId": "r",
        "Arn": "acs:kms:cn-hangzhou:1:secret/s",
        "SecretName": "s",
        "SecretType": "Generic",
        # SetSecretPolicy is for secrets of an instance: it reads this before it asks.
        "DKMSInstanceId": "kst-1",
        "CreateTime": "2026-01-02T03:04:05Z",
        "UpdateTime": "2026-01-02T03:04:05Z",
    },
    "ListSecretVersionIds": {
        "RequestId": "r",
        "SecretName": "s",
        "PageNumber": 1,
        "PageSize": 20,
        "TotalCount": 1,
        "VersionIds": {
            "VersionId": [
                {
                    "VersionId": "v1",
                    "CreateTime": "2026-01-02T03:04:05Z",
                    "VersionStages": {"VersionStage": ["ACSCurrent", "Blue"]},
                }
            ]
        },
    },
}
REFUSAL = {
    "RequestId": "r",
    "HostId": "h",
    "Code": "InvalidParameter",
    "Message": "The specified parameter is not valid.",
}


@dataclass
class Request:
    method: str
    path: str
    query: list
    headers: dict
    body: bytes

    @property
    def action(self):
        return self.headers.get("x-acs-action") or dict(self.query).get("Action")

    @property
    def form(self):
        return parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=bool(self.body))


class Recorder:
    def __enter__(self):
        requests = self.requests = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                path, _, query = self.path.partition("?")
                query = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
                names = [name.lower() for name in self.headers.keys()]
                assert len(names) == len(set(names)), names
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, path, query, headers, body)
                requests.append(request)
                answer = ANSWERS.get(request.action)
                self.send_response(200 if answer else 400)
                text = json.dumps(answer or REFUSAL).encode()
                self.send_header("Content-Type", "application/json;charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def last(self, action):
        """The last request for `action`; there must be one."""
        return [request for request in self.requests if request.action == action][-1]
