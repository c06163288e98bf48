//! S-24: a conversation in which one end repeatedly moves between our library and another.

use interop::{
    Library, Pair, SeededRng, for_each_seed,
    moving::MovingDevice,
    peer::{OlmPeer, Wire},
    random_length, random_text,
    traffic::{Arrival, Direction, Sent},
};

const STEPS: usize = 70;

/// Two parties, of which one moves. The initiator is 0, the responder is 1.
struct Conversation {
    mover: MovingDevice,
    resident: Box<dyn OlmPeer>,
    moving_party: usize,
    established: bool,
    /// `directions[party]` is what that party sends.
    directions: [Direction; 2],
    moves: usize,
}

/// `count` conversations. Every message within the limits that all libraries have in common
/// decrypts, wherever its receiver lives, and a second time never.
pub fn conversations(count: u64, Pair { theirs, version }: Pair) {
    let (mut moves, mut late, mut turns, mut lost) = (0, 0, 0, 0);
    for_each_seed(count, |seed, rng| {
        let mut conversation = Conversation {
            mover: MovingDevice::new(version, theirs, rng),
            resident: [Library::Ours, theirs][rng.below(2)].device(version),
            moving_party: rng.below(2),
            established: false,
            directions: Default::default(),
            moves: 0,
        };
        conversation.begin(rng);
        for _ in 0..STEPS {
            conversation.step(rng);
        }
        conversation.agree(rng);
        let loss = conversation.mover.lost;
        assert_eq!((loss.one_time_keys, loss.receiver_chains), (0, 0), "seed {seed}");
        assert!(theirs == Library::Libolm || loss.skipped_keys == 0, "seed {seed}: {loss}");
        moves += conversation.moves;
        lost += loss.skipped_keys;
        for direction in &conversation.directions {
            late += direction.late;
            turns += direction.chains();
        }
    });
    // A test whose conversations are all dull shows nothing.
    if interop::chosen_seed().is_none() {
        let each = count as usize;
        assert!(moves > 5 * each, "moves: {moves}");
        assert!(late > each, "late messages: {late}");
        assert!(turns > 5 * each, "chains: {turns}");
        assert!(theirs != Library::Libolm || lost > 0, "libolm's limit was never met");
    }
}

impl Conversation {
    fn party(&mut self, party: usize) -> &mut dyn OlmPeer {
        if party == self.moving_party { &mut self.mover } else { &mut *self.resident }
    }

    fn begin(&mut self, rng: &mut SeededRng) {
        for _ in 0..rng.below(3) {
            self.party(1).publish(rng.below(2) == 0);
            self.move_on();
        }
        let key = self.party(1).publish(rng.below(3) == 0);
        if rng.below(3) == 0 {
            self.move_on();
            self.party(1).publish(true);
        }
        self.party(0).start(&key);
    }

    fn move_on(&mut self) {
        self.mover.move_on();
        self.moves += 1;
    }

    fn step(&mut self, rng: &mut SeededRng) {
        let party = rng.below(2);
        match rng.below(100) {
            0..35 => self.send(party, rng),
            35..37 => (0..rng.below(60)).for_each(|_| self.send(party, rng)),
            37..72 => self.deliver_any(party, rng),
            72..77 => self.directions[party].lose_any(rng),
            77..85 => self.deliver_again(party, rng),
            _ => self.move_on(),
        }
    }

    fn send(&mut self, party: usize, rng: &mut SeededRng) {
        if party == 1 && !self.established {
            return;
        }
        let length = random_length(rng);
        let plaintext = random_text(rng, length);
        let message = self.party(party).encrypt(&plaintext);
        let answered = party == 1 || self.directions[1].has_arrived();
        assert_eq!(message.message_type, usize::from(answered));
        self.directions[party].send(message, plaintext);
    }

    fn deliver_any(&mut self, sender: usize, rng: &mut SeededRng) {
        if let Some((sent, arrival)) = self.directions[sender].take_any(rng) {
            self.deliver(sender, sent, arrival);
        }
    }

    fn deliver(&mut self, sender: usize, sent: Sent, arrival: Arrival) {
        let decrypted = if self.established {
            let receiver = self.party(1 - sender);
            assert!(sent.message.message_type == 1 || receiver.matches(&sent.message));
            receiver.decrypt(&sent.message)
        } else {
            self.accept(&sent.message)
        };
        assert_eq!(decrypted.as_ref(), Ok(&sent.plaintext), "from {sender}: {sent:?}");
        self.directions[sender].arrived(sent, arrival);
        if arrival == Arrival::NewChain {
            self.directions[1 - sender].begin_chain_with_next_message();
        }
    }

    fn accept(&mut self, message: &Wire) -> Result<String, String> {
        let identity_key = self.party(0).identity_key();
        let plaintext = self.party(1).accept(&identity_key, message)?;
        self.established = true;
        Ok(plaintext)
    }

    fn deliver_again(&mut self, sender: usize, rng: &mut SeededRng) {
        let Some(sent) = self.directions[sender].any_that_arrived(rng).cloned() else { return };
        let again = self.party(1 - sender).decrypt(&sent.message);
        assert!(again.is_err(), "decrypted twice: {sent:?}");
    }

    /// Everything that is still under way arrives, with moves in between, and one more message each
    /// way.
    fn agree(&mut self, rng: &mut SeededRng) {
        if !self.established {
            self.send(0, rng);
        }
        for sender in [0, 1] {
            while let Some((sent, arrival)) = self.directions[sender].take_any(rng) {
                self.deliver(sender, sent, arrival);
                if rng.below(8) == 0 {
                    self.move_on();
                }
            }
        }
        for sender in [1, 0, 1, 0] {
            self.move_on();
            self.send(sender, rng);
            let (sent, arrival) = self.directions[sender].take_any(rng).unwrap();
            self.deliver(sender, sent, arrival);
        }
        assert_eq!(self.party(0).session_id(), self.party(1).session_id());
    }
}
