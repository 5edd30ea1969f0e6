//! The page: a person decides in a browser, on the loopback address, for the life of a server.
//!
//! Its address is no secret from the agent, which is told it, and so it is no permission: without
//! a PIN any program of the same user can decide here, as it can in the terminal. With one, every
//! decision wants the PIN in the same request; nothing is ever remembered of an earlier one.
//!
//! `checks` who may ask at all · `loopback` and `connections` its sockets · `visit` a request, answered · `form` what a person sends · `seal`
//! ties a form to one record · `posted` the channel · `shown` values for the person · `view` and `style` what is seen · `browser`

mod browser;
mod checks;
mod connections;
mod form;
mod loopback;
mod posted;
mod seal;
mod shown;
mod style;
mod view;
mod visit;

use std::path::Path;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::OnceCell;

use super::command::ApproveCommand;
use crate::audit::AuditLog;
use crate::clock::Clock;
use crate::env::Env;
use crate::guard::approval::token_hash;
use crate::hex;
use crate::sensitive::Sensitive;
use crate::store::Store;

use browser::Browser;
use loopback::Loopback;
use seal::Sealer;
use shown::Shown;
pub(crate) use shown::Viewer;
use visit::Site;

/// The page of this process. It opens with the first question that has an address.
#[derive(Debug)]
pub(crate) struct Page {
    store: Store,
    audit: AuditLog,
    clock: Clock,
    state: std::path::PathBuf,
    /// Names this server in records.
    instance: String,
    command: ApproveCommand,
    browser: Option<Browser>,
    site: OnceCell<Arc<Site>>,
}

impl Page {
    /// A page over the questions in `store`, not open yet.
    pub(crate) fn new(
        state: &Path,
        store: Store,
        audit: AuditLog,
        clock: Clock,
        instance: String,
        command: ApproveCommand,
    ) -> Self {
        let (state, site) = (state.to_owned(), OnceCell::new());
        Self { store, audit, clock, state, instance, command, browser: None, site }
    }

    /// The person who approved on the page that the value of that question be shown to them there,
    /// and waits.
    pub(crate) fn viewer(&self, token: &Sensitive) -> Option<Viewer> {
        #[expect(clippy::disallowed_methods, reason = "into a hash")]
        let question = token_hash(token.expose());
        self.site.get()?.shown.viewer(question)
    }

    /// Each question is opened in the person's browser, once.
    #[must_use]
    pub(crate) fn in_browser(mut self, env: &Env) -> Self {
        self.browser = Some(Browser::of(env));
        self
    }

    /// Where the question of that token can be decided. `None`: there is no page to be had.
    pub(crate) async fn address(&self, token: &str) -> Option<String> {
        let site = match self.site.get_or_try_init(|| self.open()).await {
            Ok(site) => site,
            Err(error) => {
                tracing::warn!("the approval page could not be opened ({})", error.kind());
                return None;
            }
        };
        let hash = token_hash(token);
        let address = site.address(&hash);
        if let Some(browser) = &self.browser {
            browser.open_once(hash, &address);
        }
        Some(address)
    }

    async fn open(&self) -> std::io::Result<Arc<Site>> {
        let mut path = [0_u8; 16];
        let sealer = SystemRandom::new().fill(&mut path).and_then(|()| Sealer::new());
        let sealer = sealer
            .map_err(|_| std::io::Error::other("the operating system's random generator failed"))?;
        let loopback = Loopback::bind().await?;
        let site = Arc::new(Site {
            store: self.store.clone(),
            audit: self.audit.clone(),
            clock: self.clock.clone(),
            state: self.state.clone(),
            sealer,
            instance: self.instance.clone(),
            command: self.command.clone(),
            shown: Shown::new(),
            path: hex::encode(&path),
            port: loopback.port,
        });
        tokio::spawn(visit::serve(Arc::clone(&site), loopback));
        Ok(site)
    }
}
