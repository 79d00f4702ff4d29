//! The table.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::chain::Chain;
use super::load::Cost;
use super::process::Backend;
use super::strain::Strain;

pub struct Report {
    pub backend: Backend,
    pub costs: BTreeMap<&'static str, Vec<Cost>>,
    pub starts: Vec<Duration>,
    pub resident: (u64, u64),
    pub demo_loaded_in: Duration,
    /// What a long import takes.
    pub strains: Vec<Strain>,
    /// What a long audit log takes.
    pub chain: Option<Chain>,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Report {
    fn of(&self, name: &str, part: impl Fn(&Cost) -> f64) -> f64 {
        median(self.costs.get(name).into_iter().flatten().map(part).collect())
    }

    /// How far the runs lie apart: the largest over the smallest.
    fn spread(&self, name: &str) -> f64 {
        let values: Vec<f64> =
            self.costs.get(name).into_iter().flatten().map(|cost| cost.cpu_micros).collect();
        let (low, high) =
            values.iter().fold((f64::MAX, 0.0_f64), |(low, high), one| (low.min(*one), high.max(*one)));
        high / low
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {:?}\n", self.backend)?;
        writeln!(
            f,
            "| operation | CPU µs | spread | per s | ÷ floor A (CPU) | ÷ get (CPU) | floor B CPU µs | floor B per s | ÷ floor B (CPU) | floor B ÷ (rate) | target |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|---|")?;
        let live = self.of("live", |cost| cost.cpu_micros);
        let get = self.of("get", |cost| cost.cpu_micros);
        let embedded = self.backend == Backend::Sqlite;
        for (name, title, target) in [
            ("live", "GET /health/live (floor A)", ""),
            ("get", "GET /units/{id}", "≤ 60 µs CPU"),
            ("list", "GET /units?unit_id=…&limit=50", "≤ 250 µs CPU"),
            ("matrix", "GET /campaigns/{id}/plans, 136 plans of 145 units", "≤ 2 × get"),
            ("progress", "GET /campaigns/{id}/progress, a province", "≤ 2 × get"),
            ("progress anew", "the same of a day never asked for", ""),
            ("create", "POST /campaigns, 32 connections", "≤ 2.5 × floor B"),
            ("check", "GET /unannounced-checks/{id}, released", ""),
            ("bundle", "GET /offline-bundle, whole", ""),
            ("bundle since", "the same since then, nothing new", ""),
            ("changes", "GET /changes, to begin", ""),
            ("changes since", "the same since then, nothing new", ""),
            ("sync", "POST /sync, 5 checks with record and addendum", ""),
            ("upload", "POST /attachments, a picture in one piece", ""),
            ("login", "POST /auth/login", ""),
        ] {
            let (cpu, rate) = (self.of(name, |cost| cost.cpu_micros), self.of(name, |cost| cost.rate));
            let floor = format!("{name} floor");
            let (floor_cpu, floor_rate) =
                (self.of(&floor, |cost| cost.cpu_micros), self.of(&floor, |cost| cost.rate));
            let number = |value: f64, digits: usize| {
                if value.is_nan() { "–".to_owned() } else { format!("{value:.digits$}") }
            };
            writeln!(
                f,
                "| {title} | {cpu:.1} | {:.2} | {rate:.0} | {} | {} | {} | {} | {} | {} | {} |",
                self.spread(name),
                number(cpu / live, 1),
                number(cpu / get, 1),
                number(floor_cpu, 1),
                number(floor_rate, 0),
                number(cpu / floor_cpu, 2),
                number(floor_rate / rate, 2),
                if embedded { target } else { "" },
            )?;
        }
        let starts = median(self.starts.iter().map(Duration::as_secs_f64).collect());
        let (now, peak) = self.resident;
        writeln!(
            f,
            "\nCold start (exec → ready) {:.0} ms · memory {:.0} MB, peak {:.0} MB · demo loaded and served in {:.1} s",
            starts * 1000.0,
            now as f64 / 1024.0,
            peak as f64 / 1024.0,
            self.demo_loaded_in.as_secs_f64()
        )?;
        for strain in &self.strains {
            write!(f, "{strain}")?;
        }
        match &self.chain {
            Some(chain) => writeln!(f, "\n{chain}"),
            None => Ok(()),
        }
    }
}
