//! What an inspector takes along: what they may inspect and by what, no more; and the next time what has changed and what is gone.

use serde_json::{Value, json};

use crate::support::checks::Kit;
use crate::support::{World, both};

fn take(world: &World, who: &str, query: &str) -> Value {
    // Which of two was the last is told by their moments.
    world.advance(1);
    world.as_(who).get(&format!("/offline-bundle{query}")).expect(200, "").json()
}

fn ids(bundle: &Value, part: &str) -> Vec<String> {
    let mut ids: Vec<String> =
        bundle[part].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn sorted(ids: &[&str]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    ids.sort();
    ids
}

/// `unit …`, one a thing that is gone.
fn gone(bundle: &Value) -> Vec<String> {
    let one = |one: &Value| format!("{} {}", one["kind"].as_str().unwrap(), one["id"].as_str().unwrap());
    bundle["gone"].as_array().unwrap().iter().map(one).collect()
}

fn since(bundle: &Value) -> String {
    format!("?since={}", bundle["since"].as_str().unwrap())
}

/// The units of the subtree that work, as the list of units has them.
fn units_below(world: &World, code: &str) -> Vec<String> {
    let path = format!("/units?unit_id={}&status=active&limit=200", world.unit(code));
    ids(&world.as_("53-group-office").get(&path).expect(200, "").json(), "items")
}

both! {
    fn it_holds_what_one_may_inspect_and_then_what_has_changed(world) {
        let inspector = "53-inspector";
        let empty = take(world, inspector, "");
        assert_eq!((&empty["authorisations"], &empty["units"], &empty["checklists"], &empty["complete"]), (&json!([]), &json!([]), &json!([]), &json!(true)));
        let kit = Kit::of(world, "5301");
        let whole = take(world, inspector, "");
        assert_eq!(ids(&whole, "authorisations"), sorted(&[&kit.authorisation]));
        assert_eq!(ids(&whole, "checklists"), sorted(&[&kit.checklist]));
        assert_eq!(ids(&whole, "units"), units_below(world, "5301"));
        assert!(ids(&whole, "units").len() > 1);
        let shown = &whole["checklists"][0];
        let version = world.as_(inspector).get(&format!("/checklists/{}/versions/{}", shown["checklist_id"].as_str().unwrap(), kit.checklist)).expect(200, "").json();
        assert_eq!(shown, &version);
        assert_eq!(whole["dictionaries"], world.as_(inspector).get("/dictionaries").expect(200, "").json()["dictionaries"]);
        // What it says is enough to enter a check with.
        let body = kit.body("covert");
        for (field, part) in [("authorisation_id", "authorisations"), ("unit_id", "units"), ("checklist_version_id", "checklists")] {
            assert!(ids(&whole, part).iter().any(|id| body[field] == *id), "{field}");
        }

        // Nothing has changed; then a unit is renamed, another ends, the checklist has a next version, and the authorisation ends.
        let same = take(world, inspector, &since(&whole));
        assert_eq!((&same["since"], &same["complete"], &same["dictionaries"], &same["units"]), (&whole["since"], &json!(false), &Value::Null, &json!([])));
        assert_eq!((gone(&same), &same["checklists"], &same["authorisations"]), (Vec::new(), &json!([]), &json!([])));
        let admin = world.as_("53-system-admin");
        let county = format!("/units/{}", world.unit("530102"));
        let etag = admin.get(&county).expect(200, "").etag();
        admin.patch(&county, &etag, &json!({ "name": "昆明市公安局五华区分局" })).expect(200, "");
        let station = json!({ "code": "530102999", "name": "临时派出所", "kind": "station", "parent_id": world.unit("530102") });
        let station = admin.post("/units", &station).expect(201, "").id();
        let second = take(world, inspector, &since(&whole));
        assert_eq!(ids(&second, "units"), sorted(&[world.unit("530102"), &station]));
        assert_eq!((gone(&second), &second["checklists"], &second["complete"]), (Vec::new(), &json!([]), &json!(false)));

        admin.post(&format!("/units/{station}/deactivate"), &json!({ "reason": "撤并。" })).expect(200, "");
        let office = world.as_("53-group-office");
        let list = format!("/checklists/{}", shown["checklist_id"].as_str().unwrap());
        let etag = office.get(&list).expect(200, "").etag();
        office.patch(&list, &etag, &json!({ "title": "窗口检查清单 (修订)" })).expect(200, "");
        let written = take(world, inspector, &since(&second));
        assert_eq!(written["checklists"], json!([]), "what is being written is nobody's to inspect by");
        office.post(&format!("{list}/publish"), &json!({})).expect(200, "");
        let third = take(world, inspector, &since(&second));
        let next = &third["checklists"][0];
        assert_eq!((&next["title"], &next["number"]), (&json!("窗口检查清单 (修订)"), &json!(2)));
        let mut left = gone(&third);
        left.sort();
        assert_eq!(left, [format!("checklist {}", kit.checklist), format!("unit {station}")]);

        let revoked = world.as_("53-discipline").post(&format!("/authorisations/{}/revoke", kit.authorisation), &json!({ "reason": "阶段结束。" }));
        revoked.expect(200, "");
        let fourth = take(world, inspector, &since(&third));
        assert!(gone(&fourth).contains(&format!("authorisation {}", kit.authorisation)));
        assert_eq!(gone(&fourth).len(), 1 + 1 + units_below(world, "5301").len(), "{fourth}");
        assert_eq!((&fourth["since"], fourth["dictionaries"].is_null()), (&empty["since"], true));
        // Whoever comes back from long before is told from there.
        assert_eq!(gone(&take(world, inspector, &since(&whole))).len(), 1 + 1 + ids(&whole, "units").len());
    }

    fn it_is_ones_own(world) {
        let kit = Kit::of(world, "5301");
        let whole = take(world, "53-inspector", "");
        // The supervisor is of the same team, the officer of another province of none.
        assert_eq!(ids(&take(world, "53-special-supervisor", ""), "units"), ids(&whole, "units"));
        let foreign = take(world, "50-inspector", &since(&whole));
        assert_eq!((&foreign["complete"], &foreign["units"], gone(&foreign)), (&json!(true), &json!([]), Vec::new()));
        for other in ["53-group-office", "53-discipline", "5301-unit-head", "53-auditor"] {
            world.as_(other).get("/offline-bundle").expect(403, "forbidden");
        }
        // A part of it, and what lies outside is nothing.
        let part = take(world, "53-inspector", &format!("?unit_id={}", world.unit("530102")));
        assert_eq!(ids(&part, "units"), units_below(world, "530102"));
        assert_eq!(ids(&part, "authorisations"), sorted(&[&kit.authorisation]));
        for outside in [world.unit("5303"), world.unit("50"), "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77"] {
            assert_eq!(take(world, "53-inspector", &format!("?unit_id={outside}"))["units"], json!([]), "{outside}");
        }
        world.as_("53-inspector").get("/offline-bundle?since=xyz").expect(400, "invalid_query");

        // Each part is remembered by itself: the one is not gone when the other is asked for.
        let of_part = since(&part).replace('?', "&");
        assert_eq!(take(world, "53-inspector", &format!("?unit_id={}{of_part}", world.unit("530102")))["complete"], false);
        assert_eq!(take(world, "53-inspector", &format!("?unit_id={}{of_part}", world.unit("5301")))["complete"], true);
        assert_eq!(take(world, "53-inspector", &since(&part))["complete"], true);

        // What has been begun goes on by the version it was begun with, though there is a next one.
        let begun = kit.begin("covert");
        let list = format!("/checklists/{}", whole["checklists"][0]["checklist_id"].as_str().unwrap());
        let office = world.as_("53-group-office");
        office.patch(&list, "*", &json!({ "title": "窗口检查清单 (新版)" })).expect(200, "");
        office.post(&format!("{list}/publish"), &json!({})).expect(200, "");
        let both = take(world, "53-inspector", &since(&whole));
        assert_eq!((both["checklists"].as_array().unwrap().len(), gone(&both)), (1, Vec::new()));
        kit.act(&begun, "void").expect(200, "");
        let after = take(world, "53-inspector", &since(&both));
        assert_eq!(gone(&after), [format!("checklist {}", kit.checklist)]);

        // Each new content is taken once, as the log has it, and eight are remembered.
        let log = || {
            let page = world.as_("53-auditor").get("/audit-log?limit=200&entity=offline_bundle").expect(200, "").json();
            page["items"].as_array().unwrap().len()
        };
        take(world, "53-inspector", "");
        let before = log();
        take(world, "53-inspector", "");
        assert_eq!(log(), before);
        let admin = world.as_("53-system-admin");
        for at in 0..9 {
            let path = format!("/units/{}", world.unit("530102"));
            let etag = admin.get(&path).expect(200, "").etag();
            admin.patch(&path, &etag, &json!({ "name": format!("五华分局 {at}") })).expect(200, "");
            world.advance(1);
            take(world, "53-inspector", "");
        }
        assert_eq!(log(), before + 9);
        assert_eq!(take(world, "53-inspector", &since(&whole))["complete"], true, "forgotten: everything");
    }
}
