//! Puts one question to everybody, and counts who agrees.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::differences::{DIFFERENCES, explain};
use crate::faults::FAULTS;
use crate::hickory::Hickory;
use crate::ours::{self, INCONSISTENT};
use crate::peers::Peers;
use crate::plan::{Asked, Kind};
use crate::scene::Scene;
use crate::serve::Server;
use crate::verdict::{Outcome, Verdict};

/// Somebody else's validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Peer {
    Unbound,
    Bind,
    Hickory,
}

impl Peer {
    pub(crate) const ALL: [Self; 3] = [Self::Unbound, Self::Bind, Self::Hickory];

    /// Whether it does what a question needs. hickory's validator looks at one response at a time, knows no DNAME, and
    /// refuses many a denial that follows an alias or goes with a wildcard.
    fn answers(self, asked: &Asked) -> bool {
        let is_dname = asked
            .name
            .labels()
            .iter()
            .any(|label| label.starts_with(b"dname"));
        let is_too_much = matches!(
            asked.kind,
            Kind::Wildcard
                | Kind::NoDataAtWildcard
                | Kind::AliasByWildcard
                | Kind::AliasToWildcard
                | Kind::AliasToNothing
                | Kind::AliasIntoInsecurity
                | Kind::AliasLoop
                | Kind::LongAliasChain
        );
        self != Self::Hickory || !(is_dname || is_too_much)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Unbound => "unbound",
            Self::Bind => "delv",
            Self::Hickory => "hickory",
        }
    }
}

/// What this crate and one of the others say to one question.
pub(crate) struct Case<'c> {
    pub(crate) scene: &'c Scene,
    pub(crate) asked: &'c Asked,
    pub(crate) peer: Peer,
    pub(crate) ours: &'c Outcome,
    pub(crate) theirs: &'c Outcome,
}

/// What everybody says to one question.
pub(crate) struct Comparison {
    asked: Asked,
    ours: Outcome,
    theirs: Vec<(Peer, Outcome)>,
}

/// All that one worker needs.
pub(crate) struct Judges {
    directory: PathBuf,
    server: Server,
    hickory: Hickory,
}

impl Judges {
    pub(crate) fn start(directory: &Path) -> io::Result<Self> {
        Ok(Self {
            directory: directory.to_owned(),
            server: Server::start()?,
            hickory: Hickory::new()?,
        })
    }

    /// Puts a world's questions to everybody.
    pub(crate) fn compare(&mut self, scene: &Arc<Scene>) -> io::Result<Vec<Comparison>> {
        self.server.show(scene);
        let peers = Peers::configure(&self.directory, self.server.port, &scene.anchors)?;
        let mut comparisons = Vec::new();
        for asked in &scene.asked {
            let ours = ours::judge(scene, asked);
            let mut theirs = Vec::new();
            for peer in Peer::ALL.into_iter().filter(|peer| peer.answers(asked)) {
                let mut outcome = self.ask(peer, &peers, scene, asked)?;
                if outcome.verdict == Verdict::Bogus && ours.verdict != Verdict::Bogus {
                    // On a machine with much to do, a response may have come too late.
                    outcome = self.ask(peer, &peers, scene, asked)?;
                }
                theirs.push((peer, outcome));
            }
            comparisons.push(Comparison {
                asked: asked.clone(),
                ours,
                theirs,
            });
        }
        Ok(comparisons)
    }

    fn ask(
        &self,
        peer: Peer,
        peers: &Peers,
        scene: &Arc<Scene>,
        asked: &Asked,
    ) -> io::Result<Outcome> {
        match peer {
            Peer::Unbound => peers.ask_unbound(asked),
            Peer::Bind => peers.ask_bind(asked),
            Peer::Hickory => Ok(self.hickory.ask(scene, asked)),
        }
    }

    /// A world, its messages, and what everybody says of it in their own words.
    pub(crate) fn show(
        &mut self,
        scene: &Arc<Scene>,
    ) -> Result<String, Box<dyn std::error::Error>> {
        let mut text = String::new();
        writeln!(text, "faults: {}", faults_of(scene))?;
        write!(text, "{}", scene.anchors)?;
        for asked in &scene.asked {
            for response in scene.chain(asked).0 {
                let question = &response.questions[0];
                writeln!(
                    text,
                    "\n{} {} (rcode {})",
                    question.name, question.record_type, response.rcode
                )?;
                for section in [
                    &response.answers,
                    &response.authorities,
                    &response.additionals,
                ] {
                    for record in section {
                        writeln!(text, "  {}", line_of(record))?;
                    }
                    writeln!(text, "  --")?;
                }
            }
        }
        for comparison in self.compare(scene)? {
            let Comparison {
                asked,
                ours,
                theirs,
            } = comparison;
            writeln!(
                text,
                "\n== {:?}: {} {}",
                asked.kind, asked.name, asked.record_type
            )?;
            writeln!(text, "-- this crate: {}\n{}", ours.verdict, ours.words)?;
            for (peer, outcome) in theirs {
                writeln!(
                    text,
                    "-- {}: {}\n{}",
                    peer.name(),
                    outcome.verdict,
                    outcome.words
                )?;
            }
        }
        writeln!(
            text,
            "\nasked of the server: {:?}",
            self.server.take_asked()
        )?;
        Ok(text)
    }
}

fn line_of(record: &kliento_fixtures::Record) -> String {
    let record_type = dnssec::RecordType(record.record_type);
    format!(
        "{} {} CLASS{} {record_type} {}",
        record.owner,
        record.ttl,
        record.class,
        dnssec::rdata_to_text(record_type, &record.rdata)
    )
}

