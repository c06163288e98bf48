//! Writes room keys as JSON, into memory that is wiped.

use alloc::{collections::BTreeMap, string::String};
use core::mem;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{ALGORITHM, ED25519, ExportedRoomKey, FIELDS, RoomKeyError, SHARED_HISTORY};
use crate::{primitives::secret::SecretString, wire::json};

/// An object that is being written.
#[derive(Serialize)]
pub(super) struct Object<'a> {
    algorithm: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) room_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_id: Option<&'a str>,
    session_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_claimed_keys: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_claimed_ed25519_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarding_curve25519_key_chain: Option<&'a [String]>,
    #[serde(flatten)]
    other: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Object<'a> {
    pub(super) fn new(session_key: &'a str, other: &'a Map<String, Value>) -> Self {
        let other = other.iter().map(|(name, value)| (name.as_str(), value));
        Self {
            algorithm: ALGORITHM,
            room_id: None,
            session_id: None,
            session_key,
            sender_key: None,
            sender_claimed_keys: None,
            sender_claimed_ed25519_key: None,
            forwarding_curve25519_key_chain: None,
            // A caller that adds a member with one of these names must not get an object with
            // duplicates.
            other: other.filter(|(name, _)| !FIELDS.contains(name)).collect(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Export,
    Backup,
    Bundle,
    Forwarded,
}

/// An exported key, which is encoded only while it is written.
pub(super) struct Written<'a> {
    pub(super) key: &'a ExportedRoomKey,
    pub(super) form: Form,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ExportedRoomKey { room_id, sender_claimed_keys, forwarding_chain, .. } = self.key;
        let (id, text) = (self.key.session_key.session_id(), self.key.session_key.to_base64());
        let has_ids = self.form != Form::Backup;
        let forwarded = self.form == Form::Forwarded;
        let claimed = sender_claimed_keys.get(ED25519).map(String::as_str);
        // Bundles have neither who forwarded a key nor, as all their keys may be given to others,
        // whether it may.
        let in_bundle = self.form == Form::Bundle;
        let mut object = Object {
            room_id: has_ids.then_some(room_id),
            session_id: has_ids.then_some(&id),
            // All forms require the member. A program that reads any text accepts an empty
            // one, and would not accept that it is missing.
            sender_key: Some(self.key.sender_key.map_or_else(String::new, |key| key.to_base64())),
            sender_claimed_keys: (!forwarded).then_some(sender_claimed_keys),
            sender_claimed_ed25519_key: claimed.filter(|_| forwarded),
            forwarding_curve25519_key_chain: (!in_bundle).then_some(forwarding_chain),
            ..Object::new(&text, &self.key.other)
        };
        if in_bundle {
            object.other.remove(SHARED_HISTORY);
        }
        object.serialize(serializer)
    }
}

/// A list, whose items are made only while they are written.
pub(super) struct Entries<I>(pub(super) I);

impl<'a, I: Iterator<Item = Written<'a>> + Clone> Serialize for Entries<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

pub(super) fn write(value: &impl Serialize) -> Result<SecretString, RoomKeyError> {
    let mut json = json::to_vec(value).ok_or(RoomKeyError::Malformed("object"))?;
    SecretString::from_utf8(mem::take(&mut *json)).ok_or(RoomKeyError::Malformed("object"))
}
