//! One direction of an Olm conversation: the messages that are sent and not yet received, and those
//! that the receiver must still be able to decrypt.

use std::collections::VecDeque;

use crate::{SeededRng, peer::Wire};

/// The limits that all libraries have in common. Ours are per chain; these are for the whole
/// session.
const SKIPPED_KEYS: usize = 40;
const RECEIVER_CHAINS: usize = 5;

/// A message, and its place by the specification: in the sender's how manieth chain, and where
/// there.
#[derive(Clone, Debug)]
pub struct Sent {
    pub message: Wire,
    pub plaintext: String,
    chain: usize,
    index: usize,
}

/// What the arrival of a message means for the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It begins a chain, so that the receiver's next message will begin one too.
    NewChain,
    InOrder,
    /// Its key was kept when a later message of its chain arrived.
    Late,
}

#[derive(Default)]
pub struct Direction {
    under_way: Vec<Sent>,
    arrived: Vec<Sent>,
    /// The chain of the next message and its index there.
    next: (usize, usize),
    /// What the receiver remembers: the newest chains with their next indices, and the newest
    /// skipped keys.
    receiver_chains: VecDeque<(usize, usize)>,
    skipped: VecDeque<(usize, usize)>,
    opening: usize,
    pub late: usize,
    /// Messages of the oldest chain that the receiver has to keep.
    pub from_oldest_chain: usize,
    /// Messages that came too late for the limits.
    pub evicted: usize,
}

impl Direction {
    pub fn begin_chain_with_next_message(&mut self) {
        self.next = (self.next.0 + 1, 0);
    }

    pub fn send(&mut self, message: Wire, plaintext: String) {
        let (chain, index) = self.next;
        self.next.1 += 1;
        self.opening += usize::from(message.message_type == 0);
        self.under_way.push(Sent { message, plaintext, chain, index });
    }

    /// Whether the receiver has got anything.
    pub fn has_arrived(&self) -> bool {
        !self.arrived.is_empty()
    }

    pub fn lose_any(&mut self, rng: &mut SeededRng) {
        if !self.under_way.is_empty() {
            self.under_way.swap_remove(rng.below(self.under_way.len()));
        }
    }

    /// A message that must decrypt, if there is one: the oldest or any. Those that came too late
    /// are dropped.
    pub fn take_any(&mut self, rng: &mut SeededRng) -> Option<(Sent, Arrival)> {
        while !self.under_way.is_empty() {
            let place = if rng.below(2) == 0 { 0 } else { rng.below(self.under_way.len()) };
            let sent = self.under_way.remove(place);
            match self.arrival(&sent) {
                Some(arrival) => return Some((sent, arrival)),
                None => self.evicted += 1,
            }
        }
        None
    }

    /// The message that was sent last.
    pub fn take_newest(&mut self) -> Option<(Sent, Arrival)> {
        let sent = self.under_way.pop()?;
        self.arrival(&sent).map(|arrival| (sent, arrival))
    }

    fn arrival(&self, sent: &Sent) -> Option<Arrival> {
        match self.receiver_chains.iter().find(|(chain, _)| *chain == sent.chain) {
            Some((_, next)) if sent.index >= *next => Some(Arrival::InOrder),
            Some(_) => self.skipped.contains(&(sent.chain, sent.index)).then_some(Arrival::Late),
            // The receiver had this chain and dropped it.
            None if self.receiver_chains.back().is_some_and(|(newest, _)| *newest > sent.chain) => {
                None
            }
            None => Some(Arrival::NewChain),
        }
    }

    /// Notes that the message decrypted.
    pub fn arrived(&mut self, sent: Sent, arrival: Arrival) {
        let place = (sent.chain, sent.index);
        self.arrived.push(sent);
        if self.receiver_chains.len() == RECEIVER_CHAINS && self.receiver_chains[0].0 == place.0 {
            self.from_oldest_chain += 1;
        }
        if arrival == Arrival::Late {
            self.late += 1;
            self.skipped.retain(|skipped| *skipped != place);
            return;
        }
        if arrival == Arrival::NewChain {
            self.receiver_chains.push_back((place.0, 0));
            let excess = self.receiver_chains.len().saturating_sub(RECEIVER_CHAINS);
            self.receiver_chains.drain(..excess);
        }
        let chain = self.receiver_chains.iter_mut().find(|(chain, _)| *chain == place.0);
        let (_, next) = chain.expect("it was found or just made");
        self.skipped.extend((*next..place.1).map(|index| (place.0, index)));
        *next = place.1 + 1;
        let excess = self.skipped.len().saturating_sub(SKIPPED_KEYS);
        self.skipped.drain(..excess);
    }

    pub fn any_that_arrived(&self, rng: &mut SeededRng) -> Option<&Sent> {
        let count = self.arrived.len();
        (count > 0).then(|| &self.arrived[rng.below(count)])
    }

    /// How many chains the sender has begun.
    pub fn chains(&self) -> usize {
        self.next.0
    }

    pub fn pre_key_messages(&self) -> usize {
        self.opening
    }
}
