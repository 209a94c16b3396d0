//! The dependency budget, `dependency-budget.toml`: the crates by name that a build may compile.
//!
//! A crate that the file does not name fails the check, and so does a name that no build has any more. The page
//! `docs/dependencies.md` has a row for each direct dependency, and `docs/unsafe-review.md` one for each crate of a
//! server that verifies; neither has rows for other crates.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::checks;

const BUDGET: &str = include_str!("../dependency-budget.toml");

/// The page with the reasons for direct dependencies, each in a row of a table in [`SECTION`].
const PAGE: &str = include_str!("../../docs/dependencies.md");

/// The page with a row for each crate of the builds in [`REVIEWED`], with the version that was read.
const REVIEW: &str = include_str!("../../docs/unsafe-review.md");

const REVIEWED: [&str; 3] = ["kliento", "kliento-ring", "kliento-axum"];

const SECTION: &str = "## Direct dependencies";

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

/// Compares each set with what cargo would compile, and the pages with it.
pub(crate) fn check() -> Result<(), String> {
    let budget = Budget::parse(BUDGET)?;
    let mut problems = Vec::new();
    let numbers = numbers(PAGE);
    let mut told: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (set, allowed) in budget.resolve()? {
        let found = compiled(set)?;
        let number = found.values().sum::<usize>();
        println!("{:<20} {number:>3} crates", set.name);
        if numbers.get(&set.name) != Some(&number) {
            problems.push(format!(
                "docs/dependencies.md: set {} has {number} crates",
                set.name
            ));
        }
        let differences = compare(&allowed, &found);
        let included = set.includes.as_deref().and_then(|name| told.get(name));
        for (name, problem) in &differences {
            // What is wrong with a set is wrong with those that include it.
            if !included.is_some_and(|told| told.contains(name)) {
                problems.push(format!("{}: {problem}", set.name));
            }
        }
        told.insert(&set.name, differences.into_keys().collect());
    }
    problems.extend(compare_page(&direct()?, &documented(PAGE)));
    let review = compare_review(&packages_of(&REVIEWED)?, &reviewed(REVIEW));
    problems.extend(review.problems);
    for line in review.notes.iter().chain(&problems) {
        println!("{line}");
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} differences; docs/dependencies.md says what to update",
        problems.len()
    ))
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

/// What is wrong, for each crate that is in one of the two more often than in the other.
fn compare(allowed: &Crates, found: &Crates) -> BTreeMap<String, String> {
    let names: BTreeSet<&String> = allowed.keys().chain(found.keys()).collect();
    let times = |crates: &Crates, name: &str| crates.get(name).copied().unwrap_or_default();
    names
        .into_iter()
        .filter_map(|name| {
            let problem = match (times(allowed, name), times(found, name)) {
                (allowed, found) if allowed == found => return None,
                (0, _) => format!("{name} is new"),
                (_, 0) => format!("{name} is gone; remove it from the budget"),
                (allowed, found) => {
                    format!("versions of {name}: {found}; in the budget: {allowed}")
                }
            };
            Some((name.clone(), problem))
        })
        .collect()
}

/// What `cargo metadata` says of a crate of this workspace.
#[derive(Debug, Deserialize)]
struct Member {
    /// The registries that it may be published to; any if there are none here.
    publish: Option<Vec<String>>,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// "dev", "build" or nothing.
    kind: Option<String>,
    /// The folder of a crate of this workspace.
    path: Option<String>,
}

/// The direct dependencies of crates that are published.
fn direct() -> Result<BTreeSet<String>, String> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Member>,
    }
    let metadata: Metadata = checks::metadata(&["--no-deps"])?;
    Ok(direct_of(&metadata.packages))
}

fn direct_of(members: &[Member]) -> BTreeSet<String> {
    members
        .iter()
        .filter(|member| member.publish.as_ref().is_none_or(|to| !to.is_empty()))
        .flat_map(|member| &member.dependencies)
        .filter(|dependency| dependency.path.is_none() && dependency.kind.as_deref() != Some("dev"))
        .map(|dependency| dependency.name.clone())
        .collect()
}

/// The numbers of crates that the page has for sets, and with `-build` behind the name for what builds them.
fn numbers(page: &str) -> BTreeMap<String, usize> {
    let mut numbers = BTreeMap::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", _, set, number, with_build, ""] = cells.as_slice() else {
            continue;
        };
        let set = set.trim_matches('`');
        for (name, number) in [
            (set.to_owned(), number),
            (format!("{set}-build"), with_build),
        ] {
            if let Ok(number) = number.parse() {
                numbers.insert(name, number);
            }
        }
    }
    numbers
}

/// The crates that rows of the page are about.
fn documented(page: &str) -> BTreeSet<String> {
    page.lines()
        .skip_while(|line| *line != SECTION)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| line.strip_prefix("| `")?.split(" | ").next())
        // Every other part stands between backticks.
        .flat_map(|cell| cell.split('`').step_by(2))
        .map(ToOwned::to_owned)
        .collect()
}

fn compare_page(direct: &BTreeSet<String>, documented: &BTreeSet<String>) -> Vec<String> {
    let missing = direct.difference(documented);
    let gone = documented.difference(direct);
    missing
        .map(|name| format!("docs/dependencies.md: no row says why {name} is there"))
        .chain(
            gone.map(|name| {
                format!("docs/dependencies.md: {name} is no direct dependency; remove it")
            }),
        )
        .collect()
}

