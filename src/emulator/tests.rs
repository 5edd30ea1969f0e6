//! The emulator over TCP, called with a signer of a few lines.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::hmac;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::dates::DAY_MS;
use super::{Behaviour, Clock, Emulator, Options, random};

mod signed_once;

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A running emulator whose clock stands until it is moved.
struct House {
    folder: TempDir,
    address: SocketAddr,
    key: (String, String),
    account: String,
    time: Arc<AtomicI64>,
    stop: oneshot::Sender<()>,
}

impl House {
    async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    async fn start_in(folder: TempDir) -> Self {
        let time = Arc::new(AtomicI64::new(1_800_000_000_000));
        let ms = Arc::clone(&time);
        let emulator = Emulator::open(Options {
            data: folder.path().join("data"),
            clock: Clock::from_fn(move || {
                Timestamp::from_millisecond(ms.load(Ordering::SeqCst)).unwrap()
            }),
            faults: Some(folder.path().join("faults")),
            requests: Some(folder.path().join("requests")),
            behaviour: Behaviour::default(),
        })
        .unwrap();
        let identity = emulator.identity();
        let account = identity.account_id.clone();
        #[expect(clippy::disallowed_methods, reason = "into the key of an HMAC")]
        let secret = identity.access_key_secret.expose().to_owned();
        let key = (identity.access_key_id.clone(), secret);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let until = async {
            let _ = stopped.await;
        };
        tokio::spawn(async move { emulator.serve(listener, until).await.unwrap() });
        Self { folder, address, key, account, time, stop }
    }

    fn pass(&self, ms: i64) {
        self.time.fetch_add(ms, Ordering::SeqCst);
    }

