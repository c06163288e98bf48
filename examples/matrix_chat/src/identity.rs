//! Cross-signing: the identity of a user, which vouches for the user's devices and for other users.
//!
//! Its private keys are only in secret storage: to sign, the user types the recovery key.
//!
//! Spec: Matrix, "Cross-signing".

use anstream::println;
use anyhow::{Context, Result, bail, ensure};
use moceril::{
    Ed25519SecretKey,
    cross_signing::{CrossSigningKeys, MasterKey, PublicKeys, UserSigningKey},
    device_keys::DeviceKeys,
    signed_json::SignedJsonError,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    account::Client,
    api::refusal,
    devices::{self, Device},
    secrets::{self, Storage},
    store::Store,
    terminal::{harmless, secret, warn},
};

/// The names in secret storage: of the master, the self-signing and the user-signing key.
const SECRETS: [&str; 3] =
    ["m.cross_signing.master", "m.cross_signing.self_signing", "m.cross_signing.user_signing"];

/// In the store while this device makes an identity that is not published yet.
const BEGUN: &str = "identity_begun";

/// What is known of a user's identity.
pub struct Identity {
    /// The master key that the server shows.
    pub master: String,
    /// Whether it is the user's: we have compared emoji, or our own identity has signed it.
    pub verified: bool,
}

impl Identity {
    pub fn of_user(store: &Store, user_id: &str) -> Result<Option<Self>> {
        let shown = "SELECT shown FROM identities WHERE user_id = ? AND shown IS NOT NULL";
        let Some(master) = store.one(shown, [user_id])? else { return Ok(None) };
        let verified = "SELECT shown IS verified FROM identities WHERE user_id = ?";
        Ok(Some(Self { master, verified: store.one(verified, [user_id])? == Some(true) }))
    }

    /// The master key of our own user, if this device trusts it.
    pub fn ours(client: &Client) -> Result<Option<String>> {
        let sql = "SELECT verified FROM identities WHERE user_id = ? AND verified IS NOT NULL";
        client.store.one(sql, [&client.user_id])
    }

    /// Notes that this master key is the user's. What our identity has signed counts from now on,
    /// if this is ours, so the server is asked again.
    pub fn mark_verified(client: &Client, user_id: &str, master: &str) -> Result<()> {
        client.store.run(
            "INSERT INTO identities (user_id, verified) VALUES (?, ?) \
             ON CONFLICT DO UPDATE SET verified = excluded.verified",
            [user_id, master],
        )?;
        if user_id == client.user_id {
            client.store.run("UPDATE users SET changes = changes + 1", [])?;
        }
        Ok(())
    }
}

/// Makes an identity if the user has none; else signs this device with the one there is. The
/// password is asked for only if the server wants it.
pub fn set_up(client: &Client, password: impl FnOnce() -> Result<Zeroizing<String>>) -> Result<()> {
    let answer = devices::query(client, &[&client.user_id])?;
    match answer["master_keys"].get(&client.user_id) {
        None => create(client, password)?,
        Some(_) => {
            println!("You have an identity, with which this device can be signed.");
            let Some(storage) = unlock(client)? else {
                println!("Not signed: `matrix_chat identity` does that later.");
                return Ok(());
            };
            let keys = private_keys(client, &storage, &answer)?;
            sign_this_device(client, &keys)?;
        }
    }
    println!("This device is signed by your identity.");
    Ok(())
}

fn create(client: &Client, password: impl FnOnce() -> Result<Zeroizing<String>>) -> Result<()> {
    let store = &client.store;
    let known = "SELECT count(*) FROM identities \
                 WHERE user_id = ? AND coalesce(shown, verified) IS NOT NULL";
    let known = store.one::<i64>(known, [&client.user_id])? != Some(0);
    // Secrets that this device stored before its identity was published belong to nothing yet.
    let begun = store.meta(BEGUN)?.is_some();
    // A server that hides an identity must not make us replace it: everybody's trust depends on it.
    ensure!(
        !known && (begun || !secrets::exists(client, SECRETS[0])?),
        "the server shows no identity, but you had one: nothing was replaced"
    );
    let (storage, is_new) = secrets::open_or_begin(client)?;
    let keys = CrossSigningKeys::new(&client.user_id)?;
    let mut public = keys.public_keys()?;
    // Whoever has verified this device before can trust the identity.
    public.master.sign(&client.device_id, &client.store.account()?)?;
    // First store the private keys and the way to them: an identity without them could sign nobody,
    // and replacing it would lose everybody's trust.
    store.set_meta(BEGUN, "yes")?;
    for (name, key) in SECRETS.iter().zip([&keys.master, &keys.self_signing, &keys.user_signing]) {
        storage.put(client, name, &key.to_base64())?;
    }
    if is_new {
        storage.make_default(client)?;
        secrets::show(&storage.recovery_key());
    }
    upload(client, &public, password)?;
    store.run("DELETE FROM meta WHERE name = ?", [BEGUN])?;
    sign_this_device(client, &keys)
}

