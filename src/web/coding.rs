//! Answers in a coding that takes less of a phone's network (RFC 9110 §8.4): gzip, for whoever asks for it.
//!
//! gzip alone: every phone and every browser reads it, and no crate comes in for it that was not here.
//! Which answers are coded, and under which name, is decided here; the coding itself is the framework's. It
//! codes as the body comes, at the fastest level, larger pieces on a thread that may block; what somebody else
//! waits for passes through it unheld, and what broke off ends broken. The same body is the same bytes each time:
//! no moment stands in them.
//!
//! How long a coded answer is tells of what is in it. Somebody who can have a browser ask again and again, and
//! places text of their own beside a secret, might find the secret out (BREACH). No browser sends our tokens by
//! itself, and answers that hold secrets are not coded all the same: see [`super::IntoAnswer::CODED`].

use std::iter::once;
use std::sync::Arc;

use actix_http::encoding::Encoder;
use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ResponseHead, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use tokio::sync::OnceCell;

/// Bytes from which on it is worth it: a shorter answer goes out in a packet or two in any case.
const WORTH_IT: u64 = 1024;

/// What is coded, besides everything whose name ends in `+json`: text that is whole in itself. Pictures and
/// workbooks are packed as they are; events are a line that stays open; what the documentation's page is made of is
/// fetched once, and by anybody.
const MEDIA: &[&str] = &["application/json", "text/html", "text/csv"];

/// Stands with a response that is given as it is, whatever it holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Uncoded;

/// Stands with a response that is the same each time: it is packed for the first who asks, and kept. Whoever asks
/// without an account, and as often as they like, costs no more than its sending.
#[derive(Debug, Clone, Default)]
pub struct PackedOnce(Arc<OnceCell<Bytes>>);

/// Round every request: codes the answers that may be, for those who ask for it.
pub async fn coded(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    // What has no body is not told of another coding than it has.
    let least = least(&request).filter(|_| request.method() != Method::HEAD);
    let mut response = next.call(request).await?.map_into_boxed_body();
    if !may_be_coded(response.response()) {
        return Ok(response);
    }
    let long_enough = |least: u64| match response.response().body().size() {
        BodySize::None => false,
        BodySize::Sized(length) => length >= least,
        BodySize::Stream => true,
    };
    if least.is_some_and(long_enough) {
        let once = response.response().extensions().get::<PackedOnce>().cloned();
        response = match once {
            Some(once) => once.pack(response).await?,
            None => pack(response),
        };
    }
    // Also where it is not coded: the next caller may ask for it.
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    Ok(response)
}

/// From how many bytes on the caller wants an answer coded; nothing for never. Who can read nothing that is
/// here gets the answer as it is: that is of more use than a refusal after the work is done.
fn least(request: &ServiceRequest) -> Option<u64> {
    let asked = AcceptEncoding::parse(request).ok()?;
    let wanted = asked.negotiate([Encoding::identity(), Encoding::gzip()].iter())?;
    let plain_will_do = asked.negotiate(once(&Encoding::identity())).is_some();
    (wanted == Encoding::gzip()).then_some(if plain_will_do { WORTH_IT } else { 1 })
}

fn may_be_coded(response: &HttpResponse) -> bool {
    if response.extensions().contains::<Uncoded>() {
        return false;
    }
    // It speaks for the answer that the caller has.
    if response.status() == StatusCode::NOT_MODIFIED {
        return true;
    }
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    kind.ends_with("+json") || MEDIA.contains(&kind)
}

impl PackedOnce {
    async fn pack(
        &self,
        response: ServiceResponse<BoxBody>,
    ) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
        let (request, response) = response.into_parts();
        let (mut response, body) = response.into_parts();
        let packed = self.0.get_or_try_init(async || {
            let mut head = ResponseHead::new(StatusCode::OK);
            to_bytes(Encoder::response(ContentEncoding::Gzip, &mut head, body)).await.map_err(Into::into)
        });
        let packed = packed.await.map_err(|error: Box<dyn std::error::Error>| {
            actix_web::error::ErrorInternalServerError(error.to_string())
        })?;
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        Ok(ServiceResponse::new(request, response.set_body(packed.clone()).map_into_boxed_body()))
    }
}

fn pack(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let mut packed = response
        .map_body(|head, body| Encoder::response(ContentEncoding::Gzip, head, body))
        .map_into_boxed_body();
    // What a refusal bears (412) names what there is, not what the refusal says.
    if packed.status().is_success() {
        let headers = packed.headers_mut();
        let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).map(coded_tag);
        if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
            headers.insert(header::ETAG, tag);
        }
    }
    packed
}

