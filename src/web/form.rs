//! Forms of some fields and one file, as browsers and phones send them (`multipart/form-data`, RFC 7578).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{HttpRequest, web};
use aws_lc_rs::digest::{Context as Digest, SHA256};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;
use validator::Validate;

use super::input::Body;
use super::openapi::{Example, reference};
use super::receive::{Allowance, Sent, announced, named, too_large, wrong_media};
use super::schemas::Collector;
use super::shape::Shapes;
use crate::audit::hex;
use crate::errors::{AppError, Code, Result, text};

/// The media type.
const FORM: &str = "multipart/form-data";
/// The field that is the file.
const FILE: &str = "file";
/// Bytes of the file at most.
const MOST_OF_THE_FILE: usize = 20 * 1024 * 1024;
/// Bytes of another field at most, and other fields.
const MOST_OF_A_FIELD: usize = 8 * 1024;
const MOST_FIELDS: usize = 32;
/// Bytes that are written to the disk at a time.
const PIECE: usize = 256 * 1024;

/// A file that has come, in one of the disk's that has no name and is gone when it is closed.
#[derive(Debug)]
pub struct Arrived {
    file: File,
    /// What it was called where it came from.
    pub name: String,
    /// How many bytes it has.
    pub bytes: usize,
    /// The SHA-256 of all of it, hexadecimal.
    pub sha256: String,
}

impl Arrived {
    /// All of it.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn read(mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.bytes);
        let read = self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.read_to_end(&mut bytes));
        read.map(|_| bytes).map_err(|error| AppError::unavailable(5, error))
    }
}

/// A form as it came.
#[derive(Debug)]
pub struct Filled {
    fields: Map<String, Value>,
    file: Option<Arrived>,
}

impl Filled {
    /// What two forms that say the same have in common, however they were packed.
    pub(super) fn gist(&self) -> Vec<u8> {
        let hash = self.file.as_ref().map(|file| &file.sha256);
        json!({ "fields": self.fields, "file": hash }).to_string().into_bytes()
    }
}

/// A form whose fields, the file's name among them, are `T`.
#[derive(Debug)]
pub struct Form<T> {
    /// The fields.
    pub fields: T,
    /// The file.
    pub file: Arrived,
}

impl<T> Body for Form<T>
where
    T: DeserializeOwned + ToSchema + Example + Validate + Send + 'static,
{
    const PRESENT: bool = true;
    const MEDIA: &'static [&'static str] = &[FORM];
    const ALLOWANCE: Allowance = Allowance::FORM;
    const FORM: bool = true;

    fn schema(schemas: &mut Collector) -> Option<String> {
        Some(schemas.request::<T>())
    }

    fn example() -> Option<Value> {
        Some(T::example())
    }

    fn content(schemas: &mut Collector) -> Option<Map<String, Value>> {
        let name = Self::schema(schemas)?;
        let said = json!({ "schema": reference(&name), "example": T::example() });
        Some([(FORM.to_owned(), said)].into_iter().collect())
    }

    fn parse(shapes: &Shapes, sent: Sent) -> Result<Self> {
        let Filled { mut fields, file } =
            sent.form.ok_or_else(|| AppError::internal("a form is received as one"))?;
        if let Some(file) = &file {
            fields.insert(FILE.to_owned(), json!(file.name));
        }
        let fields = shapes.read::<T>(Value::Object(fields))?;
        let file = file.ok_or_else(|| AppError::internal("the schema asks for the file"))?;
        Ok(Self { fields, file })
    }
}

/// Receives a form: its file goes to the disk as it arrives.
pub(super) async fn receive_form<B: Body>(request: &HttpRequest, payload: web::Payload) -> Result<Sent> {
    let Some((media, charset)) = named::<B>(request) else { return Err(wrong_media::<B>()) };
    let Allowance { bytes: most, arrival, .. } = B::ALLOWANCE;
    if announced(request).is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    let filled = tokio::time::timeout(arrival, fill(Multipart::new(request.headers(), payload)));
    let form = filled.await.map_err(|_| AppError::new(Code::IncompleteBody))??;
    Ok(Sent { media, charset, form: Some(form), ..Sent::default() })
}

fn broken(error: &MultipartError) -> AppError {
    match error {
        MultipartError::Payload(_) | MultipartError::Incomplete => AppError::new(Code::IncompleteBody),
        _ => AppError::new(Code::MalformedForm),
    }
}

async fn fill(mut form: Multipart) -> Result<Filled> {
    let (mut fields, mut file) = (Map::new(), None);
    while let Some(field) = form.next().await {
        let mut field = field.map_err(|error| broken(&error))?;
        let name = field.name().map(ToOwned::to_owned).ok_or_else(|| AppError::new(Code::MalformedForm))?;
        if fields.contains_key(&name) || (name == FILE && file.is_some()) || fields.len() == MOST_FIELDS {
            let detail = text!(
                "表单的字段重复或过多: {name}",
                "A field of the form is repeated, or there are too many: {name}"
            );
            return Err(AppError::because(Code::MalformedForm, detail));
        }
        if name == FILE {
            file = Some(spill(&mut field).await?);
            continue;
        }
        let value = text_of(&mut field).await?;
        fields.insert(name, value);
    }
    Ok(Filled { fields, file })
}

/// What another field says. Of what is no text of such a field (a file under another name, above all) nothing is kept: the shape
/// of the whole is told with it.
async fn text_of(field: &mut Field) -> Result<Value> {
    let (mut bytes, mut passed) = (Vec::new(), 0);
    while let Some(piece) = field.next().await {
        let piece = piece.map_err(|error| broken(&error))?;
        passed += piece.len();
        if passed > MOST_OF_THE_FILE {
            return Err(too_large(MOST_OF_THE_FILE));
        }
        if passed <= MOST_OF_A_FIELD {
            bytes.extend_from_slice(&piece);
        }
    }
    let text = String::from_utf8(bytes).ok().filter(|_| passed <= MOST_OF_A_FIELD);
    Ok(text.map_or(Value::Bool(false), Value::String))
}

/// Writes the file to the disk as it arrives.
async fn spill(field: &mut Field) -> Result<Arrived> {
    let name =
        field.content_disposition().and_then(|said| said.get_filename()).unwrap_or_default().to_owned();
    let (mut file, mut bytes, mut hash) = (tempfile::tempfile().map_err(full)?, 0, Digest::new(&SHA256));
    let mut waiting: Vec<u8> = Vec::with_capacity(PIECE);
    while let Some(piece) = field.next().await {
        let piece = piece.map_err(|error| broken(&error))?;
        bytes += piece.len();
        if bytes > MOST_OF_THE_FILE {
            return Err(too_large(MOST_OF_THE_FILE));
        }
        hash.update(&piece);
        waiting.extend_from_slice(&piece);
        if waiting.len() >= PIECE {
            (file, waiting) = written(file, waiting).await?;
        }
    }
    (file, _) = written(file, waiting).await?;
    Ok(Arrived { file, name, bytes, sha256: hex(hash.finish().as_ref()) })
}

fn full(error: std::io::Error) -> AppError {
    AppError::unavailable(5, error)
}

async fn written(mut file: File, mut bytes: Vec<u8>) -> Result<(File, Vec<u8>)> {
    let writing = spawn_blocking(move || {
        file.write_all(&bytes)?;
        bytes.clear();
        Ok((file, bytes))
    });
    writing.await.map_err(AppError::internal)?.map_err(full)
}
