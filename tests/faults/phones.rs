//! SIGKILL while phones tell of their days and send their pictures, in pieces and whole: what was acknowledged is there, and whoever
//! sends the same again has everything there once, to the byte, in checks, in the store, in the log.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pingyi::audit::hex;
use serde_json::{Value, json};
use uuid::Uuid;

use super::process::{Backend, Connection, Phone, Random, nap, until};
use super::work::Demo;

const PHONES: usize = 8;
/// Bytes of a part.
const PART: usize = 7_000;

/// What a phone has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    /// Tell of the check.
    Tell,
    /// Send the picture in one piece.
    Whole,
    /// Send it in parts.
    Parts,
}

/// A check with one picture, as the phone keeps it until it knows that all of it has arrived.
struct Visit {
    check: Uuid,
    photo: Uuid,
    picture: Vec<u8>,
    key: String,
    items: Vec<Value>,
    /// The last is the next.
    left: Vec<Errand>,
}

impl Visit {
    fn new(phone: &Phone, random: &mut Random) -> Self {
        let (check, photo) = (Uuid::now_v7(), Uuid::now_v7());
        let mut items = phone.items(check, photo).to_vec();
        items.rotate_left(usize::try_from(random.below(3)).unwrap());
        // No two pictures are the same.
        let mut picture = phone.picture.clone();
        picture.extend_from_slice(photo.as_bytes());
        let picture_by = if random.below(2) == 0 { Errand::Whole } else { Errand::Parts };
        let mut left = vec![Errand::Tell, picture_by];
        left.rotate_left(usize::try_from(random.below(2)).unwrap());
        let key = Uuid::new_v4().to_string();
        Self { check, photo, picture, key, items, left }
    }

    /// Does what is left of it; false when the server cannot now.
    fn bring(&mut self, phone: &Phone, on: &mut Connection) -> std::io::Result<bool> {
        while let Some(errand) = self.left.last() {
            let is_done = match errand {
                Errand::Tell => self.tell(phone, on)?,
                Errand::Whole => self.send_whole(phone, on)?,
                Errand::Parts => self.send_parts(phone, on)?,
            };
            if !is_done {
                return Ok(false);
            }
            self.left.pop();
        }
        Ok(true)
    }

    fn tell(&self, phone: &Phone, on: &mut Connection) -> std::io::Result<bool> {
        let headers = [("Idempotency-Key", self.key.as_str())];
        let reply = phone.session.ask(on, "POST", "/sync", &headers, Some(&Phone::batch(&self.items)))?;
        if reply.status == 503 {
            return Ok(false);
        }
        let told = reply.expect(200).json();
        assert_eq!((&told["done"], &told["refused"]), (&json!(3), &json!(0)), "{told}");
        Ok(true)
    }

    fn send_whole(&self, phone: &Phone, on: &mut Connection) -> std::io::Result<bool> {
        on.send(&phone.upload(Some(self.photo), &self.picture))?;
        let reply = on.receive()?;
        assert!(matches!(reply.status, 200 | 201 | 503), "{}: {}", reply.status, reply.text());
        Ok(reply.status != 503)
    }

    /// As tus clients do: announce, ask where it stands, send from there.
    fn send_parts(&self, phone: &Phone, on: &mut Connection) -> std::io::Result<bool> {
        let length = self.picture.len().to_string();
        let hash = hex(digest(&SHA256, &self.picture).as_ref());
        let pairs = [("id", self.photo.to_string()), ("sha256", hash), ("filename", "大厅.jpg".to_owned())];
        let said = pairs.map(|(key, value)| format!("{key} {}", STANDARD.encode(value))).join(",");
        let headers = [("Tus-Resumable", "1.0.0"), ("Upload-Length", &length), ("Upload-Metadata", &said)];
        let begun = phone.session.ask(on, "POST", "/uploads", &headers, None)?;
        if begun.status == 503 {
            return Ok(false);
        }
        assert!(matches!(begun.status, 200 | 201), "{}: {}", begun.status, begun.text());
        let at: usize = begun.header("upload-offset").unwrap().parse().unwrap();
        let path = begun.header("location").unwrap().strip_prefix("/api/v1").unwrap().to_owned();
        let mut at = at;
        loop {
            let end = (at + PART).min(self.picture.len());
            let (offset, size) = (at.to_string(), (end - at).to_string());
            let headers = [
                ("Tus-Resumable", "1.0.0"),
                ("Upload-Offset", offset.as_str()),
                ("Content-Length", size.as_str()),
                ("Content-Type", "application/offset+octet-stream"),
            ];
            let mut part = phone.session.compose("PATCH", &path, &headers, None);
            part.extend_from_slice(&self.picture[at..end]);
            on.send(&part)?;
            let reply = on.receive()?;
            match reply.status {
                204 if reply.header("attachment-id").is_some() => return Ok(true),
                204 => at = reply.header("upload-offset").unwrap().parse().unwrap(),
                // The part that the dead server had is let go of in a moment.
                409 | 423 | 503 => return Ok(false),
                _ => panic!("{}: {}", reply.status, reply.text()),
            }
        }
    }

    /// What was acknowledged is there.
    fn check_acknowledged(&self, phone: &Phone, at: SocketAddr) {
        if !self.left.contains(&Errand::Tell) {
            let found =
                phone.session.get(at, &format!("/unannounced-checks/{}", self.check)).expect(200).json();
            assert_eq!(found["state"], "recorded", "{found}");
            assert_eq!(found["addenda"].as_array().map(Vec::len), Some(1), "{found}");
        }
        if self.left.iter().all(|one| *one == Errand::Tell) {
            self.check_picture(phone, at);
        }
    }

