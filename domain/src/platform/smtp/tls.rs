//! TLS for connections to a mail server.

use std::{io, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    failure::Cause,
    settings::{SmtpServer, Trust},
};

/// What is needed to encrypt connections to one server.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads the certificates that `server` names.
    ///
    /// # Errors
    /// A sentence that names `MAIL_URL`, if the file of the authority cannot be read or contains no certificate.
    pub(super) fn new(server: &SmtpServer) -> Result<Self, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("cannot configure TLS for MAIL_URL: {error}"))?;
        let config = match &server.trust {
            Trust::Pinned(sha256) => {
                let verifier = PinnedCertificate { sha256: *sha256, provider };
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
            }
            Trust::Authorities(path) => {
                let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
                if let Some(path) = path {
                    for certificate in read_certificates(path)? {
                        roots.add(certificate).map_err(|error| unusable(path, &error.to_string()))?;
                    }
                }
                builder.with_root_certificates(roots).with_no_client_auth()
            }
        };
        let name = ServerName::try_from(server.host.clone())
            .map_err(|_| "MAIL_URL must name a host, e.g. MAIL_URL=smtps://mail.example.com".to_owned())?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Performs the TLS handshake on `stream`.
    ///
    /// # Errors
    /// [`Cause::Setup`] if the certificate is not valid, or if the server speaks no TLS or no version of it that is
    /// supported here. [`Cause::Closed`] if the connection fails.
    pub(super) async fn connect(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, Cause> {
        self.connector.connect(self.name.clone(), stream).await.map_err(|error| cause(&error))
    }

    /// Returns whether the server at the other end of `stream` answers a TLS handshake, with any certificate.
    pub(super) async fn is_spoken(&self, stream: TcpStream) -> bool {
        match self.connector.connect(self.name.clone(), stream).await {
            Ok(_) => true,
            Err(error) => !matches!(tls_error(&error), None | Some(TlsError::InvalidMessage(_))),
        }
    }
}

/// Reads the certificates in the PEM file at `path`.
///
/// # Errors
/// A sentence that names `MAIL_URL`, if the file cannot be read or contains no certificate.
pub(super) fn read_certificates(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(path).map_err(|error| unusable(path, &error.to_string()))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(unusable(path, "it contains no certificate in PEM format")),
        Err(error) => Err(unusable(path, &error.to_string())),
    }
}

fn unusable(path: &std::path::Path, why: &str) -> String {
    let path = path.display();
    format!("MAIL_URL: cannot use the file {path} of `ca`: {why}; it must be PEM, e.g. ?ca=/etc/ssl/relay-ca.pem")
}

fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

fn cause(error: &io::Error) -> Cause {
    match tls_error(error) {
        Some(TlsError::InvalidMessage(_)) => {
            Cause::Setup("the server does not speak TLS here; if it offers STARTTLS, use smtp:// in MAIL_URL".into())
        }
        Some(
            error @ (TlsError::InvalidCertificate(_)
            | TlsError::NoCertificatesPresented
            | TlsError::PeerIncompatible(_)
            | TlsError::AlertReceived(_)),
        ) => Cause::Setup(error.to_string()),
        _ => Cause::Closed(error.to_string()),
    }
}

/// Accepts one certificate, with any names, dates and issuer.
#[derive(Debug)]
struct PinnedCertificate {
    sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if Sha256::digest(end_entity).as_slice() == self.sha256 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
