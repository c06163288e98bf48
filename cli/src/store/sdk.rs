//! The store of matrix-rust-sdk, `matrix-sdk-crypto.sqlite3`. Its values are MessagePack around the
//! forms of vodozemac. If the store has a passphrase or a key, they are encrypted with
//! XChaCha20-Poly1305 under a key of the store, which is encrypted with one that is derived from
//! the passphrase or key.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce, aead::Aead};
use hkdf::Hkdf;
use moceril::vodozemac::{
    AccountPickle, GroupSessionPickle, InboundGroupSessionPickle, SessionPickle,
};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, de::DeserializeOwned};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Origin, Received, database};
use crate::{
    failure::{Failure, Result},
    pickle::object::{self, Kind, Object},
    secrets::{Secret, without_line_end},
};

/// What a passphrase may cost: ten times what the SDK uses.
const MOST_ROUNDS: u32 = 2_000_000;
/// The only version of encrypted values.
const VERSION: u8 = 1;

/// The store, before anything is decrypted.
pub struct SdkStore {
    path: PathBuf,
    connection: Connection,
}

/// A store whose values can be read.
pub struct Unlocked<'a> {
    store: &'a SdkStore,
    cipher: Option<Cipher>,
}

/// A value of the store, as far as it is needed.
#[derive(Deserialize)]
struct Pickled<P> {
    pickle: P,
}

#[derive(Deserialize)]
struct PickledInbound {
    pickle: InboundGroupSessionPickle,
    sender_key: String,
    #[serde(default)]
    signing_key: BTreeMap<String, String>,
    room_id: String,
    #[serde(default)]
    shared_history: bool,
}

#[derive(Deserialize)]
struct EncryptedValue {
    version: u8,
    #[serde(deserialize_with = "bytes")]
    ciphertext: Vec<u8>,
    nonce: [u8; 24],
}

/// The key of the store, encrypted.
#[derive(Deserialize)]
struct EncryptedKey {
    kdf_info: Derivation,
    ciphertext_info: Ciphertext,
}

#[derive(Deserialize)]
enum Derivation {
    None,
    HkdfSha256,
    Pbkdf2ToChaCha20Poly1305 { rounds: u32, kdf_salt: [u8; 32] },
}

#[derive(Deserialize)]
enum Ciphertext {
    ChaCha20Poly1305 { nonce: [u8; 24], ciphertext: Vec<u8> },
}

/// MessagePack has strings of bytes beside lists of numbers. Older releases of the SDK write lists.
fn bytes<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<u8>, D::Error> {
    struct Bytes;
    impl<'de> serde::de::Visitor<'de> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> std::result::Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(
            self,
            mut numbers: A,
        ) -> std::result::Result<Vec<u8>, A::Error> {
            let mut bytes = Vec::new();
            while let Some(byte) = numbers.next_element()? {
                bytes.push(byte);
            }
            Ok(bytes)
        }
    }
    deserializer.deserialize_bytes(Bytes)
}

/// What decrypts the values of a store.
struct Cipher(XChaCha20Poly1305);

