//! The tables of inspections, as diesel sees them.

use diesel::{allow_tables_to_appear_in_same_query, table};

use super::{tables, units, users};

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
        approved_at -> Nullable<InstantSql>,
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
    authorisation_commanders (tenant_id, authorisation_id, version) {
        tenant_id -> Text,
        authorisation_id -> UuidSql,
        version -> BigInt,
        user_id -> UuidSql,
        until_at -> InstantSql,
    }
    unannounced_checks (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        authorisation_id -> UuidSql,
        kind -> Text,
        unit_id -> UuidSql,
        unit_path -> Text,
        commander_id -> UuidSql,
        checklist_version_id -> UuidSql,
        state -> Text,
        begun_at -> InstantSql,
        received_at -> InstantSql,
        skew_ms -> Nullable<BigInt>,
        place -> Text,
        record -> Nullable<Text>,
        deducted -> Nullable<BigInt>,
        recorded_by -> Nullable<UuidSql>,
        recorded_at -> Nullable<InstantSql>,
        confirmed_at -> Nullable<InstantSql>,
        released_at -> Nullable<InstantSql>,
        number -> Nullable<BigInt>,
        objection_until_on -> Nullable<Date>,
        objection -> Nullable<Text>,
        contested_by -> Nullable<UuidSql>,
        contested_at -> Nullable<InstantSql>,
        decision -> Nullable<Text>,
        decided_by -> Nullable<UuidSql>,
        decided_at -> Nullable<InstantSql>,
        void_reason -> Nullable<Text>,
        version -> BigInt,
        created_by -> UuidSql,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
    check_members (tenant_id, check_id, position) {
        tenant_id -> Text,
        check_id -> UuidSql,
        position -> Integer,
        user_id -> UuidSql,
    }
    check_releases (tenant_id, check_id) {
        tenant_id -> Text,
        check_id -> UuidSql,
        release_at -> InstantSql,
    }
    check_disclosures (tenant_id, check_id) {
        tenant_id -> Text,
        check_id -> UuidSql,
        disclosed_at -> InstantSql,
    }
    check_reads (tenant_id, check_id, user_id) {
        tenant_id -> Text,
        check_id -> UuidSql,
        user_id -> UuidSql,
        first_at -> InstantSql,
        last_at -> InstantSql,
        looks -> Integer,
    }
    uploads (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        user_id -> UuidSql,
        given_up -> Bool,
        created_at -> InstantSql,
    }
    resumable_uploads (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        user_id -> UuidSql,
        attachment_id -> UuidSql,
        file_name -> Text,
        sha256 -> Nullable<Text>,
        bytes -> BigInt,
        arrived -> BigInt,
        finished -> Bool,
        refusal -> Nullable<Text>,
        created_at -> InstantSql,
        expires_at -> InstantSql,
    }
    upload_pieces (tenant_id, upload_id, place) {
        tenant_id -> Text,
        upload_id -> UuidSql,
        place -> BigInt,
        bytes -> Binary,
    }
    attachments (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        file_name -> Text,
        media_type -> Text,
        bytes -> BigInt,
        copy_bytes -> BigInt,
        thumbnail_bytes -> BigInt,
        sha256 -> Text,
        width -> Integer,
        height -> Integer,
        capture -> Nullable<Text>,
        kept_as -> UuidSql,
        uploaded_by -> UuidSql,
        check_id -> Nullable<UuidSql>,
        shown_in -> Nullable<Text>,
        addendum_id -> Nullable<UuidSql>,
        version -> BigInt,
        created_at -> InstantSql,
    }
    withdrawn_attachments (tenant_id, kept_as) {
        tenant_id -> Text,
        kept_as -> UuidSql,
        withdrawn_at -> InstantSql,
    }
    awaited_attachments (tenant_id, check_id, attachment_id) {
        tenant_id -> Text,
        check_id -> UuidSql,
        attachment_id -> UuidSql,
        shown_in -> Text,
        addendum_id -> Nullable<UuidSql>,
        named_by -> UuidSql,
        created_at -> InstantSql,
        given_up_by -> Nullable<UuidSql>,
        given_up_at -> Nullable<InstantSql>,
        reason -> Nullable<Text>,
    }
    offline_bundles (tenant_id, user_id, since) {
        tenant_id -> Text,
        user_id -> UuidSql,
        since -> Text,
        bytes -> Binary,
        created_at -> InstantSql,
    }
    check_addenda (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        check_id -> UuidSql,
        content -> Text,
        author_id -> UuidSql,
        created_at -> InstantSql,
    }
    conflicts (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        user_id -> UuidSql,
        unit_id -> UuidSql,
        declared_unit_id -> UuidSql,
        kind -> Text,
        statement -> Nullable<Text>,
        salt -> Text,
        state -> Text,
        since_at -> InstantSql,
        declared_by -> UuidSql,
        ended_by -> Nullable<UuidSql>,
        ended_at -> Nullable<InstantSql>,
        end_reason -> Nullable<Text>,
        version -> BigInt,
        created_at -> InstantSql,
        updated_at -> InstantSql,
    }
    finding_candidates (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        check_id -> UuidSql,
        item -> Text,
        category -> Text,
        question -> Text,
        standard -> Text,
        recorded -> BigInt,
        amended -> Nullable<BigInt>,
        version -> BigInt,
        created_at -> InstantSql,
    }
}

// A declaration is found by where the person and the unit stand today.
allow_tables_to_appear_in_same_query!(conflicts, units);
allow_tables_to_appear_in_same_query!(conflicts, users);
