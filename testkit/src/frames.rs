//! WebSocket frames as bytes, for clients that break the rules.

/// A masked frame. `first` is its first byte: flags and opcode.
pub fn masked_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    if let Ok(len @ 0..=125) = u8::try_from(payload.len()) {
        bytes.push(0x80 | len);
    } else if let Ok(len) = u16::try_from(payload.len()) {
        bytes.push(0x80 | 0x7e);
        bytes.extend(len.to_be_bytes());
    } else {
        bytes.push(0x80 | 0x7f);
        bytes.extend((payload.len() as u64).to_be_bytes());
    }
    let mask = [0x12, 0x34, 0x56, 0x78];
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
    bytes
}
