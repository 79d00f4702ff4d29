//! Unannounced checks of the story: what they are made with, how they are taken further.

use std::sync::atomic::{AtomicU8, Ordering};

use pingyi::demo::photos::{Taken, photo};
use serde_json::{Value, json};

use super::client::Reply;
use super::{World, story};

/// What a check of a province's units is made with.
pub struct Kit<'w> {
    pub world: &'w World,
    pub province: String,
    /// The official code of the unit that is inspected, and its id.
    pub code: String,
    pub unit: String,
    pub authorisation: String,
    /// A version of the checklist of service windows.
    pub checklist: String,
}

/// A small photo with the moment and the place in it, unlike any other.
pub fn photo_bytes(world: &World) -> Vec<u8> {
    static DRAWN: AtomicU8 = AtomicU8::new(0);
    let taken = Taken { at: world.clock.now(), latitude: 25_040_500, longitude: 102_709_700 };
    photo((64, 48), DRAWN.fetch_add(1, Ordering::Relaxed), Some(taken)).expect("a photo is drawn")
}

/// Uploads a photo.
pub fn upload(world: &World, who: &str, name: &str) -> Reply {
    world.as_(who).call("POST", "/attachments").form(&[], Some((name, &photo_bytes(world)))).send()
}

impl<'w> Kit<'w> {
    /// An authorisation for the unit with this code, and a published checklist of its province.
    pub fn of(world: &'w World, code: &str) -> Self {
        let province = code[..2].to_owned();
        let office = world.as_(&format!("{province}-group-office"));
        let body = json!({ "unit_id": world.unit(&province), "template": "service_window", "kinds": [] });
        let list = format!("/checklists/{}", office.post("/checklists", &body).expect(201, "").id());
        office.post(&format!("{list}/publish"), &json!({})).expect(200, "");
        let versions = office.get(&format!("{list}/versions")).expect(200, "").json();
        let checklist = versions["items"][0]["id"].as_str().expect("a version").to_owned();
        Self {
            world,
            code: code.to_owned(),
            unit: world.unit(code).to_owned(),
            authorisation: story::authorised(world, code),
            checklist,
            province,
        }
    }

    /// The login of whoever holds this role at the province's root.
    pub fn login(&self, role: &str) -> String {
        format!("{}-{role}", self.province)
    }

    fn mark(&self) -> &'static str {
        if self.province == "50" { super::people::CANARY } else { "" }
    }

    /// A check that begins now, by the inspector alone or with the supervisor where it takes two.
    pub fn body(&self, kind: &str) -> Value {
        let user = |role: &str| self.world.user(&self.login(role)).to_owned();
        let mut team = vec![user("inspector")];
        if kind == "open" {
            team.push(user("special-supervisor"));
        }
        let now = self.world.clock.now();
        json!({
            "id": uuid::Uuid::now_v7(), "authorisation_id": self.authorisation, "kind": kind, "unit_id": self.unit,
            "checklist_version_id": self.checklist, "team_user_ids": team, "begun_at": now,
            "place": {
                "text": format!("一楼办证大厅{}", self.mark()), "latitude": "25.0405", "longitude": "102.7097",
                "datum": "gcj02", "accuracy_m": 15,
            },
        })
    }

    /// A photo that the inspector has just uploaded.
    pub fn photo(&self) -> String {
        upload(self.world, &self.login("inspector"), &format!("大厅{}.jpg", self.mark())).expect(201, "").id()
    }

    /// The inspector sends a photo that they have named before.
    pub fn send_photo(&self, id: &str) -> Reply {
        let bytes = photo_bytes(self.world);
        let call = self.world.as_(&self.login("inspector")).call("POST", "/attachments");
        call.form(&[("id", id)], Some(("大厅.jpg", &bytes))).send()
    }

    /// What was seen: of all mandatory items, one not as it should be; with the evidence that is asked for.
    pub fn record(&self) -> Value {
        self.record_showing(&[self.photo(), self.photo(), self.photo()])
    }

    /// The same, with these three photos.
    pub fn record_showing(&self, photos: &[String; 3]) -> Value {
        let [counter, notice, desk] = photos;
        let shown = |mut answer: Value, photo: &str| {
            answer["attachment_ids"] = json!([photo]);
            answer
        };
        let said = |mut answer: Value| {
            answer["note"] = json!(format!("让群众回去再拿户口本{}。", self.mark()));
            answer
        };
        let yes = |item: &str, yes: bool| json!({ "item": item, "yes": yes });
        let number = |item: &str, number: &str| json!({ "item": item, "number": number });
        json!({
            "answers": [
                shown(said(yes("GZ-1", false)), counter), yes("GZ-2", true),
                shown(json!({ "item": "LC-1", "choice": "complete" }), notice),
                number("DR-1", "100"), number("DR-2", "30"), yes("BM-1", true), yes("BM-2", true), shown(yes("TD-1", false), desk),
            ],
            "people_met": [{ "who": "窗口民警", "conduct": format!("口头告知, 未给清单{}。", self.mark()) }],
            "summary": format!("未做到一次性告知{}。", self.mark()), "ended_at": self.world.clock.now(),
        })
    }

    /// Begins a check.
    pub fn begin(&self, kind: &str) -> String {
        let inspector = self.world.as_(&self.login("inspector"));
        inspector.post("/unannounced-checks", &self.body(kind)).expect(201, "").id()
    }

    /// Takes a check a step further, as whoever does that in the story.
    pub fn act(&self, id: &str, action: &str) -> Reply {
        let (by, body) = match action {
            "record" => ("inspector", self.record()),
            "confirm" | "release" => ("discipline", json!({})),
            "contest" => ("", json!({ "content": format!("当时已给清单{}。", self.mark()) })),
            "decide" => ("group-office", json!({ "outcome": "upheld", "reasons": "存根日期为次日。" })),
            "void" => ("inspector", json!({ "reason": "选错单位。" })),
            "addenda" => ("inspector", json!({ "content": format!("等候实为 42 分钟{}。", self.mark()) })),
            _ => panic!("nobody in the story does {action}"),
        };
        // Only the inspected unit's own head objects.
        let by = if by.is_empty() { format!("{}-unit-head", self.code) } else { self.login(by) };
        self.world.as_(&by).post(&format!("/unannounced-checks/{id}/{action}"), &body)
    }

    /// A check taken so far.
    pub fn taken(&self, kind: &str, actions: &[&str]) -> String {
        let id = self.begin(kind);
        for action in actions {
            assert!(self.act(&id, action).status < 300, "{action}");
        }
        id
    }
}
