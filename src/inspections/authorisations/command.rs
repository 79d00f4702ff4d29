//! When the commander of an authorisation can act no more, another takes over, and what has not been released with it.

use super::rules::{Authorisation, AuthorisationAction, AuthorisationContent, AuthorisationId};
use super::service::{for_change, judge_commander, may, settle};
use crate::access::policy::AuthorisationReplaceCommander;
use crate::access::{Tx, UserId, holders};
use crate::errors::{AppError, Code, Result};
use crate::inspections::checks::command;

/// Puts somebody else in the place of a commander who is gone. Of what was checked under it nothing is told to whoever does so: what
/// the new commander takes over is theirs alone to see.
///
/// # Errors
/// `not_found`, `precondition_failed`, `authorisation_not_approved`, `commander_present`, `approver_is_author`,
/// `replacer_is_concerned`; `invalid_body` for an account that is not the caller's to name, or may not command.
pub fn replace(
    tx: &mut Tx<'_, AuthorisationReplaceCommander>,
    id: AuthorisationId,
    commander: UserId,
    reason: &str,
) -> Result<Authorisation> {
    let before = for_change(tx, id)?;
    may(tx, &before, AuthorisationAction::ReplaceCommander)?;
    // Nobody takes over what they have named themselves for.
    if commander == tx.user()? {
        return Err(AppError::new(Code::ReplacerIsConcerned));
    }
    let is_known = !holders::working_within(tx, &[commander])?.is_empty();
    let mut errors = Vec::new();
    judge_commander(tx, (commander, is_known), "/commander_id", &mut errors)?;
    if !errors.is_empty() {
        return Err(AppError::fields(Code::InvalidBody, errors));
    }
    let former = before.content.commander_user_id;
    let content = AuthorisationContent { commander_user_id: commander, ..before.content.clone() };
    let after = settle(tx, &before, Authorisation { content, ..before.clone() }, Some(reason))?;
    // Last: rows of the log from there on may be held back.
    command::take_over(tx, id, (former, commander), reason)?;
    Ok(after)
}
