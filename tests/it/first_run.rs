//! The first run and its mistakes: no credentials, no region, wrong settings, wrong flags.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{BINARY, Emulator, Era, Server, ServerOptions, output};

/// No flags, no environment, no configuration.
fn bare() -> ServerOptions {
    ServerOptions {
        era: Era::V2025_11_25,
        arguments: Vec::new(),
        environment: Vec::new(),
        config: None,
        unsigned: false,
        loopback: false,
        through: Vec::new(),
        capabilities: json!({}),
    }
}

/// To the emulator, but without credentials.
pub(crate) fn towards(emulator: &Emulator) -> ServerOptions {
    ServerOptions { loopback: true, ..bare() }
        .arg("--endpoint")
        .arg(&emulator.url)
        .arg("--region")
        .arg("cn-hangzhou")
}

/// Writes `~/.aliyun/config.json` with these profiles, the first in force.
fn profiles(home: &Path, profiles: &Value) {
    fs::create_dir_all(home.join(".aliyun")).unwrap();
    let file = json!({ "current": profiles[0]["name"], "profiles": profiles });
    fs::write(home.join(".aliyun/config.json"), file.to_string()).unwrap();
}

pub(crate) fn profile(emulator: &Emulator, name: &str, mode: &str) -> Value {
    json!({ "name": name, "mode": mode, "access_key_id": emulator.access_key_id,
        "access_key_secret": emulator.access_key_secret, "output_format": "json" })
}

/// The server does not start, and says why.
fn refused(home: &Path, options: ServerOptions) -> String {
    let (status, stderr) = Server::spawn_in(home, options).finish();
    assert!(!status.success(), "it started: {stderr}");
    stderr
}

pub(crate) fn list(server: &mut Server) -> Value {
    server.call("ListSecrets", json!({}))
}

/// The region that a call would go to: a masked read says it and sends nothing.
fn region(server: &mut Server, argument: Option<&str>) -> String {
    let mut arguments = json!({ "SecretName": "app/db" });
    if let Some(region) = argument {
        arguments["RegionId"] = region.into();
    }
    let asked = server.call("GetSecretValue", arguments);
    let cli = asked["Confirmation"]["Equivalent"]["Cli"].as_str().expect("a question");
    cli.split(" --region ").nth(1).unwrap().split(' ').next().unwrap().to_owned()
}

#[test]
fn without_credentials_it_starts_lists_and_says_the_two_ways_out() {
    for era in Era::ALL {
        let mut server = Server::start(bare().era(era));
        let answer = server.request("tools/list", json!({}));
        let tools: Vec<String> = answer["result"]["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect();
        assert!(tools.len() >= 7, "{tools:?}");
        for (tool, arguments) in [
            ("ListSecrets", json!({})),
            ("GetSecretValue", json!({ "SecretName": "app/db" })),
            ("DeleteSecret", json!({ "SecretName": "app/db" })),
        ] {
            let envelope = server.call(tool, arguments);
            let error = &envelope["Error"];
            assert_eq!(error["Code"], "NoCredentials", "{era:?} {tool}: {envelope}");
            assert_eq!(error["Changed"], "no");
            let next = error["Next"].as_str().unwrap();
            assert!(
                next.contains("aliyun configure") && next.contains("--backend embedded"),
                "{next}"
            );
        }
    }
}

#[test]
fn without_a_region_it_says_the_two_ways_out() {
    let options = bare()
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5tAbCdEfGhIjKlMnOp")
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "0123456789abcdef0123456789abcd");
    let mut server = Server::start(options);
    let envelope = list(&mut server);
    assert_eq!(envelope["Error"]["Code"], "NoRegion", "{envelope}");
    let next = envelope["Error"]["Next"].as_str().unwrap();
    assert!(next.contains("aliyun configure") && next.contains("--backend embedded"), "{next}");
    assert!(next.contains("RegionId"), "{next}");
}

#[test]
fn half_an_access_key_is_named_and_no_other_is_taken() {
    let emulator = Emulator::start();
    for (set, missing) in [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_ACCESS_KEY_ID"),
    ] {
        let home = TempDir::new().unwrap();
        profiles(home.path(), &json!([profile(&emulator, "default", "AK")]));
        let mut server =
            Server::start_in(home.path(), towards(&emulator).env(set, "canary-of-a-key"));
        let envelope = list(&mut server);
        assert_eq!(envelope["Error"]["Code"], "NoCredentials");
        let message = envelope["Error"]["Message"].as_str().unwrap();
        assert_eq!(message, format!("`{set}` is set, `{missing}` is not"));
        assert!(!server.transcript.contains("canary"));
    }
    assert!(emulator.requests().is_empty());
}

