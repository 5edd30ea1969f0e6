//! `kms-mcp serve`: MCP over stdio.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;

use super::signals::Signals;
use super::{Failure, State};
use crate::anchor::{Anchors, check_program};
use crate::approval::Page;
use crate::audit::{Approval, Event};
use crate::client::{Client, Signature, Transport};
use crate::clock::{Clock, to_seconds};
use crate::config::{Config, state_dir};
use crate::credentials::{Credential, Credentials, Region, profiles_file};
use crate::emulator::{Behaviour, Emulator, Options};
use crate::env::{BACKEND, ENDPOINT, Env, POLICY, REGION};
use crate::factor::{Factor, Pinned, set_at};
use crate::files::{Links, PathError, absolute, private_folder, state_folder};
use crate::guard::policy::{InForce, Policy, SHIPPED};
use crate::guard::{Guard, Identity, Limits};
use crate::mcp;
use crate::pipeline::{Endpoint, Listed, Pipeline, Place, SecretLocks, Versions};
use crate::scrub::Scrubber;
use crate::store::Store;
use crate::values::{Allowed, Closed, Folder};

/// Flags of `serve`. They choose and tighten; none skips a step.
#[derive(Debug, Default, Args)]
pub(super) struct Flags {
    /// Where the KMS is [env: KMS_MCP_BACKEND; default: alibaba]
    #[arg(long, value_enum)]
    backend: Option<Backend>,
    /// Region of calls that name none
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// KMS endpoint to use instead of the region's; another host has to be listed in config.toml [env: KMS_MCP_ENDPOINT]
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    #[command(flatten)]
    state: State,
    /// Signature of requests; rpc1 is for gateways that need it [default: acs3]
    #[arg(long, value_enum)]
    signature: Option<SignatureFlag>,
    /// A second policy; the stricter verdict stands [env: KMS_MCP_POLICY]
    #[arg(long, value_name = "NAME|PATH")]
    policy: Option<String>,
}

/// How requests are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SignatureFlag {
    /// ACS3-HMAC-SHA256
    Acs3,
    /// RPC HMAC-SHA1
    Rpc1,
}

impl From<SignatureFlag> for Signature {
    fn from(flag: SignatureFlag) -> Self {
        match flag {
            SignatureFlag::Acs3 => Self::Acs3,
            SignatureFlag::Rpc1 => Self::Rpc1,
        }
    }
}

/// Where the KMS is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// Alibaba Cloud
    Alibaba,
    /// In this process; needs no account
    Embedded,
}

#[expect(clippy::derivable_impls, reason = "clap derives Args, not Default, for flattened parts")]
impl Default for State {
    fn default() -> Self {
        Self { state_dir: None }
    }
}

pub(super) async fn run(flags: Flags, env: Env, scrubber: Scrubber) -> Result<ExitCode, Failure> {
    let signals = Signals::listen()?;
    let Serving { pipeline, store, patience, own, ends } = assemble(&flags, env, scrubber).await?;
    let audit = pipeline.audit.clone();
    tracing::info!("serving MCP on stdio");
    let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
    let served = mcp::serve(Arc::new(pipeline), patience, input, output, signals.stopping()).await;
    // The end of the log first: a store that another program locks may take all the time there is.
    audit.stop().await;
    store.close(own, ends.now_ms()).await;
    served?;
    Ok(ExitCode::SUCCESS)
}

/// A server put together.
struct Serving {
    pipeline: Pipeline,
    store: Store,
    patience: mcp::Patience,
    /// The name of this process in the store, and the clock that says when it ended.
    own: String,
    ends: Clock,
}

