//! Randomness that a seed determines.

/// SplitMix64: a counter and a mixing function. Tests need no better one.
pub struct Rng(u64);

impl Rng {
    pub const fn new(seed: u64) -> Self {
        // Mixed, or one seed's numbers would be those of the seed before it, one later.
        Self(Self(seed).number())
    }

    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, or 0 below 0.
    pub const fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.number() % limit as u64) as usize }
    }

    /// True in so many cases of a hundred.
    pub const fn percent(&mut self, cases: usize) -> bool {
        self.below(100) < cases
    }

    pub const fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[0]
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.number().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}