#[test]
fn the_profile_of_the_cli_is_used() {
    let emulator = Emulator::start();
    let home = TempDir::new().unwrap();
    let mut other = profile(&emulator, "other", "AK");
    other["access_key_secret"] = "wrong".into();
    profiles(home.path(), &json!([profile(&emulator, "mine", "AK"), other]));
    let mut server = Server::start_in(home.path(), towards(&emulator));
    assert_eq!(list(&mut server)["Status"], "ok");
    // The variable names another profile; one that is not there is an error, not a fallback.
    for (name, code) in [("other", "SignatureDoesNotMatch"), ("absent", "NoCredentials")] {
        let options = towards(&emulator).env("ALIBABA_CLOUD_PROFILE", name);
        let mut server = Server::start_in(home.path(), options);
        assert_eq!(list(&mut server)["Error"]["Code"], code, "{name}");
    }
    let options = towards(&emulator).env("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true");
    let mut disabled = Server::start_in(home.path(), options);
    assert_eq!(list(&mut disabled)["Error"]["Code"], "NoCredentials");
    // `aliyun configure` takes effect without a restart.
    profiles(home.path(), &json!([{ "name": "mine", "mode": "AK" }]));
    assert_eq!(list(&mut server)["Error"]["Code"], "NoCredentials");
}

#[test]
fn the_environment_comes_before_the_profile() {
    let emulator = Emulator::start();
    let home = TempDir::new().unwrap();
    let mut wrong = profile(&emulator, "default", "AK");
    wrong["access_key_secret"] = "wrong".into();
    profiles(home.path(), &json!([wrong]));
    let mut server = Server::start_in(home.path(), ServerOptions::with_emulator(&emulator));
    assert_eq!(list(&mut server)["Status"], "ok");
}

#[test]
fn the_security_token_is_sent_from_profile_and_environment() {
    let emulator = Emulator::start();
    emulator.faults("security_tokens = ['canary-token-1']");
    let home = TempDir::new().unwrap();
    let mut temporary = profile(&emulator, "default", "StsToken");
    temporary["sts_token"] = "canary-token-1".into();
    profiles(home.path(), &json!([temporary]));
    let mut server = Server::start_in(home.path(), towards(&emulator));
    assert_eq!(list(&mut server)["Status"], "ok");
    for (token, code) in
        [("canary-token-1", None), ("canary-token-2", Some("InvalidSecurityToken.Expired"))]
    {
        let options =
            ServerOptions::with_emulator(&emulator).env("ALIBABA_CLOUD_SECURITY_TOKEN", token);
        let mut server = Server::start(options);
        assert_eq!(list(&mut server)["Error"]["Code"].as_str(), code);
        assert!(!server.transcript.contains("canary"));
    }
    // Without its token a temporary key is not even tried.
    temporary["sts_token"] = "".into();
    profiles(home.path(), &json!([temporary]));
    let sent = emulator.requests().len();
    assert_eq!(list(&mut server)["Error"]["Code"], "NoCredentials");
    assert_eq!(emulator.requests().len(), sent);
    // Mode AK leaves a left-over token aside, as the CLI does.
    let mut permanent = temporary.clone();
    permanent["mode"] = "AK".into();
    permanent["sts_token"] = "canary-token-9".into();
    profiles(home.path(), &json!([permanent]));
    assert_eq!(list(&mut server)["Error"]["Code"], "MissingSecurityToken");
    assert!(!server.transcript.contains("canary"));
}

