//! Passwords: Argon2id off the async threads, so many at once and no more; what is refused as weak.

use std::sync::{Arc, Mutex};

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use crate::errors::{AppError, Code, FieldError, Result, text};

/// Memory a hash takes, KiB (security.md item 11: at least 19 MiB).
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Hashes computed at the same time: memory stays below `AT_ONCE` × 19 MiB.
const AT_ONCE: usize = 4;
/// Hashes waiting beyond which the answer is 503.
const WAITING: usize = 256;

/// Shortest password, in characters.
pub const SHORTEST: usize = 12;
/// Longest password, in characters.
pub const LONGEST: usize = 128;

/// A password on its way to be hashed; wiped from memory afterwards.
pub type Secret = Zeroizing<String>;

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Blocks of memory for verifying, used again and again: given back to the allocator, each thread
    /// that ever verified would keep one.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
    /// Verified against when the account does not exist, so that the time tells nothing.
    decoy: Arc<str>,
}

/// A turn at verifying: there are `AT_ONCE` of them.
pub struct Turn {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

fn argon2() -> Result<Argon2<'static>> {
    let params =
        Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| AppError::internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The PHC string of a password; slow by design, so not for async threads.
///
/// # Errors
/// When the random source fails.
pub fn hash_now(password: &str) -> Result<String> {
    let hash = argon2()?
        .hash_password(password.as_bytes())
        .map_err(|error| AppError::internal(error.to_string()))?;
    Ok(hash.to_string())
}

impl Passwords {
    /// Ready to hash.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn new() -> Result<Self> {
        Ok(Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING)),
            memory: Arc::default(),
            decoy: hash_now("此口令不属于任何人")?.into(),
        })
    }

    /// Waits for a turn. Whoever counts attempts does so while holding it, so that many at once
    /// cannot all be let through before the first is counted.
    ///
    /// # Errors
    /// `unavailable` when too many wait.
    pub async fn turn(&self) -> Result<Turn> {
        let busy = || AppError::new(Code::Unavailable).retry_after(1);
        let place = self.waiting.clone().try_acquire_owned().map_err(|_| busy())?;
        let turn = self.turns.clone().acquire_owned().await.map_err(AppError::internal)?;
        Ok(Turn { _place: place, _turn: turn })
    }

    /// The PHC string of a password.
    ///
    /// # Errors
    /// `unavailable` when too many wait.
    pub async fn hash(&self, password: Secret) -> Result<String> {
        let _turn = self.turn().await?;
        tokio::task::spawn_blocking(move || hash_now(&password)).await.map_err(AppError::internal)?
    }

    /// Whether the password is the one hashed; without a hash, it takes as long and says no.
    ///
    /// # Errors
    /// When the hash cannot be computed.
    pub async fn verify(&self, _turn: &Turn, password: Secret, hash: Option<String>) -> Result<bool> {
        let (decoy, pool) = (self.decoy.clone(), self.memory.clone());
        let work = move || {
            let good = hash.is_some();
            let hash = hash.unwrap_or_else(|| decoy.to_string());
            let taken = pool.lock().ok().and_then(|mut pool| pool.pop());
            let mut memory = taken.unwrap_or_default();
            let same = matches(&password, &hash, &mut memory);
            if let Ok(mut pool) = pool.lock() {
                pool.push(memory);
            }
            same && good
        };
        tokio::task::spawn_blocking(work).await.map_err(AppError::internal)
    }
}

/// Computes the hash anew with the parameters it was made with, in `memory`.
fn matches(password: &str, hash: &str, memory: &mut Vec<Block>) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return false };
    let (Some(salt), Some(wanted)) = (&parsed.salt, &parsed.hash) else { return false };
    let Ok(params) = Params::try_from(&parsed) else { return false };
    if parsed.algorithm.as_str() != "argon2id" {
        return false;
    }
    memory.resize(params.block_count(), Block::default());
    let mut computed = Zeroizing::new(vec![0; wanted.as_ref().len()]);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let done = argon2.hash_password_into_with_memory(
        password.as_bytes(),
        salt,
        &mut computed,
        memory.as_mut_slice(),
    );
    done.is_ok() && aws_lc_rs::constant_time::verify_slices_are_equal(&computed, wanted.as_ref()).is_ok()
}

