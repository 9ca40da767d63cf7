//! Letters over SMTP (RFC 5321), by the server that the node's file names.

#[cfg(test)]
mod tests;

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

/// How long one command to the server may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How the connection to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    None,
    /// By STARTTLS, which the server must offer (RFC 3207).
    StartTls,
    /// By TLS from the beginning (RFC 8314).
    Tls,
}

/// The server, and who writes.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// User name and password; none: it asks for none.
    pub credentials: Option<(String, String)>,
    /// The sender's address.
    pub from: String,
}

/// A file that goes with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The addresses of those who get it.
    pub to: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
    /// Files that go with it.
    pub files: Vec<File>,
}

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// An address is none.
    #[error("{address} is no address")]
    Address {
        /// The text.
        address: String,
        /// What is wrong.
        source: lettre::address::AddressError,
    },
    /// The letter could not be put together.
    #[error("failed to write the letter")]
    Letter(#[source] lettre::error::Error),
    /// A media type is none.
    #[error("{0} is no media type")]
    MediaType(&'static str),
    /// The server did not take it.
    #[error("failed to send the letter")]
    Server(#[from] lettre::transport::smtp::Error),
}

/// Sends letters. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// A mailer for a server; nothing is sent yet.
    ///
    /// # Errors
    /// When the sender is no address or TLS can not be set up.
    pub fn new(config: &Config) -> Result<Self, MailError> {
        let Config { host, port, security, credentials, from } = config;
        let tls = match security {
            Security::None => Tls::None,
            Security::StartTls => Tls::Required(TlsParameters::new(host.clone())?),
            Security::Tls => Tls::Wrapper(TlsParameters::new(host.clone())?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(*port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some((user, password)) = credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(Self { transport: builder.build(), from: mailbox(from)? })
    }

    /// Sends a letter; the server has taken it when this returns.
    ///
    /// # Errors
    /// When it can not be put together, or the server does not take it.
    pub async fn send(&self, letter: Letter) -> Result<(), MailError> {
        let mut head = Message::builder().from(self.from.clone()).subject(letter.subject);
        for address in &letter.to {
            head = head.to(mailbox(address)?);
        }
        let mut body = MultiPart::mixed().singlepart(SinglePart::plain(letter.text));
        for file in letter.files {
            let media_type = ContentType::parse(file.media_type);
            let media_type = media_type.map_err(|_| MailError::MediaType(file.media_type))?;
            body = body.singlepart(Attachment::new(file.name).body(file.bytes, media_type));
        }
        let message = head.multipart(body).map_err(MailError::Letter)?;
        self.transport.send(message).await?;
        Ok(())
    }
}

fn mailbox(address: &str) -> Result<Mailbox, MailError> {
    address.parse().map_err(|source| MailError::Address { address: address.to_owned(), source })
}
