//! The tables of inspections, as diesel sees them.

use diesel::{allow_tables_to_appear_in_same_query, table};

use super::tables;

tables! {
    checklists (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        unit_id -> UuidSql,
        unit_path -> Text,
        department_id -> Nullable<UuidSql>,
        title -> Text,
        search_text -> Text,
        state -> Text,
        number -> Integer,
        content -> Text,
        draft -> Nullable<Text>,
        version -> BigInt,
        created_by -> UuidSql,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
    checklist_versions (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        checklist_id -> UuidSql,
        number -> Integer,
        content -> Text,
        published_by -> UuidSql,
        published_at -> InstantSql,
    }
    authorisations (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        unit_id -> UuidSql,
        unit_path -> Text,
        title -> Text,
        search_text -> Text,
        basis -> Text,
        kinds -> Text,
        commander_id -> UuidSql,
        valid_from_on -> Date,
        valid_until_on -> Date,
        state -> Text,
        authors -> Text,
        decided_by -> Nullable<UuidSql>,
        decided_at -> Nullable<InstantSql>,
        comment -> Nullable<Text>,
        version -> BigInt,
        created_by -> UuidSql,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
    authorisation_areas (tenant_id, authorisation_id, position) {
        tenant_id -> Text,
        authorisation_id -> UuidSql,
        position -> Integer,
        unit_id -> UuidSql,
        unit_path -> Text,
    }
    authorisation_members (tenant_id, authorisation_id, position) {
        tenant_id -> Text,
        authorisation_id -> UuidSql,
        position -> Integer,
        user_id -> UuidSql,
    }
}
