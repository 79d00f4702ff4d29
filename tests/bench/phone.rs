//! What an inspector's phone asks: what to take along, what has changed, a day told at once, a picture.

use std::net::SocketAddr;

use serde_json::{Value, json};
use uuid::Uuid;

use super::process::{Account, Connection, Phone};

/// Checks of one batch, each with its record and an addendum.
const CHECKS: usize = 5;

/// A phone that has been there before.
pub struct Pocket {
    phone: Phone,
    bundle: String,
    changes: String,
}

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

impl Pocket {
    /// Takes along what there is.
    pub fn new(at: SocketAddr, accounts: &[Account]) -> Self {
        let phone = Phone::new(at, accounts);
        let get = |path: &str| phone.session.get(at, path).expect(200).json();
        let bundle = get("/offline-bundle")["since"].as_str().expect("a name").to_owned();
        let changes = caught_up(&get("/changes"), |since| get(&format!("/changes?since={since}")));
        let pocket = Self { phone, bundle, changes };
        // A batch is answered with 200 whatever became of it.
        let mut connection = Connection::open(at).expect("a connection");
        connection.send(&pocket.day()).expect("a batch is sent");
        let told = connection.receive().expect("an answer").expect(200).json();
        assert_eq!((&told["done"], &told["refused"]), (&json!(3 * CHECKS), &json!(0)), "{told}");
        pocket
    }

    fn get(&self, path: &str) -> Vec<u8> {
        self.phone.session.compose("GET", path, &[], None)
    }

    /// All that may be taken along.
    pub fn bundle(&self) -> Vec<u8> {
        self.get("/offline-bundle")
    }

    /// What of it is new since then: nothing.
    pub fn bundle_since(&self) -> Vec<u8> {
        self.get(&format!("/offline-bundle?since={}", self.bundle))
    }

    /// Where to begin.
    pub fn changes(&self) -> Vec<u8> {
        self.get("/changes")
    }

    /// What has changed since then.
    pub fn changes_since(&self) -> Vec<u8> {
        self.get(&format!("/changes?since={}", self.changes))
    }

    /// A check with its answers and pictures.
    pub fn check(&self) -> Vec<u8> {
        self.get(&format!("/unannounced-checks/{}", self.phone.released))
    }

    /// A batch that nobody has sent before.
    pub fn day(&self) -> Vec<u8> {
        let items: Vec<Value> =
            (0..CHECKS).flat_map(|_| self.phone.items(Uuid::now_v7(), Uuid::now_v7())).collect();
        self.phone.session.compose("POST", "/sync", &[], Some(&Phone::batch(&items)))
    }

    /// A picture in one piece.
    pub fn upload(&self) -> Vec<u8> {
        self.phone.upload(None, &self.phone.picture)
    }
}