/// Whether a hash was made with less than today's parameters and should be made anew.
#[must_use]
pub fn is_outdated(hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else { return true };
    let weaker = |name: &str, least: u32| parsed.params.get_decimal(name).is_none_or(|value| value < least);
    parsed.algorithm.as_str() != "argon2id" || weaker("m", MEMORY_KIB) || weaker("t", PASSES)
}

/// What Chinese users choose and no English list has: pinyin phrases, lucky numbers, keyboard
/// walks, the trade's own words. Longer passwords built round them are refused as well.
const COMMON_HERE: &[&str] = &[
    "woaini",
    "woaiwojia",
    "5201314",
    "1314520",
    "aini1314",
    "woaini1314",
    "woaizhongguo",
    "zhongguo",
    "zhonghua",
    "mima",
    "mima123",
    "qwe123",
    "asd123",
    "zxc123",
    "abc123",
    "a123456",
    "q123456",
    "aa123456",
    "123456",
    "12345678",
    "88888888",
    "66666666",
    "888666",
    "147258369",
    "159357",
    "112233",
    "123123",
    "123321",
    "qazwsx",
    "1qaz2wsx",
    "q1w2e3r4",
    "1q2w3e4r",
    "gongan",
    "gongan110",
    "jingcha",
    "jingcha110",
    "minjing",
    "paichusuo",
    "yunnan",
    "kunming",
    "chongqing",
    "pingyi",
    "admin",
    "password",
    "passw0rd",
    "p@ssw0rd",
    "huawei",
    "taobao",
    "wangyi",
    "iloveyou",
    "welcome",
    "woshishui",
    "tianshi",
    "shengri",
    "nihao",
    "dearbook",
    "wodemima",
];

/// Refuses what is easily guessed.
///
/// # Errors
/// `password_weak` at `pointer`.
pub fn check_strength(password: &str, login: &str, pointer: &str) -> Result<()> {
    let folded = password.to_lowercase();
    let weak = |zh: &'static str, en: &'static str| {
        let detail = text!("{zh}", "{en}");
        AppError::fields(Code::PasswordWeak, vec![FieldError::body(pointer, Code::PasswordWeak, detail)])
    };
    if folded.contains(&login.to_lowercase()) {
        return Err(weak("密码不得包含登录名", "The password may not contain the login"));
    }
    // What is left when every common piece is taken out must still be long enough to guess at.
    let mut rest = folded.clone();
    for piece in COMMON_HERE {
        rest = rest.replace(piece, "");
    }
    let distinct: std::collections::BTreeSet<char> = rest.chars().collect();
    let guessable = zxcvbn::zxcvbn(&folded, &[login, "pingyi", "gongan"]).score() < zxcvbn::Score::Three;
    if rest.chars().count() < 6 || distinct.len() < 4 || guessable {
        return Err(weak(
            "密码过于常见或容易猜到, 请换一个",
            "The password is too common or too easy to guess",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_are_refused_chinese_ones_too() {
        for weak in [
            "woaini1314520",
            "5201314woaini",
            "gongan110gongan",
            "123456123456",
            "passwordpassword",
            "aaaaaaaaaaaaaa",
            "Wangwei@yn0000",
            "qwertyuiop12",
            "abcdefghijkl",
        ] {
            let error = check_strength(weak, "wangwei", "/password").err().map(|error| error.code());
            assert_eq!(error, Some(Code::PasswordWeak), "{weak}");
        }
        for good in ["翠湖边第三棵柳树下面见面", "vK7-rasp-Tolle-98", "correct-zebra-ocean-41"] {
            assert!(check_strength(good, "wangwei", "/password").is_ok(), "{good}");
        }
    }

    #[test]
    fn the_right_password_matches_its_hash_and_no_other() {
        let hash = hash_now("翠湖边第三棵柳树下面见面").unwrap();
        let mut memory = Vec::new();
        assert!(matches("翠湖边第三棵柳树下面见面", &hash, &mut memory));
        assert!(!matches("翠湖边第三棵柳树上面见面", &hash, &mut memory));
        assert!(matches("翠湖边第三棵柳树下面见面", &hash, &mut memory), "the memory is used again");
        assert!(!matches("翠湖边第三棵柳树下面见面", "plain", &mut memory));
    }

    #[test]
    fn a_hash_has_todays_parameters_and_an_older_one_is_told() {
        let hash = hash_now("翠湖边第三棵柳树下面见面").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(!is_outdated(&hash));
        assert!(is_outdated(&hash.replace("m=19456", "m=4096")));
        assert!(is_outdated("plain"));
    }
}
