//! The header with which a proxy reports the address of its client at the start of a connection: the PROXY
//! protocol, versions 1 and 2.

use std::io;
use std::net::IpAddr;

use ppp::{v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest header of version 1, in bytes, as its specification says.
const V1_BYTES_MAX: usize = 107;

/// Bytes of a header of version 2 before its addresses. The last two are the length of the rest.
const V2_START_BYTES: usize = 16;

/// Longest rest of a header of version 2, in bytes: addresses, and what proxies add about the connection.
const V2_REST_BYTES_MAX: usize = 4_096;

/// Reads the header, and nothing after it. Returns the address of the client, or `None` if the proxy
/// reports none because the connection is its own, such as a health check.
pub async fn read_client(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut header = vec![stream.read_u8().await?];
    if header[0] == b'P' {
        while !header.ends_with(b"\n") {
            if header.len() >= V1_BYTES_MAX {
                return Err(malformed("the header is too long"));
            }
            header.push(stream.read_u8().await?);
        }
        let header = v1::Header::try_from(header.as_slice()).map_err(|error| malformed(&error))?;
        return Ok(match header.addresses {
            v1::Addresses::Unknown => None,
            v1::Addresses::Tcp4(addresses) => Some(addresses.source_address.into()),
            v1::Addresses::Tcp6(addresses) => Some(addresses.source_address.into()),
        });
    }
    header.resize(V2_START_BYTES, 0);
    stream.read_exact(&mut header[1..]).await?;
    let rest = usize::from(u16::from_be_bytes([header[14], header[15]]));
    if rest > V2_REST_BYTES_MAX {
        return Err(malformed("the header is too long"));
    }
    header.resize(V2_START_BYTES + rest, 0);
    stream.read_exact(&mut header[V2_START_BYTES..]).await?;
    let header = v2::Header::try_from(header.as_slice()).map_err(|error| malformed(&error))?;
    if header.command == v2::Command::Local {
        return Ok(None);
    }
    Ok(match header.addresses {
        v2::Addresses::IPv4(addresses) => Some(addresses.source_address.into()),
        v2::Addresses::IPv6(addresses) => Some(addresses.source_address.into()),
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => None,
    })
}

fn malformed(error: &(impl ToString + ?Sized)) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

    /// A header of version 2 with this command, family and rest.
    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let len = u16::try_from(rest.len()).expect("a short rest");
        [
            SIGNATURE,
            &[0x20 | command, family],
            &len.to_be_bytes(),
            rest,
        ]
        .concat()
    }

    async fn client(header: &[u8]) -> io::Result<Option<String>> {
        let bytes = [header, b"GET / HTTP/1.1"].concat();
        let mut stream = bytes.as_slice();
        let client = read_client(&mut stream).await?;
        assert_eq!(stream, b"GET / HTTP/1.1", "what follows is left");
        Ok(client.map(|address| address.to_string()))
    }

    #[rstest]
    #[case(b"PROXY TCP4 192.0.2.7 10.0.0.1 5555 443\r\n", Some("192.0.2.7"))]
    #[case(
        b"PROXY TCP6 2001:db8::7 2001:db8::1 5555 443\r\n",
        Some("2001:db8::7")
    )]
    #[case(b"PROXY UNKNOWN\r\n", None)]
    #[case(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None)]
    #[case(&v2(1, 0x11, &[192, 0, 2, 7, 10, 0, 0, 1, 1, 2, 1, 187]), Some("192.0.2.7"))]
    #[case(&v2(1, 0x11, &[192, 0, 2, 7, 10, 0, 0, 1, 1, 2, 1, 187, 4, 0, 1, 0]), Some("192.0.2.7"))]
    #[case(&v2(0, 0x00, &[]), None)]
    #[tokio::test]
    async fn client_is_read_from_both_versions(
        #[case] header: &[u8],
        #[case] expected: Option<&str>,
    ) {
        let found = client(header).await.expect("a header");
        assert_eq!(found.as_deref(), expected);
    }

    #[rstest]
    #[case(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")]
    #[case(b"PROXY TCP4 192.0.2.7 10.0.0.1 5555\r\n")]
    #[case(b"PROXY TCP4 999.0.2.7 10.0.0.1 5555 443\r\n")]
    #[case(&[b'P'; 200])]
    #[case(&v2(1, 0x11, &[192, 0, 2]))]
    #[case(&v2(1, 0x11, &[0; 5_000]))]
    #[case(b"\r\n\r\n\0\r\nQUIT\n")]
    #[tokio::test]
    async fn malformed_header_is_refused(#[case] header: &[u8]) {
        let mut stream = header;
        read_client(&mut stream).await.expect_err("not a header");
    }
}
