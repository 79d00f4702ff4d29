//! The officers of the demo: a head and a deputy for each bureau and station, and the people who do
//! the work, about 20,000 for Yunnan. The second province has its heads only.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::roster::person_name;
use crate::org::officers::rules::{OfficerKind, PoliceRank};
use crate::org::officers::service::Enlisted;
use crate::org::posts::rules::PostKind;
use crate::org::rules::{Unit, UnitKind};

/// A line of a unit's establishment: post, title, how many, and whether auxiliaries hold it.
type Line = (PostKind, &'static str, usize, OfficerKind);

const STATION: &[Line] = &[
    (PostKind::Head, "派出所所长", 1, OfficerKind::Police),
    (PostKind::DeputyHead, "派出所副所长", 1, OfficerKind::Police),
    // At least two fifths of a station are community police.
    (PostKind::CommunityPolice, "社区民警", 4, OfficerKind::Police),
    (PostKind::CaseOfficer, "办案民警", 1, OfficerKind::Police),
    (PostKind::DutyOfficer, "值班接处警辅警", 2, OfficerKind::Auxiliary),
    (PostKind::WindowStaff, "户籍窗口辅警", 1, OfficerKind::Auxiliary),
];
const COUNTY: &[Line] = &[
    (PostKind::Head, "党委书记、局长", 1, OfficerKind::Police),
    (PostKind::DeputyHead, "副局长", 3, OfficerKind::Police),
    (PostKind::DivisionHead, "大队长", 6, OfficerKind::Police),
    (PostKind::CaseOfficer, "办案民警", 8, OfficerKind::Police),
    (PostKind::Support, "综合保障民警", 2, OfficerKind::Police),
];
const CITY: &[Line] = &[
    (PostKind::Head, "党委书记、局长", 1, OfficerKind::Police),
    (PostKind::DeputyHead, "副局长", 5, OfficerKind::Police),
    (PostKind::DivisionHead, "支队长", 14, OfficerKind::Police),
    (PostKind::CaseOfficer, "办案民警", 24, OfficerKind::Police),
    (PostKind::Support, "综合保障民警", 6, OfficerKind::Police),
];
const PROVINCE: &[Line] = &[
    (PostKind::Head, "党委书记、厅长", 1, OfficerKind::Police),
    (PostKind::DeputyHead, "副厅长", 6, OfficerKind::Police),
    (PostKind::DivisionHead, "总队长", 20, OfficerKind::Police),
    (PostKind::CaseOfficer, "民警", 60, OfficerKind::Police),
    (PostKind::Support, "综合保障民警", 13, OfficerKind::Police),
];

const fn establishment(kind: UnitKind) -> &'static [Line] {
    match kind {
        UnitKind::Province => PROVINCE,
        UnitKind::City => CITY,
        UnitKind::County => COUNTY,
        UnitKind::Station => STATION,
        // Departments, windows and detention houses are manned by their bureau.
        UnitKind::Department | UnitKind::ServiceWindow | UnitKind::DetentionHouse => &[],
    }
}

const fn rank(unit: UnitKind, post: PostKind) -> PoliceRank {
    match (unit, post) {
        (UnitKind::Province, PostKind::Head) => PoliceRank::DeputyCommissionerGeneral,
        (UnitKind::Province, PostKind::DeputyHead) => PoliceRank::CommissionerFirst,
        (UnitKind::City, PostKind::Head) => PoliceRank::CommissionerSecond,
        (UnitKind::City, PostKind::DeputyHead) => PoliceRank::CommissionerThird,
        (UnitKind::County, PostKind::Head) => PoliceRank::SupervisorFirst,
        (_, PostKind::Head | PostKind::DeputyHead | PostKind::DivisionHead) => PoliceRank::SupervisorSecond,
        (_, PostKind::CommunityPolice) => PoliceRank::SuperintendentFirst,
        _ => PoliceRank::SuperintendentSecond,
    }
}

/// Who is in uniform: everybody, or the heads alone. `heads` names those who have an account; `since` is
/// when posts began.
pub(super) fn officers(
    units: &[Unit],
    heads: &HashMap<String, String>,
    since: NaiveDate,
    everybody: bool,
) -> Vec<Enlisted> {
    let mut found = Vec::new();
    let (mut police, mut auxiliary) = (0_u32, 0_u32);
    for unit in units {
        let lines = establishment(unit.kind).iter().filter(|(post, ..)| everybody || *post == PostKind::Head);
        for &(post, title, count, kind) in lines {
            for _ in 0..count {
                let place = found.len();
                let named = heads.get(&unit.code).filter(|_| post == PostKind::Head);
                // Police numbers have six digits; auxiliaries have a letter before theirs.
                let number = if kind == OfficerKind::Police {
                    police += 1;
                    format!("{police:06}")
                } else {
                    auxiliary += 1;
                    format!("F{auxiliary:06}")
                };
                found.push(Enlisted {
                    number,
                    name: named.cloned().unwrap_or_else(|| person_name(place)),
                    kind,
                    rank: (kind == OfficerKind::Police).then(|| rank(unit.kind, post)),
                    phone: Some(format!("139{:08}", place % 100_000_000)),
                    unit: unit.clone(),
                    post: (post, title.to_owned(), since),
                });
            }
        }
    }
    found
}