/// What an answer is known by when it is coded. A strong tag names bytes, and these are others
/// (RFC 9110 §8.8.3.3); the version in it is the same, so that either is good for `If-Match`.
pub(super) fn coded_tag(etag: &str) -> String {
    etag.strip_suffix('"').map_or_else(|| etag.to_owned(), |tag| format!("{tag}.gzip\""))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write;
    use std::pin::Pin;
    use std::time::Duration;

    use actix_web::test::TestRequest;
    use flate2::write::GzDecoder;
    use futures_util::stream::unfold;
    use tokio::sync::mpsc::{Receiver, Sender, channel};
    use tokio::time::timeout;

    use super::*;

    type Piece = Result<Bytes, std::io::Error>;

    const LONG: Duration = Duration::from_secs(10);

    /// A coded answer whose body comes through a channel.
    fn file() -> (Sender<Piece>, BoxBody) {
        let (sender, receiver) = channel::<Piece>(1);
        let pieces = unfold(receiver, |mut receiver: Receiver<Piece>| async move {
            receiver.recv().await.map(|piece| (piece, receiver))
        });
        let response = HttpResponse::Ok().content_type("text/csv; charset=utf-8").streaming(pieces);
        assert!(may_be_coded(&response));
        let request = TestRequest::default().to_http_request();
        (sender, pack(ServiceResponse::new(request, response)).into_body())
    }

    async fn next(body: &mut BoxBody) -> Option<Bytes> {
        poll_fn(|cx| Pin::new(&mut *body).poll_next(cx)).await.map(Result::unwrap)
    }

    #[actix_web::test]
    async fn what_has_come_goes_out_before_the_rest_is_there() {
        for rows in [1, 500] {
            let page = "530102001,华山派出所,正常\r\n".repeat(rows);
            let (sender, mut body) = file();
            let mut heard = GzDecoder::new(Vec::new());
            for pages in 1..=3 {
                sender.send(Ok(page.clone().into())).await.unwrap();
                while heard.get_ref().len() < page.len() * pages {
                    let piece = timeout(LONG, next(&mut body)).await.expect("it is held back").unwrap();
                    heard.write_all(&piece).unwrap();
                    heard.flush().unwrap();
                }
            }
            drop(sender);
            while let Some(piece) = next(&mut body).await {
                heard.write_all(&piece).unwrap();
            }
            assert_eq!(heard.finish().unwrap(), page.repeat(3).into_bytes());
        }
    }

    #[actix_web::test]
    async fn whoever_makes_it_hears_that_nobody_takes_it() {
        let (sender, mut body) = file();
        sender.send(Ok("一行\r\n".repeat(500).into())).await.unwrap();
        next(&mut body).await.unwrap();
        drop(body);
        timeout(LONG, sender.closed()).await.expect("it is still held");
    }

    #[actix_web::test]
    async fn what_breaks_off_does_not_end_like_a_whole_file() {
        let (sender, body) = file();
        sender.send(Ok("一行\r\n".into())).await.unwrap();
        let broken = async move {
            sender.send(Err(std::io::Error::other("broken off"))).await.unwrap();
        };
        let (outcome, ()) = tokio::join!(to_bytes(body), broken);
        assert!(outcome.is_err());
    }

    #[test]
    fn a_coded_answer_has_a_name_of_its_own() {
        assert_eq!(coded_tag("\"v3.5f1c2a9be07d4c11\""), "\"v3.5f1c2a9be07d4c11.gzip\"");
        assert_eq!(coded_tag("none"), "none");
    }

    #[test]
    fn who_refuses_it_as_it_is_gets_the_short_ones_coded_too() {
        let of = |said: &str| {
            least(&TestRequest::default().insert_header((header::ACCEPT_ENCODING, said)).to_srv_request())
        };
        assert_eq!(least(&TestRequest::default().to_srv_request()), None);
        for said in [
            "",
            "br",
            "identity",
            "gzip;q=0",
            "identity, gzip;q=0.5",
            "*",
            "*;q=0",
            "identity;q=0",
            "gzip;q=2",
        ] {
            assert_eq!(of(said), None, "{said}");
        }
        for said in ["gzip", "GZIP", "br, gzip", "gzip;q=0.5", "gzip, identity;q=0.5", "gzip;q=0.1, *;q=0.1"]
        {
            assert_eq!(of(said), Some(WORTH_IT), "{said}");
        }
        for said in ["gzip, identity;q=0", "gzip, *;q=0", "gzip;q=0.001, *;q=0"] {
            assert_eq!(of(said), Some(1), "{said}");
        }
    }
}
