//! `kliento serve`: see [`crate::serve`].

use std::path::PathBuf;

use clap::Args;
use kliento::{Audience, SubjectPattern};
use serde_json::json;

use crate::arguments::{self, AnchorArguments, PolicyArguments};
use crate::duration::Duration;
use crate::fault::Fault;
use crate::input::Source;
use crate::output::Output;
use crate::serve::config::{Flags, Origin, SAMPLE};
use crate::serve::log::{Format, Level};
use crate::serve::{Address, Service};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  kliento serve --audience https://app.example.com --allow '*@example.com'
      Behind nginx, Caddy, Traefik, HAProxy or Envoy, on 127.0.0.1:8080:
      whoever has a valid token of example.com may pass, nobody else may.
      Ask at /auth/nginx, /auth/caddy, …
  kliento serve --config kliento.toml --check
      Is the file in order, what will be served, and how much memory can it
      take?
  kliento serve --sample > kliento.toml
      A file to start from. It says what there is for nginx, Kubernetes and
      others.
  kliento serve --config kliento.toml --listen '[::]:443' \\
      --tls-certificate server.pem --tls-key server.key \\
      --operations-listen 127.0.0.1:9090
      With TLS. Add --verifier to let others ask by the API of Kliento
      Verifier.

Flags win over the file. SIGTERM ends it once all requests are answered.
SIGHUP reloads the file, the trust anchors and the TLS files; addresses and
limits need a restart.")]
pub(crate) struct Arguments {
    /// The configuration, in TOML; - for stdin.
    #[arg(long, value_name = "FILE")]
    config: Option<Source>,

    /// Check the configuration, print what would be served and the memory that it can take, and exit.
    #[arg(long)]
    check: bool,

    /// Print a configuration with every key, explained, and exit.
    #[arg(long)]
    sample: bool,

    /// Where to listen: `IP:PORT`, or `unix:/PATH`; may be given several times. 127.0.0.1:8080 unless told otherwise.
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<Address>,

    /// Serve /healthz, /readyz and /metrics here, without TLS, and nowhere else; may be given several times.
    #[arg(long, value_name = "ADDRESS")]
    operations_listen: Vec<Address>,

    /// The audience that tokens must name, for forward authentication.
    #[arg(long, allow_hyphen_values = true, value_parser = arguments::hyphenated::<Audience>())]
    audience: Option<Audience>,

    /// Let these subjects pass in forward authentication, on any host and path; may be given several times. Such as
    /// alice@example.com, *@example.com, ci-*@example.com, *@*.example.com, or example.com for its bot.
    #[arg(long, value_name = "PATTERN")]
    allow: Vec<SubjectPattern>,

    /// Serve the API of Kliento Verifier, POST /?audience=…, to everybody who can connect. The section [verifier] of the
    /// configuration does, too.
    #[arg(long)]
    verifier: bool,

    #[command(flatten)]
    anchors: AnchorArguments,

    #[command(flatten)]
    policy: PolicyArguments,

    /// How far the clocks of clients may be off.
    #[arg(long, value_name = "DURATION")]
    clock_skew: Option<Duration>,

    /// The server's certificate and those that lead to its root (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,

    /// The certificate's private key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,

    /// Format of the lines on stderr.
    #[arg(long, value_name = "FORMAT")]
    log: Option<Format>,

    /// Lowest level to log. Decisions are always logged, unless the file turns them off.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<Level>,
}

impl Arguments {
    pub(crate) fn run(self, output: &Output) -> Result<(), Fault> {
        if self.sample {
            return output.product(&json!({"configuration": SAMPLE}), &SAMPLE);
        }
        let check = self.check;
        let (service, plan) = Service::prepare(self.origin())?;
        if check {
            return output.result(&plan, &plan);
        }
        service.run(&plan, output)
    }

    fn origin(self) -> Origin {
        let flags = Flags {
            listen: self.listen,
            operations_listen: self.operations_listen,
            audience: self.audience,
            allow: self.allow,
            verifier: self.verifier,
            trust_anchors: self.anchors.source().cloned(),
            clock_skew: self.clock_skew,
            allow_algorithms: self.policy.allowed().to_vec(),
            dialect: self.policy.dialect(),
            tls: self.tls_certificate.zip(self.tls_key),
            log: self.log,
            log_level: self.log_level,
        };
        Origin {
            file: self.config,
            flags,
        }
    }
}
