//! Day entries and daily clearing (逐日清账).
//!
//! Of a task with `daily_entries` each person of an assignment that is being worked on owes an entry a
//! working day, from the day after being named until the deadline, or the day before it is done. What is
//! owed is told by **duties**, intervals of days that are shortened but never lost, so that what was owed
//! on a day is the same whenever it is asked. An entry for a day gone by is late for ever.
//!
//! At the end of each day the **sweep** freezes what was owed for it, once; until then it is told from
//! the duties. A rest day owes nothing. What was taken up on a day and is written after it: see [`sweep`].

pub mod awaited;
mod awaited_store;
mod day_store;
pub mod duties;
mod duty_store;
pub mod entries;
pub mod http;
pub mod rules;
pub mod service;
mod store;
pub mod sweep;
