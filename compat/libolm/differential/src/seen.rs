//! A call that was made in both libraries, and what can be seen of it.

use std::ops::Range;

use crate::{
    base64,
    call::{Arg, Outcome},
    functions::{Function, Kind, Parameter},
    keys::{is_good_curve25519, is_good_ed25519},
    object::Id,
    oddities::{Oddity, oddities, split_session},
    pickle::{self, STATE_KEY},
    wire::{self, Message, is_strict_text},
};

/// A difference between the two outcomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Ours wrote outside its buffers: never allowed.
    Guards,
    /// A failed call changed our object: never allowed (S-04).
    Atomicity(usize),
    /// The results.
    Value,
    /// The last error of an object.
    Error(usize),
    /// What an argument's buffer holds afterwards.
    Buffer(usize),
    /// The states of an object, by their place among those looked at.
    State(usize),
}

impl Difference {
    /// Whether the objects may go different ways from here.
    pub const fn is_lasting(&self) -> bool {
        !matches!(self, Self::Buffer(_))
    }
}

/// The states of an object after a call.
pub struct State {
    pub id: Id,
    pub real: Vec<u8>,
    pub ours: Vec<u8>,
    /// Ours before the call, if the call must not have changed it.
    pub before: Option<Vec<u8>>,
    /// What libolm's would be if the object had been blank, if the call gives an object new keys.
    pub on_blank: Option<Vec<u8>>,
}

/// A call, and what both libraries did.
pub struct Seen<'a> {
    pub function: &'a Function,
    pub args: &'a [Arg],
    pub real: &'a Outcome,
    pub ours: &'a Outcome,
    pub states: &'a [State],
    /// Of the first object.
    pub kind: Option<Kind>,
    /// An object whose keys the call needs has none.
    pub is_blank: bool,
    /// The first object was changed before.
    pub was_used: bool,
    /// The public key of the first object, as base64, if it is a verification's and was asked for
    /// it.
    pub own_sas_key: Option<&'a [u8]>,
}

impl State {
    pub fn differs_only_in_latest_ratchet(&self) -> bool {
        const LATEST: Range<usize> = 4 + 132..4 + 264;
        let (real, ours) =
            (pickle::open(&self.real, STATE_KEY), pickle::open(&self.ours, STATE_KEY));
        let Some((real, ours)) = real.zip(ours) else { return false };
        real[..LATEST.start] == ours[..LATEST.start] && real[LATEST.end..] == ours[LATEST.end..]
    }
}

impl State {
    /// Whether ours is without the skipped keys that belong to no chain, and may have more of the
    /// others.
    pub fn differs_only_in_dead_keys(&self) -> bool {
        let split = |state: &[u8]| {
            pickle::open(state, STATE_KEY).and_then(|content| split_session(&content))
        };
        let Some((real, ours)) = split(&self.real).zip(split(&self.ours)) else { return false };
        let alive = |key: &&Vec<u8>| real.chains.contains(&key[..32].to_vec());
        let kept: Vec<_> = real.skipped.iter().filter(alive).collect();
        let is_beginning = kept.iter().zip(&ours.skipped).all(|(real, ours)| *real == ours);
        real.before == ours.before
            && kept.len() < real.skipped.len()
            && kept.len() <= ours.skipped.len()
            && is_beginning
            && ours.skipped.iter().all(|key| alive(&key))
    }
}