impl Cipher {
    fn new(key: &[u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    fn decrypt(&self, nonce: &[u8; 24], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let nonce: &XNonce = nonce.into();
        self.0.decrypt(nonce, ciphertext).ok().map(Zeroizing::new)
    }
}

impl EncryptedKey {
    fn decrypt(&self, derived: &[u8; 32]) -> Option<Zeroizing<Vec<u8>>> {
        let Ciphertext::ChaCha20Poly1305 { nonce, ciphertext } = &self.ciphertext_info;
        Cipher::new(derived).decrypt(nonce, ciphertext)
    }

    /// The key of the store, from the user's passphrase or key.
    fn open(&self, source: Option<&Secret>) -> Result<Cipher> {
        let mut derived = Zeroizing::new([0; 32]);
        let keys = match &self.kdf_info {
            Derivation::Pbkdf2ToChaCha20Poly1305 { rounds, kdf_salt } => {
                if *rounds > MOST_ROUNDS {
                    let what = format!("the passphrase has {rounds} rounds");
                    return Err(Failure::input(format_args!("{what}, more than {MOST_ROUNDS}")));
                }
                let passphrase = Secret::bytes(source, "passphrase of the store")?;
                pbkdf2::pbkdf2_hmac::<Sha256>(&passphrase, kdf_salt, *rounds, &mut *derived);
                self.decrypt(&derived)
            }
            Derivation::HkdfSha256 => {
                let whole = Secret::whole(source, "key of the store")?;
                // The key has any length, so only decrypting shows whether it ends like a line.
                [without_line_end(&whole), &whole].into_iter().find_map(|key| {
                    let info = b"matrix-sdk-store-encryption";
                    Hkdf::<Sha256>::new(None, key).expand(info, &mut *derived).ok()?;
                    self.decrypt(&derived)
                })
            }
            Derivation::None => self.decrypt(&*Secret::key(source, "key of the store")?),
        };
        let keys = keys.ok_or_else(|| {
            Failure::key("wrong passphrase of the store, or its key was altered")
                .hint("give the passphrase or key with which the client opens its store")
        })?;
        // The other 32 bytes hash the names of objects.
        let key = keys.first_chunk().filter(|_| keys.len() == 64);
        let key = key.ok_or_else(|| Failure::input("the key of the store has the wrong length"))?;
        Ok(Cipher::new(key))
    }
}

impl SdkStore {
    /// The store, if the database is one.
    pub fn of(path: &Path, connection: Connection) -> std::result::Result<Self, Connection> {
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table'
            AND name IN ('kv', 'session', 'inbound_group_session', 'outbound_group_session')";
        let found = connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        if found.is_ok_and(|tables| tables == 4) {
            Ok(Self { path: path.into(), connection })
        } else {
            Err(connection)
        }
    }

    /// Asks for the passphrase, if the store has one.
    pub fn unlock(&self, source: Option<&Secret>) -> Result<Unlocked<'_>> {
        let cipher = self.value("cipher")?.map(|value| {
            // Old stores have JSON.
            let key = rmp_serde::from_slice(&value).ok();
            let key: Option<EncryptedKey> = key.or_else(|| serde_json::from_slice(&value).ok());
            key.ok_or_else(|| Failure::input("the key of the store has an unknown form"))?
                .open(source)
        });
        let cipher = cipher.transpose().map_err(|failure| failure.at(self.path.display()))?;
        Ok(Unlocked { store: self, cipher })
    }

    fn value(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT value FROM kv WHERE key = ?1";
        let value = self.connection.query_row(sql, [key], |row| row.get(0)).optional();
        value.map_err(|error| database::refused(&self.path, &error))
    }

    /// Hands each value of a table to `visit`, with a name for it: the names in the store can be
    /// hashes.
    fn rows(
        &self,
        table: &str,
        mut visit: impl FnMut(String, Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let failed = |error: rusqlite::Error| database::refused(&self.path, &error);
        let sql = format!("SELECT rowid, data FROM {table} ORDER BY rowid");
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let number: i64 = row.get(0).map_err(failed)?;
            visit(format!("{table} row {number}"), row.get(1).map_err(failed)?)?;
        }
        Ok(())
    }
}

impl Unlocked<'_> {
    fn decrypted(&self, value: Vec<u8>) -> Result<Zeroizing<Vec<u8>>> {
        let Some(cipher) = &self.cipher else { return Ok(Zeroizing::new(value)) };
        let value: EncryptedValue = read(&value)?;
        if value.version != VERSION {
            let found = value.version;
            return Err(Failure::input(format_args!("encrypted in an unknown version, {found}")));
        }
        let value = cipher.decrypt(&value.nonce, &value.ciphertext);
        value.ok_or_else(|| Failure::key("encrypted under another key than the store's"))
    }

    /// Opens each account and session, and hands it to `visit` with its kind and a name for it.
    pub fn each(
        &self,
        mut visit: impl FnMut(Kind, String, Result<Object>) -> Result<()>,
    ) -> Result<()> {
        if let Some(value) = self.store.value("account")? {
            let account = self
                .decrypted(value)
                .and_then(|value| object::account(read::<Pickled<AccountPickle>>(&value)?.pickle));
            visit(Kind::Account, "the account".into(), account)?;
        }
        self.store.rows("session", |name, value| {
            let session = self
                .decrypted(value)
                .and_then(|value| object::session(read::<Pickled<SessionPickle>>(&value)?.pickle));
            visit(Kind::Session, name, session)
        })?;
        self.each_inbound(|name, session| {
            let session =
                session.map(|received| Object::InboundGroupSession(received.session.into()));
            visit(Kind::InboundGroupSession, name, session)
        })?;
        self.store.rows("outbound_group_session", |name, value| {
            let session = self.decrypted(value).and_then(|value| {
                // Only these are JSON.
                let pickled: Pickled<GroupSessionPickle> = serde_json::from_slice(&value)
                    .map_err(|_| Failure::input("it is not an outbound group session"))?;
                object::group_session(pickled.pickle)
            });
            visit(Kind::GroupSession, name, session)
        })
    }

    /// Opens each session of a room that was received, and hands it to `visit` with a name for it.
    pub fn each_inbound(
        &self,
        mut visit: impl FnMut(String, Result<Received>) -> Result<()>,
    ) -> Result<()> {
        self.store.rows("inbound_group_session", |name, value| {
            let session = self.decrypted(value).and_then(|value| {
                let value: PickledInbound = read(&value)?;
                let origin = Origin {
                    room_id: value.room_id,
                    sender_key: value.sender_key,
                    claimed: value.signing_key,
                    // The SDK does not store it.
                    forwarding_chain: Vec::new(),
                    shared_history: Some(value.shared_history),
                };
                Ok(Received { session: object::inbound_group_session(value.pickle)?, origin })
            });
            visit(name, session)
        })
    }
}

/// A value may be a secret, so none of it is repeated.
fn read<T: DeserializeOwned>(value: &[u8]) -> Result<T> {
    rmp_serde::from_slice(value).map_err(|_| Failure::input("its value has an unknown form"))
}

#[cfg(test)]
mod tests;
