//! Every operation that touches a secret, one by one.

mod channels;
mod keys;
mod leaks;
mod libolm_pickles;
mod matrix;
mod megolm;
mod olm;
mod payload;
mod pickles;
mod vodozemac_pickles;

type Operation = (&'static str, fn());

pub const CONSTANT_TIME: [Operation; 49] = [
    ("account: key generation", keys::account),
    ("account: signing", keys::sign),
    ("account: one-time and fallback keys", keys::one_time_keys),
    ("Ed25519 secret key: generation, signing, base64 both ways", keys::ed25519_secret_key),
    ("message cipher: HKDF, AES, HMAC, MAC comparison", keys::cipher),
    ("Olm: outbound session (3DH), first message", olm::outbound),
    ("Olm: inbound session (3DH), first message", olm::inbound),
    ("Olm: turns of the ratchet, late and skipped messages", olm::turns),
    ("Olm: a forged message, up to the verdict on its MAC", olm::forged),
    ("Olm: version 4", olm::version_4),
    ("Olm: message keys one by one", olm::message_keys),
    ("Olm: a session whose first message is read later", olm::unread),
    ("Olm: changed limits", olm::limits),
    ("Olm: what a fallback key remembers, up to its share", olm::fallback_memory),
    ("Megolm: new session, session key, base64 of it", megolm::session_key),
    ("Megolm: encryption", megolm::encrypt),
    ("Megolm: session key from bytes and base64", megolm::inbound),
    ("Megolm: decryption, late and early", megolm::decrypt),
    ("Megolm: decryption of a batch, backwards", megolm::decrypt_batch),
    ("Megolm: a forged message, up to the verdict on its MAC", megolm::forged),
    ("Megolm: export, import, base64 of it", megolm::export),
    ("Megolm: comparing, merging, forgetting", megolm::compare),
    ("Megolm: version 4, import with a version", megolm::versions),
    ("Megolm: the cipher of an index, messages from parts", megolm::parts),
    ("Megolm: replay guard", megolm::replay_guard),
    ("native pickle: account", pickles::account),
    ("native pickle: session", pickles::session),
    ("native pickle: group sessions", pickles::group_sessions),
    ("native pickle: under a passphrase", pickles::passphrase),
    ("dehydrated device", pickles::dehydrated),
    ("libolm's pickle: writing", libolm_pickles::write),
    ("libolm's pickle: reading an account", libolm_pickles::read_account),
    ("libolm's pickle: reading a session", libolm_pickles::read_session),
    ("libolm's pickle: reading group sessions", libolm_pickles::read_group_sessions),
    ("libolm's pickle: reading what is the caller's own", libolm_pickles::read_own),
    ("libolm's pickle: a wrong key, up to the verdict on its MAC", libolm_pickles::wrong_key),
    ("vodozemac's pickle: key pair", vodozemac_pickles::key_pair),
    ("vodozemac's pickle: to its serde form and back", vodozemac_pickles::convert),
    ("vodozemac's pickle: encryption, a wrong key", vodozemac_pickles::encrypted),
    ("SAS: agreement, strings, MACs and their comparison", channels::sas),
    ("backup: key, base64 and recovery key both ways, encryption, decryption", channels::backup),
    ("ECIES: channel, messages, a forged one", channels::ecies),
    ("HPKE: channel and messages", channels::hpke),
    ("key export: encryption", channels::key_export),
    ("key export: decryption", channels::key_import),
    ("key export: encryption in pieces", channels::key_export_in_pieces),
    ("key export: decryption in pieces", channels::key_import_in_pieces),
    ("secret storage: key, passphrase, key check, both ways", matrix::secret_storage),
    ("cross-signing: keys, signatures of keys, devices and users", matrix::cross_signing),
];

/// What SECURITY.md excepts from S-26. They are here so that the exception goes when its reason
/// goes.
pub const EXCEPTED: [Operation; 4] = [
    ("vodozemac's pickle: writing secrets as decimal digits", vodozemac_pickles::write_json),
    ("vodozemac's pickle: reading decimal digits", vodozemac_pickles::read_json),
    ("Olm payload: JSON that holds a room key, written", payload::encode),
    ("Olm payload: JSON that holds a room key, checked", payload::verify),
];

/// What must be caught: if one of these is not, then nothing above means anything.
pub const LEAKS: [Operation; 4] = [
    ("a branch on a bit of an HMAC's key", leaks::branch),
    ("a table lookup by a byte of a plaintext", leaks::lookup),
    ("an early exit from comparing MACs", leaks::early_exit),
    ("a branch on a private key from a decrypted pickle", leaks::after_the_library),
];
