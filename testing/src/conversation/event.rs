//! What can happen in a conversation, and its form as bytes, which a fuzzer can write.

/// One of the two ends. Alice makes the session, so she sends first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Alice,
    Bob,
}

impl Who {
    pub fn peer(self) -> Self {
        match self {
            Self::Alice => Self::Bob,
            Self::Bob => Self::Alice,
        }
    }
}

/// One step of a conversation. `which` chooses among the messages on the way, modulo their number;
/// an event that needs such a message, or a session at Bob's end, does nothing without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A message of this many bytes begins its way.
    Send { who: Who, length: u8 },
    /// This many messages are encrypted and never arrive.
    Lose { who: Who, count: u16 },
    /// A message arrives.
    Receive { which: u8 },
    /// A message gets lost.
    Drop { which: u8 },
    /// The messages on the way change their order.
    Shuffle { seed: u8 },
    /// A message is on its way once more.
    Duplicate { which: u8 },
    /// A message made from one on the way arrives in addition.
    Forge { which: u8, how: How },
    /// An end is stored and restored.
    Pickle { who: Who },
}

/// Ways to make a message that its sender did not send. The number makes the choices that are left
/// open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// One bit is different.
    FlipBit(u16),
    /// The end is missing.
    Truncate(u16),
    /// There is more at the end.
    Extend(u16),
    /// Sent with the other type number.
    OtherType,
    /// The header of this message with ciphertext and MAC of another one on the way.
    SwapBodies(u16),
    /// Another ratchet key, under the old MAC or that of an unrelated key.
    RatchetKey(u16),
    /// Another index, under the MAC of an unrelated key.
    Index(u16),
    /// One of the three outer keys of a pre-key message is another.
    OuterKey(u16),
    /// A message of another session of the same two accounts.
    OtherSession(u16),
    /// Sent back to where it came from.
    Reflect,
    /// The message within a pre-key message, on its own. It is authentic.
    Unwrap,
    /// An unknown field around the message within a pre-key message. Nothing authenticates the
    /// wrapping.
    WrapMore,
}

/// The bytes of one event in a byte stream.
pub const EVENT_LENGTH: usize = 4;

/// Losses on both sides of the default and the raised limit on messages ahead. They are rare among
/// random events, because they take time.
const GREAT_LOSSES: [u16; 6] = [1_999, 2_000, 2_001, 2_499, 2_500, 2_501];

/// Every byte string is a list of events.
pub fn events(data: &[u8]) -> Vec<Event> {
    data.chunks(EVENT_LENGTH).map(event).collect()
}

fn event(data: &[u8]) -> Event {
    let byte = |place: usize| data.get(place).copied().unwrap_or(0);
    let which = byte(1);
    let who = if which & 1 == 0 { Who::Alice } else { Who::Bob };
    match byte(0) % 32 {
        0..=8 => Event::Send { who, length: byte(2) },
        9..=18 => Event::Receive { which },
        19..=20 => {
            let great = byte(2).checked_sub(250).map(|choice| GREAT_LOSSES[usize::from(choice)]);
            Event::Lose { who, count: great.unwrap_or(u16::from(byte(2)) % 70) }
        }
        21 => Event::Drop { which },
        22 => Event::Shuffle { seed: which },
        23..=24 => Event::Duplicate { which },
        25..=29 => Event::Forge { which, how: how(byte(2), byte(3)) },
        _ => Event::Pickle { who },
    }
}

fn how(kind: u8, low: u8) -> How {
    const KINDS: u8 = 12;
    let number = u16::from_be_bytes([kind / KINDS, low]);
    match kind % KINDS {
        0 => How::FlipBit(number),
        1 => How::Truncate(number),
        2 => How::Extend(number),
        3 => How::OtherType,
        4 => How::SwapBodies(number),
        5 => How::RatchetKey(number),
        6 => How::Index(number),
        7 => How::OuterKey(number),
        8 => How::OtherSession(number),
        9 => How::Reflect,
        10 => How::Unwrap,
        _ => How::WrapMore,
    }
}
