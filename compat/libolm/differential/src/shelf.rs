//! Things kept for later calls: keys, messages, pickles.

use crate::rng::Rng;

pub struct Shelf<T> {
    items: Vec<T>,
    limit: usize,
}

impl<T> Shelf<T> {
    pub const fn new(limit: usize) -> Self {
        Self { items: Vec::new(), limit }
    }

    /// Beyond the limit the oldest goes.
    pub fn put(&mut self, item: T) {
        if self.items.len() == self.limit {
            self.items.remove(0);
        }
        self.items.push(item);
    }

    /// One of the newest in half of the cases, else any.
    pub fn pick(&self, rng: &mut Rng) -> Option<&T> {
        self.pick_if(rng, |_| true)
    }

    /// One of those that fulfil a condition.
    pub fn pick_if(&self, rng: &mut Rng, condition: impl Fn(&T) -> bool) -> Option<&T> {
        let places: Vec<_> =
            (0..self.items.len()).filter(|place| condition(&self.items[*place])).collect();
        let from_newest = if rng.percent(50) { rng.below(4) } else { rng.below(places.len()) };
        let place = places.iter().rev().nth(from_newest).or(places.last())?;
        self.items.get(*place)
    }

    pub fn take_away(&mut self, condition: impl Fn(&T) -> bool) {
        self.items.retain(|item| !condition(item));
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }
}
