//! `kliento serve`: one process that verifies for others, over HTTP.
//!
//! The [configuration](config) says what is served and within which [`limits`], and the [`plan`] tells people what that
//! comes to. The [`server`] serves connections, which come in by a [`listener`], in [`tls`] or without, and gives each
//! request to the [`endpoints`] or to the [`operations`]; [`connections`] and [`streams`] see to it that slow clients
//! don't keep others out. [`metrics`], [`audit`] and [`log`] keep the record.

mod address;
mod audit;
pub(crate) mod config;
mod connections;
mod counted_body;
mod current;
mod document;
mod endpoints;
#[cfg(feature = "fuzzing")]
#[allow(dead_code, unreachable_pub, reason = "for the library")]
pub mod fuzzing;
mod hosts;
mod limits;
mod listener;
pub(crate) mod log;
mod metrics;
mod operations;
mod plan;
mod server;
mod streams;
mod supervisor;
mod tls;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use kliento::SharedVerifier;
use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};
use tracing::{error, info, warn};

pub(crate) use self::address::Address;
use self::config::{Origin, Settings};
use self::current::Current;
use self::endpoints::Endpoints;
use self::endpoints::gate::Gate;
use self::hosts::Hosts;
use self::limits::{Limits, RESERVED_FILES};
use self::listener::{Listener, Surface};
use self::log::Writing;
use self::metrics::Metrics;
pub(crate) use self::plan::Plan;
use self::server::Server;
use self::tls::Tls;
use crate::fault::Fault;
use crate::output::{self, Output};
use crate::runtime;

/// Any error, as bodies and services of HTTP have them.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The pause between two looks at the TLS files.
const TLS_INTERVAL: Duration = Duration::from_secs(5);
/// The interval at which expired entries are forgotten, rather than when their room is needed.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60);

/// Files that a process may open where nobody says otherwise, on all systems that we know of.
const USUAL_FILES: u64 = 256;

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// The token is good, and does.
    Allow,
    /// It is missing, invalid, or not enough.
    Deny,
    /// There is no verdict: the request can't be understood, or the server is busy.
    Error,
}

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Error => "error",
        }
    }
}

/// The part that the cache had in the verdict on a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CacheUse {
    /// The same token was verified before.
    Hit,
    /// It was verified for this request.
    Miss,
    /// No token was verified.
    None,
}

impl CacheUse {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::None => "none",
        }
    }
}

/// A server that is configured, and checked as far as that is possible before it listens.
pub(crate) struct Service {
    origin: Origin,
    settings: Settings,
    endpoints: Endpoints,
    shared: Shared,
}

/// The parts that outlive each configuration.
struct Shared {
    gate: Arc<Gate>,
    verifier: Arc<Current<SharedVerifier>>,
    metrics: Arc<Metrics>,
    tls: Option<Arc<Tls>>,
}

/// The document that `--json` prints when clients can connect.
#[derive(Serialize)]
struct Listening<'a> {
    status: &'static str,
    addresses: Vec<ListeningAddress<'a>>,
}

#[derive(Serialize)]
struct ListeningAddress<'a> {
    address: String,
    tls: bool,
    serves: &'a str,
}

impl Service {
    pub(crate) fn prepare(origin: Origin) -> Result<(Self, Plan), Fault> {
        let mut settings = origin.load()?;
        let sections = std::mem::take(&mut settings.sections);
        let tls = settings
            .tls
            .clone()
            .map(Tls::load)
            .transpose()?
            .map(Arc::new);
        let verifier = settings.trust.verifier(settings.limits.cache);
        let shared = Arc::new(Current::new(verifier.clone()));
        let metrics = Arc::new(Metrics::new(Some(Arc::clone(&shared)), tls.clone()));
        metrics.trusts(&settings.trust);
        let shared = Shared {
            gate: Arc::new(Gate::new(
                settings.limits.verification,
                Arc::clone(&metrics),
            )),
            verifier: shared,
            metrics,
            tls,
        };
        let mut plan = Plan::new(&settings, &sections, shared.tls.as_deref());
        let endpoints = Endpoints::new(sections, verifier, &shared.gate)?;
        plan.add(endpoints.summary(), endpoints.warnings());
        let service = Self {
            origin,
            settings,
            endpoints,
            shared,
        };
        Ok((service, plan))
    }

    /// Serves until a signal comes.
    pub(crate) fn run(self, plan: &Plan, output: &Output) -> Result<(), Fault> {
        let log = self.settings.log.begin()?;
        warn_of(plan);
        let threads = self.settings.limits.verification.concurrent;
        runtime::block_on_all_cores(threads, self.serve(log, output))?
    }

