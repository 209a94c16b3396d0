//! The table of steps, `ci.toml`: what there is, and what runs in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// Variables of the environment for all steps.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    #[serde(rename = "step")]
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) gate: Gate,
    /// The budget on two cores.
    pub(crate) minutes: f64,
    /// A script for Bash.
    pub(crate) command: String,
    /// Names of steps that have to pass before.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// Prerequisites beyond cargo, for people.
    pub(crate) takes: Option<String>,
    /// The reason why the step is nightly.
    pub(crate) why: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Gate {
    Push,
    Nightly,
}

impl fmt::Display for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Push => "push",
            Self::Nightly => "nightly",
        })
    }
}

impl Table {
    /// Reads and checks a table.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let table: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut names = BTreeSet::new();
        for step in &table.steps {
            let name = &step.name;
            if !names.insert(name) {
                return Err(format!("there are two steps {name:?}"));
            }
            if step.why.is_some() != (step.gate == Gate::Nightly) {
                return Err(format!(
                    "step {name:?}: nightly steps say why, and no others"
                ));
            }
            for need in &step.needs {
                let needed = table
                    .find(need)
                    .ok_or_else(|| format!("step {name:?} needs {need:?}, which is no step"))?;
                if step.gate == Gate::Push && needed.gate == Gate::Nightly {
                    return Err(format!(
                        "step {name:?} of each push needs the nightly {need:?}"
                    ));
                }
            }
        }
        for step in &table.steps {
            let mut order = Vec::new();
            table.add_in_order(step, &mut Vec::new(), &mut order)?;
        }
        Ok(table)
    }

    fn find(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    pub(crate) fn of_gate(&self, gate: Gate) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.gate == gate)
    }

    /// The steps of those names, or all of the gate, each behind the steps that it needs.
    pub(crate) fn plan(&self, gate: Gate, names: &[&str]) -> Result<Vec<&Step>, String> {
        if let Some(unknown) = names
            .iter()
            .find(|name| self.of_gate(gate).all(|step| step.name != **name))
        {
            let known: Vec<&str> = self.of_gate(gate).map(|step| step.name.as_str()).collect();
            return Err(format!(
                "there is no {gate} step {unknown:?}; there are {}",
                known.join(", ")
            ));
        }
        let mut order = Vec::new();
        for step in self.of_gate(gate) {
            if names.is_empty() || names.contains(&step.name.as_str()) {
                self.add_in_order(step, &mut Vec::new(), &mut order)?;
            }
        }
        Ok(order)
    }

    fn add_in_order<'t>(
        &'t self,
        step: &'t Step,
        above: &mut Vec<&'t str>,
        order: &mut Vec<&'t Step>,
    ) -> Result<(), String> {
        if order.iter().any(|earlier| earlier.name == step.name) {
            return Ok(());
        }
        if above.contains(&step.name.as_str()) {
            return Err(format!("step {:?} needs itself", step.name));
        }
        above.push(&step.name);
        for need in &step.needs {
            if let Some(needed) = self.find(need) {
                self.add_in_order(needed, above, order)?;
            }
        }
        above.pop();
        order.push(step);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "that is how tests fail")]

    use super::*;

    fn step(name: &str, rest: &str) -> String {
        let gate = if rest.contains("gate") {
            ""
        } else {
            "gate = 'push'\n"
        };
        format!(
            "[[step]]\nname = '{name}'\nabout = ''\nminutes = 1\ncommand = 'true'\n{gate}{rest}\n"
        )
    }

    fn nightly(name: &str, rest: &str) -> String {
        step(name, &format!("gate = 'nightly'\nwhy = 'slow'\n{rest}"))
    }

    fn order(text: &str, gate: Gate, names: &[&str]) -> Vec<String> {
        let table = Table::parse(text).unwrap();
        let plan = table.plan(gate, names).unwrap();
        plan.iter().map(|step| step.name.clone()).collect()
    }

    #[test]
    fn the_table_of_this_repository_is_in_order() {
        let table = Table::parse(crate::ci::TABLE).unwrap();
        for gate in [Gate::Push, Gate::Nightly] {
            assert!(!table.plan(gate, &[]).unwrap().is_empty());
        }
    }

    #[test]
    fn a_key_that_nobody_reads_is_refused() {
        for text in [
            step("a", "minuets = 2"),
            format!("{}[environment]\nA = 'b'\n", step("a", "")),
        ] {
            let error = Table::parse(&text).unwrap_err();
            assert!(error.contains("unknown field"), "{error}");
        }
    }

    #[test]
    fn a_gate_that_there_is_not_is_refused() {
        assert!(Table::parse(&step("a", "gate = 'weekly'")).is_err());
    }

    #[test]
    fn two_steps_of_one_name_are_refused() {
        let text = [step("a", ""), step("a", "")].concat();
        assert_eq!(
            Table::parse(&text).unwrap_err(),
            r#"there are two steps "a""#
        );
    }

    #[test]
    fn nightly_steps_say_why_and_no_others() {
        assert!(Table::parse(&nightly("a", "")).is_ok());
        for text in [step("a", "gate = 'nightly'"), step("a", "why = 'slow'")] {
            assert!(Table::parse(&text).unwrap_err().contains("say why"));
        }
    }

    #[test]
    fn a_need_that_is_no_step_is_refused() {
        let error = Table::parse(&step("a", "needs = ['b']")).unwrap_err();
        assert_eq!(error, r#"step "a" needs "b", which is no step"#);
    }

    #[test]
    fn no_push_waits_for_a_nightly_step() {
        let text = [nightly("a", ""), step("b", "needs = ['a']")].concat();
        let error = Table::parse(&text).unwrap_err();
        assert!(error.contains("needs the nightly"), "{error}");
    }

    #[test]
    fn a_circle_of_needs_is_refused() {
        let text = [
            step("a", "needs = ['b']"),
            step("b", "needs = ['c']"),
            step("c", "needs = ['a']"),
        ]
        .concat();
        assert_eq!(Table::parse(&text).unwrap_err(), r#"step "a" needs itself"#);
    }

    #[test]
    fn what_a_step_needs_comes_before_it_and_once() {
        let text = [
            step("a", "needs = ['c']"),
            step("b", ""),
            step("c", "needs = ['d']"),
            step("d", ""),
            nightly("e", "needs = ['c', 'b']"),
        ]
        .concat();
        assert_eq!(order(&text, Gate::Push, &[]), ["d", "c", "a", "b"]);
        assert_eq!(order(&text, Gate::Push, &["a"]), ["d", "c", "a"]);
        assert_eq!(order(&text, Gate::Push, &["b", "c"]), ["b", "d", "c"]);
        assert_eq!(order(&text, Gate::Nightly, &[]), ["d", "c", "b", "e"]);
    }

    #[test]
    fn a_step_that_there_is_not_is_refused_with_those_that_there_are() {
        let text = [step("a", ""), step("b", ""), nightly("c", "")].concat();
        let table = Table::parse(&text).unwrap();
        let error = table.plan(Gate::Push, &["a", "z"]).unwrap_err();
        assert_eq!(error, r#"there is no push step "z"; there are a, b"#);
        let error = table.plan(Gate::Nightly, &["a"]).unwrap_err();
        assert_eq!(error, r#"there is no nightly step "a"; there are c"#);
    }
}