    fn fault(&self, text: &str) {
        fs::write(self.folder.path().join("faults"), text).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("requests")).unwrap()
    }

    /// The target of an RPC-signed request.
    fn signed(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
        let now = Timestamp::from_millisecond(self.time.load(Ordering::SeqCst)).unwrap();
        let (time, nonce) = (crate::clock::to_seconds(now), random::uuid().unwrap());
        let mut all = vec![
            ("Action", action),
            ("Version", "2016-01-20"),
            ("AccessKeyId", &self.key.0),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", &nonce),
            ("Timestamp", &time),
        ];
        all.extend(parameters);
        all.sort_unstable();
        let pairs: Vec<String> =
            all.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let query = pairs.join("&");
        let key = hmac::Key::new(
            hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            format!("{}&", self.key.1).as_bytes(),
        );
        let signature = hmac::sign(&key, format!("POST&%2F&{}", encode(&query)).as_bytes());
        let signature = encode(&STANDARD.encode(signature));
        format!("/?{query}&Signature={signature}")
    }

    /// Posts `body` to a target; everything the server sent back.
    async fn post(&self, target: &str, kind: &str, body: &str) -> std::io::Result<String> {
        let head = format!(
            "POST {target} HTTP/1.1\r\nhost: kms\r\nconnection: close\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    async fn send(&self, action: &str, parameters: &[(&str, &str)]) -> std::io::Result<String> {
        self.post(&self.signed(action, parameters), "text/plain", "").await
    }

    async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> (u16, Value) {
        let answer = self.send(action, parameters).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    async fn good(&self, action: &str, parameters: &[(&str, &str)]) -> Value {
        let (status, body) = self.call(action, parameters).await;
        assert_eq!(status, 200, "{action} {parameters:?}: {body}");
        body
    }

    async fn bad(&self, action: &str, parameters: &[(&str, &str)]) -> (u16, String) {
        let (status, body) = self.call(action, parameters).await;
        assert_ne!(status, 200, "{action} {parameters:?}: {body}");
        (status, body["Code"].as_str().unwrap().to_owned())
    }

    async fn value(&self, parameters: &[(&str, &str)]) -> String {
        let body = self.good("GetSecretValue", parameters).await;
        body["SecretData"].as_str().unwrap().to_owned()
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

const NAME: (&str, &str) = ("SecretName", "db/main");
const V1: (&str, &str) = ("VersionId", "v1");

fn put<'a>(id: &'a str, data: &'a str) -> [(&'a str, &'a str); 3] {
    [NAME, ("VersionId", id), ("SecretData", data)]
}

async fn house_with_secret() -> House {
    let house = House::start().await;
    house
        .good("CreateSecret", &[NAME, V1, ("SecretData", "first-value-ü"), ("Description", "d")])
        .await;
    house
}

#[tokio::test]
async fn a_secret_lives_through_versions_and_restarts() {
    let house = house_with_secret().await;
    let second = house.good("PutSecretValue", &put("v2", "second")).await;
    assert_eq!(second["VersionStages"], json!({"VersionStage": ["ACSCurrent"]}));
    house.good("PutSecretValue", &put("v2", "second")).await;
    let conflict = house.bad("PutSecretValue", &put("v2", "other")).await;
    assert_eq!(conflict, refused(409, "Rejected.ResourceExist"));
    assert_eq!(house.value(&[NAME]).await, "second");
    assert_eq!(house.value(&[NAME, ("VersionStage", "ACSPrevious")]).await, "first-value-ü");
    assert_eq!(house.value(&[NAME, V1]).await, "first-value-ü");
    let both = house.bad("GetSecretValue", &[NAME, V1, ("VersionStage", "ACSCurrent")]).await;
    assert_eq!(both, refused(400, "InvalidParameter"));
    for at in 3..=12 {
        house.good("PutSecretValue", &put(&format!("v{at}"), "more")).await;
    }
    let all = house.good("ListSecretVersionIds", &[NAME, ("IncludeDeprecated", "True")]).await;
    assert_eq!(all["TotalCount"], 10);
    assert_eq!(all["VersionIds"]["VersionId"][0]["VersionId"], "v3");
    assert_eq!(
        house.bad("GetSecretValue", &[NAME, V1]).await,
        refused(404, "Forbidden.ResourceNotFound")
    );
    let staged = house.good("ListSecretVersionIds", &[NAME]).await;
    assert_eq!(staged["TotalCount"], 2);

    let House { folder, key, stop, .. } = house;
    stop.send(()).unwrap();
    no_plaintext(&folder.path().join("data"), "first-value");
    let house = House::start_in(folder).await;
    assert_eq!(house.key, key);
    assert_eq!(
        house
            .value(&[(
                "SecretName",
                &format!("acs:kms:cn-hangzhou:{}:secret/db/main", house.account)
            )])
            .await,
        "more"
    );
    assert!(!house.log().contains("first-value") && !house.log().contains("db/main"));
}

fn no_plaintext(folder: &Path, text: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let content = fs::read(entry.unwrap().path()).unwrap();
        assert!(!content.windows(text.len()).any(|part| part == text.as_bytes()));
    }
}

#[tokio::test]
async fn a_deletion_can_be_called_off_until_its_time() {
    let house = house_with_secret().await;
    let week = [NAME, ("RecoveryWindowInDays", "7")];
    assert_eq!(house.bad("RestoreSecret", &[NAME]).await, refused(409, "Rejected.ResourceInUse"));
    for days in ["6", "31", "x"] {
        let wrong = house.bad("DeleteSecret", &[NAME, ("RecoveryWindowInDays", days)]).await;
        assert_eq!(wrong, refused(400, "InvalidParameter"));
    }
    house.good("DeleteSecret", &week).await;
    let locked = refused(409, "Rejected.ResourceInDeleteWindow");
    assert_eq!(house.bad("DeleteSecret", &week).await, locked);
    assert_eq!(house.bad("GetSecretValue", &[NAME]).await, locked);
    assert_eq!(house.bad("UpdateSecret", &[NAME]).await, locked);
    assert_eq!(house.bad("CreateSecret", &[NAME, V1, ("SecretData", "x")]).await, locked);
    house.pass(7 * DAY_MS - 1);
    assert!(house.good("DescribeSecret", &[NAME]).await["PlannedDeleteTime"].is_string());
    house.good("RestoreSecret", &[NAME]).await;
    assert_eq!(house.value(&[NAME]).await, "first-value-ü");
    house.good("DeleteSecret", &week).await;
    house.pass(7 * DAY_MS);
    let gone = refused(404, "Forbidden.ResourceNotFound");
    assert_eq!(house.bad("RestoreSecret", &[NAME]).await, gone);
    house.good("CreateSecret", &[NAME, V1, ("SecretData", "x")]).await;
    let force = [NAME, ("ForceDeleteWithoutRecovery", "true"), ("RecoveryWindowInDays", "30")];
    house.good("DeleteSecret", &force).await;
    assert_eq!(house.bad("DescribeSecret", &[NAME]).await, gone);
}

#[tokio::test]
async fn a_managed_secret_rotates_by_call_and_by_time() {
    let house = House::start().await;
    let config = r#"{"SecretSubType":"DoubleUsers","DBInstanceId":"rm-1"}"#;
    let data = r#"{"Accounts":[{"AccountName":"u","AccountPassword":"p"}]}"#;
    let created = house
        .good(
            "CreateSecret",
            &[
                NAME,
                V1,
                ("SecretType", "Rds"),
                ("SecretData", data),
                ("ExtendedConfig", config),
                ("EnableAutomaticRotation", "True"),
                ("RotationInterval", "7d"),
            ],
        )
        .await;
    assert_eq!(created["RotationInterval"], "604800s");
    let rotate = [NAME, ("VersionId", "v2")];
    house.good("RotateSecret", &rotate).await;
    let second = house.value(&[NAME]).await;
    assert!(second.contains("u_clone"));
    house.good("RotateSecret", &rotate).await;
    assert_eq!(house.value(&[NAME]).await, second);
    house.pass(7 * DAY_MS);
    assert_ne!(house.value(&[NAME]).await, second);
    assert_eq!(house.value(&[NAME, ("VersionStage", "ACSPrevious")]).await, second);
    let put = house.bad("PutSecretValue", &[NAME, V1, ("SecretData", "x")]).await;
    assert_eq!(put, refused(400, "UnsupportedOperation"));
    let off = [NAME, ("EnableAutomaticRotation", "false")];
    house.good("UpdateSecretRotationPolicy", &off).await;
    let described = house.good("DescribeSecret", &[NAME]).await;
    assert_eq!(described["AutomaticRotation"], "Disabled");
    assert!(described.get("NextRotationDate").is_none());
}

#[tokio::test]
async fn instances_hold_keys_and_secrets_with_policies() {
    let house = house_with_secret().await;
    let instances = house.good("ListKmsInstances", &[]).await;
    let instance = instances["KmsInstances"]["KmsInstance"][0]["KmsInstanceId"].as_str().unwrap();
    let within = ("DKMSInstanceId", instance);
    let key = house.good("CreateKey", &[within]).await;
    let key = ("EncryptionKeyId", key["KeyMetadata"]["KeyId"].as_str().unwrap());
    let create = |extra: &[(&'static str, &str)]| {
        let own = [("SecretName", "b"), V1, ("SecretData", "x")];
        own.into_iter().chain(extra.iter().copied()).map(|(n, v)| (n, v.to_owned())).collect()
    };
    for (extra, status, code) in [
        (vec![("DKMSInstanceId", "kst-none")], 403, "Forbidden.DKMSInstanceNotFound"),
        (vec![within, ("EncryptionKeyId", "key-none")], 404, "Forbidden.ResourceNotFound"),
        (vec![key], 400, "InvalidParameter"),
    ] {
        let parameters: Vec<(&str, String)> = create(&extra);
        let parameters: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(house.bad("CreateSecret", &parameters).await, refused(status, code));
    }
    let ecs = r#"{"SecretSubType":"Password","RegionId":"cn-hangzhou","InstanceId":"i-1"}"#;
    let login = ("SecretData", r#"{"UserName":"u","Password":"p"}"#);
    let ecs = [V1, login, ("SecretType", "ECS"), ("ExtendedConfig", ecs)];
    let named = |name| [[("SecretName", name)].as_slice(), &ecs].concat();
    house.good("CreateSecret", &named("acs/ecs/x")).await;
    let unnamed = house.bad("CreateSecret", &named("acs/ecs/")).await;
    assert_eq!(unnamed, refused(400, "InvalidParameter"));
    let hardware = [
        ("ProtectionLevel", "HSM"),
        ("EnableAutomaticRotation", "true"),
        ("RotationInterval", "365d"),
    ];
    assert_eq!(house.bad("CreateKey", &hardware).await, refused(400, "InvalidParameter"));
    let b = ("SecretName", "b");
    house.good("CreateSecret", &[b, V1, ("SecretData", "x"), within, key]).await;
    let policy = house.good("GetSecretPolicy", &[b]).await["Policy"].as_str().unwrap().to_owned();
    house.good("SetSecretPolicy", &[b, ("Policy", &policy)]).await;
    let shared = house.bad("SetSecretPolicy", &[NAME, ("Policy", &policy)]).await;
    assert_eq!(shared, refused(400, "Forbidden.KeyPolicyUnSupported"));
    let filter = json!([{"Key": "DKMSInstanceId", "Values": [instance]}]).to_string();
    let listed = house.good("ListSecrets", &[("Filters", &filter)]).await;
    assert_eq!(listed["SecretList"]["Secret"][0]["SecretName"], "b");
    assert_eq!(house.good("ListKeys", &[("Filters", &filter)]).await["TotalCount"], 1);
}

#[tokio::test]
async fn pages_are_whole_from_either_end() {
    let house = House::start().await;
    for at in 0..7 {
        let name = format!("s{at}");
        house.good("CreateSecret", &[("SecretName", &name), V1, ("SecretData", "x")]).await;
    }
    let mut names = Vec::new();
    for page in ["1", "2", "3", "4", "5"] {
        let page = house.good("ListSecrets", &[("PageNumber", page), ("PageSize", "2")]).await;
        assert_eq!(page["TotalCount"], 7);
        let secrets = page["SecretList"]["Secret"].as_array().unwrap();
        names
            .extend(secrets.iter().map(|secret| secret["SecretName"].as_str().unwrap().to_owned()));
    }
    assert_eq!(names, ["s0", "s1", "s2", "s3", "s4", "s5", "s6"]);
}

#[tokio::test]
async fn faults_are_played_and_logged() {
    let house = house_with_secret().await;
    house.fault("[[rule]]\ntimes = 1\neffect = 'throttle'");
    assert_eq!(house.bad("GetSecretValue", &[NAME]).await, refused(429, "Rejected.Throttling"));
    house.good("GetSecretValue", &[NAME]).await;
    let cut = |effect: &str| house.fault(&format!("[[rule]]\ntimes = 1\neffect = '{effect}'"));
    cut("cut_before");
    let put = put("v2", "second");
    assert_eq!(house.send("PutSecretValue", &put).await.unwrap_or_default(), "");
    assert_eq!(house.value(&[NAME]).await, "first-value-ü");
    cut("cut_after");
    assert_eq!(house.send("PutSecretValue", &put).await.unwrap_or_default(), "");
    assert_eq!(house.value(&[NAME]).await, "second");
    cut("hang");
    let hung =
        tokio::time::timeout(Duration::from_millis(200), house.send("GetSecretValue", &[NAME]));
    assert!(hung.await.is_err());
    cut("lie_version");
    assert_eq!(house.good("GetSecretValue", &[NAME]).await["VersionId"], "v2-other");
    cut("echo");
    let (status, echo) = house.call("PutSecretValue", &put).await;
    assert_eq!((status, echo["Code"].as_str()), (400, Some("SignatureDoesNotMatch")));
    assert!(echo["Message"].as_str().unwrap().contains("SecretData%3Dsecond"));
    house.fault(r#"{"rule":[{"effect":{"override":{"Description":"other"}}}]}"#);
    assert_eq!(house.good("DescribeSecret", &[NAME]).await["Description"], "other");
    house.fault("clock_offset_seconds = 901");
    assert_eq!(
        house.bad("GetSecretValue", &[NAME]).await,
        refused(400, "InvalidTimeStamp.Expired")
    );
    house.fault("security_tokens = ['a']");
    assert_eq!(house.bad("GetSecretValue", &[NAME]).await, refused(400, "MissingSecurityToken"));
    house.good("GetSecretValue", &[NAME, ("SecurityToken", "a")]).await;
    let log = house.log();
    assert!(
        log.contains(r#""status":429,"code":"Rejected.Throttling","fault":"throttle""#),
        "{log}"
    );
    assert!(log.contains(r#""status":null,"code":null,"fault":"hang""#), "{log}");
}
