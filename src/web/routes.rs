//! The list of endpoints: the router, the document and the tests all read this one.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::{Resource, web};

use super::answer::{Answer, Given, IntoAnswer};
use super::endpoint::{Endpoint, Verb};
use super::input::{Body, PathIds};
use super::openapi::{Description, describe};
use super::schemas::Collector;
use super::serve::{Context, fetch, method_not_allowed, serve};
use crate::access::Facts;
use crate::access::policy::{Action, Audience, Row};
use crate::errors::Result;

/// The base path of everything but what stands at the root.
pub const BASE: &str = "/api/v1";

type Fetch =
    fn(Arc<Context>, Option<String>, Facts, Vec<String>) -> Pin<Box<dyn Future<Output = Result<Answer>>>>;

/// One route, its types forgotten.
pub struct Route {
    /// The method.
    pub verb: Verb,
    /// The path below [`BASE`] (or the root, for what stands there), ids in braces.
    pub path: &'static str,
    /// The operation's id.
    pub id: &'static str,
    /// The row of the policy table.
    pub row: &'static Row,
    /// Whether the answer is one resource with an `ETag`.
    pub etag: bool,
    /// How many ids the path holds.
    pub ids: usize,
    /// Whether it takes a body.
    pub body: bool,
    /// What its answer can be given as.
    pub given: Given,
    /// The media types of the files it gives.
    pub media: &'static [&'static str],
    pub(super) describe: fn(&mut Collector) -> Description,
    pub(super) fetch: Fetch,
    attach: fn(Resource) -> Resource,
}

/// Every endpoint.
#[derive(Default)]
pub struct Api {
    routes: Vec<Route>,
}

impl Api {
    /// Mounts an endpoint.
    #[must_use]
    pub fn with<E: Endpoint>(mut self) -> Self {
        // Who prints is somebody, whose audit row tells of it; and printing changes nothing.
        const {
            let known = !matches!(<E::Action as Action>::ROW.audience, Audience::Public);
            assert!(
                !matches!(E::Reply::GIVEN, Given::Paper) || (known && matches!(E::VERB, Verb::Get)),
                "a paper is got, by an account"
            );
        }
        self.routes.push(Route {
            verb: E::VERB,
            path: E::PATH,
            id: E::ID,
            row: <E::Action as Action>::ROW,
            etag: E::Reply::ETAG,
            ids: E::Path::COUNT,
            body: E::Body::PRESENT,
            given: E::Reply::GIVEN,
            media: E::Reply::media(),
            describe: describe::<E>,
            fetch: |context, token, facts, ids| Box::pin(fetch::<E>(context, token, facts, ids)),
            attach: |resource| {
                let route = match E::VERB {
                    Verb::Get => web::get(),
                    Verb::Head => web::head(),
                    Verb::Post => web::post(),
                    Verb::Put => web::put(),
                    Verb::Patch => web::patch(),
                    Verb::Delete => web::delete(),
                };
                resource.route(route.to(serve::<E>))
            },
        });
        self
    }

    /// Every route, in the order it was mounted.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route that shows the resource a change was refused for: the path itself, or what a
    /// transition's path begins with.
    pub(super) fn shows(&self, path: &str) -> Option<&Route> {
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        let find = |wanted: &str| {
            self.routes.iter().find(|route| route.verb == Verb::Get && route.path == wanted && route.etag)
        };
        find(path).or_else(|| find(above))
    }

    /// Registers the routes: one resource a path, whose other methods answer 405 with `Allow`.
    pub(super) fn register(&self, config: &mut web::ServiceConfig) {
        let mut paths: BTreeMap<&str, Vec<&Route>> = BTreeMap::new();
        for route in &self.routes {
            paths.entry(route.path).or_default().push(route);
        }
        for (path, routes) in paths {
            let mut allow: Vec<&str> = routes.iter().map(|route| route.verb.name()).collect();
            allow.sort_unstable();
            let allow = allow.join(", ");
            let mut resource = web::resource(address(path));
            for route in routes {
                resource = (route.attach)(resource);
            }
            config.service(
                resource.default_service(web::to(move |request| method_not_allowed(request, allow.clone()))),
            );
        }
    }
}

/// Whether a path stands at the server's root rather than below [`BASE`].
#[must_use]
pub fn stands_at_root(path: &str) -> bool {
    path.starts_with("/health/") || path.starts_with("/.well-known/")
}

/// The path as it is asked for.
#[must_use]
pub fn address(path: &str) -> String {
    if stands_at_root(path) { path.to_owned() } else { format!("{BASE}{path}") }
}
