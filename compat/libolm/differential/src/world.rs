//! The objects that are alive in both libraries, and the calls made on them.

use crate::{
    allowed,
    call::{Arg, Call, Outcome, perform},
    excluded,
    ffi::Value,
    functions::{Kind, Parameter},
    notes::Notes,
    object::{Id, Libraries, Object, Side},
    oddities::{Oddity, oddities},
    pickle::{self, STATE_KEY},
    report::Report,
    rng::Rng,
    seen::{Difference, Seen, State},
    tally::Tally,
};

/// Why an episode ends.
pub enum Stop {
    /// A difference that no rule explains.
    Difference(String),
    /// The number of calls is reached.
    Finished,
}

pub type Step<T = ()> = Result<T, Stop>;

pub struct World<'a> {
    pub libraries: &'a Libraries,
    pub rng: Rng,
    pub notes: Notes,
    pub objects: Vec<Object>,
    pub tally: &'a mut Tally,
    /// Arguments are all in order for now.
    pub is_careful: bool,
    seed: u64,
    step: u64,
    steps: u64,
    trace: bool,
}

/// What both libraries did.
pub struct Answer {
    pub outcome: Outcome,
    /// They did the same, and not an error.
    pub done: bool,
}

impl Answer {
    pub fn number(&self) -> usize {
        self.outcome.number().try_into().unwrap_or_default()
    }

    /// What buffer number `place` of the arguments holds, cut to the length that was returned.
    pub fn written(&self, place: usize) -> Vec<u8> {
        let mut bytes = self.outcome.buffers[place].clone();
        bytes.truncate(self.number());
        bytes
    }
}

/// The arguments of a call.
#[macro_export]
macro_rules! args {
    ($($arg:expr),* $(,)?) => { vec![$($crate::call::Arg::from($arg)),*] };
}

impl<'a> World<'a> {
    pub fn new(
        libraries: &'a Libraries,
        tally: &'a mut Tally,
        (seed, steps): (u64, u64),
        trace: bool,
    ) -> Self {
        let rng = Rng::new(seed);
        let (notes, objects) = (Notes::new(), Vec::new());
        let (is_careful, step) = (false, 0);
        Self { libraries, rng, notes, objects, tally, is_careful, seed, step, steps, trace }
    }

    /// Makes a new object in both libraries.
    pub fn new_object(&mut self, kind: Kind) -> Step<Id> {
        let id = Id(self.objects.len());
        let object = self.memory_for(kind);
        self.objects.push(object);
        self.call(&format!("olm_{}", kind.name()), args![id])?;
        Ok(id)
    }

    fn memory_for(&mut self, kind: Kind) -> Object {
        let (filling, shift) = (self.rng.byte(), self.rng.below(16));
        Object::new(self.libraries, kind, filling, shift)
    }

    pub fn of_kind(&self, kind: Kind) -> Vec<Id> {
        let ids = (0..self.objects.len()).filter(|id| self.objects[*id].kind == kind);
        ids.map(Id).collect()
    }

    /// One of the objects of a kind.
    pub fn any(&mut self, kind: Kind) -> Id {
        let ids = self.of_kind(kind);
        *self.rng.pick(&ids)
    }

    /// Calls a function that cannot fail, and returns its number.
    pub fn length(&mut self, name: &str, args: Vec<Arg>) -> Step<usize> {
        Ok(self.call(name, args)?.number())
    }

    /// Calls a function in both libraries and compares what they did.
    pub fn call(&mut self, name: &str, args: Vec<Arg>) -> Step<Answer> {
        let function = self.libraries.functions.number(name);
        let call = Call { function, args, shift: self.rng.below(16) };
        if self.step >= self.steps {
            return Err(Stop::Finished);
        }
        self.step += 1;
        if self.trace {
            eprintln!("{} {name} {:?}", self.step, call.args);
        }
        self.tally.count("call", name, "");
        if let Some(reason) = excluded::reason(&self.notes, name, &call.args) {
            return self.call_ours_alone(&call, reason);
        }

        let real = perform(self.libraries, Side::Real, &call, &self.objects);
        let ours = perform(self.libraries, Side::Ours, &call, &self.objects);
        let done = !self.fails(&call, &real);
        if !done {
            self.tally.count("error", name, real.error());
        }
        let states = self.states_after(&call, done && !self.fails(&call, &ours));
        let seen = Seen {
            function: &self.libraries.functions[function],
            args: &call.args,
            real: &real,
            ours: &ours,
            states: &states,
            kind: call.objects().next().map(|Id(place)| self.objects[place].kind),
            is_blank: self.needs_keys_of_a_blank_object(&call),
            was_used: call.objects().next().is_some_and(|Id(place)| self.objects[place].is_used),
            own_sas_key: call
                .objects()
                .next()
                .and_then(|Id(place)| self.objects[place].sas_key.as_deref()),
        };
        let differences = seen.differences();
        let verdicts: Vec<_> =
            differences.iter().map(|found| (found, allowed::rule(&seen, found))).collect();
        let unexplained =
            verdicts.iter().filter(|(_, rule)| rule.is_none()).map(|(found, _)| *found);
        let unexplained: Vec<_> = unexplained.collect();
        if !unexplained.is_empty() || !real.guards_hold {
            let report = Report { seed: self.seed, step: self.step, seen: &seen };
            return Err(Stop::Difference(report.text(&unexplained)));
        }
        let rules: Vec<_> = verdicts.iter().filter_map(|(_, rule)| *rule).collect();
        if let Some(rule) = rules.first() {
            self.tally.count("allowed", name, rule);
        }
        let agreed = differences
            .iter()
            .all(|found| matches!(found, Difference::Buffer(_) | Difference::State(_)));
        let diverged = differences.iter().any(Difference::is_lasting);
        self.remember(&call, states, done && agreed);
        if self.is_split_ratchet(&call, &real) {
            self.make_blank(Id(call.objects().next().map_or(0, |Id(place)| place)))?;
        } else if diverged || !agreed && self.has_hidden_state(&call) {
            for id in call.objects() {
                self.start_again(id)?;
            }
        }
        Ok(Answer { outcome: real, done: done && agreed })
    }

