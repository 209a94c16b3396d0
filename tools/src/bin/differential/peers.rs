//! Validators that others wrote, run as their users run them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::plan::Asked;
use crate::verdict::{Outcome, Verdict};

/// How long a validator may take over a question, in seconds.
const PATIENCE: &str = "30";

/// The files that configure the validators for one world on one port.
pub(crate) struct Peers {
    port: u16,
    unbound_conf: PathBuf,
    bind_keys: PathBuf,
}

impl Peers {
    /// Writes the files into `directory`, which is there.
    pub(crate) fn configure(directory: &Path, port: u16, anchors: &str) -> io::Result<Self> {
        let unbound_conf = directory.join(format!("unbound-{port}.conf"));
        let bind_keys = directory.join(format!("bind-{port}.keys"));
        fs::write(&unbound_conf, configure_unbound(port, anchors))?;
        fs::write(&bind_keys, configure_bind(anchors))?;
        Ok(Self {
            port,
            unbound_conf,
            bind_keys,
        })
    }

    /// Unbound's verdict, by `unbound-host`.
    pub(crate) fn ask_unbound(&self, asked: &Asked) -> io::Result<Outcome> {
        let output = run(Command::new("timeout")
            .args([PATIENCE, "unbound-host", "-v", "-C"])
            .arg(&self.unbound_conf)
            .args(["-t", &type_name(asked.record_type)])
            .arg(asked.name.to_string()))?;
        Ok(read_unbound(&output))
    }

    /// BIND's verdict, by `delv`.
    pub(crate) fn ask_bind(&self, asked: &Asked) -> io::Result<Outcome> {
        let output = run(Command::new("timeout")
            .args([PATIENCE, "delv", "-4", "@127.0.0.1", "-p"])
            .arg(self.port.to_string())
            .arg("-a")
            .arg(&self.bind_keys)
            .args(["+root=.", "-t", &type_name(asked.record_type), "-q"])
            .arg(asked.name.to_string()))?;
        Ok(read_delv(&output))
    }
}

/// The form of RFC 3597 §5, which needs no table.
fn type_name(record_type: u16) -> String {
    format!("TYPE{record_type}")
}

/// What a command wrote to both its streams.
fn run(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok(text)
}

/// Unbound as it comes, but for what this machine's loopback needs, and with no grace for RRSIGs out of their time
/// (which it gives by default for clocks that are wrong).
fn configure_unbound(port: u16, anchors: &str) -> String {
    let mut text = String::from(
        "server:\n\
         \tmodule-config: \"validator iterator\"\n\
         \tdo-not-query-localhost: no\n\
         \tdo-ip6: no\n\
         \tchroot: \"\"\n\
         \tusername: \"\"\n\
         \tval-sig-skew-min: 0\n\
         \tval-sig-skew-max: 0\n",
    );
    for line in anchors.lines() {
        text.push_str("\ttrust-anchor: \"");
        text.push_str(line);
        text.push_str("\"\n");
    }
    text + &format!("forward-zone:\n\tname: \".\"\n\tforward-addr: 127.0.0.1@{port}\n")
}

/// DS lines as BIND's configuration has them.
fn configure_bind(anchors: &str) -> String {
    let lines = anchors.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let [owner, "IN", "DS", tag, algorithm, digest_type, digest] = fields[..] else {
            return None;
        };
        Some(format!(
            "\t\"{owner}\" static-ds {tag} {algorithm} {digest_type} \"{digest}\";\n"
        ))
    });
    ["trust-anchors {\n".to_owned()]
        .into_iter()
        .chain(lines)
        .chain(["};\n".to_owned()])
        .collect()
}

/// Reads what `unbound-host -v` says: of each answer whether it is `(secure)`, `(insecure)` or `(BOGUS …)`.
fn read_unbound(output: &str) -> Outcome {
    let says = |what: &str| output.contains(what);
    let verdict = if says("(BOGUS") {
        Verdict::Bogus
    } else if says("(insecure)") {
        Verdict::Insecure
    } else if !says("(secure)") {
        Verdict::Bogus
    } else if says("not found: 3(NXDOMAIN)") {
        Verdict::NxDomain
    } else if says("not found: ") {
        Verdict::Bogus
    } else if says(" has no ") {
        Verdict::NoData
    } else {
        Verdict::Secure
    };
    Outcome::new(verdict, output.trim())
}

/// Reads what `delv` says: of the RRsets whether they are `fully validated` or an `unsigned answer`, or why there is
/// none. It says so again only where the next RRset, or the denial after an alias, differs in that.
fn read_delv(output: &str) -> Outcome {
    let says = |what: &str| output.contains(what);
    let verdict = if says("unsigned answer") {
        Verdict::Insecure
    } else if !says("fully validated") {
        Verdict::Bogus
    } else if says(";-$NXDOMAIN") {
        Verdict::NxDomain
    } else if says(";-$NXRRSET") {
        Verdict::NoData
    } else if says("resolution failed") {
        Verdict::Bogus
    } else {
        Verdict::Secure
    };
    Outcome::new(verdict, output.trim())
}
