//! S-25: no freed heap block holds a secret. The allocator of this program searches each block.

mod s25_wiped;
mod s25_wiped_calls;
mod s25_wiped_channels;
mod s25_wiped_stores;

use moceril_testing::searching::Searching;

#[global_allocator]
static ALLOCATOR: Searching = Searching;