    /// Whether an object of the call has no keys, other than one that the call is to give them to.
    fn needs_keys_of_a_blank_object(&self, call: &Call) -> bool {
        let is_made = gives_keys(&self.libraries.functions[call.function].name);
        let mut needed = call.objects().skip(is_made.into());
        needed.any(|Id(place)| self.objects[place].is_blank)
    }

    fn fails(&self, call: &Call, outcome: &Outcome) -> bool {
        use crate::functions::Returns;
        self.libraries.functions[call.function].returns == Returns::Result && outcome.failed()
    }

    /// Calls only our library where libolm would damage memory. It must refuse, or do something
    /// harmless, and write nowhere else.
    fn call_ours_alone(&mut self, call: &Call, reason: &str) -> Step<Answer> {
        let name = &*self.libraries.functions[call.function].name;
        self.tally.count("excluded", name, reason);
        if self.libraries.are_both_real {
            let outcome = Outcome::nothing();
            return Ok(Answer { outcome, done: false });
        }
        let ours = perform(self.libraries, Side::Ours, call, &self.objects);
        let refused = ours.failed() || ours.value == Value::Nothing;
        if !ours.guards_hold || excluded::must_fail(reason) && !refused {
            let text = format!(
                "seed {} step {}: {name} {:?}\n  {reason}\n  ours alone: {:?}, guards hold: {}",
                self.seed, self.step, call.args, ours.value, ours.guards_hold
            );
            return Err(Stop::Difference(text));
        }
        let ids: Vec<_> = call.objects().collect();
        for id in ids {
            self.start_again(id)?;
        }
        Ok(Answer { outcome: ours, done: false })
    }

    /// The states of the objects that a call may have changed. After a call that succeeded they are
    /// only looked at in half of the cases, for speed.
    fn states_after(&mut self, call: &Call, done: bool) -> Vec<State> {
        let parameters = &self.libraries.functions[call.function].parameters;
        let may_change = |parameter: &Parameter| match parameter {
            Parameter::Object { may_change, .. } => *may_change,
            parameter => *parameter == Parameter::Memory,
        };
        let function = &*self.libraries.functions[call.function].name;
        // Where the states may differ by a rule, they must not do so unseen.
        let always =
            gives_keys(function) || function.starts_with("olm_export") || function == "olm_decrypt";
        let places = parameters.iter().zip(&call.args).filter_map(|(parameter, arg)| match arg {
            Arg::Object(id) => Some((*id, may_change(parameter))),
            _ => None,
        });
        let mut states = Vec::new();
        for (id, may_change) in places.collect::<Vec<_>>() {
            let object = &self.objects[id.0];
            let cases = match (may_change, done) {
                (true, true) if !always => 50,
                (true, _) => 100,
                (false, _) => 2,
            };
            if !object.kind.can_be_pickled() || !self.rng.percent(cases) {
                if may_change {
                    self.objects[id.0].known = None;
                }
                continue;
            }
            let (real, ours) = (self.state(id, Side::Real), self.state(id, Side::Ours));
            let must_stay = !(may_change && done || self.libraries.are_both_real);
            let before = if must_stay { object.known.clone() } else { None };
            let replaces = states.is_empty() && done && real != ours && gives_keys(function);
            let on_blank = replaces.then(|| self.real_state_on_blank(call, id));
            states.push(State { id, real, ours, before, on_blank });
        }
        states
    }

