//! A backup of the node, as one file.

use std::path::{Path, PathBuf};

use axum::body::{Body, Bytes};
use axum::http::{Method, header};
use axum::response::Response;
use futures::stream;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::operation::{Answer, Call, Operation, Reply, handler};
use crate::problem::{Code, Problem};
use crate::rights::Permission;

/// Octets that are sent at once.
const PIECE: usize = 256 * 1024;

/// A file that goes away with the value.
struct Spare(PathBuf);

impl Drop for Spare {
    fn drop(&mut self) {
        // One that was not written is not there.
        let _gone = std::fs::remove_file(&self.0);
    }
}

async fn give(call: Call) -> Result<Reply, Problem> {
    let by = call.caller()?.principal.clone();
    let office = &call.edge.office;
    let spare = Spare(office.spare_file());
    let manifest = office.back_up(&by, spare.0.clone()).await?;
    // An open file is read to its end, whatever becomes of its name.
    let (file, length) = open(&spare.0).await?;
    let name = format!("tandem-{}.backup", manifest.position.index);
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, length)
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
        .header(header::CACHE_CONTROL, "private, no-store")
        .header("tandem-position", manifest.position.to_string())
        .body(Body::from_stream(stream::try_unfold(file, piece)));
    let failed = |error: axum::http::Error| Problem::new(Code::Internal, error.to_string());
    Ok(Reply::Raw(response.map_err(failed)?))
}

async fn open(path: &Path) -> Result<(File, u64), Problem> {
    let failed = |error: std::io::Error| Problem::new(Code::Unavailable, error.to_string());
    let file = File::open(path).await.map_err(failed)?;
    let length = file.metadata().await.map_err(failed)?.len();
    Ok((file, length))
}

async fn piece(mut file: File) -> std::io::Result<Option<(Bytes, File)>> {
    let mut bytes = vec![0; PIECE];
    let read = file.read(&mut bytes).await?;
    bytes.truncate(read);
    Ok((read > 0).then(|| (Bytes::from(bytes), file)))
}

/// The operation of backups.
pub(crate) fn operations() -> Vec<Operation> {
    let what = "Back up all that the node keeps: the journal, messages and uploaded prompts";
    vec![
        Operation::new("getBackup", Method::GET, "/api/v1/backup", what, handler!(give))
            .needs(Permission::BackupRead)
            .tag("configuration")
            .bulk()
            .answers(Answer::File),
    ]
}