/// Publishes the identity. A server may ask for the password, so that a stolen access token is not
/// enough.
///
/// Spec: Matrix, "User-Interactive Authentication API".
fn upload(
    client: &Client,
    public: &PublicKeys,
    password: impl FnOnce() -> Result<Zeroizing<String>>,
) -> Result<()> {
    let path = "/_matrix/client/v3/keys/device_signing/upload";
    let mut body = json!({
        "master_key": public.master.to_json(),
        "self_signing_key": public.self_signing.to_json(),
        "user_signing_key": public.user_signing.to_json(),
    });
    let Err(error) = client.api.post(path, &body) else { return Ok(()) };
    let Some(session) = refusal(&error).and_then(|refused| refused.wants_password()) else {
        return Err(error).context("the server does not take your identity");
    };
    body["auth"] = json!({
        "type": "m.login.password",
        "identifier": { "type": "m.id.user", "user": client.user_id },
        "password": password()?.as_str(),
        "session": session,
    });
    client.api.post(path, &body).context("the server does not take your identity")?;
    Ok(())
}

/// Signs this device, which then trusts the identity.
fn sign_this_device(client: &Client, keys: &CrossSigningKeys) -> Result<()> {
    let account = client.store.account()?;
    let mut device = DeviceKeys::new(&account, &client.user_id, &client.device_id)?;
    keys.sign_device(&mut device)?;
    upload_signed(client, &client.user_id, &client.device_id, device.to_json())?;
    let master = keys.master.public_key().to_base64();
    client.store.atomically(|| Identity::mark_verified(client, &client.user_id, &master))
}

/// After a comparison: signs the other user, or the other device of our own user, so that all our
/// devices know, and those who trust us.
pub fn vouch_for(client: &Client, device: &Device) -> Result<()> {
    let store = &client.store;
    let user_id = &device.user_id;
    let ourselves = *user_id == client.user_id;
    let to_sign = "SELECT shown FROM identities \
                   WHERE user_id = ? AND shown = verified AND NOT signed";
    let to_sign: Option<String> = store.one(to_sign, [user_id])?;
    // As it is known now: the comparison may have shown our own identity.
    let found = Device::find(store, user_id, &device.device_id)?;
    let signed =
        if ourselves { found.is_some_and(|found| found.signed) } else { to_sign.is_none() };
    if Identity::ours(client)?.is_none() || signed {
        return Ok(());
    }
    println!("Your identity can sign that, for your other devices to know.");
    let Some(storage) = unlock(client)? else { return Ok(()) };
    let answer = devices::query(client, &[&client.user_id, user_id])?;
    let keys = private_keys(client, &storage, &answer)?;
    if ourselves {
        let object = answer["device_keys"][user_id][&device.device_id].clone();
        let mut signed = DeviceKeys::verify(object, user_id, &device.device_id)?;
        ensure!(signed.identity_keys() == device.keys, "the server shows other keys now");
        keys.sign_device(&mut signed)?;
        upload_signed(client, user_id, &device.device_id, signed.to_json())?;
    } else {
        let mut signed = MasterKey::read(answer["master_keys"][user_id].clone(), user_id)?;
        let master = signed.key().to_base64();
        ensure!(Some(&master) == to_sign.as_ref(), "the server shows another identity now");
        keys.sign_user(&mut signed)?;
        upload_signed(client, user_id, &master, signed.to_json())?;
    }
    devices::outdated(store, user_id)?;
    devices::refresh(client, &[user_id])?;
    println!("Signed.");
    Ok(())
}

/// Asks for what opens the secret storage. `None` if the user does not want to.
fn unlock(client: &Client) -> Result<Option<Storage>> {
    let typed = secret("Recovery key or passphrase (empty: not now)")?;
    if typed.is_empty() {
        return Ok(None);
    }
    let locked = secrets::find(client)?.context("you have no secret storage any more")?;
    locked.unlock(&typed).context("your secret storage stays locked").map(Some)
}

