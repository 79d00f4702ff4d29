//! What an inspector's phone asks: what to take along, what has changed, a day told at once, a picture.

use std::net::SocketAddr;

use serde_json::{Value, json};
use uuid::Uuid;

use super::process::{Account, Connection, Session, sign_in};

/// Checks of one batch, each with its record and an addendum.
pub const CHECKS: usize = 5;

/// Where somebody stands who has heard all there is: whoever begins is told of the last while once more.
fn caught_up(told: &Value, ask: impl Fn(&str) -> Value) -> String {
    let mut told = told.clone();
    loop {
        let since = told["next_since"].as_str().expect("a place").to_owned();
        told = ask(&since);
        if told["items"].as_array().is_some_and(Vec::is_empty) && told["has_more"] == json!(false) {
            return since;
        }
    }
}

/// The demo's inspector, with all that a check is made of.
pub struct Phone {
    session: Session,
    user: String,
    authorisation: String,
    checklist: String,
    station: String,
    picture: Vec<u8>,
    bundle: String,
    changes: String,
    check: String,
}

impl Phone {
    /// Signs in and looks for what is needed.
    pub fn new(at: SocketAddr, accounts: &[Account]) -> Self {
        let session = sign_in(at, accounts, "inspector", "53");
        let get = |path: &str| session.get(at, path).expect(200);
        let text = |of: &Value| of.as_str().expect("a text").to_owned();
        let first = |path: &str| text(&get(path).json()["items"][0]["id"]);
        // 着装: the checklist of dress and discipline.
        let list = first("/checklists?q=%E7%9D%80%E8%A3%85");
        let released = first("/unannounced-checks?state=released&kind=open");
        let shown = text(&get(&format!("/unannounced-checks/{released}")).json()["attachments"][0]["id"]);
        let phone = Self {
            user: text(&get("/auth/me").json()["id"]),
            authorisation: first("/authorisations?state=approved"),
            checklist: first(&format!("/checklists/{list}/versions")),
            station: first("/stations?limit=1"),
            picture: get(&format!("/attachments/{shown}/content")).body,
            bundle: text(&get("/offline-bundle").json()["since"]),
            changes: caught_up(&get("/changes").json(), |since| get(&format!("/changes?since={since}")).json()),
            check: released,
            session,
        };
        // A batch is answered with 200 whatever became of it.
        let mut connection = Connection::open(at).expect("a connection");
        connection.send(&phone.day()).expect("a batch is sent");
        let told = connection.receive().expect("an answer").expect(200).json();
        assert_eq!((&told["done"], &told["refused"]), (&json!(3 * CHECKS), &json!(0)), "{told}");
        phone
    }

    /// All that may be taken along.
    pub fn bundle(&self) -> Vec<u8> {
        self.session.compose("GET", "/offline-bundle", &[], None)
    }

    /// What of it is new since then: nothing.
    pub fn bundle_since(&self) -> Vec<u8> {
        self.session.compose("GET", &format!("/offline-bundle?since={}", self.bundle), &[], None)
    }

    /// Where to begin.
    pub fn changes(&self) -> Vec<u8> {
        self.session.compose("GET", "/changes", &[], None)
    }

    /// What has changed since then.
    pub fn changes_since(&self) -> Vec<u8> {
        self.session.compose("GET", &format!("/changes?since={}", self.changes), &[], None)
    }

    /// A check with its answers and pictures.
    pub fn check(&self) -> Vec<u8> {
        self.session.compose("GET", &format!("/unannounced-checks/{}", self.check), &[], None)
    }

    /// A batch that nobody has sent before: checks, what they saw, what came to mind later, in the wrong order.
    pub fn day(&self) -> Vec<u8> {
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let items: Vec<Value> = (0..CHECKS)
            .flat_map(|_| {
                let (check, shown) = (Uuid::now_v7(), Uuid::now_v7());
                let yes = |item: &str| json!({ "item": item, "yes": true });
                let no = |item: &str| json!({ "item": item, "yes": false, "attachment_ids": [shown] });
                let record = json!({
                    "ended_at": now,
                    "answers": [
                        yes("ZZ-1"), no("GL-1"), json!({ "item": "GL-2", "number": "3" }), no("JJ-1"), yes("JJ-2"),
                        json!({ "item": "JJ-3", "yes": false }),
                    ],
                });
                [
                    json!({ "addendum": { "check_id": check, "id": Uuid::now_v7(), "content": "值班表为上月的。" } }),
                    json!({ "record": { "check_id": check, "record": record } }),
                    json!({ "check": {
                        "id": check, "authorisation_id": self.authorisation, "kind": "covert", "unit_id": self.station,
                        "checklist_version_id": self.checklist, "team_user_ids": [self.user], "begun_at": now,
                        "place": { "text": "地下值班室" },
                    } }),
                ]
            })
            .collect();
        let body = json!({ "sent_at": now, "items": items }).to_string();
        self.session.compose("POST", "/sync", &[], Some(&body))
    }

    /// A picture in one piece.
    pub fn upload(&self) -> Vec<u8> {
        const MARK: &str = "pingyi-bench";
        let mut form = format!(
            "--{MARK}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"photo.jpg\"\r\n\
             Content-Type: image/jpeg\r\n\r\n"
        )
        .into_bytes();
        form.extend_from_slice(&self.picture);
        form.extend_from_slice(format!("\r\n--{MARK}--\r\n").as_bytes());
        let media = format!("multipart/form-data; boundary={MARK}");
        let length = form.len().to_string();
        let headers = [("Content-Type", media.as_str()), ("Content-Length", length.as_str())];
        let mut bytes = self.session.compose("POST", "/attachments", &headers, None);
        bytes.append(&mut form);
        bytes
    }
}
