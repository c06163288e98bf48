//! Conversations in which one end, the other, or both change between the crates as often as they
//! like: every message that arrives decrypts, and none does twice.

use cross::{Form, account, pair, trials};
use rand::RngExt;

#[test]
fn s_24_olm_sessions_wander_between_the_crates() {
    trials(|rng| {
        let (alice_ours, bob_ours) = (rng.random(), rng.random());
        let mut alice = account(rng, alice_ours);
        let mut bob = account(rng, bob_ours);
        if rng.random() {
            alice = alice.cross(Form::ALL[rng.random_range(0..3)]);
        }
        if rng.random() {
            bob = bob.cross(Form::ALL[rng.random_range(0..3)]);
        }
        let mut conversation = pair(rng, &alice, &mut bob);
        for _ in 0..10 {
            conversation.live(rng, 5);
            if rng.random() {
                let end = rng.random_range(0..2);
                let form = Form::ALL[rng.random_range(0..3)];
                conversation.ends[end] = conversation.ends[end].cross(form);
            }
        }
    });
}
