//! S-43, S-21, S-20, S-19: copies of one session, in any order of importing, merging, forgetting,
//! closing, exporting, decrypting and pickling, know what a naive oracle knows.

use moceril_testing::merging::{Room, STARTS, Step, go};
use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// S-43: after each step the session and its guard are as the oracle says. A sequence that fails is
/// shown in its shortest form.
#[test]
fn s_43_merging_goes_as_the_oracle_says() {
    let rooms = STARTS.map(Room::new);
    let merges = std::cell::Cell::new(0);
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[43; 32]);
    let steps = vec(any::<Step>(), 0..60);
    let sources = vec((any::<u16>(), any::<u8>()), 2..6);
    TestRunner::new_with_rng(config, rng)
        .run(&(any::<bool>(), sources, steps), |(later, sources, steps)| {
            let room = &rooms[usize::from(later)];
            merges.set(merges.get() + go(room, &sources, &steps));
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(merges.get() > 500, "{} merges", merges.get());
}