#[test]
fn a_profile_that_cannot_be_used_is_explained() {
    let emulator = Emulator::start();
    let home = TempDir::new().unwrap();
    profiles(home.path(), &json!([profile(&emulator, "default", "RamRoleArn")]));
    let mut server = Server::start_in(home.path(), towards(&emulator));
    let mut message = || {
        let envelope = list(&mut server);
        assert_eq!(envelope["Error"]["Code"], "NoCredentials", "{envelope}");
        envelope["Error"]["Message"].as_str().unwrap().to_owned()
    };
    let said = message();
    assert!(said.contains("`RamRoleArn`") && said.contains("AK and StsToken"), "{said}");
    let file = home.path().join(".aliyun/config.json");
    for (content, says) in [
        ("{\"profiles\": canary", "is not the JSON"),
        (
            r#"{"current":"a","profiles":[{"name":"a","mode":"AK","access_key_id":"canary"}]}"#,
            "half an AccessKey",
        ),
        (r#"{"current":"a","profiles":[{"name":"a","mode":"<b>canary\u202e"}]}"#, "`?b?canary?`"),
        (r#"{"profiles":[]}"#, "no credentials were found"),
    ] {
        fs::write(&file, content).unwrap();
        let said = message();
        assert!(said.contains(says), "{content}: {said}");
    }
    assert!(emulator.requests().is_empty());
}

#[test]
fn the_region_comes_from_argument_flag_environment_config_profile() {
    let emulator = Emulator::start();
    let home = TempDir::new().unwrap();
    let mut with_region = profile(&emulator, "default", "AK");
    with_region["region_id"] = "ap-southeast-5".into();
    profiles(home.path(), &json!([with_region]));
    let mut options = Vec::new();
    options.push(("ap-southeast-5", bare()));
    options.push(("ap-southeast-3", bare().config("region = 'ap-southeast-3'\n")));
    let environment =
        |options: ServerOptions| options.env("ALIBABA_CLOUD_REGION_ID", "ap-southeast-2");
    options.push(("ap-southeast-2", environment(bare().config("region = 'ap-southeast-3'\n"))));
    options.push((
        "ap-southeast-1",
        environment(bare().config("region = 'ap-southeast-3'\n"))
            .arg("--region")
            .arg("ap-southeast-1"),
    ));
    for (expected, options) in options {
        let mut server = Server::start_in(home.path(), options);
        assert_eq!(region(&mut server, None), expected);
        assert_eq!(region(&mut server, Some("us-west-1")), "us-west-1");
    }
    // The names that the CLI knows, in its order.
    let names = ["ALIBABA_CLOUD_REGION_ID", "ALIBABACLOUD_REGION_ID", "ALICLOUD_REGION_ID"];
    for first in 0..names.len() {
        let mut options = bare().config("");
        for (name, value) in
            names.iter().zip(["cn-beijing", "cn-qingdao", "cn-chengdu"]).skip(first)
        {
            options = options.env(name, value);
        }
        let mut server = Server::start_in(home.path(), options);
        assert_eq!(region(&mut server, None), ["cn-beijing", "cn-qingdao", "cn-chengdu"][first]);
    }
}

#[test]
fn settings_that_cannot_be_trusted_stop_the_server() {
    let home = TempDir::new().unwrap();
    for (content, says) in [
        ("wait_second = 5\n", "wait_second"),
        ("[sources]\nfile = ['/x']\n", "file"),
        ("region = 'cn-hangzhou'\nwait_seconds = '5'\n", "line 2"),
        ("wait_seconds = -1\n", "line 1"),
        ("wait_seconds = 301\n", "`wait_seconds` must be 0 to 300"),
        ("[limits]\npending = 0\n", "`limits.pending` must be 1 to 20"),
        ("[limits]\npending = 21\n", "`limits.pending` must be 1 to 20"),
        ("[limits]\nquestions = 0\n", "`limits.questions` must be 1 to 100"),
        ("[limits]\ncool_off_seconds = 3601\n", "`limits.cool_off_seconds` must be 0 to 3600"),
        ("[limits]\nper_hour = 1\n", "per_hour"),
        ("region = 5\n", "line 1"),
        ("region = 'evil.test'\n", "region"),
        ("region\n", "config.toml"),
        ("[sources]\nenv = 'APP_*'\n", "line 2"),
        ("[sources]\nenv = ['[']\n", "sources.env"),
        ("[sources]\nfiles = ['relative']\n", "sources.files"),
        ("policy = 'no-such-policy'\n", "no-such-policy"),
        ("policy = './policy.toml'\n", "policy.toml"),
    ] {
        let stderr = refused(home.path(), bare().config(content));
        assert!(stderr.contains(says), "{content}: {stderr}");
    }
    let folder = home.path().join(".config/kms-mcp");
    let file = folder.join("config.toml");
    fs::write(&file, "wait_seconds = 5\n").unwrap();
    for mode in [0o664, 0o646, 0o666] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let stderr = refused(home.path(), bare());
        assert!(stderr.contains("config.toml") && stderr.contains("chmod go-w"), "{stderr}");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    drop(Server::start_in(home.path(), bare()));
    fs::rename(&file, folder.join("real.toml")).unwrap();
    symlink(folder.join("real.toml"), &file).unwrap();
    drop(Server::start_in(home.path(), bare()));
    fs::set_permissions(folder.join("real.toml"), fs::Permissions::from_mode(0o666)).unwrap();
    assert!(refused(home.path(), bare()).contains("chmod go-w"));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(refused(home.path(), bare()).contains("regular file"));
    fs::remove_dir(&file).unwrap();
    fs::write(&file, b"region = '\xff'\n").unwrap();
    assert!(refused(home.path(), bare()).contains("UTF-8"));
}

#[test]
fn the_config_folder_of_xdg_is_used() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("elsewhere/kms-mcp");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "unknown_key = 1\n").unwrap();
    let elsewhere = home.path().join("elsewhere").display().to_string();
    let stderr = refused(home.path(), bare().env("XDG_CONFIG_HOME", &elsewhere));
    assert!(stderr.contains("unknown_key"), "{stderr}");
    // An empty variable names none, and one in the working folder is not read.
    drop(Server::start_in(home.path(), bare().env("XDG_CONFIG_HOME", "")));
    let stderr = refused(home.path(), bare().env("XDG_CONFIG_HOME", "elsewhere"));
    assert!(stderr.contains("`XDG_CONFIG_HOME`") && stderr.contains("not an absolute"), "{stderr}");
}