/// The private keys of our identity, if they are those of the public keys that the server shows.
fn private_keys(client: &Client, storage: &Storage, answer: &Value) -> Result<CrossSigningKeys> {
    let [master, self_signing, user_signing] = SECRETS.map(|name| -> Result<_> {
        Ok(Ed25519SecretKey::from_base64(&storage.get(client, name)?)?)
    });
    let keys = CrossSigningKeys {
        user_id: client.user_id.clone(),
        master: master?,
        self_signing: self_signing?,
        user_signing: user_signing?,
    };
    let us = &client.user_id;
    let public = MasterKey::read(answer["master_keys"][us].clone(), us)?;
    let self_signing = public.verify_self_signing_key(answer["self_signing_keys"][us].clone())?;
    let user_signing = public.verify_user_signing_key(answer["user_signing_keys"][us].clone())?;
    ensure!(
        public.key() == keys.master.public_key()
            && self_signing.key() == keys.self_signing.public_key()
            && user_signing.key() == keys.user_signing.public_key(),
        "your secret storage has the keys of another identity than the server shows"
    );
    Ok(keys)
}

fn upload_signed(client: &Client, user_id: &str, name: &str, object: Value) -> Result<()> {
    let body = json!({ user_id: { name: object } });
    let answer = client.api.post("/_matrix/client/v3/keys/signatures/upload", &body)?;
    if let Some(reason) = answer["failures"].get(user_id).and_then(|failed| failed.get(name)) {
        let reason = reason["error"].as_str().unwrap_or("no reason given");
        bail!("the server does not take the signature: {}", harmless(reason));
    }
    Ok(())
}

/// Takes from an answer of `/keys/query` what it shows of a user's identity, and which of these
/// devices the identity has signed. It counts as the user's only if the key was compared, or if our
/// own identity has signed it.
pub fn update(
    client: &Client,
    user_id: &str,
    answer: &Value,
    accepted: &[DeviceKeys],
) -> Result<()> {
    let store = &client.store;
    store.run("DELETE FROM signed_devices WHERE user_id = ?", [user_id])?;
    store.run(
        "INSERT INTO identities (user_id) VALUES (?) \
         ON CONFLICT DO UPDATE SET shown = NULL, signed = 0",
        [user_id],
    )?;
    let Some(object) = answer["master_keys"].get(user_id) else { return Ok(()) };
    if let Err(error) = take(client, user_id, object.clone(), answer, accepted) {
        warn(&format!("the identity of {user_id} is not trusted: {error:#}"));
    }
    let replaced = "SELECT count(*) FROM identities WHERE user_id = ? AND shown <> verified";
    if store.one::<i64>(replaced, [user_id])? == Some(1) {
        warn(&format!(
            "THE IDENTITY OF {user_id} HAS CHANGED since it was verified: it vouches for nothing \
             until you compare emoji again"
        ));
    }
    Ok(())
}

fn take(
    client: &Client,
    user_id: &str,
    object: Value,
    answer: &Value,
    accepted: &[DeviceKeys],
) -> Result<()> {
    let store = &client.store;
    let master = MasterKey::read(object, user_id)?;
    let name = master.key().to_base64();
    store.run("UPDATE identities SET shown = ? WHERE user_id = ?", [&name, user_id])?;
    if user_id != client.user_id
        && let Some(ours) = our_user_signing_key(client, answer)?
        && signature(ours.verify_user(&master), "your signature")?
    {
        let sql = "UPDATE identities SET signed = 1, verified = shown WHERE user_id = ?";
        store.run(sql, [user_id])?;
    }
    let object = answer["self_signing_keys"][user_id].clone();
    let self_signing = master.verify_self_signing_key(object)?;
    for device in accepted {
        let id = device.device_id();
        match signature(self_signing.verify_device(device), "its signature") {
            Ok(false) => {}
            Ok(true) => {
                store.run(
                    "REPLACE INTO signed_devices (user_id, device_id, master) VALUES (?, ?, ?)",
                    [user_id, id, &name],
                )?;
            }
            Err(error) => {
                warn(&format!("the identity of {user_id} does not vouch for {id}: {error:#}"));
            }
        }
    }
    Ok(())
}

/// The key with which our user signs others, if our identity is the one that this device trusts.
fn our_user_signing_key(client: &Client, answer: &Value) -> Result<Option<UserSigningKey>> {
    let us = &client.user_id;
    let (Some(trusted), Some(object)) = (Identity::ours(client)?, answer["master_keys"].get(us))
    else {
        return Ok(None);
    };
    let master = MasterKey::read(object.clone(), us)?;
    if master.key().to_base64() != trusted {
        return Ok(None);
    }
    let object = answer["user_signing_keys"][us].clone();
    Ok(Some(master.verify_user_signing_key(object).context("your own identity")?))
}

/// Whether there is a signature. A wrong one is an error.
fn signature(result: Result<(), SignedJsonError>, whose: &str) -> Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(SignedJsonError::MissingSignature) => Ok(false),
        Err(error) => Err(error).with_context(|| whose.to_owned()),
    }
}

#[cfg(test)]
mod tests;
