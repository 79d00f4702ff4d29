//! Names of accounts that views refer to.

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::policy::Action;
use super::{Tx, UserId, holders};
use crate::errors::{AppError, Result};

/// 所引用的账号。
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserRef {
    /// 标识。
    id: UserId,
    /// 姓名。
    #[schema(max_length = 50)]
    display_name: String,
}

/// Names of accounts that views refer to, fetched together.
pub struct UserNames(HashMap<UserId, UserRef>);

impl UserNames {
    /// Fetches them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load<A: Action>(tx: &mut Tx<'_, A>, ids: impl IntoIterator<Item = UserId>) -> Result<Self> {
        let mut ids: Vec<UserId> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let named = holders::named(tx, &ids)?;
        let refs =
            named.into_iter().map(|one| (one.id, UserRef { id: one.id, display_name: one.display_name }));
        Ok(Self(refs.collect()))
    }

    /// The account.
    ///
    /// # Errors
    /// For an id that was not loaded, a mistake of ours.
    pub fn get(&self, id: UserId) -> Result<UserRef> {
        self.0.get(&id).cloned().ok_or_else(|| AppError::internal("an account that was not loaded"))
    }
}
