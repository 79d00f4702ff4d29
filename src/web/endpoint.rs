//! An endpoint as a type: everything the router, the document and the tests need to know of it
//! stands in one place, so that none of them can know something else.

use std::future::Future;

use super::answer::IntoAnswer;
use super::input::{Body, PathIds, QueryParams};
use crate::access::policy::Action;
use crate::access::{Done, Gate};
use crate::errors::{Code, Result};

/// The HTTP methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Reads.
    Get,
    /// Reads what stands in headers alone.
    Head,
    /// Creates, or moves a state machine.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Ends.
    Delete,
}

impl Verb {
    /// The method's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One operation. Written with the macro `endpoint!`.
pub trait Endpoint: 'static {
    /// The row of the policy table.
    type Action: Action;
    /// The ids in the path.
    type Path: PathIds;
    /// The parameters of the query.
    type Query: QueryParams;
    /// The body.
    type Body: Body;
    /// The answer.
    type Reply: IntoAnswer;
    /// The method.
    const VERB: Verb;
    /// The path below the base path, ids in braces.
    const PATH: &'static str;
    /// The operation's id in the document.
    const ID: &'static str;
    /// The tag in the document.
    const TAG: &'static str;
    /// First line: summary; the rest: description. Chinese.
    const DOC: &'static str;
    /// The codes of states and rules that it may answer with, besides those every endpoint has.
    const CODES: &'static [Code];
    /// Whether the caller must say which version it means to change.
    const DEMANDS_VERSION: bool = matches!(Self::VERB, Verb::Patch | Verb::Put) && Self::Body::VERSIONED;

    /// Does it.
    fn handle(
        gate: Gate<Self::Action>,
        path: Self::Path,
        query: Self::Query,
        body: Self::Body,
    ) -> impl Future<Output = Result<Done<Self::Reply>>>;
}

/// Declares an [`Endpoint`]; `app.rs` mounts it.
macro_rules! endpoint {
    (
        $(#[doc = $doc:expr])+
        $name:ident: $action:ty, $verb:ident $path:literal, tag $tag:literal, codes [$($code:ident),* $(,)?]
        async fn $id:ident($gate:ident, $path_name:ident: $path_type:ty, $query:ident: $query_type:ty, $body:ident: $body_type:ty)
            -> $reply:ty $block:block
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub struct $name;

        impl $crate::web::Endpoint for $name {
            type Action = $action;
            type Path = $path_type;
            type Query = $query_type;
            type Body = $body_type;
            type Reply = $reply;
            const VERB: $crate::web::Verb = $crate::web::Verb::$verb;
            const PATH: &'static str = $path;
            const ID: &'static str = stringify!($id);
            const TAG: &'static str = $tag;
            const DOC: &'static str = concat!($($doc, "\n"),+);
            const CODES: &'static [$crate::errors::Code] = &[$($crate::errors::Code::$code),*];

            async fn handle(
                $gate: $crate::access::Gate<$action>,
                $path_name: $path_type,
                $query: $query_type,
                $body: $body_type,
            ) -> $crate::errors::Result<$crate::access::Done<$reply>> $block
        }
    };
}
pub(crate) use endpoint;
