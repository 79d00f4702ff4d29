//! Votes of the leading group's members, and comments item by item.

use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::{World, both, story};

const OFFICE: &str = "53-group-office";
const HEAD: &str = "53-group-head";
pub const MEMBERS: [&str; 3] = ["53-group-member", "53-inspector", "53-discipline"];

pub fn grant(world: &World, login: &str, role: &str) {
    let binding = json!({ "role": role, "unit_id": world.unit("53") });
    let path = format!("/users/{}/role-bindings", world.user(login));
    world.as_("53-security-admin").post(&path, &binding).expect(201, "");
}

/// A submitted plan on which three members vote.
fn submitted(world: &World) -> String {
    for login in &MEMBERS[1..] {
        grant(world, login, "group_member");
    }
    let campaign = story::campaign(world, "53");
    let path = format!("/campaigns/{campaign}/leading-group");
    let mut group = story::group_body(world, "53");
    group["votes_on_plans"] = json!(true);
    world.as_(OFFICE).put(&path, "*", &group).expect(200, "");
    let plan = story::draft(world, &campaign, "53", OFFICE);
    story::step(world, OFFICE, &plan, "submit");
    plan
}

pub fn vote(world: &World, by: &str, plan: &str, choice: &str) -> Reply {
    world.as_(by).post(&format!("/plans/{plan}/votes"), &json!({ "choice": choice }))
}

fn approve(world: &World, plan: &str) -> Reply {
    world.as_(HEAD).post(&format!("/plans/{plan}/approve"), &json!({}))
}

fn ballot(world: &World, plan: &str) -> Value {
    world.as_(OFFICE).get(&format!("/plans/{plan}")).expect(200, "").json()["ballot"].clone()
}

fn offers(world: &World, by: &str, plan: &str, action: &str) -> bool {
    world.as_(by).get(&format!("/plans/{plan}")).expect(200, "").allowed().contains(&action.to_owned())
}

