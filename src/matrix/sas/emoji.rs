//! The 64 emoji of the specification, with their English names.

/// One of the 64 emoji that a short authentication string consists of.
///
/// Spec: Matrix, "SAS method: emoji". Clients show the symbol with its description, or with a
/// translation of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emoji {
    /// The emoji, with a variation selector where the specification has one.
    pub symbol: &'static str,
    /// The name of what the emoji shows, in English.
    pub description: &'static str,
}

impl Emoji {
    /// All 64, in the order of their numbers.
    ///
    /// ```
    /// use moceril::sas::Emoji;
    ///
    /// assert_eq!(Emoji::TABLE[36].description, "Thumbs Up");
    /// ```
    pub const TABLE: [Self; 64] = [
        emoji("🐶", "Dog"),
        emoji("🐱", "Cat"),
        emoji("🦁", "Lion"),
        emoji("🐎", "Horse"),
        emoji("🦄", "Unicorn"),
        emoji("🐷", "Pig"),
        emoji("🐘", "Elephant"),
        emoji("🐰", "Rabbit"),
        emoji("🐼", "Panda"),
        emoji("🐓", "Rooster"),
        emoji("🐧", "Penguin"),
        emoji("🐢", "Turtle"),
        emoji("🐟", "Fish"),
        emoji("🐙", "Octopus"),
        emoji("🦋", "Butterfly"),
        emoji("🌷", "Flower"),
        emoji("🌳", "Tree"),
        emoji("🌵", "Cactus"),
        emoji("🍄", "Mushroom"),
        emoji("🌏", "Globe"),
        emoji("🌙", "Moon"),
        emoji("☁\u{fe0f}", "Cloud"),
        emoji("🔥", "Fire"),
        emoji("🍌", "Banana"),
        emoji("🍎", "Apple"),
        emoji("🍓", "Strawberry"),
        emoji("🌽", "Corn"),
        emoji("🍕", "Pizza"),
        emoji("🎂", "Cake"),
        emoji("❤\u{fe0f}", "Heart"),
        emoji("😀", "Smiley"),
        emoji("🤖", "Robot"),
        emoji("🎩", "Hat"),
        emoji("👓", "Glasses"),
        emoji("🔧", "Spanner"),
        emoji("🎅", "Santa"),
        emoji("👍", "Thumbs Up"),
        emoji("☂\u{fe0f}", "Umbrella"),
        emoji("⌛", "Hourglass"),
        emoji("⏰", "Clock"),
        emoji("🎁", "Gift"),
        emoji("💡", "Light Bulb"),
        emoji("📕", "Book"),
        emoji("✏\u{fe0f}", "Pencil"),
        emoji("📎", "Paperclip"),
        emoji("✂\u{fe0f}", "Scissors"),
        emoji("🔒", "Lock"),
        emoji("🔑", "Key"),
        emoji("🔨", "Hammer"),
        emoji("☎\u{fe0f}", "Telephone"),
        emoji("🏁", "Flag"),
        emoji("🚂", "Train"),
        emoji("🚲", "Bicycle"),
        emoji("✈\u{fe0f}", "Aeroplane"),
        emoji("🚀", "Rocket"),
        emoji("🏆", "Trophy"),
        emoji("⚽", "Ball"),
        emoji("🎸", "Guitar"),
        emoji("🎺", "Trumpet"),
        emoji("🔔", "Bell"),
        emoji("⚓", "Anchor"),
        emoji("🎧", "Headphones"),
        emoji("📁", "Folder"),
        emoji("📌", "Pin"),
    ];

    /// The emoji with this number; numbers from 64 on are taken modulo 64.
    pub(super) fn numbered(number: u8) -> Self {
        let [first, ..] = Self::TABLE;
        // Six bits number the 64 rows, so `first` is never returned; the compiler needs it.
        Self::TABLE.get(usize::from(number & 63)).copied().unwrap_or(first)
    }
}

const fn emoji(symbol: &'static str, description: &'static str) -> Emoji {
    Emoji { symbol, description }
}
