//! Conversations of the library, step by step with the naive oracle, and checks of the oracle
//! itself.

mod naive_oracle;
mod s39_conversation;
mod s39_group_conversation;
