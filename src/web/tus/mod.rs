//! The protocol of resumable uploads, tus 1.0.0 (<https://tus.io/protocols/resumable-upload>), as requests and answers: what is
//! read of them, what is told in headers. What is uploaded, and where it is kept, is the capability's.
//!
//! Core protocol (without its `OPTIONS`: what is understood is told with every answer), creation (without upload: what is sent
//! with the POST is not read), expiration, termination.

mod answers;
mod overridden;
mod requests;

pub use answers::{Begun, Moved, Standing, Stands, Told};
pub use overridden::{OVERRIDE, method_in_a_header};
pub use requests::{Announced, Asked, Metadata, Part, wrong_metadata};
