//! Files sent in parts (tus 1.0.0), as a phone sends them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::World;
use super::client::{Call, Reply};

/// The media type of a part.
pub const PART: &str = "application/offset+octet-stream";

/// Somebody's phone.
pub struct Phone<'w> {
    world: &'w World,
    who: &'w str,
}

/// Pairs of `Upload-Metadata`.
pub fn metadata(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{key} {}", STANDARD.encode(value))).collect();
    pairs.join(",")
}

impl<'w> Phone<'w> {
    pub fn of(world: &'w World, who: &'w str) -> Self {
        Self { world, who }
    }

    /// A request that speaks the protocol.
    pub fn call(&self, method: &str, path: &str) -> Call<'w> {
        self.world.as_(self.who).call(method, path).header("Tus-Resumable", "1.0.0")
    }

    /// Announces a file.
    pub fn announce(&self, bytes: usize, pairs: &[(&str, &str)]) -> Call<'w> {
        let call = self.call("POST", "/uploads").header("Upload-Length", &bytes.to_string());
        if pairs.is_empty() { call } else { call.header("Upload-Metadata", &metadata(pairs)) }
    }

    /// Begins an upload; its path below the base path.
    pub fn begin(&self, bytes: usize, pairs: &[(&str, &str)]) -> String {
        let begun = self.announce(bytes, pairs).send().expect(201, "");
        let location = begun.header("location").expect("where it is");
        location.strip_prefix(pingyi::web::BASE).expect("below the base path").to_owned()
    }

    /// Sends a part.
    pub fn part(&self, path: &str, offset: usize, bytes: &[u8]) -> Reply {
        self.call("PATCH", path).header("Upload-Offset", &offset.to_string()).bytes(PART, bytes).send()
    }

    /// Asks how far it is.
    pub fn head(&self, path: &str) -> Reply {
        self.call("HEAD", path).send()
    }

    /// How many bytes are kept.
    pub fn offset(&self, path: &str) -> usize {
        offset(&self.head(path).expect(200, ""))
    }
}

/// What an answer says is kept.
pub fn offset(reply: &Reply) -> usize {
    let told = reply.header("upload-offset").unwrap_or_else(|| panic!("no Upload-Offset: {}", reply.story()));
    told.parse().expect("a number")
}
