//! What the library exports.

use std::collections::BTreeSet;

use moceril::{
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};

use crate::{
    exports::NAMES,
    library,
    memory::{Kind, Out},
};

/// The 150 functions, no less and no more; `tests/` compares the list with the library itself.
#[test]
fn the_exported_functions_are_those_of_the_headers() {
    let listed = include_str!("../../tests/functions.txt").lines();
    let listed: BTreeSet<_> = listed.map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(listed, BTreeSet::from_iter(NAMES.iter().copied()));
    assert_eq!((listed.len(), NAMES.len()), (150, 150));
}

/// Programs allocate the size of an account for a session.
#[test]
fn a_session_fits_where_an_account_does() {
    const { assert!(Session::SIZE <= Account::SIZE) };
    assert_eq!((Account::SIZE, Session::SIZE), (7219, 3313));
    assert_eq!((GroupSession::SIZE, InboundGroupSession::SIZE), (240, 573));
}

/// The library says that it is the libolm whose place it takes.
#[test]
fn the_version_is_that_of_the_package() {
    let mut numbers = [0; 3];
    let [major, minor, patch] = numbers.each_mut();
    let [major, minor, patch] =
        [major, minor, patch].map(|number| Out::over(std::slice::from_mut(number)));
    library::version(major, minor, patch);
    library::version(Out::null(), Out::null(), Out::null());
    assert_eq!(numbers.map(|number| number.to_string()).join("."), env!("CARGO_PKG_VERSION"));
}