    fn check_picture(&self, phone: &Phone, at: SocketAddr) {
        let found = phone.session.get(at, &format!("/attachments/{}/content", self.photo)).expect(200);
        assert!(found.body == self.picture, "not the picture that was sent: {}", self.photo);
    }

    /// All of it is there, and once; the versions of check and picture.
    fn check_whole(&self, phone: &Phone, at: SocketAddr) -> (i64, i64) {
        self.check_picture(phone, at);
        let found = phone.session.get(at, &format!("/unannounced-checks/{}", self.check)).expect(200).json();
        assert_eq!(
            (&found["state"], &found["awaited_attachment_ids"]),
            (&json!("recorded"), &json!([])),
            "{found}"
        );
        let shown = found["attachments"].as_array().unwrap();
        assert_eq!(shown.len(), 1, "{found}");
        assert_eq!(shown[0]["id"], json!(self.photo), "{found}");
        assert_eq!(found["addenda"].as_array().map(Vec::len), Some(1), "{found}");
        (found["version"].as_i64().unwrap(), shown[0]["version"].as_i64().unwrap())
    }
}

/// A phone at work until the server is gone.
fn work(at: SocketAddr, phone: &Phone, mine: &mut Vec<Visit>, mut random: Random, stop: &AtomicBool) {
    let Ok(mut connection) = Connection::open_with(at, Duration::from_secs(20)) else { return };
    while !stop.load(Ordering::Relaxed) {
        let mut visit = Visit::new(phone, &mut random);
        let gone = visit.bring(phone, &mut connection).is_err();
        mine.push(visit);
        if gone {
            return;
        }
    }
}

/// Sends again what was not acknowledged, until it is.
fn send_again(at: SocketAddr, phone: &Phone, visits: &mut [Visit]) -> usize {
    let mut again = 0;
    for visit in visits.iter_mut().filter(|one| !one.left.is_empty()) {
        again += 1;
        until(Duration::from_mins(1), "everything to be taken", || {
            let mut connection = Connection::open(at).unwrap();
            visit.bring(phone, &mut connection).unwrap().then_some(())
        });
        // A phone that heard no answer says it once more.
        let mut connection = Connection::open(at).unwrap();
        assert!(visit.tell(phone, &mut connection).unwrap());
    }
    again
}

fn killed_while_phones_send(backend: Backend) {
    let rounds = if std::env::var_os("PINGYI_TEST_LONG").is_some() { 20 } else { 3 };
    let mut demo = Demo::start(backend);
    let mut phone = Phone::new(demo.at(), &demo.accounts);
    let mut random = Random::new();
    let seed = random.seed();
    for round in 1..=rounds {
        let (at, made, stop) = (demo.at(), Mutex::new(Vec::new()), AtomicBool::new(false));
        let seeds: Vec<u64> = (0..PHONES).map(|_| random.below(1 << 31)).collect();
        let moment = Duration::from_millis(400 + random.below(1500));
        std::thread::scope(|scope| {
            let (phone, made, stop) = (&phone, &made, &stop);
            let phones: Vec<_> = seeds
                .into_iter()
                .map(|seed| {
                    scope.spawn(move || {
                        let mut mine = Vec::new();
                        work(at, phone, &mut mine, Random::seeded(seed), stop);
                        made.lock().unwrap().append(&mut mine);
                    })
                })
                .collect();
            nap(moment);
            demo.program.kill();
            stop.store(true, Ordering::Relaxed);
            for phone in phones {
                phone.join().unwrap_or_else(|_| panic!("a phone failed in round {round}, seed {seed}"));
            }
        });
        let mut visits = made.into_inner().unwrap();
        demo.start_again();
        let at = demo.at();
        phone.sign_in(at, &demo.accounts);
        for visit in &visits {
            visit.check_acknowledged(&phone, at);
        }
        let again = send_again(at, &phone, &mut visits);
        let versions: Vec<(i64, i64)> = visits.iter().map(|visit| visit.check_whole(&phone, at)).collect();
        let rows = demo.audit_rows();
        for (visit, (check, picture)) in visits.iter().zip(versions) {
            let row =
                |entity: &str, id: Uuid| rows.get(&format!("{entity} {id}")).copied().unwrap_or_default();
            assert_eq!(
                row("unannounced_check", visit.check),
                check,
                "one audit row an effect: {}",
                visit.check
            );
            assert_eq!(row("attachment", visit.photo), picture, "one audit row an effect: {}", visit.photo);
        }
        // A note of a file that was being kept stays until it is cleared away; never one of a file that is borne.
        for (what, from) in [
            ("pieces", "upload_pieces"),
            ("notes", "uploads u JOIN attachments a ON a.tenant_id = u.tenant_id AND a.kept_as = u.id"),
        ] {
            let left = demo.ask(&format!("SELECT CAST(count(*) AS TEXT) AS line FROM {from}"));
            assert_eq!(left, ["0"], "{what}");
        }
        demo.check_chain();
        println!("round {round}: killed after {moment:?}; {} visits, {again} sent again", visits.len());
        assert!(!visits.is_empty(), "nobody was anywhere in {moment:?}");
    }
    demo.check_integrity();
}

#[test]
fn killed_while_phones_send_sqlite() {
    killed_while_phones_send(Backend::Sqlite);
}

#[test]
fn killed_while_phones_send_postgres() {
    killed_while_phones_send(Backend::Postgres);
}
