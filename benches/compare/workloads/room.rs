//! The first message to a room: its key goes to every device, each over a new Olm session.

use std::rc::Rc;

use interop::{
    Library,
    MessageVersion::V3,
    ours::OurDevice,
    peer::{OlmPeer, PublishedKey},
};

use super::grouped;
use crate::{
    contender::{Who, prepared},
    measure::Row,
};

pub fn row(devices: usize) -> Row {
    let name = format!("first message to a room of {} devices", grouped(devices));
    Row::new(name, 1, move || {
        let keys: Rc<[_]> = (0..devices).map(|_| OurDevice::new(V3).publish(false)).collect();
        [
            (Who::Ours, Library::Ours),
            (Who::Vodozemac, Library::Vodozemac),
            (Who::Libolm, Library::Libolm),
        ]
        .map(|(who, library)| {
            let keys = keys.clone();
            (who, prepared(move || library.device(V3), move |device| send(&mut **device, &keys)))
        })
        .into()
    })
}

/// For each device: reads its keys, verifies the signature, makes a session, encrypts.
fn send(device: &mut dyn OlmPeer, keys: &[PublishedKey]) -> Vec<interop::peer::Wire> {
    keys.iter()
        .map(|key| {
            device.start(key);
            device.encrypt(ROOM_KEY)
        })
        .collect()
}

/// As long as the event that carries a room key.
const ROOM_KEY: &str = match str::from_utf8(&[b'k'; 900]) {
    Ok(text) => text,
    Err(_) => panic!("the text is ASCII"),
};