both! {
    fn the_head_approves_what_the_members_have_carried(world) {
        let plan = submitted(world);
        assert_eq!(
            ballot(world, &plan),
            json!({ "round": 1, "members": 3, "cast": 0, "for": 0, "against": 0, "abstain": 0, "above_percent": 50, "quorate": false, "carried": false })
        );
        approve(world, &plan).expect(422, "quorum_not_reached");
        assert!(!offers(world, HEAD, &plan, "approve") && offers(world, HEAD, &plan, "return"));
        let waiting = world.as_(MEMBERS[0]).get("/auth/me/waiting").expect(200, "").json();
        assert_eq!(waiting["counts"][0]["kind"], "plan_to_vote", "{waiting}");
        // Who is no member does not vote, whoever else it is.
        vote(world, HEAD, &plan, "for").expect(403, "forbidden");
        grant(world, "53-nobody", "group_member");
        vote(world, "53-nobody", &plan, "for").expect(422, "not_a_voter");
        vote(world, "50-group-member", &plan, "for").expect(404, "not_found");
        assert!(!offers(world, "53-nobody", &plan, "vote") && offers(world, MEMBERS[0], &plan, "vote"));
        let first = vote(world, MEMBERS[0], &plan, "for").expect(201, "");
        assert_eq!(first.json()["member"]["id"], world.user(MEMBERS[0]));
        // Said again it is the same vote; said otherwise it is refused.
        vote(world, MEMBERS[0], &plan, "for").expect(200, "");
        vote(world, MEMBERS[0], &plan, "against").expect(409, "vote_cast");
        assert!(!offers(world, MEMBERS[0], &plan, "vote"));
        approve(world, &plan).expect(422, "quorum_not_reached");
        vote(world, MEMBERS[1], &plan, "against").expect(201, "");
        let refused = approve(world, &plan).expect(422, "vote_not_carried");
        assert_eq!(refused.json()["errors"][0]["facts"]["against"], 1, "{}", refused.story());
        vote(world, MEMBERS[2], &plan, "for").expect(201, "");
        let tally = ballot(world, &plan);
        assert_eq!((&tally["for"], &tally["against"], &tally["carried"]), (&json!(2), &json!(1), &json!(true)));
        let list = world.as_(OFFICE).get(&format!("/plans/{plan}/votes?count=exact")).expect(200, "").json();
        assert_eq!(list["total"], 3);
        let one = list["items"][0]["id"].as_str().unwrap();
        world.as_(OFFICE).get(&format!("/plans/{plan}/votes/{one}")).expect(200, "");
        approve(world, &plan).expect(200, "");
        assert_eq!(ballot(world, &plan), Value::Null, "the round is over");
        vote(world, MEMBERS[1], &plan, "for").expect(409, "plan_not_submitted");
        story::step(world, OFFICE, &plan, "publish");
        // Who reads what is published from below does not read how it was voted on.
        world.as_("5301-liaison").get(&format!("/plans/{plan}")).expect(200, "");
        world.as_("5301-liaison").get(&format!("/plans/{plan}/votes")).expect(404, "not_found");
        world.as_("5301-liaison").get(&format!("/plans/{plan}/votes/{one}")).expect(404, "not_found");
    }

    fn each_submission_is_a_round_of_its_own_with_the_members_of_that_day(world) {
        let plan = submitted(world);
        vote(world, MEMBERS[0], &plan, "against").expect(201, "");
        story::step(world, HEAD, &plan, "return");
        grant(world, "53-nobody", "group_member");
        story::step(world, OFFICE, &plan, "submit");
        let tally = ballot(world, &plan);
        assert_eq!((&tally["round"], &tally["members"], &tally["cast"]), (&json!(2), &json!(4), &json!(0)));
        vote(world, "53-nobody", &plan, "for").expect(201, "");
        vote(world, MEMBERS[1], &plan, "abstain").expect(201, "");
        // Exactly half is not more than half.
        approve(world, &plan).expect(422, "quorum_not_reached");
        vote(world, MEMBERS[2], &plan, "abstain").expect(201, "");
        let rounds = world.as_(OFFICE).get(&format!("/plans/{plan}/votes?round=1")).expect(200, "").json();
        assert_eq!(rounds["items"].as_array().unwrap().len(), 3);
        // The new round goes before the old one, page by page.
        let page = world.as_(OFFICE).get(&format!("/plans/{plan}/votes?limit=5")).expect(200, "").json();
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = world.as_(OFFICE).get(&format!("/plans/{plan}/votes?limit=5&cursor={cursor}")).expect(200, "").json();
        let rounds = |list: &Value| list["items"].as_array().unwrap().iter().map(|one| one["round"].as_i64().unwrap()).collect::<Vec<_>>();
        assert_eq!((rounds(&page), rounds(&rest)), (vec![2, 2, 2, 2, 1], vec![1, 1]));
        let many = world.as_(HEAD).post("/plans/approve", &json!({ "plans": [{ "plan_id": plan }] })).expect(200, "").json();
        assert_eq!(many["items"][0]["state"], "approved", "{many}");
        assert_eq!(ballot(world, &plan), Value::Null);
    }

    fn where_members_vote_there_must_be_members(world) {
        let campaign = story::campaign(world, "53");
        let path = format!("/campaigns/{campaign}/leading-group");
        let mut group = story::group_body(world, "53");
        group["votes_on_plans"] = json!(true);
        world.as_(OFFICE).put(&path, "*", &group).expect(200, "");
        let bindings = world.as_("53-security-admin").get(&format!("/users/{}/role-bindings", world.user(MEMBERS[0]))).expect(200, "").json();
        let binding = bindings["items"][0]["id"].as_str().unwrap();
        let path = format!("/users/{}/role-bindings/{binding}", world.user(MEMBERS[0]));
        world.as_("53-security-admin").delete(&path).expect(204, "");
        let plan = story::draft(world, &campaign, "53", OFFICE);
        assert!(!offers(world, OFFICE, &plan, "submit"));
        let refused = world.as_(OFFICE).post(&format!("/plans/{plan}/submit"), &json!({})).expect(422, "plan_incomplete");
        assert_eq!(refused.errors()[0].0, "/leading_group/members", "{}", refused.story());
    }

    fn comments_are_made_item_by_item_and_dealt_with(world) {
        let campaign = story::campaign(world, "53");
        let plan = story::draft(world, &campaign, "53", OFFICE);
        let shown = world.as_(OFFICE).get(&format!("/plans/{plan}")).expect(200, "").json();
        let task = shown["tasks"][0]["id"].as_str().unwrap();
        let path = format!("/plans/{plan}/comments");
        let say = |by: &str, body: &Value| world.as_(by).post(&path, body);
        let about = json!({ "task_id": task, "content": "留存率如何统计, 请写明。" });
        let first = say(HEAD, &about).expect(201, "");
        assert_eq!(first.json()["task_title"], shown["tasks"][0]["title"]);
        say("53-group-member", &json!({ "content": "总体可行。" })).expect(201, "");
        say(HEAD, &json!({ "task_id": campaign, "content": "没有这项。" })).expect(422, "invalid_body");
        say("53-auditor", &about).expect(403, "forbidden");
        say("5301-group-head", &about).expect(404, "not_found");
        // A client's own id, sent again, is the same comment; with other words it is taken.
        let own = json!({ "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b6b77", "content": "时限再核。" });
        say(HEAD, &own).expect(201, "");
        say(HEAD, &own).expect(200, "");
        let mut other = own.clone();
        other["content"] = json!("改口。");
        say(HEAD, &other).expect(409, "id_taken");
        let list = |by: &str, query: &str| world.as_(by).get(&format!("{path}?count=exact{query}")).expect(200, "").json()["total"].as_i64().unwrap();
        assert_eq!((list(OFFICE, ""), list(OFFICE, &format!("&task_id={task}")), list(OFFICE, "&resolved=true")), (3, 1, 0));
        // Who comments does not become an author.
        let resolve = |by: &str| world.as_(by).post(&format!("{path}/{}/resolve", first.id()), &json!({}));
        resolve("53-group-member").expect(422, "comment_of_another");
        let done = resolve(OFFICE).expect(200, "");
        assert_eq!(done.json()["resolved_by"]["id"], world.user(OFFICE));
        resolve(HEAD).expect(409, "comment_resolved");
        assert_eq!(list(OFFICE, "&resolved=true"), 1);
        story::finished(world, &plan, "53");
        // From below the published plan is read without what was said of it.
        world.as_("5301-liaison").get(&format!("/plans/{plan}")).expect(200, "");
        world.as_("5301-liaison").get(&path).expect(404, "not_found");
        world.as_("5301-liaison").get(&format!("{path}/{}", first.id())).expect(404, "not_found");
        say("5301-unit-head", &about).expect(404, "not_found");
    }
}
