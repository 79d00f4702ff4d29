//! Signed checkpoints: how many rows a chain has, and the root over them, as a text that anybody can keep and check.
//!
//! The text is a signed note as transparency logs exchange them (C2SP `tlog-checkpoint` and `signed-note`): the origin
//! (`pingyi/53`), the number of rows, the root in base64, three lines of ours (the last link of the chain, the moment, a
//! commitment to the rows that are held back: [`super::holds`]), an empty line, and the signature line. The key is told as
//! `origin+hash+key`, also after `signed-note`.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::chain::{Digest, Tree, digest_from};
use super::hex;
use super::holds::{Opener, Said};
use crate::db::TenantId;
use crate::errors::{AppError, Result};

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose chain it is: `pingyi/` and the tenant.
    pub origin: String,
    /// Rows in the chain.
    pub size: u64,
    /// The root of the tree over their commitments.
    pub root: Digest,
    /// The last link of the chain.
    pub link: Digest,
    /// When it was made, RFC 3339.
    pub at: String,
    /// The commitment to the rows that are held back, whether there are any or not; none in those of before it was made.
    pub holds: Option<Said>,
}

/// What a tenant's checkpoints are called.
#[must_use]
pub fn origin(tenant: TenantId) -> String {
    format!("pingyi/{tenant}")
}

impl Checkpoint {
    /// The text that is signed, its last line break included.
    #[must_use]
    pub fn text(&self) -> String {
        let holds = self.holds.map(|holds| format!("holds {holds}\n")).unwrap_or_default();
        self.text_in_front() + &holds
    }

    /// The text in front of the line about the rows that are held back: what opens that line follows from it and the key.
    #[must_use]
    pub fn text_in_front(&self) -> String {
        let Self { origin, size, root, link, at, .. } = self;
        format!("{origin}\n{size}\n{}\nlink {}\nat {at}\n", STANDARD.encode(root), hex(link))
    }

    /// Reads the text of a checkpoint; nothing when it is none.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let origin = lines.next()?.to_owned();
        let size = lines.next()?.parse().ok()?;
        let root = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let link = digest_from(lines.next()?.strip_prefix("link ")?)?;
        let at = lines.next()?.strip_prefix("at ")?.to_owned();
        let holds = match lines.next() {
            Some(line) => Some(Said::of_text(line.strip_prefix("holds ")?)?),
            None => None,
        };
        let read = Self { origin, size, root, link, at, holds };
        // What would be written otherwise is not what was signed.
        (read.text() == text).then_some(read)
    }
}

/// The key that signs the checkpoints of an installation, and with it what opens that which they say of rows held back.
pub struct Signer {
    pair: Ed25519KeyPair,
    opener: Opener,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Signer").field(&hex(self.pair.public_key().as_ref())).finish()
    }
}

impl Signer {
    /// The key of a seed.
    ///
    /// # Errors
    /// Never for 32 bytes.
    pub fn of_seed(seed: &[u8; 32]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(AppError::internal)?;
        Ok(Self { pair, opener: Opener::of_seed(seed) })
    }

    /// What checks its signatures under a name.
    #[must_use]
    pub fn verifier(&self, name: &str) -> Verifier {
        Verifier { name: name.to_owned(), key: self.pair.public_key().as_ref().to_vec() }
    }

    /// What opens checkpoints that this key checks; nothing when it is another's: who may check them need not be able to.
    #[must_use]
    pub fn opener(&self, verifier: &Verifier) -> Option<&Opener> {
        (self.verifier(&verifier.name) == *verifier).then_some(&self.opener)
    }

    /// The checkpoint with what it says of a list of rows held back.
    #[must_use]
    pub fn committed(&self, checkpoint: Checkpoint, list: &Tree) -> Checkpoint {
        let holds = Some(self.opener.say(&checkpoint.text_in_front(), list));
        Checkpoint { holds, ..checkpoint }
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.text();
        let verifier = self.verifier(&checkpoint.origin);
        let mut bytes = verifier.hash().to_vec();
        bytes.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", checkpoint.origin, STANDARD.encode(bytes))
    }
}

/// What checks the signatures of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    key: Vec<u8>,
}

/// Ed25519, as `signed-note` numbers it.
const ALGORITHM: u8 = 1;

impl Verifier {
    /// Reads `name+hash+key`.
    ///
    /// # Errors
    /// A sentence when it is none.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("{text} is no verifier key: name+hash+key");
        // Base64 may hold a plus sign, hexadecimal and our names do not.
        let mut parts = text.trim().splitn(3, '+');
        let (name, hash, key) = (parts.next(), parts.next(), parts.next());
        let (Some(name), Some(hash), Some(key)) = (name, hash, key) else { return Err(wrong()) };
        let key = STANDARD.decode(key).map_err(|_| wrong())?;
        let Some((&ALGORITHM, key)) = key.split_first() else { return Err(wrong()) };
        let verifier = Self { name: name.to_owned(), key: key.to_vec() };
        if key.len() == 32 && hex(&verifier.hash()) == hash { Ok(verifier) } else { Err(wrong()) }
    }

    /// The first four bytes of a digest of name and key: which key a signature is of.
    fn hash(&self) -> [u8; 4] {
        let mut bytes = format!("{}\n", self.name).into_bytes();
        bytes.push(ALGORITHM);
        bytes.extend_from_slice(&self.key);
        let mut hash = [0; 4];
        for (to, from) in hash.iter_mut().zip(digest(&SHA256, &bytes).as_ref()) {
            *to = *from;
        }
        hash
    }

    /// Whether a note says that it is of the chain that this key signs: a file may hold the checkpoints of several.
    #[must_use]
    pub fn is_named_by(&self, note: &str) -> bool {
        note.lines().next() == Some(self.name.as_str())
    }

    /// The checkpoint of a note that this key has signed; nothing for any other.
    #[must_use]
    pub fn open(&self, note: &str) -> Option<Checkpoint> {
        let (text, signatures) = note.split_once("\n\n")?;
        let text = format!("{text}\n");
        let mine = signatures.lines().find_map(|line| {
            let signature =
                line.strip_prefix("\u{2014} ")?.strip_prefix(self.name.as_str())?.strip_prefix(' ')?;
            let bytes = STANDARD.decode(signature).ok()?;
            let signature = bytes.strip_prefix(self.hash().as_slice())?;
            UnparsedPublicKey::new(&ED25519, &self.key).verify(text.as_bytes(), signature).ok()
        });
        mine?;
        Checkpoint::of_text(&text).filter(|checkpoint| checkpoint.origin == self.name)
    }
}

impl std::fmt::Display for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = vec![ALGORITHM];
        key.extend_from_slice(&self.key);
        write!(f, "{}+{}+{}", self.name, hex(&self.hash()), STANDARD.encode(key))
    }
}

/// The notes of a file in which they stand one after another, an empty line between two.
#[must_use]
pub fn notes(file: &str) -> Vec<String> {
    // Each note has one empty line of its own, before its signature.
    let parts: Vec<&str> =
        file.split("\n\n").map(|part| part.trim_matches('\n')).filter(|part| !part.is_empty()).collect();
    parts.chunks(2).map(|two| two.join("\n\n") + "\n").collect()
}

#[cfg(test)]
mod tests;
