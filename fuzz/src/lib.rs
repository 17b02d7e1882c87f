//! What the targets share.

/// The data with the footer of a Lucene codec and a checksum that holds: without it a random
/// change never gets past the checksum.
#[must_use]
pub fn with_footer(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    bytes.extend_from_slice(&[0xC0, 0x28, 0x93, 0xE8, 0, 0, 0, 0]);
    with_crc(&bytes)
}

/// The data with the checksum of a commit before Lucene 4.8.
#[must_use]
pub fn with_crc(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    bytes.extend_from_slice(&u64::from(crc32fast::hash(data)).to_be_bytes());
    bytes
}

/// The data cut in pieces, each behind a byte for its length in units of `unit` bytes.
pub fn pieces(mut data: &[u8], unit: usize) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first()?;
        let (piece, rest) = rest.split_at(rest.len().min(usize::from(*length) * unit));
        data = rest;
        Some(piece)
    })
}

/// The data as acts: one of ten each, and for the first few the bytes that go with it.
pub fn acts(data: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut data = data;
    std::iter::from_fn(move || {
        let (act, rest) = data.split_first()?;
        let length = if act % 10 < 3 { usize::from(act / 10) * 8 } else { 0 };
        let (text, rest) = rest.split_at(rest.len().min(length));
        data = rest;
        Some((act % 10, text))
    })
}

/// The data cut in pieces, each behind two bytes for its length.
pub fn long_pieces(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk::<2>()?;
        let (piece, rest) = rest.split_at(rest.len().min(u16::from_be_bytes(*length).into()));
        data = rest;
        Some(piece)
    })
}

/// The data as records with checksums that hold.
#[must_use]
pub fn records(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for body in pieces(data, 1).filter(|body| !body.is_empty()) {
        let size = u32::try_from(body.len() + 4).unwrap_or(0);
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(&crc32fast::hash(body).to_be_bytes());
    }
    bytes
}
