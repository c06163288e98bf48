//! S-24, S-41: a loss says in words what would be lost, and whether it is more than a fact.

use moceril::{ConversionError, Loss};

/// A loss, made as a client reads one: field by field.
fn loss(change: impl FnOnce(&mut Loss)) -> Loss {
    let mut loss = Loss::default();
    change(&mut loss);
    loss
}

/// The error says in words what would be lost.
#[test]
fn s_24_losses_are_told() {
    let told = loss(|loss| {
        (loss.one_time_keys, loss.skipped_keys) = (1, 2);
        (loss.receiver_chains, loss.fallback_sessions) = (3, 4);
    });
    let text = ConversionError::Lossy(told).to_string();
    for words in ["1 one-time", "2 skipped", "3 receiver chains", "4 remembered"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(Loss::default().is_none() && !Loss::default().drops_keys());
    for (words, name) in [
        ("1 one-time keys", (|loss| loss.one_time_keys = 1) as fn(&mut Loss)),
        ("1 skipped message keys", |loss| loss.skipped_keys = 1),
        ("1 receiver chains", |loss| loss.receiver_chains = 1),
        ("previous fallback key", |loss| loss.previous_fallback_key = true),
        ("1 remembered fallback sessions", |loss| loss.fallback_sessions = 1),
    ] {
        let keys = loss(name);
        let text = keys.to_string();
        assert!(text.contains(words) && !text.contains('0'), "{text}");
        assert!(!keys.is_none() && keys.drops_keys(), "{keys}");
    }
    for (words, name) in [
        ("peer's identity key", (|loss| loss.their_identity_key = true) as fn(&mut Loss)),
        ("seed of the signing key", |loss| loss.ed25519_seed = true),
        ("provenance", |loss| loss.provenance = true),
        ("time of creation", |loss| loss.created_at = true),
        ("limits", |loss| loss.limits = true),
        ("evicted", |loss| loss.evictions = true),
        ("remember all sessions", |loss| loss.fallback_memory = true),
        ("index of the root key", |loss| loss.root_index = true),
        ("no message was decrypted", |loss| loss.unread = true),
        ("generation", |loss| loss.generation = true),
    ] {
        let fact = loss(name);
        let text = fact.to_string();
        assert!(text.contains(words) && !text.contains('0'), "{text}");
        assert!(!fact.is_none() && !fact.drops_keys(), "{fact}");
    }
    assert!(ConversionError::Unrepresentable.to_string().contains("no form"));
}
