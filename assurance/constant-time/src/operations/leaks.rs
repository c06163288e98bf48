//! Deliberate leaks, which the harness must report. Each is a mistake that was made in practice.

use std::hint::black_box;

use moceril::{hazmat::Cipher, megolm::GroupSession};

use super::megolm::new_session;
use crate::secrets::SecretRng;

/// 256 numbers in a table.
static TABLE: [u8; 256] = [7; 256];

pub fn branch() {
    let key: [u8; 32] = SecretRng::new(90).bytes();
    let mac = Cipher::olm(&key).mac(b"message");
    if key[3] & 1 == 1 {
        black_box(mac);
    }
}

pub fn lookup() {
    let cipher = Cipher::olm(&SecretRng::new(91).bytes());
    let plaintext = cipher.decrypt(cipher.encrypt(b"sixteen letters.")).unwrap();
    crate::memcheck::make_inline_defined(&plaintext);
    black_box(black_box(&TABLE)[usize::from(plaintext[0])]);
}

pub fn early_exit() {
    let cipher = Cipher::olm(&SecretRng::new(92).bytes());
    let mac = cipher.mac(b"message");
    for (ours, theirs) in mac.into_iter().zip([0; 32]) {
        if ours != black_box(theirs) {
            break;
        }
    }
}

pub fn after_the_library() {
    let session: GroupSession = new_session(&mut SecretRng::new(93));
    let key = session.session_key().to_bytes();
    if black_box(key)[5] == 0 {
        black_box(session.session_id());
    }
}