    /// The state that libolm reaches by the same call on a blank object.
    fn real_state_on_blank(&mut self, call: &Call, id: Id) -> Vec<u8> {
        let kind = self.objects[id.0].kind;
        let blank = Id(self.objects.len());
        let object = self.memory_for(kind);
        self.objects.push(object);
        let constructor = self.libraries.functions.number(&format!("olm_{}", kind.name()));
        let mut args = call.args.clone();
        args[0] = Arg::Object(blank);
        for (function, args) in [(constructor, args![blank]), (call.function, args)] {
            perform(self.libraries, Side::Real, &Call { function, args, shift: 0 }, &self.objects);
        }
        let state = self.state(blank, Side::Real);
        self.objects.pop();
        state
    }

    /// The pickle of an object.
    pub fn state(&self, id: Id, side: Side) -> Vec<u8> {
        let kind = self.objects[id.0].kind.name();
        let call = |name: String, args| {
            let function = self.libraries.functions.number(&name);
            perform(self.libraries, side, &Call { function, args, shift: 0 }, &self.objects)
        };
        let length = call(format!("olm_pickle_{kind}_length"), args![id]).number();
        let room = Arg::room(usize::try_from(length).unwrap_or_default());
        let arguments = args![id, STATE_KEY, room];
        call(format!("olm_pickle_{kind}"), arguments).buffers.swap_remove(2)
    }

    /// Keeps what the next calls have to know.
    fn remember(&mut self, call: &Call, states: Vec<State>, done: bool) {
        for state in states {
            self.objects[state.id.0].known = Some(state.ours);
        }
        let function = &self.libraries.functions[call.function];
        let Some(Id(place)) = call.objects().next() else { return };
        let object = &mut self.objects[place];
        let is_new =
            function.name.starts_with("olm_clear_") || function.parameters[0] == Parameter::Memory;
        let may_change =
            matches!(function.parameters[0], Parameter::Object { may_change: true, .. });
        if is_new || (done && function.name == "olm_create_sas") {
            object.sas_key = None;
        }
        if is_new {
            (object.is_blank, object.is_used) = (true, false);
            self.notes.forget(Id(place));
        } else if done && may_change {
            object.is_used = true;
            if gives_keys(&function.name) {
                object.is_blank = function.name.starts_with("olm_unpickle")
                    && pickle::open(call.args[2].bytes(), call.args[1].bytes())
                        .is_some_and(|content| pickle::is_blank(object.kind, &content));
            }
        }
    }

    /// Whether an inbound group session was read whose two ratchets do not belong together: what it
    /// does then depends on which of them is used.
    fn is_split_ratchet(&self, call: &Call, real: &Outcome) -> bool {
        let name = &self.libraries.functions[call.function].name;
        let (Some(key), Some(text)) = (call.args.get(1), call.args.get(2)) else { return false };
        let content = || pickle::open(text.bytes(), key.bytes());
        let is_split = |content: Vec<u8>| {
            let content = pickle::unpad(&content).unwrap_or_default();
            oddities(Kind::Inbound, content).contains(&Oddity::Ratchets)
        };
        name == "olm_unpickle_inbound_group_session"
            && !real.failed()
            && content().is_some_and(is_split)
    }

    /// Whether a difference could stay unseen because an object cannot be pickled.
    fn has_hidden_state(&self, call: &Call) -> bool {
        call.objects().any(|Id(place)| {
            !matches!(self.objects[place].kind, Kind::Utility)
                && !self.objects[place].kind.can_be_pickled()
        })
    }

    /// After a difference that is allowed the two may hold different states. Both begin again, from
    /// ours if it can be carried over.
    fn start_again(&mut self, id: Id) -> Step {
        let kind = self.objects[id.0].kind;
        let state = kind.can_be_pickled().then(|| self.state(id, Side::Ours));
        let was_blank = self.objects[id.0].is_blank;
        self.make_blank(id)?;
        let Some(state) = state.filter(|_| !was_blank) else { return Ok(()) };
        let mut arguments = args![id, STATE_KEY, state];
        if kind == Kind::PkDecryption {
            arguments.push(Arg::Null);
        }
        let answer = self.call(&format!("olm_unpickle_{}", kind.name()), arguments)?;
        if !answer.done {
            self.tally.count("situation", "", "a state could not be carried over");
            self.make_blank(id)?;
        }
        Ok(())
    }

    pub fn make_blank(&mut self, id: Id) -> Step {
        let kind = self.objects[id.0].kind;
        self.objects[id.0] = self.memory_for(kind);
        self.call(&format!("olm_{}", kind.name()), args![id]).map(drop)
    }
}

/// Whether a function gives an object the keys without which it is blank.
fn gives_keys(name: &str) -> bool {
    let beginnings = ["olm_create_", "olm_init_", "olm_import_", "olm_unpickle_"];
    let others = [
        "olm_pk_encryption_set_recipient_key",
        "olm_pk_key_from_private",
        "olm_pk_generate_key",
        "olm_pk_signing_key_from_seed",
    ];
    beginnings.iter().any(|beginning| name.starts_with(beginning)) || others.contains(&name)
}
