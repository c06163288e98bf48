//! The text about a difference that no rule explains.

use std::fmt::Write;

use crate::{
    call::{Arg, Bytes, Outcome},
    oddities::oddities,
    pickle,
    seen::{Difference, Seen},
};

pub struct Report<'a> {
    pub seed: u64,
    pub step: u64,
    pub seen: &'a Seen<'a>,
}

impl Report<'_> {
    pub fn text(&self, differences: &[&Difference]) -> String {
        let Self { seed, step, seen } = self;
        let mut text = format!(
            "DIFFERENCE {}\n  again with: SEED={seed} STEPS={step} (TRACE=1 shows every call before)\n",
            seen.function.name
        );
        let mut line = |words: String| writeln!(text, "  {words}").expect("a string takes it");
        for (place, arg) in seen.args.iter().enumerate() {
            line(format!("argument {place} ({:?}): {arg:?}", seen.function.parameters[place]));
        }
        line(format!("blank object: {}, used before: {}", seen.is_blank, seen.was_used));
        for (side, outcome) in [("libolm", seen.real), ("ours", seen.ours)] {
            line(format!("{side:6} returns {}", result(outcome)));
        }
        for difference in differences {
            match difference {
                Difference::Guards => line("a library wrote outside its buffers".into()),
                Difference::Value => line("the results differ".into()),
                Difference::Error(object) => line(format!("last error of object {object} differs")),
                Difference::Buffer(place) => {
                    line(format!("argument {place} differs after the call:"));
                    line(format!("libolm {}", Bytes(&seen.real.buffers[*place])));
                    line(format!("ours   {}", Bytes(&seen.ours.buffers[*place])));
                }
                Difference::State(place) => {
                    let state = &seen.states[*place];
                    line(format!("the state of {:?} differs after the call:", state.id));
                    line(format!("libolm {}", content(&state.real)));
                    line(format!("ours   {}", content(&state.ours)));
                }
                Difference::Atomicity(place) => {
                    let state = &seen.states[*place];
                    line(format!("a failed call changed our object {:?}:", state.id));
                    line(format!(
                        "before {}",
                        content(state.before.as_deref().unwrap_or_default())
                    ));
                    line(format!("after  {}", content(&state.ours)));
                }
            }
        }
        if let Some((padded, kind)) = seen.padded_pickle().zip(seen.kind) {
            let found = pickle::unpad(&padded).map(|content| oddities(kind, content));
            line(format!("content of the pickle: {}", Bytes(&padded)));
            line(format!("its oddities: {found:?}"));
        }
        text
    }
}

fn result(outcome: &Outcome) -> String {
    let value = match outcome.failed() {
        true => "olm_error()".into(),
        false => format!("{:?}", outcome.value),
    };
    format!("{value}; last errors {:?}", outcome.errors)
}

/// The content of a state's pickle.
fn content(state: &[u8]) -> String {
    match pickle::open(state, pickle::STATE_KEY) {
        Some(content) => Bytes(pickle::unpad(&content).unwrap_or(&content)).to_string(),
        None => format!("{:?}", Arg::from(state)),
    }
}
