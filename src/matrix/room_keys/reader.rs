//! Reads room keys from JSON.

use alloc::{collections::BTreeMap, string::String};
use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};
use zeroize::Zeroizing;

use super::{ALGORITHM, ExportedRoomKey, RoomKeyError};
use crate::{
    keys::Curve25519PublicKey, megolm::trust::Provenance, wire::megolm::ExportedSessionKey,
};

/// The content of a file of exported keys, from
/// [`key_export::decrypt`](crate::key_export::decrypt).
///
/// The entries are read one by one, so a large file needs memory only for its text.
#[must_use]
pub const fn read_export(json: &str) -> ExportReader<'_> {
    ExportReader { rest: Some(json), before: '[' }
}

/// Reads the entries of a file of exported keys. A malformed entry is an error, and the others
/// follow; malformed JSON is an error that ends them.
#[derive(Clone)]
pub struct ExportReader<'a> {
    /// The unread text; `None` after the end and after an error.
    rest: Option<&'a str>,
    /// What precedes the next entry: the beginning of the array, or a comma.
    before: char,
}

impl<'a> ExportReader<'a> {
    /// The JSON of the next entry; `None` at the end of the array.
    fn entry(&mut self, rest: &'a str) -> Result<Option<&'a RawValue>, RoomKeyError> {
        let malformed = RoomKeyError::Malformed("array");
        let rest = trim(rest);
        let mut rest = match (rest.strip_prefix(self.before), rest.strip_prefix(']')) {
            (Some(rest), _) => rest,
            (None, Some(after)) if self.before == ',' => return end(after),
            _ => return Err(malformed),
        };
        if let (Some(after), '[') = (trim(rest).strip_prefix(']'), self.before) {
            return end(after);
        }
        self.before = ',';
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let entry = values.next().and_then(Result::ok).ok_or(malformed)?;
        rest = rest.get(values.byte_offset()..).ok_or(malformed)?;
        self.rest = Some(rest);
        Ok(Some(entry))
    }
}

/// Nothing may follow the array.
fn end(after: &str) -> Result<Option<&RawValue>, RoomKeyError> {
    if trim(after).is_empty() { Ok(None) } else { Err(RoomKeyError::Malformed("array")) }
}

/// Without the white space of JSON at the beginning.
fn trim(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}

impl Iterator for ExportReader<'_> {
    type Item = Result<ExportedRoomKey, RoomKeyError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let entry = self.entry(rest).transpose()?;
        Some(entry.and_then(|entry| ExportedRoomKey::from_json(entry.get())))
    }
}

/// It holds the text of the keys.
impl fmt::Debug for ExportReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportReader").finish_non_exhaustive()
    }
}

/// An object with no duplicate members, because readers would not agree on which of two counts.
pub(in crate::matrix) struct Unique<T>(pub(in crate::matrix) BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueVisitor(PhantomData))
    }
}

struct UniqueVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for UniqueVisitor<T> {
    type Value = Unique<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object without repeated members")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Unique<T>, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = access.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(Unique(members))
    }
}

/// The ASCII letter that an escape after a backslash stands for, and the text after it. Other
/// escapes stand for no letter of base64, and the backslash that remains for them is none either.
fn unescape(escaped: &str) -> (char, &str) {
    if let Some(after) = escaped.strip_prefix('/') {
        return ('/', after);
    }
    if let Some((digits, after)) =
        escaped.strip_prefix("u00").and_then(|rest| rest.split_at_checked(2))
        && let Ok(byte) = u8::from_str_radix(digits, 16)
        && byte.is_ascii()
    {
        return (char::from(byte), after);
    }
    ('\\', escaped)
}

/// The unread members of an object, as they are in the text.
pub(super) struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    /// Reads an object of a room key, whose algorithm must be the known one.
    pub(super) fn read(json: &'a str) -> Result<Self, RoomKeyError> {
        let members = serde_json::from_str(json).map_err(|_| RoomKeyError::Malformed("object"))?;
        let Unique(members) = members;
        let mut members = Self(members);
        if members.text("algorithm")? == ALGORITHM {
            Ok(members)
        } else {
            Err(RoomKeyError::Algorithm)
        }
    }

    /// Takes out a member; `None` if there is no such member, or if it is `null`, which some
    /// programs write for what they do not have.
    fn optional<T: Deserialize<'a>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, RoomKeyError> {
        let Some(raw) = self.0.remove(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map_err(|_| RoomKeyError::Malformed(name))
    }

    pub(super) fn text(&mut self, name: &'static str) -> Result<String, RoomKeyError> {
        self.optional(name)?.ok_or(RoomKeyError::Malformed(name))
    }

    /// Takes out secret base64 text. serde_json would unescape it in memory that is not wiped.
    pub(super) fn secret(&mut self, name: &'static str) -> Result<Zeroizing<String>, RoomKeyError> {
        let malformed = RoomKeyError::Malformed(name);
        let raw = self.0.remove(name).ok_or(malformed)?.get();
        let raw = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).ok_or(malformed)?;
        // An escape is longer than its letter, so the text does not grow.
        let mut text = Zeroizing::new(String::with_capacity(raw.len()));
        let mut rest = raw;
        while let Some((before, escaped)) = rest.split_once('\\') {
            text.push_str(before);
            let (letter, after) = unescape(escaped);
            text.push(letter);
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }

    /// Takes out the id of the session, which must be that of its key.
    pub(super) fn session_id(&mut self, expected: &str) -> Result<(), RoomKeyError> {
        if self.text("session_id")? == expected { Ok(()) } else { Err(RoomKeyError::SessionId) }
    }

    /// What all forms of an exported key have, besides the ids.
    pub(super) fn exported(
        mut self,
        room_id: String,
        session_id: &str,
        provenance: Provenance,
    ) -> Result<ExportedRoomKey, RoomKeyError> {
        let mut session_key = ExportedSessionKey::from_base64(&self.secret("session_key")?)?;
        if provenance < Provenance::Exported {
            session_key = session_key.marked_as_from_backup();
        }
        if session_key.session_id() != session_id {
            return Err(RoomKeyError::SessionId);
        }
        let claimed = self.optional("sender_claimed_keys")?;
        let sender_key = self.optional::<String>("sender_key")?.filter(|key| !key.is_empty());
        let sender_key =
            sender_key.map(|key| Curve25519PublicKey::from_base64(&key)).transpose()?;
        Ok(ExportedRoomKey {
            room_id,
            session_key,
            sender_key,
            sender_claimed_keys: claimed.map(|Unique(keys)| keys).unwrap_or_default(),
            forwarding_chain: self.optional("forwarding_curve25519_key_chain")?.unwrap_or_default(),
            other: self.rest()?,
            provenance,
        })
    }

    /// The members that were not taken out.
    pub(super) fn rest(self) -> Result<Map<String, Value>, RoomKeyError> {
        let read = |(name, raw): (String, &RawValue)| Ok((name, serde_json::from_str(raw.get())?));
        let members: Result<_, serde_json::Error> = self.0.into_iter().map(read).collect();
        members.map_err(|_| RoomKeyError::Malformed("object"))
    }
}