async fn assemble(flags: &Flags, env: Env, scrubber: Scrubber) -> Result<Serving, Failure> {
    let config = Config::load(&env)?;
    let state = state_folder(&state_dir(flags.state.state_dir.clone(), &env)?)?;
    let clock = Clock::system();
    let second = flags.policy.clone().or_else(|| env.get(POLICY).map(str::to_owned));
    let second = second.map(|named| policy(&named, &env)).transpose()?;
    let policy = in_force(&config, &env)?.tightened(second);
    let backend = backend(flags, &env)?;
    let listed = Listed::parse(config.endpoints())?;
    let trusted = match backend {
        Backend::Alibaba => config.trusted(&env)?,
        Backend::Embedded => Vec::new(),
    };
    for name in &trusted {
        tracing::warn!("{name} replaces the certificates that the system trusts");
    }
    let signature = flags.signature.map(Signature::from).unwrap_or_default();
    let instance = instance()?;

    let store = Store::open(&state)?;
    store.tidy(clock.now_ms()).await?;
    let factor = Factor::pin(&state)?;
    let anchors = Anchors {
        settings: config.is_anchored,
        approver: factor.is_anchored(),
        program: check_program().is_ok(),
    };
    let start = Event {
        policy_digest: Some(policy.digest()),
        approval: match factor.known() {
            Pinned::Key(key) => Some(Approval {
                key: Some(key.name()),
                set_at: set_at(&state).map(to_seconds),
                ..Approval::default()
            }),
            Pinned::Unset | Pinned::Changed | Pinned::Unread => None,
        },
        loosened: config.loosened(&trusted),
        anchored: Some(anchors.names().into()),
        program: Some(anchors.owner_of_program().into()),
        ..Event::default()
    };
    let audit = super::audit::open(&state, &config, &clock, &instance, start)?;
    let env = Arc::new(env);
    let place = match backend {
        Backend::Embedded => embedded(&state.join("embedded"), &clock).await?,
        Backend::Alibaba => {
            let named = flags.endpoint.as_deref().or_else(|| env.get(ENDPOINT));
            let endpoint = named.map(|named| Endpoint::named(named, &listed)).transpose()?;
            let region = region(flags, &env, &config);
            let credentials = Credentials::Chain(Arc::clone(&env));
            for remark in credentials.remarks() {
                tracing::info!("{remark}");
            }
            Place::new(credentials, endpoint, region)?
        }
    };
    let (name, own, ends) = (instance.clone(), instance.clone(), clock.clone());
    let approve = flags.state.approve_command(&env, &state);
    let command = approve.clone();
    let mut page = Page::new(&state, store.clone(), audit.clone(), clock.clone(), name, command);
    if config.opens_browser() {
        page = page.in_browser(&env);
    }
    let sources = sources(&config, &state)?;
    let disclosed = config.destinations.folder.clone().unwrap_or_else(|| state.join("disclosed"));
    let closed = Closed {
        destination: disclosed.clone(),
        state: state.clone(),
        profiles: profiles_file(&env),
    };
    let allowed = Allowed::new(config.source_names(), sources, closed)?;
    let pipeline = Pipeline {
        guard: Guard::new(
            policy,
            store.clone(),
            audit.clone(),
            clock.clone(),
            factor,
            limits(&config),
            Identity { instance, anchors },
        )
        .map_err(|_| no_randomness())?
        .requiring_factor(config.require_factor()),
        client: Client::new(Transport::new(&env)?, signature, clock),
        audit: audit.clone(),
        page,
        place,
        allowed: Arc::new(allowed),
        disclosed: Folder::new(disclosed),
        locks: SecretLocks::new(state.join("locks")),
        env,
        scrubber,
        versions: Versions::default(),
        wait: config.wait(),
        approve,
        calls: AtomicU64::new(0),
    };
    let patience = mcp::Patience { ask: config.ask(), progress: config.progress() };
    Ok(Serving { pipeline, store, patience, own, ends })
}

/// The region of calls that name none, but for that of the profile.
fn region(flags: &Flags, env: &Env, config: &Config) -> Option<Region> {
    let (id, place) = match (&flags.region, env.first(&REGION), &config.region) {
        (Some(id), _, _) => (id.clone(), "`--region`".to_owned()),
        (None, Some((name, id)), _) => (id.to_owned(), format!("`{name}`")),
        (None, None, Some(id)) => (id.clone(), "`region` of config.toml".to_owned()),
        (None, None, None) => return None,
    };
    Some(Region { id, place })
}

