//! The dependency budget, `dependency-budget.toml`: the crates by name that a build may compile.
//!
//! A crate that the file does not name fails the check, and so does a name that no build has any more.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::checks;

const BUDGET: &str = include_str!("../dependency-budget.toml");

/// The platform whose crates count, on whichever machine the check runs.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// How often each crate is in a build: twice if it is there in two versions.
type Crates = BTreeMap<String, usize>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    #[serde(rename = "set")]
    sets: Vec<Set>,
}

/// What somebody builds, and the crates that this may take.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Set {
    name: String,
    /// Arguments of `cargo tree`.
    select: Vec<String>,
    /// Counts what is compiled for build scripts, too.
    #[serde(default)]
    with_build: bool,
    /// The name of an earlier set, whose crates are in this one.
    includes: Option<String>,
    /// Crates of the included set that are not in this one.
    #[serde(default)]
    without: BTreeSet<String>,
    crates: Vec<String>,
}

/// Compares each set with what cargo would compile.
pub(crate) fn check() -> Result<(), String> {
    let budget = Budget::parse(BUDGET)?;
    let mut problems = Vec::new();
    for (set, allowed) in budget.resolve()? {
        let found = compiled(set)?;
        println!(
            "{:<20} {:>3} crates",
            set.name,
            found.values().sum::<usize>()
        );
        problems.extend(compare(&set.name, &allowed, &found));
    }
    if problems.is_empty() {
        return Ok(());
    }
    problems.push(
        "update xtask/dependency-budget.toml, and docs/dependencies.md with the reason".into(),
    );
    Err(problems.join("\n"))
}

impl Budget {
    fn parse(text: &str) -> Result<Self, String> {
        let budget: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        for set in &budget.sets {
            if !set.crates.is_sorted() {
                return Err(format!(
                    "the crates of set {:?} are not in alphabetical order",
                    set.name
                ));
            }
        }
        Ok(budget)
    }

    /// The sets, each with all crates that it allows.
    fn resolve(&self) -> Result<Vec<(&Set, Crates)>, String> {
        let mut resolved: Vec<(&Set, Crates)> = Vec::new();
        for set in &self.sets {
            let name = &set.name;
            let find = |wanted: &str| resolved.iter().find(|(earlier, _)| earlier.name == wanted);
            if find(name).is_some() {
                return Err(format!("there are two sets {name:?}"));
            }
            let mut allowed = match &set.includes {
                None => Crates::new(),
                Some(included) => {
                    let (_, crates) = find(included).ok_or_else(|| {
                        format!("set {name:?} includes {included:?}, which is no earlier set")
                    })?;
                    crates.clone()
                }
            };
            for without in &set.without {
                allowed.remove(without).ok_or_else(|| {
                    format!("set {name:?} is without {without}, which it does not include")
                })?;
            }
            for more in &set.crates {
                *allowed.entry(more.clone()).or_default() += 1;
            }
            resolved.push((set, allowed));
        }
        Ok(resolved)
    }
}

/// The packages, by name and version, that cargo compiles for the sets of those names.
pub(crate) fn packages_of(names: &[&str]) -> Result<BTreeSet<(String, String)>, String> {
    let budget = Budget::parse(BUDGET)?;
    let mut all = BTreeSet::new();
    for name in names {
        let set = budget
            .sets
            .iter()
            .find(|set| set.name == *name)
            .ok_or_else(|| {
                let known: Vec<&str> = budget.sets.iter().map(|set| set.name.as_str()).collect();
                format!(
                    "there is no set {name:?} in the budget; there are {}",
                    known.join(", ")
                )
            })?;
        all.extend(packages(&tree_of(set)?));
    }
    Ok(all)
}

/// The crates from a registry that cargo compiles for a set.
fn compiled(set: &Set) -> Result<Crates, String> {
    let crates = crates(&tree_of(set)?);
    if crates.is_empty() {
        return Err(format!("cargo names no crates for set {:?}", set.name));
    }
    Ok(crates)
}

/// The output of `cargo tree` for a set.
fn tree_of(set: &Set) -> Result<String, String> {
    let edges = if set.with_build {
        "normal,build"
    } else {
        "normal"
    };
    let mut arguments = vec!["--edges", edges, "--target", PLATFORM];
    arguments.extend(set.select.iter().map(String::as_str));
    checks::tree(&arguments)
}

/// The crates in the output of `cargo tree`, without those of this workspace.
fn crates(tree: &str) -> Crates {
    let mut crates = Crates::new();
    for (name, _) in packages(tree) {
        *crates.entry(name).or_default() += 1;
    }
    crates
}