/// The crates and versions that rows of the review are about.
fn reviewed(page: &str) -> BTreeSet<(String, String)> {
    page.lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
            let version = rest.split(" | ").next()?;
            // Other tables of the page have no versions.
            let is_version = version.starts_with(|first: char| first.is_ascii_digit());
            is_version.then(|| (name.to_owned(), version.to_owned()))
        })
        .collect()
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Review {
    problems: Vec<String>,
    /// A version is built that nobody has read: for people, since updates must not wait for it.
    notes: Vec<String>,
}

fn compare_review(
    built: &BTreeSet<(String, String)>,
    reviewed: &BTreeSet<(String, String)>,
) -> Review {
    let mut review = Review::default();
    for (name, version) in built.difference(reviewed) {
        if reviewed.iter().any(|(other, _)| other == name) {
            review.notes.push(format!(
                "docs/unsafe-review.md: {name} {version} has not been read"
            ));
        } else {
            review.problems.push(format!(
                "docs/unsafe-review.md: no row says what {name} does"
            ));
        }
    }
    for (name, _) in reviewed.difference(built) {
        if built.iter().all(|(other, _)| other != name) {
            review.problems.push(format!(
                "docs/unsafe-review.md: {name} is not built any more; remove it"
            ));
        }
    }
    review
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

    fn counts(crates: &[(&str, usize)]) -> Crates {
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
                counts(&[("syn", 1), ("zeroize", 1)]),
                counts(&[("syn", 2), ("time", 1), ("zeroize", 1)]),
                counts(&[("syn", 2), ("time", 1)]),
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
            counts(&[("der_derive", 1), ("syn", 2), ("toml", 1)])
        );
    }

    #[test]
    fn a_crate_that_is_new_or_gone_is_named() {
        let allowed = counts(&[("der", 1), ("gone", 1), ("less", 2), ("more", 1)]);
        let found = counts(&[("der", 1), ("less", 1), ("more", 2), ("new", 1)]);
        let problems: Vec<String> = compare(&allowed, &found).into_values().collect();
        assert_eq!(
            problems,
            [
                "gone is gone; remove it from the budget",
                "versions of less: 1; in the budget: 2",
                "versions of more: 2; in the budget: 1",
                "new is new",
            ]
        );
        assert!(compare(&allowed, &allowed).is_empty());
    }

    #[test]
    fn direct_dependencies_are_those_of_published_crates() {
        let members = r#"[
            { "publish": null, "dependencies": [
                { "name": "normal", "kind": null },
                { "name": "built-with", "kind": "build" },
                { "name": "tested-with", "kind": "dev" },
                { "name": "ours", "kind": null, "path": "/ours" }
            ] },
            { "publish": ["crates-io"], "dependencies": [{ "name": "published", "kind": null }] },
            { "publish": [], "dependencies": [{ "name": "private", "kind": null }] }
        ]"#;
        let members: Vec<Member> = serde_json::from_str(members).unwrap();
        assert_eq!(
            direct_of(&members),
            names(&["built-with", "normal", "published"])
        );
    }

    #[test]
    fn the_page_has_numbers_of_crates() {
        let page = "| build | set | crates | with what builds it |\n|---|---|--:|--:|\n\
                    | a, b | `a` | 16 | |\n| c | `c` | 75 | 90 |\n| `d` | e | f | MIT |\n| g | `h` | 3 |\n";
        let expected = [("a", 16), ("c", 75), ("c-build", 90)];
        assert_eq!(numbers(page), counts(&expected));
    }

    #[test]
    fn rows_of_one_section_name_crates() {
        let page = "| `before` | a |\n## Direct dependencies\n### One\n| crate | for |\n|---|---|\n\
                    | `a`, `b-c` | `not` this |\nand `not` that\n| `d` | e |\n## Behind\n| `behind` | a |\n";
        assert_eq!(documented(page), names(&["a", "b-c", "d"]));
    }

    #[test]
    fn a_row_that_is_missing_or_of_no_use_is_named() {
        assert_eq!(
            compare_page(&names(&["a", "new"]), &names(&["a", "gone"])),
            [
                "docs/dependencies.md: no row says why new is there",
                "docs/dependencies.md: gone is no direct dependency; remove it",
            ]
        );
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn versions(packages: &[(&str, &str)]) -> BTreeSet<(String, String)> {
        packages
            .iter()
            .map(|(name, version)| ((*name).to_owned(), (*version).to_owned()))
            .collect()
    }

    #[test]
    fn rows_of_the_review_have_versions() {
        let page = "| crate | version | lines |\n|---|---|--:|\n| `syn` | 2.0.1 | 1 |\n| `syn` | 3.0.0+a | 2 |\n\
                    | `ring` | Compiles C | C compiler |\n| a digest | `EVP` |\n";
        assert_eq!(
            reviewed(page),
            versions(&[("syn", "2.0.1"), ("syn", "3.0.0+a")])
        );
    }

    #[test]
    fn a_crate_that_nobody_has_read_is_refused_and_a_version_is_told() {
        let built = versions(&[("new", "1.0.0"), ("same", "1.0.0"), ("updated", "1.0.1")]);
        let read = versions(&[("gone", "1.0.0"), ("same", "1.0.0"), ("updated", "1.0.0")]);
        let review = Review {
            problems: vec![
                "docs/unsafe-review.md: no row says what new does".into(),
                "docs/unsafe-review.md: gone is not built any more; remove it".into(),
            ],
            notes: vec!["docs/unsafe-review.md: updated 1.0.1 has not been read".into()],
        };
        assert_eq!(compare_review(&built, &read), review);
    }
}
