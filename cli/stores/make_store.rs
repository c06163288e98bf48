//! `make_store FOLDER [PASSPHRASE]`: makes a store of matrix-rust-sdk with an account, a
//! conversation with another device, and both ends of a room's session; prints an event of the
//! room, which the session decrypts.

use std::{collections::BTreeMap, env, error::Error};

use matrix_sdk_crypto::{EncryptionSettings, OlmMachine, types::requests::AnyOutgoingRequest};
use matrix_sdk_sqlite::SqliteCryptoStore;
use ruma::{
    OwnedOneTimeKeyId,
    api::client::keys::{claim_keys, get_keys, upload_keys},
    device_id,
    encryption::OneTimeKey,
    room_id,
    serde::Raw,
    user_id,
};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Publishes the keys of a device: they come into the answer to a query.
async fn publish(
    machine: &OlmMachine,
    devices: &mut get_keys::v3::Response,
) -> Result<BTreeMap<OwnedOneTimeKeyId, Raw<OneTimeKey>>> {
    for request in machine.outgoing_requests().await? {
        if let AnyOutgoingRequest::KeysUpload(upload) = request.request() {
            let keys = upload.device_keys.clone().ok_or("no device keys")?;
            let user = devices.device_keys.entry(machine.user_id().to_owned()).or_default();
            user.insert(machine.device_id().to_owned(), keys);
            let answer = upload_keys::v3::Response::new(BTreeMap::new());
            machine.mark_request_as_sent(request.request_id(), &answer).await?;
            return Ok(upload.one_time_keys.clone());
        }
    }
    Err("the machine uploads no keys".into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [folder, rest @ ..] = &arguments[..] else {
        return Err("make_store FOLDER [PASSPHRASE]".into());
    };
    let (me, peer, room) =
        (user_id!("@me:example.org"), user_id!("@peer:example.org"), room_id!("!room:example.org"));
    let store = SqliteCryptoStore::open(folder, rest.first().map(String::as_str)).await?;
    let machine = OlmMachine::with_store(me, device_id!("MINE"), store, None).await?;
    let other = OlmMachine::new(peer, device_id!("THEIRS")).await;

    let mut devices = get_keys::v3::Response::new();
    publish(&machine, &mut devices).await?;
    let keys = publish(&other, &mut devices).await?;
    machine.update_tracked_users([me, peer]).await?;
    for request in machine.outgoing_requests().await? {
        if let AnyOutgoingRequest::KeysQuery(_) = request.request() {
            machine.mark_request_as_sent(request.request_id(), &devices).await?;
        }
    }
    let claim = machine.get_missing_sessions([peer].into_iter()).await?;
    let (id, _) = claim.ok_or("no session is missing")?;
    let key = keys.into_iter().next().ok_or("no one-time key")?;
    let device = BTreeMap::from([(other.device_id().to_owned(), BTreeMap::from([key]))]);
    let answer = claim_keys::v3::Response::new(BTreeMap::from([(peer.to_owned(), device)]));
    machine.mark_request_as_sent(&id, &answer).await?;
    machine.share_room_key(room, [peer].into_iter(), EncryptionSettings::default()).await?;

    let content = Raw::new(&json!({ "msgtype": "m.text", "body": "from the SDK" }))?;
    let content = content.cast_unchecked();
    let event = machine.encrypt_room_event_raw(room, "m.room.message", &content).await?;
    let event = json!({
        "type": "m.room.encrypted",
        "event_id": "$event",
        "sender": me,
        "origin_server_ts": 0,
        "room_id": room,
        "content": event.content,
    });
    println!("{event}");
    Ok(())
}
