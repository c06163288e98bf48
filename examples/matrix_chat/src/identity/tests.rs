use moceril::olm::Account;

use super::*;
use crate::{api::Api, fake_server::FakeServer, store::Directory};

const ALICE: &str = "@alice:here";
const BOB: &str = "@bob:there";

const QUERY: &str = "POST /_matrix/client/v3/keys/query";

/// A user with one device, and what the server says of both.
struct User {
    keys: CrossSigningKeys,
    device: DeviceKeys,
    public: PublicKeys,
}

impl User {
    fn new(user_id: &str) -> Self {
        let keys = CrossSigningKeys::new(user_id).unwrap();
        let account = Account::new().unwrap();
        let mut device = DeviceKeys::new(&account, user_id, "DEVICE").unwrap();
        keys.sign_device(&mut device).unwrap();
        let public = keys.public_keys().unwrap();
        Self { keys, device, public }
    }

    fn master(&self) -> String {
        self.keys.master.public_key().to_base64()
    }
}

fn answer(users: &[(&str, &User)]) -> Value {
    let mut answer = json!({});
    for (user_id, user) in users {
        answer["device_keys"][user_id]["DEVICE"] = user.device.to_json();
        answer["master_keys"][user_id] = user.public.master.to_json();
        answer["self_signing_keys"][user_id] = user.public.self_signing.to_json();
        answer["user_signing_keys"][user_id] = user.public.user_signing.to_json();
    }
    answer
}

fn alice(directory: &Directory) -> Client {
    let api = Api::new("http://localhost:1", None).unwrap();
    let store = Store::create(directory).unwrap();
    store.save_account(&Account::new().unwrap()).unwrap();
    Client { api, store, user_id: ALICE.to_owned(), device_id: "HERS".to_owned() }
}

/// Whether Bob's identity is verified, and his device because of it.
fn trust(client: &Client, answer: &Value) -> (bool, bool) {
    let devices = answer["device_keys"][BOB].as_object().unwrap();
    devices::update(client, BOB, devices, answer).unwrap();
    let device = Device::find(&client.store, BOB, "DEVICE").unwrap().unwrap();
    let identity = Identity::of_user(&client.store, BOB).unwrap();
    (identity.is_some_and(|identity| identity.verified), device.signed)
}

/// Where the identity is published.
const PUBLISH: &str = "POST /_matrix/client/v3/keys/device_signing/upload";

/// A server that shows no identity, and whose secret storage has the master key or not.
fn hiding(stored: bool) -> FakeServer {
    FakeServer::new(move |request| {
        let status = match request {
            line if line.starts_with("GET") && line.ends_with(SECRETS[0]) && stored => 200,
            line if line.starts_with("GET") => 404,
            PUBLISH => 500,
            _ => 200,
        };
        (status, "X: y".to_owned(), json!({ "encrypted": { "key": {} } }))
    })
}

#[test]
fn an_identity_that_the_server_hides_is_not_replaced() {
    for (stored, row) in
        [(true, None), (false, Some("verified")), (false, Some("shown")), (false, None)]
    {
        let server = hiding(stored);
        let directory = Directory::new();
        let client = server.alice(alice(&directory).store);
        if let Some(column) = row {
            let sql = format!("INSERT INTO identities (user_id, {column}) VALUES (?, 'key')");
            client.store.run(&sql, [ALICE]).unwrap();
        }
        let error = set_up(&client, || bail!("no password")).unwrap_err().to_string();
        let kept = !stored && row.is_none();
        assert_eq!(error.contains("nothing was replaced"), !kept, "{error}");
        let changes = |request: &String| !request.starts_with("GET") && request != QUERY;
        assert_eq!(server.requests().iter().any(changes), kept);
    }
}

/// Its secrets are in the storage then, and must not keep the user from trying again.
#[test]
fn an_identity_whose_making_was_cut_off_can_be_made_again() {
    let directory = Directory::new();
    let server = hiding(false);
    let client = server.alice(alice(&directory).store);
    set_up(&client, || bail!("no password")).unwrap_err();
    let server = hiding(true);
    let client = server.alice(client.store);
    set_up(&client, || bail!("no password")).unwrap_err();
    assert!(server.requests().iter().any(|request| request == PUBLISH));
}

#[test]
fn an_identity_vouches_when_it_was_compared_and_each_signature_verifies() {
    let directory = Directory::new();
    let client = alice(&directory);
    let (bob, other) = (User::new(BOB), User::new(BOB));
    let shown = answer(&[(BOB, &bob)]);
    assert_eq!(trust(&client, &shown), (false, false));
    Identity::mark_verified(&client, BOB, &bob.master()).unwrap();
    assert_eq!(trust(&client, &shown), (true, true));

    // Another identity that has signed the device, too.
    let mut replaced = answer(&[(BOB, &other)]);
    let mut device = bob.device.clone();
    other.keys.sign_device(&mut device).unwrap();
    replaced["device_keys"][BOB]["DEVICE"] = device.to_json();
    assert_eq!(trust(&client, &replaced), (false, false));
    // Its self-signing key, under the right master key.
    let mut mixed = replaced.clone();
    mixed["master_keys"] = shown["master_keys"].clone();
    assert_eq!(trust(&client, &mixed), (true, false));
    // A signature of another object.
    let mut forged = shown.clone();
    let id = format!("ed25519:{}", bob.keys.self_signing.public_key());
    forged["device_keys"][BOB]["DEVICE"]["signatures"][BOB][&id] = shown["self_signing_keys"][BOB]
        ["signatures"][BOB][format!("ed25519:{}", bob.master())]
    .clone();
    assert_eq!(trust(&client, &forged), (true, false));
    for member in ["master_keys", "self_signing_keys"] {
        let mut without = shown.clone();
        without.as_object_mut().unwrap().remove(member);
        assert!(!trust(&client, &without).1, "{member}");
    }
    assert_eq!(trust(&client, &shown), (true, true));
}

#[test]
fn what_our_identity_has_signed_is_verified_if_this_device_trusts_it() {
    let directory = Directory::new();
    let client = alice(&directory);
    let (us, stranger, mut bob) = (User::new(ALICE), User::new(ALICE), User::new(BOB));
    us.keys.sign_user(&mut bob.public.master).unwrap();
    let shown = answer(&[(ALICE, &us), (BOB, &bob)]);
    assert_eq!(trust(&client, &shown), (false, false));
    Identity::mark_verified(&client, ALICE, &stranger.master()).unwrap();
    assert_eq!(trust(&client, &shown), (false, false));
    Identity::mark_verified(&client, ALICE, &us.master()).unwrap();
    // The signature under another master key.
    let mut forged = answer(&[(ALICE, &us), (BOB, &User::new(BOB))]);
    forged["device_keys"] = shown["device_keys"].clone();
    forged["master_keys"][BOB]["signatures"] = shown["master_keys"][BOB]["signatures"].clone();
    assert_eq!(trust(&client, &forged), (false, false));
    assert_eq!(trust(&client, &shown), (true, true));
    // What was verified stays so when the signature is left out.
    let mut without = shown.clone();
    without["master_keys"][BOB].as_object_mut().unwrap().remove("signatures");
    assert_eq!(trust(&client, &without), (true, true));
}
