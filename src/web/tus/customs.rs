//! What the protocol asks of a server besides its requests: a client behind a proxy that knows no `PATCH` says the method in a
//! header, and one that wants to know what is understood asks with `OPTIONS`.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use super::requests::TELLS;
use crate::web::BASE;

/// The header in which the method is said.
pub const OVERRIDE: &str = "X-HTTP-Method-Override";
/// Where uploads are begun, below [`BASE`].
const UPLOADS: &str = "/uploads";

/// Has a request about an upload be the one that it says it is, and answers what is understood; leaves all others as they are.
///
/// # Errors
/// Those of what comes after it.
pub async fn customs<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let Some(below) = request.path().strip_prefix(BASE).and_then(|path| path.strip_prefix(UPLOADS)) else {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    };
    let is_one = below.len() > 1 && below.starts_with('/');
    if *request.method() == Method::OPTIONS && (below.is_empty() || is_one) {
        let mut answer = HttpResponse::NoContent();
        for told in TELLS {
            answer.insert_header(*told);
        }
        return Ok(request.into_response(answer.finish()).map_into_right_body());
    }
    // As a POST alone: whatever else a proxy lets through is what it is.
    if is_one
        && *request.method() == Method::POST
        && let Some(method) = said(&request)
    {
        request.head_mut().method = method;
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

/// The method that is said, if it is one of those that uploads know.
fn said(request: &ServiceRequest) -> Option<Method> {
    let said = request.headers().get(OVERRIDE)?;
    [Method::PATCH, Method::DELETE].into_iter().find(|one| said.as_bytes() == one.as_str().as_bytes())
}
