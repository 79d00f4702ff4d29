//! When the commander of an authorisation can act no more, another takes over, and what has not been released with it.

use super::command_store;
use super::rules::{Authorisation, AuthorisationAction, AuthorisationContent, AuthorisationId};
use super::service::{for_change, judge_commander, may, settle};
use crate::access::policy::{Action, AuthorisationReplaceCommander};
use crate::access::{Tx, UserId, holders};
use crate::db::Instant;
use crate::errors::{AppError, Code, FieldError, Result, text};
use crate::inspections::checks::command;

/// Puts somebody else in the place of a commander who is gone. Of what was checked under it nothing is told to whoever does so: what
/// the new commander takes over is theirs alone to see.
///
/// # Errors
/// `not_found`, `precondition_failed`, `authorisation_not_approved`, `commander_present`, `approver_is_author`,
/// `replacer_is_concerned`; `invalid_body` for an account that is not the caller's to name, may not command, or is in the team.
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
    // What they have recorded under it themselves nobody could confirm.
    if errors.is_empty() && before.content.team_user_ids.contains(&commander) {
        let detail = text!("检查人员不得接任指挥员", "Nobody of the team takes over the command");
        errors.push(FieldError::body("/commander_id", Code::NotAllowedValue, detail));
    }
    if !errors.is_empty() {
        return Err(AppError::fields(Code::InvalidBody, errors));
    }
    let former = before.content.commander_user_id;
    let content = AuthorisationContent { commander_user_id: commander, ..before.content.clone() };
    let after = settle(tx, &before, Authorisation { content, ..before.clone() }, Some(reason))?;
    command_store::note_former(tx, &after, former)?;
    // Last: rows of the log from there on may be held back.
    command::take_over(tx, id, commander, reason)?;
    Ok(after)
}

/// Who commanded under an authorisation at a moment, and who have taken over since, one after the other: the last of all commands
/// today.
///
/// # Errors
/// When the database fails.
pub fn commanders<A: Action>(
    tx: &mut Tx<'_, A>,
    one: &Authorisation,
    at: Instant,
) -> Result<(UserId, Vec<UserId>)> {
    let today = one.content.commander_user_id;
    let mut line = command_store::former_since(tx, one.id, at)?.into_iter().chain([today]);
    let then = line.next().unwrap_or(today);
    Ok((then, line.collect()))
}
