//! The chain over the audit rows of a tenant, and the tree that checkpoints sign. Pure: rows in, digests out, so
//! that whoever holds an export can do the same with nothing of ours but this page.
//!
//! # What is computed
//!
//! * **Commitment** of a row: SHA-256(`pingyi audit entry v1` ‖ 0x00 ‖ salt ‖ canonical JSON of the row). The salt is 16
//!   random bytes kept beside the row; of a row whose content is withheld or erased the commitment tells nothing.
//! * **Link** at position *n* (from 1 on): SHA-256(0x02 ‖ link at *n* − 1 ‖ *n* as 8 bytes, big-endian ‖ commitment). Before
//!   the first stand 32 zero bytes. It tells at which position something was touched.
//! * **Root** over the first *n* commitments: the Merkle tree hash of RFC 9162, section 2.1 (leaf SHA-256(0x00 ‖ commitment),
//!   node SHA-256(0x01 ‖ left ‖ right)). A checkpoint signs it: who keeps one can tell whether anything before it was
//!   rewritten or cut off.

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::{Value, json};

use super::{canonical, hex};

/// 32 bytes.
pub type Digest = [u8; 32];

const ENTRY: &[u8] = b"pingyi audit entry v1\0";

pub(super) fn sha256(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

/// The bytes that lower-case hexadecimal stands for; nothing for anything else.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?)).collect()
}

/// A digest of 64 hexadecimal digits.
#[must_use]
pub fn digest_from(text: &str) -> Option<Digest> {
    unhex(text)?.try_into().ok()
}

/// What is known of a change, as its row in the log has it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Whose log it is, two digits.
    pub tenant: String,
    /// The row's identifier.
    pub id: String,
    /// When, RFC 3339 in UTC with microseconds.
    pub at: String,
    /// `user:<id>`, `cli:<os user>`, `job:<name>` or `public`.
    pub actor: String,
    /// The account, if one acted.
    pub user_id: Option<String>,
    /// The roles it held, separated by spaces.
    pub roles: String,
    /// The action's or effect's name.
    pub action: String,
    /// The kind of thing that was changed.
    pub entity: String,
    /// Its identifier.
    pub entity_id: String,
    /// SHA-256 of its facts before, hexadecimal.
    pub before_digest: Option<String>,
    /// SHA-256 of its facts after, hexadecimal.
    pub after_digest: Option<String>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// The request.
    pub request_id: String,
}

impl Content {
    /// What the chain keeps of it.
    #[must_use]
    pub fn commitment(&self, salt: &[u8]) -> Digest {
        let Self {
            tenant,
            id,
            at,
            actor,
            user_id,
            roles,
            action,
            entity,
            entity_id,
            before_digest,
            after_digest,
            reason,
            request_id,
        } = self;
        let row: Value = json!({
            "tenant": tenant, "id": id, "at": at, "actor": actor, "user_id": user_id, "roles": roles, "action": action,
            "entity": entity, "entity_id": entity_id, "before_digest": before_digest, "after_digest": after_digest,
            "reason": reason, "request_id": request_id,
        });
        let mut text = String::new();
        canonical(&row, &mut text);
        sha256(&[ENTRY, salt, text.as_bytes()])
    }
}

/// The link at a position.
#[must_use]
pub fn link(before: &Digest, position: u64, commitment: &Digest) -> Digest {
    sha256(&[&[2], before, &position.to_be_bytes(), commitment])
}

/// A Merkle tree that grows at its end, kept as the roots of its whole subtrees, the largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    roots: Vec<Digest>,
}

impl Tree {
    /// As it was kept: its size, and the roots in hexadecimal, one after another.
    #[must_use]
    pub fn kept(size: u64, roots: &str) -> Option<Self> {
        let bytes = unhex(roots)?;
        let (roots, rest) = bytes.as_chunks::<32>();
        let whole = rest.is_empty() && u32::try_from(roots.len()).ok()? == size.count_ones();
        whole.then(|| Self { size, roots: roots.to_vec() })
    }

    /// The roots, to be kept.
    #[must_use]
    pub fn roots(&self) -> String {
        self.roots.iter().map(|root| hex(root)).collect()
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push(&mut self, commitment: &Digest) {
        let mut node = sha256(&[&[0], commitment]);
        // Two whole subtrees of one size are one of twice the size.
        let mut size = self.size;
        while size & 1 == 1 {
            let Some(left) = self.roots.pop() else { break };
            node = sha256(&[&[1], &left, &node]);
            size >>= 1;
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// The root over all leaves; of none it is the digest of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        let folded = self.roots.iter().rev().copied().reduce(|right, left| sha256(&[&[1], &left, &right]));
        folded.unwrap_or_else(|| sha256(&[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree hash as RFC 9162 defines it, by itself.
    fn by_definition(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => sha256(&[]),
            [one] => sha256(&[&[0], one]),
            many => {
                let split = many.len().next_power_of_two() / 2;
                sha256(&[&[1], &by_definition(&many[..split]), &by_definition(&many[split..])])
            }
        }
    }

    #[test]
    fn the_tree_is_that_of_rfc_9162_at_every_size() {
        let leaves: Vec<Digest> = (0..70_u8).map(|n| sha256(&[&[n]])).collect();
        let mut tree = Tree::default();
        for size in 0..leaves.len() {
            assert_eq!(tree.root(), by_definition(&leaves[..size]), "{size} leaves");
            let kept = Tree::kept(tree.size(), &tree.roots()).unwrap();
            assert_eq!(kept, tree);
            tree.push(&leaves[size]);
        }
        assert!(Tree::kept(3, &hex(&[0; 32])).is_none() && Tree::kept(1, "zz").is_none());
    }

    #[test]
    fn the_empty_tree_and_a_leaf_are_those_of_the_test_vectors_of_certificate_transparency() {
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex(&Tree::default().root()), nothing);
        // A leaf of no bytes: 6e340b9c….
        assert_eq!(
            hex(&sha256(&[&[0], &[]])),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
    }

    fn content() -> Content {
        Content {
            tenant: "53".into(),
            id: "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77".into(),
            at: "2026-03-02T01:00:00.000000Z".into(),
            actor: "public".into(),
            user_id: None,
            roles: String::new(),
            action: "plan.submit".into(),
            entity: "plan".into(),
            entity_id: "1".into(),
            before_digest: None,
            after_digest: Some("ab".into()),
            reason: Some("按省厅部署。".into()),
            request_id: "r".into(),
        }
    }

    #[test]
    fn a_commitment_depends_on_the_salt_and_on_every_field() {
        let whole = content().commitment(&[1; 16]);
        assert_ne!(whole, content().commitment(&[2; 16]));
        let value = serde_json::to_value(content()).unwrap();
        for field in value.as_object().unwrap().keys() {
            let mut other = value.clone();
            other[field] = json!("换");
            let other: Content = serde_json::from_value(other).unwrap();
            assert_ne!(whole, other.commitment(&[1; 16]), "{field}");
        }
    }

    #[test]
    fn hexadecimal_goes_both_ways() {
        assert_eq!(unhex(&hex(&[0, 255, 16])), Some(vec![0, 255, 16]));
        assert_eq!((unhex("0"), unhex("AB"), unhex("é"), digest_from("00")), (None, None, None, None));
    }
}
