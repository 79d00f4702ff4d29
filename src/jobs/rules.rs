//! What a job is, where it stands and may go, how far it is.

use crate::access::{JobId, UserId};
use crate::db::{Instant, text_enum};
use crate::errors::{AppError, Code, Result, Text};
use crate::imports::{TableFormat, TextEncoding};

text_enum! {
    /// What a job does.
    JobKind as "job_kind" {
        UnitImport = "unit_import", "导入单位", "Import of units", blue;
        OfficerImport = "officer_import", "导入民警辅警", "Import of officers", blue;
        UserImport = "user_import", "导入账号", "Import of accounts", blue;
    }
}

text_enum! {
    /// Where a job stands.
    JobState as "job_state" {
        Queued = "queued", "等待", "Waiting", grey;
        Reading = "reading", "读取校验", "Reading and checking", blue;
        Finishing = "finishing", "生效中", "Being put in force", blue;
        Dropping = "dropping", "撤销中", "Being taken back", orange;
        Done = "done", "完成", "Done", green;
        Refused = "refused", "有误, 未导入", "Refused", red;
        Failed = "failed", "失败", "Failed", red;
        Cancelled = "cancelled", "已取消", "Cancelled", grey;
    }
}

text_enum! {
    /// What may be done with a job.
    JobAction as "job_action" {
        Cancel = "cancel", "取消", "Cancel", orange;
    }
}

impl JobState {
    /// Whether nothing more happens to it.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Done | Self::Refused | Self::Failed | Self::Cancelled)
    }

    /// Whether it may be cancelled: until what it brings is put in force.
    #[must_use]
    pub const fn may_be_cancelled(self) -> bool {
        matches!(self, Self::Queued | Self::Reading)
    }

    /// Where it may go from here.
    #[must_use]
    pub const fn leads_to(self, next: Self) -> bool {
        match self {
            Self::Queued => matches!(next, Self::Reading | Self::Dropping),
            Self::Reading => matches!(next, Self::Finishing | Self::Dropping),
            // Back only where nothing has been written yet: all of its rows are in one transaction.
            Self::Finishing => matches!(next, Self::Done | Self::Dropping),
            Self::Dropping => next.has_ended(),
            Self::Done | Self::Refused | Self::Failed | Self::Cancelled => false,
        }
    }
}

/// Rows of a job's file, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Read.
    pub read: i64,
    /// Entered.
    pub new: i64,
    /// There already, with other content.
    pub changed: i64,
    /// There already, just so.
    pub unchanged: i64,
    /// With errors.
    pub refused: i64,
    /// Errors of all rows together.
    pub errors: i64,
}

impl Tally {
    /// Rows with which nothing is wrong.
    #[must_use]
    pub fn accepted(&self) -> i64 {
        self.new + self.changed + self.unchanged
    }
}

/// Why a job came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From the table of codes.
    pub code: Code,
    /// A sentence.
    pub detail: Text,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its identifier.
    pub id: JobId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it does.
    pub kind: JobKind,
    /// Where it stands.
    pub state: JobState,
    /// Where it goes once what it has entered is taken back.
    pub verdict: Option<JobState>,
    /// Whether it only tries.
    pub dry_run: bool,
    /// Whether rows with errors are left out, instead of keeping all others out as well.
    pub skip_refused: bool,
    /// The form of its file.
    pub format: TableFormat,
    /// The encoding that was named with the file.
    pub charset: Option<String>,
    /// The encoding it was found to be in.
    pub encoding: Option<TextEncoding>,
    /// Of the file, hexadecimal.
    pub sha256: String,
    /// Of the file.
    pub bytes: i64,
    /// Of these, gone through.
    pub bytes_read: i64,
    /// Where its reader goes on.
    pub mark: String,
    /// Its rows.
    pub tally: Tally,
    /// The last line that has been put in force.
    pub settled: i64,
    /// Why it came to nothing.
    pub problem: Option<Problem>,
    /// Whether what it needed on its way is cleared away.
    pub cleared: bool,
    /// The request that began it.
    pub request_id: String,
    /// Counts its changes of state.
    pub version: i64,
    /// When it was taken on.
    pub created_at: Instant,
    /// When work on it began.
    pub started_at: Option<Instant>,
    /// When it ended.
    pub ended_at: Option<Instant>,
    /// When it was last worked on.
    pub updated_at: Instant,
}

/// Of a hundred, what reading the file is of the whole work.
const READING: i64 = 70;

