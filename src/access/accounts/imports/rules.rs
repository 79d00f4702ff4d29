//! A row of a table of accounts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

/// 账号导入的一行。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRow {
    /// 登录名。全平台唯一, 各行以此为准。
    #[schema(min_length = 3, max_length = 40, pattern = "^[a-z0-9][a-z0-9._-]{2,39}$")]
    pub login: String,
    /// 姓名。显示的姓名。
    #[schema(min_length = 1, max_length = 50, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub display_name: String,
    /// 单位代码。所属单位的官方代码。
    #[schema(min_length = 1, max_length = 32, pattern = "^[0-9A-Z]+(-[0-9A-Z]+)*$")]
    pub unit_code: String,
    /// 警号。本人的警号或辅警编号; 特邀监督员、评委等不写。
    #[serde(default)]
    #[schema(min_length = 4, max_length = 20, pattern = "^[0-9A-Z]{4,20}$")]
    pub officer_number: Option<String>,
}

impl Validate for UserRow {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}