    async fn serve(self, log: Writing, output: &Output) -> Result<(), Fault> {
        // Before anything else, since until then a signal ends the process at once.
        let mut signals = Signals::new()?;
        let limits = with_files_for_all(self.settings.limits);
        let listeners = bind(&self.settings, self.shared.tls.as_ref())?;
        announce(&listeners, output)?;

        let (shutdown, ending) = watch::channel(false);
        let metrics = Arc::clone(&self.shared.metrics);
        let hosts = Hosts::new(self.settings.hosts.clone());
        let server = Server::new(self.endpoints, metrics, limits, hosts, ending);
        let server = Arc::new(server);
        // Clients that have connected since the sockets were bound are answered from here on.
        server.operations.set_ready(true);
        let (mut accepting, mut for_operators) = (JoinSet::new(), JoinSet::new());
        for listener in listeners {
            let tasks = match listener.surface {
                Surface::Operations => &mut for_operators,
                Surface::Endpoints | Surface::Everything => &mut accepting,
            };
            tasks.spawn(Arc::clone(&server).accept_from(listener));
        }
        tokio::spawn(forget_the_expired(Arc::clone(&self.shared.verifier)));
        supervisor::ready();

        let mut running = Running {
            origin: self.origin,
            settings: self.settings,
            shared: self.shared,
            server: Arc::clone(&server),
            log,
        };
        running.attend(&mut signals).await;

        supervisor::stopping();
        server.operations.set_ready(false);
        let (delay, time) = (
            running.settings.shutdown_delay,
            running.settings.shutdown_timeout,
        );
        let in_good_order = async {
            if !delay.is_zero() {
                info!(
                    target: log::TARGET,
                    seconds = delay.as_secs(),
                    "not ready any more; requests are still accepted for this long"
                );
                sleep(delay).await;
            }
            info!(target: log::TARGET, seconds = time.as_secs(), "shutting down");
            // Only those who have gone already could not be told.
            let _ = shutdown.send(true);
            server.drain(accepting, time).await;
        };
        tokio::select! {
            () = in_good_order => {
                for_operators.shutdown().await;
                info!(target: log::TARGET, "done");
                Ok(())
            }
            () = signals.end() => Err(Fault::failure(
                "a second signal arrived; requests in flight were cut off",
            )),
        }
    }
}

fn warn_of(plan: &Plan) {
    for warning in plan.warnings() {
        warn!(target: log::TARGET, "{warning}");
    }
}

/// A server that clients can connect to, and the configuration in force.
struct Running {
    origin: Origin,
    settings: Settings,
    shared: Shared,
    server: Arc<Server>,
    log: Writing,
}

impl Running {
    /// Sees to changed files until it is time to end.
    async fn attend(&mut self, signals: &mut Signals) {
        let mut look = interval(TLS_INTERVAL);
        loop {
            tokio::select! {
                wish = signals.next() => match wish {
                    Wish::End => return,
                    Wish::Reload => self.reload(),
                },
                _ = look.tick() => self.refresh(),
            }
        }
    }

    /// Reads the configuration again, and everything that it names. Whatever is wrong with any of it leaves all in force
    /// that was before.
    fn reload(&mut self) {
        supervisor::reloading();
        info!(target: log::TARGET, "reloading the configuration, the trust anchors, and the TLS certificate and key");
        let outcome = self.try_to_reload();
        self.server.metrics.configured(outcome.is_ok());
        match outcome {
            Ok(()) => {
                info!(target: log::TARGET, "new requests use the new configuration");
                supervisor::reloaded("the configuration was reloaded");
            }
            Err(fault) => {
                for message in fault.messages() {
                    error!(
                        target: log::TARGET,
                        error = message,
                        "the new configuration is unusable; keeping the previous one"
                    );
                }
                supervisor::reloaded(
                    "the new configuration is unusable; the previous one is in force",
                );
            }
        }
    }

