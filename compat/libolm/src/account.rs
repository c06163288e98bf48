//! `OlmAccount`.

use moceril::{
    Curve25519PublicKey, LibolmPickleError,
    olm::{Account, KeyId, Session},
};
use zeroize::Zeroizing;

use crate::{
    base64::{self, BLANK_KEY, SIGNATURE_LENGTH},
    error::{Code, Result},
    memory::{Input, Kind, Memory, Object, Output},
    object::{Stored, ask, call, content, load, load_or_blank, size_with, store},
    pickle::Pickled,
    random::Random,
};

/// One-time keys that an account stores.
const MAX_ONE_TIME_KEYS: usize = 100;
/// The content begins with the version and both identity keys.
const IDENTITY: usize = 4 + 96 + 64;
/// Without one-time and fallback keys: two counts and the last id, which are zeros, follow.
const WITHOUT_KEYS: usize = IDENTITY + 4 + 1 + 4;
/// With 100 one-time keys and two fallback keys, of 69 bytes each.
const MAX_CONTENT: usize = WITHOUT_KEYS + 69 * 102;
const CREATE_RANDOM_LENGTH: usize = 64;
const KEY_RANDOM_LENGTH: usize = 32;

impl Kind for Account {
    const SIZE: usize = size_with(MAX_CONTENT);
}

impl Stored for Account {
    const BLANK: Code = Code::BadAccountKey;

    fn read(content: &[u8]) -> Option<Self> {
        Self::from_own_libolm_content(content).ok().map(|(account, _)| account)
    }

    fn write(&self, content: &mut [u8]) -> Option<usize> {
        self.write_libolm_content(content).ok().flatten()
    }
}

impl Pickled for Account {
    const BLANKS: &'static [(u32, usize)] = &[(4, WITHOUT_KEYS), (3, 310), (2, 172)];
    const LEGACY: Option<u32> = Some(1);

    fn unpickle(content: &[u8]) -> std::result::Result<(Self, &[u8]), LibolmPickleError> {
        Self::from_libolm_content(content)
    }
}

/// The account without its one-time and fallback keys, for what needs only its identity: a hundred
/// keys take longer to read than a signature takes. `None` for a blank account.
fn identity(memory: &Memory, account: Object<Account>) -> Result<Option<Account>> {
    let Some(content) = content(memory, account) else { return Ok(None) };
    let mut alone = Zeroizing::new([0; WITHOUT_KEYS]);
    for (to, from) in alone.iter_mut().zip(content.iter().take(IDENTITY)) {
        *to = *from;
    }
    Account::read(&*alone).map(Some).ok_or(Code::CorruptedPickle)
}

/// `olm_create_account_random_length`
pub(crate) fn create_random_length(_: Object<Account>) -> usize {
    CREATE_RANDOM_LENGTH
}

/// `olm_create_account`: the random bytes are the Ed25519 seed and the Curve25519 key. They are
/// wiped.
pub(crate) fn create(account: Object<Account>, random: Output) -> usize {
    call(account, |memory| {
        let created = Account::with_rng(&mut Random(memory.random(random)?));
        memory.wipe(random);
        store(memory, account, &created.map_err(|_| Code::NotEnoughRandom)?)?;
        Ok(0)
    })
}

/// `olm_account_identity_keys_length`
pub(crate) fn identity_keys_length(_: Object<Account>) -> usize {
    identity_keys_json(BLANK_KEY, BLANK_KEY).len()
}

/// `olm_account_identity_keys`: JSON of both keys; zeros for a blank account.
pub(crate) fn identity_keys(account: Object<Account>, keys: Output) -> usize {
    call(account, |memory| {
        let room = memory.room(keys, identity_keys_length(account))?;
        let json = match identity(memory, account)? {
            None => identity_keys_json(BLANK_KEY, BLANK_KEY),
            Some(account) => {
                let keys = account.identity_keys();
                identity_keys_json(&keys.curve25519.to_base64(), &keys.ed25519.to_base64())
            }
        };
        Ok(memory.write(room, json.as_bytes()))
    })
}

