//! Two devices and one Olm session: the shortest complete example.
//!
//! `cargo run --example olm_session`

use std::error::Error;

use moceril::olm::{Account, PreKeyBundle};

fn main() -> Result<(), Box<dyn Error>> {
    let alice = Account::new()?;
    let mut bob = Account::new()?;

    // Bob publishes signed one-time keys, and marks them only once the server has them.
    bob.generate_one_time_keys(5)?;
    let published = bob.signed_one_time_keys();
    bob.mark_as_published(published.iter().map(|(id, _)| *id));
    println!("Bob     {:?}", bob.identity_keys());
    println!("        publishes {} one-time keys", published.len());

    // Alice claims one of them and verifies that Bob's device signed it.
    let (id, one_time_key) = published.last().ok_or("the server has run out of keys")?;
    let bundle = PreKeyBundle::verify(bob.identity_keys(), one_time_key)?;
    println!("Alice   claims {id} and verifies its signature");

    let mut to_bob = alice.create_outbound_session(&bundle)?;
    let first = to_bob.encrypt(b"Hello Bob, this is Alice.")?;
    println!(
        "Alice   sends a message of type {}, {} bytes",
        first.message_type(),
        first.as_bytes().len()
    );

    // Bob makes his end of the session from it, which also uses up the one-time key.
    let pre_key = first.as_pre_key().ok_or("the first message is a pre-key message")?;
    let inbound = bob.create_inbound_session(alice.curve25519_key(), pre_key)?;
    let mut to_alice = inbound.session;
    println!("Bob     reads \"{}\"", String::from_utf8_lossy(inbound.message.plaintext()));
    println!("        and has {} one-time keys left", bob.stored_one_time_key_count());

    let reply = to_alice.encrypt(b"Hello Alice!")?;
    let read = to_bob.decrypt(&reply)?;
    println!("Alice   reads \"{}\"", String::from_utf8_lossy(read.plaintext()));

    // Messages may overtake each other, but none decrypts twice.
    let one = to_bob.encrypt(b"one")?;
    let two = to_bob.encrypt(b"two")?;
    for message in [&two, &one] {
        println!(
            "Bob     reads \"{}\"",
            String::from_utf8_lossy(to_alice.decrypt(message)?.plaintext())
        );
    }
    println!("Bob     gets \"one\" again: {}", to_alice.decrypt(&one).unwrap_err());

    assert_eq!(to_bob.session_id(), to_alice.session_id());
    println!("Alice   {}", to_bob.describe());
    println!("Bob     {}", to_alice.describe());
    Ok(())
}
