//! The demo's declared conflict: the inspector keeps away from a bureau.

use std::sync::Arc;

use super::story::{Desk, Person, holder};
use crate::access::policy::ConflictDeclare;
use crate::access::{Doors, Role};
use crate::db::start::Result;
use crate::inspections::conflicts::rules::ConflictKind;
use crate::inspections::conflicts::service::{self as conflicts, NewConflict};
use crate::org::rules::{Unit, UnitKind};

/// The inspector has kin at the last of the province's city bureaus, where nobody in the demo is inspected.
pub(super) async fn tell(doors: &Arc<Doors>, units: &[Unit], people: &[Person]) -> Result<()> {
    let Some(root) = units.first() else { return Ok(()) };
    let Some(city) = units.iter().rev().find(|unit| unit.kind == UnitKind::City) else { return Ok(()) };
    let inspector = Desk::of(doors, holder(people, Role::Inspector, &root.code)?).await?;
    let new = NewConflict {
        id: None,
        user_id: None,
        unit_id: city.id,
        kind: ConflictKind::Kinship,
        statement: "配偶的兄长现任该局治安支队副支队长。".to_owned(),
    };
    inspector.act::<ConflictDeclare, _>(move |tx| conflicts::declare(tx, &new).map(|_| ())).await
}