#[test]
fn flags_and_variables_that_are_wrong_stop_the_server() {
    let home = TempDir::new().unwrap();
    let key = |options: ServerOptions| {
        options
            .env("ALIBABA_CLOUD_ACCESS_KEY_ID", "canary-id")
            .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary-secret")
    };
    for (arguments, says) in [
        (vec!["--policy", "no-such-policy"], "metadata-only"),
        (vec!["--policy", "policies/default.toml"], "absolute path"),
        (vec!["--backend", "moon"], "moon"),
        (vec!["--region", "evil.test"], "cn-hangzhou"),
        (vec!["--region", "cn-hangzhou.evil.test"], "cn-hangzhou"),
        (vec!["--endpoint", "http://kms.cn-hangzhou.aliyuncs.com"], "https"),
        (vec!["--endpoint", "http://192.0.2.1:8080"], "https"),
        (vec!["--endpoint", "https://evil.test"], "endpoints = [\"https://evil.test\"]"),
        (vec!["--endpoint", "https://kms.cn-hangzhou.aliyuncs.com.evil.test"], "config.toml"),
        (vec!["--endpoint", "https://kst-x.cryptoservice.kms.aliyuncs.com"], "KMS instance"),
        (
            vec!["--endpoint", "https://user:pass@kms.cn-hangzhou.aliyuncs.com"],
            "scheme, host and port",
        ),
        (vec!["--endpoint", "kms.cn-hangzhou.aliyuncs.com"], "not a URL"),
        (vec!["--no-confirmation"], "--no-confirmation"),
    ] {
        let mut options = key(bare());
        for argument in &arguments {
            options = options.arg(argument);
        }
        let stderr = refused(home.path(), options);
        assert!(stderr.contains(says) && !stderr.contains("canary"), "{arguments:?}: {stderr}");
    }
    for (name, value) in [
        ("KMS_MCP_POLICY", "no-such-policy"),
        ("KMS_MCP_BACKEND", "moon"),
        ("KMS_MCP_ENDPOINT", "http://192.0.2.1"),
        ("ALIBABA_CLOUD_REGION_ID", "evil.test/x"),
        ("ALIBABA_CLOUD_CONNECT_TIMEOUT", "0"),
        ("ALIBABA_CLOUD_CONNECT_TIMEOUT", "301"),
        ("ALIBABA_CLOUD_CONNECT_TIMEOUT", "1.5"),
        ("ALIBABA_CLOUD_READ_TIMEOUT", "soon"),
        ("ALIBABA_CLOUD_READ_TIMEOUT", "-1"),
    ] {
        let stderr = refused(home.path(), key(bare()).env(name, value));
        assert!(!stderr.is_empty() && !stderr.contains("canary"), "{name}: {stderr}");
        if name.ends_with("TIMEOUT") || name.ends_with("BACKEND") {
            assert!(stderr.contains(name), "{stderr}");
        }
    }
}

#[test]
fn a_policy_that_can_disclose_nothing_lists_nothing_that_could() {
    let emulator = Emulator::start();
    let listed = |server: &mut Server| -> Vec<String> {
        let answer = server.request("tools/list", json!({}));
        let tools = answer["result"]["tools"].as_array().unwrap().iter();
        tools.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    };
    let with = || ServerOptions::with_emulator(&emulator);
    for options in [
        with().arg("--policy").arg("metadata-only"),
        with().env("KMS_MCP_POLICY", "metadata-only"),
        with().config("policy = 'metadata-only'\n"),
        // What an agent can edit only tightens.
        with().config("policy = 'metadata-only'\n").arg("--policy").arg("default"),
    ] {
        let mut server = Server::start(options);
        let tools = listed(&mut server);
        assert!(tools.contains(&"DescribeSecret".to_owned()), "{tools:?}");
        for hidden in ["GetSecretValue", "CreateSecret", "DeleteSecret"] {
            assert!(!tools.contains(&hidden.to_owned()), "{tools:?}");
            let answer = server.call_whole(hidden, json!({ "SecretName": "app/db" }));
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
        }
    }
    assert!(emulator.requests().is_empty());
}