impl Job {
    /// How far it is, 0 to 100: while it reads by the bytes of its file, after that by its lines.
    #[must_use]
    pub fn percent(&self) -> i64 {
        let of = |part: i64, whole: i64| part.clamp(0, whole.max(1)) * 100 / whole.max(1);
        match self.state {
            JobState::Queued => 0,
            JobState::Reading => of(self.bytes_read, self.bytes) * READING / 100,
            // Lines are counted from 1, and a heading is one.
            JobState::Finishing => READING + of(self.settled, self.tally.read + 2) * (100 - READING) / 100,
            JobState::Dropping => of(self.settled, self.tally.read + 2),
            JobState::Done | JobState::Refused | JobState::Failed | JobState::Cancelled => 100,
        }
    }

    /// When it will have ended if it goes on as it has; none before that can be told.
    #[must_use]
    pub fn expected_end_at(&self) -> Option<Instant> {
        let (percent, started) = (self.percent(), self.started_at?);
        if self.state.has_ended() || percent == 0 || self.state == JobState::Dropping {
            return None;
        }
        let so_far = i64::try_from(self.updated_at.since(started).as_millis()).unwrap_or(i64::MAX);
        let left = so_far.saturating_mul(100 - percent) / percent / 1000;
        Some(self.updated_at.plus_seconds(left.max(1)))
    }

    /// The job in another state: the only way there.
    ///
    /// # Errors
    /// When it does not go there from where it is, which is a mistake of ours.
    pub fn to(&self, next: JobState) -> Result<Self> {
        if !self.state.leads_to(next) {
            let (from, next) = (self.state.as_str(), next.as_str());
            return Err(AppError::internal(format!("a job does not go from {from} to {next}")));
        }
        Ok(Self { state: next, settled: 0, version: self.version + 1, ..self.clone() })
    }

    /// What whoever began it may do with it.
    #[must_use]
    pub fn allowed(&self) -> Vec<JobAction> {
        if self.state.may_be_cancelled() { vec![JobAction::Cancel] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: JobState) -> Job {
        let at = Instant::start_of_shanghai_day("2026-06-01".parse().unwrap());
        Job {
            id: JobId::generate(),
            user_id: UserId::generate(),
            kind: JobKind::OfficerImport,
            state,
            verdict: None,
            dry_run: false,
            skip_refused: false,
            format: TableFormat::Csv,
            charset: None,
            encoding: None,
            sha256: String::new(),
            bytes: 1000,
            bytes_read: 500,
            mark: String::new(),
            tally: Tally { read: 98, ..Tally::default() },
            settled: 50,
            problem: None,
            cleared: false,
            request_id: String::new(),
            version: 1,
            created_at: at,
            started_at: Some(at),
            ended_at: None,
            updated_at: at.plus_seconds(35),
        }
    }

    #[test]
    fn a_job_goes_these_ways_and_no_others() {
        use JobState::{Cancelled, Done, Dropping, Failed, Finishing, Queued, Reading, Refused};
        let ways = [
            (Queued, vec![Reading, Dropping]),
            (Reading, vec![Finishing, Dropping]),
            (Finishing, vec![Dropping, Done]),
            (Dropping, vec![Done, Refused, Failed, Cancelled]),
            (Done, vec![]),
            (Refused, vec![]),
            (Failed, vec![]),
            (Cancelled, vec![]),
        ];
        for (state, wanted) in ways {
            let found: Vec<JobState> =
                JobState::ALL.iter().copied().filter(|next| state.leads_to(*next)).collect();
            assert_eq!(found, wanted, "{state:?}");
            assert_eq!(state.has_ended(), wanted.is_empty(), "{state:?}");
            assert_eq!(
                state.may_be_cancelled(),
                wanted.contains(&Dropping) && state != Finishing,
                "{state:?}"
            );
            for next in JobState::ALL {
                let moved = job(state).to(*next).ok().map(|job| (job.state, job.version));
                assert_eq!(moved, wanted.contains(next).then_some((*next, 2)), "{state:?} to {next:?}");
            }
            assert_eq!(job(state).allowed().is_empty(), !state.may_be_cancelled());
        }
    }

    #[test]
    fn how_far_it_is_is_told_in_hundredths_and_when_it_ends_from_how_it_went() {
        let at = |state| job(state).percent();
        assert_eq!((at(JobState::Queued), at(JobState::Reading), at(JobState::Finishing)), (0, 35, 85));
        assert!(JobState::ALL.iter().all(|state| !state.has_ended() || at(*state) == 100));
        // 35 of a hundred took 35 seconds: 65 are left.
        let reading = job(JobState::Reading);
        assert_eq!(reading.expected_end_at(), Some(reading.updated_at.plus_seconds(65)));
        assert_eq!(job(JobState::Done).expected_end_at(), None);
        assert_eq!(Job { started_at: None, ..reading.clone() }.expected_end_at(), None);
        let empty = Job { bytes: 0, bytes_read: 0, ..reading };
        assert_eq!(empty.percent(), 0);
    }
}