/// The policies of the settings, which judge each call together.
pub(super) fn in_force(config: &Config, env: &Env) -> Result<InForce, Failure> {
    let (base, further) = config.policies();
    let further = further.map(|named| policy(named, env)).collect::<Result<Vec<_>, _>>()?;
    Ok(InForce::new(policy(base, env)?, further))
}

/// A shipped policy by name, or a file by absolute path: never one of the working folder.
pub(super) fn policy(named: &str, env: &Env) -> Result<Policy, Failure> {
    if let Some(policy) = Policy::named(named) {
        return Ok(policy?);
    }
    match absolute(Path::new(named), env.home()) {
        Ok(path) => Ok(Policy::load(&path)?),
        Err(PathError::Relative) => Err(Failure(format!(
            "`{named}` is neither a shipped policy ({}) nor an absolute path",
            SHIPPED.join(", ")
        ))),
        Err(error) => Err(Failure(format!("the policy `{named}` {error}"))),
    }
}

fn backend(flags: &Flags, env: &Env) -> Result<Backend, Failure> {
    match (flags.backend, env.get(BACKEND)) {
        (Some(backend), _) => Ok(backend),
        (None, None | Some("alibaba")) => Ok(Backend::Alibaba),
        (None, Some("embedded")) => Ok(Backend::Embedded),
        (None, Some(_)) => Err(Failure(format!("`{BACKEND}` must be `alibaba` or `embedded`"))),
    }
}

/// Names this process in audit files and records: 64 random bits.
pub(super) fn instance() -> Result<String, Failure> {
    use ring::rand::{SecureRandom, SystemRandom};
    let mut bytes = [0_u8; 8];
    SystemRandom::new().fill(&mut bytes).map_err(|_| no_randomness())?;
    Ok(crate::hex::encode(&bytes))
}

fn no_randomness() -> Failure {
    Failure("the operating system's random generator failed".into())
}

/// How often a person is asked.
fn limits(config: &Config) -> Limits {
    let (given, default) = (&config.limits, Limits::default());
    let number = |given: Option<u64>| given.and_then(|given| u32::try_from(given).ok());
    Limits {
        pending: number(given.pending).unwrap_or(default.pending),
        questions: number(given.questions).unwrap_or(default.questions),
        cool_off_ms: number(given.cool_off_seconds)
            .map_or(default.cool_off_ms, |seconds| i64::from(seconds) * 1000),
    }
}

/// The folders that values may come from.
fn sources(config: &Config, state: &Path) -> Result<Vec<PathBuf>, Failure> {
    if let Some(folders) = &config.sources.files {
        return Ok(folders.clone());
    }
    // No link: it would lead to a folder that is not ours to close.
    Ok(vec![private_folder(&state.join("values"), Links::Refused)?])
}

/// Starts the embedded KMS on a loopback port and points the calls to it.
async fn embedded(data: &Path, clock: &Clock) -> Result<Place, Failure> {
    let options = Options {
        data: data.to_owned(),
        clock: clock.clone(),
        faults: None,
        requests: None,
        behaviour: Behaviour::default(),
    };
    let emulator = Emulator::open(options)?;
    let identity = emulator.identity();
    let region = Region { id: identity.region_id.clone(), place: "the embedded KMS".into() };
    let account = identity.account_id.clone();
    let credential = Credential::new(
        crate::sensitive::Sensitive::new(identity.access_key_id.clone()),
        copy(&identity.access_key_secret),
        None,
        "the embedded KMS",
    );
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let endpoint = Endpoint::embedded(listener.local_addr()?);
    tokio::spawn(emulator.serve(listener, std::future::pending()));
    let credentials = Credentials::Fixed(Arc::new(credential));
    Ok(Place::new(credentials, Some(endpoint), Some(region))?.with_account(&account))
}

fn copy(secret: &crate::sensitive::Sensitive) -> crate::sensitive::Sensitive {
    #[expect(
        clippy::disallowed_methods,
        reason = "to the client that signs with it, in this process"
    )]
    crate::sensitive::Sensitive::new(secret.expose().to_owned())
}

#[cfg(test)]
mod work;