fn identity_keys_json(curve25519: &str, ed25519: &str) -> String {
    let mut json = String::new();
    json.extend([r#"{"curve25519":""#, curve25519, r#"","ed25519":""#, ed25519, r#""}"#]);
    json
}

/// `olm_account_signature_length`
pub(crate) fn signature_length(_: Object<Account>) -> usize {
    SIGNATURE_LENGTH
}

/// `olm_account_sign`
pub(crate) fn sign(account: Object<Account>, message: Input, signature: Output) -> usize {
    call(account, |memory| {
        let room = memory.room(signature, SIGNATURE_LENGTH)?;
        let message = memory.bytes(message)?;
        let account = identity(memory, account)?.ok_or(Account::BLANK)?;
        let signature = account.sign(message).to_base64();
        Ok(memory.write(room, signature.as_bytes()))
    })
}

/// `olm_account_generate_one_time_keys_random_length`
pub(crate) fn one_time_keys_random_length(_: Object<Account>, count: usize) -> usize {
    count.saturating_mul(KEY_RANDOM_LENGTH)
}

/// `olm_account_generate_one_time_keys`: returns the number of keys. The newest 100 are kept. The
/// random bytes are wiped.
pub(crate) fn generate_one_time_keys(
    account: Object<Account>,
    count: usize,
    random: Output,
) -> usize {
    call(account, |memory| {
        let random_bytes = memory.random(random)?;
        let generated = load(memory, account)
            .and_then(|account| with_one_time_keys(account, count, random_bytes));
        memory.wipe(random);
        store(memory, account, &generated?)?;
        Ok(count)
    })
}

/// Generates no more keys at once than moceril's account holds, which drops older ones for them. Of
/// those it has in the end, the newest are stored.
fn with_one_time_keys(mut account: Account, count: usize, random: &[u8]) -> Result<Account> {
    let needed = count.checked_mul(KEY_RANDOM_LENGTH).ok_or(Code::NotEnoughRandom)?;
    let random = random.get(..needed).ok_or(Code::NotEnoughRandom)?;
    for keys in random.chunks(Account::MAX_STORED_ONE_TIME_KEYS * KEY_RANDOM_LENGTH) {
        account
            .generate_one_time_keys_with_rng(keys.len() / KEY_RANDOM_LENGTH, &mut Random(keys))
            .map_err(|_| Code::NotEnoughRandom)?;
    }
    Ok(account)
}

/// `olm_account_max_number_of_one_time_keys`
pub(crate) fn max_one_time_keys(_: Object<Account>) -> usize {
    MAX_ONE_TIME_KEYS
}

/// `olm_account_one_time_keys_length`
pub(crate) fn one_time_keys_length(account: Object<Account>) -> usize {
    call(account, |memory| Ok(one_time_keys_json(memory, account)?.len()))
}

/// `olm_account_one_time_keys`: JSON of the keys that are not published, newest first.
pub(crate) fn one_time_keys(account: Object<Account>, keys: Output) -> usize {
    call(account, |memory| {
        let json = one_time_keys_json(memory, account)?;
        let room = memory.room(keys, json.len())?;
        Ok(memory.write(room, json.as_bytes()))
    })
}

fn one_time_keys_json(memory: &Memory, account: Object<Account>) -> Result<String> {
    let account = load_or_blank(memory, account)?;
    let keys = account.map(|account| account.unpublished_one_time_keys()).unwrap_or_default();
    Ok(keys_json(keys.into_iter().rev()))
}

/// `olm_account_mark_keys_as_published`: returns the number of one-time keys that were not marked
/// before. Marks the fallback key too.
pub(crate) fn mark_keys_as_published(account: Object<Account>) -> usize {
    call(account, |memory| {
        let Some(mut state) = load_or_blank(memory, account)? else {
            return Ok(0);
        };
        let ids: Vec<_> = state.unpublished_one_time_keys().into_iter().map(|(id, _)| id).collect();
        let fallback = state.unpublished_fallback_key().map(|(id, _)| id);
        if state.mark_as_published(ids.iter().copied().chain(fallback)) > 0 {
            store(memory, account, &state)?;
        }
        Ok(ids.len())
    })
}

/// `olm_account_generate_fallback_key_random_length`
pub(crate) fn fallback_key_random_length(_: Object<Account>) -> usize {
    KEY_RANDOM_LENGTH
}

/// `olm_account_generate_fallback_key`: returns 1. The random bytes are wiped.
pub(crate) fn generate_fallback_key(account: Object<Account>, random: Output) -> usize {
    call(account, |memory| {
        let mut random_bytes = Random(memory.random(random)?);
        let generated = load(memory, account).and_then(|mut account| {
            account
                .generate_fallback_key_with_rng(&mut random_bytes)
                .map_err(|_| Code::NotEnoughRandom)?;
            Ok(account)
        });
        memory.wipe(random);
        store(memory, account, &generated?)?;
        Ok(1)
    })
}

/// `olm_account_fallback_key_length`
pub(crate) fn current_fallback_key_length(account: Object<Account>) -> usize {
    ask(account, |account| key_json(account.fallback_key()), key_json(None)).len()
}

/// `olm_account_fallback_key`: JSON of the fallback key, published or not.
pub(crate) fn current_fallback_key(account: Object<Account>, key: Output) -> usize {
    write_fallback_key(account, Account::fallback_key, key)
}

/// `olm_account_unpublished_fallback_key_length`
pub(crate) fn fallback_key_length(account: Object<Account>) -> usize {
    ask(account, |account| key_json(account.unpublished_fallback_key()), key_json(None)).len()
}

/// `olm_account_unpublished_fallback_key`: JSON of the fallback key, if it is not published.
pub(crate) fn fallback_key(account: Object<Account>, key: Output) -> usize {
    write_fallback_key(account, Account::unpublished_fallback_key, key)
}

fn write_fallback_key(
    account: Object<Account>,
    find: impl FnOnce(&Account) -> Option<(KeyId, Curve25519PublicKey)>,
    key: Output,
) -> usize {
    call(account, |memory| {
        let json = key_json(load_or_blank(memory, account)?.as_ref().and_then(find));
        let room = memory.room(key, json.len())?;
        Ok(memory.write(room, json.as_bytes()))
    })
}

/// `olm_account_forget_old_fallback_key`
pub(crate) fn forget_old_fallback_key(account: Object<Account>) {
    call(account, |memory| {
        let Some(mut state) = load_or_blank(memory, account)? else {
            return Ok(0);
        };
        if state.forget_previous_fallback_key() {
            store(memory, account, &state)?;
        }
        Ok(0)
    });
}

/// `olm_remove_one_time_keys`: removes the one-time key that the session was made with, and returns
/// its id. A fallback key is found, but stays.
pub(crate) fn remove_one_time_keys(account: Object<Account>, session: Object<Session>) -> usize {
    call(account, |memory| {
        let session = load_or_blank(memory, session)?.ok_or(Code::BadMessageKeyId)?;
        let mut state = load_or_blank(memory, account)?.ok_or(Code::BadMessageKeyId)?;
        let id = state.key_id(&session.session_keys().one_time_key).ok_or(Code::BadMessageKeyId)?;
        if state.remove_one_time_key(id) {
            store(memory, account, &state)?;
        }
        Ok(usize::try_from(id.number()).unwrap_or(usize::MAX))
    })
}

fn key_json(key: Option<(KeyId, Curve25519PublicKey)>) -> String {
    keys_json(key.into_iter())
}

/// `{"curve25519":{"AAAAAQ":"…","AAAAAg":"…"}}`; an id is a 32-bit number in base64.
fn keys_json(keys: impl Iterator<Item = (KeyId, Curve25519PublicKey)>) -> String {
    let mut json = String::from(r#"{"curve25519":{"#);
    for (place, (id, key)) in keys.enumerate() {
        let [.., a, b, c, d] = id.number().to_be_bytes();
        let id = base64::encode(&[a, b, c, d]);
        for part in [if place > 0 { ",\"" } else { "\"" }, &id, "\":\"", &key.to_base64(), "\""] {
            json.push_str(part);
        }
    }
    json.push_str("}}");
    json
}
