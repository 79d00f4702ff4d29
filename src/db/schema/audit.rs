//! The tables of the audit log and of its chain, as diesel sees them. Of the others only jobs are
//! read together with them.

use diesel::{allow_tables_to_appear_in_same_query, table};

use super::jobs::jobs;
use super::tables;

tables! {
    audit_log (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        at -> InstantSql,
        actor -> Text,
        user_id -> Nullable<UuidSql>,
        roles -> Text,
        action -> Text,
        entity -> Text,
        entity_id -> Text,
        before_digest -> Nullable<Text>,
        after_digest -> Nullable<Text>,
        reason -> Nullable<Text>,
        request_id -> Text,
        salt -> Nullable<Text>,
    }
    audit_unsealed (tenant_id, entry_id) {
        tenant_id -> Text,
        entry_id -> UuidSql,
        held_by -> Nullable<UuidSql>,
        uncommitted -> Bool,
    }
    audit_chain (tenant_id, position) {
        tenant_id -> Text,
        position -> BigInt,
        entry_id -> UuidSql,
        commitment -> Text,
        link -> Text,
        sealed_at -> InstantSql,
    }
    audit_heads (tenant_id) {
        tenant_id -> Text,
        size -> BigInt,
        link -> Text,
        roots -> Text,
        signed -> BigInt,
        updated_at -> InstantSql,
        held -> BigInt,
        held_roots -> Text,
    }
    audit_checkpoints (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        size -> BigInt,
        root -> Text,
        note -> Text,
        created_at -> InstantSql,
    }
    audit_held (tenant_id, position) {
        tenant_id -> Text,
        position -> BigInt,
        entry_id -> UuidSql,
        commitment -> Text,
    }
}

// What a job holds back that is under way.
allow_tables_to_appear_in_same_query!(audit_unsealed, jobs);
allow_tables_to_appear_in_same_query!(audit_log, jobs);
allow_tables_to_appear_in_same_query!(audit_held, jobs);