impl Seen<'_> {
    pub fn differences(&self) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut note = |is_there: bool, difference| {
            if is_there {
                found.push(difference);
            }
        };
        let (real, ours) = (self.real, self.ours);
        note(!ours.guards_hold, Difference::Guards);
        note(real.value != ours.value, Difference::Value);
        for (place, (real, ours)) in real.errors.iter().zip(&ours.errors).enumerate() {
            note(real != ours, Difference::Error(place));
        }
        for (place, (real, ours)) in real.buffers.iter().zip(&ours.buffers).enumerate() {
            note(real != ours, Difference::Buffer(place));
        }
        for (place, state) in self.states.iter().enumerate() {
            note(state.real != state.ours, Difference::State(place));
            let is_kept = !self.ours.failed()
                || state.before.as_ref().is_none_or(|before| *before == state.ours);
            note(!is_kept, Difference::Atomicity(place));
        }
        found
    }

    /// Whether ours reports an error (or, asked whether something matches, says no), having written
    /// nothing and changed nothing.
    pub fn ours_refuses(&self) -> bool {
        let says_no = self.function.name.starts_with("olm_matches") && self.ours.number() == 0;
        let is_untouched = |(place, parameter): (usize, &Parameter)| {
            *parameter != Parameter::Out || self.ours.buffers[place] == self.args[place].bytes()
        };
        let untouched = self.function.parameters.iter().enumerate().all(is_untouched);
        (self.ours.failed() || says_no) && untouched
    }

    /// Whether the message among the arguments, if there is one, is as a strict parser wants it.
    pub fn message_is_strict(&self) -> bool {
        self.message().is_none_or(|(message, text)| is_strict_text(message, text))
    }

    /// The message among the arguments.
    pub fn message(&self) -> Option<(Message, &[u8])> {
        let number = |place: usize| match self.args[place] {
            Arg::Number(number) => number,
            _ => 0,
        };
        let (message, place) = match &*self.function.name {
            "olm_create_inbound_session" => (Message::PreKey, 2),
            "olm_create_inbound_session_from" => (Message::PreKey, 3),
            "olm_matches_inbound_session" => (Message::PreKey, 1),
            "olm_matches_inbound_session_from" => (Message::PreKey, 2),
            "olm_decrypt_max_plaintext_length" | "olm_decrypt" => (Message::of_type(number(1)), 2),
            "olm_group_decrypt_max_plaintext_length" | "olm_group_decrypt" => (Message::Group, 1),
            _ => return None,
        };
        Some((message, self.args[place].bytes()))
    }

    pub fn has_bad_curve25519_key(&self) -> bool {
        let places: &[usize] = match &*self.function.name {
            "olm_create_outbound_session" => &[2, 3],
            "olm_create_inbound_session_from" => &[2],
            "olm_matches_inbound_session_from" | "olm_pk_decrypt" => &[1],
            "olm_pk_encryption_set_recipient_key" | "olm_sas_set_their_key" => &[1],
            _ => &[],
        };
        places.iter().any(|place| {
            let text = self.args[*place].bytes();
            let key = base64::decode(text).unwrap_or_default();
            !key.first_chunk::<32>().is_some_and(|key| is_good_curve25519(key))
        })
    }

    pub fn has_bad_ed25519_key(&self) -> bool {
        let (place, start) = match &*self.function.name {
            "olm_ed25519_verify" => (1, 0),
            "olm_init_inbound_group_session" | "olm_import_inbound_group_session" => {
                (1, 1 + 4 + 128)
            }
            _ => return false,
        };
        let bytes = base64::decode(self.args[place].bytes()).unwrap_or_default();
        bytes.get(start..start + 32).is_some_and(|key| !is_good_ed25519(key))
    }

    /// The Megolm index that is asked for, and the earliest one known.
    pub fn indices(&self) -> Option<(u32, u32)> {
        let asked_for = match (&*self.function.name, &self.args[1..]) {
            ("olm_export_inbound_group_session", [_, Arg::Number(index)]) => {
                u32::try_from(*index).ok()?
            }
            ("olm_group_decrypt", [message, ..]) => {
                wire::group_index(&wire::readable(Message::Group, message.bytes())?)?
            }
            _ => return None,
        };
        let content = pickle::open(&self.states.first()?.ours, STATE_KEY)?;
        let earliest = u32::from_be_bytes(*content.get(4 + 128..)?.first_chunk()?);
        Some((asked_for, earliest))
    }

    /// The content of the pickle that is read, with its padding.
    pub fn padded_pickle(&self) -> Option<Vec<u8>> {
        let reads = self.function.name.starts_with("olm_unpickle");
        if reads { pickle::open(self.args[2].bytes(), self.args[1].bytes()) } else { None }
    }

    /// Whether the pickle that is read has one of these oddities.
    pub fn has_oddity(&self, looked_for: &[Oddity]) -> bool {
        let Some((padded, kind)) = self.padded_pickle().zip(self.kind) else { return false };
        let Some(content) = pickle::unpad(&padded) else { return false };
        oddities(kind, content).iter().any(|oddity| looked_for.contains(oddity))
    }
}
