//! What an operator watches, in the text format of `OpenMetrics`: how much is asked, how long it takes, what waits.
//!
//! Labels are operations, statuses and provinces: bounded, and nobody's data. It is told on a listener of its own
//! (`--metrics-listen`), which belongs on loopback or a network of the operator's.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::db::TenantId;
use crate::errors::{AppError, Result};

/// Upper ends of the classes of durations, seconds: around the deadlines and what is usual.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    operation: &'static str,
    status: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Province {
    province: String,
}

/// The figures of this process.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Operation, Histogram, fn() -> Histogram>,
    sealed: Family<Province, Counter>,
    lag: Family<Province, Gauge<f64, std::sync::atomic::AtomicU64>>,
    listeners: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let durations: fn() -> Histogram = || Histogram::new(SECONDS);
        let (requests, seconds) = (Family::default(), Family::new_with_constructor(durations));
        let (sealed, lag, listeners) = (Family::default(), Family::default(), Gauge::default());
        let mut registry = Registry::with_prefix("pingyi");
        let built = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", built);
        registry.register("requests", "Requests answered, by operation and status", requests.clone());
        let help = "Time to the answer, or to the first byte of a file";
        registry.register_with_unit("request", help, Unit::Seconds, seconds.clone());
        registry.register("audit_sealed", "Audit rows put into the chain", sealed.clone());
        let help = "Age of the oldest audit row that was sealed last";
        registry.register_with_unit("audit_lag", help, Unit::Seconds, lag.clone());
        registry.register("listeners", "Who listens to events now", listeners.clone());
        Self { registry, requests, seconds, sealed, lag, listeners }
    }
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, operation: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&Answered { operation, status: status.into() }).inc();
        self.seconds.get_or_create(&Operation { operation }).observe(took.as_secs_f64());
    }

    /// Counts rows sealed, the oldest of them so old.
    pub fn sealed(&self, tenant: TenantId, rows: usize, oldest: Duration) {
        let province = Province { province: tenant.to_string() };
        self.sealed.get_or_create(&province).inc_by(rows as u64);
        self.lag.get_or_create(&province).set(oldest.as_secs_f64());
    }

    /// The figures as they are now.
    ///
    /// # Errors
    /// Never.
    pub fn text(&self, listeners: usize) -> Result<String> {
        self.listeners.set(i64::try_from(listeners).unwrap_or(i64::MAX));
        let mut text = String::new();
        text::encode(&mut text, &self.registry).map_err(AppError::internal)?;
        Ok(text)
    }
}
