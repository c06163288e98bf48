//! Checks how the source files are written, and that what the pages say about them is true.

mod arguments;
mod audit_pack;
mod auditing_page;
mod errors;
mod hazmat;
mod layers;
mod metadata;
mod models_page;
mod plants;
mod proofs_run;
mod s25_wiping;
mod s27_conditions;
mod s34_send_sync;
mod s47_fail_closed;
mod s48_constant_time;
mod security_page;
mod semver;
mod survivors;
mod text_width;
