//! What the protocol asks of a server besides its requests: a client behind a proxy that lets no `PATCH` through says the method
//! in a header.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;

use crate::web::BASE;

/// The header in which the method is said.
pub const OVERRIDE: &str = "X-HTTP-Method-Override";
/// Below which path of [`BASE`] uploads are gone on with.
const UPLOADS: &str = "/uploads/";

/// Has a POST about an upload be the request that it says it is, and leaves all others what they are.
///
/// # Errors
/// Those of what comes after it.
pub async fn method_in_a_header<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let is_upload = request.path().strip_prefix(BASE).is_some_and(|path| path.starts_with(UPLOADS));
    // As a POST alone: whatever else a proxy lets through is what it is.
    if is_upload
        && *request.method() == Method::POST
        && let Some(method) = said(&request)
    {
        request.head_mut().method = method;
    }
    next.call(request).await
}

/// The method that is said, if it is one of those that uploads know.
fn said(request: &ServiceRequest) -> Option<Method> {
    let said = request.headers().get(OVERRIDE)?;
    [Method::PATCH, Method::DELETE].into_iter().find(|one| said.as_bytes() == one.as_str().as_bytes())
}
