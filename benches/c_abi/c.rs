//! The rows through the C interface of either library.

use crate::{
    TEXT,
    library::Libolm,
    object::Object,
    run::{Run, prepared, repeated},
};

type Library = &'static Libolm;

fn account(library: Library, one_time_keys: usize) -> Object {
    let mut account = Object::account(library);
    account.generate_one_time_keys(one_time_keys);
    account
}

fn first_message(alice: &Object, keys: &(Vec<u8>, Vec<u8>)) -> (Object, (usize, Vec<u8>)) {
    let mut session = Object::outbound(alice, &keys.0, &keys.1);
    let message = session.encrypt(TEXT);
    (session, message)
}

fn ping(from: &mut Object, to: &mut Object) -> Vec<u8> {
    to.decrypt(&from.encrypt(TEXT))
}

fn conversation(library: Library) -> (Object, Object) {
    let (alice, mut bob) = (account(library, 0), account(library, 1));
    let (mut ours, message) = first_message(&alice, &bob.published());
    let (mut theirs, _) = Object::accept(&mut bob, &message);
    ping(&mut theirs, &mut ours);
    ping(&mut ours, &mut theirs);
    (ours, theirs)
}

pub fn new_account(library: Library) -> Run {
    repeated(move || Object::account(library))
}

pub fn one_time_keys(library: Library, count: usize) -> Run {
    prepared(move || account(library, 0), move |account| account.generate_one_time_keys(count))
}

pub fn outbound(library: Library) -> Run {
    let (alice, keys) = (account(library, 0), account(library, 1).published());
    repeated(move || first_message(&alice, &keys))
}

pub fn inbound(library: Library) -> Run {
    let (alice, mut bob) = (account(library, 0), account(library, 50));
    let (_, message) = first_message(&alice, &bob.published());
    let pickle = bob.pickle_account();
    let bob = move || Object::unpickle_account(library, &pickle);
    prepared(bob, move |bob| Object::accept(bob, &message))
}

pub fn encrypt(library: Library) -> Run {
    let (mut ours, _) = conversation(library);
    repeated(move || ours.encrypt(TEXT))
}

pub fn encrypt_and_decrypt(library: Library) -> Run {
    let (mut ours, mut theirs) = conversation(library);
    repeated(move || ping(&mut ours, &mut theirs))
}

pub fn ping_pong(library: Library) -> Run {
    let (mut ours, mut theirs) = conversation(library);
    repeated(move || (ping(&mut theirs, &mut ours), ping(&mut ours, &mut theirs)))
}

pub fn group_encrypt(library: Library) -> Run {
    let mut room = Object::room(library);
    repeated(move || room.send(TEXT))
}

pub fn group_decrypt(library: Library) -> Run {
    let mut room = Object::room(library);
    let mut receiver = Object::receiver(library, &room.session_key());
    prepared(move || room.send(TEXT), move |event| receiver.receive(event))
}

pub fn newest_first(library: Library, count: usize) -> Run {
    let mut room = Object::room(library);
    let key = room.session_key();
    let events: Vec<_> = (0..count).map(|_| room.send(TEXT)).collect();
    prepared(
        move || Object::receiver(library, &key),
        move |receiver| {
            for event in events.iter().rev() {
                receiver.receive(event);
            }
        },
    )
}

pub fn session_key(library: Library) -> Run {
    let key = Object::room(library).session_key();
    repeated(move || Object::receiver(library, &key))
}

fn receiver(library: Library) -> Object {
    Object::receiver(library, &Object::room(library).session_key())
}

pub fn exported_key(library: Library) -> Run {
    let key = receiver(library).export();
    repeated(move || Object::import(library, &key))
}

pub fn pickle_account(library: Library, count: usize) -> Run {
    let mut account = account(library, count);
    repeated(move || account.pickle_account())
}

pub fn unpickle_account(library: Library, count: usize) -> Run {
    let pickle = account(library, count).pickle_account();
    repeated(move || Object::unpickle_account(library, &pickle))
}

pub fn pickle_session(library: Library) -> Run {
    let (mut session, _) = conversation(library);
    repeated(move || session.pickle_session())
}

pub fn unpickle_session(library: Library) -> Run {
    let pickle = conversation(library).0.pickle_session();
    repeated(move || Object::unpickle_session(library, &pickle))
}

pub fn pickle_receiver(library: Library) -> Run {
    let mut receiver = receiver(library);
    repeated(move || receiver.pickle_receiver())
}

pub fn unpickle_receiver(library: Library) -> Run {
    let pickle = receiver(library).pickle_receiver();
    repeated(move || Object::unpickle_receiver(library, &pickle))
}
