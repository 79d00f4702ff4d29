//! The tables as diesel sees them: one description for both databases.
//!
//! `UuidSql` and `InstantSql` are our own SQL types (see `types.rs`), for diesel's `Uuid` and
//! `Timestamptz` exist on PostgreSQL only.

#![allow(missing_docs, reason = "the columns are documented in migrations/")]
#![allow(clippy::wildcard_imports, reason = "each table takes its types from one list")]

pub mod audit;
pub mod inspections;
pub mod jobs;

use diesel::{allow_tables_to_appear_in_same_query, table};

/// Tables, each joinable with every other.
macro_rules! tables {
    ($( $name:ident ($($key:ident),+) { $($column:ident -> $kind:ty,)+ } )+) => {
        $(
            table! {
                use $crate::db::schema::sql_types::*;

                $name ($($key),+) {
                    $($column -> $kind,)+
                }
            }
        )+

        allow_tables_to_appear_in_same_query!($($name,)+);
    };
}

use tables;

tables! {
    provinces (tenant_id) {
        tenant_id -> Text,
        name -> Text,
        status -> Text,
        version -> BigInt,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
    units (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        parent_id -> Nullable<UuidSql>,
        code -> Text,
        name -> Text,
        search_text -> Text,
        kind -> Text,
        status -> Text,
        path -> Text,
        version -> BigInt,
        created_at -> InstantSql,
        updated_at -> InstantSql,
        batch_id -> Nullable<UuidSql>,
    }
    unit_periods (tenant_id, unit_id, valid_from_on) {
        tenant_id -> Text,
        unit_id -> UuidSql,
        valid_from_on -> Date,
        valid_until_on -> Nullable<Date>,
        name -> Text,
        search_text -> Text,
        parent_id -> Nullable<UuidSql>,
        path -> Text,
        status -> Text,
        change -> Text,
        successor_id -> Nullable<UuidSql>,
        reason -> Nullable<Text>,
        recorded_at -> InstantSql,
        placed_at -> Nullable<InstantSql>,
    }
    officers (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        number -> Text,
        kind -> Text,
        rank -> Nullable<Text>,
        unit_id -> UuidSql,
        unit_path -> Text,
        status -> Text,
        left_on -> Nullable<Date>,
        version -> BigInt,
        created_at -> InstantSql,
        updated_at -> InstantSql,
        batch_id -> Nullable<UuidSql>,
    }
    officer_persons (tenant_id, officer_id) {
        tenant_id -> Text,
        officer_id -> UuidSql,
        name -> Nullable<Text>,
        search_text -> Text,
        id_card -> Nullable<Text>,
        phone -> Nullable<Text>,
        salt -> Text,
        erased_at -> Nullable<InstantSql>,
    }
    posts (tenant_id, id, revision) {
        tenant_id -> Text,
        id -> UuidSql,
        revision -> BigInt,
        officer_id -> UuidSql,
        unit_id -> UuidSql,
        kind -> Text,
        title -> Text,
        valid_from_on -> Date,
        valid_until_on -> Nullable<Date>,
        voided -> Bool,
        reason -> Nullable<Text>,
        recorded_at -> InstantSql,
        recorded_by -> Nullable<UuidSql>,
        superseded_at -> Nullable<InstantSql>,
        batch_id -> Nullable<UuidSql>,
    }
    open_batches (tenant_id, job_id) {
        tenant_id -> Text,
        job_id -> UuidSql,
    }
    stand_ins (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        unit_id -> UuidSql,
        officer_id -> UuidSql,
        valid_from_on -> Date,
        valid_until_on -> Date,
        reason -> Text,
        named_by -> UuidSql,
        created_at -> InstantSql,
        ended_at -> Nullable<InstantSql>,
    }
    user_officers (tenant_id, user_id) {
        tenant_id -> Text,
        user_id -> UuidSql,
        officer_id -> UuidSql,
    }
    users (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        login -> Text,
        display_name -> Text,
        search_text -> Text,
        unit_id -> Nullable<UuidSql>,
        unit_path -> Text,
        status -> Text,
        password_hash -> Text,
        must_change_password -> Bool,
        authz_version -> BigInt,
        version -> BigInt,
        created_at -> InstantSql,
        updated_at -> InstantSql,
        batch_id -> Nullable<UuidSql>,
    }
    login_directory (login) {
        login -> Text,
        tenant_id -> Text,
        user_id -> UuidSql,
    }
    role_bindings (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        user_id -> UuidSql,
        role -> Text,
        unit_id -> Nullable<UuidSql>,
        unit_path -> Text,
        valid_from_on -> Nullable<Date>,
        valid_until_on -> Nullable<Date>,
        granted_by -> Nullable<UuidSql>,
        created_at -> InstantSql,
        revoked_at -> Nullable<InstantSql>,
    }
    sessions (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        user_id -> UuidSql,
        generation -> BigInt,
        nonce -> Text,
        token_hash -> Text,
        rotated_at -> InstantSql,
        rotation_key_hash -> Nullable<Text>,
        user_agent -> Text,
        created_at -> InstantSql,
        idle_until -> InstantSql,
        expires_at -> InstantSql,
        ended_at -> Nullable<InstantSql>,
        end_reason -> Nullable<Text>,
    }
    login_throttles (key_digest) {
        key_digest -> Text,
        failures -> BigInt,
        window_end_at -> InstantSql,
    }
    idempotency_keys (tenant_id, user_id, operation, key) {
        tenant_id -> Text,
        user_id -> UuidSql,
        operation -> Text,
        key -> Text,
        request_hash -> Text,
        status -> BigInt,
        etag -> Nullable<Text>,
        location -> Nullable<Text>,
        body -> Text,
        authz_version -> BigInt,
        created_at -> InstantSql,
    }
    calendar_changes (tenant_id, day) {
        tenant_id -> Text,
        day -> Date,
        kind -> Nullable<Text>,
        name -> Nullable<Text>,
        version -> BigInt,
        created_by -> UuidSql,
        created_at -> InstantSql,
        updated_by -> UuidSql,
        updated_at -> InstantSql,
    }
    settings_versions (tenant_id, version) {
        tenant_id -> Text,
        version -> BigInt,
        id -> UuidSql,
        suppression_k -> Integer,
        recheck_percent -> Integer,
        cooling_off_months -> Integer,
        extensions_max -> Integer,
        objection_working_days -> Integer,
        transfers_max -> Integer,
        trimmed_mean -> Bool,
        quorum_above_percent -> Integer,
        station_budget_minutes -> Integer,
        receipt_bits -> Integer,
        reason -> Text,
        changed_by -> UuidSql,
        changed_at -> InstantSql,
    }
    campaigns (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        unit_id -> UuidSql,
        unit_path -> Text,
        name -> Text,
        search_text -> Text,
        theme -> Text,
        year -> Integer,
        state -> Text,
        scope_kinds -> Text,
        version -> BigInt,
        created_by -> UuidSql,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
    campaign_phases (tenant_id, campaign_id, position) {
        tenant_id -> Text,
        campaign_id -> UuidSql,
        position -> Integer,
        name -> Text,
        starts_on -> Date,
        ends_on -> Date,
    }
    campaign_scope_units (tenant_id, campaign_id, position) {
        tenant_id -> Text,
        campaign_id -> UuidSql,
        position -> Integer,
        unit_id -> UuidSql,
        unit_path -> Text,
    }
    leading_groups (tenant_id, campaign_id) {
        tenant_id -> Text,
        campaign_id -> UuidSql,
        head_user_id -> Nullable<UuidSql>,
        office_unit_id -> Nullable<UuidSql>,
        version -> BigInt,
        updated_at -> InstantSql,
        votes_on_plans -> Bool,
    }
    leading_group_members (tenant_id, campaign_id, position) {
        tenant_id -> Text,
        campaign_id -> UuidSql,
        position -> Integer,
        user_id -> UuidSql,
        duty -> Text,
    }
    plans (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        campaign_id -> UuidSql,
        unit_id -> UuidSql,
        unit_path -> Text,
        parent_plan_id -> Nullable<UuidSql>,
        title -> Text,
        search_text -> Text,
        state -> Text,
        meeting_title -> Nullable<Text>,
        meeting_number -> Nullable<Text>,
        meeting_held_on -> Nullable<Date>,
        return_comment -> Nullable<Text>,
        approval_comment -> Nullable<Text>,
        submitted_at -> Nullable<InstantSql>,
        submitted_by -> Nullable<UuidSql>,
        decided_at -> Nullable<InstantSql>,
        decided_by -> Nullable<UuidSql>,
        published_at -> Nullable<InstantSql>,
        version -> BigInt,
        created_by -> UuidSql,
        created_at -> InstantSql,
        updated_at -> InstantSql,
        submitted_as -> Nullable<Text>,
        stage -> Nullable<Text>,
        stage_at -> Nullable<InstantSql>,
        starts_on -> Nullable<Date>,
        number -> Integer,
        parent_amended -> Bool,
        amendment -> Nullable<Text>,
        amendment_number -> Nullable<Integer>,
    }
    plan_phases (tenant_id, plan_id, position) {
        tenant_id -> Text,
        plan_id -> UuidSql,
        position -> Integer,
        name -> Text,
        starts_on -> Date,
        ends_on -> Date,
    }
    plan_authors (tenant_id, plan_id, number, user_id) {
        tenant_id -> Text,
        plan_id -> UuidSql,
        user_id -> UuidSql,
        number -> Integer,
    }
    plan_versions (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        plan_id -> UuidSql,
        number -> Integer,
        state -> Text,
        reason -> Nullable<Text>,
        content -> Text,
        return_comment -> Nullable<Text>,
        approval_comment -> Nullable<Text>,
        submitted_at -> Nullable<InstantSql>,
        submitted_by -> Nullable<UuidSql>,
        submitted_as -> Nullable<Text>,
        decided_at -> Nullable<InstantSql>,
        decided_by -> Nullable<UuidSql>,
        published_at -> Nullable<InstantSql>,
        parent_amended -> Bool,
        created_by -> UuidSql,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
    plan_votes (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        plan_id -> UuidSql,
        number -> Integer,
        round -> Integer,
        user_id -> UuidSql,
        above_percent -> Integer,
        choice -> Nullable<Text>,
        comment -> Nullable<Text>,
        cast_at -> Nullable<InstantSql>,
        ended_at -> Nullable<InstantSql>,
        version -> BigInt,
        created_at -> InstantSql,
    }
    plan_comments (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        plan_id -> UuidSql,
        number -> Integer,
        task_id -> Nullable<UuidSql>,
        task_title -> Nullable<Text>,
        content -> Text,
        author_id -> UuidSql,
        resolved_at -> Nullable<InstantSql>,
        resolved_by -> Nullable<UuidSql>,
        version -> BigInt,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
    tasks (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        plan_id -> UuidSql,
        unit_path -> Text,
        position -> Integer,
        category -> Text,
        title -> Text,
        content -> Text,
        lead_leader -> Nullable<Text>,
        due_on -> Date,
        frequency -> Text,
        daily_entries -> Bool,
        target_name -> Nullable<Text>,
        target_direction -> Nullable<Text>,
        target_value -> Nullable<Text>,
        target_unit -> Nullable<Text>,
        parent_task_id -> Nullable<UuidSql>,
        retired_in -> Nullable<Integer>,
    }
    task_responsibles (tenant_id, task_id, position) {
        tenant_id -> Text,
        task_id -> UuidSql,
        position -> Integer,
        unit_id -> UuidSql,
        extent -> Text,
        kind -> Nullable<Text>,
    }
    task_assignments (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        task_id -> UuidSql,
        parent_task_id -> Nullable<UuidSql>,
        campaign_id -> UuidSql,
        unit_id -> UuidSql,
        unit_path -> Text,
        due_on -> Date,
        state -> Text,
        carried -> Bool,
        evidence -> Nullable<Text>,
        completed_at -> Nullable<InstantSql>,
        completed_by -> Nullable<UuidSql>,
        reopen_reason -> Nullable<Text>,
        version -> BigInt,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
    assignment_persons (tenant_id, assignment_id, officer_id) {
        tenant_id -> Text,
        assignment_id -> UuidSql,
        officer_id -> UuidSql,
        task_id -> UuidSql,
        named_on -> Date,
    }
    progress_counters (tenant_id, campaign_id, unit_path, due_on) {
        tenant_id -> Text,
        campaign_id -> UuidSql,
        unit_path -> Text,
        due_on -> Date,
        total -> BigInt,
        done -> BigInt,
    }
    revisions (tenant_id, source, subject_id, part) {
        tenant_id -> Text,
        source -> Text,
        subject_id -> UuidSql,
        part -> BigInt,
        changes -> BigInt,
    }
    entry_duties (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        assignment_id -> UuidSql,
        task_id -> UuidSql,
        officer_id -> UuidSql,
        unit_id -> UuidSql,
        unit_path -> Text,
        from_on -> Date,
        until_on -> Date,
    }
    day_entries (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        task_id -> UuidSql,
        officer_id -> UuidSql,
        unit_id -> UuidSql,
        unit_path -> Text,
        day -> Date,
        done -> Text,
        amount -> Nullable<BigInt>,
        late -> Bool,
        entered_by -> UuidSql,
        for_other -> Bool,
        version -> BigInt,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
    cleared_days (tenant_id, day) {
        tenant_id -> Text,
        day -> Date,
        working -> Bool,
        owed -> BigInt,
        swept_at -> InstantSql,
    }
    owed_entries (tenant_id, day, task_id, officer_id) {
        tenant_id -> Text,
        day -> Date,
        task_id -> UuidSql,
        officer_id -> UuidSql,
        unit_id -> UuidSql,
        unit_path -> Text,
    }
}

/// What the tables above are written in.
pub(super) mod sql_types {
    pub use super::super::types::{InstantSql, UuidSql};
    pub use diesel::sql_types::{BigInt, Binary, Bool, Date, Integer, Nullable, Text};
}
