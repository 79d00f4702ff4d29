//! The wire: what every endpoint shares. Nothing here knows a capability.

mod accept;
mod answer;
mod coding;
mod components;
mod content;
mod docs;
mod endpoint;
mod export;
mod form;
mod headers;
mod input;
mod live;
mod openapi;
mod page;
mod printed;
mod problem;
mod rates;
mod receive;
mod routes;
mod schemas;
mod sent_headers;
mod serve;
mod shape;
pub mod tus;

pub use answer::{
    Accepted, Answer, Created, Given, IntoAnswer, NoContent, Page, Plain, Remembered, Resource, Thorough,
    Unkept, Versioned,
};
pub use coding::{PackedOnce, coded};
pub use content::{Content, FileContent, Kinds};
pub use docs::docs;
pub(crate) use endpoint::endpoint;
pub use endpoint::{Endpoint, Verb};
pub(crate) use export::is_like_a_formula;
pub use export::{ExportLimits, Exports, Format, title};
pub use form::{Arrived, Filled, Form as FileForm};
pub use input::{Batch, Body, Empty, Json, Merge, NoBody, NoQuery, PathIds, QueryParams};
pub use live::{Listening, Stream};
pub use openapi::{Example, document, reference, with};
pub(crate) use page::load_as_made;
pub use page::{Count, Cursor, MadeSort, Paging, Sort, made_place};
pub use printed::Form;
pub use problem::{Language, problem_response, status_of, type_of};
pub use rates::Rates;
pub use receive::{Allowance, Incoming, Sent, Spooled};
pub use routes::{Api, BASE, Route, address, stands_at_root};
pub use schemas::{Collector, Patch};
pub use sent_headers::{Says, SentHeader};
pub use serve::{Context, RequestId, configure, refuse, unknown_path};
pub use shape::{Shapes, check_text};
