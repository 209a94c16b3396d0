//! One world after another, each with its questions and up to three faults, from a seed and a number.

use crate::faults::{FAULTS, Fault, How};
use crate::plan::{Asked, Plan};
use crate::random::Random;
use crate::scene::{Base, Edit, Scene, Wrong};

/// Questions that are looked at to find one that a world's faults can be about.
const ATTEMPTS: usize = 40;

/// Questions asked of every world.
const QUESTIONS: usize = 2;

/// The world of this number, with faults of its own choice unless told otherwise.
pub(crate) fn generate(seed: u64, number: u64, faults: Option<&[Fault]>) -> Scene {
    let mut random = Random::new(seed, number);
    let plan = Plan::generate(&mut random);
    let mut faults = match faults {
        Some(faults) => faults.to_vec(),
        None => pick_faults(&mut random),
    };
    loop {
        if let Some(scene) = make(number, &plan, &faults, &mut random) {
            return scene;
        }
        // These do not go together.
        faults.pop();
    }
}

/// None in a fifth of the worlds, one in half of them, else two or three.
fn pick_faults(random: &mut Random) -> Vec<Fault> {
    let count = match random.below(20) {
        0..4 => 0,
        4..14 => 1,
        14..18 => 2,
        _ => 3,
    };
    (0..count).map(|_| *random.pick(FAULTS)).collect()
}

/// Finds a question that all faults fit.
fn make(number: u64, plan: &Plan, faults: &[Fault], random: &mut Random) -> Option<Scene> {
    for _ in 0..ATTEMPTS {
        let asked = random.pick(&plan.questions).clone();
        if let Some(scene) = attempt(number, plan.clone(), faults, asked, random) {
            return Some(scene);
        }
    }
    None
}

fn attempt(
    number: u64,
    mut plan: Plan,
    faults: &[Fault],
    asked: Asked,
    random: &mut Random,
) -> Option<Scene> {
    let mut wrongs = Vec::new();
    for (fault, how) in faults {
        if let How::Zone(_) = how {
            let at = how.plan(&mut plan, &asked, random)?;
            wrongs.push(Wrong { fault, at });
        }
    }
    let base = Base {
        world: plan.build(),
        plan,
    };
    let mut edits: Vec<Edit> = Vec::new();
    for (fault, how) in faults {
        if !matches!(how, How::Zone(_)) {
            let (at, edit) = how.edit(&base, &asked, random)?;
            wrongs.push(Wrong { fault, at });
            edits.push(edit);
        }
    }
    let mut questions = vec![asked];
    while questions.len() < QUESTIONS {
        questions.push(random.pick(&base.plan.questions).clone());
    }
    let anchors = base.world.anchors();
    Some(Scene::new(number, base, wrongs, edits, anchors, questions))
}