    fn try_to_reload(&mut self) -> Result<(), Fault> {
        let mut settings = self.origin.load_again()?;
        let sections = std::mem::take(&mut settings.sections);
        let tls = match (&self.shared.tls, &settings.tls) {
            (Some(tls), Some(files)) => tls.prepare(files)?,
            _ => None,
        };
        // Under other trust nothing holds that was remembered before.
        let is_trust_the_same = settings.trust.is_that_of(&self.settings.trust);
        let verifier = if is_trust_the_same {
            self.shared.verifier.get().as_ref().clone()
        } else {
            settings.trust.verifier(self.settings.limits.cache)
        };
        let mut plan = Plan::new(&settings, &sections, self.shared.tls.as_deref());
        let endpoints = Endpoints::new(sections, verifier.clone(), &self.shared.gate)?;
        plan.add(endpoints.summary(), endpoints.warnings());

        // From here on nothing fails.
        self.log.follow(settings.log);
        warn_of(&plan);
        for key in settings.fixed_keys_that_differ(&self.settings) {
            warn!(target: log::TARGET, key, "this key has changed; the change needs a restart");
        }
        if !is_trust_the_same {
            self.shared.metrics.trusts(&settings.trust);
            self.shared.verifier.replace(verifier);
        }
        self.server.endpoints.replace(endpoints);
        self.server
            .hosts
            .replace(Hosts::new(settings.hosts.clone()));
        if let (Some(tls), Some(prepared)) = (&self.shared.tls, tls)
            && tls.replace(prepared)
        {
            self.renewed();
        }
        settings.keep_fixed(&self.settings);
        self.settings = settings;
        Ok(())
    }

    /// Looks at the TLS files.
    fn refresh(&self) {
        let Some(tls) = &self.shared.tls else {
            return;
        };
        match tls.refresh() {
            Ok(false) => {}
            Ok(true) => self.renewed(),
            Err(fault) => {
                self.server.metrics.reloaded(false);
                error!(
                    target: log::TARGET,
                    error = fault.message(),
                    "the new TLS files are unusable; keeping the previous certificate"
                );
            }
        }
    }

    fn renewed(&self) {
        self.server.metrics.reloaded(true);
        info!(target: log::TARGET, "new connections use the new certificate");
    }
}

async fn forget_the_expired(verifier: Arc<Current<SharedVerifier>>) {
    let mut minute = interval(EXPIRY_INTERVAL);
    loop {
        minute.tick().await;
        verifier.get().remove_expired();
    }
}

/// Raises the limit of open files to what connections need, or lowers their number to what there is.
fn with_files_for_all(limits: Limits) -> Limits {
    let wanted = limits.files();
    let granted = rlimit::increase_nofile_limit(wanted)
        .or_else(|_| rlimit::getrlimit(rlimit::Resource::NOFILE).map(|(soft, _)| soft))
        .unwrap_or(USUAL_FILES);
    if granted >= wanted {
        return limits;
    }
    let connections = usize::try_from(granted.saturating_sub(RESERVED_FILES)).unwrap_or(usize::MAX);
    let connections = connections.max(1);
    warn!(
        target: log::TARGET,
        wanted,
        granted,
        connections,
        "the limit of open files is too low for all connections, so fewer are accepted; raise LimitNOFILE= or `ulimit \
         -Hn`"
    );
    Limits {
        connections,
        ..limits
    }
}

fn bind(settings: &Settings, tls: Option<&Arc<Tls>>) -> Result<Vec<Listener>, Fault> {
    let surface = if settings.operations_listen.is_empty() {
        Surface::Everything
    } else {
        Surface::Endpoints
    };
    let endpoints = settings.listen.iter();
    let endpoints = endpoints.map(|address| Listener::bind(address, surface, tls.cloned()));
    let operations = settings.operations_listen.iter();
    // For probes and scrapers, which have no business outside.
    let operations = operations.map(|address| Listener::bind(address, Surface::Operations, None));
    endpoints.chain(operations).collect()
}

/// Says where clients can connect, ports included that the system chose.
fn announce(listeners: &[Listener], output: &Output) -> Result<(), Fault> {
    let addresses: Vec<_> = listeners
        .iter()
        .map(|listener| ListeningAddress {
            address: listener.address.to_string(),
            tls: listener.tls.is_some(),
            serves: listener.surface.name(),
        })
        .collect();
    for listening in &addresses {
        info!(
            target: log::TARGET,
            address = listening.address,
            tls = listening.tls,
            serves = listening.serves,
            "listening"
        );
    }
    if !output.is_json() {
        return Ok(());
    }
    output::json(&Listening {
        status: "listening",
        addresses,
    })
}

/// The signals of the system and of people.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> Result<Self, Fault> {
        let listen_for = |kind| {
            signal(kind)
                .map_err(|error| Fault::failure(format!("cannot listen for signals: {error}")))
        };
        Ok(Self {
            terminate: listen_for(SignalKind::terminate())?,
            interrupt: listen_for(SignalKind::interrupt())?,
            hang_up: listen_for(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::End,
            _ = self.interrupt.recv() => Wish::End,
            _ = self.hang_up.recv() => Wish::Reload,
        }
    }

    /// Until the process is to end.
    async fn end(&mut self) {
        while self.next().await != Wish::End {}
    }
}

/// The request that a signal makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// The process is to end.
    End,
    /// The configuration is to be read again.
    Reload,
}
