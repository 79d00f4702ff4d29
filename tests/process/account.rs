//! The demo's people, signed in.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use super::http::{Connection, Reply};

/// A line of the accounts file.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// What is typed.
    pub login: String,
    /// Its password.
    pub password: String,
    /// Its role.
    pub role: String,
    /// Where.
    pub unit_code: String,
}

/// Reads the accounts file.
pub fn accounts_of(file: &Path) -> Vec<Account> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap()
}

/// Signs in; answers what the server said.
pub fn login(address: SocketAddr, login: &str, password: &str) -> Reply {
    let body = json!({ "login": login, "password": password }).to_string();
    Connection::open(address)
        .and_then(|mut connection| connection.request("POST", "/api/v1/auth/login", &[], Some(&body)))
        .unwrap()
}

/// The account with this role at this unit, signed in.
#[track_caller]
pub fn sign_in(address: SocketAddr, accounts: &[Account], role: &str, unit: &str) -> Session {
    let account = accounts.iter().find(|one| one.role == role && one.unit_code == unit);
    let account = account.unwrap_or_else(|| panic!("the demo has no {role} at {unit}"));
    Session::with(&login(address, &account.login, &account.password).expect(200))
}

/// A bearer of a token.
#[derive(Debug, Clone)]
pub struct Session {
    authorization: String,
}

impl Session {
    /// From the answer of a login.
    pub fn with(reply: &Reply) -> Self {
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        Self { authorization: format!("Bearer {token}") }
    }

    /// The header's value.
    pub fn authorization(&self) -> &str {
        &self.authorization
    }

    /// Asks on this connection.
    pub fn ask(
        &self,
        on: &mut Connection,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> io::Result<Reply> {
        let mut all = vec![("Authorization", self.authorization.as_str())];
        all.extend_from_slice(headers);
        on.request(method, &format!("/api/v1{path}"), &all, body)
    }

    /// The bytes of a request, for those who send them in pieces or often.
    pub fn compose(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Vec<u8> {
        let mut all = vec![("Authorization", self.authorization.as_str())];
        all.extend_from_slice(headers);
        super::http::compose(method, &format!("/api/v1{path}"), &all, body)
    }

    /// Asks on a connection of its own.
    #[track_caller]
    pub fn once(
        &self,
        at: SocketAddr,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Reply {
        let mut connection = Connection::open(at).unwrap();
        self.ask(&mut connection, method, path, headers, body).unwrap()
    }

    /// Reads.
    #[track_caller]
    pub fn get(&self, at: SocketAddr, path: &str) -> Reply {
        self.once(at, "GET", path, &[], None)
    }
}
