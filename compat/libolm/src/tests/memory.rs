//! The caller's memory: what stays in it, and buffers that overlap.

use moceril::{megolm::GroupSession, olm::Account};

use super::held::{Held, input, written};
use crate::{
    account,
    error::{Code, FAILED},
    memory::{Input, Object, Output},
    object, outbound, pickle,
    utility::{self, Utility},
};

/// No secret stays behind a state that has become shorter, nor in an object that was cleared.
#[test]
fn what_is_left_of_an_object_is_wiped() {
    let mut account = Held::account(&[200; 64]);
    let fresh = account.bytes().to_vec();
    let text = written(|text| pickle::write(account.object(), input(""), text));
    account
        .generate_one_time_keys((0..100).map(|key| [key; 32]).collect::<Vec<_>>().as_flattened());
    assert_ne!(account.bytes(), fresh);
    assert_eq!(pickle::read(account.object(), input(""), input(&text)), text.len());
    assert_eq!(account.bytes(), fresh);
    assert_eq!(object::clear(account.object()), account.bytes().len());
    assert!(account.bytes().iter().all(|byte| *byte == 0));
}

/// A program may give a function one buffer as input and output: it gets what two would have given.
#[test]
fn buffers_may_overlap() {
    let mut account = Held::account(&[1; 64]);
    let mut buffer = [b'm'; 100];
    let expected = written(|signature| account::sign(account.object(), input(&buffer), signature));
    let (message, signature) = (Input::over(&buffer), Output::over(&mut buffer));
    assert_eq!(account::sign(account.object(), message, signature), 86);
    assert_eq!(&buffer[..86], expected.as_bytes());

    let mut utility = Held::<Utility>::blank();
    let expected = written(|hash| utility::sha256(utility.object(), input(&buffer), hash));
    let (text, hash) = (Input::over(&buffer), Output::over(&mut buffer[10..]));
    assert_eq!(utility::sha256(utility.object(), text, hash), 43);
    assert_eq!(&buffer[10..53], expected.as_bytes());
}

/// S-40: null pointers are errors unless nothing is to be read or written there, and so are lengths
/// that no buffer has.
#[test]
fn null_pointers_and_impossible_lengths_are_errors() {
    let mut buffer = [0; 1000];
    let null = Object::<Account>::null();
    assert_eq!(account::sign(null, input(""), Output::over(&mut buffer)), FAILED);
    assert_eq!(object::last_error_code(null), 0);
    assert_eq!(account::mark_keys_as_published(null), FAILED);

    let mut account = Held::account(&[1; 64]);
    let empty = written(|signature| account::sign(account.object(), input(""), signature));
    let nothing = written(|signature| account::sign(account.object(), Input::null(0), signature));
    assert_eq!(empty, nothing);
    let mut too_long = Input::over(&buffer);
    too_long.length = isize::MAX as usize + 1;
    for message in [Input::null(1), too_long] {
        account.refuses(Code::InputBufferTooSmall, |account| {
            account::sign(account, message, Output::over(&mut buffer))
        });
    }
    account.refuses(Code::OutputBufferTooSmall, |account| {
        account::sign(account, input(""), Output::null(1000))
    });
    account.refuses(Code::NotEnoughRandom, |account| account::create(account, Output::null(64)));
    account.refuses(Code::NotEnoughRandom, |account| {
        account::generate_one_time_keys(account, usize::MAX, Output::over(&mut buffer))
    });
    assert_eq!(account::one_time_keys_random_length(account.object(), usize::MAX), usize::MAX);
    let mut sender = Held::<GroupSession>::blank();
    assert_eq!(outbound::encrypt_message_length(sender.object(), usize::MAX), usize::MAX);
    assert_eq!(buffer, [0; 1000]);
}
