//! What an inspector's phone has and says: the demo's inspector, what their checks are made of, and what they tell of a day.

use std::net::SocketAddr;

use pingyi::db::Clock;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Account, Session, sign_in};

/// The demo's inspector, with all that a check is made of.
#[derive(Debug, Clone)]
pub struct Phone {
    /// The inspector.
    pub session: Session,
    /// A picture of the demo.
    pub picture: Vec<u8>,
    /// A check that was released, with pictures.
    pub released: String,
    user: String,
    authorisation: String,
    checklist: String,
    station: String,
}

impl Phone {
    /// Signs in and looks for what is needed.
    #[track_caller]
    pub fn new(at: SocketAddr, accounts: &[Account]) -> Self {
        let session = sign_in(at, accounts, "inspector", "53");
        let get = |path: &str| session.get(at, path).expect(200);
        let text = |of: &Value| of.as_str().expect("a text").to_owned();
        let first = |path: &str| text(&get(path).json()["items"][0]["id"]);
        // 着装: the checklist of dress and discipline.
        let list = first("/checklists?q=%E7%9D%80%E8%A3%85");
        let released = first("/unannounced-checks?state=released&kind=open");
        let shown = text(&get(&format!("/unannounced-checks/{released}")).json()["attachments"][0]["id"]);
        Self {
            picture: get(&format!("/attachments/{shown}/content")).body,
            user: text(&get("/auth/me").json()["id"]),
            authorisation: first("/authorisations?state=approved"),
            checklist: first(&format!("/checklists/{list}/versions")),
            station: first("/stations?limit=1"),
            released,
            session,
        }
    }

    /// Signs in again: a token does not last.
    #[track_caller]
    pub fn sign_in(&mut self, at: SocketAddr, accounts: &[Account]) {
        self.session = sign_in(at, accounts, "inspector", "53");
    }

    /// A covert check, what it saw, with this picture, and what came to mind later, in the wrong order.
    pub fn items(&self, check: Uuid, shown: Uuid) -> [Value; 3] {
        let now = Clock::system().now();
        let yes = |item: &str| json!({ "item": item, "yes": true });
        let no = |item: &str| json!({ "item": item, "yes": false, "attachment_ids": [shown] });
        let record = json!({
            "ended_at": now,
            "answers": [
                yes("ZZ-1"), no("GL-1"), json!({ "item": "GL-2", "number": "3" }), no("JJ-1"), yes("JJ-2"),
                json!({ "item": "JJ-3", "yes": false }),
            ],
        });
        let later = json!({ "check_id": check, "id": Uuid::now_v7(), "content": "值班表为上月的。" });
        [
            json!({ "addendum": later }),
            json!({ "record": { "check_id": check, "record": record } }),
            json!({ "check": {
                "id": check, "authorisation_id": self.authorisation, "kind": "covert", "unit_id": self.station,
                "checklist_version_id": self.checklist, "team_user_ids": [self.user], "begun_at": now,
                "place": { "text": "地下值班室" },
            } }),
        ]
    }

    /// What is told of a day.
    pub fn batch(items: &[Value]) -> String {
        json!({ "sent_at": Clock::system().now(), "items": items }).to_string()
    }

    /// The request with a picture in one piece, under an id that it is known by already, or none.
    pub fn upload(&self, id: Option<Uuid>, picture: &[u8]) -> Vec<u8> {
        const MARK: &str = "pingyi-phone";
        let known =
            id.map(|id| format!("--{MARK}\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n{id}\r\n"));
        let mut form = known.unwrap_or_default();
        form.extend([
            "--",
            MARK,
            "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"photo.jpg\"",
            "\r\nContent-Type: image/jpeg\r\n\r\n",
        ]);
        let mut form = form.into_bytes();
        form.extend_from_slice(picture);
        form.extend_from_slice(format!("\r\n--{MARK}--\r\n").as_bytes());
        let media = format!("multipart/form-data; boundary={MARK}");
        let length = form.len().to_string();
        let headers = [("Content-Type", media.as_str()), ("Content-Length", length.as_str())];
        let mut bytes = self.session.compose("POST", "/attachments", &headers, None);
        bytes.append(&mut form);
        bytes
    }
}
