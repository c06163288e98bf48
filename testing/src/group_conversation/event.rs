//! What can happen in a group, and its form as bytes, which a fuzzer can write.

/// One step of a group conversation. Members and messages are chosen modulo their number; an event
/// that needs one does nothing without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The sender sends a message of this many bytes. It can be received at any later time, by all,
    /// and repeatedly.
    Send { length: u8 },
    /// This many messages are encrypted and never arrive.
    Lose { count: u16 },
    /// A new member gets the session key.
    Join,
    /// A new member gets a member's key, exported this far from the first index that the member
    /// knows.
    Export { from: u8, distance: i64 },
    /// A member receives a message.
    Receive { who: u8, which: u8 },
    /// A member receives a message made from a genuine one.
    Forge { who: u8, which: u8, how: How },
    /// A member, or after the last one the sender, is stored and restored.
    Pickle { who: u8 },
    /// A member forgets the keys of this many messages.
    Advance { who: u8, distance: i64 },
    /// A member takes what is best of its own copy and another member's; after the last one, that
    /// of an impostor.
    Merge { who: u8, other: u8 },
}

/// Ways to make a message that is not the sender's. The last four have a good signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// One bit is different.
    FlipBit(u16),
    /// The end is missing.
    Truncate(u16),
    /// There is more at the end.
    Extend(u16),
    /// Signed with another key.
    OtherSigner,
    /// The MAC is wrong.
    Mac,
    /// The index is another.
    Index(u16),
    /// The ciphertext and MAC are those of another message.
    SwapBodies(u16),
    /// The version is the other one.
    Version,
}

/// The bytes of one event in a byte stream.
pub const EVENT_LENGTH: usize = 4;

/// Steps within and beyond each part of the ratchet, and back.
pub const DISTANCES: [i64; 10] = [-1, 0, 1, 2, 5, 255, 256, 257, 1 << 16, 1 << 24];

/// Every byte string is a list of events.
pub fn events(data: &[u8]) -> Vec<Event> {
    data.chunks(EVENT_LENGTH).map(event).collect()
}

fn event(data: &[u8]) -> Event {
    let [kind, who, which, number] = [0, 1, 2, 3].map(|at| data.get(at).copied().unwrap_or(0));
    let distance = DISTANCES[usize::from(which) % DISTANCES.len()];
    match kind % 32 {
        0..=6 => Event::Send { length: which },
        7 => Event::Lose { count: 1 << (which % 9) },
        8..=9 => Event::Join,
        10..=11 => Event::Export { from: who, distance },
        12..=21 => Event::Receive { who, which },
        22..=26 => Event::Forge { who, which, how: how(number, which) },
        27..=28 => Event::Pickle { who },
        29 => Event::Advance { who, distance },
        _ => Event::Merge { who, other: which },
    }
}

fn how(kind: u8, low: u8) -> How {
    const KINDS: u8 = 8;
    let number = u16::from_be_bytes([kind / KINDS, low]);
    match kind % KINDS {
        0 => How::FlipBit(number),
        1 => How::Truncate(number),
        2 => How::Extend(number),
        3 => How::OtherSigner,
        4 => How::Mac,
        5 => How::Index(number),
        6 => How::SwapBodies(number),
        _ => How::Version,
    }
}
