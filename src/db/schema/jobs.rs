//! The tables of jobs, as diesel sees them. Nothing is read together with them but rows of the audit
//! log that a job holds back (`audit.rs`).

use diesel::{allow_tables_to_appear_in_same_query, table};

use super::tables;

tables! {
    jobs (tenant_id, id) {
        tenant_id -> Text,
        id -> UuidSql,
        user_id -> UuidSql,
        kind -> Text,
        state -> Text,
        verdict -> Nullable<Text>,
        dry_run -> Bool,
        skip_refused -> Bool,
        format -> Text,
        charset -> Nullable<Text>,
        encoding -> Nullable<Text>,
        sha256 -> Text,
        bytes -> BigInt,
        bytes_read -> BigInt,
        mark -> Text,
        rows_read -> BigInt,
        rows_new -> BigInt,
        rows_changed -> BigInt,
        rows_unchanged -> BigInt,
        rows_refused -> BigInt,
        errors_found -> BigInt,
        settled -> BigInt,
        problem -> Nullable<Text>,
        cleared -> Bool,
        holder -> Nullable<Text>,
        free_at -> InstantSql,
        request_id -> Text,
        version -> BigInt,
        created_at -> InstantSql,
        started_at -> Nullable<InstantSql>,
        ended_at -> Nullable<InstantSql>,
        updated_at -> InstantSql,
    }
    job_pieces (tenant_id, job_id, place) {
        tenant_id -> Text,
        job_id -> UuidSql,
        place -> BigInt,
        bytes -> Binary,
        created_at -> InstantSql,
    }
    job_claims (tenant_id, job_id, name, value) {
        tenant_id -> Text,
        job_id -> UuidSql,
        name -> Text,
        value -> Text,
        line -> BigInt,
    }
    job_rows (tenant_id, job_id, line) {
        tenant_id -> Text,
        job_id -> UuidSql,
        line -> BigInt,
        given -> BigInt,
        content -> Text,
    }
    job_refusals (tenant_id, job_id, line, place) {
        tenant_id -> Text,
        job_id -> UuidSql,
        line -> BigInt,
        place -> BigInt,
        field -> Text,
        code -> Text,
        detail_zh -> Text,
        detail_en -> Text,
    }
}