fn faults_of(scene: &Scene) -> String {
    let faults: Vec<String> = scene.faults.iter().map(ToString::to_string).collect();
    if faults.is_empty() {
        "none".to_owned()
    } else {
        faults.join("; ")
    }
}

/// What a run has found.
#[derive(Default)]
pub(crate) struct Report {
    worlds: usize,
    worlds_without_faults: usize,
    questions: usize,
    /// How often each of our verdicts met each of a peer's.
    verdicts: BTreeMap<(Peer, Verdict, Verdict), usize>,
    /// How often a difference, by its index, explained one.
    explained: BTreeMap<(usize, Peer), usize>,
    unexplained: BTreeMap<Peer, usize>,
    faults: BTreeMap<&'static str, usize>,
}

impl Report {
    /// Counts a world's comparisons; gives a line for each disagreement that nothing explains.
    pub(crate) fn enter(&mut self, scene: &Scene, comparisons: &[Comparison]) -> Vec<String> {
        let mut lines = Vec::new();
        self.worlds += 1;
        self.worlds_without_faults += usize::from(scene.faults.is_empty());
        for wrong in &scene.faults {
            *self.faults.entry(wrong.fault).or_default() += 1;
        }
        for comparison in comparisons {
            self.questions += 1;
            for (peer, theirs) in &comparison.theirs {
                let case = Case {
                    scene,
                    asked: &comparison.asked,
                    peer: *peer,
                    ours: &comparison.ours,
                    theirs,
                };
                lines.extend(self.enter_case(&case));
            }
        }
        lines
    }

    fn enter_case(&mut self, case: &Case<'_>) -> Option<String> {
        let (ours, theirs) = (case.ours.verdict, case.theirs.verdict);
        *self.verdicts.entry((case.peer, ours, theirs)).or_default() += 1;
        let is_inconsistent = case.ours.words.starts_with(INCONSISTENT);
        if ours == theirs && !is_inconsistent {
            return None;
        }
        if !is_inconsistent && let Some(difference) = explain(case) {
            *self.explained.entry((difference, case.peer)).or_default() += 1;
            return None;
        }
        *self.unexplained.entry(case.peer).or_default() += 1;
        Some(format!(
            "FAILED world {} [{}] {:?} {} {}: {ours} here, {theirs} to {}: {}",
            case.scene.number,
            faults_of(case.scene),
            case.asked.kind,
            case.asked.name,
            case.asked.record_type,
            case.peer.name(),
            case.ours.words.lines().next().unwrap_or_default(),
        ))
    }

    pub(crate) fn is_explained(&self) -> bool {
        self.unexplained.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{} worlds ({} of them with nothing wrong), {} questions; {} of {} faults occurred",
            self.worlds,
            self.worlds_without_faults,
            self.questions,
            self.faults.len(),
            FAULTS.len(),
        )?;
        writeln!(
            f,
            "\n{:<10} {:>10} {:>10} {:>10}",
            "", "unbound", "delv", "hickory"
        )?;
        let row = |f: &mut fmt::Formatter<'_>, title: &str, count: &dyn Fn(Peer) -> usize| {
            write!(f, "{title:<10}")?;
            for peer in Peer::ALL {
                write!(f, " {:>10}", count(peer))?;
            }
            writeln!(f)
        };
        row(f, "agree", &|peer| {
            self.count(|(whose, ours, theirs)| whose == peer && ours == theirs)
        })?;
        row(f, "explained", &|peer| {
            let of_peer = self
                .explained
                .iter()
                .filter(|((_, whose), _)| *whose == peer);
            of_peer.map(|(_, count)| count).sum()
        })?;
        row(f, "unexplained", &|peer| {
            self.unexplained.get(&peer).copied().unwrap_or(0)
        })?;

        writeln!(
            f,
            "\n{:<10} {:<10} {:>10} {:>10} {:>10}",
            "here", "there", "unbound", "delv", "hickory"
        )?;
        for ours in Verdict::ALL {
            for theirs in Verdict::ALL {
                let counts = Peer::ALL.map(|peer| {
                    self.verdicts
                        .get(&(peer, ours, theirs))
                        .copied()
                        .unwrap_or(0)
                });
                if counts.iter().any(|count| *count > 0) {
                    let [unbound, bind, hickory] = counts;
                    writeln!(
                        f,
                        "{ours:<10} {theirs:<10} {unbound:>10} {bind:>10} {hickory:>10}"
                    )?;
                }
            }
        }
        writeln!(f, "\nDifferences that are explained:")?;
        for (index, difference) in DIFFERENCES.iter().enumerate() {
            let counts: Vec<String> = Peer::ALL
                .into_iter()
                .filter_map(|peer| {
                    let count = self.explained.get(&(index, peer))?;
                    Some(format!("{} {count}", peer.name()))
                })
                .collect();
            if !counts.is_empty() {
                writeln!(f, "  {} ({})", difference.name, counts.join(", "))?;
            }
        }
        Ok(())
    }
}

impl Report {
    /// The verdicts that agree or differ for a known reason, and the others.
    pub(crate) fn passed_and_failed(&self) -> (usize, usize) {
        let failed = self.unexplained.values().sum();
        let all = self.count(|_| true);
        (all.saturating_sub(failed), failed)
    }

    fn count(&self, wanted: impl Fn((Peer, Verdict, Verdict)) -> bool) -> usize {
        let entries = self.verdicts.iter().filter(|(key, _)| wanted(**key));
        entries.map(|(_, count)| count).sum()
    }
}
