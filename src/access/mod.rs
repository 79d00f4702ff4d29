//! Who may do what: the table, the gate, tokens, passwords, sessions, accounts.

pub mod accounts;
mod doors;
mod errands;
mod gate;
pub mod holders;
mod idempotency;
mod identity;
mod keys;
pub mod listeners;
pub mod names;
pub mod password;
pub mod policy;
mod reach;
mod remembered;
mod roles;
pub mod sessions;
mod spool;
mod token;
mod tx;

pub use doors::{Doors, TakenOn};
pub use errands::{
    Behalf, background, beside, command_line, command_line_looks, look_beside, look_on_behalf, on_behalf,
};
pub use gate::{Done, Facts, Gate};
pub use idempotency::Claim;
pub use keys::KeyRing;
pub use listeners::{Line, Listener, Listeners, Newcomer, listening};
pub use reach::{Held, PathRange, Reach, Rights, ancestors};
pub(crate) use reach::{follow_path, substr, within_reach};
pub use remembered::{About, Source};
pub use roles::{Role, grantable_by};
pub use spool::{JobEntity, JobId, PIECE};
pub use token::{ACCESS_SECONDS, Tokens};
pub use tx::{EffectTx, Precondition, SessionEntity, SessionId, Tx, UserEntity, UserId, Who, facts};
