//! Enums that stand as TEXT with a CHECK in the database, as a word on the wire, and with labels in
//! `/dictionaries`: all three from one declaration, so that none can be forgotten.

/// An enum that front ends show: its values with labels, order and colour hint.
pub trait Dictionary: Sized + Copy + 'static {
    /// The name of the dictionary, `snake_case`; also the schema's name in CamelCase.
    const NAME: &'static str;
    /// The values in their natural order.
    const ENTRIES: &'static [Entry];
}

/// One value of a dictionary.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The word on the wire and in the database.
    pub value: &'static str,
    /// The label in Chinese.
    pub zh: &'static str,
    /// The label in English.
    pub en: &'static str,
    /// A hint for a badge's colour: `grey`, `blue`, `green`, `orange` or `red`.
    pub color: &'static str,
}

/// Declares such an enum: `Variant = "wire_name", "中文", "English", color;`.
macro_rules! text_enum {
    (
        $(#[$meta:meta])*
        $name:ident as $dictionary:literal {
            $($variant:ident = $value:literal, $zh:literal, $en:literal, $color:ident;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
            serde::Serialize, serde::Deserialize,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name {
            $(#[doc = $en] #[serde(rename = $value)] $variant,)+
        }

        impl $name {
            /// Every value in its natural order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $value,)+ }
            }

            /// Reads the word.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($value => Some(Self::$variant),)+ _ => None }
            }

            /// The label in Chinese.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$variant => $zh,)+ }
            }
        }

        impl $crate::db::Dictionary for $name {
            const NAME: &'static str = $dictionary;
            const ENTRIES: &'static [$crate::db::Entry] = &[
                $($crate::db::Entry { value: $value, zh: $zh, en: $en, color: stringify!($color) },)+
            ];
        }

        // Written out, for utoipa's derive does not see a name that came through a macro.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some([$($value),+]))
                    .description(Some([$(concat!($value, " ", $zh)),+].join("; ")))
                    .extensions(Some(
                        utoipa::openapi::extensions::ExtensionsBuilder::new()
                            .add("x-labels", serde_json::json!({ $($value: $zh),+ }))
                            .build(),
                    ))
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<DB> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                self.as_str().to_sql(out)
            }
        }

        impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let text = String::from_sql(value)?;
                Self::parse(&text).ok_or_else(|| format!("{text:?} is no {}", $dictionary).into())
            }
        }
    };
}
pub(crate) use text_enum;
