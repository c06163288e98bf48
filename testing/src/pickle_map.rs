//! What the bytes of a native pickle's state mean: the name, kind and place of each field.

use std::ops::Range;

/// How a field is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Big-endian.
    Number,
    /// The number of items of a list.
    Count,
    /// 0 or 1: a boolean, or whether an option has a value.
    Flag,
    /// One byte that stands for one of a few choices, none of them above 4.
    Choice,
    Curve25519Key,
    Ed25519Key,
    Secret,
}

#[derive(Clone, Debug)]
pub struct Field {
    /// As in `receivers[0].skipped[1].index`. A list's count and an option's flag have the name of
    /// the list or option.
    pub name: String,
    pub kind: Kind,
    pub place: Range<usize>,
}

/// Reads the state of the object type `kind`.
pub fn fields(kind: u8, state: &[u8]) -> Vec<Field> {
    let mut map = Map { state, position: 0, fields: Vec::new() };
    match kind {
        1 => map.account(),
        2 => map.session(),
        3 => map.group_session(),
        4 => map.inbound_group_session(),
        5 => map.replay_guard(),
        other => panic!("unknown object type {other}"),
    }
    assert_eq!(map.position, state.len(), "the state has more bytes than fields");
    map.fields
}

struct Map<'a> {
    state: &'a [u8],
    position: usize,
    fields: Vec<Field>,
}

impl Map<'_> {
    fn field(&mut self, name: &str, kind: Kind, length: usize) -> u64 {
        let place = self.position..self.position + length;
        let bytes = &self.state[place.clone()];
        self.position = place.end;
        self.fields.push(Field { name: name.to_owned(), kind, place });
        bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn number(&mut self, name: &str, length: usize) {
        self.field(name, Kind::Number, length);
    }

    fn flag(&mut self, name: &str) -> bool {
        self.field(name, Kind::Flag, 1) == 1
    }

    fn choice(&mut self, name: &str) -> u64 {
        self.field(name, Kind::Choice, 1)
    }

    fn secret(&mut self, name: &str, length: usize) {
        self.field(name, Kind::Secret, length);
    }

    fn curve25519_key(&mut self, name: &str) {
        self.field(name, Kind::Curve25519Key, 32);
    }

    fn ed25519_key(&mut self, name: &str) {
        self.field(name, Kind::Ed25519Key, 32);
    }

    fn option(&mut self, name: &str, value: fn(&mut Self, &str)) {
        if self.flag(name) {
            value(self, name);
        }
    }

    fn list(&mut self, name: &str, item: fn(&mut Self, &str)) {
        for index in 0..self.field(name, Kind::Count, 4) {
            item(self, &format!("{name}[{index}]"));
        }
    }

    fn pair(&mut self, name: &str) {
        self.secret(&format!("{name}.secret"), 32);
        self.curve25519_key(&format!("{name}.public"));
    }

    fn signing_key(&mut self, name: &str) {
        if self.choice(&format!("{name}.form")) == 1 {
            self.secret(&format!("{name}.seed"), 32);
            self.ed25519_key(&format!("{name}.public"));
        } else {
            self.secret(&format!("{name}.expanded"), 64);
        }
    }

    fn account(&mut self) {
        self.signing_key("signing_key");
        self.pair("identity_key");
        self.list("keys", Self::stored_key);
        self.option("fallback", Self::fallback_key);
        self.option("previous_fallback", Self::fallback_key);
        self.number("next_id", 8);
        self.option("next_fallback_id", |map, name| map.number(&format!("{name}.id"), 8));
        self.number("fallback_memory", 4);
        self.number("generation", 8);
    }

    fn stored_key(&mut self, name: &str) {
        self.number(&format!("{name}.id"), 8);
        self.pair(name);
        self.flag(&format!("{name}.published"));
    }

    fn fallback_key(&mut self, name: &str) {
        self.stored_key(name);
        self.flag(&format!("{name}.complete"));
        self.list(&format!("{name}.sessions"), |map, name| map.number(name, 6));
    }

    fn session(&mut self) {
        for key in ["keys.identity_key", "keys.base_key", "keys.one_time_key"] {
            self.curve25519_key(key);
        }
        self.option("their_identity_key", |map, name| map.curve25519_key(&format!("{name}.key")));
        self.choice("version");
        self.flag("received");
        self.number("generation", 8);
        self.secret("root", 32);
        self.option("root_index", |map, name| map.number(&format!("{name}.number"), 8));
        self.option("sender", |map, name| {
            map.pair(&format!("{name}.ratchet_key"));
            map.chain_key(name);
        });
        self.list("receivers", Self::receiver_chain);
        self.list("evicted", Self::curve25519_key);
        self.number("next_serial", 8);
        self.number("evicted_keys", 8);
        for limit in ["limits.skipped_keys", "limits.message_gap", "limits.receiver_chains"] {
            self.number(limit, 4);
        }
    }

    fn chain_key(&mut self, name: &str) {
        self.secret(&format!("{name}.chain_key"), 32);
        self.number(&format!("{name}.index"), 8);
    }

    fn receiver_chain(&mut self, name: &str) {
        self.curve25519_key(&format!("{name}.ratchet_key"));
        self.chain_key(name);
        self.list(&format!("{name}.skipped"), |map, name| {
            map.number(&format!("{name}.index"), 4);
            map.number(&format!("{name}.serial"), 8);
            map.secret(&format!("{name}.key"), 32);
        });
        self.number(&format!("{name}.evicted_below"), 8);
    }

    fn megolm_ratchet(&mut self) {
        self.secret("ratchet", 128);
        self.number("index", 4);
    }

    fn group_session(&mut self) {
        self.megolm_ratchet();
        self.flag("exhausted");
        self.signing_key("signing_key");
        self.choice("version");
        self.option("created_at", |map, name| map.number(&format!("{name}.seconds"), 8));
        self.number("generation", 8);
    }

    fn inbound_group_session(&mut self) {
        self.megolm_ratchet();
        self.ed25519_key("signing_key");
        // The highest level, then where each level above the lowest starts.
        for level in 1..=self.choice("provenance") {
            self.number(&format!("starts[{level}]"), 4);
        }
        self.flag("signing_key_verified");
        self.flag("closed");
        self.choice("version");
        self.number("generation", 8);
    }
    fn replay_guard(&mut self) {
        self.ed25519_key("signing_key");
        self.number("capacity", 4);
        self.number("forgotten.start", 4);
        self.number("forgotten.end", 4);
        self.list("seen", |map, name| {
            map.number(&format!("{name}.index"), 4);
            map.secret(&format!("{name}.tag"), 32);
        });
        self.number("generation", 8);
    }
}
