//! A password in a request: never shown, wiped from memory.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, SchemaFormat};
use zeroize::Zeroizing;

use crate::access::password::{LONGEST, SHORTEST, Secret, check_strength};
use crate::errors::Result;

/// A password somebody has chosen.
pub struct NewPassword(Secret);

impl NewPassword {
    /// Refuses what is easily guessed for this login.
    ///
    /// # Errors
    /// `password_weak` at `pointer`.
    pub fn check(&self, login: &str, pointer: &str) -> Result<()> {
        check_strength(&self.0, login, pointer)
    }

    /// The password itself, to be hashed.
    #[must_use]
    pub fn into_secret(self) -> Secret {
        self.0
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> Deserialize<'de> for NewPassword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Zeroizing::new).map(Self)
    }
}

impl utoipa::PartialSchema for NewPassword {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("password".into())))
            .min_length(Some(SHORTEST))
            .max_length(Some(LONGEST))
            .description(Some("新密码, 12 至 128 个字符; 常见的、含登录名的、容易猜到的会被拒绝。"))
            .into()
    }
}

impl utoipa::ToSchema for NewPassword {
    fn name() -> Cow<'static, str> {
        "NewPassword".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_never_printed() {
        let password: NewPassword = serde_json::from_str(r#""翠湖边第三棵柳树下面见面""#).unwrap();
        assert_eq!(format!("{password:?}"), "***");
        assert!(password.check("wangjianguo", "/password").is_ok());
        assert_eq!(password.into_secret().as_str(), "翠湖边第三棵柳树下面见面");
    }
}