#[test]
fn timeouts_are_kept() {
    let emulator = Emulator::start();
    emulator.faults("[[rule]]\neffect = 'hang'\n");
    let options = ServerOptions::with_emulator(&emulator).env("ALIBABA_CLOUD_READ_TIMEOUT", "1");
    let mut server = Server::start(options);
    let envelope = server.call(
        "CreateSecret",
        json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": "hunter2-hunter2" }),
    );
    assert_eq!(envelope["Error"]["Code"], "NoAnswer", "{envelope}");
    assert_eq!(envelope["Error"]["Changed"], "unknown");
    assert_eq!(emulator.count("CreateSecret"), 1);
}

#[test]
fn nobody_listens_at_the_endpoint() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let emulator = Emulator::start();
    let options = ServerOptions::with_emulator(&emulator).at(&format!("http://127.0.0.1:{port}"));
    let mut server = Server::start(options);
    let envelope = server.call(
        "CreateSecret",
        json!({ "SecretName": "app/db", "VersionId": "v1", "SecretData": "hunter2-hunter2" }),
    );
    assert_eq!(envelope["Error"]["Code"], "NotConnected", "{envelope}");
    assert_eq!(envelope["Error"]["Changed"], "no");
}

#[test]
fn proxy_variables_are_ignored() {
    let emulator = Emulator::start();
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut options = ServerOptions::with_emulator(&emulator);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        options = options.env(name, &address).env(&name.to_ascii_lowercase(), &address);
    }
    let mut server = Server::start(options);
    assert_eq!(list(&mut server)["Status"], "ok");
    assert_eq!(proxy.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn the_log_shows_neither_values_nor_what_dependencies_say() {
    let emulator = Emulator::start();
    for level in ["trace", "kms_mcp=trace,rmcp=trace,hyper=trace", "rmcp=trace"] {
        let options = ServerOptions::with_emulator(&emulator).env("RUST_LOG", level);
        let mut server = Server::start(options);
        server.call(
            "CreateSecret",
            json!({ "SecretName": level.len().to_string(), "VersionId": "v1",
                "SecretData": "hunter2-hunter2", "Description": "canary-description" }),
        );
        let value = server.call_approved(
            "GetSecretValue",
            json!({ "SecretName": level.len().to_string(), "Destination": "agent" }),
            "y",
        );
        assert_eq!(value["Result"]["SecretData"], "hunter2-hunter2");
        server.send_raw(b"not json, canary-line\n");
        server.receive();
        let (status, stderr) = server.finish();
        assert!(status.success());
        assert!(stderr.contains("serving MCP"), "our own log is there: {stderr}");
        for word in [
            "hunter2",
            "canary",
            "rmcp",
            "hyper",
            "reqwest",
            "rustls",
            "tower",
            "axum",
            "h2::",
            "jsonrpc",
            "authorization",
            "ct_",
            &emulator.access_key_id,
            &emulator.access_key_secret,
        ] {
            assert!(!stderr.to_lowercase().contains(&word.to_lowercase()), "{word}: {stderr}");
        }
    }
}

#[test]
fn without_arguments_it_serves_a_client() {
    let home = TempDir::new().unwrap();
    let mut child = Command::new(BINARY)
        .env_clear()
        .env("HOME", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let line = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "it", "version": "1" } } });
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), format!("{line}\n").as_bytes())
        .unwrap();
    let output = output(child);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["result"]["serverInfo"]["name"], "kms-mcp");
    assert!(output.status.success());
    // Without --state-dir all is kept below the XDG folder, and nowhere else.
    let entries: Vec<_> =
        fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(entries, [".local"]);
    assert!(home.path().join(".local/state/kms-mcp/audit").is_dir());
}

#[test]
fn with_a_state_folder_everything_is_under_it() {
    let home = TempDir::new().unwrap();
    let options = ServerOptions { config: None, unsigned: false, ..ServerOptions::embedded() };
    let mut server = Server::start_in(home.path(), options);
    assert_eq!(list(&mut server)["Status"], "ok");
    let (status, _) = server.finish();
    assert!(status.success());
    let entries: Vec<_> =
        fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(entries, ["state"]);
    let mode = fs::metadata(home.path().join("state")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