/// The same, each with its version.
fn packages(tree: &str) -> BTreeSet<(String, String)> {
    tree.lines()
        // Crates of the workspace have their folder in brackets.
        .filter(|line| !line.contains("(/") && !line.contains(":\\"))
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (name, version) = (words.next()?, words.next()?);
            Some((
                name.to_owned(),
                version.strip_prefix('v').unwrap_or(version).to_owned(),
            ))
        })
        .collect()
}

/// A line for each crate that is in one of the two more often than in the other.
fn compare(set: &str, allowed: &Crates, found: &Crates) -> Vec<String> {
    let names: BTreeSet<&String> = allowed.keys().chain(found.keys()).collect();
    let times = |crates: &Crates, name: &str| crates.get(name).copied().unwrap_or_default();
    names
        .into_iter()
        .filter_map(|name| match (times(allowed, name), times(found, name)) {
            (allowed, found) if allowed == found => None,
            (0, _) => Some(format!("{set}: {name} is new")),
            (_, 0) => Some(format!("{set}: {name} is gone; remove it from the budget")),
            (allowed, found) => Some(format!(
                "{set}: versions of {name}: {found}; in the budget: {allowed}"
            )),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "that is how tests fail")]

    use super::*;

    fn set(name: &str, rest: &str) -> String {
        format!("[[set]]\nname = '{name}'\nselect = ['--package', '{name}']\n{rest}\n")
    }

    fn refused(text: &str) -> String {
        let budget = match Budget::parse(text) {
            Ok(budget) => budget,
            Err(problem) => return problem,
        };
        budget.resolve().unwrap_err()
    }

    fn numbers(crates: &[(&str, usize)]) -> Crates {
        crates
            .iter()
            .map(|(name, times)| ((*name).to_owned(), *times))
            .collect()
    }

    #[test]
    fn the_budget_of_this_repository_is_in_order() {
        let budget = Budget::parse(BUDGET).unwrap();
        assert!(
            budget
                .resolve()
                .unwrap()
                .iter()
                .all(|(_, crates)| !crates.is_empty())
        );
    }

    #[test]
    fn a_set_has_the_crates_of_the_one_that_it_includes() {
        let text = [
            set("a", "crates = ['syn', 'zeroize']"),
            set("b", "includes = 'a'\ncrates = ['syn', 'time']"),
            set(
                "c",
                "includes = 'b'\nwithout = ['zeroize']\nwith-build = true\ncrates = []",
            ),
        ]
        .concat();
        let budget = Budget::parse(&text).unwrap();
        let resolved = budget.resolve().unwrap();
        let crates: Vec<Crates> = resolved.into_iter().map(|(_, crates)| crates).collect();
        assert_eq!(
            crates,
            [
                numbers(&[("syn", 1), ("zeroize", 1)]),
                numbers(&[("syn", 2), ("time", 1), ("zeroize", 1)]),
                numbers(&[("syn", 2), ("time", 1)]),
            ]
        );
    }

    #[test]
    fn a_file_that_contradicts_itself_is_refused() {
        for (sets, problem) in [
            (
                set("a", "crates = ['b', 'a']"),
                "are not in alphabetical order",
            ),
            (
                set("a", "includes = 'a'\ncrates = []"),
                "which is no earlier set",
            ),
            (
                set("a", "without = ['b']\ncrates = ['b']"),
                "which it does not include",
            ),
            (set("a", "crates = []").repeat(2), "there are two sets"),
            (set("a", "crates = []\nmost = 3"), "unknown field"),
        ] {
            let error = refused(&sets);
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn crates_are_counted_once_for_each_version_and_ours_are_not() {
        let tree = "kliento v0.1.0 (/home/somebody/kliento)\n\
                    dnssec v0.1.0 (C:\\kliento\\dnssec)\n\
                    der_derive v0.8.0 (proc-macro)\n\
                    syn v2.0.119\n\
                    syn v3.0.9\n\
                    syn v2.0.119 (*)\n\
                    \n\
                    toml v1.2.1+spec-1.1.0\n";
        assert_eq!(
            crates(tree),
            numbers(&[("der_derive", 1), ("syn", 2), ("toml", 1)])
        );
    }

    #[test]
    fn a_crate_that_is_new_or_gone_is_named() {
        let allowed = numbers(&[("der", 1), ("gone", 1), ("less", 2), ("more", 1)]);
        let found = numbers(&[("der", 1), ("less", 1), ("more", 2), ("new", 1)]);
        assert_eq!(
            compare("s", &allowed, &found),
            [
                "s: gone is gone; remove it from the budget",
                "s: versions of less: 1; in the budget: 2",
                "s: versions of more: 2; in the budget: 1",
                "s: new is new",
            ]
        );
        assert!(compare("s", &allowed, &allowed).is_empty());
    }
}
